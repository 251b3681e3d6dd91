//! Selectors, gas, and what is refused before any work.

use alloy_primitives::keccak256;
use proptest::prelude::*;

use super::super::ops::{Binary, Checked, Shift};
use super::*;

#[test]
fn every_selector_is_the_hash_of_its_signature() {
    for (selector, function, signature) in FUNCTIONS {
        assert_eq!(selector.to_be_bytes(), keccak256(signature)[..4], "{signature}");
        assert_eq!(Function::from_selector(selector.to_be_bytes()), Some(function));
    }
}

#[test]
fn delete_user_key_is_as_unknown_as_anything_else() {
    let selector = keccak256("DeleteUserKey(bytes)");
    assert_eq!(selector[..4], [0xb6, 0x21, 0x2b, 0x2d]);
    let output = Bench::mined().answer(&[&selector[..4], &[0; 64]].concat());
    assert!(output.status.is_revert());
    assert_eq!((output.gas_used, output.bytes.len()), (0, 0));
}

/// What exists, said a second time: bools have no arithmetic, and 256 bits travel in two cells.
fn exists(function: Function, width: Width) -> bool {
    let (bool, wide) = (width == Width::Bool, width == Width::U256);
    match function {
        Function::OnBoard | Function::OffBoard | Function::OffBoardToUser | Function::ValidateCiphertext => !wide,
        Function::OnBoardWide
        | Function::OffBoardWide
        | Function::OffBoardToUserWide
        | Function::ValidateCiphertextWide => wide,
        Function::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Rem)
        | Function::Checked(_)
        | Function::Shift(_)
        | Function::RandBoundedBits
        | Function::Transfer
        | Function::TransferWithAllowance
        | Function::TransferWithAllowance2024 => !bool,
        Function::Not => bool || width >= Width::U128,
        _ => true,
    }
}

#[test]
fn the_gas_table_is_complete_and_grows_with_the_width() {
    for (_, function, signature) in FUNCTIONS {
        let mut least = 0;
        for width in Width::ALL {
            let gas = gas(function, width);
            assert_eq!(gas.is_some(), exists(function, width), "{signature} {width:?}");
            let Some(gas) = gas else { continue };
            assert!((6_000..1_000_000).contains(&gas), "{signature} {width:?}");
            assert!(gas >= least, "{signature} {width:?}");
            least = gas;
        }
    }
}

#[test]
fn the_reference_networks_numbers_are_kept() {
    for (function, width, expected) in [
        (Function::Binary(Binary::Add), Width::U64, 12_340),
        (Function::Binary(Binary::Mul), Width::U64, 54_233),
        (Function::Shift(Shift::Left), Width::U32, 22_467),
        (Function::Shift(Shift::Right), Width::U64, 76_377),
        (Function::Checked(Checked::Sub), Width::U16, 12_165),
        (Function::Binary(Binary::Le), Width::U8, 12_122),
        (Function::Transfer, Width::U64, 13_685),
        (Function::TransferWithAllowance, Width::U64, 14_527),
        (Function::OffBoard, Width::U64, 47_045),
        (Function::Rand, Width::U8, 6_000),
        (Function::GetUserKey, Width::U64, 47_039),
        (Function::Sha256, Width::U64, 120_000),
    ] {
        assert_eq!(gas(function, width), Some(expected), "{function:?}");
    }
}

#[test]
fn gas_is_charged_whether_the_work_succeeds_or_not_and_missing_gas_is_out_of_gas() {
    let mut bench = Bench::mined();
    let decrypt = calldata("Decrypt(bytes1,uint256)", &[4], &[U256::from(1)]);
    let refused = bench.answer(&decrypt);
    assert!(refused.status.is_revert());
    assert_eq!(refused.gas_used, 12_006);
    let output = bench.provider.answer(&decrypt, 12_005, &bench.frame, &mut bench.memory);
    assert!(output.halt_reason().is_some_and(PrecompileHalt::is_oog));
}

