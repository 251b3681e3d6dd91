// The published wallet (npm @coti-io/coti-ethers), on contracts written with the published MpcCore.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BrowserProvider, Wallet as CotiWallet } from '@coti-io/coti-ethers';
import { Contract, JsonRpcProvider, Wallet, getBytes, getBytesCopy } from 'ethers';
import { artifact, chainId, connect, deploy, devWallet, events, failed, freshWallet, gasLimit, mined, rpcUrl, disconnect } from '../lib/chain.mjs';
import { compile } from '../lib/solidity.mjs';

let provider;
let notebook;
let alice;
let bob;

before(async () => {
  provider = connect();
  notebook = await deploy(compile('Notebook'), await freshWallet(provider));
  alice = new CotiWallet((await freshWallet(provider)).privateKey, provider);
  bob = new CotiWallet((await freshWallet(provider)).privateKey, provider);
});

after(() => disconnect(provider));

test('an account is on-boarded and gets an AES key', async () => {
  await alice.generateOrRecoverAes();
  assert.match(alice.getUserOnboardInfo().aesKey, /^[0-9a-f]{32}$/);
});

test('on-boarding again gives the same key, another account gets another one', async () => {
  const again = new CotiWallet(alice.privateKey, provider);
  await again.generateOrRecoverAes();
  await bob.generateOrRecoverAes();
  assert.equal(again.getUserOnboardInfo().aesKey, alice.getUserOnboardInfo().aesKey);
  assert.notEqual(bob.getUserOnboardInfo().aesKey, alice.getUserOnboardInfo().aesKey);
});

test('two accounts can on-board at once', async () => {
  const wallets = [await freshWallet(provider), await freshWallet(provider)].map(({ privateKey }) => new CotiWallet(privateKey, provider));
  await Promise.all(wallets.map((wallet) => wallet.generateOrRecoverAes()));
  const keys = wallets.map((wallet) => wallet.getUserOnboardInfo().aesKey);
  assert.equal(new Set(keys).size, 2);
});

test('an account without money is told so', async () => {
  const poor = new CotiWallet(Wallet.createRandom().privateKey, provider);
  await assert.rejects(poor.generateOrRecoverAes(), /Account balance is 0/);
});

test('every on-boarding address that a published client knows answers with the same key', async () => {
  const addresses = [
    '0x536A67f0cc46513E7d27a370ed1aF9FDcC7A5095',
    '0x24D6c44eaB7aA09A085dDB8cD25c28FFc9917EC9',
    '0x60eA13A5f263f77f7a2832cfEeF1729B1688477c',
    '0x413370ed41FB9EE3aea0B1B91FD336cC0be1Bad6',
    '0xe1dA9B857E1196D0BeDBE46960586cBc3F909C17',
  ];
  for (const address of addresses) {
    const again = new CotiWallet(alice.privateKey, provider);
    await again.generateOrRecoverAes(address);
    assert.equal(again.getUserOnboardInfo().aesKey, alice.getUserOnboardInfo().aesKey, address);
  }
});

test('an encrypted number goes in, comes back, and only its owner reads it', async () => {
  for (const number of [0n, 1n, 42n, 2n ** 64n - 1n]) {
    const input = await encrypt(alice, number, 'keepNumber');
    const receipt = await mined(notebook.connect(alice).keepNumber(input, { gasLimit }));
    const kept = events(notebook, receipt, 'NumberKept')[0].args.number;
    assert.equal(kept, await notebook.numberOf(alice.address));
    assert.notEqual(kept, input.ciphertext, 'the network draws its own salt');
    assert.equal(await alice.decryptValue(kept), number);
    assert.notEqual(await bob.decryptValue(kept), number);
  }
});

test('a word of any length goes in and comes back', async () => {
  for (const word of ['', 'a', 'exactly8', 'more than one cell', 'Grüße, 世界 🙂']) {
    const input = await encrypt(alice, word, 'keepWord');
    await mined(notebook.connect(alice).keepWord(input, { gasLimit }));
    const kept = await notebook.wordOf(alice.address);
    assert.equal(await alice.decryptValue({ value: [...kept.value] }), word);
  }
});

test('the contract computes on what it kept', async () => {
  await keepNumber(alice, 21n);
  const receipt = await mined(notebook.connect(alice).double({ gasLimit }));
  assert.equal(await alice.decryptValue(events(notebook, receipt, 'NumberKept')[0].args.number), 42n);

  await keepNumber(bob, 41n);
  const compared = await mined(notebook.connect(alice).compare(bob.address, { gasLimit }));
  assert.equal(events(notebook, compared, 'Compared')[0].args.larger, true);
});

test('an overflow that the library checks for reverts', async () => {
  await keepNumber(alice, 2n ** 63n);
  await failed(notebook.connect(alice).double({ gasLimit }));
});

