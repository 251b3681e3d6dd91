//! The functions of the precompile, by selector.

use alloy_primitives::Bytes;

use super::ops::{Binary, Checked, Shift};

/// A function that contracts may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// A network ciphertext becomes a handle.
    OnBoard,
    /// The same for 256 bits in two cells.
    OnBoardWide,
    /// A value becomes a network ciphertext.
    OffBoard,
    /// The same for 256 bits.
    OffBoardWide,
    /// A value becomes a ciphertext for a user.
    OffBoardToUser,
    /// The same for 256 bits.
    OffBoardToUserWide,
    /// A clear value becomes a handle.
    SetPublic,
    /// A random value of a type.
    Rand,
    /// A random value of so many bits.
    RandBoundedBits,
    /// Two operands, one result.
    Binary(Binary),
    /// Two operands, an overflow bit and a result.
    Checked(Checked),
    /// A shift by a clear amount.
    Shift(Shift),
    /// A value becomes clear.
    Decrypt,
    /// One of two values, chosen by a secret bit: 0 takes the first.
    Mux,
    /// Complement.
    Not,
    /// Moves an amount between two balances.
    Transfer,
    /// The same, bounded by an allowance.
    TransferWithAllowance,
    /// The same, with the metadata of the library of April 2024.
    TransferWithAllowance2024,
    /// A user's signed ciphertext becomes a handle.
    ValidateCiphertext,
    /// The same for 256 bits.
    ValidateCiphertextWide,
    /// The AES key of the transaction's origin, for an RSA key that the origin signed.
    GetUserKey,
    /// SHA-256 of three secret and three clear numbers, in the clear.
    Sha256,
}

