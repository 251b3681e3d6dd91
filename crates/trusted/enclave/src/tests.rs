//! An enclave on a thread, and a test in the place of its node.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::thread::JoinHandle;

use cloister_chain::genesis::GenesisAccount;
use cloister_chain::trail::{Link, Trail};
use cloister_chain::wire::{Answer, Boot, Booted, Call, Execute, Query, QueryAt, QueryRefusal, SealingBytes};
use cloister_chain::{Address, B256, Bytes, Certificate, Epochs, Genesis, Header, Leaf, Outcome, Parent, U256};
use ed25519_zebra::SigningKey;

use super::*;

#[test]
fn a_chain_goes_on_after_a_restart_as_if_there_had_been_none() {
    let mut steady = Host::start(&genesis(), SEALING, None, None);
    let outcome = steady.booted.genesis.take().unwrap();
    let mut leaves = Leaves::default();
    leaves.apply(&outcome);
    let first = steady.execute(&next(&Header::genesis(&genesis()), None, &outcome));
    leaves.apply(&first);

    let seed = steady.booted.sealed_roots.clone();
    let mut resumed = Host::start(&genesis(), SEALING, Some(seed.clone()), Some(first.checkpoint.clone()));
    assert_eq!((resumed.booted.height, resumed.booted.genesis.is_none()), (1, true));
    assert_eq!(resumed.booted.sealed_roots, seed, "they change with the epoch alone");
    assert!(matches!(resumed.load(&leaves), ToHost::Loaded { .. }));

    let above = next(&Header::genesis(&genesis()), None, &outcome);
    let second = next(&above.block.header, Some(above.certificate.clone()), &first);
    assert_eq!(resumed.execute(&second), steady.execute(&second), "receipts, leaves, root and sealed checkpoint");
    steady.leave().unwrap();
    resumed.leave().unwrap();
}

#[test]
fn v26_roots_are_sealed_anew_when_they_change_and_older_ones_lead_there() {
    // Blocks are a nanosecond apart, and there is nothing to sweep.
    let genesis = Genesis { epochs: Some(Epochs { length: 3, grace: 1, sweep: 2 }), ..genesis() };
    let mut steady = Host::start(&genesis, SEALING, None, None);
    let mut outcome = steady.booted.genesis.take().unwrap();
    let beginning = outcome.checkpoint.clone();
    let (mut leaves, mut kept) = (Leaves::default(), vec![steady.booted.sealed_roots.clone()]);
    leaves.apply(&outcome);
    let first = leaves.clone();
    let (mut header, mut certificate) = (Header::genesis(&genesis), None);
    for _ in 1..=8 {
        let block = next(&header, certificate, &outcome);
        outcome = steady.execute(&block);
        leaves.apply(&outcome);
        kept.extend(outcome.sealed_roots.clone());
        let newest = kept.last().unwrap();
        for roots in &kept {
            let mut resumed = Host::start(&genesis, SEALING, Some(roots.clone()), Some(outcome.checkpoint.clone()));
            let ToHost::Loaded { sealed_roots } = resumed.load(&leaves) else { panic!("loaded") };
            assert_eq!(sealed_roots.is_none(), roots == newest, "what is up to date stays");
            assert_eq!(sealed_roots.as_ref().unwrap_or(roots), newest);
            resumed.leave().unwrap();
        }
        (header, certificate) = (block.block.header, Some(block.certificate));
    }
    assert_eq!(kept.len(), 1 + 2 * 2, "two switches and two erasures");
    let mut rolled_back = Host::start(&genesis, SEALING, kept.pop(), Some(beginning));
    assert!(matches!(rolled_back.load(&first), ToHost::Halt(Halt::Sealed)), "roots of a later state");
    assert!(rolled_back.leave().is_err());
    steady.leave().unwrap();
}

