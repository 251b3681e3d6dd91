//! Enclaves on threads, and a test in the place of the host that hands a seed from one to the others.

#![allow(clippy::unwrap_used)]

use std::thread::JoinHandle;

use cloister_chain::B256;
use cloister_chain::wire::{Answer, Boot, Query, QueryAt, QueryRefusal};
use cloister_keys::{Roots, SealingKey, Seed};

use super::*;
use crate::{Options, serve};

#[test]
fn every_enclave_of_a_network_ends_up_with_the_same_seed_sealed_to_its_own_machine() {
    let [mut second, mut third] = [Enclave::new(), Enclave::new()];
    let to = vec![second.enrol(), third.enrol()];
    assert_ne!(to[0], to[1], "each start has a boot key of its own");
    let mut first = Enclave::new();
    let founded = first.found(&genesis(), to).unwrap();
    let sealed = [
        founded.sealed_seed.clone(),
        second.admit(&genesis(), 2, &founded.shares[0]).unwrap(),
        third.admit(&genesis(), 3, &founded.shares[1]).unwrap(),
    ];
    // What is told once, is told: each enclave ends.
    for enclave in [first, second, third] {
        enclave.thread.join().unwrap().unwrap();
    }
    let [first, second, third] = [1, 2, 3].map(|machine| roots(machine, &sealed[usize::from(machine) - 1]));
    assert!(first == second && second == third);
    assert!(sealed.iter().chain(&founded.shares).all(|bytes| !holds(bytes, &first)), "never in the clear");

    // Enclaves that boot with it are enclaves of one chain.
    let keys = [(1, &sealed[0]), (2, &sealed[1])].map(|(machine, sealed)| network_keys(machine, sealed));
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn two_foundings_never_make_the_same_seed() {
    let roots = [(); 2].map(|()| roots(1, &Enclave::new().found(&genesis(), vec![]).unwrap().sealed_seed));
    assert!(roots[0] != roots[1]);
}

#[test]
fn a_chain_that_promises_hardware_gets_no_seed_in_this_way() {
    let hardware = Genesis { simulated: false, ..genesis() };
    let unnamed = Genesis { chain_id: "two words".into(), ..genesis() };
    for genesis in [hardware, unnamed] {
        let mut member = Enclave::new();
        let key = member.enrol();
        assert_eq!(Enclave::new().found(&genesis, vec![key]).unwrap_err(), Halt::Genesis);
        // Not even if some founder did it all the same.
        let share = Roots::found(&genesis.chain_id, Seed::from_bytes([7; 32])).share(
            &genesis.chain_id,
            &genesis.hash(),
            &B256::ZERO,
            &key,
            fresh_secret().unwrap(),
        );
        assert_eq!(member.admit(&genesis, 2, &share.unwrap()).unwrap_err(), Halt::Genesis);
    }
}

#[test]
fn a_share_is_for_one_enclave_and_one_chain() {
    let mut members = [(); 3].map(|()| Enclave::new());
    let to = members.each_mut().map(Enclave::enrol).to_vec();
    let founded = Enclave::new().found(&genesis(), to).unwrap();
    let [other, elsewhere, damaged] = &mut members;
    assert_eq!(other.admit(&genesis(), 2, &founded.shares[1]).unwrap_err(), Halt::Sealed, "another's share");
    let other_chain = Genesis { evm_gas: 1, ..genesis() };
    assert_eq!(elsewhere.admit(&other_chain, 2, &founded.shares[1]).unwrap_err(), Halt::Sealed, "another chain");
    let cut = &founded.shares[2][..80];
    assert_eq!(damaged.admit(&genesis(), 2, cut).unwrap_err(), Halt::Sealed, "a truncated share");
    assert!(members.into_iter().all(|member| member.thread.join().unwrap().is_err()));
}

#[test]
fn nothing_is_sealed_to_a_key_of_low_order_or_to_more_enclaves_than_there_can_be() {
    assert_eq!(Enclave::new().found(&genesis(), vec![[0; 32]]).unwrap_err(), Halt::Protocol);
    let many = vec![[9; 32]; limits::VALIDATORS + 1];
    assert_eq!(Enclave::new().found(&genesis(), many).unwrap_err(), Halt::Protocol);
}

#[test]
fn a_hand_over_out_of_order_ends_the_enclave() {
    let share = ToEnclave::Admit(Admit { genesis: genesis(), sealing_key: SealingBytes([2; 32]), share: vec![] });
    let mut early = Enclave::new();
    assert!(matches!(early.ask(&share), ToHost::Halt(Halt::Protocol)), "a share before a boot key");
    let mut twice = Enclave::new();
    twice.enrol();
    assert!(matches!(twice.ask(&ToEnclave::Enrol), ToHost::Halt(Halt::Protocol)), "a second boot key");
    let mut alone = Enclave::new();
    alone.enrol();
    drop(alone.stream);
    alone.thread.join().unwrap().unwrap();
}

struct Enclave {
    stream: UnixStream,
    thread: JoinHandle<Result<(), Stop>>,
}

impl Enclave {
    fn new() -> Self {
        let (stream, far) = UnixStream::pair().unwrap();
        Self { stream, thread: std::thread::spawn(move || serve(far, vec![], Options::default())) }
    }

    fn enrol(&mut self) -> [u8; 32] {
        let ToHost::Enrolled(key) = self.ask(&ToEnclave::Enrol) else { panic!("enrolled") };
        key
    }

    fn found(&mut self, genesis: &Genesis, to: Vec<[u8; 32]>) -> Result<Founded, Halt> {
        let found = Found { genesis: genesis.clone(), sealing_key: SealingBytes([1; 32]), to };
        match self.ask(&ToEnclave::Found(found)) {
            ToHost::Founded(founded) => Ok(founded),
            ToHost::Halt(halt) => Err(halt),
            other => panic!("{other:?}"),
        }
    }

    fn admit(&mut self, genesis: &Genesis, machine: u8, share: &[u8]) -> Result<Vec<u8>, Halt> {
        let sealing_key = SealingBytes([machine; 32]);
        match self.ask(&ToEnclave::Admit(Admit { genesis: genesis.clone(), sealing_key, share: share.to_vec() })) {
            ToHost::Admitted { sealed_seed } => Ok(sealed_seed),
            ToHost::Halt(halt) => Err(halt),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, message: &ToEnclave) -> ToHost {
        wire::send(&mut self.stream, message).unwrap();
        wire::receive(&mut self.stream).unwrap()
    }
}

fn genesis() -> Genesis {
    Genesis::for_tests()
}

fn machine(machine: u8) -> SealingKey {
    SealingKey::from_bytes(&genesis().chain_id, [machine; 32])
}

fn roots(of: u8, sealed: &[u8]) -> Roots {
    machine(of).open_roots(genesis().hash().as_slice(), sealed).unwrap()
}

/// Whether a root's own bytes stand anywhere in `bytes`.
fn holds(bytes: &[u8], roots: &Roots) -> bool {
    let roots = roots.to_bytes();
    bytes.windows(32).any(|window| *window == roots[..32] || *window == roots[32..64])
}

/// The public keys of an enclave that boots with a sealed seed.
fn network_keys(machine: u8, sealed: &[u8]) -> Answer {
    let (mut stream, far) = UnixStream::pair().unwrap();
    let (mut query, far_query) = UnixStream::pair().unwrap();
    let thread = std::thread::spawn(move || serve(far, vec![far_query], Options::default()));
    let sealing_key = SealingBytes([machine; 32]);
    let sealed_roots = Some(sealed.to_vec());
    let boot = Boot { genesis: genesis(), sealing_key, sealed_roots, checkpoint: None, trail: None };
    wire::send(&mut stream, &ToEnclave::Boot(boot)).unwrap();
    let ToHost::Booted(_) = wire::receive(&mut stream).unwrap() else { panic!("booted") };
    wire::send(&mut query, &ToEnclave::Query(QueryAt { height: None, query: Query::NetworkKeys })).unwrap();
    let ToHost::Answer(answer) = wire::receive(&mut query).unwrap() else { panic!("an answer") };
    assert!(!matches!(answer, Answer::Refused(QueryRefusal::NotReady)));
    drop((stream, query));
    thread.join().unwrap().unwrap();
    answer
}
