use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{DENOM, bech32};
use cloister_envelope::message::gcm::InputKey;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::rest::{Placed, Rest, TxEnvelope, number};
use crate::{DoorError, Error};

/// A connection to the Cosmos door of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    rest: Rest,
    chain_id: Arc<str>,
}

/// Where an account stands: what its next signature has to cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Number of the account at this door.
    pub number: u64,
    /// Its next sequence.
    pub sequence: u64,
}

/// The key to which messages are sealed, as the node tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct NetworkKeys {
    /// An X25519 key: the u-coordinate, 32 little-endian bytes.
    #[serde(deserialize_with = "key")]
    pub input_key: [u8; 32],
    /// The epoch whose key it is.
    #[serde(deserialize_with = "number")]
    pub epoch: u64,
}

/// The same, and the newest height that the node knows.
#[derive(Deserialize)]
pub(super) struct Present {
    #[serde(flatten)]
    pub(super) keys: NetworkKeys,
    #[serde(deserialize_with = "number")]
    pub(super) height: u64,
}

impl NetworkKeys {
    pub(super) const fn input(&self) -> InputKey {
        InputKey { epoch: self.epoch, public: self.input_key }
    }
}

impl Client {
    /// Names a door, for example `http://127.0.0.1:1317`, and its chain. The chain id is part of everything that is signed
    /// and sealed, so that it is for the caller to know and not for the node to say. Asks nothing yet.
    pub fn new(url: &str, chain_id: &str) -> Result<Self, Error> {
        Ok(Self { rest: Rest::new(url)?, chain_id: chain_id.into() })
    }

    /// The chain.
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// What an account holds of [`DENOM`]; nothing for one that nobody knows.
    pub async fn balance(&self, address: Address) -> Result<u128, Error> {
        let path = format!("/cosmos/bank/v1beta1/balances/{}/by_denom", bech32(&address));
        let told: Balance = self.rest.get(&path, &[("denom", DENOM.into())]).await?;
        Ok(told.balance.amount)
    }

    /// Number and next sequence of an account. One that never received anything is unknown: [`DoorError`] with code 5.
    pub async fn sequence(&self, address: Address) -> Result<Sequence, Error> {
        let path = format!("/cosmos/auth/v1beta1/accounts/{}", bech32(&address));
        let told: Accounts = self.rest.get(&path, &[]).await?;
        Ok(Sequence { number: told.account.account_number, sequence: told.account.sequence })
    }

    /// The key to which messages are sealed in this epoch. It is the node's word: see the [module](super).
    pub async fn network_keys(&self) -> Result<NetworkKeys, Error> {
        self.rest.get("/cloister/compute/v1/keys", &[]).await
    }

    /// The same, and the newest height.
    pub(super) async fn present(&self) -> Result<Present, Error> {
        self.rest.get("/cloister/compute/v1/keys", &[]).await
    }

    /// The newest height that the node knows.
    pub async fn height(&self) -> Result<u64, Error> {
        let told: Status = self.rest.get("/cosmos/base/node/v1beta1/status", &[]).await?;
        Ok(told.height)
    }

    /// Hands over a signed transaction, a `TxRaw`, without waiting for a block. [`Error::Rejected`] says that it was not
    /// taken in.
    pub async fn broadcast(&self, raw: &[u8]) -> Result<(), Error> {
        let body = json!({ "tx_bytes": STANDARD.encode(raw), "mode": "BROADCAST_MODE_SYNC" });
        let told: TxEnvelope = self.rest.post("/cosmos/tx/v1beta1/txs", &body).await?;
        if told.tx_response.code == 0 { Ok(()) } else { Err(Error::Rejected(told.tx_response.rejection())) }
    }

