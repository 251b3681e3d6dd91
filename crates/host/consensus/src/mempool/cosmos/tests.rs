use alloy_primitives::hex;
use cloister_chain::Tx;
use cloister_chain::cosmos::{Allowance, PublicKey};
use cloister_chain::wire::Rejection;
use proptest::prelude::*;
use prost::Message as _;
use secp256k1::{Message, SECP256K1, SecretKey};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use sha2::{Digest as _, Sha256};

use super::super::{Limits, Mempool, PoolStatus};
use super::*;

const CHAIN: &str = "secretdev-1";
const BUDGET: Budget = Budget { evm_gas: 1 << 20, sdk_gas: 10_000_000, bytes: 1 << 20, count: 100 };

/// What a test wants to be signed.
#[derive(Clone)]
struct Wish<'a> {
    /// Users with the sequences that they claim.
    signers: &'a [(u8, u64)],
    fee: u128,
    gas: u64,
    timeout: u64,
    granter: Option<u8>,
    memo: &'a str,
    chain: &'a str,
}

const WISH: Wish<'static> =
    Wish { signers: &[], fee: 0, gas: 100_000, timeout: 0, granter: None, memo: "", chain: CHAIN };

/// A transaction of one user that pays nothing.
pub(in super::super) fn plain(user: u8, sequence: u64) -> Tx {
    sign(&Wish { signers: &[(user, sequence)], ..WISH })
}

/// One MsgSend of each signer, signed by all of them.
fn sign(wish: &Wish<'_>) -> Tx {
    let coins = |amount: u128| vec![Coin { denom: DENOM.into(), amount: amount.to_string() }];
    let send = |(user, _): &(u8, u64)| {
        let (from_address, to_address) = (bech32(&address(*user)), bech32(&Address::ZERO));
        let send = MsgSend { from_address, to_address, amount: coins(1) };
        Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: send.encode_to_vec() }
    };
    let info = |(user, sequence): &(u8, u64)| SignerInfo {
        public_key: Some(key(*user).to_any()),
        mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: 1 })) }),
        sequence: *sequence,
    };
    let body = TxBody {
        messages: wish.signers.iter().map(send).collect(),
        memo: wish.memo.into(),
        timeout_height: wish.timeout,
        ..Default::default()
    };
    let fee = Fee {
        amount: if wish.fee > 0 { coins(wish.fee) } else { vec![] },
        gas_limit: wish.gas,
        granter: wish.granter.map(|user| bech32(&address(user))).unwrap_or_default(),
        ..Default::default()
    };
    let signer_infos = wish.signers.iter().map(info).collect();
    let auth = AuthInfo { signer_infos, fee: Some(fee), ..Default::default() };
    let (body_bytes, auth_info_bytes) = (body.encode_to_vec(), auth.encode_to_vec());
    let signature = |(user, _): &(u8, u64)| {
        let document = SignDoc {
            body_bytes: body_bytes.clone(),
            auth_info_bytes: auth_info_bytes.clone(),
            chain_id: wish.chain.into(),
            account_number: u64::from(*user),
        };
        let digest = Message::from_digest(Sha256::digest(document.encode_to_vec()).into());
        SECP256K1.sign_ecdsa(digest, &secret(*user)).serialize_compact().to_vec()
    };
    let signatures = wish.signers.iter().map(signature).collect();
    let raw = TxRaw { body_bytes: body_bytes.clone(), auth_info_bytes: auth_info_bytes.clone(), signatures };
    Tx::Cosmos(Box::new(CosmosTx::decode(&raw.encode_to_vec()).expect("a good transaction")))
}

fn secret(user: u8) -> SecretKey {
    SecretKey::from_byte_array([user; 32]).expect("a key")
}

fn key(user: u8) -> PublicKey {
    PublicKey::Single(secret(user).public_key(SECP256K1).serialize())
}

fn address(user: u8) -> Address {
    key(user).address()
}

/// The account of a user, whose account number is that of the user.
fn standing(user: u8, sequence: u64, coins: u128) -> Standing {
    let account = cloister_chain::Account { sequence, ..Default::default() };
    Standing { account, coins, auth: Some(Auth { number: u64::from(user), key: None }) }
}

