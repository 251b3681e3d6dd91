// What contracts send each other, answer each other and ask each other.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MsgExecuteContract, Wallet } from 'secretjs';
import {
  balance, base64, call, coins, deploy, done, execute, executeData, failed, freshClient, gas, instantiate, label, log,
  query, reader, upload,
} from '../lib/chain.mjs';

let alice;
let prober;
let counter;

before(async () => {
  alice = await freshClient();
  prober = await deploy(alice, 'prober', {});
  counter = await deploy(alice, 'counter', { count: 0 });
});

const increment = { increment: {} };

function sub(msg, { id = 1, reply_on = 'never', gas_limit = null } = {}) {
  return { id, reply_on, gas_limit, msg };
}

function toCounter(msg = increment, options) {
  const { address: contract, codeHash: code_hash } = counter;
  return sub({ execute: { contract, code_hash, msg: base64(msg) } }, options);
}

/** Makes the prober send these. */
function tell(...msgs) {
  return execute(alice, prober, { sub: { msgs, data: null } }, { gasLimit: 1_000_000 });
}

async function count() {
  return (await query(reader(), counter, { get_count: {} })).count;
}

async function lastReply() {
  return query(reader(), prober, { last_reply: {} });
}

test('a contract calls another: the sender reads the whole log, everybody sees that it was a call', async () => {
  const before = await count();
  const tx = await done(tell(toCounter()));
  assert.equal(await count(), before + 1);
  assert.deepEqual(log(tx), [
    ['message', 'action', '/secret.compute.v1beta1.MsgExecuteContract'],
    ['message', 'sender', alice.address],
    ['message', 'module', 'compute'],
    ['message', 'contract_address', prober.address],
    ['execute', 'contract_address', prober.address],
    ['wasm', 'contract_address', prober.address],
    ['message', 'sender', prober.address],
    ['message', 'contract_address', counter.address],
    ['execute', 'contract_address', counter.address],
    ['wasm', 'contract_address', counter.address],
    ['wasm', 'action', 'increment'],
    ['wasm', 'count', `${before + 1}`],
  ]);
  const stranger = await reader().query.getTx(tx.transactionHash);
  assert.ok(!log(stranger).some(([, key]) => key === 'count'));
  assert.equal(executeData(tx), null, 'the data of a call that nobody replies to is dropped');
});

test('a reply gets the bare data and the events', async () => {
  const before = await count();
  const tx = await done(tell(toCounter(increment, { id: 77, reply_on: 'success' })));
  const reply = await lastReply();
  assert.equal(reply.id, 77);
  assert.equal(Buffer.from(reply.result.ok.data, 'base64').toString(), JSON.stringify({ count: before + 1 }));
  assert.deepEqual(reply.result.ok.events.map(({ type }) => type).filter((type) => type !== 'message'), ['execute', 'wasm']);
  assert.ok(log(tx).some(([type, key, value]) => type === 'wasm' && key === 'reply' && value === '77'));
  assert.ok(log(tx).some(([type, key, value]) => type === 'reply' && key === 'contract_address' && value === prober.address));
});

test("a reply's data is the caller's", async () => {
  await done(execute(alice, prober, { set_reply: { fail: null, data: base64({ from: 'reply' }) } }));
  const tx = await done(tell(toCounter(increment, { reply_on: 'always' })));
  assert.deepEqual(executeData(tx), { from: 'reply' });
  await done(execute(alice, prober, { set_reply: { fail: null, data: null } }));
});

test('a failure that is asked for is caught: the callee is undone, the caller goes on', async () => {
  const before = await count();
  const caught = toCounter({ fail: {} }, { id: 5, reply_on: 'error' });
  await done(tell(toCounter(), caught, toCounter()));
  assert.equal(await count(), before + 2);
  const reply = await lastReply();
  assert.equal(reply.id, 5);
  assert.match(reply.result.error, /failed on request/);
});

test('a failure that nobody asked for undoes everything, and the sender reads it', async () => {
  const before = await count();
  const tx = await failed(tell(toCounter(), toCounter({ fail: {} })));
  assert.match(
    tx.rawLog,
    /^failed to execute message; message index: 0: dispatch: submessages: Generic error: failed on request: execute contract failed/,
  );
  assert.equal(await count(), before);
  const stranger = (await reader().query.getTx(tx.transactionHash)).rawLog;
  assert.match(stranger, /^failed to execute message; message index: 0: dispatch: submessages: encrypted: [\w+/=]+: execute contract failed/);
});

