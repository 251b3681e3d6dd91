//! `secret.compute.v1beta1`: codes and contracts, and secretjs's questions to contracts.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloister_chain::cosmos::bech32;
use cloister_chain::leaf::{ChainState, Code, Contract, History, Operation, Position};
use cloister_chain::wire::Form;
use cloister_chain::{Address, Leaf, limits};
use serde_json::{Value, json};

use super::error::RestError;
use super::request::{Answered, Asked, Named, Reply};
use super::{Backend, Door, read, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/compute/v1beta1/info/{contract}", get(info))
        .route("/compute/v1beta1/contracts/{code}", get(contracts))
        .route("/compute/v1beta1/query/{contract}", get(query))
        .route("/compute/v1beta1/code/{code}", get(code))
        .route("/compute/v1beta1/codes", get(codes))
        .route("/compute/v1beta1/code_hash/by_contract_address/{contract}", get(hash_by_contract))
        .route("/compute/v1beta1/code_hash/by_code_id/{code}", get(hash_by_code))
        .route("/compute/v1beta1/label/{contract}", get(label))
        .route("/compute/v1beta1/contract_address/{*label}", get(by_label))
        .route("/compute/v1beta1/contract_history/{contract}", get(history))
        .route("/compute/v1beta1/authorized_migration/{contract}", get(authorized_migration))
        .route("/compute/v1beta1/authorized_admin_update/{contract}", get(authorized_admin))
        .route("/compute/v1beta1/params", get(params))
}

async fn info<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let contract = contract(&state, address)?;
    let info = contract_view(&contract, Some(contract.created));
    Ok(Reply::at(state.height, &json!({ "contract_address": bech32(&address), "contract_info": info })))
}

/// The contracts that run a code. Their number is not bounded, so the search for them is.
async fn contracts<B: Backend>(State(door): State<Door<B>>, Named(number): Named<u64>, asked: Asked) -> Answered {
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        code_of(&state, number)?;
        let instances = chain(&state)?.instances;
        if instances > INSTANCES {
            return Err(RestError::Much("the chain has too many contracts to look through"));
        }
        let mut found = Vec::new();
        for instance in 1..=instances {
            let Some(address) = state.get::<[u8; 20]>(&Leaf::Instance(instance))? else { continue };
            let address = Address::from(address);
            let contract = contract(&state, address)?;
            if contract.code == number {
                let info = contract_view(&contract, None);
                found.push(json!({ "contract_address": bech32(&address), "contract_info": info }));
            }
        }
        Ok(Reply::at(state.height, &json!({ "contract_infos": found })))
    })
    .await
}

/// Asks a contract in secretjs's encrypted form.
async fn query<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    door.ask(address, Form::Siv, asked.height, asked.bytes("query")?).await
}

async fn code<B: Backend>(State(door): State<Door<B>>, Named(number): Named<u64>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let code = code_of(&state, number)?;
    let wasm = view::base64(state.blob(&code.blob)?);
    Ok(Reply::at(state.height, &json!({ "code_info": code_view(number, &code), "wasm": wasm })))
}

async fn codes<B: Backend>(State(door): State<Door<B>>, asked: Asked) -> Answered {
    door.scan(move |door| {
        let page = asked.page(CODES)?;
        let state = door.state(asked.height)?;
        let numbers = (1..=chain(&state)?.codes).skip(page.offset).take(page.limit);
        let codes: Vec<Value> =
            numbers.map(|number| Ok(code_view(number, &code_of(&state, number)?))).collect::<Result<_, RestError>>()?;
        Ok(Reply::at(state.height, &json!({ "code_infos": codes })))
    })
    .await
}

async fn hash_by_contract<B: Backend>(
    State(door): State<Door<B>>,
    Named(address): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    let code = code_of(&state, contract(&state, address)?.code)?;
    Ok(Reply::at(state.height, &json!({ "code_hash": hex(&code) })))
}

async fn hash_by_code<B: Backend>(State(door): State<Door<B>>, Named(number): Named<u64>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let code = code_of(&state, number)?;
    Ok(Reply::at(state.height, &json!({ "code_hash": hex(&code) })))
}

