//! Epochs: crashes in the middle of a switch; roots and messages of two epochs that do not belong together (M-05, M-26).

use alloy_primitives::{Address, U256};
use cloister_chain::cosmos::sealed::MsgExecute;
use cloister_chain::wire::{ToEnclave, ToHost};
use cloister_chain::{B256, Epoch, Epochs, Genesis, Leaf, Status};
use cloister_keys::{Roots, SealingKey};
use cloister_teeth::Mechanism;

use crate::Failure;
use crate::scenario::{Attempts, Scenario};
use crate::stage::{
    Chain, Code, Counter, Disk, Enclave, Reply, Stage, address, call, execute, genesis, keeper, signed,
};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "crashed-switch",
        rules: "M-05 M-26",
        mechanism: Mechanism::StateEpoch,
        story: "The host kills the enclave in every block of an epoch's switch, and starts it with every older file of roots.",
        attack: crashed,
    },
    Scenario {
        name: "mixed-epochs",
        rules: "M-05 M-26",
        mechanism: Mechanism::StateEpoch,
        story: "Roots of one epoch are kept beside the state of another, or put together from two.",
        attack: mixed,
    },
    Scenario {
        name: "late-message",
        rules: "M-26",
        mechanism: Mechanism::Grace,
        story: "The host holds a message back until the key that it is sealed to should open nothing more.",
        attack: late,
    },
];

/// A chain in its first epoch, with secrets of both worlds.
pub(super) struct Aged {
    pub(super) chain: Chain,
    pub(super) counter: Counter,
    /// What the counter and the keeper at [`KEEPER`] keep.
    pub(super) secret: u32,
}

impl Aged {
    /// Each block of a sweep looks at `sweep` values, of which there are four. The time of grace is in seconds, as many as blocks.
    pub(super) fn begin(stage: &mut Stage, sweep: u32, grace: u64) -> Result<Self, Failure> {
        let secret = stage.dice.value();
        let epochs = Epochs { length: LENGTH, grace: grace * SECOND, sweep };
        let contracts = vec![(KEEPER, Code::keeper(address(1)))];
        let mut chain = Chain::start(stage, Genesis { epochs: Some(epochs), ..genesis(1, contracts) }, 1)?;
        let counter = Counter::start(&mut chain, 1, secret)?;
        counter.another(&mut chain, 2, 0, stage.dice.value())?;
        let number = U256::from(secret).to_be_bytes::<32>();
        let keeps = [keeper::input(keeper::SET, &number), keeper::input(keeper::RESEAL, &[])];
        let calls = (0..).zip(keeps).map(|(nonce, input)| call(2, nonce, KEEPER, input)).collect();
        let kept = chain.run(calls)?.receipts.iter().all(|receipt| receipt.status == Status::Success);
        match kept {
            true => Ok(Self { chain, counter, secret }),
            false => Err("the keeper keeps nothing".into()),
        }
    }

    pub(super) fn epoch(&self) -> Result<Epoch, Failure> {
        Ok(self.chain.disk.read(&Leaf::Epoch).ok_or("a state is in an epoch")?)
    }

    /// Empty blocks until `done`.
    pub(super) fn idle(&mut self, done: impl Fn(&Epoch) -> bool) -> Result<(), Failure> {
        while !done(&self.epoch()?) {
            self.chain.run(Vec::new())?;
        }
        Ok(())
    }

    /// Goes on to the switch. The host's disk before that block.
    fn switch(&mut self) -> Result<Disk, Failure> {
        loop {
            let before = self.chain.disk.clone();
            self.chain.run(Vec::new())?;
            if self.epoch()?.number == 1 {
                return Ok(before);
            }
        }
    }

    /// The roots that a disk keeps: this machine is SIMULATED, and its host has its sealing key.
    pub(super) fn roots(&self, disk: &Disk) -> Result<Roots, Failure> {
        Ok(self.sealing(disk).open_roots(self.chain.genesis.hash().as_slice(), &disk.sealed_roots)?)
    }