fn at(height: u64, signers: Vec<Standing>) -> Admission {
    Admission { signers, height, base_fee: 10, granter: None }
}

/// A committed account with a sequence and a thousand coins.
pub(in super::super) fn rich(user: u8, sequence: u64) -> Admission {
    at(0, vec![standing(user, sequence, 1_000)])
}

fn pool() -> Mempool {
    limited(Limits::default())
}

fn limited(limits: Limits) -> Mempool {
    Mempool::new(CHAIN, limits, 0)
}

fn hashes(pool: &Mempool, budget: Budget) -> Vec<B256> {
    pool.select(10, budget).into_iter().map(|(hash, _)| hash).collect()
}

/// Number and text of a refusal.
fn refusal(pool: &Mempool, tx: &Tx, admission: &Admission) -> (u32, String) {
    match pool.add(tx, admission) {
        Err(SubmitError::Rejected(Rejection { codespace, code, log })) if codespace == "sdk" => (code, log),
        other => panic!("no refusal of the SDK: {other:?}"),
    }
}

#[test]
fn what_secretjs_signs_is_admitted_and_goes_into_the_block_as_it_came() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../shared/chain/tests/vectors/cosmos.json")).expect("JSON");
    let account = |sequence| at(0, vec![standing(7, sequence, u128::MAX)]);
    let read = |name: &str| {
        let raw = hex::decode(vectors[name]["tx_raw"].as_str().expect("a string")).expect("hex");
        Tx::Cosmos(Box::new(CosmosTx::decode(&raw).expect(name)))
    };
    assert_eq!(refusal(&pool(), &read("amino_instantiate"), &account(3)).0, 38, "this one names a granter");
    for name in ["direct_bank_send", "direct_execute", "amino_execute"] {
        let tx = read(name);
        let pool = pool();
        let (code, log) = refusal(&pool, &tx, &account(2));
        assert_eq!(
            (code, log.as_str()),
            (32, "account sequence mismatch, expected 2, got 3: incorrect account sequence")
        );
        assert_eq!(pool.add(&tx, &account(3)), Ok(tx.hash()), "{name}");
        assert_eq!(pool.add(&tx, &account(3)), Err(SubmitError::AlreadyKnown));
        assert_eq!(pool.select(10, BUDGET), [(tx.hash(), tx.to_bytes())]);
        assert_eq!(pool.get(&tx.hash()), Some(tx));
    }
}

#[test]
fn a_sequence_follows_what_waits_without_gaps_or_replacements() {
    let pool = pool();
    let [first, second, third] = [5, 6, 7].map(|sequence| plain(1, sequence));
    let mismatch =
        |want, got| (32, format!("account sequence mismatch, expected {want}, got {got}: incorrect account sequence"));
    assert_eq!(refusal(&pool, &second, &rich(1, 5)), mismatch(5, 6));
    pool.add(&first, &rich(1, 5)).expect("the next one");
    let other = sign(&Wish { signers: &[(1, 5)], fee: 900, ..WISH });
    assert_eq!(refusal(&pool, &other, &rich(1, 5)), mismatch(6, 5), "a higher fee replaces nothing");
    assert_eq!(refusal(&pool, &third, &rich(1, 5)), mismatch(6, 7));
    pool.add(&second, &rich(1, 5)).expect("the one after that");
    pool.add(&third, &rich(1, 5)).expect("and so on");
    assert_eq!(hashes(&pool, BUDGET), [first.hash(), second.hash(), third.hash()]);
    assert_eq!(pool.status(), PoolStatus { cosmos: 3, ..PoolStatus::default() });
}

/// A poor account whose fees a granter with these coins pays, within this limit.
fn paid(user: u8, sequence: u64, coins: u128, limit: Option<u128>) -> Admission {
    let allowance = Some(Allowance { limit, ..Allowance::default() });
    let granter = Some(Granter { coins, allowance, time: 0 });
    Admission { granter, ..at(0, vec![standing(user, sequence, 0)]) }
}

