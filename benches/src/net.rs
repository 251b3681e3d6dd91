//! Four validators on this machine: how many transfers a second, and how long one takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cloister_sdk::{B256, U256};
use serde_json::{Value, json};

use crate::Failure;
use crate::evm;
use crate::peer::{Peer, Running};
use crate::plan::Plan;
use crate::rest::Rest;
use crate::rpc::Rpc;
use crate::wasm;

const VALIDATORS: usize = 4;
/// Connections to each node.
const LANES: usize = 4;
/// How often a node is asked for its height: the grain of every latency.
const GRAIN: Duration = Duration::from_millis(5);
/// How long each rate is kept up.
const SECONDS: usize = 20;
const RATES: [usize; 2] = [50, 300];
/// How long nothing happens on purpose, and which blocks are made of it.
const IDLE: Duration = Duration::from_secs(10);
const IDLE_SECONDS: f64 = 0.01;
/// Blocks that a stopped node misses.
const MISSED: u64 = 1_000;

/// A transfer, signed.
pub(crate) struct Job {
    /// Whose it is: an account stays with one connection to one node, so that its transactions arrive in order.
    pub(crate) account: usize,
    /// What is posted.
    pub(crate) body: Vec<u8>,
    pub(crate) hash: B256,
}

/// Through which door transfers go.
#[derive(Clone, Copy)]
enum World {
    Solidity,
    CosmWasm,
}

/// Measures everything and prints it.
pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    println!("{VALIDATORS} validators, {} senders, {} connections", plan.senders, VALIDATORS * LANES);
    let names = ["transfers", "asked/s", "done/s", "executed p50", "p99", "agreed p50", "p99 ms", "blocks"];
    println!(
        "\n{:<28}{:>9}{:>9}{:>14}{:>9}{:>12}{:>9}{:>8}",
        names[0], names[1], names[2], names[3], names[4], names[5], names[6], names[7]
    );
    let data = tempfile::tempdir()?;
    let mut stage = evm::Stage::private(plan, Peer::Network { data: &data.path().join("evm"), idle: None })?;
    worlds(plan, "Solidity, clear amount", World::Solidity, |count| {
        stage.jobs(count).map(|jobs| (jobs, doors(&stage.chain)))
    })?;
    drop(stage);
    let mut stage = wasm::Stage::set(plan, Peer::Network { data: &data.path().join("wasm"), idle: None })?;
    worlds(plan, "CosmWasm, secret.js's form", World::CosmWasm, |count| {
        stage.jobs(count).map(|jobs| (jobs, doors(&stage.chain)))
    })?;
    drop(stage);
    idle(&data.path().join("idle"))
}

/// Addresses of a node's two doors.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) rpc: String,
    pub(crate) rest: String,
}

fn worlds(
    plan: &Plan,
    name: &str,
    world: World,
    mut jobs: impl FnMut(usize) -> Result<(Vec<Job>, Vec<Doors>), Failure>,
) -> Result<(), Failure> {
    let (warm, nodes) = jobs(plan.senders * 2)?;
    Load { jobs: &warm, nodes: &nodes, world, rate: None }.run()?;
    for rate in RATES.map(Some).into_iter().chain([None]) {
        let count = rate.map_or(plan.transfers, |rate| rate * SECONDS).next_multiple_of(plan.senders);
        let (jobs, nodes) = jobs(count)?;
        let taken = Load { jobs: &jobs, nodes: &nodes, world, rate }.run()?;
        let asked = rate.map_or_else(|| "most".to_owned(), |rate| rate.to_string());
        let ms = |times: &[f64], part: f64| times[((times.len() - 1) as f64 * part) as usize] * 1e3;
        println!(
            "{name:<28}{asked:>9}{:>9.0}{:>14.0}{:>9.0}{:>12.0}{:>9.0}{:>8}",
            jobs.len() as f64 / taken.seconds,
            ms(&taken.executed, 0.5),
            ms(&taken.executed, 0.99),
            ms(&taken.agreed, 0.5),
            ms(&taken.agreed, 0.99),
            taken.blocks,
        );
    }
    Ok(())
}

/// Transfers, and how fast to send them.
struct Load<'a> {
    jobs: &'a [Job],
    nodes: &'a [Doors],
    world: World,
    /// A second, whatever the answers; as fast as they are taken if there is none.
    rate: Option<usize>,
}

