use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, hex};
use cloister_envelope::ExchangeKey;
use cloister_envelope::message::Coin;
use serde_json::Value;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use zeroize::ZeroizeOnDrop;

use super::*;
use crate::roots::{EpochRoot, PermanentRoot};
use crate::share::LABEL as SHARE_LABEL;
use crate::state::VALUE_LABEL;
use crate::{
    BootKey, Keys, NetworkCipher, Onboarding, Purpose, Roots, SealingKey, Seed, StateKeys, TxKeys, WritePlace,
};

assert_not_impl_any!(Seed: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(Roots: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(Keys: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(PermanentRoot: Clone, Copy, core::fmt::Debug, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(EpochRoot: Clone, Copy, core::fmt::Debug, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(TxKeys: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(Onboarding: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(NetworkCipher: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(StateKeys: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(BootKey: Clone, Copy, core::fmt::Display, serde::Serialize);
assert_not_impl_any!(SealingKey: Clone, Copy, core::fmt::Display, serde::Serialize);
// What a `Parent` (two states of SHA-256) and the ciphers keep is erased because these are.
assert_impl_all!(Sha256: ZeroizeOnDrop);
assert_impl_all!(aes::Aes256: ZeroizeOnDrop);

const CHAIN: &str = "golden-1";
const ADDRESS: Address = Address::repeat_byte(0xaa);
const CONTRACT: Address = Address::repeat_byte(0xcc);
const PARENT: B256 = B256::repeat_byte(0x11);

fn seed() -> Seed {
    Seed::from_bytes(core::array::from_fn(|index| u8::try_from(index).expect("32 bytes")))
}

fn roots() -> Roots {
    Roots::found(CHAIN, seed())
}

fn keys() -> Keys {
    Keys::new(CHAIN, roots())
}

fn transaction() -> TxKeys {
    keys().transaction(7, PARENT, B256::repeat_byte(0x22))
}

fn place() -> WritePlace {
    WritePlace { height: 7, header_hash: PARENT, transaction: 2, write: 5 }
}

fn sealing_key() -> SealingKey {
    SealingKey::from_bytes(CHAIN, [0x5e; 32])
}

fn boot_key() -> BootKey {
    BootKey::from_secret(Secret::from_bytes([0xb0; 32]))
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/golden.json")).expect("the file beside the script")
}

fn hex_of<const N: usize>(secret: &Secret<N>) -> String {
    secret.expose(|bytes| hex::encode(bytes))
}

fn word(word: U256) -> String {
    hex::encode(word.to_be_bytes::<32>())
}

#[test]
fn every_row_of_the_table_gives_its_known_answer() {
    let root = || Parent::<Root>::new(CHAIN.into(), &seed().0);
    let epoch = || root().child::<Epoch>(&EPOCH_ROOT, &[]);
    let parent_context = PARENT.as_slice();
    let mut tx = transaction();
    let onboardings = [tx.onboarding(), tx.onboarding()];
    let sealing = Parent::<Sealing>::new(CHAIN.into(), &Secret::from_bytes([0x5e; 32]));
    let (boot, ephemeral) = (boot_key(), ExchangeKey::from_secret(Secret::from_bytes([0xe0; 32])));
    let (boot_key, ephemeral_key) = (boot.public(), ephemeral.public());
    let agreed = ephemeral.agree(&boot_key).expect("no key of low order");
    let exchange = Parent::<Exchange>::new(CHAIN.into(), &agreed);
    let nonce = |purpose: Purpose, context: &[u8]| {
        hex_of(&sealing.derive(&SEALING_NONCE, &[&info(CHAIN, purpose.label(), &[context])]))
    };
    let permanent = root().child::<Permanent>(&PERMANENT_ROOT, &[]);
    let state = epoch().child::<State>(&CONTRACT_STATE, &[CONTRACT.as_slice()]);
    let names = permanent.child::<Names>(&CONTRACT_NAMES, &[CONTRACT.as_slice()]);
    let name = keys().contract_state(CONTRACT).name(b"balance of alice");
    let [height, transaction_index, write] = [7_u64, 2, 5].map(u64::to_be_bytes);
    let state_nonce = [name.as_slice(), &height, parent_context, &transaction_index, &write];
    let ours: BTreeMap<&str, Vec<String>> = BTreeMap::from([
        ("permanent root", vec![hex_of(&root().derive(&PERMANENT_ROOT, &[]))]),
        ("epoch root", vec![hex_of(&root().derive(&EPOCH_ROOT, &[]))]),
        ("user aes key", vec![keys().user_key(ADDRESS).to_client_hex().to_string()]),
        ("io exchange key", vec![hex_of(&permanent.derive(&IO_EXCHANGE, &[]))]),
        ("seed exchange key", vec![hex_of(&permanent.derive(&SEED_EXCHANGE, &[]))]),
        ("input exchange key", vec![hex_of(&epoch().derive(&INPUT_EXCHANGE, &[]))]),
        ("callback secret", vec![hex_of(&epoch().derive(&CALLBACK_SECRET, &[]))]),
        ("contract random", vec![hex_of(&keys().contract_random(PARENT, CONTRACT, 3))]),
        ("contract state", vec![hex_of(&epoch().derive(&CONTRACT_STATE, &[CONTRACT.as_slice()]))]),
        ("contract names", vec![hex_of(&permanent.derive(&CONTRACT_NAMES, &[CONTRACT.as_slice()]))]),
        ("state name", vec![hex_of(&names.derive(&STATE_NAME, &[b"balance of alice"]))]),
        ("state cipher", vec![hex_of(&state.derive(&STATE_CIPHER, &[]))]),
        ("state nonce", vec![hex_of(&state.derive(&STATE_NONCE, &state_nonce))]),
        ("next epoch root", vec![hex_of(&epoch().derive(&NEXT_EPOCH_ROOT, &[&1_u64.to_be_bytes(), &[0x44; 32]]))]),
        ("network cell key", vec![hex_of(&epoch().derive(&NETWORK_KEY, &[CONTRACT.as_slice()]))]),
        (
            "transaction key",
            vec![hex_of(&epoch().derive(&TRANSACTION_KEY, &[&7_u64.to_be_bytes(), parent_context, &[0x22; 32]]))],
        ),
        ("sweep key", vec![hex_of(&epoch().derive(&SWEEP_KEY, &[&7_u64.to_be_bytes(), parent_context]))]),
        ("query key", vec![hex_of(&epoch().derive(&QUERY_KEY, &[&[0x33; 32]]))]),
        ("block beacon", vec![hex::encode(keys().beacon(PARENT))]),
        ("handle", vec![word(tx.handle()), word(tx.handle())]),
        ("cell salt", vec![hex::encode(tx.salt()), hex::encode(tx.salt())]),
        ("random number", vec![word(tx.random()), word(tx.random())]),
        ("onboarding share", onboardings.iter().map(|onboarding| hex_of(&onboarding.share)).collect()),
        ("onboarding coins", onboardings.iter().flat_map(|onboarding| &onboarding.coins).map(hex_of).collect()),
        (
            "roots share",
            vec![hex_of(&exchange.derive(&ROOTS_SHARE, &[&[0x66; 32], &[0x77; 32], &ephemeral_key, &boot_key]))],
        ),
        ("share ephemeral", vec![hex_of(&tx.share_ephemeral(&B256::repeat_byte(0x77)))]),
        ("sealing cipher", vec![hex_of(&sealing.derive(&SEALING_CIPHER, &[]))]),
        (
            "sealing nonce",
            vec![nonce(Purpose::Roots, b"measurement"), nonce(Purpose::Checkpoint, &7_u64.to_be_bytes())],
        ),
    ]);
    assert_eq!(ours.keys().copied().collect::<BTreeSet<_>>(), TABLE.iter().map(|row| row.label).collect());
    assert_eq!(serde_json::to_value(&ours).expect("strings"), golden()["rows"]);
    for row in TABLE {
        assert!(ours[row.label].iter().all(|output| output.len() == 2 * row.bytes), "{}", row.label);
    }
}

#[test]
fn what_is_made_with_the_keys_is_known_too() {
    let golden = golden();
    let salt = transaction().salt();
    assert_eq!(word(keys().user_cipher(ADDRESS).seal(salt, 5)), golden["user_cell_of_5"]);
    assert_eq!(
        word(keys().network_cipher(CONTRACT, 0).expect("the present epoch").seal(salt, 5)),
        golden["network_cell_of_5"]
    );
    assert_eq!(hex::encode(keys().query(B256::repeat_byte(0x33)).salt()), golden["query_salt"]);
    let next = keys().next_epoch(&B256::repeat_byte(0x44));
    assert_eq!(hex::encode(next.beacon(PARENT)), golden["beacon_of_epoch_1"]);

    assert_eq!(hex::encode(keys().io_public()), golden["public_keys"]["io"]);
    assert_eq!(hex::encode(keys().seed_exchange().public()), golden["public_keys"]["seed"]);
    assert_eq!(hex::encode(keys().input_public()), golden["public_keys"]["input"]);
    let funds = [Coin { denom: "uscrt", amount: U256::from(5) }];
    assert_eq!(hex::encode(keys().callback_signature(b"message", &funds)), golden["callback_signature"]);

    let sealed = sealing_key().seal_roots(b"measurement", &roots()).expect("short");
    assert_eq!(hex::encode(&sealed), golden["sealed_roots"]);
    assert_eq!(sealing_key().open_roots(b"measurement", &sealed), Ok(roots()));
    let (genesis, registration) = (B256::repeat_byte(0x66), B256::repeat_byte(0x77));
    let ephemeral = Secret::from_bytes([0xe0; 32]);
    let share = roots().share(CHAIN, &genesis, &registration, &boot_key().public(), ephemeral).expect("a good key");
    assert_eq!(hex::encode(&share), golden["roots_share"]);
    assert_eq!(boot_key().open(CHAIN, &genesis, &registration, &share), Ok(roots()));
    let sealed = sealing_key().seal(Purpose::Checkpoint, &7_u64.to_be_bytes(), b"height 7").expect("short");
    assert_eq!(hex::encode(&sealed), golden["sealed_checkpoint"]);
}

#[test]
fn the_layout_of_the_roots_is_known_too() {
    let golden = golden();
    let stepped = roots().step(CHAIN, &B256::repeat_byte(0x44));
    for (roots, known) in [(roots(), "roots"), (stepped, "roots_after_a_switch")] {
        let bytes = roots.to_bytes();
        assert_eq!(hex::encode(&*bytes), golden[known]);
        assert_eq!(Roots::from_bytes(&bytes), Some(roots));
        assert_eq!(Roots::from_bytes(&bytes[1..]), None);
    }
}

#[test]
fn sealed_values_are_known_too() {
    let (golden, state) = (golden(), keys().contract_state(CONTRACT));
    let name = state.name(b"balance of alice");
    for (value, sealed) in golden["state_values"].as_object().expect("an object") {
        let ours = state.seal(name, &place(), value.as_bytes()).expect("short");
        assert_eq!(hex::encode(&ours), *sealed);
        assert_eq!(state.open(name, &ours).expect("sealed just now").as_slice(), value.as_bytes());
    }
}

#[test]
fn no_label_occurs_twice_and_none_has_a_separator() {
    let labels: Vec<&str> = TABLE
        .iter()
        .map(|row| row.label)
        .chain(Purpose::ALL.map(Purpose::label))
        .chain([VALUE_LABEL, SHARE_LABEL])
        .collect();
    assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len());
    for row in TABLE {
        assert!(!row.label.is_empty() && !row.label.contains('/'), "{}", row.label);
        assert!(["never", "epoch", "once"].contains(&row.may_change), "{}", row.label);
    }
}

#[test]
fn two_contexts_never_read_the_same() {
    let split_differently = [info("a", "b", &[b"12", b"3"]), info("a", "b", &[b"1", b"23"]), info("a", "b", &[b"123"])];
    let absent_or_empty = [info("a", "b", &[]), info("a", "b", &[b""]), info("ab", "", &[])];
    let all: BTreeSet<_> = split_differently.into_iter().chain(absent_or_empty).collect();
    assert_eq!(all.len(), 6);
}
