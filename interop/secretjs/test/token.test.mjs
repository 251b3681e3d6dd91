// A private token (SNIP-20) with viewing keys and permits (SNIP-24), as an app uses one.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MsgExecuteContract, Wallet, validatePermit } from 'secretjs';
import { AminoWallet } from 'secretjs/dist/wallet_amino.js';
import {
  balance, base64, call, chainId, coins, deploy, done, execute, executeData, failed, freshClient, gas, log, query, reader,
  seen,
} from '../lib/chain.mjs';

let alice;
let bob;
let token;
let counter;

before(async () => {
  alice = await freshClient();
  bob = await freshClient();
  counter = await deploy(alice, 'counter', { count: 0 });
  token = await deploy(alice, 'private-token', {
    name: 'Private token',
    symbol: 'PRIV',
    decimals: 6,
    admin: alice.address,
    initial_balances: [{ address: alice.address, amount: '1000' }],
    prng_seed: base64('not random'),
    config: { public_total_supply: true, enable_deposit: true, enable_redeem: true, enable_mint: true },
  });
});

const status = { status: 'success' };
const wrongKey = 'Wrong viewing key for this address or viewing key not set';

async function viewingKey(who) {
  const tx = await done(execute(who, token, { create_viewing_key: { entropy: `of ${who.address}` } }));
  return executeData(tx).create_viewing_key.key;
}

async function held(who, key) {
  return (await query(reader(), token, { balance: { address: who.address, key } })).balance.amount;
}

/** How many tokens `who` has: the owner asks, and nobody else could. */
async function owned(who) {
  const permit = await sign(who, ['balance']);
  return (await query(reader(), token, { with_permit: { permit, query: { balance: {} } } })).balance.amount;
}

function sign(who, permissions, { name = 'interop', tokens = [token.address], chain = chainId } = {}) {
  return who.utils.accessControl.permit.sign(who.address, chain, name, tokens, permissions, false);
}

function withPermit(permit, question) {
  return query(reader(), token, { with_permit: { permit, query: question } });
}

test('everybody knows what token it is', async () => {
  const { snip20 } = reader().query;
  const info = await snip20.getSnip20Params({ contract: { address: token.address, code_hash: token.codeHash } });
  assert.deepEqual(info, { token_info: { name: 'Private token', symbol: 'PRIV', decimals: 6, total_supply: '1000' } });
});

test('a viewing key opens its own balance', async () => {
  const key = await viewingKey(alice);
  assert.match(key, /^api_key_[A-Za-z0-9+/]{43}=$/);
  assert.equal(await held(alice, key), '1000');
  const { snip20 } = reader().query;
  const contract = { address: token.address, code_hash: token.codeHash };
  assert.deepEqual(await snip20.getBalance({ contract, address: alice.address, auth: { key } }), { balance: { amount: '1000' } });
  const refused = { viewing_key_error: { msg: wrongKey } };
  assert.deepEqual(await query(reader(), token, { balance: { address: alice.address, key: 'api_key_wrong' } }), refused);
  assert.deepEqual(await query(reader(), token, { balance: { address: bob.address, key } }), refused);
});

test('a viewing key of one’s own, replaced by another', async () => {
  await done(execute(bob, token, { set_viewing_key: { key: 'first' } }));
  assert.equal(await held(bob, 'first'), '0');
  await done(execute(bob, token, { set_viewing_key: { key: 'second' } }));
  assert.equal((await query(reader(), token, { balance: { address: bob.address, key: 'first' } })).viewing_key_error.msg, wrongKey);
  assert.equal(await held(bob, 'second'), '0');
});

test('tokens move; whoever watches sees neither whom nor how many', async () => {
  const message = { transfer: { recipient: bob.address, amount: '150', memo: 'planted! rent' } };
  const tx = await done(execute(alice, token, message));
  assert.deepEqual(executeData(tx), { transfer: status });
  assert.deepEqual([await owned(alice), await owned(bob)], ['850', '150']);
  const { snip20 } = alice.tx;
  await done(snip20.transfer(
    {
      sender: alice.address,
      contract_address: token.address,
      code_hash: token.codeHash,
      msg: { transfer: { recipient: bob.address, amount: '50' } },
    },
    gas(),
  ));
  assert.equal(await owned(bob), '200');
  const text = await seen(tx);
  for (const hidden of [bob.address, 'PRIV', 'planted! rent', '"150"']) assert.ok(!text.includes(hidden), hidden);
});

test('more than there is: an error for the sender, of a length that says nothing', async () => {
  const tx = await failed(execute(bob, token, { transfer: { recipient: alice.address, amount: '100000' } }));
  assert.match(tx.rawLog, /insufficient funds: balance=200, required=100000 +: execute contract failed$/);
  const other = await failed(execute(bob, token, { transfer: { recipient: alice.address, amount: '1000000000000' } }));
  const length = async ({ transactionHash }) => (await reader().query.getTx(transactionHash)).rawLog.length;
  assert.equal(await length(tx), await length(other));
});

