//! A node with enclaves that misbehave: threads that speak the wall's language and know nothing else.

#![allow(clippy::unwrap_used)]

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, thread};

use cloister_api::{Backend, Unavailable};
use cloister_chain::hash::merkle_root;
use cloister_chain::wire::{
    self, Answer, Booted, Execute, Halt, Lockdown, Query, QueryAt, QueryRefusal, ToEnclave, ToHost,
};
use cloister_chain::{B256, Genesis, Leaf, Outcome};
use ed25519_zebra::SigningKey;

use super::*;

/// What a toy enclave does with a block.
type Blocks = fn(&Execute, &mut UnixStream) -> Option<ToHost>;
/// What it does with a question; `None` ends it.
type Answers = fn(&QueryAt, &mut UnixStream) -> Option<Answer>;

#[test]
fn idle_blocks_come_with_a_block_time_and_the_chain_survives_a_restart_of_the_node() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Home::open(directory.path()).unwrap();
    let (spawner, seen) = toy(|execute, _| Some(outcome(execute)), answer);
    let node = start(open(), &spawner, true).unwrap();
    wait_for(&node, 5);
    node.stop();
    let tip = *node.heads().borrow();
    drop(node);
    let node = start(open(), &spawner, true).unwrap();
    assert!(*node.heads().borrow() >= tip);
    wait_for(&node, tip + 3);
    drop(node);
    let seen = seen.lock().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "each height once, in order: {seen:?}");
}

