//! The first state of a chain, and the parameters that never change.

use alloy_primitives::{Address, B256, Bytes, U256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::epoch::{Epochs, EpochsError};
use crate::hash::tagged;
use crate::leaf::Position;
use crate::limits;
use crate::staking::{GenesisStaking, StakingError, pool};
use crate::trust::{GenesisNode, MAX_NODES, Node, NotAdmitted, Registration, Trust, TrustError};
use crate::validators::ValidatorSet;

/// Everything that two nodes must share to be on one chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Chain id of the Cosmos door and of every signature and key derivation.
    pub chain_id: String,
    /// Chain id of the Ethereum door (EIP-155).
    pub evm_chain_id: u64,
    /// Nanoseconds since the Unix epoch.
    pub time: u64,
    /// True for ever for a SIMULATED chain: no confidentiality against the host.
    pub simulated: bool,
    /// The set that signs block 1.
    pub validators: ValidatorSet,
    /// EVM gas that one block may use.
    pub evm_gas: u64,
    /// Gas in the SDK's units that one block may use.
    pub sdk_gas: u64,
    /// Base fee of block 1, and its floor for ever, in wei per gas.
    pub base_fee: u64,
    /// Accounts at height 0.
    pub accounts: Vec<GenesisAccount>,
    /// Who bonded what; without it the validators stay who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staking: Option<GenesisStaking>,
    /// What is demanded of enclaves that want the seed; without it none of them gets it from the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// Questions to contracts that an enclave answers between two blocks (M-10), and none before the chain lists its run (M-04)
    /// if it admits enclaves; without it any number, which only a SIMULATED chain may want.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<u32>,
    /// Enclaves that have the seed from the start. Without any, the one validator's enclave makes it when it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<GenesisNode>,
    /// How the network's keys follow each other; without it those of the first epoch stay for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<Epochs>,
}

/// An account that exists from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisAccount {
    /// Its address.
    pub address: Address,
    /// Balance in wei.
    #[serde(default)]
    pub balance: U256,
    /// Balance in the Cosmos micro-denomination.
    #[serde(default)]
    pub coins: u128,
    /// EVM runtime code.
    #[serde(default)]
    pub code: Bytes,
    /// Storage, by slot. None of it is authenticated ciphertext.
    #[serde(default)]
    pub storage: Vec<(B256, U256)>,
}