async fn label<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    Ok(Reply::at(state.height, &json!({ "label": contract(&state, address)?.label })))
}

async fn by_label<B: Backend>(State(door): State<Door<B>>, Named(label): Named<String>, asked: Asked) -> Answered {
    let state = door.state(asked.height)?;
    let address: [u8; 20] = state.get(&Leaf::label(&label))?.ok_or(RestError::NoLabel)?;
    Ok(Reply::at(state.height, &json!({ "contract_address": bech32(&address.into()) })))
}

async fn history<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    door.scan(move |door| {
        let state = door.state(asked.height)?;
        let (mut entries, mut room) = (Vec::new(), limits::BLOCK_BYTES);
        for number in 0..contract(&state, address)?.history {
            let Some(entry) = state.get::<History>(&Leaf::History(address, number))? else { continue };
            room = room.checked_sub(entry.message.len()).ok_or(RestError::Much("the history is too long"))?;
            entries.push(history_view(&entry));
        }
        Ok(Reply::at(state.height, &json!({ "entries": entries })))
    })
    .await
}

/// No contract of this chain needs a vote to migrate.
async fn authorized_migration<B: Backend>(
    State(door): State<Door<B>>,
    Named(address): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    contract(&state, address)?;
    Ok(Reply::at(state.height, &json!({ "new_code_id": "0" })))
}

async fn authorized_admin<B: Backend>(
    State(door): State<Door<B>>,
    Named(address): Named<Address>,
    asked: Asked,
) -> Answered {
    let state = door.state(asked.height)?;
    contract(&state, address)?;
    Ok(Reply::at(state.height, &json!({ "new_admin": "" })))
}

async fn params() -> Reply {
    Reply::of(&json!({
        "params": { "compile_cost": "0.800000000000000000", "max_contract_size": limits::WASM_BYTES.to_string() }
    }))
}

/// What a leaf says of a contract.
pub(super) fn contract(state: &read::State, address: Address) -> Result<Contract, RestError> {
    state.get(&Leaf::Contract(address))?.ok_or(RestError::NoContract(address))
}

fn code_of(state: &read::State, number: u64) -> Result<Code, RestError> {
    state.get(&Leaf::Code(number))?.ok_or(RestError::NoCode(number))
}

fn chain(state: &read::State) -> Result<ChainState, RestError> {
    Ok(state.get(&Leaf::Chain)?.unwrap_or_default())
}

fn contract_view(contract: &Contract, created: Option<Position>) -> Value {
    json!({
        "code_id": contract.code.to_string(),
        "creator": bech32(&contract.creator),
        "label": contract.label,
        "created": created.map(position),
        "ibc_port_id": "",
        "admin": contract.admin.as_ref().map(bech32).unwrap_or_default(),
        "admin_proof": null,
        "require_governance": false,
    })
}

fn code_view(number: u64, code: &Code) -> Value {
    json!({
        "code_id": number.to_string(),
        "creator": bech32(&code.creator),
        "code_hash": hex(code),
        "source": code.source,
        "builder": code.builder,
    })
}

fn history_view(entry: &History) -> Value {
    let operation = match entry.operation {
        Operation::Init => "CONTRACT_CODE_HISTORY_OPERATION_TYPE_INIT",
        Operation::Migrate => "CONTRACT_CODE_HISTORY_OPERATION_TYPE_MIGRATE",
    };
    json!({
        "operation": operation,
        "code_id": entry.code.to_string(),
        "updated": position(entry.updated),
        "msg": view::bytes(&entry.message),
    })
}

fn position(position: Position) -> Value {
    json!({ "block_height": position.height.to_string(), "tx_index": position.index.to_string() })
}

fn hex(code: &Code) -> String {
    alloy_primitives::hex::encode(code.hash)
}

/// Most contracts that one request looks at. Each takes some 10 µs.
const INSTANCES: u64 = 100_000;
/// Most codes in one answer.
const CODES: usize = 10_000;
