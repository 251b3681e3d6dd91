//! The arithmetic, on plain words: no handles, no types on the wire, nothing secret about the formulas.
//!
//! Every operand has to fit the width that it is computed in, as [`super::Value`] guarantees; a narrower operand is its
//! own zero-extension. (COTI gcEVM `ExtendedOperations`.)

use alloy_primitives::U256;

use super::types::{Value, Width};

/// Two operands, one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binary {
    /// Sum modulo 2^w.
    Add,
    /// Difference modulo 2^w.
    Sub,
    /// Product modulo 2^w.
    Mul,
    /// Quotient rounded down; by zero, all ones.
    Div,
    /// Remainder; by zero, the dividend.
    Rem,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Whether they are equal.
    Eq,
    /// Whether they differ.
    Ne,
    /// Whether the first is not smaller.
    Ge,
    /// Whether the first is greater.
    Gt,
    /// Whether the first is not greater.
    Le,
    /// Whether the first is smaller.
    Lt,
    /// The smaller one.
    Min,
    /// The greater one.
    Max,
}

/// Two operands, and whether the true result left the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checked {
    /// Carry and sum.
    Add,
    /// Borrow and difference.
    Sub,
    /// Whether the product exceeds the width, and its low half.
    Mul,
}

/// A value and a clear amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shift {
    /// Towards the high bits; what leaves is lost.
    Left,
    /// Towards the low bits; zeroes come in.
    Right,
}

impl Binary {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Rem,
        Self::And,
        Self::Or,
        Self::Xor,
        Self::Eq,
        Self::Ne,
        Self::Ge,
        Self::Gt,
        Self::Le,
        Self::Lt,
        Self::Min,
        Self::Max,
    ];

    /// The result of `a` and `b` in `width`; a comparison gives a bool.
    pub fn apply(self, width: Width, a: U256, b: U256) -> Value {
        let word = match self {
            Self::Add => a.wrapping_add(b),
            Self::Sub => a.wrapping_sub(b),
            Self::Mul => a.wrapping_mul(b),
            Self::Div => a.checked_div(b).unwrap_or(U256::MAX),
            Self::Rem => a.checked_rem(b).unwrap_or(a),
            Self::And => a & b,
            Self::Or => a | b,
            Self::Xor => a ^ b,
            Self::Min => a.min(b),
            Self::Max => a.max(b),
            Self::Eq => return (a == b).into(),
            Self::Ne => return (a != b).into(),
            Self::Ge => return (a >= b).into(),
            Self::Gt => return (a > b).into(),
            Self::Le => return (a <= b).into(),
            Self::Lt => return (a < b).into(),
        };
        Value::new(width, word)
    }
}

impl Checked {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Add, Self::Sub, Self::Mul];

    /// Whether the true result of `a` and `b` left `width`, and the result wrapped.
    pub fn apply(self, width: Width, a: U256, b: U256) -> (bool, Value) {
        let (word, beyond) = match self {
            Self::Add => a.overflowing_add(b),
            Self::Sub => a.overflowing_sub(b),
            Self::Mul => a.overflowing_mul(b),
        };
        (beyond || word > width.mask(), Value::new(width, word))
    }
}

impl Shift {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Left, Self::Right];

    /// `a` shifted by `amount` bits; an amount of the width or more leaves nothing.
    pub fn apply(self, width: Width, a: U256, amount: U256) -> Value {
        let word = match usize::try_from(amount) {
            Ok(amount) if amount < width.bits() => match self {
                Self::Left => a << amount,
                Self::Right => a >> amount,
            },
            _ => U256::ZERO,
        };
        Value::new(width, word)
    }
}

/// What a transfer leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// The payer's balance.
    pub a: Value,
    /// The payee's balance.
    pub b: Value,
    /// Whether anything moved.
    pub ok: bool,
    /// What is left of the allowance.
    pub allowance: Value,
}

/// Moves `amount` from `a` to `b` if `a` and `allowance` cover it, else changes nothing. `b` wraps.
pub fn transfer(width: Width, a: U256, b: U256, amount: U256, allowance: U256) -> Transferred {
    let ok = amount <= a && amount <= allowance;
    let moved = if ok { amount } else { U256::ZERO };
    Transferred {
        a: Value::new(width, a.wrapping_sub(moved)),
        b: Value::new(width, b.wrapping_add(moved)),
        ok,
        allowance: Value::new(width, allowance.wrapping_sub(moved)),
    }
}

/// Bitwise complement; of a bool, the other one.
pub fn not(width: Width, a: U256) -> Value {
    Value::new(width, !a)
}