#[test]
fn a_granter_pays_for_all_that_waits_within_its_allowance_and_its_coins() {
    let by = |user: u8, sequence| sign(&Wish { signers: &[(user, sequence)], fee: 10, granter: Some(2), ..WISH });
    let pool = pool();
    for sequence in 0..2 {
        pool.add(&by(1, sequence), &paid(1, 0, 100, Some(25))).expect("allowed");
    }
    let codespace = |tx: &Tx, admission: &Admission| match pool.add(tx, admission) {
        Err(SubmitError::Rejected(Rejection { codespace, code, .. })) => (codespace, code),
        other => panic!("no refusal: {other:?}"),
    };
    assert_eq!(codespace(&by(1, 2), &paid(1, 0, 100, Some(25))), ("feegrant".into(), 2));
    assert_eq!(codespace(&by(1, 2), &paid(1, 0, 100, Some(20))), ("sdk".into(), 38), "it is used up by then");
    assert_eq!(codespace(&by(3, 0), &paid(3, 0, 29, None)), ("sdk".into(), 5), "others use the same coins");
    let hash = pool.add(&by(3, 0), &paid(3, 0, 30, None)).expect("just enough");
    let poor = BTreeMap::from([(address(2), standing(2, 0, 19))]);
    pool.committed(1, &[hash], &poor);
    assert_eq!(hashes(&pool, BUDGET), [by(1, 0).hash()], "the granter lost its coins");
    pool.committed(2, &[by(1, 0).hash()], &BTreeMap::from([(address(1), standing(1, 1, 0))]));
    let now = Admission { height: 2, ..paid(1, 1, 100, Some(10)) };
    pool.add(&by(1, 1), &now).expect("nothing waits on the allowance any more");
}

#[test]
fn few_transactions_wait_on_one_allowance() {
    let pool = pool();
    let by = |sequence| sign(&Wish { signers: &[(1, sequence)], fee: 0, granter: Some(2), ..WISH });
    for sequence in 0..GRANTED as u64 {
        pool.add(&by(sequence), &paid(1, 0, 0, None)).expect("allowed");
    }
    assert_eq!(pool.add(&by(GRANTED as u64), &paid(1, 0, 0, None)), Err(SubmitError::Full));
}

#[test]
fn what_the_ledger_would_refuse_is_refused_in_its_words() {
    let pool = limited(Limits { sdk_gas: 5_000_000, ..Limits::default() });
    let one = &[(1, 0)][..];
    let wish = Wish { signers: one, ..WISH };
    let refused = |wish: Wish<'_>, admission: &Admission| refusal(&pool, &sign(&wish), admission);

    let late = Wish { timeout: 8, ..wish.clone() };
    let then = |height| at(height, vec![standing(1, 0, 0)]);
    assert_eq!(refused(late, &then(8)), (30, "block height: 9, timeout height: 8: tx timeout height".into()));

    let granted = Wish { granter: Some(2), ..wish.clone() };
    let [granter, grantee] = [2, 1].map(|user| bech32(&address(user)));
    let log = format!("{granter} does not allow to pay fees for {grantee}: fee-grant not found: not found");
    assert_eq!(refused(granted, &rich(1, 0)), (38, log));

    let greedy = Wish { gas: 5_000_001, ..wish.clone() };
    let log = "tx gas limit 5000001 exceeds block max gas 5000000: invalid gas limit";
    assert_eq!(refused(greedy, &rich(1, 0)), (41, log.into()));

    let unknown = at(0, vec![Standing::default()]);
    let log = format!("account {} does not exist: unknown address", bech32(&address(1)));
    assert_eq!(refused(wish.clone(), &unknown), (9, log));

    let foreign = Wish { chain: "secret-4", ..wish.clone() };
    let log = "signature verification failed; please verify account number (1), sequence (0) and chain-id \
               (secretdev-1): unauthorized";
    assert_eq!(refused(foreign, &rich(1, 0)), (4, log.into()));

    let dear = Wish { fee: 1_001, ..wish };
    let log = "spendable balance 1000uscrt is smaller than 1001uscrt: insufficient funds";
    assert_eq!(refused(dear.clone(), &rich(1, 0)), (5, log.into()));
    let log = "spendable balance 0uscrt is smaller than 1001uscrt: insufficient funds";
    assert_eq!(refused(dear, &at(0, vec![standing(1, 0, 0)])), (5, log.into()));
    assert_eq!(pool.status(), PoolStatus::default(), "nothing half-admitted");
}

