//! Contracts that mean harm. Each hurts itself only.

use proptest::prelude::*;

use super::wat::{code, db_write, import, region, returning};
use super::{GAS, World, nothing};
use crate::{Entry, Run, Trap, limits};

fn executing(imports: &str, body: &str) -> Run {
    let execute = format!("(func (export \"execute\") (param i32 i32 i32) (result i32) {body})");
    World::new().call(&code(imports, &execute), Entry::Execute, b"{}")
}

#[test]
fn a_loop_without_end_ends_with_the_gas() {
    let endless = executing("", "(loop (br 0)) (i32.const 16)");
    assert_eq!(endless, Run { gas_used: GAS, result: Err(Trap::OutOfGas) });
    assert_eq!(Trap::OutOfGas.to_string(), "execution ran out of gas");
}

#[test]
fn a_panic_is_told_and_costs_what_it_used() {
    let panicked = executing("", "(unreachable)");
    assert_eq!(panicked.result, Err(Trap::Panicked));
    assert!(panicked.gas_used < 10_000);
    assert_eq!(Trap::Panicked.to_string(), "the contract panicked");
}

#[test]
fn each_kind_of_fault_has_its_name() {
    let fault = |body| executing("", body).result.unwrap_err();
    assert_eq!(fault("(i32.load (i32.const -1))"), Trap::Bounds);
    assert_eq!(fault("(i32.div_u (i32.const 1) (i32.const 0))"), Trap::Division);
    assert_eq!(fault("(i32.div_s (i32.const 0x80000000) (i32.const -1))"), Trap::Overflow);
    let table = r#"(table 2 funcref) (elem (i32.const 0) $long) (func $long (param i64))
        (func (export "execute") (param i32 i32 i32) (result i32)
            (call_indirect (result i32) (i32.load (i32.const 1024))))"#;
    for (index, trap) in [(0_u32, Trap::Signature), (1, Trap::Uninitialized), (2, Trap::Table)] {
        let at = format!("(data (i32.const 1024) \"\\{index:02x}\\00\\00\\00\")");
        let result = World::new().call(&code("", &(at + table)), Entry::Execute, b"{}").result;
        assert_eq!(result, Err(trap));
    }
}

