//! Contracts that people write: compiled from Rust with Secret Network's standard libraries, beside their sources in
//! `contracts/cosmwasm`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CODE_HASH, CONTRACT, GAS, SENDER, World};
use crate::{
    Code, Coin, Entry, Message, QueryAnswer, ReplyOn, ReplyResult, Response, Returned, Trap, Version, answers, gas,
    limits, reply_message,
};

const COUNTER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/counter.wasm");
const COUNTER_V010: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/counter-v010.wasm");
const TOKEN: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/private-token.wasm");
const PROBER: &[u8] = include_bytes!("../../../../../contracts/cosmwasm/artifacts/prober.wasm");

/// A contract and its world.
struct Story {
    code: Code,
    world: World,
}

impl Story {
    fn of(wasm: &[u8]) -> Self {
        Self { code: Code::compile(wasm).unwrap(), world: World::new() }
    }

    fn prober() -> Self {
        Self::of(PROBER)
    }

    fn run(&mut self, entry: Entry, message: &Value) -> Result<Returned, Trap> {
        self.world.call(&self.code, entry, message.to_string().as_bytes()).result
    }

    fn call(&mut self, entry: Entry, message: Value) -> Response {
        match self.run(entry, &message) {
            Ok(Returned::Response(response)) => response,
            other => panic!("{message}: {other:?}"),
        }
    }

    fn execute(&mut self, message: Value) -> Response {
        self.call(Entry::Execute, message)
    }

    /// The JSON in the data of a call.
    fn data(&mut self, message: Value) -> Value {
        serde_json::from_slice(&self.execute(message).data.unwrap()).unwrap()
    }

    fn ask(&mut self, message: Value) -> Value {
        match self.run(Entry::Query, &message) {
            Ok(Returned::Answer(answer)) => serde_json::from_slice(&answer).unwrap(),
            other => panic!("{message}: {other:?}"),
        }
    }

    fn refusal(&mut self, entry: Entry, message: Value) -> String {
        match self.run(entry, &message) {
            Ok(Returned::Error(error)) => error.text,
            other => panic!("{message}: {other:?}"),
        }
    }

