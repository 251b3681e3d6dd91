//! One call with everything that it leads to: events, sub-messages depth first, replies.

use cloister_chain::cosmos::{CosmosError, bech32, coins, from_bech32};
use cloister_chain::receipt::Event;
use cloister_chain::{Address, Leaf, limits};
use cloister_state::Supply;
use cloister_wasm::{
    Coin, Entry, Message, ReplyOn, ReplyResult, Response, Returned, SubMessage, Trap, Version, reply_message,
};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgExecuteContractResponse, MsgInstantiateContractResponse, MsgMigrateContractResponse,
};

use super::channel::{Channel, Emitted};
use super::contract::{self, Callee, GAS_MULTIPLIER, RUN_GAS, Request};
use super::{Fault, Verb, Work};
use crate::cosmos::{Fail, bank, events};

/// What a call gave.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) emitted: Emitted,
    pub(crate) data: Option<Vec<u8>>,
}

impl<S: Supply> Work<'_, '_, S> {
    /// Runs `callee` and everything that it leads to.
    pub(crate) fn call(
        &mut self,
        channel: &Channel,
        callee: &Callee,
        verb: Verb,
        (sender, funds, message): (&str, &[Coin], &[u8]),
    ) -> Result<Done, Fault> {
        let (version, response) = self.run(callee, verb, sender, funds, message)?;
        let mut done = Done::default();
        if let Some(marker) = marker(verb, version, callee) {
            done.emitted.events.push(marker);
        }
        self.respond(channel, callee, response, &mut done)?;
        Ok(done)
    }

    /// Runs the contract itself, and keeps what it wrote.
    fn run(
        &mut self,
        callee: &Callee,
        verb: Verb,
        sender: &str,
        funds: &[Coin],
        message: &[u8],
    ) -> Result<(Version, Response), Fault> {
        self.meter.charge(contract::surcharge(&callee.code), "Loading CosmWasm module: ")?;
        let gas = self.meter.left().saturating_mul(GAS_MULTIPLIER).min(RUN_GAS);
        let entry = match verb {
            Verb::Instantiate => Entry::Instantiate,
            Verb::Execute => Entry::Execute,
            Verb::Migrate => Entry::Migrate,
            Verb::Reply => Entry::Reply,
        };
        let request = Request { entry, sender, funds, message, gas };
        let place = self.place;
        self.place.call = self.place.call.saturating_add(1);
        let ran =
            contract::run(self.scene, self.meter.state(), callee, &request, Some(&place), 0).map_err(Fail::Halt)?;
        self.meter.charge(ran.run.gas_used / GAS_MULTIPLIER + 1, "wasm contract")?;
        match ran.run.result {
            Ok(Returned::Response(response)) => {
                self.meter.charge(weight(&response), "contract output")?;
                let state = self.meter.state();
                contract::flush(self.scene, state, callee.address, ran.writes, &place, &mut self.writes);
                Ok((ran.version, response))
            }
            Ok(Returned::Error(error)) => {
                self.meter.charge(length(&error.text).saturating_mul(OUTPUT_BYTE), "contract output")?;
                Err(Fault::Contract { verb, text: error.text, within: 0 })
            }
            // What a contract gives for an answer to a question is no response.
            Ok(Returned::Answer(_)) => Err(verb.enclave(&Trap::Panicked.to_string()).into()),
            Err(trap) => Err(verb.enclave(&trap.to_string()).into()),
        }
    }

    /// Does what a contract asked for in its response.
    fn respond(
        &mut self,
        channel: &Channel,
        callee: &Callee,
        response: Response,
        done: &mut Done,
    ) -> Result<(), Fault> {
        contract_events(channel, callee, &response, &mut done.emitted)?;
        if response.data.is_some() {
            done.data = response.data;
        }
        for sub in response.messages {
            self.go_on()?;
            if matches!(sub.message, Message::FinalizeTx) {
                self.finalized = true;
                break;
            }
            self.sub_message(channel, callee, sub, done)?;
        }
        Ok(())
    }

    /// One sub-message and the reply to it, one level deeper.
    fn sub_message(
        &mut self,
        channel: &Channel,
        caller: &Callee,
        sub: SubMessage,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let depth = self.depth;
        self.depth += 1;
        let result = if self.depth > limits::CALL_DEPTH {
            Err(Fail::of("compute", 30, "max call depth exceeded").into())
        } else {
            self.attempt(channel, caller, sub, done)
        };
        self.depth = depth;
        result.map_err(Fault::within)
    }

