#![allow(clippy::unwrap_used)]

use cloister_chain::certificate::Precommit;
use cloister_chain::vote::Statement;
use cloister_chain::{B256, Bytes};
use malachite::app::engine::host::SyncedValueOutcome;
use malachite::app::types::{MisbehaviorEvidence, PeerId};
use malachite_types::{CommitCertificate, CommitSignature, NilOrVal};

use super::history::Decided;
use super::*;
use crate::bft::context::Signature;
use crate::bft::key::Keyring;
use crate::bft::testing::{Disk, Node, Shared, chain_id, key, set};

const NOW: u64 = 1_900_000_000_000_000_000;
const POWERS: [u64; 4] = [1, 1, 1, 1];

/// Four validators; the application under test is one of them.
struct Bench {
    app: App,
    shared: Shared,
}

impl Bench {
    fn new(index: usize, disk: Disk) -> Self {
        let shared = Shared::new(Node::restarted(disk, &set(&POWERS), Some(NOW)));
        let app = App::new(Box::new(shared.clone()), chain_id().into(), Arc::new(key(index)), Pace::default());
        Self { app, shared }
    }

    /// Started at the next height, as the validator whose turn it is in round 0, or as another.
    fn started(proposer: bool) -> (Self, Height) {
        let index = if proposer { turn(1, 0) } else { (turn(1, 0) + 1) % 4 };
        let mut bench = Self::new(index, Disk::default());
        let (height, params) = bench.app.ready().unwrap();
        assert_eq!((height, params.target_time), (Height(1), Pace::default().target));
        assert!(bench.app.started_round(height, Round::new(0)).unwrap().is_empty());
        (bench, height)
    }

    fn block(&self, height: u64, txs: Vec<Bytes>) -> Block {
        let parent = self.shared.parent();
        parent.block(txs, vec![], NOW, key(turn(height, 0)).address())
    }

    /// Hands over all parts of a block that `sender` sends.
    fn receive(&mut self, block: &Block, rounds: (u32, Option<u32>), sender: usize) -> Option<Proposed> {
        let stream = StreamId::new(block.header.hash().to_vec().into());
        let parts = split(&chain_id(), rounds, block, &key(sender), stream).unwrap();
        let answers = parts.into_iter().map(|part| self.app.received_part(peer(), None, part).unwrap());
        answers.fold(None, |last, answer| answer.or(last))
    }

    /// Three of four decide it, and the engine waits for the next height.
    fn finish(&mut self, block: &Block) {
        let certificate = decision(block, &[0, 1, 2]);
        self.app.decided(&certificate).unwrap();
        self.app.finalized(&certificate, &nothing()).unwrap();
    }
}

fn turn(height: u64, round: u32) -> usize {
    let proposer = ValidatorSet::from(&set(&POWERS)).proposer(height, round).key();
    (0..4).find(|index| key(*index).public() == proposer).unwrap()
}

fn peer() -> PeerId {
    let pair = libp2p::identity::Keypair::ed25519_from_bytes([1; 32]).unwrap();
    PeerId::from_bytes(&pair.public().to_peer_id().to_bytes()).unwrap()
}

fn nothing() -> MisbehaviorEvidence<Tendermint> {
    MisbehaviorEvidence { proposals: Default::default(), votes: Default::default() }
}

fn signature(block: &Block, index: usize) -> [u8; 64] {
    let (height, hash) = (block.header.height, block.header.hash());
    key(index).sign(&Statement::Precommit { height, round: 0, block: Some(hash) }.sign_bytes(&chain_id())).0
}

fn decision(block: &Block, signers: &[usize]) -> CommitCertificate<Tendermint> {
    let signed =
        |index: &usize| CommitSignature::new(Address(key(*index).address()), Signature(signature(block, *index)));
    CommitCertificate {
        height: Height(block.header.height),
        round: Round::new(0),
        value_id: BlockHash(block.header.hash()),
        commit_signatures: signers.iter().map(signed).collect(),
    }
}

fn certificate(block: &Block, signers: &[usize]) -> Certificate {
    let precommit = |index: &usize| Precommit { validator: key(*index).public(), signature: signature(block, *index) };
    let mut precommits: Vec<Precommit> = signers.iter().map(precommit).collect();
    precommits.sort_by_key(|precommit| precommit.validator);
    Certificate { height: block.header.height, round: 0, block: block.header.hash(), precommits }
}

