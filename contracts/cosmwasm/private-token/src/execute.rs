use cosmwasm_std::{
    Addr, BankMsg, Binary, CosmosMsg, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Storage, Uint128,
    WasmMsg, coins,
};
use owner_only::{pad, permit, viewing_key};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::msg::{ExecuteAnswer, ExecuteMsg, Status};
use crate::state::{Account, Remembered, Token};
use crate::{Owner, minters, state};

/// Does one thing and answers.
pub fn run(deps: DepsMut<'_>, env: &Env, info: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    let ok = Status::success;
    let mut messages = Vec::new();
    let answer = match msg {
        ExecuteMsg::Transfer { recipient, amount, memo } => {
            transfer(deps, env, &info.sender, &recipient, amount, memo)?;
            ExecuteAnswer::Transfer(ok())
        }
        ExecuteMsg::Send { recipient, recipient_code_hash, amount, msg, memo } => {
            messages.extend(send(deps, env, &info.sender, recipient, recipient_code_hash, amount, msg, memo)?);
            ExecuteAnswer::Send(ok())
        }
        ExecuteMsg::RegisterReceive { code_hash } => {
            state::store_receiver(deps.storage, &deps.api.addr_canonicalize(info.sender.as_str())?, &code_hash);
            ExecuteAnswer::RegisterReceive(ok())
        }
        ExecuteMsg::Mint { recipient, amount } => {
            minters::mint(deps, &info.sender, &recipient, amount)?;
            ExecuteAnswer::Mint(ok())
        }
        ExecuteMsg::AddMinters { minters } => {
            minters::add(deps, &info.sender, &minters)?;
            ExecuteAnswer::AddMinters(ok())
        }
        ExecuteMsg::RemoveMinters { minters } => {
            minters::remove(deps, &info.sender, &minters)?;
            ExecuteAnswer::RemoveMinters(ok())
        }
        ExecuteMsg::SetMinters { minters } => {
            minters::set(deps, &info.sender, &minters)?;
            ExecuteAnswer::SetMinters(ok())
        }
        ExecuteMsg::Deposit {} => {
            deposit(deps, &info)?;
            ExecuteAnswer::Deposit(ok())
        }
        ExecuteMsg::Redeem { amount, denom } => {
            messages.push(redeem(deps, &info.sender, amount, denom)?);
            ExecuteAnswer::Redeem(ok())
        }
        ExecuteMsg::CreateViewingKey { entropy } => {
            ExecuteAnswer::CreateViewingKey { key: create_viewing_key(deps, env, &info.sender, &entropy)? }
        }
        ExecuteMsg::SetViewingKey { key } => {
            let owner = deps.api.addr_canonicalize(info.sender.as_str())?;
            viewing_key::set(deps.storage, &owner, &key);
            ExecuteAnswer::SetViewingKey(ok())
        }
        ExecuteMsg::RevokePermit { permit_name } => {
            permit::revoke(deps.storage, &deps.api.addr_canonicalize(info.sender.as_str())?, &permit_name);
            ExecuteAnswer::RevokePermit(ok())
        }
    };
    Ok(Response::new().add_messages(messages).set_data(pad::answer(&answer)?))
}

/// Gives tokens to an account out of nothing; the supply grows by as much.
pub fn issue(storage: &mut dyn Storage, owner: &Owner, amount: Uint128) -> StdResult<()> {
    let supply = state::supply(storage)?.checked_add(amount)?;
    state::store_supply(storage, supply);
    let mut account = Account::load(storage, owner)?;
    account.balance = account.balance.checked_add(amount)?;
    account.store(storage, owner);
    Ok(())
}

fn transfer(
    deps: DepsMut<'_>,
    env: &Env,
    sender: &Addr,
    recipient: &str,
    amount: Uint128,
    memo: Option<String>,
) -> StdResult<Owner> {
    let from = deps.api.addr_canonicalize(sender.as_str())?;
    let to = deps.api.addr_canonicalize(recipient)?;
    let (seconds, height) = (env.block.time.seconds(), env.block.height);
    // One side is finished before the other is read: they may be the same account.
    for (owner, other, received) in [(&from, &to, false), (&to, &from, true)] {
        let mut account = Account::load(deps.storage, owner)?;
        account.balance = if received { account.balance.checked_add(amount)? } else { less(account.balance, amount)? };
        account.transfers =
            account.transfers.checked_add(1).ok_or_else(|| StdError::generic_err("the history is full"))?;
        account.store(deps.storage, owner);
        let transfer = Remembered { received, other: other.clone(), amount, seconds, height, memo: memo.clone() };
        transfer.store(deps.storage, owner, account.transfers);
    }
    Ok(to)
}

