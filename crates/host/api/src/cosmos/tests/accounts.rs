//! Accounts and balances, now and at earlier heights.

use cloister_chain::cosmos::{PublicKey, bech32};
use cloister_chain::leaf::Auth;
use cloister_chain::{Account, Address, Leaf};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::world::*;

const AUTH: &str = "/cosmos/auth/v1beta1";
const BANK: &str = "/cosmos/bank/v1beta1";

#[tokio::test]
async fn an_account_is_as_secretjs_needs_it_to_sign() {
    let world = World::start().await;
    let account = json!({
        "account": {
            "@type": "/cosmos.auth.v1beta1.BaseAccount",
            "address": USER,
            "pub_key": null,
            "account_number": "7",
            "sequence": "3",
        }
    });
    assert_eq!(world.get(&format!("{AUTH}/accounts/{USER}")).await, account);

    let key = PublicKey::Single([2; 33]);
    let writes = vec![
        leaf(Leaf::Account(user()), &Account { sequence: 4, ..Account::default() }),
        leaf(Leaf::Auth(user()), &Auth { number: 7, key: Some(key.to_bytes()) }),
    ];
    world.mine_with(&[], writes, Vec::new());
    let found = world.get(&format!("{AUTH}/accounts/{USER}")).await;
    let key =
        json!({ "@type": "/cosmos.crypto.secp256k1.PubKey", "key": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC" });
    assert_eq!((&found["account"]["pub_key"], &found["account"]["sequence"]), (&key, &json!("4")));
    let info = world.get(&format!("{AUTH}/account_info/{USER}")).await;
    assert_eq!(info["info"], json!({ "address": USER, "pub_key": key, "account_number": "7", "sequence": "4" }));
}

#[tokio::test]
async fn an_account_that_only_ethereum_knows_is_not_found() {
    let world = World::start().await;
    let stranger = Address::repeat_byte(5);
    let account = Account { sequence: 9, ..Account::default() };
    world.mine_with(&[], vec![leaf(Leaf::Account(stranger), &account)], Vec::new());
    let address = bech32(&stranger);
    let text = format!("rpc error: code = NotFound desc = account {address} not found: key not found");
    assert_eq!(world.refused(&format!("{AUTH}/accounts/{address}?")).await, (404, 5, text));
}

#[tokio::test]
async fn the_collector_of_fees_is_a_module_account() {
    let world = World::start().await;
    assert_eq!(world.get(&format!("{AUTH}/module_accounts")).await, json!({ "accounts": [] }), "no fee was paid yet");
    let collector = Address::from_slice(&Sha256::digest("fee_collector")[..20]);
    assert_eq!(bech32(&collector), "secret17xpfvakm2amg962yls6f84z3kell8c5ljuhfkp", "as on every chain of the SDK");
    let auth = Auth { number: 8, key: None };
    world.mine_with(&[], vec![leaf(Leaf::Auth(collector), &auth)], Vec::new());
    let account = json!({
        "@type": "/cosmos.auth.v1beta1.ModuleAccount",
        "base_account": { "address": bech32(&collector), "pub_key": null, "account_number": "8", "sequence": "0" },
        "name": "fee_collector",
        "permissions": [],
    });
    assert_eq!(world.get(&format!("{AUTH}/module_accounts")).await, json!({ "accounts": [account] }));
    for path in ["module_accounts/fee_collector".to_owned(), format!("accounts/{}", bech32(&collector))] {
        assert_eq!(world.get(&format!("{AUTH}/{path}")).await, json!({ "account": account }));
    }
    assert_eq!(world.refused(&format!("{AUTH}/module_accounts/gov")).await.0, 404);
}

#[tokio::test]
async fn parameters_are_those_that_clients_test() {
    let world = World::start().await;
    let params = json!({
        "params": {
            "max_memo_characters": "256",
            "tx_sig_limit": "7",
            "tx_size_cost_per_byte": "10",
            "sig_verify_cost_ed25519": "590",
            "sig_verify_cost_secp256k1": "1000",
        }
    });
    assert_eq!(world.get(&format!("{AUTH}/params")).await, params);
    assert_eq!(world.get(&format!("{AUTH}/bech32")).await, json!({ "bech32_prefix": "secret" }));
    let params = json!({ "params": { "send_enabled": [], "default_send_enabled": true } });
    assert_eq!(world.get(&format!("{BANK}/params")).await, params);
}

#[tokio::test]
async fn balances_have_the_one_denomination() {
    let world = World::start().await;
    let (coin, nobody) = (json!({ "denom": "uscrt", "amount": COINS.to_string() }), bech32(&Address::repeat_byte(5)));
    let path = format!("{BANK}/balances/{USER}/by_denom?denom=uscrt");
    assert_eq!(world.get(&path).await, json!({ "balance": coin }));
    assert_eq!(world.get(&path.replace("balances", "spendable_balances")).await, json!({ "balance": coin }));
    let all = json!({ "balances": [coin], "pagination": { "next_key": null, "total": "1" } });
    assert_eq!(world.get(&format!("{BANK}/balances/{USER}")).await, all);
    assert_eq!(world.get(&format!("{BANK}/spendable_balances/{USER}")).await, all);

    let zero = |denom: &str| json!({ "balance": { "denom": denom, "amount": "0" } });
    assert_eq!(world.get(&format!("{BANK}/balances/{nobody}/by_denom?denom=uscrt")).await, zero("uscrt"));
    assert_eq!(world.get(&format!("{BANK}/balances/{USER}/by_denom?denom=ibc%2FAB")).await, zero("ibc/AB"));
    let none = json!({ "balances": [], "pagination": { "next_key": null, "total": "0" } });
    assert_eq!(world.get(&format!("{BANK}/balances/{nobody}")).await, none);
    let missing = world.refused(&format!("{BANK}/balances/{USER}/by_denom?")).await;
    assert_eq!(missing, (400, 3, "invalid denom".into()));
}

#[tokio::test]
async fn the_supply_is_what_the_chain_says() {
    let world = World::start().await;
    let coin = json!({ "denom": "uscrt", "amount": COINS.to_string() });
    assert_eq!(world.get(&format!("{BANK}/supply")).await["supply"], json!([coin]));
    assert_eq!(world.get(&format!("{BANK}/supply/by_denom?denom=uscrt")).await, json!({ "amount": coin }));
    let metadata = world.get(&format!("{BANK}/denoms_metadata/uscrt")).await["metadata"].clone();
    assert_eq!((&metadata["base"], &metadata["denom_units"][1]["exponent"]), (&json!("uscrt"), &json!(6)));
    assert_eq!(world.get(&format!("{BANK}/denoms_metadata")).await["metadatas"], json!([metadata]));
    assert_eq!(world.refused(&format!("{BANK}/denoms_metadata/ibc/AB")).await.0, 404);
}

#[tokio::test]
async fn a_header_names_the_height_whose_state_is_meant() {
    let world = World::start().await;
    for amount in [5u128, 6, 7] {
        world.mine_with(&[], vec![leaf(Leaf::Coins(user()), &amount)], Vec::new());
    }
    let path = format!("{BANK}/balances/{USER}/by_denom?denom=uscrt");
    let at = async |height: &str| {
        let got = world.ask("GET", &path, &format!("x-cosmos-block-height: {height}\r\n"), b"").await;
        let named = got.head.lines().find_map(|line| line.strip_prefix("x-cosmos-block-height: ")).map(str::to_owned);
        (got.status, got.body["balance"]["amount"].clone(), named)
    };
    assert_eq!(at("1").await, (200, json!("5"), Some("1".into())));
    assert_eq!(at("2").await, (200, json!("6"), Some("2".into())));
    assert_eq!(at("0").await, (200, json!("7"), Some("3".into())), "zero is as good as none");
    let future = world.ask("GET", &path, "X-Cosmos-Block-Height: 4\r\n", b"").await.error();
    assert_eq!((future.0, future.1), (400, 3));
    assert!(future.2.starts_with("cannot query with height in the future"), "{}", future.2);
    for nonsense in ["-1", "x", "99999999999999999999"] {
        assert_eq!(at(nonsense).await, (400, Value::Null, None), "{nonsense}");
    }

    world.node.store.prune(2).unwrap();
    let pruned = world.ask("GET", &path, "x-cosmos-block-height: 1\r\n", b"").await.error();
    assert_eq!((pruned.0, pruned.1), (400, 3));
    assert!(pruned.2.starts_with("failed to load state at height 1; "), "{}", pruned.2);
    assert_eq!(at("2").await.0, 200);
    let account = world.get_at(&format!("{AUTH}/accounts/{USER}"), "x-cosmos-block-height: 2\r\n").await;
    assert_eq!(account["account"]["account_number"], "7");
}
