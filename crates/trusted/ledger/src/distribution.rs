//! Who gets the fees (Cosmos SDK 0.50, `x/distribution`; the F1 paper, Ojha and Goes 2019).
//!
//! The fees of a block are given out when the next one begins: the community's part, then to all who were to sign, by their
//! power. (Not to those only whose precommits the proposer chose to include: it would leave out its rivals'.) A block writes
//! one record for all validators; what came in for one of them is divided among its delegators' shares when one of them
//! changes. Nothing is minted.

use cloister_chain::cosmos::coins;
use cloister_chain::staking::{
    Decimal, Delegation, FeePool, Rewards, Validator, from_valoper, key_address, mul_div, pool, valoper,
};
use cloister_chain::{Address, Leaf, U256, ValidatorSet};
use cloister_state::Supply;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::distribution::v1beta1::{
    MsgFundCommunityPool, MsgFundCommunityPoolResponse, MsgSetWithdrawAddress, MsgSetWithdrawAddressResponse,
    MsgWithdrawDelegatorReward, MsgWithdrawDelegatorRewardResponse, MsgWithdrawValidatorCommission,
    MsgWithdrawValidatorCommissionResponse,
};

use crate::cosmos::{Fail, answer, bank, events};
use crate::staking::{Stake, shown};

impl<S: Supply> Stake<'_, '_, S> {
    /// Gives out what the parent's transactions paid.
    pub(crate) fn distribute(&mut self, signers: &ValidatorSet) -> Result<(), Fail> {
        let fees: u128 = self.meter.read(Leaf::Coins(pool::fee_collector()))?.unwrap_or(0);
        if fees == 0 {
            return Ok(());
        }
        self.shift(pool::fee_collector(), pool::distribution(), fees)?;
        let mut fee_pool = self.fee_pool()?;
        let all = Decimal::whole(fees);
        let rest = all.less(all.times(self.params.community_tax));
        let (total, mut given) = (U256::from(signers.total_power()), Decimal::ZERO);
        for member in signers.iter() {
            let key = member.address();
            if self.operator(key)?.is_some() {
                let part = Decimal(mul_div(rest.0, U256::from(member.power), total).unwrap_or_default());
                fee_pool.give(key, part);
                given = given.plus(part);
            }
        }
        fee_pool.community = fee_pool.community.plus(all.less(given));
        self.put_fee_pool(&fee_pool)
    }

    pub(crate) fn withdraw_reward(&mut self, message: &MsgWithdrawDelegatorReward) -> Result<Any, Fail> {
        let operator = from_valoper(&message.validator_address)?;
        let delegator = bank::account(&message.delegator_address)?;
        let validator = self.validator(operator)?;
        let missing = || Fail::of("staking", 19, "no delegation for (address, validator) tuple");
        let mut delegation = self.delegation(delegator, operator)?.ok_or_else(missing)?;
        let paid = self.pay(delegator, operator, &validator, &mut delegation)?;
        self.put_delegation(delegator, operator, Some(&delegation))?;
        let response = MsgWithdrawDelegatorRewardResponse { amount: coin(paid) };
        Ok(answer("/cosmos.distribution.v1beta1.MsgWithdrawDelegatorRewardResponse", &response))
    }

    pub(crate) fn withdraw_commission(&mut self, message: &MsgWithdrawValidatorCommission) -> Result<Any, Fail> {
        let operator = from_valoper(&message.validator_address)?;
        let nothing = || Fail::of("distribution", 7, "no validator commission to withdraw");
        let validator = self.find(operator)?.ok_or_else(nothing)?;
        let mut rewards = self.settle(operator, &validator)?;
        if rewards.commission.is_zero() {
            return Err(nothing());
        }
        let whole = rewards.commission.floor();
        rewards.commission = rewards.commission.fraction();
        rewards.outstanding = rewards.outstanding.less(Decimal::whole(whole));
        self.meter.write(Leaf::Rewards(operator), Some(&rewards))?;
        self.reward(operator, whole)?;
        self.events.push(events::event("withdraw_commission", [("amount", shown(whole))]));
        let response = MsgWithdrawValidatorCommissionResponse { amount: coin(whole) };
        Ok(answer("/cosmos.distribution.v1beta1.MsgWithdrawValidatorCommissionResponse", &response))
    }

    pub(crate) fn set_withdraw_address(&mut self, message: &MsgSetWithdrawAddress) -> Result<Any, Fail> {
        let delegator = bank::account(&message.delegator_address)?;
        let to = bank::account(&message.withdraw_address)?;
        if bank::is_closed(&to) {
            let log = format!("{} is not allowed to receive external funds: unauthorized", message.withdraw_address);
            return Err(Fail::sdk(4, log));
        }
        let mut record = self.delegator(delegator)?;
        record.withdraw = (to != delegator).then_some(to);
        self.put_delegator(delegator, &record)?;
        let attributes = [("withdraw_address", message.withdraw_address.clone())];
        self.events.push(events::event("set_withdraw_address", attributes));
        let response = MsgSetWithdrawAddressResponse {};
        Ok(answer("/cosmos.distribution.v1beta1.MsgSetWithdrawAddressResponse", &response))
    }

