// Points the package's own hardhat configuration at a node: nothing of the package itself is changed.
//
// Copied beside the package's hardhat.config.ts by run.mjs, which names it with `--config`.

import { extendProvider, subtask } from "hardhat/config"
import { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } from "hardhat/builtin-tasks/task-names"
import { ProviderWrapper } from "hardhat/plugins"
import type { RequestArguments } from "hardhat/types"
import { CotiNetwork } from "@coti-io/coti-ethers"
import { JsonRpcProvider } from "ethers"
import solc from "solc-0.8.19"

import config from "./hardhat.config"

const url = process.env.CLOISTER_RPC
const pollingIntervalMs = 25

// The SDK's networks are an enum, a plain object at run time.
Object.assign(CotiNetwork, { Testnet: url })
for (const network of Object.values(config.networks!)) Object.assign(network!, { url })

// ethers asks for news every four seconds by default; the suite waits for some 250 transactions.
const subscriberOf = JsonRpcProvider.prototype._getSubscriber
JsonRpcProvider.prototype._getSubscriber = function (subscription) {
  const subscriber = subscriberOf.call(this, subscription)
  if ("pollingInterval" in subscriber) subscriber.pollingInterval = pollingIntervalMs
  return subscriber
}

// ethers answers a repeated question from memory for 250 ms, longer than blocks take here: the nonce of the transaction before
// would come back, and "no receipt yet" although both blocks that a network makes of a transaction are there, and then nothing
// happens until its idle block. (`cacheTimeout: -1` does the same where a program makes its provider itself.)
JsonRpcProvider.prototype.getTransactionCount = async function (account, tag = "latest") {
  return Number(await this.send("eth_getTransactionCount", [await this._getAddress(account), tag]))
}
JsonRpcProvider.prototype.getTransactionReceipt = async function (hash) {
  const receipt = await this.send("eth_getTransactionReceipt", [hash])
  return receipt && this._wrapTransactionReceipt(receipt, this._network)
}

// Two tests say `expect(tx).to.be.reverted` of a transaction that they have just sent, which asks for its receipt once, and do
// not wait for the answer: only a chain that has made the block before it answers the sender can pass, and the failure is
// some other test's. One validator is quick enough, several are not: whoever asks for a receipt waits for it.
class Patient extends ProviderWrapper {
  async request(args: RequestArguments) {
    for (let waited = 0; args.method === "eth_getTransactionReceipt" && waited < 10_000; waited += pollingIntervalMs) {
      const receipt = await this._wrappedProvider.request(args)
      if (receipt !== null) return receipt
      await new Promise((resolve) => setTimeout(resolve, pollingIntervalMs))
    }
    return this._wrappedProvider.request(args)
  }
}
extendProvider(async (provider) => new Patient(provider))

// Hardhat would download a native compiler.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async ({ solcVersion }: { solcVersion: string }) => ({
  compilerPath: require.resolve("solc-0.8.19/soljson.js"),
  isSolcJs: true,
  version: solcVersion,
  longVersion: solc.version().replace(/\.Emscripten.*$/, ""),
}))

// A transaction that never confirms must fail its test, not hang the run.
config.mocha = { ...config.mocha, timeout: 120_000, reporter: "json", reporterOptions: { output: "result.json" } }

export default config
