//! Messages of governance, and those that only governance may send (Cosmos SDK 0.50, `x/gov`).

use alloy_primitives::Address;
use prost::{DecodeError, Message as _, Name as _};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::distribution::v1beta1::{
    self as distribution, CommunityPoolSpendProposal, MsgCommunityPoolSpend,
};
use secret_sdk_proto::cosmos::gov::v1::{
    self as v1, MsgCancelProposal, MsgDeposit, MsgExecLegacyContent, MsgSubmitProposal, MsgVote, MsgVoteWeighted,
    WeightedVoteOption,
};
use secret_sdk_proto::cosmos::gov::v1beta1::{self as beta, TextProposal};
use secret_sdk_proto::cosmos::{slashing::v1beta1 as slashing, staking::v1beta1 as staking};

use super::{CosmosError, Message, bech32, coins, from_bech32};
use crate::gov::account;
use crate::limits;
use crate::staking::Decimal;

/// A message of the module, its addresses and amounts checked. What else it says is checked when it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct GovMessage {
    /// What it asks for.
    pub kind: GovKind,
    /// It came in the older form, `v1beta1`. What that form does not have is empty.
    pub beta: bool,
}

/// What a message of the module asks for.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The protobuf type's name says it.
pub enum GovKind {
    Submit(Submit),
    Deposit(MsgDeposit),
    Vote(MsgVote),
    VoteWeighted(MsgVoteWeighted),
    Cancel(MsgCancelProposal),
    Decree(Decree),
}

/// A proposal: `MsgSubmitProposal`, its messages decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// As it came, or what the older form stands for.
    pub message: MsgSubmitProposal,
    /// [`MsgSubmitProposal::messages`], read.
    pub messages: Vec<Message>,
}

/// What only the module's account may send, and so a proposal that passed.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // Each variant is the protobuf type of its name.
pub enum Decree {
    Content(MsgExecLegacyContent, Content),
    CommunityPoolSpend(MsgCommunityPoolSpend),
    GovParams(v1::MsgUpdateParams),
    StakingParams(staking::MsgUpdateParams),
    SlashingParams(slashing::MsgUpdateParams),
    DistributionParams(distribution::MsgUpdateParams),
}

/// What a proposal of the older form is about.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // Each variant is the protobuf type of its name.
pub enum Content {
    Text(TextProposal),
    CommunityPoolSpend(CommunityPoolSpendProposal),
}

impl GovMessage {
    /// Reads a message that may hold others, `depth` deep; `None` if it is of another kind.
    pub(super) fn decode(any: &Any, depth: usize) -> Result<Option<Self>, CosmosError> {
        let value = any.value.as_slice();
        let (kind, beta) = match any.type_url.as_str() {
            SUBMIT => (GovKind::Submit(Submit::read(read(value)?, depth)?), false),
            DEPOSIT => (GovKind::Deposit(read(value)?), false),
            VOTE => (GovKind::Vote(read(value)?), false),
            VOTE_WEIGHTED => (GovKind::VoteWeighted(read(value)?), false),
            CANCEL => (GovKind::Cancel(read(value)?), false),
            BETA_SUBMIT => (GovKind::Submit(Submit::read(submit(read(value)?)?, depth)?), true),
            BETA_DEPOSIT => (GovKind::Deposit(read(value)?), true),
            // Fields and numbers are those of the newer form.
            BETA_VOTE => (GovKind::Vote(read(value)?), true),
            BETA_VOTE_WEIGHTED => (GovKind::VoteWeighted(weighted(read(value)?)?), true),
            other => match Decree::decode(other, value)? {
                Some(decree) => (GovKind::Decree(decree), false),
                None => return Ok(None),
            },
        };
        kind.check()?;
        Ok(Some(Self { kind, beta }))
    }

