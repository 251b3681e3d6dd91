//! One run of one contract: what the machine is given, and what it may touch.

use std::collections::BTreeMap;

use alloy_primitives::hex;
use cloister_chain::cosmos::bech32;
use cloister_chain::leaf::{self, Contract};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, Leaf, limits};
use cloister_keys::{MAX_VALUE_BYTES, StateKeys, WritePlace};
use cloister_state::{Overlay, Supply};
use cloister_wasm::{
    Call, Charged, CodeError, Coin, Entry, Env, Host, HostError, QueryAnswer, QueryRequest, Run, Trap, Version,
};
use zeroize::Zeroizing;

use super::{Place, Scene, questions};

/// A contract and the code that it runs.
pub(crate) struct Callee {
    pub(crate) address: Address,
    /// In Bech32.
    pub(crate) name: String,
    pub(crate) info: Contract,
    pub(crate) code: leaf::Code,
}

/// What is asked of a contract.
pub(crate) struct Request<'a> {
    pub(crate) entry: Entry,
    /// In Bech32; empty where there is none.
    pub(crate) sender: &'a str,
    pub(crate) funds: &'a [Coin],
    pub(crate) message: &'a [u8],
    /// In the machine's units, [`GAS_MULTIPLIER`] to one of the SDK's.
    pub(crate) gas: u64,
}

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) run: Run,
    pub(crate) version: Version,
    /// What the contract wrote; it is not in the state yet.
    pub(crate) writes: Writes,
}

/// Plain keys and values; `None` removes.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Zeroizing<Vec<u8>>>>;

impl Callee {
    /// The contract at `address`, if there is one.
    pub(crate) fn find<S: Supply>(state: &mut Overlay<S>, address: Address) -> Result<Option<Self>, Halt> {
        let Some(info) = read::<Contract, S>(state, Leaf::Contract(address))? else { return Ok(None) };
        let code = read(state, Leaf::Code(info.code))?.ok_or(Halt::Supply)?;
        Ok(Some(Self { address, name: bech32(&address), info, code }))
    }

    /// Whether `hash`, as a client or a contract wrote it, is that of this contract's code.
    pub(crate) fn runs(&self, hash: &str) -> bool {
        names(&self.code, hash)
    }
}

/// The SDK's gas for finding and starting a contract. What is not compiled has to be compiled first, which takes time in
/// proportion to its size; whether it is must not decide the price, so that everybody who calls large code pays for it.
pub(crate) fn surcharge(code: &leaf::Code) -> u64 {
    RUN_SURCHARGE + u64::from(code.size.saturating_sub(FREE_BYTES)) / 8
}

/// Whether `hash`, as a client or a contract wrote it, is that of this code.
pub(crate) fn names(code: &leaf::Code, hash: &str) -> bool {
    let mut bytes = [0; 32];
    hex::decode_to_slice(hash, &mut bytes).is_ok() && bytes == code.hash.0
}

/// Runs `callee`. `place` is the transaction that it runs for and its call in it; a question has none, and may not write.
/// `depth` counts the questions that lead to each other.
pub(crate) fn run<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    callee: &Callee,
    request: &Request<'_>,
    place: Option<&Place>,
    depth: u32,
) -> Result<Ran, Halt> {
    let code = match scene.codes.get(state, &callee.code)? {
        Ok(code) => code,
        Err(error) => return Ok(Ran::of(unusable(&error))),
    };
    let version = code.version();
    let writable = place.is_some();
    let env = Env {
        height: scene.header.height,
        time: scene.header.time,
        chain_id: &scene.genesis.chain_id,
        random: place.filter(|_| code.wants_random()).map(|place| random(scene, callee, place)),
        contract: &callee.name,
        code_hash: &hex::encode(callee.code.hash),
        transaction: place.map(|place| (place.index, hex::encode_upper(place.tx))),
    };
    let call = Call {
        entry: request.entry,
        env: &env,
        sender: request.sender,
        funds: request.funds,
        message: request.message,
        gas: request.gas,
    };
    let mut world = World {
        keys: scene.keys.contract_state(callee.address),
        scene,
        state,
        address: callee.address,
        writes: Writes::new(),
        writable,
        depth,
    };
    let run = cloister_wasm::run(&code, &mut world, &call);
    if matches!(run.result, Err(Trap::Halt)) {
        return Err(Halt::Supply);
    }
    Ok(Ran { run, version, writes: world.writes })
}

/// Seals what a contract wrote and puts it into the state. `count` is the number of writes of the transaction so far: it
/// goes on even if all this is undone later, so that no two values are ever sealed in one place.
pub(crate) fn flush<S: Supply>(
    scene: &Scene<'_>,
    state: &mut Overlay<S>,
    contract: Address,
    writes: Writes,
    place: &Place,
    count: &mut u64,
) {
    if writes.is_empty() {
        return;
    }
    let keys = scene.keys.contract_state(contract);
    for (key, value) in writes {
        let name = keys.name(&key);
        let place = WritePlace {
            height: scene.header.height,
            header_hash: scene.header_hash,
            transaction: place.index.into(),
            write: *count,
        };
        *count = count.saturating_add(1);
        let sealed = value.map(|value| keys.seal(name, &place, &value).expect("the world bounds values"));
        state.write(Leaf::Sealed(contract, name), sealed);
    }
}

