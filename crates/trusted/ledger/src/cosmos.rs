//! The Cosmos world in a block: first who asks and who pays, then what is asked, all of it or nothing.
//!
//! A transaction passes two gates. The *ante* part checks time-out, signatures and sequences, and takes the fee: if it fails,
//! the transaction is refused and leaves no trace. Then its messages run in a layer of the state: if one fails, fee and
//! sequence stay and the layer is forgotten. (Cosmos SDK, `baseapp.runTx`.)

mod ante;
mod bank;
mod events;
mod meter;

use cloister_chain::cosmos::{CosmosTx, Message};
use cloister_chain::receipt::{CosmosResult, Event};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, Genesis, Header, Receipt, Refusal, Status};
use cloister_state::{Overlay, Supply};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::{MsgMultiSendResponse, MsgSendResponse};
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;

pub(crate) use bank::credit;
pub(crate) use meter::Fail;
use meter::Meter;

/// Runs one transaction if its gas limit is within `gas_left`.
pub(crate) fn run<S: Supply>(
    genesis: &Genesis,
    header: &Header,
    state: &mut Overlay<S>,
    tx: &CosmosTx,
    gas_left: u64,
) -> Result<Receipt, Halt> {
    let mut result = CosmosResult { gas_wanted: tx.gas(), ..CosmosResult::default() };
    let mut gas_used = 0;
    state.open();
    let outcome = if tx.gas() > gas_left {
        Err(Fail::sdk(11, "the block has no room for the gas wanted: out of gas"))
    } else {
        let mut meter = Meter::new(state, tx.gas());
        let ante = ante::run(genesis, header, &mut meter, tx);
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
    let mut meter = Meter::resume(state, tx.gas(), gas_used);
    let done = messages(&mut meter, tx);
    gas_used = meter.used();
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

fn messages<S: Supply>(meter: &mut Meter<'_, S>, tx: &CosmosTx) -> Result<(Vec<u8>, Vec<Event>), Fail> {
    let (mut responses, mut events) = (Vec::new(), Vec::new());
    for (index, message) in tx.messages().iter().enumerate() {
        let (response, mut emitted) = handle(meter, message).map_err(|fail| fail.at_message(index))?;
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

/// One message: its response and its events.
fn handle<S: Supply>(meter: &mut Meter<'_, S>, message: &Message) -> Result<(Any, Vec<Event>), Fail> {
    let mut events = Vec::new();
    let response = match message {
        Message::Send(send) => {
            let (from, to) = (bank::account(&send.from_address)?, bank::account(&send.to_address)?);
            bank::send(meter, from, to, bank::amount(&send.amount)?, &mut events)?;
            answer("/cosmos.bank.v1beta1.MsgSendResponse", &MsgSendResponse {})
        }
        Message::MultiSend(many) => {
            for input in &many.inputs {
                bank::spend(meter, bank::account(&input.address)?, bank::amount(&input.coins)?, &mut events)?;
            }
            for output in &many.outputs {
                bank::receive(meter, bank::account(&output.address)?, bank::amount(&output.coins)?, &mut events)?;
            }
            answer("/cosmos.bank.v1beta1.MsgMultiSendResponse", &MsgMultiSendResponse {})
        }
        Message::StoreCode(_)
        | Message::Instantiate(_)
        | Message::Execute(_)
        | Message::Migrate(_)
        | Message::UpdateAdmin(_)
        | Message::ClearAdmin(_)
        | Message::SealedInstantiate(_)
        | Message::SealedExecute(_)
        | Message::SealedMigrate(_) => {
            return Err(Fail::of("compute", 17, "contracts are not executed by this version: unsupported"));
        }
    };
    Ok((response, events))
}

fn answer(type_url: &str, response: &impl prost::Message) -> Any {
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
