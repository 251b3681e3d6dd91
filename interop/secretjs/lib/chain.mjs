// The node under test and what every suite does with it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { MsgExecuteContractResponse, MsgInstantiateContractResponse, SecretNetworkClient, Wallet } from 'secretjs';

export const restUrl = process.env.CLOISTER_REST ?? 'http://127.0.0.1:1317';
export const faucetUrl = process.env.CLOISTER_FAUCET ?? 'http://127.0.0.1:5000';
export const chainId = 'secretdev-1';
const validators = Number(process.env.CLOISTER_VALIDATORS ?? 1);

/** LocalSecret's accounts. */
export const known = {
  a: {
    address: 'secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03',
    mnemonic: 'grant rice replace explain federal release fix clever romance raise often wild taxi quarter soccer fiber love must tape steak together observe swap guitar',
  },
  b: {
    address: 'secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne',
    mnemonic: 'jelly shadow frog dirt dragon use armed praise universe win jungle close inmate rain oil canvas beauty pioneer chef soccer icon dizzy thunder meadow',
  },
  c: {
    address: 'secret1ajz54hz8azwuy34qwy9fkjnfcrvf0dzswy0lqq',
    mnemonic: 'chair love bleak wonder skirt permit say assist aunt credit roast size obtain minute throw sand usual age smart exact enough room shadow charge',
  },
  d: {
    address: 'secret1ldjxljw7v4vk6zhyduywh04hpj0jdwxsmrlatf',
    mnemonic: 'word twist toast cloth movie predict advance crumble escape whale sail such angry muffin balcony keen move employ cook valve hurt glimpse breeze brick',
  },
};

/** How often to look for a transaction: a block comes as soon as there is one. */
const broadcastCheckIntervalMs = 20;

/** Options of a transaction. Nobody can estimate what a confidential call costs: everybody sends a limit. */
export function gas(gasLimit = 400_000, more = {}) {
  return { gasLimit, broadcastCheckIntervalMs, ...more };
}

/** A client that only asks. */
export function reader(options = {}) {
  return new SecretNetworkClient({ url: restUrl, chainId, ...options });
}

/** A client that signs with `wallet`. */
export function client(wallet, options = {}) {
  return new SecretNetworkClient({ url: restUrl, chainId, wallet, walletAddress: wallet.address, ...options });
}

/** A client of one of the accounts that a new chain funds. */
export function knownClient(name, options) {
  return client(new Wallet(known[name].mnemonic), options);
}

/** Clients of the accounts that own the validators: the first of LocalSecret's, as many as there are validators. */
export function owners() {
  return Object.keys(known).slice(0, validators).map((name) => knownClient(name));
}

/** A client of a new account with money from the faucet: suites do not share sequences. */
export async function freshClient(options, wallet = new Wallet()) {
  await fund(wallet.address);
  return client(wallet, options);
}

/** A thousand coins from the faucet, arrived. */
export async function fund(address) {
  const before = await balance(address);
  const { status, body } = await get(`/faucet?address=${address}`, faucetUrl);
  assert.equal(status, 200, JSON.stringify(body));
  await until(async () => (await balance(address)) > before);
}

export async function balance(address, denom = 'uscrt', headers = undefined) {
  const answer = await reader().query.bank.balance({ address, denom }, headers);
  assert.equal(answer.balance.denom, denom);
  return BigInt(answer.balance.amount);
}

/** An artefact of contracts/cosmwasm, as committed. */
export function wasm(name) {
  return new Uint8Array(readFileSync(new URL(`../../../contracts/cosmwasm/artifacts/${name}.wasm`, import.meta.url)));
}

/** The transaction's response, which must be a success. */
export async function done(sending) {
  const response = await sending;
  assert.equal(response.code, 0, `${response.rawLog} ${JSON.stringify(response.jsonLog)}`);
  assert.equal(response.rawLog, '');
  return response;
}

/** The response of a transaction that must be in a block and have failed. */
export async function failed(sending) {
  const response = await sending;
  assert.notEqual(response.code, 0, 'the transaction should have failed');
  assert.ok(response.height > 0);
  assert.deepEqual(response.arrayLog, []);
  assert.equal(response.data.length, 0);
  return response;
}

/**
 * Uploads an artefact and says how contracts are made of it. It is compressed here: secretjs does that while it signs,
 * and with an amino wallet it signs one form and sends the other.
 */