#[test]
fn an_enclave_takes_a_state_that_the_validators_agreed_on_and_goes_on_from_there() {
    let mut first = Host::start(&genesis(), SEALING, None, None);
    let outcome = first.booted.genesis.take().unwrap();
    let mut leaves = Leaves::default();
    leaves.apply(&outcome);
    let one = next(&Header::genesis(&genesis()), None, &outcome);
    let after_one = first.execute(&one);
    leaves.apply(&after_one);
    let two = next(&one.block.header, Some(one.certificate.clone()), &after_one);
    let after_two = first.execute(&two);
    let three = next(&two.block.header, Some(two.certificate.clone()), &after_two);

    // The state after block 1 is named by header 2.
    let set = genesis().validators;
    let above = Link { header: two.block.header.clone(), certificate: two.certificate.clone(), next: set.clone() };
    let (header, certificate) = (one.block.header.clone(), one.certificate.clone());
    let trail = Trail { links: vec![above], header, certificate, signers: set };
    let seed = first.booted.sealed_roots.clone();
    let mut late = Host::adopt(&genesis(), Some(seed.clone()), trail.clone());
    assert_eq!((late.booted.height, late.booted.genesis.is_none()), (1, true));
    let sealed = late.booted.checkpoint.clone().unwrap();
    assert!(matches!(late.load(&leaves), ToHost::Loaded { .. }));
    assert_eq!(late.execute(&two), after_two);

    // What it sealed is a checkpoint like any other.
    let mut again = Host::start(&genesis(), SEALING, Some(seed.clone()), Some(sealed));
    assert!(matches!(again.load(&leaves), ToHost::Loaded { .. }));
    assert_eq!(again.execute(&two), after_two);
    assert_eq!(again.execute(&three), first.execute(&three));

    let mut other = leaves.clone();
    other.0.pop_last();
    let mut fooled = Host::adopt(&genesis(), Some(seed.clone()), trail.clone());
    assert!(matches!(fooled.load(&other), ToHost::Halt(Halt::Root)), "another state under the same headers");
    assert!(fooled.leave().is_err());
    let mut forged = trail.clone();
    forged.links[0].header.state_root = B256::ZERO;
    for (trail, seed, halt) in [(forged, Some(seed), Halt::Certificate), (trail, None, Halt::Sealed)] {
        let (mut stream, _, thread) = open();
        send_boot_with(&mut stream, &genesis(), SEALING, seed, None, Some(trail));
        assert!(matches!(receive(&mut stream), ToHost::Halt(said) if said == halt), "{halt:?}");
        assert!(thread.join().unwrap().is_err());
    }
    for host in [first, late, again] {
        host.leave().unwrap();
    }
}

#[test]
fn sealed_bytes_open_only_for_this_machine_and_chain_and_whole() {
    let host = Host::start(&genesis(), SEALING, None, None);
    let seed = host.booted.sealed_roots.clone();
    let checkpoint = host.booted.genesis.as_ref().unwrap().checkpoint.clone();
    let other_chain = Genesis { evm_gas: 1, ..genesis() };
    let mut other_height = checkpoint.clone();
    other_height[0] = 1;
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    for (what, genesis, key, seed, checkpoint) in [
        ("another machine", genesis(), [2; 32], Some(seed.clone()), Some(checkpoint.clone())),
        ("another chain of the same name", other_chain, SEALING, Some(seed.clone()), Some(checkpoint.clone())),
        ("a checkpoint under another height", genesis(), SEALING, Some(seed.clone()), Some(other_height)),
        ("a truncated checkpoint", genesis(), SEALING, Some(seed.clone()), Some(cut(&checkpoint))),
        ("an empty checkpoint", genesis(), SEALING, Some(seed.clone()), Some(vec![])),
        ("truncated roots", genesis(), SEALING, Some(cut(&seed)), None),
        ("a checkpoint as roots", genesis(), SEALING, Some(checkpoint[8..].to_vec()), None),
        ("a checkpoint without its roots", genesis(), SEALING, None, Some(checkpoint.clone())),
    ] {
        let (mut stream, _, thread) = open();
        send_boot(&mut stream, &genesis, key, seed, checkpoint);
        assert!(matches!(receive(&mut stream), ToHost::Halt(Halt::Sealed)), "{what}");
        assert!(matches!(thread.join().unwrap(), Err(Stop::Halt(Halt::Sealed))), "{what}");
    }
}

#[test]
fn a_genesis_that_demands_hardware_does_not_start_on_a_simulated_machine() {
    let hardware = genesis().on_hardware();
    let (mut stream, _, thread) = open();
    send_boot(&mut stream, &hardware, SEALING, None, None);
    assert!(matches!(receive(&mut stream), ToHost::Halt(Halt::Genesis)), "no seed is made for it, none is opened");
    assert!(matches!(thread.join().unwrap(), Err(Stop::Halt(Halt::Genesis))));
}

#[test]
fn leaves_that_are_not_the_checkpoints_are_refused() {
    let mut host = Host::start(&genesis(), SEALING, None, None);
    let outcome = host.booted.genesis.take().unwrap();
    let mut whole = Leaves::default();
    whole.apply(&outcome);
    let mut missing = whole.clone();
    missing.0.pop_last();
    let mut altered = whole.clone();
    altered.0.entry(Leaf::Account(CONTRACT)).and_modify(|value| value[0] ^= 1);
    let mut more = whole.clone();
    more.0.insert(Leaf::Account(Address::repeat_byte(0xee)), vec![0; 72]);
    for leaves in [missing, altered, more] {
        let seed = host.booted.sealed_roots.clone();
        let mut resumed = Host::start(&genesis(), SEALING, Some(seed), Some(outcome.checkpoint.clone()));
        assert!(matches!(resumed.load(&leaves), ToHost::Halt(Halt::Root)));
        assert!(matches!(resumed.leave(), Err(Stop::Halt(Halt::Root))));
    }
}

