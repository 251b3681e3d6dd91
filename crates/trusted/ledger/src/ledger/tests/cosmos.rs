use cloister_chain::cosmos::{PublicKey, bech32};
use cloister_chain::leaf::Auth;
use cloister_chain::{CosmosResult, Event};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use sha2::{Digest as _, Sha256};

use super::*;

pub(super) const RICH: u128 = 100_000_000;

/// A transaction of user `from`, whose account number is `from - 1`.
struct Build {
    from: u8,
    sequence: u64,
    gas: u64,
    fee: u128,
    timeout: u64,
    sends: Vec<(u8, u128)>,
}

fn key(user: u8) -> PublicKey {
    PublicKey::Single(secret(user).public_key(SECP256K1).serialize())
}

pub(super) fn account(user: u8) -> Address {
    key(user).address()
}

fn build(from: u8, sequence: u64, sends: &[(u8, u128)]) -> Build {
    Build { from, sequence, gas: 200_000, fee: 100, timeout: 0, sends: sends.to_vec() }
}

impl Build {
    fn sign(self) -> Bytes {
        let coins = |amount: u128| vec![Coin { denom: "uscrt".into(), amount: amount.to_string() }];
        let send = |(to, amount): &(u8, u128)| Any {
            type_url: "/cosmos.bank.v1beta1.MsgSend".into(),
            value: MsgSend {
                from_address: bech32(&account(self.from)),
                to_address: bech32(&account(*to)),
                amount: coins(*amount),
            }
            .encode_to_vec(),
        };
        let messages = self.sends.iter().map(send).collect();
        signed(self.from, self.sequence, (self.gas, self.fee, self.timeout), messages)
    }
}

/// A transaction of `messages` that user `from` signs: gas limit, fee and last height.
pub(super) fn signed(from: u8, sequence: u64, price: (u64, u128, u64), messages: Vec<Any>) -> Bytes {
    granted(from, sequence, price, messages, None)
}

/// The same, with the fee paid by a granter.
pub(super) fn granted(
    from: u8,
    sequence: u64,
    (gas_limit, fee, timeout_height): (u64, u128, u64),
    messages: Vec<Any>,
    granter: Option<u8>,
) -> Bytes {
    let info = SignerInfo {
        public_key: Some(key(from).to_any()),
        mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: 1 })) }),
        sequence,
    };
    let amount = vec![Coin { denom: "uscrt".into(), amount: fee.to_string() }];
    let granter = granter.map(|user| bech32(&account(user))).unwrap_or_default();
    let fee = Fee { amount, gas_limit, granter, ..Fee::default() };
    let body_bytes = TxBody { messages, timeout_height, ..TxBody::default() }.encode_to_vec();
    let auth_info_bytes = AuthInfo { signer_infos: vec![info], fee: Some(fee), ..AuthInfo::default() }.encode_to_vec();
    let document = SignDoc {
        body_bytes: body_bytes.clone(),
        auth_info_bytes: auth_info_bytes.clone(),
        chain_id: "test-1".into(),
        account_number: u64::from(from) - 1,
    };
    let digest = Message::from_digest(Sha256::digest(document.encode_to_vec()).into());
    let signature = SECP256K1.sign_ecdsa(digest, &secret(from)).serialize_compact().to_vec();
    let raw = TxRaw { body_bytes, auth_info_bytes, signatures: vec![signature] }.encode_to_vec();
    [&[2], raw.as_slice()].concat().into()
}

/// Users 1 to 3 are rich in both worlds, at the addresses of each.
pub(super) fn start() -> Chain {
    let mut genesis = Genesis::for_tests();
    let rich = |user: u8| GenesisAccount { address: account(user), coins: RICH, ..Default::default() };
    genesis.accounts = (1..=3).map(rich).collect();
    let ether = |user: u8| GenesisAccount { address: address(user), balance: U256::from(ETHER), ..Default::default() };
    genesis.accounts.extend((1..=3).map(ether));
    Chain::of(genesis)
}

impl Chain {
    pub(super) fn coins(&self, owner: Address) -> u128 {
        self.host.leaves.get(&Leaf::Coins(owner)).map_or(0, |bytes| borsh::from_slice(bytes).expect("coins"))
    }

    /// The next sequence of an account of the Cosmos door.
    pub(super) fn auth_sequence(&self, owner: Address) -> u64 {
        let account = self.host.leaves.get(&Leaf::Account(owner));
        account.map_or(0, |bytes| borsh::from_slice::<Account>(bytes).expect("an account").sequence)
    }

