// The private token of contracts/solidity, used through the published wallet.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Wallet as CotiWallet } from '@coti-io/coti-ethers';
import { Wallet } from 'ethers';
import { artifact, connect, deploy, events, failed, freshWallet, gasLimit, mined, disconnect } from '../lib/chain.mjs';

const clearTransfer = 'transfer(address,uint64)';
const secretTransfer = 'transfer(address,(uint256,bytes))';

let provider;
let token;
let alice;
let bob;

before(async () => {
  provider = connect();
  [alice, bob] = [await account(), await account()];
  token = await deploy(artifact('PrivateToken'), alice, 'Cloister Example', 'CEX');
});

after(() => disconnect(provider));

test('minting is public, balances are not', async () => {
  await mined(token.mint([alice.address, bob.address], 1000n, { gasLimit }));
  assert.equal(await token.totalSupply(), 2000n);
  assert.deepEqual(await balances(), [1000n, 1000n]);
  assert.notEqual(await token.balanceOf(alice.address), await token.balanceOf(bob.address));
  assert.equal(await token.balanceOf(Wallet.createRandom().address), 0n);
});

test('only the minter mints', async () => {
  await failed(token.connect(bob).mint([bob.address], 1n, { gasLimit }));
});

test('a clear amount moves', async () => {
  const receipt = await mined(token[clearTransfer](bob.address, 100n, { gasLimit }));
  const [{ args }] = events(token, receipt, 'Transfer');
  assert.equal(await alice.decryptValue(args.fromBalance), 900n);
  assert.equal(await bob.decryptValue(args.toBalance), 1100n);
  assert.deepEqual(await balances(), [900n, 1100n]);
});

test('an encrypted amount moves', async () => {
  await mined(token[secretTransfer](bob.address, await encrypted(alice, 250n, secretTransfer), { gasLimit }));
  assert.deepEqual(await balances(), [650n, 1350n]);
});

test('too much moves nothing, and the transaction does not tell', async () => {
  const enough = await mined(token[secretTransfer](bob.address, await encrypted(alice, 1n, secretTransfer), { gasLimit }));
  const tooMuch = await mined(token[secretTransfer](bob.address, await encrypted(alice, 10_000n, secretTransfer), { gasLimit }));
  assert.deepEqual(await balances(), [649n, 1351n]);
  // Calldata costs gas by its zero bytes; nothing else may differ.
  const zeroes = async (receipt) => (await receipt.getTransaction()).data.slice(2).match(/../g).filter((byte) => byte === '00').length;
  const difference = BigInt((await zeroes(enough)) - (await zeroes(tooMuch))) * 12n;
  assert.equal(enough.gasUsed + difference, tooMuch.gasUsed);
});

test('an allowance is read by its two parties, and bounds what is moved', async () => {
  const receipt = await mined(token.approve(bob.address, await encrypted(alice, 50n, 'approve'), { gasLimit }));
  const [{ args }] = events(token, receipt, 'Approval');
  assert.equal(await alice.decryptValue(args.ownerView), 50n);
  assert.equal(await bob.decryptValue(args.spenderView), 50n);

  const asBob = token.connect(bob);
  await mined(asBob.transferFrom(alice.address, bob.address, await encrypted(bob, 30n, 'transferFrom'), { gasLimit }));
  assert.deepEqual(await balances(), [619n, 1381n]);
  await mined(asBob.transferFrom(alice.address, bob.address, await encrypted(bob, 30n, 'transferFrom'), { gasLimit }));
  assert.deepEqual(await balances(), [619n, 1381n]);
  await mined(asBob.transferFrom(alice.address, bob.address, await encrypted(bob, 20n, 'transferFrom'), { gasLimit }));
  assert.deepEqual(await balances(), [599n, 1401n]);
});

test('nobody pays themselves', async () => {
  await failed(token[clearTransfer](alice.address, 1n, { gasLimit }));
});

async function account() {
  const wallet = new CotiWallet((await freshWallet(provider)).privateKey, provider);
  await wallet.generateOrRecoverAes();
  return wallet;
}

async function balances() {
  return Promise.all([alice, bob].map(async (owner) => owner.decryptValue(await token.balanceOf(owner.address))));
}

function encrypted(wallet, amount, name) {
  return wallet.encryptValue(amount, token.target, token.getFunction(name).fragment.selector);
}
