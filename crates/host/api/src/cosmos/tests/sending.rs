//! A transaction's way as secretjs goes it: broadcast, poll, read what happened.

use alloy_primitives::hex;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cloister_chain::receipt::CosmosResult;
use cloister_chain::wire::{Answer, Query, QueryRefusal, Rejection};
use cloister_chain::{Refusal, Status, limits};
use cloister_consensus::SubmitError;
use serde_json::{Value, json};

use super::world::*;
use crate::Unavailable;

const TXS: &str = "/cosmos/tx/v1beta1/txs";
const HASH: &str = "CCD03DE1B4ABB8FCFBC249A206E6300471AF8C32436B50DDEAF3FC28958B154C";

/// What a broadcast of `bytes` answers: code, codespace and log.
async fn broadcast(world: &World, bytes: &[u8]) -> (u64, String, String) {
    let got = world.post(TXS, &json!({ "txBytes": STANDARD.encode(bytes), "mode": "BROADCAST_MODE_SYNC" })).await;
    assert_eq!(got.status, 200, "{}", got.body);
    let text = |name: &str| got.body["tx_response"][name].as_str().unwrap().to_owned();
    (got.body["tx_response"]["code"].as_u64().unwrap(), text("codespace"), text("raw_log"))
}

#[tokio::test]
async fn secretjs_sends_an_execution_and_reads_what_it_did() {
    let world = World::start().await;
    let bytes = vector("direct_execute");
    let body = json!({ "txBytes": STANDARD.encode(&bytes), "mode": "BROADCAST_MODE_SYNC" });
    let got = world.post(TXS, &body).await;
    let sent = json!({
        "tx_response": {
            "height": "0", "txhash": HASH, "codespace": "", "code": 0, "data": "", "raw_log": "", "logs": [],
            "info": "", "gas_wanted": "0", "gas_used": "0", "tx": null, "timestamp": "", "events": [],
        }
    });
    assert_eq!((got.status, got.body), (200, sent));
    assert_eq!(world.node.pool.status().cosmos, 1);

    // Not in a block yet: the client matches this text and asks again.
    let missing = world.refused(&format!("{TXS}/{HASH}?")).await;
    assert_eq!(missing, (404, 5, format!("tx not found: {HASH}")));

    let tx = cosmos(&bytes);
    let data = hex::decode("12540a32").unwrap();
    let result = CosmosResult {
        gas_wanted: 200_000,
        data: data.into(),
        events: events(&tx, &[("wasm", "contract_address", "secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg")]),
        ..CosmosResult::default()
    };
    let receipt = receipt(&tx, Status::Success, result);
    assert_eq!(world.mine(&[ethereum(0), (tx, receipt)]), 1);

    let shown = json!({
        "body": {
            "messages": [{
                "@type": "/secret.compute.v1beta1.MsgExecuteContract",
                "sender": USER,
                "contract": "secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg",
                "msg": sealed_message(),
                "callback_code_hash": "",
                "sent_funds": [{ "denom": "uscrt", "amount": "5" }],
                "callback_sig": null,
            }],
            "memo": "",
            "timeout_height": "0",
            "extension_options": [],
            "non_critical_extension_options": [],
        },
        "auth_info": {
            "signer_infos": [{
                "public_key": {
                    "@type": "/cosmos.crypto.secp256k1.PubKey",
                    "key": "A07oJJ9n4TYTnD7ZStYyiPbB3kXOZvqIMkchGmmPRAzf",
                },
                "mode_info": { "single": { "mode": "SIGN_MODE_DIRECT" } },
                "sequence": "3",
            }],
            "fee": {
                "amount": [{ "denom": "uscrt", "amount": "20000" }],
                "gas_limit": "200000",
                "payer": "",
                "granter": "",
            },
            "tip": null,
        },
        "signatures": ["Vbp8eWU2AZ0Cbk+9818VP4PsRlBByQMF0RlQ9K7z/wF5MLPXnwVPVIc+YkalmfWJhTtyyW+1eLN+e9ixKjO06w=="],
    });
    let mut inner = shown.clone();
    inner["@type"] = "/cosmos.tx.v1beta1.Tx".into();
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": value, "index": true });
    let golden = json!({
        "tx": shown,
        "tx_response": {
            "height": "1", "txhash": HASH, "codespace": "", "code": 0, "data": "12540A32", "raw_log": "", "logs": [],
            "info": "", "gas_wanted": "200000", "gas_used": "66601", "tx": inner,
            "timestamp": "2023-11-14T22:13:21Z",
            "events": [
                {
                    "type": "message",
                    "attributes": [
                        attribute("action", "/secret.compute.v1beta1.MsgExecuteContract"),
                        attribute("sender", USER),
                        attribute("msg_index", "0"),
                    ],
                },
                {
                    "type": "wasm",
                    "attributes": [attribute("contract_address", "secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg")],
                },
            ],
        },
    });
    let found = world.get(&format!("{TXS}/{HASH}")).await;
    assert_eq!(found, golden);
    assert_eq!(world.get(&format!("{TXS}/{}", HASH.to_lowercase())).await, found, "in either case");
}

