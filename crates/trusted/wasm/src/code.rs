//! Which code is accepted, and what it says of itself.

mod costs;

use std::borrow::Cow;
use std::fmt;
use std::io::Read as _;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use thiserror::Error;
use wasmi::{CompilationMode, Config, CustomFuelCosts, EnforcedLimits, Engine, ExternType, FuncType, Module, ValType};

use wasmparser::{BinaryReaderError, Parser, Payload, Validator, WasmFeatures};

use crate::{Entry, gas, imports, limits, run};

/// A contract's code, checked and compiled. Cheap to clone.
///
/// It holds an engine of its own, so that everything is freed with it: an engine keeps the code of dropped modules.
#[derive(Clone)]
pub struct Code(Arc<Compiled>);

struct Compiled {
    module: Module,
    version: Version,
    random: bool,
}

/// The two lines of contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// CosmWasm 1.0: exports `interface_version_8`.
    V1,
    /// CosmWasm 0.10: exports `cosmwasm_vm_version_3`.
    V010,
}

/// Why code is not accepted: always its author's mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// Larger than [`limits::CODE_BYTES`], packed or unpacked.
    #[error("contract code must not exceed {} bytes", limits::CODE_BYTES)]
    TooLarge,
    /// Begins like gzip and is none.
    #[error("not a gzip file: {0}")]
    Gzip(String),
    /// Not a module, or one that uses what this machine does not offer: vectors, a start function, too many functions.
    #[error("Error during static Wasm validation: {0}")]
    Invalid(String),
    /// Fine but for floating point instructions. Secret Network finds them when the contract is instantiated.
    #[error("found floating point operation in module code")]
    Floats,
    /// Not exactly one memory, or not exported as `memory`.
    #[error("Error during static Wasm validation: Wasm contract must contain exactly one memory")]
    Memories,
    /// The memory is larger than [`limits::MEMORY_PAGES`] from the beginning.
    #[error(
        "Error during static Wasm validation: Wasm contract memory's minimum must not exceed {} pages.",
        limits::MEMORY_PAGES
    )]
    MemoryMinimum,
    /// The code says how large the memory may grow, which is not its business.
    #[error(
        "Error during static Wasm validation: Wasm contract memory's maximum must be unset. The host will set it for you."
    )]
    MemoryMaximum,
    /// A function has more than [`limits::LOCALS`] local variables, or all have more than [`limits::ALL_LOCALS`].
    #[error(
        "Error during static Wasm validation: Wasm contract must not have more than {} locals in a function, or {} in all",
        limits::LOCALS,
        limits::ALL_LOCALS
    )]
    Locals,
    /// It requires a feature that this chain does not have.
    #[error("Error during static Wasm validation: Wasm contract requires unsupported features: {0}")]
    Feature(String),
    /// It is a contract of neither line: what is missing, or unknown, in each.
    #[error("Contract is not CosmWasm v0.10 or v1. v0.10: {v010}; v1: {v1}")]
    NoVersion {
        /// Why it is not one of the older line.
        v010: String,
        /// Why it is not one of the newer line.
        v1: String,
    },
}

/// The code in an upload: unpacked if it is gzip, else as it is. At most [`limits::CODE_BYTES`], and no more are unpacked.
pub fn unpack(upload: &[u8]) -> Result<Cow<'_, [u8]>, CodeError> {
    if upload.len() > limits::CODE_BYTES {
        return Err(CodeError::TooLarge);
    }
    if !upload.starts_with(&GZIP) {
        return Ok(Cow::Borrowed(upload));
    }
    let bound = u64::try_from(limits::CODE_BYTES).map_or(u64::MAX, |bytes| bytes.saturating_add(1));
    let mut wasm = Vec::new();
    let unpacked = MultiGzDecoder::new(upload).take(bound).read_to_end(&mut wasm);
    unpacked.map_err(|error| CodeError::Gzip(error.to_string()))?;
    if wasm.len() > limits::CODE_BYTES {
        return Err(CodeError::TooLarge);
    }
    Ok(Cow::Owned(wasm))
}

