//! Our own form (`cloister.compute.v1`): sealed to the key of an epoch, charged by class (M-19), and estimated in a form of its
//! own (M-11).

use cloister_chain::cosmos::sealed::{Estimate, MsgExecuteResponse, MsgInstantiateResponse, MsgMigrateResponse};
use cloister_chain::cosmos::{Message, PublicKey, from_bytes};
use cloister_chain::receipt::Event;
use cloister_chain::wire::Answer;
use cloister_chain::{Address, B256, U256, gas, limits};
use cloister_envelope::MessageError;
use cloister_envelope::message::gcm::{AnswerKeys, OutputPlace};
use cloister_envelope::message::{CallContext, Coin, Entry};
use cloister_state::{Overlay, Supply};
use cloister_teeth::{Mechanism, holds};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use zeroize::Zeroizing;

use super::channel::Channel;
use super::message::{New, Opened, funds, hex};
use super::query::{UNREADABLE, refused, rejected};
use super::{Scene, Verb, Work};
use crate::cosmos::{Fail, Meter, answer};

/// One message in our own form, the `index`th of its transaction: its response and its events. What it is charged is a class.
pub(super) fn handle<S: Supply>(
    work: &mut Work<'_, '_, S>,
    message: &Message,
    index: usize,
) -> Result<(Any, Vec<Event>), Fail> {
    let before = work.meter.used();
    let done = open(work, message, index).and_then(|opened| run(work, message, &opened));
    work.meter.round_up(before);
    done
}

/// What a message would be charged, for its sender: whether it would fail, and why, looks the same to everybody else.
pub(crate) fn estimate<S: Supply>(scene: &Scene<'_>, state: &mut Overlay<S>, message: &[u8]) -> Answer {
    let decoded = Any::decode(message).ok().and_then(|any| Message::decode(&any).ok());
    let Some(message) = decoded.filter(Message::is_sealed) else {
        return rejected("only messages in the network's own form are estimated".into());
    };
    let Ok((keys, opened)) = open_estimate(scene, &message) else {
        return rejected(format!("Execution error: Enclave: {UNREADABLE}"));
    };
    let mut work = Work::new(scene, Meter::new(state, limits::QUERY_ESTIMATE_GAS), NOWHERE, B256::ZERO);
    let gas = match run(&mut work, &message, &opened) {
        Ok(_) => gas::class(work.meter.used()),
        Err(Fail::Rule { .. }) => 0,
        Err(Fail::Halt(halt)) => return refused(halt),
    };
    let estimate = Estimate { gas, height: scene.header.height };
    let sealed = keys.seal_answer(&Zeroizing::new(estimate.encode_to_vec()));
    Answer::SealedEstimate(sealed.expect("two numbers fit into the smallest bucket").into())
}

/// Opens a message of a transaction. It never counts as plaintext.
fn open<S: Supply>(work: &Work<'_, '_, S>, message: &Message, index: usize) -> Result<Opened, Fail> {
    let bound = Bound::of(message)?;
    let Scene { keys, genesis, grace, .. } = work.scene;
    let opened = keys.open_call(&bound.context(&genesis.chain_id), bound.input, *grace);
    let (keys, text) = opened.map_err(|error| match error {
        // Public: the message names its epoch in the clear.
        MessageError::Epoch { .. } => bound.verb.enclave(&error.to_string()),
        _ => bound.verb.enclave(UNREADABLE),
    })?;
    let message = u64::try_from(index).unwrap_or(u64::MAX);
    let place = OutputPlace { transaction: work.tx_hash(), message, output: 0 };
    Ok(Opened { channel: Channel::Gcm(keys, place), code_hash: Some(hex(&bound.code_hash)), message: text })
}

/// Opens what is to be estimated, if its sender signed for that. Else whoever makes up a call in another's name would learn from
/// its estimate what the other one has.
fn open_estimate(scene: &Scene<'_>, message: &Message) -> Result<(AnswerKeys, Opened), Fail> {
    let bound = Bound::of(message)?;
    let refused = |_: MessageError| bound.verb.enclave(UNREADABLE);
    let context = bound.context(&scene.genesis.chain_id);
    let (keys, asked) = scene.keys.open_estimate(&context, bound.input, scene.grace, scene.term()).map_err(refused)?;
    if PublicKey::Single(asked.reader).address() != bound.sender && holds(Mechanism::Permits) {
        return Err(refused(MessageError::Permit));
    }
    let code_hash = Some(hex(&bound.code_hash));
    Ok((keys, Opened { channel: Channel::Unheard, code_hash, message: asked.text }))
}

