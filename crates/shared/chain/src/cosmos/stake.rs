//! Messages of staking, distribution and slashing (Cosmos SDK 0.50).

use alloy_primitives::Address;
use prost::{DecodeError, Message as _};
use secret_sdk_proto::cosmos::distribution::v1beta1::{
    MsgFundCommunityPool, MsgSetWithdrawAddress, MsgWithdrawDelegatorReward, MsgWithdrawValidatorCommission,
};
use secret_sdk_proto::cosmos::slashing::v1beta1::MsgUnjail;
use secret_sdk_proto::cosmos::staking::v1beta1::{
    MsgBeginRedelegate, MsgCancelUnbondingDelegation, MsgCreateValidator, MsgDelegate, MsgEditValidator, MsgUndelegate,
};

use super::{CosmosError, from_bech32};
use crate::staking::from_valoper;

/// A message about stake, its addresses checked. What else it says is checked when it runs.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // Each variant is the protobuf type of its name.
pub enum StakeMessage {
    CreateValidator(MsgCreateValidator),
    EditValidator(MsgEditValidator),
    Delegate(MsgDelegate),
    Undelegate(MsgUndelegate),
    BeginRedelegate(MsgBeginRedelegate),
    CancelUnbonding(MsgCancelUnbondingDelegation),
    WithdrawReward(MsgWithdrawDelegatorReward),
    WithdrawCommission(MsgWithdrawValidatorCommission),
    SetWithdrawAddress(MsgSetWithdrawAddress),
    FundCommunityPool(MsgFundCommunityPool),
    Unjail(MsgUnjail),
}

impl StakeMessage {
    /// Reads a message of type `url`; `None` if it is of another kind.
    pub(super) fn decode(url: &str, value: &[u8]) -> Option<Result<Self, DecodeError>> {
        Some(match url {
            CREATE_VALIDATOR => MsgCreateValidator::decode(value).map(Self::CreateValidator),
            EDIT_VALIDATOR => MsgEditValidator::decode(value).map(Self::EditValidator),
            DELEGATE => MsgDelegate::decode(value).map(Self::Delegate),
            UNDELEGATE => MsgUndelegate::decode(value).map(Self::Undelegate),
            BEGIN_REDELEGATE => MsgBeginRedelegate::decode(value).map(Self::BeginRedelegate),
            CANCEL_UNBONDING => MsgCancelUnbondingDelegation::decode(value).map(Self::CancelUnbonding),
            WITHDRAW_REWARD => MsgWithdrawDelegatorReward::decode(value).map(Self::WithdrawReward),
            WITHDRAW_COMMISSION => MsgWithdrawValidatorCommission::decode(value).map(Self::WithdrawCommission),
            SET_WITHDRAW_ADDRESS => MsgSetWithdrawAddress::decode(value).map(Self::SetWithdrawAddress),
            FUND_COMMUNITY_POOL => MsgFundCommunityPool::decode(value).map(Self::FundCommunityPool),
            UNJAIL => MsgUnjail::decode(value).map(Self::Unjail),
            _ => return None,
        })
    }

    /// Name of the kind.
    pub const fn type_url(&self) -> &'static str {
        match self {
            Self::CreateValidator(_) => CREATE_VALIDATOR,
            Self::EditValidator(_) => EDIT_VALIDATOR,
            Self::Delegate(_) => DELEGATE,
            Self::Undelegate(_) => UNDELEGATE,
            Self::BeginRedelegate(_) => BEGIN_REDELEGATE,
            Self::CancelUnbonding(_) => CANCEL_UNBONDING,
            Self::WithdrawReward(_) => WITHDRAW_REWARD,
            Self::WithdrawCommission(_) => WITHDRAW_COMMISSION,
            Self::SetWithdrawAddress(_) => SET_WITHDRAW_ADDRESS,
            Self::FundCommunityPool(_) => FUND_COMMUNITY_POOL,
            Self::Unjail(_) => UNJAIL,
        }
    }

    /// The account that has to sign it: an operator signs with the account that its validator belongs to.
    pub fn signer(&self) -> Result<Address, CosmosError> {
        match self {
            Self::CreateValidator(message) => from_valoper(&message.validator_address),
            Self::EditValidator(message) => from_valoper(&message.validator_address),
            Self::WithdrawCommission(message) => from_valoper(&message.validator_address),
            Self::Unjail(message) => from_valoper(&message.validator_addr),
            Self::Delegate(message) => from_bech32(&message.delegator_address),
            Self::Undelegate(message) => from_bech32(&message.delegator_address),
            Self::BeginRedelegate(message) => from_bech32(&message.delegator_address),
            Self::CancelUnbonding(message) => from_bech32(&message.delegator_address),
            Self::WithdrawReward(message) => from_bech32(&message.delegator_address),
            Self::SetWithdrawAddress(message) => from_bech32(&message.delegator_address),
            Self::FundCommunityPool(message) => from_bech32(&message.depositor),
        }
    }

    pub(super) fn check(&self) -> Result<(), CosmosError> {
        self.signer()?;
        match self {
            Self::Delegate(message) => from_valoper(&message.validator_address).map(drop),
            Self::Undelegate(message) => from_valoper(&message.validator_address).map(drop),
            Self::BeginRedelegate(message) => {
                from_valoper(&message.validator_src_address)?;
                from_valoper(&message.validator_dst_address).map(drop)
            }
            Self::CancelUnbonding(message) => from_valoper(&message.validator_address).map(drop),
            Self::WithdrawReward(message) => from_valoper(&message.validator_address).map(drop),
            Self::SetWithdrawAddress(message) => from_bech32(&message.withdraw_address).map(drop),
            _ => Ok(()),
        }
    }
}

const CREATE_VALIDATOR: &str = "/cosmos.staking.v1beta1.MsgCreateValidator";
const EDIT_VALIDATOR: &str = "/cosmos.staking.v1beta1.MsgEditValidator";
const DELEGATE: &str = "/cosmos.staking.v1beta1.MsgDelegate";
const UNDELEGATE: &str = "/cosmos.staking.v1beta1.MsgUndelegate";
const BEGIN_REDELEGATE: &str = "/cosmos.staking.v1beta1.MsgBeginRedelegate";
const CANCEL_UNBONDING: &str = "/cosmos.staking.v1beta1.MsgCancelUnbondingDelegation";
const WITHDRAW_REWARD: &str = "/cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward";
const WITHDRAW_COMMISSION: &str = "/cosmos.distribution.v1beta1.MsgWithdrawValidatorCommission";
const SET_WITHDRAW_ADDRESS: &str = "/cosmos.distribution.v1beta1.MsgSetWithdrawAddress";
const FUND_COMMUNITY_POOL: &str = "/cosmos.distribution.v1beta1.MsgFundCommunityPool";
const UNJAIL: &str = "/cosmos.slashing.v1beta1.MsgUnjail";

#[cfg(test)]
mod tests;
