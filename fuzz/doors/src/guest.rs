//! Contracts that do what the bytes say, in Wasm's text form.

use cloister_wasm::Version;

/// A function that contracts import: its name, how many i32 it takes, and what it returns.
type Import = (&'static str, usize, &'static str);

/// A contract whose entry points run their message as a program and pass its numbers to the imports as they are.
///
/// ```text
/// program  = call*                                         what is cut at the end is not run
/// call     = function(1) ‖ a(4) ‖ b(4) ‖ c(4)              little-endian; bit 7 of the function: `a` is the last result
/// function = number of an import in `imports` │ one of the constants below │ others do nothing
/// ```
///
/// Without a `RETURN` an entry point returns a response that asks for nothing.
pub(crate) fn machine(version: Version) -> Vec<u8> {
    let imports = imports(version);
    let mut steps = String::new();
    for (number, (name, parameters, result)) in imports.iter().enumerate() {
        let arguments: String =
            ["a", "b", "c"][..*parameters].iter().map(|name| format!("(local.get ${name})")).collect();
        let call = format!("(call ${name} {arguments})");
        steps += &step(
            number,
            &match *result {
                "i32" => format!("(i32.store (i32.const {LAST}) {call})"),
                "i64" => format!("(i32.store (i32.const {LAST}) (i32.wrap_i64 {call}))"),
                _ => call,
            },
        );
    }
    let [a, b, c] = ["(local.get $a)", "(local.get $b)", "(local.get $c)"];
    steps += &step(POKE.into(), &format!("(i32.store {a} {b})"));
    steps += &step(RETURN.into(), &format!("(return {a})"));
    steps += &step(GROW.into(), &format!("(i32.store (i32.const {LAST}) (memory.grow {a}))"));
    steps += &step(ALLOCATE.into(), &format!("(global.set $given {a})"));
    steps += &step(COPY.into(), &format!("(memory.copy {a} {b} {c})"));
    let run = format!(
        r#"(func $run (param $message i32) (result i32)
            (local $at i32) (local $end i32) (local $do i32) (local $a i32) (local $b i32) (local $c i32)
            (local.set $at (i32.load (local.get $message)))
            (local.set $end (i32.add (local.get $at) (i32.load offset=8 (local.get $message))))
            (loop $next
                (if (i32.gt_u (i32.add (local.get $at) (i32.const {CALL_BYTES})) (local.get $end))
                    (then (return (i32.const {NOTHING}))))
                (local.set $do (i32.load8_u (local.get $at)))
                (local.set $a (i32.load offset=1 (local.get $at)))
                (local.set $b (i32.load offset=5 (local.get $at)))
                (local.set $c (i32.load offset=9 (local.get $at)))
                (local.set $at (i32.add (local.get $at) (i32.const {CALL_BYTES})))
                (if (i32.and (local.get $do) (i32.const {AGAIN}))
                    (then (local.set $a (i32.load (i32.const {LAST})))))
                (local.set $do (i32.and (local.get $do) (i32.const 127)))
                {steps}
                (br $next))
            (unreachable))"#
    );
    module(version, &run, "(call $run (local.get $message))")
}

/// A contract that returns every message as it is, so that the message is its result. A reply does nothing.
pub(crate) fn echo(version: Version) -> Vec<u8> {
    module(version, "", "(local.get $message)")
}

/// A contract that asks the chain what its message says, and returns the answer as it is.
pub(crate) fn asker(version: Version) -> Vec<u8> {
    module(version, "", "(call $query_chain (local.get $message))")
}

/// What the contract of this line imports, in the order of their numbers.
fn imports(version: Version) -> Vec<Import> {
    let own: &[Import] = match version {
        Version::V1 => &V1,
        Version::V010 => &V010,
    };
    [&BOTH[..], own].concat()
}

/// The number of an import.
pub(crate) fn number(version: Version, name: &str) -> u8 {
    let at = imports(version).iter().position(|import| import.0 == name).expect("a function that contracts import");
    u8::try_from(at).expect("a short list")
}

fn step(number: usize, act: &str) -> String {
    format!("(if (i32.eq (local.get $do) (i32.const {number})) (then {act}))\n")
}

