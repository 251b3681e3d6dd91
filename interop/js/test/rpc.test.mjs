// Ethereum JSON-RPC as ethers uses it: blocks, accounts, transactions of every type, receipts, logs, filters, fees.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Contract, Transaction, Wallet, WebSocketProvider, getCreateAddress, keccak256, toQuantity } from 'ethers';
import WebSocket from 'ws';
import { artifact, ask, chainId, connect, deploy, devWallet, freshWallet, gasLimit, mined, post, rpc, wsUrl, disconnect, onlyAlone } from '../lib/chain.mjs';

const oneCoin = 10n ** 18n;

let provider;
let sender;

before(async () => {
  provider = connect();
  sender = await freshWallet(provider);
});

after(() => disconnect(provider));

test('the node says who it is', async () => {
  assert.equal(BigInt(await ask('eth_chainId')), chainId);
  assert.equal(await ask('net_version'), chainId.toString());
  assert.match(await ask('web3_clientVersion'), /cloister/i);
  assert.ok(Array.isArray(await ask('eth_accounts')));
  assert.match(await ask('eth_blockNumber'), /^0x(0|[1-9a-f][0-9a-f]*)$/);
  assert.ok([false].includes(await ask('eth_syncing')));
  assert.equal(await ask('net_listening'), true);
});

test("hardhat's ten accounts have money", async () => {
  for (let i = 0; i < 10; i++) {
    assert.ok((await provider.getBalance(devWallet(provider, i).address)) >= oneCoin, `account ${i}`);
  }
});

test('a block has every field that clients read', async () => {
  const { blockNumber } = await mined(sender.sendTransaction({ to: Wallet.createRandom().address, value: 1n }));
  const block = await ask('eth_getBlockByNumber', [toQuantity(blockNumber), false]);
  for (const field of ['hash', 'parentHash', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'sha3Uncles', 'mixHash']) {
    assert.match(block[field], /^0x[0-9a-f]{64}$/, field);
  }
  for (const field of ['number', 'timestamp', 'gasLimit', 'gasUsed', 'baseFeePerGas', 'difficulty', 'size']) {
    assert.match(block[field], /^0x(0|[1-9a-f][0-9a-f]*)$/, field);
  }
  assert.match(block.nonce, /^0x[0-9a-f]{16}$/);
  assert.match(block.miner, /^0x[0-9a-f]{40}$/i);
  assert.match(block.logsBloom, /^0x[0-9a-f]{512}$/);
  assert.match(block.extraData, /^0x([0-9a-f]{2})*$/);
  assert.deepEqual(block.uncles, []);
  assert.equal(block.transactions.length, 1);
  assert.deepEqual(await ask('eth_getBlockByHash', [block.hash, false]), block);
  const parent = await ask('eth_getBlockByNumber', [toQuantity(blockNumber - 1), false]);
  assert.equal(parent.hash, block.parentHash);
  assert.ok(BigInt(parent.timestamp) <= BigInt(block.timestamp));
  const full = await ask('eth_getBlockByNumber', [toQuantity(blockNumber), true]);
  assert.equal(full.transactions[0].hash, block.transactions[0]);
});

test('block tags are understood, the unknown block is null', async () => {
  for (const tag of ['latest', 'safe', 'finalized', 'earliest', 'pending']) {
    assert.ok((await ask('eth_getBlockByNumber', [tag, false])) !== null, tag);
  }
  assert.equal(await ask('eth_getBlockByNumber', ['0xffffffff', false]), null);
  assert.equal(await ask('eth_getBlockByHash', [`0x${'11'.repeat(32)}`, false]), null);
  assert.equal(await ask('eth_getTransactionByHash', [`0x${'11'.repeat(32)}`]), null);
  assert.equal(await ask('eth_getTransactionReceipt', [`0x${'11'.repeat(32)}`]), null);
});