#[test]
fn a_round_has_one_block_of_this_validator_even_after_a_crash() {
    let (mut bench, height) = Bench::started(true);
    bench.shared.lock().pool.push(Bytes::from_static(b"early"));
    let (first, parts) = bench.app.get_value(height, Round::new(0)).unwrap().unwrap();
    assert_eq!(parts.len(), 2, "an announcement and one piece");
    assert_eq!(bench.shared.kept(1).unwrap().len(), 1, "on disk before it is named");
    bench.shared.lock().pool.push(Bytes::from_static(b"late"));
    let (again, _) = bench.app.get_value(height, Round::new(0)).unwrap().unwrap();
    assert_eq!(first.value, again.value);
    let (later, _) = bench.app.get_value(height, Round::new(1)).unwrap().unwrap();
    assert_ne!(first.value, later.value, "another round may have another");

    let disk = std::mem::take(&mut bench.shared.lock().disk);
    let mut reborn = Bench::new(turn(1, 0), disk);
    let (height, _) = reborn.app.ready().unwrap();
    let known = reborn.app.started_round(height, Round::new(0)).unwrap();
    assert_eq!(known.iter().map(|value| value.value).collect::<Vec<_>>(), [first.value], "exactly this round's");
    let (again, _) = reborn.app.get_value(height, Round::new(0)).unwrap().unwrap();
    assert_eq!(first.value, again.value);
    assert!(reborn.app.get_value(Height(2), Round::new(0)).unwrap().is_none(), "not the open height");
}

#[test]
fn a_block_of_the_validator_whose_turn_it_is_is_kept_and_then_valid() {
    let (mut bench, _) = Bench::started(false);
    let block = bench.block(1, vec![Bytes::from_static(b"tx")]);
    let value = bench.receive(&block, (0, None), turn(1, 0)).unwrap();
    assert_eq!((value.value.0, value.validity), (block.header.hash(), Validity::Valid));
    assert_eq!(bench.shared.kept(1).unwrap()[0].block, block);
}

#[test]
fn parts_of_strangers_and_of_validators_out_of_turn_are_not_collected() {
    let (mut bench, _) = Bench::started(false);
    let block = bench.block(1, vec![]);
    for (rounds, sender) in
        [((0, None), (turn(1, 0) + 1) % 4), ((0, None), 9), ((11, None), turn(1, 11)), ((1, Some(1)), turn(1, 1))]
    {
        assert_eq!(bench.receive(&block, rounds, sender), None, "{rounds:?} by {sender}");
    }
    assert!(bench.shared.kept(1).unwrap().is_empty());
}

#[test]
fn a_block_that_differs_is_invalid_and_not_kept() {
    let (mut bench, _) = Bench::started(false);
    let mut block = bench.block(1, vec![]);
    block.header.state_root = B256::ZERO;
    let value = bench.receive(&block, (0, None), turn(1, 0)).unwrap();
    assert_eq!(value.validity, Validity::Invalid);
    assert!(bench.shared.kept(1).unwrap().is_empty());
}

#[test]
fn a_block_proposed_again_was_made_by_whoever_proposed_before() {
    let (mut bench, _) = Bench::started(false);
    let block = bench.block(1, vec![]);
    let again = bench.receive(&block, (2, Some(0)), turn(1, 2)).unwrap();
    assert_eq!((again.validity, again.valid_round), (Validity::Valid, Round::new(0)));
    let fresh = bench.receive(&block, (3, None), turn(1, 3)).unwrap();
    assert_eq!(fresh.validity.is_valid(), turn(1, 3) == turn(1, 0));
}

#[test]
fn a_round_has_room_for_two_blocks() {
    let (mut bench, _) = Bench::started(false);
    let blocks: Vec<Block> = (0..4u8).map(|byte| bench.block(1, vec![vec![byte].into()])).collect();
    let answers: Vec<bool> = blocks.iter().map(|block| bench.receive(block, (0, None), turn(1, 0)).is_some()).collect();
    assert_eq!(answers, [true, true, false, false]);
    assert!(bench.receive(&blocks[0], (0, None), turn(1, 0)).is_some(), "what is known may come again");
}

