//! Everything that only a proposal may do, done: nobody gets a key by it, and nothing is decrypted (M-29).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloister_chain::cosmos::{Content, Decree, GovKind, GovMessage, Message, TrustMessage};
use cloister_envelope::message::{plain::Plaintext, siv};
use cloister_envelope::{ExchangeKey, Secret as ClientSecret};
use secret_sdk_proto::cosmos::distribution::v1beta1::{
    self as distribution, CommunityPoolSpendProposal, MsgCommunityPoolSpend,
};
use secret_sdk_proto::cosmos::gov::v1::{self, MsgExecLegacyContent};
use secret_sdk_proto::cosmos::gov::v1beta1::TextProposal;
use secret_sdk_proto::cosmos::slashing::v1beta1 as slashing;
use secret_sdk_proto::cosmos::staking::v1beta1 as staking_proto;
use secret_sdk_proto::secret::compute::v1beta1::{MsgInstantiateContract, MsgStoreCode};
use secret_sdk_proto::tendermint::google::protobuf::Duration;
use sha2::{Digest as _, Sha256};

use super::super::super::compute::{PROBER, any as compute, execution};
use super::*;

/// A word that stands nowhere by chance, in the state of a contract.
const SECRET: &str = "the planted secret 61d0be77";
/// A program of the validators' own.
const OWN: B256 = B256::repeat_byte(0xbb);
/// How many kinds of messages only a proposal may send. Whoever adds one gives it the next number in [`number`], an example
/// in [`examples`], and reads what the test says.
const PRIVILEGED: usize = 13;

/// The number of a kind that only a proposal may send; `None` for what anybody may, for himself.
fn number(message: &Message) -> Option<usize> {
    match message {
        Message::Trust(trust) => match trust {
            TrustMessage::Register(_) => None,
            TrustMessage::SetPolicy(_) => Some(0),
            TrustMessage::Release(_) => Some(1),
            TrustMessage::Retire(_) => Some(2),
            TrustMessage::Revoke(_) => Some(3),
            TrustMessage::SetRebuilders(_) => Some(4),
            TrustMessage::SetCaps(_) => Some(5),
        },
        Message::Gov(GovMessage { kind, .. }) => match kind {
            GovKind::Decree(decree) => match decree {
                Decree::Content(_, content) => match content {
                    Content::Text(_) => Some(6),
                    Content::CommunityPoolSpend(_) => Some(7),
                },
                Decree::CommunityPoolSpend(_) => Some(8),
                Decree::GovParams(_) => Some(9),
                Decree::StakingParams(_) => Some(10),
                Decree::SlashingParams(_) => Some(11),
                Decree::DistributionParams(_) => Some(12),
            },
            GovKind::Submit(_)
            | GovKind::Deposit(_)
            | GovKind::Vote(_)
            | GovKind::VoteWeighted(_)
            | GovKind::Cancel(_) => None,
        },
        Message::Send(_)
        | Message::MultiSend(_)
        | Message::StoreCode(_)
        | Message::Instantiate(_)
        | Message::Execute(_)
        | Message::Migrate(_)
        | Message::UpdateAdmin(_)
        | Message::ClearAdmin(_)
        | Message::SealedInstantiate(_)
        | Message::SealedExecute(_)
        | Message::SealedMigrate(_)
        | Message::GrantAllowance(_)
        | Message::RevokeAllowance(_)
        | Message::Stake(_)
        | Message::Authz(_) => None,
    }
}

