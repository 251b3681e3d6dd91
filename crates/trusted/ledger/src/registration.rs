//! Enclaves that ask for the seed, and what the validators decide about whom to trust (M-21 to M-28).
//!
//! A registration is verified here, in the state machine: every enclave of the network comes to the same verdict, and only
//! then seals the seed. The time is the previous block's, never a clock's. What is refused leaves no trace but the fee.
//!
//! What differs from Secret Network's module of the same messages: the certificate is a [`Registration`], one chip has one
//! node, which is the run that was registered last, and evidence expires.

mod caps;

use borsh::BorshDeserialize as _;
use cloister_attest::Verified;
use cloister_chain::cosmos::trust::word;
use cloister_chain::cosmos::{TrustMessage, bech32, from_bytes};
use cloister_chain::receipt::Event;
use cloister_chain::trust::{MAX_NODES, MAX_RELEASES, Node, NotAdmitted, Registration, Trust};
use cloister_chain::wire::Halt;
use cloister_chain::{Address, B256, Leaf};
use cloister_keys::Keys;
use cloister_state::{Overlay, Supply};
use cloister_teeth::{Mechanism, holds};
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::registration::v1beta1::{RaAuthenticate, RaAuthenticateResponse};

use crate::compute::{Scene, Work};
use crate::cosmos::Fail;
use crate::cosmos::events::event;
use crate::eth::encode;
use crate::gov;

/// A message of the module: its response and its events.
pub(crate) fn handle<S: Supply>(work: &mut Work<'_, '_, S>, message: &TrustMessage) -> Result<(Any, Vec<Event>), Fail> {
    let mut trust: Trust =
        work.meter.read(Leaf::Trust)?.ok_or_else(|| refused(NOBODY, "this chain hands its seed to nobody"))?;
    if !matches!(message, TrustMessage::Register(_)) {
        gov::only_by_proposal(message.signer()?)?;
    }
    match message {
        TrustMessage::Register(message) => {
            let (node, events) = work.register(&trust, message)?;
            let response = RaAuthenticateResponse {
                data: format!("S: {}", alloy_primitives::hex::encode(&node.share)),
                ..Default::default()
            };
            return Ok((
                crate::cosmos::answer("/secret.registration.v1beta1.RaAuthenticateResponse", &response),
                events,
            ));
        }
        TrustMessage::SetPolicy(message) => {
            let policy = message.read()?;
            if policy.lowers(&trust.policy) {
                return Err(refused(POLICY, "the policy's floors only rise"));
            }
            trust.policy = policy;
            work.meter.write(Leaf::Trust, Some(&trust))?;
        }
        TrustMessage::Release(message) => {
            let release = message.read()?;
            let earliest = work.scene.header.height.saturating_add(trust.delay);
            if release.activation < earliest {
                return Err(refused(
                    RELEASE,
                    format!("the release may be active from block {earliest} at the earliest"),
                ));
            }
            let vouched = trust.rebuilders.vouch(&release, &work.scene.genesis.chain_id);
            vouched.map_err(|why| refused(REBUILDERS, why.to_string()))?;
            let measurement = release.build.measurement;
            match trust.releases.binary_search_by_key(&measurement, |release| release.build.measurement) {
                Ok(_) => return Err(refused(RELEASE, "there is a release with this measurement")),
                Err(_) if trust.releases.len() >= MAX_RELEASES => return Err(refused(RELEASE, "too many releases")),
                Err(place) => trust.releases.insert(place, release),
            }
            work.meter.write(Leaf::Trust, Some(&trust))?;
        }
        TrustMessage::Retire(message) => {
            let measurement = word(&message.measurement)?;
            let known = trust.releases.len();
            trust.releases.retain(|release| release.build.measurement != measurement);
            if trust.releases.len() == known {
                return Err(refused(RELEASE, "there is no release with this measurement"));
            }
            work.meter.write(Leaf::Trust, Some(&trust))?;
        }
        TrustMessage::Revoke(message) => {
            let chip = word(&message.hardware)?;
            let node: Option<Node> = work.meter.read(Leaf::Node(chip))?;
            let mut node = node.ok_or_else(|| refused(UNKNOWN, "no node is registered with this chip"))?;
            (node.revoked, node.share) = (true, Default::default());
            work.meter.write(Leaf::Node(chip), Some(&node))?;
        }
        TrustMessage::SetRebuilders(message) => {
            trust.rebuilders = message.read()?;
            for release in &mut trust.releases {
                release.rebuilt.retain(|rebuilt| trust.rebuilders.keys.contains(&rebuilt.rebuilder));
            }
            work.set_trust(&trust, REBUILDERS)?;
        }
        TrustMessage::SetCaps(message) => {
            trust.caps = message.read()?;
            work.set_trust(&trust, CAPS)?;
        }
    }
    Ok((Any { type_url: format!("{}Response", message.type_url()), value: Vec::new() }, Vec::new()))
}

