//! What a transaction should offer to pay.

use alloy_primitives::{U64, U256};
use alloy_rpc_types_eth::{BlockNumberOrTag, FeeHistory};
use jsonrpsee::core::async_trait;
use jsonrpsee::proc_macros::rpc;

use super::error::EthError;
use super::view::Mined;
use super::{Backend, Door};

#[rpc(server, namespace = "eth")]
pub trait EthFee {
    /// Base fee of the next block and the suggested tip, in wei per gas.
    #[method(name = "gasPrice")]
    fn gas_price(&self) -> Result<U256, EthError>;

    /// The suggested tip, in wei per gas.
    #[method(name = "maxPriorityFeePerGas")]
    fn tip_suggested(&self) -> Result<U256, EthError>;

    /// Base fees, shares of gas used, and percentiles of the tips paid, for the `count` blocks up to `newest`.
    #[method(name = "feeHistory")]
    async fn history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, EthError>;
}

#[async_trait]
impl<B: Backend> EthFeeServer for Door<B> {
    fn gas_price(&self) -> Result<U256, EthError> {
        Ok(U256::from(self.head()?.next_base_fee).saturating_add(self.tip_suggested()?))
    }

    fn tip_suggested(&self) -> Result<U256, EthError> {
        // Tips only order transactions within a block. As much as the floor of the base fee lets an idle chain's price
        // double before a transaction has to wait.
        Ok(U256::from(self.backend.genesis().base_fee))
    }

    async fn history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, EthError> {
        let percentiles = percentiles.unwrap_or_default();
        let ordered = percentiles.windows(2).all(|pair| pair[0] <= pair[1]);
        if percentiles.len() > PERCENTILES || !ordered || percentiles.iter().any(|each| !(0.0..=100.0).contains(each)) {
            return Err(EthError::Params("invalid reward percentile"));
        }
        let newest = self.height(Some(newest.into()))?;
        let count = count.saturating_to::<u64>().min(HISTORY_BLOCKS).min(newest + 1);
        self.scan(move |door| door.fees(newest, count, &percentiles)).await
    }
}

impl<B: Backend> Door<B> {
    fn fees(&self, newest: u64, count: u64, percentiles: &[f64]) -> Result<FeeHistory, EthError> {
        let mut history = FeeHistory { oldest_block: newest + 1 - count, ..FeeHistory::default() };
        if count == 0 {
            return Ok(FeeHistory::default());
        }
        let reader = self.reader()?;
        let mut rewards = Vec::new();
        for height in history.oldest_block..=newest {
            let mined = self.mined(&reader, height)?;
            history.base_fee_per_gas.push(u128::from(mined.block.header.base_fee));
            history.gas_used_ratio.push(mined.gas_used() as f64 / mined.gas_limit as f64);
            if !percentiles.is_empty() {
                rewards.push(tips(&mined, percentiles));
            }
        }
        let next = match reader.header(newest + 1)? {
            Some(above) => above.base_fee,
            None => self.head()?.next_base_fee,
        };
        history.base_fee_per_gas.push(u128::from(next));
        history.reward = (!percentiles.is_empty()).then_some(rewards);
        Ok(history)
    }
}

/// For each percentile of the gas that a block used, ordered by tip: the tip of the transaction there.
fn tips(mined: &Mined, percentiles: &[f64]) -> Vec<u128> {
    let base = u128::from(mined.block.header.base_fee);
    let paid = mined.receipts.iter().filter(|receipt| receipt.gas_used > 0);
    let mut paid: Vec<(u128, u64)> = paid.map(|tx| (tx.gas_price.saturating_sub(base), tx.gas_used)).collect();
    paid.sort_unstable();
    let total = mined.gas_used() as f64;
    let (mut index, mut sum) = (0, paid.first().map_or(0, |(_, gas)| *gas));
    let tip_at = |percentile: &f64| {
        while index + 1 < paid.len() && (sum as f64) < total * percentile / 100.0 {
            index += 1;
            sum = sum.saturating_add(paid[index].1);
        }
        paid.get(index).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(tip_at).collect()
}

/// Most blocks in one answer, as in go-ethereum.
const HISTORY_BLOCKS: u64 = 1_024;
/// Most percentiles in one question, as in go-ethereum.
const PERCENTILES: usize = 100;