test('a plain transfer to a new address estimates to exactly 21000 and uses it', async () => {
  const to = Wallet.createRandom().address;
  const gasPrice = await ask('eth_gasPrice');
  const request = { from: sender.address, to, value: '0x5', gasPrice, gas: toQuantity(21000), nonce: toQuantity(await sender.getNonce()) };
  assert.equal(await ask('eth_estimateGas', [request]), '0x5208');
  assert.equal(await ask('eth_estimateGas', [{ from: sender.address, to, value: '0x5' }, 'latest']), '0x5208');
  const receipt = await mined(sender.sendTransaction({ to, value: 5n, gasLimit: 21000n }));
  assert.equal(receipt.gasUsed, 21000n);
  assert.equal(await provider.getBalance(to), 5n);
});

test('legacy, legacy without EIP-155, 2930 and 1559 transactions are accepted', async () => {
  const to = Wallet.createRandom().address;
  const gasPrice = BigInt(await ask('eth_gasPrice')) * 2n;
  const kinds = [
    { type: 0, chainId, gasPrice },
    { type: 0, chainId: 0n, gasPrice },
    { type: 1, chainId, gasPrice, accessList: [{ address: to, storageKeys: [`0x${'00'.repeat(32)}`] }] },
    { type: 2, chainId, maxFeePerGas: gasPrice, maxPriorityFeePerGas: 1n },
  ];
  for (const kind of kinds) {
    const raw = await signed({ to, value: 3n, gasLimit: 30000n, ...kind });
    const hash = await ask('eth_sendRawTransaction', [raw]);
    assert.equal(hash, keccak256(raw));
    const receipt = await provider.waitForTransaction(hash);
    assert.equal(receipt.status, 1);
    assert.equal(receipt.type, kind.type);
    const transaction = await ask('eth_getTransactionByHash', [hash]);
    for (const field of ['r', 's', 'v', 'input', 'blockHash', 'blockNumber', 'transactionIndex', 'gas', 'gasPrice', 'nonce', 'value']) {
      assert.match(transaction[field], /^0x/, field);
    }
    assert.equal(BigInt(transaction.type), BigInt(kind.type));
    assert.equal(transaction.from.toLowerCase(), sender.address.toLowerCase());
    assert.deepEqual(await ask('eth_getTransactionByBlockHashAndIndex', [transaction.blockHash, transaction.transactionIndex]), transaction);
    assert.deepEqual(await ask('eth_getTransactionByBlockNumberAndIndex', [transaction.blockNumber, transaction.transactionIndex]), transaction);
  }
  assert.equal(await provider.getBalance(to), 12n);
});

test('money is exact: sender pays value and fee, nobody else', async () => {
  const to = Wallet.createRandom().address;
  const before = await provider.getBalance(sender.address);
  const { gasUsed, gasPrice } = await mined(sender.sendTransaction({ to, value: oneCoin }));
  assert.equal(before - (await provider.getBalance(sender.address)), oneCoin + gasUsed * gasPrice);
});

test('a contract is created, read, written, and its state is there at every height', async () => {
  const nonce = await sender.getNonce();
  const contract = await deploy(artifact('DataOnChain'), sender);
  const created = await contract.deploymentTransaction().wait();
  assert.equal(created.contractAddress, getCreateAddress({ from: sender.address, nonce }));
  assert.equal(await contract.getSomeValue(), 5n);
  assert.equal(BigInt(await provider.getStorage(contract, 0)), 5n);
  assert.ok((await provider.getCode(contract)).length > 1000);
  assert.equal(await sender.getNonce(), nonce + 1);

  const receipt = await mined(contract.setNetworkSomeEncryptedValue(77n, { gasLimit }));
  assert.equal(await contract.getNetworkSomeEncryptedValue(), 77n);
  assert.equal(await contract.getNetworkSomeEncryptedValue({ blockTag: receipt.blockNumber - 1 }), 0n);
  assert.equal(BigInt(await provider.getStorage(contract, 3, receipt.blockNumber - 1)), 0n);
  assert.equal(await provider.getCode(contract, created.blockNumber - 1), '0x');
});