#[test]
fn gas_has_to_cover_the_bytes_and_the_signatures() {
    let pool = pool();
    let with = |gas| sign(&Wish { signers: &[(1, 0), (2, 0)], gas, ..WISH });
    let both = at(0, vec![standing(1, 0, 0), standing(2, 0, 0)]);
    let Tx::Cosmos(tx) = with(4_096) else { panic!("a Cosmos transaction") };
    let size = 10 * tx.bytes().len() as u64;
    let log = format!("out of gas in location: txSize; gasWanted: 4096, gasUsed: {size}: out of gas");
    assert_eq!(refusal(&pool, &with(4_096), &both), (11, log));
    let (wanted, used) = (size + 1_999, size + 2_000);
    let log =
        format!("out of gas in location: ante verify: secp256k1; gasWanted: {wanted}, gasUsed: {used}: out of gas");
    assert_eq!(refusal(&pool, &with(wanted), &both), (11, log));
    pool.add(&with(used), &both).expect("what is certain is covered");
}

#[test]
fn the_fees_of_all_that_waits_must_be_payable_together() {
    let pool = pool();
    let paying = |sequence, fee| sign(&Wish { signers: &[(1, sequence), (2, sequence)], fee, ..WISH });
    let both = |coins| at(0, vec![standing(1, 0, coins), standing(2, 0, 0)]);
    pool.add(&paying(0, 600), &both(1_000)).expect("the first signer pays");
    let log = "spendable balance 400uscrt is smaller than 401uscrt: insufficient funds";
    assert_eq!(refusal(&pool, &paying(1, 401), &both(1_000)), (5, log.into()));
    pool.add(&paying(1, 400), &both(1_000)).expect("to the last coin");
    assert_eq!(refusal(&pool, &paying(2, u128::MAX), &both(1_000)).0, 5);
}

#[test]
fn a_block_takes_what_fits_and_nobody_overtakes_himself_or_a_cosigner() {
    let pool = pool();
    let together = |one, two| sign(&Wish { signers: &[(1, one), (2, two)], ..WISH });
    let big = sign(&Wish { signers: &[(1, 0)], gas: 900_000, ..WISH });
    let (joint, own, other) = (together(1, 0), plain(2, 1), plain(3, 0));
    pool.add(&big, &rich(1, 0)).expect("admitted");
    pool.add(&joint, &at(0, vec![standing(1, 0, 0), standing(2, 0, 0)])).expect("admitted");
    pool.add(&own, &rich(2, 0)).expect("admitted");
    pool.add(&other, &rich(3, 0)).expect("admitted");
    let all = [big.hash(), joint.hash(), own.hash(), other.hash()];
    assert_eq!(hashes(&pool, BUDGET), all);
    let tight = Budget { sdk_gas: 899_999, ..BUDGET };
    assert_eq!(hashes(&pool, tight), [other.hash()], "who signed with the one that waits, waits as well");
    assert_eq!(hashes(&pool, Budget { sdk_gas: 1_000_000, ..BUDGET }), all[..2]);
    assert_eq!(hashes(&pool, Budget { count: 3, ..BUDGET }), all[..3]);
    let bytes = big.to_bytes().len() + joint.to_bytes().len();
    assert_eq!(hashes(&pool, Budget { bytes, ..BUDGET }), all[..2]);
}

#[test]
fn a_commit_takes_the_block_out_and_what_cannot_follow_it() {
    let pool = pool();
    let paying = |user, sequence, fee| sign(&Wish { signers: &[(user, sequence)], fee, ..WISH });
    let (first, second, third) = (paying(1, 0, 100), paying(1, 1, 500), paying(1, 2, 100));
    let stranger = paying(2, 0, 1_000);
    for tx in [&first, &second, &third] {
        pool.add(tx, &rich(1, 0)).expect("admitted");
    }
    pool.add(&stranger, &rich(2, 0)).expect("admitted");
    // What the first one sent away is missing now for the second, and without the second there is no third.
    pool.committed(1, &[first.hash()], &BTreeMap::from([(address(1), standing(1, 1, 400))]));
    assert_eq!(hashes(&pool, BUDGET), [stranger.hash()]);
    assert_eq!(pool.add(&plain(1, 1), &rich(1, 1)), Err(SubmitError::Stale), "height 0 is behind");
    pool.add(&plain(1, 1), &at(1, vec![standing(1, 1, 400)])).expect("its sequence is free again");
    // One that a block refused used no sequence.
    pool.committed(2, &[stranger.hash()], &BTreeMap::from([(address(2), standing(2, 0, 1_000))]));
    assert_eq!(hashes(&pool, BUDGET), [plain(1, 1).hash()]);
}

