use std::collections::BTreeMap;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_primitives::{Signature, TxKind, keccak256};
use cloister_chain::{Account, Address, B256, Bytes, EthTx, Tx, U256};
use secp256k1::{Message, SECP256K1, SecretKey};

use super::super::{Admission, Budget, Limits, Mempool, PoolStatus, SubmitError};

const CHAIN: u64 = 7_082_400;
const BASE: u64 = 10;

/// A transfer by user `seed` that pays `cap` at most and `tip` on top of the base fee.
pub(in super::super) fn transfer(seed: u8, nonce: u64, cap: u128, tip: u128) -> Tx {
    build(
        seed,
        TxEip1559 {
            chain_id: CHAIN,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: cap,
            max_priority_fee_per_gas: tip,
            to: TxKind::Call(Address::ZERO),
            ..Default::default()
        },
    )
}

fn build(seed: u8, tx: TxEip1559) -> Tx {
    let key = SecretKey::from_byte_array([seed; 32]).expect("a key");
    let message = Message::from_digest(tx.signature_hash().0);
    let (id, rs) = SECP256K1.sign_ecdsa_recoverable(message, &key).serialize_compact();
    let signature = Signature::new(U256::from_be_slice(&rs[..32]), U256::from_be_slice(&rs[32..]), i32::from(id) == 1);
    let bytes = alloy_eips::eip2718::Encodable2718::encoded_2718(&TxEnvelope::Eip1559(tx.into_signed(signature)));
    Tx::Eth(EthTx::decode(&bytes, CHAIN).expect("a good transaction"))
}

pub(in super::super) fn rich(sequence: u64) -> Admission {
    at(0, Account { sequence, balance: U256::from(1u128 << 100), ..Account::default() })
}

fn at(height: u64, account: Account) -> Admission {
    Admission { signers: vec![account.into()], height, base_fee: BASE, granter: None }
}

fn pool() -> Mempool {
    limited(Limits { block_gas: 1_000_000, ..Limits::default() })
}

fn limited(limits: Limits) -> Mempool {
    Mempool::new("test-1", limits, 0)
}

const BUDGET: Budget = Budget { evm_gas: 1_000_000, sdk_gas: 0, bytes: 1 << 20, count: 100 };

fn hashes(pool: &Mempool) -> Vec<B256> {
    pool.select(BASE, BUDGET).into_iter().map(|(hash, _)| hash).collect()
}

#[test]
fn a_sender_goes_in_sequence_and_the_best_tip_goes_first() {
    let pool = pool();
    let (a0, a1, b0) = (transfer(1, 0, 100, 1), transfer(1, 1, 100, 9), transfer(2, 0, 100, 5));
    for tx in [&a1, &a0, &b0] {
        pool.add(tx, &rich(0)).expect("admitted");
    }
    assert_eq!(hashes(&pool), [b0.hash(), a0.hash(), a1.hash()], "a1 pays most but has to wait for a0");
}

#[test]
fn a_gap_waits_until_it_is_filled() {
    let pool = pool();
    let (first, third) = (transfer(1, 0, 100, 1), transfer(1, 2, 100, 1));
    pool.add(&third, &rich(0)).expect("admitted");
    assert_eq!(hashes(&pool), [] as [B256; 0]);
    assert_eq!(pool.status(), PoolStatus { queued: 1, ..PoolStatus::default() });
    pool.add(&first, &rich(0)).expect("admitted");
    assert_eq!(hashes(&pool), [first.hash()]);
    assert_eq!(pool.next_sequence(&first.sender()), Some(1));
    pool.add(&transfer(1, 1, 100, 1), &rich(0)).expect("admitted");
    assert_eq!(hashes(&pool).len(), 3);
    assert_eq!(pool.next_sequence(&first.sender()), Some(3));
    assert_eq!(pool.next_sequence(&Address::ZERO), None);
}

