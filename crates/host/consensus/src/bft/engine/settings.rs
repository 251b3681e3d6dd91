//! Our wishes in the engine's configuration.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use malachite::app::config::{
    ChannelNames, ConsensusConfig, NodeConfig, P2pConfig, ProtocolNames, PubSubProtocol, ValuePayload, ValueSyncConfig,
};

use super::{EngineConfig, Spread, StartError};
use crate::bft::codec::RESPONSE_BYTES;

/// See the module.
pub(super) struct Settings {
    moniker: String,
    consensus: ConsensusConfig,
    sync: ValueSyncConfig,
}

/// Largest message between neighbours: a part of a block, or a certificate by the largest set.
const MESSAGE_BYTES: u64 = 1 << 20;
/// Most messages of one future height that wait for it: proposal and votes of some rounds of a large set.
const EARLY_MESSAGES: usize = 8_192;

impl Settings {
    /// The engine's configuration for `config`.
    pub fn new(config: &EngineConfig) -> Result<Self, StartError> {
        let address = |text: &String| text.parse::<Multiaddr>().map_err(|_| StartError::Address(text.clone()));
        let mut p2p = P2pConfig {
            listen_addr: address(&config.listen)?,
            persistent_peers: config.peers.iter().map(address).collect::<Result<_, _>>()?,
            protocol_names: protocols(&config.chain_id),
            channel_names: channels(&config.chain_id),
            ..P2pConfig::default()
        };
        let wrong = || StartError::Address(config.listen.clone());
        let socket = socket(&p2p.listen_addr).ok_or_else(wrong)?;
        // The engine would wait for ever for a port that is taken.
        TcpListener::bind(socket).map_err(|error| StartError::Listen(socket, error))?;
        if config.spread == Spread::Direct {
            p2p.protocol = PubSubProtocol::Broadcast;
        }
        p2p.pubsub_max_size.0 = MESSAGE_BYTES;
        p2p.rpc_max_size.0 = RESPONSE_BYTES as u64 + 1_024;
        // Many nodes of one network may stand behind one address, as they do in tests.
        p2p.discovery.max_connections_per_ip = 256;
        p2p.discovery.ip_throttle_duration = Duration::ZERO;
        // The engine dials its persistent peers again and again; the fewer retries in a row, the sooner it starts over.
        p2p.discovery.dial_max_retries = 1;
        let mut sync = ValueSyncConfig {
            status_update_interval: Duration::from_millis(500),
            request_timeout: Duration::from_secs(5),
            batch_size: 16,
            ..ValueSyncConfig::default()
        };
        sync.max_response_size.0 = RESPONSE_BYTES as u64;
        let consensus = ConsensusConfig {
            p2p,
            value_payload: ValuePayload::ProposalAndParts,
            queue_per_height_capacity: EARLY_MESSAGES,
            ..ConsensusConfig::default()
        };
        Ok(Self { moniker: config.moniker.clone(), consensus, sync })
    }
}

/// Where a TCP address is, if it is one.
fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// Peers of another chain are refused when they introduce themselves.
fn protocols(chain_id: &str) -> ProtocolNames {
    let name = |what: &str| format!("/cloister/{chain_id}/{what}/1");
    ProtocolNames {
        consensus: name("consensus"),
        discovery_kad: name("kad"),
        discovery_regres: name("peers"),
        sync: name("sync"),
        validator_proof: name("proof"),
    }
}

fn channels(chain_id: &str) -> ChannelNames {
    let name = |what: &str| format!("/{chain_id}/{what}");
    ChannelNames {
        consensus: name("consensus"),
        proposal_parts: name("parts"),
        sync: name("sync"),
        liveness: name("liveness"),
    }
}

impl NodeConfig for Settings {
    fn moniker(&self) -> &str {
        &self.moniker
    }

    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &ValueSyncConfig {
        &self.sync
    }

    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.sync
    }
}
