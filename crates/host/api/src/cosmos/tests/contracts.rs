//! Codes, contracts, and questions to them.

use alloy_primitives::keccak256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{bech32, from_bech32};
use cloister_chain::leaf::{ChainState, Code, Contract, History, Operation, Position};
use cloister_chain::wire::{Answer, ContractQuery, Form, NetworkKeys, Query, QueryRefusal, Rejection};
use cloister_chain::{Address, B256, Bytes, Leaf};
use serde_json::json;

use super::world::*;
use crate::Unavailable;

const COMPUTE: &str = "/compute/v1beta1";
const CONTRACT: &str = "secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg";

/// A chain with two codes and two contracts, the first of which was migrated from the first code to the second.
async fn deployed() -> World {
    let world = World::start().await;
    let (wasm, address, other) = (Bytes::from_static(b"\0asm"), contract(), Address::repeat_byte(0x33));
    let code = |byte| Code {
        hash: B256::repeat_byte(byte),
        blob: keccak256(&wasm),
        size: 4,
        creator: user(),
        source: "https://example".into(),
        builder: String::new(),
    };
    let place = |height| Position { height, index: 0 };
    let first = Contract {
        code: 2,
        creator: user(),
        label: "my token/1".into(),
        admin: Some(user()),
        created: place(1),
        history: 2,
    };
    let second = Contract { label: "second".into(), admin: None, history: 0, ..first.clone() };
    let history = |operation, code, height| History { operation, code, updated: place(height), message: vec![1, 2, 3] };
    let writes = vec![
        leaf(Leaf::Chain, &ChainState { base_fee: 1, accounts: 8, codes: 2, instances: 2, supply: 0 }),
        leaf(Leaf::Code(1), &code(0xaa)),
        leaf(Leaf::Code(2), &code(0xbb)),
        leaf(Leaf::Contract(address), &first),
        leaf(Leaf::Contract(other), &second),
        leaf(Leaf::Instance(1), &address.into_array()),
        leaf(Leaf::Instance(2), &other.into_array()),
        leaf(Leaf::label("my token/1"), &address.into_array()),
        leaf(Leaf::History(address, 0), &history(Operation::Init, 1, 1)),
        leaf(Leaf::History(address, 1), &history(Operation::Migrate, 2, 2)),
    ];
    world.mine_with(&[], writes, vec![wasm]);
    world
}

fn contract() -> Address {
    from_bech32(CONTRACT).unwrap()
}

#[tokio::test]
async fn a_contract_is_as_secretjs_reads_it() {
    let world = deployed().await;
    let mut info = json!({
        "code_id": "2",
        "creator": USER,
        "label": "my token/1",
        "created": { "block_height": "1", "tx_index": "0" },
        "ibc_port_id": "",
        "admin": USER,
        "admin_proof": null,
        "require_governance": false,
    });
    let golden = json!({ "contract_address": CONTRACT, "contract_info": info });
    assert_eq!(world.get(&format!("{COMPUTE}/info/{CONTRACT}")).await, golden);

    info["created"] = json!(null);
    let list = world.get(&format!("{COMPUTE}/contracts/2")).await;
    assert_eq!(list["contract_infos"][0], json!({ "contract_address": CONTRACT, "contract_info": info }));
    assert_eq!(list["contract_infos"][1]["contract_info"]["admin"], "");
    assert_eq!(world.get(&format!("{COMPUTE}/contracts/1")).await, json!({ "contract_infos": [] }));

    assert_eq!(world.get(&format!("{COMPUTE}/label/{CONTRACT}")).await, json!({ "label": "my token/1" }));
    for label in ["my%20token/1", "my%20token%2F1"] {
        let found = world.get(&format!("{COMPUTE}/contract_address/{label}")).await;
        assert_eq!(found, json!({ "contract_address": CONTRACT }));
    }
    let position = |height: &str| json!({ "block_height": height, "tx_index": "0" });
    let entry = |operation: &str, code: &str, height: &str| {
        let operation = format!("CONTRACT_CODE_HISTORY_OPERATION_TYPE_{operation}");
        json!({ "operation": operation, "code_id": code, "updated": position(height), "msg": "AQID" })
    };
    let golden = json!({ "entries": [entry("INIT", "1", "1"), entry("MIGRATE", "2", "2")] });
    assert_eq!(world.get(&format!("{COMPUTE}/contract_history/{CONTRACT}")).await, golden);
    let path = format!("{COMPUTE}/authorized_migration/{CONTRACT}");
    assert_eq!(world.get(&path).await, json!({ "new_code_id": "0" }));
    let path = format!("{COMPUTE}/authorized_admin_update/{CONTRACT}");
    assert_eq!(world.get(&path).await, json!({ "new_admin": "" }));
}

