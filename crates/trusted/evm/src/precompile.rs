//! The confidential precompile at `0x64`: contracts compute on secret values that they name by handles.
//!
//! A call is `selector ‖ arguments`, the first argument naming types ([`types::Meta`]). Whatever is wrong with a call
//! — selector, type, length, signature, handle, ciphertext — ends in a revert without data; no error text can tell a
//! secret. The price depends on function and type alone and is paid before any work ([`gas()`]).
//!
//! | mode | what contracts get |
//! | --- | --- |
//! | a mined transaction | the real thing |
//! | an estimation, or the simulation of a constructor | no check beyond selector and types, output of the usual length ending in 1 |
//! | `eth_call` | a failure that burns the frame's gas; but `GetUserKey` is served, its signature shows who asks |
//!
//! Anything more in the last two would be an oracle: their sender is whoever the caller claims to be.
//! (COTI gcEVM, `ExtendedOperations`.)

mod compute;
mod exchange;
pub mod functions;
mod gas;
mod handles;
pub mod ops;
mod request;
pub mod types;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use cloister_teeth::{Mechanism, holds};
use revm::context_interface::JournalTr;
use revm::handler::{EthPrecompiles, PrecompileProvider, precompile_output_to_interpreter_result};
use revm::interpreter::{CallInputs, CallScheme, InterpreterResult};
use revm::precompile::{PrecompileHalt, PrecompileOutput};
use revm::primitives::AddressSet;
use revm::primitives::hardfork::SpecId;

use self::functions::Function;
pub use self::gas::gas;
use self::handles::Handles;
use self::request::Request;
use self::types::Value;
use crate::authentic::{MARKS, Memory};
use crate::machine::{Ctx, SPEC};
use crate::vault::{KeyForm, Vault};
use crate::world::World;

/// Where contracts call it.
pub const ADDRESS: Address = address!("0000000000000000000000000000000000000064");

/// How much of itself the precompile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A transaction of a certified block.
    Mined,
    /// An estimation, or a simulated constructor.
    Estimate,
    /// `eth_call`.
    Call,
}

/// The precompiles of Ethereum and ours.
pub(crate) struct Confidential<V> {
    ethereum: EthPrecompiles,
    warm: AddressSet,
    vault: V,
    mode: Mode,
    handles: Handles,
}

/// Who calls, and for whom it counts.
pub(crate) struct Frame {
    /// The account that signed the transaction.
    origin: Address,
    /// The contract whose storage the calling frame runs on.
    contract: Address,
    /// The calling frame's depth in revm's journal; 0 when the transaction calls the precompile itself.
    depth: usize,
    /// The first four bytes of the transaction's calldata; zero for a creation, or when there are fewer.
    selector: [u8; 4],
    /// How a user key is to be returned.
    form: KeyForm,
}

/// One call at work.
struct Work<'a, V> {
    vault: &'a mut V,
    handles: &'a mut Handles,
    memory: &'a mut Memory,
    frame: &'a Frame,
}

impl<V: Vault> Confidential<V> {
    pub(crate) fn new(vault: V, mode: Mode) -> Self {
        let ethereum = EthPrecompiles::new(SPEC);
        let mut warm = ethereum.warm_addresses().clone();
        warm.extend([ADDRESS, MARKS]);
        Self { ethereum, warm, vault, mode, handles: Handles::default() }
    }

    /// A transaction or call starts: no handle of another one is valid in it.
    pub(crate) fn begin(&mut self, tx: B256) {
        self.handles.clear();
        self.vault.begin(tx);
    }

