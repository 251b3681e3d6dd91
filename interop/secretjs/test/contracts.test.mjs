// Code and contracts: uploading, making, calling, asking.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MsgExecuteContract, MsgInstantiateContract, MsgSend, Wallet, fromBech32 } from 'secretjs';
import { MsgExecuteContract as MsgExecuteProto } from 'secretjs/dist/protobuf/secret/compute/v1beta1/msg.js';
import {
  attribute, balance, base64, call, coins, deploy, done, execute, executeData, failed, freshClient, gas, instantiate,
  instantiateData, knownClient, label, log, query, reader, rejection, store, upload, wasm,
} from '../lib/chain.mjs';

let alice;
let code;
let counter;

before(async () => {
  alice = await freshClient();
  code = await upload(alice, 'counter');
  counter = await instantiate(alice, code, { count: 1 });
});

async function fresh(count = 1, more = {}) {
  return instantiate(alice, code, { count }, more);
}

const increment = { increment: {} };
const getCount = { get_count: {} };

test('code is uploaded as it is or compressed, and known by the hash of what is inside', async () => {
  const bytes = wasm('counter');
  const hash = createHash('sha256').update(bytes).digest('hex');
  const stores = [await done(store(alice, bytes)), await done(store(alice, gzipSync(bytes)))];
  const [first, second] = stores.map((tx) => attribute(tx, 'message', 'code_id'));
  assert.equal(Number(second), Number(first) + 1);
  assert.deepEqual(log(stores[0]), [
    ['message', 'action', '/secret.compute.v1beta1.MsgStoreCode'],
    ['message', 'sender', alice.address],
    ['message', 'module', 'compute'],
    ['message', 'signer', alice.address],
    ['message', 'code_id', first],
  ]);
  for (const code_id of [first, second]) {
    assert.equal((await reader().query.compute.codeHashByCodeId({ code_id })).code_hash, hash);
    const { code_info, wasm: stored } = await reader().query.compute.code({ code_id });
    assert.deepEqual(code_info, { code_id, creator: alice.address, code_hash: hash, source: '', builder: '' });
    assert.ok(Buffer.from(stored, 'base64').equals(Buffer.from(bytes)));
  }
  const { code_infos } = await reader().query.compute.codes({});
  assert.deepEqual(code_infos.filter(({ code_id }) => code_id === second).map(({ code_hash }) => code_hash), [hash]);
});

test('source and builder are kept', async () => {
  const [source, builder] = ['https://example.org/counter.tar.gz', 'example/builder:1.0'];
  const tx = await done(store(alice, wasm('counter'), { source, builder }));
  const { code_info } = await reader().query.compute.code({ code_id: attribute(tx, 'message', 'code_id') });
  assert.deepEqual([code_info.source, code_info.builder], [source, builder]);
});

test('what is no code is refused', async () => {
  const wrong = [
    ['text', Buffer.from('this is not wasm')],
    ['an empty module', Buffer.from('0061736d01000000', 'hex')],
    ['half a module', wasm('counter').slice(0, 10_000)],
    ['half an archive', gzipSync(wasm('counter')).subarray(0, 10_000)],
    ['an archive that grows to 64 MiB', gzipSync(Buffer.alloc(1 << 26))],
  ];
  for (const [what, bytes] of wrong) {
    const tx = await failed(store(alice, bytes));
    assert.equal(tx.codespace, 'compute', what);
    assert.match(tx.rawLog, /^failed to execute message; message index: 0: .*: create contract failed$/s, what);
  }
});

test('a module has at most 2 MiB, and one of that size works', async () => {
  const most = 2 * 2 ** 20;
  const tx = await done(store(alice, gzipSync(padded(wasm('counter'), most))));
  const codeId = attribute(tx, 'message', 'code_id');
  const { code_hash: codeHash } = await alice.query.compute.codeHashByCodeId({ code_id: codeId });
  const contract = await instantiate(alice, { codeId, codeHash }, { count: 3 });
  assert.deepEqual(await query(reader(), contract, getCount), { count: 3 });
  const larger = await failed(store(alice, gzipSync(padded(wasm('counter'), most + 1))));
  assert.match(larger.rawLog, /: create contract failed$/);
});

/** The module with a custom section at its end that makes it `length` bytes long. */
function padded(module, length) {
  const content = length - module.length - 5;
  const size = Buffer.from([0, 1, 2, 3].map((i) => ((content >> (7 * i)) & 0x7f) | (i < 3 ? 0x80 : 0)));
  const name = Buffer.from([3, 112, 97, 100]);
  const section = Buffer.concat([Buffer.from([0]), size, name, Buffer.alloc(content - name.length)]);
  return Buffer.concat([module, section]);
}

