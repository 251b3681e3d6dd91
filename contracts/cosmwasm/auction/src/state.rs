//! Keys are one letter and what tells entries of a kind apart. Numbers are big endian.

use cosmwasm_std::{CanonicalAddr, Coin, Env, StdError, StdResult, Storage, Uint128, from_slice, to_vec};
use serde::{Deserialize, Serialize};

use crate::{Sale, ShownBid};

/// What everybody knows, as JSON
const LOT: &[u8] = b"l";
/// How many bidders there are (4)
const BIDDERS: &[u8] = b"n";
/// Followed by an address: the bidder's seat (4), counted from 0
const SEAT: u8 = b's';
/// Followed by a seat (4): amount (16) || deposit (16) || the bidder's address
const BID: u8 = b'b';

/// What everybody knows.
#[derive(Serialize, Deserialize)]
pub struct Lot {
    pub seller: String,
    pub item: String,
    pub minimum: Uint128,
    pub denom: String,
    pub closes_at: u64,
    pub open: bool,
    pub sale: Option<Sale>,
}

impl Lot {
    pub fn store(&self, storage: &mut dyn Storage) -> StdResult<()> {
        storage.set(LOT, &to_vec(self)?);
        Ok(())
    }

    pub fn load(storage: &dyn Storage) -> StdResult<Self> {
        from_slice(&storage.get(LOT).ok_or_else(|| StdError::not_found("lot"))?)
    }

    pub fn is_over(&self, env: &Env) -> bool {
        env.block.time.seconds() >= self.closes_at
    }

    /// How much came with a call. Other coins would be lost here.
    pub fn paid(&self, funds: &[Coin]) -> StdResult<Uint128> {
        match funds {
            [] => Ok(Uint128::zero()),
            [coin] if coin.denom == self.denom => Ok(coin.amount),
            _ => Err(StdError::generic_err(format!("bids are in {}", self.denom))),
        }
    }
}

/// The latest bid of one bidder.
pub struct Bid {
    pub amount: Uint128,
    pub deposit: Uint128,
    pub bidder: CanonicalAddr,
}

impl Bid {
    /// With its seat.
    pub fn of(storage: &dyn Storage, bidder: &CanonicalAddr) -> StdResult<Option<(u32, Self)>> {
        let Some(seat) = storage.get(&seat_of(bidder)) else { return Ok(None) };
        let seat = number(&seat)?;
        Ok(Some((seat, Self::load(storage, seat)?)))
    }

    /// In the order of the seats.
    pub fn all(storage: &dyn Storage) -> StdResult<Vec<Self>> {
        (0..bidders(storage)?).map(|seat| Self::load(storage, seat)).collect()
    }

    pub fn store(&self, storage: &mut dyn Storage, seat: u32) {
        let (amount, deposit) = (self.amount.to_be_bytes(), self.deposit.to_be_bytes());
        storage.set(&at(seat), &[amount.as_slice(), &deposit, &self.bidder].concat());
    }

    pub fn shown(&self) -> ShownBid {
        ShownBid { amount: self.amount, deposit: self.deposit }
    }

    fn load(storage: &dyn Storage, seat: u32) -> StdResult<Self> {
        let bytes = storage.get(&at(seat)).ok_or_else(|| StdError::not_found("bid"))?;
        let (amount, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let (deposit, bidder) = rest.split_first_chunk().ok_or_else(damaged)?;
        let [amount, deposit] = [amount, deposit].map(|bytes| u128::from_be_bytes(*bytes).into());
        Ok(Self { amount, deposit, bidder: bidder.into() })
    }
}

pub fn bidders(storage: &dyn Storage) -> StdResult<u32> {
    storage.get(BIDDERS).map_or(Ok(0), |bytes| number(&bytes))
}

/// The next seat is this bidder's from now on.
pub fn take_seat(storage: &mut dyn Storage, bidder: &CanonicalAddr, seats: u32) -> StdResult<u32> {
    let seat = bidders(storage)?;
    if seat >= seats {
        return Err(StdError::generic_err("the auction is full"));
    }
    storage.set(BIDDERS, &(seat + 1).to_be_bytes());
    storage.set(&seat_of(bidder), &seat.to_be_bytes());
    Ok(seat)
}

fn number(bytes: &[u8]) -> StdResult<u32> {
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| damaged())
}

fn seat_of(bidder: &CanonicalAddr) -> Vec<u8> {
    [&[SEAT], bidder.as_slice()].concat()
}

fn at(seat: u32) -> Vec<u8> {
    [[BID].as_slice(), &seat.to_be_bytes()].concat()
}

fn damaged() -> StdError {
    StdError::generic_err("an entry of the state has another length")
}
