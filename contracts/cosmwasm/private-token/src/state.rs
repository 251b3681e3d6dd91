//! Keys are one letter and, where an account owns the entry, its address. Numbers are big endian. The letters `k` and `p`
//! are taken by viewing keys and permits.

use cosmwasm_std::{StdError, StdResult, Storage, Uint128, from_slice, to_vec};
use serde::{Deserialize, Serialize};

use crate::Owner;

/// balance (16) || transfers so far (4)
const ACCOUNT: u8 = b'a';
/// Followed by the transfer's number (4): direction (1) || amount (16) || seconds (8) || height (8) ||
/// length of the other side's address (1), which is 20 || that address || memo
const TRANSFER: u8 = b'h';
/// Hash of the code that wants to hear of tokens it receives, in hex (64)
const RECEIVER: u8 = b'r';
/// Addresses, as JSON
const MINTERS: &[u8] = b"m";
const SUPPLY: &[u8] = b"s";
const SEED: &[u8] = b"z";
const TOKEN: &[u8] = b"t";

/// What is fixed when the token is made.
#[derive(Serialize, Deserialize)]
pub struct Token {
    pub name: String,
    pub symbol: String,
    pub decimals: u8,
    pub admin: String,
    pub denoms: Vec<String>,
    pub public_supply: bool,
    pub deposit: bool,
    pub redeem: bool,
    pub mint: bool,
}

impl Token {
    pub fn store(&self, storage: &mut dyn Storage) -> StdResult<()> {
        storage.set(TOKEN, &to_vec(self)?);
        Ok(())
    }

    pub fn load(storage: &dyn Storage) -> StdResult<Self> {
        from_slice(&storage.get(TOKEN).ok_or_else(|| StdError::not_found("token"))?)
    }
}

/// One owner's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub balance: Uint128,
    pub transfers: u32,
}

impl Account {
    pub fn load(storage: &dyn Storage, owner: &Owner) -> StdResult<Self> {
        let Some(bytes) = storage.get(&owned(ACCOUNT, owner, &[])) else {
            return Ok(Self { balance: Uint128::zero(), transfers: 0 });
        };
        let mut fields = Fields(&bytes);
        Ok(Self { balance: u128::from_be_bytes(fields.take()?).into(), transfers: u32::from_be_bytes(fields.take()?) })
    }

    pub fn store(&self, storage: &mut dyn Storage, owner: &Owner) {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&self.balance.to_be_bytes());
        bytes[16..].copy_from_slice(&self.transfers.to_be_bytes());
        storage.set(&owned(ACCOUNT, owner, &[]), &bytes);
    }
}

/// One side's memory of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// This side received.
    pub received: bool,
    pub other: Owner,
    pub amount: Uint128,
    pub seconds: u64,
    pub height: u64,
    pub memo: Option<String>,
}

impl Remembered {
    pub fn store(&self, storage: &mut dyn Storage, owner: &Owner, number: u32) {
        let memo = self.memo.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(1 + 16 + 8 + 8 + 1 + self.other.len() + memo.len());
        bytes.push(self.received.into());
        bytes.extend_from_slice(&self.amount.to_be_bytes());
        bytes.extend_from_slice(&self.seconds.to_be_bytes());
        bytes.extend_from_slice(&self.height.to_be_bytes());
        // An address has 20 bytes, and could not have more than 255.
        bytes.push(self.other.len() as u8);
        bytes.extend_from_slice(&self.other);
        bytes.extend_from_slice(memo.as_bytes());
        storage.set(&owned(TRANSFER, owner, &number.to_be_bytes()), &bytes);
    }

    pub fn load(storage: &dyn Storage, owner: &Owner, number: u32) -> StdResult<Self> {
        let key = owned(TRANSFER, owner, &number.to_be_bytes());
        let bytes = storage.get(&key).ok_or_else(|| StdError::not_found("transfer"))?;
        let mut fields = Fields(&bytes);
        let received = fields.take()? == [1];
        let amount = u128::from_be_bytes(fields.take()?).into();
        let seconds = u64::from_be_bytes(fields.take()?);
        let height = u64::from_be_bytes(fields.take()?);
        let [length] = fields.take()?;
        let (other, memo) = fields.0.split_at_checked(length.into()).ok_or_else(too_short)?;
        let memo = if memo.is_empty() { None } else { Some(String::from_utf8(memo.to_vec())?) };
        Ok(Self { received, other: other.into(), amount, seconds, height, memo })
    }
}

pub fn store_supply(storage: &mut dyn Storage, supply: Uint128) {
    storage.set(SUPPLY, &supply.to_be_bytes());
}

pub fn supply(storage: &dyn Storage) -> StdResult<Uint128> {
    let bytes = storage.get(SUPPLY).unwrap_or_default();
    Ok(u128::from_be_bytes(Fields(&bytes).take()?).into())
}

pub fn store_seed(storage: &mut dyn Storage, seed: &[u8; 32]) {
    storage.set(SEED, seed);
}

pub fn seed(storage: &dyn Storage) -> Vec<u8> {
    storage.get(SEED).unwrap_or_default()
}

pub fn store_minters(storage: &mut dyn Storage, minters: &[String]) -> StdResult<()> {
    storage.set(MINTERS, &to_vec(minters)?);
    Ok(())
}

pub fn minters(storage: &dyn Storage) -> StdResult<Vec<String>> {
    storage.get(MINTERS).map_or_else(|| Ok(Vec::new()), |minters| from_slice(&minters))
}

pub fn store_receiver(storage: &mut dyn Storage, contract: &Owner, code_hash: &str) {
    storage.set(&owned(RECEIVER, contract, &[]), code_hash.as_bytes());
}

pub fn receiver(storage: &dyn Storage, contract: &Owner) -> StdResult<Option<String>> {
    Ok(storage.get(&owned(RECEIVER, contract, &[])).map(String::from_utf8).transpose()?)
}

fn owned(letter: u8, owner: &Owner, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + owner.len() + rest.len());
    key.push(letter);
    key.extend_from_slice(owner);
    key.extend_from_slice(rest);
    key
}

/// What is left of an entry.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> StdResult<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*field)
    }
}

fn too_short() -> StdError {
    StdError::generic_err("an entry of the state is too short")
}