test('a new contract: its events, its data, and what the chain tells of it', async () => {
  const name = label();
  const { tx, address } = await fresh(7, { label: name, init_funds: coins(20) });
  assert.match(address, /^secret1[a-z0-9]{38}$/);
  assert.deepEqual(log(tx), [
    ['message', 'action', '/secret.compute.v1beta1.MsgInstantiateContract'],
    ['message', 'sender', alice.address],
    ['coin_spent', 'spender', alice.address],
    ['coin_spent', 'amount', '20uscrt'],
    ['coin_received', 'receiver', address],
    ['coin_received', 'amount', '20uscrt'],
    ['transfer', 'recipient', address],
    ['transfer', 'sender', alice.address],
    ['transfer', 'amount', '20uscrt'],
    ['instantiate', 'contract_address', address],
    ['instantiate', 'code_id', code.codeId],
    ['wasm', 'contract_address', address],
    ['wasm', 'action', 'instantiate'],
    ['wasm', 'count', '7'],
    ['message', 'module', 'compute'],
    ['message', 'contract_address', address],
  ]);
  assert.deepEqual(instantiateData(tx), { count: 7 });
  assert.equal(await balance(address), 20n);

  const { compute } = reader().query;
  const { contract_info, contract_address } = await compute.contractInfo({ contract_address: address });
  assert.equal(contract_address, address);
  const { created, ...info } = contract_info;
  assert.deepEqual(info, {
    code_id: code.codeId,
    creator: alice.address,
    label: name,
    ibc_port_id: '',
    admin: '',
    admin_proof: null,
    require_governance: false,
  });
  assert.deepEqual(created, { block_height: `${tx.height}`, tx_index: '0' });
  assert.equal((await compute.labelByAddress({ contract_address: address })).label, name);
  assert.equal((await compute.addressByLabel({ label: name })).contract_address, address);
  assert.equal((await compute.codeHashByContractAddress({ contract_address: address })).code_hash, code.codeHash);
  const { contract_infos } = await compute.contractsByCodeId({ code_id: code.codeId });
  assert.ok(contract_infos.some((other) => other.contract_address === address));
});

test('a label belongs to one contract', async () => {
  const name = label();
  await fresh(1, { label: name });
  const again = (more) => alice.tx.compute.instantiateContract(
    { sender: alice.address, code_id: code.codeId, code_hash: code.codeHash, init_msg: { count: 1 }, label: name, ...more },
    gas(),
  );
  const tx = await failed(again({}));
  assert.deepEqual([tx.code, tx.codespace], [6, 'compute']);
  assert.match(tx.rawLog, /contract account already exists/);
  assert.match((await failed(again({ label: 'x'.repeat(513) }))).rawLog, /label/i);
});

test('the input is encrypted: nobody but the sender reads it, the answer or the private attributes', async () => {
  const contract = await fresh(1);
  const tx = await done(execute(alice, contract, increment));
  assert.deepEqual(tx.tx.body.messages[0].msg, increment);
  assert.deepEqual(executeData(tx), { count: 2 });
  assert.deepEqual(log(tx), [
    ['message', 'action', '/secret.compute.v1beta1.MsgExecuteContract'],
    ['message', 'sender', alice.address],
    ['message', 'module', 'compute'],
    ['message', 'contract_address', contract.address],
    ['execute', 'contract_address', contract.address],
    ['wasm', 'contract_address', contract.address],
    ['wasm', 'action', 'increment'],
    ['wasm', 'count', '2'],
  ]);
  assert.deepEqual(tx.jsonLog[0].events.map(({ type }) => type), ['message', 'execute', 'wasm']);

  const stranger = await reader().query.getTx(tx.transactionHash);
  const [{ msg }] = stranger.tx.body.messages;
  assert.equal(typeof msg, 'string');
  const wire = Buffer.from(msg, 'base64');
  assert.ok(!wire.toString('latin1').includes('increment') && wire.length === 64 + 16 + 64 + '{"increment":{}}'.length);
  const seen = log(stranger).filter(([type]) => type === 'wasm');
  assert.deepEqual(seen.slice(0, 2), [['wasm', 'contract_address', contract.address], ['wasm', 'action', 'increment']]);
  const [, key, value] = seen[2];
  assert.equal(seen.length, 3);
  assert.ok(key !== 'count' && value !== '2');
  for (const hidden of [key, value]) assert.match(hidden, /^[A-Za-z0-9+/]+={0,2}$/);
  assert.ok(!Buffer.from(stranger.data[0]).toString('latin1').includes('count'));
});

