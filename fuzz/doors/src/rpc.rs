//! Parameters of JSON-RPC requests, through the real server over loopback, in front of a small real chain.

use std::sync::LazyLock;

use cloister_api::eth;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::core::traits::ToRpcParams;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;

use crate::node::Node;

/// What the first byte of the data chooses from.
pub(crate) const METHODS: [&str; 41] = [
    "cloister_chain",
    "cloister_getProof",
    "eth_accounts",
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getCode",
    "eth_getFilterChanges",
    "eth_getFilterLogs",
    "eth_getLogs",
    "eth_getRawTransactionByHash",
    "eth_getStorageAt",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_getUncleByBlockHashAndIndex",
    "eth_getUncleByBlockNumberAndIndex",
    "eth_maxPriorityFeePerGas",
    "eth_newBlockFilter",
    "eth_newFilter",
    "eth_newPendingTransactionFilter",
    "eth_sendRawTransaction",
    "eth_sendTransaction",
    "eth_syncing",
    "eth_uninstallFilter",
    "net_version",
    "txpool_content",
    "txpool_status",
    "web3_sha3",
    "no_such_method",
];

/// The bytes are the number of a method and its parameters in JSON.
pub(crate) fn json_rpc(data: &[u8]) {
    let Some((method, params)) = data.split_first() else { return };
    let Some(params) = std::str::from_utf8(params).ok().and_then(|text| RawValue::from_string(text.into()).ok()) else {
        return;
    };
    let method = METHODS[usize::from(*method) % METHODS.len()];
    let door = &*DOOR;
    let answer = door.runtime.block_on(door.client.request::<Box<RawValue>, _>(method, Params(params)));
    match answer {
        // An answer, or an error in the door's own dialect. -32603 is what a panic or a broken store would give.
        Ok(_) => {}
        Err(ClientError::Call(error)) => assert_ne!(error.code(), -32603, "{method}: {error}"),
        Err(other) => panic!("{method}: the door broke: {other}"),
    }
}

struct Params(Box<RawValue>);

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(Some(self.0))
    }
}

struct Door {
    runtime: Runtime,
    client: HttpClient,
    /// Open as long as this lives.
    _server: eth::ServerHandle,
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("threads");
    let address = "127.0.0.1:0".parse().expect("an address");
    let server = runtime.block_on(eth::serve(Node::start(), address)).expect("a free port");
    let url = format!("http://{}", server.address());
    let client = HttpClientBuilder::default().max_response_size(u32::MAX).build(url).expect("an address");
    Door { runtime, client, _server: server }
});
