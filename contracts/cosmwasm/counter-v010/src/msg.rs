use cosmwasm_std::{Binary, Coin, HumanAddr};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Starts the count.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct InitMsg {
    /// Where it starts.
    pub count: i32,
}

/// What anybody may ask the contract to do.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandleMsg {
    /// Adds one.
    Increment {},
    /// Starts again elsewhere.
    Reset {
        /// Where.
        count: i32,
    },
    /// Fails, after it has written: the write must be undone.
    Fail {},
    /// Calls another contract.
    Call {
        /// Its address.
        contract: HumanAddr,
        /// Hash of its code.
        code_hash: String,
        /// The call's JSON.
        msg: Binary,
        /// Coins to go with it.
        funds: Option<Vec<Coin>>,
    },
    /// Sends coins that the contract has.
    Send {
        /// Who gets them.
        to: HumanAddr,
        /// Which.
        amount: Vec<Coin>,
    },
}

/// What anybody may ask.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// Answered by [`CountResponse`].
    GetCount {},
    /// Another contract's answer, which must be JSON.
    Ask {
        /// Its address.
        contract: HumanAddr,
        /// Hash of its code.
        code_hash: String,
        /// The question's JSON.
        msg: Binary,
    },
}

/// Arrives with new code.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct MigrateMsg {
    /// A new count; the old one stays without it.
    pub count: Option<i32>,
}

/// The count, as queries answer it and as calls return it in their data.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct CountResponse {
    /// How far the count is.
    pub count: i32,
}
