//! The accounts that everybody knows.

use cloister_sdk::{Address, ETHEREUM, Error, HARDHAT_MNEMONIC, SECRET, Wallet};

/// A funded account.
pub struct DevAccount {
    /// A number of hardhat's, or a letter of LocalSecret's.
    pub name: String,
    /// Its key.
    pub wallet: Wallet,
}

impl DevAccount {
    /// What the key is called at the Ethereum door and at the Cosmos door: two accounts.
    pub fn addresses(&self) -> [Address; 2] {
        [self.wallet.address(), self.wallet.cosmos_address()]
    }
}

/// How many of hardhat's accounts a new chain funds when nobody says.
pub const HARDHAT: u32 = 10;

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

/// The key that the faucet pays from: LocalSecret's first.
pub fn faucet(accounts: &[DevAccount]) -> Result<Wallet, Error> {
    let (name, mnemonic) = LOCAL_SECRET[0];
    match accounts.iter().find(|account| account.name == name) {
        // The costly step from words to key was made once.
        Some(account) => Wallet::from_hex(&account.wallet.to_hex()),
        None => Ok(Wallet::family(mnemonic, SECRET, [0])?.remove(0)),
    }
}

/// Whether an account is one of LocalSecret's.
pub fn is_local_secret(account: &DevAccount) -> bool {
    LOCAL_SECRET.iter().any(|(name, _)| account.name == *name)
}

/// Secret Network's development accounts (LocalSecret), at m/44'/529'/0'/0/0.
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

    use cloister_sdk::cosmos::bech32;

    use super::*;

    #[test]
    fn every_account_has_a_name_and_an_address_of_its_own() {
        let accounts = all(10).expect("valid mnemonics");
        let addresses: BTreeSet<_> = accounts.iter().flat_map(DevAccount::addresses).collect();
        assert_eq!(addresses.len(), 2 * 14);
        let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d"]);
    }

    #[test]
    fn local_secrets_accounts_are_where_its_clients_know_them() {
        let accounts = all(0).expect("valid mnemonics");
        let known: Vec<String> = accounts.iter().map(|account| bech32(&account.wallet.cosmos_address())).collect();
        assert_eq!(
            known,
            [
                "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03",
                "secret1fc3fzy78ttp0lwuujw7e52rhspxn8uj52zfyne",
                "secret1ajz54hz8azwuy34qwy9fkjnfcrvf0dzswy0lqq",
                "secret1ldjxljw7v4vk6zhyduywh04hpj0jdwxsmrlatf",
            ]
        );
        for accounts in [&accounts[..], &[]] {
            assert_eq!(bech32(&faucet(accounts).expect("a key").cosmos_address()), known[0]);
        }
    }
}
