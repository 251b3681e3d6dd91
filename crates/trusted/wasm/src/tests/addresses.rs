//! Addresses, as contracts read and write them.

use super::wat::{code, db_write, import, region, v010};
use super::{CONTRACT, World};
use crate::{Code, Entry, Trap};

/// Calls an import on addresses. Gives the error's text, or what is in the destination afterwards.
fn convert(name: &str, input: &[u8], capacity: u32) -> Result<Result<Vec<u8>, String>, Trap> {
    let imports = db_write() + &import(name, "(param i32 i32) (result i32)");
    // The destination's capacity is more than its length.
    let header: String =
        [2060, capacity, 0].iter().flat_map(|n: &u32| n.to_le_bytes()).map(|b| format!("\\{b:02x}")).collect();
    let body = format!(
        r#"(local $error i32)
        (local.set $error (call ${name} (i32.const 4096) (i32.const 2048)))
        (if (local.get $error)
            (then (call $db_write (i32.const 1024) (local.get $error)))
            (else (call $db_write (i32.const 1060) (i32.const 2048))))
        (i32.const 16)"#
    );
    let functions = region(1024, b"error")
        + &region(1060, b"result")
        + &region(4096, input)
        + &format!("(data (i32.const 2048) \"{header}\")");
    let code = if name.ends_with("_address") {
        let handle = format!("(func (export \"handle\") (param i32 i32) (result i32) {body})");
        Code::compile(&v010(&imports, &(functions + &handle))).unwrap()
    } else {
        code(&imports, &format!("{functions} (func (export \"execute\") (param i32 i32 i32) (result i32) {body})"))
    };
    let mut world = World::new();
    world.call(&code, Entry::Execute, b"{}").result?;
    Ok(match world.state.get(&b"error"[..]) {
        Some(error) => Err(String::from_utf8(error.clone()).unwrap()),
        None => Ok(world.at("result")),
    })
}

fn validate(input: &[u8]) -> Result<(), String> {
    let imports = db_write() + &import("addr_validate", "(param i32) (result i32)");
    let functions = region(1024, b"error")
        + &region(4096, input)
        + r#"(func (export "execute") (param i32 i32 i32) (result i32) (local $error i32)
            (local.set $error (call $addr_validate (i32.const 4096)))
            (if (local.get $error) (then (call $db_write (i32.const 1024) (local.get $error))))
            (i32.const 16))"#;
    let mut world = World::new();
    world.call(&code(&imports, &functions), Entry::Execute, b"{}").result.unwrap();
    match world.state.get(&b"error"[..]) {
        Some(error) => Err(String::from_utf8(error.clone()).unwrap()),
        None => Ok(()),
    }
}

#[test]
fn addresses_are_twenty_bytes_and_back() {
    for (canonicalize, humanize) in
        [("addr_canonicalize", "addr_humanize"), ("canonicalize_address", "humanize_address")]
    {
        let canonical = convert(canonicalize, CONTRACT.as_bytes(), 64).unwrap().unwrap();
        assert_eq!(hex::encode(&canonical), "4e229113c75ac2ffbb9c93bd9a2877804d33f254");
        assert_eq!(convert(humanize, &canonical, 90).unwrap().unwrap(), CONTRACT.as_bytes());
        // Blanks around it are forgiven, and capitals.
        let blank = format!(" {CONTRACT}\n");
        assert_eq!(convert(canonicalize, blank.as_bytes(), 64).unwrap().unwrap(), canonical);
        assert_eq!(convert(canonicalize, CONTRACT.to_uppercase().as_bytes(), 64).unwrap().unwrap(), canonical);
    }
}

#[test]
fn what_is_no_address_is_told() {
    let wrong = |input: &[u8]| convert("addr_canonicalize", input, 64).unwrap().unwrap_err();
    assert_eq!(wrong(b"\xff\xfe"), "input is not valid UTF-8");
    assert_eq!(wrong(b"  "), "input is empty");
    assert_eq!(wrong(b"cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh"), "wrong address prefix: \"cosmos\"");
    assert!(!wrong(b"secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfynf").is_empty());
    assert!(!convert("addr_humanize", &[1; 19], 90).unwrap().unwrap_err().is_empty());
}

#[test]
fn a_destination_that_is_too_small_ends_the_call() {
    assert_eq!(convert("addr_canonicalize", CONTRACT.as_bytes(), 19), Err(Trap::MemoryWrite));
    assert_eq!(convert("addr_humanize", &[1; 20], 44), Err(Trap::MemoryWrite));
}

#[test]
fn a_valid_address_is_written_as_the_chain_writes_it() {
    assert_eq!(validate(CONTRACT.as_bytes()), Ok(()));
    assert_eq!(validate(b""), Err("Input is empty".into()));
    assert_eq!(validate(CONTRACT.to_uppercase().as_bytes()), Err("Address is not normalized".into()));
    assert_eq!(validate(format!("{CONTRACT} ").as_bytes()), Err("Address is not normalized".into()));
    let other = b"cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh";
    assert_eq!(validate(other), Err("wrong address prefix: \"cosmos\"".into()));
    assert!(validate(b"secret1").is_err());
}
