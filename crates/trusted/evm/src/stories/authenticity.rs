//! Which ciphertexts may come back: the rules of [`crate::authentic`], one story each.

use super::*;
use crate::authentic::MARKS;
use crate::testing::{Toy, block, land, tx, words};
use crate::{BlockInfo, Cell, Machine, Price, TxInput};

const SAVE: u64 = 1;
const REVEAL: u64 = 2;
const WRITE: u64 = 3;
const COPY: u64 = 4;
const READ: u64 = 5;

/// Slot 0 can be saved, revealed, written raw (from calldata), copied to slot 1, read.
fn notebook() -> Bytes {
    Code::build(|code| {
        code.case(SAVE, |code| code.save(0, 7));
        code.case(REVEAL, |code| code.reveal(0));
        code.case(WRITE, |code| code.sstore(0, Arg::Data(1)));
        code.case(COPY, |code| {
            code.sstore(1, Arg::Slot(0));
            code.reveal(1);
        });
        code.case(READ, |code| code.ret(&[Arg::Slot(0)]));
    })
}

#[test]
fn a_saved_value_comes_back_in_a_later_block() {
    let mut land = land();
    land.contract(ALICE, notebook());
    assert!(!land.send(ALICE, case(REVEAL)).success(), "an unset slot is nothing to on-board");
    assert!(land.send(ALICE, case(SAVE)).success());
    assert!(land.cell(ALICE, 0).marked.is_some());
    let revealed = land.send(ALICE, case(REVEAL));
    assert_eq!(words(&revealed.output), [U256::from(7)]);
    assert!(land.cell(ALICE, 0).marked.is_some(), "reading wipes nothing");
}

#[test]
fn and_within_the_same_block() {
    let mut land = land();
    land.contract(ALICE, notebook());
    let mut machine = Machine::new(&mut land, Toy::default(), &block());
    for (nonce, (action, works)) in [(REVEAL, false), (SAVE, true), (REVEAL, true)].into_iter().enumerate() {
        assert_eq!(machine.transact(&tx(nonce as u64, to(ALICE), case(action))).unwrap().success(), works);
    }
    let changes = machine.finish();
    assert_eq!(changes.cells[&(ALICE, U256::ZERO)].marked, Some(0));
    assert_eq!(changes.cells.len(), 1, "the marks' own storage is nobody's business");
    assert!(!changes.accounts.contains_key(&MARKS));
}

#[test]
fn a_foreign_ciphertext_is_stored_and_read_but_not_on_boarded() {
    let mut land = land();
    land.contract(ALICE, notebook());
    land.contract(BOB, notebook());
    land.send(ALICE, case(SAVE));
    land.send(BOB, case(SAVE));
    let stolen = land.cell(ALICE, 0).word;
    assert!(land.send(BOB, data(&[U256::from(WRITE), stolen])).success());
    assert_eq!(land.cell(BOB, 0), Cell { word: stolen, marked: None });
    assert_eq!(words(&land.send(BOB, case(READ)).output), [stolen]);
    let refused = land.send(BOB, case(REVEAL));
    assert!(!refused.success() && refused.output.is_empty());
    assert!(land.send(ALICE, case(REVEAL)).success(), "its owner still can");
}

#[test]
fn a_contracts_own_old_ciphertext_cannot_be_put_back() {
    let mut land = land();
    land.contract(ALICE, notebook());
    land.send(ALICE, case(SAVE));
    let old = land.cell(ALICE, 0).word;
    land.send(ALICE, data(&[U256::from(WRITE), U256::ZERO]));
    assert_eq!(land.cell(ALICE, 0), Cell::default());
    land.send(ALICE, data(&[U256::from(WRITE), old]));
    assert_eq!(land.cell(ALICE, 0), Cell { word: old, marked: None });
    assert!(!land.send(ALICE, case(REVEAL)).success());
}

#[test]
fn writing_the_same_word_raw_wipes_its_mark() {
    let mut land = land();
    land.contract(ALICE, notebook());
    land.send(ALICE, case(SAVE));
    let word = land.cell(ALICE, 0).word;
    land.send(ALICE, data(&[U256::from(WRITE), word]));
    assert_eq!(land.cell(ALICE, 0), Cell { word, marked: None });
}

