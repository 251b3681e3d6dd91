//! Small EVM contracts that keep something secret with the precompile at `0x64`.
//!
//! A contract is a list of cases on the first four bytes of calldata; a word is worked on at the top of the stack.

use alloy_primitives::{Address, Bytes, U256, hex};

/// EVM code in the making.
#[derive(Default)]
pub(crate) struct Code(Vec<u8>);

/// What [`Code::keeper`] does, by the first byte of a selector whose other bytes are zero.
pub(crate) mod keeper {
    /// Takes the caller's input text, which follows as the precompile wants it, and keeps its value in [`SECRET`].
    pub(crate) const KEEP: u8 = 1;
    /// Tells its owner, and nobody else, what it keeps.
    pub(crate) const REVEAL: u8 = 2;
    /// Succeeds if what it keeps is at least the number that follows.
    pub(crate) const AT_LEAST: u8 = 3;
    /// Stores any word in [`PLANTED`].
    pub(crate) const PLANT: u8 = 4;
    /// Tells everybody what is planted, if the contract itself sealed that.
    pub(crate) const HARVEST: u8 = 5;
    /// Seals what it keeps anew, into [`COPY`].
    pub(crate) const RESEAL: u8 = 6;
    /// Keeps a number that follows in the clear.
    pub(crate) const SET: u8 = 7;

    pub(crate) const SECRET: u64 = 0;
    pub(crate) const PLANTED: u64 = 1;
    pub(crate) const COPY: u64 = 2;

    /// Calldata of one of these.
    pub(crate) fn input(case: u8, rest: &[u8]) -> Vec<u8> {
        [&[case, 0, 0, 0], rest].concat()
    }
}

const ON_BOARD: u32 = 0xd2c1_35e5;
const OFF_BOARD: u32 = 0xc50c_9c02;
const DECRYPT: u32 = 0x0cfe_d561;
const SET_PUBLIC: u32 = 0xd9b6_0b60;
/// `uint64` in the metadata word's first byte.
const U64: u8 = 4;

impl Code {
    /// A contract that keeps a number for `owner`.
    pub(crate) fn keeper(owner: Address) -> Bytes {
        use keeper::*;
        Self::default()
            .case(KEEP, |code| code.forward_calldata().secret(OFF_BOARD).store(SECRET))
            .case(REVEAL, |code| code.only(owner).load(SECRET).secret(ON_BOARD).secret(DECRYPT).tell())
            .case(AT_LEAST, |code| {
                // value < number
                code.argument().load(SECRET).secret(ON_BOARD).secret(DECRYPT).op(&hex!("10")).revert_if()
            })
            .case(PLANT, |code| code.argument().store(PLANTED))
            .case(HARVEST, |code| code.load(PLANTED).secret(ON_BOARD).secret(DECRYPT).tell())
            .case(RESEAL, |code| code.load(SECRET).secret(ON_BOARD).secret(OFF_BOARD).store(COPY))
            .case(SET, |code| code.argument().secret(SET_PUBLIC).secret(OFF_BOARD).store(SECRET))
            .finish()
    }

    /// A contract that, whoever calls it, opens `calldata` of the precompile in its caller's name and tells everybody.
    pub(crate) fn airdrop(calldata: &[u8]) -> Bytes {
        let mut code = Self::default();
        for (index, chunk) in calldata.chunks(32).enumerate() {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            code = code.push(U256::from_be_bytes(word)).put(32 * index);
        }
        code.ask(calldata.len()).secret(DECRYPT).tell().finish()
    }

    /// Init code that deploys `code`.
    pub(crate) fn init(code: &Bytes) -> Bytes {
        let [high, low] = u16::try_from(code.len()).unwrap_or(u16::MAX).to_be_bytes();
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN; then the code, at 10
        let init = [0x61, high, low, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
        [init.as_slice(), code].concat().into()
    }

    fn case(self, selector: u8, body: impl FnOnce(Self) -> Self) -> Self {
        // PUSH0 CALLDATALOAD PUSH1 248 SHR, selector, EQ, ISZERO
        let code = self.op(&hex!("5f3560f81c")).push(U256::from(selector)).op(&hex!("1415"));
        body(code.skip()).op(&hex!("00")).land()
    }

    /// Jumps over what comes until [`Self::land`] if the top of the stack is not zero.
    fn skip(mut self) -> Self {
        self.0.extend([0x61, 0xff, 0xff, 0x57]);
        self
    }

    /// The place of the last open jump.
    fn land(mut self) -> Self {
        let open = self.0.windows(4).rposition(|window| window == [0x61, 0xff, 0xff, 0x57]).unwrap_or_default();
        let here = u16::try_from(self.0.len()).unwrap_or(u16::MAX).to_be_bytes();
        self.0[open + 1..open + 3].copy_from_slice(&here);
        self.op(&hex!("5b"))
    }

    /// Calls the precompile's function of a type and one word; its result takes the word's place.
    fn secret(self, function: u32) -> Self {
        let meta = U256::from(U64) << 248;
        self.push(U256::from(function) << 224).put(0).push(meta).put(4).put(36).ask(68)
    }

    /// Calls the precompile with what follows the selector.
    fn forward_calldata(self) -> Self {
        // PUSH1 4, CALLDATASIZE, SUB: the length; PUSH1 4, PUSH0, CALLDATACOPY. The length goes into the call's argument.
        self.op(&hex!("6004360360045f37")).call(|code| code.op(&hex!("60043603")))
    }

    /// Calls the precompile with this many bytes of memory.
    fn ask(self, length: usize) -> Self {
        self.call(|code| code.push(U256::from(length)))
    }

    /// CALL(gas, 0x64, 0, 0, length, 0, 32), or revert; leaves the result's word.
    fn call(self, length: impl FnOnce(Self) -> Self) -> Self {
        let code = self.op(&hex!("60205f"));
        // ISZERO after the call: a failure is not zero
        length(code).op(&hex!("5f5f60645af115")).revert_if().op(&hex!("5f51"))
    }

    fn only(self, owner: Address) -> Self {
        // CALLER, owner, EQ, ISZERO
        self.op(&hex!("33")).push(U256::from_be_slice(owner.as_slice())).op(&hex!("1415")).revert_if()
    }

    /// Reverts if the top of the stack is not zero.
    fn revert_if(self) -> Self {
        self.op(&hex!("15")).skip().op(&hex!("5f5ffd")).land()
    }

    /// Returns a word, and says it in an event.
    fn tell(self) -> Self {
        self.put(0).op(&hex!("60205fa060205ff3"))
    }

    fn argument(self) -> Self {
        self.op(&hex!("600435"))
    }

    fn load(self, slot: u64) -> Self {
        self.push(U256::from(slot)).op(&hex!("54"))
    }

    fn store(self, slot: u64) -> Self {
        self.push(U256::from(slot)).op(&hex!("55"))
    }

    /// Pops a word into memory.
    fn put(self, at: usize) -> Self {
        self.push(U256::from(at)).op(&hex!("52"))
    }

    fn push(mut self, word: U256) -> Self {
        let bytes = word.to_be_bytes_trimmed_vec();
        self.0.push(0x5f + u8::try_from(bytes.len()).unwrap_or(32));
        self.0.extend(bytes);
        self
    }

    fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn finish(self) -> Bytes {
        self.op(&hex!("00")).0.into()
    }
}
