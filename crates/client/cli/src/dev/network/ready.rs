//! What a developer is told when a network is ready.

use std::path::{Path, PathBuf};

use cloister_chain::{Address, Genesis};
use cloister_sdk::cosmos::bech32;
use serde::{Deserialize, Serialize};

use crate::dev::accounts::DevAccount;
use crate::dev::ready::{Walls, coins};
use crate::error::Error;
use crate::shell::{Paint, Shell};

/// Everything that a developer needs. As JSON it is one line of standard output, with the same names as for one validator; the
/// doors are those of the first node.
#[derive(Debug, Serialize)]
pub struct Ready {
    event: &'static str,
    /// True for ever: no confidentiality against the host.
    simulated: bool,
    rpc: String,
    websocket: String,
    rest: String,
    faucet: Option<String>,
    ops: Option<String>,
    chain_id: String,
    evm_chain_id: u64,
    height: u64,
    data: Option<String>,
    validators: usize,
    accounts: Vec<Account>,
    nodes: Vec<Node>,
}

/// What a node says when it is ready: the part of it that matters here.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeReady {
    rpc: String,
    websocket: String,
    rest: String,
    faucet: Option<String>,
    ops: Option<String>,
    height: u64,
    home: PathBuf,
    power: Option<u64>,
    enclave: Walls,
}

/// One node.
#[derive(Debug, Serialize)]
struct Node {
    name: String,
    pid: u32,
    power: Option<u64>,
    rpc: String,
    websocket: String,
    rest: String,
    faucet: Option<String>,
    ops: Option<String>,
    home: PathBuf,
    enclave: Walls,
}

/// A funded key, as the chain began. All of it is well known: for development only.
#[derive(Debug, Serialize)]
struct Account {
    name: String,
    address: Address,
    balance: String,
    secret_address: String,
    uscrt: String,
    private_key: String,
}

impl Ready {
    /// Puts together what `nodes` say, each with its name and its process.
    pub fn new(
        genesis: &Genesis,
        accounts: &[DevAccount],
        data: Option<&Path>,
        nodes: Vec<(String, u32, NodeReady)>,
    ) -> Option<Self> {
        let (_, _, first) = nodes.first()?.clone();
        let height = nodes.iter().map(|(_, _, node)| node.height).max().unwrap_or(0);
        Some(Self {
            event: "ready",
            simulated: genesis.simulated,
            rpc: first.rpc,
            websocket: first.websocket,
            rest: first.rest,
            faucet: first.faucet,
            ops: first.ops,
            chain_id: genesis.chain_id.clone(),
            evm_chain_id: genesis.evm_chain_id,
            height,
            data: data.map(|path| path.display().to_string()),
            validators: genesis.validators.iter().count(),
            accounts: accounts.iter().map(|account| Account::new(account, genesis)).collect(),
            nodes: nodes.into_iter().map(Node::from).collect(),
        })
    }

    /// The banner to standard error, and one line to standard output.
    pub fn print(&self, shell: &Shell) -> Result<(), Error> {
        self.banner(shell);
        if shell.json() { shell.object(self) } else { shell.result(&self.rpc) }
    }

    fn banner(&self, shell: &Shell) {
        let strong = |text: &str| shell.prose_paint(Paint::Strong, text);
        let faint = |text: &str| shell.prose_paint(Paint::Faint, text);
        let row = |label: &str, value: &str| shell.prose(format_args!("  {} {value}", faint(&format!("{label:<18}"))));
        let title = format!("Cloister {}, {} validators on this machine", env!("CARGO_PKG_VERSION"), self.validators);
        shell.prose(format_args!("\n  {}", strong(&title)));
        let warning = "SIMULATED: no confidentiality against the host. Every key below is public: development only.";
        shell.prose(format_args!("  {}\n", shell.prose_paint(Paint::Warning, warning)));
        for account in &self.accounts {
            let Account { name, address, balance, secret_address, uscrt, private_key } = account;
            shell.prose(format_args!("  {name:>3}  {} {balance} coins", strong(&address.to_string())));
            shell.prose(format_args!("       {} {uscrt} uscrt", strong(secret_address)));
            shell.prose(format_args!("       {} {private_key}", faint("private key")));
        }
        shell.prose("");
        row("Chain id", &format!("{} (EVM), {}", self.evm_chain_id, self.chain_id));
        row(
            "State",
            &match &self.data {
                Some(path) => format!("in {path}, at block {}", self.height),
                None => "in a directory that is gone when this program ends".to_owned(),
            },
        );
        if let Some(faucet) = &self.faucet {
            row("Faucet", &format!("{faucet}/faucet?address=secret1…"));
        }
        if let Some(node) = self.nodes.first() {
            row("Enclaves", &format!("a process for each node, behind {}", node.enclave.words()));
        }
        row("Stop", "Ctrl-C\n");
        let header = ["node", "pid", "power", "Ethereum JSON-RPC", "Secret REST", "status, metrics"];
        let line = |cells: [&str; 6]| {
            let [name, pid, power, rpc, rest, ops] = cells;
            format!("  {name:<7} {pid:>7} {power:>6}  {rpc:<26} {rest:<26} {ops}").trim_end().to_owned()
        };
        shell.prose(faint(&line(header)));
        for node in &self.nodes {
            let power = node.power.map_or_else(|| "-".into(), |power| power.to_string());
            let ops = node.ops.as_deref().unwrap_or("-");
            shell.prose(line([&node.name, &node.pid.to_string(), &power, &node.rpc, &node.rest, ops]));
        }
        shell.prose("");
    }
}

impl Account {
    fn new(account: &DevAccount, genesis: &Genesis) -> Self {
        let [address, secret] = account.addresses();
        let find = |address| genesis.accounts.iter().find(|account| account.address == address);
        Self {
            name: account.name.clone(),
            address,
            balance: coins(find(address).map(|account| account.balance).unwrap_or_default()),
            secret_address: bech32(&secret),
            uscrt: find(secret).map_or(0, |account| account.coins).to_string(),
            private_key: account.wallet.to_hex().to_string(),
        }
    }
}

impl From<(String, u32, NodeReady)> for Node {
    fn from((name, pid, ready): (String, u32, NodeReady)) -> Self {
        let NodeReady { rpc, websocket, rest, faucet, ops, home, power, enclave, .. } = ready;
        Self { name, pid, power, rpc, websocket, rest, faucet, ops, home, enclave }
    }
}
