//! Every operation in every width and form, against arithmetic on 512 bits.

use alloy_primitives::U512;
use proptest::prelude::*;

use super::super::ops::{Binary, Checked, Shift};
use super::*;

/// A word of a width, often at an edge.
fn word(width: Width) -> impl Strategy<Value = U256> {
    let (max, half) = (width.mask(), U256::from(1) << (width.bits() - 1));
    prop_oneof![
        2 => prop::sample::select(vec![U256::ZERO, U256::from(1) & max, max, max - U256::from(1), half, half - U256::from(1)]),
        1 => (0_u64..20).prop_map(move |small| U256::from(small) & max),
        3 => any::<[u8; 32]>().prop_map(move |bytes| U256::from_be_bytes(bytes) & max),
    ]
}

fn integer() -> impl Strategy<Value = Width> {
    prop::sample::select(Width::ALL[1..].to_vec())
}

/// Two operands of integer types, which may differ, or two bools.
fn pair() -> impl Strategy<Value = ((Width, U256), (Width, U256))> {
    let widths = prop_oneof![1 => Just((Width::Bool, Width::Bool)), 9 => (integer(), integer())];
    widths.prop_flat_map(|(a, b)| ((Just(a), word(a)), (Just(b), word(b))))
}

fn wide(word: U256) -> U512 {
    word.to()
}

fn narrow(width: Width, word: U512) -> U256 {
    (word % (U512::from(1) << width.bits())).to()
}

fn model(op: Binary, width: Width, a: U256, b: U256) -> (Width, U256) {
    let (x, y, modulus) = (wide(a), wide(b), U512::from(1) << width.bits());
    let bit = |bit: bool| (Width::Bool, U256::from(bit));
    let number = |word: U512| (width, narrow(width, word));
    match op {
        Binary::Add => number(x + y),
        Binary::Sub => number(x + modulus - y),
        Binary::Mul => number(x * y),
        Binary::Div if b.is_zero() => number(modulus - U512::from(1)),
        Binary::Div => number(x / y),
        Binary::Rem if b.is_zero() => number(x),
        Binary::Rem => number(x % y),
        Binary::And => number(x & y),
        Binary::Or => number(x | y),
        Binary::Xor => number(x ^ y),
        Binary::Eq => bit(x == y),
        Binary::Ne => bit(x != y),
        Binary::Ge => bit(x >= y),
        Binary::Gt => bit(x > y),
        Binary::Le => bit(x <= y),
        Binary::Lt => bit(x < y),
        Binary::Min => number(x.min(y)),
        Binary::Max => number(x.max(y)),
    }
}

