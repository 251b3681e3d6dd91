//! `eth_call` and gas estimation: a transaction that nobody signed, on a committed state, without effect.
//!
//! The sender is whoever the caller claims to be, so nothing here may depend on a secret: see [`crate::precompile`].

use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};
use revm::handler::ExecuteEvm;

use crate::machine::{BlockInfo, ConfidentialEvm, build};
use crate::precompile::Mode;
use crate::tx::{AccessList, Ending, Executed, Failure, HaltReason, Invalid, Price, TxInput};
use crate::vault::Vault;
use crate::world::World;

/// What is asked. Nonce and signature are not checked; the base fee only when a price is given. The sender has to hold what
/// it sends along, and what the gas may cost at the price given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallInput {
    /// Claimed sender.
    pub from: Address,
    /// Contract or account called, or the simulation of a creation.
    pub to: TxKind,
    /// Wei sent along.
    pub value: U256,
    /// Calldata or init code.
    pub data: Bytes,
    /// Most gas it may use, if the client cares.
    pub gas: Option<u64>,
    /// Price of gas; `Price::Fixed(0)` when the client names none.
    pub price: Price,
    /// Accounts and slots named in advance (EIP-2930).
    pub access_list: Option<AccessList>,
}

/// What an estimation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// The least gas limit with which it succeeds.
    Gas(u64),
    /// It reverts with this data, however much gas it gets.
    Reverted(Bytes),
    /// It breaks a rule of the EVM, however much gas it gets.
    Halted(HaltReason),
    /// It needs more than this, the most that was allowed.
    Exceeds(u64),
}

/// Runs `input` on `world` as if it came at the end of `block`, with at most `gas_cap` gas.
///
/// Confidential operations fail, except `GetUserKey`; in the simulation of a creation they answer as in [`estimate`].
pub fn call<W: World, V: Vault>(
    world: W,
    vault: V,
    block: &BlockInfo,
    input: &CallInput,
    gas_cap: u64,
) -> Result<Executed, Failure> {
    let mode = if input.to.is_create() { Mode::Estimate } else { Mode::Call };
    Query::new(world, vault, block, mode, input).run(input.gas.unwrap_or(gas_cap).min(gas_cap))
}

/// Finds the least gas limit, up to `gas_cap`, with which `input` succeeds. Confidential operations check nothing and
/// answer 1.
///
/// When a price is given, the limit is also bounded by what the sender's balance can pay.
pub fn estimate<W: World, V: Vault>(
    mut world: W,
    vault: V,
    block: &BlockInfo,
    input: &CallInput,
    gas_cap: u64,
) -> Result<Estimate, Failure> {
    let mut most = input.gas.unwrap_or(block.gas_limit).min(gas_cap);
    if input.price.max() > 0 {
        let have = world.account(input.from)?.map_or(U256::ZERO, |account| account.balance);
        let spare = have.checked_sub(input.value).ok_or(Invalid::Funds { have, want: input.value })?;
        let affordable = spare / U256::from(input.price.max());
        most = u64::try_from(affordable).map_or(most, |affordable| most.min(affordable));
    }
    let mut query = Query::new(world, vault, block, Mode::Estimate, input);
    let first = match query.run(most) {
        Err(Failure::Invalid(Invalid::IntrinsicGas { .. })) => return Ok(Estimate::Exceeds(most)),
        other => other?,
    };
    match first.ending {
        Ending::Success => {}
        Ending::Revert => return Ok(Estimate::Reverted(first.output)),
        Ending::Halt(HaltReason::OutOfGas(_)) => return Ok(Estimate::Exceeds(most)),
        Ending::Halt(reason) => return Ok(Estimate::Halted(reason)),
    }
    query.least(&first, most).map(Estimate::Gas)
}

struct Query<W: World, V: Vault> {
    evm: ConfidentialEvm<W, V>,
    tx: TxInput,
}

impl<W: World, V: Vault> Query<W, V> {
    fn new(world: W, vault: V, block: &BlockInfo, mode: Mode, input: &CallInput) -> Self {
        let evm = build(world, vault, block, mode, |cfg| {
            cfg.disable_nonce_check = true;
            cfg.disable_block_gas_limit = true;
            cfg.disable_eip3607 = true;
            cfg.disable_base_fee = input.price.max() == 0;
        });
        let tx = TxInput {
            // Every field of both: a contract may choose by any of them what it asks of the vault.
            hash: keccak256(format!("{input:?} {block:?}")),
            from: input.from,
            to: input.to,
            value: input.value,
            data: input.data.clone(),
            gas_limit: 0,
            price: input.price,
            access_list: input.access_list.clone(),
            nonce: 0,
            chain_id: Some(block.chain_id),
        };
        Self { evm, tx }
    }

    fn run(&mut self, gas_limit: u64) -> Result<Executed, Failure> {
        self.tx.gas_limit = gas_limit;
        // revm takes it as given that value and fee fit a word, which the balance check would have shown.
        let cost = U256::from(gas_limit)
            .checked_mul(U256::from(self.tx.price.max()))
            .filter(|fee| *fee <= U256::from(u128::MAX))
            .and_then(|fee| fee.checked_add(self.tx.value));
        if cost.is_none() {
            return Err(Invalid::CostOverflow.into());
        }
        self.evm.ctx.chain.clear();
        // And by the gas that is left.
        let drawn_for = keccak256([self.tx.hash.as_slice(), &gas_limit.to_be_bytes()].concat());
        self.evm.precompiles.begin(drawn_for);
        let done = self.evm.transact(self.tx.env())?;
        Ok(Executed::new(done.result, self.tx.price.effective(self.evm.ctx.block.basefee)))
    }

    /// Searches between what the first run paid for and what it was given.
    fn least(&mut self, first: &Executed, most: u64) -> Result<u64, Failure> {
        if self.suffices(first.gas_used)? {
            return Ok(first.gas_used);
        }
        let (mut fails, mut works) = (first.gas_used, most);
        // Refunds come at the end, stipends and EIP-150's 64th are held back: most calls need just that much more.
        let held_back = first.gas_used.saturating_add(first.gas_refunded).saturating_add(CALL_STIPEND);
        let guess = held_back.saturating_add(held_back / 63).saturating_add(1);
        if guess < works {
            if self.suffices(guess)? { works = guess } else { fails = guess }
        }
        while fails.saturating_add(1) < works {
            let middle = fails.midpoint(works);
            if self.suffices(middle)? { works = middle } else { fails = middle }
        }
        Ok(works)
    }

    fn suffices(&mut self, gas_limit: u64) -> Result<bool, Failure> {
        match self.run(gas_limit) {
            Ok(executed) => Ok(executed.success()),
            Err(Failure::Invalid(Invalid::IntrinsicGas { .. })) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

const CALL_STIPEND: u64 = 2_300;
