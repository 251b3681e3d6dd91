// Proposals: who owns the validators decides. An expedited vote takes fifteen seconds.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MsgExecLegacyContent, ProposalStatus, ProposalType, VoteOption, Wallet } from 'secretjs';
import { balance, coins, done, freshClient, gas, owners, reader } from '../lib/chain.mjs';

const DEPOSIT = 50_000_000;
let alice, authority;

before(async () => {
  alice = await freshClient();
  const { account } = await reader().query.auth.moduleAccountByName({ name: 'gov' }).catch(() => ({}));
  // The account comes to be with its first coin; its address is every Cosmos chain's.
  authority = account?.base_account?.address ?? 'secret10d07y265gmmuvt4z0w9aw880jnsr700jc88vt0';
});

function proposal(messages, more = {}) {
  return {
    messages,
    initial_deposit: coins(DEPOSIT),
    proposer: alice.address,
    metadata: 'more about it',
    title: 'A title',
    summary: 'What it is about',
    expedited: true,
    ...more,
  };
}

async function submit(messages, more) {
  const tx = await done(alice.tx.gov.submitProposal(proposal(messages, more), gas(600_000)));
  return tx.arrayLog.find(({ type, key }) => type === 'submit_proposal' && key === 'proposal_id').value;
}

/** Waits until the proposal has this status: the node makes the block that ends it. */
async function becomes(proposal_id, status) {
  for (let waited = 0; waited < 60; waited += 1) {
    const { proposal } = await reader().query.gov.proposal({ proposal_id });
    if (proposal.status === status) return proposal;
    await new Promise(resolve => setTimeout(resolve, 1_000));
  }
  throw new Error(`the proposal has not become ${status}`);
}

test('a proposal is voted on, passes, and its deposit comes back', async () => {
  const proposal_id = await submit([]);
  const { query } = reader();
  let { proposal } = await query.gov.proposal({ proposal_id });
  assert.equal(proposal.status, 'PROPOSAL_STATUS_VOTING_PERIOD');
  assert.equal(proposal.proposer, alice.address);
  assert.deepEqual(proposal.total_deposit, coins(DEPOSIT));
  const { deposit } = await query.gov.deposit({ proposal_id, depositor: alice.address });
  assert.deepEqual(deposit.amount, coins(DEPOSIT));

  const [validator] = owners();
  const vote = { voter: validator.address, proposal_id, option: VoteOption.VOTE_OPTION_NO, metadata: '' };
  await done(validator.tx.gov.vote(vote, gas(100_000)));
  const options = [
    { option: VoteOption.VOTE_OPTION_YES, weight: '0.8' },
    { option: VoteOption.VOTE_OPTION_ABSTAIN, weight: '0.2' },
  ];
  for (const { address: voter, tx } of owners()) {
    await done(tx.gov.voteWeighted({ voter, proposal_id, options, metadata: '' }, gas(100_000)));
  }
  const voted = (await query.gov.vote({ proposal_id, voter: validator.address })).vote;
  assert.deepEqual(voted.options.map(({ option }) => option), ['VOTE_OPTION_YES', 'VOTE_OPTION_ABSTAIN']);
  assert.equal((await query.gov.votes({ proposal_id })).votes.length, owners().length);
  const { tally } = await query.gov.tallyResult({ proposal_id });
  assert.equal(BigInt(tally.yes_count), 4n * BigInt(tally.abstain_count));
  assert.ok(BigInt(tally.yes_count) > 0n);

  proposal = await becomes(proposal_id, 'PROPOSAL_STATUS_PASSED');
  assert.deepEqual(proposal.final_tally_result, tally);
  assert.deepEqual((await query.gov.deposits({ proposal_id })).deposits, []);
  const passed = await query.gov.proposals({ proposal_status: ProposalStatus.PROPOSAL_STATUS_PASSED });
  assert.ok(passed.proposals.some(({ id }) => id === proposal_id));
});

test('what passed comes into effect', async () => {
  const shop = new Wallet().address;
  await done(alice.tx.distribution.fundCommunityPool({ depositor: alice.address, amount: coins(700) }, gas(100_000)));
  const content = {
    title: 'A gift',
    description: 'To a shop',
    recipient: shop,
    amount: coins(500),
  };
  const spend = new MsgExecLegacyContent({ authority, type: ProposalType.CommunityPoolSpendProposal, content });
  const proposal_id = await submit([spend]);
  const old = await reader().query.gov_v1beta1.proposal({ proposal_id });
  assert.equal(old.proposal.content['@type'], '/cosmos.distribution.v1beta1.CommunityPoolSpendProposal');
  assert.equal(old.proposal.proposal_id, proposal_id);
  for (const { address: voter, tx } of owners()) {
    await done(tx.gov.vote({ voter, proposal_id, option: VoteOption.VOTE_OPTION_YES, metadata: '' }, gas(100_000)));
  }
  await becomes(proposal_id, 'PROPOSAL_STATUS_PASSED');
  assert.equal(await balance(shop), 500n);
});

test('who proposed takes it back, and nobody else', async () => {
  const proposal_id = await submit([], { expedited: false, initial_deposit: coins(200_000) });
  const { deposits } = await reader().query.gov.deposits({ proposal_id });
  assert.deepEqual(deposits.map(({ depositor }) => depositor), [alice.address]);
  await done(alice.tx.gov.deposit({ depositor: alice.address, proposal_id, amount: coins(100_000) }, gas(100_000)));
  const other = await freshClient();
  const refused = await other.tx.gov.cancelProposal({ proposal_id, proposer: other.address }, gas(100_000));
  assert.equal(refused.codespace, 'gov');
  await done(alice.tx.gov.cancelProposal({ proposal_id, proposer: alice.address }, gas(100_000)));
  await assert.rejects(reader().query.gov.proposal({ proposal_id }), ({ message }) => message.includes("doesn't exist"));
});

test('parameters are LocalSecret’s', async () => {
  const { params } = await reader().query.gov.params({ params_type: 'voting' });
  assert.equal(params.voting_period, '90s');
  assert.equal(params.expedited_voting_period, '15s');
  assert.equal(params.quorum, '0.334000000000000000');
  const old = await reader().query.gov_v1beta1.params({ params_type: 'tallying' });
  assert.equal(old.tally_params.threshold, '0.500000000000000000');
  assert.deepEqual(await reader().query.gov.constitution({}), { constitution: '' });
});
