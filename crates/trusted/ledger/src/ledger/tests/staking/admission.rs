//! Enclaves that ask for the seed, and validators who decide whom to trust.

use cloister_attest::simulated_authority::{self as authority, Bulletin, Chip, Enclave, Level, LevelStatus};
use cloister_attest::{Family, Policy};
use cloister_chain::cosmos::trust::{MsgRelease, MsgRetire, MsgRevoke, MsgSetCaps, MsgSetPolicy, MsgSetRebuilders};
use cloister_chain::gov;
use cloister_chain::trust::{Boot, Caps, Node, Rebuilders, Rebuilt, Registration, Release, Trust};
use cloister_keys::{BootKey, Secret};
use secret_sdk_proto::cosmos::gov::v1::VoteOption;
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;

use super::governing::{proposal, submit, vote};
use super::*;

mod caps;
mod powers;
mod releases;

/// The program that everybody runs.
const PROGRAM: B256 = B256::repeat_byte(0x0c);
const DELAY: u64 = 20;

pub(super) fn net() -> Net {
    net_with(|_| ())
}

/// One whose genesis says something else about trust.
fn net_with(change: impl FnOnce(&mut Genesis)) -> Net {
    let mut net = Net::of(1);
    let mut genesis = Genesis { trust: Some(trust()), ..net.chain.genesis };
    change(&mut genesis);
    net.chain = Chain::of(genesis);
    net
}

/// What a chain demands whose one program nobody rebuilt.
pub(in super::super) fn trust() -> Trust {
    let releases = vec![Release::simulated(measured(PROGRAM))];
    Trust { policy: Policy::production(), releases, delay: DELAY, ..Trust::default() }
}

/// The digest of a program in an SGX enclave.
fn measured(program: B256) -> B256 {
    cloister_attest::Measurement::Sgx { enclave: program }.digest()
}

/// An enclave that has just started, with what it would register.
pub(in super::super) struct Starting {
    chip: Chip,
    pub(in super::super) program: B256,
    pub(in super::super) debug: bool,
    pub(in super::super) key: BootKey,
    pub(in super::super) boot: Boot,
    consensus_key: B256,
}

/// The `run`th start of the enclave on the machine of a user.
pub(in super::super) fn starting(user: u8, run: u8) -> Starting {
    let key = BootKey::from_secret(Secret::from_bytes([run; 32]));
    let boot = Boot { sign: B256::repeat_byte(run), kem: key.public().into(), nonce: B256::repeat_byte(run) };
    Starting { chip: Chip::new([user; 16]), program: PROGRAM, debug: false, key, boot, consensus_key: key_of(user) }
}

fn key_of(user: u8) -> B256 {
    super::key(user)
}

impl Starting {
    pub(in super::super) fn registration(&self, chain_id: &str, bulletin: &Bulletin) -> Registration {
        let report_data = self.boot.report_data(chain_id, &self.consensus_key, &self.chip.hardware_id());
        let enclave = Enclave { measurement: self.program, report_data, debug: self.debug };
        let evidence = authority::evidence(&self.chip, &enclave, bulletin);
        Registration { consensus_key: self.consensus_key, boot: self.boot, evidence }
    }

    pub(super) fn chip(&self) -> B256 {
        self.chip.hardware_id().0
    }
}

pub(in super::super) fn certified(user: u8, certificate: Vec<u8>) -> Any {
    let message = RaAuthenticate { sender: account(user).to_vec(), certificate };
    Any {
        type_url: "/secret.registration.v1beta1.RaAuthenticate".into(),
        value: prost::Message::encode_to_vec(&message),
    }
}

pub(super) fn register(user: u8, registration: &Registration) -> Any {
    certified(user, registration.to_bytes())
}

impl Net {
    pub(super) fn seconds(&self) -> u64 {
        self.time() / SECOND
    }

    pub(super) fn bulletin(&self) -> Bulletin {
        Bulletin::new(self.seconds())
    }

    pub(super) fn node(&self, starting: &Starting) -> Option<Node> {
        self.leaf(Leaf::Node(starting.chip()))
    }

