//! Enclaves on threads, and a test in the place of the host that hands a seed from one to the others.

#![allow(clippy::unwrap_used)]

use std::thread::JoinHandle;

use cloister_attest::simulated_authority::{self as authority, Bulletin};
use cloister_attest::{Evidence, Measurement, Policy, Statement};
use cloister_chain::Address;
use cloister_chain::trust::{GenesisNode, Registration, Release, Trust};
use cloister_chain::wire::{Admit, Answer, Boot, Query, QueryAt, QueryRefusal, SealingBytes};
use cloister_keys::{Roots, SealingKey, Seed};

use super::*;
use crate::{Options, serve};

#[test]
fn every_enclave_of_a_network_ends_up_with_the_same_seed_sealed_to_its_own_machine() {
    let mut net = Net::enrolled(3);
    let genesis = net.genesis();
    let founded = net.enclaves[0].found(&genesis).unwrap();
    let sealed = [
        founded.sealed_roots.clone(),
        net.enclaves[1].admit(&genesis, &founded.shares[1]).unwrap(),
        net.enclaves[2].admit(&genesis, &founded.shares[2]).unwrap(),
    ];
    // What is told once, is told: each enclave ends.
    for enclave in net.enclaves {
        enclave.thread.join().unwrap().unwrap();
    }
    let [first, second, third] = [1, 2, 3].map(|machine| roots(&genesis, machine, &sealed[usize::from(machine) - 1]));
    assert!(first == second && second == third);
    assert!(sealed.iter().chain(&founded.shares).all(|bytes| !holds(bytes, &first)), "never in the clear");

    // Enclaves that boot with it are enclaves of one chain.
    let keys = [(1, &sealed[0]), (2, &sealed[1])].map(|(machine, sealed)| network_keys(&genesis, machine, sealed));
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn two_foundings_never_make_the_same_seed() {
    let seeds = [(); 2].map(|()| {
        let mut net = Net::enrolled(1);
        let genesis = net.genesis();
        roots(&genesis, 1, &net.enclaves[0].found(&genesis).unwrap().sealed_roots)
    });
    assert!(seeds[0] != seeds[1]);
}

#[test]
fn a_chain_whose_enclaves_have_the_seed_never_begins_with_another() {
    let genesis = Net::enrolled(1).genesis();
    let boot = Boot {
        genesis,
        sealing_key: SealingBytes([1; 32]),
        sealed_roots: None,
        checkpoint: None,
        trail: None,
        consensus_key: B256::ZERO,
    };
    let answer = Enclave::new().ask(&ToEnclave::Boot(boot));
    assert!(matches!(answer, ToHost::Halt(Halt::Sealed)), "{answer:?}");
}

#[test]
fn a_chain_that_promises_hardware_gets_no_seed_from_a_simulated_machine() {
    let refused = |alter: &dyn Fn(Genesis) -> Genesis| {
        let mut net = Net::enrolled(2);
        let genesis = alter(net.genesis());
        assert_eq!(net.enclaves[0].found(&genesis).unwrap_err(), Halt::Genesis);
        // Not even if some founder did it all the same.
        let (boot, id) = (net.enclaves[1].boot(), net.enclaves[1].registration().id());
        let ephemeral = fresh_secret().unwrap();
        let roots = Roots::found(&genesis.chain_id, Seed::from_bytes([7; 32]));
        let share = roots.share(&genesis.chain_id, &genesis.hash(), &id, &boot.kem, ephemeral).unwrap();
        assert_eq!(net.enclaves[1].admit(&genesis, &share).unwrap_err(), Halt::Genesis);
    };
    refused(&Genesis::on_hardware);
    refused(&|genesis| Genesis { chain_id: "two words".into(), ..genesis });
    refused(&|genesis| Genesis { chain_id: "another-1".into(), ..genesis });
}

#[test]
fn a_founder_seals_to_nobody_before_everybody_is_found_genuine() {
    // Each of them is one that would pass, but for one thing.
    let refused = |alter: &dyn Fn(&mut Genesis, &Net)| {
        let mut net = Net::enrolled(2);
        let mut genesis = net.genesis();
        alter(&mut genesis, &net);
        assert_eq!(net.enclaves[0].found(&genesis).unwrap_err(), Halt::Genesis);
    };
    // The host puts a key of its own into the registration of a genuine enclave.
    refused(&|genesis, net| {
        let mut registration = net.enclaves[1].registration();
        registration.boot.kem = BootKey::from_secret(fresh_secret().unwrap()).public().into();
        genesis.nodes[1].certificate = registration.to_bytes().into();
    });
    refused(&|genesis, _| genesis.nodes[1].certificate = vec![0; 40].into());
    refused(&|genesis, _| genesis.nodes[1] = genesis.nodes[0].clone());
    refused(&|genesis, _| genesis.trust.as_mut().unwrap().releases.clear());
    refused(&|genesis, _| genesis.trust = None);
    refused(&|genesis, _| genesis.time += 40 * 24 * 60 * 60 * 1_000_000_000);
    // Itself is not among them.
    refused(&|genesis, _| drop(genesis.nodes.remove(0)));
    let mut net = Net::enrolled(2);
    let genesis = net.genesis();
    assert_eq!(net.enclaves[0].found(&genesis).unwrap().shares.len(), 2, "and as it was, it passes");
}

#[test]
fn a_share_is_for_one_enclave_and_one_chain() {
    let mut net = Net::enrolled(4);
    let genesis = net.genesis();
    let founded = net.enclaves[0].found(&genesis).unwrap();
    let [_, other, elsewhere, damaged] = net.enclaves.try_into().unwrap_or_else(|_| panic!("four"));
    let [mut other, mut elsewhere, mut damaged]: [Enclave; 3] = [other, elsewhere, damaged];
    assert_eq!(other.admit(&genesis, &founded.shares[2]).unwrap_err(), Halt::Sealed, "another's share");
    let other_chain = Genesis { evm_gas: 1, ..genesis.clone() };
    assert_eq!(elsewhere.admit(&other_chain, &founded.shares[2]).unwrap_err(), Halt::Sealed, "another chain");
    let cut = &founded.shares[3][..80];
    assert_eq!(damaged.admit(&genesis, cut).unwrap_err(), Halt::Sealed, "a truncated share");
    assert!([other, elsewhere, damaged].into_iter().all(|member| member.thread.join().unwrap().is_err()));
}

#[test]
fn nothing_is_sealed_to_a_key_of_low_order() {
    let mut net = Net::enrolled(2);
    // A simulated chip vouches for whatever it is told to: the one thing that nobody can open is looked at all the same.
    let genuine = net.enclaves[1].registration();
    let boot = BootKeys { kem: B256::ZERO, ..genuine.boot };
    let chip = authority::chip_of(&[2; 32]);
    let report_data = boot.report_data("test-1", &genuine.consensus_key, &chip.hardware_id());
    let enclave = authority::Enclave { measurement: authority::program(), report_data, debug: false };
    let evidence = Evidence { statement: authority::statement(&chip, &enclave), ..genuine.evidence.clone() };
    let mut genesis = net.genesis();
    genesis.nodes[1].certificate = Registration { boot, evidence, ..genuine }.to_bytes().into();
    assert_eq!(net.enclaves[0].found(&genesis).unwrap_err(), Halt::Protocol);
}

#[test]
fn a_hand_over_out_of_order_ends_the_enclave() {
    let share = ToEnclave::Admit(Admit { genesis: Genesis::for_tests(), share: vec![] });
    assert!(matches!(Enclave::new().ask(&share), ToHost::Halt(Halt::Protocol)), "a share before a boot key");
    let mut twice = Enclave::new();
    twice.enrol(1);
    assert!(matches!(twice.ask(&enrolment(1)), ToHost::Halt(Halt::Protocol)), "a second boot key");
    let mut alone = Enclave::new();
    alone.enrol(1);
    drop(alone.stream);
    alone.thread.join().unwrap().unwrap();
}

/// Enclaves that have enrolled, on machines from 1 on.
struct Net {
    enclaves: Vec<Enclave>,
}

impl Net {
    fn enrolled(count: u8) -> Self {
        let enclaves = (1..=count).map(|machine| {
            let mut enclave = Enclave::new();
            enclave.enrol(machine);
            enclave
        });
        Self { enclaves: enclaves.collect() }
    }

    /// The genesis with all of them.
    fn genesis(&self) -> Genesis {
        let certificate = |enclave: &Enclave| enclave.registration().to_bytes().into();
        let node = |enclave| GenesisNode { owner: Address::ZERO, certificate: certificate(enclave) };
        let measurement = Measurement::Sgx { enclave: authority::program() }.digest();
        let releases = vec![Release::simulated(measurement)];
        let trust = Trust { policy: Policy::production(), releases, delay: 1, ..Trust::default() };
        Genesis { trust: Some(trust), nodes: self.enclaves.iter().map(node).collect(), ..Genesis::for_tests() }
    }
}

struct Enclave {
    stream: UnixStream,
    thread: JoinHandle<Result<(), Stop>>,
    enrolled: Option<(BootKeys, Statement)>,
}

impl Enclave {
    fn new() -> Self {
        let (stream, far) = UnixStream::pair().unwrap();
        Self { stream, thread: std::thread::spawn(move || serve(far, vec![], Options::default())), enrolled: None }
    }

    fn enrol(&mut self, machine: u8) {
        let ToHost::Enrolled(Enrolled { boot, statement }) = self.ask(&enrolment(machine)) else { panic!("enrolled") };
        self.enrolled = Some((boot, statement));
    }

    fn boot(&self) -> BootKeys {
        self.enrolled.as_ref().unwrap().0
    }

    fn registration(&self) -> Registration {
        let (boot, statement) = self.enrolled.clone().unwrap();
        let collateral = authority::collateral(&Bulletin::new(Genesis::for_tests().time / 1_000_000_000));
        Registration { consensus_key: VALIDATOR, boot, evidence: Evidence { statement, collateral } }
    }

    fn found(&mut self, genesis: &Genesis) -> Result<Founded, Halt> {
        match self.ask(&ToEnclave::Found(Found { genesis: genesis.clone() })) {
            ToHost::Founded(founded) => Ok(founded),
            ToHost::Halt(halt) => Err(halt),
            other => panic!("{other:?}"),
        }
    }

    fn admit(&mut self, genesis: &Genesis, share: &[u8]) -> Result<Vec<u8>, Halt> {
        match self.ask(&ToEnclave::Admit(Admit { genesis: genesis.clone(), share: share.to_vec() })) {
            ToHost::Admitted { sealed_roots } => Ok(sealed_roots),
            ToHost::Halt(halt) => Err(halt),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, message: &ToEnclave) -> ToHost {
        wire::send(&mut self.stream, message).unwrap();
        wire::receive(&mut self.stream).unwrap()
    }
}

fn enrolment(machine: u8) -> ToEnclave {
    let chain_id = Genesis::for_tests().chain_id;
    ToEnclave::Enrol(Enrol { chain_id, sealing_key: SealingBytes([machine; 32]), consensus_key: VALIDATOR })
}

fn roots(genesis: &Genesis, of: u8, sealed: &[u8]) -> Roots {
    let machine = SealingKey::from_bytes(&genesis.chain_id, [of; 32]);
    machine.open_roots(genesis.hash().as_slice(), sealed).unwrap()
}

/// Whether a root's own bytes stand anywhere in `bytes`.
fn holds(bytes: &[u8], roots: &Roots) -> bool {
    let roots = roots.to_bytes();
    bytes.windows(32).any(|window| *window == roots[..32] || *window == roots[32..64])
}

/// The public keys of an enclave that boots with sealed roots.
fn network_keys(genesis: &Genesis, machine: u8, sealed: &[u8]) -> Answer {
    let (mut stream, far) = UnixStream::pair().unwrap();
    let (mut query, far_query) = UnixStream::pair().unwrap();
    let thread = std::thread::spawn(move || serve(far, vec![far_query], Options::default()));
    let sealing_key = SealingBytes([machine; 32]);
    let sealed_roots = Some(sealed.to_vec());
    let boot = Boot {
        genesis: genesis.clone(),
        sealing_key,
        sealed_roots,
        checkpoint: None,
        trail: None,
        consensus_key: B256::ZERO,
    };
    wire::send(&mut stream, &ToEnclave::Boot(boot)).unwrap();
    let ToHost::Booted(_) = wire::receive(&mut stream).unwrap() else { panic!("booted") };
    wire::send(&mut query, &ToEnclave::Query(QueryAt { height: None, query: Query::NetworkKeys })).unwrap();
    let ToHost::Answer(answer) = wire::receive(&mut query).unwrap() else { panic!("an answer") };
    assert!(!matches!(answer, Answer::Refused(QueryRefusal::NotReady)));
    drop((stream, query));
    thread.join().unwrap().unwrap();
    answer
}

const VALIDATOR: B256 = B256::repeat_byte(9);
