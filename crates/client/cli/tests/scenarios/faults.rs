//! Nodes that are broken, or that somebody broke.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use cloister_chain::ValidatorSet;
use cloister_chain::staking::key_address;
use cloister_node::Home;
use cloister_sdk::light::Source;
use serde_json::json;

use super::chance::Chance;
use super::clock::Skew;
use super::deviant;
use super::flood::Flood;
use super::network::{Network, Node, Plan, free_ports};
use super::process::Process;
use super::reach::wait;
use super::traffic::Traffic;

#[test]
fn a_damaged_store_is_refused_and_one_with_only_the_seed_takes_all_blocks_from_the_others() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).make();
    let store = network.nodes[3].home.join("chain.redb");
    // What an operator keeps of a home as it was made: the sealed seed is in it, and nothing else has to be saved.
    let backup = network.directory("chain.redb.backup");
    fs::copy(&store, &backup).unwrap();
    network.start(0..4);
    (0..4).for_each(|node| network.pay(node));
    network.stop(3);
    assert!(network.is_sound(3));
    damage(&store);
    assert!(!network.is_sound(3), "`db verify` finds the damage");
    network.spawn(3);
    let ended = network.ends(3);
    // A refusal, not an accident.
    assert_eq!(ended.code(), Some(1));
    let log = network.log(3);
    let refused = ["damaged", "corrupted", "another chain"].iter().any(|word| log.contains(word));
    assert!(refused, "{log}");
    network.pay(0);

    // It no longer knows at which heights it signed. Until it is past them it follows, without its key and what it signed.
    let (home, aside) = (network.nodes[3].home.clone(), network.directory("aside"));
    fs::create_dir(&aside).unwrap();
    for name in ["validator.key", "votes.log"] {
        fs::rename(home.join(name), aside.join(name)).unwrap();
    }
    fs::copy(&backup, &store).unwrap();
    network.start([3]);
    network.reach(3).reaches(network.height(&[0]));
    network.stop(3);
    for name in ["validator.key", "votes.log"] {
        fs::rename(aside.join(name), home.join(name)).unwrap();
    }
    network.start([3]);
    // It is needed now.
    network.kill([0]);
    network.pay(3);
    network.start([0]);
    network.compare();
}

#[test]
fn whoever_signs_with_one_key_in_two_places_is_found_out_and_punished() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).start();
    network.pay(3);
    network.stop(3);
    let twin = network.twin(3);
    network.start([3, twin]);
    wait("the one with two voices is punished", || {
        let infos = network.reach(0).get("/cosmos/slashing/v1beta1/signing_infos");
        infos["info"].as_array().unwrap().iter().any(|info| info["tombstoned"] == true)
    });
    let validators = network.reach(0).get("/cosmos/staking/v1beta1/validators");
    let validators = validators["validators"].as_array().unwrap();
    let jailed: Vec<_> = validators.iter().filter(|validator| validator["jailed"] == true).collect();
    assert_eq!(jailed.len(), 1, "{validators:?}");
    assert_eq!(jailed[0]["description"]["moniker"], json!("node3"));
    let left: u128 = jailed[0]["tokens"].as_str().unwrap().parse().unwrap();
    assert!(left < BOND, "some of its bond is burnt: {left} are left");
    let culprit = network.nodes[3].validator;
    wait("it signs no more", || {
        let set = network.validators(0);
        set.find(&culprit).is_none() && set.iter().count() == 3
    });
    // Both may have stopped, each at the other's sight; the chain does not need them.
    network.kill([3, twin]);
    network.pay(0);
    network.compare();
}

#[test]
fn a_node_whose_enclave_computes_something_else_is_outvoted_when_it_proposes_and_stops_and_says_what() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).make();
    // However busy the machine is: what it proposes is looked at.
    (0..3).for_each(|node| network.set(node, "blocks", "propose", 3.0));
    network.nodes[3].process = Some(Process::spawn(deviant::command(&network.nodes[3].home, DEVIATION)));
    network.start(0..3);
    let traffic = Traffic::at([0, 1, 2].map(|node| network.reach(node)));
    let ended = network.ends(3);
    assert!(!ended.success());
    let log = network.log(3);
    assert!(log.contains("a decided block differs") && log.contains("for its state root"), "{log}");
    network.nodes[3].process = None;

    let refused: Vec<u64> = (0..3).map(|node| refused(&network.log(node), "state root")).collect();
    assert!(refused.iter().all(|height| *height == refused[0]), "all three refuse its block: {refused:?}");
    let told = network.reach(0).talk(async |node| node.light().headers(refused[0], 1).await).unwrap();
    let (header, certificate) = &told.headers[0];
    assert!(certificate.as_ref().unwrap().round > 0, "another round decides another block");
    let culprit = Home::open(&network.nodes[3].home).unwrap().validator();
    assert_ne!(header.proposer, key_address(&culprit));
    traffic.confirms(6);
    network.promise(traffic.end());
    network.pay(1);
    network.compare();
}

