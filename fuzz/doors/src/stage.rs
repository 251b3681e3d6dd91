//! A chain of a few blocks with contracts on it, from which the doors of whole chains start.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alloy_primitives::U256;
use cloister_chain::Parent;
use cloister_chain::cosmos::from_bech32;
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{Call, Execute};
use cloister_chain::{Address, B256, Bytes, Genesis, Leaf, Outcome, Tx};
use cloister_consensus::Solo;
use cloister_keys::{Roots, Seed};
use cloister_ledger::{Checkpoint, Ledger};
use cloister_state::{Supplied, Supply, SupplyError, Wanted};
use cloister_wasm::Version;
use ed25519_zebra::SigningKey;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::{Fee, TxBody};
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgInstantiateContract, MsgInstantiateContractResponse, MsgStoreCode,
};
use sha2::{Digest as _, Sha256};

use crate::machine::transaction;
use crate::seeds::messages::any;
use crate::signer::{Mode, Place, account, sign};
use crate::{cells, guest};

/// Where an Ethereum contract lives.
pub(crate) const ETHEREUM: Address = Address::repeat_byte(0xc0);
/// Users of the Cosmos door; the account number of user `n` is `n - 1`.
pub(crate) const USERS: u8 = 3;
pub(crate) const SEED: [u8; 32] = [9; 32];

/// Made once.
pub(crate) static STAGE: LazyLock<Stage> = LazyLock::new(Stage::set);

/// What a host has of the chain.
pub(crate) struct Stage {
    pub(crate) genesis: Genesis,
    /// The outcome of the genesis.
    pub(crate) first: Outcome,
    pub(crate) blocks: Vec<(Execute, Outcome)>,
    pub(crate) host: Host,
    pub(crate) contracts: Vec<Contract>,
    checkpoint: Checkpoint,
}

/// A CosmWasm contract on the stage.
pub(crate) struct Contract {
    pub(crate) address: Address,
    pub(crate) code_id: u64,
    pub(crate) code_hash: B256,
}

/// Leaves and blobs.
#[derive(Clone, Default)]
pub(crate) struct Host {
    pub(crate) leaves: BTreeMap<Leaf, Vec<u8>>,
    blobs: BTreeMap<B256, Bytes>,
}

impl Stage {
    fn set() -> Self {
        let mut genesis = Genesis::for_tests();
        let rich =
            GenesisAccount { address: cells::account().address(), balance: U256::MAX >> 1, ..Default::default() };
        // Returns one byte of its memory.
        let code = vec![0x60, 0x01, 0x60, 0x00, 0xf3].into();
        genesis.accounts = (1..=USERS)
            .map(|user| GenesisAccount { address: account(user), coins: 1_000_000_000, ..Default::default() })
            .collect();
        genesis.accounts.extend([rich, GenesisAccount { address: ETHEREUM, code, ..Default::default() }]);
        let (mut ledger, first) = Ledger::genesis(&genesis, roots()).expect("a good genesis");
        let mut host = Host::default();
        host.keep(&first);
        let mut parent = Parent::genesis(&genesis, &first);
        let mut blocks = Vec::new();
        for txs in [vec![ethereum(&genesis)], store(), instantiate()] {
            let (next, outcome) = run(&genesis, &parent, &mut ledger, &mut host, txs);
            parent = parent.then(next.block.header.clone(), next.certificate.clone(), &outcome);
            blocks.push((next, outcome));
        }
        let made = &blocks[2].1.receipts[0].cosmos.as_ref().expect("a Cosmos transaction").data;
        let made = TxMsgData::decode(made.as_ref()).expect("responses").msg_responses;
        let contracts = made.iter().zip(codes()).zip(1..).map(|((response, code), code_id)| {
            let response = MsgInstantiateContractResponse::decode(response.value.as_slice()).expect("a response");
            let address = from_bech32(&response.address).expect("an address");
            Contract { address, code_id, code_hash: B256::from_slice(&Sha256::digest(code)) }
        });
        let contracts: Vec<_> = contracts.collect();
        assert_eq!(contracts.len(), codes().len());
        Self { genesis, first, blocks, host, contracts, checkpoint: ledger.checkpoint().clone() }
    }