    /// Name of the kind.
    pub const fn type_url(&self) -> &'static str {
        match (&self.kind, self.beta) {
            (GovKind::Submit(_), false) => SUBMIT,
            (GovKind::Deposit(_), false) => DEPOSIT,
            (GovKind::Vote(_), false) => VOTE,
            (GovKind::VoteWeighted(_), false) => VOTE_WEIGHTED,
            (GovKind::Cancel(_), _) => CANCEL,
            (GovKind::Submit(_), true) => BETA_SUBMIT,
            (GovKind::Deposit(_), true) => BETA_DEPOSIT,
            (GovKind::Vote(_), true) => BETA_VOTE,
            (GovKind::VoteWeighted(_), true) => BETA_VOTE_WEIGHTED,
            (GovKind::Decree(decree), _) => decree.type_url(),
        }
    }

    /// The account that has to sign it.
    pub fn signer(&self) -> Result<Address, CosmosError> {
        self.kind.signer()
    }
}

impl GovKind {
    fn signer(&self) -> Result<Address, CosmosError> {
        match self {
            Self::Submit(submit) => from_bech32(&submit.message.proposer),
            Self::Deposit(message) => from_bech32(&message.depositor),
            Self::Vote(message) => from_bech32(&message.voter),
            Self::VoteWeighted(message) => from_bech32(&message.voter),
            Self::Cancel(message) => from_bech32(&message.proposer),
            Self::Decree(decree) => from_bech32(decree.authority()),
        }
    }

    fn check(&self) -> Result<(), CosmosError> {
        self.signer()?;
        match self {
            Self::Submit(submit) => coins(&submit.message.initial_deposit).map(drop),
            Self::Deposit(message) => match coins(&message.amount)? {
                0 => Err(CosmosError::Coins(String::new())),
                _ => Ok(()),
            },
            Self::Decree(decree) => decree.check(),
            Self::Vote(_) | Self::VoteWeighted(_) | Self::Cancel(_) => Ok(()),
        }
    }
}

impl Submit {
    fn read(message: MsgSubmitProposal, depth: usize) -> Result<Self, CosmosError> {
        let invalid = |log: &str| CosmosError::Invalid(log.into());
        if message.messages.len() > limits::COSMOS_MESSAGES {
            return Err(invalid("a proposal has too many messages"));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| invalid("too many messages within messages"))?;
        let messages = message.messages.iter().map(|any| Message::within(any, depth));
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        if messages.iter().any(Message::is_sealed) {
            return Err(invalid("a message sealed with AES-256-GCM cannot be proposed"));
        }
        Ok(Self { message, messages })
    }
}

impl Decree {
    fn decode(url: &str, value: &[u8]) -> Result<Option<Self>, CosmosError> {
        Ok(Some(match url {
            CONTENT => {
                let message: MsgExecLegacyContent = read(value)?;
                let content = Content::decode(message.content.as_ref())?;
                Self::Content(message, content)
            }
            SPEND => Self::CommunityPoolSpend(read(value)?),
            GOV_PARAMS => Self::GovParams(read(value)?),
            STAKING_PARAMS => Self::StakingParams(read(value)?),
            SLASHING_PARAMS => Self::SlashingParams(read(value)?),
            DISTRIBUTION_PARAMS => Self::DistributionParams(read(value)?),
            _ => return Ok(None),
        }))
    }

