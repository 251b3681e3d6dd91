//! Messages of those who act for others, as a Cosmos client reads them.

use cloister_chain::cosmos::{AuthzMessage, Grant};
use serde_json::{Value, json};

use super::super::view;

pub(super) fn view(message: &AuthzMessage) -> Value {
    match message {
        AuthzMessage::Grant(message) => json!({
            "granter": message.granter,
            "grantee": message.grantee,
            // Decoding the transaction has read it.
            "grant": Grant::decode(message).ok().as_ref().map(view::grant),
        }),
        AuthzMessage::Revoke(message) => json!({
            "granter": message.granter,
            "grantee": message.grantee,
            "msg_type_url": message.msg_type_url,
        }),
        AuthzMessage::Exec(exec) => json!({
            "grantee": exec.grantee,
            "msgs": exec.messages.iter().map(super::view).collect::<Vec<_>>(),
        }),
    }
}
