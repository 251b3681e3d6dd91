//! The precompile without an EVM around it.

#![allow(clippy::unwrap_used)]

mod arithmetic;
mod exchange;
mod table;

use super::functions::FUNCTIONS;
use super::types::Width;
use super::*;
use crate::testing::{Toy, sender, words as split};

pub(super) const CONTRACT: Address = Address::repeat_byte(0xc0);
pub(super) const SELECTOR: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// A transaction in which one contract calls the precompile.
pub(super) struct Bench {
    pub(super) provider: Confidential<Toy>,
    pub(super) memory: Memory,
    pub(super) frame: Frame,
}

impl Bench {
    pub(super) fn new(mode: Mode) -> Self {
        let mut provider = Confidential::new(Toy::default(), mode);
        provider.begin(B256::repeat_byte(1));
        let frame = Frame { origin: sender(), contract: CONTRACT, depth: 1, selector: SELECTOR, form: KeyForm::Shares };
        Self { provider, memory: Memory::default(), frame }
    }

    pub(super) fn mined() -> Self {
        Self::new(Mode::Mined)
    }

    pub(super) fn answer(&mut self, calldata: &[u8]) -> PrecompileOutput {
        self.provider.answer(calldata, 10_000_000, &self.frame, &mut self.memory)
    }

    /// The result words, or `None` for a revert, which never carries data.
    pub(super) fn call(&mut self, calldata: &[u8]) -> Option<Vec<U256>> {
        let output = self.answer(calldata);
        if output.status.is_success() {
            return Some(split(&output.bytes));
        }
        assert!(output.status.is_revert() && output.bytes.is_empty());
        None
    }

    pub(super) fn run(&mut self, signature: &str, meta: &[u8], arguments: &[U256]) -> Option<Vec<U256>> {
        self.call(&calldata(signature, meta, arguments))
    }

    /// A handle of a clear value.
    pub(super) fn secret(&mut self, width: Width, word: U256) -> U256 {
        self.run("SetPublic(bytes1,uint256)", &[width as u8], &[word]).unwrap()[0]
    }

    pub(super) fn reveal(&mut self, width: Width, handle: U256) -> Option<U256> {
        self.run("Decrypt(bytes1,uint256)", &[width as u8], &[handle]).map(|words| words[0])
    }
}

pub(super) fn calldata(signature: &str, meta: &[u8], arguments: &[U256]) -> Vec<u8> {
    let mut calldata = selector(signature).to_vec();
    let mut word = [0; 32];
    word[..meta.len()].copy_from_slice(meta);
    calldata.extend(word);
    for argument in arguments {
        calldata.extend(argument.to_be_bytes::<32>());
    }
    calldata
}

/// Calldata of a function whose last argument is `bytes`; without metadata when `meta` is `None`.
pub(super) fn calldata_bytes(signature: &str, meta: Option<&[u8]>, arguments: &[U256], bytes: &[u8]) -> Vec<u8> {
    let mut calldata = match meta {
        Some(meta) => self::calldata(signature, meta, arguments),
        None => {
            let words = arguments.iter().flat_map(|word| word.to_be_bytes::<32>());
            selector(signature).into_iter().chain(words).collect()
        }
    };
    let head = calldata.len() - 4 + 32;
    calldata.extend(U256::from(head).to_be_bytes::<32>());
    calldata.extend(U256::from(bytes.len()).to_be_bytes::<32>());
    calldata.extend(bytes);
    calldata.resize(calldata.len() + bytes.len().next_multiple_of(32) - bytes.len(), 0);
    calldata
}

pub(super) fn selector(signature: &str) -> [u8; 4] {
    let known = FUNCTIONS.iter().find(|(.., known)| *known == signature);
    known.unwrap_or_else(|| panic!("{signature} is not in the table")).0.to_be_bytes()
}

pub(super) fn signature(function: Function) -> &'static str {
    FUNCTIONS.iter().find(|(_, known, _)| *known == function).unwrap().2
}
