//! Token transfers through the Cosmos door: a SNIP-20 style token, in secret.js's form and in our own.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{CosmosTx, SignerData, bech32, from_bech32, sealed};
use cloister_envelope::message::{CallContext, Entry, gcm, plain::Plaintext, siv};
use cloister_envelope::{ExchangeKey, Secret};
use cloister_sdk::{Address, B256, ETHEREUM, HARDHAT_MNEMONIC, Wallet};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::compute::v1beta1::{MsgExecuteContract, MsgInstantiateContract, MsgStoreCode};
use serde_json::{Value, json};

use crate::Failure;
use crate::cpu;
use crate::load::Measured;
use crate::net::Job;
use crate::peer::{Peer, Running};
use crate::plan::Plan;
use crate::report::Report;
use crate::rest::{CHAIN_ID, Rest, Signer};

/// What each account has at first: more than it sends.
const MINTED: u64 = 1_000_000_000_000;
const STORE_GAS: u64 = 20_000_000;
const INSTANTIATE_GAS: u64 = 50_000_000;
const CALL_GAS: u64 = 400_000;
const TOKEN: &str = "contracts/cosmwasm/artifacts/private-token.wasm";
const VIEWING_KEY: &str = "benchmark";

/// How a message travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// secret.js's AES-SIV.
    Siv,
    /// Our own AES-256-GCM.
    Gcm,
}

/// Measures everything and prints it.
pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    let mut report = Report::new(plan);
    let data = tempfile::tempdir()?;
    let mut memory = Stage::set(plan, Peer::Cloister(None))?;
    report.measured("private token, secret.js's form", memory.measure(plan, Kind::Siv)?);
    report.measured("private token, our own form", memory.measure(plan, Kind::Gcm)?);
    let floor = memory.floor()?;
    drop(memory);
    let mut disk = Stage::set(plan, Peer::Cloister(Some(data.path())))?;
    report.measured("private token, secret.js's form, on disk", disk.measure(plan, Kind::Siv)?);
    report.measured("private token, our own form, on disk", disk.measure(plan, Kind::Gcm)?);
    drop(disk);
    report.floor(floor);
    report.print();
    Ok(())
}

/// A chain with a token that everybody has.
pub(crate) struct Stage {
    pub(crate) chain: Running,
    signers: Vec<Signer>,
    network: Network,
    token: Address,
    code_hash: B256,
    /// What each sender has, by our own count.
    balances: Vec<u64>,
    /// Never the same nonce twice.
    nonces: u64,
}

/// Keys to which messages are sealed.
struct Network {
    io: [u8; 32],
    input: gcm::InputKey,
}

impl Stage {
    pub(crate) fn set(plan: &Plan, peer: Peer<'_>) -> Result<Self, Failure> {
        let chain = peer.start(plan.senders)?;
        let rest = Rest::new(&chain.rest);
        let wallets = Wallet::family(HARDHAT_MNEMONIC, ETHEREUM, 0..u32::try_from(plan.senders)?)?;
        let mut signers = Vec::with_capacity(wallets.len());
        for wallet in wallets {
            let (number, sequence) = rest.account(&bech32(&wallet.cosmos_address()))?;
            signers.push(Signer { wallet, number, sequence });
        }
        let network = Network {
            io: key(&rest.get("/registration/v1beta1/tx-key")?["key"])?,
            input: input_key(&rest.get("/cloister/compute/v1/keys")?)?,
        };
        let code = std::fs::read(TOKEN)?;
        let sender = signers[0].wallet.cosmos_address().to_vec();
        let store = MsgStoreCode { sender: sender.clone(), wasm_byte_code: code, ..MsgStoreCode::default() };
        let stored = confirm(&rest, &mut signers[0], any("MsgStoreCode", &store), STORE_GAS)?;
        let code_id = attribute(&stored, "message", "code_id")?.parse()?;
        let path = format!("/compute/v1beta1/code_hash/by_code_id/{code_id}");
        let code_hash = rest.get(&path)?["code_hash"].as_str().ok_or("no code hash")?.parse()?;

        let balances: Vec<Value> = signers.iter().map(|signer| initial(&signer.wallet)).collect();
        let message = json!({
            "name": "Benchmark", "symbol": "BENCH", "decimals": 6,
            "initial_balances": balances, "prng_seed": STANDARD.encode("benchmark"),
        });
        let session = session(&network, 0)?;
        let instantiate = MsgInstantiateContract {
            sender,
            code_id,
            label: "benchmark".into(),
            init_msg: seal(&session, code_hash, &message)?,
            ..MsgInstantiateContract::default()
        };
        let made = confirm(&rest, &mut signers[0], any("MsgInstantiateContract", &instantiate), INSTANTIATE_GAS)?;
        let token = from_bech32(attribute(&made, "message", "contract_address")?)?;
        let balances = vec![MINTED; plan.senders];
        let mut stage = Self { chain, signers, network, token, code_hash, balances, nonces: 0 };
        for number in stage.watched() {
            let message = json!({ "set_viewing_key": { "key": VIEWING_KEY } });
            let message = stage.message(number, Kind::Siv, &message)?;
            confirm(&rest, &mut stage.signers[number], message, CALL_GAS)?;
        }
        Ok(stage)
    }

