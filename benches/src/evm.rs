//! Token transfers through the Ethereum door: confidential ones here, plaintext ones on anvil.

use cloister_chain::keccak256;
use cloister_envelope::{Form, InputContext, UserCipher};
use cloister_sdk::alloy_sol_types::SolValue;
use cloister_sdk::{Address, Bytes, ETHEREUM, HARDHAT_MNEMONIC, SolCall, U256, Wallet, sol};
use serde_json::json;

use crate::Failure;
use crate::load::{Load, Measured, Sender};
use crate::net::Job;
use crate::peer::{Peer, Running};
use crate::plan::Plan;
use crate::report::{Report, median};
use crate::rpc::{Rpc, send_batch};

sol! {
    interface Token {
        function mint(address[] owners, uint64 amount) external;
        function balanceOf(address owner) external view returns (uint256);
    }
    interface Clear {
        function transfer(address to, uint64 amount) external;
    }
    interface Sealed {
        struct InputText {
            uint256 ciphertext;
            bytes signature;
        }
        function transfer(address to, InputText amount) external;
    }
    interface Plain {
        function transfer(address to, uint256 amount) external returns (bool);
    }
}

/// What each account has at first: more than it sends.
const MINTED: u64 = 1_000_000_000_000;
/// What a transaction of the preparations may use.
const GENEROUS: u64 = 20_000_000;
const PRIVATE_TOKEN: &str = include_str!("../../contracts/solidity/artifacts/PrivateToken.bin");
const PLAIN_TOKEN: &str = include_str!("../peers/PlainToken.bin");

/// How an amount travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The transaction shows it; balances are confidential.
    Clear,
    /// A signed input text.
    Sealed,
    /// Everything is public.
    Plain,
}

/// Measures everything and prints it.
pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    let mut report = Report::new(plan);
    let data = tempfile::tempdir()?;
    report.cold_start("cloister dev", cold_starts(plan, Peer::Cloister(None))?);
    if plan.anvil {
        report.cold_start("anvil", cold_starts(plan, Peer::Anvil)?);
    }

    let mut memory = Stage::set(plan, Peer::Cloister(None), PRIVATE_TOKEN)?;
    report.measured("confidential, clear amount", memory.measure(plan, Kind::Clear)?);
    report.measured("confidential, encrypted amount", memory.measure(plan, Kind::Sealed)?);
    drop(memory);
    let mut disk = Stage::set(plan, Peer::Cloister(Some(data.path())), PRIVATE_TOKEN)?;
    report.measured("confidential, clear amount, on disk", disk.measure(plan, Kind::Clear)?);
    report.measured("confidential, encrypted amount, on disk", disk.measure(plan, Kind::Sealed)?);
    drop(disk);
    if plan.anvil {
        let mut anvil = Stage::set(plan, Peer::Anvil, PLAIN_TOKEN)?;
        report.measured("anvil, plaintext ERC-20", anvil.measure(plan, Kind::Plain)?);
    }
    report.print();
    Ok(())
}

/// Median of some cold starts, in seconds.
fn cold_starts(plan: &Plan, peer: Peer<'_>) -> Result<f64, Failure> {
    let mut sender = senders(1)?.remove(0);
    let first = sender.sign(Some(Address::repeat_byte(1)), Bytes::new(), 21_000);
    let times: Result<Vec<f64>, Failure> = (0..plan.starts).map(|_| peer.cold_start(&first)).collect();
    Ok(median(times?))
}

/// A chain with a token that everybody has.
pub(crate) struct Stage {
    pub(crate) chain: Running,
    senders: Vec<Sender>,
    ciphers: Vec<UserCipher>,
    token: Address,
    /// What each sender has, by our own count.
    balances: Vec<u64>,
    /// Never the same nonce of a ciphertext twice.
    sealed: u128,
}

impl Stage {
    /// With the confidential token.
    pub(crate) fn private(plan: &Plan, peer: Peer<'_>) -> Result<Self, Failure> {
        Self::set(plan, peer, PRIVATE_TOKEN)
    }

    /// Signed transfers of a clear amount, a round of all senders after the other.
    pub(crate) fn jobs(&mut self, count: usize) -> Result<Vec<Job>, Failure> {
        let gas = self.gas(Kind::Clear)?;
        let mut jobs = Vec::with_capacity(count);
        for number in 0..count {
            let account = number % self.senders.len();
            let receiver = self.senders[(account + 1) % self.senders.len()].address();
            let input = encode(Kind::Clear, &self.senders[account], None, self.token, receiver, 1, 0);
            let raw = self.senders[account].sign(Some(self.token), input, gas);
            jobs.push(Job { account, body: send_batch(std::slice::from_ref(&raw)), hash: keccak256(&raw) });
        }
        Ok(jobs)
    }

