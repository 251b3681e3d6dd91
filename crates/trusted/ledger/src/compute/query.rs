//! What clients ask contracts. Nobody pays, so it has a limit of its own. In secret.js's form nobody signs it either; in our own
//! form it has a permit.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::sealed::Output;
use cloister_chain::wire::{Answer, ContractQuery, Form, Halt, QueryRefusal, Rejection};
use cloister_chain::{gas, limits};
use cloister_envelope::MessageError;
use cloister_envelope::message::{QueryContext, gcm, plain::Plaintext, siv};
use cloister_state::{Overlay, Supply};
use cloister_wasm::{Entry, Returned, Trap};
use prost::Message as _;
use zeroize::Zeroizing;

use super::Scene;
use super::call::INVALID;
use super::contract::{self, Callee, GAS_MULTIPLIER, Request};

/// Opens a question, asks the contract, and seals the answer.
pub(crate) fn ask<S: Supply>(scene: &Scene<'_>, state: &mut Overlay<S>, query: &ContractQuery) -> Answer {
    let callee = match Callee::find(state, query.contract) {
        Ok(Some(callee)) => callee,
        Ok(None) => {
            return Answer::Rejected(Rejection {
                codespace: "compute".into(),
                code: 9,
                log: "contract: not found".into(),
            });
        }
        Err(halt) => return refused(halt),
    };
    let opened = match query.form {
        Form::Siv => open_siv(scene, &callee, &query.message),
        Form::Gcm => open_gcm(scene, &callee, &query.message),
    };
    let (asker, message) = match opened {
        Ok(opened) => opened,
        Err(why) => return rejected(format!("Execution error: Enclave: {why}")),
    };
    let surcharge = contract::surcharge(&callee.code);
    let gas = limits::QUERY_SDK_GAS.saturating_sub(surcharge).saturating_mul(GAS_MULTIPLIER);
    let request = Request { entry: Entry::Query, sender: "", funds: &[], message: &message, gas };
    let ran = match contract::run(scene, state, &callee, &request, None, 1) {
        Ok(ran) => ran,
        Err(halt) => return refused(halt),
    };
    let gas_used = surcharge + ran.run.gas_used / GAS_MULTIPLIER + 1;
    asker.told(scene, &ran.run.result, gas_used)
}

/// Who gets the answer.
enum Asker {
    Siv(siv::Session),
    Gcm(gcm::AnswerKeys),
}

impl Asker {
    /// What the contract said, sealed.
    fn told(&self, scene: &Scene<'_>, result: &Result<Returned, Trap>, gas_used: u64) -> Answer {
        let told = match self {
            Self::Siv(session) => siv_told(session, result, gas_used),
            Self::Gcm(keys) => gcm_told(keys, scene, result, gas_used),
        };
        told.unwrap_or_else(|| rejected("Execution error: Enclave: the answer cannot be sealed".into()))
    }
}

/// secret.js's clients find an answer and an error in two places.
fn siv_told(session: &siv::Session, result: &Result<Returned, Trap>, gas_used: u64) -> Option<Answer> {
    match result {
        Ok(Returned::Answer(answer)) => {
            let sealed = session.seal(Zeroizing::new(STANDARD.encode(answer)).as_bytes()).ok()?;
            Some(Answer::Contract { sealed: sealed.into(), gas_used })
        }
        Ok(Returned::Error(error)) => {
            let text = session.seal_text(None, error.text.as_bytes()).ok()?;
            Some(rejected(format!("encrypted: {text}")))
        }
        Ok(Returned::Response(_)) => None,
        Err(trap) => Some(rejected(format!("Execution error: Enclave: {trap}"))),
    }
}

/// Our own form says which height the answer is about, and which run of which enclave gives it. A node does not see whether it is an error, and of its gas a class.
fn gcm_told(
    keys: &gcm::AnswerKeys,
    scene: &Scene<'_>,
    result: &Result<Returned, Trap>,
    gas_used: u64,
) -> Option<Answer> {
    let error = |error| Output { error, ..Output::default() };
    let output = match result {
        Ok(Returned::Answer(answer)) => Output { data: answer.clone(), ..Output::default() },
        Ok(Returned::Error(refused)) => error(refused.text.clone()),
        Ok(Returned::Response(_)) => error(Trap::Panicked.to_string()),
        Err(trap) => error(format!("Execution error: Enclave: {trap}")),
    };
    let run = scene.run.map_or_else(Vec::new, |run| run.to_vec());
    let text = Zeroizing::new(Output { height: scene.header.height, run, ..output }.encode_to_vec());
    Some(Answer::Contract { sealed: keys.seal_answer(&text).ok()?.into(), gas_used: gas::class(gas_used) })
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
    let opened = scene.keys.open_query(&context, message, scene.grace, scene.term());
    let (keys, asked) = opened.map_err(|error| match error {
        // Public: the question names its epoch in the clear.
        MessageError::Epoch { .. } => Cow::from(error.to_string()),
        // One answer to whoever may not ask, whatever it is that he lacks (M-09).
        _ => UNREADABLE.into(),
    })?;
    Ok((Asker::Gcm(keys), asked.text))
}

pub(super) fn rejected(log: String) -> Answer {
    Answer::Rejected(Rejection { codespace: "compute".into(), code: QUERY_FAILED, log })
}

pub(super) fn refused(_: Halt) -> Answer {
    Answer::Refused(QueryRefusal::Supply)
}

pub(super) const UNREADABLE: &str = "failed to decrypt data";
const QUERY_FAILED: u32 = 4;