test('the predeployed contracts are where clients look for them', async () => {
  for (const address of [
    '0x536A67f0cc46513E7d27a370ed1aF9FDcC7A5095',
    '0x24D6c44eaB7aA09A085dDB8cD25c28FFc9917EC9',
    '0x60eA13A5f263f77f7a2832cfEeF1729B1688477c',
    '0x413370ed41FB9EE3aea0B1B91FD336cC0be1Bad6',
    '0xe1dA9B857E1196D0BeDBE46960586cBc3F909C17',
    '0x0eEb07792150D9B79F1bcE02Cd66f1329C2d2aD6',
    '0x4e59b44847b379578588920cA78FbF26c0B4956C',
    '0x0000000000000000000000000000000000000064',
  ]) {
    assert.notEqual(await provider.getCode(address), '0x', address);
  }
  for (const address of ['0x074695f49d9c788c056FbBc697669EE6F23AE796', '0xbC39Df62e41F69300a413d4F3a262737A1109FC3']) {
    const contract = new Contract(address, artifact('DataOnChain').abi, provider);
    assert.equal(await contract.getSomeValue(), 5n);
    assert.notEqual(await contract.getNetworkSomeEncryptedValue(), 0n);
  }
});

test('the deterministic deployment proxy deploys by CREATE2', async () => {
  const salt = keccak256(sender.address);
  const { bytecode, deployedBytecode } = artifact('Vault');
  const transaction = { to: '0x4e59b44847b379578588920cA78FbF26c0B4956C', data: salt + bytecode.slice(2), gasLimit };
  const address = await provider.call({ ...transaction, from: sender.address });
  await mined(sender.sendTransaction(transaction));
  assert.equal(await provider.getCode(address), deployedBytecode);
});

test('a receipt has every field, and says what happened', async () => {
  const contract = await deploy(artifact('PrivateToken'), sender, 'Receipts', 'R');
  const { hash } = await mined(contract.mint([sender.address], 1n, { gasLimit }));
  const receipt = await ask('eth_getTransactionReceipt', [hash]);
  assert.equal(receipt.status, '0x1');
  assert.equal(receipt.contractAddress, null);
  assert.equal(receipt.to.toLowerCase(), contract.target.toLowerCase());
  assert.equal(receipt.from.toLowerCase(), sender.address.toLowerCase());
  for (const field of ['gasUsed', 'cumulativeGasUsed', 'effectiveGasPrice', 'type', 'transactionIndex', 'blockNumber']) {
    assert.match(receipt[field], /^0x(0|[1-9a-f][0-9a-f]*)$/, field);
  }
  assert.match(receipt.logsBloom, /^0x[0-9a-f]{512}$/);
  assert.notEqual(BigInt(receipt.logsBloom), 0n);
  const [log] = receipt.logs;
  assert.equal(log.removed, false);
  for (const field of ['address', 'topics', 'data', 'logIndex', 'blockNumber', 'blockHash', 'transactionHash', 'transactionIndex']) {
    assert.ok(log[field] !== undefined, field);
  }
});

test('logs are found by address, topic and range', async () => {
  const contract = await deploy(artifact('PrivateToken'), sender, 'Logs', 'L');
  const receipt = await mined(contract.mint([sender.address, contract.target], 1n, { gasLimit }));
  const { topicHash } = contract.interface.getEvent('Transfer');
  const at = { fromBlock: receipt.blockNumber, toBlock: receipt.blockNumber };
  assert.equal((await provider.getLogs({ address: contract, ...at })).length, 2);
  assert.equal((await provider.getLogs({ address: contract, topics: [topicHash], ...at })).length, 2);
  assert.equal((await contract.queryFilter(contract.filters.Transfer(null, sender.address))).length, 1);
  assert.equal((await provider.getLogs({ topics: [[topicHash, `0x${'22'.repeat(32)}`]], ...at })).length, 2);
  assert.equal((await provider.getLogs({ topics: [`0x${'22'.repeat(32)}`], ...at })).length, 0);
  assert.equal((await provider.getLogs({ address: contract, blockHash: receipt.blockHash })).length, 2);
});

