//! The functions that contracts import, and which line of contracts may import which.

mod address;
mod crypto;

use wasmi::{Caller, Engine, Error as WasmError, Linker, errors::LinkerError};

use crate::memory::{Guest, Machine};
use crate::{QueryAnswer, QueryRequest, Trap, gas, limits};

/// The module that they are imported from.
pub(crate) const MODULE: &str = "env";

/// What both lines may import.
pub(crate) const BOTH: [&str; 10] = [
    "db_read",
    "db_write",
    "db_remove",
    "query_chain",
    "secp256k1_verify",
    "secp256k1_recover_pubkey",
    "secp256k1_sign",
    "ed25519_verify",
    "ed25519_batch_verify",
    "ed25519_sign",
];

/// What only the newer line may import.
pub(crate) const V1: [&str; 7] =
    ["addr_validate", "addr_canonicalize", "addr_humanize", "debug", "check_gas", "gas_evaporate", "dcap_quote_verify"];

/// What only the older line may import.
pub(crate) const V010: [&str; 3] = ["canonicalize_address", "humanize_address", "debug_print"];

/// All of them. There is no iteration over the state: `db_scan` and `db_next` do not exist.
pub(crate) fn linker<'h>(engine: &Engine) -> Result<Linker<Guest<'h>>, LinkerError> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap(MODULE, "db_read", db_read)?
        .func_wrap(MODULE, "db_write", db_write)?
        .func_wrap(MODULE, "db_remove", db_remove)?
        .func_wrap(MODULE, "query_chain", query_chain)?
        .func_wrap(MODULE, "addr_validate", address::validate)?
        .func_wrap(MODULE, "addr_canonicalize", address::canonicalize)?
        .func_wrap(MODULE, "addr_humanize", address::humanize)?
        .func_wrap(MODULE, "canonicalize_address", address::canonicalize)?
        .func_wrap(MODULE, "humanize_address", address::humanize)?
        .func_wrap(MODULE, "secp256k1_verify", crypto::secp256k1_verify)?
        .func_wrap(MODULE, "secp256k1_recover_pubkey", crypto::secp256k1_recover)?
        .func_wrap(MODULE, "secp256k1_sign", crypto::secp256k1_sign)?
        .func_wrap(MODULE, "ed25519_verify", crypto::ed25519_verify)?
        .func_wrap(MODULE, "ed25519_batch_verify", crypto::ed25519_batch_verify)?
        .func_wrap(MODULE, "ed25519_sign", crypto::ed25519_sign)?
        .func_wrap(MODULE, "debug", debug)?
        .func_wrap(MODULE, "debug_print", debug)?
        .func_wrap(MODULE, "check_gas", check_gas)?
        .func_wrap(MODULE, "gas_evaporate", gas_evaporate)?
        .func_wrap(MODULE, "dcap_quote_verify", dcap_quote_verify)?;
    Ok(linker)
}

/// `db_read(key) -> region`, or 0 if there is nothing under the key.
fn db_read(mut caller: Caller<'_, Guest<'_>>, key: u32) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::READ)?;
    let key = machine.read(key, limits::KEY_BYTES)?;
    match machine.ask(|host| host.read(&key))? {
        Some(value) => machine.give(&value),
        None => Ok(0),
    }
}

/// `db_write(key, value)`.
fn db_write(mut caller: Caller<'_, Guest<'_>>, key: u32, value: u32) -> Result<(), WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::WRITE)?;
    if machine.guest().read_only {
        return Err(Trap::WriteInQuery.into());
    }
    let (key, value) = (machine.read(key, limits::KEY_BYTES)?, machine.read(value, limits::VALUE_BYTES)?);
    Ok(machine.ask(|host| host.write(&key, &value))?)
}

/// `db_remove(key)`.
fn db_remove(mut caller: Caller<'_, Guest<'_>>, key: u32) -> Result<(), WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::REMOVE)?;
    if machine.guest().read_only {
        return Err(Trap::WriteInQuery.into());
    }
    let key = machine.read(key, limits::KEY_BYTES)?;
    Ok(machine.ask(|host| host.remove(&key))?)
}

/// `query_chain(request) -> region` with the answer.
fn query_chain(mut caller: Caller<'_, Guest<'_>>, request: u32) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    let json = machine.read(request, limits::QUESTION_BYTES)?;
    let answer = match QueryRequest::parse(&json) {
        Ok(request) => {
            machine.charge(gas::QUERY)?;
            let left = machine.left();
            machine.ask(|host| host.query(request, left))?
        }
        Err(error) => {
            machine.charge(gas::MALFORMED_QUERY)?;
            QueryAnswer::InvalidRequest { error: error.to_string(), request: json }
        }
    };
    machine.give(&answer.to_json())
}

/// `debug(text)`, `debug_print(text)`: nothing. What a contract prints would leave the enclave.
fn debug(mut caller: Caller<'_, Guest<'_>>, _text: u32) -> Result<(), WasmError> {
    Ok(Machine::new(&mut caller).charge(gas::DEBUG)?)
}

/// `check_gas() -> i64`: what the call used so far, in the SDK's gas.
fn check_gas(mut caller: Caller<'_, Guest<'_>>) -> Result<u64, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::CHECK_GAS)?;
    Ok(machine.used() / gas::MULTIPLIER)
}

/// `gas_evaporate(amount) -> 0`: uses as much of the SDK's gas, so that a call costs the same whatever it did.
fn gas_evaporate(mut caller: Caller<'_, Guest<'_>>, amount: u32) -> Result<u32, WasmError> {
    let price = u64::from(amount).saturating_mul(gas::MULTIPLIER).max(gas::EVAPORATE);
    Machine::new(&mut caller).charge(price)?;
    Ok(0)
}

/// `dcap_quote_verify(quote, collateral) -> error << 32 | verdict`: always an error, because attestation is judged outside
/// of contracts.
fn dcap_quote_verify(mut caller: Caller<'_, Guest<'_>>, _quote: u32, _collateral: u32) -> Result<u64, WasmError> {
    Machine::new(&mut caller).charge(gas::QUOTE_VERIFY)?;
    Ok(1 << 32)
}
