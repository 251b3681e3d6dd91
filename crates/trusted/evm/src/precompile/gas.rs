//! What each function costs. Changing a number is a hard fork.

use super::functions::Function;
use super::ops::{Binary, Checked, Shift};
use super::types::Width;

/// Not supported in this width.
const NO: u64 = 0;

/// Gas of `function` in `width`, `None` if the function does not exist in it. Always the same, whatever the values.
///
/// Up to 64 bits these are the reference network's numbers, and so are those of 128 and 256 bits wherever it published
/// some that leave room for several in one transaction; the rest continue their rows.
pub const fn gas(function: Function, width: Width) -> Option<u64> {
    let row = match function {
        Function::OnBoard => [47_039, 47_039, 47_039, 47_039, 47_039, 47_039, NO],
        Function::OnBoardWide => [NO, NO, NO, NO, NO, NO, 94_078],
        Function::OffBoard | Function::OffBoardToUser => [47_039, 47_040, 47_040, 47_042, 47_045, 47_051, NO],
        Function::OffBoardWide | Function::OffBoardToUserWide => [NO, NO, NO, NO, NO, NO, 94_102],
        Function::ValidateCiphertext => [47_039, 47_039, 47_039, 47_039, 47_039, 47_039, NO],
        Function::ValidateCiphertextWide => [NO, NO, NO, NO, NO, NO, 94_078],
        Function::SetPublic => [12_000, 12_000, 12_001, 12_003, 12_006, 12_012, 12_024],
        Function::Decrypt => [12_000, 12_000, 12_001, 12_003, 12_006, 12_012, 12_024],
        Function::Rand => [6_000, 6_000, 6_000, 6_000, 6_000, 6_000, 6_000],
        Function::RandBoundedBits => [NO, 6_000, 6_000, 6_000, 6_000, 6_000, 6_000],
        Function::Binary(op) => match op {
            Binary::And => [12_005, 12_040, 12_080, 12_160, 12_320, 26_126, 52_742],
            Binary::Or => [12_005, 12_042, 12_084, 12_169, 12_339, 26_164, 52_818],
            Binary::Xor => [12_000, 12_000, 12_001, 12_003, 12_006, 25_498, 51_486],
            Binary::Add => [NO, 12_037, 12_080, 12_167, 12_340, 65_491, 275_564],
            Binary::Sub => [NO, 12_080, 12_165, 12_337, 12_679, 66_518, 278_659],
            Binary::Mul => [NO, 12_620, 14_571, 22_467, 54_233, 226_190, 698_489],
            Binary::Div | Binary::Rem => [NO, 12_969, 15_960, 28_009, 76_377, 248_333, 698_498],
            Binary::Min | Binary::Max => [12_010, 12_121, 12_249, 12_503, 13_012, 68_000, 285_000],
            Binary::Lt | Binary::Ge => [12_005, 12_080, 12_166, 12_337, 12_679, 66_518, 278_659],
            Binary::Gt => [12_010, 12_121, 12_249, 12_503, 13_012, 68_000, 285_000],
            Binary::Le => [12_010, 12_122, 12_249, 12_503, 13_012, 68_000, 285_000],
            Binary::Eq | Binary::Ne => [12_000, 12_037, 12_079, 12_164, 12_334, 26_150, 52_800],
        },
        Function::Checked(op) => match op {
            Checked::Add => [NO, 12_037, 12_080, 12_167, 12_340, 65_491, 275_564],
            Checked::Sub => [NO, 12_080, 12_165, 12_337, 12_679, 66_518, 278_659],
            Checked::Mul => [NO, 12_620, 14_571, 22_467, 54_233, 226_190, 698_489],
        },
        Function::Shift(Shift::Left) => [NO, 12_620, 14_571, 22_467, 54_233, 226_190, 698_489],
        Function::Shift(Shift::Right) => [NO, 12_969, 15_960, 28_009, 76_377, 248_333, 698_498],
        Function::Not => [12_000, NO, NO, NO, NO, 25_498, 51_486],
        Function::Mux => [12_005, 12_041, 12_083, 12_166, 12_332, 26_150, 52_800],
        Function::Transfer => [NO, 12_201, 12_413, 12_837, 13_685, 134_000, 560_000],
        Function::TransferWithAllowance | Function::TransferWithAllowance2024 => {
            [NO, 12_301, 12_619, 13_255, 14_527, 201_000, 840_000]
        }
        // Neither names a type.
        Function::GetUserKey => [47_039; 7],
        Function::Sha256 => [120_000; 7],
    };
    match row[width as usize] {
        NO => None,
        gas => Some(gas),
    }
}
