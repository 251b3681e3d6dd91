// Finding transactions again.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MsgSend, Wallet } from 'secretjs';
import {
  coins, deploy, done, execute, executeData, failed, freshClient, gas, get, height, reader, rejection,
} from '../lib/chain.mjs';

/** Sends five times, calls a contract three times, fails once. */
let alice;
let to;
let counter;
let sent;
let called;
let failing;

before(async () => {
  [alice, to] = [await freshClient(), new Wallet().address];
  sent = [];
  for (let amount = 1; amount <= 5; amount++) {
    const message = new MsgSend({ from_address: alice.address, to_address: to, amount: coins(amount) });
    sent.push(await done(alice.tx.broadcast([message], gas(100_000))));
  }
  counter = await deploy(alice, 'counter', { count: 0 });
  called = [];
  for (let i = 0; i < 3; i++) called.push(await done(execute(alice, counter, { increment: {} })));
  failing = await failed(execute(alice, counter, { fail: {} }));
});

const hashes = (txs) => txs.map(({ transactionHash }) => transactionHash);
const toThem = () => `transfer.recipient='${to}'`;

test('by what was done, oldest first', async () => {
  assert.deepEqual(hashes(await alice.query.txsQuery(toThem())), hashes(sent));
  assert.deepEqual(hashes(await alice.query.txsQuery(`message.sender='${alice.address}' AND ${toThem()}`)), hashes(sent));
  assert.deepEqual(hashes(await alice.query.txsQuery(`${toThem()} AND transfer.amount='3uscrt'`)), hashes([sent[2]]));
  const execution = `message.action='/secret.compute.v1beta1.MsgExecuteContract' AND message.contract_address='${counter.address}'`;
  assert.deepEqual(hashes(await alice.query.txsQuery(execution)), hashes(called));
  assert.deepEqual(await alice.query.txsQuery(`transfer.recipient='${new Wallet().address}'`), []);
});

test('by height and by hash', async () => {
  const at = sent[1].height;
  assert.deepEqual(hashes(await alice.query.txsQuery(`${toThem()} AND tx.height=${at}`)), hashes([sent[1]]));
  assert.deepEqual(hashes(await alice.query.txsQuery(`${toThem()} AND tx.height>${at}`)), hashes(sent.slice(2)));
  assert.deepEqual(hashes(await alice.query.txsQuery(`${toThem()} AND tx.height<=${at}`)), hashes(sent.slice(0, 2)));
  assert.deepEqual(hashes(await alice.query.txsQuery(`tx.hash='${sent[4].transactionHash}'`)), hashes([sent[4]]));
});

test('a page at a time, in either order', async () => {
  const page = async (offset, limit, order) =>
    hashes(await alice.query.txsQuery(toThem(), undefined, { offset: `${offset}`, limit: `${limit}` }, order));
  assert.deepEqual(await page(0, 2), hashes(sent.slice(0, 2)));
  assert.deepEqual(await page(1, 2), hashes(sent.slice(2, 4)), 'secretjs means pages by offset, and says page=2');
  const { body } = await get(`/cosmos/tx/v1beta1/txs?query=${encodeURIComponent(toThem())}&limit=1&page=1`);
  assert.equal(body.total, '5');
  assert.equal(body.txs.length, 1);
  assert.deepEqual(await page(0, 5, 'ORDER_BY_DESC'), hashes(sent).reverse());
});

test('what is found is decrypted for whoever sent it', async () => {
  const execution = `execute.contract_address='${counter.address}'`;
  const mine = await alice.query.txsQuery(execution);
  assert.deepEqual(mine.map((tx) => executeData(tx)), [{ count: 1 }, { count: 2 }, { count: 3 }]);
  assert.deepEqual(mine.map((tx) => tx.arrayLog), called.map((tx) => tx.arrayLog));
  const theirs = await reader().query.txsQuery(`${execution} AND wasm.action='increment'`);
  assert.deepEqual(hashes(theirs), hashes(called));
  assert.ok(theirs.every((tx) => !tx.arrayLog.some(({ key }) => key === 'count')));
});

test('a transaction is the same when it is asked for again', async () => {
  for (const tx of [sent[0], called[2], failing]) {
    const again = await alice.query.getTx(tx.transactionHash);
    assert.deepEqual(again, tx);
    assert.deepEqual(await alice.query.getTx(tx.transactionHash.toLowerCase()), tx);
  }
});

test('a transaction that does not exist is null, in the words that clients look for', async () => {
  const nothing = 'AB'.repeat(32);
  assert.equal(await alice.query.getTx(nothing), null);
  const { status, body } = await get(`/cosmos/tx/v1beta1/txs/${nothing}?`);
  assert.equal(status, 404);
  assert.deepEqual(body, { code: 5, message: `tx not found: ${nothing}`, details: [] });
});

test('a query that cannot be read says so', async () => {
  for (const query of ['', 'everything', "transfer.recipient=secret1", "transfer.recipient='secret1", 'tx.height>>3']) {
    assert.ok((await rejection(alice.query.txsQuery(query))).length > 0, query);
  }
});

test('a block and its transactions', async () => {
  const { block } = await reader().query.tendermint.getBlockByHeight({ height: `${called[0].height}` });
  assert.equal(block.header.height, `${called[0].height}`);
  assert.equal(block.data.txs.length, 1);
  const { body } = await get(`/cosmos/tx/v1beta1/txs/block/${called[0].height}?`);
  assert.equal(body.txs.length, 1);
  assert.match(await rejection(reader().query.tendermint.getBlockByHeight({ height: `${(await height()) + 1_000}` })), /height/);
});