/// What a load took. Latencies in seconds, sorted.
struct Taken {
    seconds: f64,
    executed: Vec<f64>,
    agreed: Vec<f64>,
    blocks: usize,
}

/// When a node first showed each height. A block, its receipts and its height appear in one commit.
type Seen = BTreeMap<u64, Instant>;

impl Load<'_> {
    fn run(&self) -> Result<Taken, Failure> {
        let seen: Vec<Mutex<Seen>> = self.nodes.iter().map(|_| Mutex::default()).collect();
        let stop = AtomicBool::new(false);
        let start = Instant::now() + Duration::from_millis(50);
        let sent = thread::scope(|scope| {
            for (node, seen) in self.nodes.iter().zip(&seen) {
                let stop = &stop;
                scope.spawn(move || watch(&node.rpc, seen, stop));
            }
            let lanes: Vec<_> = (0..self.lanes()).map(|lane| scope.spawn(move || self.send(lane, start))).collect();
            let sent: Result<Vec<_>, String> =
                lanes.into_iter().map(|lane| lane.join().expect("a connection does not panic")).collect();
            let found = sent.and_then(|sent| self.heights(sent).map_err(|error| error.to_string()));
            // The block after the last one shows that its results are agreed.
            if let Ok(found) = &found {
                let last = found.iter().map(|(_, _, height)| *height).max().unwrap_or(0) + 1;
                let patience = Instant::now() + Duration::from_secs(30);
                while !seen.iter().all(|seen| reached(seen, last)) && Instant::now() < patience {
                    thread::sleep(GRAIN);
                }
            }
            stop.store(true, Ordering::Relaxed);
            found
        })?;
        self.taken(start, &sent, seen)
    }

    fn taken(&self, start: Instant, sent: &[(usize, Instant, u64)], seen: Vec<Mutex<Seen>>) -> Result<Taken, Failure> {
        let seen: Vec<Seen> = seen.into_iter().map(|seen| seen.into_inner().expect("nobody panicked")).collect();
        let (mut executed, mut agreed, mut end) = (Vec::new(), Vec::new(), start);
        let mut blocks = std::collections::BTreeSet::new();
        for (node, asked, height) in sent {
            let shown = |height: u64| {
                let first = seen[*node].range(height..).next().map(|(_, when)| *when);
                first.ok_or_else(|| Failure::from(format!("a node never showed height {height}")))
            };
            end = end.max(shown(*height)?);
            blocks.insert(*height);
            executed.push((shown(*height)? - *asked).as_secs_f64());
            agreed.push((shown(height + 1)? - *asked).as_secs_f64());
        }
        executed.sort_by(f64::total_cmp);
        agreed.sort_by(f64::total_cmp);
        Ok(Taken { seconds: (end - start).as_secs_f64(), executed, agreed, blocks: blocks.len() })
    }

    fn lanes(&self) -> usize {
        self.nodes.len() * LANES
    }

    /// Sends what belongs to one connection; for each the node, when it was due, and its hash.
    fn send(&self, lane: usize, start: Instant) -> Result<Vec<(usize, Instant, B256)>, String> {
        let node = lane % self.nodes.len();
        let door = Door::new(self.world, &self.nodes[node]);
        let mut sent = Vec::new();
        for (number, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.account % self.lanes() == lane) {
            let due = self.rate.map(|rate| start + Duration::from_secs_f64(number as f64 / rate as f64));
            thread::sleep(due.unwrap_or(start).saturating_duration_since(Instant::now()));
            // What waits for a connection waits for the chain.
            let asked = due.unwrap_or_else(Instant::now);
            door.submit(&job.body).map_err(|error| error.to_string())?;
            sent.push((node, asked, job.hash));
        }
        Ok(sent)
    }

    /// The block of each, which has to be a success at the node to which it was sent.
    fn heights(&self, sent: Vec<Vec<(usize, Instant, B256)>>) -> Result<Vec<(usize, Instant, u64)>, Failure> {
        let doors: Vec<Door> = self.nodes.iter().map(|node| Door::new(self.world, node)).collect();
        let found = sent.into_iter().flatten().map(|(node, asked, hash)| Ok((node, asked, doors[node].height(hash)?)));
        found.collect()
    }
}

