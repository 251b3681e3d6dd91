//! `cloister testnet init`: the directories of a new network's nodes.

mod plan;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cloister_chain::{B256, Genesis};
use cloister_node::{Applicant, Home};
use cloister_sdk::Wallet;
use serde::Serialize;

use crate::args::Init;
use crate::dev::accounts::{self, DevAccount};
use crate::dev::genesis::{self, Founder};
use crate::enclaves;
use crate::error::Error;
use crate::settings::Settings;
use crate::shell::{Paint, Shell};
use crate::start;
pub use plan::{Plan, Ports, multiaddr};

/// Makes a new chain as the flags want it.
pub fn init(shell: &Shell, init: &Init) -> Result<(), Error> {
    let plan = Plan::new(&powers(init)?, init.nodes, &init.hosts, init.base_port.map_or(Ports::USUAL, Ports::from))?;
    let terms = genesis::Terms {
        chain_id: init.chain_id.clone(),
        evm_chain_id: init.evm_chain_id,
        balance: genesis::BALANCE,
        evm_gas: init.evm_gas,
        sdk_gas: init.sdk_gas,
        epochs: genesis::EPOCHS,
        queries: init.queries,
        quick: false,
    };
    let made = make(&init.output, &plan, terms, accounts::HARDHAT, Owners::Fresh)?;
    if shell.json() { shell.object(&made) } else { made.print(shell) }
}

/// A network that has just been made.
#[derive(Debug, Serialize)]
pub struct Made {
    event: &'static str,
    /// True for ever: no confidentiality against the hosts.
    simulated: bool,
    chain_id: String,
    evm_chain_id: u64,
    /// Hash of the genesis.
    genesis: B256,
    nodes: Vec<MadeNode>,
}

/// One of its nodes.
#[derive(Debug, Serialize)]
struct MadeNode {
    name: String,
    home: PathBuf,
    /// Its validator's public key, and its voting power; not there for a node that only follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    validator: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    power: Option<u64>,
    rpc: String,
    rest: String,
}

/// Makes the network in `output`, all of it or nothing.
pub fn make(output: &Path, plan: &Plan, terms: genesis::Terms, hardhat: u32, owners: Owners) -> Result<Made, Error> {
    let refused = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::File { path, source }
    };
    if fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotEmpty(output.into()));
    }
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(refused(parent))?;
    let work = tempfile::Builder::new().prefix(".cloister-testnet-").tempdir_in(parent).map_err(refused(parent))?;

    let places: Vec<PathBuf> = plan.seats.iter().map(|seat| work.path().join(&seat.name)).collect();
    let homes = places.iter().map(|place| Home::open(place)).collect::<Result<Vec<_>, _>>()?;
    let accounts = accounts::all(hardhat)?;
    let operators = operators(plan, &accounts, owners)?;
    let founders = homes.iter().zip(&plan.seats).zip(&operators).filter_map(|((home, seat), operator)| {
        let (moniker, key, power) = (seat.name.clone(), home.validator(), seat.power?);
        Some(Founder { moniker, key, power, operator: operator.cosmos_address() })
    });
    let (program, time) = (start::bare_enclave(), genesis::now());
    let enrolled = homes.iter().map(|home| Applicant::enrol(&terms.chain_id, home, &program));
    let enrolled = enrolled.collect::<Result<Vec<_>, _>>()?;
    let enclaves = enclaves::first(&enrolled, &operators, time)?;
    let genesis = genesis::staked(terms, &accounts, founders.collect(), enclaves, time)?;
    for (((home, place), seat), operator) in homes.iter().zip(&places).zip(&plan.seats).zip(&operators) {
        home.node_key()?;
        write(&place.join(OPERATOR), &format!("{}\n", operator.to_hex().as_str()))?;
        write(&place.join(GENESIS), &genesis_text(&genesis))?;
        write(&place.join(Settings::FILE), &seat.settings.to_text(&genesis.chain_id))?;
    }
    cloister_node::found(&genesis, enrolled.into_iter().zip(&homes).collect())?;

    let nodes = homes.iter().zip(&plan.seats).map(|(home, seat)| MadeNode {
        name: seat.name.clone(),
        home: output.join(&seat.name),
        validator: seat.power.map(|_| home.validator()),
        power: seat.power,
        rpc: format!("http://{}", seat.settings.doors.ethereum),
        rest: format!("http://{}", seat.settings.doors.cosmos),
    });
    let made = Made {
        event: "made",
        simulated: genesis.simulated,
        chain_id: genesis.chain_id.clone(),
        evm_chain_id: genesis.evm_chain_id,
        genesis: genesis.hash(),
        nodes: nodes.collect(),
    };
    // An empty directory gives way.
    fs::rename(work.path(), output).map_err(refused(output))?;
    let _ = work.keep();
    Ok(made)
}

