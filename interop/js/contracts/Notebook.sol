// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import "@coti-io/coti-contracts/contracts/utils/mpc/MpcCore.sol";

/// A number, a word and a flag for each user, written with the published library.
contract Notebook {
    event NumberKept(address indexed user, ctUint64 number);
    event WordKept(address indexed user, ctString word);
    event Compared(address indexed user, bool larger);

    mapping(address => utUint64) private numbers;
    mapping(address => utString) private words;

    function keepNumber(itUint64 calldata input) external {
        numbers[msg.sender] = MpcCore.offBoardCombined(MpcCore.validateCiphertext(input), msg.sender);
        emit NumberKept(msg.sender, numbers[msg.sender].userCiphertext);
    }

    function keepWord(itString calldata input) external {
        words[msg.sender] = MpcCore.offBoardCombined(MpcCore.validateCiphertext(input), msg.sender);
        emit WordKept(msg.sender, words[msg.sender].userCiphertext);
    }

    /// Doubles the caller's number, with the library's overflow check.
    function double() external {
        gtUint64 number = MpcCore.onBoard(numbers[msg.sender].ciphertext);
        numbers[msg.sender] = MpcCore.offBoardCombined(MpcCore.checkedAdd(number, number), msg.sender);
        emit NumberKept(msg.sender, numbers[msg.sender].userCiphertext);
    }

    /// Tells everybody whose number is larger, and nothing more.
    function compare(address other) external {
        gtUint64 mine = MpcCore.onBoard(numbers[msg.sender].ciphertext);
        gtUint64 theirs = MpcCore.onBoard(numbers[other].ciphertext);
        emit Compared(msg.sender, MpcCore.decrypt(MpcCore.gt(mine, theirs)));
    }

    /// Copies what `user` sees to whoever asks: ciphertext is no secret.
    function numberOf(address user) external view returns (ctUint64) {
        return numbers[user].userCiphertext;
    }

    function wordOf(address user) external view returns (ctString memory) {
        return words[user].userCiphertext;
    }
}