#[test]
fn a_contract_copies_between_its_own_slots() {
    let mut land = land();
    land.contract(ALICE, notebook());
    land.send(ALICE, case(SAVE));
    assert_eq!(words(&land.send(ALICE, case(COPY)).output), [U256::from(7)]);
    assert!(land.cell(ALICE, 1).marked.is_some());
}

#[test]
fn a_word_of_the_former_epoch_is_known_for_one_wherever_it_is_copied() {
    let mut land = land();
    land.contract(ALICE, notebook());
    land.send(ALICE, case(SAVE));
    let former = land.cell(ALICE, 0);
    assert_eq!(former.marked, Some(0));
    let mut machine = Machine::new(&mut land, Toy { epoch: 1, ..Toy::default() }, &block());
    let [copied, revealed, saved] = [(1, COPY), (2, REVEAL), (3, SAVE)]
        .map(|(nonce, action)| machine.transact(&tx(nonce, to(ALICE), case(action))).unwrap());
    assert_eq!(words(&copied.output), [U256::from(7)], "what was copied opens with the key that sealed it");
    assert_eq!(words(&revealed.output), [U256::from(7)]);
    assert!(saved.success());
    let changes = machine.finish();
    assert_eq!(changes.cells[&(ALICE, U256::from(1))], former);
    assert_eq!(changes.cells[&(ALICE, U256::ZERO)].marked, Some(1));
}

#[test]
fn a_revert_takes_the_marks_back_with_the_words() {
    let mut land = land();
    // Bob: 1 saves and reverts, 2 wipes and reverts, 3 saves.
    land.contract(
        BOB,
        Code::build(|code| {
            code.case(1, |code| {
                code.save(0, 9);
                code.revert();
            });
            code.case(2, |code| {
                code.sstore(0, 1);
                code.revert();
            });
            code.case(3, |code| code.save(0, 8));
            code.case(REVEAL + 10, |code| code.reveal(0));
        }),
    );
    // Alice calls Bob and does not mind.
    land.contract(
        ALICE,
        Code::build(|code| {
            code.try_call(Kind::Call, BOB, &[Arg::Data(0)]);
        }),
    );
    assert!(land.send(ALICE, case(1)).success());
    assert_eq!(land.cell(BOB, 0), Cell::default());

    land.send(ALICE, case(3));
    let saved = land.cell(BOB, 0);
    assert!(saved.marked.is_some());
    land.send(ALICE, case(2));
    land.send(ALICE, case(1));
    assert_eq!(land.cell(BOB, 0), saved);
    assert_eq!(words(&land.send(BOB, case(REVEAL + 10)).output), [U256::from(8)]);

    // The transaction's own frame, too.
    assert!(!land.send(BOB, case(1)).success());
    assert_eq!(land.cell(BOB, 0), saved);
}

#[test]
fn a_revert_before_the_first_mark_leaves_the_slot_usable_in_the_same_transaction() {
    let mut land = land();
    land.contract(
        BOB,
        Code::build(|code| {
            code.case(1, |code| {
                code.save(0, 9);
                code.revert();
            });
            code.case(2, |code| code.save(0, 8));
            code.case(3, |code| code.reveal(0));
        }),
    );
    land.contract(
        ALICE,
        Code::build(|code| {
            code.try_call(Kind::Call, BOB, &[1.into()]);
            code.try_call(Kind::Call, BOB, &[2.into()]);
            code.try_call(Kind::Call, BOB, &[1.into()]);
            let [word] = code.call(Kind::Call, BOB, &[3.into()]);
            code.ret(&[word.into()]);
        }),
    );
    assert_eq!(words(&land.send(ALICE, Bytes::new()).output), [U256::from(8)]);
    assert!(land.cell(BOB, 0).marked.is_some());
}

#[test]
fn a_proxy_owns_what_its_logic_saves() {
    let mut land = land();
    land.contract(BOB, notebook());
    land.contract(ALICE, proxy(BOB, 2));
    assert!(land.send(ALICE, case(SAVE)).success());
    assert!(land.cell(ALICE, 0).marked.is_some());
    assert_eq!(land.cell(BOB, 0), Cell::default());
    assert_eq!(words(&land.send(ALICE, case(REVEAL)).output), [U256::from(7)]);
    assert!(!land.send(BOB, case(REVEAL)).success());
    // Another logic, the same data.
    land.contract(ALICE, notebook());
    assert_eq!(words(&land.send(ALICE, case(REVEAL)).output), [U256::from(7)]);
}

