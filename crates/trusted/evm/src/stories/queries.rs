//! `eth_call` and estimation.

use alloy_primitives::B256;

use super::*;
use crate::testing::{Land, Toy, block, land, query, sender, words};
use crate::{BlockInfo, CallInput, Ending, Estimate, Executed, Failure, Invalid, Price, call, estimate};

const CAP: u64 = 50_000_000;

fn ask(land: &mut Land, input: &CallInput) -> Executed {
    call(&mut *land, Toy::default(), &block(), input, CAP).unwrap()
}

fn guess(land: &mut Land, input: &CallInput) -> Estimate {
    estimate(&mut *land, Toy::default(), &block(), input, CAP).unwrap()
}

#[test]
fn what_a_query_draws_hangs_on_all_that_can_decide_how_it_runs() {
    let drawn = |input: &CallInput, block: &BlockInfo| {
        let mut vault = Toy::default();
        let _ = call(land(), &mut vault, block, input, CAP).unwrap();
        vault.tx
    };
    let (input, at) = (query(to(ALICE), case(1)), block());
    let first = drawn(&input, &at);
    assert_eq!(drawn(&input, &at), first, "the same question draws the same");
    // A contract may choose by any of these in which form it hands out a user's key: the coins of one form are not to
    // come again in the other.
    for other in [
        CallInput { from: CAROL, ..input.clone() },
        CallInput { to: to(BOB), ..input.clone() },
        CallInput { value: U256::from(1), ..input.clone() },
        CallInput { data: case(2), ..input.clone() },
        CallInput { gas: Some(100_000), ..input.clone() },
        CallInput { price: Price::Fixed(5_000_000), ..input.clone() },
    ] {
        assert_ne!(drawn(&other, &at), first, "{other:?}");
    }
    for other in [
        BlockInfo { number: 8, ..at.clone() },
        BlockInfo { timestamp: at.timestamp + 1, ..at.clone() },
        BlockInfo { prevrandao: B256::ZERO, ..at.clone() },
    ] {
        assert_ne!(drawn(&input, &other), first, "{other:?}");
    }
}

#[test]
fn a_plain_transfer_estimates_to_exactly_21000() {
    let mut land = land();
    let transfer = CallInput { value: U256::from(5_000_000_000_u64), ..query(to(BOB), Bytes::new()) };
    assert_eq!(guess(&mut land, &transfer), Estimate::Gas(21_000));
    let priced = CallInput { price: Price::Fixed(5_000_000), gas: Some(21_000), ..transfer };
    assert_eq!(guess(&mut land, &priced), Estimate::Gas(21_000));
}

#[test]
fn an_estimate_is_the_least_gas_that_works() {
    let mut land = land();
    // A store that is refunded, behind a call that keeps a 64th.
    land.contract(
        BOB,
        Code::build(|code| {
            code.sstore(0, 1);
            code.sstore(0, 0);
        }),
    );
    land.contract(
        ALICE,
        Code::build(|code| {
            let [_] = code.call::<1>(Kind::Call, BOB, &[]);
        }),
    );
    let Estimate::Gas(gas) = guess(&mut land, &query(to(ALICE), Bytes::new())) else { panic!("it works") };
    let with = |gas| CallInput { gas: Some(gas), ..query(to(ALICE), Bytes::new()) };
    assert!(ask(&mut land, &with(gas)).success());
    assert!(!ask(&mut land, &with(gas - 1)).success());
}

#[test]
fn an_estimation_tells_why_nothing_suffices() {
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            code.case(1, |code| code.revert_with(&[7.into()]));
            code.case(2, |code| code.op(0xfe));
            code.case(3, |code| code.loop_for_ever());
        }),
    );
    let mut with = |number| guess(&mut land, &query(to(ALICE), case(number)));
    assert_eq!(with(1), Estimate::Reverted(data(&[U256::from(7)])));
    assert!(matches!(with(2), Estimate::Halted(_)));
    assert_eq!(with(3), Estimate::Exceeds(CAP));
}

#[test]
fn an_estimation_with_a_price_minds_the_balance() {
    let mut land = land();
    let rich = CallInput { price: Price::Fixed(5_000_000), value: U256::from(1), ..query(to(BOB), Bytes::new()) };
    assert_eq!(guess(&mut land, &rich), Estimate::Gas(21_000));
    let poor = CallInput { from: CAROL, ..rich.clone() };
    let refused = estimate(&mut land, Toy::default(), &block(), &poor, CAP);
    assert_eq!(refused, Err(Failure::Invalid(Invalid::Funds { have: U256::ZERO, want: U256::from(1) })));
    let broke = CallInput { from: CAROL, value: U256::ZERO, ..rich };
    assert_eq!(guess(&mut land, &broke), Estimate::Exceeds(0));
}

