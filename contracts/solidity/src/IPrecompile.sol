// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

/// The confidential precompile, as COTI's gcEVM publishes it. One name per operation; the selector decides.
///
/// `meta` packs the operand types, left-aligned: one byte each, and for operations with several operands a last
/// byte: 0 all operands are secret, 1 the left one is clear, 2 the right one is. A clear operand is its plain value.
/// Types: 0 bool, then 1 to 6 for 8, 16, 32, 64, 128 and 256 bits. Words named `h` are handles: they name a value
/// in this transaction only.
interface IPrecompile {
    function OnBoard(bytes1 meta, uint256 ct) external returns (uint256 h);
    function OnBoard(bytes1 meta, uint256 ctHigh, uint256 ctLow) external returns (uint256 h);
    function OffBoard(bytes1 meta, uint256 h) external returns (uint256 ct);
    function OffBoard256(bytes1 meta, uint256 h) external returns (uint256 ctHigh, uint256 ctLow);
    function OffBoardToUser(bytes1 meta, uint256 h, bytes calldata user) external returns (uint256 ct);
    function OffBoardToUser256(bytes1 meta, uint256 h, bytes calldata user)
        external
        returns (uint256 ctHigh, uint256 ctLow);

    function SetPublic(bytes1 meta, uint256 clear) external returns (uint256 h);
    function Decrypt(bytes1 meta, uint256 h) external returns (uint256 clear);
    function ValidateCiphertext(bytes1 meta, uint256 ct, bytes calldata signature) external returns (uint256 h);
    function ValidateCiphertext(bytes1 meta, uint256 ctHigh, uint256 ctLow, bytes calldata signature)
        external
        returns (uint256 h);

    function Rand(bytes1 meta) external returns (uint256 h);
    function RandBoundedBits(bytes1 meta, uint8 bits) external returns (uint256 h);

    function Add(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Sub(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Mul(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Div(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Rem(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function CheckedAdd(bytes3 meta, uint256 a, uint256 b) external returns (uint256 overflow, uint256 h);
    function CheckedSub(bytes3 meta, uint256 a, uint256 b) external returns (uint256 overflow, uint256 h);
    function CheckedMul(bytes3 meta, uint256 a, uint256 b) external returns (uint256 overflow, uint256 h);

    function And(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Or(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Xor(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Not(bytes1 meta, uint256 a) external returns (uint256 h);
    function Shl(bytes3 meta, uint256 a, uint256 amount) external returns (uint256 h);
    function Shr(bytes3 meta, uint256 a, uint256 amount) external returns (uint256 h);

    function Eq(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Ne(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Ge(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Gt(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Le(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Lt(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Min(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Max(bytes3 meta, uint256 a, uint256 b) external returns (uint256 h);
    function Mux(bytes3 meta, uint256 bit, uint256 a, uint256 b) external returns (uint256 h);

    function Transfer(bytes4 meta, uint256 a, uint256 b, uint256 amount)
        external
        returns (uint256 newA, uint256 newB, uint256 ok);
    function TransferWithAllowance(bytes5 meta, uint256 a, uint256 b, uint256 amount, uint256 allowance)
        external
        returns (uint256 newA, uint256 newB, uint256 ok, uint256 newAllowance);

    function GetUserKey(bytes calldata signedKey) external returns (bytes memory shares);
    function SHA256Fixed432BitInput(
        uint256 amount,
        uint256 seed1,
        uint256 seed2,
        uint256 padding1,
        uint256 padding2,
        bytes calldata account
    ) external returns (bytes memory digest);
    function DeleteUserKey(bytes calldata signature) external returns (bool);
}