#[test]
fn what_comes_too_late_leaves_with_all_that_its_signers_signed_later() {
    let pool = pool();
    let mortal = sign(&Wish { signers: &[(1, 0), (2, 0)], timeout: 2, ..WISH });
    pool.add(&mortal, &at(0, vec![standing(1, 0, 0), standing(2, 0, 0)])).expect("admitted");
    pool.add(&plain(2, 1), &rich(2, 0)).expect("admitted");
    pool.add(&plain(3, 0), &rich(3, 0)).expect("admitted");
    pool.committed(1, &[], &BTreeMap::new());
    assert_eq!(pool.status().cosmos, 3, "block 2 may still take it");
    pool.committed(2, &[], &BTreeMap::new());
    assert_eq!(hashes(&pool, BUDGET), [plain(3, 0).hash()]);
}

#[test]
fn what_a_block_used_up_is_in_nobodys_way_before_the_pool_hears_of_the_block() {
    let pool = limited(Limits { per_sender: 1, ..Limits::default() });
    let paying = |sequence| sign(&Wish { signers: &[(1, sequence)], fee: 600, ..WISH });
    pool.add(&paying(0), &rich(1, 0)).expect("admitted");
    // The client has the first one's receipt: the store is at height 1, the pool is not.
    let after = standing(1, 1, 600);
    pool.add(&paying(1), &at(1, vec![after.clone()])).expect("its share of the pool and its money are free again");
    pool.committed(1, &[paying(0).hash()], &BTreeMap::from([(address(1), after)]));
    assert_eq!(hashes(&pool, BUDGET), [paying(1).hash()]);
}

#[test]
fn a_full_pool_says_so() {
    let pool = limited(Limits { count: 3, per_sender: 2, ..Limits::default() });
    pool.add(&plain(1, 0), &rich(1, 0)).expect("admitted");
    pool.add(&plain(1, 1), &rich(1, 0)).expect("admitted");
    assert_eq!(pool.add(&plain(1, 2), &rich(1, 0)), Err(SubmitError::Full), "its share");
    pool.add(&plain(2, 0), &rich(2, 0)).expect("admitted");
    assert_eq!(pool.add(&plain(3, 0), &rich(3, 0)), Err(SubmitError::Full), "the pool");
    let pool = limited(Limits { bytes: plain(1, 0).to_bytes().len(), ..Limits::default() });
    let long = sign(&Wish { signers: &[(1, 0)], memo: "longer", ..WISH });
    assert_eq!(pool.add(&long, &rich(1, 0)), Err(SubmitError::Full), "bytes");
    pool.add(&plain(1, 0), &rich(1, 0)).expect("fits");
}

#[test]
fn one_of_two_with_the_same_sequence_wins_however_they_race() {
    let pool = pool();
    let rivals: Vec<Tx> =
        ["a", "b", "c", "d"].iter().map(|memo| sign(&Wish { signers: &[(1, 0)], memo, ..WISH })).collect();
    let won = std::thread::scope(|scope| {
        let racers: Vec<_> = rivals.iter().map(|tx| scope.spawn(|| pool.add(tx, &rich(1, 0)).is_ok())).collect();
        racers.into_iter().map(|racer| racer.join().expect("no panic")).filter(|won| *won).count()
    });
    assert_eq!((won, hashes(&pool, BUDGET).len()), (1, 1));
}

const USERS: u8 = 3;

