//! Enclaves that want the seed and should not get it (M-21 to M-28).

use alloy_primitives::{B256, Bytes};
use cloister_attest::simulated_authority::{self as authority, Bulletin, Chip};
use cloister_attest::{Measurement, Policy, Root, Statement};
use cloister_chain::trust::{Boot, Caps, Node, Registration, Release, Trust};
use cloister_chain::{Genesis, Leaf};
use cloister_keys::{BootKey, Secret};
use cloister_teeth::Mechanism;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Dice, Reply, Stage, account, genesis, signed};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "relayed-evidence",
        rules: "M-21 M-25",
        mechanism: Mechanism::EvidenceBinding,
        story: "The host registers a key of its own with the genuine evidence of somebody's enclave, and opens the seed.",
        attack: relayed,
    },
    Scenario {
        name: "replayed-evidence",
        rules: "M-23",
        mechanism: Mechanism::EvidenceOnce,
        story: "Evidence of an earlier start is used again, as it was and with bytes altered that nobody signed.",
        attack: replayed,
    },
    Scenario {
        name: "old-collateral",
        rules: "M-24",
        mechanism: Mechanism::EvidenceTime,
        story: "Evidence comes with what its maker published before the chip was found to be weak.",
        attack: old_collateral,
    },
    Scenario {
        name: "same-chip-twice",
        rules: "M-23",
        mechanism: Mechanism::OneOwner,
        story: "Two accounts register nodes on one chip.",
        attack: same_chip,
    },
    Scenario {
        name: "unlisted-program",
        rules: "M-28",
        mechanism: Mechanism::Releases,
        story: "A program that nobody released, or not yet, asks for the seed.",
        attack: unlisted,
    },
    Scenario {
        name: "many-chips",
        rules: "M-23",
        mechanism: Mechanism::Caps,
        story: "One account registers one machine after the other, until most enclaves are its own.",
        attack: many_chips,
    },
];

/// The program that the chain released.
pub(super) const RELEASED: B256 = B256::repeat_byte(0x0c);
/// Blocks between a decision for a program and its first admission.
pub(super) const DELAY: u64 = 20;
/// The program that it will have released at a height far away.
const COMING: B256 = B256::repeat_byte(0x0d);

/// An enclave that has just started on some chip.
pub(super) struct Starting {
    chip: Chip,
    program: B256,
    pub(super) key: BootKey,
    pub(super) boot: Boot,
    consensus_key: B256,
}

impl Starting {
    pub(super) fn new(dice: &mut Dice, chip: &Chip, program: B256) -> Self {
        let key = BootKey::from_secret(Secret::from_bytes(dice.bytes()));
        let boot = Boot { sign: dice.bytes().into(), kem: key.public().into(), nonce: dice.bytes().into() };
        Self { chip: chip.clone(), program, key, boot, consensus_key: dice.bytes().into() }
    }

    /// What it registers with, on a chain of this name, with what was published at that time.
    pub(super) fn registration(&self, chain_id: &str, published: u64) -> Registration {
        let report_data = self.boot.report_data(chain_id, &self.consensus_key, &self.chip.hardware_id());
        let enclave = authority::Enclave { measurement: self.program, report_data, debug: false };
        let evidence = authority::evidence(&self.chip, &enclave, &Bulletin::new(published));
        Registration { consensus_key: self.consensus_key, boot: self.boot, evidence }
    }

    /// Whether it reads what a node was handed.
    pub(super) fn opens(&self, chain: &Chain, registration: &Registration, node: &Node) -> bool {
        self.key.open("test-1", &chain.genesis.hash(), &registration.id(), &node.share).is_ok()
    }
}

/// A chain that hands its seed to enclaves that run [`RELEASED`].
pub(super) fn chain(stage: &Stage) -> Result<Chain, Failure> {
    chain_with(stage, Policy::production())
}

/// The same with another policy.
pub(super) fn chain_with(stage: &Stage, policy: Policy) -> Result<Chain, Failure> {
    Chain::start(stage, trusting(policy), 1)
}

/// The genesis of such a chain.
pub(super) fn trusting(policy: Policy) -> Genesis {
    let digest = |program| Measurement::Sgx { enclave: program }.digest();
    let release = |program, activation| Release { activation, ..Release::simulated(digest(program)) };
    let mut releases = vec![release(RELEASED, 0), release(COMING, 1_000)];
    releases.sort_by_key(|release| release.build.measurement);
    let trust = Trust { policy, releases, delay: DELAY, caps: Caps::PRODUCTION, ..Trust::default() };
    Genesis { trust: Some(trust), ..genesis(1, Vec::new()) }
}

pub(super) fn chip(stage: &mut Stage) -> Chip {
    Chip::new(stage.dice.bytes())
}

pub(super) fn now(chain: &Chain) -> u64 {
    chain.parent.header.seconds()
}

/// Its transaction, by the account of a user.
pub(super) fn register(user: u8, sequence: u64, registration: &Registration) -> Bytes {
    let message = RaAuthenticate { sender: account(user).to_vec(), certificate: registration.to_bytes() };
    let type_url = "/secret.registration.v1beta1.RaAuthenticate".into();
    signed(user, sequence, 10_000_000, vec![Any { type_url, value: message.encode_to_vec() }])
}

/// The node that the next block admits if it holds this registration.
pub(super) fn admitted(
    stage: &Stage,
    chain: &Chain,
    (user, sequence): (u8, u64),
    registration: &Registration,
    chip: &Chip,
) -> Result<Option<Node>, Failure> {
    let block = chain.decide(chain.propose(vec![register(user, sequence, registration)]));
    let Reply::Done(outcome) = chain.offer(stage, &block)? else { return Err("an honest block".into()) };
    let leaf = Leaf::Node(chip.hardware_id().0);
    let written = outcome.writes.iter().find(|(written, _)| *written == leaf);
    Ok(written.and_then(|(_, value)| borsh::from_slice(value.as_deref()?).ok()))
}