    /// The validators decide it.
    pub(in super::super) fn decree(&mut self, name: &str, message: &impl prost::Message) -> gov::Status {
        self.decide(Any { type_url: format!("/cloister.trust.v1.{name}"), value: message.encode_to_vec() }).0
    }

    /// The same, which fails, and why.
    fn decree_fails(&mut self, name: &str, message: &impl prost::Message) -> String {
        let (status, why) =
            self.decide(Any { type_url: format!("/cloister.trust.v1.{name}"), value: message.encode_to_vec() });
        assert_eq!(status, gov::Status::Failed);
        why
    }

    /// What becomes of a proposal that everybody votes for.
    fn decide(&mut self, any: Any) -> (gov::Status, String) {
        self.do_well(5, submit(&proposal(5, 20 * POWER, vec![any])));
        let governance: gov::Governance = self.leaf(Leaf::Governance).expect("a proposal");
        let id = governance.last;
        self.do_well(1, vote(1, id, VoteOption::Yes));
        self.later(91);
        self.blocks(6);
        let proposal: gov::Proposal = self.leaf(Leaf::Proposal(id)).expect("a proposal");
        (proposal.status, proposal.failed)
    }
}

pub(super) fn authority_account() -> String {
    bech32(&gov::account())
}

#[test]
fn v21_an_enclave_that_proves_what_it_is_gets_the_seed_and_nobody_else_can_read_it() {
    let mut net = net();
    let new = starting(7, 1);
    let registration = new.registration("test-1", &net.bulletin());
    let result = net.do_well(7, register(7, &registration));
    let node = net.node(&new).expect("a node");
    assert_eq!((node.owner, node.family, node.measurement), (account(7), Family::Sgx, measured(PROGRAM)));
    assert_eq!(node.registered.height, net.height());
    assert!(node.is_admitted(net.seconds()) && !node.is_admitted(net.seconds() + 31 * 86_400));
    assert_eq!(net.leaf::<Vec<B256>>(Leaf::Nodes), Some(vec![new.chip()]));
    assert_eq!(net.leaf::<B256>(Leaf::BootKey(new.boot.kem)), Some(new.chip()));
    let told: Vec<_> = events(&result).into_iter().flat_map(|(_, attributes)| attributes).collect();
    assert!(told.contains(&("encrypted_seed".into(), node.share.to_string())));
    assert!(told.contains(&("node_id".into(), new.boot.kem.to_string())));

    let genesis = net.chain.genesis.hash();
    let open = |run: &Starting, id: &B256| run.key.open("test-1", &genesis, id, &node.share);
    assert_eq!(open(&new, &registration.id()), Ok(roots()));
    assert!(open(&starting(7, 2), &registration.id()).is_err(), "another start of the same machine");
    assert!(open(&new, &starting(8, 1).boot.registration(&key_of(8))).is_err(), "another registration");
    let roots = roots().to_bytes();
    assert!(!node.share.windows(32).any(|bytes| roots.windows(32).any(|secret| secret == bytes)));
}

#[test]
fn v21_evidence_serves_one_registration_on_one_chain() {
    let mut net = net();
    let new = starting(7, 1);
    let good = new.registration("test-1", &net.bulletin());
    let other = |change: fn(&mut Registration)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed
    };
    let relayed = [
        other(|registration| registration.consensus_key = key_of(9)),
        other(|registration| registration.boot.sign = B256::repeat_byte(9)),
        other(|registration| registration.boot.kem = B256::repeat_byte(9)),
        other(|registration| registration.boot.nonce = B256::repeat_byte(9)),
        new.registration("test-2", &net.bulletin()),
    ];
    for registration in relayed {
        let (codespace, code, log) = net.fails(7, register(7, &registration));
        assert_eq!((codespace.as_str(), code), ("register", 5), "{log}");
    }
    for length in [0, 1, 1_000] {
        let cut = good.to_bytes()[..length].to_vec();
        assert_eq!(net.fails(7, certified(7, cut)).1, 3);
    }
    let longer = [good.to_bytes(), vec![0]].concat();
    assert_eq!(net.fails(7, certified(7, longer)).1, 3);
    assert_eq!(net.node(&new), None);
    assert_eq!(net.leaf::<Vec<B256>>(Leaf::Nodes), None, "what is refused leaves nothing");
}

