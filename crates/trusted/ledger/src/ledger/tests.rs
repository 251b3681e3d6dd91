use std::collections::BTreeMap;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{B256, Bytes, Signature, TxKind, U256, hex, keccak256};
use cloister_chain::genesis::GenesisAccount;
use cloister_chain::wire::{Answer, Call, Query, QueryAt, QueryRefusal};
use cloister_chain::{Account, Block, Cell, Certificate, Parent, Validator, ValidatorSet};
use cloister_keys::Seed;
use cloister_state::{Supplied, SupplyError, Wanted};
use ed25519_zebra::{SigningKey, VerificationKey};
use secp256k1::{Message, SECP256K1, SecretKey};

use super::*;

mod authz;
mod compute;
mod cosmos;
mod determinism;
mod feegrant;
mod staking;

const ETHER: u128 = 1_000_000_000_000_000_000;
const SEED: [u8; 32] = [9; 32];

/// A host that keeps everything it is given, and a chain on it.
#[derive(Default)]
struct Host {
    leaves: BTreeMap<Leaf, Vec<u8>>,
    blobs: BTreeMap<B256, Bytes>,
    /// Names of what the network sealed.
    names: BTreeMap<B256, Leaf>,
    crossings: usize,
}

struct Chain {
    genesis: Genesis,
    ledger: Ledger,
    host: Host,
    outcomes: Vec<Outcome>,
    decided: Vec<Execute>,
}

impl Supply for Host {
    fn supply(&mut self, _: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        let Wanted { leaves, positions, blobs } = wanted;
        self.crossings += 1;
        let named = |position| self.names.get(position).map(|leaf| (*leaf, self.leaves[leaf].clone()));
        Ok(Supplied {
            sealed: positions.iter().map(named).collect(),
            leaves: leaves.iter().map(|leaf| self.leaves.get(leaf).cloned()).collect(),
            blobs: blobs.iter().map(|hash| self.blobs.get(hash).cloned()).collect(),
        })
    }
}

impl Host {
    fn keep(&mut self, outcome: &Outcome) {
        for (leaf, value) in &outcome.writes {
            match value.as_ref().and_then(|value| leaf.sealed_in(value)) {
                Some(_) => self.names.insert(leaf.position(), *leaf),
                None => self.names.remove(&leaf.position()),
            };
            match value {
                Some(value) => drop(self.leaves.insert(*leaf, value.clone())),
                None => drop(self.leaves.remove(leaf)),
            }
        }
        self.blobs.extend(outcome.blobs.iter().cloned());
    }
}

impl Chain {
    fn start() -> Self {
        let mut genesis = Genesis::for_tests();
        let rich =
            |user: u8| GenesisAccount { address: address(user), balance: U256::from(10 * ETHER), ..Default::default() };
        genesis.accounts = (1..=3).map(rich).collect();
        Self::of(genesis)
    }

    fn of(genesis: Genesis) -> Self {
        let (ledger, outcome) = Ledger::genesis(&genesis, roots()).expect("a genesis");
        let mut host = Host::default();
        host.keep(&outcome);
        Self { genesis, ledger, host, outcomes: vec![outcome], decided: Vec::new() }
    }

    /// The block that an honest solo proposer makes of `txs`.
    fn propose(&self, txs: Vec<Bytes>) -> Execute {
        let tip = self.ledger.checkpoint();
        let proposer = tip.validators.iter().next().expect("one validator").address();
        let parent = parent(tip);
        let now = tip.header.time + 1_000_000_000;
        certify(parent.block(txs, Vec::new(), now, proposer))
    }

    fn run(&mut self, txs: Vec<Bytes>) -> &[Receipt] {
        let next = self.propose(txs);
        let outcome = self.ledger.execute(&next, &mut self.host).expect("an honest block");
        self.host.keep(&outcome);
        self.outcomes.push(outcome);
        self.decided.push(next);
        &self.outcomes.last().expect("just pushed").receipts
    }

