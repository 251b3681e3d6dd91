//! The steps: a clear value, an encrypted input, a computation, a second user, two attacks.

use cloister_sdk::alloy_consensus::Transaction as _;
use cloister_sdk::{
    Account, AccountOnboard, Address, Bytes, Error as SdkError, Receipt, SolCall, U256, UserKey, Wallet,
};

use super::contract::DataOnChain::{self, *};
use super::contract::{NETWORK_VALUE, NETWORK_VALUE_FROM_INPUT, creation_code};
use super::page::{Page, Shown, Step};
use crate::error::Error;

/// The demonstration and who takes part in it.
pub struct Story<'p, 's> {
    page: &'p mut Page<'s>,
    alice: Account,
    contract: Address,
}

impl<'p, 's> Story<'p, 's> {
    /// `alice` has to be funded.
    pub const fn new(page: &'p mut Page<'s>, alice: Account) -> Self {
        Self { page, alice, contract: Address::ZERO }
    }

    /// Everything, in order.
    pub async fn tell(mut self) -> Result<(), Error> {
        self.on_board().await?;
        self.deploy().await?;
        let first = self.clear_value().await?;
        let cell = self.re_encrypt_for_alice().await?;
        self.read_back(cell).await?;
        self.decrypt(cell).await?;
        self.same_value_again(first).await?;
        let input = self.encrypted_input().await?;
        self.read_encrypted_input().await?;
        self.add().await?;
        let bob = self.second_user().await?;
        self.copied_ciphertext(&bob).await?;
        self.copied_input(&bob, input).await
    }

    async fn on_board(&mut self) -> Result<(), Error> {
        let receipt = self.alice.onboard().await?;
        let event = receipt.decoded_log::<AccountOnboard::AccountOnboarded>().map(|log| log.data);
        let shares = event.as_ref().map(|event| [&event.userKey1, &event.userKey2]);
        let [first, second] = shares.map_or([Bytes::new(), Bytes::new()], |shares| shares.map(Bytes::clone));
        let key = self.alice.user_key().map(UserKey::to_client_hex);
        let step = Step::new("Alice fetches her AES key from the network: on-boarding")
            .calls("onboardAccount(bytes publicKey, bytes signature)")
            .public("account", Shown::text(self.alice.address()))
            .public("share 1, under RSA", first)
            .public("share 2, under RSA", second)
            .you("AES key", key.as_ref().map_or("", |key| key.as_str()))
            .check("Alice alone opens the two shares, and they give one AES key", key.is_some());
        self.page.show(&step)
    }

    async fn deploy(&mut self) -> Result<(), Error> {
        let (contract, receipt) = self.alice.deploy(creation_code()).await?;
        self.contract = contract;
        let clear = self.alice.read(contract, &getSomeValueCall {}).await?;
        let step = Step::new("Alice deploys the contract DataOnChain")
            .public("contract", Shown::text(contract))
            .public("block", Shown::text(receipt.block_number.unwrap_or_default()))
            .public("getSomeValue()", Shown::text(clear))
            .check("a value that nobody encrypted is public: 5", clear == 5);
        self.page.show(&step)
    }

    /// Gives the network's ciphertext.
    async fn clear_value(&mut self) -> Result<U256, Error> {
        let receipt = self.alice.write(self.contract, &setSomeEncryptedValueCall { value: 7 }).await?;
        let stored = self.network_ciphertext(NETWORK_VALUE).await?;
        let step = Step::new("Alice sends a clear 7; the network encrypts it inside the contract")
            .calls("setSomeEncryptedValue(uint64 value)")
            .public("state, slot 3", stored)
            .you("state, slot 3", "nothing: it is under the network's key, which nobody has")
            .check("the state holds ciphertext and not 7", stored != U256::from(7) && stored != U256::ZERO);
        self.page.show(&step)?;

        let input = self.published_input(&receipt).await?;
        let decoded = setSomeEncryptedValueCall::abi_decode(&input).map(|call| call.value).ok();
        let step = Step::new("Anybody looks into the block: that transaction's input was the clear value")
            .calls("eth_getTransactionByBlockHashAndIndex")
            .public("transaction input", Shown::Input(input))
            .public("value", Shown::text(decoded.unwrap_or_default()))
            .check("the block holds the clear value 7", decoded == Some(7));
        self.page.show(&step)?;
        Ok(stored)
    }

