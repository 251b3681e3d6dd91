//! The messages of a transaction.

use cloister_chain::cosmos::{Message, bech32, coins, from_bech32, from_bytes};
use cloister_chain::leaf::{ChainState, Code, Contract, History, Operation};
use cloister_chain::receipt::Event;
use cloister_chain::{Account, Address, B256, Leaf, limits};
use cloister_envelope::message::plain::Plaintext;
use cloister_state::Supply;
use cloister_wasm::{Coin, unpack};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgClearAdminResponse, MsgExecuteContractResponse, MsgInstantiateContractResponse, MsgMigrateContractResponse,
    MsgStoreCode, MsgStoreCodeResponse, MsgUpdateAdminResponse,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::call::{Done, INVALID, handled, unreadable};
use super::channel::{Channel, Emitted};
use super::contract::{Callee, names};
use super::{Fault, Verb, Work, contract_address, not_found, own};
use crate::cosmos::{Fail, answer, authz, bank, events, feegrant};

/// A contract to be made.
pub(crate) struct New {
    pub(crate) creator: Address,
    pub(crate) code_id: u64,
    pub(crate) label: String,
    /// In Bech32; empty counts as none.
    pub(crate) admin: Option<String>,
    pub(crate) funds: Vec<Coin>,
}

/// A message's input, opened.
pub(super) struct Opened {
    pub(super) channel: Channel,
    /// Which code the sender means, in hexadecimal; nothing says so in the clear.
    pub(super) code_hash: Option<String>,
    pub(super) message: Zeroizing<Vec<u8>>,
}

/// One message of the module, the `index`th of its transaction: its response and its events.
pub(crate) fn handle<S: Supply>(
    work: &mut Work<'_, '_, S>,
    message: &Message,
    index: usize,
) -> Result<(Any, Vec<Event>), Fail> {
    match message {
        Message::StoreCode(store) => work.store(store),
        Message::SealedInstantiate(_) | Message::SealedExecute(_) | Message::SealedMigrate(_) => {
            own::handle(work, message, index)
        }
        Message::Instantiate(m) => {
            own_signature(&m.callback_sig, Verb::Instantiate)?;
            let opened = work.open_siv(&m.init_msg, Verb::Instantiate)?;
            let (address, data, events) = work.instantiate_for(
                &opened,
                New {
                    creator: from_bytes(&m.sender)?,
                    code_id: m.code_id,
                    label: m.label.clone(),
                    admin: Some(m.admin.clone()),
                    funds: funds(&m.init_funds)?,
                },
                &m.init_msg,
            )?;
            let response = MsgInstantiateContractResponse { address, data };
            Ok((answer("/secret.compute.v1beta1.MsgInstantiateContractResponse", &response), events))
        }
        Message::Execute(m) => {
            own_signature(&m.callback_sig, Verb::Execute)?;
            let opened = work.open_siv(&m.msg, Verb::Execute)?;
            let (sender, contract) = (from_bytes(&m.sender)?, from_bytes(&m.contract)?);
            let (data, events) = work.execute_for(&opened, sender, contract, &funds(&m.sent_funds)?)?;
            let response = MsgExecuteContractResponse { data };
            Ok((answer("/secret.compute.v1beta1.MsgExecuteContractResponse", &response), events))
        }
        Message::Migrate(m) => {
            own_signature(&m.callback_sig, Verb::Migrate)?;
            let opened = work.open_siv(&m.msg, Verb::Migrate)?;
            let (sender, contract) = (from_bech32(&m.sender)?, from_bech32(&m.contract)?);
            let (data, events) = work.migrate_for(&opened, sender, contract, m.code_id, &m.msg)?;
            let response = MsgMigrateContractResponse { data };
            Ok((answer("/secret.compute.v1beta1.MsgMigrateContractResponse", &response), events))
        }
        Message::UpdateAdmin(m) => {
            own_signature(&m.callback_sig, Verb::Migrate)?;
            let (mut events, admin) = (Vec::new(), from_bech32(&m.new_admin)?);
            work.set_admin(from_bech32(&m.sender)?, &m.contract, Some(admin), &mut events)?;
            Ok((answer("/secret.compute.v1beta1.MsgUpdateAdminResponse", &MsgUpdateAdminResponse {}), events))
        }
        Message::ClearAdmin(m) => {
            own_signature(&m.callback_sig, Verb::Migrate)?;
            let mut events = Vec::new();
            work.set_admin(from_bech32(&m.sender)?, &m.contract, None, &mut events)?;
            Ok((answer("/secret.compute.v1beta1.MsgClearAdminResponse", &MsgClearAdminResponse {}), events))
        }
        Message::GrantAllowance(m) => feegrant::grant(&mut work.meter, work.scene.header, m),
        Message::RevokeAllowance(m) => feegrant::revoke(&mut work.meter, m),
        Message::Stake(m) => crate::staking::handle(&mut work.meter, work.scene.genesis, work.scene.header, m),
        Message::Authz(m) => authz::handle(work, m, index),
        Message::Trust(m) => crate::registration::handle(work, m),
        Message::Gov(m) => crate::gov::handle(&mut work.meter, work.scene.header, m),
        Message::Send(_) | Message::MultiSend(_) => crate::cosmos::bank_message(&mut work.meter, message),
    }
}