test('a failing reply undoes everything', async () => {
  const before = await count();
  await done(execute(alice, prober, { set_reply: { fail: true, data: null } }));
  const tx = await failed(tell(toCounter(increment, { reply_on: 'success' })));
  assert.match(tx.rawLog, /the reply was told to fail/);
  assert.equal(await count(), before);
  await done(execute(alice, prober, { set_reply: { fail: null, data: null } }));
});

test('a contract sends coins that it was given', async () => {
  const to = new Wallet().address;
  const message = { sub: { msgs: [sub({ send: { to, amount: coins(30) } })], data: null } };
  const tx = await done(execute(alice, prober, message, { funds: coins(50) }));
  assert.equal(await balance(to), 30n);
  assert.ok(log(tx).some(([type, key, value]) => type === 'transfer' && key === 'recipient' && value === to));
  const more = sub({ send: { to, amount: coins(10n ** 15n) } });
  assert.match((await failed(tell(more))).rawLog, /insufficient funds/);
  await done(tell({ ...more, reply_on: 'error', id: 9 }));
  assert.match((await lastReply()).result.error, /insufficient funds/);
});

test('a deposit goes from contract to contract', async () => {
  const before = await balance(counter.address);
  const message = toCounter();
  message.msg.execute.funds = coins(8);
  await done(execute(alice, prober, { sub: { msgs: [message], data: null } }, { funds: coins(8) }));
  assert.equal((await balance(counter.address)) - before, 8n);
});

test('a contract makes another, whose history its user reads', async () => {
  const { codeId, codeHash } = await upload(alice, 'counter');
  const name = label();
  await done(tell(sub({
    instantiate: {
      code_id: Number(codeId),
      code_hash: codeHash,
      msg: base64({ count: 12 }),
      label: name,
      funds: null,
      admin: alice.address,
    },
  })));
  const { compute } = alice.query;
  const { contract_address } = await compute.addressByLabel({ label: name });
  assert.deepEqual(await query(reader(), { address: contract_address, codeHash }, { get_count: {} }), { count: 12 });
  const { contract_info } = await compute.contractInfo({ contract_address });
  assert.deepEqual([contract_info.creator, contract_info.admin], [prober.address, alice.address]);
  const { entries } = await compute.contractHistory({ contract_address });
  assert.deepEqual(JSON.parse(entries[0].msg), { count: 12 });
});

test('a contract gives another one new code, and a new admin', async () => {
  const code = await upload(alice, 'counter');
  const made = await instantiate(alice, code, { count: 1 }, { admin: prober.address });
  await done(tell(
    sub({ migrate: { contract: made.address, code_id: Number(code.codeId), code_hash: code.codeHash, msg: base64({ count: 9 }) } }),
    sub({ update_admin: { contract: made.address, admin: alice.address } }),
  ));
  assert.deepEqual(await query(reader(), made, { get_count: {} }), { count: 9 });
  const { contract_info } = await reader().query.compute.contractInfo({ contract_address: made.address });
  assert.equal(contract_info.admin, alice.address);
});

test('calls nest', async () => {
  const tx = await done(execute(alice, prober, { again: { depth: 10 } }, { gasLimit: 2_000_000 }));
  assert.equal(tx.events.filter(({ type }) => type === 'execute').length, 11);
  const deep = await failed(execute(alice, prober, { again: { depth: 110 } }, { gasLimit: 9_000_000 }));
  assert.match(deep.rawLog, /max call depth exceeded/);
});

test('contracts ask each other, also in an answer', async () => {
  const question = {
    ask: { contract: counter.address, code_hash: counter.codeHash, msg: base64({ get_count: {} }) },
  };
  const expected = { count: await count() };
  assert.deepEqual(await query(reader(), prober, question), expected);
  assert.deepEqual(executeData(await done(execute(alice, prober, question))), expected);
  assert.deepEqual(await query(reader(), prober, { nest: { depth: 5 } }), { depth: 5 });
  const tooDeep = await query(reader(), prober, { nest: { depth: 40 } });
  assert.match(tooDeep, /recursion/i);
});

