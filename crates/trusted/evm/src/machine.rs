//! One block on one EVM.

use alloy_primitives::{Address, B256, U256};
use cloister_teeth::{Mechanism, holds};
use revm::context::{BlockEnv, CfgEnv, Context, Evm, Journal, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, ExecuteEvm};
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN;
use revm::primitives::hardfork::SpecId;

use crate::authentic::{self, Memory};
use crate::changes::Changes;
use crate::precompile::{Confidential, Mode};
use crate::store::Store;
use crate::tx::{Executed, Failure, TxInput};
use crate::vault::Vault;
use crate::world::World;

/// The rules of the EVM: Cancun, without blobs. A later fork would be a hard fork of the chain.
pub const SPEC: SpecId = SpecId::CANCUN;

/// The block that the transactions run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Height.
    pub number: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Wei per unit of gas that every transaction pays at least; it is burnt.
    pub base_fee: u64,
    /// Most gas that a transaction may ask for. What is left of the block is the ledger's to watch.
    pub gas_limit: u64,
    /// Who gets the part of the price above the base fee.
    pub beneficiary: Address,
    /// What `PREVRANDAO` gives.
    pub prevrandao: B256,
    /// EIP-155 chain id.
    pub chain_id: u64,
}

/// Runs the transactions of one block, one after the other, each on the state that the last one left.
pub struct Machine<W: World, V: Vault> {
    evm: ConfidentialEvm<W, V>,
}

impl<W: World, V: Vault> Machine<W, V> {
    /// A machine for `block`, on the state before it.
    pub fn new(world: W, vault: V, block: &BlockInfo) -> Self {
        let relax = |cfg: &mut CfgEnv| cfg.disable_nonce_check = !holds(Mechanism::Sequence);
        Self { evm: build(world, vault, block, Mode::Mined, relax) }
    }

    /// Executes one transaction. After [`Failure::Invalid`] the machine is as it was and goes on; after any other
    /// failure it is of no more use.
    pub fn transact(&mut self, tx: &TxInput) -> Result<Executed, Failure> {
        self.evm.ctx.chain.clear();
        self.evm.precompiles.begin(tx.hash);
        let result = self.evm.transact_one(tx.env())?;
        Ok(Executed::new(result, tx.price.effective(self.evm.ctx.block.basefee)))
    }

    /// What all transactions together changed.
    pub fn finish(mut self) -> Changes {
        let state = self.evm.finalize();
        Changes::between(&self.evm.ctx.journaled_state.database, state)
    }
}

/// revm's context: our store behind its journal, and the frames' authenticated memory beside it.
pub(crate) type Ctx<W> = Context<BlockEnv, TxEnv, CfgEnv, Store<W>, Journal<Store<W>>, Memory>;

pub(crate) type ConfidentialEvm<W, V> =
    Evm<Ctx<W>, (), EthInstructions<EthInterpreter, Ctx<W>>, Confidential<V>, EthFrame<EthInterpreter>>;

/// Puts the EVM together; `relax` switches off checks, for queries.
pub(crate) fn build<W: World, V: Vault>(
    world: W,
    vault: V,
    block: &BlockInfo,
    mode: Mode,
    relax: impl FnOnce(&mut CfgEnv),
) -> ConfidentialEvm<W, V> {
    let mut context: Ctx<W> = Context::new(Store::new(world, vault.epoch()), SPEC);
    context.block = BlockEnv {
        number: U256::from(block.number),
        beneficiary: block.beneficiary,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee,
        difficulty: U256::ZERO,
        prevrandao: Some(block.prevrandao),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new(0, BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN)),
        slot_num: 0,
    };
    context.modify_cfg(|cfg| {
        cfg.chain_id = block.chain_id;
        relax(cfg);
    });
    let mut instructions = EthInstructions::new_mainnet_with_spec(SPEC);
    authentic::install(&mut instructions);
    Evm::new(context, instructions, Confidential::new(vault, mode))
}
