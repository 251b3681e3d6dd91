//! Keys are one letter and, where a voter owns the entry, their address.

use cosmwasm_std::{CanonicalAddr, Env, StdError, StdResult, Storage, from_slice, to_vec};
use serde::{Deserialize, Serialize};

/// What everybody knows, as JSON
const POLL: &[u8] = b"p";
/// For each option a number (4, big endian)
const TALLY: &[u8] = b"t";
/// Followed by an address: the option chosen (1)
const BALLOT: u8 = b'b';
/// Followed by an address: 1 for everybody invited
const INVITED: u8 = b'i';

/// What everybody knows.
#[derive(Serialize, Deserialize)]
pub struct Poll {
    pub owner: String,
    pub question: String,
    pub options: Vec<String>,
    pub closes_at: u64,
    pub by_invitation: bool,
    pub open: bool,
}

impl Poll {
    pub fn store(&self, storage: &mut dyn Storage) -> StdResult<()> {
        storage.set(POLL, &to_vec(self)?);
        Ok(())
    }

    pub fn load(storage: &dyn Storage) -> StdResult<Self> {
        from_slice(&storage.get(POLL).ok_or_else(|| StdError::not_found("poll"))?)
    }

    pub fn is_over(&self, env: &Env) -> bool {
        env.block.time.seconds() >= self.closes_at
    }
}

/// All numbers in one entry: which of them changes cannot be seen.
pub struct Tally(Vec<[u8; 4]>);

impl Tally {
    pub fn new(options: usize) -> Self {
        Self(vec![[0; 4]; options])
    }

    pub fn count(&mut self, choice: u8) {
        for (option, number) in self.0.iter_mut().enumerate() {
            let more = u32::from(option == usize::from(choice));
            // No chain has so many accounts.
            *number = u32::from_be_bytes(*number).saturating_add(more).to_be_bytes();
        }
    }

    pub fn store(&self, storage: &mut dyn Storage) {
        storage.set(TALLY, self.0.as_flattened());
    }

    pub fn load(storage: &dyn Storage) -> StdResult<Self> {
        let bytes = storage.get(TALLY).ok_or_else(|| StdError::not_found("tally"))?;
        Ok(Self(bytes.as_chunks().0.to_vec()))
    }

    pub fn numbers(&self) -> Vec<u32> {
        self.0.iter().map(|number| u32::from_be_bytes(*number)).collect()
    }

    pub fn votes(&self) -> u32 {
        self.numbers().iter().sum()
    }
}

pub fn store_choice(storage: &mut dyn Storage, voter: &CanonicalAddr, choice: u8) {
    storage.set(&of(BALLOT, voter), &[choice]);
}

pub fn choice(storage: &dyn Storage, voter: &CanonicalAddr) -> Option<u8> {
    storage.get(&of(BALLOT, voter))?.first().copied()
}

pub fn admit(storage: &mut dyn Storage, voter: &CanonicalAddr) {
    storage.set(&of(INVITED, voter), &[1]);
}

pub fn is_admitted(storage: &dyn Storage, voter: &CanonicalAddr) -> bool {
    storage.get(&of(INVITED, voter)).is_some()
}

fn of(letter: u8, voter: &CanonicalAddr) -> Vec<u8> {
    [&[letter], voter.as_slice()].concat()
}
