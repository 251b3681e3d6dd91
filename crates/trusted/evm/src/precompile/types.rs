//! Types of secret values, and the metadata word that names them.

use alloy_primitives::U256;

use super::functions::Function;

/// How many bits a secret value has. The discriminant is the type's code on the wire; signed integers of Solidity use
/// the unsigned type of their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Width {
    /// `bool`, 0 or 1.
    Bool = 0,
    /// `uint8`.
    U8 = 1,
    /// `uint16`.
    U16 = 2,
    /// `uint32`.
    U32 = 3,
    /// `uint64`.
    U64 = 4,
    /// `uint128`.
    U128 = 5,
    /// `uint256`; its ciphertext has two cells.
    U256 = 6,
}

impl Width {
    /// All of them, by code.
    pub const ALL: [Self; 7] = [Self::Bool, Self::U8, Self::U16, Self::U32, Self::U64, Self::U128, Self::U256];

    /// The type with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Number of bits.
    pub const fn bits(self) -> usize {
        match self {
            Self::Bool => 1,
            other => 4 << other as usize,
        }
    }

    /// The largest value, all ones.
    pub fn mask(self) -> U256 {
        U256::MAX >> (256 - self.bits())
    }

    /// The low bits of `word`.
    pub fn truncate(self, word: U256) -> U256 {
        word & self.mask()
    }

    /// Whether a clear operand may claim this type: it has to fit byte by byte, so that a bool may use a whole byte.
    pub fn admits(self, word: U256) -> bool {
        word.bit_len() <= self.bits().max(8)
    }
}

/// A secret value inside a transaction. The word never exceeds the width.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// Its type.
    pub width: Width,
    /// The value.
    pub word: U256,
}

impl Value {
    /// The low bits of `word`.
    pub fn new(width: Width, word: U256) -> Self {
        Self { width, word: width.truncate(word) }
    }
}

impl From<bool> for Value {
    fn from(bit: bool) -> Self {
        Self::new(Width::Bool, U256::from(bit))
    }
}

/// One operand as the metadata describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Its type.
    pub width: Width,
    /// Whether its word is a handle; else it is the plain value.
    pub secret: bool,
}

/// The metadata word, understood: `bytes1` to `bytes5`, left-aligned, zero to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The width that the operation runs in and is paid for: the widest operand, or for a shift the shifted one.
    pub width: Width,
    /// The operands in order; those the function does not have repeat the first.
    pub operands: [Operand; 4],
}

impl Meta {
    /// Reads the metadata of `function`; `None` when it has other bytes, an unknown type, or mixes bool and integers.
    pub fn parse(function: Function, word: &[u8; 32]) -> Option<Self> {
        match function {
            Function::OnBoard
            | Function::OnBoardWide
            | Function::OffBoard
            | Function::OffBoardWide
            | Function::OffBoardToUser
            | Function::OffBoardToUserWide
            | Function::SetPublic
            | Function::Rand
            | Function::RandBoundedBits
            | Function::Decrypt
            | Function::Not
            | Function::ValidateCiphertext
            | Function::ValidateCiphertextWide => {
                let [kind] = leading(word)?;
                Self::new([Operand::secret(kind)?])
            }
            Function::Binary(_) | Function::Checked(_) | Function::Mux => {
                let [left, right, public] = leading(word)?;
                let (left, right) = (Operand::secret(left)?, Operand::secret(right)?);
                match public {
                    0 => Self::new([left, right]),
                    1 => Self::new([left.clear(), right]),
                    2 => Self::new([left, right.clear()]),
                    _ => None,
                }
            }
            Function::Shift(_) => {
                let [shifted, amount, 2] = leading(word)? else { return None };
                let (shifted, amount) = (Operand::secret(shifted)?, Operand::secret(amount)?.clear());
                Some(Self { width: shifted.width, operands: [shifted, amount, shifted, shifted] })
            }
            Function::Transfer => {
                let [a, b, amount, public] = leading(word)?;
                Self::new([Operand::secret(a)?, Operand::secret(b)?, Operand::amount(amount, public)?])
            }
            Function::TransferWithAllowance => {
                let [a, b, amount, allowance, public] = leading(word)?;
                let (a, b, allowance) = (Operand::secret(a)?, Operand::secret(b)?, Operand::secret(allowance)?);
                Self::new([a, b, Operand::amount(amount, public)?, allowance])
            }
            Function::TransferWithAllowance2024 => {
                let [a, b, amount, public] = leading(word)?;
                let allowance = Operand { width: Width::U64, secret: true };
                Self::new([Operand::secret(a)?, Operand::secret(b)?, Operand::amount(amount, public)?, allowance])
            }
            // No metadata: the first word is an argument.
            Function::GetUserKey | Function::Sha256 => Self::new([Operand { width: Width::U64, secret: true }]),
        }
    }

    fn new<const N: usize>(given: [Operand; N]) -> Option<Self> {
        let first = given[0];
        let bools = given.iter().filter(|operand| operand.width == Width::Bool).count();
        if bools != 0 && bools != N {
            return None;
        }
        let mut operands = [first; 4];
        operands[..N].copy_from_slice(&given);
        let width = given.iter().map(|operand| operand.width).max().unwrap_or(first.width);
        Some(Self { width, operands })
    }
}

impl Operand {
    fn secret(code: u8) -> Option<Self> {
        Width::from_code(code).map(|width| Self { width, secret: true })
    }

    /// The amount of a transfer: any mark but zero says that it is clear.
    fn amount(code: u8, public: u8) -> Option<Self> {
        Width::from_code(code).map(|width| Self { width, secret: public == 0 })
    }

    const fn clear(self) -> Self {
        Self { secret: false, ..self }
    }
}

fn leading<const N: usize>(word: &[u8; 32]) -> Option<[u8; N]> {
    let (head, rest) = word.split_first_chunk::<N>()?;
    rest.iter().all(|byte| *byte == 0).then_some(*head)
}
