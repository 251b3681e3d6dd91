//! The machine's own stack does not grow with the number of instructions that a contract runs.
//!
//! With its quicker dispatch wasmi's instructions call each other, and each such call has to be compiled as a jump, which no
//! compiler promises: around one that is not (`memory.grow` was one), a loop overflows the stack and ends the enclave. So
//! each instruction runs many thousand times here, on a stack too small for as many calls.

use std::thread;

use super::World;
use super::wat::{code, import};
use crate::{Entry, Trap};

/// Runs `body` again and again until the gas is used up. It finds `$a`, `$b` (i32) and `$x`, `$y` (i64).
fn endless(module: &str, body: &str) {
    let execute = format!(
        r#"{module} (func (export "execute") (param i32 i32 i32) (result i32)
            (local $a i32) (local $b i32) (local $x i64) (local $y i64)
            (local.set $a (i32.const 7)) (local.set $b (i32.const 3))
            (local.set $x (i64.const 7)) (local.set $y (i64.const 3))
            (loop $again {body} (br $again)) (i32.const 16))"#
    );
    let imports = import("gas_evaporate", "(param i32) (result i32)");
    let (imports, execute) = if body.contains("$gas_evaporate") { (imports.as_str(), execute) } else { ("", execute) };
    let compiled = code(imports, &execute);
    let run = move || World::new().call_with(&compiled, Entry::Execute, b"{}", 8_000_000).result;
    let result = thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
    assert_eq!(result, Err(Trap::OutOfGas), "{body}");
}

/// The operator on variables, on constants, and on the results of others.
fn binary(kind: &str, operator: &str, operand: [&str; 2], result: &str) {
    let [p, q] = operand;
    let (keep, constant) = (if result == "i32" { "$a" } else { "$x" }, format!("({kind}.const 5)"));
    let (get_p, get_q) = (format!("(local.get {p})"), format!("(local.get {q})"));
    let nested = format!("({kind}.add {get_p} {constant})");
    for [left, right] in
        [[&get_p, &get_q], [&get_p, &constant], [&constant, &get_q], [&nested, &get_q], [&get_p, &nested]]
    {
        let value = format!("({kind}.{operator} {left} {right})");
        endless("", &format!("(drop {value})"));
        endless("", &format!("(local.set {keep} {value}) (local.set $a (i32.const 7)) (local.set $x (i64.const 7))"));
        if result == "i32" {
            endless("", &format!("(br_if $again {value})"));
            endless("", &format!("(local.set $b (select (i32.const 3) (local.get $b) {value}))"));
            endless(
                "",
                &format!("(if {value} (then (local.set $b (i32.const 3))) (else (local.set $b (i32.const 4))))"),
            );
        }
    }
}

#[test]
fn arithmetic() {
    for operator in [
        "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl",
        "rotr",
    ] {
        binary("i32", operator, ["$a", "$b"], "i32");
        binary("i64", operator, ["$x", "$y"], "i64");
    }
}

#[test]
fn comparisons() {
    for operator in ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"] {
        binary("i32", operator, ["$a", "$b"], "i32");
        binary("i64", operator, ["$x", "$y"], "i32");
    }
}

#[test]
fn one_operand() {
    for operator in ["eqz", "clz", "ctz", "popcnt", "extend8_s", "extend16_s"] {
        endless("", &format!("(local.set $b (i32.{operator} (local.get $a)))"));
        endless("", &format!("(br_if $again (i32.{operator} (i32.add (local.get $a) (local.get $b))))"));
    }
    for operator in ["clz", "ctz", "popcnt", "extend8_s", "extend16_s", "extend32_s"] {
        endless("", &format!("(local.set $y (i64.{operator} (local.get $x)))"));
        endless("", &format!("(drop (i64.{operator} (i64.add (local.get $x) (local.get $y))))"));
    }
    endless("", "(local.set $b (i64.eqz (local.get $x)))");
    endless("", "(local.set $b (i32.wrap_i64 (local.get $x)))");
    endless("", "(local.set $y (i64.extend_i32_s (local.get $a)))");
    endless("", "(local.set $y (i64.extend_i32_u (local.get $a)))");
}

