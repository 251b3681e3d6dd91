//! What clients ask contracts: nobody signs it and nobody pays, so it has a limit of its own.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::sealed::Output;
use cloister_chain::wire::{Answer, ContractQuery, Form, Halt, QueryRefusal, Rejection};
use cloister_chain::{Bytes, limits};
use cloister_envelope::MessageError;
use cloister_envelope::message::{QueryContext, gcm, plain::Plaintext, siv};
use cloister_state::{Overlay, Supply};
use cloister_wasm::{Entry, Returned};
use prost::Message as _;
use zeroize::Zeroizing;

use super::Scene;
use super::call::INVALID;
use super::contract::{self, Callee, GAS_MULTIPLIER, Request};

/// Opens a question, asks the contract, and seals the answer.
pub(crate) fn ask<S: Supply>(scene: &Scene<'_>, state: &mut Overlay<S>, query: &ContractQuery) -> Answer {
    let callee = match Callee::find(state, query.contract) {
        Ok(Some(callee)) => callee,
        Ok(None) => return rejected(9, "contract: not found".into()),
        Err(halt) => return refused(halt),
    };
    let opened = match query.form {
        Form::Siv => open_siv(scene, &callee, &query.message),
        Form::Gcm => open_gcm(scene, &callee, &query.message),
    };
    let (asker, message) = match opened {
        Ok(opened) => opened,
        Err(why) => return rejected(QUERY_FAILED, format!("Execution error: Enclave: {why}")),
    };
    let surcharge = contract::surcharge(&callee.code);
    let gas = limits::QUERY_SDK_GAS.saturating_sub(surcharge).saturating_mul(GAS_MULTIPLIER);
    let request = Request { entry: Entry::Query, sender: "", funds: &[], message: &message, gas };
    let ran = match contract::run(scene, state, &callee, &request, None, 1) {
        Ok(ran) => ran,
        Err(halt) => return refused(halt),
    };
    let gas_used = surcharge + ran.run.gas_used / GAS_MULTIPLIER + 1;
    let sealed = match &ran.run.result {
        Ok(Returned::Answer(answer)) => {
            asker.answer(scene.header.height, answer).map(|sealed| Answer::Contract { sealed, gas_used })
        }
        Ok(Returned::Error(error)) => asker
            .error(scene.header.height, &error.text)
            .map(|text| rejected(QUERY_FAILED, format!("encrypted: {text}"))),
        Ok(Returned::Response(_)) => None,
        Err(trap) => Some(rejected(QUERY_FAILED, format!("Execution error: Enclave: {trap}"))),
    };
    sealed.unwrap_or_else(|| rejected(QUERY_FAILED, "Execution error: Enclave: the answer cannot be sealed".into()))
}

/// Who gets the answer.
enum Asker {
    Siv(siv::Session),
    Gcm(gcm::AnswerKeys),
}

impl Asker {
    /// The answer, sealed. In our own form it says which height it is about.
    fn answer(&self, height: u64, answer: &[u8]) -> Option<Bytes> {
        match self {
            Self::Siv(session) => {
                session.seal(Zeroizing::new(STANDARD.encode(answer)).as_bytes()).ok().map(Bytes::from)
            }
            Self::Gcm(keys) => {
                seal(keys, &Output { data: answer.to_vec(), height, ..Output::default() }).map(Bytes::from)
            }
        }
    }

    /// The contract's error, sealed, as base64.
    fn error(&self, height: u64, text: &str) -> Option<String> {
        match self {
            Self::Siv(session) => session.seal_text(None, text.as_bytes()).ok(),
            Self::Gcm(keys) => {
                let output = Output { error: text.into(), height, ..Output::default() };
                seal(keys, &output).map(|sealed| STANDARD.encode(sealed))
            }
        }
    }
}

type Opened = Result<(Asker, Zeroizing<Vec<u8>>), Cow<'static, str>>;

fn open_siv(scene: &Scene<'_>, callee: &Callee, message: &[u8]) -> Opened {
    let (session, plaintext) = scene.keys.open_siv(message).map_err(|_| Cow::from(UNREADABLE))?;
    let parsed = Plaintext::parse(&plaintext).map_err(|_| Cow::from(INVALID))?;
    if parsed.code_hash != callee.code.hash || !parsed.replies.is_empty() {
        return Err(INVALID.into());
    }
    Ok((Asker::Siv(session), Zeroizing::new(parsed.message.to_vec())))
}

fn open_gcm(scene: &Scene<'_>, callee: &Callee, message: &[u8]) -> Opened {
    let chain_id = &scene.genesis.chain_id;
    let context = QueryContext { chain_id, contract: callee.address, code_hash: callee.code.hash };
    let opened = scene.keys.open_query(&context, message, scene.grace);
    let (keys, message) = opened.map_err(|error| match error {
        // Public: the question names its epoch in the clear.
        MessageError::Epoch { .. } => Cow::from(error.to_string()),
        _ => UNREADABLE.into(),
    })?;
    Ok((Asker::Gcm(keys), message))
}

fn seal(keys: &gcm::AnswerKeys, output: &Output) -> Option<Vec<u8>> {
    keys.seal_answer(&Zeroizing::new(output.encode_to_vec())).ok()
}

fn rejected(code: u32, log: String) -> Answer {
    Answer::Rejected(Rejection { codespace: "compute".into(), code, log })
}

fn refused(_: Halt) -> Answer {
    Answer::Refused(QueryRefusal::Supply)
}

const UNREADABLE: &str = "failed to decrypt data";
const QUERY_FAILED: u32 = 4;