test('the history is the owner’s', async () => {
  const permit = await sign(bob, ['history']);
  const { transfer_history: history } = await withPermit(permit, { transfer_history: { page: 0, page_size: 10 } });
  assert.deepEqual(history.txs.map(({ from, receiver, coins: { denom, amount }, memo }) => [from, receiver, denom, amount, memo]), [
    [alice.address, bob.address, 'PRIV', '50', undefined],
    [alice.address, bob.address, 'PRIV', '150', 'planted! rent'],
  ]);
  assert.equal(history.total, 2);
  assert.ok(history.txs.every(({ block_height }) => block_height > 0));
});

test('a permit opens what it names, where it says, until it is revoked', async () => {
  const [all, history] = [await sign(alice, ['owner']), await sign(alice, ['history'])];
  assert.deepEqual(validatePermit(all, alice.address, token.address, ['owner'], false), true);
  assert.equal((await withPermit(all, { balance: {} })).balance.amount, '800');
  assert.match(await withPermit(history, { balance: {} }), /the permit lacks the permission balance/);
  const elsewhere = await sign(alice, ['balance'], { tokens: [counter.address] });
  assert.match(await withPermit(elsewhere, { balance: {} }), /Permit doesn't apply to token/);
  assert.match(await withPermit(await sign(alice, ['balance'], { chain: 'secret-4' }), { balance: {} }), /is for the chain/);
  const forged = { ...all, params: { ...all.params, permit_name: 'another' } };
  assert.match(await withPermit(forged, { balance: {} }), /Failed to verify signatures/);
  const stolen = { ...all, signature: { ...all.signature, pub_key: (await sign(bob, ['owner'])).signature.pub_key } };
  assert.match(await withPermit(stolen, { balance: {} }), /Failed to verify signatures/);

  const named = await sign(alice, ['balance'], { name: 'for a week' });
  assert.equal((await withPermit(named, { balance: {} })).balance.amount, '800');
  await done(execute(alice, token, { revoke_permit: { permit_name: 'for a week' } }));
  assert.match(await withPermit(named, { balance: {} }), /was revoked/);
  assert.equal((await withPermit(all, { balance: {} })).balance.amount, '800');
});

test('an amino wallet’s permit is the same', async () => {
  const wallet = new AminoWallet();
  const carol = await freshClient({}, wallet);
  await done(execute(alice, token, { transfer: { recipient: carol.address, amount: '5' } }));
  assert.equal(await owned(carol), '5');
  const permit = await sign(carol, ['balance']);
  const { snip20 } = reader().query;
  const contract = { address: token.address, code_hash: token.codeHash };
  assert.deepEqual(await snip20.getBalance({ contract, address: carol.address, auth: { permit } }), { balance: { amount: '5' } });
});

test('tokens sent to a contract: it is told, and may refuse', async () => {
  const send = (contract, msg) => execute(alice, token, {
    send: { recipient: contract.address, recipient_code_hash: contract.codeHash, amount: '7', msg: base64(msg) },
  });
  const before = await owned(alice);
  // The counter knows no message `receive`.
  const refused = await failed(send(counter, {}));
  assert.match(refused.rawLog, /dispatch: submessages: .*unknown variant `receive`/);
  assert.equal(await owned(alice), before);
  const plain = await done(execute(alice, token, { send: { recipient: bob.address, amount: '7' } }));
  assert.deepEqual(executeData(plain), { send: status });
});

test('coins become tokens, and tokens become coins', async () => {
  const [coinsBefore, before] = [await balance(alice.address), BigInt(await owned(alice))];
  await done(execute(alice, token, { deposit: {} }, { funds: coins(500) }));
  assert.equal(BigInt(await owned(alice)), before + 500n);
  assert.equal(await balance(token.address), 500n);
  const tx = await done(execute(alice, token, { redeem: { amount: '200', denom: 'uscrt' } }));
  assert.equal(await balance(token.address), 300n);
  assert.ok(log(tx).some(([type, key, value]) => type === 'transfer' && key === 'recipient' && value === alice.address));
  assert.equal(BigInt(await owned(alice)), before + 300n);
  assert.equal(coinsBefore - (await balance(alice.address)), 300n + 2n * 40_000n);
  assert.match((await failed(execute(alice, token, { deposit: {} }))).rawLog, /no coins came with the call/);
});

test('minters mint, others do not', async () => {
  const mint = (who) => execute(who, token, { mint: { recipient: bob.address, amount: '10' } });
  assert.match((await failed(mint(bob))).rawLog, /only minters mint/);
  await done(execute(alice, token, { add_minters: { minters: [bob.address] } }));
  const before = BigInt(await owned(bob));
  await done(mint(bob));
  assert.equal(BigInt(await owned(bob)), before + 10n);
  assert.deepEqual(await query(reader(), token, { minters: {} }), { minters: { minters: [bob.address] } });
});

test('two transfers in one transaction, the second too large: neither', async () => {
  const before = await owned(alice);
  const transfer = (amount) =>
    new MsgExecuteContract(call(alice, token, { transfer: { recipient: new Wallet().address, amount } }));
  const tx = await failed(alice.tx.broadcast([transfer('1'), transfer('1000000')], gas(600_000)));
  assert.match(tx.rawLog, /message index: 1: .*insufficient funds/);
  assert.equal(await owned(alice), before);
});
