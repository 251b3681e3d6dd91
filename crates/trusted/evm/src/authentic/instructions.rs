//! The eight EVM instructions that the rules of [`super`] hang on: each does what it always does, then keeps the books.

use alloy_primitives::{Address, U256};
use revm::bytecode::opcode::{CALL, CALLCODE, CREATE, CREATE2, DELEGATECALL, SLOAD, SSTORE, STATICCALL};
use revm::context_interface::{Host, JournalTr};
use revm::handler::instructions::EthInstructions;
use revm::interpreter::instructions::{contract, host};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::{Instruction, InstructionContext, InstructionExecResult};

use super::MARKS;
use crate::machine::Ctx;
use crate::world::World;

type Step<'a, W> = InstructionContext<'a, Ctx<W>, EthInterpreter>;

/// Puts the eight into the table. Gas stays as it is.
pub(crate) fn install<W: World>(instructions: &mut EthInstructions<EthInterpreter, Ctx<W>>) {
    let table = instructions.instruction_table_mut();
    table[usize::from(SLOAD)] = Instruction::new(sload);
    table[usize::from(SSTORE)] = Instruction::new(sstore);
    table[usize::from(CALL)] = Instruction::new(call::<CALL, W>);
    table[usize::from(CALLCODE)] = Instruction::new(call::<CALLCODE, W>);
    table[usize::from(DELEGATECALL)] = Instruction::new(call::<DELEGATECALL, W>);
    table[usize::from(STATICCALL)] = Instruction::new(call::<STATICCALL, W>);
    table[usize::from(CREATE)] = Instruction::new(create::<false, W>);
    table[usize::from(CREATE2)] = Instruction::new(create::<true, W>);
}

fn sload<W: World>(step: Step<'_, W>) -> InstructionExecResult {
    let Step { interpreter, host: ctx } = step;
    let slot = interpreter.stack.peek(0)?;
    host::sload(InstructionContext { interpreter: &mut *interpreter, host: &mut *ctx })?;
    let word = interpreter.stack.peek(0)?;
    if word.is_zero() {
        return Ok(());
    }
    let contract = interpreter.input.target_address;
    if let Some(place) = place(ctx, contract, slot) {
        ctx.load_account_info_skip_cold_load(MARKS, false, false)?;
        if ctx.sload_skip_cold_load(MARKS, place, false)?.data == word {
            let epoch = ctx.journaled_state.database.epoch_of(contract, word);
            ctx.chain.admit(ctx.journaled_state.depth(), word, epoch);
        }
    }
    Ok(())
}

fn sstore<W: World>(step: Step<'_, W>) -> InstructionExecResult {
    let Step { interpreter, host: ctx } = step;
    let (slot, word) = (interpreter.stack.peek(0)?, interpreter.stack.peek(1)?);
    host::sstore(InstructionContext { interpreter: &mut *interpreter, host: &mut *ctx })?;
    let contract = interpreter.input.target_address;
    if ctx.chain.holds(ctx.journaled_state.depth(), word) {
        let place = ctx.journaled_state.database.marks.place_or_new(contract, slot);
        mark(ctx, place, word)
    } else if let Some(place) = place(ctx, contract, slot) {
        mark(ctx, place, U256::ZERO)
    } else {
        Ok(())
    }
}

/// The callee starts with an empty memory, whatever an earlier frame of its depth held.
fn call<const KIND: u8, W: World>(step: Step<'_, W>) -> InstructionExecResult {
    step.host.chain.forget_below(step.host.journaled_state.depth());
    contract::call::<KIND, _, _>(step)
}

fn create<const IS_CREATE2: bool, W: World>(step: Step<'_, W>) -> InstructionExecResult {
    step.host.chain.forget_below(step.host.journaled_state.depth());
    contract::create::<IS_CREATE2, _, _>(step)
}

fn place<W: World>(ctx: &Ctx<W>, contract: Address, slot: U256) -> Option<U256> {
    ctx.journaled_state.database.marks.place(contract, slot)
}

fn mark<W: World>(ctx: &mut Ctx<W>, place: U256, word: U256) -> InstructionExecResult {
    ctx.load_account_info_skip_cold_load(MARKS, false, false)?;
    ctx.sstore_skip_cold_load(MARKS, place, word, false)?;
    Ok(())
}