export async function upload(secretjs, name) {
  const tx = await done(store(secretjs, gzipSync(wasm(name))));
  const codeId = attribute(tx, 'message', 'code_id');
  const { code_hash: codeHash } = await secretjs.query.compute.codeHashByCodeId({ code_id: codeId });
  return { codeId, codeHash };
}

/** Sends code. */
export function store(secretjs, bytes, more = {}) {
  const message = { sender: secretjs.address, wasm_byte_code: new Uint8Array(bytes), source: '', builder: '', ...more };
  return secretjs.tx.compute.storeCode(message, gas(5_000_000));
}

/** A contract of an uploaded code. */
export async function instantiate(secretjs, code, message, more = {}) {
  const tx = await done(secretjs.tx.compute.instantiateContract(
    {
      sender: secretjs.address,
      code_id: code.codeId,
      code_hash: code.codeHash,
      label: label(),
      init_msg: message,
      init_funds: [],
      ...more,
    },
    gas(),
  ));
  return { ...code, tx, address: attribute(tx, 'message', 'contract_address') };
}

/** Uploads and instantiates. */
export async function deploy(secretjs, name, message, more) {
  return instantiate(secretjs, await upload(secretjs, name), message, more);
}

/** What `executeContract` takes. */
export function call(secretjs, contract, message, sent_funds = []) {
  return {
    sender: secretjs.address,
    contract_address: contract.address,
    code_hash: contract.codeHash,
    msg: message,
    sent_funds,
  };
}

/** Sends one message to a contract. */
export function execute(secretjs, contract, message, { funds = [], gasLimit, ...more } = {}) {
  return secretjs.tx.compute.executeContract(call(secretjs, contract, message, funds), gas(gasLimit, more));
}

export function query(secretjs, contract, question) {
  return secretjs.query.compute.queryContract({
    contract_address: contract.address,
    code_hash: contract.codeHash,
    query: question,
  });
}

export function coins(amount, denom = 'uscrt') {
  return [{ denom, amount: amount.toString() }];
}

/** Unique. */
export function label() {
  return `interop ${randomBytes(12).toString('hex')}`;
}

/** The first value of an attribute. */
export function attribute(tx, type, key) {
  const found = tx.arrayLog.find((entry) => entry.type === type && entry.key === key);
  assert.ok(found, `no ${type}.${key} in ${JSON.stringify(tx.arrayLog)}`);
  return found.value;
}

/** The whole log as `[type, key, value]`. */
export function log(tx, message = 0) {
  return tx.arrayLog.filter((entry) => entry.msg === message).map(({ type, key, value }) => [type, key, value]);
}

/** What a contract returned when it was made, as JSON; null if nothing. */
export function instantiateData(tx, message = 0) {
  return json(MsgInstantiateContractResponse.decode(tx.data[message]).data);
}

/** What a call returned, as JSON; null if nothing. */
export function executeData(tx, message = 0) {
  return json(MsgExecuteContractResponse.decode(tx.data[message]).data);
}

export function base64(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.from(text).toString('base64');
}

function json(bytes) {
  return bytes.length === 0 ? null : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

/** What an HTTP request is answered, as raw as it gets. */
export async function get(path, url = restUrl, options = {}) {
  const response = await fetch(url + path, options);
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = text;
  }
  return { status: response.status, headers: response.headers, body };
}

/** The same for POST; `body` is sent as it is, or as JSON. */
export function post(path, body, headers = { 'content-type': 'text/plain;charset=UTF-8' }) {
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  return get(path, restUrl, { method: 'POST', body: sent, headers });
}

/** Everything that the chain tells of a transaction to whoever asks. */
export async function seen({ transactionHash }) {
  return JSON.stringify((await get(`/cosmos/tx/v1beta1/txs/${transactionHash}?`)).body);
}

/** Fails if `condition` does not come true. */
export async function until(condition) {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`did not come true: ${condition}`);
}

export async function height() {
  const { block } = await reader().query.tendermint.getLatestBlock({});
  return Number(block.header.height);
}

/** The reason of a rejection, as text: secretjs throws answers of the node as they are. */
export async function rejection(sending) {
  try {
    await sending;
  } catch (error) {
    return error.message ?? String(error);
  }
  return assert.fail('should have been refused');
}
