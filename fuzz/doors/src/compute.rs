//! Blocks of calls to contracts, through the whole ledger.

use std::sync::LazyLock;

use alloy_primitives::U256;
use cloister_chain::cosmos::{bech32, sealed};
use cloister_chain::wire::{Answer, ContractQuery, Form, Query, QueryAt, QueryRefusal};
use cloister_chain::{Address, Bytes, Leaf, limits};
use cloister_envelope::message::gcm::Sealer;
use cloister_envelope::message::{self as envelope, CallContext, Entry, Plaintext, QueryContext, siv};
use cloister_envelope::{AccountKey, ExchangeKey, Secret};
use cloister_keys::{Keys, Roots, Seed};
use cloister_ledger::Ledger;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::secret::compute::v1beta1::{
    MsgClearAdmin, MsgExecuteContract, MsgInstantiateContract, MsgMigrateContract, MsgStoreCode, MsgUpdateAdmin,
};

use crate::cursor::Cursor;
use crate::seeds::messages::any;
use crate::signer::account;
use crate::stage::{COMPUTE, Contract, Host, SEED, STAGE, USERS, cosmos};

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new("test-1", Roots::found("test-1", Seed::from_bytes(SEED))));

/// The bytes are the transactions of a block, correctly signed; the contracts that they call are [`crate::guest`]'s.
///
/// ```text
/// block       = transaction*, at most 6
/// transaction = who(1) ‖ message ‖ message …     another one follows if bit 7 of `which` is set
/// message     = how(1) ‖ which(1) ‖ amount(1) ‖ length(2) ‖ text
/// how         = bits 0-1: plain, secretjs's form, our own form, our own form that does not open; the rest: the kind
/// ```
pub(crate) fn block(data: &[u8]) {
    let mut cursor = Cursor(data);
    let mut sequences = [2, 0, 0];
    let (mut txs, mut questions, mut estimates) = (Vec::new(), Vec::new(), Vec::new());
    while txs.len() < MOST && !cursor.is_empty() {
        let user = 1 + cursor.byte() % USERS;
        let mut messages = Vec::new();
        loop {
            let asked = Told::read(&mut cursor, user);
            questions.push(asked.question());
            estimates.push(asked.message().encode_to_vec().into());
            messages.push(asked.message());
            if !asked.more || cursor.is_empty() {
                break;
            }
        }
        let sequence = &mut sequences[usize::from(user) - 1];
        txs.push(cosmos(user, *sequence, GAS, messages));
        *sequence += 1;
    }
    let next = STAGE.propose(txs);
    let execute = || {
        let (mut ledger, mut host) = (STAGE.ledger(), STAGE.host.clone());
        let outcome = ledger.execute(&next, &mut host).expect("a contract cannot stop the chain");
        host.keep(&outcome);
        (ledger, host, outcome)
    };
    let (ledger, mut host, outcome) = execute();
    assert_eq!(outcome, execute().2, "two enclaves agree");
    assert_eq!(outcome.receipts.len(), next.block.txs.len());
    assert!(outcome.receipts.iter().all(|receipt| receipt.gas_used <= GAS));
    assert!(coins(&host) <= coins(&STAGE.host), "nobody makes coins");
    for question in questions {
        ask(&ledger, &mut host, question);
    }
    for tx in &next.block.txs {
        ask(&ledger, &mut host, Query::Simulate(tx.slice(1..)));
    }
    for message in estimates {
        ask(&ledger, &mut host, Query::SealedEstimate(message));
    }
}

fn ask(ledger: &Ledger, host: &mut Host, query: Query) {
    let answer = ledger.snapshots().query(&QueryAt { height: None, query }, host);
    let ours = matches!(answer, Answer::Refused(QueryRefusal::Supply | QueryRefusal::Fault));
    assert!(!ours, "the enclave holds the whole state: {answer:?}");
}

/// What somebody wants of a contract.
struct Told<'a> {
    user: Address,
    more: bool,
    form: u8,
    kind: u8,
    contract: &'static Contract,
    amount: u8,
    text: &'a [u8],
}

