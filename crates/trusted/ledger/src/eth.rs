//! The Ethereum world in a block: what the machine sees of the state and of the keys.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::wire::Halt;
use cloister_chain::{Account, Cell, EthTx, Genesis, Header, Leaf, Log, Receipt, Refusal, Status};
use cloister_evm::{BlockInfo, Changes, Failure, Invalid, Machine, Price, TxInput, World, WorldError};
use cloister_keys::Keys;
use cloister_state::{Overlay, StateError, Supply};

mod vault;

pub(crate) use vault::KeyVault;

/// The Ethereum transactions of one block.
pub(crate) struct Block<'a, S: Supply> {
    machine: Machine<Leaves<'a, S>, KeyVault<'a>>,
}

impl<'a, S: Supply> Block<'a, S> {
    /// A machine for the block of `header`, on `state`.
    pub(crate) fn new(genesis: &Genesis, keys: &'a Keys, header: &Header, state: &'a mut Overlay<S>) -> Self {
        let info = block_info(genesis, keys, header);
        let vault = KeyVault::block(keys, header.height, header.hash());
        let leaves = Leaves { state, oldest: oldest_hash(header.height.saturating_sub(1)) };
        Self { machine: Machine::new(leaves, vault, &info) }
    }

    /// Runs one transaction if its gas limit is within `gas_left`.
    pub(crate) fn run(&mut self, tx: &EthTx, gas_left: u64) -> Result<Receipt, Halt> {
        let input = input(tx);
        let mut receipt = Receipt {
            tx: tx.hash(),
            from: tx.sender(),
            status: Status::Refused(Refusal::Gas),
            gas_used: 0,
            gas_price: 0,
            contract: None,
            logs: Vec::new(),
            cosmos: None,
        };
        if input.gas_limit > gas_left {
            return Ok(receipt);
        }
        match self.machine.transact(&input) {
            Ok(executed) => {
                receipt.status = if executed.success() { Status::Success } else { Status::Failed };
                receipt.gas_used = executed.gas_used;
                receipt.gas_price = executed.gas_price;
                receipt.contract = executed.contract;
                receipt.logs = executed.logs.into_iter().map(log).collect();
            }
            Err(Failure::Invalid(why)) => receipt.status = Status::Refused(refusal(&why)),
            Err(Failure::World(_) | Failure::Machine) => return Err(Halt::Supply),
        }
        Ok(receipt)
    }

    /// What the transactions changed, for [`write`].
    pub(crate) fn finish(self) -> Changes {
        self.machine.finish()
    }
}

/// The state as the machine reads it.
pub(crate) struct Leaves<'a, S: Supply> {
    pub(crate) state: &'a mut Overlay<S>,
    /// The lowest height whose block hash is in the state.
    pub(crate) oldest: u64,
}

/// The lowest height whose block hash is in the state of `height`: there are 256 of them.
pub(crate) fn oldest_hash(height: u64) -> u64 {
    height.saturating_sub(255)
}

impl<S: Supply> Leaves<'_, S> {
    fn read<T: BorshDeserialize>(&mut self, leaf: Leaf) -> Result<Option<T>, WorldError> {
        let Some(bytes) = self.state.read(&leaf).map_err(world_error)? else { return Ok(None) };
        // The tree vouches for the bytes, so they are what this crate once encoded.
        T::try_from_slice(&bytes).map(Some).map_err(|_| WorldError::Forged)
    }
}

impl<S: Supply> World for Leaves<'_, S> {
    fn account(&mut self, address: Address) -> Result<Option<Account>, WorldError> {
        self.read(Leaf::Account(address))
    }

    fn cell(&mut self, address: Address, slot: U256) -> Result<Cell, WorldError> {
        Ok(self.read(Leaf::Storage(address, slot.into()))?.unwrap_or_default())
    }

    fn code(&mut self, hash: B256) -> Result<Bytes, WorldError> {
        self.state.blob(&hash).map_err(world_error)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, WorldError> {
        if number < self.oldest {
            return Ok(B256::ZERO);
        }
        Ok(self.read(Leaf::block_hash(number))?.unwrap_or_default())
    }
}

/// The block that the machine shows to contracts.
pub(crate) fn block_info(genesis: &Genesis, keys: &Keys, header: &Header) -> BlockInfo {
    BlockInfo {
        number: header.height,
        timestamp: header.seconds(),
        base_fee: header.base_fee,
        gas_limit: genesis.evm_gas,
        beneficiary: header.proposer,
        prevrandao: keys.beacon(header.parent),
        chain_id: genesis.evm_chain_id,
    }
}

/// The canonical bytes of a leaf's value.
pub(crate) fn encode(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory does not fail")
}

/// Writes what the transactions of a block changed. Returns the leaves of words that another epoch than `epoch` sealed: copies of
/// what stood in other slots.
pub(crate) fn write<S: Supply>(state: &mut Overlay<S>, changes: Changes, epoch: u64) -> Vec<Leaf> {
    for (_, code) in changes.codes {
        state.put_blob(code);
    }
    for (address, account) in changes.accounts {
        state.write(Leaf::Account(address), account.as_ref().map(encode));
    }
    let mut former = Vec::new();
    for ((address, slot), cell) in changes.cells {
        let leaf = Leaf::Storage(address, slot.into());
        former.extend(cell.marked.filter(|sealed| *sealed != epoch).map(|_| leaf));
        state.write(leaf, (cell != Cell::default()).then(|| encode(&cell)));
    }
    former
}

fn input(tx: &EthTx) -> TxInput {
    let envelope = tx.envelope();
    let price = match envelope.max_priority_fee_per_gas() {
        Some(max_priority) => Price::Dynamic { max_fee: envelope.max_fee_per_gas(), max_priority },
        None => Price::Fixed(envelope.max_fee_per_gas()),
    };
    TxInput {
        hash: tx.hash(),
        from: tx.sender(),
        to: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        gas_limit: envelope.gas_limit(),
        price,
        access_list: envelope.access_list().cloned(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
    }
}

fn log(log: alloy_primitives::Log) -> Log {
    let (topics, data) = log.data.split();
    Log { address: log.address, topics, data }
}

fn refusal(why: &Invalid) -> Refusal {
    match why {
        Invalid::NonceTooLow { .. } | Invalid::NonceTooHigh { .. } | Invalid::NonceMax => Refusal::Sequence,
        Invalid::Funds { .. } | Invalid::CostOverflow => Refusal::Funds,
        Invalid::FeeBelowBase | Invalid::PriorityAboveFee => Refusal::Fee,
        Invalid::IntrinsicGas { .. } | Invalid::BlockGas => Refusal::Gas,
        _ => Refusal::Rule,
    }
}

pub(crate) fn world_error(error: StateError) -> WorldError {
    match error {
        StateError::Supply(_) => WorldError::Unavailable,
        StateError::Count | StateError::Forged(_) | StateError::ForgedName(_) | StateError::ForgedBlob(_) => {
            WorldError::Forged
        }
    }
}
