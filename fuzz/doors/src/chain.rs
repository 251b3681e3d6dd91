//! Decoders of the shared words.

use std::sync::LazyLock;

use borsh::{BorshDeserialize, BorshSerialize};
use cloister_chain::cosmos::SignerData;
use cloister_chain::proof::{Proof, ProofError};
use cloister_chain::wire::{self, ToEnclave, ToHost};
use cloister_chain::{B256, Block, Certificate, EthTx, Genesis, Leaf, Tx};

static GENESIS: LazyLock<Genesis> = LazyLock::new(Genesis::for_tests);

pub(crate) fn eth_tx(data: &[u8]) {
    let Ok(tx) = EthTx::decode(data, GENESIS.evm_chain_id) else { return };
    assert_eq!(Tx::Eth(tx.clone()).to_bytes()[1..], *data, "a transaction has one encoding");
    assert_eq!(tx.hash(), alloy_primitives::keccak256(data));
}

pub(crate) fn tx(data: &[u8]) {
    let Ok(tx) = Tx::from_bytes(data, GENESIS.evm_chain_id) else { return };
    assert_eq!(tx.to_bytes()[..], *data, "a transaction has one encoding");
    if let Tx::Cosmos(tx) = &tx {
        let signer = |index| SignerData { sequence: tx.sequence(index), ..SignerData::default() };
        let signers: Vec<_> = (0..tx.signers().len()).map(signer).collect();
        // Of the vectors' accounts none has number 0 on this chain.
        assert!(tx.verify(&GENESIS.chain_id, &signers).is_err());
    }
}

pub(crate) fn to_enclave(data: &[u8]) {
    frames::<ToEnclave>(data);
}

pub(crate) fn to_host(data: &[u8]) {
    frames::<ToHost>(data);
}

pub(crate) fn block(data: &[u8]) {
    let mut rest = data;
    let Ok(block) = Block::deserialize(&mut rest) else { return };
    let Ok(certificate) = Certificate::try_from_slice(rest) else { return };
    let _ = Block::txs_root(&block.txs);
    let (hash, height) = (block.header.hash(), block.header.height);
    if certificate.verify(&GENESIS.chain_id, &GENESIS.validators, height, &hash).is_err() {
        return;
    }
    for other in [B256::ZERO, certificate.hash()] {
        assert!(certificate.verify(&GENESIS.chain_id, &GENESIS.validators, height, &other).is_err());
    }
    assert!(certificate.verify("another-1", &GENESIS.validators, height, &hash).is_err());
    assert!(certificate.verify(&GENESIS.chain_id, &GENESIS.validators, height.wrapping_add(1), &hash).is_err());
}

/// The bytes are root, name, value (one byte and the value, or a zero byte) and proof.
pub(crate) fn proof(data: &[u8]) {
    type Claim = (B256, Leaf, Option<Vec<u8>>, Proof);
    let Ok((root, leaf, value, proof)) = Claim::try_from_slice(data) else { return };
    if proof.verify(&root, &leaf, value.as_deref()).is_err() {
        return;
    }
    // One root does not vouch for two values of one name, nor for presence and absence.
    let other = value.as_ref().map_or(Some(&b"other"[..]), |_| None);
    assert!(proof.verify(&root, &leaf, other).is_err());
    let longer = value.map(|value| [value, vec![0]].concat());
    assert!(longer.is_none_or(|longer| proof.verify(&root, &leaf, Some(&longer)) == Err(ProofError::Value)));
}

fn frames<T: BorshSerialize + BorshDeserialize>(data: &[u8]) {
    let mut rest = data;
    let mut again = Vec::new();
    while let Ok(message) = wire::receive::<T>(&mut rest) {
        wire::send(&mut again, &message).expect("what was received fits a frame");
    }
    assert!(data.starts_with(&again), "a message has one encoding");
}
