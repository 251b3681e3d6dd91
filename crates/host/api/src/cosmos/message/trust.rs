//! Messages about enclaves, as a Cosmos client reads them.

use cloister_chain::cosmos::TrustMessage;
use cloister_chain::cosmos::trust::MsgRebuilt;
use serde_json::{Value, json};

use super::super::view::base64;
use super::address;

pub(super) fn view(message: &TrustMessage) -> Value {
    match message {
        TrustMessage::Register(message) => {
            json!({ "sender": address(&message.sender), "ra_cert": base64(&message.certificate) })
        }
        TrustMessage::SetPolicy(message) => json!({ "authority": message.authority, "policy": message.policy }),
        TrustMessage::Release(message) => json!({
            "authority": message.authority,
            "measurement": base64(&message.measurement),
            "source": base64(&message.source),
            "activation": message.activation.to_string(),
            "lock": base64(&message.lock),
            "toolchain": message.toolchain,
            "flags": message.flags,
            "rebuilt": message.rebuilt.iter().map(rebuilt).collect::<Vec<_>>(),
        }),
        TrustMessage::Retire(message) => {
            json!({ "authority": message.authority, "measurement": base64(&message.measurement) })
        }
        TrustMessage::Revoke(message) => {
            json!({ "authority": message.authority, "hardware": base64(&message.hardware) })
        }
        TrustMessage::SetRebuilders(message) => json!({
            "authority": message.authority,
            "keys": message.keys.iter().map(base64).collect::<Vec<_>>(),
            "threshold": message.threshold,
        }),
        TrustMessage::SetCaps(message) => json!({ "authority": message.authority, "caps": message.caps }),
    }
}

fn rebuilt(rebuilt: &MsgRebuilt) -> Value {
    json!({ "rebuilder": base64(&rebuilt.rebuilder), "signature": base64(&rebuilt.signature) })
}