    fn account(&self, user: u8) -> Account {
        let bytes = self.host.leaves.get(&Leaf::Account(address(user))).expect("an account");
        borsh::from_slice(bytes).expect("an account's bytes")
    }

    fn ask(&mut self, query: Query) -> Answer {
        self.ledger.snapshots().query(&QueryAt { height: None, query }, &mut self.host)
    }
}

/// Of a chain that was founded with [`SEED`].
fn roots() -> Roots {
    Roots::found("test-1", Seed::from_bytes(SEED))
}

/// What the next block says of a chain's last one; its only validator signed that.
fn parent(tip: &Checkpoint) -> Parent {
    let Checkpoint { header, state_root, results, base_fee, signers, validators, following } = tip.clone();
    let certificate = (header.height > 0)
        .then(|| Certificate::solo(&SigningKey::from([7; 32]), &header.chain_id, header.height, header.hash()));
    Parent { header, certificate, state_root, results, base_fee, signers, validators, following }
}

fn certify(block: Block) -> Execute {
    let header = &block.header;
    let certificate = Certificate::solo(&SigningKey::from([7; 32]), &header.chain_id, header.height, header.hash());
    Execute { block, certificate }
}

fn secret(user: u8) -> SecretKey {
    SecretKey::from_byte_array([user; 32]).expect("a key")
}

fn address(user: u8) -> Address {
    let public = secret(user).public_key(SECP256K1).serialize_uncompressed();
    Address::from_slice(&keccak256(&public[1..])[12..])
}

fn sign(user: u8, tx: TxEip1559) -> Bytes {
    let message = Message::from_digest(tx.signature_hash().0);
    let (id, rs) = SECP256K1.sign_ecdsa_recoverable(message, &secret(user)).serialize_compact();
    let signature = Signature::new(U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]), i32::from(id) == 1);
    let mut bytes = vec![1];
    TxEnvelope::Eip1559(tx.into_signed(signature)).encode_2718(&mut bytes);
    bytes.into()
}

fn tx(nonce: u64, to: TxKind, value: u128, input: impl Into<Bytes>) -> TxEip1559 {
    TxEip1559 {
        chain_id: 7_082_400,
        nonce,
        gas_limit: 5_000_000,
        max_fee_per_gas: 10_000_000,
        max_priority_fee_per_gas: 1,
        to,
        value: U256::from(value),
        access_list: Default::default(),
        input: input.into(),
    }
}

fn transfer(user: u8, nonce: u64, to: u8, value: u128) -> Bytes {
    sign(user, tx(nonce, TxKind::Call(address(to)), value, Bytes::new()))
}

/// Creation of the documented example contract.
fn data_on_chain() -> Vec<u8> {
    let code = include_str!("../../../../../contracts/solidity/artifacts/DataOnChain.bin");
    hex::decode(code.trim()).expect("hex")
}

/// `setSomeEncryptedValue(uint64)` and `setUserSomeEncryptedValue()` of that contract.
fn set_value(value: u8) -> Vec<u8> {
    let mut input = hex!("af384ac7").to_vec();
    input.extend(U256::from(value).to_be_bytes::<32>());
    input
}

const SET_USER_VALUE: [u8; 4] = hex!("fee511d6");

#[test]
fn a_transfer_moves_value_and_pays_its_fee_to_nobody_but_the_proposer() {
    let mut chain = Chain::start();
    let receipt = chain.run(vec![transfer(1, 0, 2, ETHER)])[0].clone();
    assert_eq!((receipt.status, receipt.gas_used, receipt.gas_price), (Status::Success, 21_000, 5_000_001));
    let fee = 21_000u128 * 5_000_001;
    assert_eq!(chain.account(1), Account { sequence: 1, balance: U256::from(9 * ETHER - fee), ..Account::default() });
    assert_eq!(chain.account(2).balance, U256::from(11 * ETHER));
    let proposer = chain.genesis.validators.iter().next().expect("one").address();
    let tips: Account = borsh::from_slice(&chain.host.leaves[&Leaf::Account(proposer)]).expect("an account");
    assert_eq!(tips.balance, U256::from(21_000), "one wei of tip per gas; the base fee is burnt");
}