test('filters remember what was asked', { skip: onlyAlone('a filter lives in the node that made it') }, async () => {
  const contract = await deploy(artifact('PrivateToken'), sender, 'Filters', 'F');
  const blocks = await ask('eth_newBlockFilter');
  const logs = await ask('eth_newFilter', [{ address: contract.target }]);
  const receipt = await mined(contract.mint([sender.address], 1n, { gasLimit }));
  assert.ok((await ask('eth_getFilterChanges', [blocks])).includes(receipt.blockHash));
  assert.equal((await ask('eth_getFilterChanges', [logs])).length, 1);
  assert.equal((await ask('eth_getFilterChanges', [logs])).length, 0);
  assert.equal((await ask('eth_getFilterLogs', [logs])).length, 1);
  assert.equal(await ask('eth_uninstallFilter', [logs]), true);
  assert.equal(await ask('eth_uninstallFilter', [logs]), false);
  assert.match((await rpc('eth_getFilterChanges', [logs])).error.message, /filter not found/);
  await ask('eth_uninstallFilter', [blocks]);
});

test('fees: price, tip and history', async () => {
  assert.ok(BigInt(await ask('eth_gasPrice')) >= 5_000_000n);
  assert.match(await ask('eth_maxPriorityFeePerGas'), /^0x/);
  const history = await ask('eth_feeHistory', ['0x4', 'latest', [25, 50, 75]]);
  const blocks = history.gasUsedRatio.length;
  assert.ok(blocks >= 1 && blocks <= 4);
  assert.equal(history.baseFeePerGas.length, blocks + 1);
  assert.equal(history.reward.length, blocks);
  assert.ok(history.reward.every((row) => row.length === 3));
  assert.match(history.oldestBlock, /^0x/);
});

test('a batch is answered as a batch, errors included', async () => {
  const batch = [
    { jsonrpc: '2.0', id: 'a', method: 'eth_chainId', params: [] },
    { jsonrpc: '2.0', id: 2, method: 'eth_noSuchThing', params: [] },
    { jsonrpc: '2.0', id: 3, method: 'eth_getBalance', params: [sender.address, 'latest'] },
  ];
  const { body } = await post(JSON.stringify(batch));
  const answers = new Map(JSON.parse(body).map((answer) => [answer.id, answer]));
  assert.equal(answers.size, 3);
  assert.equal(BigInt(answers.get('a').result), chainId);
  assert.equal(answers.get(2).error.code, -32601);
  assert.ok(BigInt(answers.get(3).result) > 0n);
  const hundred = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_blockNumber', params: [] }));
  assert.equal(JSON.parse((await post(JSON.stringify(hundred))).body).length, 100);
});

test('many transactions of one sender, sent at once, are all included in order', async () => {
  const to = Wallet.createRandom().address;
  const first = await sender.getNonce();
  const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => sender.sendTransaction({ to, value: 1n, nonce: first + i, gasLimit: 21000n })));
  await Promise.all(sent.map((transaction) => transaction.wait()));
  assert.equal(await provider.getBalance(to), 50n);
  assert.equal(await sender.getNonce(), first + 50);
});

test('over WebSocket, on the same port: requests and subscriptions', async () => {
  const socket = new WebSocketProvider(wsUrl);
  const contract = await deploy(artifact('PrivateToken'), sender, 'Sockets', 'S');
  assert.equal((await socket.getNetwork()).chainId, chainId);
  const heard = { heads: [], logs: [], pending: [] };
  await socket.on('block', (number) => heard.heads.push(number));
  await socket.on({ address: contract.target }, (log) => heard.logs.push(log));
  await socket.on('pending', (hash) => heard.pending.push(hash));
  await socket.send('eth_chainId', []);
  const receipt = await mined(contract.mint([sender.address], 1n, { gasLimit }));
  await until(() => heard.heads.includes(receipt.blockNumber) && heard.logs.length > 0 && heard.pending.includes(receipt.hash));
  assert.equal(heard.logs[0].transactionHash, receipt.hash);
  await socket.destroy();
});