    fn trap(&mut self, message: Value) -> Trap {
        self.run(Entry::Execute, &message).unwrap_err()
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[test]
fn a_counter_counts() {
    let mut counter = Story::of(COUNTER);
    assert_eq!((counter.code.version(), counter.code.wants_random()), (Version::V1, false));
    let started = counter.call(Entry::Instantiate, json!({ "count": 7 }));
    let seen: Vec<_> = started.attributes.iter().map(|a| (a.key.as_str(), a.value.as_str(), a.encrypted)).collect();
    assert_eq!(seen, [("action", "instantiate", false), ("count", "7", true)]);

    assert_eq!(counter.data(json!({ "increment": {} })), json!({ "count": 8 }));
    assert_eq!(counter.ask(json!({ "get_count": {} })), json!({ "count": 8 }));
    assert_eq!(counter.call(Entry::Migrate, json!({ "count": -5 })).attributes[1].value, "-5");
    assert_eq!(counter.world.at("count"), (-5_i32).to_be_bytes());
}

#[test]
fn a_counter_of_the_newer_line_refuses_with_a_text() {
    let mut counter = Story::of(COUNTER);
    assert_eq!(counter.refusal(Entry::Execute, json!({ "fail": {} })), "Generic error: failed on request");
    assert_eq!(
        counter.refusal(Entry::Migrate, json!({ "count": "yolo" })),
        r#"Error parsing into type counter::MigrateMsg: Invalid type"#
    );
    let unknown = counter.refusal(Entry::Query, json!({ "yolo": {} }));
    assert!(unknown.starts_with("Error parsing into type counter::QueryMsg: unknown variant `yolo`"), "{unknown}");
}

#[test]
fn a_counter_of_the_older_line_counts_and_refuses_with_an_object() {
    let mut counter = Story::of(COUNTER_V010);
    assert_eq!(counter.code.version(), Version::V010);
    let started = counter.call(Entry::Instantiate, json!({ "count": 7 }));
    let seen: Vec<_> = started.attributes.iter().map(|a| (a.key.as_str(), a.encrypted)).collect();
    assert_eq!(seen, [("action", false), ("count", true)]);
    assert_eq!(counter.data(json!({ "increment": {} })), json!({ "count": 8 }));
    assert_eq!(counter.ask(json!({ "get_count": {} })), json!({ "count": 8 }));
    assert_eq!(counter.call(Entry::Migrate, json!({})).attributes[1].value, "8");

    let refused = counter.refusal(Entry::Execute, json!({ "fail": {} }));
    assert_eq!(refused, r#"{"generic_err":{"msg":"failed on request"}}"#);
    let missing = counter.refusal(Entry::Instantiate, json!({}));
    assert!(missing.starts_with(r#"{"parse_err":{"msg":"missing field `count`","target":""#), "{missing}");
    assert!(missing.ends_with(r#"::InitMsg"}}"#), "{missing}");
    let unknown = counter.refusal(Entry::Query, json!({ "yolo": {} }));
    assert!(unknown.starts_with(r#"{"parse_err":{"msg":"unknown variant `yolo`"#), "{unknown}");
    assert!(unknown.ends_with(r#"::QueryMsg"}}"#), "{unknown}");
}

#[test]
fn a_counter_of_the_older_line_calls_another_contract() {
    let mut counter = Story::of(COUNTER_V010);
    let call = json!({ "call": { "contract": "secret1x", "code_hash": "hash", "msg": base64(b"{}") } });
    let sent = counter.execute(call).messages.remove(0);
    let execute = Message::Execute {
        contract: "secret1x".into(),
        code_hash: "hash".into(),
        message: b"{}".to_vec(),
        funds: Vec::new(),
    };
    assert_eq!((sent.message, sent.reply_on, sent.id), (execute, ReplyOn::Never, 0));
}

#[test]
fn a_private_token_is_minted_moved_and_shown_to_its_owner() {
    let mut token = Story::of(TOKEN);
    token.call(
        Entry::Instantiate,
        json!({
            "name": "Private", "symbol": "PRV", "decimals": 6, "prng_seed": base64(&[9; 32]),
            "initial_balances": [{ "address": SENDER, "amount": "1000" }],
        }),
    );
    token.execute(json!({ "transfer": { "recipient": CONTRACT, "amount": "400" } }));
    token.execute(json!({ "set_viewing_key": { "key": "open sesame" } }));
    let balance = |key: &str| json!({ "balance": { "address": SENDER, "key": key } });
    assert_eq!(token.ask(balance("open sesame")), json!({ "balance": { "amount": "600" } }));
    assert!(token.ask(balance("open barley"))["viewing_key_error"].is_object());
    let too_much = token.refusal(Entry::Execute, json!({ "transfer": { "recipient": CONTRACT, "amount": "601" } }));
    assert!(too_much.contains("insufficient funds"), "{too_much}");
}

#[test]
fn a_transfer_costs_the_same_on_every_machine() {
    let transfer = || {
        let mut token = Story::of(TOKEN);
        let start = json!({
            "name": "Private", "symbol": "PRV", "decimals": 6, "prng_seed": base64(&[9; 32]),
            "initial_balances": [{ "address": SENDER, "amount": "1000" }],
        });
        token.call(Entry::Instantiate, start);
        let message = json!({ "transfer": { "recipient": CONTRACT, "amount": "400" } }).to_string();
        let before = token.world.state.clone();
        let ran = token.world.call(&token.code, Entry::Execute, message.as_bytes());
        assert!(ran.result.is_ok());
        let after = std::mem::replace(&mut token.world.state, before);
        // The same call in a machine that has run before.
        let again = token.world.call(&token.code, Entry::Execute, message.as_bytes());
        assert_eq!((again.gas_used, &token.world.state), (ran.gas_used, &after));
        (ran.gas_used, after)
    };
    assert_eq!(transfer(), transfer());
}

#[test]
fn a_contract_in_trouble_hurts_itself() {
    let mut prober = Story::prober();
    assert_eq!(prober.trap(json!({ "panic": {} })), Trap::Panicked);
    assert_eq!(prober.trap(json!({ "loop": {} })), Trap::OutOfGas);
    assert_eq!(prober.trap(json!({ "grow": {} })), Trap::Panicked);
    // Compiled contracts keep their stack in their memory, and run into its end, or into ours.
    let deep = prober.trap(json!({ "recurse": {} }));
    assert!(matches!(deep, Trap::Stack | Trap::Bounds), "{deep:?}");
    assert_eq!(prober.run(Entry::Query, &json!({ "loop": {} })), Err(Trap::OutOfGas));
    assert_eq!(prober.refusal(Entry::Execute, json!({ "fail": { "text": "as \"asked\"" } })), r#"as \"asked\"#);
}

#[test]
fn data_may_be_large_and_not_larger() {
    let mut prober = Story::prober();
    let mut returning = |bytes: usize| {
        let message = json!({ "big_data": { "n": bytes } }).to_string();
        prober.world.call_with(&prober.code, Entry::Execute, message.as_bytes(), 100 * GAS).result
    };
    let fits = usize::try_from(limits::RESULT_BYTES).unwrap() * 3 / 4 - 1_000;
    let data = Some(vec![b'x'; fits]);
    assert_eq!(returning(fits), Ok(Returned::Response(Response { data, ..Response::default() })));
    assert_eq!(returning(fits + 2_000), Err(Trap::MemoryRead));
}

#[test]
fn a_contract_reads_its_surroundings() {
    let mut prober = Story::prober();
    assert!(prober.code.wants_random());
    let data = prober.data(json!({ "env": {} }));
    assert_eq!(data["env"]["block"]["time"], "1700000000123456789");
    assert_eq!(data["env"]["contract"]["code_hash"], CODE_HASH);
    assert_eq!(data["env"]["transaction"]["index"], 3);
    assert_eq!(data["info"]["sender"], SENDER);
    assert_eq!(prober.execute(json!({ "random": {} })).data, Some(vec![7; 32]));
    assert_eq!(prober.ask(json!({ "env": {} }))["block"]["height"], 12_345);
}

#[test]
fn a_contract_replies() {
    let mut prober = Story::prober();
    let events = vec![("wasm".to_owned(), vec![("key".to_owned(), "value".to_owned())])];
    let reply = reply_message(7, &ReplyResult::Ok { events, data: Some(b"hi".to_vec()) });
    let ran = prober.world.call(&prober.code, Entry::Reply, &reply).result.unwrap();
    assert!(matches!(ran, Returned::Response(response) if response.attributes[0].value == "7"));
    let last = prober.ask(json!({ "last_reply": {} }));
    assert_eq!(last["id"], 7);
    assert_eq!(last["result"]["ok"]["data"], base64(b"hi"));
    assert_eq!(last["result"]["ok"]["events"][0]["attributes"][0]["value"], "value");

    let reply = reply_message(8, &ReplyResult::Error("it failed".into()));
    assert!(prober.world.call(&prober.code, Entry::Reply, &reply).result.is_ok());
    assert_eq!(prober.ask(json!({ "last_reply": {} }))["result"]["error"], "it failed");
}

#[test]
fn a_contract_sends_every_kind_of_message() {
    let mut prober = Story::prober();
    let coins = json!([{ "denom": "uscrt", "amount": "5" }]);
    let funds = || vec![Coin { denom: "uscrt".into(), amount: 5 }];
    let (there, hash, bytes) = (|| SENDER.to_owned(), || CODE_HASH.to_owned(), || b"{}".to_vec());
    let msg = base64(b"{}");
    for (kind, message) in [
        (
            json!({ "execute": { "contract": SENDER, "code_hash": CODE_HASH, "msg": msg, "funds": coins } }),
            Message::Execute { contract: there(), code_hash: hash(), message: bytes(), funds: funds() },
        ),
        (
            json!({ "instantiate": { "code_id": 3, "code_hash": CODE_HASH, "msg": msg, "label": "l", "admin": SENDER } }),
            Message::Instantiate {
                admin: Some(there()),
                code_id: 3,
                code_hash: hash(),
                message: bytes(),
                funds: Vec::new(),
                label: "l".into(),
            },
        ),
        (
            json!({ "migrate": { "contract": SENDER, "code_id": 4, "code_hash": CODE_HASH, "msg": msg } }),
            Message::Migrate { contract: there(), code_hash: hash(), code_id: 4, message: bytes() },
        ),
        (
            json!({ "update_admin": { "contract": SENDER, "admin": SENDER } }),
            Message::UpdateAdmin { contract: there(), admin: there() },
        ),
        (json!({ "clear_admin": { "contract": SENDER } }), Message::ClearAdmin { contract: there() }),
        (
            json!({ "send": { "to": SENDER, "amount": coins } }),
            Message::Send { from: None, to: there(), amount: funds() },
        ),
        (json!({ "burn": { "amount": coins } }), Message::Burn { amount: funds() }),
        (json!({ "finalize": {} }), Message::FinalizeTx),
        (
            json!({ "stargate": { "type_url": "/x", "value": msg } }),
            Message::Stargate { type_url: "/x".into(), value: bytes() },
        ),
    ] {
        let sub = json!({ "id": 9, "reply_on": "error", "gas_limit": 100, "msg": kind });
        let sent = prober.execute(json!({ "sub": { "msgs": [sub] } })).messages.remove(0);
        assert_eq!(sent.message, message);
        assert_eq!((sent.id, sent.gas_limit, sent.reply_on), (9, Some(100), ReplyOn::Error));
    }
}

#[test]
fn a_contract_hears_every_kind_of_answer() {
    let mut prober = Story::prober();
    let question = base64(br#"{"bank":{"balance":{"address":"a","denom":"uscrt"}}}"#);
    let chain = json!({ "chain": { "request": question } });
    let balance = json!({ "balance": { "address": SENDER } });

    prober.world.answer = Ok(QueryAnswer::Ok(answers::balance(&Coin { denom: "uscrt".into(), amount: 5 })));
    assert_eq!(prober.ask(balance.clone()), json!({ "amount": { "denom": "uscrt", "amount": "5" } }));
    prober.world.answer = Ok(QueryAnswer::ContractError("no".into()));
    assert_eq!(prober.refusal(Entry::Query, balance.clone()), "Generic error: contract error: no");
    prober.world.answer = Ok(QueryAnswer::NoSuchContract("c".into()));
    assert_eq!(prober.refusal(Entry::Query, balance.clone()), "Generic error: system error: No such contract: c");
    // An object, which only the older line understands, is told of.
    prober.world.answer = Ok(QueryAnswer::ContractError(answers::generic_error("no")));
    let refused = prober.refusal(Entry::Query, balance);
    assert!(refused.starts_with("Generic error: system error: Cannot parse response"), "{refused}");
    for answer in [QueryAnswer::Unknown, QueryAnswer::Unsupported("gov".into())] {
        prober.world.answer = Ok(answer.clone());
        assert_eq!(prober.ask(chain.clone()), serde_json::from_slice::<Value>(&answer.to_json()).unwrap());
    }
    // Secret Network's chain says so, and its library for contracts does not know it.
    prober.world.answer = Ok(QueryAnswer::TooDeep);
    let heard = prober.ask(chain)["Err"]["invalid_response"]["error"].to_string();
    assert!(heard.contains("unknown variant `exceeded_recursion_limit`"), "{heard}");
}

#[test]
fn a_contract_pads_its_gas() {
    let mut prober = Story::prober();
    let used = |prober: &mut Story, amount: u32| {
        let message = json!({ "evaporate": { "amount": amount } }).to_string();
        prober.world.call(&prober.code, Entry::Execute, message.as_bytes()).gas_used
    };
    // Numbers of as many digits, for the message is paid by the byte.
    assert_eq!(used(&mut prober, 5_000) - used(&mut prober, 1_000), 4_000 * gas::MULTIPLIER);
    let message = json!({ "check_gas": {} });
    let seen = prober.data(message.clone()).as_u64().unwrap() * gas::MULTIPLIER;
    let whole = prober.world.call(&prober.code, Entry::Execute, message.to_string().as_bytes()).gas_used;
    assert!(seen < whole && seen > gas::CHECK_GAS && whole < GAS, "{seen} of {whole}");
}

#[test]
fn a_contract_signs_verifies_and_recovers() {
    let mut prober = Story::prober();
    let key = SecretKey::from_byte_array([3; 32]).unwrap();
    let public = PublicKey::from_secret_key(SECP256K1, &key).serialize();
    let sign = |curve: &str| json!({ "sign": { "curve": curve, "message": base64(b"hi"), "key": base64(&[3; 32]) } });
    let signature = base64(&prober.execute(sign("secp256k1")).data.unwrap());
    let hash = base64(&Sha256::digest(b"hi"));
    let verify = |key: &[u8]| json!({ "verify_secp": { "hash": hash, "sig": signature, "key": base64(key) } });
    assert_eq!(prober.data(verify(&public)), json!(true));
    assert_eq!(
        prober.data(verify(
            &PublicKey::from_secret_key(SECP256K1, &SecretKey::from_byte_array([4; 32]).unwrap()).serialize()
        )),
        json!(false)
    );
    let refused = prober.refusal(Entry::Execute, verify(b"short"));
    assert!(refused.contains("Invalid public key format"), "{refused}");
    let recovered = [0, 1].map(|param| {
        prober.execute(json!({ "recover": { "hash": hash, "sig": signature, "param": param } })).data.unwrap()
    });
    assert!(recovered.contains(&public.to_vec()));

    let signature = base64(&prober.execute(sign("ed25519")).data.unwrap());
    let secret = ed25519_zebra::SigningKey::from([3; 32]);
    let public: [u8; 32] = ed25519_zebra::VerificationKey::from(&secret).into();
    let (key, message) = (base64(&public), base64(b"hi"));
    assert_eq!(prober.data(json!({ "verify_ed": { "message": message, "sig": signature, "key": key } })), json!(true));
    let batch = |messages: Value| json!({ "verify_ed_batch": { "messages": messages, "sigs": [signature, signature], "keys": [key, key] } });
    assert_eq!(prober.data(batch(json!([message, message]))), json!(true));
    assert_eq!(prober.data(batch(json!([message, base64(b"ho")]))), json!(false));
    assert_eq!(prober.data(batch(json!([message]))), json!(true));
}

#[test]
fn a_contract_converts_addresses() {
    let mut prober = Story::prober();
    let address = |human: &str| json!({ "address": { "human": human } });
    let canonical = base64(&hex::decode("4e229113c75ac2ffbb9c93bd9a2877804d33f254").unwrap());
    assert_eq!(prober.data(address(CONTRACT)), json!({ "canonical": canonical, "human": CONTRACT }));
    let wrong = prober.refusal(Entry::Execute, address("cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh"));
    assert!(
        wrong.contains(r#"wrong address prefix: \"cosmos\""#) || wrong.ends_with(r#"wrong address prefix: \"cosmos\"#),
        "{wrong}"
    );
    let capitals = prober.refusal(Entry::Execute, address(&CONTRACT.to_uppercase()));
    assert!(capitals.contains("Address is not normalized"), "{capitals}");
}

#[test]
fn a_contract_emits_events_and_attributes() {
    let mut prober = Story::prober();
    let attributes =
        json!([{ "key": "a", "value": "b", "encrypted": false }, { "key": "c", "value": "d", "encrypted": true }]);
    let response = prober.execute(json!({ "custom_event": { "kind": "kind", "attributes": attributes } }));
    assert_eq!(response.events[0].kind, "kind");
    let encrypted: Vec<_> = response.events[0].attributes.iter().map(|attribute| attribute.encrypted).collect();
    assert_eq!(encrypted, [false, true]);
    assert_eq!(prober.execute(json!({ "attributes": { "attributes": attributes } })).attributes.len(), 2);
}
