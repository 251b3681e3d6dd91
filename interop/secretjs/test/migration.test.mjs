// Admins, new code for old contracts, and histories.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  base64, deploy, done, execute, failed, freshClient, gas, instantiate, log, query, reader, rejection, upload,
} from '../lib/chain.mjs';

let alice;
let bob;
let code;
let next;

before(async () => {
  [alice, bob] = [await freshClient(), await freshClient()];
  code = await upload(alice, 'counter');
  next = await upload(alice, 'counter');
});

function owned(count = 5) {
  return instantiate(alice, code, { count }, { admin: alice.address });
}

function migrate(who, contract, to, msg = {}) {
  return who.tx.compute.migrateContract(
    { sender: who.address, contract_address: contract.address, code_id: to.codeId, code_hash: to.codeHash, msg },
    gas(),
  );
}

async function info({ address }) {
  return (await reader().query.compute.contractInfo({ contract_address: address })).contract_info;
}

test('the admin gives a contract new code: its state stays, its log is exact', async () => {
  const contract = await owned();
  const tx = await done(migrate(alice, contract, next, { count: 50 }));
  assert.deepEqual(log(tx), [
    ['message', 'action', '/secret.compute.v1beta1.MsgMigrateContract'],
    ['message', 'sender', alice.address],
    ['message', 'module', 'compute'],
    ['migrate', 'code_id', next.codeId],
    ['migrate', 'contract_address', contract.address],
    ['wasm', 'contract_address', contract.address],
    ['wasm', 'action', 'migrate'],
    ['wasm', 'count', '50'],
  ]);
  assert.equal((await info(contract)).code_id, next.codeId);
  assert.deepEqual(await query(reader(), { ...next, address: contract.address }, { get_count: {} }), { count: 50 });
  await done(migrate(alice, contract, code));
  assert.deepEqual(await query(reader(), contract, { get_count: {} }), { count: 50 });
});

test('other code takes over: what the contract answers changes', async () => {
  const [contract, prober] = [await owned(), await upload(alice, 'prober')];
  await done(migrate(alice, contract, prober, { data: base64('hello') }));
  const changed = { ...prober, address: contract.address };
  const env = await query(reader(), changed, { env: {} });
  assert.equal(env.contract.code_hash, prober.codeHash);
  assert.match(await rejection(query(reader(), contract, { get_count: {} })), /failed to validate transaction/);
});

test('a failing migration changes nothing and says why', async () => {
  const prober = await deploy(alice, 'prober', {}, { admin: alice.address });
  const tx = await failed(migrate(alice, prober, prober, { fail: 'told "so"' }));
  assert.deepEqual([tx.code, tx.codespace], [5, 'compute']);
  // JSON's backslashes stay, the quote at the end does not: as on Secret.
  assert.equal(tx.rawLog, 'failed to execute message; message index: 0: told \\"so\\: migrate contract failed');
  assert.equal((await info(prober)).code_id, prober.codeId);
  const contract = await owned();
  const wrong = await failed(migrate(alice, contract, next, { count: 'many' }));
  assert.match(wrong.rawLog, /^failed to execute message; message index: 0: Error parsing into type .*: migrate contract failed$/);
});

test('nobody else migrates, and a contract without admin stays as it is', async () => {
  const contract = await owned();
  const theft = await failed(migrate(bob, contract, next));
  assert.match(theft.rawLog, /message index: 0: .*unauthorized/);
  const free = await instantiate(alice, code, { count: 1 });
  assert.match((await failed(migrate(alice, free, next))).rawLog, /unauthorized/);
  assert.equal((await info(contract)).code_id, code.codeId);
});

test('a migration to code that does not exist, or with the wrong hash', async () => {
  const contract = await owned();
  assert.match((await failed(migrate(alice, contract, { ...next, codeId: 999_999 }))).rawLog, /not found/);
  const wrong = await failed(migrate(alice, contract, { ...next, codeHash: '0'.repeat(64) }));
  assert.match(wrong.rawLog, /Enclave: failed to validate transaction: migrate contract failed$/);
});

test('an admin is replaced, then removed', async () => {
  const contract = await owned();
  assert.equal((await info(contract)).admin, alice.address);
  const update = (who, new_admin) => who.tx.compute.updateAdmin(
    { sender: who.address, contract_address: contract.address, new_admin },
    gas(),
  );
  const clear = (who) => who.tx.compute.clearAdmin({ sender: who.address, contract_address: contract.address }, gas());
  assert.match((await failed(update(bob, bob.address))).rawLog, /unauthorized/);
  assert.match((await failed(clear(bob))).rawLog, /unauthorized/);
  const tx = await done(update(alice, bob.address));
  assert.deepEqual(log(tx), [
    ['message', 'action', '/secret.compute.v1beta1.MsgUpdateAdmin'],
    ['message', 'sender', alice.address],
    ['message', 'module', 'compute'],
    ['update_contract_admin', 'contract_address', contract.address],
    ['update_contract_admin', 'new_admin_address', bob.address],
  ]);
  assert.equal((await info(contract)).admin, bob.address);
  assert.match((await failed(migrate(alice, contract, next))).rawLog, /unauthorized/);
  await done(migrate(bob, contract, next));
  await done(clear(bob));
  assert.equal((await info(contract)).admin, '');
  assert.match((await failed(migrate(bob, contract, code))).rawLog, /unauthorized/);
});

test('the history is for everybody, what was said for whoever said it', async () => {
  const contract = await owned(3);
  await done(migrate(alice, contract, next, { count: 4 }));
  const ask = (who) => who.query.compute.contractHistory({ contract_address: contract.address });
  const { entries } = await ask(alice);
  assert.deepEqual(
    entries.map(({ operation, code_id, msg }) => [operation, code_id, JSON.parse(msg)]),
    [
      ['CONTRACT_CODE_HISTORY_OPERATION_TYPE_INIT', code.codeId, { count: 3 }],
      ['CONTRACT_CODE_HISTORY_OPERATION_TYPE_MIGRATE', next.codeId, { count: 4 }],
    ],
  );
  assert.equal(entries[0].updated.block_height, `${contract.tx.height}`);
  assert.equal(entries[0].updated.tx_index, '0');
  const stranger = (await ask(bob)).entries;
  assert.equal(stranger.length, 2);
  for (const { msg } of stranger) assert.ok(!Buffer.from(msg, 'base64').toString('latin1').includes('count'));
});

test('a call that was on its way to the old code is refused', async () => {
  const [contract, prober] = [await owned(), await upload(alice, 'prober')];
  await done(migrate(alice, contract, prober));
  const tx = await failed(execute(alice, contract, { increment: {} }));
  assert.match(tx.rawLog, /Enclave: failed to validate transaction: execute contract failed$/);
});
