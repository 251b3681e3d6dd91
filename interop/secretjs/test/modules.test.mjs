// Every question that secretjs has for the modules: answered, or refused with a clear error.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { validatorAddressToSelfDelegatorAddress } from 'secretjs';
import { coins, done, freshClient, gas, known, reader } from '../lib/chain.mjs';

const { query } = reader();
const a = known.a.address;
let alice, validator;

before(async () => {
  alice = await freshClient();
  [validator] = (await query.staking.validators({})).validators;
  const amount = { denom: 'uscrt', amount: '5000000' };
  const delegation = { delegator_address: alice.address, validator_address: validator.operator_address, amount };
  await done(alice.tx.staking.delegate(delegation, gas(400_000)));
  amount.amount = '1000000';
  await done(alice.tx.staking.undelegate(delegation, gas(400_000)));
});

async function missing(asking) {
  await assert.rejects(asking, error => error.code === 5 && /not found/.test(error.message));
}

test('staking', async () => {
  const delegator_addr = alice.address;
  const validator_addr = validator.operator_address;
  assert.equal(validator.status, 'BOND_STATUS_BONDED');
  assert.equal(validator.consensus_pubkey['@type'], '/cosmos.crypto.ed25519.PubKey');
  assert.match(validator.commission.commission_rates.rate, /^0\.\d{18}$/);
  assert.deepEqual((await query.staking.validator({ validator_addr })).validator.description, validator.description);
  const balance = { denom: 'uscrt', amount: '4000000' };
  const { delegation_response } = await query.staking.delegation({ validator_addr, delegator_addr });
  assert.deepEqual(delegation_response.balance, balance);
  const all = (await query.staking.validatorDelegations({ validator_addr })).delegation_responses;
  assert.ok(all.some(({ delegation }) => delegation.delegator_address === delegator_addr));
  const own = (await query.staking.delegatorDelegations({ delegator_addr })).delegation_responses;
  assert.deepEqual(own, [delegation_response]);
  const { unbond } = await query.staking.unbondingDelegation({ validator_addr, delegator_addr });
  assert.equal(unbond.entries[0].balance, '1000000');
  const leaving = (await query.staking.delegatorUnbondingDelegations({ delegator_addr })).unbonding_responses;
  assert.deepEqual(leaving, [unbond]);
  assert.ok((await query.staking.validatorUnbondingDelegations({ validator_addr })).unbonding_responses.length > 0);
  assert.deepEqual((await query.staking.redelegations({ delegator_addr })).redelegation_responses, []);
  assert.equal((await query.staking.delegatorValidators({ delegator_addr })).validators.length, 1);
  assert.ok((await query.staking.delegatorValidator({ delegator_addr, validator_addr })).validator.tokens);
  const { pool } = await query.staking.pool({});
  assert.ok(BigInt(pool.bonded_tokens) >= BigInt(validator.tokens) && BigInt(pool.not_bonded_tokens) > 0n);
  const { params } = await query.staking.params({});
  assert.deepEqual([params.bond_denom, params.unbonding_time], ['uscrt', '90s']);
  await missing(query.staking.historicalInfo({ height: '1' }));
});

test('slashing', async () => {
  assert.equal((await query.slashing.params({})).params.slash_fraction_double_sign, '0.050000000000000000');
  const [info] = (await query.slashing.signingInfos({})).info;
  assert.match(info.address, /^secretvalcons1/);
  const { val_signing_info } = await query.slashing.signingInfo({ cons_address: info.address });
  assert.equal(val_signing_info.tombstoned, false);
});

