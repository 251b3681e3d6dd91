use core::future::Future;

use alloy_primitives::{B256, Bytes};
use cloister_chain::{Certificate, Header, Leaf, ValidatorSet};

use super::{Inclusion, LeafProof};
use crate::Error;

/// Somebody who has a chain, or says so. Nothing of what he says is believed.
pub trait Source: Send + Sync {
    /// Headers from a height upward, at least one if there is one, at most `count`.
    fn headers(&self, from: u64, count: u32) -> impl Future<Output = Result<Headers, Error>> + Send;

    /// Where a transaction stands; `None` if it stands nowhere.
    fn place(&self, hash: B256) -> impl Future<Output = Result<Option<Place>, Error>> + Send;

    /// What stands there.
    fn inclusion(&self, place: Place) -> impl Future<Output = Result<Inclusion, Error>> + Send;

    /// What stands under a leaf after the block of a height.
    fn leaf(&self, leaf: Leaf, height: u64) -> impl Future<Output = Result<LeafProof, Error>> + Send;

    /// The certificate of a node of the genesis, by its index there; `None` if there is none.
    fn genesis_certificate(&self, index: u32) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;
}

/// Consecutive headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Height of the last block.
    pub tip: u64,
    /// Headers with what decides them, ascending. Only that of the genesis has no certificate.
    pub headers: Vec<(Header, Option<Certificate>)>,
    /// Every set that one of them names, once, in any order.
    pub validators: Vec<ValidatorSet>,
}

/// A place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Height of the block.
    pub height: u64,
    /// Index in it, from 0.
    pub index: u32,
}