#[test]
fn every_kind_of_call_acts_for_the_frame_whose_storage_is_in_use() {
    const KINDS: [Kind; 4] = [Kind::Call, Kind::CallCode, Kind::Delegate, Kind::Static];
    for (out, back) in KINDS.into_iter().flat_map(|out| KINDS.map(|back| (out, back))) {
        let mut land = land();
        land.contract(
            ALICE,
            Code::build(|code| {
                let [handle] = code.mpc_by(out, "SetPublic(bytes1,uint256)", &[4], &[6.into()]);
                let [sealed] = code.mpc_by(out, "OffBoard(bytes1,uint256)", &[4], &[handle.into()]);
                code.sstore(0, sealed);
                let [handle] = code.mpc_by(back, "OnBoard(bytes1,uint256)", &[4], &[Arg::Slot(0)]);
                let [word] = code.mpc_by(back, "Decrypt(bytes1,uint256)", &[4], &[handle.into()]);
                code.ret(&[word.into()]);
            }),
        );
        assert_eq!(words(&land.send(ALICE, Bytes::new()).output), [U256::from(6)]);
        // Through a proxy the storage is the proxy's.
        land.contract(BOB, proxy(ALICE, 0));
        assert_eq!(words(&land.send(BOB, Bytes::new()).output), [U256::from(6)]);
        assert!(land.cell(ALICE, 0).marked.is_some() && land.cell(BOB, 0).marked.is_some());
    }
}

#[test]
fn a_static_frame_reads_its_own_storage() {
    let mut land = land();
    land.contract(BOB, notebook());
    land.contract(
        ALICE,
        Code::build(|code| {
            let [word] = code.call(Kind::Static, BOB, &[REVEAL.into()]);
            code.ret(&[word.into()]);
        }),
    );
    land.send(BOB, case(SAVE));
    assert_eq!(words(&land.send(ALICE, Bytes::new()).output), [U256::from(7)]);
}

/// 1: off-boards and returns the ciphertext. 2: on-boards the word it is given. 3: stores the word it is given.
fn vendor() -> Bytes {
    Code::build(|code| {
        code.case(1, |code| {
            let handle = code.set_public(7);
            let sealed = code.off_board(handle);
            code.ret(&[sealed.into()]);
        });
        code.case(2, |code| {
            code.on_board(Arg::Data(1));
        });
        code.case(3, |code| code.sstore(0, Arg::Data(1)));
    })
}

#[test]
fn a_frame_inherits_nothing_from_an_ended_frame_of_its_depth_not_even_its_own() {
    for second in [BOB, CAROL] {
        for then in [2, 3] {
            let mut land = land();
            land.contract(BOB, vendor());
            land.contract(CAROL, vendor());
            land.contract(
                ALICE,
                Code::build(|code| {
                    let [sealed] = code.call(Kind::Call, BOB, &[1.into()]);
                    let ok = code.try_call(Kind::Call, second, &[then.into(), sealed.into()]);
                    code.ret(&[ok.into()]);
                }),
            );
            let stored = then == 3;
            assert_eq!(words(&land.send(ALICE, Bytes::new()).output), [U256::from(stored)]);
            assert!(land.cell(second, 0).marked.is_none());
        }
    }
}

#[test]
fn a_ciphertext_is_worth_nothing_as_argument_or_result() {
    let mut land = land();
    land.contract(BOB, vendor());
    // Alice on-boards what Bob returned, then has Bob on-board what she made.
    land.contract(
        ALICE,
        Code::build(|code| {
            code.case(1, |code| {
                let [sealed] = code.call(Kind::Call, BOB, &[1.into()]);
                code.on_board(sealed);
            });
            code.case(2, |code| {
                let handle = code.set_public(7);
                let sealed = code.off_board(handle);
                let ok = code.try_call(Kind::Call, BOB, &[2.into(), sealed.into()]);
                code.on_board(sealed);
                code.ret(&[ok.into()]);
            });
            // A library's frame is a frame of its own, though it runs on Alice's storage.
            code.case(3, |code| {
                let [sealed] = code.call(Kind::Delegate, BOB, &[1.into()]);
                code.on_board(sealed);
            });
        }),
    );
    assert!(!land.send(ALICE, case(1)).success());
    assert_eq!(words(&land.send(ALICE, case(2)).output), [U256::ZERO], "and her own memory survives the call");
    assert!(!land.send(ALICE, case(3)).success());
}