/// Nonce, public key and ciphertext as secretjs made them: from the first two it finds its key again.
fn sealed_message() -> Value {
    let vectors = include_str!("../../../../../shared/envelope/tests/vectors/secret.json");
    serde_json::from_str::<Value>(vectors).unwrap()["tx_encryption"]["encrypted_msg_b64"].clone()
}

#[tokio::test]
async fn every_spelling_of_a_broadcast_is_understood() {
    let bytes = vector("direct_bank_send");
    let (plain, url) = (STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes));
    for body in [
        json!({ "tx_bytes": plain, "mode": "BROADCAST_MODE_SYNC" }),
        json!({ "txBytes": plain, "mode": "BROADCAST_MODE_ASYNC" }),
        json!({ "tx_bytes": url, "mode": 2 }),
        json!({ "tx_bytes": plain, "mode": 3, "something": ["else"] }),
    ] {
        let world = World::start().await;
        let got = world.post(TXS, &body).await;
        assert_eq!((got.status, &got.body["tx_response"]["code"]), (200, &json!(0)), "{body} {}", got.body);
        assert_eq!(world.node.pool.status().cosmos, 1);
    }
    let world = World::start().await;
    for (mode, name) in [(json!("BROADCAST_MODE_BLOCK"), "BLOCK"), (json!(0), "UNSPECIFIED")] {
        let got = world.post(TXS, &json!({ "tx_bytes": plain, "mode": mode })).await;
        let text = format!("unsupported return type BROADCAST_MODE_{name}; supported types: sync, async");
        assert_eq!(got.error(), (400, 3, text));
    }
    assert_eq!(world.node.pool.status().cosmos, 0);
}

#[tokio::test]
async fn what_the_mempool_refuses_has_the_sdks_number_and_text() {
    let world = World::start().await;
    let bytes = vector("direct_execute");
    assert_eq!(broadcast(&world, &bytes).await.0, 0);
    let again = broadcast(&world, &bytes).await;
    assert_eq!(again, (19, "sdk".into(), "tx already exists in cache".into()));

    // Its sequence is taken by the one that waits.
    let log = "account sequence mismatch, expected 4, got 3: incorrect account sequence";
    assert_eq!(broadcast(&world, raw(&transfer(1))).await, (32, "sdk".into(), log.into()));

    for (refusal, code) in [
        (SubmitError::Full, 20),
        (SubmitError::Stale, 18),
        (SubmitError::Rejected(Rejection { codespace: "sdk".into(), code: 13, log: "insufficient fee".into() }), 13),
    ] {
        *world.node.refuses.lock().unwrap() = Some(refusal);
        let (got, codespace, log) = broadcast(&world, &bytes).await;
        assert_eq!((got, codespace.as_str()), (code, "sdk"), "{log}");
        assert!(!log.is_empty());
    }
}

