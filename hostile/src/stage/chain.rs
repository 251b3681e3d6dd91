//! An honest chain of a few validators, all of whose keys this program has.

use alloy_primitives::U256;
use cloister_chain::certificate::{Precommit, sign_bytes};
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{Answer, Execute, Query};
use cloister_chain::{Address, B256, Block, Bytes, Certificate, Genesis, Outcome, Parent, Validator, ValidatorSet};
use ed25519_zebra::{SigningKey, VerificationKey};

use super::{Disk, Enclave, Reply, Stage, account, address};
use crate::Failure;

/// The chain, its one enclave, and the disk of the host that owns both.
pub(crate) struct Chain {
    pub(crate) genesis: Genesis,
    pub(crate) enclave: Enclave,
    pub(crate) disk: Disk,
    /// What the next block stands on.
    pub(crate) parent: Parent,
    /// What was decided, from height 1.
    pub(crate) decided: Vec<Execute>,
    /// Everything that ever left the enclave about a block.
    pub(crate) outcomes: Vec<Outcome>,
    validators: u8,
}

impl Chain {
    /// A chain of one validator.
    pub(crate) fn solo(stage: &Stage) -> Result<Self, Failure> {
        Self::start(stage, genesis(1, Vec::new()), 1)
    }

    /// A chain of one validator with these contracts.
    pub(crate) fn with(stage: &Stage, contracts: Vec<(Address, Bytes)>) -> Result<Self, Failure> {
        Self::start(stage, genesis(1, contracts), 1)
    }

    /// A chain of four.
    pub(crate) fn four(stage: &Stage) -> Result<Self, Failure> {
        Self::of(stage, 4)
    }

    /// A chain of so many validators.
    pub(crate) fn of(stage: &Stage, validators: u8) -> Result<Self, Failure> {
        Self::start(stage, genesis(validators, Vec::new()), validators)
    }

    pub(crate) fn start(stage: &Stage, genesis: Genesis, validators: u8) -> Result<Self, Failure> {
        let mut disk = Disk { sealing_key: [1; 32], ..Disk::default() };
        let mut enclave = stage.enclave()?;
        let booted = enclave.boot(&genesis, &disk, None)?.ok_or("a new chain does not boot")?;
        let outcome = booted.genesis.ok_or("a new chain has no state")?;
        disk.sealed_roots = booted.sealed_roots;
        disk.keep(&outcome);
        let parent = Parent::genesis(&genesis, &outcome);
        Ok(Self { genesis, enclave, disk, parent, decided: Vec::new(), outcomes: vec![outcome], validators })
    }

    /// The block that an honest proposer makes of `txs`.
    pub(crate) fn propose(&self, txs: Vec<Bytes>) -> Block {
        next_of(&self.parent, txs)
    }

    /// What all validators sign.
    pub(crate) fn decide(&self, block: Block) -> Execute {
        signed_by(&keys(self.validators), block)
    }

    /// An honest block of `txs`, decided, executed and kept.
    pub(crate) fn run(&mut self, txs: Vec<Bytes>) -> Result<&Outcome, Failure> {
        self.run_block(self.propose(txs))
    }

    /// The same with a block that is made already.
    pub(crate) fn run_block(&mut self, block: Block) -> Result<&Outcome, Failure> {
        let next = self.decide(block);
        let outcome = self.enclave.execute(&next, &self.disk)?.outcome()?;
        self.disk.keep(&outcome);
        self.parent = self.parent.then(next.block.header.clone(), next.certificate.clone(), &outcome);
        self.decided.push(next);
        self.outcomes.push(outcome);
        Ok(&self.outcomes[self.outcomes.len() - 1])
    }

    pub(crate) fn ask(&mut self, query: Query) -> Result<Answer, Failure> {
        self.enclave.ask(query, &self.disk)
    }

    /// Another enclave on a copy of a disk: a clone, a restart, a roll-back.
    pub(crate) fn another(&self, stage: &Stage, disk: &Disk) -> Result<Enclave, Failure> {
        let mut enclave = stage.enclave()?;
        match enclave.resume(&self.genesis, disk)? {
            true => Ok(enclave),
            false => Err("an enclave does not take its own sealed state".into()),
        }
    }

    /// What a fresh copy of the enclave, at the tip, makes of a block.
    pub(crate) fn offer(&self, stage: &Stage, block: &Execute) -> Result<Reply, Failure> {
        self.another(stage, &self.disk)?.execute(block, &self.disk)
    }
}

/// A genesis of `validators` members with power 1 each, two users rich in both worlds, and contracts.
pub(crate) fn genesis(validators: u8, contracts: Vec<(Address, Bytes)>) -> Genesis {
    let coins = |user| GenesisAccount { address: account(user), coins: 100_000_000, ..GenesisAccount::default() };
    let ether = |user| GenesisAccount {
        address: address(user),
        balance: U256::from(1u128 << 100),
        ..GenesisAccount::default()
    };
    let contract = |(address, code)| GenesisAccount { address, code, ..GenesisAccount::default() };
    let mut accounts: Vec<_> = (1..=2).map(coins).chain((1..=2).map(ether)).collect();
    accounts.extend(contracts.into_iter().map(contract));
    Genesis { validators: named(&keys(validators)), accounts, ..Genesis::for_tests() }
}

/// The key of a validator; 1 is that of [`Genesis::for_tests`].
pub(crate) fn key(validator: u8) -> SigningKey {
    SigningKey::from([validator.wrapping_add(6); 32])
}

fn keys(validators: u8) -> Vec<SigningKey> {
    (1..=validators).map(key).collect()
}

/// The set of the owners of these keys, with power 1 each.
pub(crate) fn named(keys: &[SigningKey]) -> ValidatorSet {
    let member = |key: &SigningKey| Validator { key: public(key), power: 1 };
    ValidatorSet::new(keys.iter().map(member).collect()).expect("the keys differ and are few")
}

/// A block on top of `parent`, by the first validator, one second later.
pub(crate) fn next_of(parent: &Parent, txs: Vec<Bytes>) -> Block {
    let proposer = parent.validators.iter().next().map(Validator::address).unwrap_or_default();
    parent.block(txs, Vec::new(), parent.header.time + 1_000_000_000, proposer)
}

/// A block with a certificate by the owners of these keys.
pub(crate) fn signed_by(keys: &[SigningKey], block: Block) -> Execute {
    let header = &block.header;
    let hash = header.hash();
    let message = sign_bytes(&header.chain_id, header.height, 0, &hash);
    let precommit =
        |key: &SigningKey| Precommit { validator: public(key), signature: key.sign(message.as_slice()).into() };
    let mut precommits: Vec<_> = keys.iter().map(precommit).collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    let certificate = Certificate { height: header.height, round: 0, block: hash, precommits };
    Execute { block, certificate }
}

fn public(key: &SigningKey) -> B256 {
    B256::new(VerificationKey::from(key).into())
}