#[test]
fn a_constructor_saves_for_its_contract() {
    let mut land = land();
    let init = Code::build(|code| {
        code.save(0, 7);
        code.save(1, 8);
    });
    let created = land.mine(&tx(0, TxKind::Create, init));
    let contract = created.contract.unwrap();
    assert!(created.success());
    assert!(land.cell(contract, 0).marked.is_some() && land.cell(contract, 1).marked.is_some());
    land.contract(contract, notebook());
    assert_eq!(words(&land.send(contract, case(REVEAL)).output), [U256::from(7)]);
}

#[test]
fn a_created_contract_inherits_nothing_from_its_creators_other_children() {
    const KEEP: u64 = 1;
    const GIVE: u64 = 2;
    let mut land = land();
    // The first child off-boards and has its creator keep the word; the second asks for it and stores it.
    let first = Code::build(|code| {
        let handle = code.set_public(7);
        let sealed = code.off_board(handle);
        code.try_call(Kind::Call, ALICE, &[KEEP.into(), sealed.into()]);
        code.ret(&[]);
    });
    let second = Code::build(|code| {
        let [sealed] = code.call(Kind::Call, ALICE, &[GIVE.into()]);
        code.sstore(0, sealed);
        code.ret(&[]);
    });
    land.contract(
        ALICE,
        Code::build(|code| {
            code.case(KEEP, |code| code.sstore(0, Arg::Data(1)));
            code.case(GIVE, |code| code.ret(&[Arg::Slot(0)]));
            code.case(3, |code| {
                code.create2(&first, 0);
                let child = code.create2(&second, 1);
                code.sstore(1, child);
            });
        }),
    );
    assert!(land.send(ALICE, case(3)).success());
    let (sealed, child) = (land.cell(ALICE, 0).word, Address::from_word(land.cell(ALICE, 1).word.into()));
    assert!(!sealed.is_zero());
    assert_eq!(land.cell(child, 0), Cell { word: sealed, marked: None });
}

#[test]
fn memory_ends_with_the_transaction() {
    let mut land = land();
    land.contract(ALICE, vendor());
    let mut machine = Machine::new(&mut land, Toy::default(), &block());
    let made = machine.transact(&tx(0, to(ALICE), case(1))).unwrap();
    let sealed = words(&made.output)[0];
    for (nonce, action) in [(1, 2), (2, 3)] {
        let executed = machine.transact(&tx(nonce, to(ALICE), data(&[U256::from(action), sealed]))).unwrap();
        assert_eq!(executed.success(), action == 3, "it may be stored, not on-boarded");
    }
    assert!(machine.finish().cells[&(ALICE, U256::ZERO)].marked.is_none());
}

#[test]
fn a_contract_that_dies_at_birth_leaves_no_mark_for_its_successor() {
    let mut land = land();
    // The child lives on odd calls: its init code asks its creator, which answers with its slot 9.
    let child = Code::build(|code| {
        let [lives] = code.call(Kind::Call, ALICE, &[7.into()]);
        code.case_reg(lives, |code| {
            code.sstore(1, Arg::Slot(0));
            code.sstore(2, 5);
            code.ret(&[]);
        });
        code.save(0, 7);
        code.selfdestruct();
    });
    land.contract(
        ALICE,
        Code::build(|code| {
            code.case(1, |code| {
                let child = code.create2(&child, 3);
                code.sstore(8, child);
                code.sstore(9, 1);
            });
            code.case(7, |code| code.ret(&[Arg::Slot(9)]));
        }),
    );
    let mut machine = Machine::new(&mut land, Toy::default(), &block());
    assert!(machine.transact(&tx(0, to(ALICE), case(1))).unwrap().success());
    assert!(machine.transact(&tx(1, to(ALICE), case(1))).unwrap().success());
    let changes = machine.finish();
    let child = Address::from_word(changes.cells[&(ALICE, U256::from(8))].word.into());
    let of_child: Vec<_> = changes.cells.iter().filter(|((contract, _), _)| *contract == child).collect();
    assert_eq!(of_child, [(&(child, U256::from(2)), &Cell { word: U256::from(5), marked: None })]);

    // Dead for good when only the first call happens.
    land.cells.clear();
    land.send(ALICE, case(1));
    let child = Address::from_word(land.cell(ALICE, 8).word.into());
    assert!(!land.accounts.contains_key(&child));
    assert!(land.cells.keys().all(|(contract, _)| *contract == ALICE));
}

