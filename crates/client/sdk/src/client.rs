use core::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{Block, BlockNumberOrTag, Filter, Log, Transaction, TransactionReceipt};
use jsonrpsee_core::client::ClientT;
use jsonrpsee_core::rpc_params;
use jsonrpsee_core::traits::ToRpcParams;
use jsonrpsee_http_client::HttpClient;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::Error;

/// How long [`Client::confirm`] waits.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest pause between two looks for a receipt; the first ones are far shorter.
const POLL: Duration = Duration::from_millis(200);

/// A connection to the Ethereum JSON-RPC door of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    rpc: HttpClient,
    chain_id: u64,
}

impl Client {
    /// Connects to `url`, for example `http://127.0.0.1:8545`, and asks for the chain id.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let rpc = HttpClient::builder().build(url).map_err(|_| Error::Url(url.into()))?;
        let chain_id: U64 = rpc.request("eth_chainId", rpc_params![]).await?;
        Ok(Self { rpc, chain_id: chain_id.to() })
    }

    /// The chain id of EIP-155, as it was when this client connected.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Any method of the node, for what has no function here.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl ToRpcParams + Send,
    ) -> Result<T, Error> {
        Ok(self.rpc.request(method, params).await?)
    }

    /// Height of the newest block.
    pub async fn height(&self) -> Result<u64, Error> {
        Ok(self.request::<U64>("eth_blockNumber", rpc_params![]).await?.to())
    }

    /// A block with the hashes of its transactions; `None` if the chain is not that high.
    pub async fn block(&self, at: BlockNumberOrTag) -> Result<Option<Block>, Error> {
        self.request("eth_getBlockByNumber", rpc_params![at, false]).await
    }

    /// Balance in wei.
    pub async fn balance(&self, address: Address) -> Result<U256, Error> {
        self.request("eth_getBalance", rpc_params![address, "latest"]).await
    }

    /// The sequence number of the account's next transaction, those that wait in the mempool counted.
    pub async fn nonce(&self, address: Address) -> Result<u64, Error> {
        Ok(self.request::<U64>("eth_getTransactionCount", rpc_params![address, "pending"]).await?.to())
    }

    /// One word of a contract's public storage.
    pub async fn storage(&self, contract: Address, slot: U256) -> Result<B256, Error> {
        self.request("eth_getStorageAt", rpc_params![contract, slot, "latest"]).await
    }

    /// Fees that stay good while the base fee doubles.
    pub async fn fees(&self) -> Result<Fees, Error> {
        let price: U256 = self.request("eth_gasPrice", rpc_params![]).await?;
        let tip: U256 = self.request("eth_maxPriorityFeePerGas", rpc_params![]).await?;
        Ok(Fees { max: price.saturating_mul(U256::from(2)).saturating_to(), tip: tip.saturating_to() })
    }

    /// Runs a view function. The node refuses confidential operations here: `from` proves nothing.
    pub async fn call(&self, from: Address, to: Address, data: Bytes) -> Result<Bytes, Error> {
        self.request("eth_call", rpc_params![json!({ "from": from, "to": to, "data": data }), "latest"]).await
    }

    /// The gas limit that the node suggests. Confidential values are not evaluated: branches on them may cost more.
    pub async fn estimate(&self, from: Address, to: Option<Address>, value: U256, data: Bytes) -> Result<u64, Error> {
        let call = json!({ "from": from, "to": to, "value": value, "data": data });
        Ok(self.request::<U64>("eth_estimateGas", rpc_params![call]).await?.to())
    }

    /// Hands over a signed transaction and gives its hash, without waiting for a block.
    pub async fn send_raw(&self, raw: &Bytes) -> Result<B256, Error> {
        self.request("eth_sendRawTransaction", rpc_params![raw]).await
    }

    /// The receipt of a transaction; `None` while it stands in no block.
    pub async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, Error> {
        self.request("eth_getTransactionReceipt", rpc_params![hash]).await
    }

    /// Waits for the receipt of a transaction, whatever its status.
    pub async fn confirm(&self, hash: B256) -> Result<TransactionReceipt, Error> {
        let (start, mut pause) = (Instant::now(), Duration::from_millis(1));
        loop {
            if let Some(receipt) = self.receipt(hash).await? {
                return Ok(receipt);
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::Unconfirmed(hash));
            }
            sleep(pause).await;
            pause = POLL.min(pause * 2);
        }
    }

    /// The transaction at a place in a block: what everybody can read there.
    pub async fn transaction_at(&self, block: B256, index: u64) -> Result<Option<Transaction>, Error> {
        self.request("eth_getTransactionByBlockHashAndIndex", rpc_params![block, U64::from(index)]).await
    }

    /// Events that match.
    pub async fn logs(&self, filter: &Filter) -> Result<Vec<Log>, Error> {
        self.request("eth_getLogs", rpc_params![filter]).await
    }
}

/// What a sender offers for gas (EIP-1559), in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// At most this, base fee and tip together.
    pub max: u128,
    /// At most this for the proposer.
    pub tip: u128,
}

impl Fees {
    /// Writes these fees into a transaction.
    pub const fn apply(self, mut tx: TxEip1559) -> TxEip1559 {
        tx.max_fee_per_gas = self.max;
        tx.max_priority_fee_per_gas = if self.tip < self.max { self.tip } else { self.max };
        tx
    }
}
