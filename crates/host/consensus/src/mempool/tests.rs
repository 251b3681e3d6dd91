//! Two worlds in one pool.

use super::cosmos::tests as secret;
use super::eth::tests as ethereum;
use super::*;

const BUDGET: Budget = Budget { evm_gas: 1 << 20, sdk_gas: 1 << 20, bytes: 1 << 20, count: 100 };

/// A pool in which five Ethereum users and three Cosmos users wait, with their hashes.
fn mixed(limits: Limits) -> (Mempool, Vec<B256>, Vec<B256>) {
    let pool = Mempool::new("secretdev-1", limits, 0);
    let wei = (1..=5).map(|user| pool.add(&ethereum::transfer(user, 0, 100, 1), &ethereum::rich(0)).expect("admitted"));
    let wei = wei.collect();
    let coins = (1..=3).map(|user| pool.add(&secret::plain(user, 0), &secret::rich(user, 0)).expect("admitted"));
    let coins = coins.collect();
    (pool, wei, coins)
}

fn split(pool: &Mempool, budget: Budget) -> (usize, usize) {
    let chosen = pool.select(10, budget);
    let cosmos = chosen.iter().filter(|(_, bytes)| Tx::eip2718(bytes).is_none()).count();
    (cosmos, chosen.len() - cosmos)
}

#[test]
fn both_worlds_go_into_one_block_and_each_has_its_own_gas() {
    let (pool, wei, coins) = mixed(Limits::default());
    let chosen: Vec<B256> = pool.select(10, BUDGET).into_iter().map(|(hash, _)| hash).collect();
    assert_eq!(chosen, [coins.clone(), wei].concat());
    assert_eq!(split(&pool, Budget { evm_gas: 0, ..BUDGET }), (3, 0));
    assert_eq!(split(&pool, Budget { sdk_gas: 0, ..BUDGET }), (0, 5));
    assert_eq!(split(&pool, Budget { sdk_gas: 200_000, evm_gas: 63_000, ..BUDGET }), (2, 3));
    assert_eq!(pool.status(), PoolStatus { pending: 5, queued: 0, cosmos: 3 });
    assert_eq!(pool.content().len(), 5, "what Ethereum's clients are shown");
    pool.committed(1, &chosen, &BTreeMap::new());
    assert_eq!(pool.status(), PoolStatus::default());
    assert_eq!(pool.get(&coins[0]), None);
}

#[test]
fn neither_world_takes_more_than_half_of_what_the_other_needs() {
    let (pool, ..) = mixed(Limits::default());
    assert_eq!(split(&pool, Budget { count: 4, ..BUDGET }), (2, 2));
    assert_eq!(split(&pool, Budget { count: 6, ..BUDGET }), (3, 3));
    assert_eq!(split(&pool, Budget { count: 7, ..BUDGET }), (3, 4), "what one leaves the other takes");
    let one = secret::plain(1, 0).to_bytes().len();
    assert_eq!(split(&pool, Budget { bytes: 2 * one, ..BUDGET }).0, 1, "half of the bytes");
}

#[test]
fn the_bounds_of_the_pool_are_for_both_worlds_together() {
    let (pool, ..) = mixed(Limits { count: 8, ..Limits::default() });
    let (wei, coins) = (ethereum::transfer(6, 0, 100, 1), secret::plain(4, 0));
    assert_eq!(pool.add(&wei, &ethereum::rich(0)), Err(SubmitError::Full));
    assert_eq!(pool.add(&coins, &secret::rich(4, 0)), Err(SubmitError::Full));
    pool.committed(1, &[secret::plain(1, 0).hash()], &BTreeMap::new());
    let now = |admission: Admission| Admission { height: 1, ..admission };
    pool.add(&wei, &now(ethereum::rich(0))).expect("there is room again");
    assert_eq!(pool.add(&coins, &now(secret::rich(4, 0))), Err(SubmitError::Full));
}