#[tokio::test]
async fn a_code_is_found_by_number_and_by_contract() {
    let world = deployed().await;
    let info = |number: &str, hash: &str| {
        let hash = hash.repeat(32);
        json!({ "code_id": number, "creator": USER, "code_hash": hash, "source": "https://example", "builder": "" })
    };
    let golden = json!({ "code_info": info("1", "aa"), "wasm": STANDARD.encode(b"\0asm") });
    assert_eq!(world.get(&format!("{COMPUTE}/code/1")).await, golden);
    let golden = json!({ "code_infos": [info("1", "aa"), info("2", "bb")] });
    assert_eq!(world.get(&format!("{COMPUTE}/codes")).await, golden);
    let page = world.get(&format!("{COMPUTE}/codes?pagination.limit=1&pagination.offset=1")).await;
    assert_eq!(page, json!({ "code_infos": [info("2", "bb")] }));
    let hash = json!({ "code_hash": "bb".repeat(32) });
    assert_eq!(world.get(&format!("{COMPUTE}/code_hash/by_contract_address/{CONTRACT}")).await, hash);
    assert_eq!(world.get(&format!("{COMPUTE}/code_hash/by_code_id/2")).await, hash);
    let params = json!({ "params": { "compile_cost": "0.800000000000000000", "max_contract_size": "2097152" } });
    assert_eq!(world.get(&format!("{COMPUTE}/params")).await, params);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = deployed().await;
    let nobody = bech32(&Address::repeat_byte(1));
    let contract = format!("contract {nobody}: not found");
    for path in ["info", "query", "code_hash/by_contract_address", "label", "contract_history", "authorized_migration"]
    {
        let error = world.refused(&format!("{COMPUTE}/{path}/{nobody}?query=AAAA")).await;
        assert_eq!(error, (404, 5, contract.clone()), "{path}");
    }
    for path in ["code/3", "code/0", "contracts/3", "code_hash/by_code_id/18446744073709551615"] {
        let error = world.refused(&format!("{COMPUTE}/{path}")).await;
        assert_eq!((error.0, error.1), (404, 5), "{path}");
    }
    let error = world.refused(&format!("{COMPUTE}/contract_address/nothing")).await;
    assert_eq!(error, (404, 5, "contract with this label: not found".into()));
    let before = world.ask("GET", &format!("{COMPUTE}/codes"), "x-cosmos-block-height: 9\r\n", b"").await;
    assert_eq!(before.error().0, 400);
}

#[tokio::test]
async fn a_question_goes_to_the_enclave_as_it_came_and_so_does_the_answer() {
    let world = deployed().await;
    // The request of the published client's trace, "+" and "/" escaped.
    let question = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8Ho3y8FCCTyLdV3BsQ6Gy0JjdK0WqoU+0L38CyuG0cfLfnIxavPdMU4lD0\
        tBUDnXAJLyJGKnUhY+loZIDNO/2KCtGiM4i/zF7N1CPirpLYYBmauVrDjRM6RxRpimejjipCj4VZDFnrbzZK6Pnh0cVAhNizbhzpqdY=";
    let message: Bytes = STANDARD.decode(question).unwrap().into();
    let escaped = question.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let expected = message.clone();
    world.enclave(move |question| {
        let Query::Contract(ContractQuery { contract: asked, form, message }) = question.query else { panic!() };
        assert_eq!((asked, &message, question.height), (contract(), &expected, None));
        let sealed = if form == Form::Siv { b"siv".as_slice() } else { b"gcm" };
        Ok(Answer::Contract { sealed: sealed.into(), gas_used: 1 })
    });
    let answer = world.get(&format!("{COMPUTE}/query/{CONTRACT}?query={escaped}")).await;
    assert_eq!(answer, json!({ "data": STANDARD.encode("siv") }));
    let answer = world.get(&format!("/cloister/compute/v1/query/{CONTRACT}?query={escaped}")).await;
    assert_eq!(answer, json!({ "data": STANDARD.encode("gcm") }));
    let missing = world.refused(&format!("{COMPUTE}/query/{CONTRACT}?")).await;
    assert_eq!(missing, (400, 3, "query is missing".into()));
    let wrong = world.refused(&format!("{COMPUTE}/query/{CONTRACT}?query=%21%21")).await;
    assert_eq!(wrong, (400, 3, "query is not base64".into()));

    world.enclave(|question| {
        assert_eq!(question.height, Some(1));
        Ok(Answer::Refused(QueryRefusal::Height))
    });
    let path = format!("{COMPUTE}/query/{CONTRACT}?query=AAAA");
    let error = world.ask("GET", &path, "x-cosmos-block-height: 1\r\n", b"").await.error();
    assert_eq!((error.0, error.1), (400, 3));
    assert!(error.2.contains("pruned"), "{}", error.2);
}