/// The two operand words of a call: handles, but the one that the form makes public in the clear.
fn operands(bench: &mut Bench, public: u8, a: (Width, U256), b: (Width, U256)) -> [U256; 2] {
    [if public == 1 { a.1 } else { bench.secret(a.0, a.1) }, if public == 2 { b.1 } else { bench.secret(b.0, b.1) }]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn binary_operations_agree_with_the_model(
        op in prop::sample::select(Binary::ALL.to_vec()), (a, b) in pair(), public in 0_u8..3,
    ) {
        let mut bench = Bench::mined();
        let words = operands(&mut bench, public, a, b);
        let width = a.0.max(b.0);
        let result = bench.run(signature(Function::Binary(op)), &[a.0 as u8, b.0 as u8, public], &words);
        let supported = gas(Function::Binary(op), width).is_some();
        prop_assert_eq!(result.is_some(), supported);
        if let Some(result) = result {
            let (expected_width, expected) = model(op, width, a.1, b.1);
            prop_assert_eq!(result.len(), 1);
            prop_assert_eq!(bench.reveal(expected_width, result[0]), Some(expected));
        }
    }

    #[test]
    fn checked_operations_tell_overflow_first(
        op in prop::sample::select(Checked::ALL.to_vec()), (a, b) in pair(), public in 0_u8..3,
    ) {
        let mut bench = Bench::mined();
        let words = operands(&mut bench, public, a, b);
        let width = a.0.max(b.0);
        let result = bench.run(signature(Function::Checked(op)), &[a.0 as u8, b.0 as u8, public], &words);
        prop_assert_eq!(result.is_some(), width != Width::Bool);
        if let Some(result) = result {
            let (x, y) = (wide(a.1), wide(b.1));
            let (beyond, plain) = match op {
                Checked::Add => (x + y > wide(width.mask()), Binary::Add),
                Checked::Sub => (x < y, Binary::Sub),
                Checked::Mul => (x * y > wide(width.mask()), Binary::Mul),
            };
            prop_assert_eq!(result.len(), 2);
            prop_assert_eq!(bench.reveal(Width::Bool, result[0]), Some(U256::from(beyond)));
            prop_assert_eq!(bench.reveal(width, result[1]), Some(model(plain, width, a.1, b.1).1));
        }
    }

    #[test]
    fn shifts_lose_what_leaves(
        op in prop::sample::select(Shift::ALL.to_vec()),
        (width, a) in integer().prop_flat_map(|width| (Just(width), word(width))),
        amount in prop_oneof![9 => (0_u64..300).prop_map(U256::from), 1 => any::<[u8; 32]>().prop_map(U256::from_be_bytes)],
        kind in 0_u8..7,
    ) {
        let mut bench = Bench::mined();
        let handle = bench.secret(width, a);
        let result = bench.run(signature(Function::Shift(op)), &[width as u8, kind, 2], &[handle, amount]).unwrap();
        let expected = if amount >= U256::from(width.bits()) {
            U256::ZERO
        } else {
            let factor = U512::from(1) << amount.to::<usize>();
            narrow(width, match op { Shift::Left => wide(a) * factor, Shift::Right => wide(a) / factor })
        };
        prop_assert_eq!(bench.reveal(width, result[0]), Some(expected));
    }

    #[test]
    fn mux_takes_the_first_for_zero((a, b) in pair(), bit: bool, public in 0_u8..3) {
        let mut bench = Bench::mined();
        let [x, y] = operands(&mut bench, public, a, b);
        let chooser = bench.secret(Width::Bool, U256::from(bit));
        let result = bench.run(signature(Function::Mux), &[a.0 as u8, b.0 as u8, public], &[chooser, x, y]).unwrap();
        prop_assert_eq!(bench.reveal(a.0.max(b.0), result[0]), Some(if bit { b.1 } else { a.1 }));
    }

    #[test]
    fn transfers_keep_the_sum_or_change_nothing(
        (wa, a) in integer().prop_flat_map(|width| (Just(width), word(width))),
        (wb, b) in integer().prop_flat_map(|width| (Just(width), word(width))),
        (wm, amount) in integer().prop_flat_map(|width| (Just(width), word(width))),
        (wl, allowance) in integer().prop_flat_map(|width| (Just(width), word(width))),
        public in 0_u8..3, bounded: bool,
    ) {
        let mut bench = Bench::mined();
        let [x, y] = [bench.secret(wa, a), bench.secret(wb, b)];
        let moved = if public == 0 { bench.secret(wm, amount) } else { amount };
        let (result, width) = if bounded {
            let left = bench.secret(wl, allowance);
            let meta = [wa as u8, wb as u8, wm as u8, wl as u8, public];
            let result = bench.run(signature(Function::TransferWithAllowance), &meta, &[x, y, moved, left]);
            (result.unwrap(), wa.max(wb).max(wm).max(wl))
        } else {
            let result = bench.run(signature(Function::Transfer), &[wa as u8, wb as u8, wm as u8, public], &[x, y, moved]);
            (result.unwrap(), wa.max(wb).max(wm))
        };
        let ok = amount <= a && (!bounded || amount <= allowance);
        let change = if ok { amount } else { U256::ZERO };
        prop_assert_eq!(result.len(), if bounded { 4 } else { 3 });
        prop_assert_eq!(bench.reveal(width, result[0]), Some(a - change));
        prop_assert_eq!(bench.reveal(width, result[1]), Some(narrow(width, wide(b) + wide(change))));
        prop_assert_eq!(bench.reveal(Width::Bool, result[2]), Some(U256::from(ok)));
        if bounded {
            prop_assert_eq!(bench.reveal(width, result[3]), Some(allowance - change));
        }
    }

    #[test]
    fn a_clear_operand_has_to_fit_its_bytes(width in prop::sample::select(Width::ALL.to_vec()), word: [u8; 32], cut in 0_usize..256) {
        let word = U256::from_be_bytes(word) >> cut;
        let mut bench = Bench::mined();
        let fits = word.bit_len() <= width.bits().max(8);
        let handle = bench.run("SetPublic(bytes1,uint256)", &[width as u8], &[word]);
        prop_assert_eq!(handle.is_some(), fits);
        if let Some(handle) = handle {
            prop_assert_eq!(bench.reveal(width, handle[0]), Some(word & width.mask()));
        }
    }
}

