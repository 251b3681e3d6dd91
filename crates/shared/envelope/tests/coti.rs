//! Every entry of `vectors/coti.json`: what COTI's published SDKs wrote, we read, and what we write is the same bytes.

#![allow(missing_docs, clippy::unwrap_used)]

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cloister_envelope::input_text::InputContext;
use cloister_envelope::{
    AccountKey, Form, OnboardingKey, Secret, UserCipher, UserKey, WideCell, onboard, signature, text,
};
use serde::Deserialize;

/// Unknown fields are refused, so that no entry of the file is left unread.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "source")]
    _source: String,
    inputs: Inputs,
    block: Vec<Block>,
    uint_it: Vec<Input>,
    uint128_it: Vec<Input>,
    uint256_it: Vec<WideInput>,
    string_it: Vec<StringInput>,
    decrypt_zero_ciphertext: ZeroCiphertext,
    onboard: Onboard,
    eip191_it: Vec<Input>,
    eip191_string_it: StringInput,
    coti_ethers_wallet_it: Input,
    python: Python,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inputs {
    private_key: B256,
    address: Address,
    aes_key: String,
    contract: Address,
    selector: Bytes,
    r: Vec<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    r: Bytes,
    aes_of_r: U256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    plaintext: String,
    r: Bytes,
    ciphertext: U256,
    signature: Bytes,
    decrypted: Option<String>,
    message_signed: Option<Bytes>,
    same_as_typescript: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WideInput {
    plaintext: String,
    #[serde(rename = "r_order")]
    r_order: String,
    ciphertext_high: U256,
    ciphertext_low: U256,
    signature: Bytes,
    decrypted: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StringInput {
    plaintext: String,
    utf8: Option<Bytes>,
    ciphertext: Vec<U256>,
    signature: Vec<Bytes>,
    decrypted: Option<String>,
    same_as_typescript: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZeroCiphertext {
    #[serde(rename = "note")]
    _note: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Onboard {
    rsa_public_key_spki_der: Bytes,
    rsa_private_key_pkcs1_der: Bytes,
    keccak256_of_public_key: B256,
    signature_wallet: Bytes,
    #[serde(rename = "calldata_onboardAccount")]
    calldata_onboard_account: Bytes,
    signature_browser_eip191: Bytes,
    shares: Shares,
    event_log: EventLog,
    #[serde(rename = "getUserKey_precompile_calldata")]
    precompile_calldata: Bytes,
    #[serde(rename = "getUserKey_precompile_return")]
    precompile_return: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shares {
    share0: Bytes,
    share1: Bytes,
    #[serde(rename = "userKey1")]
    user_key_1: Bytes,
    #[serde(rename = "userKey2")]
    user_key_2: Bytes,
    recovered_by_coti_sdk_python: String,
    recovered_by_coti_sdk_typescript: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLog {
    topics: Vec<B256>,
    data: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Python {
    uint_it: Vec<Input>,
    string_it: Vec<StringInput>,
    onboard_signature: Bytes,
    onboard_signature_same_as_typescript: bool,
}

impl Vectors {
    fn load() -> Self {
        serde_json::from_str(include_str!("vectors/coti.json")).unwrap()
    }

    fn account(&self) -> AccountKey {
        AccountKey::from_secret(Secret::from_bytes(self.inputs.private_key.0)).unwrap()
    }

    fn user_key(&self) -> UserKey {
        UserKey::from_client_hex(&self.inputs.aes_key).unwrap()
    }

    fn cipher(&self) -> UserCipher {
        UserCipher::new(&self.user_key())
    }

    fn context(&self) -> InputContext {
        InputContext {
            sender: self.inputs.address,
            contract: self.inputs.contract,
            selector: self.inputs.selector[..].try_into().unwrap(),
        }
    }

    fn r(&self, index: usize) -> [u8; 16] {
        bytes16(&self.inputs.r[index])
    }

    fn check_input(&self, input: &Input, form: Form) {
        let (cipher, context) = (self.cipher(), self.context());
        let plain: u128 = input.plaintext.parse().unwrap();
        let ours = context.sign(cipher.seal(bytes16(&input.r), plain), &self.account(), form);
        assert_eq!((ours.ciphertext, &ours.signature[..]), (input.ciphertext, &input.signature[..]));
        assert_eq!(context.verify(input.ciphertext, &input.signature), Ok(()));
        assert_eq!(cipher.open(input.ciphertext), plain);
        assert!(input.decrypted.as_ref().is_none_or(|decrypted| *decrypted == input.plaintext));
        assert!(input.message_signed.as_ref().is_none_or(|message| message[..] == context.message(input.ciphertext)));
        assert_ne!(input.same_as_typescript, Some(false));
    }

    fn check_string(&self, input: &StringInput, form: Form) {
        let (cipher, context, account) = (self.cipher(), self.context(), self.account());
        let mut r = 0..;
        let cells = text::seal(&cipher, &input.plaintext, || self.r(r.next().unwrap()));
        assert_eq!(cells, input.ciphertext);
        let signatures: Vec<Bytes> =
            cells.iter().map(|cell| context.sign(*cell, &account, form).signature.into()).collect();
        assert_eq!(signatures, input.signature);
        for (cell, signature) in input.ciphertext.iter().zip(&input.signature) {
            assert_eq!(context.verify(*cell, signature), Ok(()));
        }
        assert_eq!(text::open(&cipher, &input.ciphertext).as_ref(), Ok(&input.plaintext));
        assert!(input.utf8.as_ref().is_none_or(|utf8| utf8[..] == *input.plaintext.as_bytes()));
        assert!(input.decrypted.as_ref().is_none_or(|decrypted| *decrypted == input.plaintext));
        assert_ne!(input.same_as_typescript, Some(false));
    }
}

fn bytes16(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().unwrap()
}

#[test]
fn the_account_of_the_example_has_the_address_of_the_example() {
    let vectors = Vectors::load();
    assert_eq!(vectors.account().address(), vectors.inputs.address);
    assert_eq!(vectors.user_key().to_client_hex().as_str(), vectors.inputs.aes_key);
}

#[test]
fn a_cell_of_zero_shows_the_pad_of_its_r() {
    let vectors = Vectors::load();
    for (index, block) in vectors.block.iter().enumerate() {
        assert_eq!(vectors.cipher().seal(bytes16(&block.r), 0) >> 128, block.aes_of_r);
        assert_eq!(vectors.r(index), bytes16(&block.r));
    }
    assert_eq!(vectors.cipher().open(U256::ZERO).to_string(), vectors.decrypt_zero_ciphertext.value);
}

#[test]
fn input_texts_of_both_sdks_are_ours() {
    let vectors = Vectors::load();
    for input in vectors.uint_it.iter().chain(&vectors.uint128_it).chain(&vectors.python.uint_it) {
        vectors.check_input(input, Form::Raw);
    }
    vectors.check_input(&vectors.coti_ethers_wallet_it, Form::Raw);
}

#[test]
fn input_texts_of_browser_wallets_are_ours() {
    let vectors = Vectors::load();
    for input in &vectors.eip191_it {
        vectors.check_input(input, Form::Personal);
    }
    vectors.check_string(&vectors.eip191_string_it, Form::Personal);
}

#[test]
fn strings_of_both_sdks_are_ours() {
    let vectors = Vectors::load();
    for input in vectors.string_it.iter().chain(&vectors.python.string_it) {
        vectors.check_string(input, Form::Raw);
    }
}

#[test]
fn wide_input_texts_are_ours() {
    let vectors = Vectors::load();
    let (cipher, context) = (vectors.cipher(), vectors.context());
    for input in &vectors.uint256_it {
        let plain: U256 = input.plaintext.parse().unwrap();
        let (high, low) = match input.r_order.as_str() {
            "low limb drew r[0], high limb r[1]" => (1, 0),
            "high limb drew r[0], low limb r[1]" => (0, 1),
            unknown => panic!("{unknown}"),
        };
        let theirs = WideCell { high: input.ciphertext_high, low: input.ciphertext_low };
        let cells = cipher.seal_wide(vectors.r(high), vectors.r(low), plain);
        assert_eq!(cells, theirs);
        assert_eq!(context.sign_wide(cells, &vectors.account(), Form::Raw).signature, input.signature[..]);
        assert_eq!(context.verify_wide(&theirs, &input.signature), Ok(()));
        assert_eq!(cipher.open_wide(&theirs), plain);
        assert_eq!(input.decrypted, input.plaintext);
    }
}

#[test]
fn the_on_boarding_request_of_the_sdks_is_ours() {
    let vectors = Vectors::load();
    let (onboard, account) = (&vectors.onboard, vectors.account());
    let key = OnboardingKey::from_pkcs1_der(&onboard.rsa_private_key_pkcs1_der).unwrap();
    let spki = key.spki();
    assert_eq!(spki, onboard.rsa_public_key_spki_der);
    assert_eq!(keccak256(&spki), onboard.keccak256_of_public_key);

    assert_eq!(account.sign(&spki, Form::Raw)[..], onboard.signature_wallet[..]);
    assert_eq!(account.sign(&spki, Form::Personal)[..], onboard.signature_browser_eip191[..]);
    assert_eq!(onboard.signature_wallet, vectors.python.onboard_signature);
    assert!(vectors.python.onboard_signature_same_as_typescript);

    // onboardAccount(bytes publicKey, bytes signedEK): selector, two offsets, then length and bytes of each.
    let calldata = &onboard.calldata_onboard_account;
    assert_eq!(calldata[4 + 3 * 32..][..spki.len()], spki);
    assert_eq!(calldata[4 + 4 * 32 + 320..][..65], onboard.signature_wallet[..]);
}

#[test]
fn the_network_opens_the_request_of_its_origin_only() {
    let vectors = Vectors::load();
    // GetUserKey(bytes): selector, offset, length, then signature and public key.
    let request = &vectors.onboard.precompile_calldata[4 + 64..][..65 + 294];
    let browser = [&vectors.onboard.signature_browser_eip191[..], &vectors.onboard.rsa_public_key_spki_der].concat();
    for request in [request, &browser] {
        assert_eq!(signature::recover(&request[65..], &request[..65]), Ok(vectors.inputs.address));
        assert!(onboard::open_request(request, vectors.inputs.address).is_ok());
        assert!(onboard::open_request(request, Address::ZERO).is_err());
    }
}

#[test]
fn the_client_recovers_the_key_that_both_sdks_recovered() {
    let vectors = Vectors::load();
    let (onboard, shares) = (&vectors.onboard, &vectors.onboard.shares);
    let key = OnboardingKey::from_pkcs1_der(&onboard.rsa_private_key_pkcs1_der).unwrap();
    let recovered = key.recover(&shares.user_key_1, &shares.user_key_2).unwrap();
    assert_eq!(recovered.to_client_hex().as_str(), shares.recovered_by_coti_sdk_python);
    assert_eq!(recovered.to_client_hex().as_str(), shares.recovered_by_coti_sdk_typescript);
    let joined = Secret::from_bytes(bytes16(&shares.share0)).xor(&Secret::from_bytes(bytes16(&shares.share1)));
    assert_eq!(recovered, UserKey::from(joined));

    // The precompile returns one ABI `bytes` of both shares; the contract's event carries each as its own `bytes`.
    let both = [&shares.user_key_1[..], &shares.user_key_2].concat();
    assert_eq!(onboard.precompile_return[64..], both);
    let data = &onboard.event_log.data;
    assert_eq!((&data[96..352], &data[384..640]), (&both[..256], &both[256..]));
    assert_eq!(onboard.event_log.topics[0], keccak256("AccountOnboarded(address,bytes,bytes)"));
    assert_eq!(onboard.event_log.topics[1], vectors.inputs.address.into_word());
}