/// The worst that a proposal can say, of each kind; the last ones shut out who is admitted.
fn examples(net: &Net, admitted: &Starting) -> Vec<Any> {
    let authority = authority_account;
    let trust = |name: &str, message: &dyn Encodes| Any {
        type_url: format!("/cloister.trust.v1.{name}"),
        value: message.bytes(),
    };
    let mut lenient = Policy::production();
    lenient.denied.clear();
    lenient.allow_smt = true;
    lenient.dcap.allow_dynamic_platform = true;
    lenient.dcap.allow_cached_keys = true;
    let policy = serde_json::to_string(&lenient).expect("JSON");
    let own = Release { activation: net.height() + 200_000, ..Release::simulated(measured(OWN)) };
    let content = |content: Any| {
        let message = MsgExecLegacyContent { content: Some(content), authority: authority() };
        cosmos("gov.v1.MsgExecLegacyContent", &message)
    };
    let amount = || coin(1).into_iter().collect::<Vec<_>>();
    let recipient = || bech32(&account(7));
    let spend = CommunityPoolSpendProposal { recipient: recipient(), amount: amount(), ..Default::default() };
    let seconds = |seconds| Some(Duration { seconds, nanos: 0 });
    let third = b"333333333333333333".to_vec();
    vec![
        trust("MsgSetRebuilders", &MsgSetRebuilders { authority: authority(), keys: vec![], threshold: 0 }),
        trust("MsgSetPolicy", &MsgSetPolicy { authority: authority(), policy }),
        trust("MsgSetCaps", &MsgSetCaps { authority: authority(), caps: "{}".into() }),
        trust("MsgRelease", &MsgRelease::new(authority(), &own)),
        content(cosmos("gov.v1beta1.TextProposal", &TextProposal { title: "t".into(), description: "d".into() })),
        content(cosmos("distribution.v1beta1.CommunityPoolSpendProposal", &spend)),
        cosmos(
            "distribution.v1beta1.MsgCommunityPoolSpend",
            &MsgCommunityPoolSpend { authority: authority(), recipient: recipient(), amount: amount() },
        ),
        cosmos(
            "staking.v1beta1.MsgUpdateParams",
            &staking_proto::MsgUpdateParams {
                authority: authority(),
                params: Some(staking_proto::Params {
                    unbonding_time: seconds(1_000),
                    max_validators: 7,
                    max_entries: 7,
                    bond_denom: "uscrt".into(),
                    ..Default::default()
                }),
            },
        ),
        cosmos(
            "slashing.v1beta1.MsgUpdateParams",
            &slashing::MsgUpdateParams {
                authority: authority(),
                params: Some(slashing::Params {
                    signed_blocks_window: 100,
                    min_signed_per_window: third.clone(),
                    downtime_jail_duration: seconds(60),
                    slash_fraction_double_sign: third.clone(),
                    slash_fraction_downtime: third,
                }),
            },
        ),
        cosmos(
            "distribution.v1beta1.MsgUpdateParams",
            &distribution::MsgUpdateParams {
                authority: authority(),
                params: Some(distribution::Params {
                    community_tax: "10000000000000000".into(),
                    withdraw_addr_enabled: true,
                    ..Default::default()
                }),
            },
        ),
        cosmos("gov.v1.MsgUpdateParams", &v1::MsgUpdateParams { authority: authority(), params: Some(gov_params()) }),
        trust("MsgRetire", &MsgRetire { authority: authority(), measurement: measured(PROGRAM).to_vec() }),
        trust("MsgRevoke", &MsgRevoke { authority: authority(), hardware: admitted.chip().to_vec() }),
    ]
}

#[test]
fn v29_no_power_of_the_validators_gives_anybody_a_key_or_decrypts() {
    let mut net = net_with(|genesis| {
        let mut keys = vec![super::super::key(1), super::super::key(2)];
        keys.sort_unstable();
        let rebuilders = Rebuilders { keys, threshold: 0 };
        genesis.trust = Some(Trust { rebuilders, caps: Caps::PRODUCTION, delay: 100_000, ..trust() });
    });
    // Somebody is admitted, a contract keeps a secret, and the community has coins to give away.
    let admitted = starting(8, 1);
    let registration = admitted.registration("test-1", &net.bulletin());
    net.do_well(8, register(8, &registration));
    net.plants_a_secret();
    let fund =
        distribution::MsgFundCommunityPool { depositor: bech32(&account(5)), amount: coin(9).into_iter().collect() };
    net.do_well(5, cosmos("distribution.v1beta1.MsgFundCommunityPool", &fund));
    let given = net.given();
    assert_eq!(given.keys().copied().collect::<Vec<_>>(), [admitted.chip()]);

    let mut judged = BTreeSet::new();
    for (run, example) in (100..).zip(examples(&net, &admitted)) {
        let message = Message::decode(&example).expect("a message");
        judged.insert(number(&message).expect("only a proposal may do it"));
        let of_user = net.fails(1, as_of(&example, &bech32(&account(1))));
        assert_eq!((of_user.0.as_str(), of_user.1), ("gov", 13), "{}", example.type_url);
        let before = net.given();
        assert_eq!(net.decide(example.clone()), (gov::Status::Passed, String::new()), "{}", example.type_url);
        let after = net.given();
        assert!(after.iter().all(|(chip, share)| before.get(chip) == Some(share)), "{}", example.type_url);
        net.outsiders_stay_outside(run, &example.type_url);
        assert_eq!(net.given(), after);
    }
    assert_eq!(judged, (0..PRIVILEGED).collect(), "each of them has an example");
    assert!(net.given().is_empty(), "what they can do is to shut out");
    net.shows_no_secret();
}

impl Net {
    /// Who holds the network's keys: chips with what was sealed to each.
    fn given(&self) -> BTreeMap<B256, Bytes> {
        let leaves = self.chain.host.leaves.iter();
        let nodes = leaves.filter_map(|(leaf, value)| match leaf {
            Leaf::Node(chip) => Some((*chip, borsh::from_slice::<Node>(value).expect("a node").share)),
            _ => None,
        });
        nodes.filter(|(_, share)| !share.is_empty()).collect()
    }

