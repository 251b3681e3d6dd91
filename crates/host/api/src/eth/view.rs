//! Blocks, transactions, receipts and logs as an Ethereum client reads them.
//!
//! What our header lacks is shown as an empty Ethereum block would have it: no uncles, no difficulty, no nonce. The state
//! root and the receipts root are those after the block itself; our own header carries them one height later.
//!
//! A block may also hold transactions of the Cosmos door. An Ethereum client is shown none of them, and the others are
//! numbered as if they were alone.

use alloy_consensus::transaction::Recovered;
use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, ReceiptEnvelope, ReceiptWithBloom, Sealed, Transaction as _, TxEnvelope, TxType,
};
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{B256, Bloom, Bytes, LogData, U256};
use alloy_rpc_types_eth::{Block as BlockOf, BlockTransactions, Header, Log, Transaction, TransactionReceipt};
use cloister_chain::{Block, EthTx, Receipt, Status, Tx};

/// A transaction in the answer to a client.
pub type TxView = Transaction<TxEnvelope>;
/// A block in the answer to a client.
pub type BlockView = BlockOf<TxView>;

/// A committed block and what it did.
#[derive(Debug)]
pub struct Mined {
    /// The block.
    pub block: Block,
    /// Hash of its header.
    pub hash: B256,
    /// One receipt for each Ethereum transaction.
    pub receipts: Vec<Receipt>,
    /// Where each of them stands among all transactions of the block.
    places: Vec<usize>,
    /// What the header above says of it, or will say.
    pub after: After,
    /// EVM gas that a block of this chain may use.
    pub gas_limit: u64,
    /// For each transaction: gas used and logs emitted by those before it in the block.
    before: Vec<(u64, u64)>,
}

/// What follows from a block's execution.
#[derive(Clone, Copy, Debug)]
pub struct After {
    /// Root of the state.
    pub state_root: B256,
    /// Merkle root of the receipts.
    pub results: B256,
    /// Bloom of the logs.
    pub bloom: Bloom,
}

impl Mined {
    /// Puts the parts together.
    pub fn new(block: Block, receipts: Vec<Receipt>, after: After, gas_limit: u64) -> Self {
        let numbered = receipts.into_iter().enumerate().filter(|(_, receipt)| receipt.cosmos.is_none());
        let (places, receipts): (Vec<_>, Vec<_>) = numbered.unzip();
        let sums = receipts.iter().scan((0u64, 0u64), |(gas, logs), receipt| {
            let before = (*gas, *logs);
            *gas = gas.saturating_add(receipt.gas_used);
            *logs += receipt.logs.len() as u64;
            Some(before)
        });
        let before = sums.collect();
        Self { hash: block.header.hash(), block, receipts, places, after, gas_limit, before }
    }

    /// Index among the block's Ethereum transactions of the one that is at `place` among all.
    pub fn index_of(&self, place: usize) -> Option<usize> {
        self.places.binary_search(&place).ok()
    }

    /// Height of the block.
    pub fn height(&self) -> u64 {
        self.block.header.height
    }

    /// EVM gas that the block used.
    pub fn gas_used(&self) -> u64 {
        self.receipts.iter().fold(0, |sum, receipt| sum.saturating_add(receipt.gas_used))
    }

    /// The block with its transactions in full, or with their hashes only.
    pub fn block(&self, full: bool) -> BlockView {
        let transactions = if full {
            BlockTransactions::Full((0..self.receipts.len()).filter_map(|index| self.transaction(index)).collect())
        } else {
            BlockTransactions::Hashes(self.receipts.iter().map(|receipt| receipt.tx).collect())
        };
        BlockOf::new(self.header(), transactions)
    }

    /// The header.
    pub fn header(&self) -> Header {
        let header = &self.block.header;
        let inner = alloy_consensus::Header {
            parent_hash: header.parent,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: header.proposer,
            state_root: self.after.state_root,
            transactions_root: header.txs,
            receipts_root: self.after.results,
            logs_bloom: self.after.bloom,
            number: header.height,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used(),
            timestamp: header.seconds(),
            extra_data: Bytes::from_static(if header.simulated { b"SIMULATED" } else { b"cloister" }),
            base_fee_per_gas: Some(header.base_fee),
            ..alloy_consensus::Header::default()
        };
        let size = borsh::object_length(&self.block).expect("a block has a length");
        Header::from_consensus(Sealed::new_unchecked(inner, self.hash), Some(U256::ZERO), Some(U256::from(size)))
    }

