//! Transactions of the Cosmos world, and a contract that keeps a number.

use alloy_primitives::{Address, B256, Bytes};
use cloister_chain::cosmos::sealed::{MsgExecute, MsgInstantiate, MsgInstantiateResponse, Output};
use cloister_chain::cosmos::{PublicKey, from_bech32};
use cloister_chain::wire::{Answer, ContractQuery, Form, NetworkKeys, Query};
use cloister_chain::{Outcome, Status};
use cloister_envelope::message::{CallContext, Entry, QueryContext, gcm};
use cloister_envelope::{AccountKey, ExchangeKey, Secret};
use prost::Message as _;
use secp256k1::{Message, SECP256K1};
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::abci::v1beta1::TxMsgData;
use secret_sdk_proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use secret_sdk_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use secret_sdk_proto::secret::compute::v1beta1::MsgStoreCode;
use sha2::{Digest as _, Sha256};

use super::{Chain, secret};
use crate::Failure;

/// A transaction of user `from`, whose account number is `from - 1`.
pub(crate) fn signed(from: u8, sequence: u64, gas_limit: u64, messages: Vec<Any>) -> Bytes {
    let info = SignerInfo {
        public_key: Some(key(from).to_any()),
        mode_info: Some(ModeInfo { sum: Some(Sum::Single(Single { mode: 1 })) }),
        sequence,
    };
    let fee = Fee { gas_limit, ..Fee::default() };
    let body_bytes = TxBody { messages, ..TxBody::default() }.encode_to_vec();
    let auth_info_bytes = AuthInfo { signer_infos: vec![info], fee: Some(fee), ..AuthInfo::default() }.encode_to_vec();
    let document = SignDoc {
        body_bytes: body_bytes.clone(),
        auth_info_bytes: auth_info_bytes.clone(),
        chain_id: CHAIN.into(),
        account_number: u64::from(from) - 1,
    };
    let digest = Message::from_digest(Sha256::digest(document.encode_to_vec()).into());
    let signature = SECP256K1.sign_ecdsa(digest, &secret(from)).serialize_compact().to_vec();
    let raw = TxRaw { body_bytes, auth_info_bytes, signatures: vec![signature] }.encode_to_vec();
    [&[2], raw.as_slice()].concat().into()
}

/// The account of a user in this world.
pub(crate) fn account(user: u8) -> Address {
    key(user).address()
}

/// Our own message to a contract, as it stands in a transaction.
pub(crate) fn execute(message: &MsgExecute) -> Any {
    Any { type_url: "/cloister.compute.v1.MsgExecute".into(), value: message.encode_to_vec() }
}

/// The example contract `counter`, and who owns it.
pub(crate) struct Counter {
    pub(crate) address: Address,
    pub(crate) code_hash: B256,
    code_id: u64,
}

impl Counter {
    /// Uploads the code and makes a contract of it, both by `user`, whose first transactions these are.
    pub(crate) fn start(chain: &mut Chain, user: u8, count: u32) -> Result<Self, Failure> {
        let message =
            MsgStoreCode { sender: account(user).to_vec(), wasm_byte_code: CODE.into(), ..Default::default() };
        let store = Any { type_url: "/secret.compute.v1beta1.MsgStoreCode".into(), value: message.encode_to_vec() };
        succeeded(chain.run(vec![signed(user, 0, 50_000_000, vec![store])])?)?;
        Self { address: Address::ZERO, code_hash: B256::from_slice(&Sha256::digest(CODE)), code_id: 1 }
            .another(chain, user, 1, count)
    }