impl<S: Supply> Work<'_, '_, S> {
    /// Opens a message of secret.js's. What does not open was sent in the clear, as published clients expect, except where
    /// they never do that.
    fn open_siv(&self, message: &[u8], verb: Verb) -> Result<Opened, Fail> {
        let Ok((session, plaintext)) = self.scene.keys.open_siv(message) else {
            if verb == Verb::Migrate {
                return Err(verb.enclave("failed to decrypt data"));
            }
            let message = Zeroizing::new(message.to_vec());
            return Ok(Opened { channel: Channel::Plain, code_hash: None, message });
        };
        let parsed = Plaintext::parse(&plaintext).map_err(|_| verb.enclave(INVALID))?;
        // Only calls between contracts carry these, and no such call comes in from outside.
        if !parsed.replies.is_empty() {
            return Err(verb.enclave(INVALID));
        }
        let (code_hash, message) = (parsed.code_hash, Zeroizing::new(parsed.message.to_vec()));
        Ok(Opened { channel: Channel::Siv(session), code_hash: Some(hex(&code_hash)), message })
    }

    pub(super) fn instantiate_for(
        &mut self,
        opened: &Opened,
        made: New,
        wire: &[u8],
    ) -> Result<(String, Vec<u8>, Vec<Event>), Fail> {
        let Opened { channel, code_hash, message } = opened;
        let result = self.instantiate(channel, made, code_hash.as_deref(), message, Some(wire));
        let (address, done) = result.map_err(|fault| fault.shown(channel, Verb::Instantiate))?;
        let (data, events) = finish(channel, done, &address)?;
        Ok((address, data, events))
    }

    pub(super) fn execute_for(
        &mut self,
        opened: &Opened,
        sender: Address,
        contract: Address,
        funds: &[Coin],
    ) -> Result<(Vec<u8>, Vec<Event>), Fail> {
        let Opened { channel, code_hash, message } = opened;
        let callee = self.callee_at(contract)?;
        if code_hash.as_ref().is_some_and(|hash| !callee.runs(hash)) {
            return Err(Verb::Execute.enclave(INVALID));
        }
        let done = self.execute(channel, sender, &callee, funds, message);
        finish(channel, done.map_err(|fault| fault.shown(channel, Verb::Execute))?, "")
    }

    pub(super) fn migrate_for(
        &mut self,
        opened: &Opened,
        sender: Address,
        contract: Address,
        code_id: u64,
        wire: &[u8],
    ) -> Result<(Vec<u8>, Vec<Event>), Fail> {
        let Opened { channel, code_hash, message } = opened;
        let callee = self.callee_at(contract)?;
        let code_hash = code_hash.as_deref().unwrap_or_default();
        let done = self.migrate(channel, sender, callee, (code_id, code_hash), message, Some(wire));
        finish(channel, done.map_err(|fault| fault.shown(channel, Verb::Migrate))?, "")
    }

