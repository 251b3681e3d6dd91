//! A chain that has admitted enclaves, with a state of which every leaf can be proven.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use borsh::BorshSerialize;
use cloister_attest::simulated_authority::{self as authority, Bulletin, Chip};
use cloister_attest::{Measurement, Policy, Root, Verified};
use cloister_chain::epoch::{Epoch, PublicKeys};
use cloister_chain::leaf::Position;
use cloister_chain::proof::{Proof, bit, branch_hash, leaf_hash};
use cloister_chain::trust::{Boot, Build, Caps, MIN_DELAY, Node, Rebuilders, Rebuilt, Registration, Release, Trust};
use cloister_chain::{Genesis, Leaf};
use ed25519_zebra::{SigningKey, VerificationKey};
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;

use crate::bundle::{Bundle, BundleError, Demands, FORMAT, Member, Start, Verdict};
use crate::light::tests::world::{Chain, Members, SECOND, clock};
use crate::light::{Anchor, Checkpoint, Headers, Inclusion, LeafProof, LightClient, Place, Rules, Source};
use crate::{Error, Wallet, cosmos};

/// What everybody runs.
pub const PROGRAM: B256 = B256::repeat_byte(0x0c);
/// The hash of its source.
pub const SOURCE: B256 = B256::repeat_byte(0x5c);
/// The secret keys of those who rebuilt it.
pub const REBUILDERS: [[u8; 32]; 2] = [[0xb1; 32], [0xb2; 32]];
/// Height of the newest block.
pub const TIP: u64 = 9;
/// Height of the block with the registrations.
pub const REGISTERED: u64 = 2;

/// What a chain knows about enclaves: the test changes it, then builds a [`World`].
pub struct Plan {
    pub genesis: Genesis,
    pub trust: Trust,
    pub epoch: Epoch,
    pub nodes: Vec<(Registration, Node)>,
    /// The chips that the chain lists.
    pub listed: Vec<B256>,
}

impl Plan {
    /// Two enclaves of one release.
    pub fn new() -> Self {
        Self::of(&[7, 8], true)
    }

    /// An enclave on each of these chips, on a chain of this kind.
    pub fn of(chips: &[u8], simulated: bool) -> Self {
        let genesis = Genesis::for_tests();
        let genesis = if simulated { genesis } else { genesis.on_hardware() };
        let release = released(&genesis.chain_id);
        let mut keys = REBUILDERS.map(|secret| public(&secret)).to_vec();
        keys.sort_unstable();
        let rebuilders = Rebuilders { keys, threshold: 2 };
        let (policy, caps) = (Policy::production(), Caps::PRODUCTION);
        let trust = Trust { policy, releases: vec![release], delay: MIN_DELAY, rebuilders, caps };
        let nodes: Vec<_> = (0..).zip(chips).map(|(index, number)| node(&genesis, *number, index)).collect();
        let listed = chips.iter().map(|number| chip(*number).hardware_id().0).collect();
        Self { genesis, trust, epoch: epoch(), nodes, listed }
    }

    /// The chain whose newest header names this state.
    pub fn build(self) -> World {
        let chips: Vec<B256> = self.nodes.iter().map(|(registration, _)| claimed(registration)).collect();
        let mut leaves = vec![
            (Leaf::Trust, bytes(&self.trust)),
            (Leaf::Epoch, bytes(&self.epoch)),
            (Leaf::Nodes, bytes(&self.listed)),
        ];
        leaves.extend(self.nodes.iter().zip(&chips).map(|((_, node), chip)| (Leaf::Node(*chip), bytes(node))));
        leaves.extend((0..20).map(|number| (Leaf::Account(Address::repeat_byte(number)), vec![number; 40])));
        let tree = Tree::new(leaves);
        let txs: Vec<Bytes> = self.nodes.iter().map(|(registration, _)| transaction(registration)).collect();
        // One of four validators is replaced at each height: no leap from the genesis reaches the tip.
        let members = |first: u64| (first..first + 4).map(|number| (number as u8, 1)).collect();
        let sets: Vec<Members> = (1..=TIP + 2).map(members).collect();
        let of_height = |height| if height == REGISTERED { txs.clone() } else { Vec::new() };
        let member = |((registration, _), chip): (&(Registration, Node), &B256)| Member {
            chip: *chip,
            node: tree.prove(Leaf::Node(*chip)),
            registration: registration.to_bytes().into(),
        };
        let members = self.nodes.iter().zip(&chips).map(member).collect();
        // Only the newest header names this state: an older one leads to none of it.
        let root = |height: u64| if height + 1 == TIP { tree.root() } else { B256::with_last_byte(height as u8) };
        World { chain: Chain::telling(&self.genesis, &sets, root, of_height), tree, members }
    }
}

