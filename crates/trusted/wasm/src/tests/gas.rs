//! Gas: the same for everybody, and what a contract may know and waste of it.

use super::wat::{code, db_write, import, region};
use super::{GAS, World};
use crate::{Entry, Trap, gas};

#[test]
fn the_same_call_costs_the_same_in_every_instance_and_in_every_compilation() {
    let functions = region(1024, b"k")
        + r#"(func (export "execute") (param i32 i32 i32) (result i32) (local $i i32)
            (loop (call $db_write (i32.const 1024) (local.get 2))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if 0 (i32.lt_u (local.get $i) (i32.const 100))))
            (i32.const 16))"#;
    let first = code(&db_write(), &functions);
    let once = World::new().call(&first, Entry::Execute, b"{}");
    assert_eq!(World::new().call(&first, Entry::Execute, b"{}"), once);
    assert_eq!(World::new().call(&code(&db_write(), &functions), Entry::Execute, b"{}"), once);
    assert!(once.gas_used > 100 * gas::WRITE);
    // With what it used, it just fits; with less it does not.
    let exactly = World::new().call_with(&first, Entry::Execute, b"{}", once.gas_used);
    assert_eq!(exactly, once);
    let less = World::new().call_with(&first, Entry::Execute, b"{}", once.gas_used - 1);
    assert_eq!(less.result, Err(Trap::OutOfGas));
}

#[test]
fn an_instruction_costs_two() {
    let adding = |times: usize| {
        let adds = "(i32.add (i32.const 1)".repeat(times) + "(i32.const 0)" + &")".repeat(times);
        let execute =
            format!("(func (export \"execute\") (param i32 i32 i32) (result i32) (drop {adds}) (i32.const 16))");
        World::new().call(&code("", &execute), Entry::Execute, b"{}").gas_used
    };
    // Each adds a constant and an addition.
    assert_eq!(adding(30) - adding(20), 10 * 2 * u64::from(gas::INSTRUCTION));
}

#[test]
fn what_the_host_says_is_charged() {
    let functions = region(1024, b"k")
        + r#"(func (export "execute") (param i32 i32 i32) (result i32)
            (call $db_write (i32.const 1024) (local.get 2)) (i32.const 16))"#;
    let code = code(&db_write(), &functions);
    let costing = |price| World { price, ..World::new() }.call(&code, Entry::Execute, b"{}");
    assert_eq!(costing(1_000_000).gas_used - costing(0).gas_used, 1_000_000);
    assert_eq!(costing(GAS).result, Err(Trap::OutOfGas));
    assert_eq!(costing(u64::MAX).result, Err(Trap::OutOfGas));
}

/// Evaporates `amount`, and keeps what `check_gas` said before and after.
fn evaporating(amount: u32) -> (u64, Vec<u64>) {
    let imports =
        db_write() + &import("check_gas", "(result i64)") + &import("gas_evaporate", "(param i32) (result i32)");
    let functions = region(1024, b"k")
        + &region(1060, &[0; 16])
        + &format!(
            r#"(func (export "execute") (param i32 i32 i32) (result i32)
                (i64.store (i32.const 1072) (call $check_gas))
                (drop (call $gas_evaporate (i32.const {amount})))
                (i64.store (i32.const 1080) (call $check_gas))
                (call $db_write (i32.const 1024) (i32.const 1060)) (i32.const 16))"#
        );
    let mut world = World::new();
    let ran = world.call(&code(&imports, &functions), Entry::Execute, b"{}");
    assert!(ran.result.is_ok());
    let seen = world.at("k");
    (ran.gas_used, seen.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())).collect())
}

#[test]
fn what_evaporates_is_what_was_asked_for() {
    let (base, _) = evaporating(8);
    for amount in [9, 100, 4_321] {
        let (used, seen) = evaporating(amount);
        assert_eq!(used - base, u64::from(amount - 8) * gas::MULTIPLIER);
        // Between the two looks lie the amount and one look's price, in the SDK's gas and rounded down.
        let between = seen[1] - seen[0];
        let amount = u64::from(amount);
        assert!((amount + 8..=amount + 9).contains(&between), "{between}");
    }
    // A little costs the least.
    assert_eq!(evaporating(0).0, base);
}

#[test]
fn more_than_there_is_cannot_evaporate() {
    let execute = r#"(func (export "execute") (param i32 i32 i32) (result i32)
        (drop (call $gas_evaporate (i32.const -1))) (i32.const 16))"#;
    let code = code(&import("gas_evaporate", "(param i32) (result i32)"), execute);
    assert_eq!(World::new().call(&code, Entry::Execute, b"{}").result, Err(Trap::OutOfGas));
}

#[test]
fn a_response_is_paid_by_its_parts() {
    let cost = |json: &str| World::new().call(&super::wat::returning(json.as_bytes()), Entry::Execute, b"{}").gas_used;
    let two = cost(r#"{"Ok":{"attributes":[{"key":"a","value":"b"},{"key":"a","value":"b"}]}}"#);
    let one = cost(r#"{"Ok":{"attributes":[{"key":"a","value":"b"}                        ]}}"#);
    assert_eq!(two - one, gas::ITEM);
}

#[test]
fn debug_prints_nothing_and_is_not_free() {
    let printing = |times: usize| {
        let prints = "(call $debug (i32.const -1))".repeat(times);
        let execute = format!("(func (export \"execute\") (param i32 i32 i32) (result i32) {prints} (i32.const 16))");
        World::new().call(&code(&import("debug", "(param i32)"), &execute), Entry::Execute, b"{}")
    };
    assert!(printing(2).result.is_ok());
    assert!(printing(2).gas_used - printing(1).gas_used >= gas::DEBUG);
}

#[test]
fn quotes_are_not_judged_inside() {
    let imports = db_write() + &import("dcap_quote_verify", "(param i32 i32) (result i64)");
    let functions = region(1024, b"k")
        + &region(1060, &[0; 8])
        + r#"(func (export "execute") (param i32 i32 i32) (result i32)
            (i64.store (i32.const 1072) (call $dcap_quote_verify (local.get 2) (local.get 2)))
            (call $db_write (i32.const 1024) (i32.const 1060)) (i32.const 16))"#;
    let mut world = World::new();
    assert!(world.call(&code(&imports, &functions), Entry::Execute, b"{}").gas_used > gas::QUOTE_VERIFY);
    assert_eq!(world.at("k"), (1_u64 << 32).to_le_bytes());
}
