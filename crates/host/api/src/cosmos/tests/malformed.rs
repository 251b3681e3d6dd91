//! Whatever arrives, the door answers in its dialect and stays open.

use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::*;

#[tokio::test]
async fn what_a_path_cannot_name_is_said() {
    let world = World::start().await;
    let other = "cosmos1ap26qrlp8mcq2pg6r47w43l0y8zkqm8aynpdzc";
    for path in [
        "/cosmos/auth/v1beta1/accounts/nobody".to_owned(),
        format!("/cosmos/auth/v1beta1/accounts/{}", USER.replace("03", "04")),
        format!("/cosmos/auth/v1beta1/accounts/{other}"),
        "/cosmos/auth/v1beta1/accounts/%ff%fe".into(),
        format!("/cosmos/auth/v1beta1/accounts/{}", "a".repeat(60_000)),
        "/cosmos/bank/v1beta1/balances/x/by_denom?denom=uscrt".into(),
        "/cosmos/tx/v1beta1/txs/00".into(),
        "/cosmos/tx/v1beta1/txs/not-a-hash".into(),
        "/cosmos/tx/v1beta1/txs/block/-1".into(),
        "/cosmos/tx/v1beta1/txs/block/99999999999999999999".into(),
        "/cosmos/base/tendermint/v1beta1/blocks/x".into(),
        "/cosmos/base/tendermint/v1beta1/blocks/18446744073709551615".into(),
        "/cosmos/base/tendermint/v1beta1/validatorsets/18446744073709551615".into(),
        "/compute/v1beta1/info/secret1".into(),
        "/compute/v1beta1/code/one".into(),
        "/compute/v1beta1/query/%00?query=AAAA".into(),
    ] {
        let (status, code, text) = world.refused(&path).await;
        assert_eq!((status, code), (400, 3), "{path:.80}: {text}");
        assert!(!text.is_empty());
    }
    assert_eq!(world.get("/cosmos/base/tendermint/v1beta1/syncing").await["syncing"], false, "the door is open");
}

#[tokio::test]
async fn bodies_that_are_no_request_are_said_to_be() {
    let world = World::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let question = format!("/cloister/compute/v1/query/{USER}");
    for path in ["/cosmos/tx/v1beta1/txs", "/cosmos/tx/v1beta1/simulate", "/cosmos/tx/v1beta1/decode", &question] {
        for body in [
            "",
            "{",
            "hello",
            "\u{0}",
            "[]",
            "42",
            "null",
            "{}",
            &*deep,
            r#"{"txBytes":7,"mode":2}"#,
            r#"{"txBytes":"","mode":2}"#,
            r#"{"txBytes":"%%%%","mode":2}"#,
            r#"{"txBytes":"AAA\u0000","mode":2}"#,
            r#"{"txBytes":"AAAA","tx_bytes":"AAAA","mode":2}"#,
            r#"{"txBytes":"AAAA","mode":"BROADCAST_MODE_LATER"}"#,
            r#"{"txBytes":"AAAA","mode":-1}"#,
        ] {
            let (status, code, text) = world.ask("POST", path, "", body.as_bytes()).await.error();
            assert_eq!((status, code), (400, 3), "{path} {body:.60}: {text}");
            assert!(text.len() < 400, "{}", text.len());
        }
        let got = world.ask("POST", path, "", b"\xff\xfe").await;
        assert_eq!(got.error().0, 400);
    }
}

#[tokio::test]
async fn keys_inside_keys_are_looked_at_once() {
    use base64::Engine as _;
    use prost::Message as _;
    use secret_sdk_proto::Any;
    use secret_sdk_proto::cosmos::crypto::multisig::LegacyAminoPubKey;
    use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, TxRaw};
    let world = World::start().await;
    let multi = |members| Any {
        type_url: "/cosmos.crypto.multisig.LegacyAminoPubKey".into(),
        value: LegacyAminoPubKey { threshold: 1, public_keys: members }.encode_to_vec(),
    };
    let key = (0..10_000).fold(multi(Vec::new()), |inner, _| multi(vec![inner]));
    let mut raw = TxRaw::decode(raw(&transfer(1))).unwrap();
    let mut auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    auth.signer_infos[0].public_key = Some(key);
    auth.fee.as_mut().unwrap().gas_limit = 9_000_000;
    raw.auth_info_bytes = auth.encode_to_vec();
    let body = json!({ "tx_bytes": STANDARD.encode(raw.encode_to_vec()), "mode": "BROADCAST_MODE_SYNC" });
    let got = world.post("/cosmos/tx/v1beta1/decode", &body).await;
    assert_eq!(got.body["tx"]["auth_info"]["signer_infos"][0]["public_key"], Value::Null);
    let got = world.post("/cosmos/tx/v1beta1/txs", &body).await;
    assert_eq!(got.body["tx_response"]["code"], 8, "{}", got.body);
}

#[tokio::test]
async fn another_method_is_not_allowed_and_any_origin_is() {
    let world = World::start().await;
    for (method, path) in [("POST", "/cosmos/auth/v1beta1/params"), ("DELETE", "/cosmos/tx/v1beta1/txs")] {
        let got = world.ask(method, path, "", b"").await;
        assert_eq!(got.error(), (405, 12, "Method Not Allowed".into()));
    }
    let origin = "Origin: https://app.example\r\n";
    for path in ["/cosmos/auth/v1beta1/params", "/cosmos/tx/v1beta1/txs/00", "/nowhere"] {
        let got = world.ask("GET", path, origin, b"").await;
        assert!(got.head.contains("access-control-allow-origin: *"), "{path}: {}", got.head);
    }
    let preflight =
        format!("{origin}Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n");
    let got = world.ask("OPTIONS", "/cosmos/tx/v1beta1/txs", &preflight, b"").await;
    assert_eq!(got.status, 200);
    assert!(got.head.contains("access-control-allow-methods: *"), "{}", got.head);
}

#[tokio::test]
async fn what_is_not_http_is_hung_up_on() {
    let world = World::start().await;
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let mut stream = TcpStream::connect(world.door.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    }
    let long = format!("X-Long: {}\r\n", "a".repeat(1 << 20));
    let got = world.ask("GET", "/cosmos/auth/v1beta1/params", &long, b"").await;
    assert!(matches!(got.status, 0 | 431), "{}", got.status);
    assert_eq!(world.get("/cosmos/auth/v1beta1/params").await["params"]["tx_sig_limit"], "7");
}

#[tokio::test]
async fn a_closed_door_takes_no_more() {
    let world = World::start().await;
    let mut idle = TcpStream::connect(world.door.address()).await.unwrap();
    let address = world.door.address();
    world.door.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0, "who said nothing is hung up on");
}