/// A chain, as an honest node tells it.
pub struct World {
    pub chain: Arc<Chain>,
    pub tree: Tree,
    members: Vec<Member>,
}

impl World {
    /// Where the wallet begins.
    pub fn genesis(&self) -> Anchor {
        Checkpoint::genesis(&self.chain.genesis).unwrap().anchor()
    }

    pub fn collect(&self, demands: &Demands) -> Result<Bundle, BundleError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let collected = runtime.block_on(Bundle::collect(self, self.genesis(), demands, clock(TIP)));
        collected.map_err(|error| match error {
            Error::Bundle(error) => error,
            Error::Light(error) => BundleError::Way(error),
            other => panic!("{other}"),
        })
    }

    /// A bundle of all there is, each header and each enclave, whether it counts or not.
    pub fn whole(&self) -> Bundle {
        let genesis = Checkpoint::genesis(&self.chain.genesis).unwrap();
        Bundle {
            format: FORMAT.into(),
            chain_id: genesis.chain_id().into(),
            simulated: self.chain.genesis.simulated,
            start: Start { header: genesis.header().clone(), next_validators: genesis.next_validators().clone() },
            links: (1..=TIP).map(|height| self.chain.link(height)).collect(),
            trust: self.tree.prove(Leaf::Trust),
            epoch: self.tree.prove(Leaf::Epoch),
            nodes: self.tree.prove(Leaf::Nodes),
            members: self.members.clone(),
        }
    }

    /// The same with leaps, as far as members in common allow.
    pub fn short(&self) -> Bundle {
        let genesis = Checkpoint::genesis(&self.chain.genesis).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut client = LightClient::new(self, genesis, Rules::default());
        let links = runtime.block_on(client.follow_links(TIP, clock(TIP))).unwrap();
        Bundle { links, ..self.whole() }
    }

    pub fn verify(&self, bundle: &Bundle, demands: &Demands) -> Result<Verdict, BundleError> {
        bundle.verify(&self.genesis(), demands, clock(TIP))
    }
}

impl Source for &World {
    async fn headers(&self, from: u64, count: u32) -> Result<Headers, Error> {
        Ok(self.chain.headers(from, count))
    }

    async fn place(&self, _: B256) -> Result<Option<Place>, Error> {
        Ok(None)
    }

    async fn inclusion(&self, place: Place) -> Result<Inclusion, Error> {
        Ok(self.chain.inclusion(place.height, place.index))
    }

    async fn leaf(&self, leaf: Leaf, height: u64) -> Result<LeafProof, Error> {
        assert_eq!(height, TIP - 1, "the state that the newest header names");
        Ok(self.tree.prove(leaf))
    }

    async fn genesis_certificate(&self, _: u32) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }
}

/// A state: leaves by their positions.
pub struct Tree(Vec<(B256, Vec<u8>)>);

impl Tree {
    fn new(leaves: Vec<(Leaf, Vec<u8>)>) -> Self {
        let mut placed: Vec<_> = leaves.into_iter().map(|(leaf, value)| (leaf.position(), value)).collect();
        placed.sort();
        Self(placed)
    }

    pub fn root(&self) -> B256 {
        root(&self.0)
    }

    /// What stands under a leaf, with its way to the root.
    pub fn prove(&self, leaf: Leaf) -> LeafProof {
        let position = leaf.position();
        let (mut within, mut siblings) = (self.0.as_slice(), Vec::new());
        while within.len() > 1 {
            let (at, left, right) = split(within);
            let (way, other) = if bit(&position, at) { (right, left) } else { (left, right) };
            siblings.push((at, root(other)));
            within = way;
        }
        let (found, value) = &within[0];
        let value_hash = Leaf::value_hash(value);
        LeafProof {
            value: (*found == position).then(|| value.clone()),
            proof: Proof { siblings, leaf: Some((*found, value_hash)) },
        }
    }
}

fn root(leaves: &[(B256, Vec<u8>)]) -> B256 {
    if let [(position, value)] = leaves {
        return leaf_hash(position, &Leaf::value_hash(value));
    }
    let (at, left, right) = split(leaves);
    branch_hash(at, &root(left), &root(right))
}

type Leaves<'a> = &'a [(B256, Vec<u8>)];

