//! A sealed-bid auction: the highest bid wins and is paid, and until then nobody sees any bid, not even the seller.
//!
//! A bid is covered by a deposit, which everybody sees: whoever deposits more than they bid hides what they bid. All
//! bids touch the same entries and write as many bytes, because the winner is looked for only when the auction is closed.

mod msg;
mod state;

#[cfg(test)]
mod tests;

use cosmwasm_std::{
    Addr, BankMsg, Binary, Coin, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Uint128, entry_point,
};
use owner_only::{pad, viewing_key};

pub use msg::{ExecuteAnswer, ExecuteMsg, InstantiateMsg, QueryAnswer, QueryMsg, Sale, ShownBid};
use state::{Bid, Lot};

/// All of them are paid back in one call.
const MOST_BIDDERS: u32 = 100;

/// Puts something up for sale.
#[entry_point]
pub fn instantiate(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: InstantiateMsg) -> StdResult<Response> {
    if msg.closes_at <= env.block.time.seconds() {
        return Err(StdError::generic_err("the auction would be over already"));
    }
    if msg.minimum.is_zero() {
        return Err(StdError::generic_err("the least bid is more than nothing"));
    }
    let InstantiateMsg { item, minimum, denom, closes_at } = msg;
    let denom = denom.unwrap_or_else(|| "uscrt".into());
    let seller = info.sender.into_string();
    Lot { seller, item, minimum, denom, closes_at, open: true, sale: None }.store(deps.storage)?;
    Ok(Response::new())
}

/// Bids, closes the auction, or sets a viewing key.
#[entry_point]
pub fn execute(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    match msg {
        ExecuteMsg::Bid { amount } => bid(deps, &env, &info, amount),
        ExecuteMsg::Close {} => close(deps, &env, &info.sender),
        ExecuteMsg::SetViewingKey { key } => {
            viewing_key::set(deps.storage, &deps.api.addr_canonicalize(info.sender.as_str())?, &key);
            answered(Response::new(), &ExecuteAnswer::SetViewingKey {})
        }
    }
}

/// Answers everybody, or a bidder alone.
#[entry_point]
pub fn query(deps: Deps<'_>, _env: Env, msg: QueryMsg) -> StdResult<Binary> {
    pad::answer(&match msg {
        QueryMsg::Auction {} => {
            let Lot { seller, item, minimum, denom, closes_at, open, sale } = Lot::load(deps.storage)?;
            let bidders = state::bidders(deps.storage)?;
            QueryAnswer::Auction { seller, item, minimum, denom, closes_at, open, bidders, sale }
        }
        QueryMsg::Bid { address, key } => {
            let bidder = deps.api.addr_canonicalize(&address)?;
            if viewing_key::fits(deps.storage, &bidder, &key) {
                QueryAnswer::Bid(Bid::of(deps.storage, &bidder)?.map(|(_, bid)| bid.shown()))
            } else {
                QueryAnswer::ViewingKeyError { msg: viewing_key::WRONG.into() }
            }
        }
    })
}

/// A bidder's first bid, or a better one in its place. Deposits add up.
fn bid(deps: DepsMut<'_>, env: &Env, info: &MessageInfo, amount: Uint128) -> StdResult<Response> {
    let lot = Lot::load(deps.storage)?;
    if !lot.open || lot.is_over(env) {
        return Err(StdError::generic_err("the auction is closed"));
    }
    let bidder = deps.api.addr_canonicalize(info.sender.as_str())?;
    let earlier = Bid::of(deps.storage, &bidder)?;
    let (before, deposited) = earlier.as_ref().map_or_else(Default::default, |(_, bid)| (bid.amount, bid.deposit));
    let deposit = deposited.checked_add(lot.paid(&info.funds)?)?;
    if amount < lot.minimum {
        return Err(StdError::generic_err(format!("the least bid is {}", lot.minimum)));
    }
    if amount <= before {
        return Err(StdError::generic_err(format!("you have bid {before}")));
    }
    if deposit < amount {
        return Err(StdError::generic_err(format!("the deposit is {deposit}, less than the bid")));
    }
    let seat = match earlier {
        Some((seat, _)) => seat,
        None => state::take_seat(deps.storage, &bidder, MOST_BIDDERS)?,
    };
    let bid = Bid { amount, deposit, bidder };
    bid.store(deps.storage, seat);
    answered(Response::new(), &ExecuteAnswer::Bid(bid.shown()))
}

/// The seller whenever they like, everybody when the time is over: pays the seller the best bid, the winner what they
/// deposited beyond it, and everybody else what they deposited.
fn close(deps: DepsMut<'_>, env: &Env, sender: &Addr) -> StdResult<Response> {
    let mut lot = Lot::load(deps.storage)?;
    if !lot.open {
        return Err(StdError::generic_err("the auction is closed"));
    }
    if !lot.is_over(env) && *sender != lot.seller {
        return Err(StdError::generic_err("only the seller closes the auction before its time"));
    }
    let bids = Bid::all(deps.storage)?;
    // Of equal bids the first one: `max_by_key` would take the last.
    let winner = (0..bids.len()).rev().max_by_key(|seat| bids[*seat].amount);
    let mut payments = Vec::with_capacity(bids.len() + 1);
    for (seat, bid) in bids.iter().enumerate() {
        let bidder = deps.api.addr_humanize(&bid.bidder)?.into_string();
        let mut back = bid.deposit;
        if winner == Some(seat) {
            back = back.checked_sub(bid.amount)?;
            payments.push((lot.seller.clone(), bid.amount));
            lot.sale = Some(Sale { buyer: bidder.clone(), price: bid.amount });
        }
        payments.push((bidder, back));
    }
    lot.open = false;
    lot.store(deps.storage)?;
    let mut response = Response::new();
    for (to_address, amount) in payments {
        if !amount.is_zero() {
            let amount = vec![Coin { denom: lot.denom.clone(), amount }];
            response = response.add_message(BankMsg::Send { to_address, amount });
        }
    }
    // The payments tell everybody anyhow.
    if let Some(sale) = &lot.sale {
        response = response.add_attribute_plaintext("buyer", &sale.buyer);
        response = response.add_attribute_plaintext("price", sale.price);
    }
    answered(response, &ExecuteAnswer::Close { sale: lot.sale })
}

fn answered(response: Response, answer: &ExecuteAnswer) -> StdResult<Response> {
    Ok(response.set_data(pad::answer(answer)?))
}
