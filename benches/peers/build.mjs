// Compiles PlainToken.sol to PlainToken.bin (creation code, hex) with the compiler and the settings of
// contracts/solidity. `--check` compares instead of writing.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);
const solc = createRequire(fileURLToPath(new URL('../../contracts/solidity/build.mjs', here)))('solc');
const target = new URL('PlainToken.bin', here);

const settings = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 10000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { PlainToken: ['evm.bytecode.object'] } },
};
const sources = { 'PlainToken.sol': { content: readFileSync(new URL('PlainToken.sol', here), 'utf8') } };
const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
if (output.errors?.length) {
  console.error(output.errors.map((problem) => problem.formattedMessage).join('\n'));
  process.exit(1);
}
const code = output.contracts['PlainToken.sol'].PlainToken.evm.bytecode.object;
if (!process.argv.includes('--check')) {
  writeFileSync(target, code);
} else if (readFileSync(target, 'utf8') !== code) {
  console.error('PlainToken.bin differs from its source: node benches/peers/build.mjs');
  process.exit(1);
}
