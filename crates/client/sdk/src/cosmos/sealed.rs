//! Messages as they are sealed, results as they are opened.

use alloy_primitives::{Address, B256, U256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::sealed::{
    MsgExecute, MsgExecuteResponse, MsgInstantiate, MsgInstantiateResponse, MsgMigrate, MsgMigrateResponse, Output,
    PrivateAttribute,
};
use cloister_chain::cosmos::{DENOM, bech32, sealed};
use cloister_envelope::message::gcm::{AnswerKeys, CallKeys, InputKey, OutputPlace, Sealer};
use cloister_envelope::message::{CallContext, Coin, Entry, QueryContext};
use cloister_envelope::{AccountKey, ExchangeKey, MessageError};
use prost::Message;
use secret_sdk_proto::Any;
use serde::de::DeserializeOwned;

use super::rest::{Included, Placed};
use super::sign::coins;
use crate::{Error, Failure, Rejection};

/// Code on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its number.
    pub id: u64,
    /// SHA-256 of the uncompressed code. Messages are sealed to it: no other code ever reads them.
    pub hash: B256,
}

/// A contract and the code that its caller means to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Where it is.
    pub address: Address,
    /// SHA-256 of its code: see [`Code::hash`].
    pub code_hash: B256,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// The transaction, as everybody sees it.
    pub tx: Included,
    /// What the contract returned; empty if it returned nothing.
    pub data: Vec<u8>,
    /// Private attributes of the contract and of those that it called.
    pub attributes: Vec<PrivateAttribute>,
    /// The contract that the call made, in Bech32, as the enclave says; empty for any other call.
    pub contract: String,
}

impl Called {
    /// The returned data, if it is JSON of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.data).map_err(Error::Unexpected)
    }

    /// The first value of a private attribute.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.key == key).map(|attribute| attribute.value.as_str())
    }
}

/// A new contract, and what its first call gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The contract.
    pub contract: Contract,
    /// Its first call.
    pub called: Called,
}

/// What a contract answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The block whose state was asked: an enclave's word. A node can ask it about an old state, so whoever waits for an
    /// effect compares this with the height of what caused it.
    pub height: u64,
    /// The boot key of the run that answered, as it says itself: compare it with what the chain lists. `None` on a chain that admits
    /// no enclaves.
    pub run: Option<B256>,
    /// The answer.
    pub value: T,
}

/// What a call would be charged, as an enclave says to its sender alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The block on whose state it was tried.
    pub height: u64,
    /// The [class](cloister_chain::gas) of its gas, beside what the bytes of the transaction cost. `None` if it would fail now,
    /// or use more than anybody may try; the enclave does not say which.
    pub gas: Option<u64>,
}

/// What seals the messages of one account.
pub(super) struct Sealing<'a> {
    pub(super) chain_id: &'a str,
    pub(super) sender: Address,
    pub(super) client: &'a ExchangeKey,
    pub(super) network: &'a InputKey,
}

/// A call, before its input is sealed.
#[derive(Clone, Copy)]
pub(super) enum Draft<'a> {
    Instantiate { code: &'a Code, label: &'a str, admin: Option<Address>, funds: u128 },
    Execute { contract: &'a Contract, funds: u128 },
    Migrate { contract: Address, code: &'a Code },
}

impl Sealing<'_> {
    /// Seals a call. The keys open its output.
    pub(super) fn call(&self, draft: &Draft<'_>, input: &[u8]) -> Result<(Any, CallKeys), MessageError> {
        let (sealed, keys) = draft.sealed(self, |context| self.sealer()?.call(context, input))?;
        Ok((draft.message(self.sender, sealed), keys))
    }

    /// Seals the same as an estimate, which `reader` may ask for up to a height. The keys open the answer.
    pub(super) fn estimate(
        &self,
        draft: &Draft<'_>,
        (reader, last): (&AccountKey, u64),
        input: &[u8],
    ) -> Result<(Vec<u8>, AnswerKeys), MessageError> {
        let seal = |context: &CallContext<'_>| self.sealer()?.signed_estimate(context, reader, last, input);
        let (sealed, keys) = draft.sealed(self, seal)?;
        Ok((draft.message(self.sender, sealed).encode_to_vec(), keys))
    }

    /// Seals a question, which `reader` may ask up to a height. The keys open the answer.
    pub(super) fn query(
        &self,
        contract: &Contract,
        (reader, last): (&AccountKey, u64),
        question: &[u8],
    ) -> Result<(Vec<u8>, AnswerKeys), MessageError> {
        let Contract { address: contract, code_hash } = *contract;
        let context = QueryContext { chain_id: self.chain_id, contract, code_hash };
        self.sealer()?.signed_query(&context, reader, last, question)
    }

    /// A sealer is used up by what it seals, so that no nonce is ever used for two messages.
    fn sealer(&self) -> Result<Sealer, MessageError> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).expect("the operating system has randomness");
        Sealer::new(self.client, self.network, nonce)
    }
}

