use alloy_primitives::{Address, B256};
use cloister_chain::cosmos::sealed::{Output, PrivateAttribute};
use cloister_envelope::Secret;
use cloister_envelope::message::Entry;
use cloister_envelope::message::gcm::{OutputKey, OutputPlace};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Account;
use super::reread::{Sealed, placed};
use super::rest::Placed;
use super::sealed::sealed_part;
use crate::Error;
use crate::light::{Proved, State};

/// What opens one output of one private call to somebody else, and nothing beside it (M-34).
///
/// Whoever gets it proves the transaction with a [light client](crate::light::LightClient) of his own, from whatever node, and
/// [opens](Self::open) the output that the validators agreed on. Nobody has to believe the one who shows it. The input stays
/// closed, as do all other calls: each has keys of its own. Only our own form can do this; secret.js's has one key for all of a
/// transaction.
#[derive(Debug)]
pub struct Opening {
    transaction: B256,
    key: OutputKey,
}

/// An output, opened by somebody who did not make the call.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Who called.
    pub sender: Address,
    /// The contract that was called; `None` if the call made it.
    pub contract: Option<Address>,
    /// What it returned.
    pub data: Vec<u8>,
    /// Its error, in its own words; then there is nothing else.
    pub error: Option<String>,
    /// Private attributes of it and of those that it called.
    pub attributes: Vec<PrivateAttribute>,
    /// The contract that the call made, in Bech32; empty for any other call.
    pub made: String,
}

impl Account {
    /// What opens the output of one's own call, which a light client proved, to somebody else. Needs what
    /// [reading it again](Self::reread) needs.
    pub async fn opening(&self, proved: &Proved) -> Result<Opening, Error> {
        let (tx, placed) = placed(proved)?;
        let call = Sealed::within(&tx)?;
        let (keys, _) = self.keys_of(proved.hash, &call).await?;
        let place = OutputPlace { transaction: proved.hash, message: 0, output: 0 };
        let opening = Opening {
            transaction: proved.hash,
            key: keys.output_key(&place, &sealed_output(proved.hash, &placed, &call)?)?,
        };
        // One that does not open is not handed out.
        opening.read(proved)?;
        Ok(opening)
    }
}

impl Opening {
    /// The transaction whose output it opens.
    pub const fn transaction(&self) -> B256 {
        self.transaction
    }

    /// The output, of a transaction that is proven and whose receipt is agreed on.
    pub fn open(&self, proved: &Proved) -> Result<Opened, Error> {
        if proved.state != State::Agreed {
            return Err(Error::NotAgreed(proved.hash));
        }
        self.read(proved)
    }

    /// Reads what [`Opening::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let File { format, transaction, message, output, key } =
            serde_json::from_str(text).map_err(|_| Error::Opening)?;
        if format != FORMAT || (message, output) != (0, 0) {
            return Err(Error::Opening);
        }
        Ok(Self { transaction, key: OutputKey::new(Secret::from_bytes(key.0)) })
    }

    /// Writes it. Whoever reads this reads the output.
    pub fn to_json(&self) -> Zeroizing<String> {
        let file = |key: &[u8; 32]| File {
            format: FORMAT.into(),
            transaction: self.transaction,
            message: 0,
            output: 0,
            key: B256::new(*key),
        };
        let text = self.key.secret().expose(|key| serde_json::to_string_pretty(&file(key)));
        Zeroizing::new(text.expect("a file has a JSON form"))
    }

    fn read(&self, proved: &Proved) -> Result<Opened, Error> {
        let hash = proved.hash;
        if hash != self.transaction {
            return Err(Error::OtherOpening(self.transaction));
        }
        let (tx, placed) = placed(proved)?;
        let call = Sealed::within(&tx)?;
        let plain = self.key.open(&sealed_output(hash, &placed, &call)?)?;
        let output = Output::decode(plain.as_slice()).map_err(|_| Error::Result(hash))?;
        let Output { data, error, attributes, contract: made, .. } = output;
        let contract = match call.entry {
            Entry::Instantiate => None,
            Entry::Execute(contract) | Entry::Migrate(contract) => Some(contract),
        };
        let error = (!error.is_empty()).then_some(error);
        Ok(Opened { sender: call.sender, contract, data, error, attributes, made })
    }
}

/// The sealed output of a call, whether it succeeded or failed.
fn sealed_output(hash: B256, placed: &Placed, call: &Sealed<'_>) -> Result<Vec<u8>, Error> {
    match &placed.result {
        Ok(tx) => (call.output)(tx),
        Err(reason) => sealed_part(&reason.log).ok_or(Error::Result(hash)),
    }
}

/// An opening, as a file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    transaction: B256,
    /// Which message of the transaction; the SDK sends one.
    message: u64,
    /// Which output of the message; there is one.
    output: u64,
    key: B256,
}

const FORMAT: &str = "cloister-opening-v1";
