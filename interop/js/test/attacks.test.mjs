// What a hostile contract or user may try against somebody else's secret, and what must come of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Contract, Interface, toBeHex, zeroPadValue } from 'ethers';
import { Wallet as CotiWallet } from '@coti-io/coti-ethers';
import { artifact, connect, deploy, events, failed, freshWallet, gasLimit, mined, rpc, disconnect } from '../lib/chain.mjs';

const precompile = new Interface([
  'function SetPublic(bytes1,uint256)',
  'function Decrypt(bytes1,uint256)',
  'function DeleteUserKey(bytes)',
]);
const setPublic = precompile.encodeFunctionData('SetPublic', ['0x04', 7n]);

let provider;
let vault;
let attacker;

before(async () => {
  provider = connect();
  const signer = await freshWallet(provider);
  vault = await deploy(artifact('Vault'), signer);
  attacker = await deploy(artifact('Attacker'), signer);
  await mined(vault.put(1234n, { gasLimit }));
});

after(() => disconnect(provider));

const revealed = (contract, receipt) => events(contract, receipt, 'Revealed').map(({ args }) => args.value);

test('a vault reveals its own secret, also from a slot it copied it to', async () => {
  assert.deepEqual(revealed(vault, await mined(vault.reveal({ gasLimit }))), [1234n]);
  await mined(vault.copyOwn({ gasLimit }));
  assert.deepEqual(revealed(vault, await mined(vault.revealCopy({ gasLimit }))), [1234n]);
});

test('a copied ciphertext can be stored but not loaded', async () => {
  await mined(attacker.steal(vault, { gasLimit }));
  assert.equal(await provider.getStorage(attacker, 0), await provider.getStorage(vault, 0));
  await failed(attacker.revealFirstSlot({ gasLimit }));
});

test('nor in the same transaction, nor as an argument, nor while the owner has it open', async () => {
  await failed(attacker.stealAndReveal(vault, { gasLimit }));
  await failed(attacker.loadArgument(await vault.ciphertext(), { gasLimit }));
  await failed(vault.visit(attacker, { gasLimit }));
});

test('a ciphertext of its own, planted again from outside, does not load', async () => {
  await mined(attacker.put(5n, { gasLimit }));
  const old = await provider.getStorage(attacker, 0);
  await mined(attacker.put(6n, { gasLimit }));
  await mined(attacker.plant(old, { gasLimit }));
  await failed(attacker.revealFirstSlot({ gasLimit }));
});

test('an empty slot does not load', async () => {
  const fresh = await deploy(artifact('Attacker'), await freshWallet(provider));
  await failed(fresh.revealFirstSlot({ gasLimit }));
});

test('a handle dies with its transaction', async () => {
  const receipt = await mined(attacker.keepHandle(99n, { gasLimit }));
  const [{ args }] = events(attacker, receipt, 'Handle');
  assert.ok(args.handle > 1n << 64n, `handle ${args.handle} looks guessable`);
  await failed(attacker.useKeptHandle({ gasLimit }));
  await failed(attacker.useHandle(args.handle, { gasLimit }));
});

test('equal values get different handles', async () => {
  const handles = [];
  for (let i = 0; i < 3; i++) handles.push(events(attacker, await mined(attacker.keepHandle(1n, { gasLimit })), 'Handle')[0].args.handle);
  assert.equal(new Set(handles).size, 3);
});

test('guessing handles finds nothing', async () => {
  for (const handle of [0n, 1n, 2n, 0x64n, 2n ** 256n - 1n]) await failed(attacker.useHandle(handle, { gasLimit }));
  await mined(attacker.guessNeighbours(1n, { gasLimit }));
});

test('a handle of another width is refused', async () => {
  await failed(attacker.useWrongWidth({ gasLimit }));
});

test("a user's ciphertext is not the network's", async () => {
  await failed(attacker.loadUserCiphertext(3n, { gasLimit }));
});

test('a secret that is handed over may be used', async () => {
  assert.deepEqual(revealed(attacker, await mined(vault.lend(attacker, { gasLimit }))), [1234n]);
});

test('what one frame may load, a frame below it may not', async () => {
  assert.deepEqual(revealed(attacker, await mined(attacker.reenter(8n, { gasLimit }))), [8n]);
});

test('secrets travel through nested calls', async () => {
  assert.deepEqual(revealed(attacker, await mined(attacker.startRecursion(10n, 6n, { gasLimit }))), [16n]);
});