impl Draft<'_> {
    /// Lets `seal` seal the input to everything that the message will say.
    fn sealed<T>(&self, sealing: &Sealing<'_>, seal: impl FnOnce(&CallContext<'_>) -> T) -> T {
        let (entry, code_hash, funds) = match *self {
            Self::Instantiate { code, funds, .. } => (Entry::Instantiate, code.hash, funds),
            Self::Execute { contract, funds } => (Entry::Execute(contract.address), contract.code_hash, funds),
            Self::Migrate { contract, code } => (Entry::Migrate(contract), code.hash, 0),
        };
        let coin = [Coin { denom: DENOM, amount: U256::from(funds) }];
        // As the message lists them: none of nothing.
        let funds = if funds == 0 { &[][..] } else { &coin };
        let Sealing { chain_id, sender, .. } = *sealing;
        seal(&CallContext { chain_id, sender, entry, code_hash, funds })
    }

    fn message(&self, sender: Address, input: Vec<u8>) -> Any {
        let sender = sender.to_vec();
        match *self {
            Self::Instantiate { code, label, admin, funds } => any(
                "/cloister.compute.v1.MsgInstantiate",
                &MsgInstantiate {
                    sender,
                    code_id: code.id,
                    code_hash: code.hash.to_vec(),
                    label: label.into(),
                    input,
                    funds: coins(funds),
                    admin: admin.as_ref().map(bech32).unwrap_or_default(),
                },
            ),
            Self::Execute { contract, funds } => any(
                "/cloister.compute.v1.MsgExecute",
                &MsgExecute {
                    sender,
                    contract: contract.address.to_vec(),
                    code_hash: contract.code_hash.to_vec(),
                    input,
                    funds: coins(funds),
                },
            ),
            Self::Migrate { contract, code } => any(
                "/cloister.compute.v1.MsgMigrate",
                &MsgMigrate {
                    sender,
                    contract: contract.to_vec(),
                    code_id: code.id,
                    code_hash: code.hash.to_vec(),
                    input,
                },
            ),
        }
    }
}

/// What the node gave back for an instantiation: address and sealed output.
pub(super) fn instantiated(tx: &Included) -> Result<MsgInstantiateResponse, Error> {
    tx.response(0, "/cloister.compute.v1.MsgInstantiateResponse")
}

/// The sealed output of a call.
pub(super) fn executed(tx: &Included) -> Result<Vec<u8>, Error> {
    let told: MsgExecuteResponse = tx.response(0, "/cloister.compute.v1.MsgExecuteResponse")?;
    Ok(told.output)
}

/// The sealed output of a migration.
pub(super) fn migrated(tx: &Included) -> Result<Vec<u8>, Error> {
    let told: MsgMigrateResponse = tx.response(0, "/cloister.compute.v1.MsgMigrateResponse")?;
    Ok(told.output)
}

/// The result of a sealed call that stands in a block: `output` finds the output in what the node gave back.
pub(super) fn called(
    hash: B256,
    placed: Placed,
    keys: &CallKeys,
    output: impl FnOnce(&Included) -> Result<Vec<u8>, Error>,
) -> Result<Called, Error> {
    let Placed { height, gas_used, result } = placed;
    let fail = |reason, contract| Err(Error::Failed(Box::new(Failure { hash, height, gas_used, reason, contract })));
    let tx = match result {
        Ok(tx) => tx,
        Err(reason) => {
            // Words that do not open are the node's own invention, or an enclave's that nobody sealed.
            let words = sealed_part(&reason.log).and_then(|sealed| open(hash, keys, &sealed).ok());
            return fail(reason, words.map(|output| output.error));
        }
    };
    let Output { data, error, attributes, contract, .. } = open(hash, keys, &output(&tx)?)?;
    if !error.is_empty() {
        // The output is the enclave's word, "success" the node's.
        let reason =
            Rejection { codespace: "compute".into(), code: 3, log: "the node hid that the call failed".into() };
        return fail(reason, Some(error));
    }
    Ok(Called { tx, data, attributes, contract })
}