/// Runs a message that was opened.
fn run<S: Supply>(work: &mut Work<'_, '_, S>, message: &Message, opened: &Opened) -> Result<(Any, Vec<Event>), Fail> {
    match message {
        Message::SealedInstantiate(m) => {
            let made = New {
                creator: from_bytes(&m.sender)?,
                code_id: m.code_id,
                label: m.label.clone(),
                admin: Some(m.admin.clone()),
                funds: funds(&m.funds)?,
            };
            let (address, output, events) = work.instantiate_for(opened, made, &m.input)?;
            let response = MsgInstantiateResponse { address, output };
            Ok((answer("/cloister.compute.v1.MsgInstantiateResponse", &response), events))
        }
        Message::SealedExecute(m) => {
            let (sender, contract) = (from_bytes(&m.sender)?, from_bytes(&m.contract)?);
            let (output, events) = work.execute_for(opened, sender, contract, &funds(&m.funds)?)?;
            Ok((answer("/cloister.compute.v1.MsgExecuteResponse", &MsgExecuteResponse { output }), events))
        }
        Message::SealedMigrate(m) => {
            let (sender, contract) = (from_bytes(&m.sender)?, from_bytes(&m.contract)?);
            let (output, events) = work.migrate_for(opened, sender, contract, m.code_id, &m.input)?;
            Ok((answer("/cloister.compute.v1.MsgMigrateResponse", &MsgMigrateResponse { output }), events))
        }
        other => Err(foreign(other)),
    }
}

/// Everything that the input of a message is sealed to.
struct Bound<'a> {
    verb: Verb,
    entry: Entry,
    sender: Address,
    code_hash: B256,
    funds: Vec<Coin<'a>>,
    input: &'a [u8],
}

impl<'a> Bound<'a> {
    fn of(message: &'a Message) -> Result<Self, Fail> {
        let (verb, entry, sender, code_hash, funds, input): (_, _, _, _, &[ProtoCoin], _) = match message {
            Message::SealedInstantiate(m) => {
                (Verb::Instantiate, Entry::Instantiate, &m.sender, &m.code_hash, &m.funds, &m.input)
            }
            Message::SealedExecute(m) => {
                let entry = Entry::Execute(from_bytes(&m.contract)?);
                (Verb::Execute, entry, &m.sender, &m.code_hash, &m.funds, &m.input)
            }
            Message::SealedMigrate(m) => {
                let entry = Entry::Migrate(from_bytes(&m.contract)?);
                (Verb::Migrate, entry, &m.sender, &m.code_hash, &[], &m.input)
            }
            other => return Err(foreign(other)),
        };
        let unreadable = || verb.enclave(UNREADABLE);
        let coin = |coin: &'a ProtoCoin| Some(Coin { denom: &coin.denom, amount: coin.amount.parse::<U256>().ok()? });
        let funds = funds.iter().map(coin).collect::<Option<_>>().ok_or_else(unreadable)?;
        let code_hash = B256::try_from(code_hash.as_slice()).map_err(|_| unreadable())?;
        Ok(Self { verb, entry, sender: from_bytes(sender)?, code_hash, funds, input })
    }

    fn context<'b>(&'b self, chain_id: &'b str) -> CallContext<'b> {
        let Self { entry, sender, code_hash, ref funds, .. } = *self;
        CallContext { chain_id, sender, entry, code_hash, funds }
    }
}

fn foreign(message: &Message) -> Fail {
    Fail::sdk(6, format!("{}: unknown request", message.type_url()))
}

/// Where an estimate stands: behind the last transaction that any block can have, so that no random number and no nonce of it
/// is one of a transaction's.
const NOWHERE: u32 = u32::MAX;
const _: () = assert!(limits::BLOCK_TXS < NOWHERE as usize);