    fn seal(&self, disk: &Disk, roots: &Roots) -> Result<Vec<u8>, Failure> {
        Ok(self.sealing(disk).seal_roots(self.chain.genesis.hash().as_slice(), roots)?)
    }

    fn sealing(&self, disk: &Disk) -> SealingKey {
        SealingKey::from_bytes(&self.chain.genesis.chain_id, disk.sealing_key)
    }

    /// An enclave on a copy of a disk, and the disk as it is when the enclave is ready; `None` if it does not take what is there.
    fn start(&self, stage: &Stage, disk: &Disk) -> Result<Option<(Enclave, Disk)>, Failure> {
        let mut enclave = stage.enclave()?;
        if enclave.boot(&self.chain.genesis, disk, None)?.is_none() {
            return Ok(None);
        }
        let leaves = disk.leaves.iter().map(|(leaf, value)| (*leaf, value.clone())).collect();
        enclave.tell(&ToEnclave::Load { leaves, last: true })?;
        let Some(ToHost::Loaded { sealed_roots }) = enclave.hear()? else { return Ok(None) };
        let sealed_roots = sealed_roots.unwrap_or_else(|| disk.sealed_roots.clone());
        Ok(Some((enclave, Disk { sealed_roots, ..disk.clone() })))
    }

    /// Whether an enclave that is killed in the block after this disk, and starts again from there, says what the honest one said to
    /// the end of the chain, and keeps nothing of the root `gone`.
    fn survives(&self, stage: &Stage, disk: &Disk, gone: &[u8]) -> Result<bool, Failure> {
        let height = disk.checkpoint.first_chunk().map(|height| u64::from_le_bytes(*height));
        let height = usize::try_from(height.ok_or("a checkpoint begins with its height")?)?;
        let blocks = || self.chain.decided[height..].iter().zip(&self.chain.outcomes[height + 1..]);
        if let Some((next, _)) = blocks().next() {
            let Some((mut enclave, _)) = self.start(stage, disk)? else { return Ok(false) };
            enclave.begin(next)?;
            // Whatever it has to say, it is killed, and nothing of the block is kept.
            enclave.hear()?;
        }
        let Some((mut enclave, mut disk)) = self.start(stage, disk)? else { return Ok(false) };
        for (next, honest) in blocks() {
            match enclave.execute(next, &disk)? {
                Reply::Done(outcome) if *outcome == *honest => disk.keep(&outcome),
                _ => return Ok(false),
            }
        }
        Ok(!holds(&self.roots(&disk)?.to_bytes(), gone))
    }
}

/// The root of the present epoch among these.
pub(super) fn present(roots: &Roots) -> Vec<u8> {
    roots.to_bytes()[PRESENT].to_vec()
}

pub(super) fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

fn crashed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut aged = Aged::begin(stage, 2, 5)?;
    let mut disks = vec![aged.switch()?];
    let gone = present(&aged.roots(&disks[0])?);
    while aged.epoch()?.retiring.is_some() {
        disks.push(aged.chain.disk.clone());
        aged.chain.run(Vec::new())?;
    }
    disks.push(aged.chain.disk.clone());
    // Something that is sealed when all is over.
    aged.chain.run(vec![call(2, 2, KEEPER, keeper::input(keeper::RESEAL, &[]))])?;

    let mut files: Vec<Vec<u8>> = Vec::new();
    let mut attempts = Attempts::default();
    for (step, disk) in disks.iter().enumerate() {
        if files.last() != Some(&disk.sealed_roots) {
            files.push(disk.sealed_roots.clone());
        }
        for (age, sealed_roots) in files.iter().rev().enumerate() {
            let disk = Disk { sealed_roots: sealed_roots.clone(), ..disk.clone() };
            let survives = aged.survives(stage, &disk, &gone)?;
            match age {
                0 => attempts.also(format!("after step {step} it goes on"), survives),
                _ => attempts.add(format!("after step {step}, with roots {age} files older"), !survives),
            }
        }
    }
    attempts.also("the switch, three blocks of the sweep, a rest, the erasure", disks.len() == 7 && files.len() == 3);
    Ok(attempts)
}

