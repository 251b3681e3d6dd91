//! What contracts ask, from its JSON.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::QueryRequest;
use crate::response::Binary;

impl QueryRequest {
    /// Reads the question of a contract of either line.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let other = |kind: &str| Self::Unsupported(kind.to_owned());
        Ok(match serde_json::from_slice(json)? {
            Question::Bank(Bank::Balance { address, denom }) => Self::Balance { address, denom },
            Question::Bank(Bank::AllBalances { address }) => Self::AllBalances { address },
            Question::Wasm(Wasm::Smart { contract_addr, callback_code_hash, msg }) => {
                Self::Smart { contract: contract_addr, code_hash: callback_code_hash, message: msg.0 }
            }
            Question::Wasm(Wasm::Raw { contract_addr, key }) => Self::Raw { contract: contract_addr, key: key.0 },
            Question::Wasm(Wasm::ContractInfo { contract_addr }) => Self::ContractInfo { contract: contract_addr },
            Question::Staking(Staking::BondedDenom {}) => Self::BondedDenom,
            Question::Stargate { path, data } => Self::Stargate { path, data: data.0 },
            Question::Staking(_) => other("staking"),
            Question::Dist(_) => other("dist"),
            Question::Mint(_) => other("mint"),
            Question::Gov(_) => other("gov"),
            Question::Ibc(_) => other("ibc"),
            Question::Custom(_) => other("custom"),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    Bank(Bank),
    Wasm(Wasm),
    Staking(Staking),
    Stargate { path: String, data: Binary },
    Dist(IgnoredAny),
    Mint(IgnoredAny),
    Gov(IgnoredAny),
    Ibc(IgnoredAny),
    Custom(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bank {
    Balance { address: String, denom: String },
    AllBalances { address: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wasm {
    Smart {
        contract_addr: String,
        #[serde(alias = "code_hash")]
        callback_code_hash: String,
        msg: Binary,
    },
    Raw {
        contract_addr: String,
        key: Binary,
    },
    ContractInfo {
        contract_addr: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Staking {
    BondedDenom {},
    AllDelegations(IgnoredAny),
    Delegation(IgnoredAny),
    Validators(IgnoredAny),
    AllValidators(IgnoredAny),
    Validator(IgnoredAny),
    UnbondingDelegations(IgnoredAny),
}
