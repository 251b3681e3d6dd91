//! A node whose enclave computes something else: the very node and the very enclave, with somebody between the two.
//!
//! The test program starts itself again to be that node.

use std::fs;
use std::io::{self, copy};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cloister_chain::wire::{self, ToHost};
use cloister_chain::{B256, Genesis, ValidatorSet};
use cloister_consensus::Pace;
use cloister_node::{Config, Home, Network, Node, Spawner, Streams};

use super::process::cloister;
use super::reach::block_on;

/// Runs the node in `home`, whose enclave has another state from a block of `height` or later on: one after which it is the
/// node's turn to propose.
pub fn command(home: &Path, height: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "scenarios::deviant::this_program_is_a_node", "--ignored", "--nocapture"]);
    command.env(HOME, home).env(HEIGHT, height.to_string());
    command
}

#[test]
#[ignore = "it is started by another test"]
fn this_program_is_a_node() {
    let home = std::env::var_os(HOME).expect("another test starts this one");
    let height = std::env::var(HEIGHT).unwrap().parse().unwrap();
    let node = Node::start(config(Path::new(&home), height)).unwrap();
    let ended = block_on(node.ended());
    panic!("{}", ended.unwrap_err());
}

fn config(directory: &Path, height: u64) -> Config {
    let settings: toml::Value = toml::from_str(&fs::read_to_string(directory.join("cloister.toml")).unwrap()).unwrap();
    let text = |name: &str| settings["network"][name].as_str().unwrap().to_owned();
    let list = |name: &str| {
        let items = settings["network"][name].as_array().unwrap();
        items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let home = Home::open(directory).unwrap();
    let network = Network {
        moniker: text("moniker"),
        peer_key: home.node_key().unwrap(),
        listen: text("listen"),
        peers: list("peers"),
        gossip_listen: text("gossip_listen"),
        gossip_peers: list("gossip_peers"),
        pace: Pace { idle: Duration::from_millis(300), ..Pace::default() },
        snapshots: 0,
    };
    let genesis: Genesis = serde_json::from_slice(&fs::read(directory.join("genesis.json")).unwrap()).unwrap();
    let height = (height..).find(|height| proposer(&genesis.validators, height + 1) == home.validator()).unwrap();
    Config { genesis, home, block_time: None, network: Some(network), enclave: deviating(height) }
}

/// The program's own enclave, overheard and contradicted.
fn deviating(height: u64) -> Spawner {
    let honest = cloister_node::process(cloister().get_program().into(), vec!["enclave".into()], 1);
    Arc::new(move || {
        let Streams { block, queries, process } = honest()?;
        let (near, far) = UnixStream::pair()?;
        let (mut asked, mut told) = (far.try_clone()?, block.try_clone()?);
        thread::spawn(move || copy(&mut asked, &mut told));
        thread::spawn(move || contradict(block, far, height));
        Ok(Streams { block: near, queries, process })
    })
}

fn contradict(mut enclave: UnixStream, mut host: UnixStream, height: u64) -> io::Result<()> {
    while let Ok(mut message) = wire::receive::<ToHost>(&mut enclave) {
        if let ToHost::Outcome(outcome) = &mut message
            && outcome.height >= height
        {
            outcome.state_root.0[0] ^= 1;
        }
        wire::send(&mut host, &message).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Whose turn it is at a height: the powers lie side by side on a circle, and the turn goes around in steps of the golden
/// ratio.
fn proposer(validators: &ValidatorSet, height: u64) -> B256 {
    let turn = height.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut place = (u128::from(turn) * u128::from(validators.total_power())) >> 64;
    let mut members = validators.iter();
    loop {
        let member = members.next().expect("the place lies below the sum of all powers");
        match place.checked_sub(member.power.into()) {
            Some(rest) => place = rest,
            None => return member.key,
        }
    }
}

const HOME: &str = "CLOISTER_DEVIANT_HOME";
const HEIGHT: &str = "CLOISTER_DEVIANT_HEIGHT";