    fn store(&mut self, message: &MsgStoreCode) -> Result<(Any, Vec<Event>), Fail> {
        let creator = from_bytes(&message.sender)?;
        if message.source.len() > TAG_BYTES || message.builder.len() > TAG_BYTES {
            return Err(Fail::of("compute", 12, "source or builder: exceeds limit"));
        }
        // A log is one line.
        let refused =
            |why: String| Fail::of("compute", 15, format!("{}: create contract failed", why.replace('\n', " ")));
        let wasm = unpack(&message.wasm_byte_code).map_err(|error| refused(error.to_string()))?;
        let size = u32::try_from(wasm.len()).unwrap_or(u32::MAX);
        self.meter.charge(u64::from(size).saturating_mul(4) / 5, "Compiling WASM Bytecode")?;
        let hash = B256::from_slice(&Sha256::digest(&wasm));
        match self.scene.codes.compile(hash, &wasm) {
            // Floats are found when it is instantiated, as published clients expect.
            Ok(_) | Err(cloister_wasm::CodeError::Floats) => {}
            Err(error) => return Err(refused(error.to_string())),
        }
        let blob = self.meter.state().put_blob(wasm.into_owned().into());
        let mut chain = self.chain()?;
        chain.codes = chain.codes.saturating_add(1);
        let code_id = chain.codes;
        self.meter.write(Leaf::Chain, Some(&chain))?;
        let (source, builder) = (message.source.clone(), message.builder.clone());
        self.meter.write(Leaf::Code(code_id), Some(&Code { hash, blob, size, creator, source, builder }))?;
        let (name, number) = (bech32(&creator), code_id.to_string());
        let mut stored = handled(&name, None);
        stored.attributes.push(("signer".into(), name));
        let events = vec![stored, events::event("message", [("code_id", number)])];
        Ok((answer("/secret.compute.v1beta1.MsgStoreCodeResponse", &MsgStoreCodeResponse { code_id }), events))
    }

    /// Makes a contract: its address, and what its first call gave. `wire` is the message as it came; a contract's own is
    /// sealed for the history.
    pub(crate) fn instantiate(
        &mut self,
        channel: &Channel,
        made: New,
        code_hash: Option<&str>,
        message: &[u8],
        wire: Option<&[u8]>,
    ) -> Result<(String, Done), Fault> {
        let code: Code = self.meter.read(Leaf::Code(made.code_id))?.ok_or_else(|| not_found("code"))?;
        if code_hash.is_some_and(|hash| !names(&code, hash)) {
            return Err(Verb::Instantiate.enclave(INVALID).into());
        }
        if made.label.is_empty() || made.label.len() > limits::LABEL_BYTES {
            let log = format!("a label has 1 to {} bytes: invalid request", limits::LABEL_BYTES);
            return Err(Fail::sdk(18, log).into());
        }
        let label = Leaf::label(&made.label);
        if self.meter.read::<Address>(label)?.is_some() {
            return Err(Fail::of("compute", 6, "label already in use: contract account already exists").into());
        }
        let mut chain = self.chain()?;
        chain.instances = chain.instances.saturating_add(1);
        let (instance, address) = (chain.instances, contract_address(made.code_id, chain.instances, made.creator));
        self.meter.write(Leaf::Chain, Some(&chain))?;
        self.occupy(address)?;
        let admin = made.admin.as_deref().filter(|admin| !admin.is_empty()).map(from_bech32);
        let mut callee = Callee {
            address,
            name: bech32(&address),
            info: Contract {
                code: made.code_id,
                creator: made.creator,
                label: made.label,
                admin: admin.transpose().map_err(unreadable)?,
                created: self.position(),
                history: 0,
            },
            code,
        };
        self.meter.write(label, Some(&address))?;
        self.meter.write(Leaf::Instance(instance), Some(&address))?;
        self.remember(channel, &mut callee, Operation::Init, message, wire)?;
        bank::open(&mut self.meter, address)?;

        let creator = bech32(&made.creator);
        let mut emitted = Emitted::default();
        self.deposit(made.creator, address, &made.funds, &mut emitted.events)?;
        let mut done = self.call(channel, &callee, Verb::Instantiate, (&creator, &made.funds, message))?;
        emitted.append(std::mem::take(&mut done.emitted));
        emitted.events.push(handled(&creator, Some(&callee.name)));
        done.emitted = emitted;
        Ok((callee.name, done))
    }

