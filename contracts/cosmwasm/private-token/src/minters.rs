use cosmwasm_std::{Addr, DepsMut, StdError, StdResult, Uint128};

use crate::execute;
use crate::state::{self, Token};

/// Makes tokens, if the sender is a minter.
pub fn mint(deps: DepsMut<'_>, sender: &Addr, recipient: &str, amount: Uint128) -> StdResult<()> {
    if !Token::load(deps.storage)?.mint {
        return Err(StdError::generic_err("this token is not minted"));
    }
    if !state::minters(deps.storage)?.iter().any(|minter| minter == sender.as_str()) {
        return Err(StdError::generic_err("only minters mint"));
    }
    execute::issue(deps.storage, &deps.api.addr_canonicalize(recipient)?, amount)
}

pub fn add(deps: DepsMut<'_>, sender: &Addr, names: &[String]) -> StdResult<()> {
    let more = named(&deps, sender, names)?;
    let mut minters = state::minters(deps.storage)?;
    minters.extend(more);
    minters.sort();
    minters.dedup();
    state::store_minters(deps.storage, &minters)
}

pub fn remove(deps: DepsMut<'_>, sender: &Addr, names: &[String]) -> StdResult<()> {
    let fewer = named(&deps, sender, names)?;
    let mut minters = state::minters(deps.storage)?;
    minters.retain(|minter| !fewer.contains(minter));
    state::store_minters(deps.storage, &minters)
}

pub fn set(deps: DepsMut<'_>, sender: &Addr, names: &[String]) -> StdResult<()> {
    let minters = named(&deps, sender, names)?;
    state::store_minters(deps.storage, &minters)
}

/// The addresses, if the sender is the admin.
fn named(deps: &DepsMut<'_>, sender: &Addr, names: &[String]) -> StdResult<Vec<String>> {
    if Token::load(deps.storage)?.admin != sender.as_str() {
        return Err(StdError::generic_err("only the admin names minters"));
    }
    names.iter().map(|name| deps.api.addr_validate(name).map(Addr::into_string)).collect()
}
