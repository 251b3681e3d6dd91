//! Balances in the Cosmos micro-denomination.

use alloy_primitives::KECCAK256_EMPTY;
use cloister_chain::cosmos::{CosmosError, DENOM, bech32, coins, from_bech32};
use cloister_chain::leaf::{Auth, ChainState, Contract};
use cloister_chain::receipt::Event;
use cloister_chain::staking::pool;
use cloister_chain::{Account, Address, Leaf};
use cloister_state::{Overlay, Supply};
use secret_sdk_proto::cosmos::base::v1beta1::Coin;

use super::events;
use super::meter::{Fail, Meter};
use crate::eth::encode;

/// Moves `amount` and says so.
pub(crate) fn send<S: Supply>(
    meter: &mut Meter<'_, S>,
    from: Address,
    to: Address,
    amount: u128,
    emitted: &mut Vec<Event>,
) -> Result<(), Fail> {
    spend(meter, from, amount, emitted)?;
    receive(meter, to, amount, emitted)?;
    emitted.extend(events::transfer(&from, &to, &shown(amount)));
    Ok(())
}

/// Takes `amount` from an account.
pub(crate) fn spend<S: Supply>(
    meter: &mut Meter<'_, S>,
    from: Address,
    amount: u128,
    emitted: &mut Vec<Event>,
) -> Result<(), Fail> {
    let held: u128 = meter.read(Leaf::Coins(from))?.unwrap_or(0);
    let Some(left) = held.checked_sub(amount) else {
        let log = format!("spendable balance {held}{DENOM} is smaller than {amount}{DENOM}: insufficient funds");
        return Err(Fail::sdk(5, log));
    };
    meter.write(Leaf::Coins(from), (left > 0).then_some(&left))?;
    emitted.push(events::spent(&from, &shown(amount)));
    Ok(())
}

/// Gives `amount` to an account, which exists from then on. What the SDK does not do costs nothing: clients of Secret
/// Network send with 20 000 gas.
pub(crate) fn receive<S: Supply>(
    meter: &mut Meter<'_, S>,
    to: Address,
    amount: u128,
    emitted: &mut Vec<Event>,
) -> Result<(), Fail> {
    // A contract of the other world could never spend them (D14).
    let account: Account = meter.paid().read(Leaf::Account(to))?.unwrap_or_default();
    if account.code != KECCAK256_EMPTY && meter.paid().read::<Contract>(Leaf::Contract(to))?.is_none() {
        return Err(Fail::sdk(4, format!("{} is not allowed to receive funds: unauthorized", bech32(&to))));
    }
    let held: u128 = meter.read(Leaf::Coins(to))?.unwrap_or(0);
    let sum = held.checked_add(amount).ok_or_else(|| Fail::from(CosmosError::Coins("the sum overflows".into())))?;
    meter.write(Leaf::Coins(to), Some(&sum))?;
    open(meter, to)?;
    emitted.push(events::received(&to, &shown(amount)));
    Ok(())
}

/// Gives an account its number, unless it has one.
pub(crate) fn open<S: Supply>(meter: &mut Meter<'_, S>, to: Address) -> Result<(), Fail> {
    if meter.read::<Auth>(Leaf::Auth(to))?.is_none() {
        let mut chain: ChainState = meter.paid().read(Leaf::Chain)?.unwrap_or_default();
        let number = chain.accounts;
        chain.accounts = number.saturating_add(1);
        meter.paid().write(Leaf::Chain, Some(&chain))?;
        meter.write(Leaf::Auth(to), Some(&Auth { number, key: None }))?;
    }
    Ok(())
}

/// Takes `amount` from an account and from the world.
pub(crate) fn burn<S: Supply>(
    meter: &mut Meter<'_, S>,
    from: Address,
    amount: u128,
    emitted: &mut Vec<Event>,
) -> Result<(), Fail> {
    spend(meter, from, amount, emitted)?;
    let mut chain: ChainState = meter.read(Leaf::Chain)?.unwrap_or_default();
    chain.supply = chain.supply.saturating_sub(amount);
    meter.write(Leaf::Chain, Some(&chain))?;
    emitted.push(events::event("burn", [("burner", bech32(&from)), ("amount", shown(amount))]));
    Ok(())
}

/// Whether only modules may send to this account: what others sent would be nobody's.
pub(crate) fn is_closed(account: &Address) -> bool {
    pool::all().contains(account)
}

/// Succeeds for an account to which everybody may send.
pub(crate) fn open_to_all(account: &Address) -> Result<(), Fail> {
    if is_closed(account) {
        return Err(Fail::sdk(4, format!("{} is not allowed to receive funds: unauthorized", bech32(account))));
    }
    Ok(())
}

/// Gives coins to an account of the genesis, whose number is `number`.
pub(crate) fn credit<S: Supply>(state: &mut Overlay<S>, to: Address, amount: u128, number: u64) {
    state.write(Leaf::Coins(to), Some(encode(&amount)));
    state.write(Leaf::Auth(to), Some(encode(&Auth { number, key: None })));
}

/// As clients show an amount.
pub(crate) fn shown(amount: u128) -> String {
    if amount == 0 { String::new() } else { format!("{amount}{DENOM}") }
}

pub(crate) fn account(text: &str) -> Result<Address, Fail> {
    Ok(from_bech32(text)?)
}

pub(crate) fn amount(list: &[Coin]) -> Result<u128, Fail> {
    Ok(coins(list)?)
}
