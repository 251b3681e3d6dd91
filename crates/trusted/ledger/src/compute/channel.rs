//! What a caller is told, in the form in which it asked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::sealed::{Output, PrivateAttribute};
use cloister_chain::receipt::Event;
use cloister_envelope::MessageError;
use cloister_envelope::message::{MAX_PLAIN_BYTES, gcm, plain::Plaintext, siv};
use cloister_teeth::{Mechanism, holds};
use cloister_wasm::Attribute;
use prost::Message as _;
use zeroize::Zeroizing;

use crate::cosmos::Fail;

/// Who hears of the outputs of one message and of all the calls that it leads to.
pub(crate) enum Channel {
    /// The message was in the clear: so is everything that it leads to.
    Plain,
    /// secret.js's form: each output by itself, under the message's key.
    Siv(siv::Session),
    /// Our own form: one output for everything.
    Gcm(gcm::CallKeys, gcm::OutputPlace),
    /// An estimate in our own form: nobody hears of any output.
    Unheard,
}

/// Events and private attributes of a call: dropped together when it is undone.
#[derive(Default)]
pub(crate) struct Emitted {
    pub(crate) events: Vec<Event>,
    pub(crate) private: Vec<PrivateAttribute>,
}

impl Emitted {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.events.append(&mut other.events);
        self.private.append(&mut other.private);
    }
}

impl Channel {
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self, Self::Gcm(..) | Self::Unheard)
    }

    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// The contract's attribute, for the event `event` of `contract`.
    pub(crate) fn attribute(
        &self,
        contract: &str,
        attribute: Attribute,
        event: &mut Event,
        private: &mut Vec<PrivateAttribute>,
    ) -> Result<(), Fail> {
        let Attribute { key, value, encrypted } = attribute;
        match self {
            Self::Siv(session) if encrypted => {
                let enc = |text: &str| session.seal_text(None, text.as_bytes()).map_err(too_long);
                event.attributes.push((enc(&key)?, enc(&value)?));
            }
            Self::Gcm(..) | Self::Unheard if encrypted => {
                private.push(PrivateAttribute { contract: contract.into(), key, value });
            }
            _ => event.attributes.push((key, value)),
        }
        Ok(())
    }

    /// What stands in the response for the data that a contract returned. `made` is the contract that the message made, in
    /// Bech32; our own form vouches for it.
    pub(crate) fn data(
        &self,
        data: Option<Vec<u8>>,
        private: Vec<PrivateAttribute>,
        made: &str,
    ) -> Result<Vec<u8>, Fail> {
        match self {
            Self::Plain => Ok(data.unwrap_or_default()),
            Self::Siv(session) => {
                let seal = |data| session.seal(Zeroizing::new(STANDARD.encode(Zeroizing::new(data))).as_bytes());
                data.map(seal).transpose().map(Option::unwrap_or_default).map_err(too_long)
            }
            Self::Gcm(..) | Self::Unheard => {
                let (data, contract) = (data.unwrap_or_default(), made.to_owned());
                self.seal(&Output { data, attributes: private, contract, ..Output::default() })
            }
        }
    }

    /// What stands in the log for a contract's error.
    pub(crate) fn error(&self, text: String) -> Result<String, Fail> {
        match self {
            _ if !holds(Mechanism::SealedErrors) => Ok(text),
            Self::Plain => Ok(text),
            Self::Siv(session) => session.seal_text(None, text.as_bytes()).map_err(too_long),
            Self::Gcm(..) => Ok(STANDARD.encode(self.seal(&Output { error: text, ..Output::default() })?)),
            Self::Unheard => Ok(String::new()),
        }
    }

    /// What the history of a contract that a contract made keeps of the message. In our own form there is no output for it.
    pub(crate) fn history(&self, message: &Plaintext<'_>) -> Result<Vec<u8>, Fail> {
        match self {
            Self::Plain => Ok(message.message.to_vec()),
            Self::Siv(session) => session.seal_message(&message.to_bytes()).map_err(too_long),
            Self::Gcm(..) | Self::Unheard => Ok(Vec::new()),
        }
    }

    /// The one output of our own form. An estimate fails where a call would.
    fn seal(&self, output: &Output) -> Result<Vec<u8>, Fail> {
        match self {
            Self::Gcm(keys, place) => {
                keys.seal_output(place, &Zeroizing::new(output.encode_to_vec())).map_err(too_long)
            }
            _ if output.encoded_len() > MAX_PLAIN_BYTES => Err(too_long(MessageError::TooLong)),
            _ => Ok(Vec::new()),
        }
    }
}

fn too_long(_: MessageError) -> Fail {
    Fail::of("compute", 3, "Execution error: Enclave: the output is too long: execute contract failed")
}
