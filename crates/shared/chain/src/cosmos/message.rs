//! What a Cosmos transaction asks for.

use alloy_primitives::Address;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::{MsgMultiSend, MsgSend};
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::feegrant::v1beta1::{MsgGrantAllowance, MsgRevokeAllowance};
use secret_sdk_proto::cosmos::tx::v1beta1::Fee;
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgClearAdmin, MsgExecuteContract, MsgInstantiateContract, MsgMigrateContract, MsgStoreCode, MsgUpdateAdmin,
};

use super::address::{from_bech32, from_bytes};
use super::{Allowance, AuthzMessage, CosmosError, GovMessage, StakeMessage, TrustMessage, amino, sealed};
use crate::limits;

/// Micro-denomination of the Cosmos door.
pub const DENOM: &str = "uscrt";

/// A message, decoded, its addresses and amounts checked.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // Each variant is the protobuf type of its name.
pub enum Message {
    Send(MsgSend),
    MultiSend(MsgMultiSend),
    StoreCode(MsgStoreCode),
    Instantiate(MsgInstantiateContract),
    Execute(MsgExecuteContract),
    Migrate(MsgMigrateContract),
    UpdateAdmin(MsgUpdateAdmin),
    ClearAdmin(MsgClearAdmin),
    SealedInstantiate(sealed::MsgInstantiate),
    SealedExecute(sealed::MsgExecute),
    SealedMigrate(sealed::MsgMigrate),
    GrantAllowance(MsgGrantAllowance),
    RevokeAllowance(MsgRevokeAllowance),
    Stake(StakeMessage),
    Authz(AuthzMessage),
    Gov(GovMessage),
    Trust(TrustMessage),
}

impl Message {
    /// Reads the `Any` of a transaction's body.
    pub fn decode(any: &Any) -> Result<Self, CosmosError> {
        Self::within(any, limits::MESSAGE_DEPTH)
    }

    /// Reads a message that may hold others, `depth` deep.
    pub(super) fn within(any: &Any, depth: usize) -> Result<Self, CosmosError> {
        if let Some(message) = AuthzMessage::decode(any, depth)? {
            return Ok(Self::Authz(message));
        }
        if let Some(message) = GovMessage::decode(any, depth)? {
            return Ok(Self::Gov(message));
        }
        let value = any.value.as_slice();
        let message = match any.type_url.as_str() {
            SEND => MsgSend::decode(value).map(Self::Send),
            MULTI_SEND => MsgMultiSend::decode(value).map(Self::MultiSend),
            STORE_CODE => MsgStoreCode::decode(value).map(Self::StoreCode),
            INSTANTIATE => MsgInstantiateContract::decode(value).map(Self::Instantiate),
            EXECUTE => MsgExecuteContract::decode(value).map(Self::Execute),
            MIGRATE => MsgMigrateContract::decode(value).map(Self::Migrate),
            UPDATE_ADMIN => MsgUpdateAdmin::decode(value).map(Self::UpdateAdmin),
            CLEAR_ADMIN => MsgClearAdmin::decode(value).map(Self::ClearAdmin),
            SEALED_INSTANTIATE => sealed::MsgInstantiate::decode(value).map(Self::SealedInstantiate),
            SEALED_EXECUTE => sealed::MsgExecute::decode(value).map(Self::SealedExecute),
            SEALED_MIGRATE => sealed::MsgMigrate::decode(value).map(Self::SealedMigrate),
            GRANT_ALLOWANCE => MsgGrantAllowance::decode(value).map(Self::GrantAllowance),
            REVOKE_ALLOWANCE => MsgRevokeAllowance::decode(value).map(Self::RevokeAllowance),
            other => match StakeMessage::decode(other, value) {
                Some(message) => message.map(Self::Stake),
                None => match TrustMessage::decode(other, value) {
                    Some(message) => message.map(Self::Trust),
                    None => return Err(CosmosError::Unknown(other.to_owned())),
                },
            },
        };
        let message = message.map_err(|error| CosmosError::Parse(error.to_string()))?;
        message.check()?;
        Ok(message)
    }

