//! The first state of a development chain.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloister_chain::genesis::GenesisAccount;
use cloister_chain::staking::{self, Decimal, GenesisStaking, GenesisValidator, Params};
use cloister_chain::trust::{GenesisNode, Trust};
use cloister_chain::{Address, B256, Bytes, Epochs, Genesis, U256, Validator, ValidatorSet, gov};
use serde::Deserialize;

use super::accounts::{DevAccount, LOCAL_SECRET};
use crate::args::Dev;
use crate::error::Error;

/// What distinguishes one new chain from another.
pub struct Terms {
    /// Chain id for everything but Ethereum's clients.
    pub chain_id: String,
    /// Chain id for Ethereum's clients.
    pub evm_chain_id: u64,
    /// What each account gets, in whole coins.
    pub balance: u64,
    /// EVM gas of one block.
    pub evm_gas: u64,
    /// SDK gas of one block.
    pub sdk_gas: u64,
    /// How its epochs follow each other.
    pub epochs: Epochs,
    /// Questions to contracts between two blocks, if they are counted.
    pub queries: Option<u32>,
    /// What takes weeks on a network takes LocalSecret's ninety seconds.
    pub quick: bool,
}

impl Terms {
    /// The chain that the flags of `dev` ask for.
    pub fn of(dev: &Dev) -> Self {
        Self {
            chain_id: dev.chain_id.clone().unwrap_or_else(|| CHAIN_ID.into()),
            evm_chain_id: dev.evm_chain_id.unwrap_or(EVM_CHAIN_ID),
            balance: dev.balance.unwrap_or(BALANCE),
            evm_gas: EVM_GAS,
            sdk_gas: SDK_GAS,
            epochs: Epochs {
                length: dev.epoch_length.map_or(EPOCHS.length, nanoseconds),
                grace: dev.epoch_grace.map_or(EPOCHS.grace, nanoseconds),
                ..EPOCHS
            },
            queries: None,
            quick: true,
        }
    }
}

/// A new chain: `validators` sign its first blocks, `time` is nanoseconds since the Unix epoch.
fn new(terms: Terms, accounts: &[DevAccount], validators: ValidatorSet, time: u64) -> Result<Genesis, Error> {
    let Terms { chain_id, evm_chain_id, balance, evm_gas, sdk_gas, epochs, queries, quick: _ } = terms;
    let balance = U256::from(balance) * COIN;
    // Each key is two accounts, and either of them may meet a client of either world.
    let people = accounts.iter().flat_map(DevAccount::addresses).map(|address| GenesisAccount {
        address,
        balance,
        coins: COINS,
        ..GenesisAccount::default()
    });
    let genesis = Genesis {
        chain_id,
        evm_chain_id,
        time,
        simulated: true,
        validators,
        evm_gas,
        sdk_gas,
        base_fee: BASE_FEE,
        accounts: people.chain(predeploys()).collect(),
        staking: None,
        trust: None,
        queries,
        nodes: Vec::new(),
        epochs: Some(epochs),
    };
    genesis.check()?;
    Ok(genesis)
}

/// A validator of a network, as it begins.
pub struct Founder {
    /// What others call it.
    pub moniker: String,
    /// What signs its blocks.
    pub key: B256,
    /// Its voting power.
    pub power: u64,
    /// The account that it belongs to.
    pub operator: Address,
}

/// Enclaves that have the seed of a new chain from the start, and what later ones have to prove.
#[derive(Default)]
pub struct Enclaves {
    /// `None` for a chain that hands its seed to nobody.
    pub trust: Option<Trust>,
    /// Each has an owner with an account.
    pub nodes: Vec<GenesisNode>,
}