    /// One sub-message, all of it or nothing, then the reply.
    fn attempt(&mut self, channel: &Channel, caller: &Callee, sub: SubMessage, done: &mut Done) -> Result<(), Fault> {
        let native = !sub.message.is_wasm();
        self.meter.state().open();
        let (outer, finalized) = (self.meter.lower(sub.gas_limit), self.finalized);
        let result = self.dispatch(channel, caller, sub.message);
        let spent = self.meter.restore(outer);
        self.meter.state().close(result.is_ok());
        if result.is_err() {
            self.finalized = finalized;
        }
        let result = match result {
            // The numbers of a limit that the contract itself set would mislead whoever reads them.
            Err(Fault::Fail(Fail::Rule { .. })) if spent => {
                Err(Fail::sdk(11, "SubMsg hit gas limit: out of gas").into())
            }
            other => other,
        };
        let reply = match result {
            Ok(inner) => {
                // A native message has no events of a contract's for the caller to read.
                let seen = if native { Vec::new() } else { for_caller(&inner.emitted.events) };
                done.emitted.append(inner.emitted);
                if !matches!(sub.reply_on, ReplyOn::Success | ReplyOn::Always) {
                    return Ok(());
                }
                ReplyResult::Ok { events: seen, data: inner.data }
            }
            Err(fault) if matches!(sub.reply_on, ReplyOn::Error | ReplyOn::Always) => {
                ReplyResult::Error(self.told(channel, fault, native)?)
            }
            Err(fault) => return Err(fault),
        };
        let message = reply_message(sub.id, &reply);
        let replied = self.call(channel, caller, Verb::Reply, (&caller.name, &[], &message))?;
        done.emitted.append(replied.emitted);
        if replied.data.is_some() {
            done.data = replied.data;
        }
        Ok(())
    }

    /// What a contract is told of a fault that it asked to be told of; the fault itself if it is none of those.
    fn told(&self, channel: &Channel, fault: Fault, native: bool) -> Result<String, Fault> {
        match fault {
            Fault::Contract { text, .. } => Ok(text),
            // What ends the whole transaction is not told to a contract in it.
            Fault::Fail(fail) if matches!(fail, Fail::Halt(_)) || self.meter.left() == 0 => Err(fail.into()),
            Fault::Fail(Fail::Rule { codespace, code, log }) if native || channel.is_plain() => {
                // The whole text may hang on amounts and addresses that a developer needs, and a network may not show.
                let simulated = self.scene.genesis.simulated;
                Ok(if simulated { log } else { format!("codespace: {codespace}, code: {code}") })
            }
            Fault::Fail(fail) => Err(fail.within("an sdk error occurred while sending a sub-message").into()),
        }
    }

