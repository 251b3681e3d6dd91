// The published SDK (npm @coti-io/coti-sdk-typescript): wide input texts, and ciphertext of every width for a user.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Wallet as CotiWallet } from '@coti-io/coti-ethers';
import { decryptUint, decryptUint256, prepareIT, prepareIT256 } from '@coti-io/coti-sdk-typescript';
import { Wallet, toBeHex } from 'ethers';
import { artifact, connect, deploy, devWallet, events, failed, freshWallet, gasLimit, mined, disconnect } from '../lib/chain.mjs';
import { integers, max, types } from '../lib/model.mjs';

const kind = (type) => toBeHex(type, 1);

let provider;
let operations;
let alice;

before(async () => {
  provider = connect();
  alice = new CotiWallet((await freshWallet(provider)).privateKey, provider);
  await alice.generateOrRecoverAes();
  operations = await deploy(artifact('Operations'), alice);
});

after(() => disconnect(provider));

test('a 128-bit input text', async () => {
  const { selector } = operations.getFunction('validate').fragment;
  for (const value of [0n, 1n, 2n ** 64n, max(types.u128)]) {
    const { ciphertext, signature } = prepareIT(value, sender(), operations.target, selector);
    const receipt = await mined(operations.validate(kind(types.u128), ciphertext, signature, { gasLimit }));
    assert.equal(clear(receipt), value);
  }
});

test('a 256-bit input text: two cells, one signature', async () => {
  for (const value of [0n, 1n, 2n ** 64n, 2n ** 128n - 1n, 2n ** 128n, 2n ** 255n + 7n, max(types.u256)]) {
    const receipt = await mined(operations.validate256(input256(value), { gasLimit }));
    assert.equal(clear(receipt), value);
  }
});

test('the cells of a 256-bit input text cannot be exchanged', async () => {
  const input = input256(2n ** 200n + 3n);
  const { high, low } = input.ciphertext;
  await failed(operations.validate256({ ...input, ciphertext: { high: low, low: high } }, { gasLimit }));
  await failed(operations.validate256({ ...input, ciphertext: { high, low: low ^ 1n } }, { gasLimit }));
});

test('every width is sealed for a user, who decrypts it', async () => {
  const plain = [[types.bool, 0n], [types.bool, 1n], ...integers.flatMap((type) => [0n, 1n, max(type) - 1n, max(type)].map((value) => [type, value]))];
  const cells = await sealForUser(alice.address, plain);
  assert.deepEqual(cells.map((cell, i) => decrypt(plain[i][0], cell, aesKey(alice))), plain.map(([, value]) => value));
});

test('another key does not open it', async () => {
  const bob = await onboarded(await freshWallet(provider));
  const [cell] = await sealForUser(alice.address, [[types.u64, 5n]]);
  assert.notEqual(decrypt(types.u64, cell, aesKey(bob)), 5n);
});

test('equal values sealed for one user do not look equal', async () => {
  const cells = await sealForUser(alice.address, Array(8).fill([types.u64, 5n]));
  assert.equal(new Set(cells.map(({ high }) => high)).size, 8);
  assert.equal(new Set(cells.map(({ high }) => BigInt.asUintN(128, high))).size, 8);
});

test('a value sealed before its owner ever on-boarded opens afterwards', async () => {
  const carol = new Wallet(Wallet.createRandom().privateKey, provider);
  const [cell] = await sealForUser(carol.address, [[types.u64, 31337n]]);
  await mined(devWallet(provider).sendTransaction({ to: carol.address, value: 10n ** 18n }));
  assert.equal(decrypt(types.u64, cell, aesKey(await onboarded(carol))), 31337n);
});

test('the zero address and contracts can be sealed for too', async () => {
  await sealForUser('0x0000000000000000000000000000000000000000', [[types.u64, 1n]]);
  await sealForUser(operations.target, [[types.u256, 1n]]);
});

async function onboarded({ privateKey }) {
  const wallet = new CotiWallet(privateKey, provider);
  await wallet.generateOrRecoverAes();
  return wallet;
}

async function sealForUser(user, plain) {
  const receipt = await mined(
    operations.sealForUser(user, plain.map(([type]) => kind(type)), plain.map(([, value]) => value), { gasLimit: 30_000_000n }),
  );
  return events(operations, receipt, 'UserCell').map(({ args }) => args.cell);
}

function input256(value) {
  const { selector } = operations.getFunction('validate256').fragment;
  const { ciphertext, signature } = prepareIT256(value, sender(), operations.target, selector);
  return { ciphertext: { high: ciphertext.ciphertextHigh, low: ciphertext.ciphertextLow }, signature };
}

function decrypt(type, { high, low }, key) {
  if (type !== types.u256) return decryptUint(high, key);
  return decryptUint256({ ciphertextHigh: high, ciphertextLow: low }, key);
}

const sender = () => ({ wallet: alice, userKey: aesKey(alice) });
const aesKey = (wallet) => wallet.getUserOnboardInfo().aesKey;
const clear = (receipt) => events(operations, receipt, 'Value')[0].args.clear;