#[test]
fn the_published_examples_hold() {
    let mut bench = Bench::mined();
    let mut eight = |function, a: u64, b: u64| {
        let handles = [bench.secret(Width::U8, U256::from(a)), bench.secret(Width::U8, U256::from(b))];
        let result = bench.run(signature(Function::Binary(function)), &[1, 1, 0], &handles).unwrap();
        bench.reveal(Width::U8, result[0]).unwrap().to::<u64>()
    };
    assert_eq!(eight(Binary::Add, 200, 100), 44);
    assert_eq!(eight(Binary::Sub, 5, 100), 161);
    assert_eq!(eight(Binary::Mul, 20, 20), 144);
    assert_eq!(eight(Binary::Rem, 10, 0), 10);
    assert_eq!(eight(Binary::Div, 10, 0), 255);
}

#[test]
fn not_is_logical_for_bools_and_bitwise_for_the_wide() {
    for (width, word, expected) in [
        (Width::Bool, 0, Some(U256::from(1))),
        (Width::Bool, 1, Some(U256::ZERO)),
        (Width::U8, 1, None),
        (Width::U64, 1, None),
        (Width::U128, 1, Some(U256::from(u128::MAX - 1))),
        (Width::U256, 1, Some(U256::MAX - U256::from(1))),
    ] {
        let mut bench = Bench::mined();
        let handle = bench.secret(width, U256::from(word));
        let result = bench.run("Not(bytes1,uint256)", &[width as u8], &[handle]);
        assert_eq!(result.map(|result| bench.reveal(width, result[0]).unwrap()), expected);
    }
}

#[test]
fn random_values_fill_their_bits_and_no_more() {
    for width in Width::ALL {
        let mut bench = Bench::mined();
        let drawn: Vec<_> = (0..40)
            .map(|_| {
                let handle = bench.run("Rand(bytes1)", &[width as u8], &[]).unwrap()[0];
                bench.reveal(width, handle).unwrap()
            })
            .collect();
        assert!(drawn.iter().all(|word| *word <= width.mask()));
        assert!(drawn.iter().any(|word| word.bit(width.bits() - 1)), "the top bit comes up");
        assert!(drawn.iter().any(|word| *word != drawn[0]), "they differ");
    }
}

#[test]
fn bounded_randomness_keeps_its_bound() {
    let mut bench = Bench::mined();
    let bounded = |bench: &mut Bench, width: Width, bits: u64| {
        let handle = bench.run("RandBoundedBits(bytes1,uint8)", &[width as u8], &[U256::from(bits)])?[0];
        bench.reveal(width, handle)
    };
    for width in &Width::ALL[1..] {
        for bits in [0, 1, 7, width.bits().min(255) as u64] {
            let seen: Vec<_> = (0..30).map(|_| bounded(&mut bench, *width, bits).unwrap()).collect();
            assert!(seen.iter().all(|word| word.bit_len() as u64 <= bits));
            assert!(bits == 0 || seen.iter().any(|word| *word != seen[0]));
        }
        let beyond = width.bits() as u64 + 1;
        assert_eq!(bounded(&mut bench, *width, beyond), None, "more bits than the type has");
    }
    assert_eq!(bounded(&mut bench, Width::Bool, 1), None);
    assert_eq!(bounded(&mut bench, Width::U256, 256), None, "not a uint8");
}

#[test]
fn the_library_of_april_2024_has_an_allowance_of_64_bits() {
    let mut bench = Bench::mined();
    let handles = [10, 5, 5].map(|word| bench.secret(Width::U8, U256::from(word)));
    let allowance = bench.secret(Width::U64, U256::from(5));
    let arguments = [handles[0], handles[1], handles[2], allowance];
    let result = bench.run(signature(Function::TransferWithAllowance2024), &[1, 1, 1, 0], &arguments).unwrap();
    let revealed = [Width::U64, Width::U64, Width::Bool, Width::U64].iter().zip(&result);
    let revealed: Vec<_> = revealed.map(|(width, handle)| bench.reveal(*width, *handle).unwrap().to::<u64>()).collect();
    assert_eq!(revealed, [5, 10, 1, 0]);
}