#[test]
fn an_idle_chain_waits_and_a_reason_ends_the_wait() {
    let finished = |txs: Vec<Bytes>| {
        let (mut bench, _) = Bench::started(false);
        let block = bench.block(1, txs);
        bench.receive(&block, (0, None), turn(1, 0)).unwrap();
        bench.finish(&block);
        assert!(bench.app.next().unwrap().is_none(), "not before the block is executed");
        assert_eq!(bench.app.deadline(), None);
        assert!(bench.shared.lock().execute());
        (bench, block)
    };
    // A block with transactions: their results are to be agreed on.
    let (mut busy, _) = finished(vec![Bytes::from_static(b"tx")]);
    assert_eq!(busy.app.next().unwrap().unwrap().0, Height(2));

    // An empty one: the pace of an idle chain.
    let (mut idle, block) = finished(vec![]);
    assert!(idle.app.next().unwrap().is_none());
    let deadline = block.header.time + Pace::default().idle.as_nanos() as u64;
    assert_eq!((idle.app.deadline(), idle.app.awaited()), (Some(deadline), Some(2)));
    idle.shared.lock().clock = Some(deadline);
    assert_eq!(idle.app.next().unwrap().unwrap().0, Height(2));
    assert_eq!(idle.app.deadline(), None);

    // Something waits.
    let (mut woken, _) = finished(vec![]);
    woken.shared.lock().pool.push(Bytes::from_static(b"tx"));
    assert!(woken.app.next().unwrap().is_some());

    // The others have begun: a vote of theirs, but of nobody else, or a block.
    let vote = |index: usize, height| {
        let vote = crate::bft::context::Vote {
            kind: malachite_types::VoteType::Prevote,
            height: Height(height),
            round: Round::new(0),
            value: NilOrVal::Nil,
            voter: Address(key(index).address()),
        };
        Keyring::new(Arc::new(key(index)), chain_id().into()).vote(vote)
    };
    let (mut deaf, _) = finished(vec![]);
    deaf.app.heard(&vote(2, 1));
    deaf.app.heard(&vote(7, 2));
    let mut forged = vote(2, 2);
    forged.signature = vote(3, 2).signature;
    deaf.app.heard(&forged);
    assert!(deaf.app.next().unwrap().is_none());
    deaf.app.heard(&vote(2, 2));
    assert!(deaf.app.next().unwrap().is_some());
}

#[test]
fn a_block_that_comes_before_its_parent_is_executed_is_judged_when_its_height_starts() {
    let (mut bench, _) = Bench::started(false);
    let first = bench.block(1, vec![]);
    bench.receive(&first, (0, None), turn(1, 0)).unwrap();
    bench.finish(&first);
    let second = {
        let mut other = Node::restarted(Disk::default(), &set(&POWERS), Some(NOW));
        other.disk.decided.push((first.clone(), certificate(&first, &[0, 1, 2])));
        assert!(other.execute());
        other.parent.block(vec![], vec![], NOW, key(turn(2, 0)).address())
    };
    assert_eq!(bench.receive(&second, (0, None), turn(2, 0)), None);
    assert!(bench.app.next().unwrap().is_none());
    assert!(bench.shared.lock().execute());
    let (height, _) = bench.app.next().unwrap().unwrap();
    let known = bench.app.started_round(height, Round::new(0)).unwrap();
    assert_eq!(
        known.iter().map(|value| (value.value.0, value.validity)).collect::<Vec<_>>(),
        [(second.header.hash(), Validity::Valid)]
    );
    assert_eq!(bench.shared.kept(2).unwrap()[0].block, second);
}

#[test]
fn a_fuller_certificate_replaces_the_first() {
    let (mut bench, _) = Bench::started(false);
    let block = bench.block(1, vec![]);
    bench.receive(&block, (0, None), turn(1, 0)).unwrap();
    bench.app.decided(&decision(&block, &[0, 1, 2])).unwrap();
    assert_eq!(bench.shared.decided(1).unwrap().unwrap().1, certificate(&block, &[0, 1, 2]));
    bench.app.finalized(&decision(&block, &[3, 0, 2, 1]), &nothing()).unwrap();
    assert_eq!(bench.shared.decided(1).unwrap().unwrap().1, certificate(&block, &[0, 1, 2, 3]));
}

#[test]
fn a_decision_for_a_block_that_is_not_on_disk_ends_everything() {
    let (mut bench, _) = Bench::started(false);
    let block = bench.block(1, vec![]);
    assert!(matches!(bench.app.decided(&decision(&block, &[0, 1, 2])), Err(End::Store(_))));
}