/// The state as one contract sees it.
struct World<'a, 's, S> {
    scene: &'a Scene<'a>,
    state: &'s mut Overlay<S>,
    keys: StateKeys,
    address: Address,
    writes: Writes,
    writable: bool,
    depth: u32,
}

impl<S: Supply> Host for World<'_, '_, S> {
    fn read(&mut self, key: &[u8]) -> Result<Charged<Option<Vec<u8>>>, HostError> {
        if let Some(written) = self.writes.get(key) {
            return Ok(Charged { value: written.as_ref().map(|value| value.to_vec()), gas: 0 });
        }
        let name = self.keys.name(key);
        let sealed = self.state.read(&Leaf::Sealed(self.address, name)).map_err(|_| HostError::Halt)?;
        // The tree vouches for the bytes, so they are what this contract's keys once sealed.
        let opened = sealed.map(|sealed| self.keys.open(name, &sealed)).transpose().map_err(|_| HostError::Halt)?;
        let bytes = key.len() + opened.as_ref().map_or(0, |value| value.len());
        let gas = sdk(READ_FLAT).saturating_add(sdk(READ_BYTE).saturating_mul(length(bytes)));
        Ok(Charged { value: opened.map(|value| value.to_vec()), gas })
    }

    fn write(&mut self, key: &[u8], value: &[u8]) -> Result<Charged<()>, HostError> {
        if !self.writable {
            return Err(HostError::ReadOnly);
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(HostError::OutOfGas);
        }
        self.writes.insert(key.to_vec(), Some(Zeroizing::new(value.to_vec())));
        let gas = sdk(WRITE_FLAT).saturating_add(sdk(WRITE_BYTE).saturating_mul(length(key.len() + value.len())));
        Ok(Charged { value: (), gas })
    }

    fn remove(&mut self, key: &[u8]) -> Result<Charged<()>, HostError> {
        if !self.writable {
            return Err(HostError::ReadOnly);
        }
        self.writes.insert(key.to_vec(), None);
        Ok(Charged { value: (), gas: sdk(DELETE) })
    }

    fn query(&mut self, request: QueryRequest, gas: u64) -> Result<Charged<QueryAnswer>, HostError> {
        questions::answer(self.scene, self.state, request, gas, self.depth)
    }
}

impl Ran {
    fn of(trap: Trap) -> Self {
        let run = Run { gas_used: 0, result: Err(trap) };
        Self { run, version: Version::V1, writes: Writes::new() }
    }
}

/// What a contract of code that cannot run says of it.
fn unusable(error: &CodeError) -> Trap {
    match error {
        CodeError::Floats => Trap::Floats,
        _ => Trap::Panicked,
    }
}

/// The number that only whoever executes the block knows.
fn random(scene: &Scene<'_>, callee: &Callee, place: &Place) -> [u8; 32] {
    let counter = u64::from(place.index) << 32 | u64::from(place.call);
    scene.keys.contract_random(scene.header_hash, callee.address, counter).expose(|random| *random)
}

/// Reads a leaf for which gas was charged otherwise.
pub(crate) fn read<T: borsh::BorshDeserialize, S: Supply>(
    state: &mut Overlay<S>,
    leaf: Leaf,
) -> Result<Option<T>, Halt> {
    let Some(bytes) = state.read(&leaf).map_err(|_| Halt::Supply)? else { return Ok(None) };
    // The tree vouches for the bytes, so they are what this crate once encoded.
    T::try_from_slice(&bytes).map(Some).map_err(|_| Halt::Supply)
}

/// The machine's gas for this much of the SDK's.
pub(crate) const fn sdk(gas: u64) -> u64 {
    gas.saturating_mul(GAS_MULTIPLIER)
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The machine's gas in one of the SDK's.
pub(crate) const GAS_MULTIPLIER: u64 = 1_000;
/// Most of the machine's gas that one run may use.
pub(crate) const RUN_GAS: u64 = 10_000_000_000;
/// What Secret Network charges for each run.
const RUN_SURCHARGE: u64 = 20_000;
/// Bytes of code for which that is enough.
const FREE_BYTES: u32 = 512 << 10;
const READ_FLAT: u64 = 1_000;
const READ_BYTE: u64 = 3;
const WRITE_FLAT: u64 = 2_000;
const WRITE_BYTE: u64 = 30;
const DELETE: u64 = 1_000;
const _: () = assert!(limits::QUERY_SDK_GAS < RUN_GAS / GAS_MULTIPLIER);
