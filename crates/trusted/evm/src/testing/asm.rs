//! An assembler for the contracts of stories: straight lines and branches on the first word of calldata.
//!
//! A [`Reg`] is a word of memory. Calls revert when the callee does, unless they are [`Code::try_call`].

use alloy_primitives::{Address, Bytes, U256, keccak256};
use revm::bytecode::opcode::*;

use crate::precompile;

/// How a contract calls.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Call,
    CallCode,
    Delegate,
    Static,
}

/// A word of memory that a result was put into.
#[derive(Clone, Copy)]
pub(crate) struct Reg(usize);

/// Where a word comes from.
#[derive(Clone, Copy)]
pub(crate) enum Arg {
    Word(U256),
    Reg(Reg),
    /// The word of calldata with this index.
    Data(usize),
    /// The word in this storage slot.
    Slot(u64),
}

impl From<u64> for Arg {
    fn from(word: u64) -> Self {
        Self::Word(U256::from(word))
    }
}

impl From<U256> for Arg {
    fn from(word: U256) -> Self {
        Self::Word(word)
    }
}

impl From<Reg> for Arg {
    fn from(reg: Reg) -> Self {
        Self::Reg(reg)
    }
}

#[derive(Default)]
pub(crate) struct Code {
    bytes: Vec<u8>,
    registers: usize,
}

/// Registers stand above the calls' inputs and outputs.
const REGISTERS: usize = 0x1000;

impl Code {
    pub(crate) fn build(write: impl FnOnce(&mut Self)) -> Bytes {
        let mut code = Self::default();
        write(&mut code);
        code.bytes.push(STOP);
        code.bytes.into()
    }

    /// Calls the precompile by CALL and gives its results.
    pub(crate) fn mpc<const N: usize>(&mut self, signature: &str, meta: &[u8], args: &[Arg]) -> [Reg; N] {
        self.mpc_by(Kind::Call, signature, meta, args)
    }

    pub(crate) fn mpc_by<const N: usize>(
        &mut self,
        kind: Kind,
        signature: &str,
        meta: &[u8],
        args: &[Arg],
    ) -> [Reg; N] {
        let selector = &keccak256(signature)[..4];
        let mut words = vec![Arg::Word(left_aligned(meta))];
        words.extend(args);
        self.store(Arg::Word(left_aligned(selector)), 0);
        for (index, word) in words.iter().enumerate() {
            self.store(*word, 4 + 32 * index);
        }
        self.raw_call(kind, precompile::ADDRESS, 4 + 32 * words.len());
        self.or_revert();
        self.results()
    }

    /// Calls the precompile with these very bytes; gives whether it succeeded.
    pub(crate) fn mpc_raw(&mut self, kind: Kind, calldata: &[u8]) -> Reg {
        for (index, chunk) in calldata.chunks(32).enumerate() {
            self.store(Arg::Word(left_aligned(chunk)), 32 * index);
        }
        self.raw_call(kind, precompile::ADDRESS, calldata.len());
        self.keep()
    }

    /// Calls a contract with these words and gives its results.
    pub(crate) fn call<const N: usize>(&mut self, kind: Kind, to: Address, args: &[Arg]) -> [Reg; N] {
        self.arguments(args);
        self.raw_call(kind, to, 32 * args.len());
        self.or_revert();
        self.results()
    }

    /// Calls a contract and gives whether it succeeded.
    pub(crate) fn try_call(&mut self, kind: Kind, to: Address, args: &[Arg]) -> Reg {
        self.arguments(args);
        self.raw_call(kind, to, 32 * args.len());
        self.keep()
    }

    pub(crate) fn sstore(&mut self, slot: u64, word: impl Into<Arg>) {
        self.load(word.into());
        self.push(U256::from(slot));
        self.op(SSTORE);
    }

    pub(crate) fn sload(&mut self, slot: u64) -> Reg {
        self.load(Arg::Slot(slot));
        self.keep()
    }

    pub(crate) fn ret(&mut self, words: &[Arg]) {
        self.arguments(words);
        self.push(U256::from(32 * words.len()));
        self.push(U256::ZERO);
        self.op(RETURN);
    }

    /// Returns what the last call returned.
    pub(crate) fn ret_data(&mut self) {
        for op in [RETURNDATASIZE, PUSH0, PUSH0, RETURNDATACOPY, RETURNDATASIZE, PUSH0, RETURN] {
            self.op(op);
        }
    }

    pub(crate) fn revert(&mut self) {
        for op in [PUSH0, PUSH0, REVERT] {
            self.op(op);
        }
    }

