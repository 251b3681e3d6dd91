// Compiles contracts/*.sol against the published npm packages, as a user's project would.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import solc from 'solc-0.8.19';

const require = createRequire(import.meta.url);

/** Abi and bytecode of the one contract in contracts/`name`.sol. */
export function compile(name) {
  const file = `${name}.sol`;
  const content = readFileSync(new URL(`../contracts/${file}`, import.meta.url), 'utf8');
  const input = {
    language: 'Solidity',
    sources: { [file]: { content } },
    settings: {
      optimizer: { enabled: true, runs: 10000 },
      outputSelection: { [file]: { [name]: ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: fromPackage }));
  const errors = (output.errors ?? []).filter((problem) => problem.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((problem) => problem.formattedMessage).join('\n'));
  const { abi, evm } = output.contracts[file][name];
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}

function fromPackage(path) {
  try {
    return { contents: readFileSync(require.resolve(path), 'utf8') };
  } catch (error) {
    return { error: error.message };
  }
}
