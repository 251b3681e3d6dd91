// Two apps that could not be on a public chain: a sealed-bid auction and a secret vote.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  balance, coins, deploy, done, execute, executeData, failed, freshClient, log, query, reader, seen,
} from '../lib/chain.mjs';

let people;

before(async () => {
  people = [];
  for (let i = 0; i < 4; i++) people.push(await freshClient());
});

/** Far away: these contracts' clocks are not what is tested here. */
const tomorrow = Math.floor(Date.now() / 1000) + 86_400;

test('bids are sealed until the auction ends; the winner pays, the others get their deposits back', async () => {
  const [seller, ...bidders] = people;
  const auction = await deploy(seller, 'auction', { item: 'a house', minimum: '100', closes_at: tomorrow });
  const bids = [150, 320, 210];
  for (const [i, bidder] of bidders.entries()) {
    const tx = await done(execute(bidder, auction, { bid: { amount: `${bids[i]}` } }, { funds: coins(1_000) }));
    assert.deepEqual(executeData(tx), { bid: { amount: `${bids[i]}`, deposit: '1000' } });
    assert.ok(!(await seen(tx)).includes(`"${bids[i]}`), 'the bid is nowhere in what others see');
  }
  assert.equal(await balance(auction.address), 3_000n);
  const { auction: open } = await query(reader(), auction, { auction: {} });
  assert.deepEqual([open.open, open.bidders, open.sale], [true, 3, null]);

  await done(execute(bidders[0], auction, { set_viewing_key: { key: 'mine' } }));
  const ask = (key) => query(reader(), auction, { bid: { address: bidders[0].address, key } });
  assert.deepEqual(await ask('mine'), { bid: { amount: '150', deposit: '1000' } });
  assert.ok((await ask('yours')).viewing_key_error);
  const low = await failed(execute(bidders[0], auction, { bid: { amount: '5' } }));
  assert.match(low.rawLog, /the least bid is 100/);
  assert.match((await failed(execute(bidders[0], auction, { close: {} }))).rawLog, /only the seller/);

  const before = await Promise.all(bidders.map(({ address }) => balance(address)));
  const tx = await done(execute(seller, auction, { close: {} }, { gasLimit: 1_000_000 }));
  assert.deepEqual(executeData(tx), { close: { sale: { buyer: bidders[1].address, price: '320' } } });
  const stranger = await reader().query.getTx(tx.transactionHash);
  assert.ok(log(stranger).some(([, key, value]) => key === 'price' && value === '320'));
  const after = await Promise.all(bidders.map(({ address }) => balance(address)));
  assert.deepEqual(after.map((coins, i) => coins - before[i]), [1_000n, 680n, 1_000n]);
  assert.equal(await balance(auction.address), 0n);
});

test('a vote: everybody sees who votes, nobody what, then the tally', async () => {
  const [owner, ...voters] = people;
  const poll = await deploy(owner, 'vote', { question: 'Tea?', options: ['yes', 'no'], closes_at: tomorrow });
  const lengths = new Set();
  for (const [i, voter] of voters.entries()) {
    const tx = await done(execute(voter, poll, { vote: { choice: i === 0 ? 1 : 0 } }));
    lengths.add((await seen(tx)).match(/"msg":"([^"]+)"/)[1].length);
  }
  assert.equal(lengths.size, 1, 'both answers have the same length');
  assert.match((await failed(execute(voters[0], poll, { vote: { choice: 0 } }))).rawLog, /you have voted/);
  const ask = async () => (await query(reader(), poll, { poll: {} })).poll;
  assert.deepEqual([(await ask()).votes, (await ask()).tally], [3, null]);
  await done(execute(owner, poll, { close: {} }));
  assert.deepEqual((await ask()).tally, [2, 1]);
});