impl<'a> Told<'a> {
    fn read(cursor: &mut Cursor<'a>, user: u8) -> Self {
        let (how, which, amount) = (cursor.byte(), cursor.byte(), cursor.byte());
        Self {
            user: account(user),
            more: which & 0x80 != 0,
            form: how & 3,
            kind: (how >> 2) % 7,
            contract: &STAGE.contracts[usize::from(which & 0x7f) % STAGE.contracts.len()],
            amount,
            text: cursor.long(),
        }
    }

    fn message(&self) -> Any {
        let (sender, contract) = (self.user.to_vec(), self.contract.address.to_vec());
        let (from, to) = (bech32(&self.user), bech32(&self.contract.address));
        let Contract { code_id, code_hash, .. } = *self.contract;
        let code_hash = code_hash.to_vec();
        let own = self.form >= 2;
        // A label is given away once.
        let label = format!("label {}", self.amount);
        match self.kind {
            0 if own => {
                let input = self.sealed(Entry::Execute(self.contract.address));
                any(OWN, "MsgExecute", &sealed::MsgExecute { sender, contract, code_hash, input, funds: self.funds() })
            }
            1 if own => {
                let (input, funds) = (self.sealed(Entry::Instantiate), self.funds());
                let message =
                    sealed::MsgInstantiate { sender, code_id, code_hash, label, input, funds, admin: String::new() };
                any(OWN, "MsgInstantiate", &message)
            }
            2 if own => {
                let input = self.sealed(Entry::Migrate(self.contract.address));
                any(OWN, "MsgMigrate", &sealed::MsgMigrate { sender, contract, code_id, code_hash, input })
            }
            0 => {
                let (msg, sent_funds) = (self.secretjs(), self.funds());
                let message = MsgExecuteContract { sender, contract, msg, sent_funds, ..Default::default() };
                any(COMPUTE, "MsgExecuteContract", &message)
            }
            1 => {
                let (init_msg, init_funds) = (self.secretjs(), self.funds());
                let message =
                    MsgInstantiateContract { sender, code_id, label, init_msg, init_funds, ..Default::default() };
                any(COMPUTE, "MsgInstantiateContract", &message)
            }
            2 => {
                let msg = self.secretjs();
                let message = MsgMigrateContract { sender: from, contract: to, code_id, msg, ..Default::default() };
                any(COMPUTE, "MsgMigrateContract", &message)
            }
            3 => {
                let message =
                    MsgUpdateAdmin { new_admin: from.clone(), sender: from, contract: to, ..Default::default() };
                any(COMPUTE, "MsgUpdateAdmin", &message)
            }
            4 => any(COMPUTE, "MsgClearAdmin", &MsgClearAdmin { sender: from, contract: to, ..Default::default() }),
            5 => {
                let message = MsgStoreCode { sender, wasm_byte_code: self.text.to_vec(), ..Default::default() };
                any(COMPUTE, "MsgStoreCode", &message)
            }
            _ => {
                let amount = vec![Coin { denom: "uscrt".into(), amount: (u64::from(self.amount) + 1).to_string() }];
                any("cosmos.bank.v1beta1", "MsgSend", &MsgSend { from_address: from, to_address: to, amount })
            }
        }
    }

    fn question(&self) -> Query {
        let (form, message) = match self.form {
            0 | 1 => (Form::Siv, self.secretjs()),
            2 => {
                let context = QueryContext {
                    chain_id: CHAIN,
                    contract: self.contract.address,
                    code_hash: self.contract.code_hash,
                };
                let reader = AccountKey::from_secret(Secret::from_bytes([4; 32])).expect("a key");
                let (question, _) = self.sealer().signed_query(&context, &reader, LAST, self.text).expect("short");
                (Form::Gcm, question)
            }
            _ => (Form::Gcm, self.text.to_vec()),
        };
        Query::Contract(ContractQuery { contract: self.contract.address, form, message: Bytes::from(message) })
    }