    /// A transaction; `None` while it stands in no block.
    pub async fn transaction(&self, hash: B256) -> Result<Option<Placed>, Error> {
        let path = format!("/cosmos/tx/v1beta1/txs/{}", hex::encode_upper(hash));
        match self.rest.get::<TxEnvelope>(&path, &[]).await {
            Ok(told) => told.tx_response.placed(hash).map(Some),
            Err(Error::Door(DoorError { status: 404, code: 5, .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits until a transaction stands in a block, whatever its result.
    pub async fn confirm(&self, hash: B256) -> Result<Placed, Error> {
        let (start, mut pause) = (Instant::now(), Duration::from_millis(1));
        loop {
            if let Some(placed) = self.transaction(hash).await? {
                return Ok(placed);
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::Unconfirmed(hash));
            }
            sleep(pause).await;
            pause = POLL.min(pause * 2);
        }
    }

    /// The Cosmos transactions of a block as they stand in it, each a `TxRaw`: what everybody sees of them.
    pub async fn block(&self, height: u64) -> Result<Vec<Vec<u8>>, Error> {
        let path = format!("/cosmos/base/tendermint/v1beta1/blocks/{height}");
        let told: Blocks = self.rest.get(&path, &[]).await?;
        Ok(told.block.data.txs.into_iter().map(|tx| tx.0).collect())
    }

    /// The hash of the code that a contract runs now. It is the node's word: enough to notice a mistake, too little to trust
    /// a contract with a secret.
    pub async fn code_hash(&self, contract: Address) -> Result<B256, Error> {
        let path = format!("/compute/v1beta1/code_hash/by_contract_address/{}", bech32(&contract));
        let told: CodeHash = self.rest.get(&path, &[]).await?;
        Ok(told.code_hash)
    }

    /// The seed of the network, sealed to this boot key of an enclave that was admitted: see [`register`](super::register).
    /// Empty if it took the place of another run on its chip: then it comes with the next epoch.
    pub async fn encrypted_seed(&self, boot_key: B256) -> Result<Vec<u8>, Error> {
        let path = format!("/registration/v1beta1/encrypted-seed/{}", hex::encode(boot_key));
        let told: EncryptedSeed = self.rest.get(&path, &[]).await?;
        Ok(told.encrypted_seed)
    }

    /// Hands over a sealed question, and gives the sealed answer.
    pub(super) async fn ask(&self, contract: Address, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let path = format!("/cloister/compute/v1/query/{}", bech32(&contract));
        let told: Answered = self.rest.post(&path, &json!({ "query": STANDARD.encode(sealed) })).await?;
        Ok(told.data)
    }

    /// Hands over a message that is sealed as an estimate, and gives the sealed answer.
    pub(super) async fn estimate(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let body = json!({ "message": STANDARD.encode(message) });
        let told: Answered = self.rest.post("/cloister/compute/v1/estimate", &body).await?;
        Ok(told.data)
    }
}

#[derive(Deserialize)]
struct Balance {
    balance: Coin,
}

#[derive(Deserialize)]
struct Coin {
    #[serde(deserialize_with = "number")]
    amount: u128,
}

#[derive(Deserialize)]
struct Accounts {
    account: AccountInfo,
}

#[derive(Deserialize)]
struct AccountInfo {
    #[serde(deserialize_with = "number")]
    account_number: u64,
    #[serde(deserialize_with = "number")]
    sequence: u64,
}

#[derive(Deserialize)]
struct Status {
    #[serde(deserialize_with = "number")]
    height: u64,
}

#[derive(Deserialize)]
struct Blocks {
    block: Block,
}

#[derive(Deserialize)]
struct Block {
    data: Txs,
}

#[derive(Deserialize)]
struct Txs {
    txs: Vec<Base64>,
}

#[derive(Deserialize)]
struct Base64(#[serde(deserialize_with = "bytes")] Vec<u8>);

#[derive(Deserialize)]
struct CodeHash {
    code_hash: B256,
}

#[derive(Deserialize)]
struct EncryptedSeed {
    #[serde(deserialize_with = "bytes")]
    encrypted_seed: Vec<u8>,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(deserialize_with = "bytes")]
    data: Vec<u8>,
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    bytes(deserializer)?.try_into().map_err(|_| D::Error::custom("a key has 32 bytes"))
}

/// How long [`Client::confirm`] waits.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest pause between two looks; the first ones are far shorter.
const POLL: Duration = Duration::from_millis(200);
