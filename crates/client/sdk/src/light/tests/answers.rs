//! Answers as they travel: JSON with base64 of borsh.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use borsh::BorshSerialize;
use serde_json::{Value, json};

use super::world::*;
use crate::light::node::{HeadersAnswer, InclusionAnswer, LeafAnswer};
use crate::light::{Headers, Inclusion, LeafProof, LightError};

fn text(value: &impl BorshSerialize) -> String {
    STANDARD.encode(borsh::to_vec(value).unwrap())
}

fn headers(answer: &Value) -> Result<Headers, Option<LightError>> {
    serde_json::from_value::<HeadersAnswer>(answer.clone()).map_err(|_| None)?.read().map_err(Some)
}

fn inclusion(answer: &Value) -> Result<Inclusion, Option<LightError>> {
    serde_json::from_value::<InclusionAnswer>(answer.clone()).map_err(|_| None)?.read().map_err(Some)
}

fn leaf(answer: &Value) -> Result<LeafProof, Option<LightError>> {
    serde_json::from_value::<LeafAnswer>(answer.clone()).map_err(|_| None)?.read().map_err(Some)
}

#[test]
fn answers_are_read_as_they_are_written() {
    let chain = Chain::steady(3);
    let (told, answer) = headers_answer(&chain);
    assert_eq!(headers(&answer), Ok(told));
    let (told, answer) = inclusion_answer(&chain);
    assert_eq!(inclusion(&answer), Ok(told));
    for name in [PRESENT, ABSENT] {
        let told = leaf_proof(&name, 3);
        let value = told.value.as_ref().map(|value| STANDARD.encode(value));
        assert_eq!(leaf(&json!({ "height": "3", "value": value, "proof": text(&told.proof) })), Ok(told));
    }
}

#[test]
fn an_answer_without_a_field_or_with_garbage_in_it_is_refused_by_name() {
    let chain = Chain::steady(3);
    let (_, answer) = headers_answer(&chain);
    spoilt(&answer, "/headers/0/header", |answer| headers(answer).unwrap_err());
    spoilt(&answer, "/headers/1/certificate", |answer| headers(answer).unwrap_err());
    spoilt(&answer, "/validators/0", |answer| headers(answer).unwrap_err());
    let (_, answer) = inclusion_answer(&chain);
    for field in ["tx_path/0", "receipt", "receipt_path/1"] {
        spoilt(&answer, &format!("/{field}"), |answer| inclusion(answer).unwrap_err());
    }
    let proof = leaf_proof(&PRESENT, 3).proof;
    spoilt(&json!({ "value": "", "proof": text(&proof) }), "/proof", |answer| leaf(answer).unwrap_err());

    for (mut answer, fields) in [
        (headers_answer(&chain).1, &["tip", "headers", "validators"][..]),
        (inclusion_answer(&chain).1, &["index", "count", "tx", "tx_path", "receipt", "receipt_path"]),
    ] {
        for field in fields {
            let kept = answer[field].take();
            assert!(headers(&answer).is_err() && inclusion(&answer).is_err(), "{field}");
            answer[field] = kept;
        }
    }
}

/// Text that is no base64, bytes that are cut, and bytes that are too many: all are named after the field.
fn spoilt(answer: &Value, place: &str, read: impl Fn(&Value) -> Option<LightError>) {
    let whole = STANDARD.decode(answer.pointer(place).unwrap().as_str().unwrap()).unwrap();
    let cut = STANDARD.encode(&whole[..whole.len() - 1]);
    let long = STANDARD.encode([&whole[..], &[0]].concat());
    for text in ["!".into(), cut, long, String::new()] {
        let mut answer = answer.clone();
        *answer.pointer_mut(place).unwrap() = text.into();
        let Some(LightError::Answer(what)) = read(&answer) else { panic!("{place}") };
        assert!(place.contains(what), "{place} is called {what}");
    }
}

fn headers_answer(chain: &Chain) -> (Headers, Value) {
    let told = chain.headers(0, 3);
    let list = told
        .headers
        .iter()
        .map(|(header, certificate)| json!({ "header": text(header), "certificate": certificate.as_ref().map(text) }));
    let validators: Vec<String> = told.validators.iter().map(text).collect();
    let answer = json!({ "tip": "3", "headers": list.collect::<Vec<_>>(), "validators": validators });
    (told, answer)
}

fn inclusion_answer(chain: &Chain) -> (Inclusion, Value) {
    let told = chain.inclusion(3, 1);
    let path = |path: &[_]| path.iter().map(text).collect::<Vec<_>>();
    let answer = json!({
        "height": "3",
        "index": 1,
        "count": 3,
        "tx": STANDARD.encode(&told.tx),
        "tx_path": path(&told.tx_path),
        "receipt": text(&told.receipt),
        "receipt_path": path(&told.receipt_path),
    });
    (told, answer)
}
