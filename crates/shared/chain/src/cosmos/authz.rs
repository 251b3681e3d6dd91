//! Authorizations: one account lets another one act for it (Cosmos SDK 0.50, `x/authz`).

use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use prost::{Message as _, Name as _};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::authz::v1beta1::{GenericAuthorization, MsgExec, MsgGrant, MsgRevoke};
use secret_sdk_proto::cosmos::bank::v1beta1::SendAuthorization;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::staking::v1beta1::stake_authorization::Policy;
use secret_sdk_proto::cosmos::staking::v1beta1::{AuthorizationType, StakeAuthorization};
use thiserror::Error;

use super::{CosmosError, Message, StakeMessage, bech32, coins, feegrant, from_bech32};
use crate::hash::tagged;
use crate::staking::{from_valoper, valoper};
use crate::{Leaf, limits};

/// A message of the module, its addresses checked.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // Each variant is the protobuf type of its name.
pub enum AuthzMessage {
    Grant(MsgGrant),
    Revoke(MsgRevoke),
    Exec(Exec),
}

/// Messages that an account sends for others: `MsgExec`, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Exec {
    /// Who sends them.
    pub grantee: String,
    /// What is sent; who would have had to sign has granted it.
    pub messages: Vec<Message>,
}

/// What a granter lets a grantee do.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Grant {
    /// What.
    pub authorization: Authorization,
    /// From when on no longer, in nanoseconds since 1970; `None` for no end.
    pub expiration: Option<u128>,
}

/// What may be done.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Authorization {
    /// Any message of this type.
    Generic(String),
    /// Sending coins.
    Send {
        /// How many, in the micro-denomination.
        limit: u128,
        /// To whom; to anybody if empty.
        to: Vec<Address>,
    },
    /// Moving stake.
    Stake {
        /// How.
        kind: StakeKind,
        /// How many coins, in the micro-denomination; `None` for any number.
        limit: Option<u128>,
        /// At which validators.
        validators: Validators,
    },
}

/// How stake is moved. The numbers are those of the SDK's `AuthorizationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum StakeKind {
    Delegate = 1,
    Undelegate = 2,
    Redelegate = 3,
    CancelUnbonding = 4,
}

/// At which validators stake may be moved; named by their operators.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Validators {
    /// At all.
    Any,
    /// At these.
    Only(Vec<Address>),
    /// At all but these.
    Never(Vec<Address>),
}

/// Why somebody may not act for another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthorizationError {
    /// There is no grant, or no longer: granter, grantee and the kind of message.
    #[error(
        "failed to get grant with given granter: {granter}, grantee: {grantee} & msgType: {kind} : authorization not found",
        granter = bech32(.0), grantee = bech32(.1), kind = .2
    )]
    Unknown(Address, Address, String),
    /// A grant that would end before it began.
    #[error(
        "expiration must be after the current block time: expiration time of authorization should be more than current time"
    )]
    Expired,
    /// A grant to oneself.
    #[error("grantee and granter should be different")]
    Oneself,
    /// A message that several accounts, or none, have to sign.
    #[error("authorization can be given to msg with only one signer")]
    Signers,
    /// More coins than the grant is for.
    #[error("requested amount is more than spend limit: insufficient funds")]
    Spend,
    /// Coins for an account that the grant does not name.
    #[error("cannot send to {} address: unauthorized", bech32(.0))]
    Recipient(Address),
    /// More stake than the grant is for.
    #[error("negative coin amount: invalid coins")]
    Stake,
    /// A validator that the grant is not for.
    #[error("cannot delegate/undelegate to {} validator: unauthorized", valoper(.0))]
    Validator(Address),
    /// Another message than the grant is for.
    #[error("type mismatch: invalid type")]
    Type,
    /// A message that this chain does not have.
    #[error("{0} doesn't exist.: invalid type")]
    Nothing(String),
}

impl AuthorizationError {
    /// Codespace and number.
    pub const fn code(&self) -> (&'static str, u32) {
        match self {
            Self::Unknown(..) => ("authz", 2),
            Self::Expired => ("authz", 3),
            Self::Oneself => ("authz", 7),
            Self::Signers => ("authz", 9),
            Self::Spend => ("sdk", 5),
            Self::Recipient(_) | Self::Validator(_) => ("sdk", 4),
            Self::Stake => ("sdk", 10),
            Self::Type | Self::Nothing(_) => ("sdk", 29),
        }
    }
}

impl AuthzMessage {
    /// Reads a message that may hold others, `depth` deep; `None` if it is of another kind.
    pub(super) fn decode(any: &Any, depth: usize) -> Result<Option<Self>, CosmosError> {
        let value = any.value.as_slice();
        let parse = |error: prost::DecodeError| CosmosError::Parse(error.to_string());
        let message = match any.type_url.as_str() {
            GRANT => Self::Grant(MsgGrant::decode(value).map_err(parse)?),
            REVOKE => Self::Revoke(MsgRevoke::decode(value).map_err(parse)?),
            EXEC => {
                let MsgExec { grantee, msgs } = MsgExec::decode(value).map_err(parse)?;
                Self::Exec(Exec::decode(grantee, &msgs, depth)?)
            }
            _ => return Ok(None),
        };
        message.check()?;
        Ok(Some(message))
    }

