// What a door is pushed with: each gets the documented error, and the node goes on.

import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Transaction, Wallet, encodeRlp, toBeArray } from 'ethers';
import WebSocket from 'ws';
import { ask, chainId, connect, freshWallet, mined, post, rpc, rpcUrl, wsUrl, disconnect } from '../lib/chain.mjs';

let provider;
let sender;
let gasPrice;

before(async () => {
  provider = connect();
  sender = await freshWallet(provider);
  gasPrice = BigInt(await ask('eth_gasPrice')) * 2n;
});

// Whatever happened, the node answers and takes a transaction.
afterEach(async () => {
  await mined(sender.sendTransaction({ to: sender.address, value: 0n }));
});

after(() => disconnect(provider));

test('an unknown method', async () => {
  const { error } = await rpc('eth_doesNotExist');
  assert.equal(error.code, -32601);
});

test('parameters of the wrong kind or number', async () => {
  for (const [method, params] of [
    ['eth_getBalance', []],
    ['eth_getBalance', ['0x1234', 'latest']],
    ['eth_getBalance', ['not hex', 'latest']],
    ['eth_getBlockByNumber', ['0xzz', false]],
    ['eth_getStorageAt', [sender.address, `0x${'ff'.repeat(40)}`, 'latest']],
    ['eth_sendRawTransaction', ['not hex']],
    ['eth_sendRawTransaction', [{}]],
    ['eth_call', ['string', 'latest']],
    ['eth_subscribe', ['noSuchSubscription']],
  ]) {
    const { error, result } = await rpc(method, params);
    assert.equal(result, undefined, method);
    assert.ok(error.code < 0 && typeof error.message === 'string', `${method}: ${JSON.stringify(error)}`);
  }
  assert.equal((await rpc('eth_getBalance', ['0x1234', 'latest'])).error.code, -32602);
});

test('truncated and empty JSON', async () => {
  for (const body of ['{"jsonrpc":"2.0","id":1,"method":"eth_chai', '', '}', 'null', '"text"', '\u0000\u0001']) {
    const { status, body: answer } = await post(body);
    assert.ok(status < 500, `${JSON.stringify(body)}: ${status}`);
    if (status === 200 && answer !== '') assert.ok([-32700, -32600].includes(JSON.parse(answer).error.code), answer);
  }
  assert.equal(JSON.parse((await post('{"jsonrpc":"2.0","id":1,"method":"eth_chai')).body).error.code, -32700);
});

test('an empty batch, and a batch of nonsense', async () => {
  const empty = await post('[]');
  assert.ok(empty.status < 500);
  const { body } = await post('[1, {"foo": "bar"}]');
  const answers = [JSON.parse(body)].flat();
  assert.ok(answers.every(({ error }) => error.code === -32600), body);
});

test('JSON nested a hundred thousand deep', async () => {
  const { status } = await post(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
  assert.ok(status < 500, `${status}`);
});

test('an oversized body is refused, not buffered', async () => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x${'00'.repeat(64 * 1024 * 1024)}"]}`;
  const answer = await post(body).catch(() => ({ status: 'closed' }));
  const refused = ['closed', 400, 413].includes(answer.status) || JSON.parse(answer.body).error !== undefined;
  assert.ok(refused, `${answer.status}`);
});

test('malformed RLP', async () => {
  const good = await signed({});
  const flip = (hex, at) => hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);
  for (const raw of ['0x', '0x00', '0xc0', '0xff', '0x02', '0x02c0', '0x7fc0', good.slice(0, -2), `${good}00`, flip(good, 5), `0x02${'ff'.repeat(64)}`, `0xf9ffff${'00'.repeat(16)}`]) {
    const { error, result } = await rpc('eth_sendRawTransaction', [raw]);
    assert.equal(result, undefined, raw);
    assert.ok([-32000, -32602].includes(error.code), `${raw}: ${JSON.stringify(error)}`);
  }
});

test('a transaction for another chain', async () => {
  const { error } = await rpc('eth_sendRawTransaction', [await signed({ chainId: 1n })]);
  assert.equal(error.code, -32000);
  assert.match(error.message, /chain id/i);
});

test('a nonce that was used', async () => {
  const { error } = await rpc('eth_sendRawTransaction', [await signed({ nonce: 0 })]);
  assert.equal(error.code, -32000);
  assert.match(error.message, /^nonce too low/);
});

test('a nonce from the future waits for the one before it', async () => {
  const nonce = await sender.getNonce();
  const late = await ask('eth_sendRawTransaction', [await signed({ nonce: nonce + 1 })]);
  assert.equal(await ask('eth_getTransactionReceipt', [late]), null);
  await ask('eth_sendRawTransaction', [await signed({ nonce })]);
  assert.equal((await provider.waitForTransaction(late, 1, 10_000)).status, 1);
});

