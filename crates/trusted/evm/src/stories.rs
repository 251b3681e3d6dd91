//! Whole transactions, with hand-assembled contracts.

#![allow(clippy::unwrap_used)]

mod authenticity;
mod confidential;
mod queries;
mod transactions;

use alloy_primitives::{Address, Bytes, TxKind, U256};

use crate::testing::asm::{Arg, Code, Kind, Reg};

pub(crate) const ALICE: Address = Address::repeat_byte(0xa1);
pub(crate) const BOB: Address = Address::repeat_byte(0xb0);
pub(crate) const CAROL: Address = Address::repeat_byte(0xca);

/// Words as calldata, for the contracts of stories.
pub(crate) fn data(words: &[U256]) -> Bytes {
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<u8>>().into()
}

pub(crate) fn case(number: u64) -> Bytes {
    data(&[U256::from(number)])
}

/// The operations that stories use, for 64 bits.
pub(crate) trait Mpc {
    fn set_public(&mut self, word: impl Into<Arg>) -> Reg;
    fn off_board(&mut self, handle: Reg) -> Reg;
    fn on_board(&mut self, sealed: impl Into<Arg>) -> Reg;
    fn decrypt(&mut self, handle: impl Into<Arg>) -> Reg;
    /// Off-boards a clear value into a slot.
    fn save(&mut self, slot: u64, word: u64);
    /// On-boards a slot and returns the clear value.
    fn reveal(&mut self, slot: u64);
}

impl Mpc for Code {
    fn set_public(&mut self, word: impl Into<Arg>) -> Reg {
        let [handle] = self.mpc("SetPublic(bytes1,uint256)", &[4], &[word.into()]);
        handle
    }

    fn off_board(&mut self, handle: Reg) -> Reg {
        let [sealed] = self.mpc("OffBoard(bytes1,uint256)", &[4], &[handle.into()]);
        sealed
    }

    fn on_board(&mut self, sealed: impl Into<Arg>) -> Reg {
        let [handle] = self.mpc("OnBoard(bytes1,uint256)", &[4], &[sealed.into()]);
        handle
    }

    fn decrypt(&mut self, handle: impl Into<Arg>) -> Reg {
        let [word] = self.mpc("Decrypt(bytes1,uint256)", &[4], &[handle.into()]);
        word
    }

    fn save(&mut self, slot: u64, word: u64) {
        let handle = self.set_public(word);
        let sealed = self.off_board(handle);
        self.sstore(slot, sealed);
    }

    fn reveal(&mut self, slot: u64) {
        let sealed = self.sload(slot);
        let handle = self.on_board(sealed);
        let word = self.decrypt(handle);
        self.ret(&[word.into()]);
    }
}

pub(crate) const fn to(address: Address) -> TxKind {
    TxKind::Call(address)
}

/// A contract that hands its calldata to `logic` by delegatecall and returns what it gets.
pub(crate) fn proxy(logic: Address, words: usize) -> Bytes {
    Code::build(|code| {
        let arguments: Vec<_> = (0..words).map(Arg::Data).collect();
        let [_] = code.call::<1>(Kind::Delegate, logic, &arguments);
        code.ret_data();
    })
}
