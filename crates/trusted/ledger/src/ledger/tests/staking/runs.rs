//! Runs of one enclave after the other, and beside each other (M-04, M-06).

use cloister_chain::Epochs;
use cloister_chain::cosmos::trust::{MsgRetire, MsgRevoke};
use cloister_chain::wire::{Answer, ContractQuery, Form, Query, QueryRefusal};
use cloister_keys::Roots;

use super::admission::{Starting, authority_account, net, register, starting};
use super::*;

const EPOCHS: Epochs = Epochs { length: 3_600 * SECOND, grace: 4 * SECOND, sweep: 3 };

/// A chain that counts questions, and whose epochs last an hour.
fn counting() -> Net {
    let mut net = net();
    net.chain = Chain::of(Genesis { queries: Some(2), epochs: Some(EPOCHS), ..net.chain.genesis.clone() });
    net
}

impl Net {
    /// A run registers for the owner of its machine.
    fn admit(&mut self, user: u8, run: &Starting) {
        let registration = run.registration("test-1", &self.bulletin());
        self.do_well(user, register(user, &registration));
    }

    /// `None` if a question to a contract that nobody knows is answered as such.
    fn refusal(&mut self) -> Option<QueryRefusal> {
        let contract = ContractQuery { contract: address(99), form: Form::Gcm, message: Bytes::new() };
        match self.chain.ask(Query::Contract(contract)) {
            Answer::Refused(refusal) => Some(refusal),
            Answer::Rejected(_) => None,
            answer => panic!("{answer:?}"),
        }
    }

    /// The roots that the run is handed over.
    fn opened(&self, run: &Starting) -> Option<Roots> {
        let (node, genesis) = (self.node(run).expect("a node"), self.chain.genesis.hash());
        let id = node.boot.registration(&node.consensus_key);
        run.key.open("test-1", &genesis, &id, &node.share).ok()
    }

    /// On to the next epoch.
    fn turn(&mut self) -> u64 {
        let before = self.epoch();
        self.later(3_601);
        self.blocks(8);
        assert_eq!(self.epoch(), before + 1);
        before + 1
    }

    fn epoch(&self) -> u64 {
        self.leaf::<Epoch>(Leaf::Epoch).expect("an epoch").number
    }
}

#[test]
fn v04_a_run_answers_no_contracts_question_before_the_chain_lists_it() {
    let (mut net, run) = (counting(), starting(7, 1));
    net.chain.ledger.await_registration(run.chip(), run.boot.kem);
    assert_eq!(net.refusal(), Some(QueryRefusal::Unlisted));
    net.blocks(2);
    net.admit(8, &starting(8, 2));
    assert_eq!(net.refusal(), Some(QueryRefusal::Unlisted), "blocks and others' registrations are not its own");
    net.admit(7, &run);
    assert_eq!([(); 3].map(|()| net.refusal()), [None, None, Some(QueryRefusal::Spent)]);
}

#[test]
fn v06_of_two_runs_on_one_chip_the_later_counts_and_gets_the_seed_with_the_next_epoch() {
    let (mut net, first, clone) = (counting(), starting(7, 1), starting(7, 2));
    net.chain.ledger.await_registration(first.chip(), first.boot.kem);
    net.admit(7, &first);
    assert_eq!(net.opened(&first), Some(roots()));
    assert_eq!(net.refusal(), None);

    net.admit(7, &clone);
    assert_eq!(net.node(&clone).expect("a node").boot, clone.boot);
    assert!(net.node(&clone).expect("a node").share.is_empty(), "nobody knows which of the two is the clone");
    assert_eq!(net.refusal(), Some(QueryRefusal::Unlisted), "the older run is dropped");

    let epoch = net.turn();
    let handed = net.opened(&clone).expect("the next epoch's roots");
    assert_eq!(handed.epoch(), epoch);
    assert_eq!(net.opened(&first), None);
    assert_eq!(net.refusal(), Some(QueryRefusal::Unlisted));

    // In the next epoch it is no better.
    let third = starting(7, 3);
    net.admit(7, &third);
    assert!(net.node(&third).expect("a node").share.is_empty());
    net.turn();
    assert_eq!(net.opened(&third).map(|roots| roots.epoch()), Some(epoch + 1));
}

#[test]
fn v27_who_was_revoked_while_it_waited_gets_nothing_with_the_next_epoch() {
    let (mut net, first, second) = (counting(), starting(7, 1), starting(7, 2));
    net.admit(7, &first);
    net.admit(7, &second);
    let revoke = MsgRevoke { authority: authority_account(), hardware: first.chip().to_vec() };
    assert_eq!(net.decree("MsgRevoke", &revoke), cloister_chain::gov::Status::Passed);
    net.turn();
    assert!(net.node(&second).expect("it is remembered").share.is_empty());
}

#[test]
fn v28_a_program_that_was_retired_meanwhile_gets_nothing_with_the_next_epoch() {
    let (mut net, first, second) = (counting(), starting(7, 1), starting(7, 2));
    net.admit(7, &first);
    net.admit(7, &second);
    let measurement = net.node(&second).expect("a node").measurement;
    let retire = MsgRetire { authority: authority_account(), measurement: measurement.to_vec() };
    assert_eq!(net.decree("MsgRetire", &retire), cloister_chain::gov::Status::Passed);
    net.turn();
    assert!(net.node(&second).expect("it is remembered").share.is_empty());
}

#[test]
fn v06_who_registers_in_the_very_block_of_the_switch_waits_for_the_next_one() {
    let (mut net, first, second) = (counting(), starting(7, 1), starting(7, 2));
    net.admit(7, &first);
    let registration = second.registration("test-1", &net.bulletin());
    let before = net.epoch();
    net.pace = 3_601 * SECOND;
    net.do_well(7, register(7, &registration));
    net.pace = SECOND;
    assert_eq!(net.epoch(), before + 1, "the switch was at the end of that block");
    assert!(net.node(&second).expect("a node").share.is_empty());
    net.blocks(8);
    net.turn();
    assert_eq!(net.opened(&second).map(|roots| roots.epoch()), Some(before + 2));
}

#[test]
fn v24_a_run_whose_evidence_expired_answers_no_more() {
    let (mut net, run) = (counting(), starting(7, 1));
    net.chain.ledger.await_registration(run.chip(), run.boot.kem);
    net.admit(7, &run);
    assert_eq!(net.refusal(), None);
    net.later(40 * 86_400);
    assert_eq!(net.refusal(), Some(QueryRefusal::Unlisted));
}

#[test]
fn v23_a_chip_whose_registration_expired_is_its_machines_again() {
    let (mut net, thief, owner) = (counting(), starting(7, 1), starting(7, 2));
    net.admit(8, &thief);
    let again = owner.registration("test-1", &net.bulletin());
    assert_eq!(net.fails(7, register(7, &again)).1, 8, "it belongs to the node of another account");
    net.later(40 * 86_400);
    net.admit(7, &owner);
    assert_eq!(net.node(&owner).expect("a node").owner, account(7));
}

#[test]
fn a_run_whose_predecessor_expired_does_not_wait() {
    let (mut net, first, second) = (counting(), starting(7, 1), starting(7, 2));
    net.admit(7, &first);
    net.later(40 * 86_400);
    net.blocks(8);
    net.admit(7, &second);
    assert_eq!(net.opened(&second).map(|roots| roots.epoch()), Some(net.epoch()));
}