test('the same transaction twice', async () => {
  const raw = await signed({ nonce: (await sender.getNonce()) + 1 });
  await ask('eth_sendRawTransaction', [raw]);
  const { error } = await rpc('eth_sendRawTransaction', [raw]);
  assert.equal(error.code, -32000);
  assert.match(error.message, /^already known/);
  await mined(sender.sendTransaction({ to: sender.address, nonce: await provider.getTransactionCount(sender, 'latest') }));
});

test('a replacement that pays no more', async () => {
  const nonce = (await sender.getNonce()) + 1;
  await ask('eth_sendRawTransaction', [await signed({ nonce })]);
  const { error } = await rpc('eth_sendRawTransaction', [await signed({ nonce, value: 1n })]);
  assert.equal(error.code, -32000);
  assert.match(error.message, /^replacement transaction underpriced/);
  await mined(sender.sendTransaction({ to: sender.address, nonce: await provider.getTransactionCount(sender, 'latest') }));
});

test('a sender without money', async () => {
  const { error } = await rpc('eth_sendRawTransaction', [await signed({ value: 1n }, Wallet.createRandom())]);
  assert.equal(error.code, -32000);
  assert.match(error.message, /^insufficient funds for gas \* price \+ value/);
});

test('less gas than the transaction weighs', async () => {
  const { error } = await rpc('eth_sendRawTransaction', [await signed({ gasLimit: 20_999n })]);
  assert.equal(error.code, -32000);
  assert.match(error.message, /^intrinsic gas too low/);
});

test('more gas than a block has', async () => {
  const { error } = await rpc('eth_sendRawTransaction', [await signed({ gasLimit: 2n ** 50n, gasPrice: 1n })]);
  assert.equal(error.code, -32000);
});

test('a price below the base fee', async () => {
  const { error, result } = await rpc('eth_sendRawTransaction', [await signed({ gasPrice: 1n })]);
  assert.equal(result, undefined);
  assert.equal(error.code, -32000);
});

test('a signature that nobody can have made', async () => {
  const transaction = Transaction.from(await signed({}));
  const { r, v } = transaction.signature;
  const highS = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n - BigInt(transaction.signature.s);
  const raw = rawLegacy(transaction, r, highS, v);
  const { error } = await rpc('eth_sendRawTransaction', [raw]);
  assert.ok([-32000, -32602].includes(error.code), JSON.stringify(error));
});

test('contract code beyond the limit', async () => {
  const large = 24_577;
  const init = `0x62${large.toString(16).padStart(6, '0')}6000f3`;
  const transaction = await sender.sendTransaction({ data: init, gasLimit: 10_000_000n });
  await assert.rejects(transaction.wait(), (error) => error.receipt.status === 0);
});

test('garbage WebSocket frames', async () => {
  for (const garbage of ['not json', '{}', '[]', Buffer.from([0xff, 0xfe, 0x00]), '{"jsonrpc":"2.0","id":1,"method":7}', 'x'.repeat(1 << 20)]) {
    const socket = new WebSocket(wsUrl);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const done = new Promise((resolve) => socket.once('message', resolve).once('close', resolve).once('error', resolve));
    socket.send(garbage);
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 1000))]);
    socket.terminate();
  }
});

test('bytes that are no WebSocket frame, and no HTTP either', async () => {
  const { hostname, port } = new URL(rpcUrl);
  const upgrade = `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
  for (const bytes of [`${upgrade}\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff`, `${upgrade}\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff`, '\x16\x03\x01\x02\x00', 'GET', `POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n`]) {
    await new Promise((resolve) => {
      const socket = connectTcp(Number(port), hostname, () => socket.write(Buffer.from(bytes, 'latin1')));
      socket.on('error', resolve).on('close', resolve);
      socket.on('data', () => {});
      setTimeout(() => socket.destroy(), 300);
    });
  }
});

test('a request whose body never comes', async () => {
  const { hostname, port } = new URL(rpcUrl);
  const sockets = Array.from({ length: 50 }, () => {
    const socket = connectTcp(Number(port), hostname, () => socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'));
    return socket.on('error', () => {});
  });
  await ask('eth_chainId');
  for (const socket of sockets) socket.destroy();
});

async function signed(fields, wallet = sender) {
  const nonce = wallet === sender ? await sender.getNonce() : 0;
  const transaction = Transaction.from({ type: 0, chainId, nonce, to: sender.address, gasLimit: 30_000n, gasPrice, ...fields });
  transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
  return transaction.serialized;
}

/** ethers refuses to serialize a high s: encode by hand. */
function rawLegacy({ nonce, gasPrice: price, gasLimit, to, value }, r, s, v) {
  const legacyV = chainId * 2n + 35n + BigInt(v === 27 ? 1 : 0);
  const numbers = (values) => values.map((each) => toBeArray(BigInt(each)));
  return encodeRlp([...numbers([nonce, price, gasLimit]), to, ...numbers([value]), '0x', ...numbers([legacyV, r, s])]);
}