#[test]
fn memory_holds_at_the_deepest_frame() {
    let mut land = land();
    // Calls itself until the stack of calls or the gas is used up; the innermost frame that still can, saves.
    land.contract(
        ALICE,
        Code::build(|code| {
            code.case_reg(Arg::Data(0), |code| {
                for op in [revm::bytecode::opcode::PUSH1, 1] {
                    code.op(op);
                }
                code.push(U256::ZERO);
                code.op(revm::bytecode::opcode::CALLDATALOAD);
                code.op(revm::bytecode::opcode::SUB);
                let less = code.keep();
                let [depth] = code.call(Kind::Call, ALICE, &[less.into()]);
                code.ret(&[depth.into()]);
            });
            code.save(0, 7);
            code.reveal(0);
        }),
    );
    // EIP-150 keeps a 64th at each level, so that only an absurd gas limit gets to the bottom.
    let block = BlockInfo { base_fee: 0, gas_limit: 1 << 52, ..block() };
    for (depth, fits) in [(1, true), (60, true), (1_023, true), (1_024, false)] {
        let mut machine = Machine::new(&mut land, Toy::default(), &block);
        let deep = TxInput { gas_limit: 1 << 52, price: Price::Fixed(0), ..tx(0, to(ALICE), case(depth)) };
        let executed = machine.transact(&deep).unwrap();
        // The precompile needs a level of its own below the contract's.
        assert_eq!(executed.success(), fits, "at depth {depth}");
        assert_eq!(words(&executed.output), [U256::from(7)][..usize::from(fits)]);
        let marked = machine.finish().cells.get(&(ALICE, U256::ZERO)).is_some_and(|cell| cell.marked.is_some());
        assert_eq!(marked, fits);
    }
}

#[test]
fn coins_sent_to_the_marks_account_stay_there_and_disturb_nothing() {
    let mut land = land();
    land.contract(ALICE, notebook());
    let coins = TxInput { value: U256::from(5), ..tx(1, to(MARKS), Bytes::new()) };
    let mut machine = Machine::new(&mut land, Toy::default(), &block());
    for tx in [tx(0, to(ALICE), case(SAVE)), coins, tx(2, to(ALICE), case(REVEAL))] {
        assert!(machine.transact(&tx).unwrap().success());
    }
    let changes = machine.finish();
    assert_eq!(changes.accounts[&MARKS].as_ref().unwrap().balance, U256::from(5));
    assert_eq!(changes.cells.keys().collect::<Vec<_>>(), [&(ALICE, U256::ZERO)]);
    land.apply(changes);
    assert!(land.send(ALICE, case(REVEAL)).success());
}

#[test]
fn marks_cost_no_gas_and_cannot_be_felt() {
    // The same stores and loads with and without a mark cost the same, but for what the precompile takes.
    let gas = |marked: Option<u64>| {
        let mut land = land();
        land.contract(
            ALICE,
            Code::build(|code| {
                code.sstore(0, Arg::Slot(1));
                code.sload(0);
                // BALANCE of the marks' account is always warm.
                code.push(MARKS.into_word().into());
                code.op(revm::bytecode::opcode::BALANCE);
                code.keep();
            }),
        );
        land.cells.insert((ALICE, U256::from(1)), Cell { word: U256::MAX, marked });
        let executed = land.send(ALICE, Bytes::new());
        assert_eq!(land.cell(ALICE, 0), Cell { word: U256::MAX, marked });
        executed.gas_used
    };
    assert_eq!(gas(Some(0)), gas(None));
}