    /// Plain, or in secretjs's form.
    fn secretjs(&self) -> Vec<u8> {
        if self.form == 0 {
            return self.text.to_vec();
        }
        let session = siv::Session::of_client(&client(), &KEYS.io_public(), [self.amount; 32]).expect("a good key");
        let plain = Plaintext::of_user(self.contract.code_hash, self.text).to_bytes();
        session.seal_message(&plain).expect("short")
    }

    /// In our own form, or the text in its place.
    fn sealed(&self, entry: Entry) -> Vec<u8> {
        if self.form == 3 {
            return self.text.to_vec();
        }
        let funds: Vec<_> =
            self.funds().iter().map(|_| envelope::Coin { denom: "uscrt", amount: U256::from(self.amount) }).collect();
        let funds = if matches!(entry, Entry::Migrate(_)) { &[] } else { funds.as_slice() };
        let code_hash = self.contract.code_hash;
        let context = CallContext { chain_id: CHAIN, sender: self.user, entry, code_hash, funds };
        self.sealer().call(&context, self.text).expect("short").0
    }

    fn sealer(&self) -> Sealer {
        Sealer::new(&client(), &KEYS.input_key(), [self.amount; 32]).expect("a good key")
    }

    fn funds(&self) -> Vec<Coin> {
        let coin = || Coin { denom: "uscrt".into(), amount: self.amount.to_string() };
        (self.amount > 0).then(coin).into_iter().collect()
    }
}

fn client() -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes([3; 32]))
}

fn coins(host: &Host) -> u128 {
    let of = |(leaf, value): (&Leaf, &Vec<u8>)| match leaf {
        Leaf::Coins(_) => borsh::from_slice::<u128>(value).expect("coins"),
        _ => 0,
    };
    host.leaves.iter().map(of).sum()
}

/// One message in the form that [`block`] reads, in a transaction of its own.
pub(crate) fn told(who: u8, form: u8, kind: u8, which: u8, amount: u8, text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("short").to_be_bytes();
    [&[who, form | kind << 2, which, amount][..], &length, text].concat()
}

const CHAIN: &str = "test-1";
const OWN: &str = "cloister.compute.v1";
const MOST: usize = 6;
/// Up to when questions are answered: the stage stands on a few blocks.
const LAST: u64 = limits::PERMIT_BLOCKS;
/// Enough for a dozen calls from contract to contract.
const GAS: u64 = 400_000;

#[cfg(test)]
mod tests {
    use super::*;
    use cloister_chain::Status;

    #[test]
    fn calls_in_every_form_succeed_and_lead_to_others() {
        let call = crate::seeds::blocks::call(&STAGE.contracts[1], r#"{"Ok":{"messages":[],"log":[]}}"#);
        let text = crate::seeds::blocks::response(&[call], "always");
        for form in 0..3 {
            let bytes = told(0, form, 0, 0, 5, text.as_bytes());
            let told = Told::read(&mut Cursor(&bytes[1..]), 1);
            let next = STAGE.propose(vec![cosmos(1, 2, GAS, vec![told.message()])]);
            let outcome = STAGE.ledger().execute(&next, &mut STAGE.host.clone()).expect("a good block");
            let receipt = &outcome.receipts[0];
            assert_eq!(receipt.status, Status::Success, "{form}: {:?}", receipt.cosmos);
            let events = &receipt.cosmos.as_ref().expect("a Cosmos transaction").events;
            let replied = events.iter().filter(|event| event.kind == "reply").count();
            assert_eq!(replied, 1, "{events:#?}");
            let answer = STAGE.ledger().snapshots().query(
                &QueryAt {
                    height: None,
                    query: Told { text: br#"{"Ok":"e30="}"#, form: form.max(1), ..told }.question(),
                },
                &mut STAGE.host.clone(),
            );
            assert!(matches!(answer, Answer::Contract { .. }), "{form}: {answer:?}");
        }
    }
}
