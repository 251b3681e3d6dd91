#![allow(clippy::unwrap_used)]

use cosmwasm_std::testing::{MockApi, MockQuerier, MockStorage, mock_dependencies, mock_env, mock_info};
use cosmwasm_std::{
    Addr, BankMsg, ContractResult, CosmosMsg, Empty, OwnedDeps, ReplyOn, SubMsgResponse, SubMsgResult, SystemError,
    SystemResult, WasmMsg, WasmQuery, coins, from_slice,
};

use super::*;

type Chain = OwnedDeps<MockStorage, MockApi, MockQuerier<Empty>>;

fn tell(chain: &mut Chain, json: &str) -> Result<Response, Failure> {
    execute(chain.as_mut(), mock_env(), mock_info("alice", &coins(5, "uscrt")), from_slice(json.as_bytes()).unwrap())
}

fn told(json: &str) -> Result<Response, Failure> {
    tell(&mut mock_dependencies(), json)
}

fn data(json: &str) -> Vec<u8> {
    told(json).unwrap().data.unwrap().0
}

fn answer(chain: &Chain, json: &str) -> Result<String, Failure> {
    query(chain.as_ref(), mock_env(), from_slice(json.as_bytes()).unwrap())
        .map(|answer| String::from_utf8(answer.0).unwrap())
}

fn b64(bytes: &[u8]) -> String {
    Binary(bytes.to_vec()).to_base64()
}

#[test]
fn every_message_goes_out_as_it_was_written() {
    let response = told(
        r#"{"sub":{"data":"aGk=","msgs":[
            {"id":1,"reply_on":"always","gas_limit":50000,
             "msg":{"execute":{"contract":"c","code_hash":"h","msg":"e30=","funds":[{"denom":"uscrt","amount":"3"}]}}},
            {"id":2,"reply_on":"never","msg":{"send":{"to":"bob","amount":[{"denom":"uscrt","amount":"4"}]}}},
            {"id":3,"reply_on":"error",
             "msg":{"instantiate":{"code_id":8,"code_hash":"h","msg":"e30=","label":"l","admin":"bob"}}},
            {"id":4,"reply_on":"success","msg":{"burn":{"amount":[]}}},
            {"id":5,"reply_on":"never","msg":{"migrate":{"contract":"c","code_id":9,"code_hash":"h","msg":"e30="}}},
            {"id":6,"reply_on":"never","msg":{"update_admin":{"contract":"c","admin":"bob"}}},
            {"id":7,"reply_on":"never","msg":{"clear_admin":{"contract":"c"}}},
            {"id":8,"reply_on":"never","msg":{"stargate":{"type_url":"/x.Y","value":"AQI="}}},
            {"id":9,"reply_on":"never","msg":{"finalize":{}}}]}}"#,
    )
    .unwrap();
    let (contract_addr, code_hash, msg) = ("c".to_string(), "h".to_string(), Binary(b"{}".to_vec()));
    let expected: [CosmosMsg; 9] = [
        WasmMsg::Execute {
            contract_addr: contract_addr.clone(),
            code_hash: code_hash.clone(),
            msg: msg.clone(),
            funds: coins(3, "uscrt"),
        }
        .into(),
        BankMsg::Send { to_address: "bob".into(), amount: coins(4, "uscrt") }.into(),
        WasmMsg::Instantiate {
            admin: Some("bob".into()),
            code_id: 8,
            code_hash: code_hash.clone(),
            msg: msg.clone(),
            funds: vec![],
            label: "l".into(),
        }
        .into(),
        BankMsg::Burn { amount: vec![] }.into(),
        WasmMsg::Migrate { contract_addr: contract_addr.clone(), code_hash, code_id: 9, msg }.into(),
        WasmMsg::UpdateAdmin { contract_addr: contract_addr.clone(), admin: "bob".into() }.into(),
        WasmMsg::ClearAdmin { contract_addr }.into(),
        CosmosMsg::Stargate { type_url: "/x.Y".into(), value: Binary(vec![1, 2]) },
        CosmosMsg::finalize_tx(),
    ];
    let sent: Vec<_> = response.messages.iter().map(|sub| sub.msg.clone()).collect();
    assert_eq!(sent, expected);
    assert_eq!((response.messages[0].id, response.messages[0].gas_limit), (1, Some(50_000)));
    let replies: Vec<_> = response.messages[..4].iter().map(|sub| sub.reply_on.clone()).collect();
    assert_eq!(replies, [ReplyOn::Always, ReplyOn::Never, ReplyOn::Error, ReplyOn::Success]);
    assert_eq!(response.data.unwrap().0, b"hi");
}

