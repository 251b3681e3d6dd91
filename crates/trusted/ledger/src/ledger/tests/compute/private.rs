//! What the host sees of contracts: names, sizes, ciphertext.

use super::*;

/// A word that stands nowhere by chance.
const SECRET: &str = "the planted secret 7f3a9c51";

fn holds(bytes: &[u8]) -> bool {
    let base64 = STANDARD.encode(SECRET);
    let hex = hex::encode(SECRET);
    [SECRET.as_bytes(), &base64.as_bytes()[..20], hex.as_bytes()]
        .iter()
        .any(|needle| bytes.windows(needle.len()).any(|window| window == *needle))
}

#[test]
fn a_planted_secret_stands_nowhere_outside() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let write = json!({ "write": { "key": SECRET, "value": SECRET } });
    assert_eq!(story.execute(&one, &write).error(), "");
    assert_eq!(story.sub(&one, &[("always", two.call(&write))]).error(), "");
    let failed = story.execute(&one, &json!({ "fail": { "text": SECRET } }));
    assert!(failed.error().contains(SECRET));
    let caught = story.sub(&one, &[("error", two.call(&json!({ "fail": { "text": SECRET } })))]);
    assert_eq!(caught.error(), "");
    let attributes = json!([{ "key": SECRET, "value": SECRET, "encrypted": true }]);
    story.execute(&one, &json!({ "attributes": { "attributes": attributes } }));
    // What a contract takes for an address, a denomination or a type may be a secret too.
    let code_hash = hex::encode(one.code_hash);
    for message in [
        json!({ "send": { "to": SECRET, "amount": [{ "denom": "uscrt", "amount": "1" }] } }),
        json!({ "send": { "to": bech32(&account(2)), "amount": [{ "denom": SECRET, "amount": "1" }] } }),
        json!({ "execute": { "contract": SECRET, "code_hash": code_hash, "msg": STANDARD.encode("{}") } }),
        json!({ "execute": { "contract": bech32(&two.address), "code_hash": SECRET, "msg": STANDARD.encode("{}") } }),
        json!({ "update_admin": { "contract": bech32(&two.address), "admin": SECRET } }),
        json!({ "stargate": { "type_url": SECRET, "value": STANDARD.encode(SECRET) } }),
    ] {
        assert_eq!(story.sub(&one, &[("never", message)]).status, Status::Failed);
    }
    let (_, refused) = story.try_make((one.code_id, one.code_hash), "three", &json!({ "fail": SECRET }));
    assert!(refused.error().contains(SECRET));
    assert_eq!(story.read(&two, SECRET), json!(SECRET));
    let asked = story.query(&one, &json!({ "fail": { "text": SECRET } }));
    assert_eq!(asked, Err(SECRET.into()));

    for outcome in &story.chain.outcomes {
        assert!(!holds(&borsh::to_vec(outcome).expect("memory")), "height {}", outcome.height);
    }
    for (leaf, value) in &story.chain.host.leaves {
        assert!(!holds(&leaf.to_bytes()) && !holds(value), "{leaf:?}");
    }
}

#[test]
fn equal_values_never_look_equal_and_sizes_are_padded() {
    let mut story = Story::new();
    let one = story.prober();
    let two = story.another(&one, "two");
    let sealed_leaves = |story: &Story, of: &Made| -> BTreeMap<Leaf, Vec<u8>> {
        let own = |leaf: &Leaf| matches!(leaf, Leaf::Sealed(contract, _) if *contract == of.address);
        story
            .chain
            .host
            .leaves
            .iter()
            .filter(|(leaf, _)| own(leaf))
            .map(|(leaf, value)| (*leaf, value.clone()))
            .collect()
    };
    let write = |key: &str, value: &str| json!({ "write": { "key": key, "value": value } });
    story.execute(&one, &write("a", "same"));
    let before = sealed_leaves(&story, &one);
    story.execute(&one, &write("a", "same"));
    story.execute(&two, &write("a", "same"));
    let after = sealed_leaves(&story, &one);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_ne!(before, after, "the same value written again is another ciphertext");
    let other = sealed_leaves(&story, &two);
    let names = |leaves: &BTreeMap<Leaf, Vec<u8>>| -> Vec<B256> {
        let name = |leaf: &Leaf| if let Leaf::Sealed(_, name) = leaf { *name } else { B256::ZERO };
        leaves.keys().map(name).collect()
    };
    assert!(
        names(&after).iter().all(|name| !names(&other).contains(name)),
        "one key has another name in each contract"
    );
    story.execute(&one, &write("b", "x"));
    story.execute(&one, &write("c", "twenty-eight bytes of value!"));
    let lengths: Vec<usize> = sealed_leaves(&story, &one).values().map(Vec::len).collect();
    assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "short values look alike: {lengths:?}");
}

#[test]
fn a_host_that_moves_sealed_values_is_found_out() {
    let mut story = Story::new();
    let one = story.prober();
    for key in ["a", "b"] {
        story.execute(&one, &json!({ "write": { "key": key, "value": key } }));
    }
    let sealed: Vec<Leaf> =
        story.chain.host.leaves.keys().copied().filter(|leaf| matches!(leaf, Leaf::Sealed(..))).collect();
    // An enclave that starts anew has no values of its own yet.
    let checkpoint = story.chain.ledger.checkpoint().clone();
    let mut loading = Ledger::resume(&story.chain.genesis, roots(), checkpoint).expect("a checkpoint");
    let mut swapped = story.chain.host.leaves.clone();
    let (first, second) = (swapped[&sealed[0]].clone(), swapped[&sealed[1]].clone());
    swapped.insert(sealed[0], second);
    swapped.insert(sealed[1], first);
    loading.load(swapped.into_iter().collect());
    assert!(matches!(loading.finish().map(drop), Err(Halt::Root)));
}

#[test]
fn v16_writing_the_same_looks_like_writing_something_else() {
    /// What the host sees of a second write into one entry: which leaves, how long, how much gas, what changed.
    type Seen = (Vec<(Leaf, Option<usize>)>, Vec<u64>, Vec<usize>, bool);

    fn view(second: &str) -> Seen {
        let mut story = Story::new();
        let one = story.prober();
        let write = |value: &str| json!({ "write": { "key": "a", "value": value } });
        assert_eq!(story.execute(&one, &write("same")).error(), "");
        let before = story.chain.host.leaves.clone();
        assert_eq!(story.execute(&one, &write(second)).error(), "");
        let outcome = story.chain.outcomes.last().expect("a block");
        let sealed = |leaf: &Leaf| matches!(leaf, Leaf::Sealed(..));
        let lengths = |(leaf, value): &(Leaf, Option<Vec<u8>>)| (*leaf, value.as_ref().map(Vec::len));
        let changed = outcome.writes.iter().any(|(leaf, value)| sealed(leaf) && before.get(leaf) != value.as_ref());
        let gas = outcome.receipts.iter().map(|receipt| receipt.gas_used).collect();
        let receipts = outcome.receipts.iter().map(|receipt| borsh::to_vec(receipt).expect("memory").len()).collect();
        (outcome.writes.iter().map(lengths).collect(), gas, receipts, changed)
    }
    let (same, other) = (view("same"), view("else"));
    assert_eq!(same, other);
    assert!(same.3, "a write of what is there already is a write");
}