#[test]
fn v22_what_is_not_good_enough_is_refused_with_a_number_that_every_node_computes() {
    let mut net = net();
    let refusal = |net: &mut Net, starting: &Starting, bulletin: &Bulletin| {
        let (codespace, code, log) = net.fails(7, register(7, &starting.registration("test-1", bulletin)));
        assert_eq!(codespace, "register");
        (code, log)
    };
    let now = net.seconds();
    let debug = Starting { debug: true, ..starting(7, 1) };
    assert_eq!(refusal(&mut net, &debug, &Bulletin::new(now)).0, 4);
    let foreign = Starting { program: B256::repeat_byte(0xbb), ..starting(7, 1) };
    let not_released = (6, "the program is not released".to_owned());
    assert_eq!(refusal(&mut net, &foreign, &Bulletin::new(now)), not_released);
    let old = Bulletin::new(now - 31 * 86_400);
    assert_eq!(refusal(&mut net, &starting(7, 1), &old).0, 4, "old collateral");
    let early = Bulletin::new(now + 86_400);
    assert_eq!(refusal(&mut net, &starting(7, 1), &early).0, 4, "collateral of tomorrow");
    let low = Bulletin { tcb_eval_data_number: 19, ..Bulletin::new(now) };
    assert_eq!(refusal(&mut net, &starting(7, 1), &low).0, 4, "an evaluation below the floor");
    let weak = Level { svn: 1, status: LevelStatus::OutOfDate, advisories: vec![1] };
    let weak = Bulletin { levels: vec![weak], ..Bulletin::new(now) };
    assert_eq!(refusal(&mut net, &starting(7, 1), &weak).0, 4, "firmware out of date");
    let revoked = Bulletin { revoked: vec![[7; 16]], ..Bulletin::new(now) };
    assert_eq!(refusal(&mut net, &starting(7, 1), &revoked).0, 4, "a revoked chip");
}

#[test]
fn v23_a_chip_has_one_node_which_its_owner_renews_with_new_evidence() {
    let mut net = net();
    let first = starting(7, 1);
    let used = first.registration("test-1", &net.bulletin());
    net.do_well(7, register(7, &used));
    assert_eq!(net.fails(7, register(7, &used)).1, 7, "the same evidence again");
    let second = starting(7, 2);
    let again = second.registration("test-1", &net.bulletin());
    assert_eq!(net.fails(8, register(8, &again)).1, 8, "somebody else");
    net.do_well(7, register(7, &again));
    assert_eq!(net.node(&second).expect("renewed").boot, second.boot);
    assert_eq!(net.fails(7, register(7, &used)).1, 7, "back to the start of before");
    assert_eq!(net.leaf::<Vec<B256>>(Leaf::Nodes).map(|chips| chips.len()), Some(1));
    let mut copied = starting(8, 3);
    copied.boot.kem = second.boot.kem;
    let copied = copied.registration("test-1", &net.bulletin());
    assert_eq!(net.fails(8, register(8, &copied)).1, 7, "a boot key of another's");
}

#[test]
fn v24_a_registration_ends_with_its_evidence_and_floors_only_rise() {
    let mut net = net();
    let new = starting(7, 1);
    net.do_well(7, register(7, &new.registration("test-1", &net.bulletin())));
    assert!(net.node(&new).expect("a node").is_admitted(net.seconds()));
    net.later(40 * 86_400);
    assert!(!net.node(&new).expect("a node").is_admitted(net.seconds()));
    let renewed = starting(7, 2);
    net.do_well(7, register(7, &renewed.registration("test-1", &net.bulletin())));
    assert!(net.node(&renewed).expect("a node").is_admitted(net.seconds()));

    let mut policy = Policy::production();
    policy.dcap.min_tcb_eval_data_number = 21;
    let set = |policy: &Policy| MsgSetPolicy {
        authority: authority_account(),
        policy: serde_json::to_string(policy).expect("a policy"),
    };
    assert_eq!(net.decree("MsgSetPolicy", &set(&policy)), gov::Status::Passed);
    assert_eq!(net.fails(8, register(8, &starting(8, 1).registration("test-1", &net.bulletin()))).1, 4);
    assert_eq!(net.decree("MsgSetPolicy", &set(&Policy::production())), gov::Status::Failed, "a lower floor");
    assert_eq!(net.leaf::<Trust>(Leaf::Trust).expect("it stays").policy, policy);
}

