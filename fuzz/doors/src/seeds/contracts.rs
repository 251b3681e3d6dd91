//! Codes, programs for [`crate::guest`], and what contracts return.

use cloister_wasm::Version;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

use crate::guest::{self, AGAIN, ALLOCATE, COPY, GROW, KEY, NESTING, POKE, RETURN};

/// The smallest of the example contracts, one of each line.
const COUNTER: &[u8] = include_bytes!("../../../../contracts/cosmwasm/artifacts/counter.wasm");
const OLD_COUNTER: &[u8] = include_bytes!("../../../../contracts/cosmwasm/artifacts/counter-v010.wasm");

/// Which contract runs: the numbers of [`crate::contract`]'s choice.
const EXECUTE: u8 = 1;
const QUERY: u8 = 4;
const OLDER: u8 = 8;
const ASKS: u8 = 16;

type Call = (u8, u32, u32, u32);

pub(super) fn all(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    uploads(seeds);
    regions(seeds);
    results(seeds);
}

fn uploads(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    for code in [COUNTER, OLD_COUNTER] {
        seeds.push(("contract_upload", code.to_vec()));
        seeds.push(("contract_upload", packed(code)));
    }
    for make in [guest::machine, guest::echo, guest::asker] {
        for version in [Version::V1, Version::V010] {
            seeds.push(("contract_upload", make(version)));
        }
    }
    for text in MODULES {
        seeds.push(("contract_upload", wat::parse_str(format!("(module {COMMON} {text})")).expect("a module")));
    }
    seeds.push(("contract_upload", packed(&guest::echo(Version::V1))));
}

fn regions(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    seeds.push(("contract_region", write_and_read()));
    let v1 = |name| guest::number(Version::V1, name);
    let numbers = [0, 16, KEY, 3 << 16, (8 << 16) - 4, u32::MAX - 12, u32::MAX];
    let calls = |function| numbers.map(|number| (function, number, number, number));
    for name in ["db_read", "db_write", "query_chain", "addr_validate", "addr_humanize", "ed25519_batch_verify"] {
        for call in calls(v1(name)) {
            seeds.push(("contract_region", [&[EXECUTE, 0][..], &program(&[call])].concat()));
        }
    }
    for call in calls(RETURN) {
        seeds.push(("contract_region", [&[QUERY, 0][..], &program(&[call])].concat()));
    }
    seeds.push(("contract_region", [&[EXECUTE, 0][..], &program(&nesting())].concat()));
    // Thirty-two bytes of the memory as a key, and what is signed with it.
    let signed = [
        (POKE, KEY, KEY + 12, 0),
        (POKE, KEY + 4, 32, 0),
        (POKE, KEY + 8, 32, 0),
        (COPY, KEY + 12, 28, 32),
        (v1("secp256k1_sign"), KEY, KEY, 0),
        (v1("secp256k1_recover_pubkey") | AGAIN, 0, KEY, 0),
        (v1("ed25519_sign"), KEY, KEY, 0),
        (v1("db_write") | AGAIN, 0, KEY, 0),
        (GROW, 1, 0, 0),
        (v1("check_gas"), 0, 0, 0),
        (v1("gas_evaporate"), 3, 0, 0),
    ];
    seeds.push(("contract_region", [&[EXECUTE, 0][..], &program(&signed)].concat()));
}

/// Puts the region of `key` and its three letters together, copies what the state has there to `keykey`, and returns.
pub(crate) fn write_and_read() -> Vec<u8> {
    let number = |name| guest::number(Version::V1, name);
    let key = key();
    let calls = [
        key.as_slice(),
        &[
            (number("db_read"), KEY, 0, 0),
            // The same region, twice as long.
            (COPY, KEY + 15, KEY + 12, 3),
            (POKE, KEY + 4, 6, 0),
            (POKE, KEY + 8, 6, 0),
            (number("db_write"), KEY, KEY, 0),
        ],
    ]
    .concat();
    [&[EXECUTE, 0][..], &program(&calls)].concat()
}

/// An `allocate` that reads the state, whose value needs `allocate`.
pub(crate) fn nesting() -> Vec<Call> {
    let read = guest::number(Version::V1, "db_read");
    [key().as_slice(), &[(ALLOCATE, NESTING, 0, 0), (read, KEY, 0, 0)]].concat()
}

fn key() -> [Call; 4] {
    let letters = u32::from_le_bytes(*b"key\0");
    [(POKE, KEY, KEY + 12, 0), (POKE, KEY + 4, 3, 0), (POKE, KEY + 8, 3, 0), (POKE, KEY + 12, letters, 0)]
}

/// A program in the form that [`guest::machine`] runs.
pub(crate) fn program(calls: &[Call]) -> Vec<u8> {
    let bytes =
        |(function, a, b, c): &Call| [&[*function][..], &a.to_le_bytes(), &b.to_le_bytes(), &c.to_le_bytes()].concat();
    calls.iter().flat_map(bytes).collect()
}