    /// Name of the kind, as the `Any` carries it and events show it.
    pub const fn type_url(&self) -> &'static str {
        match self {
            Self::Send(_) => SEND,
            Self::MultiSend(_) => MULTI_SEND,
            Self::StoreCode(_) => STORE_CODE,
            Self::Instantiate(_) => INSTANTIATE,
            Self::Execute(_) => EXECUTE,
            Self::Migrate(_) => MIGRATE,
            Self::UpdateAdmin(_) => UPDATE_ADMIN,
            Self::ClearAdmin(_) => CLEAR_ADMIN,
            Self::SealedInstantiate(_) => SEALED_INSTANTIATE,
            Self::SealedExecute(_) => SEALED_EXECUTE,
            Self::SealedMigrate(_) => SEALED_MIGRATE,
            Self::GrantAllowance(_) => GRANT_ALLOWANCE,
            Self::RevokeAllowance(_) => REVOKE_ALLOWANCE,
            Self::Stake(message) => message.type_url(),
            Self::Authz(message) => message.type_url(),
            Self::Gov(message) => message.type_url(),
            Self::Trust(message) => message.type_url(),
        }
    }

    /// Accounts that have to sign it.
    pub fn signers(&self) -> Vec<Address> {
        // `check` has read all of these once.
        let text = |address: &str| from_bech32(address).ok();
        let bytes = |address: &[u8]| from_bytes(address).ok();
        match self {
            Self::Send(message) => text(&message.from_address).into_iter().collect(),
            Self::MultiSend(message) => message.inputs.iter().filter_map(|input| text(&input.address)).collect(),
            Self::StoreCode(message) => bytes(&message.sender).into_iter().collect(),
            Self::Instantiate(message) => bytes(&message.sender).into_iter().collect(),
            Self::Execute(message) => bytes(&message.sender).into_iter().collect(),
            Self::Migrate(message) => text(&message.sender).into_iter().collect(),
            Self::UpdateAdmin(message) => text(&message.sender).into_iter().collect(),
            Self::ClearAdmin(message) => text(&message.sender).into_iter().collect(),
            Self::SealedInstantiate(message) => bytes(&message.sender).into_iter().collect(),
            Self::SealedExecute(message) => bytes(&message.sender).into_iter().collect(),
            Self::SealedMigrate(message) => bytes(&message.sender).into_iter().collect(),
            Self::GrantAllowance(message) => text(&message.granter).into_iter().collect(),
            Self::RevokeAllowance(message) => text(&message.granter).into_iter().collect(),
            Self::Stake(message) => message.signer().into_iter().collect(),
            Self::Authz(message) => message.signer().into_iter().collect(),
            Self::Gov(message) => message.signer().into_iter().collect(),
            Self::Trust(message) => message.signer().into_iter().collect(),
        }
    }

    /// The member of `msgs` in an amino sign document, if it has such a form.
    pub(super) fn amino(&self) -> Option<amino::Json> {
        amino::message(self)
    }

    fn check(&self) -> Result<(), CosmosError> {
        match self {
            Self::Send(message) => {
                from_bech32(&message.from_address)?;
                from_bech32(&message.to_address)?;
                positive(coins(&message.amount)?)
            }
            Self::MultiSend(message) => {
                // As in the SDK since 0.47: many receivers, one sender, nothing lost on the way.
                let [input] = message.inputs.as_slice() else {
                    return Err(CosmosError::Invalid("multiple senders not allowed".into()));
                };
                from_bech32(&input.address)?;
                let mut sum = 0u128;
                for output in &message.outputs {
                    from_bech32(&output.address)?;
                    let part = coins(&output.coins)?;
                    positive(part)?;
                    sum = sum.checked_add(part).ok_or_else(|| CosmosError::Coins("the sum overflows".into()))?;
                }
                if sum != coins(&input.coins)? {
                    return Err(CosmosError::Invalid("sum inputs != sum outputs".into()));
                }
                positive(sum)
            }
            Self::StoreCode(message) => from_bytes(&message.sender).map(drop),
            Self::Instantiate(message) => {
                from_bytes(&message.sender)?;
                if !message.admin.is_empty() {
                    from_bech32(&message.admin)?;
                }
                coins(&message.init_funds).map(drop)
            }
            Self::Execute(message) => {
                from_bytes(&message.sender)?;
                from_bytes(&message.contract)?;
                coins(&message.sent_funds).map(drop)
            }
            Self::Migrate(message) => {
                from_bech32(&message.sender)?;
                from_bech32(&message.contract).map(drop)
            }
            Self::UpdateAdmin(message) => {
                from_bech32(&message.sender)?;
                from_bech32(&message.new_admin)?;
                from_bech32(&message.contract).map(drop)
            }
            Self::ClearAdmin(message) => {
                from_bech32(&message.sender)?;
                from_bech32(&message.contract).map(drop)
            }
            Self::SealedInstantiate(message) => {
                from_bytes(&message.sender)?;
                code_hash(&message.code_hash)?;
                if !message.admin.is_empty() {
                    from_bech32(&message.admin)?;
                }
                coins(&message.funds).map(drop)
            }
            Self::SealedExecute(message) => {
                from_bytes(&message.sender)?;
                from_bytes(&message.contract)?;
                code_hash(&message.code_hash)?;
                coins(&message.funds).map(drop)
            }
            Self::SealedMigrate(message) => {
                from_bytes(&message.sender)?;
                from_bytes(&message.contract)?;
                code_hash(&message.code_hash)
            }
            Self::GrantAllowance(message) => {
                two(&message.granter, &message.grantee)?;
                let allowance = message.allowance.as_ref();
                let allowance =
                    allowance.ok_or_else(|| CosmosError::Invalid("allowance should not be empty".into()))?;
                Allowance::decode(allowance).map(drop)
            }
            Self::RevokeAllowance(message) => two(&message.granter, &message.grantee),
            Self::Stake(message) => message.check(),
            Self::Trust(message) => message.check(),
            // They are checked where they are read.
            Self::Authz(_) | Self::Gov(_) => Ok(()),
        }
    }

    /// The contract that it is for, if it is for one; the first one of a message that holds others.
    pub fn contract(&self) -> Option<Address> {
        match self {
            Self::Execute(message) => from_bytes(&message.contract).ok(),
            Self::SealedExecute(message) => from_bytes(&message.contract).ok(),
            Self::SealedMigrate(message) => from_bytes(&message.contract).ok(),
            Self::Migrate(message) => from_bech32(&message.contract).ok(),
            Self::UpdateAdmin(message) => from_bech32(&message.contract).ok(),
            Self::ClearAdmin(message) => from_bech32(&message.contract).ok(),
            Self::Send(_) | Self::MultiSend(_) | Self::StoreCode(_) => None,
            Self::Instantiate(_) | Self::SealedInstantiate(_) => None,
            Self::GrantAllowance(_) | Self::RevokeAllowance(_) | Self::Stake(_) => None,
            Self::Gov(_) | Self::Trust(_) => None,
            Self::Authz(message) => message.inner().iter().find_map(Self::contract),
        }
    }

    /// Whether a contract would run, which [`simulation`](crate::wire::Query::Simulate) refuses (M-07).
    pub fn runs_contract(&self) -> bool {
        if let Self::Authz(message) = self {
            return message.inner().iter().any(Self::runs_contract);
        }
        !matches!(
            self,
            Self::Send(_)
                | Self::MultiSend(_)
                | Self::StoreCode(_)
                | Self::UpdateAdmin(_)
                | Self::ClearAdmin(_)
                | Self::GrantAllowance(_)
                | Self::RevokeAllowance(_)
                | Self::Stake(_)
                | Self::Gov(_)
                | Self::Trust(_)
        )
    }

    /// Whether it is in our own form, sealed with AES-256-GCM.
    pub const fn is_sealed(&self) -> bool {
        matches!(self, Self::SealedInstantiate(_) | Self::SealedExecute(_) | Self::SealedMigrate(_))
    }

    /// True if this chain has messages of the kind that `url` names.
    pub fn exists(url: &str) -> bool {
        let any = Any { type_url: url.into(), value: Vec::new() };
        !matches!(Self::decode(&any), Err(CosmosError::Unknown(_)))
    }
}

