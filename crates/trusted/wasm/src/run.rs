//! One call of one contract.

use thiserror::Error;
use wasmi::{Engine, Error as WasmError, Instance, Module, Store, StoreLimitsBuilder, TrapCode, WasmParams};

use crate::memory::{Exports, Guest, Machine};
use crate::response::{self, Response};
use crate::{
    Call, Charged, Code, Entry, Host, HostError, QueryAnswer, QueryRequest, Returned, Version, gas, imports, limits,
};

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The wasm gas that it used: at most what it was given, and all of that when it ran out.
    pub gas_used: u64,
    /// What the contract returned, or why it did not.
    pub result: Result<Returned, Trap>,
}

/// Why a contract did not return. The texts are those that Secret Network's clients see, and say nothing of the contract's
/// data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Trap {
    /// It used all its gas.
    #[error("execution ran out of gas")]
    OutOfGas,
    /// It came to an instruction that is never to be reached: a panic, as contracts are compiled.
    #[error("the contract panicked")]
    Panicked,
    /// It read or wrote outside its memory.
    #[error("the contract tried to access memory out of bounds")]
    Bounds,
    /// It used an element outside a table.
    #[error("the contract tried to access a nonexistent resource")]
    Table,
    /// It called through an element of a table that holds nothing.
    #[error("the contract tried to access an uninitialized resource")]
    Uninitialized,
    /// It divided by zero.
    #[error("the contract tried to divide by zero")]
    Division,
    /// It divided the least integer by minus one.
    #[error("the contract tried to perform an invalid conversion to an integer")]
    Overflow,
    /// Its calls nest too deeply.
    #[error("the contract has run out of space on the stack")]
    Stack,
    /// It called a function of another type than it expected.
    #[error("the contract tried to call a function but expected an incorrect function signature")]
    Signature,
    /// It has no such entry point, or one of another type.
    #[error("calling a function in the contract failed for an unexpected reason")]
    Failed,
    /// Its `allocate` gives no memory, or is called while it runs.
    #[error("failed to allocate memory")]
    Allocate,
    /// It passed a region that lies outside its memory, or is larger than it may be.
    #[error("failed to read memory")]
    MemoryRead,
    /// It passed a region that lies outside its memory, or is too small.
    #[error("failed to write memory")]
    MemoryWrite,
    /// It tried to write while it answered a query.
    #[error("contract tried to write to storage during a query")]
    WriteInQuery,
    /// What it returned is not the JSON that it has to be, or holds too much.
    #[error("failed to deserialize data")]
    Malformed,
    /// Its code holds floating point instructions ([`crate::CodeError::Floats`]).
    #[error("found floating point operation in module code")]
    Floats,
    /// The host of the enclave lied, or fell silent: everything stops.
    #[error("communication with the enclave's host failed")]
    Halt,
}

/// Calls a contract in a fresh instance of its code.
///
/// A contract's memory never survives a call, so what it wrote through `host` is all that it leaves behind. The caller undoes
/// that if the result is not a response.
pub fn run(code: &Code, host: &mut dyn Host, call: &Call<'_>) -> Run {
    let mut store = store(code.module().engine(), host, call.gas);
    store.data_mut().read_only = call.entry == Entry::Query;
    let result = enter(code, &mut store, call).map_err(|error| Trap::of(&error));
    // The machine stops before an instruction that it cannot pay, and some of the gas may be left.
    let gas_used = if result == Err(Trap::OutOfGas) { call.gas } else { Machine::new(&mut store).used() };
    Run { gas_used, result }
}

/// Instantiates a module as a call would, and calls nothing.
pub(crate) fn trial(module: &Module) -> Result<(), WasmError> {
    instantiate(&mut store(module.engine(), &mut Nobody, 0), module).map(|_| ())
}

fn store<'h>(engine: &Engine, host: &'h mut dyn Host, gas: u64) -> Store<Guest<'h>> {
    let memory = usize::try_from(PAGE_BYTES * limits::MEMORY_PAGES).unwrap_or(usize::MAX);
    let limits = StoreLimitsBuilder::new()
        .memory_size(memory)
        .memories(1)
        .tables(1)
        .table_elements(limits::TABLE_ELEMENTS)
        .instances(1)
        .build();
    let mut store = Store::new(engine, Guest { host, limits, gas, read_only: false, exports: None, allocating: false });
    store.limiter(|guest| &mut guest.limits);
    store.set_fuel(gas).expect("the engine meters");
    store
}

