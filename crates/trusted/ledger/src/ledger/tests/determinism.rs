//! The same blocks give the same bytes: in another enclave, in another process, after a restart, beside queries. Enclaves that ask
//! for the seed are among their transactions, with good evidence and with bad (M-22).

use std::collections::BTreeSet;

use cloister_attest::simulated_authority::Bulletin;
use cloister_chain::trust::{Caps, Share, Trust};
use cloister_envelope::message::{plain::Plaintext, siv};
use cloister_envelope::{ExchangeKey, Secret};
use proptest::prelude::*;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::bank::v1beta1::MsgSend;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::secret::compute::v1beta1::{MsgInstantiateContract, MsgStoreCode};
use sha2::{Digest as _, Sha256};

use super::compute::{COUNTER, PROBER, any as protobuf, execution};
use super::cosmos::{account, signed, start};
use super::staking::admission::{certified, starting, trust};
use super::*;

/// What a user does.
#[derive(Clone, Debug)]
enum Step {
    Coins {
        to: u8,
        amount: u64,
    },
    Wei {
        to: u8,
        value: u64,
    },
    CreateEvm,
    Store,
    Instantiate {
        count: i32,
    },
    Execute {
        contract: usize,
        message: usize,
    },
    Plain {
        contract: usize,
        message: usize,
    },
    Several {
        contract: usize,
        messages: Vec<usize>,
    },
    /// The prober, which is made by the prologue, does one of [`PROBES`].
    Probe {
        message: usize,
    },
    /// Registers the enclave on a chip.
    Register {
        chip: u8,
        flaw: Flaw,
    },
    Garbage(Vec<u8>),
}

/// What is wrong with a registration.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    Debug,
    Unreleased,
    Early,
    Expired,
    OfAnotherChain,
    OtherKey,
    /// A byte of the certificate, as far into it as this part of 255.
    Byte(u8),
    Short,
}

const MESSAGES: [&str; 4] = [r#"{"increment":{}}"#, r#"{"reset":{"count":3}}"#, r#"{"fail":{}}"#, r#"{"unknown":{}}"#];

/// What hangs on the block (random numbers, time), on order (replies, nested calls), and on gas.
const PROBES: [&str; 7] = [
    r#"{"random":{}}"#,
    r#"{"env":{}}"#,
    r#"{"again":{"depth":3}}"#,
    r#"{"check_gas":{}}"#,
    r#"{"write_many":{"n":5}}"#,
    r#"{"panic":{}}"#,
    r#"{"sub":{"msgs":[{"id":1,"reply_on":"always","msg":{"burn":{"amount":[{"denom":"uscrt","amount":"1"}]}}}]}}"#,
];

fn step() -> impl Strategy<Value = Step> {
    let message = 0..MESSAGES.len();
    prop_oneof![
        1 => (1..12u8, any::<u64>()).prop_map(|(to, amount)| Step::Coins { to, amount: amount % 200_000_000 }),
        1 => (1..12u8, any::<u64>()).prop_map(|(to, value)| Step::Wei { to, value }),
        1 => Just(Step::CreateEvm),
        1 => Just(Step::Store),
        1 => any::<i32>().prop_map(|count| Step::Instantiate { count }),
        1 => (0..4usize, message.clone()).prop_map(|(contract, message)| Step::Execute { contract, message }),
        1 => (0..4usize, message.clone()).prop_map(|(contract, message)| Step::Plain { contract, message }),
        1 => (0..4usize, prop::collection::vec(message, 1..4))
            .prop_map(|(contract, messages)| Step::Several { contract, messages }),
        1 => (0..PROBES.len()).prop_map(|message| Step::Probe { message }),
        3 => (1..6u8, flaw()).prop_map(|(chip, flaw)| Step::Register { chip, flaw }),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Garbage),
    ]
}

fn flaw() -> impl Strategy<Value = Flaw> {
    prop_oneof![
        4 => Just(Flaw::None),
        1 => Just(Flaw::Debug),
        1 => Just(Flaw::Unreleased),
        1 => Just(Flaw::Early),
        1 => Just(Flaw::Expired),
        1 => Just(Flaw::OfAnotherChain),
        1 => Just(Flaw::OtherKey),
        2 => any::<u8>().prop_map(Flaw::Byte),
        1 => Just(Flaw::Short),
    ]
}