impl<S: Supply> Work<'_, '_, S> {
    /// Puts a trust section in force, if a genesis could have it.
    fn set_trust(&mut self, trust: &Trust, code: u32) -> Result<(), Fail> {
        let genesis = &self.scene.genesis;
        trust.check(&genesis.chain_id, genesis.simulated).map_err(|why| refused(code, why.to_string()))?;
        self.meter.write(Leaf::Trust, Some(trust))
    }

    fn register(&mut self, trust: &Trust, message: &RaAuthenticate) -> Result<(Node, Vec<Event>), Fail> {
        let owner = from_bytes(&message.sender)?;
        self.meter.charge(VERIFICATION_GAS, "verification of evidence")?;
        let unreadable = || refused(CERTIFICATE, "the certificate is not a registration");
        let registration = Registration::from_bytes(&message.certificate).ok_or_else(unreadable)?;
        let verified = self.verify(trust, &registration)?;
        let chip = verified.hardware.0;
        let former: Option<Node> = self.meter.read(Leaf::Node(chip))?;
        may_renew(former.as_ref(), owner, self.scene.before)?;
        self.check_caps(trust, owner, former.as_ref(), verified.family)?;
        let known = self.meter.read::<B256>(Leaf::BootKey(registration.boot.kem))?.is_some();
        if holds(Mechanism::EvidenceOnce) && known {
            return Err(refused(REPLAY, "the boot key was registered before"));
        }
        let (scene, boot) = (self.scene, registration.boot);
        let tx = scene.keys.transaction(scene.header.height, scene.header_hash, self.tx_hash());
        let share = scene.keys.share(&scene.genesis.hash(), &registration.id(), &boot.kem, &tx);
        let share = share.map_err(|_| refused(CERTIFICATE, "the boot key is of low order"))?;
        let mut node = Node::new(owner, &registration, &verified, self.position());
        if !(holds(Mechanism::OneRun) && waits(scene, former.as_ref())) {
            node.share = share.into();
        }
        if former.is_none() {
            self.enlist(chip)?;
        }
        self.meter.write(Leaf::Node(chip), Some(&node))?;
        self.meter.write(Leaf::BootKey(boot.kem), Some(&chip))?;
        let attributes = [
            ("module", "register".to_owned()),
            ("signer", bech32(&owner)),
            ("encrypted_seed", node.share.to_string()),
            ("node_id", boot.kem.to_string()),
        ];
        Ok((node, vec![event("message", attributes)]))
    }

    /// What the evidence proves at the time of the block before (M-22).
    fn verify(&self, trust: &Trust, registration: &Registration) -> Result<Verified, Fail> {
        let genesis = &self.scene.genesis;
        let now = if holds(Mechanism::EvidenceTime) { self.scene.before } else { genesis.time / 1_000_000_000 };
        // The texts are ours, and the same on every node: nothing that a library wrote gets out.
        let verified = registration.verify(&genesis.chain_id, genesis.simulated, trust, now, self.scene.header.height);
        verified.map_err(|why| {
            let code = match why {
                NotAdmitted::Evidence(_) => EVIDENCE,
                NotAdmitted::Binding => BINDING,
                NotAdmitted::Release => RELEASE,
            };
            refused(code, why.to_string())
        })
    }

