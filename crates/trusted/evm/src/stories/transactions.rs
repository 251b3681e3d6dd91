//! Transactions of a block: what is refused leaves nothing, what runs is paid for, and the changes say it all.

use super::*;
use crate::testing::{CHAIN, Land, Toy, block, land, sender, tx};
use crate::tx::{AccessList, AccessListItem};
use crate::{Account, Changes, Ending, Failure, Invalid, Machine, Price, TxInput, WorldError};

fn transfer(nonce: u64, value: u64) -> TxInput {
    TxInput { value: U256::from(value), gas_limit: 21_000, ..tx(nonce, to(BOB), Bytes::new()) }
}

fn in_one_block(land: &mut Land, txs: &[TxInput]) -> (Vec<Result<crate::Executed, Failure>>, Changes) {
    let mut machine = Machine::new(land, Toy::default(), &block());
    let results = txs.iter().map(|tx| machine.transact(tx)).collect();
    (results, machine.finish())
}

#[test]
fn a_transfer_moves_value_burns_the_base_fee_and_tips_the_beneficiary() {
    let mut land = land();
    let before = land.accounts[&sender()].balance;
    let price = Price::Dynamic { max_fee: 100_000_000, max_priority: 1_000_000 };
    let executed = land.mine(&TxInput { price, ..transfer(0, 5) });
    assert!(executed.success());
    assert_eq!((executed.gas_used, executed.gas_price), (21_000, 6_000_000));
    assert_eq!(land.accounts[&BOB], Account { balance: U256::from(5), ..Account::default() });
    assert_eq!(land.accounts[&block().beneficiary].balance, U256::from(21_000_u64 * 1_000_000));
    let paid = before - land.accounts[&sender()].balance;
    assert_eq!(paid, U256::from(5 + 21_000_u64 * 6_000_000));
    assert_eq!(land.accounts[&sender()].sequence, 1);
}

#[test]
fn an_invalid_transaction_leaves_no_trace_and_the_next_goes_on() {
    let good = transfer(0, 5);
    let invalid = [
        (TxInput { nonce: 1, ..good.clone() }, Invalid::NonceTooHigh { nonce: 1, next: 0 }),
        (TxInput { gas_limit: 20_999, ..good.clone() }, Invalid::IntrinsicGas { have: 20_999, want: 21_000 }),
        (TxInput { gas_limit: 120_000_001, ..good.clone() }, Invalid::BlockGas),
        (TxInput { price: Price::Fixed(4_999_999), ..good.clone() }, Invalid::FeeBelowBase),
        (
            TxInput { price: Price::Dynamic { max_fee: 6_000_000, max_priority: 6_000_001 }, ..good.clone() },
            Invalid::PriorityAboveFee,
        ),
        (TxInput { chain_id: Some(1), ..good.clone() }, Invalid::ChainId),
        (TxInput { value: U256::MAX, ..good.clone() }, Invalid::CostOverflow),
        (TxInput { price: Price::Fixed(u128::MAX), ..good.clone() }, Invalid::CostOverflow),
        (
            TxInput { to: TxKind::Create, data: vec![0; 49_153].into(), gas_limit: 9_000_000, ..good.clone() },
            Invalid::InitCode,
        ),
        (TxInput { from: ALICE, ..good.clone() }, Invalid::SenderHasCode),
        (
            TxInput { from: CAROL, value: U256::from(1), ..good.clone() },
            Invalid::Funds { have: U256::ZERO, want: U256::from(21_000_u64 * 1_000_000_000 + 1) },
        ),
    ];
    let mut land = land();
    land.contract(ALICE, Bytes::from_static(&[0]));
    let expected = in_one_block(&mut land.clone(), std::slice::from_ref(&good));

    let (refused, expected_errors): (Vec<_>, Vec<_>) = invalid.into_iter().unzip();
    let mut txs = refused;
    txs.push(good);
    let (mut results, changes) = in_one_block(&mut land, &txs);
    let last = results.pop().unwrap();
    let errors: Vec<_> = results.into_iter().map(|result| result.unwrap_err()).collect();
    assert_eq!(errors, expected_errors.into_iter().map(Failure::Invalid).collect::<Vec<_>>());
    assert_eq!(last, expected.0[0]);
    assert_eq!(changes, expected.1);
}

#[test]
fn a_replayed_transaction_is_refused() {
    let mut land = land();
    let (results, _) = in_one_block(&mut land, &[transfer(0, 5), transfer(0, 5)]);
    assert!(results[0].is_ok());
    assert_eq!(results[1], Err(Failure::Invalid(Invalid::NonceTooLow { nonce: 0, next: 1 })));
}