    /// Name of the kind.
    pub const fn type_url(&self) -> &'static str {
        match self {
            Self::Grant(_) => GRANT,
            Self::Revoke(_) => REVOKE,
            Self::Exec(_) => EXEC,
        }
    }

    /// The account that has to sign it.
    pub fn signer(&self) -> Result<Address, CosmosError> {
        match self {
            Self::Grant(message) => from_bech32(&message.granter),
            Self::Revoke(message) => from_bech32(&message.granter),
            Self::Exec(exec) => from_bech32(&exec.grantee),
        }
    }

    /// Messages that it holds.
    pub fn inner(&self) -> &[Message] {
        match self {
            Self::Exec(exec) => &exec.messages,
            Self::Grant(_) | Self::Revoke(_) => &[],
        }
    }

    fn check(&self) -> Result<(), CosmosError> {
        self.signer()?;
        match self {
            Self::Grant(message) => {
                from_bech32(&message.grantee)?;
                Grant::decode(message).map(drop)
            }
            Self::Revoke(message) => {
                from_bech32(&message.grantee)?;
                if message.msg_type_url.is_empty() || message.msg_type_url.len() > limits::TYPE_URL_BYTES {
                    return Err(CosmosError::Invalid("missing msg type url".into()));
                }
                Ok(())
            }
            Self::Exec(_) => Ok(()),
        }
    }
}

impl Exec {
    fn decode(grantee: String, messages: &[Any], depth: usize) -> Result<Self, CosmosError> {
        let invalid = |log: &str| CosmosError::Invalid(log.into());
        if messages.is_empty() || messages.len() > limits::COSMOS_MESSAGES {
            return Err(invalid("messages cannot be empty, nor very many"));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| invalid("too many messages within messages"))?;
        let messages = messages.iter().map(|any| Message::within(any, depth)).collect::<Result<Vec<_>, _>>()?;
        // Their outputs are sealed for a message of the transaction, and one of those may hold many.
        if messages.iter().any(Message::is_sealed) {
            return Err(invalid("a message sealed with AES-256-GCM cannot be within another one, send it by itself"));
        }
        Ok(Self { grantee, messages })
    }
}

impl Grant {
    /// Reads what a message grants.
    pub fn decode(message: &MsgGrant) -> Result<Self, CosmosError> {
        let missing = || CosmosError::Invalid("authorization is nil".into());
        let grant = message.grant.as_ref().ok_or_else(missing)?;
        let expiration = grant.expiration.as_ref().map(feegrant::moment).transpose()?;
        Ok(Self {
            authorization: Authorization::decode(grant.authorization.as_ref().ok_or_else(missing)?)?,
            expiration,
        })
    }

    /// Whether it has ended at `now`, the time of a block.
    pub fn expired(&self, now: u64) -> bool {
        self.expiration.is_some_and(|end| end <= u128::from(now))
    }
}

impl Leaf {
    /// The leaf of what a granter lets a grantee do with messages of type `url`.
    pub fn grant(grantee: Address, granter: Address, url: &str) -> Self {
        let kind: B256 = tagged("cloister/grant", &[url.as_bytes()]);
        Self::Grant(grantee, granter, kind)
    }
}

impl Authorization {
    fn decode(any: &Any) -> Result<Self, CosmosError> {
        let value = any.value.as_slice();
        let parse = |error: prost::DecodeError| CosmosError::Parse(error.to_string());
        let name = any.type_url.strip_prefix('/').unwrap_or_default();
        if name == GenericAuthorization::full_name() {
            let GenericAuthorization { msg } = GenericAuthorization::decode(value).map_err(parse)?;
            if msg.len() > limits::TYPE_URL_BYTES {
                return Err(CosmosError::Invalid("the name of a message is too long".into()));
            }
            return Ok(Self::Generic(msg));
        }
        if name == SendAuthorization::full_name() {
            let send = SendAuthorization::decode(value).map_err(parse)?;
            return Ok(Self::Send { limit: positive(&send.spend_limit)?, to: list(&send.allow_list, from_bech32)? });
        }
        if name != StakeAuthorization::full_name() {
            return Err(CosmosError::Invalid(format!("unknown authorization {}", any.type_url)));
        }
        let stake = StakeAuthorization::decode(value).map_err(parse)?;
        let kind = StakeKind::of(stake.authorization_type())
            .ok_or_else(|| CosmosError::Invalid("unknown authorization type".into()))?;
        let limit = stake.max_tokens.as_ref().map(|coin| positive(std::slice::from_ref(coin))).transpose()?;
        let validators = match &stake.validators {
            Some(Policy::AllowList(these)) if !these.address.is_empty() => {
                Validators::Only(list(&these.address, from_valoper)?)
            }
            Some(Policy::DenyList(these)) if !these.address.is_empty() => {
                Validators::Never(list(&these.address, from_valoper)?)
            }
            _ => Validators::Any,
        };
        Ok(Self::Stake { kind, limit, validators })
    }