    /// Puts a chip on the list.
    fn enlist(&mut self, chip: B256) -> Result<(), Fail> {
        let mut chips: Vec<B256> = self.meter.read(Leaf::Nodes)?.unwrap_or_default();
        if chips.len() >= MAX_NODES {
            return Err(refused(FULL, "too many nodes are registered"));
        }
        chips.push(chip);
        self.meter.write(Leaf::Nodes, Some(&chips))
    }
}

/// Whether the seed has to wait for the next epoch: the chip has another run, and which of the two is the clone, nobody can tell
/// (M-06). On a chain without epochs there is nothing to wait for.
fn waits(scene: &Scene<'_>, former: Option<&Node>) -> bool {
    scene.genesis.epochs.is_some() && former.is_some_and(|former| former.is_admitted(scene.before))
}

/// Whether a chip may be registered again: by whoever did so before, as long as that holds. Who was first with evidence that he saw
/// in a transaction of another's does not keep the other's chip for ever.
fn may_renew(former: Option<&Node>, owner: Address, now: u64) -> Result<(), Fail> {
    let Some(former) = former else { return Ok(()) };
    if holds(Mechanism::Revocation) && former.revoked {
        return Err(refused(REVOKED, "the chip was revoked"));
    }
    if holds(Mechanism::OneOwner) && former.owner != owner && former.is_admitted(now) {
        return Err(refused(TAKEN, "the chip belongs to the node of another account"));
    }
    Ok(())
}

/// Hands a new epoch's roots to the runs that had to wait for it, if what they run is still released and not shut out. Who has just
/// registered waits for another: nobody could have objected.
pub(crate) fn hand_over<S: Supply>(scene: &Scene<'_>, keys: &Keys, state: &mut Overlay<S>) -> Result<(), Halt> {
    let (trust, chips) = [Leaf::Trust, Leaf::Nodes].map(|leaf| state.read(&leaf).map_err(|_| Halt::Supply)).into();
    let (Some(trust), Some(chips)) = (trust?, chips?) else { return Ok(()) };
    let trust = Trust::try_from_slice(&trust).map_err(|_| Halt::Supply)?;
    let chips = Vec::<B256>::try_from_slice(&chips).map_err(|_| Halt::Supply)?;
    let leaves: Vec<_> = chips.into_iter().map(Leaf::Node).collect();
    state.prefetch(&leaves, &[]).map_err(|_| Halt::Supply)?;
    let draws = keys.sweep(scene.header.height, scene.header_hash);
    for leaf in leaves {
        let Some(node) = state.read(&leaf).map_err(|_| Halt::Supply)? else { continue };
        let mut node = Node::try_from_slice(&node).map_err(|_| Halt::Supply)?;
        let wanted = node.is_admitted(scene.before)
            && trust.release(&node.measurement, scene.header.height).is_some()
            && trust.policy.check_family(node.family).is_ok();
        if !node.share.is_empty() || !wanted || node.registered.height == scene.header.height {
            continue;
        }
        let id = node.boot.registration(&node.consensus_key);
        // Nobody gets anything under a key for which everybody knows the secret.
        let Ok(share) = keys.share(&scene.genesis.hash(), &id, &node.boot.kem, &draws) else { continue };
        node.share = share.into();
        state.write(leaf, Some(encode(&node)));
    }
    Ok(())
}

fn refused(code: u32, log: impl Into<String>) -> Fail {
    Fail::of("register", code, log)
}

/// Numbers of the module's errors. They never change.
const NOBODY: u32 = 2;
const CERTIFICATE: u32 = 3;
const EVIDENCE: u32 = 4;
const BINDING: u32 = 5;
const RELEASE: u32 = 6;
const REPLAY: u32 = 7;
const TAKEN: u32 = 8;
const REVOKED: u32 = 9;
const FULL: u32 = 10;
const POLICY: u32 = 11;
const UNKNOWN: u32 = 12;
const REBUILDERS: u32 = 13;
const CAPS: u32 = 14;
/// In the SDK's units: about five milliseconds of certificates and signatures.
const VERIFICATION_GAS: u64 = 500_000;
