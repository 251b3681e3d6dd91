//! What a client needs to seal: the network's keys, and questions in sealed form.
//!
//! `secret.registration.v1beta1` has the keys of secretjs's AES-SIV. Beside it stands our own `cloister.compute.v1`, whose
//! questions and answers are AES-256-GCM.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use cloister_chain::Address;
use cloister_chain::wire::{Answer, ContractQuery, Form, NetworkKeys, Query, QueryAt};
use serde::Deserialize;
use serde_json::json;

use super::error::RestError;
use super::request::{Answered, Asked, Body, Named, Reply, base64};
use super::{Backend, Door, compute, view};

pub(super) fn routes<B: Backend>() -> Router<Door<B>> {
    Router::new()
        .route("/registration/v1beta1/tx-key", get(tx_key))
        .route("/registration/v1beta1/registration-key", get(registration_key))
        .route("/cloister/compute/v1/keys", get(keys))
        .route("/cloister/compute/v1/query/{contract}", get(query).post(long_query))
        .route("/cloister/compute/v1/estimate", post(estimate))
}

async fn tx_key<B: Backend>(State(door): State<Door<B>>) -> Answered {
    Ok(Reply::of(&json!({ "key": view::base64(door.permanent_keys().await?.io) })))
}

async fn registration_key<B: Backend>(State(door): State<Door<B>>) -> Answered {
    Ok(Reply::of(&json!({ "key": view::base64(door.permanent_keys().await?.registration) })))
}

/// The key that our own form is sealed to, its epoch, and the height from which permits count.
async fn keys<B: Backend>(State(door): State<Door<B>>) -> Answered {
    let (keys, height) = (door.network_keys().await?, door.head()?.height.to_string());
    Ok(Reply::of(&json!({ "input_key": view::base64(keys.input), "epoch": keys.epoch.to_string(), "height": height })))
}

/// Asks a contract in our own sealed form.
async fn query<B: Backend>(State(door): State<Door<B>>, Named(address): Named<Address>, asked: Asked) -> Answered {
    door.ask(address, Form::Gcm, asked.height, asked.bytes("query")?).await
}

/// The same for a question that is too long for a URL.
async fn long_query<B: Backend>(
    State(door): State<Door<B>>,
    Named(address): Named<Address>,
    asked: Asked,
    Body(question): Body<Question>,
) -> Answered {
    let message = base64(&question.query).ok_or_else(|| RestError::Invalid("query is not base64".into()))?;
    door.ask(address, Form::Gcm, asked.height, message).await
}

/// A sealed question in base64.
#[derive(Deserialize)]
struct Question {
    query: String,
}

/// What a message in our own form would be charged. The answer is its sender's to open.
async fn estimate<B: Backend>(State(door): State<Door<B>>, Body(tried): Body<Tried>) -> Answered {
    let message = base64(&tried.message).ok_or_else(|| RestError::Invalid("message is not base64".into()))?;
    let query = Query::SealedEstimate(message.into());
    match door.backend.query(QueryAt { height: None, query }).await? {
        Answer::SealedEstimate(sealed) => Ok(Reply::of(&json!({ "data": view::base64(sealed) }))),
        Answer::Rejected(rejection) => Err(RestError::Rejected(rejection)),
        Answer::Refused(refusal) => Err(RestError::Refused(refusal)),
        _ => Err(RestError::Internal),
    }
}

/// A message as an `Any`, sealed as an estimate, in base64.
#[derive(Deserialize)]
struct Tried {
    message: String,
}

impl<B: Backend> Door<B> {
    /// Asks a contract at a height, or at the tip. The question is encrypted, and so is the answer.
    pub(super) async fn ask(&self, address: Address, form: Form, at: Option<u64>, question: Vec<u8>) -> Answered {
        let height = {
            let state = self.state(at)?;
            compute::contract(&state, address)?;
            state.height
        };
        let query = Query::Contract(ContractQuery { contract: address, form, message: question.into() });
        // Without a height the enclave takes its own tip, which may have moved on meanwhile.
        match self.backend.query(QueryAt { height: at, query }).await? {
            Answer::Contract { sealed, .. } => Ok(Reply::at(height, &json!({ "data": view::base64(sealed) }))),
            Answer::Rejected(rejection) => Err(RestError::Rejected(rejection)),
            Answer::Refused(refusal) => Err(RestError::Refused(refusal)),
            _ => Err(RestError::Internal),
        }
    }

    /// The two keys that never change: the enclave is asked for them once.
    async fn permanent_keys(&self) -> Result<&NetworkKeys, RestError> {
        self.keys.get_or_try_init(|| self.network_keys()).await
    }

    async fn network_keys(&self) -> Result<NetworkKeys, RestError> {
        match self.backend.query(QueryAt { height: None, query: Query::NetworkKeys }).await? {
            Answer::NetworkKeys(keys) => Ok(keys),
            Answer::Refused(refusal) => Err(RestError::Refused(refusal)),
            _ => Err(RestError::Internal),
        }
    }
}
