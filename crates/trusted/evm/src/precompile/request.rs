//! Calldata of the precompile, read once: every length has to match exactly.

use alloy_primitives::U256;

use super::functions::Function;
use super::gas::gas;
use super::types::Meta;

/// A call whose function, types and price are known; the rest of its calldata is not looked at yet.
pub(crate) struct Request<'a> {
    pub(crate) function: Function,
    pub(crate) meta: Meta,
    pub(crate) gas: u64,
    arguments: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads the selector and the word behind it. `None` when they name nothing that exists; that costs nothing.
    pub(crate) fn parse(calldata: &'a [u8]) -> Option<Self> {
        let (selector, arguments) = calldata.split_first_chunk::<4>()?;
        let function = Function::from_selector(*selector)?;
        let meta = Meta::parse(function, arguments.first_chunk()?)?;
        Some(Self { function, meta, gas: gas(function, meta.width)?, arguments })
    }

    /// The arguments when they are exactly `N` words, the metadata word among them.
    pub(crate) fn words<const N: usize>(&self) -> Option<[U256; N]> {
        (self.arguments.len() == 32 * N).then(|| self.head())
    }

    /// The arguments when they are `N` words and one `bytes`, and those bytes.
    ///
    /// The ABI's offset has to point right behind the head, and nothing may follow the padded content.
    pub(crate) fn words_and_bytes<const N: usize>(&self) -> Option<([U256; N], &'a [u8])> {
        let head = 32 * (N + 1);
        let tail = self.arguments.get(head..)?;
        let (length, padded) = tail.split_first_chunk::<32>()?;
        let length = usize::try_from(U256::from_be_bytes(*length)).ok()?;
        let offset = U256::from_be_slice(self.arguments.get(32 * N..head)?);
        if offset != U256::from(head) || length.checked_next_multiple_of(32) != Some(padded.len()) {
            return None;
        }
        Some((self.head(), padded.get(..length)?))
    }

    /// The first `N` words; the callers have checked that they are there.
    fn head<const N: usize>(&self) -> [U256; N] {
        let mut words = self.arguments.chunks_exact(32).map(U256::from_be_slice);
        std::array::from_fn(|_| words.next().unwrap_or_default())
    }
}
