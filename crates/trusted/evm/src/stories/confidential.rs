//! The precompile inside transactions: handles, origins, input texts.

use cloister_envelope::{Form, InputContext, OnboardingKey};
use revm::bytecode::opcode::{
    CALL, CALLDATACOPY, CALLDATALOAD, CALLDATASIZE, DELEGATECALL, GAS, ISZERO, PUSH0, REVERT, STATICCALL,
};

use super::*;
use crate::testing::asm::left_aligned;
use crate::testing::{Toy, block, land, query, sender, tx, user_cipher, wallet, words};
use crate::{CallInput, Ending, call, precompile};

#[test]
fn a_handle_works_at_every_depth_of_its_transaction_and_survives_an_inner_revert() {
    let mut land = land();
    // Bob makes a handle and returns it, or makes one and reverts with it; Alice decrypts both.
    land.contract(
        BOB,
        Code::build(|code| {
            let handle = code.set_public(Arg::Data(0));
            code.ret(&[handle.into()]);
        }),
    );
    land.contract(
        CAROL,
        Code::build(|code| {
            let [handle] = code.call(Kind::Call, BOB, &[6.into()]);
            let word = code.decrypt(handle);
            code.ret(&[word.into()]);
        }),
    );
    land.contract(
        ALICE,
        Code::build(|code| {
            let [handle] = code.call(Kind::Call, BOB, &[5.into()]);
            let [other] = code.call(Kind::Static, CAROL, &[]);
            let word = code.decrypt(handle);
            code.ret(&[word.into(), other.into()]);
        }),
    );
    assert_eq!(words(&land.send(ALICE, Bytes::new()).output), [U256::from(5), U256::from(6)]);
}

#[test]
fn a_handle_of_an_earlier_transaction_is_refused() {
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            code.case(1, |code| {
                let handle = code.set_public(5);
                code.sstore(0, handle);
            });
            code.case(2, |code| {
                code.decrypt(Arg::Slot(0));
            });
        }),
    );
    let mut machine = crate::Machine::new(&mut land, Toy::default(), &block());
    assert!(machine.transact(&tx(0, to(ALICE), case(1))).unwrap().success());
    let refused = machine.transact(&tx(1, to(ALICE), case(2))).unwrap();
    assert_eq!((refused.ending, refused.output.len()), (Ending::Revert, 0));
}

/// Takes `(ciphertext, r, s, v)` behind any selector, validates them and returns the number.
fn inbox() -> Bytes {
    let signature = "ValidateCiphertext(bytes1,uint256,bytes)";
    Code::build(|code| {
        let mut loaded = [0; 4].map(|_: u8| Arg::Data(0));
        for (index, arg) in loaded.iter_mut().enumerate() {
            code.push(U256::from(4 + 32 * index));
            code.op(CALLDATALOAD);
            *arg = code.keep().into();
        }
        let [ciphertext, r, s, v] = loaded;
        let [handle] = code.mpc(signature, &[4], &[ciphertext, 96.into(), 65.into(), r, s, v]);
        let word = code.decrypt(handle);
        code.ret(&[word.into()]);
    })
}

fn letter(contract: Address, selector: [u8; 4]) -> Vec<u8> {
    let context = InputContext { sender: sender(), contract, selector };
    let input = context.sign(user_cipher(sender()).seal([3; 16], 42), &wallet(), Form::Raw);
    let mut calldata = selector.to_vec();
    calldata.extend(input.ciphertext.to_be_bytes::<32>());
    calldata.extend(&input.signature[..64]);
    calldata.extend(left_aligned(&input.signature[64..]).to_be_bytes::<32>());
    calldata
}

#[test]
fn an_input_text_reaches_the_contract_it_was_signed_for() {
    let mut land = land();
    land.contract(ALICE, inbox());
    land.contract(BOB, inbox());
    let input = letter(ALICE, [1, 2, 3, 4]);
    assert_eq!(words(&land.send(ALICE, input.clone()).output), [U256::from(42)]);
    assert!(!land.send(BOB, input.clone()).success(), "another contract");
    let mut other_function = input;
    other_function[0] ^= 1;
    assert!(!land.send(ALICE, other_function).success());
}

/// Forwards calldata untouched and returns what comes back.
fn forwarder(kind: u8, target: Address) -> Bytes {
    Code::build(|code| {
        for op in [CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY, PUSH0, PUSH0, CALLDATASIZE, PUSH0] {
            code.op(op);
        }
        if kind == CALL {
            code.op(PUSH0);
        }
        code.push(target.into_word().into());
        code.op(GAS);
        code.op(kind);
        code.op(ISZERO);
        let failed = code.keep();
        code.case_reg(failed, |code| {
            code.op(PUSH0);
            code.op(PUSH0);
            code.op(REVERT);
        });
        code.ret_data();
    })
}

#[test]
fn a_proxy_takes_input_texts_signed_for_itself_not_for_its_logic() {
    let mut land = land();
    land.contract(BOB, inbox());
    land.contract(ALICE, forwarder(DELEGATECALL, BOB));
    assert_eq!(words(&land.send(ALICE, letter(ALICE, [1, 2, 3, 4])).output), [U256::from(42)]);
    assert!(!land.send(ALICE, letter(BOB, [1, 2, 3, 4])).success());
}