#[test]
fn a_chain_of_calls_counts_down_and_ends() {
    let response = told(r#"{"again":{"depth":2}}"#).unwrap();
    let CosmosMsg::Wasm(WasmMsg::Execute { msg, .. }) = &response.messages[0].msg else { panic!("not a call") };
    assert_eq!(msg.0, br#"{"again":{"depth":1}}"#);
    assert!(told(r#"{"again":{"depth":0}}"#).unwrap().messages.is_empty());
}

#[test]
fn replies_are_kept_in_order_and_do_as_they_were_told() {
    let mut chain = mock_dependencies();
    let comes = |chain: &mut Chain, id, result| reply(chain.as_mut(), mock_env(), Reply { id, result });
    let fine = || SubMsgResult::Ok(SubMsgResponse { events: vec![], data: Some(Binary(vec![1])) });
    assert_eq!(answer(&chain, r#"{"last_reply":{}}"#).unwrap(), "null");

    assert_eq!(comes(&mut chain, 4, fine()).unwrap().data, None);
    comes(&mut chain, 5, SubMsgResult::Err("broken".into())).unwrap();
    assert_eq!(answer(&chain, r#"{"last_reply":{}}"#).unwrap(), r#"{"id":5,"result":{"error":"broken"}}"#);
    assert_eq!(
        answer(&chain, r#"{"replies":{}}"#).unwrap(),
        r#"[{"id":4,"result":{"ok":{"events":[],"data":"AQ=="}}},{"id":5,"result":{"error":"broken"}}]"#
    );

    tell(&mut chain, r#"{"set_reply":{"data":"aGk="}}"#).unwrap();
    assert_eq!(comes(&mut chain, 6, fine()).unwrap().data.unwrap().0, b"hi");
    tell(&mut chain, r#"{"set_reply":{"fail":true}}"#).unwrap();
    assert_eq!(comes(&mut chain, 7, fine()).unwrap_err().to_string(), "the reply was told to fail");
}

#[test]
fn errors_are_exactly_the_text_asked_for() {
    assert_eq!(told(r#"{"fail":{"text":"say \"no\""}}"#).unwrap_err().to_string(), "say \"no\"");
    assert_eq!(answer(&mock_dependencies(), r#"{"fail":{"text":"no"}}"#).unwrap_err().to_string(), "no");
    let refused = start("migrate", Start { fail: Some("never".into()), data: None });
    assert_eq!(refused.unwrap_err().to_string(), "never");
}

#[test]
fn nested_questions_pass_answers_and_both_kinds_of_errors() {
    let mut chain = mock_dependencies();
    chain.querier.update_wasm(|request| match request {
        WasmQuery::Smart { contract_addr, code_hash, msg } if contract_addr == "oracle" => {
            assert_eq!(code_hash, "h");
            match msg.as_slice() {
                b"{}" => SystemResult::Ok(ContractResult::Ok(Binary(b"not JSON".to_vec()))),
                _ => SystemResult::Ok(ContractResult::Err("unknown".into())),
            }
        }
        _ => SystemResult::Err(SystemError::NoSuchContract { addr: "nobody".into() }),
    });
    let ask = |contract: &str, msg: &[u8]| {
        format!(r#"{{"ask":{{"contract":"{contract}","code_hash":"h","msg":"{}"}}}}"#, b64(msg))
    };
    assert_eq!(answer(&chain, &ask("oracle", b"{}")).unwrap(), "not JSON");
    assert_eq!(tell(&mut chain, &ask("oracle", b"{}")).unwrap().data.unwrap().0, b"not JSON");
    assert!(answer(&chain, &ask("oracle", b"?")).unwrap_err().to_string().ends_with("contract error: unknown"));
    let missing = answer(&chain, &ask("nobody", b"{}")).unwrap_err().to_string();
    assert!(missing.ends_with("system error: No such contract: nobody"), "{missing}");

    let request = br#"{"wasm":{"contract_info":{"contract_addr":"x"}}}"#;
    let whole = answer(&chain, &format!(r#"{{"chain":{{"request":"{}"}}}}"#, b64(request))).unwrap();
    assert_eq!(whole, r#"{"Err":{"no_such_contract":{"addr":"nobody"}}}"#);
    assert_eq!(answer(&chain, r#"{"nest":{"depth":0}}"#).unwrap(), r#"{"depth":0}"#);
}

#[test]
fn entries_are_written_read_and_removed() {
    let mut chain = mock_dependencies();
    tell(&mut chain, r#"{"write":{"key":"plan","value":"b"}}"#).unwrap();
    assert_eq!(answer(&chain, r#"{"read":{"key":"plan"}}"#).unwrap(), r#"{"value":"b"}"#);
    assert!(!state::reply_plan(&chain.storage).unwrap().fail, "a caller's key is none of ours");
    tell(&mut chain, r#"{"remove":{"key":"plan"}}"#).unwrap();
    assert_eq!(answer(&chain, r#"{"read":{"key":"plan"}}"#).unwrap(), r#"{"value":null}"#);
}

#[test]
fn surroundings_are_shown_whole() {
    let shown = String::from_utf8(data(r#"{"env":{}}"#)).unwrap();
    assert!(shown.contains(r#""sender":"alice","funds":[{"denom":"uscrt","amount":"5"}]"#), "{shown}");
    let mut env = mock_env();
    env.block.random = Some(Binary(vec![9; 32]));
    let response = execute(mock_dependencies().as_mut(), env, mock_info("alice", &[]), ExecuteMsg::Random {}).unwrap();
    assert_eq!(response.data.unwrap().0, [9; 32]);
    assert_eq!(response.attributes[0].value, b64(&[9; 32]));
    assert!(!response.attributes[0].encrypted);
}

#[test]
fn balances_are_the_banks() {
    let mut chain = mock_dependencies();
    chain.querier.update_balance(Addr::unchecked("bob"), coins(11, "uscrt"));
    let shown = answer(&chain, r#"{"balance":{"address":"bob"}}"#).unwrap();
    assert_eq!(shown, r#"{"amount":{"denom":"uscrt","amount":"11"}}"#);
}

#[test]
fn what_it_signs_it_verifies_and_recovers() {
    // SHA-256 of "hello".
    let hash = Binary::from_base64("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=").unwrap();
    let key = b64(&[1; 32]);
    let signed = data(&format!(r#"{{"sign":{{"curve":"secp256k1","message":"{}","key":"{key}"}}}}"#, b64(b"hello")));
    let recovered =
        |param| data(&format!(r#"{{"recover":{{"hash":"{hash}","sig":"{}","param":{param}}}}}"#, b64(&signed)));
    let verdict = |key: &[u8]| {
        data(&format!(r#"{{"verify_secp":{{"hash":"{hash}","sig":"{}","key":"{}"}}}}"#, b64(&signed), b64(key)))
    };
    // The public key of the private key 0101…01.
    let public = Binary::from_base64("AxuExVZ7EmRAmV0+1aq6BWXXHhg0YEgZ/5wX9enV3QeP").unwrap();
    assert_eq!(verdict(&public), b"true");
    assert!([recovered(0), recovered(1)].iter().any(|found| compressed(found) == public.0));

    let ed = data(&format!(r#"{{"sign":{{"curve":"ed25519","message":"{}","key":"{key}"}}}}"#, b64(b"hello")));
    // The public key of the seed 0101…01.
    let public = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
    let verify = |message: &[u8]| {
        let (message, sig) = (b64(message), b64(&ed));
        [
            data(&format!(r#"{{"verify_ed":{{"message":"{message}","sig":"{sig}","key":"{public}"}}}}"#)),
            data(&format!(
                r#"{{"verify_ed_batch":{{"messages":["{message}"],"sigs":["{sig}"],"keys":["{public}"]}}}}"#
            )),
        ]
    };
    assert_eq!(verify(b"hello"), [b"true".to_vec(), b"true".to_vec()]);
    assert_eq!(verify(b"hullo"), [b"false".to_vec(), b"false".to_vec()]);
}

#[test]
fn events_carry_what_they_were_given() {
    let response = told(
        r#"{"custom_event":{"kind":"moved","attributes":[{"key":"a","value":"1"},
            {"key":"b","value":"2","encrypted":false}]}}"#,
    )
    .unwrap();
    assert_eq!(response.events[0].ty, "moved");
    let shown: Vec<_> = response.events[0].attributes.iter().map(|one| (one.key.as_str(), one.encrypted)).collect();
    assert_eq!(shown, [("a", true), ("b", false)]);
    assert_eq!(data(r#"{"big_data":{"n":3}}"#), b"xxx");
    let started = start("instantiate", from_slice(br#"{"data":"aGk="}"#).unwrap()).unwrap();
    assert_eq!(started.data.unwrap().0, b"hi");
}

/// The mock answers 65 bytes, the chain 33.
fn compressed(key: &[u8]) -> Vec<u8> {
    match key {
        [4, x @ .., last] if key.len() == 65 => [&[2 + (last & 1)], &x[..32]].concat(),
        _ => key.to_vec(),
    }
}
