// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import {Confidential, NetworkCiphertext, Secret64, UserCiphertext} from "./Confidential.sol";

/// A string under the network's key: one cell per eight UTF-8 bytes.
struct NetworkString {
    NetworkCiphertext[] value;
}

/// A string under one user's key.
struct UserString {
    UserCiphertext[] value;
}

/// A string that a user encrypted and signed, cell by cell.
struct InputString {
    UserString ciphertext;
    bytes[] signature;
}

/// "How to encrypt data on-chain": a clear or encrypted value goes in, the network keeps it under its own key, and
/// whoever asks gets it under their user key. Function names, slots and events are those of COTI's documented example.
///
/// Every value is re-sealed for *the caller*: this is a demonstration, with nothing in it that is anybody's alone.
contract DataOnChain {
    using Confidential for Secret64;
    using Confidential for NetworkCiphertext;

    event UserEncryptedValue(address indexed _from, UserCiphertext value);
    event UserEncryptedStringValue(address indexed _from, UserString value);

    uint64 private clearValue = 5;
    UserCiphertext private userValue;
    UserCiphertext private userValueFromInput;
    NetworkCiphertext private networkValue;
    NetworkCiphertext private networkValueFromInput;
    UserCiphertext private userSum;
    UserString private userString;
    NetworkString private networkString;

    function setSomeEncryptedValue(uint64 value) external {
        networkValue = Confidential.encrypt(value).seal();
    }

    function setSomeEncryptedValueEncryptedInput(UserCiphertext ciphertext, bytes calldata signature) external {
        networkValueFromInput = Confidential.validate(ciphertext, signature).seal();
    }

    function setSomeEncryptedStringEncryptedInput(InputString calldata input) external {
        UserCiphertext[] calldata cells = input.ciphertext.value;
        require(cells.length == input.signature.length, "one signature per cell");
        delete networkString;
        for (uint256 i = 0; i < cells.length; i++) {
            networkString.value.push(Confidential.validate(cells[i], input.signature[i]).seal());
        }
    }

    /// Stores any word in the network value's place. A word that this contract did not seal can be read, not loaded.
    function setNetworkSomeEncryptedValue(NetworkCiphertext ciphertext) external {
        networkValue = ciphertext;
    }

    function setUserSomeEncryptedValue() external {
        userValue = networkValue.load().sealFor(msg.sender);
        emit UserEncryptedValue(msg.sender, userValue);
    }

    function setUserSomeEncryptedValueEncryptedInput() external {
        userValueFromInput = networkValueFromInput.load().sealFor(msg.sender);
        emit UserEncryptedValue(msg.sender, userValueFromInput);
    }

    function setUserSomeEncryptedStringEncryptedInput() external {
        delete userString;
        for (uint256 i = 0; i < networkString.value.length; i++) {
            userString.value.push(networkString.value[i].load().sealFor(msg.sender));
        }
        emit UserEncryptedStringValue(msg.sender, userString);
    }

    /// Adds the two network values and seals the sum for the caller.
    function add() external {
        userSum = networkValue.load().add(networkValueFromInput.load()).sealFor(msg.sender);
    }

    function getSomeValue() external view returns (uint64 value) {
        return clearValue;
    }

    function getNetworkSomeEncryptedValue() external view returns (NetworkCiphertext) {
        return networkValue;
    }

    function getNetworkSomeEncryptedValueEncryptedInput() external view returns (NetworkCiphertext) {
        return networkValueFromInput;
    }

    function getUserSomeEncryptedValue() external view returns (UserCiphertext) {
        return userValue;
    }

    function getUserSomeEncryptedValueEncryptedInput() external view returns (UserCiphertext) {
        return userValueFromInput;
    }

    function getUserSomeEncryptedStringEncryptedInput() external view returns (UserString memory) {
        return userString;
    }

    function getUserArithmeticResult() external view returns (UserCiphertext) {
        return userSum;
    }
}
