// Clients, accounts and coins: everything that needs no contract.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MsgSend, Wallet } from 'secretjs';
import {
  attribute, balance, chainId, client, coins, done, failed, faucetUrl, freshClient, fund, gas, get, height, known,
  knownClient, log, reader, rejection, until,
} from '../lib/chain.mjs';

const million = 10n ** 6n;
const firstBlock = { 'x-cosmos-block-height': '1' };

/** A thousand coins. */
let alice;

before(async () => {
  alice = await freshClient();
});

function send(from, to, amount, options = gas(100_000)) {
  return from.tx.bank.send({ from_address: from.address, to_address: to, amount: coins(amount) }, options);
}

test("LocalSecret's accounts have their addresses and 10^18 uscrt each", async () => {
  for (const [name, { address, mnemonic }] of Object.entries(known)) {
    assert.equal(new Wallet(mnemonic).address, address);
    // The faucet may have spent of a's in the first block already.
    if (name !== 'a') assert.equal(await balance(address, 'uscrt', firstBlock), 10n ** 18n, name);
  }
  assert.ok((await balance(known.a.address)) > 10n ** 17n);
});

test('each of them signs', async () => {
  const to = new Wallet().address;
  for (const name of ['b', 'c', 'd']) {
    const [from, before] = [knownClient(name), await balance(known[name].address)];
    const tx = await done(send(from, to, 5));
    assert.equal(before - (await balance(from.address)), 5n + 10_000n, 'the amount and the fee');
    assert.equal(tx.gasWanted, 100_000);
  }
  assert.equal(await balance(to), 15n);
});

test('the faucet says who it is and gives 1000 coins', async () => {
  for (const path of ['/', '/status']) {
    const { status, body } = await get(path, faucetUrl);
    assert.equal(status, 200);
    assert.ok(JSON.stringify(body).includes(known.a.address), JSON.stringify(body));
    assert.ok(JSON.stringify(body).includes('1000000000'), JSON.stringify(body));
  }
  const { address } = new Wallet();
  await fund(address);
  assert.equal(await balance(address), 10n ** 9n);
  assert.equal((await get('/faucet', faucetUrl)).status, 400);
  assert.equal((await get('/faucet?address=secret1nobody', faucetUrl)).status, 400);
});

test("the faucet's answer names a transaction that a client finds", async () => {
  const { address } = new Wallet();
  const { body } = await get(`/faucet?address=${address}`, faucetUrl);
  const [hash] = JSON.stringify(body).match(/[0-9A-F]{64}/);
  let tx;
  await until(async () => (tx = await reader().query.getTx(hash)));
  assert.equal(attribute(tx, 'transfer', 'recipient'), address);
  assert.equal(tx.code, 0);
});