/// The sum of `coins`: none, or one entry of [`DENOM`].
pub fn coins(coins: &[Coin]) -> Result<u128, CosmosError> {
    match coins {
        [] => Ok(0),
        [coin] if coin.denom == DENOM => {
            let digits = !coin.amount.is_empty() && coin.amount.bytes().all(|byte| byte.is_ascii_digit());
            let amount = digits.then(|| coin.amount.parse().ok()).flatten();
            amount.ok_or_else(|| CosmosError::Coins(format!("{}{}", coin.amount, coin.denom)))
        }
        [coin, ..] => Err(CosmosError::Coins(format!("this chain has {DENOM} only, got {}", coin.denom))),
    }
}

/// Gas limit, fee, and the account that grants it.
pub(super) fn fee(fee: Option<&Fee>, signers: &[Address]) -> Result<(u64, u128, Option<Address>), CosmosError> {
    let fee = fee.ok_or_else(|| CosmosError::Invalid("fee is missing".into()))?;
    let granter = (!fee.granter.is_empty()).then(|| from_bech32(&fee.granter)).transpose()?;
    if !fee.payer.is_empty() && Some(&from_bech32(&fee.payer)?) != signers.first() {
        return Err(CosmosError::Invalid("the first signer pays the fee".into()));
    }
    Ok((fee.gas_limit, coins(&fee.amount)?, granter))
}

