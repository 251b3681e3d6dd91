use cosmwasm_std::{Binary, Reply, StdError, StdResult, Storage, from_slice, to_vec};
use serde::{Deserialize, Serialize};

/// What replies do.
#[derive(Serialize, Deserialize, Default)]
pub struct ReplyPlan {
    /// Fail.
    pub fail: bool,
    /// Return this data.
    pub data: Option<Binary>,
}

const PLAN: &[u8] = b"plan";
const REPLIES: &[u8] = b"replies";
/// Of entries that callers name.
const ENTRIES: &[u8] = b"entry:";
const MANY: &[u8] = b"many:";

pub fn set_reply(storage: &mut dyn Storage, plan: &ReplyPlan) -> StdResult<()> {
    storage.set(PLAN, &to_vec(plan)?);
    Ok(())
}

pub fn reply_plan(storage: &dyn Storage) -> StdResult<ReplyPlan> {
    storage.get(PLAN).map_or_else(|| Ok(ReplyPlan::default()), |plan| from_slice(&plan))
}

pub fn add_reply(storage: &mut dyn Storage, reply: Reply) -> StdResult<()> {
    let mut all = replies(storage)?;
    all.push(reply);
    storage.set(REPLIES, &to_vec(&all)?);
    Ok(())
}

/// Oldest first.
pub fn replies(storage: &dyn Storage) -> StdResult<Vec<Reply>> {
    storage.get(REPLIES).map_or_else(|| Ok(Vec::new()), |replies| from_slice(&replies))
}

pub fn write(storage: &mut dyn Storage, key: &str, value: &str) {
    storage.set(&[ENTRIES, key.as_bytes()].concat(), value.as_bytes());
}

pub fn remove(storage: &mut dyn Storage, key: &str) {
    storage.remove(&[ENTRIES, key.as_bytes()].concat());
}

pub fn read(storage: &dyn Storage, key: &str) -> StdResult<Option<String>> {
    let value = storage.get(&[ENTRIES, key.as_bytes()].concat());
    value.map(String::from_utf8).transpose().map_err(StdError::invalid_utf8)
}

pub fn write_many(storage: &mut dyn Storage, n: u32) {
    for index in 0..n {
        storage.set(&[MANY, &index.to_be_bytes()].concat(), &[7; 64]);
    }
}