/// Whose the home in `directory` is.
pub fn operator(directory: &Path) -> Result<Wallet, Error> {
    wallet(&directory.join(OPERATOR))
}

/// The account whose secret key, in hex, is in a file.
pub fn wallet(path: &Path) -> Result<Wallet, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    Ok(Wallet::from_hex(text.trim())?)
}

/// Whom the validators of a new chain belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// New keys, which nobody else knows.
    Fresh,
    /// LocalSecret's accounts, as far as there are any: everybody's validators.
    WellKnown,
}

/// The key of each seat's operator.
fn operators(plan: &Plan, accounts: &[DevAccount], owners: Owners) -> Result<Vec<Wallet>, Error> {
    let known = accounts.iter().filter(|account| accounts::is_local_secret(account));
    let known = known.map(|account| Some(&account.wallet)).filter(|_| owners == Owners::WellKnown);
    let known = known.chain(std::iter::repeat(None));
    plan.seats
        .iter()
        .zip(known)
        .map(|(_, known)| match known {
            Some(wallet) => Ok(Wallet::from_hex(&wallet.to_hex())?),
            None => Ok(Wallet::random()),
        })
        .collect()
}

/// The genesis that lies in a node's home.
pub fn read_genesis(home: &Path) -> Result<Genesis, Error> {
    genesis_file(&home.join(GENESIS))
}

/// A genesis in a file.
pub fn genesis_file(path: &Path) -> Result<Genesis, Error> {
    let text = fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
    serde_json::from_slice(&text).map_err(|source| Error::GenesisFile { path: path.into(), source })
}

/// The one form of the file, which is the same on every node.
pub fn genesis_text(genesis: &Genesis) -> String {
    let mut text = serde_json::to_string_pretty(genesis).expect("a genesis has a JSON form");
    text.push('\n');
    text
}

/// A new file for its owner alone.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| Error::File { path: path.into(), source })
}

fn powers(init: &Init) -> Result<Vec<u64>, Error> {
    match (init.validators.map(usize::from), init.powers.as_slice()) {
        (count, []) => Ok(vec![POWER; count.unwrap_or(VALIDATORS)]),
        (Some(count), powers) if count != powers.len() => {
            Err(Error::Plan("--powers has one number for each of the --validators"))
        }
        (_, powers) => Ok(powers.to_vec()),
    }
}

impl Made {
    fn print(&self, shell: &Shell) -> Result<(), Error> {
        let warning = "SIMULATED: no confidentiality against the hosts. Its funded accounts' keys are public.";
        shell.prose(format_args!("{} ({} for Ethereum's clients)", self.chain_id, self.evm_chain_id));
        shell.prose(shell.prose_paint(Paint::Warning, warning));
        for node in &self.nodes {
            let role = node.power.map_or_else(|| "follows".to_owned(), |power| format!("validates with power {power}"));
            shell.prose(format_args!("{}: {role}, {} and {}", node.name, node.rpc, node.rest));
        }
        shell.prose("Start each with:");
        self.nodes
            .iter()
            .try_for_each(|node| shell.result(format_args!("cloister start --home {}", node.home.display())))
    }
}

/// Name of the file with the secret key of a node's owner.
pub const OPERATOR: &str = "operator.key";
/// Name of the genesis in a node's home.
pub const GENESIS: &str = "genesis.json";
/// How many validators a network has when nobody says: the fewest that go on without one.
const VALIDATORS: usize = 4;
/// Voting power of a validator when nobody says.
pub const POWER: u64 = 10;
