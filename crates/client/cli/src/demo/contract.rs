//! The contract of the demonstration, `contracts/solidity/src/DataOnChain.sol`.

use cloister_sdk::{Bytes, U256, sol};

sol! {
    /// The documented example.
    #[allow(missing_docs)]
    interface DataOnChain {
        event UserEncryptedValue(address indexed _from, uint256 value);

        function setSomeEncryptedValue(uint64 value) external;
        function setSomeEncryptedValueEncryptedInput(uint256 ciphertext, bytes signature) external;
        function setNetworkSomeEncryptedValue(uint256 ciphertext) external;
        function setUserSomeEncryptedValue() external;
        function setUserSomeEncryptedValueEncryptedInput() external;
        function add() external;

        function getSomeValue() external view returns (uint64);
        function getNetworkSomeEncryptedValue() external view returns (uint256);
        function getUserSomeEncryptedValue() external view returns (uint256);
        function getUserSomeEncryptedValueEncryptedInput() external view returns (uint256);
        function getUserArithmeticResult() external view returns (uint256);
    }
}

/// Where the contract keeps the value that the network encrypted.
pub const NETWORK_VALUE: U256 = U256::from_limbs([3, 0, 0, 0]);
/// Where it keeps the value that came in encrypted.
pub const NETWORK_VALUE_FROM_INPUT: U256 = U256::from_limbs([4, 0, 0, 0]);

/// What creates the contract.
pub fn creation_code() -> Bytes {
    CODE.trim().parse().expect("the build of the contracts wrote this file")
}

const CODE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../contracts/solidity/artifacts/DataOnChain.bin"));
