//! Fee grants: one account pays the fees of another, within limits (Cosmos SDK 0.50, `x/feegrant`).

use alloy_primitives::Address;
use borsh::{BorshDeserialize, BorshSerialize};
use prost::{Message as _, Name as _};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::feegrant::v1beta1::{AllowedMsgAllowance, BasicAllowance, PeriodicAllowance};
use secret_sdk_proto::tendermint::google::protobuf::{Duration, Timestamp};
use thiserror::Error;

use super::{CosmosError, Message, bech32, coins};
use crate::limits;

/// What an account may spend on fees of another's. Amounts are in the micro-denomination; times are nanoseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Allowance {
    /// What is left of it; `None` for no limit.
    pub limit: Option<u128>,
    /// Last moment at which it may be used; `None` for no end.
    pub expiration: Option<u128>,
    /// The limit within a period, if there is one.
    pub period: Option<Period>,
    /// Type URLs of the messages whose fees it pays; `None` for all.
    pub messages: Option<Vec<String>>,
}

/// A limit that is renewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Period {
    /// How long a period is.
    pub length: u128,
    /// What each period allows.
    pub limit: u128,
    /// What is left in this one.
    pub left: u128,
    /// When the next one begins.
    pub reset: u128,
}

/// Why a granter does not pay.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AllowanceError {
    /// There is no allowance.
    #[error("fee-grant not found: not found")]
    Unknown,
    /// The fee is above this limit.
    #[error("{0}: fee limit exceeded")]
    Exceeded(&'static str),
    /// It was to be used earlier.
    #[error("{0}: fee allowance expired")]
    Expired(&'static str),
    /// It pays for other messages only.
    #[error("message does not exist in allowed messages: message not allowed")]
    Message,
}

impl AllowanceError {
    /// Codespace and number.
    pub const fn code(&self) -> (&'static str, u32) {
        match self {
            Self::Unknown => ("sdk", 38),
            Self::Exceeded(_) => ("feegrant", 2),
            Self::Expired(_) => ("feegrant", 3),
            Self::Message => ("feegrant", 7),
        }
    }

    /// The text of a transaction that fails because of it.
    pub fn text(&self, granter: &Address, grantee: &Address) -> String {
        format!("{} does not allow to pay fees for {}: {self}", bech32(granter), bech32(grantee))
    }
}

impl Allowance {
    /// Reads the `Any` of a grant.
    pub fn decode(any: &Any) -> Result<Self, CosmosError> {
        let value = any.value.as_slice();
        let parse = |error: prost::DecodeError| CosmosError::Parse(error.to_string());
        let name = any.type_url.strip_prefix('/').unwrap_or_default();
        if name != AllowedMsgAllowance::full_name() {
            return Self::decode_plain(any);
        }
        let AllowedMsgAllowance { allowance, allowed_messages } = AllowedMsgAllowance::decode(value).map_err(parse)?;
        let long = allowed_messages.iter().any(|url| url.len() > limits::TYPE_URL_BYTES);
        if allowed_messages.is_empty() || allowed_messages.len() > limits::COSMOS_MESSAGES || long {
            return Err(CosmosError::Invalid("allowed messages shouldn't be empty, nor very many or long".into()));
        }
        let inner = allowance.ok_or_else(|| CosmosError::Invalid("allowance should not be empty".into()))?;
        // One level: what is allowed twice would be what both allow.
        Ok(Self { messages: Some(allowed_messages), ..Self::decode_plain(&inner)? })
    }

    fn decode_plain(any: &Any) -> Result<Self, CosmosError> {
        let value = any.value.as_slice();
        let parse = |error: prost::DecodeError| CosmosError::Parse(error.to_string());
        let name = any.type_url.strip_prefix('/').unwrap_or_default();
        if name == BasicAllowance::full_name() {
            return Self::basic(&BasicAllowance::decode(value).map_err(parse)?);
        }
        if name != PeriodicAllowance::full_name() {
            return Err(CosmosError::Invalid(format!("unknown allowance {}", any.type_url)));
        }
        let periodic = PeriodicAllowance::decode(value).map_err(parse)?;
        let limit = coins(&periodic.period_spend_limit)?;
        if limit == 0 {
            return Err(CosmosError::Coins("spend limit must be positive".into()));
        }
        let period = Period {
            length: length(periodic.period.as_ref())?,
            limit,
            left: coins(&periodic.period_can_spend)?,
            reset: periodic.period_reset.as_ref().map_or(Ok(0), moment)?,
        };
        Ok(Self { period: Some(period), ..Self::basic(&periodic.basic.unwrap_or_default())? })
    }

    fn basic(basic: &BasicAllowance) -> Result<Self, CosmosError> {
        let limit = (!basic.spend_limit.is_empty()).then(|| coins(&basic.spend_limit)).transpose()?;
        if limit == Some(0) {
            return Err(CosmosError::Coins("spend limit must be positive".into()));
        }
        let expiration = basic.expiration.as_ref().map(moment).transpose()?;
        Ok(Self { limit, expiration, ..Self::default() })
    }

    /// Whether it can no longer be used at `now`, the time of a block.
    pub fn expired(&self, now: u64) -> bool {
        self.expiration.is_some_and(|last| last < u128::from(now))
    }

    /// What is left of it after it paid `fee` for `messages` at `now`, the time of a block; `None` if nothing is.
    pub fn pay(mut self, now: u64, fee: u128, messages: &[Message]) -> Result<Option<Self>, AllowanceError> {
        let named = |message: &Message, all: &[String]| all.iter().any(|url| url == message.type_url());
        if self.messages.as_ref().is_some_and(|all| !messages.iter().all(|message| named(message, all))) {
            return Err(AllowanceError::Message);
        }
        let whole = if self.period.is_some() { "absolute limit" } else { "basic allowance" };
        if self.expired(now) {
            return Err(AllowanceError::Expired(whole));
        }
        let limit = self.limit;
        if let Some(period) = &mut self.period {
            period.renew(now.into(), limit);
            period.left = period.left.checked_sub(fee).ok_or(AllowanceError::Exceeded("period limit"))?;
        }
        if let Some(limit) = self.limit {
            let left = limit.checked_sub(fee).ok_or(AllowanceError::Exceeded(whole))?;
            self.limit = Some(left);
            return Ok((left > 0).then_some(self));
        }
        Ok(Some(self))
    }
}

impl Period {
    /// Begins the next period if it is time. A granter's coins that are used often are there again at the same moment of
    /// each period; after a pause, periods count from now.
    fn renew(&mut self, now: u128, limit: Option<u128>) {
        if now < self.reset {
            return;
        }
        self.left = limit.map_or(self.limit, |limit| limit.min(self.limit));
        self.reset = self.reset.saturating_add(self.length);
        if now > self.reset {
            self.reset = now.saturating_add(self.length);
        }
    }
}

/// Nanoseconds since 1970; what is before counts as then.
pub(super) fn moment(time: &Timestamp) -> Result<u128, CosmosError> {
    if time.seconds > LAST_SECOND || !(0..1_000_000_000).contains(&time.nanos) {
        return Err(CosmosError::Invalid("a timestamp is out of range".into()));
    }
    Ok(nanoseconds(time.seconds, time.nanos).unwrap_or(0))
}

fn length(duration: Option<&Duration>) -> Result<u128, CosmosError> {
    let Some(Duration { seconds, nanos }) = duration else { return Ok(0) };
    let nanoseconds = nanoseconds(*seconds, *nanos).filter(|_| *seconds <= LAST_SECOND && *nanos < 1_000_000_000);
    nanoseconds.ok_or_else(|| CosmosError::Invalid("negative clock step".into()))
}

fn nanoseconds(seconds: i64, nanos: i32) -> Option<u128> {
    let (seconds, nanos) = (u128::try_from(seconds).ok()?, u128::try_from(nanos).ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// End of the year 9999, where protobuf's timestamps end.
const LAST_SECOND: i64 = 253_402_300_799;

#[cfg(test)]
mod tests;