#[test]
fn metadata_is_exact() {
    let add = "Add(bytes3,uint256,uint256)";
    let refused: [&[u8]; 8] = [
        &[4, 4, 3],       // two public operands
        &[4, 7, 0],       // no such type
        &[255, 4, 0],     // no such type
        &[0, 4, 0],       // bool and integer
        &[4, 0, 0],       // integer and bool
        &[0, 0, 0],       // bools do not add
        &[4, 4, 0, 1],    // something behind it
        &[4, 4, 0, 0, 9], // further behind it
    ];
    for meta in refused {
        let mut bench = Bench::mined();
        let arguments = [1, 2].map(|word| bench.secret(Width::U64, U256::from(word)));
        assert_eq!(bench.run(add, meta, &arguments), None, "{meta:?}");
        assert!(bench.run(add, &[4, 4, 0], &arguments).is_some());
    }
    let mut bench = Bench::mined();
    let shifted = bench.secret(Width::U64, U256::from(1));
    for public in [0, 1, 3] {
        let result = bench.run("Shl(bytes3,uint256,uint256)", &[4, 4, public], &[shifted, U256::from(1)]);
        assert_eq!(result, None, "only a public amount shifts");
    }
}

#[test]
fn a_handle_answers_to_its_own_width_only() {
    let mut bench = Bench::mined();
    let handle = bench.secret(Width::U64, U256::from(9));
    for width in Width::ALL {
        assert_eq!(bench.reveal(width, handle).is_some(), width == Width::U64);
    }
}

#[test]
fn handles_end_with_their_transaction() {
    let mut bench = Bench::mined();
    let handle = bench.secret(Width::U64, U256::from(9));
    bench.provider.begin(B256::repeat_byte(2));
    assert_eq!(bench.reveal(Width::U64, handle), None);
    assert_ne!(bench.secret(Width::U64, U256::from(9)), handle);
}

#[test]
fn every_function_wants_its_exact_length() {
    let mut bench = Bench::mined();
    let (number, bit) = (bench.secret(Width::U64, U256::from(3)), bench.secret(Width::Bool, U256::from(1)));
    for (_, function, signature) in FUNCTIONS {
        let good = match function {
            Function::Rand => calldata(signature, &[4], &[]),
            Function::SetPublic | Function::RandBoundedBits => calldata(signature, &[4], &[U256::from(3)]),
            Function::OffBoard | Function::Decrypt => calldata(signature, &[4], &[number]),
            Function::Not => calldata(signature, &[0], &[bit]),
            Function::Binary(_) | Function::Checked(_) => calldata(signature, &[4, 4, 0], &[number, number]),
            Function::Shift(_) => calldata(signature, &[4, 1, 2], &[number, U256::from(1)]),
            Function::Mux => calldata(signature, &[4, 4, 0], &[bit, number, number]),
            Function::Transfer => calldata(signature, &[4, 4, 4, 0], &[number, number, number]),
            Function::TransferWithAllowance => calldata(signature, &[4, 4, 4, 4, 0], &[number; 4]),
            Function::TransferWithAllowance2024 => calldata(signature, &[4, 4, 4, 0], &[number; 4]),
            Function::OffBoardToUser => calldata_bytes(signature, Some(&[4]), &[number], &[7; 20]),
            // These need ciphertexts, signatures or other widths: see `exchange`.
            _ => continue,
        };
        assert!(bench.call(&good).is_some(), "{signature}");
        for length in [good.len() - 32, good.len() - 1, good.len() + 1, good.len() + 32] {
            let mut bad = good.clone();
            bad.resize(length, 0);
            assert_eq!(bench.call(&bad), None, "{signature} with {length} bytes");
        }
    }
}