#[test]
fn a_replacement_pays_a_tenth_more() {
    let pool = pool();
    let old = transfer(1, 0, 1_000, 100);
    pool.add(&old, &rich(0)).expect("admitted");
    assert_eq!(pool.add(&old, &rich(0)), Err(SubmitError::AlreadyKnown));
    assert_eq!(pool.add(&transfer(1, 0, 1_099, 110), &rich(0)), Err(SubmitError::Underpriced));
    let new = transfer(1, 0, 1_100, 110);
    pool.add(&new, &rich(0)).expect("replaces");
    assert_eq!((hashes(&pool), pool.get(&old.hash())), (vec![new.hash()], None));
}

#[test]
fn what_cannot_run_is_refused_with_its_reason() {
    let pool = pool();
    let poor = |wei: u64| at(0, Account { balance: U256::from(wei), ..Account::default() });
    let refusal = |tx, admission: &Admission| pool.add(&tx, admission).expect_err("refused").to_string();
    assert_eq!(refusal(transfer(1, 4, 100, 1), &rich(5)), "nonce too low: next nonce 5, tx nonce 4");
    assert_eq!(
        refusal(transfer(1, 0, 100, 1), &poor(2_099_999)),
        "insufficient funds for gas * price + value: balance 2099999, tx cost 2100000"
    );
    assert_eq!(
        refusal(transfer(1, 0, 9, 1), &rich(0)),
        "max fee per gas less than block base fee: maxFeePerGas: 9, baseFee: 10"
    );
    assert_eq!(refusal(transfer(1, 0, 100, 101), &rich(0)), "max priority fee per gas higher than max fee per gas");
    let base = TxEip1559 {
        chain_id: CHAIN,
        gas_limit: 1_000_000,
        max_fee_per_gas: 100,
        to: TxKind::Create,
        ..Default::default()
    };
    let data = build(1, TxEip1559 { gas_limit: 53_017, input: Bytes::from(vec![1]), ..base.clone() });
    assert_eq!(refusal(data, &rich(0)), "intrinsic gas too low: gas 53017, minimum needed 53018");
    assert_eq!(
        refusal(build(1, TxEip1559 { gas_limit: 1_000_001, ..base.clone() }), &rich(0)),
        "exceeds block gas limit"
    );
    let code = build(1, TxEip1559 { input: Bytes::from(vec![0; 49_153]), ..base });
    assert_eq!(refusal(code, &rich(0)), "max initcode size exceeded: code size 49153, limit 49152");
    let contract = at(0, Account { code: keccak256(b"code"), ..Account::default() });
    assert_eq!(refusal(transfer(1, 0, 100, 1), &contract), "sender not an eoa");
    assert_eq!(pool.status(), PoolStatus::default(), "nothing half-admitted");
}

#[test]
fn all_waiting_transactions_of_a_sender_must_be_affordable_together() {
    let pool = pool();
    let twice = at(0, Account { balance: U256::from(4_200_000), ..Account::default() });
    pool.add(&transfer(1, 0, 100, 1), &twice).expect("2.1 million");
    pool.add(&transfer(1, 1, 100, 1), &twice).expect("4.2 million");
    assert!(matches!(pool.add(&transfer(1, 2, 100, 1), &twice), Err(SubmitError::InsufficientFunds { .. })));
}

#[test]
fn a_commit_takes_the_block_out_and_with_it_what_became_impossible() {
    let pool = pool();
    let txs: Vec<Tx> = (0..3).map(|nonce| transfer(1, nonce, 100, 1)).collect();
    for tx in &txs {
        pool.add(tx, &rich(0)).expect("admitted");
    }
    let spent = Account { sequence: 1, balance: U256::from(2_100_000), ..Account::default() };
    pool.committed(1, &[txs[0].hash()], &BTreeMap::from([(txs[0].sender(), spent.clone().into())]));
    assert_eq!(hashes(&pool), [txs[1].hash()], "the third one cannot be paid any more");
    assert_eq!(pool.add(&transfer(1, 1, 200, 2), &rich(0)), Err(SubmitError::Stale), "height 0 is behind");
    pool.committed(2, &[txs[1].hash()], &BTreeMap::from([(txs[0].sender(), Account { sequence: 2, ..spent }.into())]));
    assert_eq!(pool.status(), PoolStatus::default());
}

