// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import {Confidential} from "./Confidential.sol";

/// Hands an account its user key, in two shares under the account's RSA-2048 key: the key is share 1 XOR share 2.
contract AccountOnboard {
    event AccountOnboarded(address indexed _from, bytes userKey1, bytes userKey2);

    /// `publicKey` is a DER SubjectPublicKeyInfo, `signedEK` the origin's signature over it.
    function onboardAccount(bytes calldata publicKey, bytes calldata signedEK) external {
        bytes memory shares = Confidential.PRECOMPILE.GetUserKey(bytes.concat(signedEK, publicKey));
        (bytes32[8] memory first, bytes32[8] memory second) = abi.decode(shares, (bytes32[8], bytes32[8]));
        emit AccountOnboarded(msg.sender, abi.encodePacked(first), abi.encodePacked(second));
    }
}
