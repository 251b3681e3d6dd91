use serde::{Deserialize, Serialize};

/// Asks a question.
#[derive(Deserialize)]
pub struct InstantiateMsg {
    /// What is decided.
    pub question: String,
    /// 2 to 10 possible answers.
    pub options: Vec<String>,
    /// Seconds since 1970: from then on nobody votes.
    pub closes_at: u64,
    /// Who votes; everybody if absent.
    pub voters: Option<Vec<String>>,
}

/// What can be done.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Once for each address, for ever.
    Vote {
        /// From 0, in the order of the options.
        choice: u8,
    },
    /// Publishes the tally: the owner at any time, anybody when it is over.
    Close {},
    /// A word with which the sender's ballot can be asked for.
    SetViewingKey {
        /// The word.
        key: String,
    },
}

/// In the data of a call.
#[derive(Serialize, Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteAnswer {
    /// It is counted.
    Vote {
        /// As what.
        choice: u8,
    },
    /// It is over.
    Close {
        /// Votes for each option.
        tally: Vec<u32>,
    },
    /// It is set.
    SetViewingKey {},
}

/// What can be asked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// How the vote stands.
    Poll {},
    /// What somebody voted.
    Ballot {
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
    /// To `poll`.
    Poll {
        /// As asked.
        question: String,
        /// As given.
        options: Vec<String>,
        /// Seconds since 1970.
        closes_at: u64,
        /// Not closed yet, though perhaps over.
        open: bool,
        /// How many, which the transactions show anyhow.
        votes: u32,
        /// Votes for each option; null while it is open.
        tally: Option<Vec<u32>>,
    },
    /// To `ballot`.
    Ballot {
        /// Null if they have not voted.
        choice: Option<u8>,
    },
    /// The viewing key is wrong, or none is set.
    ViewingKeyError {
        /// Which cannot be told apart.
        msg: String,
    },
}
