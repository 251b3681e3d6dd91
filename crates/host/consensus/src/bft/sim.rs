//! Whole networks in one thread, from a seed: the engine's state machine and our application, with a clock, a network and a
//! disk that are made up.
//!
//! Messages are delayed, lost, doubled and cut off; nodes crash between any two effects and come back with what they had
//! on disk; clocks differ; one validator may sign two votes where it should sign one. Whatever happens, no two nodes may
//! decide differently, nobody honest may contradict himself, nothing decided may be lost, and once the faults end the chain
//! goes on. A failure names its seed: `CLOISTER_SEED=17 cargo test -p cloister-consensus --lib sim` runs that one alone.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cloister_chain::vote::Statement;
use cloister_chain::{B256, ValidatorSet};
use malachite::app::types::PeerId;

use super::testing::{key, power_tx, set};
use super::{End, Pace};

mod effects;
mod node;
mod random;
mod tests;

use node::SimNode;
use random::Random;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;
/// When simulated time begins, in nanoseconds since the Unix epoch.
const EPOCH: u64 = 1_900_000_000_000 * MS;

/// What a network has to suffer.
#[derive(Clone, Debug)]
struct Faults {
    /// Messages lost, of a thousand.
    loss: u64,
    /// Messages delivered twice, of a thousand.
    doubles: u64,
    /// Longest way of a message, in milliseconds.
    delay: u64,
    /// Chance of a crash per node in each second, of a thousand.
    crashes: u64,
    /// Chance that the network is cut, or healed, in each second, of a thousand.
    cuts: u64,
}

/// A network.
struct World {
    seed: u64,
    random: Random,
    time: u64,
    pace: Pace,
    genesis: ValidatorSet,
    nodes: Vec<SimNode>,
    /// What happens when; the second number keeps the order of what happens at once.
    agenda: BTreeMap<(u64, u64), Happening>,
    count: u64,
    faults: Faults,
    /// Which nodes hear each other: those of one side.
    side: Vec<u64>,
    /// Who signs two votes, and makes two proposals, where one is allowed.
    double_signer: Option<usize>,
    /// Whose enclave computes something else. It ends.
    deviant: Option<usize>,
    /// Powers stay as they are.
    steady: bool,
    /// Crashes so far.
    crashes: u64,
    /// What was decided at each height, by anybody.
    decided: BTreeMap<u64, B256>,
    /// What honest validators signed, by validator, kind, height and round.
    signed: BTreeMap<(usize, u8, u64, u32), Statement>,
    sent: u64,
}

/// Something on the agenda. What is meant for a node that crashed since is dropped: `life` counts its lives.
enum Happening {
    Arrival {
        to: usize,
        life: u64,
        from: usize,
        packet: Packet,
    },
    Timeout {
        node: usize,
        life: u64,
        timer: u64,
    },
    Execution {
        node: usize,
        life: u64,
    },
    Wake {
        node: usize,
        life: u64,
    },
    Status {
        node: usize,
        life: u64,
    },
    Boot {
        node: usize,
    },
    /// Once a second, faults are drawn.
    Second,
}

/// What travels, encoded as it is on the wire.
#[derive(Clone)]
enum Packet {
    Consensus(Bytes),
    Liveness(Bytes),
    Part(Bytes),
    Status(Bytes),
    Request(Bytes),
    Response(Bytes),
}

impl World {
    /// A network whose validators have these powers.
    fn new(seed: u64, powers: &[u64], faults: Faults) -> Self {
        let millis = std::time::Duration::from_millis;
        // The engine measures a height's least time with the machine's clock: so long that this never matters; the node cuts
        // it short in simulated time.
        let target = (seed % 2 == 1).then_some(millis(3_600_000));
        let pace = Pace { idle: millis(2_000), target, ..Pace::default() };
        let genesis = set(powers);
        let mut world = Self {
            seed,
            random: Random::new(seed),
            time: EPOCH,
            pace,
            nodes: Vec::new(),
            agenda: BTreeMap::new(),
            count: 0,
            faults,
            side: vec![0; powers.len()],
            double_signer: None,
            deviant: None,
            steady: false,
            crashes: 0,
            decided: BTreeMap::new(),
            signed: BTreeMap::new(),
            sent: 0,
            genesis,
        };
        for index in 0..powers.len() {
            world.nodes.push(SimNode::new(index, &world.genesis));
            let skew = world.random.below(4_000) as i64 - 2_000;
            world.nodes[index].skew = skew * MS as i64;
            world.plan(world.time, Happening::Boot { node: index });
        }
        world.plan(EPOCH + 1_000 * MS, Happening::Second);
        world
    }