test('a newHeads subscription sends heads until it is ended', async () => {
  const socket = new WebSocket(wsUrl);
  const received = [];
  socket.on('message', (data) => received.push(JSON.parse(data)));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const request = (id, method, params) => socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  const answer = async (id) => {
    await until(() => received.some((message) => message.id === id));
    return received.find((message) => message.id === id).result;
  };
  request(1, 'eth_subscribe', ['newHeads']);
  const subscription = await answer(1);
  const { blockNumber, blockHash } = await mined(sender.sendTransaction({ to: sender.address, value: 0n }));
  const heads = () => received.filter(({ method, params }) => method === 'eth_subscription' && params.subscription === subscription);
  await until(() => heads().some(({ params }) => params.result.hash === blockHash));
  assert.ok(heads().some(({ params }) => BigInt(params.result.number) === BigInt(blockNumber)));
  request(2, 'eth_unsubscribe', [subscription]);
  assert.equal(await answer(2), true);
  const count = heads().length;
  await mined(sender.sendTransaction({ to: sender.address, value: 0n }));
  request(3, 'eth_blockNumber', []);
  await answer(3);
  assert.equal(heads().length, count);
  socket.close();
});

test('revert data comes back as geth sends it', async () => {
  // Reverts with Error("no"), in any call.
  const payload = '08c379a0' + '20'.padStart(64, '0') + '2'.padStart(64, '0') + Buffer.from('no').toString('hex').padEnd(64, '0');
  const contract = await deployRaw(reverting(payload));
  const { error } = await rpc('eth_call', [{ to: contract, data: '0x' }, 'latest']);
  assert.equal(error.code, 3);
  assert.equal(error.message, 'execution reverted: no');
  assert.equal(error.data, `0x${payload}`);
  assert.equal((await rpc('eth_estimateGas', [{ to: contract, data: '0x' }])).error.code, 3);
  await assert.rejects(provider.call({ to: contract }), (thrown) => thrown.code === 'CALL_EXCEPTION' && thrown.reason === 'no');

  const silent = await deployRaw('60006000fd');
  const bare = (await rpc('eth_call', [{ to: silent }, 'latest'])).error;
  assert.match(bare.message, /^execution reverted/);
  assert.ok(bare.data === undefined || bare.data === '0x');
});

test('a custom error is decoded by its caller', async () => {
  const token = await deploy(artifact('PrivateToken'), sender, 'Errors', 'E');
  const stranger = token.connect(await freshWallet(provider, '1'));
  await assert.rejects(stranger.mint.staticCall([], 1n), (error) => error.revert?.name === 'NotMinter');
});

test('a transaction that reverts is included with status 0 and pays its gas', async () => {
  const silent = await deployRaw('60006000fd');
  const before = await provider.getBalance(sender.address);
  const transaction = await sender.sendTransaction({ to: silent, gasLimit: 100000n });
  await assert.rejects(transaction.wait(), (error) => error.code === 'CALL_EXCEPTION' && error.receipt.status === 0);
  assert.ok((await provider.getBalance(sender.address)) < before);
});

async function signed(fields) {
  const transaction = Transaction.from({ nonce: await sender.getNonce(), data: '0x', ...fields });
  transaction.signature = sender.signingKey.sign(transaction.unsignedHash);
  return transaction.serialized;
}

/** Code that reverts with the given bytes, which follow it. */
function reverting(payload) {
  const size = (payload.length / 2).toString(16).padStart(4, '0');
  return `61${size}600e60003961${size}6000fd${payload}`;
}

async function deployRaw(runtime) {
  const size = (runtime.length / 2).toString(16).padStart(4, '0');
  const init = `0x61${size}80600c6000396000f3${runtime}`;
  const receipt = await mined(sender.sendTransaction({ data: init, gasLimit: 1_000_000n }));
  assert.equal(await provider.getCode(receipt.contractAddress), `0x${runtime}`);
  return receipt.contractAddress;
}

async function until(condition, milliseconds = 10_000) {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`waited ${milliseconds} ms: ${condition}`);
}
