//! Signers of Cosmos transactions, and what they sign, written a second time and without the chain's own encoder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{Message, PublicKey, bech32};
use cloister_chain::{Address, CosmosTx};
use prost::Message as _;
use secp256k1::{SECP256K1, SecretKey};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::crypto::multisig::v1beta1::{CompactBitArray, MultiSignature};
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Multi, Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How a signer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The protobuf document.
    Direct,
    /// The JSON document.
    Amino,
    /// The JSON document as an Ethereum wallet shows it.
    Ethereum,
    /// Two of three keys sign the JSON document.
    Together,
}

/// Number and sequence of the account that signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) sequence: u64,
}

/// What user number `user` signs with in this mode.
pub(crate) fn key(user: u8, mode: Mode) -> PublicKey {
    let single = |user: u8| secret(user).public_key(SECP256K1).serialize();
    match mode {
        Mode::Together => PublicKey::Multi { threshold: 2, members: (user..user + 3).map(single).collect() },
        _ => PublicKey::Single(single(user)),
    }
}

/// The account of user number `user` that signs alone.
pub(crate) fn account(user: u8) -> Address {
    key(user, Mode::Direct).address()
}

/// A transaction of `body` that user number `user` signs; without a signature if it does not decode.
pub(crate) fn sign(user: u8, mode: Mode, chain: &str, place: Place, fee: Fee, body: &TxBody) -> Vec<u8> {
    let single = |mode| Sum::Single(Single { mode });
    let sum = match mode {
        Mode::Direct => single(1),
        Mode::Amino => single(127),
        Mode::Ethereum => single(191),
        Mode::Together => Sum::Multi(Multi {
            // The first and the last of three.
            bitarray: Some(CompactBitArray { extra_bits_stored: 3, elems: vec![0b1010_0000] }),
            mode_infos: [127, 191].map(|mode| ModeInfo { sum: Some(single(mode)) }).to_vec(),
        }),
    };
    let info = SignerInfo {
        public_key: Some(key(user, mode).to_any()),
        mode_info: Some(ModeInfo { sum: Some(sum) }),
        sequence: place.sequence,
    };
    let auth = AuthInfo { signer_infos: vec![info], fee: Some(fee), ..AuthInfo::default() };
    let mut raw =
        TxRaw { body_bytes: body.encode_to_vec(), auth_info_bytes: auth.encode_to_vec(), signatures: vec![Vec::new()] };
    let Ok(tx) = CosmosTx::decode(&raw.encode_to_vec()) else { return raw.encode_to_vec() };
    let amino = || {
        let mut document = document(&tx, chain, place);
        document.sort_all_objects();
        document
    };
    let compact = || Sha256::digest(escaped(&amino().to_string())).into();
    let shown = || alloy_primitives::eip191_hash_message(escaped(&pretty(&amino()))).0;
    raw.signatures[0] = match mode {
        Mode::Direct => {
            let (body_bytes, auth_info_bytes) = (raw.body_bytes.clone(), raw.auth_info_bytes.clone());
            let document =
                SignDoc { body_bytes, auth_info_bytes, chain_id: chain.into(), account_number: place.number };
            signature(user, Sha256::digest(document.encode_to_vec()).into())
        }
        Mode::Amino => signature(user, compact()),
        Mode::Ethereum => signature(user, shown()),
        Mode::Together => {
            let signatures = vec![signature(user, compact()), signature(user + 2, shown())];
            MultiSignature { signatures }.encode_to_vec()
        }
    };
    raw.encode_to_vec()
}

/// The message with `owner` as its only signer, if it decodes.
pub(crate) fn owned(any: &Any, owner: Address) -> Option<Any> {
    let (text, bytes) = (bech32(&owner), owner.to_vec());
    let value = match Message::decode(any).ok()? {
        Message::Send(mut m) => {
            m.from_address = text;
            m.encode_to_vec()
        }
        Message::MultiSend(mut m) => {
            m.inputs.first_mut()?.address = text;
            m.encode_to_vec()
        }
        Message::StoreCode(mut m) => {
            m.sender = bytes;
            m.encode_to_vec()
        }
        Message::Instantiate(mut m) => {
            m.sender = bytes;
            m.encode_to_vec()
        }
        Message::Execute(mut m) => {
            m.sender = bytes;
            m.encode_to_vec()
        }
        Message::Migrate(mut m) => {
            m.sender = text;
            m.encode_to_vec()
        }
        Message::UpdateAdmin(mut m) => {
            m.sender = text;
            m.encode_to_vec()
        }
        Message::ClearAdmin(mut m) => {
            m.sender = text;
            m.encode_to_vec()
        }
        Message::SealedInstantiate(mut m) => {
            m.sender = bytes;
            m.encode_to_vec()
        }
        Message::SealedExecute(mut m) => {
            m.sender = bytes;
            m.encode_to_vec()
        }
        Message::SealedMigrate(mut m) => {
            m.sender = bytes;
            m.encode_to_vec()
        }
        // Some of these can be signed in one mode only, and a grant must not be to oneself.
        Message::GrantAllowance(_) | Message::RevokeAllowance(_) => return None,
        Message::Stake(_) | Message::Authz(_) | Message::Gov(_) | Message::Trust(_) => return None,
    };
    Some(Any { type_url: any.type_url.clone(), value })
}

