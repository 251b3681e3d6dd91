//! The state at height 0.

use alloy_primitives::Bytes;
use cloister_chain::genesis::GenesisError;
use cloister_chain::leaf::ChainState;
use cloister_chain::{Account, Cell, Epoch, Genesis, Header, Leaf};
use cloister_state::{NoSupply, Overlay};

use crate::cosmos;
use crate::eth::encode;

/// Writes the accounts of `genesis` and the chain's own leaves.
pub(crate) fn write(
    genesis: &Genesis,
    header: &Header,
    epoch: &Epoch,
    state: &mut Overlay<NoSupply>,
) -> Result<(), GenesisError> {
    let (mut accounts, mut supply) = (0u64, 0u128);
    for account in &genesis.accounts {
        let mut entry = Account { balance: account.balance, ..Account::default() };
        if !account.code.is_empty() {
            // A contract starts at 1, as if it had been created (EIP-161).
            entry.sequence = 1;
            entry.code = state.put_blob(Bytes::clone(&account.code));
        }
        if !entry.is_empty() {
            state.write(Leaf::Account(account.address), Some(encode(&entry)));
        }
        if account.coins > 0 {
            cosmos::credit(state, account.address, account.coins, accounts);
            accounts = accounts.saturating_add(1);
            supply = supply.saturating_add(account.coins);
        }
        for (slot, word) in account.storage.iter().filter(|(_, word)| !word.is_zero()) {
            let cell = Cell { word: *word, marked: None };
            state.write(Leaf::Storage(account.address, *slot), Some(encode(&cell)));
        }
    }
    if let Some(trust) = &genesis.trust {
        state.write(Leaf::Trust, Some(encode(trust)));
    }
    let nodes = genesis.admitted()?;
    if !nodes.is_empty() {
        let chips: Vec<_> = nodes.iter().map(|(chip, _)| *chip).collect();
        state.write(Leaf::Nodes, Some(encode(&chips)));
    }
    for (chip, node) in &nodes {
        state.write(Leaf::Node(*chip), Some(encode(node)));
        state.write(Leaf::BootKey(node.boot.kem), Some(encode(chip)));
    }
    if let Some(staking) = &genesis.staking {
        state.write(Leaf::GovParams, Some(encode(&staking.governance)));
        supply = supply.saturating_add(crate::staking::genesis(staking, header, state, &mut accounts));
    }
    state.write(Leaf::Epoch, Some(encode(epoch)));
    let chain = ChainState { base_fee: genesis.base_fee, accounts, supply, ..ChainState::default() };
    state.write(Leaf::Chain, Some(encode(&chain)));
    state.write(Leaf::block_hash(0), Some(encode(&header.hash())));
    Ok(())
}
