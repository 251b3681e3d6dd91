// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import {Confidential, NetworkCiphertext, Secret64, UserCiphertext} from "./Confidential.sol";

/// Keeps one secret, and shows its ciphertext to anybody, as every contract's storage does.
contract Vault {
    using Confidential for Secret64;
    using Confidential for NetworkCiphertext;

    event Revealed(uint64 value);

    NetworkCiphertext public ciphertext;
    NetworkCiphertext public copy;

    function put(uint64 value) external {
        ciphertext = Confidential.encrypt(value).seal();
    }

    function reveal() external {
        emit Revealed(ciphertext.load().decrypt());
    }

    /// Honest: a contract may move its own ciphertext between its own slots.
    function copyOwn() external {
        copy = ciphertext;
    }

    function revealCopy() external {
        emit Revealed(copy.load().decrypt());
    }

    /// Lends the secret to `borrower` for the rest of this call.
    function lend(Attacker borrower) external {
        borrower.borrow(ciphertext.load());
    }

    /// Calls `stranger` while a secret is live, telling it only the public ciphertext.
    function visit(Attacker stranger) external {
        ciphertext.load();
        stranger.loadArgument(ciphertext);
    }

    /// Loads on its own behalf through the code of another contract.
    function revealByDelegate(address code) external {
        (bool ok,) = code.delegatecall(abi.encodeCall(Attacker.revealFirstSlot, ()));
        require(ok, "delegatecall failed");
    }
}

/// Tries everything a contract should not be able to do. Each function reverts, unless its comment says otherwise.
contract Attacker {
    using Confidential for Secret64;
    using Confidential for NetworkCiphertext;

    event Revealed(uint64 value);
    event Handle(uint256 handle);
    event Returned(bool ok, bytes data);

    NetworkCiphertext private first;
    uint256 private keptHandle;
    uint256 private reentries;

    /// Copies a foreign ciphertext into storage. Succeeds: words are words.
    function steal(Vault victim) external {
        first = victim.ciphertext();
    }

    /// Puts any word into storage. Succeeds.
    function plant(NetworkCiphertext ciphertext) external {
        first = ciphertext;
    }

    /// Seals a value of its own. Succeeds.
    function put(uint64 value) external {
        first = Confidential.encrypt(value).seal();
    }

    /// Succeeds for a value that it sealed itself, and only then.
    function revealFirstSlot() external {
        emit Revealed(first.load().decrypt());
    }

    function stealAndReveal(Vault victim) external {
        first = victim.ciphertext();
        emit Revealed(first.load().decrypt());
    }

    /// Succeeds only for a ciphertext that this very frame made or read: never for an argument.
    function loadArgument(NetworkCiphertext ciphertext) external {
        emit Revealed(ciphertext.load().decrypt());
    }

    /// Keeps a handle in storage. Succeeds.
    function keepHandle(uint64 value) external {
        keptHandle = Secret64.unwrap(Confidential.encrypt(value));
        emit Handle(keptHandle);
    }

    function useKeptHandle() external {
        emit Revealed(Secret64.wrap(keptHandle).decrypt());
    }

    function useHandle(uint256 handle) external {
        emit Revealed(Secret64.wrap(handle).decrypt());
    }

    /// Asks for 64 bits of an 8-bit secret.
    function useWrongWidth() external {
        uint256 handle = Confidential.PRECOMPILE.SetPublic(0x01, 200);
        emit Revealed(Secret64.wrap(handle).decrypt());
    }

    /// Tries to read `victim`'s live secret by the names near its own handle. Succeeds, having found nothing.
    function guessNeighbours(uint64 value) external {
        uint256 own = Secret64.unwrap(Confidential.encrypt(value));
        for (uint256 i = 1; i <= 4; i++) {
            unchecked {
                _mustFail(own + i);
                _mustFail(own - i);
            }
            _mustFail(i);
        }
    }

    /// Loads a user's ciphertext as if it were the network's.
    function loadUserCiphertext(uint64 value) external {
        UserCiphertext ciphertext = Confidential.encrypt(value).sealFor(msg.sender);
        emit Revealed(NetworkCiphertext.wrap(UserCiphertext.unwrap(ciphertext)).load().decrypt());
    }

    /// Succeeds: who is handed a live secret may use it.
    function borrow(Secret64 secret) external {
        emit Revealed(secret.decrypt());
    }

    /// A ciphertext made in this frame is not known to a frame called by it, even of the same contract;
    /// it still is known here afterwards. Succeeds.
    function reenter(uint64 value) external {
        NetworkCiphertext ciphertext = Confidential.encrypt(value).seal();
        try this.loadArgument(ciphertext) {
            revert("an inner frame loaded the outer frame's ciphertext");
        } catch {
            emit Revealed(ciphertext.load().decrypt());
        }
    }

    /// Calls itself a few levels deep, with secrets live at every level. Succeeds, and reveals `value + depth`.
    function recurse(Secret64 secret, uint64 depth) external {
        if (depth == 0) emit Revealed(secret.decrypt());
        else this.recurse(secret.add(Confidential.encrypt(1)), depth - 1);
    }

    function startRecursion(uint64 value, uint64 depth) external {
        this.recurse(Confidential.encrypt(value), depth);
    }

    /// Seals inside a call that reverts, then loads what is in the slot. What was there before is what counts.
    function sealInRevertedCall(uint64 value) external {
        try this.putAndRevert(value) {
            revert("the inner call must revert");
        } catch {
            emit Revealed(first.load().decrypt());
        }
    }

    function putAndRevert(uint64 value) external {
        first = Confidential.encrypt(value).seal();
        revert("on purpose");
    }

    /// Any bytes to the precompile, by each kind of call. Succeeds, and tells what came back.
    function callPrecompile(bytes calldata data) external {
        (bool ok, bytes memory result) = address(0x64).call(data);
        emit Returned(ok, result);
    }

    function staticcallPrecompile(bytes calldata data) external {
        (bool ok, bytes memory result) = address(0x64).staticcall(data);
        emit Returned(ok, result);
    }

    function delegatecallPrecompile(bytes calldata data) external {
        (bool ok, bytes memory result) = address(0x64).delegatecall(data);
        emit Returned(ok, result);
    }

    function callcodePrecompile(bytes calldata data) external {
        bytes memory input = data;
        bool ok;
        uint256 word;
        assembly {
            ok := callcode(gas(), 0x64, 0, add(input, 32), mload(input), 0, 32)
            word := mload(0)
        }
        emit Returned(ok, abi.encode(word));
    }

    /// Sends money along. The precompile keeps none.
    function payPrecompile(bytes calldata data) external payable {
        (bool ok, bytes memory result) = address(0x64).call{value: msg.value}(data);
        require(ok, "refused");
        emit Returned(ok, result);
    }

    function _mustFail(uint256 handle) private {
        (bool ok,) = address(0x64).call(abi.encodeWithSignature("Decrypt(bytes1,uint256)", bytes1(0x04), handle));
        require(!ok, "a guessed handle worked");
    }
}

/// A minimal delegating proxy: input texts are signed for it, not for the code behind it.
contract Proxy {
    address private immutable implementation;

    constructor(address implementation_) {
        implementation = implementation_;
    }

    fallback() external payable {
        address target = implementation;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
