//! Making and describing validators.

use cloister_chain::cosmos::CosmosError;
use cloister_chain::staking::{
    Commission, Decimal, Description, Rewards, Status, VALIDATORS, Validator, from_valoper, key_address,
};
use cloister_chain::{B256, Leaf};
use cloister_state::Supply;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::crypto::ed25519;
use secret_sdk_proto::cosmos::staking::v1beta1::{
    CommissionRates, Description as ProtoDescription, MsgCreateValidator, MsgCreateValidatorResponse, MsgEditValidator,
    MsgEditValidatorResponse,
};

use super::delegations::Source;
use super::{SECOND, Stake, amount, refused, shown};
use crate::cosmos::{Fail, answer, events};

impl<S: Supply> Stake<'_, '_, S> {
    pub(super) fn create_validator(&mut self, message: &MsgCreateValidator) -> Result<Any, Fail> {
        let operator = from_valoper(&message.validator_address)?;
        let any = message.pubkey.as_ref().ok_or_else(|| refused(39, "empty validator public key"))?;
        let value = amount(message.value.as_ref(), "delegation amount")?;
        let description = description(message.description.as_ref())?;
        let commission = self.commission(message.commission.as_ref())?;
        let min_self_delegation = least(&message.min_self_delegation)?
            .filter(|least| *least > 0)
            .ok_or_else(|| invalid("minimum self delegation must be a positive integer"))?;
        if value < min_self_delegation {
            return Err(refused(16, BELOW_MINIMUM));
        }
        let floor = self.params.min_commission_rate;
        if commission.rate < floor {
            let log = format!("cannot set validator commission to less than minimum rate of {floor}");
            return Err(refused(40, format!("{log}: commission cannot be less than min rate")));
        }
        if self.find(operator)?.is_some() {
            let log = "validator already exist for this operator address; must use new validator operator address";
            return Err(refused(4, log));
        }
        let key = key(any)?;
        // Who signed twice and was buried since does not come back under the same key.
        let owner = key_address(&key);
        if self.operator(owner)?.is_some() || self.signing(owner)?.is_some_and(|signing| signing.tombstoned) {
            return Err(refused(5, "validator already exist for this pubkey; must use new validator pubkey"));
        }
        let mut validator = Validator {
            key,
            status: Status::Unbonded,
            jailed: false,
            tokens: 0,
            shares: Decimal::ZERO,
            description,
            commission,
            min_self_delegation,
            unbonding_height: 0,
            unbonding_time: 0,
            delegators: 0,
            unbonders: 0,
            redelegators: 0,
        };
        self.meter.write(Leaf::Consensus(owner), Some(&operator))?;
        self.meter.write(Leaf::Rewards(operator), Some(&Rewards::default()))?;
        self.delegate(operator, operator, &mut validator, value, Source::Account)?;
        self.put(operator, &validator)?;
        if !self.candidates()?.iter().any(|candidate| candidate.operator == operator) {
            return Err(invalid(&format!("{VALIDATORS} validators have more behind them")));
        }
        let attributes = [("validator", message.validator_address.clone()), ("amount", shown(value))];
        self.events.push(events::event("create_validator", attributes));
        Ok(answer("/cosmos.staking.v1beta1.MsgCreateValidatorResponse", &MsgCreateValidatorResponse {}))
    }

    pub(super) fn edit_validator(&mut self, message: &MsgEditValidator) -> Result<Any, Fail> {
        let operator = from_valoper(&message.validator_address)?;
        let edited = message.description.as_ref().filter(|edited| **edited != ProtoDescription::default());
        let edited = edited.ok_or_else(|| invalid("empty description"))?;
        let rate = (!message.commission_rate.is_empty()).then(|| fraction(&message.commission_rate)).transpose()?;
        if rate.is_some_and(|rate| rate > Decimal::ONE) {
            return Err(invalid("commission rate must be between 0 and 1 (inclusive)"));
        }
        let floor = self.params.min_commission_rate;
        if rate.is_some_and(|rate| rate < floor) {
            return Err(invalid(&format!("commission rate cannot be less than the min commission rate {floor}")));
        }
        let raised = least(&message.min_self_delegation)?;
        if raised == Some(0) {
            return Err(invalid("minimum self delegation must be a positive integer"));
        }
        let mut validator = self.validator(operator)?;
        validator.description = updated(&validator.description, edited)?;
        if let Some(rate) = rate {
            validator.commission.rate = self.new_rate(&validator.commission, rate)?;
            validator.commission.updated = self.header.time;
            // What came in so far is divided as it was promised.
            let old = self.validator(operator)?;
            self.settle(operator, &old)?;
        }
        if let Some(least) = raised {
            if least <= validator.min_self_delegation {
                return Err(refused(17, "minimum self delegation cannot be decrease"));
            }
            if least > validator.tokens {
                return Err(refused(16, BELOW_MINIMUM));
            }
            validator.min_self_delegation = least;
        }
        self.put(operator, &validator)?;
        let attributes = [
            ("commission_rate", text(&validator.commission)),
            ("min_self_delegation", validator.min_self_delegation.to_string()),
        ];
        self.events.push(events::event("edit_validator", attributes));
        Ok(answer("/cosmos.staking.v1beta1.MsgEditValidatorResponse", &MsgEditValidatorResponse {}))
    }