/// A new chain whose validators have bonded what their power is worth, and may come and go.
pub fn staked(
    terms: Terms,
    accounts: &[DevAccount],
    founders: Vec<Founder>,
    enclaves: Enclaves,
    time: u64,
) -> Result<Genesis, Error> {
    let member = |founder: &Founder| Validator { key: founder.key, power: founder.power };
    let validators = ValidatorSet::new(founders.iter().map(member).collect()).map_err(Error::Validators)?;
    let (mut params, mut governance) = (Params::default(), gov::Params::default());
    params.signed_blocks_window = SIGNED_BLOCKS_WINDOW;
    if terms.quick {
        params.unbonding_time = LOCAL_PERIOD;
        governance.max_deposit_period = LOCAL_PERIOD;
        governance.voting_period = LOCAL_PERIOD;
        governance.expedited_voting_period = LOCAL_PERIOD / 6;
    }
    let mut genesis = new(terms, accounts, validators, time)?;
    let owners = enclaves.nodes.iter().map(|node| node.owner);
    for owner in founders.iter().map(|founder| founder.operator).chain(owners) {
        if !genesis.accounts.iter().any(|account| account.address == owner) {
            let owner = GenesisAccount { address: owner, coins: COINS, ..GenesisAccount::default() };
            genesis.accounts.push(owner);
        }
    }
    Enclaves { trust: genesis.trust, nodes: genesis.nodes } = enclaves;
    let validator = |Founder { moniker, key, power, operator }| GenesisValidator {
        operator,
        key,
        bond: u128::from(power) * staking::POWER,
        moniker,
        commission: Decimal::percent(10),
        max_commission: Decimal::percent(20),
        max_commission_change: Decimal::percent(1),
    };
    genesis.staking =
        Some(GenesisStaking { params, governance, validators: founders.into_iter().map(validator).collect() });
    genesis.check()?;
    Ok(genesis)
}

