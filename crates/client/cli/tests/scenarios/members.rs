//! Who comes and goes while the chain runs.

use std::fs;

use cloister_chain::cosmos::DENOM;
use cloister_chain::staking::{key_address, valoper};
use cloister_sdk::cosmos::bech32;
use cloister_sdk::light::{Anchor, Source};
use cloister_sdk::{Address, B256};
use prost::Message;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::ed25519::PubKey;
use secret_sdk_proto::cosmos::staking::v1beta1::{CommissionRates, Description, MsgCreateValidator, MsgUndelegate};

use super::network::{Joined, Network, Plan};
use super::process::{cloister, result};
use super::reach::{wait, wallet};
use super::traffic::Traffic;

#[test]
fn a_fifth_joins_under_load_bonds_proposes_and_leaves() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).followers(1).make();
    network.start(0..4);
    let traffic = Traffic::at(network.nodes[..4].iter().map(|node| &node.reach));
    traffic.confirms(8);
    network.start([4]);
    network.reach(4).reaches(network.height(&[0]));
    let (key, operator) = (network.nodes[4].validator, wallet(OPERATOR).cosmos_address());

    network.transact(4, "MsgCreateValidator", bond(operator, key));
    wait("the fifth signs", || network.validators(0).find(&key).is_some_and(|member| member.power == 10));
    wait("the fifth proposes", || network.proposed(4));
    // It is needed now: without it and one more, two thirds are not there.
    network.kill([0]);
    traffic.confirms(4);
    network.start([0]);

    network.transact(4, "MsgUndelegate", unbond(operator));
    wait("the fifth signs no more", || network.validators(0).find(&key).is_none());
    network.promise(traffic.end());
    network.grows(&[0, 1, 2, 3, 4], 3);
    network.compare();
}

#[test]
fn a_node_that_comes_late_begins_with_a_state_of_the_others_and_goes_on_from_there() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).followers(1).make();
    (0..4).for_each(|node| network.set(node, "state", "snapshots", EVERY));
    network.start(0..4);
    (0..4).for_each(|node| network.pay(node));
    let before = network.height(&[0]);
    network.reach(0).reaches(before + 2 * u64::from(EVERY));
    network.join(4);
    let joined = network.nodes[4].joined.as_ref().unwrap();
    let began = joined.anchor.height;
    assert!(
        began >= before && began.is_multiple_of(EVERY.into()),
        "it did not execute all blocks: it began at {began}"
    );
    network.pay(4);
    network.pay(0);
    // What it makes of its state is what the others make of theirs.
    network.grows(&[0, 1, 2, 3, 4], 3);
    network.compare();
}

#[test]
fn a_strangers_machine_gets_the_seed_of_a_running_network_through_registration_alone() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).followers(1).make();
    (0..4).for_each(|node| network.set(node, "state", "snapshots", EVERY));
    network.start(0..4);
    (0..4).for_each(|node| network.pay(node));
    network.reach(0).reaches(u64::from(EVERY) + 1);

    // What the fifth had when the network was made is gone: a new machine, with nothing but addresses.
    let (home, first) = (network.nodes[4].home.clone(), network.nodes[0].home.join("genesis.json"));
    for file in ["chain.redb", "genesis.json", "node.key", "operator.key", "sealing.key", "validator.key"] {
        fs::remove_file(home.join(file)).unwrap();
    }
    let (home, first) = (home.to_str().unwrap(), first.to_str().unwrap());
    let key = network.nodes[4].home.join("owner.key");
    fs::write(&key, wallet(OPERATOR).to_hex().as_str()).unwrap();
    let key = key.to_str().unwrap();
    let node = network.nodes[1].reach.cosmos.clone();
    let joined = result(&["join", "--json", "--home", home, "--genesis", first, "--node", &node, "--key", key]);
    assert_eq!((&joined["event"], &joined["simulated"]), (&"joined".into(), &true.into()));
    network.promise(vec![joined["transaction"].as_str().unwrap().parse().unwrap()]);

    // The chain knows it, and whose it is.
    let nodes = network.reach(0).get("/cloister/trust/v1/nodes")["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), 6, "five of the genesis, and it");
    assert_eq!(
        (&nodes[5]["owner"], &nodes[5]["registered_height"]),
        (&joined["owner"], &joined["height"].to_string().into())
    );
    let boot_key = nodes[5]["boot_key"].as_str().unwrap();
    let share = network.reach(2).get(&format!("/registration/v1beta1/encrypted-seed/{boot_key}"));
    assert!(share["encrypted_seed"].as_str().is_some_and(|share| share.len() > 100));

    // It computes what the others compute, so it has what they have.
    network.join(4);
    network.pay(4);
    network.grows(&[0, 1, 2, 3, 4], 3);

    // Its owner renews it, and nobody else does.
    network.stop(4);
    let thief = network.nodes[0].home.join("operator.key");
    let refused = cloister().args(["join", "--home", home, "--node", &node, "--key"]).arg(thief).output().unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("the chip belongs to the node of another account"), "{said}");
    result(&["join", "--json", "--home", home, "--node", &node, "--key", key]);
    network.start([4]);
    network.grows(&[0, 1, 2, 3, 4], 2);
    network.compare();
}

