//! The Cosmos world in a block: first who asks and who pays, then what is asked, all of it or nothing.
//!
//! A transaction passes two gates. The *ante* part checks time-out, signatures and sequences, and takes the fee: if it fails,
//! the transaction is refused and leaves no trace. Then its messages run in a layer of the state: if one fails, fee and
//! sequence stay and the layer is forgotten. (Cosmos SDK, `baseapp.runTx`.)

mod ante;
pub(crate) mod authz;
pub(crate) mod bank;
pub(crate) mod events;
pub(crate) mod feegrant;
mod meter;

use cloister_chain::cosmos::{CosmosTx, Message};
use cloister_chain::receipt::{CosmosResult, Event};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, Receipt, Refusal, Status, limits};
use cloister_state::{Overlay, Supply};
use cloister_teeth::{Mechanism, holds};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::{MsgMultiSendResponse, MsgSendResponse};
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;

pub(crate) use bank::credit;
pub(crate) use meter::Fail;
pub(crate) use meter::Meter;

use crate::compute::{self, Scene, Work};

/// Runs one transaction, the `index`th of its block, if its gas limit is within `gas_left`.
pub(crate) fn run<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    tx: &CosmosTx,
    index: u32,
    gas_left: u64,
) -> Result<Receipt, Halt> {
    let mut result = CosmosResult { gas_wanted: tx.gas(), ..CosmosResult::default() };
    let mut gas_used = 0;
    state.open();
    let outcome = if tx.gas() > gas_left {
        Err(Fail::sdk(11, "the block has no room for the gas wanted: out of gas"))
    } else {
        let mut meter = Meter::new(state, tx.gas());
        let ante = ante::run(scene.genesis, scene.header, &mut meter, tx, true);
        gas_used = meter.used();
        ante
    };
    let ante_events = match outcome {
        Ok(events) => events,
        Err(fail) => {
            state.close(false);
            meter::note(&mut result, fail)?;
            return Ok(receipt(tx, Status::Refused(Refusal::Rule), 0, result));
        }
    };
    state.close(true);

    state.open();
    let mut work = Work::new(scene, Meter::resume(state, tx.gas(), gas_used), index, tx.hash());
    let done = messages(&mut work, tx);
    gas_used = work.meter.used();
    state.close(done.is_ok());
    result.events = ante_events;
    let status = match done {
        Ok((data, events)) => {
            result.data = data.into();
            result.events.extend(events);
            Status::Success
        }
        Err(fail) => {
            meter::note(&mut result, fail)?;
            Status::Failed
        }
    };
    Ok(receipt(tx, status, gas_used, result))
}

/// Runs one transaction whose signatures nobody checks, on a state that nobody keeps: the gas that it uses. Messages that
/// run contracts are refused, as what they do with an input could be tried out (M-07).
pub(crate) fn simulate<S: Supply>(scene: &Scene<'_>, state: &mut Overlay<S>, tx: &CosmosTx) -> Result<u64, Fail> {
    if holds(Mechanism::BlindSimulation) && tx.messages().iter().any(Message::runs_contract) {
        return Err(Fail::sdk(18, "messages to contracts cannot be simulated, choose a gas limit: invalid request"));
    }
    // The client does not know its gas limit yet: that is what it asks for.
    let mut meter = Meter::new(state, limits::QUERY_SIMULATION_GAS);
    ante::run(scene.genesis, scene.header, &mut meter, tx, false)?;
    let used = meter.used();
    let mut work = Work::new(scene, Meter::resume(state, limits::QUERY_SIMULATION_GAS, used), 0, tx.hash());
    messages(&mut work, tx)?;
    Ok(work.meter.used())
}

fn messages<S: Supply>(work: &mut Work<'_, '_, S>, tx: &CosmosTx) -> Result<(Vec<u8>, Vec<Event>), Fail> {
    let (mut responses, mut events) = (Vec::new(), Vec::new());
    for (index, message) in tx.messages().iter().enumerate() {
        let handled = work.go_on().and_then(|()| compute::handle(work, message, index));
        let (response, mut emitted) = handled.map_err(|fail| fail.at_message(index))?;
        let mut all = vec![events::action(message, &emitted)];
        all.append(&mut emitted);
        for event in &mut all {
            event.attributes.push(("msg_index".into(), index.to_string()));
        }
        events.append(&mut all);
        responses.push(response);
    }
    Ok((TxMsgData { msg_responses: responses, ..Default::default() }.encode_to_vec(), events))
}

/// A message of the bank module: its response and its events.
pub(crate) fn bank_message<S: Supply>(meter: &mut Meter<'_, S>, message: &Message) -> Result<(Any, Vec<Event>), Fail> {
    let mut events = Vec::new();
    let response = match message {
        Message::Send(send) => {
            let (from, to) = (bank::account(&send.from_address)?, bank::account(&send.to_address)?);
            bank::open_to_all(&to)?;
            bank::send(meter, from, to, bank::amount(&send.amount)?, &mut events)?;
            answer("/cosmos.bank.v1beta1.MsgSendResponse", &MsgSendResponse {})
        }
        Message::MultiSend(many) => {
            for input in &many.inputs {
                bank::spend(meter, bank::account(&input.address)?, bank::amount(&input.coins)?, &mut events)?;
            }
            for output in &many.outputs {
                let to = bank::account(&output.address)?;
                bank::open_to_all(&to)?;
                bank::receive(meter, to, bank::amount(&output.coins)?, &mut events)?;
            }
            answer("/cosmos.bank.v1beta1.MsgMultiSendResponse", &MsgMultiSendResponse {})
        }
        other => {
            let log = format!("{}: unknown message from the contract", other.type_url());
            return Err(Fail::of("compute", 18, log));
        }
    };
    Ok((response, events))
}

/// A message's response.
pub(crate) fn answer(type_url: &str, response: &impl prost::Message) -> Any {
    Any { type_url: type_url.into(), value: response.encode_to_vec() }
}

fn receipt(tx: &CosmosTx, status: Status, gas_used: u64, result: CosmosResult) -> Receipt {
    Receipt {
        tx: tx.hash(),
        from: tx.signers().first().copied().unwrap_or(Address::ZERO),
        status,
        gas_used,
        gas_price: 0,
        contract: None,
        logs: Vec::new(),
        cosmos: Some(result),
    }
}