#[allow(clippy::too_many_arguments)]
fn send(
    deps: DepsMut<'_>,
    env: &Env,
    sender: &Addr,
    recipient: String,
    code_hash: Option<String>,
    amount: Uint128,
    msg: Option<Binary>,
    memo: Option<String>,
) -> StdResult<Option<CosmosMsg>> {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Told<'a> {
        Receive {
            sender: &'a Addr,
            from: &'a Addr,
            amount: Uint128,
            #[serde(skip_serializing_if = "Option::is_none")]
            memo: Option<String>,
            msg: Option<Binary>,
        },
    }
    let DepsMut { storage, api, querier } = deps;
    let to = transfer(DepsMut { storage, api, querier }, env, sender, &recipient, amount, memo.clone())?;
    let Some(code_hash) = code_hash.map_or_else(|| state::receiver(storage, &to), |given| Ok(Some(given)))? else {
        return Ok(None);
    };
    let msg = pad::answer(&Told::Receive { sender, from: sender, amount, memo, msg })?;
    Ok(Some(WasmMsg::Execute { contract_addr: recipient, code_hash, msg, funds: vec![] }.into()))
}

fn deposit(deps: DepsMut<'_>, info: &MessageInfo) -> StdResult<()> {
    let token = Token::load(deps.storage)?;
    if !token.deposit {
        return Err(StdError::generic_err("this token takes no deposits"));
    }
    let mut amount = Uint128::zero();
    for coin in &info.funds {
        if !token.denoms.contains(&coin.denom) {
            return Err(StdError::generic_err(format!("this token takes no {}", coin.denom)));
        }
        amount = amount.checked_add(coin.amount)?;
    }
    if amount.is_zero() {
        return Err(StdError::generic_err("no coins came with the call"));
    }
    issue(deps.storage, &deps.api.addr_canonicalize(info.sender.as_str())?, amount)
}

fn redeem(deps: DepsMut<'_>, sender: &Addr, amount: Uint128, denom: Option<String>) -> StdResult<CosmosMsg> {
    let token = Token::load(deps.storage)?;
    if !token.redeem {
        return Err(StdError::generic_err("this token gives no coins"));
    }
    let denom = match (denom, token.denoms.as_slice()) {
        (Some(denom), known) if known.contains(&denom) => denom,
        (None, [only]) => only.clone(),
        _ => return Err(StdError::generic_err("say which of the token's coins")),
    };
    let owner = deps.api.addr_canonicalize(sender.as_str())?;
    let mut account = Account::load(deps.storage, &owner)?;
    account.balance = less(account.balance, amount)?;
    account.store(deps.storage, &owner);
    let supply = less(state::supply(deps.storage)?, amount)?;
    state::store_supply(deps.storage, supply);
    Ok(BankMsg::Send { to_address: sender.to_string(), amount: coins(amount.u128(), denom) }.into())
}

fn create_viewing_key(deps: DepsMut<'_>, env: &Env, sender: &Addr, entropy: &str) -> StdResult<String> {
    let owner = deps.api.addr_canonicalize(sender.as_str())?;
    let random = Sha256::new()
        .chain_update(state::seed(deps.storage))
        .chain_update(env.block.height.to_be_bytes())
        .chain_update(env.block.time.nanos().to_be_bytes())
        .chain_update(env.transaction.as_ref().map_or(0, |transaction| transaction.index).to_be_bytes())
        .chain_update(owner.as_slice())
        .chain_update(entropy)
        .finalize();
    let key = format!("api_key_{}", Binary(random.to_vec()).to_base64());
    viewing_key::set(deps.storage, &owner, &key);
    Ok(key)
}

fn less(balance: Uint128, amount: Uint128) -> StdResult<Uint128> {
    balance
        .checked_sub(amount)
        .map_err(|_| StdError::generic_err(format!("insufficient funds: balance={balance}, required={amount}")))
}
