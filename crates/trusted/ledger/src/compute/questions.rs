//! What contracts ask each other and the chain while they run.

use borsh::BorshDeserialize;
use cloister_chain::cosmos::{DENOM, bech32, from_bech32};
use cloister_chain::leaf::{Auth, Code, Contract};
use cloister_chain::wire::Halt;
use cloister_chain::{Account, Address, Leaf, limits};
use cloister_state::{Overlay, Supply};
use cloister_wasm::{Charged, Coin, Entry, HostError, QueryAnswer, QueryRequest, Returned, Trap, Version, answers};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse};
use secret_sdk_proto::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
use secret_sdk_proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use secret_sdk_proto::secret::compute::v1beta1::{
    QueryByCodeIdRequest, QueryByContractAddressRequest, QueryCodeHashResponse,
};

use super::Scene;
use super::contract::{self, Callee, RUN_GAS, Request, sdk};

/// Answers `request` with at most `gas` of the machine's, `depth` questions deep.
pub(super) fn answer<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    request: QueryRequest,
    gas: u64,
    depth: u32,
) -> Result<Charged<QueryAnswer>, HostError> {
    if let QueryRequest::Smart { contract, code_hash, message } = &request {
        return smart(scene, state, (contract, code_hash, message), gas, depth);
    }
    let mut chain = Chain(state);
    let value = match chain.answer(&request) {
        Ok(bytes) => QueryAnswer::Ok(bytes),
        Err(No::Such(contract)) => QueryAnswer::NoSuchContract(contract),
        Err(No::Kind(kind)) => QueryAnswer::Unsupported(kind),
        Err(No::Text(text)) => QueryAnswer::ContractError(generic(&text)),
        Err(No::Halt) => return Err(HostError::Halt),
    };
    Ok(Charged { value, gas: sdk(CHAIN_GAS) })
}

/// A question to another contract.
fn smart<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    (contract, code_hash, message): (&str, &str, &[u8]),
    gas: u64,
    depth: u32,
) -> Result<Charged<QueryAnswer>, HostError> {
    let cheap = |value| Ok(Charged { value, gas: sdk(CHAIN_GAS) });
    let depth = depth + 1;
    if depth >= limits::QUERY_DEPTH {
        return cheap(QueryAnswer::TooDeep);
    }
    let found = match from_bech32(contract) {
        Ok(address) => Callee::find(state, address).map_err(|_| HostError::Halt)?,
        Err(_) => None,
    };
    let Some(callee) = found else { return cheap(QueryAnswer::NoSuchContract(contract.into())) };
    if !callee.runs(code_hash) {
        return cheap(QueryAnswer::ContractError(generic(super::call::INVALID)));
    }
    let surcharge = sdk(contract::surcharge(&callee.code));
    let gas = gas.checked_sub(surcharge).ok_or(HostError::OutOfGas)?.min(RUN_GAS);
    let request = Request { entry: Entry::Query, sender: "", funds: &[], message, gas };
    let ran = contract::run(scene, state, &callee, &request, None, depth).map_err(|_| HostError::Halt)?;
    let value = match ran.run.result {
        Ok(Returned::Answer(answer)) => QueryAnswer::Ok(answer),
        // The newer line's error is a text where the older line's was an object, and the caller is told of the difference.
        Ok(Returned::Error(error)) if ran.version == Version::V1 => {
            QueryAnswer::InvalidResponse { error: "Parsing query response".into(), response: error.text.into_bytes() }
        }
        Ok(Returned::Error(error)) => QueryAnswer::ContractError(error.text),
        Ok(Returned::Response(_)) => QueryAnswer::ContractError(generic(&Trap::Panicked.to_string())),
        Err(Trap::Halt) => return Err(HostError::Halt),
        Err(Trap::OutOfGas) => return Err(HostError::OutOfGas),
        Err(trap) => QueryAnswer::ContractError(generic(&trap.to_string())),
    };
    Ok(Charged { value, gas: surcharge.saturating_add(ran.run.gas_used) })
}

/// Why the chain has no answer.
enum No {
    Such(String),
    Kind(String),
    Text(String),
    Halt,
}

impl From<Halt> for No {
    fn from(_: Halt) -> Self {
        Self::Halt
    }
}

impl From<cloister_chain::cosmos::CosmosError> for No {
    fn from(error: cloister_chain::cosmos::CosmosError) -> Self {
        Self::Text(error.to_string())
    }
}

/// The chain's own modules, asked by a contract.
struct Chain<'s, S>(&'s mut Overlay<S>);