#[test]
fn all_three_types_run() {
    let list = AccessList(vec![AccessListItem { address: ALICE, storage_keys: vec![Default::default()] }]);
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            code.sload(0);
        }),
    );
    let plain = TxInput { chain_id: None, ..tx(0, to(ALICE), Bytes::new()) };
    let legacy = land.mine(&plain);
    let listed = land.mine(&TxInput { access_list: Some(list.clone()), ..tx(1, to(ALICE), Bytes::new()) });
    let price = Price::Dynamic { max_fee: 10_000_000, max_priority: 0 };
    let dynamic = land.mine(&TxInput { access_list: Some(list), price, ..tx(2, to(ALICE), Bytes::new()) });
    assert!(legacy.success() && listed.success() && dynamic.success());
    // EIP-2930: 2400 for the address, 1900 for the slot, which then costs 100 and not 2100.
    assert_eq!(listed.gas_used, legacy.gas_used + 2_400 + 1_900 - 2_000);
    assert_eq!(dynamic.gas_used, listed.gas_used);
    assert_eq!(dynamic.gas_price, 5_000_000);

    let unprotected =
        TxInput { chain_id: None, access_list: Some(AccessList::default()), ..tx(3, to(ALICE), Bytes::new()) };
    let (results, _) = in_one_block(&mut land, &[unprotected]);
    assert_eq!(results[0], Err(Failure::Invalid(Invalid::ChainId)), "only legacy transactions may leave it out");
}

#[test]
fn a_creation_names_its_contract_and_its_code() {
    let mut land = land();
    let runtime: U256 = U256::from(0x6001_5f55_u64) << 224; // PUSH1 1, PUSH0, SSTORE
    let init = Code::build(|code| code.ret(&[runtime.into()]));
    let executed = land.mine(&tx(0, TxKind::Create, init));
    let contract = executed.contract.unwrap();
    assert_eq!(contract, sender().create(0));
    assert_eq!(executed.output[..], runtime.to_be_bytes::<32>());
    let account = &land.accounts[&contract];
    assert_eq!(account.sequence, 1);
    assert_eq!(land.codes[&account.code], executed.output);
    assert!(land.send(contract, Bytes::new()).success());
    assert_eq!(land.cell(contract, 0).word, U256::from(1));
}

#[test]
fn only_what_changed_is_reported() {
    let mut land = land();
    land.cells.insert((ALICE, U256::from(1)), crate::Cell { word: U256::from(5), marked: None });
    land.contract(
        ALICE,
        Code::build(|code| {
            code.sload(1);
            code.sstore(1, 6);
            code.sstore(1, 5);
            code.sstore(2, 0);
            code.sstore(3, 4);
        }),
    );
    let (results, changes) = in_one_block(&mut land, &[tx(0, to(ALICE), Bytes::new())]);
    assert!(results[0].as_ref().unwrap().success());
    assert_eq!(changes.cells.keys().collect::<Vec<_>>(), [&(ALICE, U256::from(3))]);
    assert_eq!(changes.accounts.keys().collect::<Vec<_>>().len(), 2, "sender and beneficiary");
    assert!(changes.codes.is_empty());
}

#[test]
fn a_failed_transaction_pays_and_changes_nothing_else() {
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            code.sstore(0, 1);
            code.revert();
        }),
    );
    land.contract(BOB, Bytes::from_static(&[0xfe]));
    let reverted = land.send(ALICE, Bytes::new());
    assert_eq!(reverted.ending, Ending::Revert);
    assert!(reverted.gas_used < 100_000 && reverted.logs.is_empty());
    let halted = land.send(BOB, Bytes::new());
    assert!(matches!(halted.ending, Ending::Halt(_)));
    assert_eq!(halted.gas_used, 12_000_000);
    assert!(land.cells.is_empty());
    assert_eq!(land.accounts[&sender()].sequence, 2);
}

#[test]
fn a_forged_read_stops_the_block_and_is_never_a_revert() {
    let mut land = land();
    // Alice shields a call to Bob, whose account the host forges.
    land.contract(
        ALICE,
        Code::build(|code| {
            code.try_call(Kind::Call, BOB, &[]);
        }),
    );
    land.forged = Some(BOB);
    let (results, _) = in_one_block(&mut land, &[tx(0, to(ALICE), Bytes::new())]);
    assert_eq!(results[0], Err(Failure::World(WorldError::Forged)));
}

#[test]
fn contracts_see_the_block() {
    use revm::bytecode::opcode::{BASEFEE, BLOCKHASH, CHAINID, COINBASE, DIFFICULTY, NUMBER, TIMESTAMP};
    let mut land = land();
    land.contract(
        ALICE,
        Code::build(|code| {
            let mut seen = Vec::new();
            for op in [NUMBER, TIMESTAMP, BASEFEE, CHAINID, COINBASE, DIFFICULTY] {
                code.op(op);
                seen.push(Arg::Reg(code.keep()));
            }
            code.push(U256::from(6));
            code.op(BLOCKHASH);
            seen.push(Arg::Reg(code.keep()));
            code.ret(&seen);
        }),
    );
    let block = block();
    let expected = [
        U256::from(block.number),
        U256::from(block.timestamp),
        U256::from(block.base_fee),
        U256::from(CHAIN),
        block.beneficiary.into_word().into(),
        block.prevrandao.into(),
        alloy_primitives::keccak256(6_u64.to_be_bytes()).into(),
    ];
    assert_eq!(crate::testing::words(&land.send(ALICE, Bytes::new()).output), expected);
}