#[test]
fn what_a_block_used_up_is_in_nobodys_way_before_the_pool_hears_of_the_block() {
    let pool = limited(Limits { per_sender: 1, block_gas: 1_000_000, ..Limits::default() });
    let first = transfer(1, 0, 100, 1);
    let funds = |sequence, balance| Account { sequence, balance: U256::from(balance), ..Account::default() };
    pool.add(&first, &at(0, funds(0, 4_200_000))).expect("admitted");
    // The client has the first one's receipt: the store is at height 1, the pool is not.
    let second = transfer(1, 1, 100, 1);
    pool.add(&second, &at(1, funds(1, 2_100_000))).expect("its share of the pool and its money are free again");
    assert_eq!((pool.get(&first.hash()), pool.next_sequence(&first.sender())), (None, Some(2)));
    pool.committed(1, &[first.hash()], &BTreeMap::from([(first.sender(), funds(1, 2_100_000).into())]));
    assert_eq!(hashes(&pool), [second.hash()]);
}

#[test]
fn a_block_takes_what_fits() {
    let pool = pool();
    for seed in 1..=5 {
        pool.add(&transfer(seed, 0, 100, 1), &rich(0)).expect("admitted");
    }
    let bytes = pool.select(BASE, BUDGET)[0].1.len();
    assert_eq!(pool.select(BASE, Budget { evm_gas: 63_000, ..BUDGET }).len(), 3, "by gas");
    assert_eq!(pool.select(BASE, Budget { bytes: bytes * 2 + 3, ..BUDGET }).len(), 2, "by bytes");
    assert_eq!(pool.select(BASE, Budget { count: 4, ..BUDGET }).len(), 4, "by count");
    assert_eq!(pool.select(101, BUDGET).len(), 0, "below the base fee");
}

#[test]
fn a_full_pool_says_so() {
    let limits = Limits { count: 3, per_sender: 2, ..Limits::default() };
    let pool = limited(limits);
    pool.add(&transfer(1, 0, 100, 1), &rich(0)).expect("admitted");
    pool.add(&transfer(1, 1, 100, 1), &rich(0)).expect("admitted");
    assert_eq!(pool.add(&transfer(1, 2, 100, 1), &rich(0)), Err(SubmitError::Full));
    pool.add(&transfer(2, 0, 100, 1), &rich(0)).expect("admitted");
    assert_eq!(pool.add(&transfer(3, 0, 100, 1), &rich(0)), Err(SubmitError::Full));
    pool.add(&transfer(1, 1, 200, 2), &rich(0)).expect("a replacement takes no place");
}

#[test]
fn a_replacement_does_not_outgrow_the_pool() {
    let small = transfer(1, 0, 100, 1);
    let pool = limited(Limits { bytes: small.to_bytes().len() + 10, ..Limits::default() });
    pool.add(&small, &rich(0)).expect("admitted");
    let with = |input: Vec<u8>| {
        let (max_fee_per_gas, max_priority_fee_per_gas) = (200, 2);
        let input = input.into();
        let to = TxKind::Call(Address::ZERO);
        let gas_limit = 100_000;
        build(
            1,
            TxEip1559 {
                chain_id: CHAIN,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                input,
                ..Default::default()
            },
        )
    };
    assert_eq!(pool.add(&with(vec![0; 1_000]), &rich(0)), Err(SubmitError::Full));
    assert!(pool.get(&small.hash()).is_some(), "the old one stays");
    pool.add(&with(vec![]), &rich(0)).expect("fits");
}
