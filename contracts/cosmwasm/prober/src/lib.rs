//! A contract that does what it is told, so that tests can see what the chain makes of it.
//!
//! It sends any message, asks any question, breaks every limit and calls every function that the chain offers.

mod answers;
mod crypto;
mod limits;
mod messages;
mod msg;
mod state;

#[cfg(test)]
mod tests;

use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, Event, MessageInfo, Reply, Response, StdError, StdResult, entry_point, to_binary,
};
use serde::Serialize;
use thiserror::Error;

pub use answers::{Addresses, Depth, Value};
pub use msg::{Curve, ExecuteMsg, Kind, QueryMsg, Start, Sub};

/// Why a call fails.
#[derive(Debug, Error)]
pub enum Failure {
    /// The standard library refused.
    #[error(transparent)]
    Std(#[from] StdError),
    /// It was asked to; the text is exactly what was asked for.
    #[error("{0}")]
    Asked(String),
}

/// What `env{}` shows.
#[derive(Serialize)]
pub struct Surroundings {
    /// Block, transaction and contract.
    pub env: Env,
    /// Sender and funds.
    pub info: MessageInfo,
}

/// Fails, or answers with data.
#[entry_point]
pub fn instantiate(_deps: DepsMut<'_>, _env: Env, _info: MessageInfo, msg: Start) -> Result<Response, Failure> {
    start("instantiate", msg)
}

/// Fails, or answers with data.
#[entry_point]
pub fn migrate(_deps: DepsMut<'_>, _env: Env, msg: Start) -> Result<Response, Failure> {
    start("migrate", msg)
}

/// Does one thing.
#[entry_point]
pub fn execute(deps: DepsMut<'_>, env: Env, info: MessageInfo, msg: ExecuteMsg) -> Result<Response, Failure> {
    let done = Response::new();
    let answered = |data: Binary| Ok(Response::new().set_data(data));
    match msg {
        ExecuteMsg::Sub { msgs, data } => Ok(with_data(done.add_submessages(messages::all(msgs)), data)),
        ExecuteMsg::Again { depth } => Ok(done.add_submessages(messages::again(&env, depth)?)),
        ExecuteMsg::SetReply { fail, data } => {
            state::set_reply(deps.storage, &state::ReplyPlan { fail: fail.unwrap_or(false), data })?;
            Ok(done)
        }
        ExecuteMsg::Fail { text } => Err(Failure::Asked(text)),
        ExecuteMsg::Panic {} => limits::panic(),
        ExecuteMsg::Ask { contract, code_hash, msg } => {
            answered(answers::ask(deps.as_ref(), contract, code_hash, msg)?)
        }
        ExecuteMsg::Chain { request } => answered(answers::chain(deps.as_ref(), &request)?),
        ExecuteMsg::Random {} => {
            let random = env.block.random.ok_or_else(|| Failure::Asked("no random in this block".into()))?;
            answered(random.clone()).map(|done| done.add_attribute_plaintext("random", random.to_base64()))
        }
        ExecuteMsg::Env {} => answered(to_binary(&Surroundings { env, info })?),
        ExecuteMsg::Loop {} => limits::spin(),
        ExecuteMsg::Recurse {} => answered(to_binary(&limits::recurse(env.block.height))?),
        ExecuteMsg::Grow {} => limits::grow(),
        ExecuteMsg::WriteMany { n } => {
            state::write_many(deps.storage, n);
            Ok(done)
        }
        ExecuteMsg::BigData { n } => answered(Binary(vec![b'x'; n as usize])),
        ExecuteMsg::Write { key, value } => {
            state::write(deps.storage, &key, &value);
            Ok(done)
        }
        ExecuteMsg::Remove { key } => {
            state::remove(deps.storage, &key);
            Ok(done)
        }
        ExecuteMsg::Evaporate { amount } => {
            deps.api.gas_evaporate(amount)?;
            Ok(done)
        }
        ExecuteMsg::CheckGas {} => answered(to_binary(&deps.api.check_gas()?)?),
        ExecuteMsg::VerifySecp { hash, sig, key } => answered(crypto::verify_secp(deps.api, &hash, &sig, &key)?),
        ExecuteMsg::VerifyEd { message, sig, key } => answered(crypto::verify_ed(deps.api, &message, &sig, &key)?),
        ExecuteMsg::VerifyEdBatch { messages, sigs, keys } => {
            answered(crypto::verify_ed_batch(deps.api, &messages, &sigs, &keys)?)
        }
        ExecuteMsg::Sign { curve, message, key } => answered(crypto::sign(deps.api, curve, &message, &key)?),
        ExecuteMsg::Recover { hash, sig, param } => answered(crypto::recover(deps.api, &hash, &sig, param)?),
        ExecuteMsg::Address { human } => answered(answers::address(deps.api, &human)?),
        ExecuteMsg::CustomEvent { kind, attributes } => Ok(done.add_event(Event::new(kind).add_attributes(attributes))),
        ExecuteMsg::Attributes { attributes } => Ok(done.add_attributes(attributes)),
    }
}

/// Writes down what came back, then does as `set_reply` said.
#[entry_point]
pub fn reply(deps: DepsMut<'_>, _env: Env, reply: Reply) -> Result<Response, Failure> {
    let id = reply.id;
    state::add_reply(deps.storage, reply)?;
    let plan = state::reply_plan(deps.storage)?;
    if plan.fail {
        return Err(Failure::Asked("the reply was told to fail".into()));
    }
    Ok(with_data(Response::new().add_attribute_plaintext("reply", id.to_string()), plan.data))
}

/// Answers one question.
#[entry_point]
pub fn query(deps: Deps<'_>, env: Env, msg: QueryMsg) -> Result<Binary, Failure> {
    Ok(match msg {
        QueryMsg::LastReply {} => to_binary(&state::replies(deps.storage)?.pop())?,
        QueryMsg::Replies {} => to_binary(&state::replies(deps.storage)?)?,
        QueryMsg::Read { key } => to_binary(&Value { value: state::read(deps.storage, &key)? })?,
        QueryMsg::Balance { address, denom } => answers::balance(deps, address, denom)?,
        QueryMsg::Ask { contract, code_hash, msg } => answers::ask(deps, contract, code_hash, msg)?,
        QueryMsg::Chain { request } => answers::chain(deps, &request)?,
        QueryMsg::Nest { depth } => answers::nest(deps, &env, depth)?,
        QueryMsg::Env {} => to_binary(&env)?,
        QueryMsg::Fail { text } => return Err(Failure::Asked(text)),
        QueryMsg::Panic {} => limits::panic(),
        QueryMsg::Loop {} => limits::spin(),
    })
}

fn start(action: &str, msg: Start) -> Result<Response, Failure> {
    match msg.fail {
        Some(text) => Err(Failure::Asked(text)),
        None => Ok(with_data(Response::new().add_attribute_plaintext("action", action), msg.data)),
    }
}

fn with_data(response: Response, data: Option<Binary>) -> Response {
    match data {
        Some(data) => response.set_data(data),
        None => response,
    }
}

/// Shorthand of the modules: what they return before it becomes an answer.
type Answer = StdResult<Binary>;