    /// One more contract of the same code, by `user`.
    pub(crate) fn another(&self, chain: &mut Chain, user: u8, sequence: u64, count: u32) -> Result<Self, Failure> {
        let (sender, code_hash) = (account(user), self.code_hash);
        let context = CallContext { chain_id: CHAIN, sender, entry: Entry::Instantiate, code_hash, funds: &[] };
        let (input, keys) =
            sealer(chain, user, [0xaa; 32])?.call(&context, format!("{{\"count\":{count}}}").as_bytes())?;
        let message = MsgInstantiate {
            sender: sender.to_vec(),
            code_id: self.code_id,
            code_hash: code_hash.to_vec(),
            label: format!("counter of {user}"),
            input,
            ..MsgInstantiate::default()
        };
        let make = Any { type_url: "/cloister.compute.v1.MsgInstantiate".into(), value: message.encode_to_vec() };
        let outcome = chain.run(vec![signed(user, sequence, 10_000_000, vec![make])])?;
        let response: MsgInstantiateResponse = response(outcome)?;
        let place = gcm::OutputPlace { transaction: outcome.receipts[0].tx, message: 0, output: 0 };
        keys.open_output(&place, &response.output)?;
        Ok(Self { address: from_bech32(&response.address)?, code_hash, code_id: self.code_id })
    }

    /// What `user` sends to have it do something, and what opens the output.
    pub(crate) fn call(
        &self,
        chain: &mut Chain,
        user: u8,
        nonce: [u8; 32],
        message: &str,
    ) -> Result<(MsgExecute, gcm::CallKeys), Failure> {
        let (sender, entry, code_hash) = (account(user), Entry::Execute(self.address), self.code_hash);
        let context = CallContext { chain_id: CHAIN, sender, entry, code_hash, funds: &[] };
        let (input, keys) = sealer(chain, user, nonce)?.call(&context, message.as_bytes())?;
        let (contract, code_hash) = (self.address.to_vec(), code_hash.to_vec());
        Ok((MsgExecute { sender: sender.to_vec(), contract, code_hash, input, funds: Vec::new() }, keys))
    }

    /// What `user` asks to learn the count, for some blocks to come, and what opens the answer.
    pub(crate) fn question(
        &self,
        chain: &mut Chain,
        user: u8,
        nonce: [u8; 32],
    ) -> Result<(Query, gcm::AnswerKeys), Failure> {
        let last = chain.parent.header.height + LASTING;
        self.question_until(chain, user, nonce, last)
    }

    /// The same up to a height.
    pub(crate) fn question_until(
        &self,
        chain: &mut Chain,
        user: u8,
        nonce: [u8; 32],
        last: u64,
    ) -> Result<(Query, gcm::AnswerKeys), Failure> {
        let (message, keys) =
            sealer(chain, user, nonce)?.signed_query(&self.asked(), &account_key(user)?, last, QUESTION)?;
        Ok((self.query(message), keys))
    }

    /// The same with a permit that `user` gave for a question to `other`, which the attacker got to read.
    pub(crate) fn question_by_permit_for(
        &self,
        other: &Self,
        chain: &mut Chain,
        user: u8,
        nonce: [u8; 32],
    ) -> Result<(Query, gcm::AnswerKeys), Failure> {
        // A permit says nothing of the network's key, so sealed to a key of the attacker's it can be read.
        let (own, client) = (ExchangeKey::from_secret(Secret::from_bytes([66; 32])), exchange(user));
        let epoch = network(chain)?.epoch;
        let readable = gcm::Sealer::new(&client, &gcm::InputKey { epoch, public: own.public() }, nonce)?;
        let last = chain.parent.header.height + LASTING;
        let (message, _) = readable.signed_query(&other.asked(), &account_key(user)?, last, QUESTION)?;
        let (_, permitted) = gcm::open_query(&own, &other.asked(), &message)?;
        let (message, keys) = sealer(chain, user, nonce)?.query(&self.asked(), &permitted)?;
        Ok((self.query(message), keys))
    }

