//! Contracts' codes, compiled once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cloister_chain::leaf;
use cloister_chain::{B256, wire::Halt};
use cloister_state::{Overlay, Supply};
use cloister_wasm::{Code, CodeError};

/// Compiled codes by their hash, shared by blocks and queries. What it holds or has forgotten never changes a result.
#[derive(Default)]
pub(crate) struct Codes(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    codes: BTreeMap<B256, Entry>,
    uses: u64,
    bytes: usize,
}

struct Entry {
    code: Result<Code, CodeError>,
    bytes: usize,
    used: u64,
}

impl Codes {
    /// The code that `info` names, from the state if it is not compiled yet.
    pub(crate) fn get<S: Supply>(
        &self,
        state: &mut Overlay<S>,
        info: &leaf::Code,
    ) -> Result<Result<Code, CodeError>, Halt> {
        if let Some(code) = self.lock().take(&info.hash) {
            return Ok(code);
        }
        let wasm = state.blob(&info.blob).map_err(|_| Halt::Supply)?;
        Ok(self.compile(info.hash, &wasm))
    }

    /// Compiles `wasm`, whose SHA-256 is `hash`. The lock is not held meanwhile: two threads may do the same work.
    pub(crate) fn compile(&self, hash: B256, wasm: &[u8]) -> Result<Code, CodeError> {
        if let Some(code) = self.lock().take(&hash) {
            return code;
        }
        let code = Code::compile(wasm);
        self.lock().put(hash, code.clone(), wasm.len());
        code
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // Every critical section leaves a shelf that can be used.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn take(&mut self, hash: &B256) -> Option<Result<Code, CodeError>> {
        self.uses += 1;
        let entry = self.codes.get_mut(hash)?;
        entry.used = self.uses;
        Some(entry.code.clone())
    }

    fn put(&mut self, hash: B256, code: Result<Code, CodeError>, bytes: usize) {
        self.bytes += bytes;
        if let Some(old) = self.codes.insert(hash, Entry { code, bytes, used: self.uses }) {
            self.bytes -= old.bytes;
        }
        while self.bytes > CACHE_BYTES && self.codes.len() > 1 {
            let Some(oldest) = self.codes.iter().min_by_key(|(_, entry)| entry.used).map(|(hash, _)| *hash) else {
                break;
            };
            self.bytes -= self.codes.remove(&oldest).map_or(0, |entry| entry.bytes);
        }
    }
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codes")
    }
}

/// Most code bytes that stay compiled, in bytes of Wasm. Compiled they are about four times that.
const CACHE_BYTES: usize = 64 << 20;
