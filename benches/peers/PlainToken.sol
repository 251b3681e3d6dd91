// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

/// What anvil transfers: an ERC-20 with nothing to hide and nothing to spare.
contract PlainToken {
    event Transfer(address indexed from, address indexed to, uint256 value);

    error TooLittle();

    mapping(address => uint256) public balanceOf;

    function mint(address[] calldata owners, uint64 amount) external {
        for (uint256 i = 0; i < owners.length; i++) {
            balanceOf[owners[i]] += amount;
            emit Transfer(address(0), owners[i], amount);
        }
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < amount) revert TooLittle();
        unchecked {
            balanceOf[msg.sender] = balance - amount;
            balanceOf[to] += amount;
        }
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}
