//! What a developer is told when the chain is ready.

use cloister_chain::wire::Lockdown;
use cloister_sdk::Address;
use cloister_sdk::cosmos::bech32;
use serde::{Deserialize, Serialize};

use super::DevNode;
use crate::error::Error;
use crate::shell::{Paint, Shell};

/// Everything that a developer needs. As JSON it is one line of standard output.
#[derive(Debug, Serialize)]
pub struct Ready {
    event: &'static str,
    /// True for ever: no confidentiality against the host.
    simulated: bool,
    rpc: String,
    websocket: String,
    rest: String,
    faucet: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ops: Option<String>,
    chain_id: String,
    evm_chain_id: u64,
    height: u64,
    data: Option<String>,
    /// Which walls stand around the enclave's process.
    enclave: Walls,
    accounts: Vec<Account>,
}

/// See [`Lockdown`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Walls {
    seccomp: bool,
    landlock: bool,
    namespaces: bool,
}

/// A funded key with everything that belongs to it. All of it is well known: for development only.
#[derive(Debug, Serialize)]
struct Account {
    name: String,
    /// Its account at the Ethereum door, and what that holds in whole coins.
    address: Address,
    balance: String,
    /// Its account at the Cosmos door, and what that holds in the micro-denomination.
    secret_address: String,
    uscrt: String,
    private_key: String,
    /// Of the Ethereum account.
    aes_key: String,
}

impl Ready {
    /// Asks the node for what it does not say by itself.
    pub async fn of(node: &DevNode) -> Result<Self, Error> {
        let mut accounts = Vec::new();
        for account in node.accounts() {
            let [address, secret] = account.addresses();
            accounts.push(Account {
                name: account.name.clone(),
                address,
                balance: coins(node.balance(address)?),
                secret_address: bech32(&secret),
                uscrt: node.coins(secret)?.to_string(),
                private_key: account.wallet.to_hex().to_string(),
                aes_key: node.user_key(address).await?.to_client_hex().to_string(),
            });
        }
        let genesis = node.genesis();
        Ok(Self {
            event: "ready",
            simulated: genesis.simulated,
            rpc: node.url(),
            websocket: node.url().replacen("http", "ws", 1),
            rest: node.rest_url(),
            faucet: node.doors().faucet(),
            ops: node.doors().ops(),
            chain_id: genesis.chain_id.clone(),
            evm_chain_id: genesis.evm_chain_id,
            height: node.height(),
            data: node.data().map(|path| path.display().to_string()),
            enclave: node.lockdown().into(),
            accounts,
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
        shell.prose(format_args!(
            "\n  {}",
            strong(concat!("Cloister ", env!("CARGO_PKG_VERSION"), ", development chain"))
        ));
        let warning = "SIMULATED: no confidentiality against the host. Every key below is public: development only.";
        shell.prose(format_args!("  {}\n", shell.prose_paint(Paint::Warning, warning)));
        for account in &self.accounts {
            let Account { name, address, balance, secret_address, uscrt, private_key, aes_key } = account;
            shell.prose(format_args!("  {name:>3}  {} {balance} coins", strong(&address.to_string())));
            shell.prose(format_args!("       {} {uscrt} uscrt", strong(secret_address)));
            shell.prose(format_args!("       {} {private_key}", faint("private key")));
            shell.prose(format_args!("       {} {aes_key}", faint("AES key    ")));
        }
        shell.prose("");
        row("Ethereum JSON-RPC", &format!("{}  {}", self.rpc, self.websocket));
        row("Secret REST", &self.rest);
        if let Some(faucet) = &self.faucet {
            row("Faucet", &format!("{faucet}/faucet?address=secret1…"));
        }
        if let Some(ops) = &self.ops {
            row("Operations", &format!("{ops}/status, /health, /metrics"));
        }
        row("Chain id", &format!("{} (EVM), {}", self.evm_chain_id, self.chain_id));
        row(
            "State",
            &match &self.data {
                Some(path) => format!("in {path}, at block {}", self.height),
                None => "in memory: gone when this program ends".to_owned(),
            },
        );
        row("Enclave", &format!("a process of its own, behind {}", self.enclave.words()));
        row("Stop", "Ctrl-C\n");
    }
}

impl From<Lockdown> for Walls {
    fn from(lockdown: Lockdown) -> Self {
        let Lockdown { seccomp, landlock, namespaces } = lockdown;
        Self { seccomp, landlock, namespaces }
    }
}

impl Walls {
    /// The walls that stand, for people.
    pub fn words(&self) -> String {
        let walls =
            [(self.seccomp, "a system-call filter"), (self.landlock, "Landlock"), (self.namespaces, "namespaces")];
        let standing: Vec<&str> = walls.into_iter().filter_map(|(stands, name)| stands.then_some(name)).collect();
        if standing.is_empty() { "nothing".to_owned() } else { standing.join(", ") }
    }
}

/// Wei as whole coins, with as many decimals as it takes.
pub fn coins(wei: cloister_sdk::U256) -> String {
    let digits = format!("{wei:0>19}");
    let (whole, part) = digits.split_at(digits.len() - 18);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use cloister_sdk::U256;

    use super::*;

    #[test]
    fn wei_are_shown_as_coins() {
        let coin = U256::from(1_000_000_000_000_000_000_u64);
        assert_eq!(coins(U256::ZERO), "0");
        assert_eq!(coins(U256::from(1)), "0.000000000000000001");
        assert_eq!(coins(coin * U256::from(10_000)), "10000");
        assert_eq!(coins(coin / U256::from(2)), "0.5");
    }
}
