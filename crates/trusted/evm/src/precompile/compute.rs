//! Functions that stay among handles and clear values.

use alloy_primitives::{Bytes, U256};
use sha2::{Digest, Sha256};

use super::functions::{Function, abi_bytes};
use super::request::Request;
use super::types::{Value, Width};
use super::{Work, ops};
use crate::vault::Vault;

impl<V: Vault> Work<'_, V> {
    /// Runs one of these functions; `None` is a revert.
    pub(super) fn compute(&mut self, request: &Request<'_>) -> Option<Bytes> {
        let width = request.meta.width;
        let [first, second, third, fourth] = request.meta.operands;
        match request.function {
            Function::Binary(op) => {
                let [_, a, b] = request.words()?;
                let (a, b) = (self.handles.operand(first, a)?, self.handles.operand(second, b)?);
                Some(self.values([op.apply(width, a, b)]))
            }
            Function::Checked(op) => {
                let [_, a, b] = request.words()?;
                let (a, b) = (self.handles.operand(first, a)?, self.handles.operand(second, b)?);
                let (beyond, wrapped) = op.apply(width, a, b);
                Some(self.values([beyond.into(), wrapped]))
            }
            Function::Shift(op) => {
                let [_, a, amount] = request.words()?;
                let a = self.handles.operand(first, a)?;
                Some(self.values([op.apply(width, a, amount)]))
            }
            Function::Not => {
                let [_, a] = request.words()?;
                let a = self.handles.operand(first, a)?;
                Some(self.values([ops::not(width, a)]))
            }
            Function::Mux => {
                let [_, bit, a, b] = request.words()?;
                let bit = self.handles.get(Width::Bool, bit)?;
                let (a, b) = (self.handles.operand(first, a)?, self.handles.operand(second, b)?);
                Some(self.values([Value::new(width, if bit.is_zero() { a } else { b })]))
            }
            Function::Transfer => {
                let [_, a, b, amount] = request.words()?;
                let (a, b) = (self.handles.operand(first, a)?, self.handles.operand(second, b)?);
                let amount = self.handles.operand(third, amount)?;
                let done = ops::transfer(width, a, b, amount, width.mask());
                Some(self.values([done.a, done.b, done.ok.into()]))
            }
            Function::TransferWithAllowance | Function::TransferWithAllowance2024 => {
                let [_, a, b, amount, allowance] = request.words()?;
                let (a, b) = (self.handles.operand(first, a)?, self.handles.operand(second, b)?);
                let (amount, allowance) =
                    (self.handles.operand(third, amount)?, self.handles.operand(fourth, allowance)?);
                let done = ops::transfer(width, a, b, amount, allowance);
                Some(self.values([done.a, done.b, done.ok.into(), done.allowance]))
            }
            Function::SetPublic => {
                let [_, clear] = request.words()?;
                width.admits(clear).then(|| self.values([Value::new(width, clear)]))
            }
            Function::Decrypt => {
                let [_, handle] = request.words()?;
                Some(super::words([self.handles.get(width, handle)?]))
            }
            Function::Rand => {
                let [_] = request.words()?;
                let random = self.vault.random();
                Some(self.values([Value::new(width, random)]))
            }
            Function::RandBoundedBits => {
                let [_, bits] = request.words()?;
                let bits = usize::try_from(bits).ok().filter(|bits| *bits <= width.bits().min(255))?;
                let below = U256::from(1) << bits;
                let random = self.vault.random() & (below - U256::from(1));
                Some(self.values([Value::new(width, random)]))
            }
            Function::Sha256 => self.sha256(request),
            _ => None,
        }
    }

    /// SHA-256 of `amount(8) ‖ seed(8) ‖ seed(8) ‖ address(20) ‖ padding(8) ‖ padding(2)`, 432 bits.
    fn sha256(&mut self, request: &Request<'_>) -> Option<Bytes> {
        let ([amount, seed_1, seed_2, padding_1, padding_2], address) = request.words_and_bytes()?;
        if address.len() != 20 || !Width::U64.admits(padding_1) || !Width::U16.admits(padding_2) {
            return None;
        }
        let mut hash = Sha256::new();
        for handle in [amount, seed_1, seed_2] {
            let word = self.handles.get(Width::U64, handle)?;
            hash.update(&word.to_be_bytes::<32>()[24..]);
        }
        hash.update(address);
        hash.update(&padding_1.to_be_bytes::<32>()[24..]);
        hash.update(&padding_2.to_be_bytes::<32>()[30..]);
        Some(abi_bytes(&hash.finalize()))
    }
}