/// A development chain: `validator` signs its blocks and belongs to LocalSecret's first account, which is where what is
/// delegated to it can be seen.
pub fn local(dev: &Dev, accounts: &[DevAccount], validator: B256, time: u64) -> Result<Genesis, Error> {
    let operator = super::accounts::faucet(accounts)?.cosmos_address();
    let founder = Founder { moniker: "cloister".into(), key: validator, power: LOCAL_POWER, operator };
    staked(Terms::of(dev), accounts, vec![founder], Enclaves::default(), time)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Nanoseconds since the Unix epoch.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Refuses flags that contradict the chain that a directory already holds.
pub fn check_existing(dev: &Dev, genesis: &Genesis) -> Result<(), Error> {
    let refuse = |flag, detail| Err(Error::Existing { flag, detail });
    match dev {
        Dev { chain_id: Some(id), .. } if *id != genesis.chain_id => {
            refuse("--chain-id", format!("its own is {}", genesis.chain_id))
        }
        Dev { evm_chain_id: Some(id), .. } if *id != genesis.evm_chain_id => {
            refuse("--evm-chain-id", format!("its own is {}", genesis.evm_chain_id))
        }
        Dev { epoch_length: Some(_), .. } => refuse("--epoch-length", "its epochs are those of its genesis".into()),
        Dev { epoch_grace: Some(_), .. } => refuse("--epoch-grace", "its epochs are those of its genesis".into()),
        Dev { accounts: Some(_), .. } => refuse("--accounts", "it has its accounts".into()),
        Dev { balance: Some(_), .. } => refuse("--balance", "its accounts were funded when it was made".into()),
        _ => Ok(()),
    }
}

/// How many of hardhat's keys a chain funds: it has two accounts of each of these and of LocalSecret's, then contracts.
pub fn hardhat_accounts(genesis: &Genesis) -> u32 {
    let people = genesis.accounts.iter().take_while(|account| account.code.is_empty()).count();
    u32::try_from((people / 2).saturating_sub(LOCAL_SECRET.len())).unwrap_or(0)
}

/// Contracts at the addresses that published clients hard-code.
fn predeploys() -> impl Iterator<Item = GenesisAccount> {
    let contracts: BTreeMap<Address, Predeploy> =
        serde_json::from_str(PREDEPLOYS).expect("the build of the contracts wrote this file");
    contracts.into_iter().map(|(address, contract)| GenesisAccount {
        address,
        code: contract.runtime,
        storage: contract.storage.into_iter().collect(),
        ..GenesisAccount::default()
    })
}

#[derive(Deserialize)]
struct Predeploy {
    runtime: Bytes,
    storage: BTreeMap<B256, U256>,
}

const PREDEPLOYS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../contracts/solidity/artifacts/predeploys.json"));

/// What unmodified Secret Network configurations of a local chain expect.
const CHAIN_ID: &str = "secretdev-1";
/// What unmodified COTI configurations expect.
const EVM_CHAIN_ID: u64 = 7_082_400;
/// Whole coins for each account.
pub const BALANCE: u64 = 10_000;
/// What LocalSecret gives to each account, in the Cosmos micro-denomination.
const COINS: u128 = 1_000_000_000_000_000_000;
/// Wei in one coin.
const COIN: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// EVM gas of one block: ten times a network's, so that it is not what limits a benchmark.
const EVM_GAS: u64 = 1_200_000_000;
/// SDK gas of one block, ten times a network's.
const SDK_GAS: u64 = 100_000_000;
/// A tenth of what LocalSecret's accounts have, in whole coins, as its validator bonds it.
const LOCAL_POWER: u64 = 100_000_000_000;
/// Ninety seconds, in nanoseconds.
const LOCAL_PERIOD: u64 = 90_000_000_000;
/// Blocks over which absences count, a hundred times the Cosmos SDK's: blocks of a network under load follow each other quickly,
/// and a node that is started again must not find itself jailed.
const SIGNED_BLOCKS_WINDOW: u64 = 10_000;
/// A day, and an hour in which messages to the former key still open.
pub const EPOCHS: Epochs = Epochs { length: 24 * HOUR, grace: HOUR, sweep: 256 };
/// In nanoseconds.
const HOUR: u64 = 3_600_000_000_000;
/// Floor of the base fee in wei per gas, as on COTI's networks.
const BASE_FEE: u64 = 5_000_000;

#[cfg(test)]
mod tests {
    use super::super::accounts;
    use super::*;

    fn made(dev: &Dev) -> Genesis {
        let accounts = accounts::all(10).expect("valid mnemonics");
        local(dev, &accounts, B256::repeat_byte(1), 1).expect("a valid genesis")
    }

    #[test]
    fn a_new_chain_is_what_published_clients_expect_to_find() {
        let genesis = made(&Dev::default());
        assert_eq!((genesis.chain_id.as_str(), genesis.evm_chain_id), ("secretdev-1", 7_082_400));
        assert!(genesis.simulated);
        let find = |address| genesis.accounts.iter().find(|account| account.address == address);
        assert!(find(cloister_sdk::ONBOARD).is_some_and(|contract| !contract.code.is_empty()));
        let precompile = Address::with_last_byte(0x64);
        assert!(find(precompile).is_some_and(|contract| contract.code.len() == 1));
        let rich: Vec<_> =
            genesis.accounts.iter().filter(|account| account.balance == U256::from(10_000) * COIN).collect();
        assert_eq!(rich.len(), 2 * 14);
        assert!(rich.iter().all(|account| account.coins == 1_000_000_000_000_000_000));
        for name in ["secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03", "secret1ldjxljw7v4vk6zhyduywh04hpj0jdwxsmrlatf"] {
            let address = cloister_chain::cosmos::from_bech32(name).expect("an address");
            assert!(rich.iter().any(|account| account.address == address), "{name}");
        }
        assert_eq!(hardhat_accounts(&genesis), 10);
        let staking = genesis.staking.as_ref().expect("a staking section");
        let owner = cloister_chain::cosmos::bech32(&staking.validators[0].operator);
        assert_eq!(owner, "secret1ap26qrlp8mcq2pg6r47w43l0y8zkqm8a450s03");
        assert_eq!((staking.validators.len(), staking.validators[0].bond), (1, 100_000_000_000_000_000));
    }

    #[test]
    fn flags_of_a_new_chain_are_refused_for_one_that_differs() {
        let genesis = made(&Dev::default());
        let flag = |dev| match check_existing(&dev, &genesis) {
            Err(Error::Existing { flag, .. }) => Some(flag),
            _ => None,
        };
        assert_eq!(flag(Dev::default()), None);
        assert_eq!(flag(Dev { evm_chain_id: Some(7_082_400), ..Dev::default() }), None);
        assert_eq!(flag(Dev { evm_chain_id: Some(1), ..Dev::default() }), Some("--evm-chain-id"));
        assert_eq!(flag(Dev { chain_id: Some("other-1".into()), ..Dev::default() }), Some("--chain-id"));
        assert_eq!(flag(Dev { accounts: Some(10), ..Dev::default() }), Some("--accounts"));
        assert_eq!(flag(Dev { balance: Some(1), ..Dev::default() }), Some("--balance"));
    }

    #[test]
    fn a_chain_id_that_is_none_is_refused() {
        let dev = Dev { chain_id: Some("two words".into()), ..Dev::default() };
        let refused = local(&dev, &[], B256::repeat_byte(1), 1);
        assert!(matches!(refused, Err(Error::Genesis(_))));
    }
}