fn relayed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (chain, chip) = (chain(stage)?, chip(stage));
    let genuine = Starting::new(&mut stage.dice, &chip, RELEASED);
    let good = genuine.registration("test-1", now(&chain));
    let own = BootKey::from_secret(Secret::from_bytes(stage.dice.bytes()));
    let mut stolen = good.clone();
    stolen.boot.kem = own.public().into();
    let opens = |key: &BootKey, registration: &Registration| -> Result<bool, Failure> {
        let node = admitted(stage, &chain, (2, 0), registration, &chip)?;
        let open = |node: Node| key.open("test-1", &chain.genesis.hash(), &registration.id(), &node.share).is_ok();
        Ok(node.is_some_and(open))
    };
    let mut attempts = Attempts::default();
    attempts.add("the host's boot key", opens(&own, &stolen)?);
    let mut of_another = good.clone();
    of_another.consensus_key = B256::repeat_byte(9);
    attempts.add("another node's evidence", opens(&genuine.key, &of_another)?);
    let mut of_another_run = good.clone();
    of_another_run.boot.nonce = B256::repeat_byte(9);
    attempts.add("another run's evidence", opens(&genuine.key, &of_another_run)?);
    attempts.add("another chain's evidence", opens(&genuine.key, &genuine.registration("test-2", now(&chain)))?);
    attempts.also("genuine evidence is admitted", opens(&genuine.key, &good)?);
    Ok(attempts)
}

fn replayed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, chip) = (chain(stage)?, chip(stage));
    let first = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
    chain.run(vec![register(1, 0, &first)])?;
    let second = Starting::new(&mut stage.dice, &chip, RELEASED);
    let altered = altered(stage, &chain, &first)?;
    let mut attempts = Attempts::default();
    for (what, again) in [("as it was", &first), ("with bytes altered", &altered)] {
        attempts.add(what, admitted(stage, &chain, (1, 1), again, &chip)?.is_some());
    }
    let second = second.registration("test-1", now(&chain));
    attempts.also("new evidence renews", admitted(stage, &chain, (1, 1), &second, &chip)?.is_some());
    Ok(attempts)
}

/// The same evidence in other bytes, which verify as well.
fn altered(stage: &mut Stage, chain: &Chain, registration: &Registration) -> Result<Registration, Failure> {
    let verify = |registration: &Registration| {
        cloister_attest::verify(&registration.evidence, &Policy::production(), Root::Simulated, now(chain)).ok()
    };
    let identity = verify(registration).ok_or("the evidence is genuine")?.identity;
    for _ in 0..2_000 {
        let mut other = registration.clone();
        let Statement::Dcap { quote } = &mut other.evidence.statement else { break };
        let at = usize::try_from(stage.dice.below(quote.len() as u64))?;
        quote[at] ^= 1 << stage.dice.below(8);
        if verify(&other).is_some_and(|verified| verified.identity == identity) {
            return Ok(other);
        }
    }
    Err("no byte of the evidence can be altered".into())
}

fn old_collateral(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, chip) = (chain(stage)?, chip(stage));
    let then = now(&chain);
    let mut later = chain.propose(Vec::new());
    later.header.time += (60 + stage.dice.below(1_000)) * 86_400_000_000_000;
    chain.run_block(later)?;
    let starting = Starting::new(&mut stage.dice, &chip, RELEASED);
    let old = starting.registration("test-1", then);
    let mut attempts = Attempts::default();
    attempts.add("of two months ago, at least", admitted(stage, &chain, (2, 0), &old, &chip)?.is_some());
    Ok(attempts)
}

fn same_chip(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, chip) = (chain(stage)?, chip(stage));
    let first = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
    chain.run(vec![register(1, 0, &first)])?;
    let second = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(&chain));
    let mut attempts = Attempts::default();
    attempts.add("by another account", admitted(stage, &chain, (2, 0), &second, &chip)?.is_some());
    Ok(attempts)
}

fn many_chips(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = chain(stage)?;
    let mut sequences = [0, 0];
    let mut asks = |stage: &mut Stage, chain: &mut Chain, user: u8| -> Result<bool, Failure> {
        let chip = chip(stage);
        let registration = Starting::new(&mut stage.dice, &chip, RELEASED).registration("test-1", now(chain));
        let sequence = &mut sequences[usize::from(user) - 1];
        let outcome = chain.run(vec![register(user, *sequence, &registration)])?;
        *sequence += 1;
        let leaf = Leaf::Node(chip.hardware_id().0);
        Ok(outcome.writes.iter().any(|(written, _)| *written == leaf))
    };
    let mut attempts = Attempts::default();
    attempts.also("the first of an account", asks(stage, &mut chain, 1)?);
    attempts.also("the first of another", asks(stage, &mut chain, 2)?);
    for what in ["its second", "its third", "its fourth"] {
        attempts.add(what, asks(stage, &mut chain, 1)?);
    }
    Ok(attempts)
}

fn unlisted(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (chain, chip) = (chain(stage)?, chip(stage));
    let mut attempts = Attempts::default();
    for (what, program) in [("never released", B256::new(stage.dice.bytes())), ("not active yet", COMING)] {
        let starting = Starting::new(&mut stage.dice, &chip, program);
        let registration = starting.registration("test-1", now(&chain));
        let node = admitted(stage, &chain, (2, 0), &registration, &chip)?;
        attempts.add(what, node.is_some_and(|node| starting.opens(&chain, &registration, &node)));
    }
    Ok(attempts)
}