    /// Lets `millis` of simulated time pass.
    fn run(&mut self, millis: u64) {
        let until = self.time + millis * MS;
        while let Some(next) = self.agenda.first_entry().filter(|next| next.key().0 <= until) {
            let ((time, _), happening) = next.remove_entry();
            self.time = time;
            self.happen(happening);
        }
        self.time = until;
    }

    /// Lets time pass until every node has executed `height`; fails after `millis` of it.
    fn reach(&mut self, height: u64, millis: u64) {
        let until = self.time + millis * MS;
        while self.heights().iter().any(|reached| *reached < height) {
            assert!(self.time < until, "seed {}: no height {height}: {:?}", self.seed, self.heights());
            self.run(100);
        }
    }

    /// Ends all faults.
    fn heal(&mut self) {
        self.faults = Faults { loss: 0, doubles: 0, delay: 20, crashes: 0, cuts: 0 };
        self.side.fill(0);
    }

    /// Heights that nodes have executed; a deviant's do not count.
    fn heights(&self) -> Vec<u64> {
        let nodes = self.nodes.iter().filter(|node| self.deviant != Some(node.index));
        nodes.map(|node| node.shared.lock().parent.header.height).collect()
    }

    /// A new transaction in the mempools of some nodes.
    fn send(&mut self) {
        self.sent += 1;
        let mut tx = bytes_of(self.sent);
        if !self.steady && self.random.chance(50) {
            let index = self.random.below(self.nodes.len() as u64) as usize;
            tx = power_tx(key(index).public(), 1 + self.random.below(4)).to_vec();
        }
        for index in 0..self.nodes.len() {
            if self.random.chance(800) && self.nodes[index].is_up() {
                self.nodes[index].shared.lock().pool.push(tx.clone().into());
                self.with(index, |_, _| Ok(()));
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrival { to, life, from, packet } => {
                if self.lives(to, life) {
                    self.with(to, |node, out| node.receive(from, &packet, out));
                }
            }
            Happening::Timeout { node, life, timer } => {
                if self.lives(node, life) {
                    self.with(node, |node, out| node.timeout(timer, out));
                }
            }
            Happening::Execution { node, life } => {
                if self.lives(node, life) {
                    self.nodes[node].shared.lock().execute();
                    self.with(node, |_, _| Ok(()));
                }
            }
            Happening::Wake { node, life } => {
                if self.lives(node, life) {
                    self.with(node, |_, _| Ok(()));
                }
            }
            Happening::Status { node, life } => {
                if self.lives(node, life) {
                    self.with(node, |node, out| node.status(out));
                    self.plan(self.time + 500 * MS, Happening::Status { node, life });
                }
            }
            Happening::Boot { node } => {
                let (genesis, pace) = (self.genesis.clone(), self.pace);
                self.with(node, |node, out| node.boot(&genesis, pace, out));
                let life = self.nodes[node].life;
                self.plan(self.time + 500 * MS, Happening::Status { node, life });
            }
            Happening::Second => {
                self.draw_faults();
                self.plan(self.time + 1_000 * MS, Happening::Second);
            }
        }
    }

    fn lives(&self, node: usize, life: u64) -> bool {
        self.nodes[node].is_up() && self.nodes[node].life == life
    }

    fn draw_faults(&mut self) {
        for index in 0..self.nodes.len() {
            if self.nodes[index].is_up() && self.random.chance(self.faults.crashes) {
                // It dies between two effects that are still to come.
                let effects = 1 + self.random.below(30);
                self.nodes[index].doom(effects);
            }
        }
        if self.random.chance(self.faults.cuts) {
            let whole = self.random.chance(400);
            for side in &mut self.side {
                *side = if whole { 0 } else { self.random.below(2) };
            }
        }
    }

    /// Lets a node do something, then carries out what it wants.
    fn with(&mut self, index: usize, act: impl FnOnce(&mut SimNode, &mut Out) -> Result<(), End>) {
        let mut out = Out::default();
        let node = &mut self.nodes[index];
        let clock = self.time.saturating_add_signed(node.skew);
        node.shared.lock().clock = Some(clock);
        let end = act(node, &mut out).and_then(|()| node.settle(&mut out));
        if node.is_dead() {
            node.crash();
            self.crashes += 1;
            let after = self.time + (200 + self.random.below(5_000)) * MS;
            self.plan(after, Happening::Boot { node: index });
        } else if let Err(end) = end {
            let expected = self.deviant == Some(index) && matches!(end, End::Diverged(_));
            assert!(expected, "seed {}: node {index} ended: {end}", self.seed);
            node.crash();
        }
        self.carry_out(index, out);
    }

    fn carry_out(&mut self, index: usize, out: Out) {
        let life = self.nodes[index].life;
        for (height, block) in out.decided {
            let first = *self.decided.entry(height).or_insert(block);
            assert_eq!(first, block, "seed {}: two blocks were decided at height {height}", self.seed);
            let after = self.time + (1 + self.random.below(40)) * MS;
            self.plan(after, Happening::Execution { node: index, life });
        }
        let honest = self.double_signer != Some(index);
        for statement in out.signed.into_iter().filter(|_| honest) {
            let kind = match statement {
                Statement::Proposal { .. } => 0,
                Statement::Prevote { .. } => 1,
                Statement::Precommit { .. } => 2,
            };
            let place = (index, kind, statement.height(), statement.round());
            let first = *self.signed.entry(place).or_insert(statement);
            assert_eq!(first, statement, "seed {}: validator {index} contradicts itself", self.seed);
        }
        for (after, timer) in out.timers {
            self.plan(self.time + after, Happening::Timeout { node: index, life, timer });
        }
        if let Some(time) = out.wake {
            // In the node's own time.
            let time = time.saturating_add_signed(-self.nodes[index].skew).max(self.time);
            self.plan(time, Happening::Wake { node: index, life });
        }
        for (to, packet) in out.packets {
            match to {
                Some(to) => self.post(index, to, packet),
                None => self.broadcast(index, &packet),
            }
        }
    }

    fn broadcast(&mut self, from: usize, packet: &Packet) {
        let double = self.double_signer == Some(from);
        let others = if double { self.nodes[from].contradictions(packet) } else { Vec::new() };
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            // Half of them hear the one thing first, half the other.
            let both = std::iter::once(packet).chain(&others);
            let both: Vec<Packet> = if to % 2 == 0 { both.cloned().collect() } else { both.rev().cloned().collect() };
            for packet in both {
                self.post(from, to, packet);
            }
        }
    }

