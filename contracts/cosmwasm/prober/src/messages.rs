use cosmwasm_std::{BankMsg, CosmosMsg, Env, ReplyOn, StdResult, SubMsg, WasmMsg, to_binary};

use crate::{ExecuteMsg, Kind, Sub};

/// The messages as the chain knows them.
pub fn all(subs: Vec<Sub>) -> Vec<SubMsg> {
    subs.into_iter().map(one).collect()
}

/// The next call of a chain of calls, if there is one.
pub fn again(env: &Env, depth: u32) -> StdResult<Option<SubMsg>> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
    Ok(Some(SubMsg::new(WasmMsg::Execute {
        contract_addr: env.contract.address.to_string(),
        code_hash: env.contract.code_hash.clone(),
        msg: to_binary(&ExecuteMsg::Again { depth })?,
        funds: vec![],
    })))
}

fn one(sub: Sub) -> SubMsg {
    let message = message(sub.msg);
    let mut sent = match sub.reply_on {
        ReplyOn::Always => SubMsg::reply_always(message, sub.id),
        ReplyOn::Error => SubMsg::reply_on_error(message, sub.id),
        ReplyOn::Success => SubMsg::reply_on_success(message, sub.id),
        ReplyOn::Never => SubMsg::new(message),
    };
    sent.gas_limit = sub.gas_limit;
    sent
}

fn message(kind: Kind) -> CosmosMsg {
    match kind {
        Kind::Execute { contract, code_hash, msg, funds } => {
            WasmMsg::Execute { contract_addr: contract, code_hash, msg, funds: funds.unwrap_or_default() }.into()
        }
        Kind::Send { to, amount } => BankMsg::Send { to_address: to, amount }.into(),
        Kind::Instantiate { code_id, code_hash, msg, label, funds, admin } => {
            WasmMsg::Instantiate { admin, code_id, code_hash, msg, funds: funds.unwrap_or_default(), label }.into()
        }
        Kind::Burn { amount } => BankMsg::Burn { amount }.into(),
        Kind::Migrate { contract, code_id, code_hash, msg } => {
            WasmMsg::Migrate { contract_addr: contract, code_hash, code_id, msg }.into()
        }
        Kind::UpdateAdmin { contract, admin } => WasmMsg::UpdateAdmin { contract_addr: contract, admin }.into(),
        Kind::ClearAdmin { contract } => WasmMsg::ClearAdmin { contract_addr: contract }.into(),
        Kind::Finalize {} => CosmosMsg::finalize_tx(),
        Kind::Stargate { type_url, value } => CosmosMsg::Stargate { type_url, value },
    }
}