    pub(crate) fn revert_with(&mut self, words: &[Arg]) {
        self.arguments(words);
        self.push(U256::from(32 * words.len()));
        self.push(U256::ZERO);
        self.op(REVERT);
    }

    pub(crate) fn loop_for_ever(&mut self) {
        let start = U256::from(self.bytes.len());
        self.op(JUMPDEST);
        self.push(start);
        self.op(JUMP);
    }

    pub(crate) fn selfdestruct(&mut self) {
        self.op(CALLER);
        self.op(SELFDESTRUCT);
    }

    /// Runs `then` when the first word of calldata is `case`.
    pub(crate) fn case(&mut self, case: u64, then: impl FnOnce(&mut Self)) {
        self.load(Arg::Data(0));
        self.push(U256::from(case));
        self.op(EQ);
        self.when(then);
    }

    /// Runs `then` when the word is not zero.
    pub(crate) fn case_reg(&mut self, word: impl Into<Arg>, then: impl FnOnce(&mut Self)) {
        self.load(word.into());
        self.when(then);
    }

    /// Creates a contract with this init code and gives its address.
    pub(crate) fn create2(&mut self, init: &Bytes, salt: u64) -> Reg {
        for (index, chunk) in init.chunks(32).enumerate() {
            self.store(Arg::Word(left_aligned(chunk)), 32 * index);
        }
        for word in [salt, init.len() as u64, 0, 0] {
            self.push(U256::from(word));
        }
        self.op(CREATE2);
        self.keep()
    }

    pub(crate) fn op(&mut self, op: u8) {
        self.bytes.push(op);
    }

    pub(crate) fn push(&mut self, word: U256) {
        let bytes = word.to_be_bytes_trimmed_vec();
        self.bytes.push(PUSH0 + bytes.len() as u8);
        self.bytes.extend(bytes);
    }

    /// Pops a word into a fresh register.
    pub(crate) fn keep(&mut self) -> Reg {
        let reg = Reg(REGISTERS + 32 * self.registers);
        self.registers += 1;
        self.push(U256::from(reg.0));
        self.op(MSTORE);
        reg
    }

    fn when(&mut self, then: impl FnOnce(&mut Self)) {
        self.op(ISZERO);
        self.bytes.extend([PUSH2, 0, 0]);
        let target = self.bytes.len() - 2;
        self.op(JUMPI);
        then(self);
        let end = (self.bytes.len() as u16).to_be_bytes();
        self.bytes[target..target + 2].copy_from_slice(&end);
        self.op(JUMPDEST);
    }

    fn load(&mut self, arg: Arg) {
        match arg {
            Arg::Word(word) => self.push(word),
            Arg::Reg(Reg(at)) => {
                self.push(U256::from(at));
                self.op(MLOAD);
            }
            Arg::Data(index) => {
                self.push(U256::from(32 * index));
                self.op(CALLDATALOAD);
            }
            Arg::Slot(slot) => {
                self.push(U256::from(slot));
                self.op(SLOAD);
            }
        }
    }

    fn store(&mut self, arg: Arg, at: usize) {
        self.load(arg);
        self.push(U256::from(at));
        self.op(MSTORE);
    }

    fn arguments(&mut self, args: &[Arg]) {
        for (index, arg) in args.iter().enumerate() {
            self.store(*arg, 32 * index);
        }
    }

    /// Input from 0 on, output to 0; leaves the success flag on the stack.
    fn raw_call(&mut self, kind: Kind, to: Address, length: usize) {
        self.push(U256::from(0x200));
        self.push(U256::ZERO);
        self.push(U256::from(length));
        self.push(U256::ZERO);
        if matches!(kind, Kind::Call | Kind::CallCode) {
            self.push(U256::ZERO);
        }
        self.push(to.into_word().into());
        self.op(GAS);
        self.op(match kind {
            Kind::Call => CALL,
            Kind::CallCode => CALLCODE,
            Kind::Delegate => DELEGATECALL,
            Kind::Static => STATICCALL,
        });
    }

    fn or_revert(&mut self) {
        self.op(ISZERO);
        self.when(|code| {
            for op in [RETURNDATASIZE, PUSH0, PUSH0, RETURNDATACOPY, RETURNDATASIZE, PUSH0, REVERT] {
                code.op(op);
            }
        });
    }

    fn results<const N: usize>(&mut self) -> [Reg; N] {
        std::array::from_fn(|index| {
            self.push(U256::from(32 * index));
            self.op(MLOAD);
            self.keep()
        })
    }
}

/// `bytesN` as a word.
pub(crate) fn left_aligned(bytes: &[u8]) -> U256 {
    let mut word = [0; 32];
    word[..bytes.len()].copy_from_slice(bytes);
    U256::from_be_bytes(word)
}