#[tokio::test]
async fn bytes_that_are_no_transaction_are_answered_like_a_failed_one() {
    let world = World::start().await;
    let (code, codespace, log) = broadcast(&world, b"\xff\xff").await;
    assert_eq!((code, codespace.as_str()), (2, "sdk"));
    assert!(log.ends_with(": tx parse error"), "{log}");

    let large = vec![7; limits::TX_BYTES + 1];
    let (code, _, log) = broadcast(&world, &large).await;
    assert_eq!((code, log), (21, format!("transaction of {} bytes: tx too large", limits::TX_BYTES + 1)));
    let got = world.ask("POST", TXS, "", &vec![b' '; super::super::BODY_BYTES + 1]).await;
    assert_eq!(got.error().0, 413);
}

#[tokio::test]
async fn a_failed_transaction_is_found_with_its_error() {
    let world = World::start().await;
    let (failed, refused) = (transfer(1), transfer(2));
    let log = "failed to execute message; message index: 0: encrypted: AAAA: execute contract failed";
    let result = CosmosResult {
        code: 3,
        codespace: "compute".into(),
        log: log.into(),
        gas_wanted: 25_000,
        events: vec![event("tx", &[("fee", "2500uscrt")])],
        ..CosmosResult::default()
    };
    let ante = CosmosResult { code: 32, codespace: "sdk".into(), log: "sequence".into(), ..CosmosResult::default() };
    world.mine(&[
        (failed.clone(), receipt(&failed, Status::Failed, result)),
        (refused.clone(), receipt(&refused, Status::Refused(Refusal::Rule), ante)),
    ]);
    let found = world.get(&format!("{TXS}/{}", upper(failed.hash()))).await;
    let response = &found["tx_response"];
    assert_eq!((&response["code"], &response["codespace"]), (&json!(3), &json!("compute")));
    assert_eq!((&response["raw_log"], &response["data"]), (&json!(log), &json!("")));
    assert_eq!(response["events"].as_array().unwrap().len(), 1);
    let found = world.get(&format!("{TXS}/{}", upper(refused.hash()))).await;
    assert_eq!((&found["tx_response"]["code"], &found["tx_response"]["events"]), (&json!(32), &json!([])));
}

#[tokio::test]
async fn ethereum_transactions_are_not_found_here() {
    let world = World::start().await;
    let (tx, receipt) = ethereum(0);
    world.mine(&[(tx.clone(), receipt)]);
    let hash = upper(tx.hash());
    assert_eq!(world.refused(&format!("{TXS}/{hash}")).await, (404, 5, format!("tx not found: {hash}")));
}

#[tokio::test]
async fn simulation_asks_the_enclave_and_never_runs_a_contract() {
    let world = World::start().await;
    let path = "/cosmos/tx/v1beta1/simulate";
    let tx = transfer(5);
    let body = json!({ "txBytes": STANDARD.encode(raw(&tx)) });
    let expected = Query::Simulate(raw(&tx).to_vec().into());
    world.enclave(move |question| {
        assert_eq!((question.height, &question.query), (None, &expected));
        Ok(Answer::Simulated(5_000))
    });
    let got = world.post(path, &body).await;
    let golden = json!({
        "gas_info": { "gas_wanted": "25000", "gas_used": "5000" },
        "result": { "data": null, "log": "", "events": [], "msg_responses": [] },
    });
    assert_eq!((got.status, got.body), (200, golden));

    let rejection = Rejection { codespace: "compute".into(), code: 17, log: "no simulation of contracts".into() };
    world.enclave(move |_| Ok(Answer::Rejected(rejection.clone())));
    let got = world.post(path, &body).await;
    assert_eq!(got.error(), (500, 2, "codespace compute code 17: no simulation of contracts".into()));
    for (answer, status, code) in [
        (Ok(Answer::Refused(QueryRefusal::NotReady)), 503, 14),
        (Ok(Answer::Refused(QueryRefusal::Fault)), 500, 13),
        (Ok(Answer::Estimated(1)), 500, 13),
        (Err(Unavailable::Busy), 503, 14),
    ] {
        world.enclave(move |_| answer.clone());
        let got = world.post(path, &body).await.error();
        assert_eq!((got.0, got.1), (status, code), "{}", got.2);
    }
    let got = world.post(path, &json!({ "tx_bytes": "AAAA" })).await.error();
    assert_eq!((got.0, got.1), (400, 3), "{}", got.2);
}