    /// Name of the kind.
    pub const fn type_url(&self) -> &'static str {
        match self {
            Self::Content(..) => CONTENT,
            Self::CommunityPoolSpend(_) => SPEND,
            Self::GovParams(_) => GOV_PARAMS,
            Self::StakingParams(_) => STAKING_PARAMS,
            Self::SlashingParams(_) => SLASHING_PARAMS,
            Self::DistributionParams(_) => DISTRIBUTION_PARAMS,
        }
    }

    /// Who it says may send it.
    pub fn authority(&self) -> &str {
        match self {
            Self::Content(message, _) => &message.authority,
            Self::CommunityPoolSpend(message) => &message.authority,
            Self::GovParams(message) => &message.authority,
            Self::StakingParams(message) => &message.authority,
            Self::SlashingParams(message) => &message.authority,
            Self::DistributionParams(message) => &message.authority,
        }
    }

    fn check(&self) -> Result<(), CosmosError> {
        match self {
            Self::CommunityPoolSpend(message) => {
                from_bech32(&message.recipient)?;
                coins(&message.amount).map(drop)
            }
            Self::Content(_, Content::CommunityPoolSpend(content)) => {
                from_bech32(&content.recipient)?;
                coins(&content.amount).map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl Content {
    fn decode(any: Option<&Any>) -> Result<Self, CosmosError> {
        let any = any.ok_or_else(|| CosmosError::Invalid("missing content".into()))?;
        let name = any.type_url.strip_prefix('/').unwrap_or_default();
        if name == TextProposal::full_name() {
            return read(&any.value).map(Self::Text);
        }
        if name == CommunityPoolSpendProposal::full_name() {
            return read(&any.value).map(Self::CommunityPoolSpend);
        }
        Err(CosmosError::Unknown(any.type_url.clone()))
    }

    /// Title and description.
    pub fn words(&self) -> (&str, &str) {
        match self {
            Self::Text(text) => (&text.title, &text.description),
            Self::CommunityPoolSpend(spend) => (&spend.title, &spend.description),
        }
    }
}

/// What a proposal of the older form stands for.
fn submit(old: beta::MsgSubmitProposal) -> Result<MsgSubmitProposal, CosmosError> {
    let content = Content::decode(old.content.as_ref())?;
    let (title, summary) = content.words();
    let (title, summary) = (title.to_owned(), summary.to_owned());
    let message = MsgExecLegacyContent { content: old.content, authority: bech32(&account()) };
    Ok(MsgSubmitProposal {
        messages: vec![Any { type_url: CONTENT.into(), value: message.encode_to_vec() }],
        initial_deposit: old.initial_deposit,
        proposer: old.proposer,
        title,
        summary,
        ..MsgSubmitProposal::default()
    })
}

/// In the older form weights have no point.
fn weighted(old: beta::MsgVoteWeighted) -> Result<MsgVoteWeighted, CosmosError> {
    let option = |option: beta::WeightedVoteOption| {
        let weight = Decimal::from_atto(&option.weight);
        let weight = weight.map_err(|_| CosmosError::Invalid("a weight is none".into()))?;
        Ok(WeightedVoteOption { option: option.option, weight: weight.to_string() })
    };
    Ok(MsgVoteWeighted {
        proposal_id: old.proposal_id,
        voter: old.voter,
        options: old.options.into_iter().map(option).collect::<Result<_, CosmosError>>()?,
        metadata: String::new(),
    })
}

fn read<T: prost::Message + Default>(value: &[u8]) -> Result<T, CosmosError> {
    T::decode(value).map_err(|error: DecodeError| CosmosError::Parse(error.to_string()))
}

const SUBMIT: &str = "/cosmos.gov.v1.MsgSubmitProposal";
const DEPOSIT: &str = "/cosmos.gov.v1.MsgDeposit";
const VOTE: &str = "/cosmos.gov.v1.MsgVote";
const VOTE_WEIGHTED: &str = "/cosmos.gov.v1.MsgVoteWeighted";
const CANCEL: &str = "/cosmos.gov.v1.MsgCancelProposal";
const CONTENT: &str = "/cosmos.gov.v1.MsgExecLegacyContent";
const GOV_PARAMS: &str = "/cosmos.gov.v1.MsgUpdateParams";
const BETA_SUBMIT: &str = "/cosmos.gov.v1beta1.MsgSubmitProposal";
const BETA_DEPOSIT: &str = "/cosmos.gov.v1beta1.MsgDeposit";
const BETA_VOTE: &str = "/cosmos.gov.v1beta1.MsgVote";
const BETA_VOTE_WEIGHTED: &str = "/cosmos.gov.v1beta1.MsgVoteWeighted";
const SPEND: &str = "/cosmos.distribution.v1beta1.MsgCommunityPoolSpend";
const DISTRIBUTION_PARAMS: &str = "/cosmos.distribution.v1beta1.MsgUpdateParams";
const STAKING_PARAMS: &str = "/cosmos.staking.v1beta1.MsgUpdateParams";
const SLASHING_PARAMS: &str = "/cosmos.slashing.v1beta1.MsgUpdateParams";
