//! Decimal fractions of eighteen places, as the Cosmos SDK's `LegacyDec` has them: no floats, every operation checked.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::{U256, U512};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number of 10^-18, never negative. Its text has all eighteen places.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(pub U256);

/// A text that is no decimal fraction of at most eighteen places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a decimal number of at most eighteen places")]
pub struct DecimalError;

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);
    /// One.
    pub const ONE: Self = Self(U256::from_limbs([UNIT, 0, 0, 0]));

    /// So many hundredths.
    pub const fn percent(hundredths: u8) -> Self {
        Self(U256::from_limbs([UNIT / 100 * hundredths as u64, 0, 0, 0]))
    }

    /// A whole number.
    pub fn whole(number: u128) -> Self {
        // 128 bits and 60 bits are less than 256.
        Self(U256::from(number).saturating_mul(U256::from(UNIT)))
    }

    /// The number in its protobuf form: the digits of it times 10^18.
    pub fn from_atto(text: &str) -> Result<Self, DecimalError> {
        digits(text).map(Self)
    }

    /// [`Decimal::from_atto`]'s text.
    pub fn to_atto(self) -> String {
        self.0.to_string()
    }

    /// The whole part; what is above 128 bits counts as all of them.
    pub fn floor(self) -> u128 {
        u128::try_from(self.0 / U256::from(UNIT)).unwrap_or(u128::MAX)
    }

    /// What is behind the point.
    pub fn fraction(self) -> Self {
        Self(self.0 % U256::from(UNIT))
    }

    /// True for nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum, or the largest number there is.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing.
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// This part of `amount`, rounded down.
    pub fn of(self, amount: u128) -> u128 {
        self.times(Self::whole(amount)).floor()
    }

    /// The product, rounded down, or the largest number there is.
    pub fn times(self, other: Self) -> Self {
        Self(mul_div(self.0, other.0, U256::from(UNIT)).unwrap_or(U256::MAX))
    }
}

/// `a × b / c`, rounded down; `None` if `c` is zero or the result has more than 256 bits.
pub fn mul_div(a: U256, b: U256, c: U256) -> Option<U256> {
    let mut divisor = [0; 8];
    divisor[..4].copy_from_slice(c.as_limbs());
    let product: U512 = a.widening_mul(b);
    let quotient = product.checked_div(U512::from_limbs(divisor))?;
    let (low, high) = quotient.as_limbs().split_at(4);
    high.iter().all(|limb| *limb == 0).then(|| U256::from_limbs_slice(low))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = U256::from(UNIT);
        write!(f, "{}.{:0>18}", self.0 / unit, (self.0 % unit).to_string())
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        if places.is_empty() || places.len() > PLACES {
            return Err(DecimalError);
        }
        let places = digits(&format!("{places:0<PLACES$}"))?;
        let whole = digits(whole)?.checked_mul(U256::from(UNIT)).ok_or(DecimalError)?;
        whole.checked_add(places).map(Self).ok_or(DecimalError)
    }
}

impl TryFrom<String> for Decimal {
    type Error = DecimalError;

    fn try_from(text: String) -> Result<Self, DecimalError> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(decimal: Decimal) -> Self {
        decimal.to_string()
    }
}

fn digits(text: &str) -> Result<U256, DecimalError> {
    let plain = !text.is_empty() && text.len() <= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { U256::from_str_radix(text, 10).map_err(|_| DecimalError) } else { Err(DecimalError) }
}

/// 10^18.
const UNIT: u64 = 1_000_000_000_000_000_000;
/// Places behind the point.
const PLACES: usize = 18;
/// Digits of the largest number.
const DIGITS: usize = 78;
