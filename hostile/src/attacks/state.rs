//! State that is not the chain's (M-03).

use alloy_primitives::U256;
use cloister_chain::trail::{Link, Trail};
use cloister_chain::{Account, B256, Leaf};
use cloister_keys::{Keys, Roots, Seed, WritePlace};
use cloister_state::{Cache, Supplied, Supply, SupplyError, Tree, View, Wanted};
use cloister_teeth::Mechanism;

use super::evm::{keeper_chain, told};
use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Code, Disk, Stage, address, call, keeper, transfer};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "stale-value",
        rules: "M-03",
        mechanism: Mechanism::ReadProof,
        story: "Asked for a record, the host gives what stood there before.",
        attack: stale,
    },
    Scenario {
        name: "swapped-records",
        rules: "M-03",
        mechanism: Mechanism::ReadProof,
        story: "Asked for a record, the host gives another one, or one that it made up.",
        attack: swapped,
    },
    Scenario {
        name: "absent-record",
        rules: "M-03",
        mechanism: Mechanism::LoadedRoot,
        story: "The host says that there is no such record.",
        attack: absent,
    },
    Scenario {
        name: "bad-chunk",
        rules: "M-30",
        mechanism: Mechanism::LoadedRoot,
        story: "In a snapshot from peers one value is another one.",
        attack: bad_chunk,
    },
    Scenario {
        name: "swapped-code",
        rules: "M-03",
        mechanism: Mechanism::BlobHash,
        story: "Asked for a contract's code, the host gives code that tells the contract's secret.",
        attack: swapped_code,
    },
    Scenario {
        name: "moved-sealed-record",
        rules: "M-13",
        mechanism: Mechanism::StateContext,
        story: "A sealed value is put into another record of its contract.",
        attack: moved_record,
    },
];

/// A host that answers one thing, whatever it is asked.
struct Liar(Vec<u8>);

impl Supply for Liar {
    fn supply(&mut self, _: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        let leaves = wanted.leaves;
        Ok(Supplied { leaves: vec![Some(self.0.clone()); leaves.len()], ..Supplied::default() })
    }
}

/// Whether the enclave, with nothing in its cache, takes `lie` for what stands under `leaf` in the state of `disk`.
fn believed(disk: &Disk, leaf: Leaf, lie: Vec<u8>) -> bool {
    let mut tree = Tree::new();
    tree.apply_writes(&disk.leaves.iter().map(|(leaf, value)| (*leaf, Some(value.clone()))).collect::<Vec<_>>());
    View::new(tree, 1, Cache::default(), Liar(lie.clone())).read(&leaf) == Ok(Some(lie))
}

fn stale(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    let before = chain.disk.clone();
    chain.run(vec![transfer(1, 0, address(2), 5 + stage.dice.below(1_000))])?;
    let mut attempts = Attempts::default();
    for (leaf, value) in chain.disk.leaves.iter().filter(|(_, value)| value.len() > 1) {
        let Some(old) = before.leaves.get(leaf).filter(|old| *old != value) else { continue };
        attempts.add(format!("{leaf:?}"), believed(&chain.disk, *leaf, old.clone()));
    }
    Ok(attempts)
}

fn swapped(stage: &mut Stage) -> Result<Attempts, Failure> {
    let chain = Chain::solo(stage)?;
    let leaf = Leaf::Account(address(1));
    let rich = Account { balance: U256::from(stage.dice.next()), ..Account::default() };
    let mut attempts = Attempts::default();
    for (what, lie) in [
        ("another's", chain.disk.leaves[&Leaf::Chain].clone()),
        ("made up", borsh::to_vec(&rich)?),
        ("nothing", Vec::new()),
    ] {
        attempts.add(what, believed(&chain.disk, leaf, lie));
    }
    Ok(attempts)
}

fn absent(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    let mut attempts = Attempts::default();
    // Without its account the victim has nothing and may sign with a used sequence again.
    for leaf in [Leaf::Account(address(1)), Leaf::block_hash(1), Leaf::Chain] {
        let mut disk = chain.disk.clone();
        disk.leaves.remove(&leaf);
        let mut enclave = stage.enclave()?;
        attempts.add(format!("no {leaf:?}"), enclave.resume(&chain.genesis, &disk)?);
    }
    Ok(attempts)
}

fn bad_chunk(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    let disk = chain.disk.clone();
    chain.run(Vec::new())?;
    let [first, second] = &chain.decided[..] else { return Err("two blocks".into()) };
    let set = chain.genesis.validators.clone();
    let (header, certificate) = (second.block.header.clone(), second.certificate.clone());
    let links = vec![Link { header, certificate, next: set.clone() }];
    let (header, certificate) = (first.block.header.clone(), first.certificate.clone());
    let trail = Trail { links, header, certificate, signers: set };

    let mut attempts = Attempts::default();
    let join = |disk: &Disk| -> Result<bool, Failure> {
        let mut enclave = stage.enclave()?;
        let booted = enclave.boot(&chain.genesis, disk, Some(trail.clone()))?.is_some();
        Ok(booted && enclave.load(&disk.leaves)?)
    };
    attempts.also("the true snapshot is taken", join(&disk)?);
    for leaf in disk.leaves.keys().take(4) {
        let mut other = disk.clone();
        if let Some(byte) = other.leaves.get_mut(leaf).and_then(|value| value.last_mut()) {
            *byte ^= 1;
        }
        attempts.add(format!("another {leaf:?}"), join(&other)?);
    }
    Ok(attempts)
}

fn swapped_code(stage: &mut Stage) -> Result<Attempts, Failure> {
    let (mut chain, contract, secret) = keeper_chain(stage)?;
    let code = chain.disk.read::<Account>(&Leaf::Account(contract)).ok_or("the contract is there")?.code;
    // The same contract, but its owner is the host. A fresh enclave has no code and asks for it.
    let mut disk = chain.disk.clone();
    disk.blobs.insert(code, Code::keeper(address(2)));
    let block = chain.decide(chain.propose(vec![call(2, 0, contract, keeper::input(keeper::REVEAL, &[]))]));
    let reply = chain.another(stage, &disk)?.execute(&block, &disk)?;
    let mut attempts = Attempts::default();
    attempts.add("code that tells", told(&reply, 0) == Some(U256::from(secret)));
    attempts.also("the true code does not tell", told(&chain.offer(stage, &block)?, 0).is_none());
    chain.run(Vec::new())?;
    Ok(attempts)
}

fn moved_record(stage: &mut Stage) -> Result<Attempts, Failure> {
    let keys = Keys::new("test-1", Roots::found("test-1", Seed::from_bytes(stage.dice.bytes())));
    let state = keys.contract_state(address(9));
    let place = WritePlace { height: 1, header_hash: B256::new(stage.dice.bytes()), transaction: 0, write: 0 };
    let (salary, published) = (state.name(b"salary"), state.name(b"published"));
    let secret = stage.dice.bytes::<20>();
    let sealed = state.seal(salary, &place, &secret)?;
    let mut attempts = Attempts::default();
    let opened = state.open(published, &sealed).ok();
    attempts.add("a record that the contract shows", opened.is_some_and(|opened| opened.as_slice() == secret));
    attempts.also("it opens in its own", state.open(salary, &sealed).is_ok_and(|opened| opened.as_slice() == secret));
    Ok(attempts)
}
