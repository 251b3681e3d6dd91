// Contracts in the line of the standard library that came before 1.0: other logs, other errors.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Wallet } from 'secretjs';
import {
  balance, base64, coins, deploy, done, execute, executeData, failed, freshClient, gas, instantiate, instantiateData, label,
  log, query, reader, upload,
} from '../lib/chain.mjs';

let alice;
let code;
let old;
let next;

before(async () => {
  alice = await freshClient();
  code = await upload(alice, 'counter-v010');
  old = await instantiate(alice, code, { count: 1 });
  next = await deploy(alice, 'counter', { count: 100 });
});

const increment = { increment: {} };

test('making one: no marker, no data', async () => {
  const { tx, address } = await instantiate(alice, code, { count: 9 });
  assert.deepEqual(log(tx), [
    ['message', 'action', '/secret.compute.v1beta1.MsgInstantiateContract'],
    ['message', 'sender', alice.address],
    ['wasm', 'contract_address', address],
    ['wasm', 'action', 'instantiate'],
    ['wasm', 'count', '9'],
    ['message', 'module', 'compute'],
    ['message', 'contract_address', address],
  ]);
  assert.equal(instantiateData(tx), null);
});

test('calling one: exactly these entries, half of them for the sender only', async () => {
  const contract = await instantiate(alice, code, { count: 1 });
  const tx = await done(execute(alice, contract, increment));
  assert.deepEqual(tx.arrayLog, [
    { msg: 0, type: 'message', key: 'action', value: '/secret.compute.v1beta1.MsgExecuteContract' },
    { msg: 0, type: 'message', key: 'sender', value: alice.address },
    { msg: 0, type: 'message', key: 'module', value: 'compute' },
    { msg: 0, type: 'message', key: 'contract_address', value: contract.address },
    { msg: 0, type: 'wasm', key: 'contract_address', value: contract.address },
    { msg: 0, type: 'wasm', key: 'action', value: 'increment' },
    { msg: 0, type: 'wasm', key: 'count', value: '2' },
  ]);
  assert.deepEqual(tx.jsonLog, [
    {
      msg_index: 0,
      events: [
        {
          type: 'message',
          attributes: [
            { key: 'action', value: '/secret.compute.v1beta1.MsgExecuteContract' },
            { key: 'sender', value: alice.address },
            { key: 'module', value: 'compute' },
            { key: 'contract_address', value: contract.address },
          ],
        },
        {
          type: 'wasm',
          attributes: [
            { key: 'contract_address', value: contract.address },
            { key: 'action', value: 'increment' },
            { key: 'count', value: '2' },
          ],
        },
      ],
    },
  ]);
  assert.deepEqual(executeData(tx), { count: 2 });
  const stranger = await reader().query.getTx(tx.transactionHash);
  assert.ok(log(stranger).some(([, key, value]) => key === 'action' && value === 'increment'));
  assert.ok(!log(stranger).some(([, key]) => key === 'count'));
  assert.deepEqual(await query(reader(), contract, { get_count: {} }), { count: 2 });
});

test('a failing call: JSON in jsonLog', async () => {
  const tx = await failed(execute(alice, old, { fail: {} }));
  assert.deepEqual(tx.jsonLog, { generic_err: { msg: 'failed on request' } });
  assert.equal(
    tx.rawLog,
    'failed to execute message; message index: 0: {"generic_err":{"msg":"failed on request"}}: execute contract failed',
  );
  const hidden = (await reader().query.getTx(tx.transactionHash)).rawLog;
  assert.match(hidden, /^failed to execute message; message index: 0: encrypted: [A-Za-z0-9+/=]+: execute contract failed$/);
  assert.deepEqual(await query(reader(), old, { get_count: {} }), { count: 1 });
});

test('a message without a member that is needed', async () => {
  const tx = await failed(alice.tx.compute.instantiateContract(
    { sender: alice.address, code_id: code.codeId, code_hash: code.codeHash, init_msg: {}, label: label() },
    gas(),
  ));
  const { parse_err: error, ...rest } = tx.jsonLog;
  assert.deepEqual(rest, {});
  assert.equal(error.msg, 'missing field `count`');
  assert.match(error.target, /^counter_v010::.*InitMsg$/);
  assert.match(tx.rawLog, /message index: 0: \{"parse_err":\{"msg":"missing field `count`","target":".*"\}\}: instantiate contract failed$/);
});

test('a question that it does not know: a text of JSON, its members in order', async () => {
  const answer = await query(reader(), old, { sum: {} });
  assert.equal(typeof answer, 'string');
  assert.match(answer, /^\{"parse_err":\{"msg":"unknown variant `sum`, expected .*","target":"counter_v010::.*QueryMsg"\}\}$/);
});

test('it calls the newer line, and is called by it', async () => {
  const message = { call: { contract: next.address, code_hash: next.codeHash, msg: base64(increment), funds: null } };
  const tx = await done(execute(alice, old, message));
  assert.deepEqual(await query(reader(), next, { get_count: {} }), { count: 101 });
  assert.ok(log(tx).some(([type, key, value]) => type === 'wasm' && key === 'count' && value === '101'));
  const failing = { call: { ...message.call, msg: base64({ fail: {} }) } };
  const undone = await failed(execute(alice, old, failing));
  assert.match(undone.rawLog, /dispatch: submessages: .*failed on request/);

  const prober = await deploy(alice, 'prober', {});
  const before = await query(reader(), old, { get_count: {} });
  const call = { execute: { contract: old.address, code_hash: old.codeHash, msg: base64(increment), funds: null } };
  await done(execute(alice, prober, { sub: { msgs: [{ id: 4, reply_on: 'success', gas_limit: null, msg: call }], data: null } }));
  assert.deepEqual(await query(reader(), old, { get_count: {} }), { count: before.count + 1 });
  const { result } = await query(reader(), prober, { last_reply: {} });
  assert.equal(Buffer.from(result.ok.data, 'base64').toString(), JSON.stringify({ count: before.count + 1 }));
});

test('it sends coins that came with a call', async () => {
  const to = new Wallet().address;
  await done(execute(alice, old, { send: { to, amount: coins(6) } }, { funds: coins(10) }));
  assert.deepEqual([await balance(to), await balance(old.address)], [6n, 4n]);
});

test('it migrates to the newer line', async () => {
  const contract = await instantiate(alice, code, { count: 3 }, { admin: alice.address });
  const migrate = (to) => alice.tx.compute.migrateContract(
    { sender: alice.address, contract_address: contract.address, code_id: to.codeId, code_hash: to.codeHash, msg: {} },
    gas(),
  );
  const tx = await done(migrate(code));
  assert.deepEqual(log(tx).slice(3), [
    ['migrate', 'code_id', code.codeId],
    ['migrate', 'contract_address', contract.address],
    ['wasm', 'contract_address', contract.address],
    ['wasm', 'action', 'migrate'],
    ['wasm', 'count', '3'],
  ]);
  await done(migrate(next));
  assert.deepEqual(await query(reader(), { ...next, address: contract.address }, { get_count: {} }), { count: 3 });
});
