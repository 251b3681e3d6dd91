use cloister_chain::vote::{Signed, Statement};
use cloister_chain::{B256, Bytes, Evidence, Genesis};

use super::*;
use crate::bft::testing::{chain_id, key, set};

/// A parent at height 4 that three of four signed, and a block on top of it.
fn parent_and_block() -> (Parent, Block) {
    let mut parent = Parent::for_tests(&Genesis::for_tests());
    parent.signers = set(&[1, 1, 1, 1]);
    parent.validators = set(&[1, 1, 1, 2]);
    parent.following = set(&[1, 1, 1, 3]);
    parent.header.height = 4;
    parent.certificate = Some(certificate(&parent, &[0, 1, 3]));
    let block = parent.block(vec![Bytes::from_static(b"tx")], vec![], parent.header.time + 7, key(2).address());
    (parent, block)
}

fn certificate(parent: &Parent, signers: &[usize]) -> Certificate {
    let (height, block) = (parent.header.height, parent.header.hash());
    let digest = Statement::Precommit { height, round: 0, block: Some(block) }.sign_bytes(&chain_id());
    let precommit = |index: &usize| cloister_chain::certificate::Precommit {
        validator: key(*index).public(),
        signature: key(*index).sign(&digest).0,
    };
    let mut precommits: Vec<_> = signers.iter().map(precommit).collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    Certificate { height, round: 0, block, precommits }
}

fn verdict(block: &Block, parent: &Parent, now: Option<u64>) -> Result<(), &'static str> {
    let id = chain_id();
    let may = |by| by == key(2).address();
    judge(block, parent, &Rules { chain_id: &id, may_propose: &may, now }).map_err(|difference| difference.field)
}

#[test]
fn a_block_made_from_the_parent_is_valid_and_each_change_of_its_header_is_named() {
    let (parent, good) = parent_and_block();
    assert_eq!(verdict(&good, &parent, Some(good.header.time)), Ok(()));
    type Change = fn(&mut Header);
    let changes: [(&str, Change); 10] = [
        ("chain id", |header| header.chain_id.push('x')),
        ("height", |header| header.height += 1),
        ("parent", |header| header.parent = B256::ZERO),
        ("state root", |header| header.state_root = B256::ZERO),
        ("results", |header| header.results = B256::ZERO),
        ("base fee", |header| header.base_fee += 1),
        ("validators", |header| header.validators = B256::ZERO),
        ("next validators", |header| header.next_validators = B256::ZERO),
        ("simulated", |header| header.simulated = !header.simulated),
        ("proposer", |header| header.proposer = key(1).address()),
    ];
    for (field, change) in changes {
        let mut block = good.clone();
        change(&mut block.header);
        assert_eq!(verdict(&block, &parent, None), Err(field));
    }
}

#[test]
fn time_goes_up_and_is_not_far_ahead_of_the_clock_unless_the_block_is_decided() {
    let (parent, mut block) = parent_and_block();
    let time = block.header.time;
    assert_eq!(verdict(&block, &parent, Some(time - AHEAD)), Ok(()));
    assert_eq!(verdict(&block, &parent, Some(time - AHEAD - 1)), Err("time"));
    assert_eq!(verdict(&block, &parent, None), Ok(()));
    block.header.time = parent.header.time;
    assert_eq!(verdict(&block, &parent, None), Err("time"));
}

#[test]
fn the_parents_certificate_is_by_the_set_that_signed_the_parent() {
    let (parent, mut block) = parent_and_block();
    block.parent = Some(certificate(&parent, &[0, 1, 2, 3]));
    assert_eq!(verdict(&block, &parent, None), Ok(()), "others may have more precommits than this node");
    for bad in [None, Some(certificate(&parent, &[0, 1])), Some(certificate(&parent, &[0, 1, 5]))] {
        block.parent = bad;
        assert_eq!(verdict(&block, &parent, None), Err("parent certificate"));
    }
    let genesis = Parent::for_tests(&Genesis::for_tests());
    let mut first = genesis.block(vec![], vec![], u64::MAX / 2, key(2).address());
    assert_eq!(verdict(&first, &genesis, None), Ok(()), "nobody signs the genesis");
    first.parent = Some(certificate(&parent, &[0, 1, 2]));
    assert_eq!(verdict(&first, &genesis, None), Err("parent certificate"));
}

#[test]
fn evidence_has_to_show_something() {
    let (parent, mut block) = parent_and_block();
    let signed = |byte: u8| {
        let statement = Statement::Prevote { height: 3, round: 0, block: Some(B256::repeat_byte(byte)) };
        Signed { statement, signature: key(1).sign(&statement.sign_bytes(&chain_id())).0 }
    };
    block.evidence = vec![Evidence::new(key(1).public(), signed(1), signed(2))];
    assert_eq!(verdict(&block, &parent, None), Ok(()));
    block.evidence = vec![Evidence::new(key(0).public(), signed(1), signed(2))];
    assert_eq!(verdict(&block, &parent, None), Err("evidence"));
    block.evidence = vec![Evidence::new(key(1).public(), signed(1), signed(2)); limits::EVIDENCE + 1];
    assert_eq!(verdict(&block, &parent, None), Err("evidence"));
}