#[test]
fn what_cannot_run_is_refused_in_its_place_and_leaves_no_trace() {
    let mut chain = Chain::start();
    let poor = sign(4, tx(0, TxKind::Call(address(1)), 1, Bytes::new()));
    let cheap = sign(
        1,
        TxEip1559 { max_fee_per_gas: 1, max_priority_fee_per_gas: 0, ..tx(0, TxKind::Create, 0, Bytes::new()) },
    );
    let greedy = sign(
        1,
        TxEip1559 { gas_limit: 1_300_000_000, max_fee_per_gas: 5_000_000, ..tx(0, TxKind::Create, 0, Bytes::new()) },
    );
    let block = vec![
        Bytes::from_static(b"no transaction"),
        transfer(1, 7, 2, 1),
        poor,
        cheap,
        greedy,
        transfer(1, 0, 2, 5),
        transfer(1, 0, 2, 5),
    ];
    let statuses: Vec<Status> = chain.run(block).iter().map(|receipt| receipt.status).collect();
    use Refusal::*;
    let refused = [Malformed, Sequence, Funds, Fee, Gas].map(Status::Refused);
    assert_eq!(statuses[..5], refused);
    assert_eq!(statuses[5..], [Status::Success, Status::Refused(Sequence)]);
    assert_eq!(chain.account(1).sequence, 1);
    assert!(!chain.host.leaves.contains_key(&Leaf::Account(address(4))));
}

#[test]
fn a_confidential_value_is_stored_as_a_marked_ciphertext_and_given_to_its_user() {
    let mut chain = Chain::start();
    let deployed = chain.run(vec![sign(1, tx(0, TxKind::Create, 0, data_on_chain()))])[0].clone();
    let contract = deployed.contract.expect("a contract");
    let slot = |chain: &Chain, at: u8| -> Cell {
        let leaf = Leaf::Storage(contract, B256::with_last_byte(at));
        chain.host.leaves.get(&leaf).map_or(Cell::default(), |bytes| borsh::from_slice(bytes).expect("a cell"))
    };
    let call = |nonce, input: Vec<u8>| sign(1, tx(nonce, TxKind::Call(contract), 0, input));
    let receipts = chain.run(vec![call(1, set_value(7)), call(2, SET_USER_VALUE.to_vec())]);
    assert!(receipts.iter().all(|receipt| receipt.status == Status::Success), "{receipts:?}");
    let (network, user) = (slot(&chain, 3), slot(&chain, 1));
    assert_eq!((network.marked, user.marked), (Some(0), None));
    assert_ne!(network.word, user.word);
    let Answer::UserKey(key) = chain.ask(Query::UserKey(address(1))) else {
        panic!("a simulated solo chain shows keys")
    };
    let cipher = cloister_envelope::UserCipher::new(&cloister_envelope::UserKey::from_bytes(key.0));
    assert_eq!(cipher.open(user.word), 7);
    assert_ne!(cipher.open(network.word), 7);
    chain.run(vec![call(3, set_value(7))]);
    assert_ne!(slot(&chain, 3).word, network.word, "the same value never looks the same");
}

#[test]
fn the_same_blocks_give_the_same_bytes_in_another_enclave_and_after_a_restart() {
    let mut chain = Chain::start();
    let mut twin = Chain::start();
    let contract = address(1).create(0);
    let blocks = [
        vec![sign(1, tx(0, TxKind::Create, 0, data_on_chain()))],
        vec![sign(1, tx(1, TxKind::Call(contract), 0, set_value(3))), transfer(2, 0, 3, 8)],
        vec![],
        vec![sign(1, tx(2, TxKind::Call(contract), 0, SET_USER_VALUE.to_vec()))],
    ];
    for (at, block) in blocks.iter().enumerate() {
        if at == 2 {
            let checkpoint = twin.ledger.checkpoint().clone();
            let mut loading = Ledger::resume(&twin.genesis, roots(), checkpoint).expect("resumes");
            for (leaf, value) in &twin.host.leaves {
                loading.load(vec![(*leaf, value.clone())]);
            }
            twin.ledger = loading.finish().expect("the leaves have the root");
        }
        chain.run(block.clone());
        twin.run(block.clone());
    }
    assert_eq!(chain.outcomes, twin.outcomes);
}

