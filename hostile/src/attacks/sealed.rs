//! What the host keeps for the enclave, put back, copied, taken elsewhere (M-04, M-05).

use alloy_primitives::U256;
use cloister_chain::{Cell, Leaf};
use cloister_keys::SealingKey;
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{Chain, Code, Disk, Stage, address, call, genesis, keeper, next_of, signed_by, transfer};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "rolled-back-file",
        rules: "M-04 M-05",
        mechanism: Mechanism::Certificate,
        story: "The host puts an older sealed state back, and tries other blocks from there.",
        attack: rolled_back,
    },
    Scenario {
        name: "stolen-disk",
        rules: "M-05",
        mechanism: Mechanism::MachineKey,
        story: "The sealed files are taken to another machine.",
        attack: stolen,
    },
    Scenario {
        name: "two-boots",
        rules: "M-13 D8",
        mechanism: Mechanism::HeaderInSalts,
        story: "Two enclaves start from one file and execute one transaction in two blocks that compete: two values under one salt.",
        attack: two_boots,
    },
    Scenario {
        name: "hardware-genesis",
        rules: "D11",
        mechanism: Mechanism::SimulatedOnly,
        story: "On a simulated machine the host starts a chain that promises hardware, and unseals its seed.",
        attack: hardware,
    },
];

fn rolled_back(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::four(stage)?;
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    let (old, below) = (chain.disk.clone(), chain.parent.clone());
    chain.run(vec![transfer(1, 1, address(2), 6)])?;
    chain.run(vec![transfer(1, 2, address(2), 7)])?;

    let mut attempts = Attempts::default();
    let mut back = chain.another(stage, &old)?;
    for height in [2, 3] {
        let outcome = back.execute(&chain.decided[height - 1], &old)?.outcome()?;
        let same = outcome == chain.outcomes[height];
        attempts.also(format!("block {height} leaves the enclave as it did the first time"), same);
    }
    let other = next_of(&below, vec![transfer(1, 1, address(1), 6)]);
    let reply = chain.another(stage, &old)?.execute(&signed_by(&[], other), &old)?;
    attempts.add("a block that the chain never had", reply.is_done());
    Ok(attempts)
}

fn stolen(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut chain = Chain::solo(stage)?;
    chain.run(vec![transfer(1, 0, address(2), 5)])?;
    let mut attempts = Attempts::default();
    let boots =
        |disk: &Disk| -> Result<bool, Failure> { Ok(stage.enclave()?.boot(&chain.genesis, disk, None)?.is_some()) };
    let elsewhere = Disk { sealing_key: [2; 32], ..chain.disk.clone() };
    attempts.add("seed and state", boots(&elsewhere)?);
    attempts.add("the seed alone", boots(&Disk { checkpoint: Vec::new(), ..elsewhere.clone() })?);
    for cut in [1, 8, 20] {
        let short = |bytes: &[u8]| bytes[..bytes.len().saturating_sub(cut)].to_vec();
        let seed = Disk { sealed_roots: short(&chain.disk.sealed_roots), ..chain.disk.clone() };
        let state = Disk { checkpoint: short(&chain.disk.checkpoint), ..chain.disk.clone() };
        attempts.also("a file that lacks its end is refused", !boots(&seed)? && !boots(&state)?);
    }
    let without_seed = Disk { sealed_roots: Vec::new(), ..chain.disk.clone() };
    attempts.also("a state without its seed is refused", !boots(&without_seed)?);
    attempts.also("at home it opens", boots(&chain.disk)?);
    Ok(attempts)
}

fn two_boots(stage: &mut Stage) -> Result<Attempts, Failure> {
    let contract = address(200);
    let chain = Chain::with(stage, vec![(contract, Code::keeper(address(1)))])?;
    let reseal = call(1, 0, contract, keeper::input(keeper::RESEAL, &[]));
    let sealed = |value: u64| -> Result<U256, Failure> {
        let set = call(2, 0, contract, keeper::input(keeper::SET, &U256::from(value).to_be_bytes::<32>()));
        let block = chain.decide(chain.propose(vec![set, reseal.clone()]));
        let mut disk = chain.disk.clone();
        disk.keep(&chain.another(stage, &disk)?.execute(&block, &disk)?.outcome()?);
        let leaf = Leaf::Storage(contract, U256::from(keeper::COPY).into());
        Ok(disk.read::<Cell>(&leaf).ok_or("the keeper seals what it keeps")?.word)
    };
    let (one, other) = (sealed(0x1234)?, sealed(0x9876)?);
    let (c, r) = (one >> 128, one & U256::from(u128::MAX));
    let difference = c ^ (other >> 128);
    let mut attempts = Attempts::default();
    let same_salt = r == other & U256::from(u128::MAX);
    attempts.add("the difference of two secrets", same_salt && difference == U256::from(0x1234 ^ 0x9876));
    Ok(attempts)
}

fn hardware(stage: &mut Stage) -> Result<Attempts, Failure> {
    let promised = genesis(1, Vec::new()).on_hardware();
    let disk = Disk { sealing_key: stage.dice.bytes(), ..Disk::default() };
    let booted = stage.enclave()?.boot(&promised, &disk, None)?;
    let machine = SealingKey::from_bytes(&promised.chain_id, disk.sealing_key);
    let seed = booted.and_then(|booted| machine.open_roots(promised.hash().as_slice(), &booted.sealed_roots).ok());
    let mut attempts = Attempts::default();
    attempts.add("the seed of a chain that promises hardware", seed.is_some());
    Ok(attempts)
}
