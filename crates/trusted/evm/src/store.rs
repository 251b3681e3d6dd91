//! The world as revm reads it: each answer is asked for once and kept, so that the end of the block can tell what changed.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use revm::Database;
use revm::bytecode::Bytecode;
use revm::state::AccountInfo;

use crate::authentic::{MARKS, Marks};
use crate::world::{Account, Cell, World, WorldError};

/// The world behind revm's journal.
pub(crate) struct Store<W> {
    world: W,
    accounts: BTreeMap<Address, Option<Account>>,
    cells: BTreeMap<(Address, U256), Cell>,
    codes: BTreeMap<B256, Bytecode>,
    pub(crate) marks: Marks,
    /// The present one.
    epoch: u64,
}

impl<W> Store<W> {
    /// `epoch` seals what the block makes.
    pub(crate) fn new(world: W, epoch: u64) -> Self {
        Self {
            world,
            accounts: BTreeMap::new(),
            cells: BTreeMap::new(),
            codes: BTreeMap::new(),
            marks: Marks::default(),
            epoch,
        }
    }

    /// The account as it was before the block, if the block looked at it and it was there.
    pub(crate) fn account_before(&self, address: Address) -> Option<&Account> {
        self.accounts.get(&address)?.as_ref().filter(|account| !account.is_empty())
    }

    /// The epoch that sealed a marked word.
    pub(crate) fn epoch_of(&self, contract: Address, word: U256) -> u64 {
        self.marks.epoch(contract, word).unwrap_or(self.epoch)
    }

    /// The slot as it was before the block. A slot that nobody read belongs to a contract born in this block.
    pub(crate) fn cell_before(&self, address: Address, slot: U256) -> Cell {
        self.cells.get(&(address, slot)).copied().unwrap_or_default()
    }
}

impl<W: World> Database for Store<W> {
    type Error = WorldError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, WorldError> {
        if !self.accounts.contains_key(&address) {
            let account = self.world.account(address)?;
            self.accounts.insert(address, account);
        }
        let account = self.accounts.get(&address).and_then(Option::as_ref);
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.sequence,
            code_hash: account.code,
            code: None,
            ..AccountInfo::default()
        }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, WorldError> {
        if let Some(code) = self.codes.get(&hash) {
            return Ok(code.clone());
        }
        let code = Bytecode::new_legacy(self.world.code(hash)?);
        self.codes.insert(hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, WorldError> {
        if address == MARKS {
            return Ok(self.marks.initial(slot));
        }
        if let Some(cell) = self.cells.get(&(address, slot)) {
            return Ok(cell.word);
        }
        let cell = self.world.cell(address, slot)?;
        self.cells.insert((address, slot), cell);
        if let Some(epoch) = cell.marked {
            self.marks.loaded(address, slot, cell.word, epoch);
        }
        Ok(cell.word)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, WorldError> {
        self.world.block_hash(number)
    }
}