enum Door {
    Solidity(Rpc),
    CosmWasm(Rest),
}

impl Door {
    fn new(world: World, node: &Doors) -> Self {
        match world {
            World::Solidity => Self::Solidity(Rpc::new(&node.rpc)),
            World::CosmWasm => Self::CosmWasm(Rest::new(&node.rest)),
        }
    }

    /// Posts until it is taken: a full mempool is how a network says that it has enough.
    fn submit(&self, body: &[u8]) -> Result<(), Failure> {
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = match self {
                Self::Solidity(rpc) => rpc.batch::<B256>(body).map(drop),
                Self::CosmWasm(rest) => rest.broadcast(body),
            };
            match answer {
                Err(refusal) if Instant::now() > patience => return Err(refusal),
                Err(_) => thread::sleep(GRAIN),
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Where a transaction that succeeded stands, once it does.
    fn height(&self, hash: B256) -> Result<u64, Failure> {
        let patience = Instant::now() + Duration::from_secs(60);
        match self {
            Self::CosmWasm(rest) => {
                let result = rest.confirm(hash)?;
                Ok(result["height"].as_str().ok_or("a result without a height")?.parse()?)
            }
            Self::Solidity(rpc) => loop {
                match rpc.maybe::<Value>("eth_getTransactionReceipt", json!([hash]))? {
                    Some(receipt) if receipt["status"] == "0x1" => {
                        let height: U256 = serde_json::from_value(receipt["blockNumber"].clone())?;
                        return Ok(height.to());
                    }
                    Some(_) => return Err(format!("{hash} failed").into()),
                    None if Instant::now() > patience => return Err(format!("{hash} is in no block").into()),
                    None => thread::sleep(GRAIN),
                }
            },
        }
    }
}

/// Empty blocks, and how fast a node that missed a thousand of them takes them over.
fn idle(data: &Path) -> Result<(), Failure> {
    let mut chain = Peer::Network { data, idle: Some(IDLE_SECONDS) }.start(10)?;
    let rpc = Rpc::new(&chain.url);
    thread::sleep(Duration::from_secs(3));
    let (from, start) = (height(&rpc)?, Instant::now());
    thread::sleep(IDLE);
    let blocks = height(&rpc)? - from;
    println!("\n{:<46}{:>8.1} ms", "empty blocks, each", start.elapsed().as_secs_f64() * 1e3 / blocks as f64);
    // What the last node has now is set aside, without its vote, and goes on when the others are far ahead. Meanwhile the
    // node is there, or every fourth block would wait for its turn to pass.
    let stopped = chain.stop_last()?;
    let aside = stopped.copy()?;
    let voting = stopped.start()?;
    let goal = height(&rpc)? + MISSED;
    while height(&rpc)? < goal {
        thread::sleep(Duration::from_millis(20));
    }
    drop(voting);
    stopped.replace(&aside)?;
    let start = Instant::now();
    let back = stopped.start()?;
    let late = Rpc::new(&back.doors.rpc);
    let ready = start.elapsed().as_secs_f64();
    while height(&late)? < goal {
        thread::sleep(GRAIN);
    }
    let all = start.elapsed().as_secs_f64();
    println!(
        "{:<46}{:>8.2} s, of which {ready:.2} s until its doors were open",
        "1,000 missed blocks taken over in", all
    );
    Ok(())
}

fn watch(url: &str, seen: &Mutex<Seen>, stop: &AtomicBool) {
    let rpc = Rpc::new(url);
    let mut last = 0;
    while !stop.load(Ordering::Relaxed) {
        if let Ok(height) = height(&rpc)
            && height > last
        {
            last = height;
            seen.lock().expect("nobody panicked").insert(height, Instant::now());
        }
        thread::sleep(GRAIN);
    }
}

fn reached(seen: &Mutex<Seen>, height: u64) -> bool {
    seen.lock().expect("nobody panicked").range(height..).next().is_some()
}

fn height(rpc: &Rpc) -> Result<u64, Failure> {
    Ok(rpc.ask::<U256>("eth_blockNumber", json!([]))?.to())
}

fn doors(chain: &Running) -> Vec<Doors> {
    chain.nodes.iter().map(|node| node.doors.clone()).collect()
}
