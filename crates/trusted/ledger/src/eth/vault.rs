//! The keys as the machine may use them: plaintext in, ciphertext out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use alloy_primitives::{Address, B256, U256};
use cloister_envelope::{Recipient, UserCipher};
use cloister_evm::{KeyForm, Vault};
use cloister_keys::{Keys, NetworkCipher, TxKeys};
use cloister_teeth::decrypted;

/// The vault of a block, or of a query: what a transaction draws, and the ciphers that it used, prepared.
pub(crate) struct KeyVault<'a> {
    keys: &'a Keys,
    origin: Origin,
    tx: TxKeys,
    users: BTreeMap<Address, UserCipher>,
    /// By contract and epoch.
    contracts: BTreeMap<(Address, u64), NetworkCipher>,
}

/// What the values that a transaction draws hang on, beside its hash.
enum Origin {
    Block { height: u64, header: B256 },
    Query,
}

impl<'a> KeyVault<'a> {
    /// The vault of the block at `height` whose header has the hash `header`.
    pub(crate) fn block(keys: &'a Keys, height: u64, header: B256) -> Self {
        Self::new(keys, Origin::Block { height, header })
    }

    /// The vault of a query. It draws under another label than any block does.
    pub(crate) fn query(keys: &'a Keys) -> Self {
        Self::new(keys, Origin::Query)
    }

    fn new(keys: &'a Keys, origin: Origin) -> Self {
        // Replaced when the first transaction begins.
        let tx = keys.query(B256::ZERO);
        Self { keys, origin, tx, users: BTreeMap::new(), contracts: BTreeMap::new() }
    }

    fn user(&mut self, user: Address) -> &UserCipher {
        self.users.entry(user).or_insert_with(|| self.keys.user_cipher(user))
    }

    fn contract(&mut self, contract: Address, epoch: u64) -> Option<&NetworkCipher> {
        Some(match self.contracts.entry((contract, epoch)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.keys.network_cipher(contract, epoch)?),
        })
    }
}

impl Vault for KeyVault<'_> {
    fn begin(&mut self, tx: B256) {
        self.tx = match self.origin {
            Origin::Block { height, header } => self.keys.transaction(height, header, tx),
            Origin::Query => self.keys.query(tx),
        };
        if self.users.len() + self.contracts.len() > CIPHERS {
            self.users.clear();
            self.contracts.clear();
        }
    }

    fn handle(&mut self) -> U256 {
        self.tx.handle()
    }

    fn random(&mut self) -> U256 {
        self.tx.random()
    }

    fn seal_network(&mut self, contract: Address, plain: u128) -> U256 {
        loop {
            let salt = self.tx.salt();
            let cipher = self.contract(contract, self.keys.epoch()).expect("the present epoch's root is there");
            let sealed = cipher.seal(salt, plain);
            // Zero means "never written" to contracts.
            if !sealed.is_zero() {
                return sealed;
            }
        }
    }

    fn epoch(&self) -> u64 {
        self.keys.epoch()
    }

    fn open_network(&mut self, contract: Address, sealed: U256, epoch: u64) -> Option<u128> {
        let opened = self.contract(contract, epoch)?.open(sealed);
        decrypted();
        Some(opened)
    }

    fn seal_user(&mut self, user: Address, plain: u128) -> U256 {
        let salt = self.tx.salt();
        self.user(user).seal(salt, plain)
    }

    fn open_user(&mut self, user: Address, sealed: U256) -> u128 {
        decrypted();
        self.user(user).open(sealed)
    }

    fn user_key(&mut self, user: Address, recipient: &Recipient, form: KeyForm) -> Vec<u8> {
        let onboarding = self.tx.onboarding();
        let key = self.keys.user_key(user);
        let [first, second] = &onboarding.coins;
        match form {
            KeyForm::Shares => recipient.seal_key(&key, &onboarding.share, [first, second]).to_vec(),
            KeyForm::Whole => recipient.seal_whole_key(&key, first).to_vec(),
        }
    }
}

/// Prepared ciphers that are kept from one transaction to the next, at about 300 bytes each.
const CIPHERS: usize = 16_384;