#[test]
fn a_client_that_floods_one_node_holds_nobody_up() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).start();
    let flood = Flood::at(network.reach(3));
    (0..3).for_each(|node| network.pay(node));
    let traffic = Traffic::at([0, 1, 2].map(|node| network.reach(node)));
    traffic.confirms(15);
    network.promise(traffic.end());
    let (refused, taken) = flood.end();
    assert!(refused > 100 && taken > 10, "{refused} refused, {taken} taken in: that was no flood");
    network.pay(3);
    network.compare();
}

impl Network {
    /// Starts a node that is not expected to live.
    fn spawn(&mut self, node: usize) {
        self.nodes[node].spawn();
    }

    fn ends(&mut self, node: usize) -> ExitStatus {
        self.nodes[node].process.as_mut().unwrap().ends()
    }

    /// Who signs the next block, as a node says.
    pub fn validators(&self, node: usize) -> ValidatorSet {
        let height = self.height(&[node]);
        let told = self.reach(node).talk(async |node| node.light().headers(height, 1).await).unwrap();
        let (header, _) = &told.headers[0];
        told.validators.iter().find(|set| set.hash() == header.next_validators).unwrap().clone()
    }

    /// Another node with the keys of a stopped one, at addresses of its own.
    fn twin(&mut self, node: usize) -> usize {
        let (original, home) = (&self.nodes[node], self.directory("twin"));
        let copied = Command::new("cp").arg("-r").args([&original.home, &home]).status().unwrap();
        assert!(copied.success());
        // Its peers are to take it for somebody else.
        fs::remove_file(home.join("node.key")).unwrap();
        let base = free_ports(1);
        let at = |step: u16| format!("127.0.0.1:{}", base + step);
        let listen = |step: u16| format!("/ip4/127.0.0.1/tcp/{}", base + step);
        let flags = [
            ("ethereum", at(0)),
            ("cosmos", at(1)),
            ("faucet", at(2)),
            ("ops", at(3)),
            ("listen", listen(4)),
            ("gossip-listen", listen(5)),
        ];
        let mut reach = original.reach.clone();
        (reach.name, reach.ethereum, reach.cosmos) =
            ("twin".into(), format!("http://{}", at(0)), format!("http://{}", at(1)));
        let flags = flags.map(|(name, value)| format!("--{name}={value}")).to_vec();
        let validator = original.validator;
        self.nodes.push(Node { validator, reach, home, flags, skew: Skew::default(), joined: None, process: None });
        self.nodes.len() - 1
    }
}

/// The height at which a node voted against a proposal for what a field of its header said.
pub fn refused(log: &str, field: &str) -> u64 {
    let against = |line: &&str| line.contains("votes against a proposal") && line.contains(&format!("for its {field}"));
    let line = log.lines().find(against).unwrap_or_else(|| panic!("nothing was refused for its {field}: {log}"));
    let (_, rest) = line.split_once("block ").unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Flips bytes all over the file, as a bad disk does.
fn damage(store: &Path) {
    let mut chance = Chance::of_the_day();
    let file = File::options().read(true).write(true).open(store).unwrap();
    let length = file.metadata().unwrap().len();
    // The first page says where everything is: without it, any program would notice.
    for page in 1..length / PAGE {
        let at = page * PAGE + chance.below(PAGE);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x55], at).unwrap();
    }
}

/// What a genesis validator with a power of ten has bonded.
const BOND: u128 = 10_000_000;
/// The deviating enclave has the others' state up to this block.
const DEVIATION: u64 = 4;
/// Bytes of a page of the store.
const PAGE: u64 = 4_096;
