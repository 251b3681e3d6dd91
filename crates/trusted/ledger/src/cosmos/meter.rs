//! The state as a Cosmos transaction sees it: every access costs gas.

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::cosmos::CosmosError;
use cloister_chain::receipt::CosmosResult;
use cloister_chain::wire::Halt;
use cloister_chain::{Leaf, gas};
use cloister_state::{Overlay, StateError, Supply};

use crate::eth::encode;

/// A state with a gas limit, in the SDK's units. Prices are those of the SDK's key-value store.
pub(crate) struct Meter<'a, S> {
    state: &'a mut Overlay<S>,
    limit: u64,
    used: u64,
}

/// Why a transaction does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    /// An error of the chain's rules, with its number and text.
    Rule { codespace: &'static str, code: u32, log: String },
    /// The host lied or was silent: nothing of the block may be used.
    Halt(Halt),
}

impl<'a, S: Supply> Meter<'a, S> {
    pub(crate) fn new(state: &'a mut Overlay<S>, limit: u64) -> Self {
        Self::resume(state, limit, 0)
    }

    pub(crate) fn resume(state: &'a mut Overlay<S>, limit: u64, used: u64) -> Self {
        Self { state, limit, used }
    }

    /// Gas used so far; at most the limit, even after it ran out.
    pub(crate) fn used(&self) -> u64 {
        self.used.min(self.limit)
    }

    /// Gas that is left.
    pub(crate) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// The state itself, for what is charged otherwise.
    pub(crate) fn state(&mut self) -> &mut Overlay<S> {
        self.state
    }

    /// The same state for what is in another price already.
    pub(crate) fn paid(&mut self) -> Meter<'_, S> {
        Meter::new(self.state, u64::MAX)
    }

    /// Lets at most `gas` more be used, if that is less than what is left. The limit so far, for [`Meter::restore`].
    pub(crate) fn lower(&mut self, gas: Option<u64>) -> u64 {
        let limit = self.limit;
        if let Some(gas) = gas {
            self.limit = limit.min(self.used.saturating_add(gas));
        }
        limit
    }

    /// Puts back the limit of before; whether the lower one was used up.
    pub(crate) fn restore(&mut self, limit: u64) -> bool {
        let spent = self.used > self.limit && self.limit < limit;
        self.used = self.used();
        self.limit = limit;
        spent
    }

    /// Charges what was used since `before` as a class of gas, or as all that is left where that is less (M-19).
    pub(crate) fn round_up(&mut self, before: u64) {
        let class = gas::class(self.used().saturating_sub(before));
        self.used = before.saturating_add(class).min(self.limit);
    }

    /// Charges `gas` for what `descriptor` names.
    pub(crate) fn charge(&mut self, gas: u64, descriptor: &'static str) -> Result<(), Fail> {
        self.used = self.used.saturating_add(gas);
        if self.used > self.limit {
            let log = format!(
                "out of gas in location: {descriptor}; gasWanted: {}, gasUsed: {}: out of gas",
                self.limit, self.used
            );
            return Err(Fail::sdk(11, log));
        }
        Ok(())
    }

    pub(crate) fn read<T: BorshDeserialize>(&mut self, leaf: Leaf) -> Result<Option<T>, Fail> {
        self.charge(READ_FLAT, "ReadFlat")?;
        let Some(bytes) = self.state.read(&leaf)? else { return Ok(None) };
        self.charge(READ_BYTE.saturating_mul(length(&bytes)), "ReadPerByte")?;
        // The tree vouches for the bytes, so they are what this crate once encoded.
        T::try_from_slice(&bytes).map(Some).map_err(|_| Fail::Halt(Halt::Supply))
    }

    pub(crate) fn write(&mut self, leaf: Leaf, value: Option<&impl BorshSerialize>) -> Result<(), Fail> {
        match value.map(encode) {
            Some(bytes) => {
                self.charge(WRITE_FLAT, "WriteFlat")?;
                self.charge(WRITE_BYTE.saturating_mul(length(&bytes)), "WritePerByte")?;
                self.state.write(leaf, Some(bytes));
            }
            None => {
                self.charge(DELETE, "Delete")?;
                self.state.write(leaf, None);
            }
        }
        Ok(())
    }
}

impl Fail {
    pub(crate) fn of(codespace: &'static str, code: u32, log: impl Into<String>) -> Self {
        Self::Rule { codespace, code, log: log.into() }
    }

    pub(crate) fn sdk(code: u32, log: impl Into<String>) -> Self {
        Self::of("sdk", code, log)
    }

    /// Names what the failure happened in. Running out of gas is the whole transaction's matter.
    pub(crate) fn within(self, place: &str) -> Self {
        match self {
            Self::Rule { codespace, code, log } if (codespace, code) != ("sdk", 11) => {
                Self::Rule { codespace, code, log: format!("{place}: {log}") }
            }
            other => other,
        }
    }

    /// Names the message that failed.
    pub(crate) fn at_message(self, index: usize) -> Self {
        self.within(&format!("failed to execute message; message index: {index}"))
    }
}

impl From<CosmosError> for Fail {
    fn from(error: CosmosError) -> Self {
        Self::sdk(error.code(), error.to_string())
    }
}

impl From<StateError> for Fail {
    fn from(_: StateError) -> Self {
        Self::Halt(Halt::Supply)
    }
}

/// Notes a failure in a result; an error of the host's goes through.
pub(crate) fn note(result: &mut CosmosResult, fail: Fail) -> Result<(), Halt> {
    match fail {
        Fail::Rule { codespace, code, log } => {
            (result.codespace, result.code, result.log) = (codespace.into(), code, log);
            Ok(())
        }
        Fail::Halt(halt) => Err(halt),
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

const READ_FLAT: u64 = 1_000;
const READ_BYTE: u64 = 3;
const WRITE_FLAT: u64 = 2_000;
const WRITE_BYTE: u64 = 30;
const DELETE: u64 = 1_000;