/// Both sides of the first bit in which sorted positions differ.
fn split(leaves: Leaves<'_>) -> (u8, Leaves<'_>, Leaves<'_>) {
    let (first, last) = (&leaves[0].0, &leaves[leaves.len() - 1].0);
    let at = (0..=255).find(|at| bit(first, *at) != bit(last, *at)).unwrap();
    let (left, right) = leaves.split_at(leaves.partition_point(|(position, _)| !bit(position, at)));
    (at, left, right)
}

/// The third epoch.
fn epoch() -> Epoch {
    let [io, registration, input] = [0xa1, 0xa2, 0xa3].map(B256::repeat_byte);
    let began = Genesis::for_tests().time + SECOND;
    Epoch { number: 2, height: 1, began, keys: PublicKeys { io, registration, input }, retiring: None }
}

/// What everybody runs, as both rebuilders built it too.
fn released(chain_id: &str) -> Release {
    let build = Build {
        measurement: measured(PROGRAM),
        source: SOURCE,
        lock: B256::repeat_byte(0x10),
        toolchain: "rustc 1.95.0".into(),
        flags: "--release --locked".into(),
    };
    let by = |secret: [u8; 32]| Rebuilt::sign(&SigningKey::from(secret), &build, chain_id).unwrap();
    let rebuilt = REBUILDERS.map(by).to_vec();
    Release { build, activation: 1, rebuilt }
}

/// The Ed25519 key of a rebuilder.
pub fn public(secret: &[u8; 32]) -> B256 {
    B256::new(VerificationKey::from(&SigningKey::from(*secret)).into())
}

pub fn chip(number: u8) -> Chip {
    Chip::new([number; 16])
}

/// The enclave on a chip that registered as the `index`th of its block.
pub fn node(genesis: &Genesis, number: u8, index: u32) -> (Registration, Node) {
    let bulletin = Bulletin::new(genesis.time / SECOND);
    registered_under(&Policy::production(), genesis, &chip(number), PROGRAM, &bulletin, index)
}

/// What a chain with this policy records of a registration.
pub fn registered_under(
    policy: &Policy,
    genesis: &Genesis,
    chip: &Chip,
    program: B256,
    bulletin: &Bulletin,
    index: u32,
) -> (Registration, Node) {
    let number = chip.ppid[0];
    let consensus_key = B256::repeat_byte(100 + number);
    let word = |part: u8| B256::repeat_byte(part + number);
    let boot = Boot { sign: word(120), kem: word(140), nonce: word(160) };
    let report_data = boot.report_data(&genesis.chain_id, &consensus_key, &chip.hardware_id());
    let enclave = authority::Enclave { measurement: program, report_data, debug: false };
    let evidence = authority::evidence(chip, &enclave, bulletin);
    let registration = Registration { consensus_key, boot, evidence };
    let verified = verified(&registration, policy, bulletin.issued);
    let node = Node {
        owner: sender(),
        consensus_key,
        boot,
        family: verified.family,
        measurement: verified.measurement.digest(),
        evidence: verified.identity,
        collateral: registration.evidence.collateral.hash(),
        registered: Position { height: REGISTERED, index },
        expires: verified.expires,
        share: Bytes::from_static(&[0xaa; 48]),
        revoked: false,
    };
    (registration, node)
}

fn verified(registration: &Registration, policy: &Policy, now: u64) -> Verified {
    cloister_attest::verify(&registration.evidence, policy, Root::Simulated, now).unwrap()
}

pub fn claimed(registration: &Registration) -> B256 {
    registration.evidence.statement.claimed_hardware().unwrap().0
}

/// The digest of a program in an SGX enclave.
pub fn measured(program: B256) -> B256 {
    Measurement::Sgx { enclave: program }.digest()
}

fn bytes(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).unwrap()
}

fn wallet() -> Wallet {
    Wallet::from_mnemonic(crate::HARDHAT_MNEMONIC, 0).unwrap()
}

fn sender() -> Address {
    wallet().cosmos_address()
}

/// The transaction with which an enclave registered, as it travels.
fn transaction(registration: &Registration) -> Bytes {
    let message = RaAuthenticate { sender: sender().to_vec(), certificate: registration.to_bytes() };
    let any = Any {
        type_url: "/secret.registration.v1beta1.RaAuthenticate".into(),
        value: prost::Message::encode_to_vec(&message),
    };
    let place = cosmos::Place { chain_id: "test-1", number: 1, sequence: 0 };
    let terms = cosmos::Terms { gas: 1_000_000, fee: 100_000, memo: String::new() };
    let (raw, _) = wallet().sign_cosmos(&place, vec![any], &terms);
    [&[2][..], &raw].concat().into()
}
