use core::fmt;
use std::io::Write as _;

use alloy_primitives::{Address, B256};
use cloister_chain::cosmos::from_bech32;
use cloister_chain::gas;
use cloister_envelope::message::gcm::InputKey;
use cloister_envelope::{ExchangeKey, Secret};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::compute::v1beta1::{MsgStoreCode, MsgStoreCodeResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::client::Present;
use super::rest::{Included, Placed};
use super::sealed::{
    Answer, Called, Code, Contract, Draft, Estimate, Made, Sealing, answered, called, estimated, executed,
    instantiated, migrated,
};
use super::sign::{Place, Terms, bank_send, sha256};
use super::{Client, NetworkKeys};
use crate::{Error, Failure, Wallet};

/// Gas of a call, beside what the bytes of the transaction cost.
pub const CALL_GAS: u64 = 500_000;
/// Gas of a transfer, beside what the bytes of the transaction cost.
pub const SEND_GAS: u64 = 100_000;
/// For how many blocks a question is answered: long enough for a node that is a few blocks behind.
pub const PERMIT_BLOCKS: u64 = 100;
/// Gas for one [`DENOM`](super::DENOM): a price of 0.1, as published clients offer it. All gas of the limit is paid.
pub const GAS_PRICE: u128 = 10;

/// A wallet at the Cosmos door of a chain.
///
/// Calls may be made at the same time: they get their sequences one after the other and wait for their blocks together.
pub struct Account {
    wallet: Wallet,
    client: Client,
    address: Address,
    exchange: ExchangeKey,
    network: Option<InputKey>,
    gas: u64,
    estimates: bool,
    /// The sequence after the last transaction that the node took from here.
    next: Mutex<u64>,
}

impl Account {
    /// An account whose messages are sealed with a key that is made for it now, from the operating system's randomness.
    pub fn new(wallet: Wallet, client: Client) -> Self {
        let random = |bytes: &mut [u8; 32]| getrandom::fill(bytes).expect("the operating system has randomness");
        Self {
            address: wallet.cosmos_address(),
            wallet,
            client,
            exchange: ExchangeKey::from_secret(Secret::fill(random)),
            network: None,
            gas: CALL_GAS,
            estimates: false,
            next: Mutex::new(0),
        }
    }

    /// Seals messages to this key of the network, and never asks the node for one. It is a key of one epoch: see
    /// [`NetworkKeys`], and the [module](super) for why to pin it. When the epoch is over and its time of grace, the enclaves say
    /// so in the error of every call.
    pub fn with_network_key(mut self, keys: NetworkKeys) -> Self {
        self.network = Some(keys.input());
        self
    }

    /// Seals messages with this key instead of one that is made for the day, so that whoever keeps it can read his calls
    /// [again](Self::reread) after a restart. So can whoever steals it.
    pub fn with_client_key(mut self, key: ExchangeKey) -> Self {
        self.exchange = key;
        self
    }

    /// Lets calls use so much gas, beside what their bytes cost.
    pub fn with_gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }

    /// Has each call [estimated](Self::estimate) before it is sent, and lets it use the [class](gas) after the estimated one, because
    /// the state may change meanwhile. Where there is no estimate, calls use what they use [otherwise](Self::with_gas). The
    /// limit of a call is public, so that it shows what was estimated.
    pub fn with_estimates(mut self) -> Self {
        self.estimates = true;
        self
    }

    /// The account's address at this door; [`bech32`](super::bech32) writes it as people know it.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The account's signing key.
    pub const fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The chain that this account talks to.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// What the account holds.
    pub async fn balance(&self) -> Result<u128, Error> {
        self.client.balance(self.address).await
    }

    /// Sends coins.
    pub async fn send(&self, to: Address, amount: u128) -> Result<Included, Error> {
        self.transact(vec![bank_send(self.address, to, amount)], SEND_GAS).await
    }

    /// Uploads code, an uncompressed WebAssembly module that everybody will see. It travels compressed.
    pub async fn store_code(&self, wasm: &[u8]) -> Result<Code, Error> {
        if !wasm.starts_with(b"\0asm") {
            return Err(Error::Code);
        }
        let message =
            MsgStoreCode { sender: self.address.to_vec(), wasm_byte_code: gzip(wasm), ..MsgStoreCode::default() };
        let type_url = "/secret.compute.v1beta1.MsgStoreCode".into();
        let compiling = u64::try_from(wasm.len()).unwrap_or(u64::MAX);
        let stored = Any { type_url, value: message.encode_to_vec() };
        let tx = self.transact(vec![stored], CALL_GAS.saturating_add(compiling)).await?;
        let told: MsgStoreCodeResponse = tx.response(0, "/secret.compute.v1beta1.MsgStoreCodeResponse")?;
        Ok(Code { id: told.code_id, hash: sha256(wasm) })
    }

    /// Makes a contract that nobody can ever give other code. The label is public and nobody else's.
    pub async fn instantiate(
        &self,
        code: &Code,
        label: &str,
        message: &impl Serialize,
        funds: u128,
    ) -> Result<Made, Error> {
        self.instantiate_for(code, label, None, message, funds).await
    }

    /// Makes a contract that `admin` may give other code.
    pub async fn instantiate_for(
        &self,
        code: &Code,
        label: &str,
        admin: Option<Address>,
        message: &impl Serialize,
        funds: u128,
    ) -> Result<Made, Error> {
        let draft = Draft::Instantiate { code, label, admin, funds };
        let called = self.call(&draft, message, |tx| Ok(instantiated(tx)?.output)).await?;
        // The enclave's word, from inside the output. A node that says otherwise shows others another contract.
        let address = from_bech32(&called.contract).map_err(|_| Error::Result(called.tx.hash))?;
        if instantiated(&called.tx)?.address != called.contract {
            return Err(Error::Elsewhere(address));
        }
        Ok(Made { contract: Contract { address, code_hash: code.hash }, called })
    }

    /// Calls a contract and waits for the block. A contract's error is [`Error::Failed`].
    pub async fn execute(&self, contract: &Contract, message: &impl Serialize, funds: u128) -> Result<Called, Error> {
        self.call(&Draft::Execute { contract, funds }, message, executed).await
    }

    /// Gives a contract other code. Only its admin can.
    pub async fn migrate(
        &self,
        contract: Address,
        code: &Code,
        message: &impl Serialize,
    ) -> Result<(Contract, Called), Error> {
        let called = self.call(&Draft::Migrate { contract, code }, message, migrated).await?;
        Ok((Contract { address: contract, code_hash: code.hash }, called))
    }

    /// What a call would be charged now: a class, which only this account can open. Nothing of its output is told.
    pub async fn estimate(
        &self,
        contract: &Contract,
        message: &impl Serialize,
        funds: u128,
    ) -> Result<Estimate, Error> {
        self.estimated(&Draft::Execute { contract, funds }, &json(message)?).await
    }

    /// Asks a contract. The question is signed with the account's key and answered for the next [`PERMIT_BLOCKS`] blocks, so that
    /// nobody who saw it go by can ask it again later. The enclave alone learns who asks, and does not tell the contract: one
    /// that has to know wants a viewing key or a permit of its own in the question. A contract's error is [`Error::Answered`].
    pub async fn query<T: DeserializeOwned>(
        &self,
        contract: &Contract,
        question: &impl Serialize,
    ) -> Result<Answer<T>, Error> {
        let question = json(question)?;
        let (network, last) = self.asking().await?;
        let (sealed, keys) = self.sealing(&network).query(contract, (self.wallet.key(), last), &question)?;
        let Answer { height, run, value } = answered(&keys, self.client.ask(contract.address, &sealed).await)?;
        Ok(Answer { height, run, value: serde_json::from_slice(&value).map_err(Error::Unexpected)? })
    }

    /// Sends messages of any kind, all or none of which happen, and waits for the block. `gas` is beside what the bytes cost.
    pub async fn transact(&self, messages: Vec<Any>, gas: u64) -> Result<Included, Error> {
        let (hash, placed) = self.place(messages, gas).await?;
        let Placed { height, gas_used, result } = placed;
        let failed = |reason| Failure { hash, height, gas_used, reason, contract: None };
        result.map_err(|reason| Error::Failed(Box::new(failed(reason))))
    }

    async fn call(
        &self,
        draft: &Draft<'_>,
        message: &impl Serialize,
        output: impl FnOnce(&Included) -> Result<Vec<u8>, Error>,
    ) -> Result<Called, Error> {
        let input = json(message)?;
        let gas = self.gas_for(draft, &input).await?;
        let network = self.network_key().await?;
        let (message, keys) = self.sealing(&network).call(draft, &input)?;
        let (hash, placed) = self.place(vec![message], gas).await?;
        called(hash, placed, &keys, output)
    }

    async fn gas_for(&self, draft: &Draft<'_>, input: &[u8]) -> Result<u64, Error> {
        if !self.estimates {
            return Ok(self.gas);
        }
        match self.estimated(draft, input).await {
            Ok(Estimate { gas, .. }) => Ok(gas.map_or(self.gas, gas::roomy)),
            // Enclaves answer so many questions between two blocks and no more. A call does not wait for that.
            Err(Error::Door(_)) => Ok(self.gas),
            Err(error) => Err(error),
        }
    }

    async fn estimated(&self, draft: &Draft<'_>, input: &[u8]) -> Result<Estimate, Error> {
        let (network, last) = self.asking().await?;
        let (sealed, keys) = self.sealing(&network).estimate(draft, (self.wallet.key(), last), input)?;
        estimated(&keys, &self.client.estimate(&sealed).await?)
    }

    async fn place(&self, messages: Vec<Any>, gas: u64) -> Result<(B256, Placed), Error> {
        let hash = self.submit(messages, gas).await?;
        Ok((hash, self.client.confirm(hash).await?))
    }

    /// Signs and hands over, without waiting for a block.
    async fn submit(&self, messages: Vec<Any>, gas: u64) -> Result<B256, Error> {
        let bytes: usize = messages.iter().map(|message| message.value.len()).sum();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(OVERHEAD_BYTES);
        let gas = gas.saturating_add(bytes.saturating_mul(BYTE_GAS));
        let terms = Terms { gas, fee: u128::from(gas).div_ceil(GAS_PRICE), memo: String::new() };
        let mut next = self.next.lock().await;
        let known = self.client.sequence(self.address).await?;
        // The node may count only what stands in blocks, and more may be on the way there.
        let mut sequence = known.sequence.max(*next);
        let mut again = true;
        loop {
            let place = Place { chain_id: self.client.chain_id(), number: known.number, sequence };
            let (raw, hash) = self.wallet.sign_cosmos(&place, messages.clone(), &terms);
            match self.client.broadcast(&raw).await {
                Ok(()) => {
                    *next = sequence.saturating_add(1);
                    return Ok(hash);
                }
                // Another program uses the same key, or what was on the way got lost.
                Err(Error::Rejected(reason)) if again => match reason.expected_sequence() {
                    Some(expected) => (sequence, again) = (expected, false),
                    None => return Err(Error::Rejected(reason)),
                },
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn network_key(&self) -> Result<InputKey, Error> {
        match self.network {
            Some(pinned) => Ok(pinned),
            None => Ok(self.client.network_keys().await?.input()),
        }
    }

    /// To which key questions are sealed, and up to which height they are to be answered.
    async fn asking(&self) -> Result<(InputKey, u64), Error> {
        let (network, height) = match self.network {
            Some(pinned) => (pinned, self.client.height().await?),
            None => {
                let Present { keys, height } = self.client.present().await?;
                (keys.input(), height)
            }
        };
        Ok((network, height.saturating_add(PERMIT_BLOCKS)))
    }

    pub(super) const fn exchange(&self) -> &ExchangeKey {
        &self.exchange
    }

    fn sealing<'a>(&'a self, network: &'a InputKey) -> Sealing<'a> {
        Sealing { chain_id: self.client.chain_id(), sender: self.address, client: &self.exchange, network }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("address", &super::bech32(&self.address)).finish_non_exhaustive()
    }
}

fn json(message: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Error> {
    serde_json::to_vec(message).map(Zeroizing::new).map_err(Error::Json)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).and_then(|()| packed.finish()).expect("writing to memory does not fail")
}

/// Gas for a byte of a transaction (`tx_size_cost_per_byte`).
const BYTE_GAS: u64 = 10;
/// At most what a transaction of one signer has beside its messages: key, signature, fee, names of types.
const OVERHEAD_BYTES: u64 = 512;

#[cfg(test)]
mod tests;