/// Every function with its selector and the signature whose keccak-256 begins with it. Old interfaces also name
/// `DeleteUserKey(bytes)`, which reverts as an unknown selector does.
pub const FUNCTIONS: [(u32, Function, &str); 40] = [
    (0xd2c1_35e5, Function::OnBoard, "OnBoard(bytes1,uint256)"),
    (0x2d58_3135, Function::OnBoardWide, "OnBoard(bytes1,uint256,uint256)"),
    (0xc50c_9c02, Function::OffBoard, "OffBoard(bytes1,uint256)"),
    (0x1f44_91de, Function::OffBoardWide, "OffBoard256(bytes1,uint256)"),
    (0x3c6f_0e68, Function::OffBoardToUser, "OffBoardToUser(bytes1,uint256,bytes)"),
    (0xe5c8_3313, Function::OffBoardToUserWide, "OffBoardToUser256(bytes1,uint256,bytes)"),
    (0xd9b6_0b60, Function::SetPublic, "SetPublic(bytes1,uint256)"),
    (0x134e_b890, Function::Rand, "Rand(bytes1)"),
    (0x072d_17fc, Function::RandBoundedBits, "RandBoundedBits(bytes1,uint8)"),
    (0x8c5d_0150, Function::Binary(Binary::Add), "Add(bytes3,uint256,uint256)"),
    (0xf581_fa20, Function::Checked(Checked::Add), "CheckedAdd(bytes3,uint256,uint256)"),
    (0x371d_1bf2, Function::Binary(Binary::Sub), "Sub(bytes3,uint256,uint256)"),
    (0xce8c_713d, Function::Checked(Checked::Sub), "CheckedSub(bytes3,uint256,uint256)"),
    (0xf1d2_1bb4, Function::Binary(Binary::Mul), "Mul(bytes3,uint256,uint256)"),
    (0x0915_497f, Function::Checked(Checked::Mul), "CheckedMul(bytes3,uint256,uint256)"),
    (0x4e9b_a4b5, Function::Binary(Binary::Div), "Div(bytes3,uint256,uint256)"),
    (0x86e3_b7b9, Function::Binary(Binary::Rem), "Rem(bytes3,uint256,uint256)"),
    (0xfe9c_73d1, Function::Binary(Binary::And), "And(bytes3,uint256,uint256)"),
    (0xfb7d_a35f, Function::Binary(Binary::Or), "Or(bytes3,uint256,uint256)"),
    (0x6f96_2e2c, Function::Binary(Binary::Xor), "Xor(bytes3,uint256,uint256)"),
    (0x1135_f71a, Function::Shift(Shift::Left), "Shl(bytes3,uint256,uint256)"),
    (0x39bd_1d8d, Function::Shift(Shift::Right), "Shr(bytes3,uint256,uint256)"),
    (0x7c12_a1eb, Function::Binary(Binary::Eq), "Eq(bytes3,uint256,uint256)"),
    (0x4209_4c56, Function::Binary(Binary::Ne), "Ne(bytes3,uint256,uint256)"),
    (0x813b_2074, Function::Binary(Binary::Ge), "Ge(bytes3,uint256,uint256)"),
    (0x6d82_e45e, Function::Binary(Binary::Gt), "Gt(bytes3,uint256,uint256)"),
    (0x145f_ca2c, Function::Binary(Binary::Le), "Le(bytes3,uint256,uint256)"),
    (0xdd14_8693, Function::Binary(Binary::Lt), "Lt(bytes3,uint256,uint256)"),
    (0x69ca_0874, Function::Binary(Binary::Min), "Min(bytes3,uint256,uint256)"),
    (0x9bda_0782, Function::Binary(Binary::Max), "Max(bytes3,uint256,uint256)"),
    (0x0cfe_d561, Function::Decrypt, "Decrypt(bytes1,uint256)"),
    (0x20cc_408d, Function::Mux, "Mux(bytes3,uint256,uint256,uint256)"),
    (0x1d79_e49a, Function::Not, "Not(bytes1,uint256)"),
    (0x56c7_2d28, Function::Transfer, "Transfer(bytes4,uint256,uint256,uint256)"),
    (0xc2ff_267a, Function::TransferWithAllowance, "TransferWithAllowance(bytes5,uint256,uint256,uint256,uint256)"),
    (0x935d_6aaf, Function::TransferWithAllowance2024, "TransferWithAllowance(bytes4,uint256,uint256,uint256,uint256)"),
    (0xe4f3_6e10, Function::ValidateCiphertext, "ValidateCiphertext(bytes1,uint256,bytes)"),
    (0x0135_e466, Function::ValidateCiphertextWide, "ValidateCiphertext(bytes1,uint256,uint256,bytes)"),
    (0xa85f_0ca2, Function::GetUserKey, "GetUserKey(bytes)"),
    (0x1159_675e, Function::Sha256, "SHA256Fixed432BitInput(uint256,uint256,uint256,uint256,uint256,bytes)"),
];

impl Function {
    /// The function that the first four bytes of the calldata name.
    pub fn from_selector(selector: [u8; 4]) -> Option<Self> {
        let selector = u32::from_be_bytes(selector);
        FUNCTIONS.iter().find(|(known, ..)| *known == selector).map(|(_, function, _)| *function)
    }

    /// What an estimation gets in place of an answer: output of the usual length, the integer 1 at its end, so that
    /// no secret decides how an estimation goes.
    pub(crate) fn placeholder(self) -> Bytes {
        match self {
            Self::Transfer => one_in(96),
            Self::TransferWithAllowance | Self::TransferWithAllowance2024 => one_in(128),
            Self::Checked(_) | Self::OffBoardWide | Self::OffBoardToUserWide => one_in(64),
            Self::GetUserKey => abi_bytes(&one_in(512)),
            Self::Sha256 => abi_bytes(&one_in(32)),
            _ => one_in(32),
        }
    }
}

/// The ABI form of one `bytes` result whose length is a multiple of 32.
pub(crate) fn abi_bytes(content: &[u8]) -> Bytes {
    let mut output = vec![0; 64];
    output[31] = 32;
    output[56..].copy_from_slice(&(content.len() as u64).to_be_bytes());
    output.extend_from_slice(content);
    output.into()
}

fn one_in(length: usize) -> Bytes {
    let mut output = vec![0; length];
    output[length - 1] = 1;
    output.into()
}
