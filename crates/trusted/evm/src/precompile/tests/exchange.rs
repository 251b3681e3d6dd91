//! Ciphertext in and out.

use alloy_primitives::keccak256;
use cloister_envelope::{AccountKey, Form, InputContext, OnboardingKey, Secret, WideCell};
use sha2::{Digest, Sha256};

use super::*;
use crate::testing::{user_cipher, user_key, wallet};

const NUMBER: &str = "ValidateCiphertext(bytes1,uint256,bytes)";
const WIDE_NUMBER: &str = "ValidateCiphertext(bytes1,uint256,uint256,bytes)";

fn context() -> InputContext {
    InputContext { sender: sender(), contract: CONTRACT, selector: SELECTOR }
}

#[test]
fn what_a_frame_off_boards_it_on_boards_in_every_width() {
    for width in &Width::ALL[..6] {
        let mut bench = Bench::mined();
        let handle = bench.secret(*width, width.mask());
        let sealed = bench.run("OffBoard(bytes1,uint256)", &[*width as u8], &[handle]).unwrap()[0];
        let again = bench.run("OffBoard(bytes1,uint256)", &[*width as u8], &[handle]).unwrap()[0];
        assert_ne!(sealed, again, "equal values do not look equal");
        for sealed in [sealed, again] {
            let back = bench.run("OnBoard(bytes1,uint256)", &[*width as u8], &[sealed]).unwrap()[0];
            assert_eq!(bench.reveal(*width, back), Some(width.mask()));
        }
    }
}

#[test]
fn wide_values_travel_in_two_cells_high_first() {
    for word in [U256::ZERO, U256::MAX, U256::from(u128::MAX), U256::from(1) << 128] {
        let mut bench = Bench::mined();
        let handle = bench.secret(Width::U256, word);
        let sealed = bench.run("OffBoard256(bytes1,uint256)", &[6], &[handle]).unwrap();
        let on_board = "OnBoard(bytes1,uint256,uint256)";
        let back = bench.run(on_board, &[6], &sealed).unwrap()[0];
        assert_eq!(bench.reveal(Width::U256, back), Some(word));
        assert_eq!(bench.run(on_board, &[6], &[sealed[0], U256::from(5)]), None, "both cells have to be known");
        assert_eq!(bench.run(on_board, &[6], &[U256::from(5), sealed[1]]), None);
        assert_eq!(bench.run("OffBoard(bytes1,uint256)", &[6], &[handle]), None);
    }
}

#[test]
fn a_narrower_type_takes_the_low_bits() {
    let mut bench = Bench::mined();
    let handle = bench.secret(Width::U64, U256::from(0x1ff));
    let sealed = bench.run("OffBoard(bytes1,uint256)", &[4], &[handle]).unwrap()[0];
    let back = bench.run("OnBoard(bytes1,uint256)", &[1], &[sealed]).unwrap()[0];
    assert_eq!(bench.reveal(Width::U8, back), Some(U256::from(0xff)));
}

#[test]
fn only_the_frame_that_made_a_ciphertext_on_boards_it() {
    let mut bench = Bench::mined();
    let handle = bench.secret(Width::U64, U256::from(5));
    let sealed = bench.run("OffBoard(bytes1,uint256)", &[4], &[handle]).unwrap()[0];
    let mut on_board = |depth, word| {
        bench.frame.depth = depth;
        bench.run("OnBoard(bytes1,uint256)", &[4], &[word]).is_some()
    };
    assert!(on_board(1, sealed));
    assert!(!on_board(2, sealed));
    assert!(!on_board(0, sealed));
    assert!(!on_board(1, sealed ^ U256::from(1)));
    assert!(!on_board(1, U256::ZERO));
}

#[test]
fn a_user_reads_what_was_off_boarded_to_them_and_nobody_on_boards_it() {
    let user = Address::repeat_byte(7);
    let mut bench = Bench::mined();
    let handle = bench.secret(Width::U64, U256::from(42));
    let calldata = |user: &[u8]| calldata_bytes("OffBoardToUser(bytes1,uint256,bytes)", Some(&[4]), &[handle], user);
    let sealed = bench.call(&calldata(user.as_slice())).unwrap()[0];
    assert_eq!(user_cipher(user).open(sealed), 42);
    assert_eq!(bench.run("OnBoard(bytes1,uint256)", &[4], &[sealed]), None);
    for length in [0, 19, 21, 32] {
        assert_eq!(bench.call(&calldata(&[7; 32][..length])), None, "an address has 20 bytes");
    }

    let word = U256::from(42) << 128 | U256::from(43);
    let handle = bench.secret(Width::U256, word);
    let wide = calldata_bytes("OffBoardToUser256(bytes1,uint256,bytes)", Some(&[6]), &[handle], user.as_slice());
    let cells = bench.call(&wide).unwrap();
    assert_eq!(user_cipher(user).open_wide(&WideCell { high: cells[0], low: cells[1] }), word);
}

#[test]
fn an_input_text_becomes_a_handle_in_both_signed_forms() {
    for form in [Form::Raw, Form::Personal] {
        for padding in [0, 1, 31] {
            let mut bench = Bench::mined();
            let input = context().sign(user_cipher(sender()).seal([9; 16], 0x1_0005), &wallet(), form);
            let signature = [&input.signature[..], &vec![0xee; padding]].concat();
            let calldata = calldata_bytes(NUMBER, Some(&[2]), &[input.ciphertext], &signature);
            let handle = bench.call(&calldata).unwrap()[0];
            assert_eq!(bench.reveal(Width::U16, handle), Some(U256::from(5)), "the low bits of a wider plaintext");
            let again = bench.call(&calldata).unwrap()[0];
            assert_ne!(again, handle);
        }
    }
}

