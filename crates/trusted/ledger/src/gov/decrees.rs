//! What only a proposal may do: the module's account sends these messages, and nobody else has it.

use cloister_chain::cosmos::{Content, CosmosError, DENOM, Decree, bech32, coins, from_bech32};
use cloister_chain::gov::{Params, account};
use cloister_chain::staking::{self, Decimal, FeePool, pool};
use cloister_chain::{Address, Leaf};
use cloister_state::Supply;
use cloister_teeth::{Mechanism, holds};
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::{distribution, gov, slashing};
use secret_sdk_proto::tendermint::google::protobuf::Duration;

use super::{Gov, refused};
use crate::cosmos::{Fail, bank};

/// Refuses a message that only a proposal may send, from anybody but the module's account.
pub(crate) fn only_by_proposal(signer: Address) -> Result<(), Fail> {
    if signer == account() || !holds(Mechanism::OnlyByProposal) {
        return Ok(());
    }
    let log = format!("invalid authority; expected {}, got {}", bech32(&account()), bech32(&signer));
    Err(refused(13, format!("{log}: expected gov account as only signer for proposal message")))
}

impl<S: Supply> Gov<'_, '_, S> {
    pub(super) fn decree(&mut self, decree: &Decree) -> Result<(), Fail> {
        only_by_proposal(from_bech32(decree.authority())?)?;
        match decree {
            Decree::Content(_, Content::Text(_)) => Ok(()),
            Decree::Content(_, Content::CommunityPoolSpend(spend)) => self.spend(&spend.recipient, &spend.amount),
            Decree::CommunityPoolSpend(spend) => self.spend(&spend.recipient, &spend.amount),
            Decree::GovParams(message) => self.set_own(message.params.as_ref().ok_or_else(missing)?),
            Decree::StakingParams(message) => {
                let new = message.params.as_ref().ok_or_else(missing)?;
                if new.bond_denom != DENOM {
                    return Err(invalid("bond_denom"));
                }
                let least = if new.min_commission_rate.is_empty() {
                    Decimal::ZERO
                } else {
                    atto(new.min_commission_rate.as_bytes(), "min_commission_rate")?
                };
                let unbonding_time = length(new.unbonding_time.as_ref(), "unbonding_time")?;
                self.set(|params| staking::Params {
                    unbonding_time,
                    max_validators: new.max_validators,
                    max_entries: new.max_entries,
                    min_commission_rate: least,
                    ..params
                })
            }
            Decree::SlashingParams(message) => self.set_slashing(message.params.as_ref().ok_or_else(missing)?),
            Decree::DistributionParams(message) => self.set_tax(message.params.as_ref().ok_or_else(missing)?),
        }
    }

    /// Gives away coins of the community's.
    fn spend(&mut self, recipient: &str, amount: &[Coin]) -> Result<(), Fail> {
        let (to, amount) = (from_bech32(recipient)?, coins(amount)?);
        bank::open_to_all(&to)?;
        let mut fees: FeePool = self.meter.read(Leaf::FeePool)?.unwrap_or_default();
        if fees.community < Decimal::whole(amount) {
            let log = "community pool does not have sufficient coins to distribute";
            return Err(Fail::of("distribution", 8, log));
        }
        fees.community = fees.community.less(Decimal::whole(amount));
        self.meter.write(Leaf::FeePool, Some(&fees))?;
        bank::send(self.meter, pool::distribution(), to, amount, &mut self.events)
    }