test('a reverted call leaves the slot as it was, still loadable', async () => {
  await mined(attacker.put(55n, { gasLimit }));
  assert.deepEqual(revealed(attacker, await mined(attacker.sealInRevertedCall(66n, { gasLimit }))), [55n]);
});

test('code run by delegatecall acts for the contract that called it', async () => {
  const receipt = await mined(vault.revealByDelegate(attacker, { gasLimit }));
  assert.deepEqual(revealed(new Contract(vault.target, attacker.interface), receipt), [1234n]);
});

test('the precompile answers by every kind of call', async () => {
  for (const kind of ['callPrecompile', 'staticcallPrecompile', 'delegatecallPrecompile', 'callcodePrecompile']) {
    const receipt = await mined(attacker[kind](setPublic, { gasLimit }));
    const [{ args }] = events(attacker, receipt, 'Returned');
    assert.equal(args.ok, true, kind);
    assert.ok(BigInt(args.data) > 1n << 64n, `${kind} returned ${args.data}`);
  }
});

test('nonsense is refused without data, and takes nothing else down', async () => {
  const nonsense = ['0x', '0x00', '0xdeadbeef', setPublic.slice(0, -2), `${setPublic}00`, `0x${'ff'.repeat(4096)}`, precompile.encodeFunctionData('DeleteUserKey', ['0x1234'])];
  for (const data of nonsense) {
    const [{ args }] = events(attacker, await mined(attacker.callPrecompile(data, { gasLimit })), 'Returned');
    assert.equal(args.ok, false, data);
    assert.equal(args.data, '0x', data);
  }
});

test('offsets that point nowhere are refused', async () => {
  const { selector } = new Interface(['function GetUserKey(bytes)']).getFunction('GetUserKey');
  for (const offset of [0n, 1n, 2n ** 63n, 2n ** 255n, 2n ** 256n - 1n]) {
    for (const length of [0n, 359n, 2n ** 32n, 2n ** 256n - 1n]) {
      const data = `${selector}${toBeHex(offset, 32).slice(2)}${toBeHex(length, 32).slice(2)}${'00'.repeat(384)}`;
      const [{ args }] = events(attacker, await mined(attacker.callPrecompile(data, { gasLimit })), 'Returned');
      assert.equal(args.ok, false, `offset ${offset}, length ${length}`);
    }
  }
});

test('eth_call computes nothing: a view cannot be made to tell', async () => {
  for (const [contract, data] of [
    [vault, vault.interface.encodeFunctionData('reveal')],
    [attacker, attacker.interface.encodeFunctionData('startRecursion', [1n, 0n])],
  ]) {
    const { result, error } = await rpc('eth_call', [{ to: contract.target, data, from: vault.runner.address }, 'latest']);
    assert.equal(result, undefined);
    assert.match(error.message, /execution reverted/);
    assert.ok(error.data === undefined || error.data === '0x');
  }
});

test('gas estimation answers the same whatever the secret is', async () => {
  const estimates = new Set();
  for (const secret of [0n, 1n, 2n ** 64n - 1n]) {
    await mined(vault.put(secret, { gasLimit }));
    estimates.add(await vault.reveal.estimateGas());
  }
  assert.equal(estimates.size, 1);
  await mined(vault.put(1234n, { gasLimit }));
});

test('estimation does not look at signatures, nor at where a ciphertext is from', async () => {
  const operations = await deploy(artifact('Operations'), await freshWallet(provider));
  assert.ok((await operations.validate.estimateGas('0x04', 1n, '0x')) > 21000n);
  assert.ok((await attacker.loadArgument.estimateGas(1n)) > 21000n);
});

test('behind a proxy an input text is signed for the proxy', async () => {
  const wallet = new CotiWallet((await freshWallet(provider)).privateKey, provider);
  await wallet.generateOrRecoverAes();
  const operations = await deploy(artifact('Operations'), wallet);
  const proxy = await deploy(artifact('Proxy'), wallet, operations);
  const behind = new Contract(proxy.target, operations.interface, wallet);
  const { selector } = operations.getFunction('validate').fragment;

  const forProxy = await wallet.encryptValue(9n, proxy.target, selector);
  const receipt = await mined(behind.validate('0x04', forProxy.ciphertext, forProxy.signature, { gasLimit }));
  assert.equal(events(behind, receipt, 'Value')[0].args.clear, 9n);

  const forCode = await wallet.encryptValue(9n, operations.target, selector);
  await failed(behind.validate('0x04', forCode.ciphertext, forCode.signature, { gasLimit }));
});