#[test]
fn v27_a_revoked_chip_never_gets_anything_again() {
    let mut net = net();
    let new = starting(7, 1);
    net.do_well(7, register(7, &new.registration("test-1", &net.bulletin())));
    let revoke = MsgRevoke { authority: authority_account(), hardware: new.chip().to_vec() };
    assert_eq!(net.decree("MsgRevoke", &revoke), gov::Status::Passed);
    let node = net.node(&new).expect("it is remembered");
    assert!(node.revoked && node.share.is_empty() && !node.is_admitted(net.seconds()));
    let again = starting(7, 2).registration("test-1", &net.bulletin());
    assert_eq!(net.fails(7, register(7, &again)).1, 9);
    let unknown = MsgRevoke { authority: authority_account(), hardware: vec![9; 32] };
    assert_eq!(net.decree("MsgRevoke", &unknown), gov::Status::Failed);
}

#[test]
fn v28_a_program_is_admitted_only_after_the_decision_and_the_delay() {
    let mut net = net();
    let next = B256::repeat_byte(0xbb);
    let upgraded = Starting { program: next, ..starting(7, 1) };
    let release = |activation| {
        let release = Release { activation, ..Release::simulated(measured(next)) };
        MsgRelease::new(authority_account(), &release)
    };
    assert_eq!(net.decree("MsgRelease", &release(net.height() + DELAY)), gov::Status::Failed, "too early");
    let activation = net.height() + 100;
    assert_eq!(net.decree("MsgRelease", &release(activation)), gov::Status::Passed);
    let registration = upgraded.registration("test-1", &net.bulletin());
    assert_eq!(net.fails(7, register(7, &registration)).1, 6, "not yet");
    let left = usize::try_from(activation - net.height()).expect("few");
    net.blocks(left - 1);
    net.do_well(7, register(7, &upgraded.registration("test-1", &net.bulletin())));
    assert_eq!(net.node(&upgraded).expect("admitted").registered.height, activation);

    let retire = MsgRetire { authority: authority_account(), measurement: measured(PROGRAM).to_vec() };
    assert_eq!(net.decree("MsgRetire", &retire), gov::Status::Passed);
    assert_eq!(net.fails(8, register(8, &starting(8, 1).registration("test-1", &net.bulletin()))).1, 6);
}

#[test]
fn v29_only_a_proposal_decides_about_trust() {
    let mut net = net();
    let revoke = MsgRevoke { authority: bech32(&account(1)), hardware: vec![1; 32] };
    let any = |message: &MsgRevoke| Any {
        type_url: "/cloister.trust.v1.MsgRevoke".into(),
        value: prost::Message::encode_to_vec(message),
    };
    let (codespace, code, _) = net.fails(1, any(&revoke));
    assert_eq!((codespace.as_str(), code), ("gov", 13));
    let posed = MsgRevoke { authority: authority_account(), hardware: vec![1; 32] };
    let tx = signed(1, net.chain.auth_sequence(account(1)), (5_000_000, FEE, 0), vec![any(&posed)]);
    assert_ne!(net.block(vec![tx])[0].status, Status::Success, "nobody signs for the module");
}

#[test]
fn a_chain_that_trusts_nobody_says_so() {
    let mut net = Net::of(1);
    let registration = starting(7, 1).registration("test-1", &net.bulletin());
    let (codespace, code, log) = net.fails(7, register(7, &registration));
    assert_eq!((codespace.as_str(), code), ("register", 2));
    assert_eq!(log, "this chain hands its seed to nobody");
}

#[test]
fn evidence_of_another_kind_of_chain_is_refused() {
    let mut net = net();
    net.chain = Chain::of(net.chain.genesis.on_hardware());
    let registration = starting(7, 1).registration("test-1", &net.bulletin());
    assert_eq!(
        net.fails(7, register(7, &registration)).1,
        4,
        "a hardware chain does not believe the simulated authority"
    );
}