    /// A call of `sender`'s as an estimate that `reader` signs for, and what opens the answer.
    pub(crate) fn estimate(
        &self,
        chain: &mut Chain,
        (sender, reader): (u8, u8),
        nonce: [u8; 32],
        message: &str,
    ) -> Result<(Query, gcm::AnswerKeys), Failure> {
        let (entry, code_hash) = (Entry::Execute(self.address), self.code_hash);
        let context = CallContext { chain_id: CHAIN, sender: account(sender), entry, code_hash, funds: &[] };
        let last = chain.parent.header.height + LASTING;
        let sealer = sealer(chain, reader, nonce)?;
        let (input, keys) = sealer.signed_estimate(&context, &account_key(reader)?, last, message.as_bytes())?;
        let (sender, contract) = (account(sender).to_vec(), self.address.to_vec());
        let message = MsgExecute { sender, contract, code_hash: code_hash.to_vec(), input, funds: Vec::new() };
        Ok((Query::SealedEstimate(execute(&message).encode_to_vec().into()), keys))
    }

    fn asked(&self) -> QueryContext<'static> {
        QueryContext { chain_id: CHAIN, contract: self.address, code_hash: self.code_hash }
    }

    fn query(&self, message: Vec<u8>) -> Query {
        Query::Contract(ContractQuery { contract: self.address, form: Form::Gcm, message: message.into() })
    }

    /// The count, as `user` learns it.
    pub(crate) fn count(&self, chain: &mut Chain, user: u8) -> Result<u32, Failure> {
        let (question, keys) = self.question(chain, user, [0xcc; 32])?;
        let Answer::Contract { sealed, .. } = chain.ask(question)? else {
            return Err("the counter does not answer".into());
        };
        let output = Output::decode(keys.open_answer(&sealed)?.as_slice())?;
        let text = String::from_utf8(output.data)?;
        Ok(text.trim_matches(|letter: char| !letter.is_ascii_digit()).parse()?)
    }
}

/// The public keys that the enclave names.
pub(crate) fn network(chain: &mut Chain) -> Result<NetworkKeys, Failure> {
    match chain.ask(Query::NetworkKeys)? {
        Answer::NetworkKeys(keys) => Ok(keys),
        other => Err(format!("no network keys: {other:?}").into()),
    }
}

/// The response to the first message of a block's first transaction.
pub(crate) fn response<T: prost::Message + Default>(outcome: &Outcome) -> Result<T, Failure> {
    succeeded(outcome)?;
    let result = outcome.receipts[0].cosmos.as_ref().ok_or("not of this world")?;
    let data = TxMsgData::decode(result.data.as_ref())?;
    Ok(T::decode(data.msg_responses.first().ok_or("no response")?.value.as_slice())?)
}

fn succeeded(outcome: &Outcome) -> Result<(), Failure> {
    let receipt = outcome.receipts.first().ok_or("an empty block")?;
    let log = || receipt.cosmos.as_ref().map(|result| result.log.clone()).unwrap_or_default();
    if receipt.status == Status::Success {
        Ok(())
    } else {
        Err(format!("an honest transaction failed: {}", log()).into())
    }
}

fn sealer(chain: &mut Chain, user: u8, nonce: [u8; 32]) -> Result<gcm::Sealer, Failure> {
    let network = network(chain)?;
    let key = gcm::InputKey { epoch: network.epoch, public: network.input };
    Ok(gcm::Sealer::new(&exchange(user), &key, nonce)?)
}

fn exchange(user: u8) -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes([user; 32]))
}

fn account_key(user: u8) -> Result<AccountKey, Failure> {
    Ok(AccountKey::from_secret(Secret::from_bytes(secret(user).secret_bytes()))?)
}

fn key(user: u8) -> PublicKey {
    PublicKey::Single(secret(user).public_key(SECP256K1).serialize())
}

const CHAIN: &str = "test-1";
const QUESTION: &[u8] = br#"{"get_count":{}}"#;
/// For how many blocks a question is answered that does not say otherwise.
const LASTING: u64 = 100;
const CODE: &[u8] = include_bytes!("../../../contracts/cosmwasm/artifacts/counter.wasm");