test('whoever kept the encryption seed reads an old transaction', async () => {
  const encryptionSeed = new Uint8Array(32).fill(7);
  const [before, later] = [knownClient('c', { encryptionSeed }), reader({ encryptionSeed })];
  const tx = await done(execute(before, counter, { reset: { count: 30 } }));
  const found = await later.query.getTx(tx.transactionHash);
  assert.deepEqual(found.tx.body.messages[0].msg, { reset: { count: 30 } });
  assert.deepEqual(executeData(found), { count: 30 });
});

test('a deposit goes to the contract', async () => {
  const contract = await fresh();
  const tx = await done(execute(alice, contract, increment, { funds: coins(11) }));
  assert.equal(await balance(contract.address), 11n);
  assert.deepEqual(tx.tx.body.messages[0].sent_funds, coins(11));
  assert.deepEqual(log(tx).filter(([type]) => type === 'transfer'), [
    ['transfer', 'recipient', contract.address],
    ['transfer', 'sender', alice.address],
    ['transfer', 'amount', '11uscrt'],
  ]);
});

test('a question is answered, whoever asks, and whether or not they know the code hash', async () => {
  const contract = await fresh(5);
  assert.deepEqual(await query(reader(), contract, getCount), { count: 5 });
  assert.deepEqual(await query(reader(), { ...contract, codeHash: `0x${contract.codeHash.toUpperCase()}` }, getCount), { count: 5 });
  const { warn } = console;
  console.warn = () => {};
  try {
    assert.deepEqual(await query(reader(), { address: contract.address }, getCount), { count: 5 });
    const tx = await done(execute(alice, { address: contract.address }, increment));
    assert.deepEqual(executeData(tx), { count: 6 });
  } finally {
    console.warn = warn;
  }
});

test('a question that the contract cannot answer resolves with its text', async () => {
  const answer = await query(reader(), counter, { sum: {} });
  assert.equal(typeof answer, 'string');
  assert.match(answer, /unknown variant `sum`, expected `get_count`/);
});

test('a failing call is told to its sender only, and has no effect', async () => {
  const contract = await fresh(8);
  const tx = await failed(execute(alice, contract, { fail: {} }));
  assert.deepEqual([tx.code, tx.codespace], [3, 'compute']);
  const why = 'failed to execute message; message index: 0: Generic error: failed on request: execute contract failed';
  assert.equal(tx.rawLog, why);
  // A contract of this line fails with a text, not with JSON.
  assert.deepEqual(tx.jsonLog, []);
  const hidden = (await reader().query.getTx(tx.transactionHash)).rawLog;
  assert.match(hidden, /^failed to execute message; message index: 0: encrypted: [A-Za-z0-9+/=]+: execute contract failed$/);
  assert.deepEqual(await query(reader(), contract, getCount), { count: 8 });
});

test('a call that the contract does not know', async () => {
  const tx = await failed(execute(alice, counter, { explode: {} }));
  assert.match(tx.rawLog, /^failed to execute message; message index: 0: .*unknown variant `explode`/);
});

test('a contract that cannot be made', async () => {
  const tx = await failed(alice.tx.compute.instantiateContract(
    { sender: alice.address, code_id: code.codeId, code_hash: code.codeHash, init_msg: { total: 1 }, label: label() },
    gas(),
  ));
  assert.deepEqual([tx.code, tx.codespace], [2, 'compute']);
  assert.match(tx.rawLog, /message index: 0: .*missing field `count`.*: instantiate contract failed$/);
});

test('several messages in one transaction: each has its own nonce and data', async () => {
  const to = new Wallet().address;
  const send = new MsgSend({ from_address: alice.address, to_address: to, amount: coins(3) });
  const [one, two] = [await fresh(10), await fresh(20)];
  const made = new MsgInstantiateContract({
    sender: alice.address, code_id: code.codeId, code_hash: code.codeHash, init_msg: { count: 30 }, label: label(),
  });
  const calls = [
    new MsgExecuteContract(call(alice, one, increment)),
    send,
    made,
    new MsgExecuteContract(call(alice, two, { reset: { count: 40 } })),
    new MsgExecuteContract(call(alice, one, increment)),
  ];
  const tx = await done(alice.tx.broadcast(calls, gas(800_000)));
  assert.equal(tx.data.length, 5);
  assert.deepEqual([executeData(tx, 0), executeData(tx, 3), executeData(tx, 4)], [{ count: 11 }, { count: 40 }, { count: 12 }]);
  assert.deepEqual(instantiateData(tx, 2), { count: 30 });
  assert.deepEqual(tx.arrayLog.filter(({ key }) => key === 'action' ).map(({ msg, type, value }) => [msg, type, value]), [
    [0, 'message', '/secret.compute.v1beta1.MsgExecuteContract'],
    [0, 'wasm', 'increment'],
    [1, 'message', '/cosmos.bank.v1beta1.MsgSend'],
    [2, 'message', '/secret.compute.v1beta1.MsgInstantiateContract'],
    [2, 'wasm', 'instantiate'],
    [3, 'message', '/secret.compute.v1beta1.MsgExecuteContract'],
    [3, 'wasm', 'reset'],
    [4, 'message', '/secret.compute.v1beta1.MsgExecuteContract'],
    [4, 'wasm', 'increment'],
  ]);
  assert.equal(await balance(to), 3n);
});

