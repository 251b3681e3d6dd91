use alloy_primitives::{Address, B256, U256};
use cloister_chain::cosmos::{CosmosTx, Message};
use cloister_envelope::MessageError;
use cloister_envelope::message::gcm::{self, InputKey, reread_call};
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
        let missing = || Error::NoCall(proved.hash);
        let receipt = &proved.inclusion.receipt;
        // Behind the byte that names its world.
        let tx = proved.inclusion.tx.get(1..).and_then(|raw| CosmosTx::decode(raw).ok()).ok_or_else(missing)?;
        let told = receipt.cosmos.as_ref().ok_or_else(missing)?;
        self.opened(&tx, Placed::of(proved.hash, proved.header.height, receipt.gas_used, told)?).await
    }

    async fn opened(&self, tx: &CosmosTx, placed: Placed) -> Result<Reread, Error> {
        let hash = tx.hash();
        let missing = || Error::NoCall(hash);
        let [message] = tx.messages() else { return Err(missing()) };
        let Sealed { sender, entry, code_hash, funds, input, output } = Sealed::of(message).ok_or_else(missing)?;
        if sender != self.address() {
            return Err(missing());
        }
        let context = CallContext { chain_id: self.client().chain_id(), sender, entry, code_hash, funds: &funds };
        let InputKey { epoch: current, public } = self.network_key().await?;
        let sealed = gcm::epoch(input)?;
        if sealed != current {
            return Err(MessageError::Epoch { sealed, current }.into());
        }
        let (keys, input) = reread_call(self.exchange(), &public, &context, input)?;
        Ok(Reread { input, result: called(hash, placed, &keys, output) })
    }
}

/// A message as it was sealed: everything that its ciphertext is bound to.
struct Sealed<'a> {
    sender: Address,
    entry: Entry,
    code_hash: B256,
    funds: Vec<Coin<'a>>,
    input: &'a [u8],
    /// Finds the sealed output in what the node gave back.
    output: fn(&Included) -> Result<Vec<u8>, Error>,
}

impl<'a> Sealed<'a> {
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
