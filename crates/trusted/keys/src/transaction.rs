use core::fmt;

use alloy_primitives::{B256, U256};
use cloister_envelope::Secret;

use crate::schedule::{
    Derivation, HANDLE, ONBOARDING_COINS, ONBOARDING_SHARE, Parent, RANDOM, SALT, SHARE_EPHEMERAL, Transaction,
};

/// What one transaction, or one query, draws while it runs.
///
/// Each kind of value has its own counter, and no counter ever goes back: when a contract call is reverted, what it drew
/// stays drawn, so a salt never seals two values.
pub struct TxKeys {
    parent: Parent<Transaction>,
    handles: Counter,
    salts: Counter,
    randoms: Counter,
    onboardings: Counter,
}

impl TxKeys {
    pub(crate) fn new(parent: Parent<Transaction>) -> Self {
        Self {
            parent,
            handles: Counter::default(),
            salts: Counter::default(),
            randoms: Counter::default(),
            onboardings: Counter::default(),
        }
    }

    /// A fresh name for a value. No contract can guess it, and it is 2^128 at least: no small number passes for one.
    pub fn handle(&mut self) -> U256 {
        loop {
            let word = draw(&self.parent, &HANDLE, &mut self.handles).expose(|bytes| U256::from_be_bytes(*bytes));
            if word >> 128 != U256::ZERO {
                return word;
            }
        }
    }

    /// A fresh `r` for one cell, of a user's or of a contract's.
    pub fn salt(&mut self) -> [u8; 16] {
        draw(&self.parent, &SALT, &mut self.salts).expose(|bytes| *bytes)
    }

    /// 256 fresh random bits for the contract, a secret of the transaction until the contract shows them.
    pub fn random(&mut self) -> U256 {
        draw(&self.parent, &RANDOM, &mut self.randoms).expose(|bytes| U256::from_be_bytes(*bytes))
    }

    /// The ephemeral key of the share that a registration gets.
    pub(crate) fn share_ephemeral(&self, registration: &B256) -> Secret<32> {
        self.parent.derive(&SHARE_EPHEMERAL, &[registration.as_slice()])
    }

    /// What hands out a user's key once.
    pub fn onboarding(&mut self) -> Onboarding {
        let call = self.onboardings.next();
        let coins = |share: u8| self.parent.derive(&ONBOARDING_COINS, &[&call, &[share]]);
        Onboarding { share: self.parent.derive(&ONBOARDING_SHARE, &[&call]), coins: [coins(0), coins(1)] }
    }
}

impl fmt::Debug for TxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TxKeys([REDACTED])")
    }
}

/// What [`cloister_envelope::Recipient::seal_key`] needs beside the key.
#[derive(Debug, PartialEq, Eq)]
pub struct Onboarding {
    /// The first share of the key.
    pub share: Secret<16>,
    /// The coins of the two RSA-OAEP encryptions; the legacy answer takes the first.
    pub coins: [Secret<32>; 2],
}

fn draw<const N: usize>(
    parent: &Parent<Transaction>,
    derivation: &Derivation<Transaction, N>,
    counter: &mut Counter,
) -> Secret<N> {
    parent.derive(derivation, &[&counter.next()])
}

/// Counts up from 0.
#[derive(Default)]
struct Counter(u64);

impl Counter {
    /// The count before this call, as it enters a context.
    fn next(&mut self) -> [u8; 8] {
        let count = self.0;
        self.0 = count.checked_add(1).expect("no transaction has gas for 2^64 operations");
        count.to_be_bytes()
    }
}
