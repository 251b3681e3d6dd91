//! A token of which only the owner sees the balance: the messages of SNIP-20, with the permits of SNIP-24.
//!
//! A transfer reads two entries and writes four, all small: each side's account and each side's history. Answers are
//! padded to a multiple of 256 bytes, so that their length says nothing.

mod execute;
mod minters;
mod msg;
mod query;
mod state;

#[cfg(test)]
mod tests;

use cosmwasm_std::{
    Binary, CanonicalAddr, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Uint128, entry_point,
};
use owner_only::pad;
use sha2::{Digest, Sha256};

pub use msg::{
    Amount, Coins, Config, ExecuteAnswer, ExecuteMsg, InitialBalance, InstantiateMsg, QueryAnswer, QueryMsg,
    QueryWithPermit, Status, Transfer,
};

/// Names the token and hands out the first balances.
#[entry_point]
pub fn instantiate(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: InstantiateMsg) -> StdResult<Response> {
    if msg.decimals > 18 {
        return Err(StdError::generic_err("decimals must not exceed 18"));
    }
    let admin = deps.api.addr_validate(msg.admin.as_deref().unwrap_or(info.sender.as_str()))?;
    let mut supply = Uint128::zero();
    for InitialBalance { address, amount } in msg.initial_balances.unwrap_or_default() {
        supply = supply.checked_add(amount)?;
        let owner = deps.api.addr_canonicalize(&address)?;
        let mut account = state::Account::load(deps.storage, &owner)?;
        account.balance = account.balance.checked_add(amount)?;
        account.store(deps.storage, &owner);
    }
    state::store_supply(deps.storage, supply);
    let config = msg.config.unwrap_or_default();
    let token = state::Token {
        name: msg.name,
        symbol: msg.symbol,
        decimals: msg.decimals,
        admin: admin.into_string(),
        denoms: msg.supported_denoms.unwrap_or_else(|| vec!["uscrt".into()]),
        public_supply: config.public_total_supply.unwrap_or(false),
        deposit: config.enable_deposit.unwrap_or(false),
        redeem: config.enable_redeem.unwrap_or(false),
        mint: config.enable_mint.unwrap_or(false),
    };
    token.store(deps.storage)?;
    let seed = Sha256::new().chain_update(&msg.prng_seed.0).chain_update(env.contract.address.as_bytes()).finalize();
    state::store_seed(deps.storage, &seed.into());
    Ok(Response::new())
}

/// Moves tokens, or changes what their owner allows to be seen.
#[entry_point]
pub fn execute(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    execute::run(deps, &env, info, msg).map_err(pad::error)
}

/// Answers everybody, or the owner alone.
#[entry_point]
pub fn query(deps: Deps<'_>, env: Env, msg: QueryMsg) -> StdResult<Binary> {
    query::run(deps, &env, msg).and_then(|answer| pad::answer(&answer)).map_err(pad::error)
}

/// The bytes of an address: the key of everything that its account owns.
type Owner = CanonicalAddr;