impl Code {
    /// Checks and compiles `wasm`. All of it, at once: what is compiled at first use is paid for by whoever comes first.
    pub fn compile(wasm: &[u8]) -> Result<Self, CodeError> {
        if wasm.len() > limits::CODE_BYTES {
            return Err(CodeError::TooLarge);
        }
        // What is wrong is found with floats allowed: if nothing is, it was the floats.
        Compiled::new(wasm, false)
            .or_else(|_| Compiled::new(wasm, true).and(Err(CodeError::Floats)))
            .map(|compiled| Self(Arc::new(compiled)))
    }

    /// Which line of contracts it belongs to.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// Whether it asks for a random number in its `env` (`requires_random`).
    pub fn wants_random(&self) -> bool {
        self.0.random
    }

    /// The compiled module.
    pub(crate) fn module(&self) -> &Module {
        &self.0.module
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({:?})", self.0.version)
    }
}

impl Compiled {
    fn new(wasm: &[u8], floats: bool) -> Result<Self, CodeError> {
        check_locals(wasm)?;
        // wasmi checks a function while it translates it, and translates some operators that it will then refuse. Nothing that
        // is refused is to get as far as its translator.
        Validator::new_with_features(features(floats))
            .validate_all(wasm)
            .map_err(|error| CodeError::Invalid(error.to_string()))?;
        let engine = Engine::new(&config(floats));
        let module = Module::new(&engine, wasm).map_err(|error| CodeError::Invalid(error.to_string()))?;
        check_memory(&module)?;
        check_features(&module)?;
        let version = Version::of(&module)?;
        // Finds imports and exports of the right name and the wrong type, and data that lies outside the memory.
        run::trial(&module).map_err(|error| CodeError::Invalid(error.to_string()))?;
        let random = module.get_export("requires_random").is_some();
        Ok(Self { module, version, random })
    }
}

/// What the machine does with a module. All of it decides consensus.
fn config(floats: bool) -> Config {
    let mut config = Config::default();
    config
        .consume_fuel(true)
        .operator_cost(costs::costs())
        .fuel_cost(CustomFuelCosts {
            bytes_copied_per_fuel: gas::BYTES_PER_GAS,
            // Never due: everything is translated before it runs.
            fuel_per_bytes_translated: 0,
            fuel_per_bytes_validated: 0,
        })
        .compilation_mode(CompilationMode::Eager)
        .enforced_limits(EnforcedLimits::strict())
        .set_max_recursion_depth(limits::CALL_DEPTH)
        .set_max_stack_height(limits::STACK_BYTES)
        .allow_start_fn(false)
        .ignore_custom_sections(true)
        .floats(floats)
        .wasm_mutable_global(true)
        .wasm_sign_extension(true)
        .wasm_bulk_memory(true)
        // Today's compilers encode table indices as this proposal says.
        .wasm_reference_types(true)
        .wasm_saturating_float_to_int(floats)
        .wasm_multi_value(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    config
}

/// What a module may use: the same as in [`config`].
fn features(floats: bool) -> WasmFeatures {
    let mut features = WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::GC_TYPES;
    features.set(WasmFeatures::FLOATS, floats);
    features.set(WasmFeatures::SATURATING_FLOAT_TO_INT, floats);
    features
}

/// Counts before anything is compiled.
fn check_locals(wasm: &[u8]) -> Result<(), CodeError> {
    let invalid = |error: BinaryReaderError| CodeError::Invalid(error.to_string());
    let mut all = 0_u64;
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(function) = payload.map_err(invalid)? else { continue };
        let mut locals = 0_u64;
        for group in function.get_locals_reader().map_err(invalid)? {
            let (count, _) = group.map_err(invalid)?;
            locals = locals.saturating_add(count.into());
        }
        all = all.saturating_add(locals);
        if locals > limits::LOCALS || all > limits::ALL_LOCALS {
            return Err(CodeError::Locals);
        }
    }
    Ok(())
}

