//! The compute module: CosmWasm contracts, their messages, and what they send each other.
//!
//! A message is opened here, once, and from then on the whole tree of calls that it leads to runs in the clear inside the
//! enclave: a contract's message to another one never leaves it, so it needs neither ciphertext nor a signature of its own
//! on the way. Secret Network seals and signs such messages because they pass through its host. What users see of them is
//! the same: data, attributes, errors and histories in the form of the message that began it ([`channel::Channel`]).
//!
//! | file | holds |
//! | --- | --- |
//! | `message` | the messages of a transaction: store, instantiate, execute, migrate, admin |
//! | `call` | one call with everything that it leads to: events, sub-messages, replies |
//! | `contract` | one run of one contract on its sealed state |
//! | `questions` | what contracts ask each other and the chain |
//! | `query` | what clients ask contracts |
//! | `own` | our own form: opened, charged by class, estimated |

mod call;
mod channel;
mod codes;
mod contract;
mod message;
mod own;
mod query;
mod questions;

use cloister_chain::leaf::Position;
use cloister_chain::{Address, B256, Epoch, Genesis, Header, limits};
use cloister_envelope::message::gcm::permit::Term;
use cloister_keys::Keys;
use cloister_state::Supply;

pub(crate) use codes::Codes;
pub(crate) use message::handle;
pub(crate) use own::estimate;
pub(crate) use query::ask;

use crate::cosmos::{Fail, Meter};

/// What all transactions of a block share, and what a query sees of the chain.
pub(crate) struct Scene<'a> {
    pub(crate) genesis: &'a Genesis,
    pub(crate) keys: &'a Keys,
    pub(crate) codes: &'a Codes,
    pub(crate) header: &'a Header,
    pub(crate) header_hash: B256,
    /// When the block before was made, in seconds since the Unix epoch: the time for whatever expires (M-08).
    pub(crate) before: u64,
    /// As the block before left it.
    pub(crate) epoch: &'a Epoch,
    /// What was sealed to the former epoch's input key still opens.
    pub(crate) grace: bool,
    /// The newest height, by which permits end; a block's own.
    pub(crate) tip: u64,
    /// The boot key of the run that answers a question, if it has one. A block is the same on every enclave.
    pub(crate) run: Option<B256>,
}

impl Scene<'_> {
    /// At what heights permits are good.
    pub(crate) const fn term(&self) -> Term {
        Term { tip: self.tip, most: limits::PERMIT_BLOCKS }
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        genesis: &'a Genesis,
        (keys, epoch): (&'a Keys, &'a Epoch),
        codes: &'a Codes,
        header: &'a Header,
        before: &Header,
    ) -> Self {
        let grace = genesis.epochs.is_some_and(|epochs| epochs.is_grace(epoch, header.time));
        let (header_hash, before) = (header.hash(), before.seconds());
        Self { genesis, keys, codes, header, header_hash, before, epoch, grace, tip: header.height, run: None }
    }
}

/// Which transaction of the block, and which call of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Index in the block.
    pub(crate) index: u32,
    /// Hash of the transaction.
    pub(crate) tx: B256,
    /// Calls of contracts so far.
    pub(crate) call: u32,
}

/// One transaction at work.
pub(crate) struct Work<'a, 'm, S> {
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) meter: Meter<'m, S>,
    place: Place,
    /// Values sealed so far. It goes on when a call is undone: no two are sealed in one place.
    writes: u64,
    /// Calls that lead to each other.
    depth: u32,
    /// A contract said that nothing may follow.
    finalized: bool,
}

impl<'a, 'm, S: Supply> Work<'a, 'm, S> {
    pub(crate) fn new(scene: &'a Scene<'a>, meter: Meter<'m, S>, index: u32, tx: B256) -> Self {
        Self { scene, meter, place: Place { index, tx, call: 0 }, writes: 0, depth: 0, finalized: false }
    }

    /// Hash of the transaction.
    pub(crate) fn tx_hash(&self) -> B256 {
        self.place.tx
    }