    /// Runs what a contract sends.
    fn dispatch(&mut self, channel: &Channel, caller: &Callee, message: Message) -> Result<Done, Fault> {
        let from = caller.address;
        let mut done = Done::default();
        let emitted = &mut done.emitted.events;
        match message {
            Message::Send { from: named, to, amount } => {
                if named.is_some_and(|named| named != caller.name) {
                    return Err(Fail::sdk(4, "a contract sends its own coins only: unauthorized").into());
                }
                let to = from_bech32(&to).map_err(unreadable)?;
                bank::open_to_all(&to)?;
                bank::send(&mut self.meter, from, to, total(&amount)?, emitted)?;
                done.data = Some(Vec::new());
            }
            Message::Burn { amount } => {
                bank::burn(&mut self.meter, from, total(&amount)?, emitted)?;
                done.data = Some(Vec::new());
            }
            Message::Execute { contract, code_hash, message, funds } => {
                let callee = self.callee(&contract)?;
                if !callee.runs(&code_hash) {
                    return Err(Verb::Execute.enclave(INVALID).into());
                }
                done = self.execute(channel, from, &callee, &funds, &message)?;
                if channel.is_plain() {
                    let response = MsgExecuteContractResponse { data: done.data.unwrap_or_default() };
                    done.data = Some(response.encode_to_vec());
                }
            }
            Message::Instantiate { admin, code_id, code_hash, message, funds, label } => {
                let made = super::message::New { creator: from, code_id, label, admin, funds };
                let (address, instantiated) = self.instantiate(channel, made, Some(&code_hash), &message, None)?;
                done = instantiated;
                if channel.is_plain() {
                    let data = done.data.unwrap_or_default();
                    done.data = Some(MsgInstantiateContractResponse { address, data }.encode_to_vec());
                }
            }
            Message::Migrate { contract, code_hash, code_id, message } => {
                let callee = self.callee(&contract)?;
                done = self.migrate(channel, from, callee, (code_id, &code_hash), &message, None)?;
                if channel.is_plain() {
                    let response = MsgMigrateContractResponse { data: done.data.unwrap_or_default() };
                    done.data = Some(response.encode_to_vec());
                }
            }
            Message::UpdateAdmin { contract, admin } => {
                let admin = from_bech32(&admin).map_err(unreadable)?;
                self.set_admin(from, &contract, Some(admin), emitted)?;
            }
            Message::ClearAdmin { contract } => self.set_admin(from, &contract, None, emitted)?,
            Message::Stargate { type_url, value } => {
                let any = Any { type_url, value };
                let message = cloister_chain::cosmos::Message::decode(&any).map_err(unreadable)?;
                if message.signers() != [from] {
                    return Err(Fail::sdk(4, "contract doesn't have permission: unauthorized").into());
                }
                let (response, mut events) = match &message {
                    cloister_chain::cosmos::Message::Stake(m) => {
                        crate::staking::handle(&mut self.meter, self.scene.genesis, self.scene.header, m)?
                    }
                    cloister_chain::cosmos::Message::Gov(m) => {
                        crate::gov::handle(&mut self.meter, self.scene.header, m)?
                    }
                    _ => crate::cosmos::bank_message(&mut self.meter, &message)?,
                };
                emitted.append(&mut events);
                done.data = Some(response.value);
            }
            Message::FinalizeTx => self.finalized = true,
            Message::Unsupported(kind) => {
                return Err(Fail::of("compute", 18, format!("{kind}: unknown message from the contract")).into());
            }
        }
        Ok(done)
    }

    /// Deposits `funds` and executes. The events are those of the message's handler.
    pub(crate) fn execute(
        &mut self,
        channel: &Channel,
        sender: Address,
        callee: &Callee,
        funds: &[Coin],
        message: &[u8],
    ) -> Result<Done, Fault> {
        let sender_name = bech32(&sender);
        let mut emitted = Emitted::default();
        emitted.events.push(handled(&sender_name, Some(&callee.name)));
        self.deposit(sender, callee.address, funds, &mut emitted.events)?;
        let mut done = self.call(channel, callee, Verb::Execute, (&sender_name, funds, message))?;
        emitted.append(std::mem::take(&mut done.emitted));
        done.emitted = emitted;
        Ok(done)
    }

    /// Moves what a message deposits.
    pub(crate) fn deposit(
        &mut self,
        from: Address,
        to: Address,
        funds: &[Coin],
        emitted: &mut Vec<Event>,
    ) -> Result<(), Fail> {
        match total(funds)? {
            0 => Ok(()),
            amount => bank::send(&mut self.meter, from, to, amount, emitted),
        }
    }

    /// The contract that a contract or a message names.
    pub(crate) fn callee(&mut self, name: &str) -> Result<Callee, Fail> {
        self.callee_at(from_bech32(name).map_err(unreadable)?)
    }

    /// The contract at `address`.
    pub(crate) fn callee_at(&mut self, address: Address) -> Result<Callee, Fail> {
        let found = Callee::find(self.meter.state(), address).map_err(Fail::Halt)?;
        found.ok_or_else(|| super::not_found("contract"))
    }

    /// Replaces the leaf of a contract.
    pub(crate) fn put_contract(&mut self, callee: &Callee) -> Result<(), Fail> {
        self.meter.write(Leaf::Contract(callee.address), Some(&callee.info))
    }
}

/// What everybody is told of words that a contract chose badly. They may be a secret's, so they are not repeated (M-12).
pub(crate) fn unreadable(error: CosmosError) -> Fail {
    Fail::sdk(error.code(), "the contract names an address, an amount or a message that is none of this chain's")
}

