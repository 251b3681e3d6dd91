//! The swarm: transport, protocols, and their settings.

use std::collections::HashSet;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cloister_chain::{B256, hash};
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::upgrade::Version;
use libp2p::gossipsub::{
    self, ConfigBuilder, DataTransform, IdentTopic, MessageAuthenticity, MessageId, RawMessage, TopicHash,
    ValidationMode, WhitelistSubscriptionFilter,
};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, Swarm, Transport as _, noise, ping, tcp, yamux};

use super::wire::{self, MESSAGE_BYTES};
use super::{Key, Limits, StartError};

/// All protocols of one connection. Those that refuse connections come first, so that the others do not hear of them.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) limits: connection_limits::Behaviour,
    /// One connection for each peer. Gossipsub spreads what it has for a peer over all its connections, which costs the order
    /// of messages; and it tells on the first only what it wants, which is lost if that one goes.
    unique: connection_limits::Behaviour,
    pub(super) blocked: allow_block_list::Behaviour<BlockedPeers>,
    pub(super) ping: ping::Behaviour,
    pub(super) gossip: gossipsub::Behaviour<Screen, WhitelistSubscriptionFilter>,
    pub(super) exchange: request_response::Behaviour<wire::Codec>,
}

/// The topic of transactions of a chain.
pub(super) fn topic(chain: &B256) -> IdentTopic {
    IdentTopic::new(format!("cloister/{chain}/txs"))
}

/// A swarm that neither listens nor dials yet.
pub(super) fn build(key: Key, chain: &B256, limits: &Limits) -> Result<Swarm<Behaviour>, StartError> {
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(
            ConnectionLimits::default()
                .with_max_established_incoming(Some(limits.inbound))
                .with_max_pending_incoming(Some(limits.inbound)),
        ),
        unique: connection_limits::Behaviour::new(ConnectionLimits::default().with_max_established_per_peer(Some(1))),
        blocked: allow_block_list::Behaviour::default(),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING)),
        gossip: gossip(chain),
        exchange: request_response::Behaviour::new(
            [(protocol(chain, "exchange/1"), ProtocolSupport::Full)],
            request_response::Config::default()
                .with_request_timeout(ANSWER)
                .with_max_concurrent_streams(STREAMS_PER_LINK / 2),
        ),
    };
    // A node of another chain fails in the handshake, and learns no more than that something listens here.
    let handshake = noise::Config::new(&key.0)?.with_prologue(chain.to_vec());
    let mut muxer = yamux::Config::default();
    muxer.set_max_num_streams(STREAMS_PER_LINK);
    let transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(handshake)
        .multiplex(muxer)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(Prompt(StreamMuxerBox::new(muxer)))));
    let settings = libp2p::swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(FOR_EVER)
        .with_per_connection_event_buffer_size(1)
        .with_max_negotiating_inbound_streams(STREAMS_PER_LINK);
    Ok(Swarm::new(TransportTimeout::new(transport, CONNECT).boxed(), behaviour, key.peer(), settings))
}

fn gossip(chain: &B256) -> gossipsub::Behaviour<Screen, WhitelistSubscriptionFilter> {
    let topic = topic(chain).hash();
    let config = ConfigBuilder::default()
        .protocol_id_prefix(protocol(chain, "gossip").to_string())
        .validate_messages()
        // Messages have no author: who sends a transaction first is not written on it. What a message carries beside its
        // content is refused by the screen; the mode of this name would log a line for each.
        .validation_mode(ValidationMode::None)
        .message_id_fn(|message| MessageId::from(hash::tagged("cloister/gossip/message", &[&message.data]).to_vec()))
        // Two doors may be given the same transaction: then a peer tells us what we told it, and does no wrong.
        .allow_self_origin(true)
        .max_transmit_size(MESSAGE_BYTES + FRAME)
        .max_ihave_length(IDS_PER_FRAME)
        .max_messages_per_rpc(Some(MESSAGES_PER_FRAME))
        .heartbeat_initial_delay(Duration::from_secs(1))
        .duplicate_cache_time(super::seen::GENERATION)
        .connection_handler_queue_len(QUEUE_PER_LINK)
        .build()
        .expect("constants that satisfy the rules of gossipsub");
    let mut gossip = gossipsub::Behaviour::new_with_subscription_filter_and_transform(
        MessageAuthenticity::Anonymous,
        config,
        WhitelistSubscriptionFilter(HashSet::from([topic.clone()])),
        Screen { topic },
    )
    .expect("messages without author fit the mode of validation");
    gossip.subscribe(&self::topic(chain)).expect("the filter lets this topic pass");
    gossip
}

fn protocol(chain: &B256, name: &str) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/cloister/{chain}/{name}")).expect("it begins with a slash")
}

/// Closes without waiting for the other side. A dead connection with full buffers would take the system a quarter of an hour
/// to close, and its peer could not come back for that time.
struct Prompt(StreamMuxerBox);

impl StreamMuxer for Prompt {
    type Substream = SubstreamBox;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<SubstreamBox>> {
        Pin::new(&mut self.0).poll_inbound(cx)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<SubstreamBox>> {
        Pin::new(&mut self.0).poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_close(cx) {
            Poll::Ready(closed) => Poll::Ready(closed),
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Keeps out what gossipsub would else put into its caches before anybody can judge it.
pub(super) struct Screen {
    topic: TopicHash,
}

impl DataTransform for Screen {
    fn inbound_transform(&self, raw: RawMessage) -> Result<gossipsub::Message, io::Error> {
        let plain = raw.signature.is_none() && raw.key.is_none();
        if raw.topic != self.topic || !plain || raw.data.is_empty() || raw.data.len() > MESSAGE_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(gossipsub::Message { source: None, data: raw.data, sequence_number: None, topic: raw.topic })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> Result<Vec<u8>, io::Error> {
        Ok(data)
    }
}

/// How long the other side may take for an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(10);
/// Between two signs of life.
const PING: Duration = Duration::from_secs(2);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Connections are closed for silence, not for idleness; ten years.
const FOR_EVER: Duration = Duration::from_secs(315_360_000);
/// Two of gossip, two of ping, the rest for requests. Each may hold 256 KiB unread.
const STREAMS_PER_LINK: usize = 32;
/// Messages that wait for a slow peer, half of them our own, half forwarded. The rest is dropped.
const QUEUE_PER_LINK: usize = 512;
/// An honest node puts one into each.
const MESSAGES_PER_FRAME: usize = 16;
/// Message ids that one frame tells or asks for, 34 bytes each.
const IDS_PER_FRAME: usize = 1_000;
/// What the frame adds to a message: topic and tags.
const FRAME: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use futures::io::Cursor;
    use futures::task::noop_waker_ref;

    use super::*;

    /// A connection into the void: whatever it is to do never ends.
    struct Void;

    impl StreamMuxer for Void {
        type Substream = Cursor<Vec<u8>>;
        type Error = io::Error;

        fn poll_inbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
            Poll::Pending
        }
    }

    #[test]
    fn a_connection_into_the_void_closes_at_once() {
        let mut muxer = Prompt(StreamMuxerBox::new(Void));
        let mut context = Context::from_waker(noop_waker_ref());
        assert!(Pin::new(&mut muxer).poll(&mut context).is_pending());
        assert!(matches!(Pin::new(&mut muxer).poll_close(&mut context), Poll::Ready(Ok(()))));
    }
}