/// A private token's path: on-board a slot, compare, decrypt the comparison and insist on it.
fn vault() -> Bytes {
    Code::build(|code| {
        code.case(1, |code| code.save(0, 100));
        code.case(2, |code| {
            let sealed = code.sload(0);
            let balance = code.on_board(sealed);
            let amount = code.set_public(Arg::Data(1));
            let [enough] = code.mpc("Ge(bytes3,uint256,uint256)", &[4, 4, 0], &[balance.into(), amount.into()]);
            let [clear] = code.mpc("Decrypt(bytes1,uint256)", &[0], &[enough.into()]);
            code.case_reg(clear, |code| {
                let [left] = code.mpc("Sub(bytes3,uint256,uint256)", &[4, 4, 0], &[balance.into(), amount.into()]);
                let sealed = code.off_board(left);
                code.sstore(0, sealed);
                code.ret(&[1.into()]);
            });
            code.revert();
        });
    })
}

#[test]
fn an_estimation_does_not_feel_the_secret() {
    let mut land = land();
    land.contract(ALICE, vault());
    land.send(ALICE, case(1));
    let spend = |amount: u64| query(to(ALICE), data(&[U256::from(2), U256::from(amount)]));
    let affordable = guess(&mut land, &spend(99));
    assert!(matches!(affordable, Estimate::Gas(_)));
    assert_eq!(guess(&mut land, &spend(98)), affordable);
    // The balance is 100: a real evaluation would revert, an estimation succeeds all the same.
    assert_eq!(guess(&mut land, &spend(111)), affordable);
    let Estimate::Gas(gas) = affordable else { unreachable!() };

    let mut real = crate::testing::tx(1, to(ALICE), spend(99).data);
    real.gas_limit = gas;
    let executed = land.mine(&real);
    assert!(executed.success(), "and its gas suffices: {executed:?}");
}

#[test]
fn an_estimation_passes_where_the_transaction_would_fail_on_ciphertext() {
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            let handle = code.on_board(12_345);
            code.decrypt(handle);
        }),
    );
    assert!(matches!(guess(&mut land, &query(to(ALICE), Bytes::new())), Estimate::Gas(_)));
    assert!(!land.send(ALICE, Bytes::new()).success());
}

#[test]
fn eth_call_refuses_confidential_operations_without_data() {
    let mut land = land();
    land.contract(ALICE, vault());
    land.send(ALICE, case(1));
    let executed = ask(&mut land, &query(to(ALICE), data(&[U256::from(2), U256::from(1)])));
    assert_eq!((executed.ending, executed.output.len()), (Ending::Revert, 0));
    assert!(executed.gas_used > CAP / 64 * 62, "the precompile's frame burnt its gas");
}

#[test]
fn eth_call_of_a_constructor_answers_like_an_estimation() {
    let mut land = land();
    let init = Code::build(|code| {
        let handle = code.on_board(12_345);
        let word = code.decrypt(handle);
        code.ret(&[word.into()]);
    });
    let executed = ask(&mut land, &query(TxKind::Create, init));
    assert!(executed.success());
    assert_eq!(words(&executed.output), [U256::from(1)]);
}

#[test]
fn eth_call_reads_public_state_for_anybody_who_holds_what_they_send() {
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            code.sstore(1, 5);
            code.op(revm::bytecode::opcode::CALLER);
            let caller = code.keep();
            code.ret(&[Arg::Slot(0), Arg::Slot(1), caller.into()]);
        }),
    );
    land.cells.insert((ALICE, U256::ZERO), crate::Cell { word: U256::from(9), marked: None });
    let before = land.cells.clone();
    for from in [sender(), CAROL, ALICE, BOB] {
        let input = CallInput { from, ..query(to(ALICE), Bytes::new()) };
        let executed = ask(&mut land, &input);
        let caller = U256::from_be_bytes(from.into_word().0);
        assert_eq!(words(&executed.output), [U256::from(9), U256::from(5), caller]);
        let holds_nothing = from != sender();
        for (value, price) in [(3, 0), (0, 1_000_000_000)] {
            let (value, price) = (U256::from(value), Price::Fixed(price));
            let refused = call(&mut land, Toy::default(), &block(), &CallInput { value, price, ..input.clone() }, CAP);
            assert_eq!(matches!(refused, Err(Failure::Invalid(Invalid::Funds { .. }))), holds_nothing, "{refused:?}");
        }
    }
    assert_eq!(land.cells, before, "a query leaves nothing");
}

#[test]
fn absurd_values_and_prices_are_refused_not_fatal() {
    let mut land = land();
    for (value, price) in [(U256::MAX, 1), (U256::ZERO, u128::MAX)] {
        let input = CallInput { value, price: Price::Fixed(price), ..query(to(BOB), Bytes::new()) };
        let refused = call(&mut land, Toy::default(), &block(), &input, CAP);
        assert!(matches!(refused, Err(Failure::Invalid(_))), "{refused:?}");
    }
    let everything = CallInput { value: U256::MAX, ..query(to(BOB), Bytes::new()) };
    let refused = call(&mut land, Toy::default(), &block(), &everything, CAP);
    assert!(matches!(refused, Err(Failure::Invalid(Invalid::Funds { .. }))), "{refused:?}");
}
