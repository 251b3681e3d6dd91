//! Functions that exchange ciphertext: with the network, with a user.

use alloy_primitives::{Address, Bytes, U256};
use cloister_envelope::cell::halves;
use cloister_envelope::signature::SIGNATURE_BYTES;
use cloister_envelope::{InputContext, WideCell, onboard};
use cloister_teeth::{Mechanism, holds};

use super::functions::{Function, abi_bytes};
use super::request::Request;
use super::types::{Value, Width};
use super::{Work, words};
use crate::vault::Vault;

impl<V: Vault> Work<'_, V> {
    /// Runs one of these functions; `None` is a revert.
    pub(super) fn exchange(&mut self, request: &Request<'_>) -> Option<Bytes> {
        let width = request.meta.width;
        match request.function {
            Function::OnBoard => {
                let [_, sealed] = request.words()?;
                let word = self.open_network(sealed)?;
                Some(self.values([Value::new(width, word)]))
            }
            Function::OnBoardWide => {
                let [_, high, low] = request.words()?;
                let word = self.open_network(high)? << 128 | self.open_network(low)?;
                Some(self.values([Value::new(width, word)]))
            }
            Function::OffBoard | Function::OffBoardWide => {
                let [_, handle] = request.words()?;
                let word = self.handles.get(width, handle)?;
                Some(self.cells(width, word, Self::seal_network))
            }
            Function::OffBoardToUser | Function::OffBoardToUserWide => {
                let ([_, handle], user) = request.words_and_bytes()?;
                let user = Address::from(<[u8; 20]>::try_from(user).ok()?);
                let word = self.handles.get(width, handle)?;
                Some(self.cells(width, word, |work, plain| work.vault.seal_user(user, plain)))
            }
            Function::ValidateCiphertext => {
                let ([_, cell], signature) = request.words_and_bytes()?;
                self.context().verify(cell, signature.get(..SIGNATURE_BYTES)?).ok()?;
                let word = U256::from(self.vault.open_user(self.frame.origin, cell));
                Some(self.values([Value::new(width, word)]))
            }
            Function::ValidateCiphertextWide => {
                let ([_, high, low], signature) = request.words_and_bytes()?;
                let cells = WideCell { high, low };
                self.context().verify_wide(&cells, signature.get(..SIGNATURE_BYTES)?).ok()?;
                let [high, low] = [high, low].map(|cell| U256::from(self.vault.open_user(self.frame.origin, cell)));
                Some(self.values([Value::new(width, high << 128 | low)]))
            }
            Function::GetUserKey => {
                let ([], signed) = request.words_and_bytes()?;
                let recipient = onboard::open_request(signed, self.frame.origin).ok()?;
                Some(abi_bytes(&self.vault.user_key(self.frame.origin, &recipient, self.frame.form)))
            }
            _ => None,
        }
    }

    /// Only what this frame made or loaded from its own authenticated storage opens.
    fn open_network(&mut self, sealed: U256) -> Option<U256> {
        let epoch = match self.memory.epoch(self.frame.depth, sealed) {
            None if !holds(Mechanism::AuthenticCells) => Some(self.vault.epoch()),
            known => known,
        };
        self.vault.open_network(self.frame.contract, sealed, epoch?).map(U256::from)
    }

    fn seal_network(&mut self, plain: u128) -> U256 {
        let sealed = self.vault.seal_network(self.frame.contract, plain);
        self.memory.admit(self.frame.depth, sealed, self.vault.epoch());
        sealed
    }

    /// One ciphertext, or for 256 bits two, the high one first.
    fn cells(&mut self, width: Width, word: U256, mut seal: impl FnMut(&mut Self, u128) -> U256) -> Bytes {
        let (high, low) = halves(word);
        if width == Width::U256 { words([seal(self, high), seal(self, low)]) } else { words([seal(self, low)]) }
    }

    /// What an input text has to be signed for: this origin, this contract, and the function that the transaction calls.
    fn context(&self) -> InputContext {
        InputContext { sender: self.frame.origin, contract: self.frame.contract, selector: self.frame.selector }
    }
}