test('a transfer arrives, and its response tells the whole story', async () => {
  const to = new Wallet().address;
  const tx = await done(send(alice, to, 7, gas(100_000, { memo: 'lunch & <dinner>' })));
  assert.equal(await balance(to), 7n);
  assert.deepEqual(log(tx), [
    ['message', 'action', '/cosmos.bank.v1beta1.MsgSend'],
    ['message', 'sender', alice.address],
    ['message', 'module', 'bank'],
    ['coin_spent', 'spender', alice.address],
    ['coin_spent', 'amount', '7uscrt'],
    ['coin_received', 'receiver', to],
    ['coin_received', 'amount', '7uscrt'],
    ['transfer', 'recipient', to],
    ['transfer', 'sender', alice.address],
    ['transfer', 'amount', '7uscrt'],
  ]);
  assert.deepEqual(tx.jsonLog.map((entry) => [entry.msg_index, entry.events.map((event) => event.type)]), [
    [0, ['message', 'coin_spent', 'coin_received', 'transfer']],
  ]);
  assert.match(tx.transactionHash, /^[0-9A-F]{64}$/);
  assert.match(tx.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(tx.gasUsed > 0 && tx.gasUsed < tx.gasWanted);
  assert.equal(tx.tx.body.memo, 'lunch & <dinner>');
  assert.deepEqual(tx.tx.body.messages, [
    { '@type': '/cosmos.bank.v1beta1.MsgSend', from_address: alice.address, to_address: to, amount: coins(7) },
  ]);
  assert.deepEqual(tx.tx.auth_info.fee, { amount: coins(10_000), gas_limit: '100000', payer: '', granter: '' });
  // The ante events come first and have no message.
  const ante = tx.events.filter((event) => !event.attributes.some(({ key }) => key === 'msg_index'));
  assert.deepEqual(ante.map((event) => event.type), tx.events.slice(0, ante.length).map((event) => event.type));
  const pairs = ante.flatMap((event) => event.attributes.map(({ key, value }) => `${event.type}.${key}=${value}`));
  assert.ok(pairs.includes('tx.fee=10000uscrt') && pairs.includes(`tx.fee_payer=${alice.address}`), pairs.join());
});

test('one transfer to many', async () => {
  const [bob, carol] = [new Wallet().address, new Wallet().address];
  const transfer = (sum) => alice.tx.bank.multiSend(
    {
      inputs: [{ address: alice.address, coins: coins(sum) }],
      outputs: [{ address: bob, coins: coins(30) }, { address: carol, coins: coins(12) }],
    },
    gas(100_000),
  );
  await done(transfer(42));
  assert.deepEqual([await balance(bob), await balance(carol)], [30n, 12n]);
  const why = await rejection(transfer(43));
  assert.match(why, /^Broadcasting transaction failed with code \d+ \(codespace: \w+\)\. Log: sum inputs != sum outputs/);
  assert.deepEqual([await balance(bob), await balance(carol)], [30n, 12n]);
});

test("the gas limits of secretjs's own documents and tests are enough", async () => {
  const newcomers = (n) => Array.from({ length: n }, () => new Wallet().address);
  const [bob, carol] = newcomers(2);
  await done(send(alice, bob, 1, gas(20_000)));
  await done(send(alice, bob, 1, gas(20_000)));
  await done(alice.tx.bank.send({ from_address: alice.address, to_address: carol, amount: coins(1) }, gas(25_000)));
  const many = (addresses, limit) => alice.tx.bank.multiSend(
    {
      inputs: [{ address: alice.address, coins: coins(addresses.length) }],
      outputs: addresses.map((address) => ({ address, coins: coins(1) })),
    },
    gas(limit),
  );
  await done(many([bob, carol], 20_000));
  await done(many(newcomers(17), 200_000));
});

test('two transfers in one transaction: both, or none', async () => {
  const to = new Wallet().address;
  const transfer = (amount) => new MsgSend({ from_address: alice.address, to_address: to, amount: coins(amount) });
  const both = await done(alice.tx.broadcast([transfer(1), transfer(2)], gas(150_000)));
  assert.deepEqual(new Set(both.arrayLog.map(({ msg }) => msg)), new Set([0, 1]));
  assert.equal(await balance(to), 3n);
  const none = await failed(alice.tx.broadcast([transfer(4), transfer(10n ** 12n)], gas(150_000)));
  assert.deepEqual([none.code, none.codespace], [5, 'sdk']);
  assert.match(none.rawLog, /^failed to execute message; message index: 1: .*insufficient funds/);
  assert.equal(await balance(to), 3n);
});

test('more than the account has: the fee is paid, nothing else happens', async () => {
  const before = await balance(alice.address);
  const tx = await failed(send(alice, known.b.address, before));
  assert.equal(tx.code, 5);
  assert.match(tx.rawLog, /message index: 0: spendable balance \d+uscrt is smaller than \d+uscrt: insufficient funds/);
  assert.equal(before - (await balance(alice.address)), 10_000n);
});

test('an account tells its number, key and sequence; one that nobody paid is not found', async () => {
  const wallet = new Wallet();
  const newcomer = await freshClient({}, wallet);
  const ask = async () => (await reader().query.auth.account({ address: wallet.address })).account;
  const young = await ask();
  assert.equal(young['@type'], '/cosmos.auth.v1beta1.BaseAccount');
  assert.equal(young.address, wallet.address);
  assert.deepEqual([young.pub_key, young.sequence], [null, '0']);
  assert.match(young.account_number, /^\d+$/);
  await done(send(newcomer, known.b.address, 1));
  const used = await ask();
  assert.deepEqual(used.pub_key, {
    '@type': '/cosmos.crypto.secp256k1.PubKey',
    key: Buffer.from(wallet.publicKey).toString('base64'),
  });
  assert.deepEqual([used.sequence, used.account_number], ['1', young.account_number]);

  const stranger = client(new Wallet());
  assert.match(await rejection(reader().query.auth.account({ address: stranger.address })), /not found/);
  assert.match(await rejection(send(stranger, known.b.address, 1)), /not found|Cannot find account/);
  assert.equal(await balance(stranger.address), 0n);
});

test('at the height of the first block a newcomer had nothing', async () => {
  const newcomer = await freshClient();
  assert.equal(await balance(newcomer.address, 'uscrt', firstBlock), 0n);
  const now = await height();
  assert.equal(await balance(newcomer.address, 'uscrt', { 'x-cosmos-block-height': `${now}` }), 10n ** 9n);
  const future = reader().query.bank.balance({ address: newcomer.address, denom: 'uscrt' }, { 'x-cosmos-block-height': '999999999' });
  assert.match(await rejection(future), /height/);
});

test('all balances, spendable balances and another denomination', async () => {
  const [{ address }, bank] = [await freshClient(), reader().query.bank];
  assert.deepEqual((await bank.allBalances({ address })).balances, coins(10n ** 9n));
  assert.deepEqual((await bank.spendableBalances({ address })).balances, coins(10n ** 9n));
  assert.equal(await balance(address, 'uatom'), 0n);
});

test('a simulated transfer costs what it then costs', async () => {
  const to = new Wallet().address;
  const message = { from_address: alice.address, to_address: to, amount: coins(3) };
  const { gas_info } = await alice.tx.bank.send.simulate(message);
  const expected = Number(gas_info.gas_used);
  assert.ok(expected > 1_000, JSON.stringify(gas_info));
  assert.equal(await balance(to), 0n);
  const tx = await done(alice.tx.bank.send(message, gas(Math.ceil(expected * 1.2))));
  assert.ok(Math.abs(tx.gasUsed - expected) < expected / 10, `${tx.gasUsed} instead of ${expected}`);
});

test('a transaction can be sent without waiting for it, and found later', async () => {
  const to = new Wallet().address;
  const sent = await send(alice, to, 9, gas(100_000, { waitForCommit: false }));
  assert.deepEqual(Object.keys(sent), ['transactionHash']);
  let tx;
  await until(async () => (tx = await alice.query.getTx(sent.transactionHash)));
  assert.equal(tx.code, 0);
  assert.equal(await balance(to), 9n);
});

test('broadcast modes Block and Async', async () => {
  const to = new Wallet().address;
  await done(send(alice, to, 1, gas(100_000, { broadcastMode: 'Block' })));
  await done(send(alice, to, 1, gas(100_000, { broadcastMode: 'Async' })));
  assert.equal(await balance(to), 2n);
});

test('ten transactions in a row, nobody waits for a block in between', async () => {
  const [from, to] = [await freshClient(), new Wallet().address];
  const { account } = await from.query.auth.account({ address: from.address });
  const hashes = [];
  for (let i = 0; i < 10; i++) {
    const explicitSignerData = { chainId, accountNumber: Number(account.account_number), sequence: i };
    const sent = await send(from, to, 1, gas(100_000, { explicitSignerData, waitForCommit: false }));
    hashes.push(sent.transactionHash);
  }
  for (const hash of hashes) await until(async () => (await from.query.getTx(hash))?.code === 0);
  assert.equal(await balance(to), 10n);
});

test('a transaction signed now is sent later', async () => {
  const to = new Wallet().address;
  const message = new MsgSend({ from_address: alice.address, to_address: to, amount: coins(2) });
  const bytes = await alice.tx.signTx([message], gas(100_000));
  assert.equal(await balance(to), 0n);
  await done(alice.tx.broadcastSignedTx(bytes, gas()));
  assert.equal(await balance(to), 2n);
});

test('parameters, blocks and the node are what clients expect', async () => {
  const { query } = reader();
  assert.deepEqual((await query.auth.params({})).params, {
    max_memo_characters: '256',
    tx_sig_limit: '7',
    tx_size_cost_per_byte: '10',
    sig_verify_cost_ed25519: '590',
    sig_verify_cost_secp256k1: '1000',
  });
  const { block } = await query.tendermint.getLatestBlock({});
  assert.equal(block.header.chain_id, chainId);
  assert.match(block.header.height, /^[1-9]\d*$/);
  assert.match(block.header.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
  const { height } = await done(send(alice, known.b.address, 1));
  const { block: earlier } = await query.tendermint.getBlockByHeight({ height: String(height) });
  assert.equal(earlier.header.height, String(height));
  assert.ok(earlier.data.txs.length > 0);
  const node = await query.tendermint.getNodeInfo({});
  assert.equal((node.default_node_info ?? node.node_info).network, chainId);
  assert.equal((await query.tendermint.getSyncing({})).syncing, false);
  assert.equal(Buffer.from((await query.registration.txKey({})).key, 'base64').length, 32);
});