#[tokio::test]
async fn a_question_that_is_too_long_for_a_url_comes_in_a_body() {
    let world = deployed().await;
    let message: Bytes = vec![0xfb; 2 << 20].into();
    let (text, expected) = (STANDARD.encode(&message), message.clone());
    world.enclave(move |question| {
        let Query::Contract(ContractQuery { contract: asked, form: Form::Gcm, message }) = question.query else {
            panic!()
        };
        assert!(asked == contract() && message == expected);
        let sealed = if question.height.is_none() { b"tip".as_slice() } else { b"old" };
        Ok(Answer::Contract { sealed: sealed.into(), gas_used: 1 })
    });
    let path = format!("/cloister/compute/v1/query/{CONTRACT}");
    let body = json!({ "query": text });
    assert_eq!(world.post(&path, &body).await.body, json!({ "data": STANDARD.encode("tip") }));
    let old = world.ask("POST", &path, "x-cosmos-block-height: 1\r\n", body.to_string().as_bytes()).await;
    assert_eq!(old.body, json!({ "data": STANDARD.encode("old") }));

    let nobody = format!("/cloister/compute/v1/query/{}", bech32(&Address::repeat_byte(1)));
    assert_eq!(world.post(&nobody, &body).await.error().0, 404);
    let wrong = world.post(&path, &json!({ "query": "!!" })).await.error();
    assert_eq!(wrong, (400, 3, "query is not base64".into()));
    assert_eq!(world.post(&path, &json!({})).await.error().0, 400);
    let siv = world.post(&format!("{COMPUTE}/query/{CONTRACT}"), &body).await.error();
    assert_eq!((siv.0, siv.1), (405, 12), "secretjs asks in a URL");
}

#[tokio::test]
async fn an_estimate_goes_to_the_enclave_as_it_came_and_comes_back_closed() {
    let world = deployed().await;
    world.enclave(|question| {
        let expected = Query::SealedEstimate(Bytes::from_static(b"any"));
        assert_eq!((question.query, question.height), (expected, None));
        Ok(Answer::SealedEstimate(Bytes::from_static(b"sealed")))
    });
    let path = "/cloister/compute/v1/estimate";
    let answer = world.post(path, &json!({ "message": STANDARD.encode("any") })).await;
    assert_eq!(answer.body, json!({ "data": STANDARD.encode("sealed") }));
    assert_eq!(world.post(path, &json!({ "message": "!!" })).await.error().0, 400);
    world.enclave(|_| Ok(Answer::Refused(QueryRefusal::Spent)));
    assert_eq!(world.post(path, &json!({ "message": "AAAA" })).await.error().0, 429);
}

#[tokio::test]
async fn a_contracts_error_is_where_secretjs_looks_for_it() {
    let world = deployed().await;
    let path = format!("{COMPUTE}/query/{CONTRACT}?query=AAAA");
    for (codespace, code, log, expected) in [
        ("compute", 4, "encrypted: QUJD", "codespace compute code 4: query contract failed: encrypted: QUJD"),
        (
            "compute",
            4,
            "Execution error: Enclave: the contract panicked",
            "codespace compute code 4: query contract failed: Execution error: Enclave: the contract panicked",
        ),
        ("sdk", 11, "out of gas", "codespace sdk code 11: out of gas"),
    ] {
        let rejection = Rejection { codespace: codespace.into(), code, log: log.into() };
        world.enclave(move |_| Ok(Answer::Rejected(rejection.clone())));
        assert_eq!(world.refused(&path).await, (500, 2, expected.into()));
    }
    for (answer, status, code) in [
        (Ok(Answer::Refused(QueryRefusal::Supply)), 500, 13),
        (Ok(Answer::Refused(QueryRefusal::Dev)), 400, 9),
        (Ok(Answer::Simulated(1)), 500, 13),
        (Err(Unavailable::Restarting), 503, 14),
        (Err(Unavailable::Stopping), 503, 14),
    ] {
        world.enclave(move |_| answer.clone());
        let error = world.refused(&path).await;
        assert_eq!((error.0, error.1), (status, code), "{}", error.2);
    }
}

#[tokio::test]
async fn the_networks_keys_are_asked_for_once_unless_they_change() {
    let world = World::start().await;
    let (tx_key, own) = ("/registration/v1beta1/tx-key", "/cloister/compute/v1/keys");
    assert_eq!(world.refused(&format!("{tx_key}?")).await.0, 503, "the enclave is not there yet");
    let mut epoch = 0;
    world.enclave(move |question| {
        assert_eq!(question.query, Query::NetworkKeys);
        epoch += 1;
        let keys = NetworkKeys { io: [1; 32], registration: [2; 32], input: [epoch; 32], epoch: u64::from(epoch) };
        Ok(Answer::NetworkKeys(keys))
    });
    assert_eq!(world.get(tx_key).await, json!({ "key": STANDARD.encode([1; 32]) }));
    assert_eq!(world.get("/registration/v1beta1/registration-key").await, json!({ "key": STANDARD.encode([2; 32]) }));
    assert_eq!(world.get(tx_key).await["key"], STANDARD.encode([1; 32]));
    assert_eq!(world.get(own).await, json!({ "input_key": STANDARD.encode([2; 32]), "epoch": "2", "height": "0" }));
    assert_eq!(world.get(own).await["epoch"], "3");
    assert_eq!(world.refused("/registration/v1beta1/encrypted-seed/00").await.0, 400);
    let unknown = format!("/registration/v1beta1/encrypted-seed/{}", "00".repeat(32));
    assert_eq!(world.refused(&unknown).await.0, 404);
}
