//! Messages of a transaction as a Cosmos client reads them.
//!
//! In protobuf the three older `compute` messages carry addresses as twenty raw bytes; in JSON all addresses are Bech32.

mod authz;
pub(super) mod gov;
mod stake;
mod trust;

use cloister_chain::cosmos::sealed::{MsgExecute, MsgInstantiate, MsgMigrate};
use cloister_chain::cosmos::{Allowance, Message, bech32, from_bytes};
use secret_sdk_proto::cosmos::bank::v1beta1::{MsgMultiSend, MsgSend};
use secret_sdk_proto::cosmos::feegrant::v1beta1::{MsgGrantAllowance, MsgRevokeAllowance};
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgClearAdmin, MsgExecuteContract, MsgInstantiateContract, MsgMigrateContract, MsgStoreCode, MsgUpdateAdmin,
};
use serde_json::{Value, json};

use super::view::{self, base64, bytes, coins};

/// A message with its `@type`.
pub(super) fn view(message: &Message) -> Value {
    let mut view = match message {
        Message::Send(message) => send(message),
        Message::MultiSend(message) => multi_send(message),
        Message::StoreCode(message) => store_code(message),
        Message::Instantiate(message) => instantiate(message),
        Message::Execute(message) => execute(message),
        Message::Migrate(message) => migrate(message),
        Message::UpdateAdmin(message) => update_admin(message),
        Message::ClearAdmin(message) => clear_admin(message),
        Message::SealedInstantiate(message) => sealed_instantiate(message),
        Message::SealedExecute(message) => sealed_execute(message),
        Message::SealedMigrate(message) => sealed_migrate(message),
        Message::GrantAllowance(message) => grant_allowance(message),
        Message::RevokeAllowance(message) => revoke_allowance(message),
        Message::Stake(message) => stake::view(message),
        Message::Authz(message) => authz::view(message),
        Message::Gov(message) => gov::view(message),
        Message::Trust(message) => trust::view(message),
    };
    view["@type"] = message.type_url().into();
    view
}

fn send(message: &MsgSend) -> Value {
    json!({
        "from_address": message.from_address,
        "to_address": message.to_address,
        "amount": coins(&message.amount),
    })
}

fn multi_send(message: &MsgMultiSend) -> Value {
    let inputs = message.inputs.iter().map(|input| json!({ "address": input.address, "coins": coins(&input.coins) }));
    let outputs = message.outputs.iter().map(|to| json!({ "address": to.address, "coins": coins(&to.coins) }));
    json!({ "inputs": inputs.collect::<Vec<_>>(), "outputs": outputs.collect::<Vec<_>>() })
}

fn store_code(message: &MsgStoreCode) -> Value {
    json!({
        "sender": address(&message.sender),
        "wasm_byte_code": bytes(&message.wasm_byte_code),
        "source": message.source,
        "builder": message.builder,
    })
}

fn instantiate(message: &MsgInstantiateContract) -> Value {
    json!({
        "sender": address(&message.sender),
        "callback_code_hash": message.callback_code_hash,
        "code_id": message.code_id.to_string(),
        "label": message.label,
        "init_msg": bytes(&message.init_msg),
        "init_funds": coins(&message.init_funds),
        "callback_sig": bytes(&message.callback_sig),
        "admin": message.admin,
    })
}

fn execute(message: &MsgExecuteContract) -> Value {
    json!({
        "sender": address(&message.sender),
        "contract": address(&message.contract),
        "msg": bytes(&message.msg),
        "callback_code_hash": message.callback_code_hash,
        "sent_funds": coins(&message.sent_funds),
        "callback_sig": bytes(&message.callback_sig),
    })
}

fn migrate(message: &MsgMigrateContract) -> Value {
    json!({
        "sender": message.sender,
        "contract": message.contract,
        "code_id": message.code_id.to_string(),
        "msg": bytes(&message.msg),
        "callback_sig": bytes(&message.callback_sig),
        "callback_code_hash": message.callback_code_hash,
    })
}

fn update_admin(message: &MsgUpdateAdmin) -> Value {
    json!({
        "sender": message.sender,
        "new_admin": message.new_admin,
        "contract": message.contract,
        "callback_sig": bytes(&message.callback_sig),
    })
}

fn clear_admin(message: &MsgClearAdmin) -> Value {
    json!({
        "sender": message.sender,
        "contract": message.contract,
        "callback_sig": bytes(&message.callback_sig),
    })
}

fn sealed_instantiate(message: &MsgInstantiate) -> Value {
    json!({
        "sender": address(&message.sender),
        "code_id": message.code_id.to_string(),
        "code_hash": base64(&message.code_hash),
        "label": message.label,
        "input": base64(&message.input),
        "funds": coins(&message.funds),
        "admin": message.admin,
    })
}

fn sealed_execute(message: &MsgExecute) -> Value {
    json!({
        "sender": address(&message.sender),
        "contract": address(&message.contract),
        "code_hash": base64(&message.code_hash),
        "input": base64(&message.input),
        "funds": coins(&message.funds),
    })
}

fn sealed_migrate(message: &MsgMigrate) -> Value {
    json!({
        "sender": address(&message.sender),
        "contract": address(&message.contract),
        "code_id": message.code_id.to_string(),
        "code_hash": base64(&message.code_hash),
        "input": base64(&message.input),
    })
}

fn grant_allowance(message: &MsgGrantAllowance) -> Value {
    let allowance = message.allowance.as_ref().and_then(|any| Allowance::decode(any).ok());
    json!({
        "granter": message.granter,
        "grantee": message.grantee,
        "allowance": allowance.as_ref().map(view::allowance),
    })
}

fn revoke_allowance(message: &MsgRevokeAllowance) -> Value {
    json!({ "granter": message.granter, "grantee": message.grantee })
}

/// Decoding a transaction has found these bytes to be an address.
fn address(bytes: &[u8]) -> String {
    from_bytes(bytes).map(|address| bech32(&address)).unwrap_or_default()
}
