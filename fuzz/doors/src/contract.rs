//! CosmWasm contracts on their machine: uploads, pointers and results.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cloister_wasm::{
    Call, Charged, Code, Coin, Entry, Env, Host, HostError, QueryAnswer, QueryRequest, ReplyResult, Returned, Run,
    Trap, Version, reply_message, run, unpack,
};

use crate::cursor::Cursor;
use crate::guest;

/// The bytes are the code in an upload.
pub(crate) fn upload(data: &[u8]) {
    let Ok(wasm) = unpack(data) else { return };
    let compiled = Code::compile(&wasm);
    let again = Code::compile(&wasm);
    assert_eq!(compiled.as_ref().err(), again.as_ref().err(), "two enclaves judge code alike");
    let (Ok(code), Ok(again)) = (compiled, again) else { return };
    assert_eq!((code.version(), code.wants_random()), (again.version(), again.wants_random()));
    for entry in ENTRIES {
        let ran = attempt(&code, entry, b"{}", 0);
        assert_eq!(ran, World::new(0).call(&again, entry, b"{}", GAS), "compiled again it does the same");
    }
}

/// The bytes choose contract and entry point ([`Choice`]); the rest is a program for [`guest::machine`].
pub(crate) fn region(data: &[u8]) {
    let mut cursor = Cursor(data);
    let choice = Choice::read(&mut cursor);
    attempt(choice.of(&MACHINES), choice.entry, cursor.0, choice.mood);
}

/// The bytes choose contract and entry point ([`Choice`]); the rest is what the contract returns, or asks the chain.
pub(crate) fn result(data: &[u8]) {
    let mut cursor = Cursor(data);
    let choice = Choice::read(&mut cursor);
    let contracts = if choice.asks { &ASKERS } else { &ECHOES };
    let ran = attempt(choice.of(contracts), choice.entry, cursor.0, choice.mood);
    if choice.asks || choice.entry == Entry::Reply {
        return;
    }
    // What comes of it goes into the caller's reply, which has to be JSON whatever the contract said.
    let result = match ran.result {
        Ok(Returned::Response(response)) => {
            let pairs = |event: cloister_wasm::Event| {
                (event.kind, event.attributes.into_iter().map(|a| (a.key, a.value)).collect())
            };
            ReplyResult::Ok { events: response.events.into_iter().map(pairs).collect(), data: response.data }
        }
        Ok(Returned::Error(error)) => ReplyResult::Error(error.text),
        Ok(Returned::Answer(_)) | Err(_) => return,
    };
    let reply: serde_json::Value = serde_json::from_slice(&reply_message(7, &result)).expect("a reply is JSON");
    assert_eq!(reply["id"], 7);
}

/// Calls a contract and checks what holds for every contract: gas is bounded, exact, and the same in every run, and a
/// question changes nothing.
fn attempt(code: &Code, entry: Entry, message: &[u8], mood: u8) -> Run {
    let (mut world, mut other) = (World::new(mood), World::new(mood));
    let ran = world.call(code, entry, message, GAS);
    assert!(ran.gas_used <= GAS);
    assert_eq!(ran, other.call(code, entry, message, GAS), "two enclaves agree");
    assert_eq!(world.state, other.state);
    if entry == Entry::Query {
        assert_eq!(world.state, World::new(mood).state, "a query writes nothing");
    }
    if !matches!(ran.result, Err(Trap::OutOfGas)) {
        assert_eq!(ran, World::new(mood).call(code, entry, message, ran.gas_used), "what it used is what it needs");
        if let Some(less) = ran.gas_used.checked_sub(1) {
            let short = World::new(mood).call(code, entry, message, less);
            assert_eq!(short, Run { gas_used: less, result: Err(Trap::OutOfGas) });
        }
    }
    ran
}

/// Two bytes: which contract and entry point, and what mood the world is in.
///
/// ```text
/// which = bits 0-2: entry point; bit 3: the older line; bit 4: asks the chain instead of returning
/// mood  = modulo 11: what the chain answers to questions
/// ```
struct Choice {
    entry: Entry,
    version: Version,
    asks: bool,
    mood: u8,
}

impl Choice {
    fn read(cursor: &mut Cursor<'_>) -> Self {
        let (which, mood) = (cursor.byte(), cursor.byte());
        Self {
            entry: ENTRIES[usize::from(which & 7) % ENTRIES.len()],
            version: if which & 8 == 0 { Version::V1 } else { Version::V010 },
            asks: which & 16 != 0,
            mood,
        }
    }

    fn of<'a>(&self, contracts: &'a [Code; 2]) -> &'a Code {
        &contracts[usize::from(self.version == Version::V010)]
    }
}

/// The world of one call.
struct World {
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    mood: u8,
}

impl World {
    fn new(mood: u8) -> Self {
        Self { state: BTreeMap::from([(b"key".to_vec(), b"value".to_vec())]), mood }
    }

