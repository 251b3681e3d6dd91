// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import {IPrecompile} from "./IPrecompile.sol";

/// A secret 64-bit value inside the current transaction. Storing one is useless: it names nothing afterwards.
type Secret64 is uint256;
/// A secret boolean inside the current transaction.
type SecretBool is uint256;
/// A value under the network's key. Only the contract that wrote it to its own storage can load it again.
type NetworkCiphertext is uint256;
/// A value under one user's key; that user decrypts it off-chain.
type UserCiphertext is uint256;

/// A value that a user encrypted and signed for one function of one contract.
struct InputText {
    UserCiphertext ciphertext;
    bytes signature;
}

/// What a token or a ledger needs of the precompile, in 64 bits. `Operations.sol` reaches the rest.
library Confidential {
    IPrecompile internal constant PRECOMPILE = IPrecompile(address(0x64));

    bytes1 private constant BOOL = 0x00;
    bytes1 private constant UINT64 = 0x04;
    bytes3 private constant BOTH_SECRET = 0x040400;

    function encrypt(uint64 clear) internal returns (Secret64) {
        return Secret64.wrap(PRECOMPILE.SetPublic(UINT64, clear));
    }

    /// Reverts unless the transaction's origin signed this ciphertext for this contract and the called function.
    function validate(UserCiphertext ciphertext, bytes memory signature) internal returns (Secret64) {
        return Secret64.wrap(
            PRECOMPILE.ValidateCiphertext(UINT64, UserCiphertext.unwrap(ciphertext), signature)
        );
    }

    /// Reverts unless this contract itself put `ciphertext` where it was read from.
    function load(NetworkCiphertext ciphertext) internal returns (Secret64) {
        return Secret64.wrap(PRECOMPILE.OnBoard(UINT64, NetworkCiphertext.unwrap(ciphertext)));
    }

    function seal(Secret64 value) internal returns (NetworkCiphertext) {
        return NetworkCiphertext.wrap(PRECOMPILE.OffBoard(UINT64, Secret64.unwrap(value)));
    }

    function sealFor(Secret64 value, address user) internal returns (UserCiphertext) {
        return UserCiphertext.wrap(
            PRECOMPILE.OffBoardToUser(UINT64, Secret64.unwrap(value), abi.encodePacked(user))
        );
    }

    function add(Secret64 a, Secret64 b) internal returns (Secret64) {
        return Secret64.wrap(PRECOMPILE.Add(BOTH_SECRET, Secret64.unwrap(a), Secret64.unwrap(b)));
    }

    /// Moves `amount` from `a` to `b`, or nothing (`ok` is false) when `a` is too small. Nobody sees which.
    function transfer(Secret64 a, Secret64 b, Secret64 amount)
        internal
        returns (Secret64 newA, Secret64 newB, SecretBool ok)
    {
        (uint256 x, uint256 y, uint256 z) = PRECOMPILE.Transfer(
            0x04040400, Secret64.unwrap(a), Secret64.unwrap(b), Secret64.unwrap(amount)
        );
        return (Secret64.wrap(x), Secret64.wrap(y), SecretBool.wrap(z));
    }

    /// As `transfer`, with an amount that everybody sees.
    function transferClear(Secret64 a, Secret64 b, uint64 amount)
        internal
        returns (Secret64 newA, Secret64 newB, SecretBool ok)
    {
        (uint256 x, uint256 y, uint256 z) =
            PRECOMPILE.Transfer(0x04040401, Secret64.unwrap(a), Secret64.unwrap(b), amount);
        return (Secret64.wrap(x), Secret64.wrap(y), SecretBool.wrap(z));
    }

    /// As `transfer`, also bounded by and taken from `allowance`.
    function transferWithAllowance(Secret64 a, Secret64 b, Secret64 amount, Secret64 allowance)
        internal
        returns (Secret64 newA, Secret64 newB, SecretBool ok, Secret64 newAllowance)
    {
        (uint256 w, uint256 x, uint256 y, uint256 z) = PRECOMPILE.TransferWithAllowance(
            0x0404040400,
            Secret64.unwrap(a),
            Secret64.unwrap(b),
            Secret64.unwrap(amount),
            Secret64.unwrap(allowance)
        );
        return (Secret64.wrap(w), Secret64.wrap(x), SecretBool.wrap(y), Secret64.wrap(z));
    }

    /// Tells everybody.
    function decrypt(Secret64 value) internal returns (uint64) {
        return uint64(PRECOMPILE.Decrypt(UINT64, Secret64.unwrap(value)));
    }

    /// Tells everybody.
    function decrypt(SecretBool value) internal returns (bool) {
        return PRECOMPILE.Decrypt(BOOL, SecretBool.unwrap(value)) != 0;
    }
}