#[tokio::test]
async fn decoding_shows_every_kind_of_message() {
    let world = World::start().await;
    let decode = async |bytes: &[u8]| {
        let got = world.post("/cosmos/tx/v1beta1/decode", &json!({ "tx_bytes": STANDARD.encode(bytes) })).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.body["tx"].clone()
    };
    let tx = decode(&vector("amino_instantiate")).await;
    let message = &tx["body"]["messages"][0];
    assert_eq!(message["@type"], "/secret.compute.v1beta1.MsgInstantiateContract");
    assert_eq!(message["sender"], USER);
    for name in ["code_id", "label", "init_msg", "admin"] {
        assert!(message[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {message}");
    }
    for name in ["callback_code_hash", "init_funds", "callback_sig"] {
        assert!(message.get(name).is_some(), "{name}: {message}");
    }
    let mode = &tx["auth_info"]["signer_infos"][0]["mode_info"];
    assert_eq!(*mode, json!({ "single": { "mode": "SIGN_MODE_LEGACY_AMINO_JSON" } }));
    assert_eq!(tx["auth_info"]["fee"]["granter"], "secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne");

    let tx = decode(raw(&transfer(9))).await;
    assert_eq!(tx["body"]["messages"][0]["amount"], json!([{ "denom": "uscrt", "amount": "9" }]));
    assert_eq!(tx["auth_info"]["signer_infos"][0]["public_key"], Value::Null);
    for (message, address) in every_message() {
        let view = decode(raw(&unsigned(vec![message.clone()]))).await["body"]["messages"][0].clone();
        assert_eq!(view["@type"], message.type_url);
        let member = if view.get("inputs").is_some() { &view["inputs"][0]["address"] } else { &view[address] };
        assert_eq!(member, USER, "{view}");
    }
}

/// One message of each other kind, and the member with its sender.
fn every_message() -> Vec<(secret_sdk_proto::Any, &'static str)> {
    use cloister_chain::cosmos::sealed;
    use prost::Message;
    use secret_sdk_proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, Output};
    use secret_sdk_proto::cosmos::base::v1beta1::Coin;
    use secret_sdk_proto::secret::compute::v1beta1 as compute;
    fn any(name: &str, message: &impl Message) -> (secret_sdk_proto::Any, &'static str) {
        (secret_sdk_proto::Any { type_url: name.into(), value: message.encode_to_vec() }, "sender")
    }
    let (sender, contract, code_hash) = (user().to_vec(), user().to_vec(), vec![1; 32]);
    let coins = vec![Coin { denom: "uscrt".into(), amount: "1".into() }];
    let many = MsgMultiSend {
        inputs: vec![Input { address: USER.into(), coins: coins.clone() }],
        outputs: vec![Output { address: USER.into(), coins }],
    };
    let admin = compute::MsgUpdateAdmin {
        sender: USER.into(),
        new_admin: USER.into(),
        contract: USER.into(),
        ..Default::default()
    };
    let clear = compute::MsgClearAdmin { sender: USER.into(), contract: USER.into(), ..Default::default() };
    let migrate = compute::MsgMigrateContract { sender: USER.into(), contract: USER.into(), ..Default::default() };
    vec![
        any("/cosmos.bank.v1beta1.MsgMultiSend", &many),
        any(
            "/secret.compute.v1beta1.MsgStoreCode",
            &compute::MsgStoreCode { sender: sender.clone(), ..Default::default() },
        ),
        any("/secret.compute.v1beta1.MsgMigrateContract", &migrate),
        any("/secret.compute.v1beta1.MsgUpdateAdmin", &admin),
        any("/secret.compute.v1beta1.MsgClearAdmin", &clear),
        any(
            "/cloister.compute.v1.MsgInstantiate",
            &sealed::MsgInstantiate { sender: sender.clone(), code_hash: code_hash.clone(), ..Default::default() },
        ),
        any(
            "/cloister.compute.v1.MsgExecute",
            &sealed::MsgExecute {
                sender: sender.clone(),
                contract: contract.clone(),
                code_hash: code_hash.clone(),
                ..Default::default()
            },
        ),
        any(
            "/cloister.compute.v1.MsgMigrate",
            &sealed::MsgMigrate { sender, contract, code_hash, ..Default::default() },
        ),
    ]
}