    fn set_own(&mut self, new: &gov::v1::Params) -> Result<(), Fail> {
        let part = |text: &str, name| text.parse::<Decimal>().map_err(|_| invalid(name));
        let to = &new.proposal_cancel_dest;
        let params = Params {
            min_deposit: coins(&new.min_deposit)?,
            max_deposit_period: length(new.max_deposit_period.as_ref(), "max_deposit_period")?,
            voting_period: length(new.voting_period.as_ref(), "voting_period")?,
            quorum: part(&new.quorum, "quorum")?,
            threshold: part(&new.threshold, "threshold")?,
            veto_threshold: part(&new.veto_threshold, "veto_threshold")?,
            min_initial_deposit_ratio: part(&new.min_initial_deposit_ratio, "min_initial_deposit_ratio")?,
            proposal_cancel_ratio: part(&new.proposal_cancel_ratio, "proposal_cancel_ratio")?,
            proposal_cancel_dest: (!to.is_empty()).then(|| from_bech32(to)).transpose()?,
            expedited_voting_period: length(new.expedited_voting_period.as_ref(), "expedited_voting_period")?,
            expedited_threshold: part(&new.expedited_threshold, "expedited_threshold")?,
            expedited_min_deposit: coins(&new.expedited_min_deposit)?,
            burn_vote_quorum: new.burn_vote_quorum,
            burn_proposal_deposit_prevote: new.burn_proposal_deposit_prevote,
            burn_vote_veto: new.burn_vote_veto,
            min_deposit_ratio: part(&new.min_deposit_ratio, "min_deposit_ratio")?,
        };
        if !params.are_sound() {
            return Err(invalid("params"));
        }
        self.meter.write(Leaf::GovParams, Some(&params))
    }

    fn set_slashing(&mut self, new: &slashing::v1beta1::Params) -> Result<(), Fail> {
        let window = u64::try_from(new.signed_blocks_window).map_err(|_| invalid("signed_blocks_window"))?;
        let signed = atto(&new.min_signed_per_window, "min_signed_per_window")?;
        let jail = length(new.downtime_jail_duration.as_ref(), "downtime_jail_duration")?;
        let double = atto(&new.slash_fraction_double_sign, "slash_fraction_double_sign")?;
        let absent = atto(&new.slash_fraction_downtime, "slash_fraction_downtime")?;
        self.set(|params| staking::Params {
            signed_blocks_window: window,
            min_signed_per_window: signed,
            downtime_jail_duration: jail,
            slash_fraction_double_sign: double,
            slash_fraction_downtime: absent,
            ..params
        })
    }

    fn set_tax(&mut self, new: &distribution::v1beta1::Params) -> Result<(), Fail> {
        let tax = atto(new.community_tax.as_bytes(), "community_tax")?;
        if !new.withdraw_addr_enabled {
            return Err(invalid("withdraw_addr_enabled"));
        }
        self.set(|params| staking::Params { community_tax: tax, ..params })
    }

    fn set(&mut self, change: impl FnOnce(staking::Params) -> staking::Params) -> Result<(), Fail> {
        let params: Option<staking::Params> = self.meter.read(Leaf::StakingParams)?;
        let params = change(params.ok_or_else(|| Fail::sdk(18, "this chain has no staking: invalid request"))?);
        if !params.are_sound() {
            return Err(invalid("params"));
        }
        self.meter.write(Leaf::StakingParams, Some(&params))
    }
}

/// A fraction in its protobuf form: digits of it times 10^18.
fn atto(bytes: &[u8], name: &str) -> Result<Decimal, Fail> {
    let text = std::str::from_utf8(bytes).map_err(|_| invalid(name))?;
    Decimal::from_atto(text).map_err(|_| invalid(name))
}

/// Nanoseconds.
fn length(duration: Option<&Duration>, name: &str) -> Result<u64, Fail> {
    let Some(Duration { seconds, nanos }) = duration else { return Err(invalid(name)) };
    let (seconds, nanos) = (u64::try_from(*seconds).ok(), u64::try_from(*nanos).ok());
    let whole = seconds.and_then(|seconds| seconds.checked_mul(1_000_000_000));
    whole.zip(nanos).and_then(|(whole, nanos)| whole.checked_add(nanos)).ok_or_else(|| invalid(name))
}

fn missing() -> Fail {
    invalid("params")
}

fn invalid(name: &str) -> Fail {
    CosmosError::Invalid(format!("{name} is missing or out of range")).into()
}
