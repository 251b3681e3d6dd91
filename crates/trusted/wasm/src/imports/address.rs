//! Addresses, for contracts: in Bech32 for people, as 20 bytes (*canonical*) for storage.
//!
//! Each function returns 0, or a region with the text of what is wrong. The texts are Secret Network's.

use alloy_primitives::Address;
use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use cloister_chain::cosmos::{bech32, from_bech32};
use wasmi::{Caller, Error as WasmError};

use crate::memory::{Guest, Machine};
use crate::{gas, limits};

/// `addr_canonicalize(human, destination)`; the older line says `canonicalize_address`.
pub(super) fn canonicalize(mut caller: Caller<'_, Guest<'_>>, human: u32, to: u32) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::ADDRESS)?;
    let human = machine.read(human, limits::ADDRESS_BYTES)?;
    let address = match text(&human, "input is not valid UTF-8", "input is empty").and_then(parse) {
        Ok(address) => address,
        Err(why) => return machine.give(why.as_bytes()),
    };
    machine.fill(to, address.as_slice())?;
    Ok(0)
}

/// `addr_humanize(canonical, destination)`; the older line says `humanize_address`.
pub(super) fn humanize(mut caller: Caller<'_, Guest<'_>>, canonical: u32, to: u32) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::ADDRESS)?;
    let canonical = machine.read(canonical, limits::ADDRESS_BYTES)?;
    let Ok(address) = Address::try_from(canonical.as_slice()) else {
        return machine.give(b"canonical addresses have 20 bytes");
    };
    machine.fill(to, bech32(&address).as_bytes())?;
    Ok(0)
}

/// `addr_validate(human)`: an address as it is written on this chain, and in no other way.
pub(super) fn validate(mut caller: Caller<'_, Guest<'_>>, human: u32) -> Result<u32, WasmError> {
    let mut machine = Machine::new(&mut caller);
    machine.charge(gas::ADDRESS)?;
    let human = machine.read(human, limits::ADDRESS_BYTES)?;
    let checked = text(&human, "Input is not valid UTF-8", "Input is empty").and_then(|text| {
        let written = bech32(&parse(text)?);
        if written.as_bytes() == human { Ok(()) } else { Err("Address is not normalized".to_owned()) }
    });
    match checked {
        Ok(()) => Ok(0),
        Err(why) => machine.give(why.as_bytes()),
    }
}

fn text<'a>(bytes: &'a [u8], not_text: &str, empty: &str) -> Result<&'a str, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| not_text.to_owned())?.trim();
    if text.is_empty() { Err(empty.to_owned()) } else { Ok(text) }
}

fn parse(human: &str) -> Result<Address, String> {
    let checked = CheckedHrpstring::new::<Bech32>(human).map_err(|error| error.to_string())?;
    if checked.hrp().to_lowercase() != PREFIX {
        return Err(format!("wrong address prefix: {:?}", checked.hrp().as_str()));
    }
    // In capitals it is the same address.
    from_bech32(&human.to_ascii_lowercase()).map_err(|error| error.to_string())
}

/// As in [`cloister_chain::cosmos::bech32`].
const PREFIX: &str = "secret";