    /// Name of the kind of messages that it is for.
    pub fn type_url(&self) -> &str {
        match self {
            Self::Generic(url) => url,
            Self::Send { .. } => super::message::SEND,
            Self::Stake { kind, .. } => kind.type_url(),
        }
    }

    /// What is left of it after it was used for `message`; `None` if nothing is.
    pub fn spend(mut self, message: &Message) -> Result<Option<Self>, AuthorizationError> {
        match (&mut self, message) {
            (Self::Generic(url), message) if url == message.type_url() => Ok(Some(self)),
            (Self::Send { limit, to }, Message::Send(send)) => {
                let amount = coins(&send.amount).map_err(|_| AuthorizationError::Spend)?;
                let left = limit.checked_sub(amount).ok_or(AuthorizationError::Spend)?;
                let recipient = from_bech32(&send.to_address).map_err(|_| AuthorizationError::Type)?;
                if !to.is_empty() && !to.contains(&recipient) {
                    return Err(AuthorizationError::Recipient(recipient));
                }
                *limit = left;
                Ok((left > 0).then_some(self))
            }
            (Self::Stake { kind, limit, validators }, Message::Stake(message)) => {
                let (of, amount, operator) = moved(message).ok_or(AuthorizationError::Type)?;
                if of != *kind {
                    return Err(AuthorizationError::Type);
                }
                if !validators.allow(&operator) {
                    return Err(AuthorizationError::Validator(operator));
                }
                let Some(limit) = limit else { return Ok(Some(self)) };
                let amount = amount.ok_or(AuthorizationError::Stake)?;
                *limit = limit.checked_sub(amount).ok_or(AuthorizationError::Stake)?;
                Ok((*limit > 0).then_some(self))
            }
            _ => Err(AuthorizationError::Type),
        }
    }
}

impl StakeKind {
    const fn of(number: AuthorizationType) -> Option<Self> {
        Some(match number {
            AuthorizationType::Unspecified => return None,
            AuthorizationType::Delegate => Self::Delegate,
            AuthorizationType::Undelegate => Self::Undelegate,
            AuthorizationType::Redelegate => Self::Redelegate,
            AuthorizationType::CancelUnbondingDelegation => Self::CancelUnbonding,
        })
    }

    const fn type_url(self) -> &'static str {
        match self {
            Self::Delegate => "/cosmos.staking.v1beta1.MsgDelegate",
            Self::Undelegate => "/cosmos.staking.v1beta1.MsgUndelegate",
            Self::Redelegate => "/cosmos.staking.v1beta1.MsgBeginRedelegate",
            Self::CancelUnbonding => "/cosmos.staking.v1beta1.MsgCancelUnbondingDelegation",
        }
    }
}

impl Validators {
    fn allow(&self, operator: &Address) -> bool {
        match self {
            Self::Any => true,
            Self::Only(these) => these.contains(operator),
            Self::Never(these) => !these.contains(operator),
        }
    }
}

/// How a message moves how much stake, and at which validator; a redelegation is its new validator's matter.
fn moved(message: &StakeMessage) -> Option<(StakeKind, Option<u128>, Address)> {
    let (kind, amount, validator) = match message {
        StakeMessage::Delegate(m) => (StakeKind::Delegate, &m.amount, &m.validator_address),
        StakeMessage::Undelegate(m) => (StakeKind::Undelegate, &m.amount, &m.validator_address),
        StakeMessage::BeginRedelegate(m) => (StakeKind::Redelegate, &m.amount, &m.validator_dst_address),
        StakeMessage::CancelUnbonding(m) => (StakeKind::CancelUnbonding, &m.amount, &m.validator_address),
        _ => return None,
    };
    let amount = amount.as_ref().and_then(|coin| coins(std::slice::from_ref(coin)).ok());
    Some((kind, amount, from_valoper(validator).ok()?))
}

fn positive(list: &[Coin]) -> Result<u128, CosmosError> {
    let amount = coins(list)?;
    (amount > 0).then_some(amount).ok_or_else(|| CosmosError::Coins("spend limit must be positive".into()))
}

fn list(names: &[String], read: impl Fn(&str) -> Result<Address, CosmosError>) -> Result<Vec<Address>, CosmosError> {
    if names.len() > limits::COSMOS_MESSAGES {
        return Err(CosmosError::Invalid("a list of addresses is too long".into()));
    }
    let addresses = names.iter().map(|name| read(name)).collect::<Result<Vec<_>, _>>()?;
    if addresses.iter().collect::<std::collections::BTreeSet<_>>().len() < addresses.len() {
        return Err(CosmosError::Invalid("duplicate entry".into()));
    }
    Ok(addresses)
}

const GRANT: &str = "/cosmos.authz.v1beta1.MsgGrant";
const REVOKE: &str = "/cosmos.authz.v1beta1.MsgRevoke";
const EXEC: &str = "/cosmos.authz.v1beta1.MsgExec";

#[cfg(test)]
mod tests;
