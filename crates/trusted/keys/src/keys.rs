use core::fmt;

use alloy_primitives::{Address, B256};
use cloister_envelope::{UserCipher, UserKey};

use crate::{EpochRoot, NetworkCipher, PermanentRoot, Seed, TxKeys};

/// Both roots of one chain: what an enclave derives everything from. Cheap to share, never changed by use.
pub struct Keys {
    permanent: PermanentRoot,
    epoch: EpochRoot,
}

impl Keys {
    /// The keys of the chain `chain_id` in epoch 0. The seed is not kept.
    pub fn new(chain_id: &str, seed: &Seed) -> Self {
        Self { permanent: PermanentRoot::new(chain_id, seed), epoch: EpochRoot::first(chain_id, seed) }
    }

    /// Steps on to the next epoch and erases the root of this one.
    pub fn next_epoch(self, randomness: &B256) -> Self {
        Self { permanent: self.permanent, epoch: self.epoch.next(randomness) }
    }

    /// The number of the current epoch, from 0.
    pub const fn epoch(&self) -> u64 {
        self.epoch.epoch()
    }

    /// The AES key of an address, to be on-boarded.
    pub fn user_key(&self, address: Address) -> UserKey {
        self.permanent.user_key(address)
    }

    /// The cipher of the cells that an address reads and writes.
    pub fn user_cipher(&self, address: Address) -> UserCipher {
        UserCipher::new(&self.user_key(address))
    }

    /// The cipher of the cells in the storage of one contract, in this epoch.
    pub fn network_cipher(&self, contract: Address) -> NetworkCipher {
        self.epoch.network_cipher(contract)
    }

    /// What the transaction with this hash draws in the block at `height` with the header `header_hash`.
    ///
    /// The block's own header commits to all its transactions and to the state below, so two blocks that ever compete for a
    /// height draw differently, and no salt meets two plaintexts.
    ///
    /// Execute one transaction with one [`TxKeys`]: a second one made from the same hashes draws the same values again,
    /// which is right for a replay and wrong for anything else.
    pub fn transaction(&self, height: u64, header_hash: B256, transaction: B256) -> TxKeys {
        self.epoch.transaction(height, header_hash, transaction)
    }

    /// What a call or an estimate draws; `input_hash` covers everything that the query depends on.
    pub fn query(&self, input_hash: B256) -> TxKeys {
        self.epoch.query(input_hash)
    }

    /// The public random number of the block that follows the header with `parent_hash` (the EVM's PREVRANDAO).
    pub fn beacon(&self, parent_hash: B256) -> B256 {
        self.epoch.beacon(parent_hash)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([REDACTED])")
    }
}