/// A whole contract, each of whose entry points does `body` with its last argument.
fn module(version: Version, functions: &str, body: &str) -> Vec<u8> {
    let mut text = "(module\n".to_owned();
    for (name, parameters, result) in imports(version) {
        let parameters = "i32 ".repeat(parameters);
        let result = if result.is_empty() { String::new() } else { format!("(result {result})") };
        text += &format!("(import \"env\" \"{name}\" (func ${name} (param {parameters}) {result}))\n");
    }
    let (marker, nothing, entries) = match version {
        Version::V1 => ("interface_version_8", r#"{\"Ok\":{}}"#, &V1_ENTRIES[..]),
        Version::V010 => ("cosmwasm_vm_version_3", r#"{\"Ok\":{\"messages\":[],\"log\":[]}}"#, &V010_ENTRIES[..]),
    };
    let length = nothing.replace('\\', "").len();
    text += &format!(
        r#"(func (export "{marker}"))
        (memory (export "memory") 8)
        (global $heap (mut i32) (i32.const {HEAP}))
        (global $given (mut i32) (i32.const 0))
        (func (export "allocate") (param $size i32) (result i32)
            (local $region i32)
            (if (i32.eq (global.get $given) (i32.const {NESTING})) (then (return (call $db_read (i32.const {KEY})))))
            (if (global.get $given) (then (return (global.get $given))))
            (local.set $region (global.get $heap))
            (global.set $heap (i32.add (i32.add (local.get $region) (i32.const 12)) (local.get $size)))
            (i32.store (local.get $region) (i32.add (local.get $region) (i32.const 12)))
            (i32.store offset=4 (local.get $region) (local.get $size))
            (local.get $region))
        (func (export "deallocate") (param i32))
        (func $nothing (result i32)
            (i32.store (i32.const {NOTHING}) (i32.const {text_at}))
            (i32.store offset=4 (i32.const {NOTHING}) (i32.const {length}))
            (i32.store offset=8 (i32.const {NOTHING}) (i32.const {length}))
            (i32.const {NOTHING}))
        (data (i32.const {text_at}) "{nothing}")
        {functions}
        "#,
        text_at = NOTHING + 12
    );
    for (name, parameters) in entries {
        let others = "i32 ".repeat(parameters - 1);
        let body = if *name == "reply" { "(call $nothing)" } else { body };
        text += &format!(
            "(func (export \"{name}\") (param {others}) (param $message i32) (result i32) (drop (call $nothing)) {body})\n"
        );
    }
    wat::parse_str(text + ")").expect("a module in its text form")
}

/// Writes `b` at the address `a`.
pub(crate) const POKE: u8 = 0x40;
/// Ends, and returns `a`.
pub(crate) const RETURN: u8 = 0x41;
/// Takes `a` more pages.
pub(crate) const GROW: u8 = 0x42;
/// From now on `allocate` returns `a`; or works, if that is zero; or reads the state, if it is [`NESTING`].
pub(crate) const ALLOCATE: u8 = 0x43;
/// Copies `c` bytes from `b` to `a`.
pub(crate) const COPY: u8 = 0x44;
/// Added to a function: `a` is the last result.
pub(crate) const AGAIN: u8 = 0x80;
/// What makes `allocate` call an import that calls `allocate`.
pub(crate) const NESTING: u32 = 0xffff_fffe;
/// A region that programs build their keys at.
pub(crate) const KEY: u32 = 1_024;

const CALL_BYTES: u32 = 13;
const NOTHING: u32 = 16;
const LAST: u32 = 128;
const HEAP: u32 = 128 << 10;

const BOTH: [Import; 10] = [
    ("db_read", 1, "i32"),
    ("db_write", 2, ""),
    ("db_remove", 1, ""),
    ("query_chain", 1, "i32"),
    ("secp256k1_verify", 3, "i32"),
    ("secp256k1_recover_pubkey", 3, "i64"),
    ("secp256k1_sign", 2, "i64"),
    ("ed25519_verify", 3, "i32"),
    ("ed25519_batch_verify", 3, "i32"),
    ("ed25519_sign", 2, "i64"),
];
const V1: [Import; 7] = [
    ("addr_validate", 1, "i32"),
    ("addr_canonicalize", 2, "i32"),
    ("addr_humanize", 2, "i32"),
    ("debug", 1, ""),
    ("check_gas", 0, "i64"),
    ("gas_evaporate", 1, "i32"),
    ("dcap_quote_verify", 2, "i64"),
];
const V010: [Import; 3] = [("canonicalize_address", 2, "i32"), ("humanize_address", 2, "i32"), ("debug_print", 1, "")];
const V1_ENTRIES: [(&str, usize); 5] = [("instantiate", 3), ("execute", 3), ("migrate", 2), ("reply", 2), ("query", 2)];
const V010_ENTRIES: [(&str, usize); 4] = [("init", 2), ("handle", 2), ("migrate", 2), ("query", 1)];
