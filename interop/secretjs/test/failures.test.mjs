// Everything that goes wrong, and what the user is told.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { makeSignDoc } from '@cosmjs/proto-signing';
import { TxBody, TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx.js';
import { MsgExecuteContract, MsgSend, Wallet } from 'secretjs';
import {
  balance, call, chainId, coins, deploy, done, execute, failed, freshClient, gas, get, height, known, label, post, query,
  reader, rejection, store, upload,
} from '../lib/chain.mjs';

let alice;
let wallet;
let counter;
let prober;

before(async () => {
  wallet = new Wallet();
  alice = await freshClient({}, wallet);
  counter = await deploy(alice, 'counter', { count: 0 });
  prober = await deploy(alice, 'prober', {});
});

const increment = { increment: {} };
const nobody = 'secret1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq3x5k6p';

function transfer(amount = 1, from = alice.address) {
  return new MsgSend({ from_address: from, to_address: known.b.address, amount: coins(amount) });
}

function send(options) {
  return alice.tx.broadcast([transfer()], gas(100_000, options));
}

/** The failure and what it cost: a transaction in a block pays, and counts. */
async function paid(sending, fee) {
  const [before, { account }] = [await balance(alice.address), await alice.query.auth.account({ address: alice.address })];
  const tx = await failed(sending());
  assert.equal(before - (await balance(alice.address)), BigInt(fee));
  const after = (await alice.query.auth.account({ address: alice.address })).account;
  assert.equal(Number(after.sequence), Number(account.sequence) + 1);
  return tx;
}

test('too little gas to begin with: not taken, and nothing paid', async () => {
  const before = await balance(alice.address);
  for (const limit of [1, 500, 3_000, 4_000]) {
    const why = await rejection(alice.tx.broadcast([transfer()], gas(limit)));
    assert.match(why, /failed with code 11 \(codespace: sdk\)\. Log: out of gas in location: [^;]+; gasWanted: \d+, gasUsed: \d+: out of gas$/);
  }
  assert.equal(await balance(alice.address), before);
});

test('whatever the gas limit is, a transaction that is in a block has paid for it', async () => {
  const results = new Set();
  for (let limit = 3_000; limit <= 17_000; limit += 2_000) {
    const before = await balance(alice.address);
    const message = new MsgSend({ from_address: alice.address, to_address: alice.address, amount: coins(1) });
    const code = await alice.tx.broadcast([message], gas(limit)).then((tx) => tx.code, () => 'refused');
    const fee = code === 'refused' ? 0 : limit / 10;
    assert.equal(before - (await balance(alice.address)), BigInt(fee), `${limit}: ${code}`);
    results.add(code);
  }
  assert.deepEqual(results, new Set(['refused', 11, 0]));
});

test('gas that ends between the messages', async () => {
  const tx = await paid(() => execute(alice, counter, increment, { gasLimit: 20_000 }), 2_000);
  assert.deepEqual([tx.code, tx.codespace], [11, 'sdk']);
  assert.match(tx.rawLog, /out of gas in location: .*; gasWanted: 20000, gasUsed: \d+: out of gas/);
  assert.equal(tx.gasUsed, 20_000);
});

test('gas that ends inside a contract', async () => {
  const tx = await paid(() => execute(alice, prober, { loop: {} }, { gasLimit: 150_000 }), 15_000);
  assert.match(tx.rawLog, /out of gas|ran out of gas/);
  assert.equal(tx.gasUsed, 150_000);
  assert.equal((await query(reader(), counter, { get_count: {} })).count, 0);
});

test('a contract that panics, overflows its stack or takes all memory', async () => {
  for (const message of ['panic', 'recurse', 'grow']) {
    const tx = await failed(execute(alice, prober, { [message]: {} }, { gasLimit: 2_000_000 }));
    assert.match(tx.rawLog, /^failed to execute message; message index: 0: Execution error: Enclave: .*: execute contract failed$|out of gas/, message);
  }
  const panicked = await failed(execute(alice, prober, { panic: {} }));
  assert.match(panicked.rawLog, /Enclave: the contract panicked: execute contract failed$/);
  await done(execute(alice, counter, increment));
});

test('a question that never ends, or panics', async () => {
  assert.match(await rejection(query(reader(), prober, { loop: {} })), /query contract failed: .*ran out of gas/);
  assert.match(await rejection(query(reader(), prober, { panic: {} })), /query contract failed: .*panicked/);
  assert.equal(await query(reader(), prober, { fail: { text: 'as told' } }), 'as told');
});

test('the wrong code hash', async () => {
  const wrong = { ...counter, codeHash: 'ab'.repeat(32) };
  const tx = await failed(execute(alice, wrong, increment));
  assert.match(tx.rawLog, /Execution error: Enclave: failed to validate transaction: execute contract failed$/);
  const made = await failed(alice.tx.compute.instantiateContract(
    { sender: alice.address, code_id: counter.codeId, code_hash: wrong.codeHash, init_msg: { count: 1 }, label: label() },
    gas(),
  ));
  assert.match(made.rawLog, /Enclave: failed to validate transaction: instantiate contract failed$/);
  assert.match(await rejection(query(reader(), wrong, { get_count: {} })), /Enclave: failed to validate transaction/);
});

test('a deposit that the sender does not have', async () => {
  const tx = await failed(execute(alice, counter, increment, { funds: coins(10n ** 15n) }));
  assert.deepEqual([tx.code, tx.codespace], [5, 'sdk']);
  assert.match(tx.rawLog, /message index: 0: spendable balance \d+uscrt is smaller than 1000000000000000uscrt: insufficient funds/);
  assert.match(await rejection(execute(alice, counter, increment, { funds: coins(1, 'uatom') })), /uatom/);
  assert.equal(await balance(counter.address), 0n);
});

test('a contract or a code that does not exist', async () => {
  const missing = { address: nobody, codeHash: counter.codeHash };
  const tx = await failed(execute(alice, missing, increment));
  assert.match(tx.rawLog, /message index: 0: .*not found/);
  assert.match(await rejection(query(reader(), missing, { get_count: {} })), /not found/);
  const { compute } = reader().query;
  assert.match(await rejection(compute.codeHashByContractAddress({ contract_address: nobody })), /not found/);
  assert.match(await rejection(compute.contractInfo({ contract_address: nobody })), /not found/);
  assert.match(await rejection(compute.codeHashByCodeId({ code_id: '999999' })), /not found/);
  assert.match(await rejection(compute.addressByLabel({ label: 'no such label' })), /not found/);
  const made = await failed(alice.tx.compute.instantiateContract(
    { sender: alice.address, code_id: 999_999, code_hash: counter.codeHash, init_msg: {}, label: label() },
    gas(),
  ));
  assert.match(made.rawLog, /message index: 0: .*not found/);
});

test('a sequence that was used, or is far away', async () => {
  const { account } = await alice.query.auth.account({ address: alice.address });
  const at = (sequence) => send({
    explicitSignerData: { chainId, accountNumber: Number(account.account_number), sequence },
  });
  const next = Number(account.sequence);
  assert.match(
    await rejection(at(next - 1)),
    new RegExp(`failed with code 32 \\(codespace: sdk\\)\\. Log: account sequence mismatch, expected ${next}, got ${next - 1}: incorrect account sequence`),
  );
  assert.match(await rejection(at(next + 500)), /code 32 .*account sequence mismatch/);
});

test('the same transaction twice', async () => {
  const bytes = await alice.tx.signTx([transfer()], gas(100_000));
  const body = { txBytes: Buffer.from(bytes).toString('base64'), mode: 'BROADCAST_MODE_SYNC' };
  await done(alice.tx.broadcastSignedTx(bytes, gas()));
  const { tx_response } = (await post('/cosmos/tx/v1beta1/txs', body)).body;
  assert.ok([19, 32].includes(tx_response.code), JSON.stringify(tx_response));
});

test('a transaction whose time is over', async () => {
  const late = await signed({ timeoutHeight: 1n });
  assert.match(await rejection(alice.tx.broadcastSignedTx(late, gas())), /code 30 \(codespace: sdk\)\. Log: .*tx timeout height/);
  const early = await signed({ timeoutHeight: BigInt((await height()) + 100) });
  await done(alice.tx.broadcastSignedTx(early, gas()));
});

/** A transfer with something in its body that secretjs has no option for. */
async function signed(body) {
  const plain = TxRaw.decode(await alice.tx.signTx([transfer()], gas(100_000)));
  const bodyBytes = TxBody.encode({ ...TxBody.decode(plain.bodyBytes), ...body }).finish();
  const { account } = await alice.query.auth.account({ address: alice.address });
  const document = makeSignDoc(bodyBytes, plain.authInfoBytes, chainId, Number(account.account_number));
  const { signature } = await wallet.signDirect(wallet.address, document);
  const signatures = [Buffer.from(signature.signature, 'base64')];
  return TxRaw.encode({ bodyBytes, authInfoBytes: plain.authInfoBytes, signatures }).finish();
}

test('a memo of more than 256 bytes, a fee in other coins, a fee of more than there is', async () => {
  await done(send({ memo: 'm'.repeat(256) }));
  assert.match(await rejection(send({ memo: 'm'.repeat(257) })), /code 12 \(codespace: sdk\)/);
  assert.match(await rejection(send({ feeDenom: 'uatom' })), /codespace: sdk.*uatom/);
  assert.match(await rejection(send({ gasPriceInFeeDenom: 10 ** 7 })), /code 5 \(codespace: sdk\).*insufficient funds/);
});

test('somebody else is to pay the fee, who never said so', async () => {
  assert.match(await rejection(send({ feeGranter: known.b.address })), /fee-grant not found: not found/);
});

test('a wait that is too long ends with the words that people search for', async () => {
  const { account } = await alice.query.auth.account({ address: alice.address });
  const explicitSignerData = { chainId, accountNumber: Number(account.account_number), sequence: 0 };
  const lost = send({ explicitSignerData, broadcastMode: 'Async', broadcastTimeoutMs: 100 });
  assert.match(
    await rejection(lost),
    /^Transaction ID [0-9A-F]{64} was submitted but was not yet found on the chain\. You might want to check later or increase broadcastTimeoutMs from '100'\.$/,
  );
});

test('a failed message among others costs the fee once, and later ones go on', async () => {
  const messages = [new MsgExecuteContract(call(alice, counter, { fail: {} })), transfer(5)];
  const tx = await paid(() => alice.tx.broadcast(messages, gas(300_000)), 30_000);
  assert.match(tx.rawLog, /message index: 0/);
  await done(execute(alice, counter, increment));
});

test('code that is too large to send', async () => {
  const why = await rejection(store(alice, randomBytes(6 * 2 ** 20)));
  // The door answers without reading the rest; whether the answer or the end of the connection is seen first is chance.
  assert.match(why, /larger than \d+ bytes|EPIPE|ECONNRESET/);
  await done(send());
});

test('junk instead of a transaction is told to be that', async () => {
  const path = '/cosmos/tx/v1beta1/txs';
  const mode = 'BROADCAST_MODE_SYNC';
  for (const body of ['', '{', 'null', '[]', '{}', { txBytes: '%%%', mode }, { txBytes: '', mode }, { txBytes: 5, mode }]) {
    const { status, body: answer } = await post(path, body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(answer.code, 3);
    assert.ok(answer.message.length > 0);
    assert.deepEqual(answer.details, []);
  }
  for (const junk of ['hello', '\x0a\x02\x08\x01', Buffer.alloc(1000, 0xff)]) {
    const { status, body: answer } = await post(path, { txBytes: Buffer.from(junk, 'latin1').toString('base64'), mode });
    assert.equal(status, 200);
    assert.deepEqual([answer.tx_response.code, answer.tx_response.codespace], [2, 'sdk']);
    assert.match(answer.tx_response.raw_log, /tx parse error/);
  }
  assert.match(await rejection(alice.tx.broadcastSignedTx(new Uint8Array([1, 2, 3]), gas())), /code 2 \(codespace: sdk\)/);
});

test('a bit that was turned on the way', async () => {
  const bytes = await alice.tx.signTx([transfer()], gas(100_000));
  for (let i = 0; i < bytes.length; i += 7) {
    const damaged = Uint8Array.from(bytes);
    damaged[i] ^= 1;
    assert.match(await rejection(alice.tx.broadcastSignedTx(damaged, gas())), /^Broadcasting transaction failed with code \d+/, `${i}`);
  }
  await done(alice.tx.broadcastSignedTx(bytes, gas()));
});

test('paths and questions that make no sense', async () => {
  const cases = [
    ['/cosmos/bank/v1beta1/balances/nobody?', 400],
    ['/cosmos/auth/v1beta1/accounts/secret1xyz?', 400],
    [`/cosmos/auth/v1beta1/accounts/${nobody}?`, 404],
    ['/cosmos/tx/v1beta1/txs/zz?', 400],
    [`/cosmos/tx/v1beta1/txs/${'0'.repeat(64)}?`, 404],
    [`/compute/v1beta1/query/${counter.address}?`, 400],
    [`/compute/v1beta1/query/${counter.address}?query=AAAA`, 500],
    ['/compute/v1beta1/code/x?', 400],
    ['/cosmos/no/such/path?', 501],
    ['/cosmos/tx/v1beta1/txs?query=nonsense', 400],
  ];
  for (const [path, expected] of cases) {
    const { status, body } = await get(path);
    assert.equal(status, expected, `${path}: ${JSON.stringify(body)}`);
    assert.ok(Number.isInteger(body.code) && body.message.length > 0 && Array.isArray(body.details), path);
  }
  const bad = await get(`/cosmos/bank/v1beta1/balances/${nobody}?`, undefined, { headers: { 'x-cosmos-block-height': 'soon' } });
  assert.equal(bad.status, 400);
});

test('code uploaded under load stays usable', async () => {
  const codes = [];
  for (let i = 0; i < 3; i++) codes.push(await upload(alice, 'counter'));
  assert.equal(new Set(codes.map(({ codeId }) => codeId)).size, 3);
});