    async fn re_encrypt_for_alice(&mut self) -> Result<U256, Error> {
        let receipt = self.alice.write(self.contract, &setUserSomeEncryptedValueCall {}).await?;
        let cell = event_value(&receipt);
        let step = Step::new("The network re-encrypts the value under Alice's key, inside the contract")
            .calls("setUserSomeEncryptedValue()")
            .public("transaction input", Shown::Input(self.published_input(&receipt).await?))
            .public("event", cell.unwrap_or_default())
            .check("the event carries ciphertext", cell.is_some_and(|cell| cell > U256::from(u64::MAX)));
        self.page.show(&step)?;
        Ok(cell.unwrap_or_default())
    }

    async fn read_back(&mut self, cell: U256) -> Result<(), Error> {
        let read = self.alice.read(self.contract, &getUserSomeEncryptedValueCall {}).await?;
        let step = Step::new("Alice reads her ciphertext back from the contract")
            .calls("eth_call getUserSomeEncryptedValue()")
            .public("answer", read)
            .check("contract and event say the same", read == cell);
        self.page.show(&step)
    }

    async fn decrypt(&mut self, cell: U256) -> Result<(), Error> {
        let value = self.alice.open(cell)?;
        let network = self.network_ciphertext(NETWORK_VALUE).await?;
        let stranger = Account::new(Wallet::random(), self.alice.client().clone())
            .with_user_key(UserKey::from_bytes([0x5a; 16]))
            .open(cell)?;
        let step = Step::new("Alice decrypts it on her own machine")
            .public("ciphertext", cell)
            .public("with another key", Shown::text(stranger))
            .you("value", Shown::text(value))
            .check("Alice's key gives 7", value == 7)
            .check("another key gives something else", stranger != 7)
            .check("Alice's key does not open the network's ciphertext", self.alice.open(network)? != 7);
        self.page.show(&step)
    }

    async fn same_value_again(&mut self, first: U256) -> Result<(), Error> {
        self.alice.write(self.contract, &setSomeEncryptedValueCall { value: 7 }).await?;
        let second = self.network_ciphertext(NETWORK_VALUE).await?;
        let step = Step::new("Alice sends the same 7 again: equal values do not look equal")
            .calls("setSomeEncryptedValue(uint64 value)")
            .public("state, first time", first)
            .public("state, second time", second)
            .check("the two ciphertexts have nothing in common", first != second);
        self.page.show(&step)
    }

    /// Gives the call as it stood in the block.
    async fn encrypted_input(&mut self) -> Result<setSomeEncryptedValueEncryptedInputCall, Error> {
        let sealed = self.alice.seal_for::<setSomeEncryptedValueEncryptedInputCall>(8_u64, self.contract)?;
        let call = setSomeEncryptedValueEncryptedInputCall {
            ciphertext: sealed.ciphertext,
            signature: Bytes::from(sealed.signature),
        };
        let receipt = self.alice.write(self.contract, &call).await?;
        let input = self.published_input(&receipt).await?;
        let published = setSomeEncryptedValueEncryptedInputCall::abi_decode(&input).map_err(SdkError::from)?;
        let opened = self.alice.open(published.ciphertext)?;
        let step = Step::new("Alice sends an encrypted 8: now the block holds ciphertext only")
            .calls("setSomeEncryptedValueEncryptedInput(uint256 ciphertext, bytes signature)")
            .public("transaction input", Shown::Input(input))
            .public("state, slot 4", self.network_ciphertext(NETWORK_VALUE_FROM_INPUT).await?)
            .you("value", Shown::text(opened))
            .check("the input in the block is not 8", published.ciphertext != U256::from(8))
            .check("it is the ciphertext that Alice made, and opens to 8 for her", opened == 8);
        self.page.show(&step)?;
        Ok(published)
    }

    async fn read_encrypted_input(&mut self) -> Result<(), Error> {
        let receipt = self.alice.write(self.contract, &setUserSomeEncryptedValueEncryptedInputCall {}).await?;
        let cell = self.alice.read(self.contract, &getUserSomeEncryptedValueEncryptedInputCall {}).await?;
        let value = self.alice.open(cell)?;
        let step = Step::new("The network gives it back to Alice under her key")
            .calls("setUserSomeEncryptedValueEncryptedInput()")
            .public("event", event_value(&receipt).unwrap_or_default())
            .you("value", Shown::text(value))
            .check("contract and event say the same", event_value(&receipt) == Some(cell))
            .check("Alice's key gives 8", value == 8);
        self.page.show(&step)
    }