impl Network {
    /// Starts a node that has no state, and finds out which block it began with.
    fn join(&mut self, node: usize) {
        self.start([node]);
        self.reach(node).reaches(self.height(&[0]));
        let promised = self.promised.len();
        self.stop(node);
        let stored = result(&["db", "verify", "--json", "--home", self.nodes[node].home.to_str().unwrap()]);
        let height = stored["from"].as_u64().unwrap();
        let told = self.reach(0).talk(async |node| node.light().headers(height, 1).await).unwrap();
        let anchor = Anchor { height, hash: told.headers[0].0.hash() };
        self.nodes[node].joined = Some(Joined { anchor, promised });
        self.start([node]);
    }

    /// Sends a message of staking through a node, by the operator of the new validator.
    fn transact(&mut self, node: usize, name: &str, value: Vec<u8>) {
        let message = Any { type_url: format!("/cosmos.staking.v1beta1.{name}"), value };
        let included =
            self.reach(node).talk(async |node| node.cosmos_account(OPERATOR).transact(vec![message], GAS).await);
        let included = included.unwrap_or_else(|error| panic!("{name}: {error}"));
        self.promise(vec![included.hash]);
    }

    /// Whether one of the last blocks is a node's.
    fn proposed(&self, node: usize) -> bool {
        let (proposer, height) = (key_address(&self.nodes[node].validator), self.height(&[0]));
        let told = self.reach(0).talk(async |node| node.light().headers(height.saturating_sub(9), 10).await).unwrap();
        told.headers.iter().any(|(header, _)| header.proposer == proposer)
    }
}

fn bond(operator: Address, key: B256) -> Vec<u8> {
    let percent = |percent: u64| (u128::from(percent) * 10_u128.pow(16)).to_string();
    let pubkey = PubKey { key: key.to_vec() };
    let message = MsgCreateValidator {
        description: Some(Description { moniker: "the fifth".into(), ..Description::default() }),
        commission: Some(CommissionRates { rate: percent(5), max_rate: percent(10), max_change_rate: percent(1) }),
        min_self_delegation: "1".into(),
        validator_address: valoper(&operator),
        pubkey: Some(Any { type_url: "/cosmos.crypto.ed25519.PubKey".into(), value: pubkey.encode_to_vec() }),
        value: Some(bonded()),
        ..MsgCreateValidator::default()
    };
    message.encode_to_vec()
}

fn unbond(operator: Address) -> Vec<u8> {
    let message = MsgUndelegate {
        delegator_address: bech32(&operator),
        validator_address: valoper(&operator),
        amount: Some(bonded()),
    };
    message.encode_to_vec()
}

/// Worth ten units of power.
fn bonded() -> Coin {
    Coin { denom: DENOM.into(), amount: "10000000".into() }
}

/// Blocks from one snapshot to the next.
const EVERY: u32 = 10;
/// The account of hardhat's that the fifth validator belongs to.
const OPERATOR: u32 = 9;
const GAS: u64 = 400_000;
