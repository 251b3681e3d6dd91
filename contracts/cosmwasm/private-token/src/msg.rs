use cosmwasm_std::{Binary, Uint128};
use owner_only::permit::Permit;
use serde::{Deserialize, Serialize};

/// Makes a token.
#[derive(Deserialize)]
pub struct InstantiateMsg {
    /// Such as "Secret Secret".
    pub name: String,
    /// Such as "SSCRT".
    pub symbol: String,
    /// How many digits of an amount stand behind the point; at most 18.
    pub decimals: u8,
    /// Who names minters; the sender if absent.
    pub admin: Option<String>,
    /// Who owns what from the beginning.
    pub initial_balances: Option<Vec<InitialBalance>>,
    /// Random bytes that viewing keys are made from.
    pub prng_seed: Binary,
    /// What the token can do beside being sent; nothing if absent.
    pub config: Option<Config>,
    /// Coins that become tokens and back; `uscrt` if absent.
    pub supported_denoms: Option<Vec<String>>,
}

/// A balance from the beginning.
#[derive(Deserialize)]
pub struct InitialBalance {
    /// Whose.
    pub address: String,
    /// How much.
    pub amount: Uint128,
}

/// All off if absent.
#[derive(Deserialize, Default)]
pub struct Config {
    /// Everybody may ask for the supply.
    pub public_total_supply: Option<bool>,
    /// Coins become tokens.
    pub enable_deposit: Option<bool>,
    /// Tokens become coins.
    pub enable_redeem: Option<bool>,
    /// Minters make tokens of nothing.
    pub enable_mint: Option<bool>,
}

/// What owners, minters and the admin do. A member `padding` is allowed everywhere and ignored.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Moves tokens.
    Transfer {
        /// To whom.
        recipient: String,
        /// How many.
        amount: Uint128,
        /// For both histories.
        memo: Option<String>,
    },
    /// Moves tokens and tells the contract that receives them.
    Send {
        /// To whom.
        recipient: String,
        /// Its code, if it has not registered.
        recipient_code_hash: Option<String>,
        /// How many.
        amount: Uint128,
        /// For that contract.
        msg: Option<Binary>,
        /// For both histories.
        memo: Option<String>,
    },
    /// The sender, a contract, wants to be told of tokens it receives.
    RegisterReceive {
        /// Its code.
        code_hash: String,
    },
    /// Makes tokens.
    Mint {
        /// For whom.
        recipient: String,
        /// How many.
        amount: Uint128,
    },
    /// More minters.
    AddMinters {
        /// Who.
        minters: Vec<String>,
    },
    /// Fewer minters.
    RemoveMinters {
        /// Who.
        minters: Vec<String>,
    },
    /// These minters and no others.
    SetMinters {
        /// Who.
        minters: Vec<String>,
    },
    /// Makes tokens of the coins that came with the call.
    Deposit {},
    /// Makes coins of tokens.
    Redeem {
        /// How many.
        amount: Uint128,
        /// Which coins; may be absent if there is one kind.
        denom: Option<String>,
    },
    /// Makes a viewing key, which is in the answer.
    CreateViewingKey {
        /// Anything unpredictable.
        entropy: String,
    },
    /// Sets a viewing key of the owner's own making.
    SetViewingKey {
        /// The key.
        key: String,
    },
    /// A permit of that name opens nothing any more.
    RevokePermit {
        /// The name.
        permit_name: String,
    },
}

/// In the data of a call.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteAnswer {
    /// Of the call of the same name.
    Transfer(Status),
    /// Of the call of the same name.
    Send(Status),
    /// Of the call of the same name.
    RegisterReceive(Status),
    /// Of the call of the same name.
    Mint(Status),
    /// Of the call of the same name.
    AddMinters(Status),
    /// Of the call of the same name.
    RemoveMinters(Status),
    /// Of the call of the same name.
    SetMinters(Status),
    /// Of the call of the same name.
    Deposit(Status),
    /// Of the call of the same name.
    Redeem(Status),
    /// Of the call of the same name.
    CreateViewingKey {
        /// The new key.
        key: String,
    },
    /// Of the call of the same name.
    SetViewingKey(Status),
    /// Of the call of the same name.
    RevokePermit(Status),
}

/// How a call went: a failure is an error, not an answer.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Status {
    status: String,
}

impl Status {
    /// It went well.
    pub fn success() -> Self {
        Self { status: "success".into() }
    }
}

/// What can be asked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// Name, symbol, decimals and perhaps supply.
    TokenInfo {},
    /// Who makes tokens.
    Minters {},
    /// How much somebody has.
    Balance {
        /// Who.
        address: String,
        /// Their viewing key.
        key: String,
    },
    /// What somebody sent and received, newest first.
    TransferHistory {
        /// Who.
        address: String,
        /// Their viewing key.
        key: String,
        /// From 0, which it is if absent.
        page: Option<u32>,
        /// Entries in each.
        page_size: u32,
    },
    /// A question by the holder of a permit.
    WithPermit {
        /// Signed by the owner.
        permit: Permit,
        /// The question.
        query: QueryWithPermit,
    },
}

/// What the holder of a permit can ask.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryWithPermit {
    /// Needs the permission `balance` or `owner`.
    Balance {},
    /// Needs the permission `history` or `owner`.
    TransferHistory {
        /// From 0, which it is if absent.
        page: Option<u32>,
        /// Entries in each.
        page_size: u32,
    },
}

/// The answers.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum QueryAnswer {
    /// To `token_info`.
    TokenInfo {
        /// As instantiated.
        name: String,
        /// As instantiated.
        symbol: String,
        /// As instantiated.
        decimals: u8,
        /// Null unless it is public.
        total_supply: Option<Uint128>,
    },
    /// To `minters`.
    Minters {
        /// Who they are.
        minters: Vec<String>,
    },
    /// To `balance`.
    Balance(Amount),
    /// To `transfer_history`.
    TransferHistory {
        /// One page.
        txs: Vec<Transfer>,
        /// In all pages.
        total: u32,
    },
    /// The viewing key is wrong, or none is set.
    ViewingKeyError {
        /// Which cannot be told apart.
        msg: String,
    },
}

/// Tokens.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub amount: Uint128,
}

/// One transfer, as either side sees it.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Counts this owner's transfers from 1.
    pub id: u32,
    /// Whose tokens they were.
    pub from: String,
    /// Who moved them: the same.
    pub sender: String,
    /// Whose tokens they became.
    pub receiver: String,
    /// How many.
    pub coins: Coins,
    /// If there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Seconds since 1970.
    pub block_time: u64,
    /// Of the block.
    pub block_height: u64,
}

/// Tokens with their symbol.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Coins {
    /// The symbol.
    pub denom: String,
    /// How many.
    pub amount: Uint128,
}