#[test]
fn two_blocks_that_compete_for_a_height_never_share_a_salt() {
    let deploy = vec![sign(1, tx(0, TxKind::Create, 0, data_on_chain()))];
    let set = sign(1, tx(1, TxKind::Call(address(1).create(0)), 0, set_value(7)));
    let sealed = |rival: Option<Bytes>| {
        let mut chain = Chain::start();
        chain.run(deploy.clone());
        chain.run([set.clone()].into_iter().chain(rival).collect());
        let leaf = Leaf::Storage(address(1).create(0), B256::with_last_byte(3));
        borsh::from_slice::<Cell>(&chain.host.leaves[&leaf]).expect("a cell").word
    };
    let salt = |cell: U256| cell & U256::from(u128::MAX);
    assert_eq!(sealed(None), sealed(None), "the same block is the same again");
    assert_ne!(salt(sealed(None)), salt(sealed(Some(transfer(2, 0, 3, 1)))));
}

#[test]
fn a_block_that_does_not_follow_is_refused_and_the_next_honest_one_runs() {
    let mut chain = Chain::start();
    chain.run(vec![transfer(1, 0, 2, 1)]);
    let good = chain.propose(vec![transfer(1, 1, 2, 1)]);
    type Change = fn(&mut Header);
    let families: [(&str, Halt, Change); 15] = [
        ("height", Halt::Block, |header| header.height += 1),
        ("lower height", Halt::Block, |header| header.height -= 1),
        ("parent", Halt::Block, |header| header.parent = B256::ZERO),
        ("time", Halt::Block, |header| header.time = 0),
        ("chain id", Halt::Block, |header| header.chain_id = "test-2".into()),
        ("hardware", Halt::Block, |header| header.simulated = false),
        ("transactions", Halt::Block, |header| header.txs = B256::ZERO),
        ("evidence", Halt::Block, |header| header.evidence = B256::ZERO),
        ("parent's certificate", Halt::Block, |header| header.certificate = B256::ZERO),
        ("base fee", Halt::Block, |header| header.base_fee += 1),
        ("validators", Halt::Block, |header| header.validators = B256::ZERO),
        ("next validators", Halt::Block, |header| header.next_validators = B256::ZERO),
        ("proposer", Halt::Block, |header| header.proposer = Address::ZERO),
        ("state root", Halt::Diverged, |header| header.state_root = B256::ZERO),
        ("results", Halt::Diverged, |header| header.results = B256::ZERO),
    ];
    for (name, halt, change) in families {
        let mut block = good.block.clone();
        change(&mut block.header);
        assert_eq!(chain.ledger.execute(&certify(block.clone()), &mut chain.host), Err(halt), "{name}, signed");
        let unsigned = Execute { block, certificate: good.certificate.clone() };
        let expected = if halt == Halt::Diverged { Halt::Certificate } else { halt };
        assert_eq!(
            chain.ledger.execute(&unsigned, &mut chain.host),
            Err(expected),
            "{name}, under the old certificate"
        );
    }
    let mut swapped = certify(good.block.clone());
    swapped.block.txs = vec![transfer(1, 1, 3, 1)];
    assert_eq!(chain.ledger.execute(&swapped, &mut chain.host), Err(Halt::Block));
    let stranger = Certificate::solo(&SigningKey::from([8; 32]), "test-1", 2, good.block.header.hash());
    let stranger = Execute { block: good.block.clone(), certificate: stranger };
    assert_eq!(chain.ledger.execute(&stranger, &mut chain.host), Err(Halt::Certificate));
    chain.ledger.execute(&good, &mut chain.host).expect("the honest block");
}