    /// Answers one call.
    pub(crate) fn answer(
        &mut self,
        calldata: &[u8],
        gas_limit: u64,
        frame: &Frame,
        memory: &mut Memory,
    ) -> PrecompileOutput {
        let request = Request::parse(calldata);
        let blind = self.mode == Mode::Call && holds(Mechanism::BlindCalls);
        if blind && request.as_ref().is_none_or(|request| request.function != Function::GetUserKey) {
            return PrecompileOutput::halt(PrecompileHalt::other_static("confidential operation in eth_call"), 0);
        }
        let Some(request) = request else {
            return PrecompileOutput::revert(0, Bytes::new(), 0);
        };
        if request.gas > gas_limit {
            return PrecompileOutput::halt(PrecompileHalt::OutOfGas, 0);
        }
        let output = match self.mode {
            Mode::Estimate if holds(Mechanism::BlindEstimates) => Some(request.function.placeholder()),
            Mode::Estimate | Mode::Mined | Mode::Call => {
                Work { vault: &mut self.vault, handles: &mut self.handles, memory, frame }.run(&request)
            }
        };
        // The other price is the EVM's own for `EXP`: by the bytes of the number.
        let by_value = if holds(Mechanism::FlatPrice) { 0 } else { self.handles.bytes() };
        let gas = request.gas.saturating_add(by_value).min(gas_limit);
        match output {
            Some(output) => PrecompileOutput::new(gas, output, 0),
            None => PrecompileOutput::revert(gas, Bytes::new(), 0),
        }
    }
}

impl<V: Vault> Work<'_, V> {
    fn run(&mut self, request: &Request<'_>) -> Option<Bytes> {
        match request.function {
            Function::OnBoard
            | Function::OnBoardWide
            | Function::OffBoard
            | Function::OffBoardWide
            | Function::OffBoardToUser
            | Function::OffBoardToUserWide
            | Function::ValidateCiphertext
            | Function::ValidateCiphertextWide
            | Function::GetUserKey => self.exchange(request),
            _ => self.compute(request),
        }
    }

    /// Gives each value a handle and returns the handles.
    fn values<const N: usize>(&mut self, values: [Value; N]) -> Bytes {
        words(values.map(|value| {
            let handle = self.vault.handle();
            self.handles.insert(handle, value);
            handle
        }))
    }
}

impl<W: World, V: Vault> PrecompileProvider<Ctx<W>> for Confidential<V> {
    type Output = InterpreterResult;

    fn set_spec(&mut self, _: SpecId) -> bool {
        false
    }

    fn run(&mut self, ctx: &mut Ctx<W>, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        if inputs.bytecode_address != ADDRESS {
            return PrecompileProvider::<Ctx<W>>::run(&mut self.ethereum, ctx, inputs);
        }
        let frame = Frame::of(ctx, inputs);
        let answer = {
            let calldata = inputs.input.as_bytes_local(&ctx.local);
            self.answer(&calldata, inputs.gas_limit, &frame, &mut ctx.chain)
        };
        let output = PrecompileOutput { reservoir: inputs.reservoir, ..answer };
        Ok(Some(precompile_output_to_interpreter_result(output, inputs.gas_limit)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.warm
    }
}

impl Frame {
    fn of<W: World>(ctx: &Ctx<W>, inputs: &CallInputs) -> Self {
        let selector = match ctx.tx.kind {
            TxKind::Call(_) => ctx.tx.data.first_chunk().copied().unwrap_or_default(),
            TxKind::Create => [0; 4],
        };
        let contract = match inputs.scheme {
            CallScheme::Call | CallScheme::StaticCall => inputs.caller,
            // The code is borrowed, the storage stays the calling frame's: that is who acts.
            CallScheme::DelegateCall | CallScheme::CallCode => inputs.target_address,
        };
        let form = match inputs.scheme {
            // The library of May 2024 declares the function a view.
            CallScheme::StaticCall => KeyForm::Whole,
            _ => KeyForm::Shares,
        };
        // revm runs a precompile inside a checkpoint of its own, one deeper than the calling frame's.
        let depth = ctx.journaled_state.depth().saturating_sub(1);
        Self { origin: ctx.tx.caller, contract, depth, selector, form }
    }
}

/// The ABI form of static results.
fn words<const N: usize>(words: [U256; N]) -> Bytes {
    let mut output = Vec::with_capacity(32 * N);
    for word in words {
        output.extend_from_slice(&word.to_be_bytes::<32>());
    }
    output.into()
}

#[cfg(test)]
mod tests;
