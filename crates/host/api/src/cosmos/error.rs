//! What the Cosmos door says when it cannot answer: gRPC's numbers with the status codes of its gateway, and the texts of the
//! Cosmos SDK where clients match on them.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cloister_chain::Address;
use cloister_chain::cosmos::{CosmosError, bech32};
use cloister_chain::wire::{QueryRefusal, Rejection};
use cloister_consensus::SubmitError;
use cloister_store::StoreError;
use serde_json::json;
use thiserror::Error;

use crate::Unavailable;

/// Why a request of a Cosmos client fails. The text is the message that the client gets.
#[derive(Debug, Error)]
pub(super) enum RestError {
    /// A parameter, a header or a body that makes no sense; which one, and why.
    #[error("{0}")]
    Invalid(String),
    /// The body is larger than any transaction.
    #[error("the body is larger than {} bytes", super::BODY_BYTES)]
    Large,
    /// The body did not arrive in time.
    #[error("the body took too long to arrive")]
    Slow,
    /// The answer, or the search for it, is more than one request may cost.
    #[error("{0}")]
    Much(&'static str),
    /// The bytes are not a transaction of this chain.
    #[error(transparent)]
    Tx(#[from] CosmosError),
    /// The Cosmos door does not know the account.
    #[error("rpc error: code = NotFound desc = account {} not found: key not found", bech32(.0))]
    NoAccount(Address),
    /// No block has a transaction with that hash, given as the client wrote it.
    #[error("tx not found: {0}")]
    NoTx(String),
    /// There is no such contract.
    #[error("contract {}: not found", bech32(.0))]
    NoContract(Address),
    /// No contract has that label.
    #[error("contract with this label: not found")]
    NoLabel,
    /// No proposal has that number.
    #[error("proposal {0} doesn't exist: key not found")]
    NoProposal(u64),
    /// No validator belongs to that operator.
    #[error("validator {0} not found: key not found")]
    NoValidator(String),
    /// No code has that number.
    #[error("code {0}: not found")]
    NoCode(u64),
    /// Something else that a client asks for by name does not exist.
    #[error("{0}: not found")]
    Nothing(&'static str),
    /// No block has that height.
    #[error("requested block height is bigger then the chain length: {0}")]
    NoBlock(u64),
    /// The state of a height above the tip is asked for.
    #[error("cannot query with height in the future; please provide a valid height: invalid height")]
    Future,
    /// The state of that height is no longer kept.
    #[error(
        "failed to load state at height {height}; version does not exist, it is pruned below {oldest}: invalid request"
    )]
    Pruned {
        /// Height that was asked for.
        height: u64,
        /// Oldest height whose state is kept.
        oldest: u64,
    },
    /// The world of contracts, or the SDK's rules, say no.
    #[error("{}", rejection_text(.0))]
    Rejected(Rejection),
    /// The enclave declines the question.
    #[error("{}", refusal_text(*.0))]
    Refused(QueryRefusal),
    /// The enclave cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// This door has no such path, or this chain no such module.
    #[error("Not Implemented")]
    Unimplemented,
    /// The path exists with another method.
    #[error("Method Not Allowed")]
    Method,
    /// The store failed; its operator finds the reason in the log.
    #[error("internal error")]
    Store(#[source] StoreError),
    /// A task of the node ended early, or the enclave gave an answer of another kind.
    #[error("internal error")]
    Internal,
}

impl RestError {
    /// gRPC's number, and the status that its gateway makes of it.
    fn code(&self) -> (u32, StatusCode) {
        match self {
            Self::Rejected(_) => (2, StatusCode::INTERNAL_SERVER_ERROR),
            Self::Invalid(_) | Self::Tx(_) | Self::NoBlock(_) | Self::Future | Self::Pruned { .. } => {
                (3, StatusCode::BAD_REQUEST)
            }
            Self::Slow => (4, StatusCode::REQUEST_TIMEOUT),
            Self::NoAccount(_)
            | Self::NoTx(_)
            | Self::NoContract(_)
            | Self::NoLabel
            | Self::NoCode(_)
            | Self::NoProposal(_)
            | Self::NoValidator(_)
            | Self::Nothing(_) => (5, StatusCode::NOT_FOUND),
            Self::Large => (8, StatusCode::PAYLOAD_TOO_LARGE),
            Self::Much(_) => (8, StatusCode::TOO_MANY_REQUESTS),
            Self::Unimplemented => (12, StatusCode::NOT_IMPLEMENTED),
            Self::Method => (12, StatusCode::METHOD_NOT_ALLOWED),
            Self::Refused(QueryRefusal::Spent) => (8, StatusCode::TOO_MANY_REQUESTS),
            Self::Refused(QueryRefusal::Height) => (3, StatusCode::BAD_REQUEST),
            Self::Refused(QueryRefusal::Dev) => (9, StatusCode::BAD_REQUEST),
            Self::Refused(QueryRefusal::NotReady | QueryRefusal::Unlisted) | Self::Unavailable(_) => {
                (14, StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Refused(QueryRefusal::Supply | QueryRefusal::Fault) | Self::Store(_) | Self::Internal => {
                (13, StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl From<StoreError> for RestError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Pruned { height, oldest } => Self::Pruned { height, oldest },
            StoreError::Ahead { .. } => Self::Future,
            other => Self::Store(other),
        }
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        if let Self::Store(reason) = &self {
            tracing::error!(%reason, "the store failed");
        }
        let (code, status) = self.code();
        let body = json!({ "code": code, "message": self.to_string(), "details": [] });
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

/// What a broadcast is told about a transaction that the mempool did not take.
pub(super) fn verdict(error: SubmitError) -> Rejection {
    let sdk = |code, log| Rejection { codespace: "sdk".into(), code, log };
    match error {
        SubmitError::Rejected(rejection) => rejection,
        SubmitError::AlreadyKnown => sdk(19, "tx already exists in cache".into()),
        SubmitError::Full => sdk(20, "mempool is full".into()),
        // The rules of the other world, and a node that could not keep up.
        other => sdk(18, format!("{other}: invalid request")),
    }
}

/// secretjs finds the ciphertext of a contract's error by `query contract failed: encrypted: …`.
fn rejection_text(rejection: &Rejection) -> String {
    let Rejection { codespace, code, log } = rejection;
    match (codespace.as_str(), code) {
        ("compute", 4) => format!("codespace compute code 4: query contract failed: {log}"),
        _ => format!("codespace {codespace} code {code}: {log}"),
    }
}

fn refusal_text(refusal: QueryRefusal) -> &'static str {
    match refusal {
        QueryRefusal::Height => {
            "failed to load state: contracts answer at recent heights only, this one is pruned for queries"
        }
        QueryRefusal::Dev => "only a SIMULATED chain with one validator has this",
        QueryRefusal::Supply => "the node lacks a part of the state",
        QueryRefusal::NotReady => "the node is starting",
        QueryRefusal::Fault => "the query failed inside the enclave",
        QueryRefusal::Spent => "the enclave answers no more questions to contracts before the next block",
        QueryRefusal::Unlisted => "the enclave answers contracts' questions once the chain lists this run of it",
    }
}
