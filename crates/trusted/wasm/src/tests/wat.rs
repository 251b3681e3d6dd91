//! Small contracts in Wasm's text form.

use crate::Code;

/// A contract of the newer line: the given imports and functions, beside what every contract has. `instantiate` and
/// `execute` do nothing unless they are given. Its heap begins at 128 KiB.
pub(super) fn v1(imports: &str, functions: &str) -> Vec<u8> {
    module(imports, functions, &[("instantiate", 3), ("execute", 3)], "interface_version_8", V1_NOTHING)
}

/// The same of the older line, with `init`, `handle` and `query`.
pub(super) fn v010(imports: &str, functions: &str) -> Vec<u8> {
    module(imports, functions, &[("init", 2), ("handle", 2), ("query", 1)], "cosmwasm_vm_version_3", V010_NOTHING)
}

/// [`v1`], compiled.
pub(super) fn code(imports: &str, functions: &str) -> Code {
    Code::compile(&v1(imports, functions)).unwrap()
}

/// A contract whose `execute` and `query` return `json`, whatever it is.
pub(super) fn returning(json: &[u8]) -> Code {
    let functions = format!(
        r#"{}
        (func (export "execute") (param i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "query") (param i32 i32) (result i32) (i32.const 1024))"#,
        region(1024, json)
    );
    code("", &functions)
}

/// The data of a region at `at`, with its bytes right behind it.
pub(super) fn region(at: u32, bytes: &[u8]) -> String {
    let length = u32::try_from(bytes.len()).unwrap();
    let header = [at + 12, length, length].map(u32::to_le_bytes).concat();
    let escaped: String = [header.as_slice(), bytes].concat().iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"{escaped}\")\n")
}

/// The import of a function `env.name`, named `$name`.
pub(super) fn import(name: &str, signature: &str) -> String {
    format!("(import \"env\" \"{name}\" (func ${name} {signature}))\n")
}

/// `db_write`, which most stories use to show what a contract saw.
pub(super) fn db_write() -> String {
    import("db_write", "(param i32 i32)")
}

/// Compiles the text of a whole module.
pub(super) fn parse(text: &str) -> Vec<u8> {
    ::wat::parse_str(text).unwrap()
}

fn module(imports: &str, functions: &str, entries: &[(&str, usize)], marker: &str, nothing: &[u8]) -> Vec<u8> {
    let mut text = format!("(module {imports} (func (export {marker:?}))\n");
    if !imports.contains("(memory ") && !functions.contains("(memory ") {
        text += "(memory (export \"memory\") 3)\n";
    }
    if !functions.contains("\"allocate\"") {
        text += ALLOCATE;
    }
    text += "(func (export \"deallocate\") (param i32))\n";
    for (name, parameters) in entries {
        if !functions.contains(&format!("(export \"{name}\")")) {
            let parameters = "i32 ".repeat(*parameters);
            text += &format!("(func (export \"{name}\") (param {parameters}) (result i32) (i32.const 16))\n");
        }
    }
    text += &region(16, nothing);
    parse(&(text + functions + ")"))
}

/// Takes from a heap that is never given back.
const ALLOCATE: &str = r#"
    (global $heap (mut i32) (i32.const 131072))
    (func $allocate (export "allocate") (param $size i32) (result i32)
        (local $region i32)
        (local.set $region (global.get $heap))
        (global.set $heap (i32.add (i32.add (local.get $region) (i32.const 12)) (local.get $size)))
        (i32.store (local.get $region) (i32.add (local.get $region) (i32.const 12)))
        (i32.store offset=4 (local.get $region) (local.get $size))
        (i32.store offset=8 (local.get $region) (i32.const 0))
        (local.get $region))
"#;
const V1_NOTHING: &[u8] = br#"{"Ok":{"messages":[],"attributes":[],"events":[],"data":null}}"#;
const V010_NOTHING: &[u8] = br#"{"Ok":{"messages":[],"log":[],"data":null}}"#;