    fn set(plan: &Plan, peer: Peer<'_>, code: &str) -> Result<Self, Failure> {
        let chain = peer.start(plan.senders)?;
        let rpc = Rpc::new(&chain.url);
        let mut senders = senders(plan.senders)?;
        let mut creation: Vec<u8> = code.trim().parse::<Bytes>()?.to_vec();
        // A constructor without parameters does not look at them.
        creation.extend(("Benchmark", "B").abi_encode_params());
        let receipt = rpc.confirm(&senders[0].sign(None, creation.into(), GENEROUS))?;
        let token = receipt.contract_address.ok_or("no token was created")?;
        let owners: Vec<Address> = senders.iter().map(Sender::address).collect();
        for owners in owners.chunks(20) {
            let mint = Token::mintCall { owners: owners.to_vec(), amount: MINTED };
            rpc.confirm(&senders[0].sign(Some(token), mint.abi_encode().into(), GENEROUS))?;
        }
        let ciphers = chain.keys.iter().map(UserCipher::new).collect();
        let balances = vec![MINTED; plan.senders];
        Ok(Self { chain, senders, ciphers, token, balances, sealed: 0 })
    }

    /// Warms up, then measures `plan.transfers` transfers, and checks receipts and balances.
    fn measure(&mut self, plan: &Plan, kind: Kind) -> Result<Measured, Failure> {
        let gas = self.gas(kind)?;
        let warm = Plan { transfers: self.senders.len() * 5, ..*plan };
        self.load(&warm, kind, gas).run(&warm, &self.chain)?;
        let measured = self.load(plan, kind, gas).run(plan, &self.chain)?;
        self.check_balances(kind)?;
        Ok(measured)
    }

    fn load(&mut self, plan: &Plan, kind: Kind, gas: u64) -> Load {
        let Self { senders, ciphers, token, balances, sealed, .. } = self;
        let receivers: Vec<Address> = senders.iter().map(Sender::address).collect();
        Load::sign(plan, senders, *token, gas, |sender, number, round| {
            let amount = (number % 5 + round % 7 + 1) as u64;
            let receiver = (number + 1) % receivers.len();
            balances[number] -= amount;
            balances[receiver] += amount;
            *sealed += 1;
            let cipher = ciphers.get(number);
            encode(kind, sender, cipher, *token, receivers[receiver], amount, *sealed)
        })
    }

    /// A gas limit with some room: what one transfer uses, and half of that.
    fn gas(&mut self, kind: Kind) -> Result<u64, Failure> {
        self.sealed += 1;
        let (sender, receiver) = (&self.senders[0], self.senders[1].address());
        let input = encode(kind, sender, self.ciphers.first(), self.token, receiver, 1, self.sealed);
        self.balances[0] -= 1;
        self.balances[1] += 1;
        let raw = self.senders[0].sign(Some(self.token), input, GENEROUS);
        let used: u64 = Rpc::new(&self.chain.url).confirm(&raw)?.gas_used.to();
        Ok(used + used / 2)
    }

    /// Compares some balances with our own count; confidential ones are decrypted with their owner's key.
    fn check_balances(&self, kind: Kind) -> Result<(), Failure> {
        let rpc = Rpc::new(&self.chain.url);
        for number in (0..self.senders.len()).step_by(17) {
            let owner = self.senders[number].address();
            let data = Bytes::from(Token::balanceOfCall { owner }.abi_encode());
            let word: U256 = rpc.ask("eth_call", json!([{ "to": self.token, "data": data }, "latest"]))?;
            let balance = if kind == Kind::Plain { word.to::<u128>() } else { self.ciphers[number].open(word) };
            if balance != u128::from(self.balances[number]) {
                return Err(format!("{owner} has {balance}, not {}", self.balances[number]).into());
            }
        }
        Ok(())
    }
}

fn encode(
    kind: Kind,
    sender: &Sender,
    cipher: Option<&UserCipher>,
    token: Address,
    to: Address,
    amount: u64,
    number: u128,
) -> Bytes {
    match kind {
        Kind::Clear => Clear::transferCall { to, amount }.abi_encode().into(),
        Kind::Plain => Plain::transferCall { to, amount: U256::from(amount) }.abi_encode().into(),
        Kind::Sealed => {
            let cell = cipher.expect("every account has a key").seal(number.to_be_bytes(), amount.into());
            let selector = Sealed::transferCall::SELECTOR;
            let context = InputContext { sender: sender.address(), contract: token, selector };
            let input = context.sign(cell, sender.wallet.key(), Form::Raw);
            let amount = Sealed::InputText { ciphertext: input.ciphertext, signature: input.signature.into() };
            Sealed::transferCall { to, amount }.abi_encode().into()
        }
    }
}

fn senders(count: usize) -> Result<Vec<Sender>, Failure> {
    let wallets = Wallet::family(HARDHAT_MNEMONIC, ETHEREUM, 0..u32::try_from(count)?)?;
    Ok(wallets.into_iter().map(|wallet| Sender { wallet, nonce: 0 }).collect())
}
