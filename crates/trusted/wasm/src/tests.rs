//! Stories of contracts, honest and hostile. The small ones are written by hand in Wasm's text form ([`wat`]).
#![allow(clippy::unwrap_used)]

mod abi;
mod addresses;
mod codes;
mod dispatch;
mod gas;
mod hostile;
mod questions;
mod real;
mod signatures;
mod state;
mod wat;

use std::collections::BTreeMap;

use crate::{
    Call, Charged, Code, Entry, Env, Host, HostError, QueryAnswer, QueryRequest, Response, Returned, Run, run,
};

/// A world in memory: a contract's state, and one answer to every question.
struct World {
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    asked: Vec<QueryRequest>,
    answer: Result<QueryAnswer, HostError>,
    /// What each act costs.
    price: u64,
}

impl World {
    fn new() -> Self {
        Self { state: BTreeMap::new(), asked: Vec::new(), answer: Ok(QueryAnswer::Unknown), price: 10 }
    }

    fn answering(answer: QueryAnswer) -> Self {
        Self { answer: Ok(answer), ..Self::new() }
    }

    fn call(&mut self, code: &Code, entry: Entry, message: &[u8]) -> Run {
        self.call_with(code, entry, message, GAS)
    }

    fn call_with(&mut self, code: &Code, entry: Entry, message: &[u8], gas: u64) -> Run {
        let call = Call { entry, env: &env(), sender: SENDER, funds: &[], message, gas };
        run(code, self, &call)
    }

    /// What is under `key`.
    fn at(&self, key: &str) -> Vec<u8> {
        self.state.get(key.as_bytes()).cloned().unwrap_or_default()
    }
}

impl Host for World {
    fn read(&mut self, key: &[u8]) -> Result<Charged<Option<Vec<u8>>>, HostError> {
        Ok(Charged { value: self.state.get(key).cloned(), gas: self.price })
    }

    fn write(&mut self, key: &[u8], value: &[u8]) -> Result<Charged<()>, HostError> {
        self.state.insert(key.to_vec(), value.to_vec());
        Ok(Charged { value: (), gas: self.price })
    }

    fn remove(&mut self, key: &[u8]) -> Result<Charged<()>, HostError> {
        self.state.remove(key);
        Ok(Charged { value: (), gas: self.price })
    }

    fn query(&mut self, request: QueryRequest, _: u64) -> Result<Charged<QueryAnswer>, HostError> {
        self.asked.push(request);
        self.answer.clone().map(|value| Charged { value, gas: self.price })
    }
}

fn env() -> Env<'static> {
    Env {
        height: 12_345,
        time: 1_700_000_000_123_456_789,
        chain_id: "secretdev-1",
        random: Some([7; 32]),
        contract: CONTRACT,
        code_hash: CODE_HASH,
        transaction: Some((3, "AB".repeat(32))),
    }
}

/// A response that asks for nothing.
fn nothing() -> Returned {
    Returned::Response(Response::default())
}

const GAS: u64 = 100_000_000;
const SENDER: &str = "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03";
const CONTRACT: &str = "secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne";
const CODE_HASH: &str = "0101010101010101010101010101010101010101010101010101010101010101";