    /// Gives a contract other code, and calls that.
    pub(crate) fn migrate(
        &mut self,
        channel: &Channel,
        sender: Address,
        mut callee: Callee,
        (code_id, code_hash): (u64, &str),
        message: &[u8],
        wire: Option<&[u8]>,
    ) -> Result<Done, Fault> {
        if callee.info.admin != Some(sender) {
            return Err(Fail::sdk(4, "requires migrate from admin: unauthorized").into());
        }
        callee.code = self.meter.read(Leaf::Code(code_id))?.ok_or_else(|| not_found("code"))?;
        callee.info.code = code_id;
        if !callee.runs(code_hash) {
            return Err(Verb::Migrate.enclave(INVALID).into());
        }
        self.remember(channel, &mut callee, Operation::Migrate, message, wire)?;
        let sender = bech32(&sender);
        let mut emitted = Emitted::default();
        emitted.events.push(handled(&sender, None));
        let mut done = self.call(channel, &callee, Verb::Migrate, (&sender, &[], message))?;
        emitted.append(std::mem::take(&mut done.emitted));
        done.emitted = emitted;
        Ok(done)
    }

    /// Changes or removes who may migrate a contract.
    pub(crate) fn set_admin(
        &mut self,
        sender: Address,
        contract: &str,
        admin: Option<Address>,
        emitted: &mut Vec<Event>,
    ) -> Result<(), Fail> {
        let mut callee = self.callee(contract)?;
        if callee.info.admin != Some(sender) {
            return Err(Fail::sdk(4, "can not modify contract: unauthorized"));
        }
        callee.info.admin = admin;
        self.put_contract(&callee)?;
        let admin = admin.map(|admin| bech32(&admin)).unwrap_or_default();
        emitted.push(handled(&bech32(&sender), None));
        emitted.push(events::event(
            "update_contract_admin",
            [("contract_address", callee.name), ("new_admin_address", admin)],
        ));
        Ok(())
    }

    /// Adds to a contract's history, and writes the contract.
    fn remember(
        &mut self,
        channel: &Channel,
        callee: &mut Callee,
        operation: Operation,
        message: &[u8],
        wire: Option<&[u8]>,
    ) -> Result<(), Fail> {
        let message = match wire {
            Some(wire) => wire.to_vec(),
            None => channel.history(&Plaintext::of_user(callee.code.hash, message))?,
        };
        let entry = History { operation, code: callee.info.code, updated: self.position(), message };
        self.meter.write(Leaf::History(callee.address, callee.info.history), Some(&entry))?;
        callee.info.history = callee.info.history.saturating_add(1);
        self.put_contract(callee)
    }

    /// Takes an address for a contract of this world. To the other world it looks like one whose every call fails, so that
    /// no value is ever sent there by mistake (D14).
    fn occupy(&mut self, address: Address) -> Result<(), Fail> {
        let mut account: Account = self.meter.read(Leaf::Account(address))?.unwrap_or_default();
        if account.sequence > 0 || account.code != Account::default().code {
            return Err(Fail::of("compute", 6, "contract account already exists"));
        }
        account.sequence = 1;
        account.code = self.meter.state().put_blob(alloy_primitives::Bytes::from_static(&CLOSED));
        self.meter.write(Leaf::Account(address), Some(&account))
    }

    fn chain(&mut self) -> Result<ChainState, Fail> {
        Ok(self.meter.read(Leaf::Chain)?.unwrap_or_default())
    }
}

/// The response's data and all events; `made` is the contract that the message made.
fn finish(channel: &Channel, done: Done, made: &str) -> Result<(Vec<u8>, Vec<Event>), Fail> {
    let Done { emitted, data } = done;
    Ok((channel.data(data, emitted.private, made)?, emitted.events))
}

/// Refuses what claims to be a contract's call: those never come from outside.
fn own_signature(callback: &[u8], verb: Verb) -> Result<(), Fail> {
    if callback.is_empty() { Ok(()) } else { Err(verb.enclave("failed to verify transaction signature")) }
}

/// A deposit as contracts see it.
pub(super) fn funds(list: &[ProtoCoin]) -> Result<Vec<Coin>, Fail> {
    let amount = coins(list)?;
    let coin = |coin: &ProtoCoin| Coin { denom: coin.denom.clone(), amount };
    Ok(list.iter().filter(|_| amount > 0).map(coin).collect())
}

pub(super) fn hex(hash: &B256) -> String {
    alloy_primitives::hex::encode(hash)
}

/// `PUSH0 PUSH0 REVERT`.
const CLOSED: [u8; 3] = [0x5f, 0x5f, 0xfd];
/// Longest source or builder of a code.
const TAG_BYTES: usize = 128;