#[test]
fn a_host_that_lies_about_the_state_stops_the_block_and_changes_nothing() {
    let chain = Chain::start();
    let old_root = chain.outcomes[0].state_root;
    let lies: [fn(&mut Host); 3] = [
        |host| drop(host.leaves.remove(&Leaf::Account(address(1)))),
        |host| {
            let rich = Account { balance: U256::MAX, ..Account::default() };
            host.leaves.insert(Leaf::Account(address(1)), encode(&rich));
        },
        |host| {
            let other = host.leaves[&Leaf::Account(address(2))].clone();
            let changed = [&other[..1], &other].concat();
            host.leaves.insert(Leaf::Account(address(1)), changed);
        },
    ];
    for lie in lies {
        // A fresh enclave has nothing in its cache, so that it has to ask.
        let mut loading = Ledger::resume(&chain.genesis, roots(), chain.ledger.checkpoint().clone()).expect("resumes");
        loading.load(chain.host.leaves.iter().map(|(leaf, value)| (*leaf, value.clone())).collect());
        let mut ledger = loading.finish().expect("honest so far");
        ledger.cache = Cache::default();
        let mut host = Host { leaves: chain.host.leaves.clone(), ..Host::default() };
        lie(&mut host);
        let next = chain.propose(vec![transfer(1, 0, 2, 1)]);
        assert_eq!(ledger.execute(&next, &mut host), Err(Halt::Supply));
        assert_eq!(ledger.checkpoint().state_root, old_root);
        host.leaves = chain.host.leaves.clone();
        ledger.execute(&next, &mut host).expect("honest again");
    }
}

#[test]
fn leaves_that_are_not_the_checkpoints_are_refused() {
    let chain = Chain::start();
    let resume = |leaves: Vec<(Leaf, Vec<u8>)>| {
        let checkpoint = chain.ledger.checkpoint().clone();
        let mut loading = Ledger::resume(&chain.genesis, roots(), checkpoint).expect("resumes");
        loading.load(leaves);
        loading.finish().err()
    };
    let leaves: Vec<_> = chain.host.leaves.iter().map(|(leaf, value)| (*leaf, value.clone())).collect();
    assert_eq!(resume(leaves.clone()), None);
    assert_eq!(resume(leaves[1..].to_vec()), Some(Halt::Root), "truncated");
    let mut altered = leaves.clone();
    altered[0].1[0] ^= 1;
    assert_eq!(resume(altered), Some(Halt::Root), "one bit");
    let extra = [leaves, vec![(Leaf::Account(address(9)), vec![1])]].concat();
    assert_eq!(resume(extra), Some(Halt::Root), "one more");
}

#[test]
fn a_block_of_strangers_needs_one_crossing_of_the_wall_for_its_accounts() {
    let mut chain = Chain::start();
    chain.ledger.cache = Cache::default();
    chain.run(vec![transfer(1, 0, 2, 1), transfer(2, 0, 3, 1), transfer(3, 0, 1, 1)]);
    assert_eq!(chain.host.crossings, 1);
}