    pub(super) fn auth(&self, owner: Address) -> Option<Auth> {
        self.host.leaves.get(&Leaf::Auth(owner)).map(|bytes| borsh::from_slice(bytes).expect("an account's bytes"))
    }

    fn one(&mut self, tx: Build) -> (Status, CosmosResult) {
        let receipt = self.run(vec![tx.sign()])[0].clone();
        (receipt.status, receipt.cosmos.expect("a Cosmos result"))
    }
}

pub(super) fn collector() -> Address {
    Address::from_slice(&Sha256::digest(b"fee_collector")[..20])
}

#[test]
fn coins_move_the_fee_is_collected_and_the_key_is_remembered() {
    let mut chain = start();
    let (status, result) = chain.one(build(1, 0, &[(2, 30), (9, 12)]));
    assert_eq!((status, result.code, result.log.as_str()), (Status::Success, 0, ""));
    assert_eq!(chain.coins(account(1)), RICH - 142);
    assert_eq!((chain.coins(account(2)), chain.coins(account(9)), chain.coins(collector())), (RICH + 30, 12, 100));
    let sender = chain.auth(account(1)).expect("known");
    assert_eq!((sender.number, sender.public_key().expect("a key")), (0, Some(key(1))));
    let numbers = [collector(), account(9)].map(|new| chain.auth(new).expect("exists now").number);
    assert_eq!(numbers, [3, 4], "new accounts are numbered in the order in which they come to be");
}

#[test]
fn events_are_those_that_clients_read() {
    let mut chain = start();
    let (_, result) = chain.one(build(1, 0, &[(2, 30)]));
    let kinds: Vec<&str> = result.events.iter().map(|event| event.kind.as_str()).collect();
    let ante = ["coin_spent", "coin_received", "transfer", "message", "tx", "tx", "tx"];
    let send = ["message", "coin_spent", "coin_received", "transfer", "message"];
    assert_eq!(kinds, [&ante[..], &send[..]].concat());
    let (one, two) = (bech32(&account(1)), bech32(&account(2)));
    let text = |event: &Event| -> Vec<String> {
        event.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect()
    };
    assert_eq!(text(&result.events[5]), [format!("acc_seq={one}/0")]);
    assert_eq!(
        text(&result.events[7]),
        [
            "action=/cosmos.bank.v1beta1.MsgSend".into(),
            format!("sender={one}"),
            "module=bank".into(),
            "msg_index=0".into()
        ]
    );
    assert_eq!(
        text(&result.events[10]),
        [format!("recipient={two}"), format!("sender={one}"), "amount=30uscrt".into(), "msg_index=0".into()]
    );
}

#[test]
fn a_message_that_fails_undoes_all_messages_and_keeps_the_fee() {
    let mut chain = start();
    let (status, result) = chain.one(build(1, 0, &[(2, 30), (2, RICH)]));
    assert_eq!(status, Status::Failed);
    assert_eq!((result.code, result.codespace.as_str()), (5, "sdk"));
    assert_eq!(
        result.log,
        "failed to execute message; message index: 1: spendable balance 99999870uscrt is smaller than 100000000uscrt: insufficient funds"
    );
    assert_eq!((chain.coins(account(1)), chain.coins(account(2))), (RICH - 100, RICH));
    assert_eq!(result.events.len(), 7, "what the ante part did, and nothing more");
    assert_eq!(chain.one(build(1, 1, &[(2, 1)])).0, Status::Success, "the sequence was used");
}

#[test]
fn what_the_ante_part_refuses_leaves_no_trace() {
    let mut chain = start();
    let root = chain.ledger.checkpoint().state_root;
    let late = |chain: &Chain| Build { timeout: chain.ledger.checkpoint().header.height, ..build(1, 0, &[(2, 1)]) };
    chain.run(vec![]);
    let refusals: Vec<(Build, u32, &str)> = vec![
        (build(1, 4, &[(2, 1)]), 32, "account sequence mismatch, expected 0, got 4: incorrect account sequence"),
        (Build { fee: RICH + 1, ..build(1, 0, &[(2, 1)]) }, 5, "is smaller than 100000001uscrt: insufficient funds"),
        (Build { gas: 900, ..build(1, 0, &[(2, 1)]) }, 11, "out of gas in location: txSize; gasWanted: 900"),
        (Build { gas: u64::MAX, ..build(1, 0, &[(2, 1)]) }, 11, "the block has no room"),
        (build(8, 0, &[(2, 1)]), 9, "does not exist: unknown address"),
        (late(&chain), 30, "tx timeout height"),
    ];
    for (tx, code, log) in refusals {
        let (status, result) = chain.one(tx);
        assert_eq!((status, result.code), (Status::Refused(Refusal::Rule), code), "{log}");
        assert!(result.log.contains(log), "{}", result.log);
        assert_eq!(chain.coins(account(1)), RICH);
    }
    let mut forged = build(1, 0, &[(2, 1)]).sign().to_vec();
    *forged.last_mut().expect("bytes") ^= 1;
    assert_eq!(chain.run(vec![forged.into()])[0].cosmos.as_ref().map(|result| result.code), Some(4));
    let accounts: Vec<_> = (1..=3).map(|user| chain.auth(account(user)).and_then(|auth| auth.key)).collect();
    assert_eq!(accounts, [None, None, None]);
    assert_ne!(chain.ledger.checkpoint().state_root, root, "only the hashes of the blocks are new");
}

