// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

/// The key request as it was in May 2024: a static call, answered with the whole key in one RSA ciphertext.
interface ILegacyPrecompile {
    function GetUserKey(bytes calldata signedKey) external view returns (bytes memory userKey);
}

/// On-boarding for clients of May 2024; `AccountOnboard` is the present form.
contract AccountOnboardLegacy {
    event AccountOnboarded(address indexed _from, bytes userKey);

    /// `signedEK` is, despite its name, the DER SubjectPublicKeyInfo; `signature` is the origin's over it.
    function OnboardAccount(bytes calldata signedEK, bytes calldata signature) external {
        bytes memory userKey = ILegacyPrecompile(address(0x64)).GetUserKey(bytes.concat(signature, signedEK));
        emit AccountOnboarded(msg.sender, userKey);
    }
}