    /// Whoever has no genuine evidence of a release still gets nothing.
    fn outsiders_stay_outside(&mut self, run: u8, after: &str) {
        let bulletin = self.bulletin();
        let own = Starting { program: OWN, ..starting(9, run) }.registration("test-1", &bulletin);
        let open = Starting { debug: true, ..starting(9, run) }.registration("test-1", &bulletin);
        let mut relayed = starting(9, run).registration("test-1", &bulletin);
        relayed.boot.kem = B256::repeat_byte(run);
        let elsewhere = starting(9, run).registration("test-2", &bulletin);
        for (registration, code) in [(own, 6), (open, 4), (relayed, 5), (elsewhere, 5)] {
            let refused = self.fails(7, register(7, &registration));
            assert_eq!((refused.0.as_str(), refused.1), ("register", code), "after {after}: {}", refused.2);
        }
    }

    fn plants_a_secret(&mut self) {
        let Answer::NetworkKeys(keys) = self.chain.ask(Query::NetworkKeys) else { panic!("the network's keys") };
        let client = ExchangeKey::from_secret(ClientSecret::from_bytes([4; 32]));
        let code_hash = B256::from_slice(&Sha256::digest(PROBER));
        let sealed = |nonce: u8, message: &str| {
            let session = siv::Session::of_client(&client, &keys.io, [nonce; 32]).expect("a session");
            session.seal_message(&Plaintext::of_user(code_hash, message.as_bytes()).to_bytes()).expect("short")
        };
        let sender = account(1).to_vec();
        let store = MsgStoreCode { sender: sender.clone(), wasm_byte_code: PROBER.to_vec(), ..Default::default() };
        let label = "prober".into();
        let init_msg = sealed(1, "{}");
        let make = MsgInstantiateContract { sender, code_id: 1, label, init_msg, ..Default::default() };
        let messages = vec![compute("MsgStoreCode", &store), compute("MsgInstantiateContract", &make)];
        let tx = signed(1, self.chain.auth_sequence(account(1)), (60_000_000, FEE, 0), messages);
        assert_eq!(self.block(vec![tx])[0].status, Status::Success);
        let made = |leaf: &Leaf| if let Leaf::Contract(address) = leaf { Some(*address) } else { None };
        let contract = self.chain.host.leaves.keys().find_map(made).expect("made");
        let write = format!(r#"{{"write":{{"key":"{SECRET}","value":"{SECRET}"}}}}"#);
        self.do_well(1, execution(1, contract, sealed(2, &write), 0));
    }

    /// Nothing that ever left the enclave holds the secret, or a root.
    fn shows_no_secret(&self) {
        let roots = roots().to_bytes();
        // The permanent root and that of the one epoch; of what is retiring there is nothing.
        let (permanent, current) = (&roots[..32], &roots[32..64]);
        let texts = [SECRET.to_owned(), hex::encode(SECRET), STANDARD.encode(SECRET)];
        let needles = texts.iter().map(String::as_bytes).chain([permanent, current]);
        let needles: Vec<&[u8]> = needles.map(|needle| &needle[..26]).collect();
        for outcome in &self.chain.outcomes {
            let bytes = borsh::to_vec(outcome).expect("memory");
            assert!(!bytes.windows(26).any(|window| needles.contains(&window)), "block {}", outcome.height);
        }
    }
}

/// A message's protobuf form.
trait Encodes {
    fn bytes(&self) -> Vec<u8>;
}

impl<T: prost::Message> Encodes for T {
    fn bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

fn cosmos(name: &str, message: &dyn Encodes) -> Any {
    Any { type_url: format!("/cosmos.{name}"), value: message.bytes() }
}

/// The same message by somebody else's authority: all that differs in its bytes.
fn as_of(example: &Any, authority: &str) -> Any {
    let own = authority_account();
    assert_eq!(own.len(), authority.len(), "nothing else in it changes");
    let at = example.value.windows(own.len()).position(|window| window == own.as_bytes()).expect("an authority");
    let mut value = example.value.clone();
    value[at..at + own.len()].copy_from_slice(authority.as_bytes());
    Any { value, ..example.clone() }
}

/// Valid, and other than before.
fn gov_params() -> v1::Params {
    let text = |text: &str| text.to_owned();
    let seconds = |seconds| Some(Duration { seconds, nanos: 0 });
    let deposit = |amount: u128| coin(amount).into_iter().collect::<Vec<_>>();
    v1::Params {
        min_deposit: deposit(5 * POWER),
        max_deposit_period: seconds(60),
        voting_period: seconds(90),
        quorum: text("0.3"),
        threshold: text("0.5"),
        veto_threshold: text("0.4"),
        min_initial_deposit_ratio: text("0"),
        proposal_cancel_ratio: text("0.5"),
        expedited_voting_period: seconds(15),
        expedited_threshold: text("0.67"),
        expedited_min_deposit: deposit(10 * POWER),
        min_deposit_ratio: text("0.01"),
        ..Default::default()
    }
}
