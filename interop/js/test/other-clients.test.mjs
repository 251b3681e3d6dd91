// The same node through viem and through hardhat's provider.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPublicClient, createWalletClient, defineChain, http, parseEther, webSocket } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { artifact, chainId, rpcUrl, wsUrl } from '../lib/chain.mjs';

const chain = defineChain({
  id: Number(chainId),
  name: 'cloister',
  nativeCurrency: { name: 'coin', symbol: 'COIN', decimals: 18 },
  rpcUrls: { default: { http: [rpcUrl], webSocket: [wsUrl] } },
});
const account = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: 5 });
const payee = '0x00000000000000000000000000000000000c0de5';
const { abi, bytecode } = artifact('DataOnChain');

const client = createPublicClient({ chain, transport: http(rpcUrl, { batch: true }), pollingInterval: 25 });
const wallet = createWalletClient({ account, chain, transport: http(rpcUrl) });

test('viem sends, waits and reads', async () => {
  assert.equal(await client.getChainId(), Number(chainId));
  const before = await client.getBalance({ address: payee });
  const hash = await wallet.sendTransaction({ to: payee, value: parseEther('0.01') });
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, 'success');
  assert.equal((await client.getBalance({ address: payee })) - before, parseEther('0.01'));
  assert.equal((await client.getTransaction({ hash })).hash, hash);
  assert.equal((await client.getBlock({ blockHash: receipt.blockHash, includeTransactions: true })).transactions[0].hash, hash);
  assert.ok((await client.estimateFeesPerGas()).maxFeePerGas > 0n);
});

test('viem deploys, writes and reads a confidential contract', async () => {
  const hash = await wallet.deployContract({ abi, bytecode, gas: 12_000_000n });
  const { contractAddress: address } = await client.waitForTransactionReceipt({ hash });
  assert.equal(await client.readContract({ abi, address, functionName: 'getSomeValue' }), 5n);
  const written = await wallet.writeContract({ abi, address, functionName: 'setSomeEncryptedValue', args: [7n], gas: 12_000_000n });
  assert.equal((await client.waitForTransactionReceipt({ hash: written })).status, 'success');
  assert.notEqual(await client.readContract({ abi, address, functionName: 'getNetworkSomeEncryptedValue' }), 0n);
});

test('viem watches blocks over WebSocket', async () => {
  const socket = createPublicClient({ chain, transport: webSocket(wsUrl, { reconnect: false }) });
  const seen = new Promise((resolve, reject) => {
    const stop = socket.watchBlockNumber({ onBlockNumber: (number) => (stop(), resolve(number)), onError: reject });
  });
  await socket.getChainId();
  // A subscription starts in the background: keep blocks coming until it has.
  const giving = setInterval(() => wallet.sendTransaction({ to: account.address, value: 0n }).catch(() => {}), 200);
  assert.ok((await seen) > 0n);
  clearInterval(giving);
  (await socket.transport.getRpcClient()).close();
});

test("hardhat's provider and its ethers plugin", async (t) => {
  const project = mkdtempSync(join(tmpdir(), 'cloister-hardhat-'));
  t.after(() => rmSync(project, { recursive: true }));
  const config = join(project, 'hardhat.config.cjs');
  const require = createRequire(import.meta.url);
  writeFileSync(
    config,
    `require(${JSON.stringify(require.resolve('@nomicfoundation/hardhat-ethers'))});
     module.exports = {
       solidity: '0.8.19',
       defaultNetwork: 'node',
       networks: { node: { url: ${JSON.stringify(rpcUrl)}, chainId: ${chainId}, gas: 12_000_000, accounts: { mnemonic: 'test test test test test test test test test test test junk', initialIndex: 6, count: 2 } } },
     };`,
  );
  process.env.HARDHAT_CONFIG = config;
  process.env.HARDHAT_DISABLE_TELEMETRY_PROMPT = 'true';
  const hre = require('hardhat');
  const [signer] = await hre.ethers.getSigners();
  assert.equal(BigInt(await hre.network.provider.send('eth_chainId')), chainId);
  const contract = await new hre.ethers.ContractFactory(abi, bytecode, signer).deploy();
  await contract.waitForDeployment();
  assert.equal(await contract.getSomeValue(), 5n);
  const receipt = await (await contract.setSomeEncryptedValue(7n)).wait();
  assert.equal(receipt.status, 1);
});