#[test]
fn gas_for_its_size_and_signatures_gets_a_transaction_into_a_block_and_that_is_paid() {
    let mut chain = start();
    // One byte says which world it is of.
    let size = Build { gas: 5_000, ..build(1, 0, &[(2, 1)]) }.sign().len() as u64 - 1;
    let price = size * 10 + 1_000;
    let mut with = |gas| chain.run(vec![Build { gas, ..build(1, 0, &[(2, 1)]) }.sign()])[0].clone();
    let refused = with(price - 1);
    assert_eq!((refused.status, refused.gas_used), (Status::Refused(Refusal::Rule), 0));
    let failed = with(price);
    assert_eq!((failed.status, failed.gas_used), (Status::Failed, price));
}

#[test]
fn gas_that_runs_out_in_a_message_is_paid_in_full() {
    let mut chain = start();
    // The first one costs more: it brings new accounts into being.
    chain.run(vec![build(1, 0, &[(2, 1)]).sign()]);
    let enough = chain.run(vec![Build { gas: 16_000, ..build(1, 1, &[(2, 1)]) }.sign()])[0].gas_used;
    let receipt = chain.run(vec![Build { gas: enough - 1, ..build(1, 2, &[(2, 1)]) }.sign()])[0].clone();
    assert_eq!((receipt.status, receipt.gas_used), (Status::Failed, enough - 1));
    let log = receipt.cosmos.expect("a Cosmos result").log;
    assert!(log.starts_with("out of gas in location: "), "{log}");
}

#[test]
fn one_block_holds_both_worlds_and_a_fault_in_one_does_not_touch_the_other() {
    let mut chain = start();
    let pay = |nonce, value| sign(1, tx(nonce, TxKind::Call(address(2)), value, Bytes::new()));
    let block = vec![
        build(1, 0, &[(2, 1)]).sign(),
        pay(0, 7),
        build(1, 1, &[(2, RICH)]).sign(),
        pay(9, 7),
        Bytes::from_static(&[2, 0xff]),
        build(1, 2, &[(2, 1)]).sign(),
        pay(1, 7),
    ];
    let statuses: Vec<Status> = chain.run(block).iter().map(|receipt| receipt.status).collect();
    use Status::*;
    let refused = |why| Refused(why);
    assert_eq!(
        statuses,
        [Success, Success, Failed, refused(Refusal::Sequence), refused(Refusal::Malformed), Success, Success]
    );
    assert_eq!(chain.coins(account(2)), RICH + 2);
    assert_eq!(chain.account(2).balance, U256::from(ETHER + 14));
    assert_eq!(chain.outcomes.last().expect("a block").next_base_fee, 5_000_000, "one world's gas is not the other's");
}

#[test]
fn blocks_of_both_worlds_are_the_same_in_another_enclave() {
    let blocks = |chain: &mut Chain| {
        for round in 0..4u64 {
            let coins = (1..=3).map(|user| build(user, round, &[(user % 3 + 1, 5), (20 + user, 1)]).sign());
            let wei = (1..=3).map(|user| sign(user, tx(round, TxKind::Call(address(9)), 1, Bytes::new())));
            let block: Vec<Bytes> = coins.zip(wei).flat_map(|(one, other)| [one, other]).collect();
            chain.run(block);
        }
    };
    let (mut one, mut two) = (start(), start());
    blocks(&mut one);
    blocks(&mut two);
    assert!(one.outcomes.iter().flat_map(|outcome| &outcome.receipts).all(|receipt| receipt.status == Status::Success));
    assert_eq!(one.outcomes, two.outcomes);
}