test('contracts ask the bank', async () => {
  const question = { balance: { address: alice.address, denom: null } };
  const { amount } = await query(reader(), prober, question);
  assert.deepEqual(amount, { denom: 'uscrt', amount: (await balance(alice.address)).toString() });
});

test('a sub-message that needs more than its gas ends the transaction, within its gas', async () => {
  const spinning = sub(
    { execute: { contract: prober.address, code_hash: prober.codeHash, msg: base64({ loop: {} }) } },
    { id: 3, reply_on: 'error', gas_limit: 60_000 },
  );
  const tx = await failed(tell(spinning));
  assert.deepEqual([tx.code, tx.codespace], [11, 'sdk']);
  assert.ok(tx.gasUsed < 200_000, `${tx.gasUsed}`);
});

test('nothing follows the end of a transaction', async () => {
  const before = await count();
  await done(tell(toCounter(), sub({ finalize: {} })));
  assert.equal(await count(), before + 1);
  const end = new MsgExecuteContract(call(alice, prober, { sub: { msgs: [sub({ finalize: {} })], data: null } }));
  const more = new MsgExecuteContract(call(alice, counter, increment));
  const tx = await failed(alice.tx.broadcast([end, more], gas(800_000)));
  assert.match(tx.rawLog, /Cannot send messages or submessages after last tx marker was set/);
  assert.equal(await count(), before + 1);
});

test('a contract knows where it is', async () => {
  const tx = await done(execute(alice, prober, { env: {} }, { funds: coins(2) }));
  const { env, info } = executeData(tx);
  assert.deepEqual(info, { sender: alice.address, funds: coins(2) });
  assert.equal(env.block.height, tx.height);
  assert.equal(env.block.chain_id, 'secretdev-1');
  assert.match(env.block.time, /^\d{19}$/);
  assert.equal(Math.floor(Number(env.block.time) / 1e9), Date.parse(tx.timestamp) / 1000);
  assert.deepEqual(env.contract, { address: prober.address, code_hash: prober.codeHash });
  assert.deepEqual(env.transaction, { index: 0, hash: tx.transactionHash });
});

test('random numbers differ from call to call', async () => {
  const seen = new Set();
  for (let i = 0; i < 3; i++) {
    const tx = await done(execute(alice, prober, { random: {} }));
    const [, , random] = log(tx).find(([type, key]) => type === 'wasm' && key === 'random');
    assert.equal(Buffer.from(random, 'base64').length, 32);
    seen.add(random);
  }
  assert.equal(seen.size, 3);
});

test('custom events and plaintext attributes are for everybody, others are not', async () => {
  const attributes = [
    { key: 'open', value: 'seen', encrypted: false },
    { key: 'closed', value: 'hidden', encrypted: true },
  ];
  const tx = await done(execute(alice, prober, { attributes: { attributes } }));
  assert.deepEqual(log(tx).slice(-2), [['wasm', 'open', 'seen'], ['wasm', 'closed', 'hidden']]);
  const open = (await reader().query.getTx(tx.transactionHash)).events.find(({ type }) => type === 'wasm').attributes;
  assert.deepEqual(open.slice(0, 2).map(({ key, value }) => [key, value]), [
    ['contract_address', prober.address],
    ['open', 'seen'],
  ]);
  assert.ok(!JSON.stringify(open).includes('hidden'));

  const custom = await done(execute(alice, prober, { custom_event: { kind: 'auction', attributes: [attributes[0]] } }));
  assert.deepEqual(log(custom).slice(-2), [
    ['wasm-auction', 'contract_address', prober.address],
    ['wasm-auction', 'open', 'seen'],
  ]);
  const short = await failed(execute(alice, prober, { custom_event: { kind: 'x', attributes: [attributes[0]] } }));
  assert.deepEqual([short.code, short.codespace], [21, 'compute']);
  const none = await failed(execute(alice, prober, { custom_event: { kind: 'auction', attributes: [] } }));
  assert.equal(none.code, 21);
});

test('gas is spent and seen by the contract', async () => {
  const cheap = await done(execute(alice, prober, { evaporate: { amount: 0 } }));
  const dear = await done(execute(alice, prober, { evaporate: { amount: 50_000 } }));
  assert.ok(Math.abs(dear.gasUsed - cheap.gasUsed - 50_000) < 200, `${dear.gasUsed} and ${cheap.gasUsed}`);
});
