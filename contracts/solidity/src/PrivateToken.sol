// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.19;

import {Confidential, InputText, NetworkCiphertext, Secret64, UserCiphertext} from "./Confidential.sol";

/// A small token whose balances and allowances only their owners can read.
///
/// Who pays whom is public; how much is public only in the functions that take a clear amount. A transfer of more
/// than the balance moves nothing and looks like any other: a revert would tell.
contract PrivateToken {
    using Confidential for Secret64;
    using Confidential for NetworkCiphertext;

    struct Balance {
        NetworkCiphertext network;
        UserCiphertext user;
    }

    /// The two new balances, each for its owner's eyes.
    event Transfer(address indexed from, address indexed to, UserCiphertext fromBalance, UserCiphertext toBalance);
    event Approval(address indexed owner, address indexed spender, UserCiphertext ownerView, UserCiphertext spenderView);

    error NotMinter();
    error TransferToSelf();

    string public name;
    string public symbol;
    address public immutable minter;
    /// Everything ever minted, in the clear.
    uint256 public totalSupply;

    mapping(address => Balance) private balances;
    mapping(address => mapping(address => NetworkCiphertext)) private allowances;

    constructor(string memory name_, string memory symbol_) {
        name = name_;
        symbol = symbol_;
        minter = msg.sender;
    }

    function decimals() external pure returns (uint8) {
        return 6;
    }

    /// Gives each of `owners` the same clear amount.
    function mint(address[] calldata owners, uint64 amount) external {
        if (msg.sender != minter) revert NotMinter();
        totalSupply += uint256(amount) * owners.length;
        for (uint256 i = 0; i < owners.length; i++) {
            Secret64 balance = _load(balances[owners[i]].network).add(Confidential.encrypt(amount));
            emit Transfer(address(0), owners[i], UserCiphertext.wrap(0), _store(owners[i], balance));
        }
    }

    /// Moves an amount that everybody sees.
    function transfer(address to, uint64 amount) external {
        _transfer(msg.sender, to, Confidential.encrypt(amount));
    }

    /// Moves an amount that only sender and receiver can work out.
    function transfer(address to, InputText calldata amount) external {
        _transfer(msg.sender, to, Confidential.validate(amount.ciphertext, amount.signature));
    }

    /// Lets `spender` move up to an amount that only the two of them can read.
    function approve(address spender, InputText calldata amount) external {
        Secret64 value = Confidential.validate(amount.ciphertext, amount.signature);
        allowances[msg.sender][spender] = value.seal();
        emit Approval(msg.sender, spender, value.sealFor(msg.sender), value.sealFor(spender));
    }

    /// Moves an encrypted amount out of `from`, within what `from` allowed the caller.
    function transferFrom(address from, address to, InputText calldata amount) external {
        if (from == to) revert TransferToSelf();
        (Secret64 fromBalance, Secret64 toBalance,, Secret64 allowance) = _load(balances[from].network)
            .transferWithAllowance(
            _load(balances[to].network),
            Confidential.validate(amount.ciphertext, amount.signature),
            _load(allowances[from][msg.sender])
        );
        allowances[from][msg.sender] = allowance.seal();
        emit Transfer(from, to, _store(from, fromBalance), _store(to, toBalance));
    }

    /// The balance under its owner's key; zero for an account that never held anything.
    function balanceOf(address owner) external view returns (UserCiphertext) {
        return balances[owner].user;
    }

    function _transfer(address from, address to, Secret64 amount) private {
        if (from == to) revert TransferToSelf();
        (Secret64 fromBalance, Secret64 toBalance,) =
            _load(balances[from].network).transfer(_load(balances[to].network), amount);
        emit Transfer(from, to, _store(from, fromBalance), _store(to, toBalance));
    }

    /// An empty slot cannot be loaded: it was never sealed.
    function _load(NetworkCiphertext ciphertext) private returns (Secret64) {
        return NetworkCiphertext.unwrap(ciphertext) == 0 ? Confidential.encrypt(0) : ciphertext.load();
    }

    function _store(address owner, Secret64 balance) private returns (UserCiphertext user) {
        user = balance.sealFor(owner);
        balances[owner] = Balance(balance.seal(), user);
    }
}