    /// Transaction number `index`; `None` past the end, and for bytes that a proposer ordered though they are none.
    pub fn transaction(&self, index: usize) -> Option<TxView> {
        let (envelope, receipt) = (self.envelope(index)?, self.receipts.get(index)?);
        Some(Transaction {
            inner: Recovered::new_unchecked(envelope, receipt.from),
            block_hash: Some(self.hash),
            block_number: Some(self.height()),
            transaction_index: Some(index as u64),
            effective_gas_price: Some(receipt.gas_price),
            block_timestamp: None,
        })
    }

    /// The EIP-2718 bytes of transaction number `index`.
    pub fn raw(&self, index: usize) -> Option<Bytes> {
        self.block.txs.get(*self.places.get(index)?).and_then(Tx::eip2718)
    }

    /// The receipt of transaction number `index`.
    pub fn receipt(&self, index: usize) -> Option<TransactionReceipt> {
        let (receipt, (gas_before, _)) = (self.receipts.get(index)?, self.before.get(index)?);
        let envelope = self.envelope(index);
        let mut logs_bloom = Bloom::ZERO;
        receipt.logs.iter().for_each(|event| logs_bloom.accrue_raw_log(event.address, &event.topics));
        let inner = alloy_consensus::Receipt {
            status: Eip658Value::Eip658(receipt.status == Status::Success),
            cumulative_gas_used: gas_before.saturating_add(receipt.gas_used),
            logs: self.logs(index).collect(),
        };
        let kind = envelope.as_ref().map_or(TxType::Legacy, TxEnvelope::tx_type);
        Some(TransactionReceipt {
            inner: ReceiptEnvelope::from_typed(kind, ReceiptWithBloom { receipt: inner, logs_bloom }),
            transaction_hash: receipt.tx,
            transaction_index: Some(index as u64),
            block_hash: Some(self.hash),
            block_number: Some(self.height()),
            gas_used: receipt.gas_used,
            effective_gas_price: receipt.gas_price,
            blob_gas_used: None,
            blob_gas_price: None,
            from: receipt.from,
            to: envelope.and_then(|envelope| envelope.to()),
            contract_address: receipt.contract,
        })
    }

    /// The logs of transaction number `index`.
    pub fn logs(&self, index: usize) -> impl Iterator<Item = Log> {
        let place = Place::new(&self.block.header);
        let first = self.before.get(index).map_or(0, |(_, logs)| *logs);
        let receipt = self.receipts.get(index).into_iter();
        let logs = receipt.flat_map(|receipt| receipt.logs.iter().map(move |event| (receipt.tx, event)));
        (first..).zip(logs).map(move |(log_index, (tx, event))| log(&place, tx, index as u64, log_index, event))
    }

    /// The sender stands in the receipt, so nothing is recovered here.
    fn envelope(&self, index: usize) -> Option<TxEnvelope> {
        TxEnvelope::decode_2718(&mut self.raw(index)?.as_ref()).ok()
    }
}

/// A transaction that waits for a block.
pub fn waiting(tx: &EthTx) -> TxView {
    Transaction {
        inner: Recovered::new_unchecked(tx.envelope().clone(), tx.sender()),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: Some(tx.envelope().max_fee_per_gas()),
        block_timestamp: None,
    }
}

/// An event, with its transaction's hash and index in the block and its own index in the block.
pub fn log(place: &Place, tx: B256, tx_index: u64, log_index: u64, event: &cloister_chain::Log) -> Log {
    let data = LogData::new_unchecked(event.topics.clone(), event.data.clone());
    Log {
        inner: alloy_primitives::Log { address: event.address, data },
        block_hash: Some(place.hash),
        block_number: Some(place.height),
        block_timestamp: Some(place.seconds),
        transaction_hash: Some(tx),
        transaction_index: Some(tx_index),
        log_index: Some(log_index),
        removed: false,
    }
}

/// What a log repeats of its block.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    hash: B256,
    height: u64,
    seconds: u64,
}

impl Place {
    /// The place of everything in the block of `header`.
    pub fn new(header: &cloister_chain::Header) -> Self {
        Self { hash: header.hash(), height: header.height, seconds: header.seconds() }
    }
}
