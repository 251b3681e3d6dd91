//! A number that anybody may raise: the smallest contract that does everything once.
//!
//! It reads and writes state, answers with data, emits one attribute for everybody and one for the caller only, fails
//! on request, and migrates.

use cosmwasm_std::{
    Binary, Deps, DepsMut, Env, MessageInfo, Response, StdError, StdResult, Storage, entry_point, to_binary,
};
use serde::{Deserialize, Serialize};

/// Starts the count.
#[derive(Deserialize)]
pub struct InstantiateMsg {
    /// Where it starts.
    pub count: i32,
}

/// What anybody may ask the contract to do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Adds one.
    Increment {},
    /// Starts again elsewhere.
    Reset {
        /// Where.
        count: i32,
    },
    /// Fails, after it has written: the write must be undone.
    Fail {},
}

/// What anybody may ask.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// Answered by [`CountResponse`].
    GetCount {},
}

/// Arrives with new code.
#[derive(Deserialize)]
pub struct MigrateMsg {
    /// A new count; the old one stays without it.
    pub count: Option<i32>,
}

/// The count, as queries answer it and as calls return it in their data.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct CountResponse {
    /// How far the count is.
    pub count: i32,
}

/// Stores the first count.
#[entry_point]
pub fn instantiate(deps: DepsMut<'_>, _env: Env, _info: MessageInfo, msg: InstantiateMsg) -> StdResult<Response> {
    store(deps.storage, msg.count);
    response("instantiate", msg.count)
}

/// Changes the count, or fails.
#[entry_point]
pub fn execute(deps: DepsMut<'_>, _env: Env, _info: MessageInfo, msg: ExecuteMsg) -> StdResult<Response> {
    match msg {
        ExecuteMsg::Increment {} => {
            let count = load(deps.storage)?.checked_add(1).ok_or_else(|| StdError::generic_err("the count is full"))?;
            store(deps.storage, count);
            response("increment", count)
        }
        ExecuteMsg::Reset { count } => {
            store(deps.storage, count);
            response("reset", count)
        }
        ExecuteMsg::Fail {} => {
            store(deps.storage, -1);
            Err(StdError::generic_err("failed on request"))
        }
    }
}

/// Answers the count.
#[entry_point]
pub fn query(deps: Deps<'_>, _env: Env, msg: QueryMsg) -> StdResult<Binary> {
    match msg {
        QueryMsg::GetCount {} => to_binary(&CountResponse { count: load(deps.storage)? }),
    }
}

/// Keeps the count, or takes a new one.
#[entry_point]
pub fn migrate(deps: DepsMut<'_>, _env: Env, msg: MigrateMsg) -> StdResult<Response> {
    if let Some(count) = msg.count {
        store(deps.storage, count);
    }
    response("migrate", load(deps.storage)?)
}

fn response(action: &str, count: i32) -> StdResult<Response> {
    Ok(Response::new()
        .add_attribute_plaintext("action", action)
        .add_attribute("count", count.to_string())
        .set_data(to_binary(&CountResponse { count })?))
}

const COUNT: &[u8] = b"count";

fn store(storage: &mut dyn Storage, count: i32) {
    storage.set(COUNT, &count.to_be_bytes());
}

fn load(storage: &dyn Storage) -> StdResult<i32> {
    let bytes = storage.get(COUNT).ok_or_else(|| StdError::not_found("count"))?;
    bytes.try_into().map(i32::from_be_bytes).map_err(|_| StdError::generic_err("the stored count is not 4 bytes"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use cosmwasm_std::testing::{mock_dependencies, mock_env, mock_info};
    use cosmwasm_std::{attr, attr_plaintext, from_binary, from_slice};

    use super::*;

    fn started(count: i32) -> impl FnMut(&str) -> StdResult<Response> {
        let mut deps = mock_dependencies();
        let (env, info) = (mock_env(), mock_info("alice", &[]));
        instantiate(deps.as_mut(), env.clone(), info.clone(), InstantiateMsg { count }).unwrap();
        move |msg| execute(deps.as_mut(), env.clone(), info.clone(), from_slice(msg.as_bytes())?)
    }

    fn count(response: &Response) -> i32 {
        from_binary::<CountResponse>(response.data.as_ref().unwrap()).unwrap().count
    }

    #[test]
    fn it_counts_from_where_it_was_told_to() {
        let mut call = started(7);
        assert_eq!(count(&call(r#"{"increment":{}}"#).unwrap()), 8);
        assert_eq!(count(&call(r#"{"increment":{}}"#).unwrap()), 9);
        assert_eq!(count(&call(r#"{"reset":{"count":-3}}"#).unwrap()), -3);
    }

    #[test]
    fn everybody_sees_the_action_and_the_caller_the_count() {
        let response = started(1)(r#"{"increment":{}}"#).unwrap();
        assert_eq!(response.attributes, [attr_plaintext("action", "increment"), attr("count", "2")]);
        assert!(response.attributes[1].encrypted && !response.attributes[0].encrypted);
    }

    #[test]
    fn a_full_count_and_a_wish_to_fail_are_errors() {
        assert_eq!(started(i32::MAX)(r#"{"increment":{}}"#).unwrap_err(), StdError::generic_err("the count is full"));
        assert_eq!(started(0)(r#"{"fail":{}}"#).unwrap_err(), StdError::generic_err("failed on request"));
    }

    #[test]
    fn a_migration_keeps_the_count_unless_told_otherwise() {
        let mut deps = mock_dependencies();
        instantiate(deps.as_mut(), mock_env(), mock_info("alice", &[]), InstantiateMsg { count: 5 }).unwrap();
        let answer = |deps: Deps<'_>| {
            let answer = query(deps, mock_env(), from_slice(br#"{"get_count":{}}"#).unwrap()).unwrap();
            String::from_utf8(answer.0).unwrap()
        };
        migrate(deps.as_mut(), mock_env(), from_slice(b"{}").unwrap()).unwrap();
        assert_eq!(answer(deps.as_ref()), r#"{"count":5}"#);
        migrate(deps.as_mut(), mock_env(), from_slice(br#"{"count":6}"#).unwrap()).unwrap();
        assert_eq!(answer(deps.as_ref()), r#"{"count":6}"#);
    }
}
