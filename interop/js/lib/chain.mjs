// The node under test and what every suite does with it.

import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { ContractFactory, HDNodeWallet, JsonRpcProvider, Wallet, parseEther } from 'ethers';

export const rpcUrl = process.env.CLOISTER_RPC ?? 'http://127.0.0.1:8545';
export const wsUrl = rpcUrl.replace(/^http/, 'ws');
export const chainId = 7082400n;
/** The reason why a test is left out where the chain has several validators; false where it has one. */
export const onlyAlone = (reason) => Number(process.env.CLOISTER_VALIDATORS ?? 1) > 1 && `several validators: ${reason}`;

/** Estimation cannot see what a confidential call costs: COTI's clients send a fixed limit, and so do we. */
export const gasLimit = 12_000_000n;

const mnemonic = 'test test test test test test test test test test test junk';

/** A provider that asks often and caches nothing: a block comes as soon as there is a transaction. */
export function connect() {
  return new JsonRpcProvider(rpcUrl, undefined, { pollingInterval: 25, cacheTimeout: -1 });
}

/** Ends a provider when the answers on their way to it have come: nobody catches what ethers throws for the others. */
export async function disconnect(provider) {
  provider.pause();
  await new Promise((resolve) => setTimeout(resolve, 500));
  provider.destroy();
}

/** One of hardhat's ten accounts, which a dev node funds. */
export function devWallet(provider, index = 0) {
  const { privateKey } = HDNodeWallet.fromPhrase(mnemonic, undefined, `m/44'/60'/0'/0/${index}`);
  return new Wallet(privateKey, provider);
}

/** A new account with money. */
export async function freshWallet(provider, coins = '100') {
  const wallet = new Wallet(Wallet.createRandom().privateKey, provider);
  const payment = await devWallet(provider).sendTransaction({ to: wallet.address, value: parseEther(coins) });
  await payment.wait();
  return wallet;
}

/** A contract of contracts/solidity, as committed. */
export function artifact(name) {
  return JSON.parse(readFileSync(new URL(`../../../contracts/solidity/artifacts/${name}.json`, import.meta.url)));
}

export async function deploy({ abi, bytecode }, signer, ...args) {
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args, { gasLimit });
  return contract.waitForDeployment();
}

/** The receipt of a transaction that must succeed. */
export async function mined(sending) {
  const receipt = await (await sending).wait();
  assert.equal(receipt.status, 1);
  return receipt;
}

/** The receipt of a transaction that must be included and fail: status 0, no logs. */
export async function failed(sending) {
  const transaction = await sending;
  const receipt = await transaction.wait().catch((error) => error.receipt ?? Promise.reject(error));
  assert.equal(receipt.status, 0, `transaction ${transaction.hash} should have failed`);
  assert.equal(receipt.logs.length, 0);
  return receipt;
}

/** The decoded events called `name` that `contract` emitted. */
export function events(contract, receipt, name) {
  return receipt.logs
    .filter((log) => log.address.toLowerCase() === contract.target.toLowerCase())
    .map((log) => contract.interface.parseLog(log))
    .filter((event) => event?.name === name);
}

/** One JSON-RPC request over HTTP, as raw as it gets. */
export async function rpc(method, params = []) {
  const response = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  return JSON.parse(response.body);
}

/** The result of a request that must not fail. */
export async function ask(method, params = []) {
  const { result, error } = await rpc(method, params);
  assert.equal(error, undefined, `${method}: ${JSON.stringify(error)}`);
  return result;
}

/** Any body, as it is. */
export async function post(body, headers = { 'content-type': 'application/json' }) {
  const response = await fetch(rpcUrl, { method: 'POST', headers, body });
  return { status: response.status, body: await response.text() };
}
