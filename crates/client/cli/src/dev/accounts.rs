//! The accounts that everybody knows.

use cloister_sdk::{ETHEREUM, Error, HARDHAT_MNEMONIC, Wallet};

/// A funded account.
pub struct DevAccount {
    /// A number of hardhat's, or a letter of LocalSecret's.
    pub name: String,
    /// Its key.
    pub wallet: Wallet,
}

/// The first `count` of hardhat's accounts, then LocalSecret's.
pub fn all(count: u32) -> Result<Vec<DevAccount>, Error> {
    let hardhat = Wallet::family(HARDHAT_MNEMONIC, ETHEREUM, 0..count)?;
    let mut accounts: Vec<DevAccount> = hardhat
        .into_iter()
        .zip(0_u32..)
        .map(|(wallet, index)| DevAccount { name: index.to_string(), wallet })
        .collect();
    for (name, mnemonic) in LOCAL_SECRET {
        let wallet = Wallet::family(mnemonic, SECRET, [0])?.remove(0);
        accounts.push(DevAccount { name: name.into(), wallet });
    }
    Ok(accounts)
}

/// The number of Secret Network in SLIP-44.
const SECRET: u32 = 529;

/// Secret Network's development accounts. Here they are the Ethereum addresses of the same keys.
pub const LOCAL_SECRET: [(&str, &str); 4] = [
    (
        "a",
        "grant rice replace explain federal release fix clever romance raise often wild taxi quarter soccer fiber love \
         must tape steak together observe swap guitar",
    ),
    (
        "b",
        "jelly shadow frog dirt dragon use armed praise universe win jungle close inmate rain oil canvas beauty pioneer \
         chef soccer icon dizzy thunder meadow",
    ),
    (
        "c",
        "chair love bleak wonder skirt permit say assist aunt credit roast size obtain minute throw sand usual age smart \
         exact enough room shadow charge",
    ),
    (
        "d",
        "word twist toast cloth movie predict advance crumble escape whale sail such angry muffin balcony keen move \
         employ cook valve hurt glimpse breeze brick",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_account_has_a_name_and_an_address_of_its_own() {
        let accounts = all(10).expect("valid mnemonics");
        let addresses: BTreeSet<_> = accounts.iter().map(|account| account.wallet.address()).collect();
        assert_eq!(addresses.len(), 14);
        let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d"]);
    }
}