fn mixed(stage: &mut Stage) -> Result<Attempts, Failure> {
    let mut aged = Aged::begin(stage, 2, 5)?;
    let before = aged.switch()?;
    let sweeping = aged.chain.disk.clone();
    aged.idle(|epoch| epoch.retiring.is_none())?;
    let alone = aged.chain.disk.clone();

    let changed = |change: &dyn Fn(&mut [u8])| -> Result<Vec<u8>, Failure> {
        let mut bytes = aged.roots(&sweeping)?.to_bytes();
        change(&mut bytes);
        aged.seal(&sweeping, &Roots::from_bytes(&bytes).ok_or("as long as roots are")?)
    };
    let other: [u8; 32] = stage.dice.bytes();
    let of_another = changed(&|bytes| bytes[RETIRING].copy_from_slice(&other))?;
    let stayed = changed(&|bytes| bytes.copy_within(RETIRING, PRESENT.start))?;
    let swapped = changed(&|bytes| {
        let (present, retiring) = bytes[PRESENT.start..RETIRING.end].split_at_mut(32);
        present.swap_with_slice(retiring);
    })?;
    let elsewhere = aged.roots(&before)?.step(&aged.chain.genesis.chain_id, &B256::new(stage.dice.bytes()));
    let elsewhere = aged.seal(&sweeping, &elsewhere)?;

    let mut attempts = Attempts::default();
    for (what, state, sealed_roots) in [
        ("newer roots than the state", &before, &sweeping.sealed_roots),
        ("roots of after the sweep in the middle of it", &sweeping, &alone.sealed_roots),
        ("a retiring root from elsewhere", &sweeping, &of_another),
        ("the former root as the present one", &sweeping, &stayed),
        ("both roots, exchanged", &sweeping, &swapped),
        ("roots of a switch that the chain never made", &sweeping, &elsewhere),
    ] {
        let disk = Disk { sealed_roots: sealed_roots.clone(), ..state.clone() };
        attempts.add(what, aged.start(stage, &disk)?.is_some());
    }
    for disk in [&before, &sweeping, &alone] {
        attempts.also("a state with its own roots is taken", aged.start(stage, disk)?.is_some());
    }
    Ok(attempts)
}

fn late(stage: &mut Stage) -> Result<Attempts, Failure> {
    const GRACE: u64 = 2;
    let mut aged = Aged::begin(stage, 1, GRACE)?;
    let mut sealed = Vec::new();
    for _ in 0..3 {
        let message = r#"{"increment":{}}"#;
        sealed.push(aged.counter.call(&mut aged.chain, 1, stage.dice.bytes(), message)?.0);
    }
    let send = |aged: &mut Aged, sequence: u64, message: &MsgExecute| -> Result<bool, Failure> {
        let outcome = aged.chain.run(vec![signed(1, sequence, 1_000_000, vec![execute(message)])])?;
        Ok(outcome.receipts[0].status == Status::Success)
    };
    let mut attempts = Attempts::default();
    aged.switch()?;
    attempts.also("in the time of grace it opens", send(&mut aged, 2, &sealed[0])?);
    let over = aged.epoch()?.began + GRACE * SECOND;
    while aged.chain.parent.header.time + SECOND < over {
        aged.chain.run(Vec::new())?;
    }
    let opened = send(&mut aged, 3, &sealed[1])?;
    attempts.add("while the former root is still there", opened);
    attempts.also("it is", aged.epoch()?.retiring.is_some());
    aged.idle(|epoch| epoch.retiring.is_none())?;
    attempts.also("without the root nothing opens", !send(&mut aged, 4, &sealed[2])?);
    Ok(attempts)
}

pub(super) const KEEPER: Address = Address::repeat_byte(0xc0);
const SECOND: u64 = 1_000_000_000;
/// Longer than it takes to put the secrets there.
const LENGTH: u64 = 12 * SECOND;
/// Where [`Roots::to_bytes`] has them.
const PRESENT: std::ops::Range<usize> = 32..64;
const RETIRING: std::ops::Range<usize> = 64..96;