/// The contract's answer to a question, from what the node answered.
pub(super) fn answered(keys: &AnswerKeys, result: Result<Vec<u8>, Error>) -> Result<Answer<Vec<u8>>, Error> {
    match result {
        Ok(sealed) => told(keys, &sealed),
        Err(Error::Door(refused)) => {
            let opened = sealed_part(&refused.message).map(|sealed| told(keys, &sealed));
            // What does not open is the node's own word. An answer that the node tells as an error is none of its words.
            Err(match opened {
                Some(Err(error @ Error::Answered { .. })) => error,
                _ => Error::Door(refused),
            })
        }
        Err(error) => Err(error),
    }
}

/// The contract's answer or error, whichever the enclave sealed: the node cannot pass one off as the other.
fn told(keys: &AnswerKeys, sealed: &[u8]) -> Result<Answer<Vec<u8>>, Error> {
    let plain = keys.open_answer(sealed)?;
    let Output { data, error, height, run, .. } =
        Output::decode(plain.as_slice()).map_err(|_| MessageError::Padding)?;
    let run =
        (!run.is_empty()).then(|| B256::try_from(run.as_slice())).transpose().map_err(|_| MessageError::Padding)?;
    if error.is_empty() {
        Ok(Answer { height, run, value: data })
    } else {
        Err(Error::Answered { height, text: error })
    }
}

/// What an enclave estimates, from what the node answered.
pub(super) fn estimated(keys: &AnswerKeys, answer: &[u8]) -> Result<Estimate, Error> {
    let plain = keys.open_answer(answer)?;
    let told = sealed::Estimate::decode(plain.as_slice()).map_err(|_| MessageError::Padding)?;
    Ok(Estimate { height: told.height, gas: (told.gas > 0).then_some(told.gas) })
}

fn open(hash: B256, keys: &CallKeys, sealed: &[u8]) -> Result<Output, Error> {
    let plain = keys.open_output(&OutputPlace { transaction: hash, message: 0, output: 0 }, sealed)?;
    Output::decode(plain.as_slice()).map_err(|_| Error::Result(hash))
}

/// What stands behind `encrypted: ` in a log, up to the first character that is none of base64's.
pub(super) fn sealed_part(log: &str) -> Option<Vec<u8>> {
    let (_, rest) = log.split_once("encrypted: ")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).unwrap_or(rest.len());
    STANDARD.decode(&rest[..end]).ok()
}