#[test]
fn without_a_block_time_there_is_no_block_without_a_transaction() {
    let (spawner, seen) = toy(|execute, _| Some(outcome(execute)), answer);
    let node = start(Home::in_memory().unwrap(), &spawner, false).unwrap();
    thread::sleep(Duration::from_millis(50));
    drop(node);
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_block_that_kills_every_enclave_stops_the_node_which_names_it() {
    let deadly: Blocks = |execute, _| (execute.block.header.height < 3).then(|| outcome(execute));
    let (spawner, seen) = toy(deadly, answer);
    let node = start(Home::in_memory().unwrap(), &spawner, true).unwrap();
    let error = node.ended().await.unwrap_err();
    let NodeError::Deadly { height: 3, block, deaths: 3 } = *error else { panic!("{error}") };
    assert!(error.to_string().contains(&format!("block 3 ({block})")), "{error}");
    assert_eq!(node.query(tip()).await, Err(Unavailable::Stopping));
    let seen = seen.lock().unwrap();
    assert_eq!(seen[2..], [(3, block); 3], "the same block each time: a decided one is never exchanged");
}

#[tokio::test]
async fn a_halt_is_final_and_is_not_tried_again() {
    let diverged: Blocks = |_, _| Some(ToHost::Halt(Halt::Diverged));
    let (spawner, seen) = toy(diverged, answer);
    let node = start(Home::in_memory().unwrap(), &spawner, true).unwrap();
    let error = node.ended().await.unwrap_err();
    assert!(matches!(*error, NodeError::Halted { height: 1, .. }), "{error}");
    assert!(error.to_string().contains("keep this directory as evidence"), "{error}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_outcome_of_another_height_is_not_believed() {
    let other: Blocks = |execute, _| match outcome(execute) {
        ToHost::Outcome(outcome) => Some(ToHost::Outcome(Outcome { height: 7, ..outcome })),
        _ => None,
    };
    let (spawner, _) = toy(other, answer);
    let node = start(Home::in_memory().unwrap(), &spawner, true).unwrap();
    assert!(matches!(*node.ended().await.unwrap_err(), NodeError::Deadly { height: 1, .. }));
    assert_eq!(node.store().reader().unwrap().tip().unwrap(), Some(0), "nothing of it was kept");
}

#[tokio::test]
async fn a_question_under_way_when_the_enclave_dies_is_refused_and_later_ones_are_answered() {
    // The first question at height 0 kills; the node's own restart then answers.
    static KILLED: Mutex<bool> = Mutex::new(false);
    let fragile: Answers = |question, stream| {
        if !std::mem::replace(&mut *KILLED.lock().unwrap(), true) {
            return None;
        }
        answer(question, stream)
    };
    let (spawner, _) = toy(|execute, _| Some(outcome(execute)), fragile);
    let node = start(Home::in_memory().unwrap(), &spawner, false).unwrap();
    assert_eq!(node.query(tip()).await, Err(Unavailable::Restarting));
    for _ in 0..100 {
        assert_eq!(node.query(tip()).await, Ok(Answer::Refused(QueryRefusal::Dev)));
    }
}

#[tokio::test]
async fn a_query_at_the_tip_names_the_committed_height_and_gets_its_leaves() {
    let asks: Answers = |question, stream| {
        let height = question.height.unwrap();
        let need = ToHost::Need {
            height,
            leaves: vec![Leaf::Chain, Leaf::BlockHash(9)],
            positions: vec![B256::ZERO],
            blobs: vec![B256::ZERO],
        };
        wire::send(stream, &need).unwrap();
        let ToEnclave::Supply { leaves, sealed, blobs } = wire::receive(stream).unwrap() else { panic!("a supply") };
        assert_eq!((leaves, sealed, blobs), (vec![Some(b"first".to_vec()), None], vec![None], vec![None]));
        Some(Answer::Estimated(height))
    };
    let (spawner, _) = toy(|execute, _| Some(outcome(execute)), asks);
    let node = start(Home::in_memory().unwrap(), &spawner, true).unwrap();
    wait_for(&node, 3);
    let Ok(Answer::Estimated(height)) = node.query(tip()).await else { panic!("an answer") };
    assert!(height >= 3);
}

#[tokio::test]
async fn the_tip_of_a_query_is_the_stores_from_which_receipts_come() {
    let names: Answers = |question, _| Some(Answer::Estimated(question.height.unwrap()));
    let (spawner, _) = toy(|execute, _| Some(outcome(execute)), names);
    let node = start(Home::in_memory().unwrap(), &spawner, true).unwrap();
    wait_for(&node, 3);
    // A block is in the store before it is announced: whoever has its receipt asks about the state after it.
    let committed = node.store().reader().unwrap().tip().unwrap().unwrap();
    node.shared.heads.send_replace(0);
    let Ok(Answer::Estimated(height)) = node.query(tip()).await else { panic!("an answer") };
    assert!(height >= committed, "{height} is older than {committed}");
}

#[test]
fn a_genesis_of_others_is_refused() {
    let (spawner, _) = toy(|_, _| None, answer);
    let config = |home| Config {
        genesis: Genesis::for_tests(),
        home,
        block_time: None,
        network: None,
        enclave: Arc::clone(&spawner),
    };
    let stranger = Node::start(config(Home::in_memory().unwrap()));
    assert!(matches!(stranger, Err(NodeError::Stranger)));
}

fn start(home: Home, spawner: &Spawner, block_time: bool) -> Result<Node, NodeError> {
    Node::start(Config {
        genesis: Genesis::for_tests(),
        home: home.with_validator(SigningKey::from([7; 32])),
        block_time: block_time.then_some(Duration::from_millis(2)),
        network: None,
        enclave: Arc::clone(spawner),
    })
}

fn wait_for(node: &Node, height: u64) {
    while *node.heads().borrow() < height {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Heights and hashes of the blocks that any of the enclaves was given.
type Seen = Arc<Mutex<Vec<(u64, B256)>>>;

fn toy(blocks: Blocks, answers: Answers) -> (Spawner, Seen) {
    let seen = Seen::default();
    let given = Arc::clone(&seen);
    let spawner: Spawner = Arc::new(move || {
        let (block, far_block) = UnixStream::pair()?;
        let (query, far_query) = UnixStream::pair()?;
        let (seen, kill) = (Arc::clone(&given), far_block.try_clone()?);
        thread::spawn(move || {
            // A stream that ends is the node leaving.
            let _ = live(far_block, &seen, blocks);
        });
        thread::spawn(move || {
            let _ = talk(far_query, answers);
            // Like a process, all of it dies at once.
            let _ = kill.shutdown(std::net::Shutdown::Both);
        });
        Ok(Streams { block, queries: vec![query], process: None })
    });
    (spawner, seen)
}

fn live(mut stream: UnixStream, seen: &Seen, blocks: Blocks) -> Result<(), Box<dyn std::error::Error>> {
    let ToEnclave::Boot(boot) = wire::receive(&mut stream)? else { panic!("a boot") };
    let height = boot.checkpoint.as_ref().map(|bytes| u64::from_le_bytes(bytes.as_slice().try_into().unwrap()));
    let genesis = height.is_none().then(|| results(0, &boot.genesis));
    let lockdown = Lockdown::default();
    let sealed_roots = b"sealed".to_vec();
    let booted = Booted { sealed_roots, genesis, height: height.unwrap_or(0), checkpoint: None, lockdown, run: None };
    wire::send(&mut stream, &ToHost::Booted(booted))?;
    if height.is_some() {
        assert_eq!(boot.sealed_roots.as_deref(), Some(&b"sealed"[..]));
        let mut loaded = Vec::new();
        loop {
            let ToEnclave::Load { leaves, last } = wire::receive(&mut stream)? else { panic!("leaves") };
            loaded.extend(leaves);
            if last {
                break;
            }
        }
        assert_eq!(loaded, [(Leaf::Chain, b"first".to_vec())]);
        wire::send(&mut stream, &ToHost::Loaded { sealed_roots: None })?;
    }
    loop {
        let ToEnclave::Execute(execute) = wire::receive(&mut stream)? else { panic!("a block") };
        let header = &execute.block.header;
        seen.lock().unwrap().push((header.height, header.hash()));
        match blocks(&execute, &mut stream) {
            Some(message) => wire::send(&mut stream, &message)?,
            None => return Ok(stream.shutdown(std::net::Shutdown::Both)?),
        }
    }
}

fn talk(mut stream: UnixStream, answers: Answers) -> Result<(), wire::WireError> {
    loop {
        let ToEnclave::Query(question) = wire::receive(&mut stream)? else { panic!("a question") };
        match answers(&question, &mut stream) {
            Some(answer) => wire::send(&mut stream, &ToHost::Answer(answer))?,
            None => return Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
        }
    }
}

fn outcome(execute: &Execute) -> ToHost {
    ToHost::Outcome(results(execute.block.header.height, &Genesis::for_tests()))
}

fn results(height: u64, genesis: &Genesis) -> Outcome {
    let writes = if height == 0 { vec![(Leaf::Chain, Some(b"first".to_vec()))] } else { vec![] };
    Outcome {
        height,
        receipts: vec![],
        writes,
        blobs: vec![],
        state_root: B256::with_last_byte(1),
        results: merkle_root(&[]),
        next_base_fee: genesis.base_fee,
        next_validators: genesis.validators.clone(),
        following_validators: genesis.validators.clone(),
        checkpoint: height.to_le_bytes().to_vec(),
        sealed_roots: None,
    }
}

fn answer(_: &QueryAt, _: &mut UnixStream) -> Option<Answer> {
    Some(Answer::Refused(QueryRefusal::Dev))
}

fn tip() -> QueryAt {
    QueryAt { height: None, query: Query::Prove(Leaf::Chain) }
}