fn check_memory(module: &Module) -> Result<(), CodeError> {
    let Some(ExternType::Memory(memory)) = module.get_export("memory") else { return Err(CodeError::Memories) };
    if memory.minimum() > limits::MEMORY_PAGES {
        return Err(CodeError::MemoryMinimum);
    }
    if memory.maximum().is_some() {
        return Err(CodeError::MemoryMaximum);
    }
    Ok(())
}

fn check_features(module: &Module) -> Result<(), CodeError> {
    let mut required = module.exports().filter_map(|export| export.name().strip_prefix("requires_"));
    match required.find(|feature| !FEATURES.contains(feature)) {
        Some(feature) => Err(CodeError::Feature(shown(feature))),
        None => Ok(()),
    }
}

impl Version {
    fn of(module: &Module) -> Result<Self, CodeError> {
        let v1 = match Self::V1.fits(module) {
            Ok(()) => return Ok(Self::V1),
            Err(why) => why,
        };
        match Self::V010.fits(module) {
            Ok(()) => Ok(Self::V010),
            Err(v010) => Err(CodeError::NoVersion { v010, v1 }),
        }
    }

    /// Whether the exports and the imports are all of this line.
    fn fits(self, module: &Module) -> Result<(), String> {
        let (marker, required, own) = match self {
            Self::V1 => ("interface_version_8", &["instantiate"][..], &imports::V1[..]),
            Self::V010 => ("cosmwasm_vm_version_3", &["init", "handle", "query"][..], &imports::V010[..]),
        };
        let missing = |name: &str| Err(format!("Wasm contract doesn't have required export: {name:?}"));
        for name in ["allocate", "deallocate", marker].iter().chain(required) {
            let Some(ExternType::Func(function)) = module.get_export(name) else { return missing(name) };
            if !self.has_signature(name, &function) {
                return missing(name);
            }
        }
        for import in module.imports() {
            let known = imports::BOTH.contains(&import.name()) || own.contains(&import.name());
            if import.module() != imports::MODULE || !known {
                let name = shown(&format!("{}.{}", import.module(), import.name()));
                return Err(format!("Wasm contract requires unsupported import: {name:?}"));
            }
        }
        Ok(())
    }

    fn has_signature(self, name: &str, function: &FuncType) -> bool {
        let only_i32 = function.params().iter().chain(function.results()).all(|kind| *kind == ValType::I32);
        let (params, results) = match (self, name) {
            (_, "allocate") => (1, 1),
            (_, "deallocate") => (1, 0),
            (Self::V1, "instantiate") => (3, 1),
            (Self::V010, "init" | "handle") => (2, 1),
            (Self::V010, "query") => (1, 1),
            _ => return true,
        };
        only_i32 && function.params().len() == params && function.results().len() == results
    }

    /// The export behind an entry point, if this line has it.
    pub(crate) const fn export(self, entry: Entry) -> Option<&'static str> {
        match (self, entry) {
            (Self::V1, Entry::Instantiate) => Some("instantiate"),
            (Self::V1, Entry::Execute) => Some("execute"),
            (Self::V1, Entry::Reply) => Some("reply"),
            (Self::V010, Entry::Instantiate) => Some("init"),
            (Self::V010, Entry::Execute) => Some("handle"),
            (Self::V010, Entry::Reply) => None,
            (_, Entry::Migrate) => Some("migrate"),
            (_, Entry::Query) => Some("query"),
        }
    }
}

/// A name from the code, short enough for an error's text.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

/// What `requires_…` may name.
const FEATURES: [&str; 4] = ["random", "staking", "stargate", "ibc3"];
/// RFC 1952: identification, and deflate as the only method.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];
