//! V-33: every field of the file, changed.

use serde_json::Value;

use super::world::*;
use crate::bundle::{Bundle, Demands, MAX_BYTES, Verdict};

/// Verifies text; `None` if it is refused, for whatever reason.
fn verdict(world: &World, text: &str) -> Option<Verdict> {
    world.verify(&Bundle::from_json(text).ok()?, &Demands { nodes: 2, ..Demands::default() }).ok()
}

/// Every place of a value that is neither an object nor a list, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{at}/{i}"), found)),
        _ => found.push(at.into()),
    }
}

/// The same letters but for the one at `at`.
fn bent(text: &str, at: usize) -> String {
    let mut letters = text.as_bytes().to_vec();
    letters[at] = if letters[at].eq_ignore_ascii_case(&b'A') { b'B' } else { b'A' };
    String::from_utf8(letters).unwrap()
}

#[test]
fn v33_no_field_of_a_bundle_can_be_changed() {
    let world = Plan::new().build();
    let text = world.collect(&Demands { nodes: 2, ..Demands::default() }).unwrap().to_json();
    let whole: Value = serde_json::from_str(&text).unwrap();
    let genuine = verdict(&world, &text).unwrap();
    let mut found = Vec::new();
    places(&whole, "", &mut found);
    let fields = found.len();
    for place in found {
        let with = |change: Value| {
            let mut bundle = whole.clone();
            *bundle.pointer_mut(&place).unwrap() = change;
            verdict(&world, &bundle.to_string())
        };
        let letters = match whole.pointer(&place).unwrap() {
            Value::Bool(flag) => {
                assert_eq!(with(Value::Bool(!flag)), None, "{place}");
                continue;
            }
            Value::String(letters) => letters,
            other => panic!("{place}: {other}"),
        };
        for change in [Value::Null, Value::from(1), Value::from(""), Value::from(letters[1..].to_owned())] {
            assert_eq!(with(change), None, "{place}");
        }
        // Evidence is long, takes long to verify, and has bytes that nobody signed: these prove the same, or nothing.
        let evidence = place.ends_with("/registration");
        let step = if evidence { letters.len() / 97 } else { 1 };
        for at in (0..letters.len()).step_by(step) {
            let told = with(Value::from(bent(letters, at)));
            assert!(told.is_none() || evidence && told.as_ref() == Some(&genuine), "{place}, letter {at}");
        }
    }
    assert!(fields > 30, "{fields} fields");
}

#[test]
fn v33_no_part_can_be_left_out_doubled_or_added() {
    let world = Plan::new().build();
    let whole: Value = serde_json::from_str(&world.whole().to_json()).unwrap();
    assert!(verdict(&world, &whole.to_string()).is_some());
    for name in whole.as_object().unwrap().keys() {
        let mut bundle = whole.clone();
        bundle.as_object_mut().unwrap().remove(name);
        assert_eq!(verdict(&world, &bundle.to_string()), None, "without {name}");
    }
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 8] = [
        ("one more field", |bundle| bundle["more"] = true.into()),
        ("one more field of the start", |bundle| bundle["start"]["more"] = true.into()),
        ("one more field of a link", |bundle| bundle["links"][0]["more"] = true.into()),
        ("one more field of a member", |bundle| bundle["members"][0]["more"] = true.into()),
        ("one more field of a proof", |bundle| bundle["trust"]["more"] = true.into()),
        ("no links to leap from", |bundle| drop(bundle["links"].as_array_mut().unwrap().drain(..4))),
        ("no newest link", |bundle| drop(bundle["links"].as_array_mut().unwrap().pop())),
        ("a link twice", |bundle| {
            let first = bundle["links"][0].clone();
            bundle["links"].as_array_mut().unwrap().insert(0, first);
        }),
    ];
    for (name, change) in changes {
        let mut bundle = whole.clone();
        change(&mut bundle);
        assert_eq!(verdict(&world, &bundle.to_string()), None, "{name}");
    }
    assert_eq!(verdict(&world, &format!("{whole}{}", " ".repeat(MAX_BYTES))), None, "more than a wallet reads");
}