#[test]
fn a_question_sees_the_hashes_of_255_blocks_and_never_another_blocks() {
    let mut chain = Chain::start();
    (0..300).for_each(|_| drop(chain.run(Vec::new()).to_vec()));
    let mut hash = |number: u16| {
        // PUSH2 number, BLOCKHASH, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
        let [high, low] = number.to_be_bytes();
        let code = Bytes::from(vec![0x61, high, low, 0x40, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
        let call = Call { data: code, ..Call::default() };
        let Answer::Returned { output, .. } = chain.ask(Query::Call(call)) else { panic!("an answer") };
        B256::from_slice(&output)
    };
    let (newest, oldest, gone) = (hash(299), hash(45), hash(44));
    let header = |height: usize| chain.outcomes[height].height;
    assert_eq!((header(299), header(45)), (299, 45));
    assert!(newest != B256::ZERO && oldest != B256::ZERO && newest != oldest);
    assert_eq!(gone, B256::ZERO, "block 300 has taken its place");
}

#[test]
fn a_chain_with_two_validators_shows_no_key() {
    let mut genesis = Genesis::for_tests();
    let other = B256::new(VerificationKey::from(&SigningKey::from([8; 32])).into());
    let members = genesis.validators.iter().cloned().chain([Validator { key: other, power: 1 }]).collect();
    genesis.validators = ValidatorSet::new(members).expect("a set");
    let mut chain = Chain::of(genesis);
    assert_eq!(chain.ask(Query::UserKey(address(1))), Answer::Refused(QueryRefusal::Dev));
    let mut chain = Chain::of(Genesis::for_tests().on_hardware());
    assert_eq!(chain.ask(Query::UserKey(address(1))), Answer::Refused(QueryRefusal::Dev));
}

#[test]
fn old_states_answer_until_they_leave_the_window() {
    let mut chain = Chain::start();
    for nonce in 0..130 {
        chain.run(vec![transfer(1, nonce, 2, 1)]);
    }
    let leaf = Leaf::Account(address(2));
    let snapshots = chain.ledger.snapshots();
    let mut at = |height| {
        let question = QueryAt { height: Some(height), query: Query::Prove(leaf) };
        // The present value: of an older height it is a lie.
        snapshots.query(&question, &mut chain.host)
    };
    assert_eq!(at(2), Answer::Refused(QueryRefusal::Height));
    assert_eq!(at(131), Answer::Refused(QueryRefusal::Height));
    let Answer::Proved { root, value, proof, .. } = at(130) else { panic!("the tip") };
    assert_eq!(root, chain.outcomes[130].state_root);
    proof.verify(&root, &leaf, value.as_deref()).expect("proves it");
    let Answer::Proved { root, value, .. } = at(100) else { panic!("cached by hash") };
    assert_eq!(root, chain.outcomes[100].state_root);
    let account: Account = borsh::from_slice(&value.expect("present")).expect("an account");
    assert_eq!(account.balance, U256::from(10 * ETHER + 100));
}

#[test]
fn heights_that_wrote_much_are_kept_for_a_shorter_time() {
    let genesis = Genesis::for_tests();
    let keys = Arc::new(Keys::new("test-1", roots()));
    let snapshots = Snapshots::new(Arc::new(genesis.clone()), Arc::clone(&keys), Cache::default(), Arc::default());
    let mut header = Header::genesis(&genesis);
    let epoch = Epoch::first(&header, epoch::public_keys(&keys));
    let half = cloister_chain::limits::QUERY_WRITES / 2;
    for (height, writes) in [(1, 1), (2, half), (3, half), (4, half), (5, half * 9)] {
        header.height = height;
        snapshots.push(Snapshot::new(&header, &epoch, Tree::new(), writes));
        let kept = |height| {
            let question = QueryAt { height: Some(height), query: Query::Prove(Leaf::Chain) };
            snapshots.query(&question, &mut NoSupply) != Answer::Refused(QueryRefusal::Height)
        };
        let oldest = (1..=height).find(|height| kept(*height));
        let expected = match height {
            1 | 2 => 1,
            3 => 2,
            4 => 3,
            _ => 4,
        };
        assert_eq!(oldest, Some(expected), "after height {height}");
        assert!(kept(height), "the tip is always there");
    }
}

#[test]
fn the_base_fee_rises_above_a_half_full_block_and_never_falls_below_its_floor() {
    let mut genesis = Genesis::for_tests();
    genesis.accounts = vec![GenesisAccount { address: address(1), balance: U256::from(ETHER), ..Default::default() }];
    genesis.evm_gas = 42_000;
    let mut chain = Chain::of(genesis);
    let small =
        |nonce| sign(1, TxEip1559 { gas_limit: 21_000, ..tx(nonce, TxKind::Call(address(2)), 1, Bytes::new()) });
    chain.run(vec![small(0), small(1), small(2)]);
    assert_eq!(chain.outcomes[1].receipts[2].status, Status::Refused(Refusal::Gas), "the block is full");
    assert_eq!(chain.outcomes[1].next_base_fee, 5_625_000, "an eighth more");
    chain.run(vec![]);
    assert_eq!(chain.outcomes[2].next_base_fee, 5_000_000, "back at the floor");
}