#[test]
fn what_comes_out_of_place_or_does_not_decode_ends_the_enclave() {
    let (mut stream, _, thread) = open();
    wire::send(&mut stream, &ToEnclave::Load { leaves: vec![], last: true }).unwrap();
    assert!(matches!(receive(&mut stream), ToHost::Halt(Halt::Protocol)), "leaves before a boot");
    assert!(thread.join().unwrap().is_err());

    let mut host = Host::start(&genesis(), SEALING, None, None);
    wire::send(&mut host.stream, &ToEnclave::Query(tip(Query::Prove(Leaf::Chain)))).unwrap();
    assert!(matches!(receive(&mut host.stream), ToHost::Halt(Halt::Protocol)), "a query among the blocks");
    assert!(host.leave().is_err());

    let (mut stream, _, thread) = open();
    std::io::Write::write_all(&mut stream, &[1, 0, 0, 0, 99]).unwrap();
    assert!(matches!(receive(&mut stream), ToHost::Halt(Halt::Protocol)), "an unknown message");
    assert!(thread.join().unwrap().is_err());
}

#[test]
fn a_block_that_nobody_decided_is_not_executed() {
    let mut host = Host::start(&genesis(), SEALING, None, None);
    let outcome = host.booted.genesis.take().unwrap();
    let mut execute = next(&Header::genesis(&genesis()), None, &outcome);
    execute.certificate.precommits[0].signature[0] ^= 1;
    wire::send(&mut host.stream, &ToEnclave::Execute(execute)).unwrap();
    assert!(matches!(receive(&mut host.stream), ToHost::Halt(Halt::Certificate)));
    assert!(matches!(host.leave(), Err(Stop::Halt(Halt::Certificate))));
}

#[test]
fn queries_wait_for_a_state_ask_the_host_and_survive_its_lies() {
    let mut fresh = Host::start(&genesis(), SEALING, None, None);
    let outcome = fresh.booted.genesis.take().unwrap();
    let mut leaves = Leaves::default();
    leaves.apply(&outcome);
    let seed = fresh.booted.sealed_roots.clone();
    let mut host = Host::start(&genesis(), SEALING, Some(seed), Some(outcome.checkpoint.clone()));
    assert_eq!(host.ask(Query::Prove(Leaf::Chain), &[]), Answer::Refused(QueryRefusal::NotReady));
    assert!(matches!(host.load(&leaves), ToHost::Loaded { .. }));

    let Answer::Proved { height: 0, root, value, proof } = host.ask(Query::Prove(Leaf::Chain), &[]) else {
        panic!("proved")
    };
    assert_eq!(root, outcome.state_root);
    proof.verify(&root, &Leaf::Chain, value.as_deref()).unwrap();

    // The contract's code is not among the leaves: the enclave asks for it and checks what it gets.
    let call = Query::Call(Call { to: Some(CONTRACT), ..Call::default() });
    assert_eq!(host.ask(call.clone(), &[Bytes::from_static(b"other code")]), Answer::Refused(QueryRefusal::Supply));
    let Answer::Returned { output, .. } = host.ask(call, &[code()]) else { panic!("the contract returns") };
    assert_eq!(output, U256::from(42).to_be_bytes_vec());
    host.leave().unwrap();
}

struct Host {
    stream: UnixStream,
    query: UnixStream,
    thread: JoinHandle<Result<(), Stop>>,
    booted: Booted,
}

#[derive(Clone, Default)]
struct Leaves(BTreeMap<Leaf, Vec<u8>>);

impl Leaves {
    fn apply(&mut self, outcome: &Outcome) {
        for (leaf, value) in &outcome.writes {
            match value {
                Some(value) => self.0.insert(*leaf, value.clone()),
                None => self.0.remove(leaf),
            };
        }
    }
}

impl Host {
    fn start(genesis: &Genesis, key: [u8; 32], sealed_roots: Option<Vec<u8>>, checkpoint: Option<Vec<u8>>) -> Self {
        let (mut stream, query, thread) = open();
        send_boot(&mut stream, genesis, key, sealed_roots, checkpoint);
        let ToHost::Booted(booted) = receive(&mut stream) else { panic!("booted") };
        Self { stream, query, thread, booted }
    }

