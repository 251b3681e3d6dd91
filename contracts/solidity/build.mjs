// Compiles src/*.sol to artifacts/ with the pinned compiler. `--check` compares instead of writing.
//
// For each contract NAME: NAME.json (abi, both bytecodes, compiler and settings, hash of every source it was made
// from), NAME.bin (creation code, hex) and NAME.runtime (deployed code, hex; absent when the constructor fills in
// immutables). predeploys.json: what a genesis puts at the addresses that published clients expect.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

const here = dirname(fileURLToPath(import.meta.url));
const sourceDir = join(here, 'src');
const artifactDir = join(here, 'artifacts');

const settings = {
  // COTI's own network knows no PUSH0: code for it must stay at this revision.
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 10000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

main();

function main() {
  const contracts = compile();
  checkSelectors(contracts);
  const files = new Map();
  for (const [name, contract] of Object.entries(contracts).filter(isDeployable)) {
    files.set(`${name}.json`, json(artifact(name, contract)));
    files.set(`${name}.bin`, contract.evm.bytecode.object);
    if (!hasImmutables(contract)) files.set(`${name}.runtime`, contract.evm.deployedBytecode.object);
  }
  files.set('predeploys.json', json(predeploys(contracts)));
  if (process.argv.includes('--check')) check(files);
  else write(files);
}

/** Every contract, interface and library by name. */
function compile() {
  const sources = Object.fromEntries(
    sourceNames().map((name) => [name, { content: readFileSync(join(sourceDir, name), 'utf8') }]),
  );
  const outputSelection = {
    '*': { '*': ['abi', 'metadata', 'evm.bytecode.object', 'evm.deployedBytecode', 'evm.methodIdentifiers'] },
  };
  const output = JSON.parse(
    solc.compile(JSON.stringify({ language: 'Solidity', sources, settings: { ...settings, outputSelection } })),
  );
  const problems = output.errors ?? [];
  if (problems.length > 0) fail(problems.map((problem) => problem.formattedMessage).join('\n'));
  return Object.fromEntries(Object.values(output.contracts).flatMap(Object.entries));
}

function artifact(name, contract) {
  const used = Object.keys(JSON.parse(contract.metadata).sources).sort();
  return {
    contractName: name,
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
    compiler: { name: 'solc', version: solc.version(), settings },
    sources: Object.fromEntries(used.map((source) => [source, sha256(readFileSync(join(sourceDir, source)))])),
  };
}

/** Selectors and topics that published clients hard-code. */
function checkSelectors(contracts) {
  const expected = JSON.parse(readFileSync(join(here, 'published-selectors.json'), 'utf8'));
  for (const [name, functions] of Object.entries(expected)) {
    const actual = contracts[name].evm.methodIdentifiers;
    for (const [signature, selector] of Object.entries(functions)) {
      if (actual[signature] !== selector) fail(`${name}.${signature}: ${actual[signature]}, published is ${selector}`);
    }
  }
}

/** Address to runtime code and storage. COTI's clients hard-code these addresses on their test network. */
function predeploys(contracts) {
  const runtime = (name) => `0x${contracts[name].evm.deployedBytecode.object}`;
  const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
  const onboard = { contract: 'AccountOnboard', runtime: runtime('AccountOnboard'), storage: {} };
  const dataOnChain = {
    contract: 'DataOnChain',
    runtime: runtime('DataOnChain'),
    // A clear 5, as the constructor writes it, and in the network value's place a word that nobody sealed.
    storage: { [word(0)]: word(5), [word(3)]: `0x${sha256('cloister: not a ciphertext')}` },
  };
  return {
    '0x0000000000000000000000000000000000000064': { contract: 'precompile marker', runtime: '0xfe', storage: {} },
    '0x536A67f0cc46513E7d27a370ed1aF9FDcC7A5095': onboard,
    '0x24D6c44eaB7aA09A085dDB8cD25c28FFc9917EC9': onboard,
    '0x60eA13A5f263f77f7a2832cfEeF1729B1688477c': onboard,
    '0x413370ed41FB9EE3aea0B1B91FD336cC0be1Bad6': onboard,
    '0xe1dA9B857E1196D0BeDBE46960586cBc3F909C17': onboard,
    '0x0eEb07792150D9B79F1bcE02Cd66f1329C2d2aD6': {
      contract: 'AccountOnboardLegacy',
      runtime: runtime('AccountOnboardLegacy'),
      storage: {},
    },
    '0x074695f49d9c788c056FbBc697669EE6F23AE796': dataOnChain,
    '0xbC39Df62e41F69300a413d4F3a262737A1109FC3': dataOnChain,
    // Stores nothing; CREATE2s the calldata after its first word, which is the salt.
    '0x4e59b44847b379578588920cA78FbF26c0B4956C': {
      contract: 'deterministic deployment proxy',
      runtime:
        '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0' +
        '3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3',
      storage: {},
    },
  };
}

function write(files) {
  mkdirSync(artifactDir, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(artifactDir, name), content);
  console.log(`${files.size} files written`);
}

function check(files) {
  const stale = [...files].filter(([name, content]) => {
    const path = join(artifactDir, name);
    return !existsSync(path) || readFileSync(path, 'utf8') !== content;
  });
  const orphans = readdirSync(artifactDir).filter((name) => !files.has(name));
  const wrong = [...stale.map(([name]) => `${name}: differs from its source`), ...orphans.map((name) => `${name}: has no source`)];
  if (wrong.length > 0) fail(`${wrong.join('\n')}\nRun: npm run build`);
  console.log(`${files.size} files match their sources`);
}

function sourceNames() {
  return readdirSync(sourceDir).filter((name) => name.endsWith('.sol')).sort();
}

/** Neither an interface nor a library of internal functions. */
function isDeployable([, contract]) {
  return contract.evm.bytecode.object !== '' && contract.abi.length > 0;
}

function hasImmutables(contract) {
  return Object.keys(contract.evm.deployedBytecode.immutableReferences ?? {}).length > 0;
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