test('the second of three messages fails: nothing of the first stays, and its error is readable', async () => {
  const contract = await fresh(1);
  const to = new Wallet().address;
  const tx = await failed(alice.tx.broadcast(
    [
      new MsgExecuteContract(call(alice, contract, increment, coins(5))),
      new MsgExecuteContract(call(alice, contract, { fail: {} })),
      new MsgSend({ from_address: alice.address, to_address: to, amount: coins(3) }),
    ],
    gas(),
  ));
  assert.equal(
    tx.rawLog,
    'failed to execute message; message index: 1: Generic error: failed on request: execute contract failed',
  );
  assert.deepEqual(await query(reader(), contract, getCount), { count: 1 });
  assert.deepEqual([await balance(contract.address), await balance(to)], [0n, 0n]);
});

test('calls and makings of contracts are not simulated', async () => {
  const called = alice.tx.compute.executeContract.simulate(call(alice, counter, increment));
  assert.match(await rejection(called), /cannot be simulated/);
  const made = alice.tx.compute.instantiateContract.simulate(
    { sender: alice.address, code_id: code.codeId, code_hash: code.codeHash, init_msg: { count: 1 }, label: label() },
  );
  assert.match(await rejection(made), /cannot be simulated/);
});

test('data is what the contract says, byte for byte, or nothing', async () => {
  const prober = await deploy(alice, 'prober', {});
  const tx = await done(execute(alice, prober, { sub: { msgs: [], data: base64({ text: 'ü €' }) } }));
  assert.deepEqual(executeData(tx), { text: 'ü €' });
  const nothing = await done(execute(alice, prober, { sub: { msgs: [], data: null } }));
  assert.equal(executeData(nothing), null);
});

test('a contract answers as it was at an earlier height', async () => {
  const contract = await fresh(1);
  const tx = await done(execute(alice, contract, increment));
  const at = (height) => reader().query.compute.queryContract(
    { contract_address: contract.address, code_hash: contract.codeHash, query: getCount },
    { 'x-cosmos-block-height': `${height}` },
  );
  assert.deepEqual(await at(tx.height - 1), { count: 1 });
  assert.deepEqual(await at(tx.height), { count: 2 });
  assert.match(await rejection(at(contract.tx.height - 1)), /not found/);
});

/** A call as secretjs never sends it: not encrypted, or with the signature of a contract. */
function bare(contract, message, callback_sig = new Uint8Array()) {
  const value = {
    sender: fromBech32(alice.address).data,
    contract: fromBech32(contract.address).data,
    msg: new TextEncoder().encode(JSON.stringify(message)),
    callback_code_hash: '',
    sent_funds: [],
    callback_sig,
  };
  return {
    toProto: async () => ({
      type_url: '/secret.compute.v1beta1.MsgExecuteContract',
      value,
      encode: () => MsgExecuteProto.encode(value).finish(),
    }),
  };
}

test('a message in the clear is answered in the clear', async () => {
  const contract = await fresh(1);
  const tx = await done(alice.tx.broadcast([bare(contract, increment)], gas()));
  const stranger = await reader().query.getTx(tx.transactionHash);
  assert.deepEqual(log(stranger).slice(-2), [['wasm', 'action', 'increment'], ['wasm', 'count', '2']]);
  assert.deepEqual(executeData(stranger), { count: 2 });
  const wrong = await failed(alice.tx.broadcast([bare(contract, { fail: {} })], gas()));
  assert.match(wrong.rawLog, /^failed to execute message; message index: 0: encrypted: Generic error: failed on request: execute contract failed$/);
});

test('nobody passes for a contract', async () => {
  const contract = await fresh(1);
  const tx = await failed(alice.tx.broadcast([bare(contract, increment, new Uint8Array(32).fill(1))], gas()));
  assert.match(tx.rawLog, /Enclave: failed to verify transaction signature: execute contract failed$/);
  assert.deepEqual(await query(reader(), contract, getCount), { count: 1 });
});