#[test]
fn a_router_passes_on_an_input_text_signed_for_the_last_contract() {
    let mut land = land();
    land.contract(BOB, inbox());
    land.contract(ALICE, forwarder(CALL, BOB));
    assert_eq!(words(&land.send(ALICE, letter(BOB, [1, 2, 3, 4])).output), [U256::from(42)]);
    assert!(!land.send(ALICE, letter(ALICE, [1, 2, 3, 4])).success());
}

#[test]
fn a_constructors_input_text_is_signed_for_selector_zero() {
    let mut land = land();
    let contract = sender().create(0);
    let context = InputContext { sender: sender(), contract, selector: [0; 4] };
    let input = context.sign(user_cipher(sender()).seal([3; 16], 42), &wallet(), Form::Personal);
    let r = U256::from_be_slice(&input.signature[..32]);
    let s = U256::from_be_slice(&input.signature[32..64]);
    let v = left_aligned(&input.signature[64..]);
    let init = Code::build(|code| {
        let arguments = [input.ciphertext.into(), 96.into(), 65.into(), r.into(), s.into(), v.into()];
        let [handle] = code.mpc("ValidateCiphertext(bytes1,uint256,bytes)", &[4], &arguments);
        let word = code.decrypt(handle);
        code.sstore(0, word);
        code.ret(&[]);
    });
    assert!(land.mine(&tx(0, TxKind::Create, init)).success());
    assert_eq!(land.cell(contract, 0).word, U256::from(42));
}

#[test]
fn the_precompile_is_warm_and_takes_exactly_its_price() {
    let mut land = land();
    let set_public = [&[0xd9, 0xb6, 0x0b, 0x60, 4][..], &[0; 31], &U256::from(5).to_be_bytes::<32>()].concat();
    let executed = land.send(precompile::ADDRESS, set_public.clone());
    assert!(executed.success());
    let zeroes = set_public.iter().filter(|byte| **byte == 0).count() as u64;
    let intrinsic = 21_000 + 4 * zeroes + 16 * (set_public.len() as u64 - zeroes);
    assert_eq!(executed.gas_used, intrinsic + 12_006);
    let refused = land.send(precompile::ADDRESS, Bytes::from_static(&[1, 2, 3, 4]));
    assert_eq!((refused.ending, refused.gas_used), (Ending::Revert, 21_000 + 4 * 16));
}

#[test]
fn value_may_be_sent_to_the_precompile_and_comes_back_with_a_revert() {
    let mut land = land();
    let set_public = [&[0xd9, 0xb6, 0x0b, 0x60, 4][..], &[0; 63]].concat();
    for (nonce, (data, kept)) in [(set_public, 5), (vec![1, 2, 3, 4], 0)].into_iter().enumerate() {
        land.accounts.remove(&precompile::ADDRESS);
        let payment = crate::TxInput { value: U256::from(5), ..tx(nonce as u64, to(precompile::ADDRESS), data) };
        land.mine(&payment);
        let balance = land.accounts.get(&precompile::ADDRESS).map_or(U256::ZERO, |account| account.balance);
        assert_eq!(balance, U256::from(kept));
    }
}

#[test]
fn a_refused_call_reverts_its_caller_only_if_the_caller_lets_it() {
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            let ok = code.mpc_raw(Kind::Call, &[0xde, 0xad, 0xbe, 0xef]);
            code.ret(&[ok.into()]);
        }),
    );
    let executed = land.send(ALICE, Bytes::new());
    assert!(executed.success());
    assert_eq!(words(&executed.output), [U256::ZERO]);
    assert!(executed.gas_used < 30_000, "the frame keeps its gas");
}

#[test]
fn the_key_comes_in_shares_by_call_and_whole_by_staticcall_mined_or_not() {
    let request = onboarding_request();
    let mut land = land();
    for (kind, length) in [(CALL, 512), (DELEGATECALL, 512), (STATICCALL, 256)] {
        land.contract(ALICE, forwarder(kind, precompile::ADDRESS));
        let mined = land.send(ALICE, request.clone());
        let asked = call(&mut land, Toy::default(), &block(), &query(to(ALICE), request.clone()), 1_000_000).unwrap();
        for executed in [mined, asked] {
            assert!(executed.success());
            assert_eq!(words(&executed.output)[..2], [U256::from(32), U256::from(length)]);
            assert_eq!(executed.output.len(), 64 + length);
        }
        // Whoever claims another name gets nothing.
        let spoofed = CallInput { from: BOB, ..query(to(ALICE), request.clone()) };
        let refused = call(&mut land, Toy::default(), &block(), &spoofed, 1_000_000).unwrap();
        assert_eq!((refused.ending, refused.output.len()), (Ending::Revert, 0));
    }
}

fn onboarding_request() -> Vec<u8> {
    let mut seed = alloy_primitives::B256::ZERO;
    let rsa = OnboardingKey::generate(|target| {
        for byte in target {
            seed = alloy_primitives::keccak256(seed);
            *byte = seed[0];
        }
    });
    let signed = [&wallet().sign(&rsa.spki(), Form::Raw)[..], &rsa.spki()].concat();
    let mut calldata = vec![0xa8, 0x5f, 0x0c, 0xa2];
    calldata.extend(U256::from(32).to_be_bytes::<32>());
    calldata.extend(U256::from(signed.len()).to_be_bytes::<32>());
    calldata.extend(&signed);
    calldata.resize(4 + 64 + signed.len().next_multiple_of(32), 0);
    calldata
}
