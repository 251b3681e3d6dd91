//! The faucet of a running development chain.

use crate::common::Dev;
use cloister_sdk::{Error, Wallet, cosmos};
use serde_json::Value;
use tokio::task::spawn_blocking;

const GIFT: u128 = 1_000_000_000;

async fn ask(dev: &Dev, path: &str) -> Value {
    let url = format!("{}{path}", dev.ready["faucet"].as_str().unwrap());
    let request = move || ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap();
    serde_json::from_slice(&spawn_blocking(request).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_newcomer_asks_the_faucet_and_pays_with_what_it_gave() {
    let dev = Dev::start(None);
    let chain_id = dev.ready["chain_id"].as_str().unwrap();
    let client = cosmos::Client::new(dev.ready["rest"].as_str().unwrap(), chain_id).unwrap();
    let newcomer = cosmos::Account::new(Wallet::random(), client.clone());
    let address = cosmos::bech32(&newcomer.address());
    assert_eq!(newcomer.balance().await.unwrap(), 0);
    let a = cosmos::from_bech32(ask(&dev, "/status").await["faucet_address"].as_str().unwrap()).unwrap();
    assert!(matches!(newcomer.send(a, 1).await, Err(Error::Door(refused)) if refused.code == 5), "nobody knows it yet");

    // Twice at once, and somebody else beside it.
    let other = Wallet::random().cosmos_address();
    let other_path = format!("/faucet?address={}", cosmos::bech32(&other));
    let path = format!("/faucet?address={address}");
    for told in <[Value; 3]>::from(tokio::join!(ask(&dev, &path), ask(&dev, &path), ask(&dev, &other_path))) {
        let hash = told["txhash"].as_str().unwrap().parse().unwrap();
        let placed = client.confirm(hash).await.unwrap();
        assert!(placed.result.is_ok(), "{placed:?}");
    }
    assert_eq!(newcomer.balance().await.unwrap(), 2 * GIFT);
    assert_eq!(client.balance(other).await.unwrap(), GIFT);

    let sent = newcomer.send(other, 1).await.unwrap();
    assert_eq!(sent.attribute("transfer", "amount"), Some("1uscrt"));
    assert_eq!(client.balance(other).await.unwrap(), GIFT + 1);
}