    /// Signed transfers in secret.js's form, a round of all senders after the other.
    pub(crate) fn jobs(&mut self, count: usize) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::with_capacity(count);
        for number in 0..count {
            let account = number % self.signers.len();
            let receiver = (account + 1) % self.signers.len();
            let recipient = bech32(&self.signers[receiver].wallet.cosmos_address());
            let message = json!({ "transfer": { "recipient": recipient, "amount": "1" } });
            let message = self.message(account, Kind::Siv, &message)?;
            let (body, hash) = self.signers[account].sign(message, CALL_GAS);
            jobs.push(Job { account, body, hash });
        }
        Ok(jobs)
    }

    /// Warms up, then measures `plan.transfers` transfers, and checks results and balances.
    fn measure(&mut self, plan: &Plan, kind: Kind) -> Result<Measured, Failure> {
        let warm = Plan { transfers: self.signers.len() * 2, ..*plan };
        self.transfer(&warm, kind)?;
        let measured = self.transfer(plan, kind)?;
        self.check_balances()?;
        Ok(measured)
    }

    /// Signs beforehand, then sends over several connections, waits, and looks at every result.
    fn transfer(&mut self, plan: &Plan, kind: Kind) -> Result<Measured, Failure> {
        // One account stays with one connection, so that its transactions arrive in order.
        let mut bodies: Vec<Vec<Vec<u8>>> = (0..plan.connections).map(|_| Vec::new()).collect();
        let mut hashes = Vec::with_capacity(plan.transfers);
        for round in 0..plan.rounds() {
            for number in 0..self.signers.len() {
                let amount = (number % 5 + round % 7 + 1) as u64;
                let receiver = (number + 1) % self.signers.len();
                self.balances[number] -= amount;
                self.balances[receiver] += amount;
                let recipient = bech32(&self.signers[receiver].wallet.cosmos_address());
                let message = json!({ "transfer": { "recipient": recipient, "amount": amount.to_string() } });
                let message = self.message(number, kind, &message)?;
                let (body, hash) = self.signers[number].sign(message, CALL_GAS);
                bodies[number % plan.connections].push(body);
                hashes.push(hash);
            }
        }
        let rest = Rest::new(&self.chain.rest);
        let height = height(&rest)?;
        let before = cpu::stages(self.chain.pid())?;
        let start = Instant::now();
        thread::scope(|scope| {
            let post = |bodies: &Vec<Vec<u8>>| -> Result<(), String> {
                let rest = Rest::new(&self.chain.rest);
                bodies.iter().try_for_each(|body| rest.broadcast(body)).map_err(|error| error.to_string())
            };
            let threads: Vec<_> = bodies.iter().map(|bodies| scope.spawn(move || post(bodies))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("a connection does not panic"))
        })?;
        self.wait(&rest)?;
        let seconds = start.elapsed().as_secs_f64();
        let stages = cpu::between(&before, &cpu::stages(self.chain.pid())?);
        let blocks = height_since(&rest, height)?;
        for hash in hashes {
            rest.confirm(hash)?;
        }
        Ok(Measured { transfers: plan.transfers, seconds, blocks, stages })
    }

    /// Returns when the chain has executed everything that was signed.
    fn wait(&self, rest: &Rest) -> Result<(), Failure> {
        for signer in self.signers.iter().rev() {
            let address = bech32(&signer.wallet.cosmos_address());
            while rest.account(&address)?.1 < signer.sequence {
                thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// A call of the token, sealed.
    fn message(&mut self, number: usize, kind: Kind, message: &Value) -> Result<Any, Failure> {
        self.nonces += 1;
        let sender = self.signers[number].wallet.cosmos_address();
        match kind {
            Kind::Siv => {
                let msg = seal(&session(&self.network, self.nonces)?, self.code_hash, message)?;
                let (sender, contract) = (sender.to_vec(), self.token.to_vec());
                Ok(any("MsgExecuteContract", &MsgExecuteContract { sender, contract, msg, ..Default::default() }))
            }
            Kind::Gcm => {
                let (token, code_hash) = (self.token, self.code_hash);
                let entry = Entry::Execute(token);
                let context = CallContext { chain_id: CHAIN_ID, sender, entry, code_hash, funds: &[] };
                let sealer = gcm::Sealer::new(&client(), &self.network.input, nonce(self.nonces))?;
                let (input, _) = sealer.call(&context, message.to_string().as_bytes())?;
                let value = sealed::MsgExecute {
                    sender: sender.to_vec(),
                    contract: token.to_vec(),
                    code_hash: code_hash.to_vec(),
                    input,
                    funds: Vec::new(),
                };
                Ok(Any { type_url: "/cloister.compute.v1.MsgExecute".into(), value: value.encode_to_vec() })
            }
        }
    }

    /// Accounts whose balance is looked at.
    fn watched(&self) -> Vec<usize> {
        (0..self.signers.len()).step_by(41).collect()
    }

    /// Compares some balances, asked for with a viewing key, with our own count.
    fn check_balances(&mut self) -> Result<(), Failure> {
        let rest = Rest::new(&self.chain.rest);
        for number in self.watched() {
            self.nonces += 1;
            let address = bech32(&self.signers[number].wallet.cosmos_address());
            let question = json!({ "balance": { "address": address, "key": VIEWING_KEY } });
            let session = session(&self.network, self.nonces)?;
            let query = percent(&STANDARD.encode(seal(&session, self.code_hash, &question)?));
            let answer = rest.get(&format!("/compute/v1beta1/query/{}?query={query}", bech32(&self.token)))?;
            let data = answer["data"].as_str().ok_or_else(|| format!("no answer: {answer}"))?;
            let text = session.open(&STANDARD.decode(data)?)?;
            let balance: Value = serde_json::from_slice(&STANDARD.decode(&*text)?)?;
            let counted = self.balances[number].to_string();
            if balance["balance"]["amount"].as_str() != Some(counted.as_str()) {
                return Err(format!("{address}: {balance}, not {counted}").into());
            }
        }
        Ok(())
    }

    /// What the enclave cannot do without, in seconds: the signature, and a message opened and an output sealed.
    fn floor(&mut self) -> Result<Vec<(&'static str, f64)>, Failure> {
        let message = json!({ "transfer": { "recipient": bech32(&self.token), "amount": "1" } });
        let any = self.message(0, Kind::Siv, &message)?;
        let wire = MsgExecuteContract::decode(any.value.as_slice())?.msg;
        let signer = &mut self.signers[0];
        let (number, sequence) = (signer.number, signer.sequence);
        let place = cloister_sdk::cosmos::Place { chain_id: CHAIN_ID, number, sequence };
        let (raw, _) = signer.wallet.sign_cosmos(&place, vec![any], &Default::default());
        let tx = CosmosTx::decode(&raw)?;
        let data = [SignerData { number, sequence, key: None }];
        let network = ExchangeKey::from_secret(Secret::from_bytes([9; 32]));
        let stranger = siv::Session::of_client(&client(), &network.public(), nonce(1))?;
        let foreign = seal(&stranger, self.code_hash, &message)?;
        assert_eq!(foreign.len(), wire.len(), "the same message");
        Ok(vec![
            ("signature of the transaction", each(|| assert!(tx.verify(CHAIN_ID, &data).is_ok()))),
            ("message opened (X25519, HKDF, AES-SIV)", each(|| assert!(siv::open(&network, &foreign).is_ok()))),
            ("output sealed (256 bytes)", each(|| assert!(stranger.seal(&[b' '; 344]).is_ok()))),
        ])
    }
}

/// Seconds that one `work` takes.
fn each(work: impl Fn()) -> f64 {
    const TIMES: u32 = 2_000;
    let start = Instant::now();
    (0..TIMES).for_each(|_| work());
    start.elapsed().as_secs_f64() / f64::from(TIMES)
}

fn initial(wallet: &Wallet) -> Value {
    json!({ "address": bech32(&wallet.cosmos_address()), "amount": MINTED.to_string() })
}

fn client() -> ExchangeKey {
    ExchangeKey::from_secret(Secret::from_bytes([5; 32]))
}

/// A benchmark's nonces need not be random, only different.
fn nonce(number: u64) -> [u8; 32] {
    let mut nonce = [0; 32];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    nonce
}

fn session(network: &Network, number: u64) -> Result<siv::Session, Failure> {
    Ok(siv::Session::of_client(&client(), &network.io, nonce(number))?)
}

fn seal(session: &siv::Session, code_hash: B256, message: &Value) -> Result<Vec<u8>, Failure> {
    let text = message.to_string();
    Ok(session.seal_message(&Plaintext::of_user(code_hash, text.as_bytes()).to_bytes())?)
}

fn confirm(rest: &Rest, signer: &mut Signer, message: Any, gas: u64) -> Result<Value, Failure> {
    let (body, hash) = signer.sign(message, gas);
    rest.broadcast(&body)?;
    rest.confirm(hash)
}

fn any(name: &str, value: &impl prost::Message) -> Any {
    Any { type_url: format!("/secret.compute.v1beta1.{name}"), value: value.encode_to_vec() }
}

fn attribute<'a>(result: &'a Value, kind: &str, key: &str) -> Result<&'a str, Failure> {
    let events = result["events"].as_array().into_iter().flatten().filter(|event| event["type"] == kind);
    let mut attributes = events.flat_map(|event| event["attributes"].as_array().into_iter().flatten());
    let found = attributes.find(|attribute| attribute["key"] == key).and_then(|attribute| attribute["value"].as_str());
    found.ok_or_else(|| format!("no {kind}.{key} in {result}").into())
}

fn input_key(told: &Value) -> Result<gcm::InputKey, Failure> {
    let epoch = told["epoch"].as_str().ok_or("the door names no epoch")?.parse()?;
    Ok(gcm::InputKey { epoch, public: key(&told["input_key"])? })
}

fn key(text: &Value) -> Result<[u8; 32], Failure> {
    let bytes = STANDARD.decode(text.as_str().ok_or("the door names no key")?)?;
    Ok(bytes.try_into().map_err(|_| "a key has 32 bytes")?)
}

fn percent(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn height(rest: &Rest) -> Result<u64, Failure> {
    let block = rest.get("/cosmos/base/tendermint/v1beta1/blocks/latest")?;
    let height = block["block"]["header"]["height"].as_str().and_then(|text| text.parse().ok());
    height.ok_or_else(|| "the door names no height".into())
}

fn height_since(rest: &Rest, from: u64) -> Result<u64, Failure> {
    Ok(height(rest)? - from)
}
