//! Events in the shape and order that Cosmos clients read.

use cloister_chain::Address;
use cloister_chain::cosmos::{Message, bech32};
use cloister_chain::receipt::Event;

/// An event of these attributes.
pub(crate) fn event<const N: usize>(kind: &str, attributes: [(&str, String); N]) -> Event {
    Event { kind: kind.into(), attributes: attributes.into_iter().map(|(key, value)| (key.into(), value)).collect() }
}

/// The event that opens a message's events. It names the module unless the handler does.
pub(crate) fn action(message: &Message, emitted: &[Event]) -> Event {
    let sender = message.signers().first().map(bech32).unwrap_or_default();
    let mut action = event("message", [("action", message.type_url().into()), ("sender", sender)]);
    let named = |event: &Event| event.kind == "message" && event.attributes.iter().any(|(key, _)| key == "module");
    if !emitted.iter().any(named) {
        // "/cosmos.bank.v1beta1.MsgSend": the second part of the package.
        let module = message.type_url().split('.').nth(1).unwrap_or_default();
        action.attributes.push(("module".into(), module.into()));
    }
    action
}

pub(crate) fn spent(spender: &Address, amount: &str) -> Event {
    event("coin_spent", [("spender", bech32(spender)), ("amount", amount.into())])
}

pub(crate) fn received(receiver: &Address, amount: &str) -> Event {
    event("coin_received", [("receiver", bech32(receiver)), ("amount", amount.into())])
}

pub(crate) fn transfer(from: &Address, to: &Address, amount: &str) -> [Event; 2] {
    [
        event("transfer", [("recipient", bech32(to)), ("sender", bech32(from)), ("amount", amount.into())]),
        event("message", [("sender", bech32(from))]),
    ]
}
