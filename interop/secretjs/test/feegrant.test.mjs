// Accounts that pay the fees of others.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Wallet } from 'secretjs';
import { balance, client, coins, done, freshClient, gas, reader, rejection } from '../lib/chain.mjs';

/** A thousand coins. */
let alice;

before(async () => {
  alice = await freshClient();
});

/** A new account without coins, whose fees alice pays. */
async function poor(allowance) {
  const guest = client(new Wallet());
  const grant = { granter: alice.address, grantee: guest.address, allowance };
  await done(alice.tx.feegrant.grantAllowance(grant, gas(100_000)));
  return guest;
}

function asked(guest) {
  return reader().query.feegrant.allowance({ granter: alice.address, grantee: guest.address });
}

/** Sends nothing that costs: a message of the guest's whose fee alice pays. */
function granting(guest, more = {}) {
  const allowance = { spend_limit: coins(1) };
  const grant = { granter: guest.address, grantee: new Wallet().address, allowance };
  return guest.tx.feegrant.grantAllowance(grant, gas(100_000, { feeGranter: alice.address, ...more }));
}

test('an account without coins sends a transaction, and its granter pays', async () => {
  const guest = await poor({ spend_limit: coins(25_000) });
  const before = await balance(alice.address);
  const tx = await done(granting(guest));
  assert.equal(before - (await balance(alice.address)), 10_000n);
  assert.equal(await balance(guest.address), 0n);
  assert.ok(tx.arrayLog.length > 0);
  const { allowance } = await asked(guest);
  assert.equal(allowance.granter, alice.address);
  assert.deepEqual(allowance.allowance.spend_limit, coins(15_000));
  await done(granting(guest));
  assert.match(await rejection(granting(guest)), /code 2 \(codespace: feegrant\).*fee limit exceeded/);
});

test('grants are listed, taken back, and then nobody pays', async () => {
  const expiration = { seconds: String(Math.floor(Date.now() / 1000) + 3_600), nanos: 0 };
  const guest = await poor({ spend_limit: [], expiration });
  const listed = (await reader().query.feegrant.allowances({ grantee: guest.address })).allowances;
  assert.equal(listed.length, 1);
  assert.equal(listed[0].allowance.expiration, new Date(expiration.seconds * 1000).toISOString().replace('.000', ''));
  await done(alice.tx.feegrant.revokeAllowance({ granter: alice.address, grantee: guest.address }, gas(100_000)));
  await assert.rejects(asked(guest), ({ message }) => message.includes('fee-grant not found'));
  assert.match(await rejection(granting(guest)), /fee-grant not found: not found/);
});

test('an allowance for some messages only', async () => {
  const allowed = type => ({ allowance: { spend_limit: coins(50_000) }, allowed_messages: [type] });
  await done(granting(await poor(allowed('/cosmos.feegrant.v1beta1.MsgGrantAllowance'))));
  const other = await poor(allowed('/cosmos.bank.v1beta1.MsgSend'));
  assert.match(await rejection(granting(other)), /code 7 \(codespace: feegrant\).*message not allowed/);
});
