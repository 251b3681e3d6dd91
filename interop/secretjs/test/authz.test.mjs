// Accounts that act for others.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MsgExec, MsgExecuteContract, MsgGrantAuthorization, MsgSend, StakeAuthorizationType, Wallet } from 'secretjs';
import { balance, coins, deploy, done, freshClient, gas, reader } from '../lib/chain.mjs';

/** Who owns, and who acts for her. */
let alice, bob;

const soon = () => Math.floor(Date.now() / 1000) + 3_600;

before(async () => {
  alice = await freshClient();
  bob = await freshClient();
});

function grant(authorization) {
  const params = { granter: alice.address, grantee: bob.address, authorization, expiration: soon() };
  return alice.tx.authz.grant(params, gas(100_000));
}

function exec(msgs, gasLimit = 200_000) {
  return bob.tx.authz.exec({ grantee: bob.address, msgs }, gas(gasLimit));
}

function send(to, amount) {
  return new MsgSend({ from_address: alice.address, to_address: to, amount: coins(amount) });
}

async function grants() {
  return (await reader().query.authz.grants({ granter: alice.address, grantee: bob.address })).grants;
}

test('coins are sent for another until the limit is used up', async () => {
  const shop = new Wallet().address;
  await done(grant({ spend_limit: coins(100), allow_list: [] }));
  const [listed] = await grants();
  assert.equal(listed.authorization['@type'], '/cosmos.bank.v1beta1.SendAuthorization');
  assert.deepEqual(listed.authorization.spend_limit, coins(100));
  const before = await balance(alice.address);
  const tx = await done(exec([send(shop, 60)]));
  assert.equal(await balance(shop), 60n);
  assert.equal(before - (await balance(alice.address)), 60n, 'bob pays the fee');
  assert.ok(tx.arrayLog.some(({ key, value }) => key === 'authz_msg_index' && value === '0'));
  assert.equal(tx.tx.body.messages[0]['@type'], '/cosmos.authz.v1beta1.MsgExec');

  const over = await exec([send(shop, 41)]);
  assert.equal(over.code, 5);
  assert.match(over.rawLog, /requested amount is more than spend limit: insufficient funds/);
  await done(exec([send(shop, 40)]));
  assert.deepEqual(await grants(), []);
  const none = await exec([send(shop, 1)]);
  assert.equal(none.codespace, 'authz');
  assert.match(none.rawLog, /authorization not found/);
});

test('grants are listed by either side and taken back', async () => {
  await done(grant({ msg: MsgGrantAuthorization.MsgVote }));
  const stake = { authorization_type: StakeAuthorizationType.Delegate, max_tokens: coins(5)[0], allow_list: [], deny_list: [] };
  await done(grant(stake));
  const { query } = reader();
  const issued = (await query.authz.granterGrants({ granter: alice.address })).grants;
  const kinds = issued.map(({ authorization }) => authorization['@type']).sort();
  assert.deepEqual(kinds, ['/cosmos.authz.v1beta1.GenericAuthorization', '/cosmos.staking.v1beta1.StakeAuthorization']);
  assert.ok(issued.every(({ granter, grantee }) => granter === alice.address && grantee === bob.address));
  assert.equal((await query.authz.granteeGrants({ grantee: bob.address })).grants.length, 2);
  for (const msg of [MsgGrantAuthorization.MsgVote, MsgGrantAuthorization.MsgDelegate]) {
    const params = { granter: alice.address, grantee: bob.address, msg };
    await done(alice.tx.authz.revoke(params, gas(100_000)));
  }
  assert.deepEqual(await grants(), []);
});

test('a confidential contract is called for another', async () => {
  const contract = await deploy(alice, 'counter', { count: 7 });
  const increment = new MsgExecuteContract({
    sender: alice.address,
    contract_address: contract.address,
    code_hash: contract.codeHash,
    msg: { increment: {} },
    sent_funds: [],
  });
  const refused = await exec([increment], 400_000);
  assert.equal(refused.codespace, 'authz');
  await done(grant({ msg: MsgGrantAuthorization.MsgExecuteContract }));
  await done(exec([increment, increment], 400_000));
  const question = { contract_address: contract.address, code_hash: contract.codeHash, query: { get_count: {} } };
  assert.equal((await reader().query.compute.queryContract(question)).count, 9);
});

test('within a message within a message', async () => {
  const shop = new Wallet().address;
  await done(grant({ msg: MsgGrantAuthorization.MsgSend }));
  const inner = new MsgExec({ grantee: bob.address, msgs: [send(shop, 3)] });
  await done(exec([inner]));
  assert.equal(await balance(shop), 3n);
});
