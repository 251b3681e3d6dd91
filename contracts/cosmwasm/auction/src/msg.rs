use cosmwasm_std::Uint128;
use serde::{Deserialize, Serialize};

/// Puts something up for sale; the sender is the seller.
#[derive(Deserialize)]
pub struct InstantiateMsg {
    /// What is sold.
    pub item: String,
    /// The least bid, more than 0.
    pub minimum: Uint128,
    /// In which coins is paid; `uscrt` if absent.
    pub denom: Option<String>,
    /// Seconds since 1970: from then on nobody bids.
    pub closes_at: u64,
}

/// What can be done. A member `padding` is allowed everywhere and ignored: an amount's digits are some of what it says.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Bids, or bids more than before. Coins that come with it are added to the bidder's deposit.
    Bid {
        /// At most the deposit.
        amount: Uint128,
    },
    /// Ends the auction and pays everybody: the seller at any time, anybody when it is over.
    Close {},
    /// A word with which the sender's bid can be asked for.
    SetViewingKey {
        /// The word.
        key: String,
    },
}

/// In the data of a call.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteAnswer {
    /// The bid as it stands.
    Bid(ShownBid),
    /// It is over.
    Close {
        /// Null if nobody bid.
        sale: Option<Sale>,
    },
    /// It is set.
    SetViewingKey {},
}

/// What can be asked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// How the auction stands.
    Auction {},
    /// What somebody bids.
    Bid {
        /// Who.
        address: String,
        /// Their viewing key.
        key: String,
    },
}

/// The answers.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum QueryAnswer {
    /// To `auction`.
    Auction {
        /// Who gets the price.
        seller: String,
        /// What is sold.
        item: String,
        /// The least bid.
        minimum: Uint128,
        /// In which coins.
        denom: String,
        /// Seconds since 1970.
        closes_at: u64,
        /// Not closed yet, though perhaps over.
        open: bool,
        /// How many, which the transactions show anyhow.
        bidders: u32,
        /// Null while it is open, and if nobody bid.
        sale: Option<Sale>,
    },
    /// To `bid`; null if they have not bid.
    Bid(Option<ShownBid>),
    /// The viewing key is wrong, or none is set.
    ViewingKeyError {
        /// Which cannot be told apart.
        msg: String,
    },
}

/// A bid, as its bidder sees it.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct ShownBid {
    /// What is bid.
    pub amount: Uint128,
    /// What everybody saw being deposited.
    pub deposit: Uint128,
}

/// How it ended.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Who bid most, and first among equals.
    pub buyer: String,
    /// What they bid.
    pub price: Uint128,
}