/// The sum of coins that a contract names.
pub(crate) fn total(funds: &[Coin]) -> Result<u128, Fail> {
    let proto = |coin: &Coin| ProtoCoin { denom: coin.denom.clone(), amount: coin.amount.to_string() };
    let nonzero: Vec<_> = funds.iter().filter(|coin| coin.amount > 0).map(proto).collect();
    coins(&nonzero).map_err(unreadable)
}

/// The event by which the message's handler says what it did.
pub(crate) fn handled(sender: &str, contract: Option<&str>) -> Event {
    let mut event = events::event("message", [("module", "compute".into()), ("sender", sender.into())]);
    event.attributes.extend(contract.map(|contract| ("contract_address".into(), contract.into())));
    event
}

/// The event by which the chain marks a call of a contract of the newer line.
fn marker(verb: Verb, version: Version, callee: &Callee) -> Option<Event> {
    let address = ("contract_address", callee.name.clone());
    let code = ("code_id", callee.info.code.to_string());
    match (verb, version) {
        (Verb::Migrate, _) => Some(events::event("migrate", [code, address])),
        (_, Version::V010) => None,
        (Verb::Instantiate, _) => Some(events::event("instantiate", [address, code])),
        (Verb::Execute, _) => Some(events::event("execute", [address])),
        (Verb::Reply, _) => Some(events::event("reply", [address])),
    }
}

/// The events that a contract's response asks for.
fn contract_events(channel: &Channel, callee: &Callee, response: &Response, emitted: &mut Emitted) -> Result<(), Fail> {
    let address = || ("contract_address".to_owned(), callee.name.clone());
    let Emitted { events, private } = emitted;
    let mut wasm = Event { kind: "wasm".into(), attributes: vec![address()] };
    for attribute in &response.attributes {
        channel.attribute(&callee.name, attribute.clone(), &mut wasm, private)?;
    }
    let own = wasm.attributes.split_off(1);
    wasm.attributes.extend(own.into_iter().filter(|(key, _)| key != "contract_address"));
    events.push(wasm);
    for custom in &response.events {
        let invalid = |why: &str| Fail::of("compute", 21, format!("{why}: invalid event"));
        let kind = custom.kind.trim();
        if kind.len() <= 2 {
            return Err(invalid("Event type too short"));
        }
        if custom.attributes.is_empty() {
            return Err(invalid("Event has no attributes"));
        }
        let mut event = Event { kind: format!("wasm-{kind}"), attributes: vec![address()] };
        for attribute in &custom.attributes {
            let mut attribute = attribute.clone();
            (attribute.key, attribute.value) = (attribute.key.trim().into(), attribute.value.trim().into());
            if attribute.key.is_empty() || attribute.value.is_empty() {
                return Err(invalid("Event attribute is empty"));
            }
            if attribute.key.starts_with('_') {
                return Err(invalid("Event attribute starts with reserved prefix _"));
            }
            channel.attribute(&callee.name, attribute, &mut event, private)?;
        }
        events.push(event);
    }
    Ok(())
}

/// The events of a call as the calling contract reads them: without the handlers' own, attributes in order.
fn for_caller(events: &[Event]) -> Vec<(String, Vec<(String, String)>)> {
    let seen = events.iter().filter(|event| event.kind != "message");
    seen.map(|event| {
        let mut attributes = event.attributes.clone();
        attributes.sort();
        (event.kind.clone(), attributes)
    })
    .collect()
}

/// Gas for what a response adds to the block's results, which every node keeps.
fn weight(response: &Response) -> u64 {
    let events = response.events.iter();
    let attributes = events.clone().flat_map(|event| &event.attributes).chain(&response.attributes);
    let (mut items, mut bytes) =
        (0u64, response.data.as_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX)));
    for event in events {
        (items, bytes) = (items.saturating_add(1), bytes.saturating_add(length(&event.kind)));
    }
    for attribute in attributes {
        items = items.saturating_add(1);
        bytes = bytes.saturating_add(length(&attribute.key)).saturating_add(length(&attribute.value));
    }
    items.saturating_mul(OUTPUT_ITEM).saturating_add(bytes.saturating_mul(OUTPUT_BYTE))
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Gas for each byte of data, attributes and errors. Results have to fit into one crossing of the wall.
const OUTPUT_BYTE: u64 = 3;
/// Gas for each event and each attribute.
const OUTPUT_ITEM: u64 = 60;

/// What a message that fails its checks inside the enclave is told.
pub(crate) const INVALID: &str = "failed to validate transaction";