    fn post(&mut self, from: usize, to: usize, packet: Packet) {
        if self.side[from] != self.side[to] || self.random.chance(self.faults.loss) {
            return;
        }
        let copies = 1 + u64::from(self.random.chance(self.faults.doubles));
        for _ in 0..copies {
            let delay = MS / 10 + self.random.below(self.faults.delay * MS);
            let life = self.nodes[to].life;
            self.plan(self.time + delay, Happening::Arrival { to, life, from, packet: packet.clone() });
        }
    }

    fn plan(&mut self, time: u64, happening: Happening) {
        self.count += 1;
        self.agenda.insert((time, self.count), happening);
    }

    /// Every node has the same blocks, none twice the same transaction.
    fn compare(&self) {
        let chains: Vec<Vec<B256>> = self.nodes.iter().map(|node| node.shared.lock().hashes()).collect();
        let longest = chains.iter().max_by_key(|chain| chain.len()).expect("there are nodes");
        assert!(chains.iter().all(|chain| longest.starts_with(chain)), "seed {}: chains differ", self.seed);
        for (height, block) in (1..).zip(longest) {
            assert_eq!(self.decided.get(&height), Some(block), "seed {}: block {height} was lost", self.seed);
        }
        let node = self.nodes[0].shared.lock();
        let txs = node.disk.decided.iter().flat_map(|(block, _)| &block.txs).filter(|tx| !tx.starts_with(b"power"));
        let mut seen = BTreeSet::new();
        for tx in txs {
            assert!(seen.insert(tx.clone()), "seed {}: a transaction was decided twice", self.seed);
        }
    }
}

/// What a node wants done.
#[derive(Default)]
struct Out {
    /// To one node, or to all others.
    packets: Vec<(Option<usize>, Packet)>,
    /// Nanoseconds from now, and which timer.
    timers: Vec<(u64, u64)>,
    wake: Option<u64>,
    decided: Vec<(u64, B256)>,
    signed: Vec<Statement>,
}

fn bytes_of(number: u64) -> Vec<u8> {
    format!("tx {number}").into_bytes()
}

/// The name of node `index` among its peers.
fn peer(index: usize) -> PeerId {
    let mut seed = [index as u8 + 1; 32];
    let pair = libp2p::identity::Keypair::ed25519_from_bytes(&mut seed).expect("a key of 32 bytes");
    PeerId::from_bytes(&pair.public().to_peer_id().to_bytes()).expect("a peer id")
}