#[test]
fn calls_nest_only_so_deep() {
    let recursion = r#"(func $f (call $f))
        (func (export "execute") (param i32 i32 i32) (result i32) (call $f) (i32.const 16))"#;
    let result = World::new().call(&code("", recursion), Entry::Execute, b"{}").result;
    assert_eq!(result, Err(Trap::Stack));
    // Nor does it help to need much of the stack each time.
    let locals = "i64 ".repeat(500);
    let wide = format!(
        "(func $f (local {locals}) (call $f))
        (func (export \"execute\") (param i32 i32 i32) (result i32) (call $f) (i32.const 16))"
    );
    let result = World::new().call(&code("", &wide), Entry::Execute, b"{}").result;
    assert_eq!(result, Err(Trap::Stack));
}

#[test]
fn memory_grows_to_its_bound_and_no_further() {
    // Three pages are there from the beginning.
    let grow = |pages: u64| {
        executing(
            "",
            &format!(
                "(if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then (unreachable))) (i32.const 16)"
            ),
        )
    };
    assert_eq!(grow(limits::MEMORY_PAGES - 3).result, Ok(nothing()));
    assert_eq!(grow(limits::MEMORY_PAGES - 2).result, Err(Trap::Panicked));
    let page = grow(11).gas_used - grow(10).gas_used;
    assert_eq!(page, 8_192);
}

#[test]
fn tables_grow_to_their_bound_and_no_further() {
    let grows = r#"(table $t 1 funcref)
        (func (export "execute") (param i32 i32 i32) (result i32)
            (if (i32.ne (table.grow $t (ref.null func) (i32.const 16384)) (i32.const -1)) (then (unreachable)))
            (i32.const 16))"#;
    assert_eq!(World::new().call(&code("", grows), Entry::Execute, b"{}").result, Ok(nothing()));
}

#[test]
fn copies_are_paid_by_the_byte() {
    let copy = |bytes: u32| {
        executing("", &format!("(memory.copy (i32.const 0) (i32.const 65536) (i32.const {bytes})) (i32.const 16)"))
            .gas_used
    };
    assert_eq!(copy(16_000) - copy(8_000), 1_000);
}

#[test]
fn allocate_may_lie_trap_or_run_for_ever() {
    let allocating = |body: &str| {
        let functions = format!("(func (export \"allocate\") (param i32) (result i32) {body})");
        World::new().call(&code("", &functions), Entry::Execute, b"{}").result
    };
    assert_eq!(allocating("(i32.const 0)"), Err(Trap::Allocate));
    assert_eq!(allocating("(i32.const -1)"), Err(Trap::MemoryWrite));
    // A region of no capacity, and one that lies behind the memory.
    assert_eq!(allocating("(i32.const 8192)"), Err(Trap::MemoryWrite));
    assert_eq!(
        allocating(
            "(i32.store (i32.const 8192) (i32.const -8)) (i32.store (i32.const 8196) (i32.const -1)) (i32.const 8192)"
        ),
        Err(Trap::MemoryWrite)
    );
    assert_eq!(allocating("(unreachable)"), Err(Trap::Panicked));
    assert_eq!(allocating("(loop (br 0)) (i32.const 16)"), Err(Trap::OutOfGas));
}

#[test]
fn allocate_cannot_nest_through_its_own_imports() {
    let functions = region(1024, b"key")
        + r#"(func (export "allocate") (param i32) (result i32) (call $db_read (i32.const 1024)))"#;
    let nesting = code(&import("db_read", "(param i32) (result i32)"), &functions);
    let mut world = World::new();
    world.state.insert(b"key".to_vec(), b"value".to_vec());
    assert_eq!(world.call(&nesting, Entry::Execute, b"{}").result, Err(Trap::Allocate));
}

#[test]
fn what_is_returned_may_be_anything() {
    let returned = |json: &[u8], entry| World::new().call(&returning(json), entry, b"{}").result;
    for entry in [Entry::Execute, Entry::Query] {
        for json in [&b""[..], b"{", b"null", b"[]", b"{}", b"\xff\xfe", br#"{"Ok":1}"#, br#"{"Ok":{},"Err":""}"#] {
            assert_eq!(returned(json, entry), Err(Trap::Malformed), "{json:?}");
        }
        let deep = [b"{\"Err\":".as_slice(), &b"[".repeat(50_000)].concat();
        assert_eq!(returned(&deep, entry), Err(Trap::Malformed));
    }
    assert_eq!(returned(br#"{"Ok":"not base64"}"#, Entry::Query), Err(Trap::Malformed));
    assert_eq!(Trap::Malformed.to_string(), "failed to deserialize data");
}

#[test]
fn what_is_returned_may_not_be_endless() {
    let grown = |length: u32| {
        let body = format!(
            "(drop (memory.grow (i32.const 30)))
            (i32.store (i32.const 8192) (i32.const 16384))
            (i32.store (i32.const 8196) (i32.const {length}))
            (i32.store (i32.const 8200) (i32.const {length}))
            (i32.const 8192)"
        );
        executing("", &body).result
    };
    assert_eq!(grown(limits::RESULT_BYTES), Err(Trap::Malformed));
    assert_eq!(grown(limits::RESULT_BYTES + 1), Err(Trap::MemoryRead));

    let attribute = r#"{"key":"","value":""},"#.repeat(limits::RESPONSE_ITEMS);
    let many = |attributes: &str| format!(r#"{{"Ok":{{"attributes":[{attributes}]}}}}"#);
    let enough = many(attribute.trim_end_matches(','));
    let result = World::new().call(&returning(enough.as_bytes()), Entry::Execute, b"{}").result;
    assert!(result.is_ok(), "{result:?}");
    let too_many = many(&(attribute + r#"{"key":"","value":""}"#));
    let result = World::new().call(&returning(too_many.as_bytes()), Entry::Execute, b"{}").result;
    assert_eq!(result, Err(Trap::Malformed));
}

/// What a region of these three numbers gives to whom it is passed, in a memory of three pages.
fn model(offset: u32, capacity: u32, length: u32) -> Result<usize, Trap> {
    let end = u64::from(offset) + u64::from(capacity);
    if length <= capacity && end <= 3 << 16 && length <= limits::VALUE_BYTES {
        Ok(length as usize)
    } else {
        Err(Trap::MemoryRead)
    }
}

/// Numbers near what matters, and any.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..64_u32, (3 << 16) - 64..(3_u32 << 16) + 64, any::<u32>(), (u32::MAX - 64)..=u32::MAX, 0..200_000_u32]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_region_is_what_it_says_if_it_lies_inside(offset in number(), capacity in number(), length in number()) {
        let numbers = [offset, capacity, length].map(u32::to_le_bytes).concat();
        // The message holds the region's numbers: the contract takes the message's own bytes for a region.
        let functions = region(1024, b"k") + r#"(func (export "execute") (param i32 i32 i32) (result i32)
            (call $db_write (i32.const 1024) (i32.load (local.get 2))) (i32.const 16))"#;
        let mut world = World::new();
        let ran = world.call(&code(&db_write(), &functions), Entry::Execute, &numbers);
        match model(offset, capacity, length) {
            Ok(bytes) => {
                prop_assert_eq!(ran.result, Ok(nothing()));
                prop_assert_eq!(world.at("k").len(), bytes);
            }
            Err(trap) => prop_assert_eq!(ran.result, Err(trap)),
        }
    }

    #[test]
    fn any_pointer_is_survived(key in number(), value in number()) {
        let functions = format!(
            "(func (export \"execute\") (param i32 i32 i32) (result i32) (call $db_write (i32.const {key}) (i32.const {value})) (i32.const 16))"
        );
        let ran = World::new().call(&code(&db_write(), &functions), Entry::Execute, b"{}");
        prop_assert!(ran.gas_used <= GAS);
    }
}

#[test]
fn a_call_that_cannot_pay_for_its_arguments_runs_out_of_gas() {
    let ran = World::new().call_with(&code("", ""), Entry::Execute, b"{}", 100);
    assert_eq!(ran, Run { gas_used: 100, result: Err(Trap::OutOfGas) });
    let none = World::new().call_with(&code("", ""), Entry::Execute, b"{}", 0);
    assert_eq!(none, Run { gas_used: 0, result: Err(Trap::OutOfGas) });
}
