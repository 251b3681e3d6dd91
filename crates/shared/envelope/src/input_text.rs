//! Input texts: a user's ciphertext and the signature that lets one function of one contract use it, once per call.
//!
//! ```text
//! message = sender(20) ‖ contract(20) ‖ selector(4) ‖ ciphertext(32)                  76 bytes
//! message = sender(20) ‖ contract(20) ‖ selector(4) ‖ high(32) ‖ low(32)             108 bytes, one signature for both
//! ```
//!
//! A string has one 76-byte message and one signature for each of its cells. The signature follows [`crate::signature`];
//! the signer is the transaction's origin, whatever contract calls. There is no nonce and no expiry: the same account can
//! send the same input text to the same function again. (COTI gcEVM `ValidateCiphertext`.)

use alloy_primitives::{Address, U256};
use cloister_teeth::{Mechanism, holds};

use crate::signature::{self, AccountKey, Form, SIGNATURE_BYTES};
use crate::{Error, WideCell};

const CONTEXT_BYTES: usize = 44;
/// The length of the message that is signed for one cell.
pub const MESSAGE_BYTES: usize = CONTEXT_BYTES + 32;
/// The length of the message that is signed for a 256-bit value.
pub const WIDE_MESSAGE_BYTES: usize = CONTEXT_BYTES + 64;

/// For whom and for what an input text is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputContext {
    /// The account that signs the transaction: its origin, not the calling contract.
    pub sender: Address,
    /// The contract that hands the input text to the precompile; for a proxy, the proxy.
    pub contract: Address,
    /// The first four bytes of the transaction's calldata.
    pub selector: [u8; 4],
}

impl InputContext {
    /// What is signed for one cell.
    pub fn message(&self, ciphertext: U256) -> [u8; MESSAGE_BYTES] {
        let mut message = [0; MESSAGE_BYTES];
        message[..CONTEXT_BYTES].copy_from_slice(&self.bytes());
        message[CONTEXT_BYTES..].copy_from_slice(&ciphertext.to_be_bytes::<32>());
        message
    }

    /// What is signed for a 256-bit value.
    pub fn wide_message(&self, ciphertext: &WideCell) -> [u8; WIDE_MESSAGE_BYTES] {
        let mut message = [0; WIDE_MESSAGE_BYTES];
        message[..MESSAGE_BYTES].copy_from_slice(&self.message(ciphertext.high));
        message[MESSAGE_BYTES..].copy_from_slice(&ciphertext.low.to_be_bytes::<32>());
        message
    }

    /// Signs one cell, for the client whose account is [`Self::sender`].
    pub fn sign(&self, ciphertext: U256, key: &AccountKey, form: Form) -> InputText {
        InputText { ciphertext, signature: key.sign(&self.message(ciphertext), form) }
    }

    /// Signs a 256-bit value, for the client whose account is [`Self::sender`].
    pub fn sign_wide(&self, ciphertext: WideCell, key: &AccountKey, form: Form) -> WideInputText {
        WideInputText { ciphertext, signature: key.sign(&self.wide_message(&ciphertext), form) }
    }

    /// Succeeds when the sender signed this cell for this context.
    pub fn verify(&self, ciphertext: U256, signature: &[u8]) -> Result<(), Error> {
        if !holds(Mechanism::InputTexts) {
            return Ok(());
        }
        signature::verify(&self.message(ciphertext), signature, self.sender)
    }

    /// Succeeds when the sender signed this 256-bit value for this context.
    pub fn verify_wide(&self, ciphertext: &WideCell, signature: &[u8]) -> Result<(), Error> {
        signature::verify(&self.wide_message(ciphertext), signature, self.sender)
    }

    fn bytes(&self) -> [u8; CONTEXT_BYTES] {
        let mut bytes = [0; CONTEXT_BYTES];
        bytes[..20].copy_from_slice(self.sender.as_slice());
        bytes[20..40].copy_from_slice(self.contract.as_slice());
        bytes[40..].copy_from_slice(&self.selector);
        bytes
    }
}

/// COTI's `itUint64` and its siblings up to 128 bits: `(uint256 ciphertext, bytes signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputText {
    /// The cell under the sender's user key.
    pub ciphertext: U256,
    /// The sender's signature over [`InputContext::message`].
    pub signature: [u8; SIGNATURE_BYTES],
}

/// COTI's `itUint256`: `((uint256, uint256) ciphertext, bytes signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WideInputText {
    /// Both cells under the sender's user key.
    pub ciphertext: WideCell,
    /// The sender's signature over [`InputContext::wide_message`].
    pub signature: [u8; SIGNATURE_BYTES],
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Secret;

    fn account() -> AccountKey {
        AccountKey::from_secret(Secret::from_bytes([1; 32])).expect("below the group order")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_input_text_is_valid_for_its_own_context_only(
            contract: [u8; 20], selector: [u8; 4], ciphertext: [u8; 32], flip in 0_usize..MESSAGE_BYTES * 8, personal: bool,
        ) {
            let key = account();
            let context = InputContext { sender: key.address(), contract: contract.into(), selector };
            let form = if personal { Form::Personal } else { Form::Raw };
            let input = context.sign(U256::from_be_bytes(ciphertext), &key, form);
            prop_assert_eq!(context.verify(input.ciphertext, &input.signature), Ok(()));

            let mut message = context.message(input.ciphertext);
            message[flip / 8] ^= 1 << (flip % 8);
            let other = InputContext {
                sender: Address::from_slice(&message[..20]),
                contract: Address::from_slice(&message[20..40]),
                selector: message[40..44].try_into().expect("four bytes"),
            };
            let refused = other.verify(U256::from_be_slice(&message[44..]), &input.signature);
            prop_assert_eq!(refused, Err(Error::WrongSigner));
        }

        #[test]
        fn one_signature_covers_both_halves_in_their_order(high: [u8; 32], low: [u8; 32]) {
            prop_assume!(high != low);
            let key = account();
            let context = InputContext { sender: key.address(), contract: Address::ZERO, selector: [0; 4] };
            let cells = WideCell { high: U256::from_be_bytes(high), low: U256::from_be_bytes(low) };
            let input = context.sign_wide(cells, &key, Form::Raw);
            prop_assert_eq!(context.verify_wide(&cells, &input.signature), Ok(()));
            let swapped = WideCell { high: cells.low, low: cells.high };
            prop_assert_eq!(context.verify_wide(&swapped, &input.signature), Err(Error::WrongSigner));
            prop_assert_eq!(context.verify(cells.high, &input.signature), Err(Error::WrongSigner));
        }
    }
}
