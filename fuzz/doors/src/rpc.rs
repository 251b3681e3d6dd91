//! Parameters of JSON-RPC requests, through the real server over loopback, in front of a small real chain.

use std::sync::{Arc, LazyLock};

use alloy_primitives::{Address, U256};
use cloister_api::{Backend, Unavailable, eth};
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{Answer, Call, Execute, QueryAt};
use cloister_chain::{B256, Genesis, Header, Tx};
use cloister_consensus::{Admission, Limits, Mempool, Parent, Solo, SubmitError};
use cloister_keys::Seed;
use cloister_ledger::{Ledger, Snapshots};
use cloister_state::NoSupply;
use cloister_store::Store;
use ed25519_zebra::SigningKey;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::core::traits::ToRpcParams;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use serde_json::value::RawValue;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, watch};

use crate::cells::account;
use crate::machine::transaction;

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
    let node = Arc::new(Node::start());
    let address = "127.0.0.1:0".parse().expect("an address");
    let server = runtime.block_on(eth::serve(node, address)).expect("a free port");
    let url = format!("http://{}", server.address());
    let client = HttpClientBuilder::default().max_response_size(u32::MAX).build(url).expect("an address");
    Door { runtime, client, _server: server }
});

/// A chain of two blocks; nothing makes more.
struct Node {
    genesis: Genesis,
    store: Store,
    pool: Mempool,
    heads: watch::Sender<u64>,
    arrivals: broadcast::Sender<B256>,
    snapshots: Arc<Snapshots>,
}

impl Node {
    fn start() -> Self {
        let mut genesis = Genesis::for_tests();
        let rich = GenesisAccount { address: account().address(), balance: U256::MAX >> 1, ..Default::default() };
        // Returns one byte of its memory.
        let code = vec![0x60, 0x01, 0x60, 0x00, 0xf3].into();
        let contract = GenesisAccount { address: Address::repeat_byte(0xc0), code, ..Default::default() };
        genesis.accounts = vec![rich, contract];
        let (mut ledger, outcome) = Ledger::genesis(&genesis, &Seed::from_bytes([9; 32])).expect("a good genesis");
        let store = Store::create(None, &genesis).expect("memory");
        store.commit_genesis(&outcome).expect("memory");
        let parent = Parent::new(Header::genesis(&genesis), None, &outcome);
        let call = Call { to: Some(Address::repeat_byte(0xc0)), gas: Some(100_000), ..Call::default() };
        let tx = Tx::Eth(transaction(genesis.evm_chain_id, &call)).to_bytes();
        let (block, certificate) = Solo::new(SigningKey::from([7; 32])).propose(&parent, vec![tx], genesis.time + 1);
        let next = Execute { block, certificate };
        let outcome = ledger.execute(&next, &mut NoSupply).expect("a good block");
        store.commit(&next.block, &next.certificate, &outcome).expect("memory");
        Self {
            pool: Mempool::new(&genesis.chain_id, Limits { block_gas: genesis.evm_gas, ..Limits::default() }, 1),
            heads: watch::Sender::new(1),
            arrivals: broadcast::Sender::new(64),
            snapshots: ledger.snapshots(),
            genesis,
            store,
        }
    }
}

impl Backend for Node {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn heads(&self) -> watch::Receiver<u64> {
        self.heads.subscribe()
    }

    fn mempool(&self) -> &Mempool {
        &self.pool
    }

    fn submit(&self, tx: Tx) -> Result<B256, SubmitError> {
        let account = self.store.reader().and_then(|reader| reader.account(&tx.sender(), 1)).expect("memory");
        let hash = self
            .pool
            .add(&tx, &Admission { signers: vec![account.into()], height: 1, base_fee: self.genesis.base_fee })?;
        let _ = self.arrivals.send(hash);
        Ok(hash)
    }

    fn arrivals(&self) -> broadcast::Receiver<B256> {
        self.arrivals.subscribe()
    }

    async fn query(&self, question: QueryAt) -> Result<Answer, Unavailable> {
        Ok(self.snapshots.query(&question, &mut NoSupply))
    }

    fn peers(&self) -> usize {
        0
    }

    fn syncing(&self) -> Option<u64> {
        None
    }
}