/// Why a genesis cannot start a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// The chain id is empty, too long, or holds something other than letters, digits, `-`, `_` and `.`.
    #[error("a chain id has 1 to {} letters, digits, '-', '_' or '.'", limits::CHAIN_ID_BYTES)]
    ChainId,
    /// An account stands in the list twice.
    #[error("the same account stands in the genesis twice")]
    DuplicateAccount,
    /// An account that a module holds coins in: the chain itself makes those.
    #[error("an account of the genesis belongs to a module")]
    Module,
    /// More coins than 128 bits count, those that validators bond included.
    #[error("the genesis has more coins than can be counted")]
    Coins,
    /// Contract code above the EIP-170 limit.
    #[error("a genesis contract is larger than {} bytes", limits::EVM_CODE_BYTES)]
    CodeSize,
    /// The staking section breaks a rule.
    #[error(transparent)]
    Staking(#[from] StakingError),
    /// The trust section breaks a rule.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A chain that promises hardware counts questions, says whom it trusts, and changes its keys.
    #[error("only a SIMULATED chain does without a number of queries, a trust section or epochs")]
    Hardware,
    /// There are nodes, and nothing that says what is demanded of them, or too many.
    #[error("a genesis with nodes demands something of them, and has at most {MAX_NODES}")]
    Nodes,
    /// A node's certificate is not a registration.
    #[error("a certificate of the genesis is not a registration")]
    Certificate,
    /// A node's enclave is not one that the chain admits.
    #[error("a node of the genesis: {0}")]
    NotAdmitted(#[from] NotAdmitted),
    /// Two nodes have one chip or one boot key.
    #[error("two nodes of the genesis have the same chip or the same boot key")]
    DuplicateNode,
    /// The section of epochs breaks a rule.
    #[error(transparent)]
    Epochs(#[from] EpochsError),
}

impl Genesis {
    /// Checks what the types do not.
    pub fn check(&self) -> Result<(), GenesisError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.chain_id.is_empty() || self.chain_id.len() > limits::CHAIN_ID_BYTES || !self.chain_id.bytes().all(plain)
        {
            return Err(GenesisError::ChainId);
        }
        let (mut seen, mut coins) = (std::collections::BTreeSet::new(), 0u128);
        for account in &self.accounts {
            if !seen.insert(account.address) {
                return Err(GenesisError::DuplicateAccount);
            }
            if account.code.len() > limits::EVM_CODE_BYTES {
                return Err(GenesisError::CodeSize);
            }
            coins = coins.checked_add(account.coins).ok_or(GenesisError::Coins)?;
        }
        if let Some(trust) = &self.trust {
            trust.check(&self.chain_id, self.simulated)?;
        }
        if !self.simulated && (self.queries.is_none() || self.trust.is_none() || self.epochs.is_none()) {
            return Err(GenesisError::Hardware);
        }
        if self.nodes.len() > MAX_NODES || (self.trust.is_none() && !self.nodes.is_empty()) {
            return Err(GenesisError::Nodes);
        }
        if let Some(epochs) = &self.epochs {
            epochs.check()?;
        }
        if let Some(staking) = &self.staking {
            staking.check(&self.validators)?;
            if pool::all().iter().any(|module| seen.contains(module)) {
                return Err(GenesisError::Module);
            }
            let mut bonds = staking.validators.iter().map(|validator| validator.bond);
            bonds.try_fold(coins, u128::checked_add).ok_or(GenesisError::Coins)?;
        }
        Ok(())
    }

    /// The enclaves that have the seed from the start, by their chips, in the order of the genesis. Verifies the evidence of
    /// each at the time of the genesis: about five milliseconds for one.
    pub fn admitted(&self) -> Result<Vec<(B256, Node)>, GenesisError> {
        let Some(trust) = &self.trust else { return Ok(Vec::new()) };
        let (mut chips, mut keys) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        let mut admitted = Vec::with_capacity(self.nodes.len());
        for (index, node) in (0..).zip(&self.nodes) {
            let registration = Registration::from_bytes(&node.certificate).ok_or(GenesisError::Certificate)?;
            let verified = registration.verify(&self.chain_id, self.simulated, trust, self.time / 1_000_000_000, 0)?;
            if !chips.insert(verified.hardware) || !keys.insert(registration.boot.kem) {
                return Err(GenesisError::DuplicateNode);
            }
            let registered = Position { height: 0, index };
            admitted.push((verified.hardware.0, Node::new(node.owner, &registration, &verified, registered)));
        }
        Ok(admitted)
    }

    /// Identity of the chain.
    pub fn hash(&self) -> B256 {
        tagged("cloister/genesis", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }

    /// The same as a chain that promises hardware may have it, for tests.
    pub fn on_hardware(self) -> Self {
        let trust = self.trust.unwrap_or_default().on_hardware(&self.chain_id);
        let epochs = self.epochs.or(Some(Epochs { length: 86_400_000_000_000, grace: 3_600_000_000_000, sweep: 64 }));
        Self { simulated: false, queries: Some(4_096), trust: Some(trust), epochs, ..self }
    }

    /// A small genesis with one validator whose signing key is thirty-two bytes of 7, for tests and examples.
    pub fn for_tests() -> Self {
        let key = ed25519_zebra::SigningKey::from([7; 32]);
        let key = B256::new(ed25519_zebra::VerificationKey::from(&key).into());
        let validators = ValidatorSet::new(vec![crate::Validator { key, power: 1 }]).expect("one validator is a set");
        Self {
            chain_id: "test-1".into(),
            evm_chain_id: 7_082_400,
            time: 1_700_000_000_000_000_000,
            simulated: true,
            validators,
            evm_gas: 1_200_000_000,
            sdk_gas: 100_000_000,
            base_fee: 5_000_000,
            accounts: Vec::new(),
            staking: None,
            trust: None,
            queries: None,
            nodes: Vec::new(),
            epochs: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_promises_hardware_counts_questions_and_nodes_prove_something() {
        let genesis = Genesis::for_tests();
        assert_eq!(genesis.check(), Ok(()));
        let demanding = genesis.clone().on_hardware();
        assert_eq!(demanding.check(), Ok(()));
        let without = [
            Genesis { simulated: false, ..genesis.clone() },
            Genesis { queries: None, ..demanding.clone() },
            Genesis { trust: None, ..demanding.clone() },
            Genesis { epochs: None, ..demanding.clone() },
        ];
        assert_eq!(without.map(|genesis| genesis.check()), [(); 4].map(|()| Err(GenesisError::Hardware)));
        let hasty = demanding.trust.clone().map(|trust| Trust { delay: 0, ..trust });
        let hasty = Genesis { trust: hasty, ..demanding };
        assert_eq!(hasty.check(), Err(GenesisError::Trust(TrustError::Delay)));
        let node = GenesisNode { owner: Address::ZERO, certificate: Bytes::from_static(b"none") };
        let unproven = Genesis { nodes: vec![node.clone()], ..genesis.clone() };
        assert_eq!(unproven.check(), Err(GenesisError::Nodes));
        let malformed = Genesis { trust: Some(Trust::default()), ..unproven };
        assert_eq!((malformed.check(), malformed.admitted().err()), (Ok(()), Some(GenesisError::Certificate)));
        let crowded = Genesis { trust: Some(Trust::default()), nodes: vec![node; MAX_NODES + 1], ..genesis };
        assert_eq!(crowded.check(), Err(GenesisError::Nodes));
    }
}
