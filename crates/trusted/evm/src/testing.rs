//! A world in memory and a vault without real keys, for the tests of this crate; [`asm`] writes their contracts.

#![allow(clippy::unwrap_used)]

pub(crate) mod asm;

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use cloister_envelope::{AccountKey, Recipient, Secret, UserCipher, UserKey};

use crate::*;

pub(crate) const CHAIN: u64 = 7_082_400;

/// A state in memory.
#[derive(Clone, Default)]
pub(crate) struct Land {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) cells: BTreeMap<(Address, U256), Cell>,
    pub(crate) codes: BTreeMap<B256, Bytes>,
    /// Reading this account fails.
    pub(crate) forged: Option<Address>,
}

impl Land {
    pub(crate) fn fund(&mut self, address: Address) {
        self.accounts.entry(address).or_default().balance = U256::from(10_u64.pow(18));
    }

    pub(crate) fn contract(&mut self, address: Address, code: Bytes) {
        let hash = keccak256(&code);
        self.accounts.insert(address, Account { sequence: 1, code: hash, ..Account::default() });
        self.codes.insert(hash, code);
    }

    pub(crate) fn apply(&mut self, changes: Changes) {
        for (address, account) in changes.accounts {
            match account {
                Some(account) => self.accounts.insert(address, account),
                None => self.accounts.remove(&address),
            };
        }
        self.cells.extend(changes.cells);
        self.codes.extend(changes.codes);
    }

    pub(crate) fn cell(&self, contract: Address, slot: u64) -> Cell {
        self.cells.get(&(contract, U256::from(slot))).copied().unwrap_or_default()
    }

    /// A block with this one transaction, whose effects stay.
    pub(crate) fn mine(&mut self, tx: &TxInput) -> Executed {
        let mut machine = Machine::new(&mut *self, Toy::default(), &block());
        let executed = machine.transact(tx).unwrap();
        let changes = machine.finish();
        self.apply(changes);
        executed
    }

    /// A call from [`sender`] in a block of its own.
    pub(crate) fn send(&mut self, to: Address, data: impl Into<Bytes>) -> Executed {
        let nonce = self.accounts.get(&sender()).map_or(0, |account| account.sequence);
        self.mine(&tx(nonce, TxKind::Call(to), data))
    }
}

impl World for Land {
    fn account(&mut self, address: Address) -> Result<Option<Account>, WorldError> {
        if self.forged == Some(address) {
            return Err(WorldError::Forged);
        }
        Ok(self.accounts.get(&address).cloned())
    }

    fn cell(&mut self, address: Address, slot: U256) -> Result<Cell, WorldError> {
        Ok(self.cells.get(&(address, slot)).copied().unwrap_or_default())
    }

    fn code(&mut self, hash: B256) -> Result<Bytes, WorldError> {
        self.codes.get(&hash).cloned().ok_or(WorldError::Unavailable)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, WorldError> {
        Ok(keccak256(number.to_be_bytes()))
    }
}

/// A vault whose every secret is a hash of something public.
#[derive(Default)]
pub(crate) struct Toy {
    pub(crate) tx: B256,
    pub(crate) counter: u64,
    pub(crate) epoch: u64,
}

impl Toy {
    fn draw(&mut self) -> B256 {
        self.counter += 1;
        keccak256([self.tx.as_slice(), &self.counter.to_be_bytes()].concat())
    }

    fn pad(contract: Address, salt: &[u8], epoch: u64) -> u128 {
        let pad = keccak256([contract.as_slice(), salt, &epoch.to_be_bytes()].concat());
        u128::from_be_bytes(pad[..16].try_into().unwrap())
    }
}

impl Vault for Toy {
    fn begin(&mut self, tx: B256) {
        *self = Self { tx, counter: 0, ..*self };
    }

    fn handle(&mut self) -> U256 {
        self.draw().into()
    }

    fn random(&mut self) -> U256 {
        self.draw().into()
    }

    fn seal_network(&mut self, contract: Address, plain: u128) -> U256 {
        let salt = self.draw();
        let mut word = [0; 32];
        word[..16].copy_from_slice(&(plain ^ Self::pad(contract, &salt[..16], self.epoch)).to_be_bytes());
        word[16..].copy_from_slice(&salt[..16]);
        U256::from_be_bytes(word)
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn open_network(&mut self, contract: Address, sealed: U256, epoch: u64) -> Option<u128> {
        let word = sealed.to_be_bytes::<32>();
        Some(u128::from_be_bytes(word[..16].try_into().unwrap()) ^ Self::pad(contract, &word[16..], epoch))
    }

    fn seal_user(&mut self, user: Address, plain: u128) -> U256 {
        let r = self.draw();
        user_cipher(user).seal(r[..16].try_into().unwrap(), plain)
    }

    fn open_user(&mut self, user: Address, sealed: U256) -> u128 {
        user_cipher(user).open(sealed)
    }

    fn user_key(&mut self, user: Address, recipient: &Recipient, form: KeyForm) -> Vec<u8> {
        let (key, coins) = (user_key(user), [Secret::from_bytes(self.draw().0), Secret::from_bytes(self.draw().0)]);
        match form {
            KeyForm::Shares => recipient.seal_key(&key, &Secret::from_bytes([5; 16]), [&coins[0], &coins[1]]).to_vec(),
            KeyForm::Whole => recipient.seal_whole_key(&key, &coins[0]).to_vec(),
        }
    }
}

pub(crate) fn user_key(user: Address) -> UserKey {
    UserKey::from_bytes(keccak256(user)[..16].try_into().unwrap())
}

pub(crate) fn user_cipher(user: Address) -> UserCipher {
    UserCipher::new(&user_key(user))
}

/// The account of most stories.
pub(crate) fn wallet() -> AccountKey {
    AccountKey::from_secret(Secret::from_bytes([1; 32])).unwrap()
}

pub(crate) fn sender() -> Address {
    wallet().address()
}

/// A world in which [`sender`] can pay.
pub(crate) fn land() -> Land {
    let mut land = Land::default();
    land.fund(sender());
    land
}

pub(crate) fn block() -> BlockInfo {
    BlockInfo {
        number: 7,
        timestamp: 1_700_000_000,
        base_fee: 5_000_000,
        gas_limit: 120_000_000,
        beneficiary: Address::repeat_byte(0xfe),
        prevrandao: B256::repeat_byte(3),
        chain_id: CHAIN,
    }
}

pub(crate) fn tx(nonce: u64, to: TxKind, data: impl Into<Bytes>) -> TxInput {
    let data = data.into();
    TxInput {
        hash: keccak256([&nonce.to_be_bytes(), &data[..]].concat()),
        from: sender(),
        to,
        value: U256::ZERO,
        data,
        gas_limit: 12_000_000,
        price: Price::Fixed(1_000_000_000),
        access_list: None,
        nonce,
        chain_id: Some(CHAIN),
    }
}

pub(crate) fn query(to: TxKind, data: impl Into<Bytes>) -> CallInput {
    CallInput {
        from: sender(),
        to,
        value: U256::ZERO,
        data: data.into(),
        gas: None,
        price: Price::Fixed(0),
        access_list: None,
    }
}

/// The returned words.
pub(crate) fn words(output: &[u8]) -> Vec<U256> {
    output.chunks(32).map(U256::from_be_slice).collect()
}