#[test]
fn a_decided_block_that_this_node_found_invalid_ends_everything_with_what_differs() {
    let (mut bench, _) = Bench::started(false);
    let mut block = bench.block(1, vec![]);
    block.header.state_root = B256::repeat_byte(7);
    assert_eq!(bench.receive(&block, (0, None), turn(1, 0)).unwrap().validity, Validity::Invalid);
    let Err(End::Diverged(difference)) = bench.app.decided(&decision(&block, &[0, 1, 2])) else { panic!("it goes on") };
    assert_eq!((difference.height, difference.field), (1, "state root"));
    assert_eq!(difference.theirs, B256::repeat_byte(7).to_string());
}

#[test]
fn consensus_does_not_begin_before_what_was_decided_is_executed() {
    let (mut bench, _) = Bench::started(false);
    let block = bench.block(1, vec![]);
    bench.receive(&block, (0, None), turn(1, 0)).unwrap();
    bench.finish(&block);
    let mut hasty = App::new(Box::new(bench.shared.clone()), chain_id().into(), Arc::new(key(0)), Pace::default());
    assert!(matches!(hasty.ready(), Err(End::Store(_))));
    assert!(bench.shared.lock().execute());
    assert_eq!(hasty.ready().unwrap().0, Height(2));
}

#[test]
fn a_synced_block_is_believed_for_its_certificate_and_judged_for_its_results() {
    let (mut bench, height) = Bench::started(false);
    let block = bench.block(1, vec![Bytes::from_static(b"tx")]);
    let by = Address(key(turn(1, 0)).address());
    let bytes = |block: &Block, signers: &[usize]| {
        borsh::to_vec(&Decided { block: block.clone(), certificate: certificate(block, signers) }).unwrap()
    };
    let mut torn = block.clone();
    torn.txs.clear();
    for bad in [b"garbage".to_vec(), bytes(&block, &[0, 1]), bytes(&torn, &[0, 1, 2])] {
        let outcome = bench.app.synced(height, Round::new(0), by, &bad).unwrap();
        assert!(matches!(outcome, SyncedValueOutcome::PeerFault));
    }
    let later = bench.app.synced(Height(2), Round::new(0), by, &bytes(&block, &[0, 1, 2])).unwrap();
    assert!(matches!(later, SyncedValueOutcome::LocalTransientError));

    let mut other = block.clone();
    other.header.results = B256::ZERO;
    let end = bench.app.synced(height, Round::new(0), by, &bytes(&other, &[0, 1, 2]));
    let Err(End::Diverged(difference)) = end else { panic!("it goes on") };
    assert_eq!((difference.height, difference.field), (1, "results"));
    assert_eq!(difference.ours, B256::repeat_byte(2).to_string());

    // The clock is not asked: that the others accepted the time is enough.
    bench.shared.lock().clock = Some(5);
    let outcome = bench.app.synced(height, Round::new(0), by, &bytes(&block, &[0, 1, 2])).unwrap();
    let SyncedValueOutcome::Verdict(value) = outcome else { panic!("no verdict") };
    assert_eq!((value.value.0, value.validity), (block.header.hash(), Validity::Valid));
    bench.finish(&block);
    assert!(bench.shared.lock().execute());
    assert!(bench.app.next().unwrap().is_some(), "who is behind does not wait");

    let served = bench.app.decided_values(&(Height(0)..=Height(u64::MAX))).unwrap();
    assert_eq!(served.len(), 1);
    assert_eq!(served[0].value_bytes, bytes(&block, &[0, 1, 2]));
    assert_eq!(served[0].certificate.trim_vote_extensions().commit_signatures.len(), 3);
    assert_eq!(bench.app.oldest().unwrap(), Height(1));
    assert!(bench.app.decided_values(&(Height(9)..=Height(3))).unwrap().is_empty());
}

#[test]
fn a_proposal_is_repeated_under_a_new_name() {
    let (mut bench, height) = Bench::started(true);
    let (value, parts) = bench.app.get_value(height, Round::new(0)).unwrap().unwrap();
    let me = Address(bench.app.key.address());
    let again = bench.app.restream(height, Round::new(4), Round::new(0), me, value.value).unwrap();
    assert_ne!(parts[0].stream_id, again[0].stream_id);
    assert_eq!(bench.shared.kept(1).unwrap().len(), 2, "it is this validator's proposal of that round too");
    let unknown = bench.app.restream(height, Round::new(4), Round::new(0), me, BlockHash(B256::ZERO)).unwrap();
    assert!(unknown.is_empty());
}