    fn adopt(genesis: &Genesis, sealed_roots: Option<Vec<u8>>, trail: Trail) -> Self {
        let (mut stream, query, thread) = open();
        send_boot_with(&mut stream, genesis, SEALING, sealed_roots, None, Some(trail));
        let ToHost::Booted(booted) = receive(&mut stream) else { panic!("booted") };
        Self { stream, query, thread, booted }
    }

    fn load(&mut self, leaves: &Leaves) -> ToHost {
        let mut pieces: Vec<Vec<_>> = Vec::new();
        for (count, (leaf, value)) in leaves.0.iter().enumerate() {
            if count % 2 == 0 {
                pieces.push(vec![]);
            }
            pieces.last_mut().unwrap().push((*leaf, value.clone()));
        }
        for leaves in pieces {
            wire::send(&mut self.stream, &ToEnclave::Load { leaves, last: false }).unwrap();
        }
        wire::send(&mut self.stream, &ToEnclave::Load { leaves: vec![], last: true }).unwrap();
        receive(&mut self.stream)
    }

    fn execute(&mut self, execute: &Execute) -> Outcome {
        let copy = Execute { block: execute.block.clone(), certificate: execute.certificate.clone() };
        wire::send(&mut self.stream, &ToEnclave::Execute(copy)).unwrap();
        let ToHost::Outcome(outcome) = receive(&mut self.stream) else { panic!("an outcome without questions") };
        outcome
    }

    /// Asks, and supplies `blobs` to whatever the enclave asks in between.
    fn ask(&mut self, query: Query, blobs: &[Bytes]) -> Answer {
        wire::send(&mut self.query, &ToEnclave::Query(tip(query))).unwrap();
        loop {
            match receive(&mut self.query) {
                ToHost::Answer(answer) => return answer,
                ToHost::Need { leaves, .. } => {
                    let blobs = blobs.iter().cloned().map(Some).collect();
                    let supply = ToEnclave::Supply { leaves: vec![None; leaves.len()], sealed: vec![], blobs };
                    wire::send(&mut self.query, &supply).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn leave(self) -> Result<(), Stop> {
        drop((self.stream, self.query));
        self.thread.join().unwrap()
    }
}

fn open() -> (UnixStream, UnixStream, JoinHandle<Result<(), Stop>>) {
    let (near, far) = UnixStream::pair().unwrap();
    let (near_query, far_query) = UnixStream::pair().unwrap();
    let thread = std::thread::spawn(move || serve(far, vec![far_query], Options::default()));
    (near, near_query, thread)
}

fn send_boot(
    stream: &mut UnixStream,
    genesis: &Genesis,
    key: [u8; 32],
    sealed_roots: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
) {
    send_boot_with(stream, genesis, key, sealed_roots, checkpoint, None);
}

fn send_boot_with(
    stream: &mut UnixStream,
    genesis: &Genesis,
    key: [u8; 32],
    sealed_roots: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
    trail: Option<Trail>,
) {
    let boot = Boot {
        genesis: genesis.clone(),
        sealing_key: SealingBytes(key),
        sealed_roots,
        checkpoint,
        trail,
        consensus_key: B256::ZERO,
    };
    wire::send(stream, &ToEnclave::Boot(boot)).unwrap();
}

fn receive(stream: &mut UnixStream) -> ToHost {
    wire::receive(stream).unwrap()
}

fn tip(query: Query) -> QueryAt {
    QueryAt { height: None, query }
}

fn next(header: &Header, certificate: Option<Certificate>, outcome: &Outcome) -> Execute {
    let parent = Parent::new(header.clone(), certificate, genesis().validators, outcome);
    let proposer = outcome.next_validators.iter().next().unwrap().address();
    let block = parent.block(vec![], vec![], 0, proposer);
    let header = &block.header;
    let certificate = Certificate::solo(&SigningKey::from([7; 32]), &header.chain_id, header.height, header.hash());
    Execute { block, certificate }
}

fn genesis() -> Genesis {
    let rich = GenesisAccount { address: Address::repeat_byte(1), balance: U256::from(5), ..GenesisAccount::default() };
    let contract = GenesisAccount { address: CONTRACT, code: code(), ..GenesisAccount::default() };
    Genesis { accounts: vec![rich, contract], ..Genesis::for_tests() }
}

/// `return(uint256(42))`.
fn code() -> Bytes {
    Bytes::from_static(&[0x60, 42, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3])
}

const CONTRACT: Address = Address::repeat_byte(0xc0);
const SEALING: [u8; 32] = [1; 32];
