use core::fmt;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use alloy_sol_types::{SolCall, SolEvent, sol};
use cloister_envelope::{
    Form, InputContext, InputText, OnboardingKey, UserCipher, UserKey, WideCell, WideInputText, text,
};

use crate::{Client, Error, Receipt, Wallet};

sol! {
    /// Hands an account its user key, in two shares under the account's RSA key.
    interface AccountOnboard {
        /// The shares.
        event AccountOnboarded(address indexed _from, bytes userKey1, bytes userKey2);
        /// Asks for the key: an RSA public key and the origin's signature over it.
        function onboardAccount(bytes publicKey, bytes signedEK) external;
    }
}

/// Where every chain has the `AccountOnboard` contract, COTI's included.
pub const ONBOARD: Address = address!("536A67f0cc46513E7d27a370ed1aF9FDcC7A5095");

/// The gas limit of a request that names none. Estimation does not evaluate confidential values, so a fixed generous
/// limit is safer than an estimate; only what is used is paid.
pub const GAS_LIMIT: u64 = 12_000_000;

/// A wallet on a chain, and its user key once it has one.
pub struct Account {
    wallet: Wallet,
    client: Client,
    user: Option<(UserKey, UserCipher)>,
}

impl Account {
    /// An account without a user key: it can send and read, but neither seal nor open.
    pub const fn new(wallet: Wallet, client: Client) -> Self {
        Self { wallet, client, user: None }
    }

    /// Adds a user key that an earlier on-boarding gave.
    pub fn with_user_key(mut self, key: UserKey) -> Self {
        let cipher = UserCipher::new(&key);
        self.user = Some((key, cipher));
        self
    }

    /// Fetches the account's AES key from the network: one transaction, readable only with an RSA key that is made for
    /// it here and thrown away. The key belongs to the address: doing it again gives the same one.
    pub async fn onboard(&mut self) -> Result<Receipt, Error> {
        let rsa = tokio::task::spawn_blocking(|| OnboardingKey::generate(random)).await;
        let rsa = rsa.expect("making a key neither panics nor is cancelled");
        let spki = rsa.spki();
        let signed = self.wallet.key().sign(&spki, Form::Raw);
        let call = AccountOnboard::onboardAccountCall { publicKey: spki.into(), signedEK: signed.into() };
        let receipt = self.write(ONBOARD, &call).await?;
        let event = onboarded(&receipt).ok_or(Error::Incomplete(receipt.transaction_hash))?;
        let key = rsa.recover(&event.userKey1, &event.userKey2)?;
        let cipher = UserCipher::new(&key);
        self.user = Some((key, cipher));
        Ok(receipt)
    }

    /// The account's address.
    pub const fn address(&self) -> Address {
        self.wallet.address()
    }

    /// The account's signing key.
    pub const fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The chain that this account talks to.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The account's AES key, to keep it. Whoever has it reads everything that is ever sealed for this account.
    pub fn user_key(&self) -> Option<&UserKey> {
        self.user.as_ref().map(|(key, _)| key)
    }

    /// Seals a boolean or a number of up to 128 bits for one function of one contract.
    pub fn seal(&self, value: impl Into<u128>, contract: Address, selector: [u8; 4]) -> Result<InputText, Error> {
        let cell = self.cipher()?.seal(fresh(), value.into());
        Ok(self.context(contract, selector).sign(cell, self.wallet.key(), Form::Raw))
    }

    /// [`Self::seal`] for the function of a `sol!` interface.
    pub fn seal_for<C: SolCall>(&self, value: impl Into<u128>, contract: Address) -> Result<InputText, Error> {
        self.seal(value, contract, C::SELECTOR)
    }

    /// Seals a number of up to 256 bits.
    pub fn seal_wide(&self, value: U256, contract: Address, selector: [u8; 4]) -> Result<WideInputText, Error> {
        let cells = self.cipher()?.seal_wide(fresh(), fresh(), value);
        Ok(self.context(contract, selector).sign_wide(cells, self.wallet.key(), Form::Raw))
    }

    /// Seals a string. Everybody can count its cells, so its length to the next multiple of eight bytes is public.
    pub fn seal_text(&self, value: &str, contract: Address, selector: [u8; 4]) -> Result<SealedText, Error> {
        let context = self.context(contract, selector);
        let sign = |cell| context.sign(cell, self.wallet.key(), Form::Raw);
        Ok(SealedText(text::seal(self.cipher()?, value, fresh).into_iter().map(sign).collect()))
    }

