use alloy_primitives::{Address, B256, U256};
use cloister_chain::cosmos::{CosmosTx, Message};
use cloister_envelope::MessageError;
use cloister_envelope::message::gcm::{self, CallKeys, InputKey, reread_call};
use cloister_envelope::message::{CallContext, Coin, Entry};
use secret_sdk_proto::cosmos::base::v1beta1::Coin as ProtoCoin;
use zeroize::Zeroizing;

use super::Account;
use super::rest::{Included, Placed};
use super::sealed::{Called, called, executed, instantiated, migrated};
use crate::Error;
use crate::light::Proved;

/// A private call of one's own, read again from the chain.
#[derive(Debug)]
pub struct Reread {
    /// What the contract was told: JSON.
    pub input: Zeroizing<Vec<u8>>,
    /// What became of it, as the call itself gave it then: a contract's error is [`Error::Failed`].
    pub result: Result<Called, Error>,
}

impl Account {
    /// Opens a private call that this account made earlier, with the [key](Self::with_client_key) that it has now. One that
    /// was sealed in an earlier epoch needs that epoch's [network key](Self::with_network_key), which is public and stands in the
    /// state of its time: [`MessageError::Epoch`] says which.
    pub async fn reread(&self, hash: B256) -> Result<Reread, Error> {
        let missing = || Error::NoCall(hash);
        let placed = self.client().transaction(hash).await?.ok_or_else(missing)?;
        let block = self.client().block(placed.height).await?;
        // The bytes are what was signed: their hash is the name under which they were asked for.
        let found = block.iter().filter_map(|raw| CosmosTx::decode(raw).ok()).find(|tx| tx.hash() == hash);
        self.opened(&found.ok_or_else(missing)?, placed).await
    }

    /// The same with what a light client proved, so that no word of it is the node's once the receipt is
    /// [agreed](crate::light::State::Agreed) on.
    pub async fn reread_proved(&self, proved: &Proved) -> Result<Reread, Error> {
        let (tx, placed) = placed(proved)?;
        self.opened(&tx, placed).await
    }

    async fn opened(&self, tx: &CosmosTx, placed: Placed) -> Result<Reread, Error> {
        let call = Sealed::within(tx)?;
        let (keys, input) = self.keys_of(tx.hash(), &call).await?;
        Ok(Reread { input, result: called(tx.hash(), placed, &keys, call.output) })
    }

    /// What opens the outputs of a call of one's own, and what the contract was told.
    pub(super) async fn keys_of(&self, hash: B256, call: &Sealed<'_>) -> Result<(CallKeys, Zeroizing<Vec<u8>>), Error> {
        let Sealed { sender, entry, code_hash, funds, input, .. } = call;
        if *sender != self.address() {
            return Err(Error::NoCall(hash));
        }
        let (sender, entry, code_hash) = (*sender, *entry, *code_hash);
        let context = CallContext { chain_id: self.client().chain_id(), sender, entry, code_hash, funds };
        let InputKey { epoch: current, public } = self.network_key().await?;
        let sealed = gcm::epoch(input)?;
        if sealed != current {
            return Err(MessageError::Epoch { sealed, current }.into());
        }
        Ok(reread_call(self.exchange(), &public, &context, input)?)
    }
}

/// A proven transaction of this door, and what its receipt says.
pub(super) fn placed(proved: &Proved) -> Result<(CosmosTx, Placed), Error> {
    let missing = || Error::NoCall(proved.hash);
    let receipt = &proved.inclusion.receipt;
    // Behind the byte that names its world.
    let tx = proved.inclusion.tx.get(1..).and_then(|raw| CosmosTx::decode(raw).ok()).ok_or_else(missing)?;
    let told = receipt.cosmos.as_ref().ok_or_else(missing)?;
    Ok((tx, Placed::of(proved.hash, proved.header.height, receipt.gas_used, told)?))
}

/// A message as it was sealed: everything that its ciphertext is bound to.
pub(super) struct Sealed<'a> {
    pub(super) sender: Address,
    pub(super) entry: Entry,
    code_hash: B256,
    funds: Vec<Coin<'a>>,
    input: &'a [u8],
    /// Finds the sealed output in what the node gave back.
    pub(super) output: fn(&Included) -> Result<Vec<u8>, Error>,
}

impl<'a> Sealed<'a> {
    /// The one message of a transaction.
    pub(super) fn within(tx: &'a CosmosTx) -> Result<Self, Error> {
        let missing = || Error::NoCall(tx.hash());
        let [message] = tx.messages() else { return Err(missing()) };
        Self::of(message).ok_or_else(missing)
    }

    /// `None` for a message of another kind.
    fn of(message: &'a Message) -> Option<Self> {
        let (sender, entry, code_hash, funds, input, output): (_, _, _, &[ProtoCoin], _, fn(&_) -> _) = match message {
            Message::SealedInstantiate(m) => {
                let output = |tx: &Included| Ok(instantiated(tx)?.output);
                (&m.sender, Entry::Instantiate, &m.code_hash, &m.funds, &m.input, output)
            }
            Message::SealedExecute(m) => {
                (&m.sender, Entry::Execute(address(&m.contract)?), &m.code_hash, &m.funds, &m.input, executed)
            }
            Message::SealedMigrate(m) => {
                (&m.sender, Entry::Migrate(address(&m.contract)?), &m.code_hash, &[], &m.input, migrated)
            }
            _ => return None,
        };
        let coin = |coin: &'a ProtoCoin| Some(Coin { denom: &coin.denom, amount: coin.amount.parse::<U256>().ok()? });
        Some(Self {
            sender: address(sender)?,
            entry,
            code_hash: B256::try_from(code_hash.as_slice()).ok()?,
            funds: funds.iter().map(coin).collect::<Option<_>>()?,
            input,
            output,
        })
    }
}

fn address(bytes: &[u8]) -> Option<Address> {
    Address::try_from(bytes).ok()
}
