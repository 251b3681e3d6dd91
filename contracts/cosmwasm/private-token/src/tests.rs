#![allow(clippy::unwrap_used)]

mod permits;
mod world;

use std::collections::BTreeMap;

use cosmwasm_std::{BankMsg, Binary, CosmosMsg, WasmMsg, coins, from_binary, from_slice};
use proptest::prelude::*;

use super::*;
use world::{World, address};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn transfer(to: &str, amount: u128) -> String {
    format!(r#"{{"transfer":{{"recipient":"{}","amount":"{amount}"}}}}"#, address(to))
}

fn history(world: &mut World, owner: &str, page: u32, page_size: u32) -> (Vec<Transfer>, u32) {
    world.call(owner, r#"{"set_viewing_key":{"key":"k"}}"#).unwrap();
    let who = address(owner);
    match world.ask(&format!(
        r#"{{"transfer_history":{{"address":"{who}","key":"k","page":{page},"page_size":{page_size}}}}}"#
    )) {
        QueryAnswer::TransferHistory { txs, total } => (txs, total),
        other => panic!("not a history: {other:?}"),
    }
}

fn failure(result: StdResult<Response>) -> String {
    result.unwrap_err().to_string().trim_end().replace("Generic error: ", "")
}

#[test]
fn tokens_move_and_both_sides_remember() {
    let mut world = World::new();
    let json =
        format!(r#"{{"transfer":{{"recipient":"{}","amount":"30","memo":"rent","padding":"…"}}}}"#, address("bob"));
    let response = world.call("alice", &json).unwrap();
    let answer: ExecuteAnswer = from_binary(&response.data.unwrap()).unwrap();
    assert_eq!(answer, ExecuteAnswer::Transfer(Status::success()));
    assert!(response.attributes.is_empty() && response.events.is_empty() && response.messages.is_empty());
    assert_eq!((world.balance("alice"), world.balance("bob")), (70, 30));
    let sent = Transfer {
        id: 1,
        from: address("alice"),
        sender: address("alice"),
        receiver: address("bob"),
        coins: Coins { denom: "TKN".into(), amount: 30_u128.into() },
        memo: Some("rent".into()),
        block_time: world.env.block.time.seconds(),
        block_height: world.env.block.height,
    };
    assert_eq!(history(&mut world, "bob", 0, 9).0, [sent]);
    assert_eq!(history(&mut world, "alice", 0, 9), history(&mut world, "bob", 0, 9));
    assert_eq!(history(&mut world, "carol", 0, 9), (vec![], 0));
}

#[test]
fn nobody_spends_what_they_do_not_have() {
    let mut world = World::new();
    assert_eq!(failure(world.call("bob", &transfer("alice", 2))), "insufficient funds: balance=0, required=2");
    assert_eq!(failure(world.call("alice", &transfer("bob", 101))), "insufficient funds: balance=100, required=101");
    assert_eq!((world.balance("alice"), world.balance("bob")), (100, 0));
    assert_eq!(history(&mut world, "alice", 0, 9).1, 0);
}

#[test]
fn sending_to_oneself_makes_nothing() {
    let mut world = World::new();
    world.call("alice", &transfer("alice", 60)).unwrap();
    assert_eq!(world.balance("alice"), 100);
    assert_eq!(history(&mut world, "alice", 0, 9).1, 2);
    assert!(world.call("alice", &transfer("alice", 101)).is_err());
}

#[test]
fn a_transfer_reads_two_entries_and_writes_four() {
    let mut world = World::new();
    let before = (world.deps.storage.reads.get(), world.deps.storage.writes);
    world.call("alice", &transfer("bob", 1)).unwrap();
    assert_eq!(world.deps.storage.reads.get() - before.0, 2);
    assert_eq!(world.deps.storage.writes - before.1, 4);
}

#[test]
fn histories_come_in_pages_newest_first() {
    let mut world = World::new();
    for amount in 1..=5 {
        world.call("alice", &transfer("bob", amount)).unwrap();
    }
    let mut page = |number, size| {
        let (txs, total) = history(&mut world, "bob", number, size);
        assert_eq!(total, 5);
        txs.iter().map(|tx| tx.coins.amount.u128()).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 2), [5, 4]);
    assert_eq!(page(1, 2), [3, 2]);
    assert_eq!(page(2, 2), [1]);
    assert_eq!(page(3, 2), [0_u128; 0]);
    assert_eq!(page(0, u32::MAX), [5, 4, 3, 2, 1]);
    assert_eq!(page(u32::MAX, u32::MAX), [0_u128; 0]);
}

#[test]
fn a_contract_is_told_of_tokens_if_its_code_is_known() {
    let mut world = World::new();
    let send =
        |hash: &str| format!(r#"{{"send":{{"recipient":"{}",{hash}"amount":"5","msg":"e30="}}}}"#, address("shop"));
    assert!(world.call("alice", &send("")).unwrap().messages.is_empty());
    let told = |response: Response| match &response.messages[0].msg {
        CosmosMsg::Wasm(WasmMsg::Execute { contract_addr, code_hash, msg, funds }) => {
            assert_eq!(*contract_addr, address("shop"));
            assert!(funds.is_empty() && msg.len() == 256);
            (code_hash.clone(), String::from_utf8(msg.0.clone()).unwrap().trim_end().to_string())
        }
        other => panic!("not a call: {other:?}"),
    };
    let (code, message) = told(world.call("alice", &send(r#""recipient_code_hash":"aa","#)).unwrap());
    assert_eq!(code, "aa");
    let alice = address("alice");
    assert_eq!(message, format!(r#"{{"receive":{{"sender":"{alice}","from":"{alice}","amount":"5","msg":"e30="}}}}"#));
    world.call("shop", r#"{"register_receive":{"code_hash":"bb"}}"#).unwrap();
    assert_eq!(told(world.call("alice", &send("")).unwrap()).0, "bb");
    assert_eq!(world.balance("shop"), 15);
}

#[test]
fn coins_become_tokens_and_tokens_coins() {
    let mut world = World::new();
    world.pay("bob", r#"{"deposit":{}}"#, &coins(40, "uscrt")).unwrap();
    assert_eq!(world.balance("bob"), 40);
    assert_eq!(failure(world.pay("bob", r#"{"deposit":{}}"#, &coins(1, "uatom"))), "this token takes no uatom");
    assert_eq!(failure(world.call("bob", r#"{"deposit":{}}"#)), "no coins came with the call");
    let response = world.call("bob", r#"{"redeem":{"amount":"15"}}"#).unwrap();
    let paid = BankMsg::Send { to_address: address("bob"), amount: coins(15, "uscrt") };
    assert_eq!(response.messages[0].msg, CosmosMsg::Bank(paid));
    assert_eq!(world.balance("bob"), 25);
    assert!(failure(world.call("bob", r#"{"redeem":{"amount":"26"}}"#)).starts_with("insufficient funds"));
    assert!(world.call("bob", r#"{"redeem":{"amount":"1","denom":"uatom"}}"#).is_err());
    let QueryAnswer::TokenInfo { total_supply, .. } = world.ask(r#"{"token_info":{}}"#) else { panic!("no info") };
    assert_eq!(total_supply, Some(125_u128.into()));
}

#[test]
fn what_is_not_switched_on_is_off() {
    let mut world = World::with("{}");
    assert_eq!(failure(world.pay("bob", r#"{"deposit":{}}"#, &coins(4, "uscrt"))), "this token takes no deposits");
    assert_eq!(failure(world.call("alice", r#"{"redeem":{"amount":"1"}}"#)), "this token gives no coins");
    let mint = format!(r#"{{"mint":{{"recipient":"{}","amount":"1"}}}}"#, address("bob"));
    assert_eq!(failure(world.call("root", &mint)), "this token is not minted");
    let shown = world.ask(r#"{"token_info":{}}"#);
    let expected =
        QueryAnswer::TokenInfo { name: "Token".into(), symbol: "TKN".into(), decimals: 6, total_supply: None };
    assert_eq!(shown, expected);
}

#[test]
fn minters_mint_and_the_admin_names_them() {
    let mut world = World::new();
    let minters = |call: &str, who: &str| format!(r#"{{"{call}":{{"minters":["{}"]}}}}"#, address(who));
    let mint = format!(r#"{{"mint":{{"recipient":"{}","amount":"7"}}}}"#, address("bob"));
    assert_eq!(failure(world.call("carol", &minters("add_minters", "carol"))), "only the admin names minters");
    assert_eq!(failure(world.call("carol", &mint)), "only minters mint");
    world.call("root", &minters("add_minters", "carol")).unwrap();
    world.call("root", &minters("add_minters", "carol")).unwrap();
    world.call("carol", &mint).unwrap();
    assert_eq!(world.balance("bob"), 7);
    assert_eq!(world.ask(r#"{"minters":{}}"#), QueryAnswer::Minters { minters: vec![address("carol")] });
    world.call("root", &minters("remove_minters", "carol")).unwrap();
    assert!(world.call("carol", &mint).is_err());
    world.call("root", &minters("set_minters", "dave")).unwrap();
    world.call("dave", &mint).unwrap();
}

#[test]
fn a_viewing_key_opens_its_own_account_only() {
    let mut world = World::new();
    let mut created = |entropy: &str| {
        let json = format!(r#"{{"create_viewing_key":{{"entropy":"{entropy}"}}}}"#);
        match from_binary(&world.call("alice", &json).unwrap().data.unwrap()).unwrap() {
            ExecuteAnswer::CreateViewingKey { key } => key,
            other => panic!("not a key: {other:?}"),
        }
    };
    let (old, new) = (created("a"), created("b"));
    assert!(old.starts_with("api_key_") && old.len() == 52 && old != new);
    let ask =
        |who: &str, key: &str| world.ask(&format!(r#"{{"balance":{{"address":"{}","key":"{key}"}}}}"#, address(who)));
    let refusal =
        QueryAnswer::ViewingKeyError { msg: "Wrong viewing key for this address or viewing key not set".into() };
    assert_eq!(ask("alice", &new), QueryAnswer::Balance(Amount { amount: 100_u128.into() }));
    assert_eq!(ask("alice", &old), refusal, "a new key replaces the old one");
    assert_eq!(ask("bob", &new), refusal);
    assert_eq!(ask("bob", ""), refusal);
}

#[test]
fn every_answer_has_the_length_of_every_other() {
    let mut world = World::new();
    for call in [transfer("bob", 1), r#"{"create_viewing_key":{"entropy":""}}"#.into()] {
        assert_eq!(world.call("alice", &call).unwrap().data.unwrap().len(), 256);
    }
    let error = |result: StdResult<Response>| result.unwrap_err().to_string().len();
    assert_eq!(
        error(world.call("bob", &transfer("alice", 7))),
        error(world.call("bob", &transfer("alice", 1_000_000)))
    );
    assert_eq!(world.ask_raw(r#"{"token_info":{}}"#).unwrap().len(), 256);
    let refused = format!(r#"{{"balance":{{"address":"{}","key":"x"}}}}"#, address("bob"));
    assert_eq!(world.ask_raw(&refused).unwrap().len(), 256);
    assert_eq!(pad::answer(&"x".repeat(300)).unwrap().len(), 512);
}

#[test]
fn addresses_and_decimals_are_checked() {
    let mut world = World::new();
    assert!(world.call("alice", r#"{"transfer":{"recipient":"x","amount":"1"}}"#).is_err());
    let msg = from_slice(br#"{"name":"T","symbol":"T","decimals":19,"prng_seed":""}"#).unwrap();
    let info = cosmwasm_std::testing::mock_info(&address("root"), &[]);
    let made = instantiate(world.deps.as_mut(), world.env.clone(), info, msg);
    assert_eq!(failure(made), "decimals must not exceed 18");
}

#[derive(Debug, Clone)]
enum Step {
    Transfer(usize, usize, u128),
    Mint(usize, u128),
    Deposit(usize, u128),
    Redeem(usize, u128),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE.len();
    let amount = prop_oneof![0..200_u128, Just(u128::MAX), Just(u128::MAX - 120)];
    prop_oneof![
        4 => (who.clone(), who.clone(), amount.clone()).prop_map(|(from, to, amount)| Step::Transfer(from, to, amount)),
        1 => (who.clone(), amount.clone()).prop_map(|(to, amount)| Step::Mint(to, amount)),
        1 => (who.clone(), amount.clone()).prop_map(|(by, amount)| Step::Deposit(by, amount)),
        1 => (who, amount).prop_map(|(by, amount)| Step::Redeem(by, amount)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a plain table: the same calls succeed, the same balances come out, and the supply is their sum.
    #[test]
    fn balances_are_those_of_a_plain_table(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        world.call("root", &format!(r#"{{"set_minters":{{"minters":["{}"]}}}}"#, address("root"))).unwrap();
        let mut table: BTreeMap<&str, u128> = PEOPLE.into_iter().map(|name| (name, 0)).collect();
        table.insert("alice", 100);
        for step in steps {
            let supply: u128 = table.values().sum();
            let (allowed, done) = match step {
                Step::Transfer(from, to, amount) => {
                    let allowed = table[PEOPLE[from]] >= amount;
                    if allowed {
                        *table.get_mut(PEOPLE[from]).unwrap() -= amount;
                        *table.get_mut(PEOPLE[to]).unwrap() += amount;
                    }
                    (allowed, world.call(PEOPLE[from], &transfer(PEOPLE[to], amount)))
                }
                Step::Mint(to, amount) => {
                    let allowed = supply.checked_add(amount).is_some();
                    if allowed {
                        *table.get_mut(PEOPLE[to]).unwrap() += amount;
                    }
                    let json = format!(r#"{{"mint":{{"recipient":"{}","amount":"{amount}"}}}}"#, address(PEOPLE[to]));
                    (allowed, world.call("root", &json))
                }
                Step::Deposit(by, amount) => {
                    let allowed = amount > 0 && supply.checked_add(amount).is_some();
                    if allowed {
                        *table.get_mut(PEOPLE[by]).unwrap() += amount;
                    }
                    (allowed, world.pay(PEOPLE[by], r#"{"deposit":{}}"#, &coins(amount, "uscrt")))
                }
                Step::Redeem(by, amount) => {
                    let allowed = table[PEOPLE[by]] >= amount;
                    if allowed {
                        *table.get_mut(PEOPLE[by]).unwrap() -= amount;
                    }
                    (allowed, world.call(PEOPLE[by], &format!(r#"{{"redeem":{{"amount":"{amount}"}}}}"#)))
                }
            };
            prop_assert_eq!(done.is_ok(), allowed, "{:?}", done);
        }
        for (name, balance) in &table {
            prop_assert_eq!(world.balance(name), *balance);
        }
        let supply: u128 = table.values().sum();
        prop_assert_eq!(state::supply(&world.deps.storage).unwrap().u128(), supply);
    }
}

#[test]
fn remembered_transfers_keep_their_bytes() {
    let mut world = World::new();
    let owner = CanonicalAddr::from([1_u8; 20].as_slice());
    let transfer = state::Remembered {
        received: true,
        other: Binary(vec![2; 20]).into(),
        amount: 3_u128.into(),
        seconds: 4,
        height: 5,
        memo: Some("hi".into()),
    };
    transfer.store(&mut world.deps.storage, &owner, 6);
    let key = [&b"h"[..], &[1; 20], &[0, 0, 0, 6]].concat();
    let stored = cosmwasm_std::Storage::get(&world.deps.storage, &key).unwrap();
    let expected =
        [&[1][..], &3_u128.to_be_bytes(), &4_u64.to_be_bytes(), &5_u64.to_be_bytes(), &[20], &[2; 20], b"hi"].concat();
    assert_eq!(stored, expected);
    assert_eq!(state::Remembered::load(&world.deps.storage, &owner, 6).unwrap(), transfer);
}