test('distribution', async () => {
  const validator_address = validator.operator_address;
  const delegator_address = alice.address;
  assert.equal((await query.distribution.params({})).params.withdraw_addr_enabled, true);
  assert.ok(Array.isArray((await query.distribution.communityPool({})).pool));
  const { rewards, total } = await query.distribution.delegationTotalRewards({ delegator_address });
  assert.equal(rewards[0].validator_address, validator_address);
  assert.deepEqual(rewards[0].reward, total);
  const one = await query.distribution.delegationRewards({ delegator_address, validator_address });
  assert.ok(Array.isArray(one.rewards));
  assert.deepEqual((await query.distribution.delegatorValidators({ delegator_address })).validators, [validator_address]);
  const to = await query.distribution.delegatorWithdrawAddress({ delegator_address });
  assert.equal(to.withdraw_address, delegator_address);
  assert.equal((await query.distribution.validatorDistributionInfo({ validator_address })).operator_address, validatorAddressToSelfDelegatorAddress(validator_address));
  const { commission } = await query.distribution.validatorCommission({ validator_address });
  assert.equal(commission.commission[0].denom, 'uscrt');
  const outstanding = await query.distribution.validatorOutstandingRewards({ validator_address });
  assert.equal(outstanding.rewards.rewards[0].denom, 'uscrt');
  assert.deepEqual((await query.distribution.validatorSlashes({ validator_address })).slashes, []);
  assert.equal((await query.distribution.foundationTax({})).tax, '0.000000000000000000');
  assert.equal((await query.distribution.restakeThreshold({})).threshold, '10000000.000000000000000000');
  assert.deepEqual((await query.distribution.restakingEntries({ delegator: alice.address })).validators, []);
});

test('auth', async () => {
  const { accounts, pagination } = await query.auth.accounts({});
  assert.ok(accounts.length > 3 && Number(pagination.total) >= accounts.length);
  const addresses = accounts.map(({ address, base_account }) => base_account?.address ?? address);
  assert.ok(addresses.every((address) => address.startsWith('secret1')));
  const modules = (await query.auth.moduleAccounts({})).accounts;
  assert.ok(modules.some(({ name }) => name === 'bonded_tokens_pool'));
  const { account } = await query.auth.moduleAccountByName({ name: 'distribution' });
  assert.ok(account);
  const { info } = await query.auth.accountInfo({ address: a });
  const { account_address } = await query.auth.accountAddressByID({ id: info.account_number });
  assert.equal(account_address, a);
  assert.equal((await query.auth.bech32Prefix({})).bech32_prefix, 'secret');
});

test('mint, upgrade and what else never changes', async () => {
  assert.equal((await query.mint.inflation({})).inflation, '0.000000000000000000');
  assert.equal((await query.mint.annualProvisions({})).annual_provisions, '0.000000000000000000');
  assert.equal((await query.mint.params({})).params.mint_denom, 'uscrt');
  assert.equal((await query.upgrade.currentPlan({})).plan, null);
  assert.deepEqual(await query.upgrade.appliedPlan({ name: 'v2' }), { height: '0' });
  assert.deepEqual((await query.upgrade.moduleVersions({})).module_versions, []);
  assert.match((await query.upgrade.authority({})).address, /^secret1/);
  assert.deepEqual((await query.evidence.allEvidence({})).evidence, []);
  await missing(query.evidence.evidence({ hash: 'AB' }));
  assert.deepEqual((await query.params.subspaces({})).subspaces, []);
  await missing(query.params.params({ subspace: 'gov', key: 'votingparams' }));
  assert.equal((await query.emergency_button.params({})).params.switch_status, 'off');
  assert.ok((await query.consensus.params({})).params);
});

test('nothing goes to other chains, and that is said', async () => {
  assert.deepEqual((await query.ibc_client.clientStates({})).client_states, []);
  assert.deepEqual((await query.ibc_connection.connections({})).connections, []);
  assert.deepEqual((await query.ibc_channel.channels({})).channels, []);
  await missing(query.ibc_channel.channel({ channel_id: 'channel-1', port_id: 'transfer' }));
  assert.deepEqual((await query.ibc_transfer.denomTraces({})).denom_traces, []);
  assert.equal((await query.ibc_transfer.params({})).params.send_enabled, false);
  assert.equal((await query.ibc_iterchain_accounts_host.params({})).params.host_enabled, false);
  assert.ok((await query.ibc_packet_forward.params({})).params);
  const transfer = {
    sender: alice.address,
    receiver: a,
    source_channel: 'channel-1',
    source_port: 'transfer',
    token: coins(1)[0],
    timeout_timestamp: String(Math.floor(Date.now() / 1000) + 600),
  };
  await assert.rejects(
    alice.tx.ibc.transfer(transfer, gas(100_000)),
    ({ message }) => /no message handler found for \/ibc.applications.transfer.v1.MsgTransfer/.test(message),
  );
});