    fn call(&mut self, code: &Code, entry: Entry, message: &[u8], gas: u64) -> Run {
        let env = Env {
            height: 12_345,
            time: 1_700_000_000_123_456_789,
            chain_id: "test-1",
            random: Some([7; 32]),
            contract: CONTRACT,
            code_hash: CODE_HASH,
            transaction: Some((3, "AB".repeat(32))),
        };
        let funds = [Coin { denom: "uscrt".into(), amount: u128::MAX }];
        let call = Call { entry, env: &env, sender: CONTRACT, funds: &funds, message, gas };
        run(code, self, &call)
    }

    fn charged<T>(value: T) -> Result<Charged<T>, HostError> {
        Ok(Charged { value, gas: 10 })
    }
}

impl Host for World {
    fn read(&mut self, key: &[u8]) -> Result<Charged<Option<Vec<u8>>>, HostError> {
        Self::charged(self.state.get(key).cloned())
    }

    fn write(&mut self, key: &[u8], value: &[u8]) -> Result<Charged<()>, HostError> {
        self.state.insert(key.to_vec(), value.to_vec());
        Self::charged(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<Charged<()>, HostError> {
        self.state.remove(key);
        Self::charged(())
    }

    fn query(&mut self, request: QueryRequest, _: u64) -> Result<Charged<QueryAnswer>, HostError> {
        // Shows what was asked in the answer, as another contract would.
        let shown = format!("{request:?}");
        Self::charged(match self.mood % 11 {
            0 => QueryAnswer::Ok(shown.into_bytes()),
            1 => QueryAnswer::ContractError(shown),
            2 => QueryAnswer::ContractError(r#"{"generic_err":{"msg":"no"}}"#.into()),
            3 => QueryAnswer::NoSuchContract(shown),
            4 => QueryAnswer::Unsupported(shown),
            5 => QueryAnswer::InvalidRequest { error: shown.clone(), request: shown.into_bytes() },
            6 => QueryAnswer::InvalidResponse { error: shown.clone(), response: shown.into_bytes() },
            7 => QueryAnswer::TooDeep,
            8 => QueryAnswer::Unknown,
            9 => return Err(HostError::ReadOnly),
            _ => return Err(HostError::Halt),
        })
    }
}

/// One of each line.
type Pair = LazyLock<[Code; 2]>;

static MACHINES: Pair = LazyLock::new(|| both(guest::machine));
static ECHOES: Pair = LazyLock::new(|| both(guest::echo));
static ASKERS: Pair = LazyLock::new(|| both(guest::asker));

fn both(make: fn(Version) -> Vec<u8>) -> [Code; 2] {
    [Version::V1, Version::V010].map(|version| Code::compile(&make(version)).expect("a contract of that line"))
}

/// Enough for a few signatures or a hundred thousand instructions.
const GAS: u64 = 500_000;
pub(crate) const ENTRIES: [Entry; 5] = [Entry::Instantiate, Entry::Execute, Entry::Migrate, Entry::Reply, Entry::Query];
const CONTRACT: &str = "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03";
const CODE_HASH: &str = "0101010101010101010101010101010101010101010101010101010101010101";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::contracts;

    #[test]
    fn a_program_reaches_the_state_and_may_return_any_pointer() {
        let mut world = World::new(0);
        let program = &contracts::write_and_read()[2..];
        let ran = world.call(&MACHINES[0], Entry::Execute, program, GAS);
        assert!(matches!(ran.result, Ok(Returned::Response(_))), "{:?}", ran.result);
        assert_eq!(world.state.len(), 2, "{:?}", world.state);
        let lost = contracts::program(&[(guest::RETURN, u32::MAX, 0, 0)]);
        assert_eq!(world.call(&MACHINES[1], Entry::Execute, &lost, GAS).result, Err(Trap::MemoryRead));
    }

    #[test]
    fn every_import_is_reached_in_both_lines() {
        for (version, code) in [Version::V1, Version::V010].into_iter().zip(MACHINES.iter()) {
            for (name, trap) in [("db_read", Trap::MemoryRead), ("ed25519_sign", Trap::MemoryRead)] {
                let program = contracts::program(&[(guest::number(version, name), u32::MAX, 0, 0)]);
                assert_eq!(World::new(0).call(code, Entry::Execute, &program, GAS).result, Err(trap), "{name}");
            }
        }
        let nesting = contracts::program(&contracts::nesting());
        assert_eq!(World::new(0).call(&MACHINES[0], Entry::Execute, &nesting, GAS).result, Err(Trap::Allocate));
    }

    #[test]
    fn the_message_is_the_result_and_the_question() {
        let error = ECHOES.iter().map(|code| World::new(0).call(code, Entry::Execute, br#"{"Err":"no"}"#, GAS).result);
        for result in error {
            assert!(matches!(result, Ok(Returned::Error(error)) if error.text == "no"));
        }
        let asked = World::new(0).call(&ASKERS[0], Entry::Query, br#"{"staking":{"bonded_denom":{}}}"#, GAS).result;
        // The chain's answer is wrapped once more than a contract's.
        assert_eq!(asked, Err(Trap::Malformed));
    }
}
