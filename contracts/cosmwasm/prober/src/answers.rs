use cosmwasm_std::{
    Api, BankQuery, Binary, ContractResult, Deps, Empty, Env, QueryRequest, StdError, SystemResult, WasmQuery,
    to_binary, to_vec,
};
use serde::{Deserialize, Serialize};

use crate::{Answer, QueryMsg};

/// One entry of the state.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Value {
    /// Absent or removed: null.
    pub value: Option<String>,
}

/// How deep a chain of questions went.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Depth {
    /// 0 at the innermost.
    pub depth: u32,
}

/// An address in its forms.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// 20 bytes.
    pub canonical: Binary,
    /// Made from these bytes.
    pub human: String,
}

/// Another contract's bare answer; what went wrong says on which level it did.
pub fn ask(deps: Deps<'_>, contract: String, code_hash: String, msg: Binary) -> Answer {
    let request: QueryRequest<Empty> = WasmQuery::Smart { contract_addr: contract, code_hash, msg }.into();
    bare(deps, &to_vec(&request)?)
}

/// The bank's bare answer.
pub fn balance(deps: Deps<'_>, address: String, denom: Option<String>) -> Answer {
    let denom = denom.unwrap_or_else(|| "uscrt".into());
    let request: QueryRequest<Empty> = BankQuery::Balance { address, denom }.into();
    bare(deps, &to_vec(&request)?)
}

/// The answer to any request with both levels of errors, as the chain gave it.
pub fn chain(deps: Deps<'_>, request: &[u8]) -> Answer {
    to_binary(&deps.querier.raw_query(request))
}

/// Asks itself until `depth` is 0; answers how deep that was.
pub fn nest(deps: Deps<'_>, env: &Env, depth: u32) -> Answer {
    let Some(next) = depth.checked_sub(1) else { return to_binary(&Depth { depth: 0 }) };
    let question = to_binary(&QueryMsg::Nest { depth: next })?;
    let answer = ask(deps, env.contract.address.to_string(), env.contract.code_hash.clone(), question)?;
    let inner: Depth = cosmwasm_std::from_binary(&answer)?;
    to_binary(&Depth { depth: inner.depth.saturating_add(1) })
}

/// There and back.
pub fn address(api: &dyn Api, human: &str) -> Answer {
    let valid = api.addr_validate(human)?;
    let canonical = api.addr_canonicalize(valid.as_str())?;
    let human = api.addr_humanize(&canonical)?.into_string();
    to_binary(&Addresses { canonical: canonical.0, human })
}

fn bare(deps: Deps<'_>, request: &[u8]) -> Answer {
    match deps.querier.raw_query(request) {
        SystemResult::Ok(ContractResult::Ok(answer)) => Ok(answer),
        SystemResult::Ok(ContractResult::Err(text)) => Err(StdError::generic_err(format!("contract error: {text}"))),
        SystemResult::Err(error) => Err(StdError::generic_err(format!("system error: {error}"))),
    }
}