    /// Opens a cell that was sealed for this account. Cells are not authenticated: another account's cell, or a word
    /// that never was one, opens to a wrong value and not to an error.
    pub fn open(&self, cell: U256) -> Result<u128, Error> {
        Ok(self.cipher()?.open(cell))
    }

    /// Opens a 256-bit value.
    pub fn open_wide(&self, cells: &WideCell) -> Result<U256, Error> {
        Ok(self.cipher()?.open_wide(cells))
    }

    /// Opens a string.
    pub fn open_text(&self, cells: &[U256]) -> Result<String, Error> {
        Ok(text::open(self.cipher()?, cells)?)
    }

    /// Runs a view function of a contract with this account as the (unproven) caller.
    pub async fn read<C: SolCall>(&self, contract: Address, call: &C) -> Result<C::Return, Error> {
        let output = self.client.call(self.address(), contract, call.abi_encode().into()).await?;
        Ok(C::abi_decode_returns(&output)?)
    }

    /// Sends a transaction to a function of a contract and waits for it. Status 0 is [`Error::Reverted`].
    pub async fn write<C: SolCall>(&self, contract: Address, call: &C) -> Result<Receipt, Error> {
        self.send(Request { to: Some(contract), data: call.abi_encode().into(), ..Request::default() }).await
    }

    /// Creates a contract from its creation code, constructor arguments included.
    pub async fn deploy(&self, code: Bytes) -> Result<(Address, Receipt), Error> {
        let receipt = self.send(Request { data: code, ..Request::default() }).await?;
        let address = receipt.contract_address.ok_or(Error::Incomplete(receipt.transaction_hash))?;
        Ok((address, receipt))
    }

    /// Sends wei.
    pub async fn transfer(&self, to: Address, value: U256) -> Result<Receipt, Error> {
        self.send(Request { to: Some(to), value, gas: 21_000, ..Request::default() }).await
    }

    /// Sends any transaction and waits for it. Status 0 is [`Error::Reverted`].
    pub async fn send(&self, request: Request) -> Result<Receipt, Error> {
        let receipt = self.client.confirm(self.submit(request).await?).await?;
        if receipt.status() { Ok(receipt) } else { Err(Error::Reverted(Box::new(receipt))) }
    }

    /// Sends any transaction without waiting.
    pub async fn submit(&self, request: Request) -> Result<B256, Error> {
        let nonce = self.client.nonce(self.address()).await?;
        let tx = TxEip1559 {
            chain_id: self.client.chain_id(),
            nonce,
            gas_limit: request.gas,
            to: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value,
            input: request.data,
            ..TxEip1559::default()
        };
        let tx = self.client.fees().await?.apply(tx);
        self.client.send_raw(&self.wallet.sign(&tx)).await
    }

    fn cipher(&self) -> Result<&UserCipher, Error> {
        self.user.as_ref().map(|(_, cipher)| cipher).ok_or(Error::NoUserKey(self.address()))
    }

    const fn context(&self, contract: Address, selector: [u8; 4]) -> InputContext {
        InputContext { sender: self.address(), contract, selector }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("address", &self.address())
            .field("onboarded", &self.user.is_some())
            .finish_non_exhaustive()
    }
}

/// What a transaction is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The receiver; `None` creates a contract from `data`.
    pub to: Option<Address>,
    /// Wei to send along.
    pub value: U256,
    /// Input.
    pub data: Bytes,
    /// Gas limit.
    pub gas: u64,
}

impl Default for Request {
    fn default() -> Self {
        Self { to: None, value: U256::ZERO, data: Bytes::new(), gas: GAS_LIMIT }
    }
}

/// COTI's `itString`: `((uint256[]) ciphertext, bytes[] signature)`, here cell by cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedText(pub Vec<InputText>);

impl SealedText {
    /// The cells, as the contract takes them.
    pub fn cells(&self) -> Vec<U256> {
        self.0.iter().map(|input| input.ciphertext).collect()
    }

    /// The signatures, one for each cell.
    pub fn signatures(&self) -> Vec<Bytes> {
        self.0.iter().map(|input| input.signature.into()).collect()
    }
}

fn onboarded(receipt: &Receipt) -> Option<AccountOnboard::AccountOnboarded> {
    let logs = receipt.logs().iter().filter(|log| log.address() == ONBOARD);
    logs.filter_map(|log| AccountOnboard::AccountOnboarded::decode_log(&log.inner).ok()).map(|log| log.data).next()
}

fn fresh() -> [u8; 16] {
    let mut bytes = [0; 16];
    random(&mut bytes);
    bytes
}

fn random(target: &mut [u8]) {
    getrandom::fill(target).expect("the operating system has randomness");
}

#[cfg(test)]
mod tests;