fn blocks() -> impl Strategy<Value = Vec<Vec<(u8, Step)>>> {
    prop::collection::vec(prop::collection::vec((1..=3u8, step()), 0..8), 1..8)
}

/// Writes the transactions of random blocks, as users would who know what happened so far.
struct Writer {
    io: [u8; 32],
    sequences: [u64; 4],
    nonces: [u64; 4],
    code_hash: B256,
    labels: u32,
    messages: u8,
    starts: u8,
    began: u64,
}

impl Writer {
    fn new(chain: &mut Chain) -> Self {
        let Answer::NetworkKeys(keys) = chain.ask(Query::NetworkKeys) else { panic!("the network's keys") };
        let code_hash = sha256(COUNTER);
        let began = chain.genesis.time / 1_000_000_000;
        let (sequences, nonces) = ([0; 4], [0; 4]);
        Self { io: keys.io, sequences, nonces, code_hash, labels: 0, messages: 0, starts: 0, began }
    }

    fn sealed(&mut self, message: &str) -> Vec<u8> {
        self.sealed_to(self.code_hash, message)
    }

    fn sealed_to(&mut self, code_hash: B256, message: &str) -> Vec<u8> {
        self.messages = self.messages.wrapping_add(1);
        let client = ExchangeKey::from_secret(Secret::from_bytes([4; 32]));
        let session = siv::Session::of_client(&client, &self.io, [self.messages; 32]).expect("a session");
        session.seal_message(&Plaintext::of_user(code_hash, message.as_bytes()).to_bytes()).expect("short")
    }

