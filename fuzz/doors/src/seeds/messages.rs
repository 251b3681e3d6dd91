//! Every kind of message of the Cosmos door.

use cloister_chain::Address;
use cloister_chain::cosmos::{bech32, sealed};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend, Output};
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::TxBody;
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgClearAdmin, MsgExecuteContract, MsgInstantiateContract, MsgMigrateContract, MsgStoreCode, MsgUpdateAdmin,
};

use crate::amino::MODES;

pub(super) fn all(seeds: &mut Vec<(&'static str, Vec<u8>)>) {
    // What Go escapes, what JSON escapes, and what is not ASCII.
    let memo = "<a & b> \"\\ \u{8}\u{c}\u{1f}\u{7f}\u{2028} é";
    for mode in 0..u8::try_from(MODES.len()).expect("a short list") {
        let bodies = every_kind().into_iter().map(|message| vec![message]).chain([every_kind()]);
        for messages in bodies {
            let body = TxBody { messages, memo: memo.into(), timeout_height: 9, ..TxBody::default() };
            seeds.push(("amino", [&[mode, 7, 3, 200], body.encode_to_vec().as_slice()].concat()));
        }
    }
}

/// One message of each kind.
pub(crate) fn every_kind() -> Vec<Any> {
    let (text, bytes) = (bech32(&Address::repeat_byte(1)), vec![1; 20]);
    let coins = || vec![Coin { denom: "uscrt".into(), amount: "5".into() }];
    let (bank, compute, own) = ("cosmos.bank.v1beta1", "secret.compute.v1beta1", "cloister.compute.v1");
    vec![
        any(bank, "MsgSend", &MsgSend { from_address: text.clone(), to_address: text.clone(), amount: coins() }),
        any(
            bank,
            "MsgMultiSend",
            &MsgMultiSend {
                inputs: vec![Input { address: text.clone(), coins: coins() }],
                outputs: vec![Output { address: text.clone(), coins: coins() }],
            },
        ),
        any(
            compute,
            "MsgStoreCode",
            &MsgStoreCode {
                sender: bytes.clone(),
                wasm_byte_code: b"\0asm".to_vec(),
                source: "<s>".into(),
                builder: "b".into(),
            },
        ),
        any(
            compute,
            "MsgInstantiateContract",
            &MsgInstantiateContract {
                sender: bytes.clone(),
                code_id: 1,
                label: "label & more".into(),
                init_msg: b"{}".to_vec(),
                init_funds: coins(),
                admin: text.clone(),
                ..Default::default()
            },
        ),
        any(
            compute,
            "MsgExecuteContract",
            &MsgExecuteContract {
                sender: bytes.clone(),
                contract: bytes.clone(),
                msg: b"{}".to_vec(),
                callback_code_hash: "ab".into(),
                ..Default::default()
            },
        ),
        any(
            compute,
            "MsgMigrateContract",
            &MsgMigrateContract {
                sender: text.clone(),
                contract: text.clone(),
                code_id: 2,
                msg: b"{}".to_vec(),
                ..Default::default()
            },
        ),
        any(
            compute,
            "MsgUpdateAdmin",
            &MsgUpdateAdmin {
                sender: text.clone(),
                contract: text.clone(),
                new_admin: text.clone(),
                ..Default::default()
            },
        ),
        any(
            compute,
            "MsgClearAdmin",
            &MsgClearAdmin { sender: text.clone(), contract: text.clone(), ..Default::default() },
        ),
        any(
            own,
            "MsgInstantiate",
            &sealed::MsgInstantiate {
                sender: bytes.clone(),
                code_id: 1,
                code_hash: vec![2; 32],
                label: "l".into(),
                input: vec![3; 9],
                funds: coins(),
                admin: text,
            },
        ),
        any(
            own,
            "MsgExecute",
            &sealed::MsgExecute {
                sender: bytes.clone(),
                contract: bytes.clone(),
                code_hash: vec![2; 32],
                input: vec![3; 9],
                funds: Vec::new(),
            },
        ),
        any(
            own,
            "MsgMigrate",
            &sealed::MsgMigrate {
                sender: bytes.clone(),
                contract: bytes,
                code_id: 2,
                code_hash: vec![2; 32],
                input: vec![3; 9],
            },
        ),
    ]
}

/// A message as a transaction carries it.
pub(crate) fn any(package: &str, name: &str, value: &impl prost::Message) -> Any {
    Any { type_url: format!("/{package}.{name}"), value: value.encode_to_vec() }
}
