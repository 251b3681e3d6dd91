/// How wide a value inside one cell is. A cell carries no type: the contract's function says what it holds.
///
/// Signed values are the two's complement of their width with zeroes above: an `int8` of -1 is `0xff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// `bool`: 0 or 1. Never signed.
    Bool,
    /// 8 bits.
    W8,
    /// 16 bits.
    W16,
    /// 32 bits.
    W32,
    /// 64 bits.
    W64,
    /// 128 bits, a whole cell.
    W128,
}

impl Width {
    /// All widths, narrowest first.
    pub const ALL: [Self; 6] = [Self::Bool, Self::W8, Self::W16, Self::W32, Self::W64, Self::W128];

    /// The number of bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bool => 1,
            Self::W8 => 8,
            Self::W16 => 16,
            Self::W32 => 32,
            Self::W64 => 64,
            Self::W128 => 128,
        }
    }

    /// Ones in every bit of the width.
    pub const fn mask(self) -> u128 {
        u128::MAX >> (128 - self.bits())
    }

    /// The low bits of `value`: what the network takes from an input text that is wider than its type.
    pub const fn truncate(self, value: u128) -> u128 {
        value & self.mask()
    }

    /// The two's complement of `value`, or nothing when it does not fit.
    pub fn encode_signed(self, value: i128) -> Option<u128> {
        let encoded = self.truncate(value.cast_unsigned());
        (self.decode_signed(encoded) == value).then_some(encoded)
    }

    /// The signed value of the low bits of `encoded`.
    pub const fn decode_signed(self, encoded: u128) -> i128 {
        let above = 128 - self.bits();
        (encoded << above).cast_signed() >> above
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn minus_one_is_all_ones_of_its_width() {
        assert_eq!(Width::W8.encode_signed(-1), Some(0xff));
        assert_eq!(Width::W128.encode_signed(-1), Some(u128::MAX));
        assert_eq!(Width::W8.decode_signed(0x80), -128);
        assert_eq!(Width::W8.encode_signed(128), None);
        assert_eq!(Width::W8.encode_signed(-129), None);
        assert_eq!(Width::Bool.truncate(3), 1);
    }

    proptest! {
        #[test]
        fn a_signed_value_that_fits_comes_back(value: i128) {
            for width in Width::ALL {
                let fits = width == Width::W128 || (value >= -(1 << (width.bits() - 1)) && value < 1 << (width.bits() - 1));
                prop_assert_eq!(width.encode_signed(value).is_some(), fits);
                if let Some(encoded) = width.encode_signed(value) {
                    prop_assert!(encoded <= width.mask());
                    prop_assert_eq!(width.decode_signed(encoded), value);
                }
            }
        }

        #[test]
        fn small_signed_values_fit_every_width_but_bool(value in -128_i128..128) {
            for width in &Width::ALL[1..] {
                prop_assert_eq!(width.encode_signed(value).map(|encoded| width.decode_signed(encoded)), Some(value));
            }
        }
    }
}
