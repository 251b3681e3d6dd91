//! The entry points.

use cosmwasm_std::{
    to_binary, to_vec, Api, BankMsg, Binary, Context, Empty, Env, Extern, HandleResult, InitResult, MigrateResult,
    Querier, QueryRequest, QueryResult, ReadonlyStorage, StdError, StdResult, Storage, WasmMsg, WasmQuery,
};

use crate::{CountResponse, HandleMsg, InitMsg, MigrateMsg, QueryMsg};

/// Stores the first count.
pub fn init<S: Storage, A: Api, Q: Querier>(deps: &mut Extern<S, A, Q>, _env: Env, msg: InitMsg) -> InitResult {
    store(&mut deps.storage, msg.count);
    let mut context = Context::new();
    logs(&mut context, "instantiate", msg.count);
    // This line cannot return data from here.
    context.try_into()
}

/// Changes the count, sends a message, or fails.
pub fn handle<S: Storage, A: Api, Q: Querier>(deps: &mut Extern<S, A, Q>, env: Env, msg: HandleMsg) -> HandleResult {
    let mut context = Context::new();
    match msg {
        HandleMsg::Increment {} => {
            let count =
                load(&deps.storage)?.checked_add(1).ok_or_else(|| StdError::generic_err("the count is full"))?;
            store(&mut deps.storage, count);
            show(&mut context, "increment", count)?;
        }
        HandleMsg::Reset { count } => {
            store(&mut deps.storage, count);
            show(&mut context, "reset", count)?;
        }
        HandleMsg::Fail {} => {
            store(&mut deps.storage, -1);
            return Err(StdError::generic_err("failed on request"));
        }
        HandleMsg::Call { contract, code_hash, msg, funds } => {
            let send = funds.unwrap_or_default();
            context.add_message(WasmMsg::Execute { contract_addr: contract, callback_code_hash: code_hash, msg, send });
        }
        HandleMsg::Send { to, amount } => {
            context.add_message(BankMsg::Send { from_address: env.contract.address, to_address: to, amount });
        }
    }
    Ok(context.into())
}

/// Answers the count, or what another contract answers.
pub fn query<S: Storage, A: Api, Q: Querier>(deps: &Extern<S, A, Q>, msg: QueryMsg) -> QueryResult {
    match msg {
        QueryMsg::GetCount {} => to_binary(&CountResponse { count: load(&deps.storage)? }),
        QueryMsg::Ask { contract, code_hash, msg } => {
            let smart = WasmQuery::Smart { contract_addr: contract, callback_code_hash: code_hash, msg };
            bare(&deps.querier, &smart.into())
        }
    }
}

/// Keeps the count, or takes a new one.
pub fn migrate<S: Storage, A: Api, Q: Querier>(
    deps: &mut Extern<S, A, Q>,
    _env: Env,
    msg: MigrateMsg,
) -> MigrateResult {
    if let Some(count) = msg.count {
        store(&mut deps.storage, count);
    }
    let mut context = Context::new();
    show(&mut context, "migrate", load(&deps.storage)?)?;
    Ok(context.into())
}

/// One line for everybody, one for the caller only, and the count as data.
fn show(context: &mut Context, action: &str, count: i32) -> StdResult<()> {
    logs(context, action, count);
    context.set_data(to_binary(&CountResponse { count })?);
    Ok(())
}

fn logs(context: &mut Context, action: &str, count: i32) {
    context.add_plaintext_log("action", action);
    context.add_log("count", count);
}

/// The answer as it came, whatever its JSON.
fn bare(querier: &impl Querier, request: &QueryRequest<Empty>) -> StdResult<Binary> {
    match querier.raw_query(&to_vec(request)?) {
        Ok(answer) => answer,
        Err(error) => Err(StdError::generic_err(format!("system error: {error}"))),
    }
}

const COUNT: &[u8] = b"count";

fn store(storage: &mut impl Storage, count: i32) {
    storage.set(COUNT, &count.to_be_bytes());
}

fn load(storage: &impl ReadonlyStorage) -> StdResult<i32> {
    let bytes = storage.get(COUNT).ok_or_else(|| StdError::not_found("count"))?;
    bytes.try_into().map(i32::from_be_bytes).map_err(|_| StdError::generic_err("the stored count is not 4 bytes"))
}
