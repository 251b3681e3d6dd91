//! A secret vote: everybody sees who has voted, nobody sees what, and the tally appears when the vote is closed.
//!
//! Whichever option is chosen, a vote has the same length, touches the same entries and writes as many bytes.

mod msg;
mod state;

#[cfg(test)]
mod tests;

use cosmwasm_std::{
    Addr, Binary, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Storage, entry_point,
};
use owner_only::{pad, viewing_key};

pub use msg::{ExecuteAnswer, ExecuteMsg, InstantiateMsg, QueryAnswer, QueryMsg};
use state::{Poll, Tally};

/// With one digit for each, all votes are of one length.
const MOST_OPTIONS: usize = 10;

/// Opens the vote.
#[entry_point]
pub fn instantiate(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: InstantiateMsg) -> StdResult<Response> {
    if !(2..=MOST_OPTIONS).contains(&msg.options.len()) {
        return Err(StdError::generic_err(format!("a vote has 2 to {MOST_OPTIONS} options")));
    }
    if msg.closes_at <= env.block.time.seconds() {
        return Err(StdError::generic_err("the vote would be over already"));
    }
    Tally::new(msg.options.len()).store(deps.storage);
    for voter in msg.voters.iter().flatten() {
        state::admit(deps.storage, &deps.api.addr_canonicalize(voter)?);
    }
    let owner = info.sender.into_string();
    let InstantiateMsg { question, options, closes_at, voters } = msg;
    Poll { owner, question, options, closes_at, by_invitation: voters.is_some(), open: true }.store(deps.storage)?;
    Ok(Response::new())
}

/// Votes, closes the vote, or sets a viewing key.
#[entry_point]
pub fn execute(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    match msg {
        ExecuteMsg::Vote { choice } => vote(deps, &env, &info.sender, choice),
        ExecuteMsg::Close {} => close(deps.storage, &env, &info.sender),
        ExecuteMsg::SetViewingKey { key } => {
            viewing_key::set(deps.storage, &deps.api.addr_canonicalize(info.sender.as_str())?, &key);
            answered(&ExecuteAnswer::SetViewingKey {})
        }
    }
}

/// Answers everybody, or a voter alone.
#[entry_point]
pub fn query(deps: Deps<'_>, _env: Env, msg: QueryMsg) -> StdResult<Binary> {
    pad::answer(&match msg {
        QueryMsg::Poll {} => {
            let Poll { question, options, closes_at, open, .. } = Poll::load(deps.storage)?;
            let tally = Tally::load(deps.storage)?;
            let votes = tally.votes();
            QueryAnswer::Poll { question, options, closes_at, open, votes, tally: (!open).then(|| tally.numbers()) }
        }
        QueryMsg::Ballot { address, key } => {
            let voter = deps.api.addr_canonicalize(&address)?;
            if viewing_key::fits(deps.storage, &voter, &key) {
                QueryAnswer::Ballot { choice: state::choice(deps.storage, &voter) }
            } else {
                QueryAnswer::ViewingKeyError { msg: viewing_key::WRONG.into() }
            }
        }
    })
}

fn vote(deps: DepsMut<'_>, env: &Env, sender: &Addr, choice: u8) -> StdResult<Response> {
    let poll = Poll::load(deps.storage)?;
    if !poll.open || poll.is_over(env) {
        return Err(StdError::generic_err("the vote is closed"));
    }
    if usize::from(choice) >= poll.options.len() {
        return Err(StdError::generic_err("no such option"));
    }
    let voter = deps.api.addr_canonicalize(sender.as_str())?;
    if poll.by_invitation && !state::is_admitted(deps.storage, &voter) {
        return Err(StdError::generic_err("you are not invited to this vote"));
    }
    if state::choice(deps.storage, &voter).is_some() {
        return Err(StdError::generic_err("you have voted"));
    }
    state::store_choice(deps.storage, &voter, choice);
    let mut tally = Tally::load(deps.storage)?;
    tally.count(choice);
    tally.store(deps.storage);
    answered(&ExecuteAnswer::Vote { choice })
}

/// The owner whenever they like, everybody when the time is over.
fn close(storage: &mut dyn Storage, env: &Env, sender: &Addr) -> StdResult<Response> {
    let mut poll = Poll::load(storage)?;
    if !poll.open {
        return Err(StdError::generic_err("the vote is closed"));
    }
    if !poll.is_over(env) && *sender != poll.owner {
        return Err(StdError::generic_err("only the owner closes the vote before its time"));
    }
    poll.open = false;
    poll.store(storage)?;
    answered(&ExecuteAnswer::Close { tally: Tally::load(storage)?.numbers() })
}

fn answered(answer: &ExecuteAnswer) -> StdResult<Response> {
    Ok(Response::new().set_data(pad::answer(answer)?))
}