    pub(crate) fn fund_community_pool(&mut self, message: &MsgFundCommunityPool) -> Result<Any, Fail> {
        let amount = coins(&message.amount)?;
        if amount == 0 {
            return Err(Fail::sdk(10, ": invalid coins"));
        }
        self.donate(bank::account(&message.depositor)?, amount)?;
        let response = MsgFundCommunityPoolResponse {};
        Ok(answer("/cosmos.distribution.v1beta1.MsgFundCommunityPoolResponse", &response))
    }

    /// Divides what came in for a validator among its shares: what it and its delegators have earned up to now. Comes before
    /// every change of shares or of the commission.
    pub(crate) fn settle(&mut self, operator: Address, validator: &Validator) -> Result<Rewards, Fail> {
        let mut rewards: Rewards = self.meter.read(Leaf::Rewards(operator))?.unwrap_or_default();
        let mut fee_pool = self.fee_pool()?;
        let pending = fee_pool.take(&key_address(&validator.key));
        if !pending.is_zero() {
            let left = rewards.settle(pending, validator);
            fee_pool.community = fee_pool.community.plus(left);
            self.put_fee_pool(&fee_pool)?;
            self.meter.write(Leaf::Rewards(operator), Some(&rewards))?;
        }
        Ok(rewards)
    }

    /// Pays a delegator what it has earned at a validator, in whole coins; the rest is the community's. The caller writes
    /// the delegation.
    pub(crate) fn pay(
        &mut self,
        delegator: Address,
        operator: Address,
        validator: &Validator,
        delegation: &mut Delegation,
    ) -> Result<u128, Fail> {
        let mut rewards = self.settle(operator, validator)?;
        let earned = delegation.earned(&rewards);
        delegation.ratio = rewards.ratio;
        if !earned.is_zero() {
            rewards.outstanding = rewards.outstanding.less(earned);
            self.meter.write(Leaf::Rewards(operator), Some(&rewards))?;
            self.give_community(earned.fraction())?;
        }
        let whole = earned.floor();
        self.reward(delegator, whole)?;
        let attributes = [
            ("amount", shown(whole)),
            ("validator", valoper(&operator)),
            ("delegator", cloister_chain::cosmos::bech32(&delegator)),
        ];
        self.events.push(events::event("withdraw_rewards", attributes));
        Ok(whole)
    }

    /// Gives out what is left when a validator goes: its commission to its owner, the rest to the community.
    pub(crate) fn close_rewards(&mut self, operator: Address, validator: &Validator) -> Result<(), Fail> {
        let rewards = self.settle(operator, validator)?;
        let whole = rewards.commission.floor();
        self.reward(operator, whole)?;
        self.give_community(rewards.outstanding.less(Decimal::whole(whole)))?;
        self.meter.write(Leaf::Rewards(operator), None::<&Rewards>)
    }

    /// Moves coins to the community.
    pub(crate) fn donate(&mut self, from: Address, amount: u128) -> Result<(), Fail> {
        bank::send(self.meter, from, pool::distribution(), amount, &mut self.events)?;
        self.give_community(Decimal::whole(amount))
    }

    /// Moves coins of a module's to somebody, or to the community when they may not be given there: an address can become
    /// another world's contract at any time, and nothing stops because of that.
    pub(crate) fn hand_over(&mut self, from: Address, to: Address, amount: u128) -> Result<(), Fail> {
        if amount == 0 {
            return Ok(());
        }
        self.meter.state().open();
        let kept = self.events.len();
        let sent = bank::send(self.meter, from, to, amount, &mut self.events);
        self.meter.state().close(sent.is_ok());
        match sent {
            Err(Fail::Rule { code: UNAUTHORIZED, .. }) => {
                self.events.truncate(kept);
                self.donate(from, amount)
            }
            other => other,
        }
    }

    /// Pays rewards to whom their owner wants to have them.
    fn reward(&mut self, owner: Address, amount: u128) -> Result<(), Fail> {
        let to = self.delegator(owner)?.withdraw.unwrap_or(owner);
        self.hand_over(pool::distribution(), to, amount)
    }

    fn give_community(&mut self, amount: Decimal) -> Result<(), Fail> {
        if amount.is_zero() {
            return Ok(());
        }
        let mut fee_pool = self.fee_pool()?;
        fee_pool.community = fee_pool.community.plus(amount);
        self.put_fee_pool(&fee_pool)
    }

    /// What all validators have to come. Messages do not pay for their number.
    fn fee_pool(&mut self) -> Result<FeePool, Fail> {
        Ok(self.meter.paid().read(Leaf::FeePool)?.unwrap_or_default())
    }

    fn put_fee_pool(&mut self, fee_pool: &FeePool) -> Result<(), Fail> {
        self.meter.paid().write(Leaf::FeePool, Some(fee_pool))
    }
}

fn coin(amount: u128) -> Vec<Coin> {
    vec![Coin { denom: cloister_chain::cosmos::DENOM.into(), amount: amount.to_string() }]
}

/// The SDK's number for who may not do something.
const UNAUTHORIZED: u32 = 4;
