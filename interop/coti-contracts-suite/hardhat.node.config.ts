// Points the package's own hardhat configuration at a node: nothing of the package itself is changed.
//
// Copied beside the package's hardhat.config.ts by run.mjs, which names it with `--config`.

import { subtask } from "hardhat/config"
import { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } from "hardhat/builtin-tasks/task-names"
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

// ethers answers a repeated question from memory for 250 ms, longer than a block takes here: the nonce of the transaction
// before would come back. (`cacheTimeout: -1` does the same where a program makes its provider itself.)
JsonRpcProvider.prototype.getTransactionCount = async function (account, tag = "latest") {
  return Number(await this.send("eth_getTransactionCount", [await this._getAddress(account), tag]))
}

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
