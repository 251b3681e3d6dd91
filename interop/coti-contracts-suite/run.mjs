// Runs the test suite that npm @coti-io/coti-contracts ships against the node at CLOISTER_RPC.
//
// stdout: one JSON object with the pass count and the reason of each failure. Exits 1 when a test fails that is not
// in known-failures.json, or when fewer tests ran than the package has. `--compile` only compiles.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
// A project inside node_modules would not get its TypeScript compiled: work on a copy.
const project = join(here, '.work');
// Counted in version 1.0.2: 32 + 33 + 13 in its tokens and framework, 35 + 11 on the precompile, 2 on on-boarding.
const publishedTests = 126;

// The first two accounts of hardhat's well-known mnemonic, which a dev node funds.
const signingKeys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
];

main();

function main() {
  copyPackage();
  hardhat(['compile']);
  if (process.argv.includes('--compile')) return;
  rmSync(join(project, 'result.json'), { force: true });
  hardhat(['test', '--no-compile'], { mayFail: true });
  report(JSON.parse(readFileSync(join(project, 'result.json'), 'utf8')));
}

/** Keeps `artifacts` and `cache` of an earlier run: the compilation takes more than a minute. */
function copyPackage() {
  const require = createRequire(import.meta.url);
  const source = dirname(require.resolve('@coti-io/coti-contracts/hardhat.config.ts'));
  for (const part of ['contracts', 'test', 'hardhat.config.ts', 'package.json', 'tsconfig.json']) {
    rmSync(join(project, part), { recursive: true, force: true });
    cpSync(join(source, part), join(project, part), { recursive: true, preserveTimestamps: true });
  }
  cpSync(join(here, 'hardhat.node.config.ts'), join(project, 'hardhat.node.config.ts'));
  // The suite appends the user keys it got; keys of another chain would spoil this run.
  rmSync(join(project, '.env'), { force: true });
}

function hardhat(args, { mayFail = false } = {}) {
  const cli = join(here, 'node_modules', 'hardhat', 'internal', 'cli', 'bootstrap.js');
  const environment = {
    ...process.env,
    CLOISTER_RPC: process.env.CLOISTER_RPC ?? 'http://126.0.0.1:8545',
    SIGNING_KEYS: signingKeys.join(','),
    HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
    TS_NODE_TRANSPILE_ONLY: 'true',
  };
  delete environment.USER_KEYS;
  const run = spawnSync(process.execPath, [cli, '--config', 'hardhat.node.config.ts', ...args], {
    cwd: project,
    env: environment,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (run.status !== 0 && !mayFail) process.exit(1);
  if (mayFail && !existsSync(join(project, 'result.json'))) {
    console.error('the test run ended without a result');
    process.exit(1);
  }
}

function report(result) {
  const known = JSON.parse(readFileSync(join(here, 'known-failures.json'), 'utf8'));
  const failures = result.failures.map((test) => ({
    test: test.fullTitle,
    error: test.err?.message ?? 'no message',
    known: known[test.fullTitle] ?? null,
  }));
  const { tests, passes, pending, duration } = result.stats;
  console.log(JSON.stringify({ published: publishedTests, ran: tests, passes, pending, durationMs: duration, failures }, null, 2));
  const surprising = failures.filter((failure) => failure.known === null);
  console.log(`${passes} passed, ${failures.length} failed`);
  // A failing `before` hook hides the tests behind it: count what ran.
  if (surprising.length > 0 || passes + failures.length < publishedTests) process.exit(1);
}
