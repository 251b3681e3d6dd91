// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import {IPrecompile} from "./IPrecompile.sol";

/// A bench for tests: every operation of the precompile, in any width and form, many in one transaction.
/// Everything it computes on is decrypted into events. Never build an application like this.
contract Operations {
    IPrecompile private constant PRECOMPILE = IPrecompile(address(0x64));

    /// In `Case.operandTypes` and `Case.resultTypes`: this word is clear, pass it as it is.
    bytes1 private constant CLEAR = 0xff;
    bytes1 private constant UINT256 = 0x06;

    /// One call of an operation whose operands are words: selector, metadata word, then the operands.
    /// A type byte per operand (it is encrypted first, unless clear) and per result (it is decrypted, unless clear).
    struct Case {
        bytes4 selector;
        bytes32 meta;
        bytes operandTypes;
        uint256[] operands;
        bytes resultTypes;
    }

    struct Outcome {
        bool ok;
        uint256[] results;
    }

    /// A value under a key; `low` is used by 256-bit values only, whose upper half is `high`.
    struct Cell {
        uint256 high;
        uint256 low;
    }

    struct InputText256 {
        Cell ciphertext;
        bytes signature;
    }

    event Outcomes(Outcome[] outcomes);
    event Value(bytes1 kind, uint256 clear);
    event NetworkCell(bytes1 kind, Cell cell);
    event UserCell(address indexed user, bytes1 kind, Cell cell);
    event Digest(bytes digest);

    mapping(uint256 => Cell) private stored;

    /// Runs all cases, the failing ones included, and emits their outcomes in order.
    function run(Case[] calldata cases) external {
        Outcome[] memory outcomes = new Outcome[](cases.length);
        for (uint256 i = 0; i < cases.length; i++) {
            outcomes[i] = _run(cases[i]);
        }
        emit Outcomes(outcomes);
    }

    /// One raw call, which reverts when the precompile does.
    function raw(bytes calldata data) external returns (bytes memory result) {
        bool ok;
        (ok, result) = address(PRECOMPILE).call(data);
        require(ok);
    }

    /// Clear, secret, ciphertext, secret, clear: all in this frame.
    function roundTrips(bytes1[] calldata kinds, uint256[] calldata values) external {
        for (uint256 i = 0; i < kinds.length; i++) {
            Cell memory cell = _seal(kinds[i], PRECOMPILE.SetPublic(kinds[i], values[i]));
            emit NetworkCell(kinds[i], cell);
            emit Value(kinds[i], PRECOMPILE.Decrypt(kinds[i], _load(kinds[i], cell)));
        }
    }

    /// Encrypts a clear value into storage.
    function store(uint256 key, bytes1 kind, uint256 value) external {
        stored[key] = _seal(kind, PRECOMPILE.SetPublic(kind, value));
        emit NetworkCell(kind, stored[key]);
    }

    /// Decrypts what an earlier transaction stored.
    function reveal(uint256 key, bytes1 kind) external {
        emit Value(kind, PRECOMPILE.Decrypt(kind, _load(kind, stored[key])));
    }

    /// Writes any words into storage, authentic or not.
    function plant(uint256 key, Cell calldata cell) external {
        stored[key] = cell;
    }

    /// Takes an input text of up to 128 bits and tells everybody what it says.
    function validate(bytes1 kind, uint256 ciphertext, bytes calldata signature) external {
        emit Value(kind, PRECOMPILE.Decrypt(kind, PRECOMPILE.ValidateCiphertext(kind, ciphertext, signature)));
    }

    function validate256(InputText256 calldata input) external {
        uint256 handle =
            PRECOMPILE.ValidateCiphertext(UINT256, input.ciphertext.high, input.ciphertext.low, input.signature);
        emit Value(UINT256, PRECOMPILE.Decrypt(UINT256, handle));
    }

    /// Seals clear values for a user.
    function sealForUser(address user, bytes1[] calldata kinds, uint256[] calldata values) external {
        bytes memory account = abi.encodePacked(user);
        for (uint256 i = 0; i < kinds.length; i++) {
            uint256 handle = PRECOMPILE.SetPublic(kinds[i], values[i]);
            Cell memory cell;
            if (kinds[i] == UINT256) {
                (cell.high, cell.low) = PRECOMPILE.OffBoardToUser256(UINT256, handle, account);
            } else {
                cell.high = PRECOMPILE.OffBoardToUser(kinds[i], handle, account);
            }
            emit UserCell(user, kinds[i], cell);
        }
    }

    function digest(
        uint64 amount,
        uint64 seed1,
        uint64 seed2,
        uint64 padding1,
        uint16 padding2,
        address account
    ) external {
        emit Digest(
            PRECOMPILE.SHA256Fixed432BitInput(
                PRECOMPILE.SetPublic(0x04, amount),
                PRECOMPILE.SetPublic(0x04, seed1),
                PRECOMPILE.SetPublic(0x04, seed2),
                padding1,
                padding2,
                abi.encodePacked(account)
            )
        );
    }

    function _run(Case calldata c) private returns (Outcome memory outcome) {
        bytes memory data = abi.encodePacked(c.selector, c.meta);
        for (uint256 i = 0; i < c.operands.length; i++) {
            bytes1 kind = c.operandTypes[i];
            uint256 word = kind == CLEAR ? c.operands[i] : PRECOMPILE.SetPublic(kind, c.operands[i]);
            data = bytes.concat(data, bytes32(word));
        }
        bytes memory output;
        (outcome.ok, output) = address(PRECOMPILE).call(data);
        if (!outcome.ok) return outcome;
        require(output.length == c.resultTypes.length * 32, "unexpected number of results");
        outcome.results = new uint256[](c.resultTypes.length);
        for (uint256 i = 0; i < c.resultTypes.length; i++) {
            uint256 word = _word(output, i);
            bytes1 kind = c.resultTypes[i];
            outcome.results[i] = kind == CLEAR ? word : PRECOMPILE.Decrypt(kind, word);
        }
    }

    function _seal(bytes1 kind, uint256 handle) private returns (Cell memory cell) {
        if (kind == UINT256) (cell.high, cell.low) = PRECOMPILE.OffBoard256(kind, handle);
        else cell.high = PRECOMPILE.OffBoard(kind, handle);
    }

    function _load(bytes1 kind, Cell memory cell) private returns (uint256) {
        return kind == UINT256 ? PRECOMPILE.OnBoard(kind, cell.high, cell.low) : PRECOMPILE.OnBoard(kind, cell.high);
    }

    function _word(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly {
            word := mload(add(add(data, 32), mul(index, 32)))
        }
    }
}
