//! What a call consists of, and the JSON in which a contract gets it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::Version;

/// An entry point of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `instantiate`, in the older line `init`.
    Instantiate,
    /// `execute`, in the older line `handle`.
    Execute,
    /// `migrate`.
    Migrate,
    /// `reply`, which the older line does not have.
    Reply,
    /// `query`: writes are refused, and neither sender, funds nor randomness are shown.
    Query,
}

/// One call of one contract.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Which of its entry points.
    pub entry: Entry,
    /// Where and when.
    pub env: &'a Env<'a>,
    /// Who calls, in Bech32.
    pub sender: &'a str,
    /// What the caller sent along.
    pub funds: &'a [Coin],
    /// The message, as JSON. For [`Entry::Reply`] see [`crate::reply_message`].
    pub message: &'a [u8],
    /// The most it may use, in wasm gas.
    pub gas: u64,
}

/// What a contract is told of the chain and of itself.
#[derive(Clone, Debug)]
pub struct Env<'a> {
    /// Height of the block.
    pub height: u64,
    /// Time of the block, in nanoseconds.
    pub time: u64,
    /// Chain id.
    pub chain_id: &'a str,
    /// The call's random number. Only a contract that asks for one gets it ([`crate::Code::wants_random`]).
    pub random: Option<[u8; 32]>,
    /// The contract's own address, in Bech32.
    pub contract: &'a str,
    /// SHA-256 of its code, in hexadecimal.
    pub code_hash: &'a str,
    /// Index in the block and hash, in upper-case hexadecimal, of the transaction; a query has none.
    pub transaction: Option<(u32, String)>,
}

/// An amount of one denomination, in JSON a decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// Denomination.
    pub denom: String,
    /// How many of its smallest unit.
    #[serde(with = "decimal")]
    pub amount: u128,
}

impl Call<'_> {
    /// The arguments of the entry point, in their order.
    pub(crate) fn arguments(&self, version: Version, random: bool) -> Vec<Vec<u8>> {
        let message = self.message.to_vec();
        match (version, self.entry) {
            (Version::V1, Entry::Instantiate | Entry::Execute) => {
                let info = Info { sender: self.sender, funds: self.funds };
                vec![self.env_v1(random), json(&info), message]
            }
            (Version::V1, Entry::Migrate | Entry::Reply) => vec![self.env_v1(random), message],
            (Version::V1, Entry::Query) => vec![self.env_v1(false), message],
            (Version::V010, Entry::Query) => vec![message],
            (Version::V010, _) => vec![self.env_v010(), message],
        }
    }

    fn env_v1(&self, random: bool) -> Vec<u8> {
        let env = self.env;
        json(&EnvV1 {
            block: BlockV1 {
                height: env.height,
                time: env.time.to_string(),
                chain_id: env.chain_id,
                random: env.random.filter(|_| random).map(|random| STANDARD.encode(random)),
            },
            contract: ContractV1 { address: env.contract, code_hash: env.code_hash },
            transaction: env.transaction.as_ref().map(|(index, hash)| Transaction { index: *index, hash }),
        })
    }

    fn env_v010(&self) -> Vec<u8> {
        let env = self.env;
        json(&EnvV010 {
            block: BlockV010 { height: env.height, time: env.time / NANOSECONDS, chain_id: env.chain_id },
            message: MessageV010 { sender: self.sender, sent_funds: self.funds },
            contract: ContractV010 { address: env.contract },
            contract_key: (),
            contract_code_hash: env.code_hash,
            transaction: (),
        })
    }
}

#[derive(Serialize)]
struct EnvV1<'a> {
    block: BlockV1<'a>,
    contract: ContractV1<'a>,
    transaction: Option<Transaction<'a>>,
}

#[derive(Serialize)]
struct BlockV1<'a> {
    height: u64,
    time: String,
    chain_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<String>,
}

#[derive(Serialize)]
struct ContractV1<'a> {
    address: &'a str,
    code_hash: &'a str,
}

#[derive(Serialize)]
struct Transaction<'a> {
    index: u32,
    hash: &'a str,
}

#[derive(Serialize)]
struct Info<'a> {
    sender: &'a str,
    funds: &'a [Coin],
}

#[derive(Serialize)]
struct EnvV010<'a> {
    block: BlockV010<'a>,
    message: MessageV010<'a>,
    contract: ContractV010<'a>,
    /// Never shown to a contract.
    contract_key: (),
    contract_code_hash: &'a str,
    /// The older line does not know it.
    transaction: (),
}

#[derive(Serialize)]
struct BlockV010<'a> {
    height: u64,
    time: u64,
    chain_id: &'a str,
}

#[derive(Serialize)]
struct MessageV010<'a> {
    sender: &'a str,
    sent_funds: &'a [Coin],
}

#[derive(Serialize)]
struct ContractV010<'a> {
    address: &'a str,
}

/// Numbers that JSON would round, as text.
mod decimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// JSON of one of this crate's own types.
pub(crate) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("these types have text keys and no floats")
}

const NANOSECONDS: u64 = 1_000_000_000;