#[test]
fn an_estimation_answers_with_ones_of_the_usual_length() {
    for (_, function, signature) in FUNCTIONS {
        let mut meta = vec![if exists(function, Width::U64) { 4 } else { 6 }; 3];
        let one = U256::from(1);
        let expected = match function {
            Function::Binary(_) | Function::Checked(_) | Function::Mux => vec![4, 4, 0],
            Function::Shift(_) => vec![4, 4, 2],
            Function::Transfer | Function::TransferWithAllowance2024 => vec![4, 4, 4, 0],
            Function::TransferWithAllowance => vec![4, 4, 4, 4, 0],
            _ => vec![meta.remove(0)],
        };
        let words = match function {
            Function::Checked(_) | Function::OffBoardWide | Function::OffBoardToUserWide => vec![U256::ZERO, one],
            Function::Transfer => vec![U256::ZERO, U256::ZERO, one],
            Function::TransferWithAllowance | Function::TransferWithAllowance2024 => {
                vec![U256::ZERO, U256::ZERO, U256::ZERO, one]
            }
            Function::GetUserKey => [vec![U256::from(32), U256::from(512)], vec![U256::ZERO; 15], vec![one]].concat(),
            Function::Sha256 => vec![U256::from(32), U256::from(32), one],
            _ => vec![one],
        };
        // Nothing behind the first word is needed, and nothing is checked.
        let mut bench = Bench::new(Mode::Estimate);
        let output = bench.answer(&calldata(signature, &expected, &[]));
        assert!(output.status.is_success(), "{signature}");
        assert_eq!(split(&output.bytes), words, "{signature}");
        let width = Width::from_code(expected[0]).unwrap();
        assert_eq!(Some(output.gas_used), gas(function, width));
    }
}

#[test]
fn an_estimation_still_wants_a_function_that_exists() {
    let mut bench = Bench::new(Mode::Estimate);
    for bad in [
        calldata("Add(bytes3,uint256,uint256)", &[0, 0, 0], &[]),
        calldata("Not(bytes1,uint256)", &[4], &[]),
        calldata("Rand(bytes1)", &[9], &[]),
        selector("Rand(bytes1)").to_vec(),
        [&[0xde, 0xad, 0xbe, 0xef][..], &[0; 32]].concat(),
    ] {
        assert_eq!(bench.call(&bad), None);
    }
}

#[test]
fn eth_call_refuses_every_operation_and_burns_the_gas() {
    for (selector, function, _) in FUNCTIONS.into_iter().filter(|(_, function, _)| *function != Function::GetUserKey) {
        let output = Bench::new(Mode::Call).answer(&[&selector.to_be_bytes()[..], &[0; 32]].concat());
        let halted = output.halt_reason().is_some_and(|reason| !reason.is_oog());
        assert!(halted && output.bytes.is_empty(), "{function:?}");
    }
    assert!(Bench::new(Mode::Call).answer(&[]).halt_reason().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_calldata_panics(
        known in prop::option::of(prop::sample::select(FUNCTIONS.to_vec())), meta: [u8; 5], typed: bool,
        rest in prop::collection::vec(any::<u8>(), 0..700), mode in prop::sample::select(vec![Mode::Mined, Mode::Estimate, Mode::Call]),
    ) {
        let mut bytes = known.map(|(selector, ..)| selector.to_be_bytes().to_vec()).unwrap_or_default();
        if typed {
            let mut word = [0; 32];
            word[..5].copy_from_slice(&meta.map(|byte| byte % 7));
            bytes.extend(word);
        }
        bytes.extend(rest);
        let output = Bench::new(mode).answer(&bytes);
        prop_assert!(output.status.is_success() || output.bytes.is_empty());
    }

    #[test]
    fn no_dynamic_argument_panics(
        function in prop::sample::select(vec![
            Function::OffBoardToUser, Function::ValidateCiphertext, Function::ValidateCiphertextWide, Function::GetUserKey, Function::Sha256,
        ]),
        words in prop::collection::vec(prop_oneof![
            (0_u64..1_000).prop_map(U256::from), Just(U256::MAX), Just(U256::from(u64::MAX)), Just(U256::from(u64::MAX - 31)),
        ], 0..12),
        extra in 0_usize..33,
    ) {
        let mut bytes = selector(signature(function)).to_vec();
        bytes.extend(words.iter().flat_map(|word| word.to_be_bytes::<32>()));
        bytes.resize(bytes.len() + extra, 0);
        let output = Bench::mined().answer(&bytes);
        prop_assert!(output.status.is_success() || output.bytes.is_empty());
    }
}