/// The amino JSON document, as wallets build it.
fn document(tx: &CosmosTx, chain: &str, place: Place) -> Value {
    let (body, auth, _) = tx.parts();
    let fee = auth.fee.clone().unwrap_or_default();
    let mut shown = json!({ "amount": coins(&fee.amount), "gas": fee.gas_limit.to_string() });
    put(&mut shown, "granter", &fee.granter);
    put(&mut shown, "payer", &fee.payer);
    let mut document = json!({
        "account_number": place.number.to_string(),
        "chain_id": chain,
        "fee": shown,
        "memo": body.memo,
        "msgs": tx.messages().iter().map(message).collect::<Vec<_>>(),
        "sequence": place.sequence.to_string(),
    });
    if body.timeout_height > 0 {
        document["timeout_height"] = body.timeout_height.to_string().into();
    }
    document
}

fn message(message: &Message) -> Value {
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let (name, value) = match message {
        Message::Send(m) => {
            let amount = coins(&m.amount);
            (
                "cosmos-sdk/MsgSend",
                json!({ "from_address": m.from_address, "to_address": m.to_address, "amount": amount }),
            )
        }
        Message::MultiSend(m) => {
            let inputs = m.inputs.iter().map(|side| json!({ "address": side.address, "coins": coins(&side.coins) }));
            let outputs = m.outputs.iter().map(|side| json!({ "address": side.address, "coins": coins(&side.coins) }));
            let [inputs, outputs] = [inputs.collect::<Vec<_>>(), outputs.collect::<Vec<_>>()];
            ("cosmos-sdk/MsgMultiSend", json!({ "inputs": inputs, "outputs": outputs }))
        }
        Message::StoreCode(m) => {
            let mut value = json!({ "sender": base64(&m.sender), "wasm_byte_code": base64(&m.wasm_byte_code) });
            put(&mut value, "source", &m.source);
            put(&mut value, "builder", &m.builder);
            ("wasm/MsgStoreCode", value)
        }
        Message::Instantiate(m) => {
            let mut value = json!({
                "sender": base64(&m.sender), "code_id": m.code_id.to_string(), "label": m.label,
                "init_funds": coins(&m.init_funds), "init_msg": base64(&m.init_msg),
            });
            put(&mut value, "admin", &m.admin);
            put(&mut value, "callback_code_hash", &m.callback_code_hash);
            ("wasm/MsgInstantiateContract", value)
        }
        Message::Execute(m) => {
            let mut value = json!({
                "sender": base64(&m.sender), "contract": base64(&m.contract), "msg": base64(&m.msg),
                "sent_funds": coins(&m.sent_funds),
            });
            put(&mut value, "callback_code_hash", &m.callback_code_hash);
            ("wasm/MsgExecuteContract", value)
        }
        Message::Migrate(m) => (
            "wasm/MsgMigrateContract",
            json!({ "sender": m.sender, "contract": m.contract, "code_id": m.code_id.to_string(), "msg": base64(&m.msg) }),
        ),
        Message::UpdateAdmin(m) => {
            ("wasm/MsgUpdateAdmin", json!({ "sender": m.sender, "contract": m.contract, "new_admin": m.new_admin }))
        }
        Message::ClearAdmin(m) => ("wasm/MsgClearAdmin", json!({ "sender": m.sender, "contract": m.contract })),
        Message::SealedInstantiate(m) => {
            let mut value = json!({
                "sender": base64(&m.sender), "code_id": m.code_id.to_string(), "code_hash": base64(&m.code_hash),
                "label": m.label, "funds": coins(&m.funds), "input": base64(&m.input),
            });
            put(&mut value, "admin", &m.admin);
            ("cloister/MsgInstantiate", value)
        }
        Message::SealedExecute(m) => (
            "cloister/MsgExecute",
            json!({
                "sender": base64(&m.sender), "contract": base64(&m.contract), "code_hash": base64(&m.code_hash),
                "funds": coins(&m.funds), "input": base64(&m.input),
            }),
        ),
        Message::SealedMigrate(m) => (
            "cloister/MsgMigrate",
            json!({
                "sender": base64(&m.sender), "contract": base64(&m.contract), "code_id": m.code_id.to_string(),
                "code_hash": base64(&m.code_hash), "input": base64(&m.input),
            }),
        ),
        // `owned` lets none of these through.
        Message::GrantAllowance(m) => {
            ("cosmos-sdk/MsgGrantAllowance", json!({ "granter": m.granter, "grantee": m.grantee }))
        }
        Message::RevokeAllowance(m) => {
            ("cosmos-sdk/MsgRevokeAllowance", json!({ "granter": m.granter, "grantee": m.grantee }))
        }
        Message::Stake(_) | Message::Authz(_) | Message::Gov(_) | Message::Trust(_) => ("", Value::Null),
    };
    json!({ "type": name, "value": value })
}

fn coins(coins: &[Coin]) -> Vec<Value> {
    coins.iter().map(|coin| json!({ "denom": coin.denom, "amount": coin.amount })).collect()
}

fn put(object: &mut Value, key: &str, text: &str) {
    if !text.is_empty() {
        object[key] = text.into();
    }
}

/// What Go escapes beyond JSON's own rules.
fn escaped(json: &str) -> String {
    let mut text = json.to_owned();
    for (character, escape) in
        [("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"), ("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029")]
    {
        text = text.replace(character, escape);
    }
    text
}

fn pretty(value: &Value) -> String {
    use serde::Serialize as _;
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter)).expect("memory");
    String::from_utf8(text).expect("JSON is text")
}

fn signature(user: u8, digest: [u8; 32]) -> Vec<u8> {
    SECP256K1.sign_ecdsa(secp256k1::Message::from_digest(digest), &secret(user)).serialize_compact().to_vec()
}

fn secret(user: u8) -> SecretKey {
    SecretKey::from_byte_array([user; 32]).expect("a small number is a key")
}