/// Something that happens to a pool.
#[derive(Clone, Debug)]
enum Step {
    /// Users (a set of bits) sign something whose sequences are off by so much, and it times out after so many blocks.
    Submit { users: u8, off: i8, fee: u128, life: u64 },
    /// A block of so many transactions; then every user whose bit is set has lost half its coins.
    Block { count: usize, losers: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let off = prop_oneof![8 => Just(0i8), 1 => Just(-1), 1 => Just(1)];
    let submit = (1u8..1 << USERS, off, 0u128..400, 0u64..4);
    prop_oneof![
        4 => submit.prop_map(|(users, off, fee, life)| Step::Submit { users, off, fee, life }),
        1 => (0usize..5, 0u8..1 << USERS).prop_map(|(count, losers)| Step::Block { count, losers }),
    ]
}

/// The plain model: a list in order of arrival, and accounts of which everything is known.
struct Model {
    height: u64,
    accounts: BTreeMap<u8, (u64, u128)>,
    waiting: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    hash: B256,
    signers: Vec<(u8, u64)>,
    fee: u128,
    timeout: u64,
}

impl Model {
    /// The accounts as they would be after all that waits; only what can run stays.
    fn replay(&mut self) -> BTreeMap<u8, (u64, u128)> {
        let mut accounts = self.accounts.clone();
        let next = self.height + 1;
        self.waiting.retain(|entry| {
            let good = (entry.timeout == 0 || next <= entry.timeout)
                && entry.signers.iter().all(|(user, sequence)| accounts[user].0 == *sequence)
                && accounts[&entry.signers[0].0].1 >= entry.fee;
            if good {
                apply(&mut accounts, entry);
            }
            good
        });
        accounts
    }

    fn standing(&self, user: u8) -> Standing {
        let (sequence, coins) = self.accounts[&user];
        standing(user, sequence, coins)
    }
}

fn apply(accounts: &mut BTreeMap<u8, (u64, u128)>, entry: &Entry) {
    for (user, _) in &entry.signers {
        accounts.get_mut(user).expect("a user").0 += 1;
    }
    accounts.get_mut(&entry.signers[0].0).expect("a user").1 -= entry.fee;
}

fn users(bits: u8) -> impl Iterator<Item = u8> {
    (1..=USERS).filter(move |user| bits >> (user - 1) & 1 == 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_pool_holds_what_can_run_one_after_the_other(steps in proptest::collection::vec(step(), 1..40)) {
        let pool = pool();
        let accounts = users(u8::MAX).map(|user| (user, (0, 2_000))).collect();
        let mut model = Model { height: 0, accounts, waiting: Vec::new() };
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Submit { users: bits, off, fee, life } => {
                    let after = model.replay();
                    let claimed: Vec<(u8, u64)> =
                        users(bits).map(|user| (user, after[&user].0.saturating_add_signed(off.into()))).collect();
                    let timeout = if life == 0 { 0 } else { model.height + life };
                    let memo = number.to_string();
                    let tx = sign(&Wish { signers: &claimed, fee, timeout, memo: &memo, ..WISH });
                    let committed = at(model.height, users(bits).map(|user| model.standing(user)).collect());
                    let fits = claimed.iter().all(|(user, sequence)| after[user].0 == *sequence);
                    let expected = match (fits, after[&claimed[0].0].1 >= fee) {
                        (false, _) => Some(32),
                        (true, false) => Some(5),
                        (true, true) => None,
                    };
                    match (pool.add(&tx, &committed), expected) {
                        (Ok(hash), None) => {
                            model.waiting.push(Entry { hash, signers: claimed, fee, timeout });
                        }
                        (Err(SubmitError::Rejected(rejection)), Some(code)) => prop_assert_eq!(rejection.code, code),
                        (other, expected) => prop_assert!(false, "{other:?} instead of {expected:?}"),
                    }
                }
                Step::Block { count, losers } => {
                    let block = hashes(&pool, Budget { count: 2 * count, ..BUDGET });
                    for entry in model.waiting.clone().iter().filter(|entry| block.contains(&entry.hash)) {
                        apply(&mut model.accounts, entry);
                    }
                    model.waiting.retain(|entry| !block.contains(&entry.hash));
                    for user in users(losers) {
                        model.accounts.get_mut(&user).expect("a user").1 /= 2;
                    }
                    model.height += 1;
                    let told = users(u8::MAX).map(|user| (address(user), model.standing(user)));
                    pool.committed(model.height, &block, &told.collect());
                    model.replay();
                }
            }
            let waiting: Vec<B256> = model.waiting.iter().map(|entry| entry.hash).collect();
            prop_assert_eq!(hashes(&pool, BUDGET), waiting);
        }
    }
}
