//! Which code is accepted.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::wat::{code, import, parse, region, v1, v010};
use super::{World, nothing};
use crate::{Code, CodeError, Entry, Version, limits, unpack};

fn refused(wasm: &[u8]) -> String {
    Code::compile(wasm).unwrap_err().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_line_is_told_by_its_marker_and_everything_else_must_fit() {
    assert_eq!(Code::compile(&v1("", "")).unwrap().version(), Version::V1);
    assert_eq!(Code::compile(&v010("", "")).unwrap().version(), Version::V010);

    let neither = refused(&parse(r#"(module (memory (export "memory") 1))"#));
    assert_eq!(
        neither,
        "Contract is not CosmWasm v0.10 or v1. \
         v0.10: Wasm contract doesn't have required export: \"allocate\"; \
         v1: Wasm contract doesn't have required export: \"allocate\""
    );
    // What the older line imports is not the newer line's.
    let older = import("canonicalize_address", "(param i32 i32) (result i32)");
    assert!(Code::compile(&v010(&older, "")).is_ok());
    assert!(refused(&v1(&older, "")).contains("unsupported import: \"env.canonicalize_address\""));
    let newer = import("addr_validate", "(param i32) (result i32)");
    assert!(Code::compile(&v1(&newer, "")).is_ok());
    assert!(refused(&v010(&newer, "")).starts_with("Contract is not CosmWasm v0.10 or v1"));
}

#[test]
fn every_import_that_is_allowed_can_be_linked() {
    let one = "(param i32)";
    let two = "(param i32 i32)";
    let imports = import("db_read", "(param i32) (result i32)")
        + &import("db_write", two)
        + &import("db_remove", one)
        + &import("query_chain", "(param i32) (result i32)")
        + &import("secp256k1_verify", "(param i32 i32 i32) (result i32)")
        + &import("secp256k1_recover_pubkey", "(param i32 i32 i32) (result i64)")
        + &import("secp256k1_sign", "(param i32 i32) (result i64)")
        + &import("ed25519_verify", "(param i32 i32 i32) (result i32)")
        + &import("ed25519_batch_verify", "(param i32 i32 i32) (result i32)")
        + &import("ed25519_sign", "(param i32 i32) (result i64)");
    let newer = import("addr_validate", "(param i32) (result i32)")
        + &import("addr_canonicalize", "(param i32 i32) (result i32)")
        + &import("addr_humanize", "(param i32 i32) (result i32)")
        + &import("debug", one)
        + &import("check_gas", "(result i64)")
        + &import("gas_evaporate", "(param i32) (result i32)")
        + &import("dcap_quote_verify", "(param i32 i32) (result i64)");
    let older = import("canonicalize_address", "(param i32 i32) (result i32)")
        + &import("humanize_address", "(param i32 i32) (result i32)")
        + &import("debug_print", one);
    for wasm in [v1(&(imports.clone() + &newer), ""), v010(&(imports + &older), "")] {
        let code = Code::compile(&wasm).unwrap();
        assert_eq!(World::new().call(&code, Entry::Instantiate, b"{}").result, Ok(nothing()));
    }
}

#[test]
fn other_imports_are_refused() {
    for (name, signature) in [
        ("db_scan", "(param i32 i32 i32) (result i32)"),
        ("db_next", "(param i32) (result i32)"),
        ("abort", "(param i32)"),
    ] {
        assert!(refused(&v1(&import(name, signature), "")).contains(&format!("\"env.{name}\"")));
    }
    let elsewhere = r#"(import "wasi" "db_read" (func (param i32) (result i32)))"#;
    assert!(refused(&v1(elsewhere, "")).contains("\"wasi.db_read\""));
    let mistyped = import("db_read", "(param i64) (result i32)");
    assert!(matches!(Code::compile(&v1(&mistyped, "")), Err(CodeError::Invalid(_))));
    let global = r#"(import "env" "db_read" (global i32))"#;
    assert!(matches!(Code::compile(&v1(global, "")), Err(CodeError::Invalid(_))));
}

#[test]
fn entry_points_of_another_type_are_refused() {
    let two = r#"(func (export "instantiate") (param i32 i32) (result i32) (i32.const 16))"#;
    assert!(refused(&v1("", two)).contains("\"instantiate\""));
    let long = r#"(func (export "allocate") (param i64) (result i32) (i32.const 16))"#;
    assert!(refused(&v1("", long)).contains("\"allocate\""));
}

#[test]
fn floats_are_told_apart_from_everything_else() {
    let adds = r#"(func (drop (f64.add (f64.const 1) (f64.const 2))))"#;
    assert_eq!(Code::compile(&v1("", adds)).unwrap_err(), CodeError::Floats);
    assert_eq!(CodeError::Floats.to_string(), "found floating point operation in module code");
    let takes = r#"(func (param f32))"#;
    assert_eq!(Code::compile(&v1("", takes)).unwrap_err(), CodeError::Floats);
    // With anything else wrong, that is what is said.
    let also = import("abort", "(param i32)");
    assert!(refused(&v1(&also, adds)).contains("env.abort"));
}

#[test]
fn a_start_function_is_refused() {
    let starts = r#"(func $start) (start $start)"#;
    assert!(matches!(Code::compile(&v1("", starts)), Err(CodeError::Invalid(_))));
}

#[test]
fn the_memory_is_one_and_the_hosts_business() {
    let memory = |text: &str| Code::compile(&v1("", text)).map(|_| ());
    assert_eq!(memory(r#"(memory (export "memory") 192)"#), Ok(()));
    assert_eq!(memory(r#"(memory (export "memory") 193)"#), Err(CodeError::MemoryMinimum));
    assert_eq!(memory(r#"(memory (export "memory") 3 10)"#), Err(CodeError::MemoryMaximum));
    assert_eq!(memory(r#"(memory (export "other") 3)"#), Err(CodeError::Memories));
    let two = r#"(memory (export "memory") 3) (memory 1)"#;
    assert!(matches!(memory(two), Err(CodeError::Invalid(_))));
    let imported = r#"(import "env" "memory" (memory 1)) (export "memory" (memory 0))"#;
    assert!(matches!(Code::compile(&v1(imported, "")), Err(CodeError::NoVersion { .. })));
    let outside = region(3 << 16, b"outside");
    assert!(matches!(memory(&outside), Err(CodeError::Invalid(_))));
}

#[test]
fn locals_and_tables_are_bounded() {
    let functions = |locals: usize, count: usize| {
        let function = format!("(func (local {}) (drop (i64.add (i64.const 1) (local.get 0))))", "i64 ".repeat(locals));
        Code::compile(&v1("", &function.repeat(count))).map(|_| ())
    };
    assert_eq!(functions(512, 1), Ok(()));
    assert_eq!(functions(513, 1), Err(CodeError::Locals));
    // Enough bytes in each function, so that only the locals are too many: `allocate` has one, too.
    let filled = |count: usize| {
        let (locals, filler) = ("i64 ".repeat(500), "(nop)".repeat(50));
        Code::compile(&v1("", &format!("(func (local {locals}) {filler})").repeat(count))).map(|_| ())
    };
    assert_eq!(filled(399), Ok(()));
    assert_eq!(filled(400), Err(CodeError::Locals));

    let tables = |text: &str| Code::compile(&v1("", text)).map(|_| ());
    assert_eq!(tables("(table 16384 funcref)"), Ok(()));
    assert!(matches!(tables("(table 16385 funcref)"), Err(CodeError::Invalid(_))));
    assert!(matches!(tables("(table 1 funcref) (table 1 funcref)"), Err(CodeError::Invalid(_))));
}

#[test]
fn features_are_those_of_the_chain() {
    let requires = |name: &str| Code::compile(&v1("", &format!("(func (export \"requires_{name}\"))"))).map(|_| ());
    for known in ["random", "staking", "stargate", "ibc3"] {
        assert_eq!(requires(known), Ok(()));
    }
    assert_eq!(requires("iterator"), Err(CodeError::Feature("iterator".into())));
}

#[test]
fn newer_instructions_are_refused_but_for_those_that_compilers_write() {
    let compiled = r#"(func (param i32) (result i32)
        (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)) (i32.extend8_s (local.get 0)))"#;
    assert!(Code::compile(&v1("", compiled)).is_ok());
    for function in [
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        "(func $f (return_call $f))",
        "(func (drop (v128.const i64x2 1 2)))",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
    ] {
        assert!(matches!(Code::compile(&v1("", function)), Err(CodeError::Invalid(_))), "{function}");
    }
}

#[test]
fn garbage_is_refused() {
    assert!(matches!(Code::compile(b""), Err(CodeError::Invalid(_))));
    assert!(matches!(Code::compile(b"\0asm\x01\0\0\0garbage"), Err(CodeError::Invalid(_))));
    // Only between two sections at its end can a module be cut and be one.
    let wasm = v1("", "");
    let cut = (0..wasm.len()).filter(|end| Code::compile(&wasm[..*end]).is_ok()).count();
    assert!(cut <= 2, "{cut}");
    assert_eq!(Code::compile(&vec![0; limits::CODE_BYTES + 1]).unwrap_err(), CodeError::TooLarge);
}

#[test]
fn an_upload_may_be_packed() {
    let wasm = v1("", "");
    assert_eq!(*unpack(&wasm).unwrap(), wasm);
    assert_eq!(*unpack(&gzip(&wasm)).unwrap(), wasm);
    assert_eq!(unpack(&gzip(&vec![0; limits::CODE_BYTES])).unwrap().len(), limits::CODE_BYTES);
}

#[test]
fn an_upload_unpacks_to_no_more_than_it_may() {
    let bomb = gzip(&vec![0; 64 * limits::CODE_BYTES]);
    assert!(bomb.len() < limits::CODE_BYTES);
    assert_eq!(unpack(&bomb), Err(CodeError::TooLarge));
    assert_eq!(unpack(&vec![1; limits::CODE_BYTES + 1]), Err(CodeError::TooLarge));
    let whole = gzip(b"code");
    assert!(matches!(unpack(&whole[..whole.len() - 1]), Err(CodeError::Gzip(_))));
    assert!(matches!(unpack(&[whole.as_slice(), b"tail"].concat()), Err(CodeError::Gzip(_))));
}

#[test]
fn code_is_shared_between_threads() {
    let code = code("", "");
    let other = code.clone();
    let there = std::thread::spawn(move || World::new().call(&other, Entry::Execute, b"{}"));
    assert_eq!(World::new().call(&code, Entry::Execute, b"{}"), there.join().unwrap());
}

#[test]
fn operators_after_the_end_of_a_function_never_reach_the_translator() {
    // A module with one function of type `() -> ()`, whose body goes on behind its `end`.
    let types = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00];
    let functions = [0x03, 0x02, 0x01, 0x00];
    let body = [0x00, 0x0b, 0x41, 0x00, 0x0b];
    let code = [&[0x0a, 0x07, 0x01, 0x05][..], &body].concat();
    let module = [&b"\0asm\x01\0\0\0"[..], &types, &functions, &code].concat();
    let Err(CodeError::Invalid(text)) = Code::compile(&module) else { panic!("invalid") };
    assert!(text.starts_with("operators remaining after end of function"), "{text}");
}
