//! Messages that are tried and not sent. They run inside the enclave, which refuses to evaluate confidential operations.

use alloy_primitives::{Bytes, TxKind, U64, U256};
use alloy_rpc_types_eth::{BlockId, TransactionRequest};
use cloister_chain::wire::{Answer, Call, Failure, Query, QueryAt};
use jsonrpsee::core::async_trait;
use jsonrpsee::proc_macros::rpc;
use serde_json::Value;

use super::error::EthError;
use super::{Backend, Door};

#[rpc(server, namespace = "eth")]
pub trait EthCall {
    /// The output of a message. State and block overrides are refused.
    #[method(name = "call")]
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<Value>,
        header: Option<Value>,
    ) -> Result<Bytes, EthError>;

    /// The least gas limit with which a message succeeds. State and block overrides are refused.
    #[method(name = "estimateGas")]
    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<Value>,
        header: Option<Value>,
    ) -> Result<U64, EthError>;
}

#[async_trait]
impl<B: Backend> EthCallServer for Door<B> {
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<Value>,
        header: Option<Value>,
    ) -> Result<Bytes, EthError> {
        no_overrides(state, header)?;
        let query = Query::Call(self.message(request)?);
        match self.ask(query, block).await? {
            Answer::Returned { output, .. } => Ok(output),
            other => Err(failure(other)),
        }
    }

    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<Value>,
        header: Option<Value>,
    ) -> Result<U64, EthError> {
        no_overrides(state, header)?;
        let query = Query::Estimate(self.message(request)?);
        match self.ask(query, block).await? {
            Answer::Estimated(gas) => Ok(U64::from(gas)),
            Answer::Failed(Failure::OutOfGas) => Err(EthError::GasAllowance),
            other => Err(failure(other)),
        }
    }
}

impl<B: Backend> Door<B> {
    /// Asks the enclave about the state after `block`; without one, about the tip.
    pub(super) async fn ask(&self, query: Query, block: Option<BlockId>) -> Result<Answer, EthError> {
        let height = match block {
            None => None,
            Some(id) if is_tip(&id) => None,
            Some(id) => Some(self.height(Some(id))?),
        };
        Ok(self.backend.query(QueryAt { height, query }).await?)
    }

    /// The enclave's words for a client's message. What only a signature needs (sequence, type, access list) is ignored.
    fn message(&self, request: TransactionRequest) -> Result<Call, EthError> {
        let ours = self.backend.genesis().evm_chain_id;
        if request.chain_id.is_some_and(|given| given != ours) {
            return Err(EthError::Params("chainId does not match the node's"));
        }
        let fees = (request.max_fee_per_gas, request.max_priority_fee_per_gas);
        if request.gas_price.is_some() && fees != (None, None) {
            return Err(EthError::Params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"));
        }
        let price = request.gas_price.or(request.max_fee_per_gas).filter(|price| *price > 0);
        let data = request.input.try_into_unique_input().map_err(|_| {
            EthError::Params(
                "both \"data\" and \"input\" are set and not equal, use \"input\" to pass transaction call data",
            )
        })?;
        Ok(Call {
            from: request.from.unwrap_or_default(),
            to: request.to.and_then(TxKind::into_to),
            value: request.value.unwrap_or(U256::ZERO),
            data: data.unwrap_or_default(),
            gas: request.gas,
            gas_price: price,
        })
    }
}

fn no_overrides(state: Option<Value>, header: Option<Value>) -> Result<(), EthError> {
    let nothing = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
    if state.is_none_or(|value| nothing(&value)) && header.is_none_or(|value| nothing(&value)) {
        return Ok(());
    }
    Err(EthError::Params("state and block overrides are not supported"))
}

fn is_tip(id: &BlockId) -> bool {
    matches!(id, BlockId::Number(tag) if !tag.is_number() && !tag.is_earliest())
}

fn failure(answer: Answer) -> EthError {
    match answer {
        Answer::Reverted(data) => EthError::Reverted(data),
        Answer::Failed(failure) => EthError::Failed(failure),
        Answer::Refused(refusal) => EthError::Refused(refusal),
        _ => EthError::Internal,
    }
}