    /// A ledger at the last block.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut loading = Ledger::resume(&self.genesis, roots(), self.checkpoint.clone()).expect("its own checkpoint");
        loading.load(self.host.leaves.iter().map(|(leaf, value)| (*leaf, value.clone())).collect());
        loading.finish().expect("its own leaves")
    }

    /// The next block.
    pub(crate) fn propose(&self, txs: Vec<Bytes>) -> Execute {
        let (last, outcome) = self.blocks.last().expect("the stage has blocks");
        let (header, certificate) = (last.block.header.clone(), Some(last.certificate.clone()));
        let parent = Parent::new(header, certificate, self.genesis.validators.clone(), outcome);
        propose(&self.genesis, &parent, txs)
    }

    pub(crate) fn height(&self) -> u64 {
        self.blocks.len() as u64
    }
}

impl Host {
    pub(crate) fn keep(&mut self, outcome: &Outcome) {
        for (leaf, value) in &outcome.writes {
            match value {
                Some(value) => drop(self.leaves.insert(*leaf, value.clone())),
                None => drop(self.leaves.remove(leaf)),
            }
        }
        self.blobs.extend(outcome.blobs.iter().cloned());
    }
}

impl Supply for Host {
    fn supply(&mut self, _: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        // Its chain has one epoch.
        let Wanted { leaves, positions, blobs } = wanted;
        Ok(Supplied {
            sealed: vec![None; positions.len()],
            leaves: leaves.iter().map(|leaf| self.leaves.get(leaf).cloned()).collect(),
            blobs: blobs.iter().map(|hash| self.blobs.get(hash).cloned()).collect(),
        })
    }
}

fn roots() -> Roots {
    Roots::found("test-1", Seed::from_bytes(SEED))
}

/// A transaction of user number `user`, with enough gas to store small code.
pub(crate) fn cosmos(user: u8, sequence: u64, gas_limit: u64, messages: Vec<Any>) -> Bytes {
    let place = Place { number: u64::from(user) - 1, sequence };
    let amount = vec![Coin { denom: "uscrt".into(), amount: "7".into() }];
    let body = TxBody { messages, ..TxBody::default() };
    let raw = sign(user, Mode::Direct, "test-1", place, Fee { amount, gas_limit, ..Fee::default() }, &body);
    [&[2], raw.as_slice()].concat().into()
}

fn run(
    genesis: &Genesis,
    parent: &Parent,
    ledger: &mut Ledger,
    host: &mut Host,
    txs: Vec<Bytes>,
) -> (Execute, Outcome) {
    let next = propose(genesis, parent, txs);
    let outcome = ledger.execute(&next, host).expect("a good block");
    for receipt in &outcome.receipts {
        assert_eq!(receipt.status, cloister_chain::Status::Success, "{:?}", receipt.cosmos);
    }
    host.keep(&outcome);
    (next, outcome)
}

fn propose(genesis: &Genesis, parent: &Parent, txs: Vec<Bytes>) -> Execute {
    let time = genesis.time + 1_000_000_000 * (parent.header.height + 1);
    let (block, certificate) = Solo::new(SigningKey::from([7; 32])).propose(parent, txs, time);
    Execute { block, certificate }
}

fn ethereum(genesis: &Genesis) -> Bytes {
    let call = Call { to: Some(ETHEREUM), gas: Some(100_000), ..Call::default() };
    Tx::Eth(transaction(genesis.evm_chain_id, &call)).to_bytes()
}

fn store() -> Vec<Bytes> {
    let message = |code: Vec<u8>| {
        let sender = account(1).to_vec();
        any(COMPUTE, "MsgStoreCode", &MsgStoreCode { sender, wasm_byte_code: code, ..Default::default() })
    };
    vec![cosmos(1, 0, 5_000_000, codes().into_iter().map(message).collect())]
}

fn instantiate() -> Vec<Bytes> {
    let messages = STARTS.iter().zip(1..).map(|(init, code_id)| {
        let value = MsgInstantiateContract {
            sender: account(1).to_vec(),
            code_id,
            label: format!("contract {code_id}"),
            init_msg: init.as_bytes().to_vec(),
            init_funds: vec![Coin { denom: "uscrt".into(), amount: "1000".into() }],
            admin: cloister_chain::cosmos::bech32(&account(1)),
            ..Default::default()
        };
        any(COMPUTE, "MsgInstantiateContract", &value)
    });
    vec![cosmos(1, 1, 5_000_000, messages.collect())]
}

fn codes() -> [Vec<u8>; 4] {
    let (v1, v010) = (Version::V1, Version::V010);
    [guest::echo(v1), guest::echo(v010), guest::machine(v1), guest::machine(v010)]
}

pub(crate) const COMPUTE: &str = "secret.compute.v1beta1";
/// With what each of the codes begins: a result, or a program of nothing.
const STARTS: [&str; 4] = [r#"{"Ok":{}}"#, r#"{"Ok":{"messages":[],"log":[]}}"#, "-", "-"];