fn instantiate(store: &mut Store<Guest<'_>>, module: &Module) -> Result<Instance, WasmError> {
    let instance = imports::linker(module.engine())?.instantiate_and_start(&mut *store, module)?;
    let memory = instance.get_memory(&*store, "memory").ok_or(Trap::Failed)?;
    let allocate = instance.get_typed_func(&*store, "allocate")?;
    store.data_mut().exports = Some(Exports { memory, allocate });
    Ok(instance)
}

fn enter(code: &Code, store: &mut Store<Guest<'_>>, call: &Call<'_>) -> Result<Returned, WasmError> {
    let version = code.version();
    let export = version.export(call.entry).ok_or(Trap::Failed)?;
    let instance = instantiate(store, code.module())?;
    let mut pointers = Vec::new();
    for argument in call.arguments(version, code.wants_random()) {
        pointers.push(Machine::new(store).give(&argument)?);
    }
    let returned = match *pointers {
        [a] => enter_with(&instance, store, export, a),
        [a, b] => enter_with(&instance, store, export, (a, b)),
        [a, b, c] => enter_with(&instance, store, export, (a, b, c)),
        _ => Err(Trap::Failed.into()),
    }?;
    let mut machine = Machine::new(store);
    let json = machine.read(returned, limits::RESULT_BYTES)?;
    let returned = parse(version, call.entry, &json)?;
    if let Returned::Response(response) = &returned {
        machine.charge(price(response)?)?;
    }
    Ok(returned)
}

fn enter_with<P: WasmParams>(
    instance: &Instance,
    store: &mut Store<Guest<'_>>,
    export: &str,
    arguments: P,
) -> Result<u32, WasmError> {
    let function = instance.get_typed_func::<P, u32>(&*store, export).map_err(|_| Trap::Failed)?;
    function.call(store, arguments)
}

fn parse(version: Version, entry: Entry, json: &[u8]) -> Result<Returned, Trap> {
    let parsed = match entry {
        Entry::Query => response::answer(json),
        _ => response::response(version, json),
    };
    parsed.map_err(|_| Trap::Malformed)
}

/// What it costs to carry out what a response consists of; what its messages do costs extra.
fn price(response: &Response) -> Result<u64, Trap> {
    let own = response.events.iter().map(|event| event.attributes.len().saturating_add(1));
    let items = own.fold(response.messages.len(), usize::saturating_add).saturating_add(response.attributes.len());
    if items > limits::RESPONSE_ITEMS {
        return Err(Trap::Malformed);
    }
    Ok(u64::try_from(items).unwrap_or(u64::MAX).saturating_mul(gas::ITEM))
}

impl Trap {
    fn of(error: &WasmError) -> Self {
        if let Some(trap) = error.downcast_ref::<Self>() {
            return *trap;
        }
        match error.as_trap_code() {
            Some(TrapCode::OutOfFuel) => Self::OutOfGas,
            Some(TrapCode::UnreachableCodeReached) => Self::Panicked,
            Some(TrapCode::MemoryOutOfBounds) => Self::Bounds,
            Some(TrapCode::TableOutOfBounds) => Self::Table,
            Some(TrapCode::IndirectCallToNull) => Self::Uninitialized,
            Some(TrapCode::IntegerDivisionByZero) => Self::Division,
            Some(TrapCode::IntegerOverflow | TrapCode::BadConversionToInteger) => Self::Overflow,
            Some(TrapCode::StackOverflow) => Self::Stack,
            Some(TrapCode::BadSignature) => Self::Signature,
            _ => Self::Failed,
        }
    }
}

impl wasmi::errors::HostError for Trap {}

impl From<Trap> for WasmError {
    fn from(trap: Trap) -> Self {
        Self::host(trap)
    }
}

impl From<HostError> for Trap {
    fn from(error: HostError) -> Self {
        match error {
            HostError::OutOfGas => Self::OutOfGas,
            HostError::ReadOnly => Self::WriteInQuery,
            HostError::Halt => Self::Halt,
        }
    }
}

/// The world of a module that is only looked at.
struct Nobody;

impl Host for Nobody {
    fn read(&mut self, _: &[u8]) -> Result<Charged<Option<Vec<u8>>>, HostError> {
        Err(HostError::OutOfGas)
    }

    fn write(&mut self, _: &[u8], _: &[u8]) -> Result<Charged<()>, HostError> {
        Err(HostError::OutOfGas)
    }

    fn remove(&mut self, _: &[u8]) -> Result<Charged<()>, HostError> {
        Err(HostError::OutOfGas)
    }

    fn query(&mut self, _: QueryRequest, _: u64) -> Result<Charged<QueryAnswer>, HostError> {
        Err(HostError::OutOfGas)
    }
}

const PAGE_BYTES: u64 = 64 << 10;