fn any(type_url: &str, message: &impl Message) -> Any {
    Any { type_url: type_url.into(), value: message.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloy_primitives::hex;
    use cloister_envelope::Secret;
    use serde_json::Value;

    use super::*;
    use crate::DoorError;

    /// Made by another implementation; see the README beside it.
    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../../shared/envelope/tests/vectors/gcm.json")).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn word(value: &Value) -> [u8; 32] {
        bytes(value).try_into().unwrap()
    }

    fn sealer(vectors: &Value) -> Sealer {
        let client = ExchangeKey::from_secret(Secret::from_bytes(word(&vectors["client_private"])));
        let epoch = vectors["epoch"].as_u64().unwrap();
        let key = InputKey { epoch, public: word(&vectors["network_public"]) };
        Sealer::new(&client, &key, word(&vectors["nonce"])).unwrap()
    }

    fn call_keys(vectors: &Value) -> (B256, CallKeys) {
        let (sender, entry, code_hash) = (Address::ZERO, Entry::Instantiate, B256::ZERO);
        let context = CallContext { chain_id: "", sender, entry, code_hash, funds: &[] };
        (word(&vectors["transaction"]).into(), sealer(vectors).call(&context, b"").unwrap().1)
    }

    fn placed(result: Result<Included, Rejection>) -> Placed {
        Placed { height: 5, gas_used: 9, result }
    }

    fn included(hash: B256) -> Included {
        Included { hash, height: 5, gas_used: 9, events: Vec::new(), responses: Vec::new() }
    }

    #[test]
    fn a_result_that_another_implementation_sealed_opens() {
        let vectors = vectors();
        let (hash, keys) = call_keys(&vectors);
        let known = &vectors["result_in_output_0_of_message_0"];
        let tx = included(hash);
        let result = called(hash, placed(Ok(tx.clone())), &keys, |_| Ok(bytes(&known["sealed"]))).unwrap();
        let attribute = |key: &str, value: &str| PrivateAttribute {
            contract: "secret18vd8fpwxzck93qlwghaj6arh4p7c5n8978vsyg".into(),
            key: key.into(),
            value: value.into(),
        };
        let attributes = vec![attribute("from", "alice"), attribute("to", "")];
        let contract = String::new();
        assert_eq!(result, Called { tx, data: b"data".to_vec(), attributes: attributes.clone(), contract });

        let output = Output { data: b"data".to_vec(), attributes, ..Output::default() };
        assert_eq!(output.encode_to_vec(), bytes(&known["plain"]));
    }

    #[test]
    fn an_error_that_another_implementation_sealed_opens_from_the_log() {
        let vectors = vectors();
        let (hash, keys) = call_keys(&vectors);
        let known = &vectors["failure_in_output_0_of_message_0"];
        let sealed = STANDARD.encode(bytes(&known["sealed"]));
        let failed = |log: String| {
            let reason = Rejection { codespace: "compute".into(), code: 3, log };
            called(hash, placed(Err(reason)), &keys, |_| unreachable!("it failed")).unwrap_err()
        };
        let at = "failed to execute message; message index: 0: ";
        for within in ["", "dispatch: submessages: ", "dispatch: submessages: dispatch: submessages: "] {
            let error = failed(format!("{at}{within}encrypted: {sealed}: execute contract failed"));
            assert_eq!(error.contract_error(), Some("you owe 7 €"), "{within}");
        }
        for bare in ["out of gas: out of gas", "encrypted: ", "encrypted: AAAA: execute contract failed", ""] {
            assert_eq!(failed(format!("{at}{bare}")).contract_error(), None, "{bare}");
        }
        let output = Output { error: "you owe 7 €".into(), ..Output::default() };
        assert_eq!(output.encode_to_vec(), bytes(&known["plain"]));
    }

    #[test]
    fn an_estimate_that_another_implementation_sealed_opens() {
        let vectors = vectors();
        let (sender, entry, code_hash) = (Address::ZERO, Entry::Instantiate, B256::ZERO);
        let context = CallContext { chain_id: "", sender, entry, code_hash, funds: &[] };
        let (_, keys) = sealer(&vectors).estimate(&context, b"").unwrap();
        let known = &vectors["estimate_of_75000_at_block_258"];
        let expected = Estimate { height: 258, gas: Some(75_000) };
        assert_eq!(estimated(&keys, &bytes(&known["sealed"])).unwrap(), expected);
        let plain = sealed::Estimate { gas: 75_000, height: 258 }.encode_to_vec();
        assert_eq!(plain, bytes(&known["plain"]));
        let fails = keys.seal_answer(&sealed::Estimate { gas: 0, height: 258 }.encode_to_vec()).unwrap();
        assert_eq!(estimated(&keys, &fails).unwrap().gas, None);
        assert_eq!(fails.len(), bytes(&known["sealed"]).len());
    }

    #[test]
    fn an_answer_names_its_block() {
        let vectors = vectors();
        let context = QueryContext { chain_id: "", contract: Address::ZERO, code_hash: B256::ZERO };
        let (_, keys) = sealer(&vectors).query(&context, b"").unwrap();
        let known = &vectors["answer_of_block_258"];
        let sealed = bytes(&known["sealed"]);
        let expected = Answer { height: 258, run: None, value: br#"{"count":7}"#.to_vec() };
        assert_eq!(answered(&keys, Ok(sealed.clone())).unwrap(), expected);
        let output = Output { data: expected.value, height: 258, ..Output::default() };
        assert_eq!(output.encode_to_vec(), bytes(&known["plain"]));
        let disguised = DoorError { status: 500, code: 2, message: format!("encrypted: {}", STANDARD.encode(sealed)) };
        assert!(matches!(answered(&keys, Err(disguised.into())), Err(Error::Door(_))), "an answer is no error");

        // Both ways in which nodes tell a contract's error.
        let error = Output { error: "wrong viewing key".into(), height: 258, ..Output::default() };
        let sealed = keys.seal_answer(&error.encode_to_vec()).unwrap();
        let text = STANDARD.encode(&sealed);
        let shown = answered(&keys, Ok(sealed)).unwrap_err();
        assert_eq!(shown.contract_error(), Some("wrong viewing key"), "an error is no answer");
        for message in [
            format!("codespace compute code 4: query contract failed: encrypted: {text}"),
            format!("encrypted: {text}: query contract failed: unknown request"),
        ] {
            let error = answered(&keys, Err(DoorError { status: 500, code: 2, message }.into())).unwrap_err();
            assert!(matches!(&error, Error::Answered { height: 258, text } if text == "wrong viewing key"), "{error}");
        }
        let garbage = keys.seal_answer(b"1234567").unwrap();
        assert!(matches!(answered(&keys, Ok(garbage)), Err(Error::Message(MessageError::Padding))));
    }
}
