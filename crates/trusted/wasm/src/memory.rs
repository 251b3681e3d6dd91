//! A contract's memory, fuel and `allocate`, as its imports and [`crate::run`] use them.
//!
//! A *region* is what contracts pass instead of bytes: a pointer to `offset(u32) ‖ capacity(u32) ‖ length(u32)`, all
//! little-endian, in their own memory. Every number of it may be a lie.

use wasmi::{AsContext as _, AsContextMut, Memory, StoreContextMut, StoreLimits, TypedFunc};

use crate::{Host, HostError, Trap, gas};

/// What a run knows while it lasts.
pub(crate) struct Guest<'h> {
    pub(crate) host: &'h mut dyn Host,
    pub(crate) limits: StoreLimits,
    /// What the run may use in all.
    pub(crate) gas: u64,
    /// Whether writes are refused.
    pub(crate) read_only: bool,
    /// Filled once the contract is instantiated; no code of the contract runs before.
    pub(crate) exports: Option<Exports>,
    /// Whether `allocate` runs on behalf of an import.
    pub(crate) allocating: bool,
}

/// What every contract exports.
#[derive(Clone)]
pub(crate) struct Exports {
    pub(crate) memory: Memory,
    pub(crate) allocate: TypedFunc<u32, u32>,
}

/// A running contract.
pub(crate) struct Machine<'a, 'h>(StoreContextMut<'a, Guest<'h>>);

/// A region that lies inside the memory, with `length ≤ capacity`.
struct Region {
    offset: usize,
    capacity: u32,
    length: u32,
}

impl<'a, 'h> Machine<'a, 'h> {
    pub(crate) fn new(context: &'a mut impl AsContextMut<Data = Guest<'h>>) -> Self {
        Self(context.as_context_mut())
    }

    pub(crate) fn guest(&mut self) -> &mut Guest<'h> {
        self.0.data_mut()
    }

    /// The gas that is left.
    pub(crate) fn left(&self) -> u64 {
        self.0.get_fuel().expect("the engine meters")
    }

    /// The gas used so far.
    pub(crate) fn used(&self) -> u64 {
        self.0.data().gas.saturating_sub(self.left())
    }

    /// Takes `gas` away, all of it or, if there is less, what there is.
    pub(crate) fn charge(&mut self, gas: u64) -> Result<(), Trap> {
        let left = self.left().checked_sub(gas);
        self.0.set_fuel(left.unwrap_or(0)).expect("the engine meters");
        left.map(|_| ()).ok_or(Trap::OutOfGas)
    }

    /// Charges for bytes that cross between the contract and its host.
    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Trap> {
        self.charge(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(gas::BYTE))
    }

    /// Asks the host, and charges what it says.
    pub(crate) fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut dyn Host) -> Result<crate::Charged<T>, HostError>,
    ) -> Result<T, Trap> {
        let charged = question(self.guest().host)?;
        self.charge(charged.gas)?;
        Ok(charged.value)
    }

    /// The bytes of the region at `pointer`, of which there may be `most`.
    pub(crate) fn read(&mut self, pointer: u32, most: u32) -> Result<Vec<u8>, Trap> {
        let region = self.region(pointer, Trap::MemoryRead)?;
        if region.length > most {
            return Err(Trap::MemoryRead);
        }
        let length = size(region.length);
        self.charge_bytes(length)?;
        let end = region.offset.checked_add(length).ok_or(Trap::MemoryRead)?;
        self.bytes()?.get(region.offset..end).map(<[u8]>::to_vec).ok_or(Trap::MemoryRead)
    }

    /// Puts `bytes` into the region at `pointer`, which the contract made large enough.
    pub(crate) fn fill(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Trap> {
        let region = self.region(pointer, Trap::MemoryWrite)?;
        let length = u32::try_from(bytes.len()).map_err(|_| Trap::MemoryWrite)?;
        if length > region.capacity {
            return Err(Trap::MemoryWrite);
        }
        self.charge_bytes(bytes.len())?;
        self.put(region.offset, bytes)?;
        let field = size(pointer).checked_add(LENGTH_AT).ok_or(Trap::MemoryWrite)?;
        self.put(field, &length.to_le_bytes())
    }

    /// Puts `bytes` into a new region that the contract allocates, and gives its pointer.
    pub(crate) fn give(&mut self, bytes: &[u8]) -> Result<u32, wasmi::Error> {
        let length = u32::try_from(bytes.len()).map_err(|_| Trap::Allocate)?;
        let allocate = self.exports()?.allocate;
        // An `allocate` whose imports call `allocate` again would nest on our own stack, not on the contract's.
        if std::mem::replace(&mut self.guest().allocating, true) {
            return Err(Trap::Allocate.into());
        }
        let allocated = allocate.call(&mut self.0, length);
        self.guest().allocating = false;
        let pointer = allocated?;
        if pointer == 0 {
            return Err(Trap::Allocate.into());
        }
        self.fill(pointer, bytes)?;
        Ok(pointer)
    }

    fn exports(&self) -> Result<Exports, Trap> {
        self.0.data().exports.clone().ok_or(Trap::Failed)
    }

    fn bytes(&self) -> Result<&[u8], Trap> {
        Ok(self.exports()?.memory.data(self.0.as_context()))
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> Result<(), Trap> {
        let memory = self.exports()?.memory;
        memory.write(&mut self.0, at, bytes).map_err(|_| Trap::MemoryWrite)
    }

    fn region(&self, pointer: u32, otherwise: Trap) -> Result<Region, Trap> {
        if pointer == 0 {
            return Err(otherwise);
        }
        let memory = self.bytes()?;
        let field = |at: usize| {
            let at = size(pointer).checked_add(at)?;
            let bytes = memory.get(at..at.checked_add(4)?)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let parse = || {
            let (offset, capacity, length) = (field(0)?, field(CAPACITY_AT)?, field(LENGTH_AT)?);
            let end = size(offset).checked_add(size(capacity))?;
            let inside = length <= capacity && end <= memory.len();
            inside.then_some(Region { offset: size(offset), capacity, length })
        };
        parse().ok_or(otherwise)
    }
}

/// An address or a length of the contract's.
fn size(number: u32) -> usize {
    usize::try_from(number).expect("the machine has 32 bits or more")
}

const CAPACITY_AT: usize = 4;
const LENGTH_AT: usize = 8;