#[test]
fn an_input_text_counts_for_its_origin_contract_function_and_ciphertext() {
    let input = context().sign(user_cipher(sender()).seal([9; 16], 5), &wallet(), Form::Raw);
    let calldata = |ciphertext, signature: &[u8]| calldata_bytes(NUMBER, Some(&[4]), &[ciphertext], signature);
    let good = calldata(input.ciphertext, &input.signature);
    let accepts = |change: &dyn Fn(&mut Frame), calldata: &[u8]| {
        let mut bench = Bench::mined();
        change(&mut bench.frame);
        bench.call(calldata).is_some()
    };
    assert!(accepts(&|_| {}, &good));
    assert!(!accepts(&|frame| frame.origin = Address::repeat_byte(1), &good));
    assert!(!accepts(&|frame| frame.contract = Address::repeat_byte(1), &good));
    assert!(!accepts(&|frame| frame.selector = [0; 4], &good));
    assert!(!accepts(&|_| {}, &calldata(input.ciphertext ^ U256::from(1), &input.signature)));
    assert!(!accepts(&|_| {}, &calldata(input.ciphertext, &[0; 64])), "COTI's negative tests");
    assert!(!accepts(&|_| {}, &calldata(input.ciphertext, &[])));
    assert!(!accepts(&|_| {}, &calldata(input.ciphertext, &[0; 65])));
    let mut astray = good.clone();
    astray[4 + 95] = 64;
    assert!(!accepts(&|_| {}, &astray), "the offset points right behind the head");
    let mallory = AccountKey::from_secret(Secret::from_bytes([2; 32])).unwrap();
    let forged = context().sign(input.ciphertext, &mallory, Form::Raw);
    assert!(!accepts(&|_| {}, &calldata(input.ciphertext, &forged.signature)));
}

#[test]
fn a_wide_input_text_has_one_signature_over_both_cells() {
    let word = U256::MAX - U256::from(77);
    let cells = user_cipher(sender()).seal_wide([1; 16], [2; 16], word);
    let input = context().sign_wide(cells, &wallet(), Form::Raw);
    let calldata = |high, low| calldata_bytes(WIDE_NUMBER, Some(&[6]), &[high, low], &input.signature);
    let mut bench = Bench::mined();
    let handle = bench.call(&calldata(cells.high, cells.low)).unwrap()[0];
    assert_eq!(bench.reveal(Width::U256, handle), Some(word));
    assert_eq!(bench.call(&calldata(cells.low, cells.high)), None);
}

#[test]
fn the_origins_key_comes_in_two_shares_or_whole() {
    let mut seed = B256::ZERO;
    let rsa = OnboardingKey::generate(|target| {
        for byte in target {
            seed = keccak256(seed);
            *byte = seed[0];
        }
    });
    let spki = rsa.spki();
    let request = |key: &AccountKey| [&key.sign(&spki, Form::Raw)[..], &spki].concat();
    let calldata = |request: &[u8]| calldata_bytes("GetUserKey(bytes)", None, &[], request);
    let good = calldata(&request(&wallet()));
    let expected = user_key(sender());

    for mode in [Mode::Mined, Mode::Call] {
        let mut bench = Bench::new(mode);
        let output = bench.answer(&good).bytes;
        assert_eq!((output.len(), &output[62..64]), (64 + 512, &[2, 0][..]));
        assert!(rsa.recover(&output[64..320], &output[320..]).unwrap() == expected);

        bench.frame.form = KeyForm::Whole;
        let output = bench.answer(&good).bytes;
        assert_eq!((output.len(), &output[62..64]), (64 + 256, &[1, 0][..]));
        assert!(rsa.recover_whole(&output[64..]).unwrap() == expected);

        let mallory = AccountKey::from_secret(Secret::from_bytes([2; 32])).unwrap();
        assert_eq!(bench.call(&calldata(&request(&mallory))), None);
        assert_eq!(bench.call(&calldata(&spki)), None, "the empty signature of COTI's test");
        bench.frame.origin = mallory.address();
        assert_eq!(bench.call(&good), None, "another origin does not get it");
    }
}

#[test]
fn the_digest_covers_432_bits() {
    let mut bench = Bench::mined();
    let [amount, first, second] = [1, 2, 3].map(|word| bench.secret(Width::U64, U256::from(word)));
    let name = "SHA256Fixed432BitInput(uint256,uint256,uint256,uint256,uint256,bytes)";
    let user = [7; 20];
    let mut digest = |paddings: [u64; 2], user: &[u8]| {
        let words = [amount, first, second, U256::from(paddings[0]), U256::from(paddings[1])];
        bench.call(&calldata_bytes(name, None, &words, user))
    };
    let numbers = [1_u64, 2, 3].map(u64::to_be_bytes).concat();
    let input = [&numbers[..], &user, &4_u64.to_be_bytes(), &5_u16.to_be_bytes()].concat();
    assert_eq!(input.len() * 8, 432);
    let expected = U256::from_be_slice(&Sha256::digest(&input));
    assert_eq!(digest([4, 5], &user), Some(vec![U256::from(32), U256::from(32), expected]));
    assert_eq!(digest([4, 1 << 16], &user), None, "the second padding has 16 bits");
    assert_eq!(digest([4, 5], &[7; 19]), None);
}