    /// The commission of a new validator.
    fn commission(&self, rates: Option<&CommissionRates>) -> Result<Commission, Fail> {
        let rates = rates.filter(|rates| **rates != CommissionRates::default());
        let rates = rates.ok_or_else(|| invalid("empty commission"))?;
        let (rate, max_rate) = (fraction(&rates.rate)?, fraction(&rates.max_rate)?);
        let max_change_rate = fraction(&rates.max_change_rate)?;
        if max_rate > Decimal::ONE {
            return Err(refused(10, "commission cannot be more than 100%"));
        }
        if rate > max_rate {
            return Err(refused(11, "commission cannot be more than the max rate"));
        }
        if max_change_rate > max_rate {
            return Err(refused(14, "commission change rate cannot be more than the max rate"));
        }
        Ok(Commission { rate, max_rate, max_change_rate, updated: self.header.time })
    }

    /// The rate that a validator may take from now on.
    fn new_rate(&self, old: &Commission, rate: Decimal) -> Result<Decimal, Fail> {
        if self.header.time.saturating_sub(old.updated) < DAY {
            return Err(refused(12, "commission cannot be changed more than once in 24h"));
        }
        if rate > old.max_rate {
            return Err(refused(11, "commission cannot be more than the max rate"));
        }
        if rate.less(old.rate).plus(old.rate.less(rate)) > old.max_change_rate {
            return Err(refused(15, "commission cannot be changed more than max change rate"));
        }
        Ok(rate)
    }
}

/// The key of a message. Whether anybody can sign with it shows later.
fn key(any: &Any) -> Result<B256, Fail> {
    if any.type_url != "/cosmos.crypto.ed25519.PubKey" {
        let log = format!("got: {}, expected: [ed25519]: validator pubkey type is not supported", any.type_url);
        return Err(refused(6, log));
    }
    let key = ed25519::PubKey::decode(any.value.as_slice()).map_err(|error| CosmosError::Parse(error.to_string()))?;
    B256::try_from(key.key.as_slice()).map_err(|_| CosmosError::PublicKey("an ed25519 key has 32 bytes".into()).into())
}

/// The description of a new validator.
fn description(description: Option<&ProtoDescription>) -> Result<Description, Fail> {
    let description = description.filter(|description| **description != ProtoDescription::default());
    let description = description.ok_or_else(|| invalid("empty description"))?;
    updated(&Description::default(), description)
}

/// A description, with what is not to be kept replaced.
fn updated(old: &Description, new: &ProtoDescription) -> Result<Description, Fail> {
    let part = |name: &str, old: &String, new: &String, most: usize| {
        let new = if new == KEEP { old } else { new };
        if new.len() > most {
            return Err(invalid(&format!("invalid {name} length; got: {}, max: {most}", new.len())));
        }
        Ok(new.clone())
    };
    Ok(Description {
        moniker: part("moniker", &old.moniker, &new.moniker, 70)?,
        identity: part("identity", &old.identity, &new.identity, 3_000)?,
        website: part("website", &old.website, &new.website, 140)?,
        security_contact: part("security contact", &old.security_contact, &new.security_contact, 140)?,
        details: part("details", &old.details, &new.details, 280)?,
    })
}

/// A fraction in its protobuf form.
fn fraction(text: &str) -> Result<Decimal, Fail> {
    if text.starts_with('-') {
        return Err(refused(9, "commission must be positive"));
    }
    Decimal::from_atto(text).map_err(|error| invalid(&error.to_string()))
}

/// A minimum in its protobuf form; `None` if it is left out.
fn least(text: &str) -> Result<Option<u128>, Fail> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.map(Some).ok_or_else(|| invalid("minimum self delegation must be a positive integer"))
}

/// A commission as Go prints the protobuf.
fn text(commission: &Commission) -> String {
    let Commission { rate, max_rate, max_change_rate, updated } = commission;
    let rates = format!(
        "rate:\"{}\" max_rate:\"{}\" max_change_rate:\"{}\" ",
        rate.to_atto(),
        max_rate.to_atto(),
        max_change_rate.to_atto()
    );
    let time = format!("seconds:{} nanos:{} ", updated / SECOND, updated % SECOND);
    format!("commission_rates:<{rates}> update_time:<{time}> ")
}

fn invalid(log: &str) -> Fail {
    Fail::sdk(18, format!("{log}: invalid request"))
}

/// What is to stay as it is (`DoNotModifyDesc`).
const KEEP: &str = "[do-not-modify]";
/// How often a commission may change.
const DAY: u64 = 24 * 3_600 * SECOND;
const BELOW_MINIMUM: &str = "validator's self delegation must be greater than their minimum self delegation";