#[test]
fn memory() {
    let loads = ["i32.load", "i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u"];
    let long =
        ["i64.load", "i64.load8_s", "i64.load8_u", "i64.load16_s", "i64.load16_u", "i64.load32_s", "i64.load32_u"];
    let stores = ["i32.store", "i32.store8", "i32.store16"];
    let long_stores = ["i64.store", "i64.store8", "i64.store16", "i64.store32"];
    for (offset, at) in [
        ("", "(local.get $a)"),
        ("offset=16", "(local.get $a)"),
        ("offset=70000", "(i32.add (local.get $a) (local.get $b))"),
        ("", "(i32.const 9)"),
    ] {
        for load in loads {
            endless(
                "",
                &format!(
                    "(local.set $b ({load} {offset} {at})) (local.set $a (i32.const 7)) (local.set $b (i32.const 3))"
                ),
            );
        }
        for load in long {
            endless("", &format!("(local.set $y ({load} {offset} {at}))"));
        }
        for store in stores {
            for value in
                ["(local.get $b)", "(i32.const 5)", "(i32.const 123456)", "(i32.add (local.get $a) (local.get $b))"]
            {
                endless("", &format!("({store} {offset} {at} {value})"));
            }
        }
        for store in long_stores {
            for value in [
                "(local.get $y)",
                "(i64.const 5)",
                "(i64.const 123456789012)",
                "(i64.add (local.get $x) (local.get $y))",
            ] {
                endless("", &format!("({store} {offset} {at} {value})"));
            }
        }
    }
    endless("", "(drop (memory.size))");
    endless("", "(drop (memory.grow (i32.const 0)))");
    endless("", "(drop (memory.grow (i32.const 1000)))");
    endless("", "(memory.copy (local.get $a) (local.get $b) (local.get $b))");
    endless("", "(memory.fill (local.get $a) (local.get $b) (local.get $b))");
    endless(r#"(data $d "passive")"#, "(memory.init $d (i32.const 0) (i32.const 0) (local.get $b))");
    endless(r#"(data $d "passive")"#, "(data.drop $d)");
    endless("", "(drop (memory.grow (i32.sub (local.get $a) (i32.const 7))))");
    endless("", "(drop (memory.grow (i32.const -1)))");
}

#[test]
fn globals_and_tables() {
    let globals =
        "(global $g (mut i32) (i32.const 1)) (global $h (mut i64) (i64.const 1)) (global $c i32 (i32.const 1))";
    endless(
        globals,
        "(global.set $g (local.get $a)) (global.set $h (local.get $x)) (drop (global.get $g)) (drop (global.get $h))",
    );
    endless(
        globals,
        "(global.set $g (i32.add (global.get $g) (global.get $c))) (global.set $h (i64.const 123456789012))",
    );
    let table = "(table $t 8 funcref) (func $f) (elem $e func $f)";
    endless(table, "(table.set $t (i32.const 1) (table.get $t (i32.const 0)))");
    endless(table, "(drop (ref.is_null (table.get $t (local.get $b)))) (drop (table.size $t))");
    endless(
        table,
        "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 2)) (table.fill $t (i32.const 0) (ref.null func) (i32.const 2))",
    );
    endless(table, "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))");
    endless(table, "(elem.drop $e)");
    endless(
        table,
        "(drop (table.grow $t (ref.func $f) (i32.const 0))) (drop (table.grow $t (ref.null func) (i32.const -1)))",
    );
}

#[test]
fn branches_and_calls() {
    endless("", "");
    endless("", "(nop) (block (br 0)) (block (br_if 0 (local.get $a))) (block (br_if 0 (i32.eqz (local.get $a))))");
    endless("", "(block (block (block (br_table 0 1 2 (local.get $b)))))");
    endless("", "(local.set $a (block (result i32) (br_table 0 0 (i32.const 7) (local.get $b))))");
    endless("", "(local.set $a (select (local.get $a) (local.get $b) (local.get $a)))");
    endless("", "(local.set $x (select (local.get $x) (i64.const 7) (local.get $a)))");
    endless(
        "",
        "(local.set $a (local.get $b)) (local.set $b (local.tee $a (i32.const 7))) (local.set $x (local.get $y))",
    );
    let functions = "(table $t 2 funcref) (elem (i32.const 0) $id $none)
        (func $id (param i32 i64) (result i32) (local.get 0)) (func $none) (func $last (result i64) (return (i64.const 7)))";
    endless(
        functions,
        "(local.set $b (call $id (local.get $a) (local.get $x))) (call $none) (local.set $x (call $last))",
    );
    endless(
        functions,
        "(local.set $b (call_indirect $t (param i32 i64) (result i32) (local.get $a) (local.get $x) (i32.const 0)))",
    );
    endless(functions, "(call_indirect $t (i32.const 1))");
    endless(functions, "(call_indirect $t (i32.sub (local.get $a) (i32.const 6)))");
    endless("", "(drop (call $gas_evaporate (i32.const 0)))");
}

/// Of the machine's stack. Eight million units of gas are about a million instructions.
const STACK: usize = 512 << 10;
