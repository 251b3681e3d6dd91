//! What Ethereum has no method for: the chain's identity, and proofs of its state. Namespace `cloister`.

use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::BlockId;
use cloister_chain::proof::Proof;
use cloister_chain::wire::{Answer, Query};
use cloister_chain::{Leaf, Validator};
use jsonrpsee::core::async_trait;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

use super::error::EthError;
use super::{Backend, Door};

#[rpc(server, namespace = "cloister")]
pub trait Own {
    /// Which chain this is, who signs it, and how far it is.
    #[method(name = "chain")]
    fn chain(&self) -> Result<ChainView, EthError>;

    /// The value of an account or of a storage slot, or its absence, with a proof.
    ///
    /// To check an answer, with the labelled hashes of `cloister_chain::hash`:
    /// 1. `leaf` is the borsh form of the name that was asked for; its position is `H("cloister/leaf/name", leaf)`.
    /// 2. Each of `proof.siblings` names a bit, strictly ascending, and the position agrees with `proof.leaf.position` in
    ///    all of them.
    /// 3. With a `value`: `proof.leaf.position` is the position, and `proof.leaf.valueHash` is
    ///    `H("cloister/leaf/value", value)`. Without one: it is another position, or the tree is empty.
    /// 4. From `H("cloister/tree/leaf", position ‖ valueHash)` up, the last sibling first:
    ///    `H("cloister/tree/branch", bit ‖ left ‖ right)`, where the sibling is on the side that the position does not
    ///    take, ends at `root`.
    /// 5. `root` stands in the header of height `height + 1`: `header` is its borsh form, `H("cloister/header", header)` is
    ///    its hash, and `certificate`, in borsh form too, decides that hash. Both are null while `height` is the tip: ask
    ///    again after the next block.
    ///
    /// `Proof::verify` and `Certificate::verify` of `cloister_chain` are these steps.
    #[method(name = "getProof")]
    async fn proof(&self, name: Name, block: Option<BlockId>) -> Result<ProofView, EthError>;
}

/// Answer of `cloister_chain`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainView {
    /// Chain id of the Cosmos door and of every signature.
    chain_id: String,
    /// EIP-155 chain id.
    evm_chain_id: U64,
    /// True for a SIMULATED chain: no confidentiality against its host.
    simulated: bool,
    /// Hash of the genesis.
    genesis_hash: B256,
    /// Height of the last committed block.
    height: U64,
    /// Hash of its header.
    block_hash: B256,
    /// The set that signs the next block.
    validators: Vec<ValidatorView>,
}

/// A validator.
#[derive(Clone, Debug, Serialize)]
pub struct ValidatorView {
    /// Ed25519 verification key.
    key: B256,
    /// Voting power.
    power: U64,
    /// Receives the tips.
    address: Address,
}

/// What a proof is about: `{"account": address}` or `{"storage": {"address": address, "slot": 32 bytes}}`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Name {
    /// An account.
    Account(Address),
    /// A storage slot of a contract.
    Storage {
        /// The contract.
        address: Address,
        /// The slot, big-endian.
        slot: B256,
    },
}

/// Answer of `cloister_getProof`.
#[derive(Clone, Debug, Serialize)]
pub struct ProofView {
    /// The state after the block of this height.
    height: U64,
    /// Root of that state.
    root: B256,
    /// Borsh form of the name.
    leaf: Bytes,
    /// Borsh form of the value; null if there is none.
    value: Option<Bytes>,
    /// The path.
    proof: PathView,
    /// Borsh form of the header of `height + 1`, which carries the root.
    header: Option<Bytes>,
    /// Borsh form of the certificate that decides that header.
    certificate: Option<Bytes>,
}

/// A path from the root to the leaf at its end.
#[derive(Clone, Debug, Serialize)]
pub struct PathView {
    /// Branches, from the root down.
    siblings: Vec<SiblingView>,
    /// The leaf at the end; null only in an empty tree.
    leaf: Option<EndView>,
}

/// A branch on the way.
#[derive(Clone, Debug, Serialize)]
pub struct SiblingView {
    /// The bit in which its sides differ.
    bit: u8,
    /// Hash of the side that the way does not take.
    hash: B256,
}

/// The leaf at the end of a path.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndView {
    /// Where it stands.
    position: B256,
    /// Hash of its value.
    value_hash: B256,
}

#[async_trait]
impl<B: Backend> OwnServer for Door<B> {
    fn chain(&self) -> Result<ChainView, EthError> {
        let (genesis, head) = (self.backend.genesis(), self.head()?);
        let header = self.reader()?.header(head.height)?.ok_or(EthError::HeaderNotFound)?;
        Ok(ChainView {
            chain_id: genesis.chain_id.clone(),
            evm_chain_id: U64::from(genesis.evm_chain_id),
            simulated: genesis.simulated,
            genesis_hash: genesis.hash(),
            height: U64::from(head.height),
            block_hash: header.hash(),
            validators: head.next_validators.iter().map(ValidatorView::new).collect(),
        })
    }

    async fn proof(&self, name: Name, block: Option<BlockId>) -> Result<ProofView, EthError> {
        let leaf = match name {
            Name::Account(address) => Leaf::Account(address),
            Name::Storage { address, slot } => Leaf::Storage(address, slot),
        };
        let (height, root, value, proof) = match self.ask(Query::Prove(leaf), block).await? {
            Answer::Proved { height, root, value, proof } => (height, root, value, proof),
            Answer::Refused(refusal) => return Err(EthError::Refused(refusal)),
            _ => return Err(EthError::Internal),
        };
        let above = self.reader()?.block(height.saturating_add(1))?;
        Ok(ProofView {
            height: U64::from(height),
            root,
            leaf: leaf.to_bytes().into(),
            value: value.map(Bytes::from),
            proof: PathView::new(&proof),
            header: above.as_ref().map(|above| encode(&above.block.header)),
            certificate: above.as_ref().map(|above| encode(&above.certificate)),
        })
    }
}

impl ValidatorView {
    fn new(validator: &Validator) -> Self {
        Self { key: validator.key, power: U64::from(validator.power), address: validator.address() }
    }
}

impl PathView {
    fn new(proof: &Proof) -> Self {
        let siblings = proof.siblings.iter().map(|(bit, hash)| SiblingView { bit: *bit, hash: *hash });
        let leaf = proof.leaf.map(|(position, value_hash)| EndView { position, value_hash });
        Self { siblings: siblings.collect(), leaf }
    }
}

fn encode<T: borsh::BorshSerialize>(value: &T) -> Bytes {
    borsh::to_vec(value).expect("writing to memory does not fail").into()
}
