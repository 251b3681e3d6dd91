use cosmwasm_std::{Deps, Env, StdError, StdResult};
use owner_only::viewing_key;

use crate::msg::{Amount, Coins, QueryAnswer, QueryMsg, QueryWithPermit, Transfer};
use crate::state::{Account, Remembered, Token};
use crate::{Owner, state};

/// Answers one question.
pub fn run(deps: Deps<'_>, env: &Env, msg: QueryMsg) -> StdResult<QueryAnswer> {
    match msg {
        QueryMsg::TokenInfo {} => token_info(deps),
        QueryMsg::Minters {} => Ok(QueryAnswer::Minters { minters: state::minters(deps.storage)? }),
        QueryMsg::Balance { address, key } => with_key(deps, &address, &key, |owner| balance(deps, owner)),
        QueryMsg::TransferHistory { address, key, page, page_size } => {
            with_key(deps, &address, &key, |owner| history(deps, owner, page, page_size))
        }
        QueryMsg::WithPermit { permit, query } => {
            let owner = permit.owner(deps, env)?;
            let needed = match query {
                QueryWithPermit::Balance {} => "balance",
                QueryWithPermit::TransferHistory { .. } => "history",
            };
            if !permit.allows(needed) {
                return Err(StdError::generic_err(format!("the permit lacks the permission {needed}")));
            }
            match query {
                QueryWithPermit::Balance {} => balance(deps, &owner),
                QueryWithPermit::TransferHistory { page, page_size } => history(deps, &owner, page, page_size),
            }
        }
    }
}

/// A wrong key is an answer and not an error, and an account without a key does not look different.
fn with_key(
    deps: Deps<'_>,
    address: &str,
    key: &str,
    answer: impl FnOnce(&Owner) -> StdResult<QueryAnswer>,
) -> StdResult<QueryAnswer> {
    let owner = deps.api.addr_canonicalize(address)?;
    if viewing_key::fits(deps.storage, &owner, key) {
        answer(&owner)
    } else {
        Ok(QueryAnswer::ViewingKeyError { msg: viewing_key::WRONG.into() })
    }
}

fn token_info(deps: Deps<'_>) -> StdResult<QueryAnswer> {
    let token = Token::load(deps.storage)?;
    let total_supply = token.public_supply.then(|| state::supply(deps.storage)).transpose()?;
    Ok(QueryAnswer::TokenInfo { name: token.name, symbol: token.symbol, decimals: token.decimals, total_supply })
}

fn balance(deps: Deps<'_>, owner: &Owner) -> StdResult<QueryAnswer> {
    Ok(QueryAnswer::Balance(Amount { amount: Account::load(deps.storage, owner)?.balance }))
}

fn history(deps: Deps<'_>, owner: &Owner, page: Option<u32>, page_size: u32) -> StdResult<QueryAnswer> {
    let total = Account::load(deps.storage, owner)?.transfers;
    let newest = total.saturating_sub(page.unwrap_or(0).saturating_mul(page_size));
    let oldest = newest.saturating_sub(page_size);
    let this = human(deps, owner)?;
    let denom = Token::load(deps.storage)?.symbol;
    let one = |id: u32| {
        let transfer = Remembered::load(deps.storage, owner, id)?;
        let other = human(deps, &transfer.other)?;
        let (from, receiver) = if transfer.received { (other, this.clone()) } else { (this.clone(), other) };
        Ok(Transfer {
            id,
            sender: from.clone(),
            from,
            receiver,
            coins: Coins { denom: denom.clone(), amount: transfer.amount },
            memo: transfer.memo,
            block_time: transfer.seconds,
            block_height: transfer.height,
        })
    };
    let txs: StdResult<_> = (oldest + 1..=newest).rev().map(one).collect();
    Ok(QueryAnswer::TransferHistory { txs: txs?, total })
}

fn human(deps: Deps<'_>, owner: &Owner) -> StdResult<String> {
    Ok(deps.api.addr_humanize(owner)?.into_string())
}
