use alloy_primitives::{B256, Bytes};
use cloister_chain::cosmos::{AuthzMessage, Exec, Message, TrustMessage};
use cloister_chain::trust::{Node, Registration, Trust};
use cloister_chain::{CosmosTx, Header, Leaf};

use super::enclave::Court;
use super::{Bundle, BundleError, Demands, FORMAT, MAX_MEMBERS, Member, Start, proven};
use crate::Error;
use crate::light::{Anchor, LeafProof, LightClient, Place, Source};

impl Bundle {
    /// Asks a node for what leads from a trusted block to its newest one, and for as many enclaves as are demanded: those
    /// that registered last, of as many makers as there are. What the node says is verified on the way, and the bundle as a
    /// whole at the end: one that is returned is good for this wallet at this time.
    pub async fn collect<S: Source>(source: S, trusted: Anchor, demands: &Demands, now: u64) -> Result<Self, Error> {
        let mut client = LightClient::open(source, trusted, demands.rules).await?;
        let start = client.trusted().clone();
        let links = client.follow_links(client.tip().await?, now).await?;
        let header = client.trusted().header().clone();
        let read = Reader { source: client.source(), header: &header };

        let trust = read.leaf(Leaf::Trust).await?;
        let policy: Trust = proven("trust", Leaf::Trust, &trust, &header)?;
        let nodes = read.leaf(Leaf::Nodes).await?;
        let chips: Vec<B256> = proven("nodes", Leaf::Nodes, &nodes, &header)?;
        let court = Court { header: &header, trust: &policy, nodes: &chips, now };
        let members = read.members(&court, demands).await?;
        let bundle = Self {
            format: FORMAT.into(),
            chain_id: header.chain_id.clone(),
            simulated: header.simulated,
            start: Start { header: start.header().clone(), next_validators: start.next_validators().clone() },
            links,
            trust,
            epoch: read.leaf(Leaf::Epoch).await?,
            nodes,
            members,
        };
        bundle.verify(&trusted, demands, now)?;
        Ok(bundle)
    }
}

/// Asks about the state that a header names.
struct Reader<'a, S> {
    source: &'a S,
    header: &'a Header,
}

impl<S: Source> Reader<'_, S> {
    async fn leaf(&self, leaf: Leaf) -> Result<LeafProof, Error> {
        // A genesis names no state: there is no block below it.
        let height = self.header.height.checked_sub(1).ok_or(BundleError::Absent("block above the genesis"))?;
        self.source.leaf(leaf, height).await
    }

    /// Members that count, the newest first. One more of a maker that is there already only while there are too few.
    async fn members(&self, court: &Court<'_>, demands: &Demands) -> Result<Vec<Member>, Error> {
        let vendors = demands.vendors(self.header.simulated);
        let (mut members, mut makers) = (Vec::new(), Vec::new());
        for chip in court.nodes.iter().rev() {
            if members.len() >= MAX_MEMBERS || members.len() >= demands.nodes && makers.len() >= vendors {
                break;
            }
            let Some(member) = self.member(*chip).await? else { continue };
            let Ok(enclave) = court.admit(&member) else { continue };
            let vendor = enclave.family.vendor();
            let new = !makers.contains(&vendor);
            if new || members.len() < demands.nodes {
                members.push(member);
            }
            if new {
                makers.push(vendor);
            }
        }
        Ok(members)
    }

    /// The node of a chip; `None` if it is not admitted, or its registration is not where its record says.
    async fn member(&self, chip: B256) -> Result<Option<Member>, Error> {
        let told = self.leaf(Leaf::Node(chip)).await?;
        let node: Node = proven("node", Leaf::Node(chip), &told, self.header)?;
        if !node.is_admitted(self.header.seconds()) {
            return Ok(None);
        }
        let place = Place { height: node.registered.height, index: node.registered.index };
        if place.height == 0 {
            let registration = self.source.genesis_certificate(place.index).await?;
            return Ok(registration.map(|registration| Member { chip, node: told, registration }));
        }
        let inclusion = match self.source.inclusion(place).await {
            Ok(inclusion) => inclusion,
            // A node that began with the state of others does not have every block.
            Err(Error::Door(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let registration = registration(&inclusion.tx, &node);
        Ok(registration.map(|registration| Member { chip, node: told, registration }))
    }
}

/// The certificate in a transaction with which a node registered.
fn registration(tx: &Bytes, node: &Node) -> Option<Bytes> {
    // Behind the byte that names its world.
    let tx = CosmosTx::decode(tx.get(1..)?).ok()?;
    find(tx.messages(), node)
}

fn find(messages: &[Message], node: &Node) -> Option<Bytes> {
    messages.iter().find_map(|message| match message {
        Message::Trust(TrustMessage::Register(message)) => {
            let registration = Registration::from_bytes(&message.certificate)?;
            (registration.boot == node.boot).then(|| Bytes::copy_from_slice(&message.certificate))
        }
        Message::Authz(AuthzMessage::Exec(Exec { messages, .. })) => find(messages, node),
        _ => None,
    })
}