fn results(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    let mut add = |which: u8, text: &str| {
        for mood in 0..if which & ASKS == 0 { 1 } else { 11 } {
            seeds.push(("contract_result", [&[which, mood], text.as_bytes()].concat()));
        }
    };
    for text in RESULTS {
        add(EXECUTE, text);
        add(EXECUTE | OLDER, text);
    }
    for message in MESSAGES {
        let sub = format!(r#"{{"id":7,"msg":{message},"gas_limit":50000,"reply_on":"always"}}"#);
        add(EXECUTE, &format!(r#"{{"Ok":{{"messages":[{sub}],"attributes":[],"events":[],"data":null}}}}"#));
        add(EXECUTE | OLDER, &format!(r#"{{"Ok":{{"messages":[{message}],"log":[],"data":"AQID"}}}}"#));
    }
    add(QUERY, r#"{"Ok":"e30="}"#);
    add(QUERY, r#"{"ok":"e30="}"#);
    add(QUERY | OLDER, r#"{"Err":{"generic_err":{"msg":"no","backtrace":null}}}"#);
    for text in QUESTIONS {
        add(EXECUTE | ASKS, text);
    }
    add(QUERY | ASKS | OLDER, QUESTIONS[0]);
}

fn packed(code: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(code).expect("memory");
    gzip.finish().expect("memory")
}

/// What a contract of the newer line has at least.
const COMMON: &str = r#"(memory (export "memory") 1) (func (export "interface_version_8"))
    (func (export "allocate") (param i32) (result i32) (i32.const 1024)) (func (export "deallocate") (param i32))
    (data (i32.const 1024) "\20\04\00\00\00\10\00\00\00\00\00\00") (data (i32.const 16) "\1c\00\00\00\09\00\00\00\09\00\00\00{\22Ok\22:{}}")"#;
/// Loops, recursion, tables, growing memory, indirect calls, globals, bulk memory.
const MODULES: [&str; 6] = [
    r#"(func (export "instantiate") (param i32 i32 i32) (result i32) (i32.const 16))"#,
    r#"(func (export "instantiate") (param i32 i32 i32) (result i32) (loop (br 0)) (i32.const 16))"#,
    r#"(func $f (export "instantiate") (param i32 i32 i32) (result i32) (local i64 i64 i64) (call $f (local.get 0) (local.get 1) (local.get 2)))"#,
    r#"(table $t 2 funcref) (elem (i32.const 0) $g) (func $g (param i64)) (func (export "instantiate") (param i32 i32 i32) (result i32)
        (drop (table.grow $t (ref.null func) (i32.const 10))) (call_indirect (result i32) (i32.const 1)))"#,
    r#"(global $n (mut i64) (i64.const 5)) (func (export "requires_random")) (func (export "instantiate") (param i32 i32 i32) (result i32)
        (loop $l (drop (memory.grow (i32.const 1))) (global.set $n (i64.sub (global.get $n) (i64.const 1)))
            (br_if $l (i32.wrap_i64 (global.get $n)))) (i32.const 16))"#,
    r#"(data $d "abc") (func (export "instantiate") (param i32 i32 i32) (result i32)
        (memory.fill (i32.const 4096) (i32.const 7) (i32.const 4096)) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $d)
        (block $a (block $b (br_table $a $b (local.get 0)))) (i32.div_s (i32.const 64) (i32.const 4)))"#,
];
const RESULTS: [&str; 8] = [
    r#"{"Ok":{}}"#,
    r#"{"Ok":{"messages":[],"attributes":[{"key":"k","value":"v","encrypted":false}],"events":[{"type":"kind","attributes":[{"key":"a","value":"b"}]}],"data":"AQID"}}"#,
    r#"{"Ok":{"messages":[],"log":[{"key":"k","value":"v"}],"data":null}}"#,
    r#"{"Err":"no"}"#,
    r#"{"Err":{"generic_err":{"msg":"\"no\"","backtrace":null}}}"#,
    r#"{"Err":[1e400,-0,1.5,{"b":{"a":null}},"\ud800"]}"#,
    r#"{"Ok":{"data":"A==="}}"#,
    "[[[[[[[[[[[[[[[[",
];
const MESSAGES: [&str; 10] = [
    r#"{"bank":{"send":{"to_address":"secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03","amount":[{"denom":"uscrt","amount":"5"}]}}}"#,
    r#"{"bank":{"burn":{"amount":[{"denom":"uscrt","amount":"340282366920938463463374607431768211455"}]}}}"#,
    r#"{"wasm":{"execute":{"contract_addr":"secret1","code_hash":"00","msg":"e30=","send":[]}}}"#,
    r#"{"wasm":{"instantiate":{"admin":null,"code_id":1,"code_hash":"00","msg":"e30=","funds":[],"label":"l"}}}"#,
    r#"{"wasm":{"migrate":{"contract_addr":"secret1","code_hash":"00","code_id":18446744073709551615,"msg":"e30="}}}"#,
    r#"{"wasm":{"update_admin":{"contract_addr":"secret1","admin":"secret1"}}}"#,
    r#"{"wasm":{"clear_admin":{"contract_addr":"secret1"}}}"#,
    r#"{"stargate":{"type_url":"/cosmos.bank.v1beta1.MsgSend","value":"AAAA"}}"#,
    r#"{"finalize_tx":{}}"#,
    r#"{"staking":{"delegate":{"validator":"v","amount":{"denom":"uscrt","amount":"1"}}}}"#,
];
const QUESTIONS: [&str; 8] = [
    r#"{"bank":{"balance":{"address":"secret1","denom":"uscrt"}}}"#,
    r#"{"bank":{"all_balances":{"address":"secret1"}}}"#,
    r#"{"wasm":{"smart":{"contract_addr":"secret1","code_hash":"00","msg":"e30="}}}"#,
    r#"{"wasm":{"raw":{"contract_addr":"secret1","key":"AA=="}}}"#,
    r#"{"wasm":{"contract_info":{"contract_addr":"secret1"}}}"#,
    r#"{"staking":{"bonded_denom":{}}}"#,
    r#"{"stargate":{"path":"/cosmos.bank.v1beta1.Query/Balance","data":"AAAA"}}"#,
    r#"{"custom":{"anything":[1,2,3]}}"#,
];