/// A granter and a grantee: two addresses.
fn two(granter: &str, grantee: &str) -> Result<(), CosmosError> {
    if from_bech32(granter)? == from_bech32(grantee)? {
        return Err(CosmosError::Address("cannot self-grant fee authorization".into()));
    }
    Ok(())
}

fn code_hash(bytes: &[u8]) -> Result<(), CosmosError> {
    (bytes.len() == 32).then_some(()).ok_or_else(|| CosmosError::Invalid("a code hash has 32 bytes".into()))
}

fn positive(amount: u128) -> Result<(), CosmosError> {
    (amount > 0).then_some(()).ok_or_else(|| CosmosError::Coins(String::new()))
}

pub(super) const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";
const MULTI_SEND: &str = "/cosmos.bank.v1beta1.MsgMultiSend";
const STORE_CODE: &str = "/secret.compute.v1beta1.MsgStoreCode";
const INSTANTIATE: &str = "/secret.compute.v1beta1.MsgInstantiateContract";
const EXECUTE: &str = "/secret.compute.v1beta1.MsgExecuteContract";
const MIGRATE: &str = "/secret.compute.v1beta1.MsgMigrateContract";
const UPDATE_ADMIN: &str = "/secret.compute.v1beta1.MsgUpdateAdmin";
const CLEAR_ADMIN: &str = "/secret.compute.v1beta1.MsgClearAdmin";
const GRANT_ALLOWANCE: &str = "/cosmos.feegrant.v1beta1.MsgGrantAllowance";
const REVOKE_ALLOWANCE: &str = "/cosmos.feegrant.v1beta1.MsgRevokeAllowance";
const SEALED_INSTANTIATE: &str = "/cloister.compute.v1.MsgInstantiate";
const SEALED_EXECUTE: &str = "/cloister.compute.v1.MsgExecute";
const SEALED_MIGRATE: &str = "/cloister.compute.v1.MsgMigrate";