test('an input text is refused for another sender, function, contract, signature or ciphertext', async () => {
  const good = await encrypt(alice, 7n, 'keepNumber');
  const flipped = getBytesCopy(good.signature);
  flipped[10] ^= 1;
  const other = await deploy(compile('Notebook'), devWallet(provider));

  await failed(notebook.connect(bob).keepNumber(good, { gasLimit }));
  await failed(other.connect(alice).keepNumber(good, { gasLimit }));
  await failed(notebook.connect(alice).keepNumber(await encrypt(alice, 7n, 'keepWord'), { gasLimit }));
  await failed(notebook.connect(alice).keepNumber({ ...good, signature: flipped }, { gasLimit }));
  await failed(notebook.connect(alice).keepNumber({ ...good, signature: new Uint8Array(65) }, { gasLimit }));
  await failed(notebook.connect(alice).keepNumber({ ...good, signature: getBytes(good.signature).slice(0, 64) }, { gasLimit }));
  await failed(notebook.connect(alice).keepNumber({ ...good, signature: '0x' }, { gasLimit }));
  await failed(notebook.connect(alice).keepNumber({ ...good, ciphertext: good.ciphertext ^ 1n }, { gasLimit }));
  await mined(notebook.connect(alice).keepNumber(good, { gasLimit }));
});

test('a browser signer (EIP-191 signatures) on-boards, encrypts and decrypts with the same key', async () => {
  const browser = new BrowserProvider(eip1193(alice.privateKey));
  const signer = await browser.getSigner(alice.address);
  await signer.generateOrRecoverAes();
  assert.equal(signer.getUserOnboardInfo().aesKey, alice.getUserOnboardInfo().aesKey);

  const asAlice = new Contract(notebook.target, notebook.interface, signer);
  const number = await signer.encryptValue(77n, notebook.target, asAlice.getFunction('keepNumber').fragment.selector);
  await mined(asAlice.keepNumber(number, { gasLimit }));
  assert.equal(await signer.decryptValue(await asAlice.numberOf(alice.address)), 77n);

  const word = await signer.encryptValue('planted! in a browser', notebook.target, asAlice.getFunction('keepWord').fragment.selector);
  await mined(asAlice.keepWord(word, { gasLimit }));
  const kept = await asAlice.wordOf(alice.address);
  assert.equal(await signer.decryptValue({ value: [...kept.value] }), 'planted! in a browser');
  browser.destroy();
});

test('a contract of ours reveals every input width that the wallet can encrypt', async () => {
  const operations = await deploy(artifact('Operations'), alice);
  const { selector } = operations.getFunction('validate').fragment;
  for (const [type, value] of [['0x00', 1n], ['0x01', 255n], ['0x02', 65535n], ['0x03', 2n ** 32n - 1n], ['0x04', 2n ** 64n - 1n], ['0x05', 2n ** 64n - 1n]]) {
    const { ciphertext, signature } = await alice.encryptValue(value, operations.target, selector);
    const receipt = await mined(operations.validate(type, ciphertext, signature, { gasLimit }));
    assert.equal(events(operations, receipt, 'Value')[0].args.clear, value);
  }
});

test('a value wider than its type keeps its low bits', async () => {
  const operations = await deploy(artifact('Operations'), alice);
  const { selector } = operations.getFunction('validate').fragment;
  const { ciphertext, signature } = await alice.encryptValue(0x1234n, operations.target, selector);
  const receipt = await mined(operations.validate('0x01', ciphertext, signature, { gasLimit }));
  assert.equal(events(operations, receipt, 'Value')[0].args.clear, 0x34n);
});

async function keepNumber(wallet, number) {
  await mined(notebook.connect(wallet).keepNumber(await encrypt(wallet, number, 'keepNumber'), { gasLimit }));
}

function encrypt(wallet, value, functionName) {
  return wallet.encryptValue(value, notebook.target, notebook.getFunction(functionName).fragment.selector);
}

/** What a browser's wallet offers a page: it signs for one account and passes everything else on. */
function eip1193(privateKey) {
  const inner = new JsonRpcProvider(rpcUrl, chainId, { pollingInterval: 25, cacheTimeout: -1, batchMaxCount: 1 });
  const wallet = new Wallet(privateKey, inner);
  const own = {
    eth_accounts: () => [wallet.address.toLowerCase()],
    eth_requestAccounts: () => [wallet.address.toLowerCase()],
    personal_sign: ([message]) => wallet.signMessage(getBytes(message)),
    eth_sendTransaction: async ([{ from, gas, ...transaction }]) => (await wallet.sendTransaction({ ...transaction, gasLimit: gas })).hash,
  };
  return { request: ({ method, params }) => (own[method] ? own[method](params) : inner.send(method, params ?? [])) };
}
