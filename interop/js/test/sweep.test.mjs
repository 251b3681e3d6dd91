// Every operation of the precompile against plain integers: all widths, mixed widths, clear operands, edges.
//
// CLOISTER_SWEEP_CASES: about how many (default 3000). CLOISTER_SWEEP_SEED: repeat a run.

import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { getBytes, concat, toBeHex } from 'ethers';
import { artifact, connect, deploy, events, failed, freshWallet, gasLimit, mined, disconnect } from '../lib/chain.mjs';
import { Random, call, encode, gasBound, refused, sweep } from '../lib/cases.mjs';
import { bits, integers, max, types } from '../lib/model.mjs';

const seed = process.env.CLOISTER_SWEEP_SEED ?? String(randomInt(2 ** 32));
const count = Number(process.env.CLOISTER_SWEEP_CASES ?? 3000);
const bigGasLimit = 30_000_000n;
const allTypes = [types.bool, ...integers];
const kind = (type) => toBeHex(type, 1);

let provider;
let owner;
let operations;

before(async () => {
  provider = connect();
  owner = await freshWallet(provider);
  operations = await deploy(artifact('Operations'), owner);
});

after(() => disconnect(provider));

test(`operations agree with the model (CLOISTER_SWEEP_SEED=${seed})`, async (t) => {
  const cases = sweep(seed, count);
  t.diagnostic(`seed ${seed}, ${cases.length} cases`);
  for (const batch of batches(cases)) {
    const outcomes = await run(batch);
    outcomes.forEach((outcome, i) => {
      const expected = { ok: true, results: batch[i].expected };
      assert.deepEqual(outcome, expected, `seed ${seed}: ${describe(batch[i])}`);
    });
  }
});

test('what the interface does not offer is refused, and its neighbours in the transaction go on', async () => {
  const cases = refused();
  const outcomes = await run(cases);
  outcomes.forEach((outcome, i) => assert.equal(outcome.ok, false, `${cases[i].reason}: ${describe(cases[i])}`));
});

test('random values fill their width, and differ', async () => {
  for (const type of integers) {
    const draws = Array(8).fill(call('Rand(bytes1)', [type], [], [type]));
    const values = (await run(draws)).map(({ results }) => results[0]);
    assert.ok(values.every((value) => value <= max(type)));
    assert.ok(new Set(values).size > 1, `${bits[type]} bits: ${values}`);
  }
  const coins = (await run(Array(64).fill(call('Rand(bytes1)', [types.bool], [], [types.bool])))).map(({ results }) => results[0]);
  assert.deepEqual(new Set(coins), new Set([0n, 1n]));
});

test('bounded random values stay below their bound, and differ', async () => {
  for (const type of integers) {
    for (const bound of [1n, 7n, bits[type] - 1n, bits[type]].filter((n) => n < 256n)) {
      const draw = call('RandBoundedBits(bytes1,uint8)', [type], [{ type: 0xff, value: bound }], [type]);
      const values = (await run(Array(40).fill(draw))).map(({ results }) => results[0]);
      assert.ok(values.every((value) => value < 1n << bound), `${bound} bits: ${values}`);
      assert.ok(new Set(values).size > 1, `${bound} bits: ${values}`);
    }
  }
});

test('every width survives sealing and loading, and equal values do not look equal', async () => {
  const random = new Random(seed);
  const pairs = allTypes.flatMap((type) => [0n, 1n, max(type), random.value(type)].flatMap((value) => [[type, value], [type, value]]));
  const receipt = await mined(operations.roundTrips(pairs.map(([type]) => kind(type)), pairs.map(([, value]) => value), { gasLimit: bigGasLimit }));
  assert.deepEqual(events(operations, receipt, 'Value').map(({ args }) => args.clear), pairs.map(([, value]) => value));
  const cells = events(operations, receipt, 'NetworkCell').map(({ args }) => args.cell);
  const words = cells.flatMap(({ high, low }) => (low === 0n ? [high] : [high, low]));
  assert.equal(words.length, pairs.length + pairs.filter(([type]) => type === types.u256).length);
  assert.equal(new Set(words).size, words.length);
});

test('every width can be stored in one transaction and revealed in another', async () => {
  for (const type of allTypes) {
    await mined(operations.store(type, kind(type), max(type), { gasLimit }));
    const receipt = await mined(operations.reveal(type, kind(type), { gasLimit }));
    assert.deepEqual(events(operations, receipt, 'Value').map(({ args }) => args.clear), [max(type)]);
  }
});

test('a contract cannot even replay its own ciphertext from outside', async () => {
  await mined(operations.store(100, kind(types.u64), 1n, { gasLimit }));
  const receipt = await mined(operations.store(100, kind(types.u64), 2n, { gasLimit }));
  const [{ args }] = events(operations, receipt, 'NetworkCell');
  await mined(operations.plant(101, { high: args.cell.high, low: 0n }, { gasLimit }));
  await failed(operations.reveal(101, kind(types.u64), { gasLimit }));
  await mined(operations.reveal(100, kind(types.u64), { gasLimit }));
});

test('a cell carries no type: read as a narrower one it gives the low bits, as COTI does', async () => {
  await mined(operations.store(200, kind(types.u64), 0x1234n, { gasLimit }));
  const receipt = await mined(operations.reveal(200, kind(types.u8), { gasLimit }));
  assert.deepEqual(events(operations, receipt, 'Value').map(({ args }) => args.clear), [0x34n]);
});

test('the fixed-size SHA-256 hashes what its definition says', async () => {
  const [amount, seed1, seed2, padding1, padding2] = [0x0102030405060708n, max(types.u64), 9n, 10n, 11n];
  const input = getBytes(
    concat([toBeHex(amount, 8), toBeHex(seed1, 8), toBeHex(seed2, 8), owner.address, toBeHex(padding1, 8), toBeHex(padding2, 2)]),
  );
  assert.equal(input.length, 54);
  const receipt = await mined(operations.digest(amount, seed1, seed2, padding1, padding2, owner.address, { gasLimit }));
  const [{ args }] = events(operations, receipt, 'Digest');
  assert.equal(args.digest, `0x${createHash('sha256').update(input).digest('hex')}`);
});

async function run(batch) {
  const receipt = await mined(operations.run(batch.map(encode), { gasLimit: bigGasLimit }));
  const [{ args }] = events(operations, receipt, 'Outcomes');
  assert.equal(args.outcomes.length, batch.length);
  return args.outcomes.map(({ ok, results }) => ({ ok, results: [...results] }));
}

function* batches(cases) {
  let batch = [];
  let gas = 0;
  for (const each of cases) {
    const cost = gasBound(each);
    if (gas + cost > Number(bigGasLimit) - 2_000_000) {
      yield batch;
      [batch, gas] = [[], 0];
    }
    batch.push(each);
    gas += cost;
  }
  if (batch.length > 0) yield batch;
}

function describe({ signature, meta, operands }) {
  return `${signature} meta [${meta}] on ${operands.map(({ type, value }) => `${value}${type === 0xff ? ' (clear)' : ''}`).join(', ')}`;
}
