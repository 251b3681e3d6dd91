// Ethereum's clients and Secret's clients on one chain, at the same time.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HDNodeWallet, JsonRpcProvider, Wallet as EthereumWallet, parseEther } from 'ethers';
import { fromBech32, toBech32, Wallet } from 'secretjs';
import {
  balance, coins, deploy, done, execute, executeData, failed, freshClient, gas, height, query, reader, rejection,
} from '../lib/chain.mjs';

const mnemonic = 'test test test test test test test test test test test junk';
const coin = parseEther('1');

let provider;
let ether;
let secret;
let counter;

before(async () => {
  const url = process.env.CLOISTER_RPC ?? 'http://127.0.0.1:8545';
  provider = new JsonRpcProvider(url, undefined, { pollingInterval: 25, cacheTimeout: -1 });
  const rich = new EthereumWallet(HDNodeWallet.fromPhrase(mnemonic, undefined, "m/44'/60'/0'/0/7").privateKey, provider);
  ether = new EthereumWallet(EthereumWallet.createRandom().privateKey, provider);
  await (await rich.sendTransaction({ to: ether.address, value: 50n * coin })).wait();
  secret = await freshClient();
  counter = await deploy(secret, 'counter', { count: 0 });
});

after(() => provider.destroy());

async function count() {
  return (await query(reader(), counter, { get_count: {} })).count;
}

test('a transfer there and a call here, at once: both happen, each in its own coins', async () => {
  const [to, before] = [EthereumWallet.createRandom().address, await count()];
  const [receipt, tx] = await Promise.all([
    ether.sendTransaction({ to, value: coin }).then((sent) => sent.wait()),
    done(execute(secret, counter, { increment: {} }, { funds: coins(5) })),
  ]);
  assert.equal(receipt.status, 1);
  assert.deepEqual(executeData(tx), { count: before + 1 });
  assert.equal(await provider.getBalance(to), coin);
  assert.equal(await balance(counter.address), 5n);
});

test('twenty of each, in the same blocks', async () => {
  const to = EthereumWallet.createRandom().address;
  const first = await ether.getNonce();
  const before = await count();
  const transfers = Array.from({ length: 20 }, (_, i) => ether.sendTransaction({ to, value: 1n, nonce: first + i }));
  const calls = (async () => {
    for (let i = 0; i < 5; i++) await done(execute(secret, counter, { increment: {} }));
  })();
  const receipts = await Promise.all(transfers.map(async (sent) => (await sent).wait()));
  await calls;
  assert.ok(receipts.every(({ status }) => status === 1));
  assert.equal(await provider.getBalance(to), 20n);
  assert.equal(await count(), before + 5);
});

test('a failure in one world is no failure in the other', async () => {
  const [to, before] = [EthereumWallet.createRandom().address, await count()];
  const [receipt, tx] = await Promise.all([
    ether.sendTransaction({ to, value: coin }).then((sent) => sent.wait()),
    failed(execute(secret, counter, { fail: {} })),
  ]);
  assert.equal(receipt.status, 1);
  assert.match(tx.rawLog, /failed on request/);
  assert.equal(await count(), before);

  // Code that only reverts, and a call that works.
  const reverting = { data: '0x5f5ffd', gasLimit: 100_000 };
  const [reverted, call] = await Promise.all([
    ether.sendTransaction(reverting).then((sent) => sent.wait()).catch((error) => error.receipt),
    done(execute(secret, counter, { increment: {} })),
  ]);
  assert.equal(reverted.status, 0);
  assert.deepEqual(executeData(call), { count: before + 1 });
});

test('both doors count the same blocks', async () => {
  const tx = await done(execute(secret, counter, { increment: {} }));
  assert.ok((await provider.getBlockNumber()) >= tx.height);
  const block = await provider.getBlock(tx.height);
  assert.deepEqual(block.transactions, [], "the Ethereum door shows none of the other world's transactions");
  assert.equal(block.timestamp, Date.parse(tx.timestamp) / 1000);
  const receipt = await (await ether.sendTransaction({ to: ether.address, value: 0n })).wait();
  assert.ok((await height()) >= receipt.blockNumber);
  const { block: same } = await reader().query.tendermint.getBlockByHeight({ height: `${receipt.blockNumber}` });
  assert.equal(Date.parse(same.header.time) >= block.timestamp * 1000, true);
});

test('coins of one world are not coins of the other', async () => {
  const [there, here] = [toBech32('secret', Buffer.from(ether.address.slice(2), 'hex')), fromBech32(secret.address).data];
  assert.equal(await balance(there), 0n);
  assert.equal(await provider.getBalance(`0x${Buffer.from(here).toString('hex')}`), 0n);
});

test("the same key has an account in each, and keeps one world's sequence out of the other's", async () => {
  const wallet = new Wallet();
  const client = await freshClient({}, wallet);
  const twin = new EthereumWallet(`0x${Buffer.from(wallet.privateKey).toString('hex')}`, provider);
  await (await ether.sendTransaction({ to: twin.address, value: coin })).wait();
  await (await twin.sendTransaction({ to: ether.address, value: 1n })).wait();
  await done(client.tx.bank.send({ from_address: client.address, to_address: secret.address, amount: coins(1) }, gas(100_000)));
  assert.equal(await provider.getTransactionCount(twin.address), 1);
  const { account } = await client.query.auth.account({ address: client.address });
  assert.equal(account.sequence, '1');
});

test('ether that is sent to a contract of the other world comes back', async () => {
  const to = `0x${Buffer.from(fromBech32(counter.address).data).toString('hex')}`;
  const sent = await ether.sendTransaction({ to, value: coin, gasLimit: 100_000 });
  const { status } = await sent.wait().catch((error) => error.receipt);
  assert.equal(status, 0);
  assert.equal(await provider.getBalance(to), 0n);
});

test("a transaction's hash means something at its own door only", async () => {
  const tx = await done(execute(secret, counter, { increment: {} }));
  assert.equal(await provider.getTransaction(`0x${tx.transactionHash.toLowerCase()}`), null);
  const sent = await ether.sendTransaction({ to: ether.address, value: 0n });
  await sent.wait();
  const found = await reader().query.getTx(sent.hash.slice(2).toUpperCase()).catch((error) => rejection(Promise.reject(error)));
  assert.ok(found === null || typeof found === 'string', JSON.stringify(found));
});