impl<S: Supply> Chain<'_, S> {
    fn answer(&mut self, request: &QueryRequest) -> Result<Vec<u8>, No> {
        match request {
            QueryRequest::Balance { address, denom } => {
                let amount = self.balance(from_bech32(address)?, denom)?;
                Ok(answers::balance(&Coin { denom: denom.clone(), amount }))
            }
            QueryRequest::AllBalances { address } => {
                let amount = self.balance(from_bech32(address)?, DENOM)?;
                let coins = (amount > 0).then(|| Coin { denom: DENOM.into(), amount });
                Ok(answers::all_balances(coins.as_slice()))
            }
            QueryRequest::ContractInfo { contract } => {
                let info = self.contract(contract)?;
                let admin = info.admin.map(|admin| bech32(&admin));
                Ok(answers::contract_info(info.code, &bech32(&info.creator), admin.as_deref()))
            }
            QueryRequest::BondedDenom => Ok(answers::bonded_denom(DENOM)),
            // The key would have to be the name of a sealed leaf, and the answer ciphertext: of no use to a contract.
            QueryRequest::Raw { contract, .. } => self.contract(contract).map(|_| Vec::new()),
            QueryRequest::Stargate { path, data } => self.stargate(path, data),
            QueryRequest::Smart { .. } => Err(No::Kind("smart".into())),
            QueryRequest::Unsupported(kind) => Err(No::Kind(kind.clone())),
        }
    }

    fn stargate(&mut self, path: &str, data: &[u8]) -> Result<Vec<u8>, No> {
        match path {
            "/cosmos.bank.v1beta1.Query/Balance" => {
                let request = decode::<QueryBalanceRequest>(data)?;
                let amount = self.balance(from_bech32(&request.address)?, &request.denom)?.to_string();
                let balance = Some(ProtoCoin { denom: request.denom, amount });
                Ok(QueryBalanceResponse { balance }.encode_to_vec())
            }
            "/cosmos.auth.v1beta1.Query/Account" => {
                let name = decode::<QueryAccountRequest>(data)?.address;
                let address = from_bech32(&name)?;
                let unknown = || No::Text(format!("account {name} not found"));
                let auth: Auth = self.leaf(Leaf::Auth(address))?.ok_or_else(unknown)?;
                let account: Account = self.leaf(Leaf::Account(address))?.unwrap_or_default();
                let pub_key = auth.key.as_deref().map(Any::decode).transpose().map_err(|_| No::Halt)?;
                let base =
                    BaseAccount { address: name, pub_key, account_number: auth.number, sequence: account.sequence };
                let type_url = "/cosmos.auth.v1beta1.BaseAccount".into();
                let account = Some(Any { type_url, value: base.encode_to_vec() });
                Ok(QueryAccountResponse { account }.encode_to_vec())
            }
            "/secret.compute.v1beta1.Query/CodeHashByContractAddress" => {
                let request = decode::<QueryByContractAddressRequest>(data)?;
                let code = self.contract(&request.contract_address)?.code;
                self.code_hash(code)
            }
            "/secret.compute.v1beta1.Query/CodeHashByCodeId" => {
                self.code_hash(decode::<QueryByCodeIdRequest>(data)?.code_id)
            }
            other => Err(No::Kind(other.into())),
        }
    }

    fn balance(&mut self, address: Address, denom: &str) -> Result<u128, No> {
        let held = self.leaf(Leaf::Coins(address))?.unwrap_or(0);
        Ok(if denom == DENOM { held } else { 0 })
    }

    fn contract(&mut self, name: &str) -> Result<Contract, No> {
        let address = from_bech32(name).map_err(|_| No::Such(name.into()))?;
        self.leaf(Leaf::Contract(address))?.ok_or_else(|| No::Such(name.into()))
    }

    fn code_hash(&mut self, code: u64) -> Result<Vec<u8>, No> {
        let code: Code = self.leaf(Leaf::Code(code))?.ok_or_else(|| No::Text("code: not found".into()))?;
        let code_hash = alloy_primitives::hex::encode(code.hash);
        Ok(QueryCodeHashResponse { code_hash }.encode_to_vec())
    }

    fn leaf<T: BorshDeserialize>(&mut self, leaf: Leaf) -> Result<Option<T>, No> {
        Ok(contract::read(self.0, leaf)?)
    }
}

fn decode<T: prost::Message + Default>(data: &[u8]) -> Result<T, No> {
    T::decode(data).map_err(|error| No::Text(error.to_string()))
}

/// An error in the older line's words.
fn generic(text: &str) -> String {
    answers::generic_error(text)
}

/// The SDK's gas for a question that the chain itself answers: two reads.
const CHAIN_GAS: u64 = 2_500;