    async fn add(&mut self) -> Result<(), Error> {
        let receipt = self.alice.write(self.contract, &addCall {}).await?;
        let cell = self.alice.read(self.contract, &getUserArithmeticResultCall {}).await?;
        let value = self.alice.open(cell)?;
        let step = Step::new("The contract adds the two encrypted values; nobody sees them, or the sum")
            .calls("add()")
            .public("transaction input", Shown::Input(self.published_input(&receipt).await?))
            .public("result", cell)
            .you("7 + 8", Shown::text(value))
            .check("Alice's key gives 15", value == 15);
        self.page.show(&step)
    }

    async fn second_user(&mut self) -> Result<Account, Error> {
        let mut bob = Account::new(Wallet::random(), self.alice.client().clone());
        self.alice.transfer(bob.address(), HALF_A_COIN).await?;
        bob.onboard().await?;
        bob.write(self.contract, &addCall {}).await?;
        let cell = bob.read(self.contract, &getUserArithmeticResultCall {}).await?;
        let (value, foreign) = (bob.open(cell)?, self.alice.open(cell)?);
        let step = Step::new("Bob, a second user, has the sum encrypted for himself")
            .calls("onboardAccount(...), add()")
            .public("Bob's account", Shown::text(bob.address()))
            .public("result", cell)
            .public("with Alice's key", Shown::text(foreign))
            .you("Bob sees", Shown::text(value))
            .check("Bob's key gives 15", value == 15)
            .check("Alice's key does not", foreign != 15);
        self.page.show(&step)?;
        Ok(bob)
    }

    async fn copied_ciphertext(&mut self, bob: &Account) -> Result<(), Error> {
        let stolen = bob.read(self.contract, &getNetworkSomeEncryptedValueCall {}).await?;
        let (mine, _) = bob.deploy(creation_code()).await?;
        bob.write(mine, &setNetworkSomeEncryptedValueCall { ciphertext: stolen }).await?;
        let copy = bob.read(mine, &getNetworkSomeEncryptedValueCall {}).await?;
        let attempt = reverted(bob.write(mine, &setUserSomeEncryptedValueCall {}).await)?;
        let step = Step::new("Bob copies the network's ciphertext into a contract of his own, to have it decrypted")
            .calls("setNetworkSomeEncryptedValue(stolen), setUserSomeEncryptedValue()")
            .public("Alice's contract", stolen)
            .public("Bob's contract", copy)
            .public("receipt", status(attempt))
            .you("Bob sees", "nothing")
            .check("the ciphertext is public: copying it succeeds", copy == stolen)
            .check("using it reverts: it belongs to the contract that it was made for", attempt);
        self.page.show(&step)
    }

    async fn copied_input(
        &mut self,
        bob: &Account,
        input: setSomeEncryptedValueEncryptedInputCall,
    ) -> Result<(), Error> {
        let cell = input.ciphertext;
        let attempt = reverted(bob.write(self.contract, &input).await)?;
        let step = Step::new("Bob sends Alice's encrypted input as if it were his own")
            .calls("setSomeEncryptedValueEncryptedInput(uint256 ciphertext, bytes signature)")
            .public("ciphertext", cell)
            .public("receipt", status(attempt))
            .you("Bob sees", "nothing")
            .check("it reverts: Alice signed it for herself, this contract and this function", attempt);
        self.page.show(&step)
    }

    /// What the contract's public storage holds.
    async fn network_ciphertext(&self, slot: U256) -> Result<U256, Error> {
        Ok(self.alice.client().storage(self.contract, slot).await?.into())
    }

    /// The input of a transaction, as anybody finds it in its block.
    async fn published_input(&self, receipt: &Receipt) -> Result<Bytes, Error> {
        let lost = || SdkError::Incomplete(receipt.transaction_hash);
        let (block, index) = receipt.block_hash.zip(receipt.transaction_index).ok_or_else(lost)?;
        let published = self.alice.client().transaction_at(block, index).await?.ok_or_else(lost)?;
        Ok(published.input().clone())
    }
}

fn event_value(receipt: &Receipt) -> Option<U256> {
    Some(receipt.decoded_log::<DataOnChain::UserEncryptedValue>()?.data.value)
}

/// True if the transaction was included and failed; any other error stays one.
fn reverted(sent: Result<Receipt, SdkError>) -> Result<bool, SdkError> {
    match sent {
        Ok(_) => Ok(false),
        Err(SdkError::Reverted(_)) => Ok(true),
        Err(other) => Err(other),
    }
}

fn status(reverted: bool) -> &'static str {
    if reverted { "status 0: reverted" } else { "status 1: succeeded" }
}

/// What Bob gets from Alice, in wei.
const HALF_A_COIN: U256 = U256::from_limbs([500_000_000_000_000_000, 0, 0, 0]);