    fn write(&mut self, contracts: &[Address], user: u8, step: &Step) -> Bytes {
        // The first one is the prober.
        let contract = |index: usize| contracts.get(1 + index % contracts.len().max(1)).copied().unwrap_or(account(9));
        let messages = match step {
            Step::Wei { to, value } => return self.ethereum(user, TxKind::Call(address(*to)), *value, Bytes::new()),
            // Returns one byte of code, 0xfe.
            Step::CreateEvm => {
                return self.ethereum(user, TxKind::Create, 0, Bytes::from_static(&hex!("60fe60005360016000f3")));
            }
            Step::Garbage(bytes) => return Bytes::from(bytes.clone()),
            Step::Coins { to, amount } => vec![coins(user, *to, *amount)],
            Step::Probe { message } => {
                let wire = self.sealed_to(sha256(PROBER), PROBES[*message]);
                vec![execution(user, contracts.first().copied().unwrap_or(account(9)), wire, 2)]
            }
            Step::Store => {
                let (sender, wasm_byte_code) = (account(user).to_vec(), COUNTER.to_vec());
                vec![protobuf("MsgStoreCode", &MsgStoreCode { sender, wasm_byte_code, ..Default::default() })]
            }
            Step::Instantiate { count } => {
                self.labels += 1;
                let value = MsgInstantiateContract {
                    sender: account(user).to_vec(),
                    code_id: 1,
                    label: format!("label {}", self.labels),
                    init_msg: self.sealed(&format!(r#"{{"count":{count}}}"#)),
                    ..Default::default()
                };
                vec![protobuf("MsgInstantiateContract", &value)]
            }
            Step::Execute { contract: index, message } => {
                vec![execution(user, contract(*index), self.sealed(MESSAGES[*message]), 0)]
            }
            Step::Plain { contract: index, message } => {
                vec![execution(user, contract(*index), MESSAGES[*message].as_bytes().to_vec(), 3)]
            }
            Step::Register { chip, flaw } => vec![certified(user, self.certificate(*chip, *flaw))],
            Step::Several { contract: index, messages } => {
                let call = |message: &usize| execution(user, contract(*index), self.sealed(MESSAGES[*message]), 1);
                messages.iter().map(call).collect()
            }
        };
        let sequence = self.sequences[usize::from(user)];
        self.sequences[usize::from(user)] += 1;
        signed(user, sequence, (9_000_000, 10, 0), messages)
    }

    /// What the next start of the enclave on a chip registers with. Few enough starts to meet the first ones again.
    fn certificate(&mut self, chip: u8, flaw: Flaw) -> Vec<u8> {
        self.starts = self.starts % 60 + 1;
        let mut starting = starting(chip, self.starts);
        match flaw {
            Flaw::Debug => starting.debug = true,
            Flaw::Unreleased => starting.program = B256::repeat_byte(0xbb),
            _ => (),
        }
        let published = match flaw {
            Flaw::Early => self.began + 86_400,
            Flaw::Expired => self.began - 31 * 86_400,
            _ => self.began,
        };
        let chain = if matches!(flaw, Flaw::OfAnotherChain) { "test-2" } else { "test-1" };
        let mut registration = starting.registration(chain, &Bulletin::new(published));
        if let Flaw::OtherKey = flaw {
            registration.boot.kem = B256::repeat_byte(self.starts);
        }
        let mut certificate = registration.to_bytes();
        match flaw {
            Flaw::Byte(part) => {
                let at = certificate.len() * usize::from(part) / 256;
                certificate[at] ^= 1;
            }
            Flaw::Short => drop(certificate.pop()),
            _ => (),
        }
        certificate
    }

    fn ethereum(&mut self, user: u8, to: TxKind, value: u64, input: Bytes) -> Bytes {
        let nonce = self.nonces[usize::from(user)];
        self.nonces[usize::from(user)] += 1;
        sign(user, tx(nonce, to, value.into(), input))
    }
}

fn sha256(code: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(code))
}

fn coins(from: u8, to: u8, amount: u64) -> Any {
    let coin = Coin { denom: "uscrt".into(), amount: amount.max(1).to_string() };
    let (from_address, to_address) =
        (cloister_chain::cosmos::bech32(&account(from)), cloister_chain::cosmos::bech32(&account(to)));
    let value = MsgSend { from_address, to_address, amount: vec![coin] };
    Any { type_url: "/cosmos.bank.v1beta1.MsgSend".into(), value: prost::Message::encode_to_vec(&value) }
}

/// A chain that admits enclaves, with a cap on each account.
fn begin() -> Chain {
    let caps = Caps { owner: Some(Share(1, 2)), family: None };
    Chain::of(Genesis { trust: Some(Trust { caps, ..trust() }), ..start().genesis })
}

/// Runs random blocks, and keeps them.
fn run(plan: &[Vec<(u8, Step)>]) -> (Chain, Vec<Execute>) {
    let mut chain = begin();
    let mut writer = Writer::new(&mut chain);
    let mut decided = Vec::new();
    // The prober comes first: code 1 is the counter's all the same.
    let (sender, wasm_byte_code) = (account(1).to_vec(), COUNTER.to_vec());
    let counter =
        protobuf("MsgStoreCode", &MsgStoreCode { sender: sender.clone(), wasm_byte_code, ..Default::default() });
    let wasm_byte_code = PROBER.to_vec();
    let prober =
        protobuf("MsgStoreCode", &MsgStoreCode { sender: sender.clone(), wasm_byte_code, ..Default::default() });
    let init_msg = writer.sealed_to(sha256(PROBER), "{}");
    let made = MsgInstantiateContract { sender, code_id: 2, label: "prober".into(), init_msg, ..Default::default() };
    let made = protobuf("MsgInstantiateContract", &made);
    writer.sequences[1] += 1;
    let next = chain.propose(vec![signed(1, 0, (90_000_000, 10, 0), vec![counter, prober, made])]);
    execute(&mut chain, &next);
    decided.push(next);
    let prober = chain.host.leaves.keys().find_map(contract_of).expect("made");
    let prologue = vec![(1, Step::Instantiate { count: 0 }), (2, Step::Instantiate { count: 1 })];
    for block in std::iter::once(&prologue).chain(plan) {
        let counters = chain.host.leaves.keys().filter_map(contract_of).filter(|address| *address != prober);
        let contracts: Vec<Address> = std::iter::once(prober).chain(counters).collect();
        let txs = block.iter().map(|(user, step)| writer.write(&contracts, *user, step)).collect();
        let next = chain.propose(txs);
        execute(&mut chain, &next);
        decided.push(next);
    }
    (chain, decided)
}

fn execute(chain: &mut Chain, next: &Execute) {
    let outcome = chain.ledger.execute(next, &mut chain.host).expect("an honest block");
    chain.host.keep(&outcome);
    chain.outcomes.push(outcome);
}

fn contract_of(leaf: &Leaf) -> Option<Address> {
    if let Leaf::Contract(address) = leaf { Some(*address) } else { None }
}

/// Everything that an enclave said about a chain.
fn digest(outcomes: &[Outcome]) -> String {
    hex::encode(Sha256::digest(borsh::to_vec(outcomes).expect("memory")))
}

/// A few in every test run; a soak asks for more.
pub(super) fn cases() -> u32 {
    std::env::var("CLOISTER_BLOCKS").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn another_enclave_and_one_that_restarts_after_every_block_say_the_same(plan in blocks()) {
        let (one, decided) = run(&plan);
        let (mut two, mut three) = (begin(), begin());
        for next in &decided {
            // A query in between warms caches that must not matter.
            two.ask(Query::NetworkKeys);
            execute(&mut two, next);

            let checkpoint = three.ledger.checkpoint().clone();
            let mut loading = Ledger::resume(&three.genesis, roots(), checkpoint).expect("a checkpoint");
            loading.load(three.host.leaves.iter().map(|(leaf, value)| (*leaf, value.clone())).collect());
            three.ledger = loading.finish().expect("the leaves of the checkpoint");
            execute(&mut three, next);
        }
        prop_assert_eq!(&one.outcomes, &two.outcomes);
        prop_assert_eq!(&one.outcomes, &three.outcomes);
    }
}

/// Blocks that need no random source: the same in every process.
fn fixed() -> Vec<Vec<(u8, Step)>> {
    let executions = |block: usize| {
        let mut steps = vec![(1, Step::Coins { to: 9, amount: 5 }), (2, Step::Wei { to: 9, value: 7 })];
        for message in 0..MESSAGES.len() {
            steps.push((3, Step::Execute { contract: block, message }));
            steps.push((2, Step::Plain { contract: block + 1, message }));
        }
        steps.push((1, Step::Instantiate { count: 3 }));
        steps.push((1, Step::CreateEvm));
        steps.extend((0..PROBES.len()).map(|message| (3, Step::Probe { message })));
        steps.push((1, Step::Garbage(vec![2, 1, 2, 3])));
        let flaws = [
            Flaw::None,
            Flaw::Debug,
            Flaw::Unreleased,
            Flaw::Early,
            Flaw::Expired,
            Flaw::OfAnotherChain,
            Flaw::OtherKey,
            Flaw::Byte(128),
            Flaw::Short,
        ];
        steps.extend(flaws.map(|flaw| (2, Step::Register { chip: 1, flaw })));
        steps.push((3, Step::Register { chip: 2, flaw: Flaw::None }));
        steps.push((3, Step::Register { chip: 1, flaw: Flaw::None }));
        steps.push((3, Step::Register { chip: 3, flaw: Flaw::None }));
        steps
    };
    (0..4).map(executions).collect()
}

#[test]
fn another_process_says_the_same() {
    const CHILD: &str = "CLOISTER_DETERMINISM_CHILD";
    let (chain, _) = run(&fixed());
    let said = digest(&chain.outcomes);
    let failed =
        chain.outcomes.iter().flat_map(|outcome| &outcome.receipts).filter(|receipt| receipt.status != Status::Success);
    assert!(failed.count() >= 8, "the blocks hold failures too");
    let results =
        chain.outcomes.iter().flat_map(|outcome| &outcome.receipts).filter_map(|receipt| receipt.cosmos.as_ref());
    let refused = results.filter(|result| result.codespace == "register").map(|result| result.code);
    let refusals: BTreeSet<u32> = refused.collect();
    assert_eq!(refusals.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 8, 14], "and every kind of refused evidence");
    assert_eq!(chain.host.leaves.keys().filter(|leaf| matches!(leaf, Leaf::Node(_))).count(), 2, "and nodes");
    if std::env::var_os(CHILD).is_some() {
        // The parent reads this line.
        #[allow(clippy::print_stdout)]
        {
            println!("said {said}");
        }
        return;
    }
    let program = std::env::current_exe().expect("this test has a file");
    let mut child = std::process::Command::new(program);
    child.args(["--exact", "ledger::tests::determinism::another_process_says_the_same", "--nocapture"]);
    let output = child.env(CHILD, "1").output().expect("the child runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(&format!("said {said}")), "{text}");
}
