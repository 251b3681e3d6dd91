//! `cloister db`: the store of a node that does not run.

use std::path::Path;

use cloister_chain::{B256, Header, Receipt};
use cloister_store::{Reader, Store, StoreError};
use serde::Serialize;

use crate::error::Error;
use crate::shell::Shell;

/// Says what is in the store of the node in `home`.
pub fn info(shell: &Shell, home: &Path) -> Result<(), Error> {
    let store = open(home)?;
    let reader = store.reader()?;
    let info = Info::of(&reader, home)?;
    if shell.json() {
        return shell.object(&info);
    }
    let Info { chain_id, evm_chain_id, simulated, genesis, height, block, time, oldest_state, roots, bytes } = info;
    let kind = if simulated { "SIMULATED" } else { "hardware" };
    shell.result(format_args!("chain         {chain_id} ({evm_chain_id} for Ethereum's clients), {kind}"))?;
    shell.result(format_args!("genesis       {genesis}"))?;
    match (height, block, time) {
        (Some(height), Some(block), Some(time)) => {
            shell.result(format_args!("last block    {height} ({block})"))?;
            shell.result(format_args!("its time      {time} ns since 1970"))?;
            shell.result(format_args!("state kept    from height {oldest_state}"))?;
        }
        _ => shell.result("last block    none: the chain has not begun here")?,
    }
    shell.result(format_args!("sealed roots  {}", if roots { "there" } else { "missing" }))?;
    shell.result(format_args!("file          {bytes} bytes"))
}

/// Drops the state below the newest `keep` heights.
pub fn prune(shell: &Shell, home: &Path, keep: u64) -> Result<(), Error> {
    let store = open(home)?;
    let reader = store.reader()?;
    let (Some(tip), before) = (reader.tip()?, reader.oldest()?) else { return Err(StoreError::Missing.into()) };
    let below = tip.saturating_add(1).saturating_sub(keep).max(before);
    // An old picture keeps the pages that it sees.
    drop(reader);
    store.prune(below)?;
    let pruned = Pruned { event: "pruned", before, oldest_state: below };
    if shell.json() {
        return shell.object(&pruned);
    }
    shell.result(format_args!("state is kept from height {below}, before it was from {before}"))
}

/// Checks every block, its certificate, and its receipts, and that each block follows from the one before it.
pub fn verify(shell: &Shell, home: &Path) -> Result<(), Error> {
    let store = open(home)?;
    let reader = store.reader()?;
    let tip = reader.tip()?.ok_or(StoreError::Missing)?;
    // A store that began with a state of others has no blocks below.
    let base = reader.oldest_block()?.map_or(tip, |oldest| oldest.saturating_sub(1));
    let began = |what| Error::Unsound { height: base, what };
    let mut parent = reader.header(base)?.ok_or_else(|| began("its header is not there"))?;
    for height in base.saturating_add(1)..=tip {
        let found = check(&reader, &parent, height, base)?;
        parent = found.map_err(|what| Error::Unsound { height, what })?;
    }
    let head = reader.head()?.ok_or(StoreError::Missing)?;
    if (tip > base || base == 0) && receipts_root(&reader, tip)? != Some(head.results) {
        return Err(Error::Unsound { height: tip, what: "its receipts are not those that were executed" });
    }
    let verified = Verified { event: "verified", from: base, height: tip, block: parent.hash() };
    if shell.json() {
        return shell.object(&verified);
    }
    let (blocks, from) =
        (tip.saturating_sub(base), if base == 0 { "the genesis".into() } else { format!("block {base}") });
    shell.result(format_args!("{blocks} blocks follow from {from}, each decided by its validators, with its receipts"))
}

/// The header of `height`, or what is wrong with its block.
fn check(reader: &Reader, parent: &Header, height: u64, base: u64) -> Result<Result<Header, &'static str>, Error> {
    let Some(stored) = reader.block(height)? else { return Ok(Err("it is not there")) };
    let (block, certificate) = (stored.block, stored.certificate);
    let header = &block.header;
    if !block.is_whole() {
        return Ok(Err("its header is of other transactions"));
    }
    if header.height != height || header.parent != parent.hash() || header.chain_id != parent.chain_id {
        return Ok(Err("it does not follow from the block before it"));
    }
    if header.time <= parent.time || header.validators != parent.next_validators {
        return Ok(Err("its time or its validators do not follow from the block before it"));
    }
    let began = parent.height == base && base > 0;
    if !began && receipts_root(reader, parent.height)? != Some(header.results) {
        return Ok(Err("it was decided on other receipts of the block before it"));
    }
    let Some(set) = reader.validators(&header.validators)? else { return Ok(Err("its validators are not there")) };
    if certificate.verify(&header.chain_id, &set, height, &header.hash()).is_err() {
        return Ok(Err("its certificate does not decide it"));
    }
    Ok(Ok(block.header))
}

fn receipts_root(reader: &Reader, height: u64) -> Result<Option<B256>, StoreError> {
    let receipts = reader.receipts(height)?;
    Ok(receipts.map(|receipts| Receipt::root(&receipts)))
}

fn open(home: &Path) -> Result<Store, Error> {
    Store::open(home).map_err(|error| match error {
        StoreError::Locked => Error::InUse(home.into()),
        other => other.into(),
    })
}

#[derive(Debug, Serialize)]
struct Info {
    chain_id: String,
    evm_chain_id: u64,
    simulated: bool,
    genesis: B256,
    height: Option<u64>,
    block: Option<B256>,
    time: Option<u64>,
    oldest_state: u64,
    /// Whether the enclave's sealed roots are there.
    roots: bool,
    /// Size of the file.
    bytes: u64,
}

impl Info {
    fn of(reader: &Reader, home: &Path) -> Result<Self, Error> {
        let genesis = reader.genesis()?;
        let height = reader.tip()?;
        let header = height.map(|height| reader.header(height)).transpose()?.flatten();
        Ok(Self {
            chain_id: genesis.chain_id.clone(),
            evm_chain_id: genesis.evm_chain_id,
            simulated: genesis.simulated,
            genesis: genesis.hash(),
            height,
            block: header.as_ref().map(Header::hash),
            time: header.as_ref().map(|header| header.time),
            oldest_state: reader.oldest()?,
            roots: home.join(ROOTS).is_file(),
            bytes: std::fs::metadata(home.join(STORE)).map_or(0, |data| data.len()),
        })
    }
}

#[derive(Debug, Serialize)]
struct Pruned {
    event: &'static str,
    before: u64,
    oldest_state: u64,
}

#[derive(Debug, Serialize)]
struct Verified {
    event: &'static str,
    /// The block that the store began with; 0 is the genesis.
    from: u64,
    height: u64,
    block: B256,
}

/// Name of the file in a home with what the enclave sealed.
const ROOTS: &str = "roots.sealed";
/// Name of the store's file in a home.
const STORE: &str = "chain.redb";