    /// Its place in the chain.
    pub(crate) fn position(&self) -> Position {
        Position { height: self.scene.header.height, index: self.place.index }
    }

    /// Refuses what comes after a contract said that nothing may.
    pub(crate) fn go_on(&self) -> Result<(), Fail> {
        if self.finalized {
            let log = "Cannot send messages or submessages after last tx marker was set: last tx";
            return Err(Fail::sdk(LAST_TX, log));
        }
        Ok(())
    }
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The contract said so. Its text is for the sender, or for the contract that called it.
    Contract {
        verb: Verb,
        text: String,
        /// How many sub-messages it passed on its way up.
        within: usize,
    },
    Fail(Fail),
}

impl Fault {
    /// The fault of a sub-message, as its sender's fault.
    fn within(self) -> Self {
        match self {
            Self::Contract { verb, text, within } => Self::Contract { verb, text, within: within + 1 },
            Self::Fail(fail) => Self::Fail(fail.within(SUB_MESSAGE)),
        }
    }

    /// The fault of a message, which asked for `outer`, as the transaction's failure, with the contract's text in the sender's form.
    /// In our own form every failure looks the same to everybody else: which it is, and how deep, may hang on a secret.
    fn shown(self, channel: &channel::Channel, outer: Verb) -> Fail {
        match self {
            Self::Contract { text, .. } | Self::Fail(Fail::Rule { log: text, .. }) if channel.is_own() => {
                channel.error(text).map_or_else(
                    |fail| fail,
                    |text| {
                        Fail::of(
                            "compute",
                            outer.code(),
                            format!("encrypted: {text}: {} contract failed", outer.text()),
                        )
                    },
                )
            }
            Self::Contract { verb, text, within } => match channel.error(text) {
                Ok(text) => {
                    let path = format!("{SUB_MESSAGE}: ").repeat(within);
                    Fail::of(
                        "compute",
                        verb.code(),
                        format!("{path}encrypted: {text}: {} contract failed", verb.text()),
                    )
                }
                Err(fail) => fail,
            },
            Self::Fail(fail) => fail,
        }
    }
}

impl From<Fail> for Fault {
    fn from(fail: Fail) -> Self {
        Self::Fail(fail)
    }
}

/// What a contract was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Instantiate,
    Execute,
    Migrate,
    Reply,
}

impl Verb {
    /// As errors name it.
    const fn text(self) -> &'static str {
        match self {
            Self::Instantiate => "instantiate",
            Self::Execute => "execute",
            Self::Migrate => "migrate",
            Self::Reply => "reply to",
        }
    }

    /// The error's number.
    const fn code(self) -> u32 {
        match self {
            Self::Instantiate => 2,
            Self::Execute => 3,
            Self::Migrate => 5,
            Self::Reply => 19,
        }
    }

    /// An error of the machine's or of this module's, told to everybody: it holds nothing that a contract made up (M-12).
    fn enclave(self, text: &str) -> Fail {
        let log = format!("Execution error: Enclave: {text}: {} contract failed", self.text());
        Fail::of("compute", self.code(), log)
    }
}

/// The address of the `instance`th contract of the chain: `RIPEMD160(SHA256((code << 32 + instance)(8, BE) ‖ creator))`.
fn contract_address(code: u64, instance: u64, creator: Address) -> Address {
    use ripemd::{Digest as _, Ripemd160};
    let number = (code << 32).wrapping_add(instance).to_be_bytes();
    let hash = sha2::Sha256::digest([number.as_slice(), creator.as_slice()].concat());
    Address::from_slice(&Ripemd160::digest(hash))
}

fn not_found(what: &str) -> Fail {
    Fail::of("compute", 9, format!("{what}: not found"))
}

/// How errors name the way through a sub-message.
const SUB_MESSAGE: &str = "dispatch: submessages";
/// The SDK fork's number for a message after the last one.
const LAST_TX: u32 = 44;
