//! A token with accounts that have real addresses, and a storage that counts.

use std::cell::Cell;

use bech32::{Bech32, Hrp};
use cosmwasm_std::testing::{MockApi, MockQuerier, MockStorage, mock_env, mock_info};
use cosmwasm_std::{Binary, Coin, Empty, Env, OwnedDeps, Response, StdResult, Storage, from_slice};

use crate::{QueryAnswer, execute, instantiate, query};

/// A token and everything around it.
pub struct World {
    pub deps: OwnedDeps<Counting, MockApi, MockQuerier<Empty>>,
    pub env: Env,
}

impl World {
    /// `alice` has 100 tokens; everything is allowed; the admin is `root`.
    pub fn new() -> Self {
        Self::with(r#"{"public_total_supply":true,"enable_deposit":true,"enable_redeem":true,"enable_mint":true}"#)
    }

    pub fn with(config: &str) -> Self {
        let deps = OwnedDeps {
            storage: Counting::default(),
            api: MockApi::default(),
            querier: MockQuerier::default(),
            custom_query_type: Default::default(),
        };
        let mut world = Self { deps, env: mock_env() };
        let json = format!(
            r#"{{"name":"Token","symbol":"TKN","decimals":6,"prng_seed":"c2VlZA==","config":{config},
                "initial_balances":[{{"address":"{}","amount":"100"}}]}}"#,
            address("alice")
        );
        let (env, info) = (world.env.clone(), mock_info(&address("root"), &[]));
        instantiate(world.deps.as_mut(), env, info, from_slice(json.as_bytes()).unwrap()).unwrap();
        world
    }

    pub fn call(&mut self, sender: &str, json: &str) -> StdResult<Response> {
        self.pay(sender, json, &[])
    }

    /// As on the chain, a call that fails leaves no trace.
    pub fn pay(&mut self, sender: &str, json: &str, funds: &[Coin]) -> StdResult<Response> {
        let msg = from_slice(json.as_bytes())?;
        let before = self.deps.storage.copy();
        let result = execute(self.deps.as_mut(), self.env.clone(), mock_info(&address(sender), funds), msg);
        if result.is_err() {
            self.deps.storage = before;
        }
        result
    }

    pub fn ask_raw(&self, json: &str) -> StdResult<Binary> {
        query(self.deps.as_ref(), self.env.clone(), from_slice(json.as_bytes())?)
    }

    pub fn ask(&self, json: &str) -> QueryAnswer {
        from_slice(&self.ask_raw(json).unwrap()).unwrap()
    }

    /// Sets a viewing key for the purpose.
    pub fn balance(&mut self, owner: &str) -> u128 {
        self.call(owner, r#"{"set_viewing_key":{"key":"k"}}"#).unwrap();
        match self.ask(&format!(r#"{{"balance":{{"address":"{}","key":"k"}}}}"#, address(owner))) {
            QueryAnswer::Balance(shown) => shown.amount.u128(),
            other => panic!("not a balance: {other:?}"),
        }
    }
}

/// An account's address: its name, filled up to 20 bytes.
pub fn address(name: &str) -> String {
    let mut bytes = [0; 20];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    encode(&bytes)
}

pub fn encode(bytes: &[u8]) -> String {
    bech32::encode::<Bech32>(Hrp::parse_unchecked("secret"), bytes).unwrap()
}

/// Counts what a call costs.
#[derive(Default)]
pub struct Counting {
    inner: Vec<(Vec<u8>, Vec<u8>)>,
    pub reads: Cell<usize>,
    pub writes: usize,
}

impl Counting {
    fn copy(&self) -> Self {
        Self { inner: self.inner.clone(), reads: self.reads.clone(), writes: self.writes }
    }
}

impl Storage for Counting {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.reads.set(self.reads.get() + 1);
        self.inner.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        // Refuses empty values, as the chain's library does.
        MockStorage::new().set(key, value);
        self.inner.retain(|(name, _)| name != key);
        self.inner.push((key.to_vec(), value.to_vec()));
        self.writes += 1;
    }

    fn remove(&mut self, key: &[u8]) {
        self.inner.retain(|(name, _)| name != key);
        self.writes += 1;
    }
}
