#![allow(clippy::unwrap_used)]
use alloy_primitives::b256;
use cloister_envelope::signature;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{Server, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;
use proptest::prelude::*;

use super::*;
use crate::ServerError;

sol! {
    function put(uint256 ciphertext, bytes signature) external;
    function take() external view returns (uint256);
}

const CONTRACT: Address = Address::repeat_byte(0x10);

/// A door that knows its chain id, and answers every call with a revert.
async fn door() -> (Client, ServerHandle) {
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let mut module = RpcModule::new(());
    module.register_method("eth_chainId", |_, (), _| "0x6c11a0").unwrap();
    module
        .register_method("eth_call", |_, (), _| {
            Err::<(), _>(ErrorObjectOwned::owned(3, "execution reverted", Some("0x01ff")))
        })
        .unwrap();
    let handle = server.start(module);
    (Client::connect(&url).await.unwrap(), handle)
}

async fn alice(door: &Client) -> Account {
    Account::new(Wallet::from_mnemonic(crate::HARDHAT_MNEMONIC, 0).unwrap(), door.clone())
        .with_user_key(UserKey::from_bytes([7; 16]))
}

#[tokio::test]
async fn a_sealed_value_is_signed_for_its_function_and_opens_again() {
    let (door, _handle) = door().await;
    let alice = alice(&door).await;
    let input = alice.seal_for::<putCall>(42_u64, CONTRACT).unwrap();
    let context = InputContext { sender: alice.address(), contract: CONTRACT, selector: putCall::SELECTOR };
    assert_eq!(context.verify(input.ciphertext, &input.signature), Ok(()));
    assert_eq!(alice.open(input.ciphertext).unwrap(), 42);

    let elsewhere = InputContext { contract: Address::ZERO, ..context };
    assert!(elsewhere.verify(input.ciphertext, &input.signature).is_err());
}

#[tokio::test]
async fn equal_values_never_look_equal() {
    let (door, _handle) = door().await;
    let alice = alice(&door).await;
    let [a, b] = [(); 2].map(|()| alice.seal(true, CONTRACT, [0; 4]).unwrap());
    assert_ne!(a.ciphertext, b.ciphertext);
    let wide = alice.seal_wide(U256::ZERO, CONTRACT, [0; 4]).unwrap().ciphertext;
    assert_ne!(wide.high, wide.low);
}

#[tokio::test]
async fn wide_values_and_texts_come_back() {
    let (door, _handle) = door().await;
    let alice = alice(&door).await;
    let wide = alice.seal_wide(U256::MAX - U256::from(5), CONTRACT, [1; 4]).unwrap();
    assert_eq!(alice.open_wide(&wide.ciphertext).unwrap(), U256::MAX - U256::from(5));

    let text = alice.seal_text("nobody else reads this", CONTRACT, [1; 4]).unwrap();
    assert_eq!(alice.open_text(&text.cells()).unwrap(), "nobody else reads this");
    assert_eq!(text.signatures().len(), 3);
}

#[tokio::test]
async fn without_a_user_key_nothing_is_sealed_or_opened() {
    let (door, _handle) = door().await;
    let stranger = Account::new(Wallet::random(), door);
    let address = stranger.address();
    assert!(matches!(stranger.seal(1_u8, CONTRACT, [0; 4]), Err(Error::NoUserKey(who)) if who == address));
    assert!(matches!(stranger.open(U256::ZERO), Err(Error::NoUserKey(who)) if who == address));
}

#[tokio::test]
async fn a_refusal_of_the_node_keeps_its_code_its_words_and_its_data() {
    let (door, _handle) = door().await;
    let Err(Error::Server(error)) = alice(&door).await.read(CONTRACT, &takeCall {}).await else {
        panic!("the door refuses every call");
    };
    assert_eq!(error, ServerError { code: 3, message: "execution reverted".into(), data: Some("0x01ff".into()) });
    assert_eq!(error.revert_data(), Some(Bytes::from_static(&[1, 255])));

    let Err(Error::Server(error)) = door.height().await else { panic!("the door has no such method") };
    assert_eq!(error.code, -32601);
}

#[tokio::test]
async fn a_url_nobody_answers_at_and_one_that_is_none_are_told_apart() {
    assert!(matches!(Client::connect("http://127.0.0.1:1").await, Err(Error::Transport(_))));
    assert!(matches!(Client::connect("ftp://127.0.0.1").await, Err(Error::Url(_))));
}

#[tokio::test]
async fn the_on_boarding_interface_is_the_published_one() {
    assert_eq!(AccountOnboard::onboardAccountCall::SELECTOR, [0xaf, 0xae, 0xa1, 0xbd]);
    assert_eq!(
        AccountOnboard::AccountOnboarded::SIGNATURE_HASH,
        b256!("fc83efa19b7c2bc399a672494bb0af52f9bbd678357edf30e55b5ac4e65878ba")
    );
}

#[test]
fn a_request_for_the_user_key_is_signed_by_the_account() {
    let wallet = Wallet::random();
    let signed = wallet.key().sign(b"spki", Form::Raw);
    assert_eq!(signature::recover(b"spki", &signed), Ok(wallet.address()));
}

proptest! {
    #[test]
    fn fees_are_never_contradictory(max: u128, tip: u128) {
        let tx = crate::Fees { max, tip }.apply(TxEip1559::default());
        prop_assert!(tx.max_priority_fee_per_gas <= tx.max_fee_per_gas);
    }
}
