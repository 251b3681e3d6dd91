//! Connections to configured peers, for ever.

use std::time::Duration;

use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};
use tokio::time::Instant;

use super::StartError;

/// Which configured peers are to be dialled when. Knows no sockets.
pub(super) struct Dialer {
    me: PeerId,
    targets: Vec<Target>,
}

struct Target {
    address: Multiaddr,
    /// Who has to be there, if the address says so.
    named: Option<PeerId>,
    /// Who was there the last time.
    peer: Option<PeerId>,
    /// The attempt that runs.
    dialing: Option<ConnectionId>,
    /// When the next attempt may start.
    next: Instant,
    /// How long the one after it waits.
    delay: Duration,
    /// Since when it is connected, or is not.
    since: (bool, Instant),
    /// It is this node itself.
    own: bool,
}

impl Dialer {
    /// For the node of this name.
    pub(super) fn new(me: PeerId, addresses: Vec<Multiaddr>, now: Instant) -> Result<Self, StartError> {
        let targets = addresses.into_iter().map(|address| Target::new(address, now)).collect::<Result<_, _>>()?;
        Ok(Self { me, targets })
    }

    /// Peers that the configuration names.
    pub(super) fn named(&self) -> impl Iterator<Item = PeerId> {
        self.targets.iter().filter_map(|target| target.named)
    }

    /// What is to be dialled now; `connected` tells whether a peer is.
    pub(super) fn due(&mut self, now: Instant, connected: impl Fn(&PeerId) -> bool) -> Vec<DialOpts> {
        let me = self.me;
        self.targets.iter_mut().filter_map(|target| target.due(me, now, &connected)).collect()
    }

    /// A connection stands. Those that nobody here asked for are of no concern.
    pub(super) fn established(&mut self, connection: ConnectionId, peer: PeerId) {
        if let Some(target) = self.dialing(connection) {
            target.dialing = None;
            target.peer = Some(peer);
        }
    }

    /// An attempt failed; `peer` is who answered, if anybody did.
    pub(super) fn failed(&mut self, connection: ConnectionId, peer: Option<PeerId>, error: &DialError, now: Instant) {
        let Some(target) = self.dialing(connection) else { return };
        tracing::debug!(address = %target.address, %error, "a configured peer was not reached");
        target.dialing = None;
        match error {
            DialError::LocalPeerId { .. } => target.own = true,
            // We did not want this connection: most likely because the peer has dialled us meanwhile.
            DialError::Denied { .. } => {
                target.peer = peer.or(target.named);
                target.delay = FIRST_DELAY;
                target.next = now + FIRST_DELAY;
            }
            _ => target.peer = target.named,
        }
    }

    fn dialing(&mut self, connection: ConnectionId) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| target.dialing == Some(connection))
    }
}

impl Target {
    fn new(address: Multiaddr, now: Instant) -> Result<Self, StartError> {
        let named = parse(&address)?;
        let fresh = Self {
            address,
            named,
            peer: named,
            dialing: None,
            next: now,
            delay: FIRST_DELAY,
            since: (false, now),
            own: false,
        };
        Ok(fresh)
    }

    fn due(&mut self, me: PeerId, now: Instant, connected: impl Fn(&PeerId) -> bool) -> Option<DialOpts> {
        let connected = self.peer.as_ref().is_some_and(connected);
        if self.since.0 != connected {
            self.since = (connected, now);
        }
        let since = now.saturating_duration_since(self.since.1);
        if connected {
            // A peer that lets us in and soon throws us out must not be dialled ever faster.
            if since >= STEADY {
                self.delay = FIRST_DELAY;
                self.next = now;
            }
            return None;
        }
        // Two that dial each other at once may each refuse the other's connection: the greater name waits for the smaller.
        let courtesy = self.peer.is_some_and(|peer| peer < me) && since < COURTESY;
        if self.own || courtesy || self.dialing.is_some() || now < self.next {
            return None;
        }
        // Not from the port that listens: two nodes that dial each other at once would make one connection of the two.
        let options = match self.named {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::Always)
                .addresses(vec![self.address.clone()])
                .allocate_new_port()
                .build(),
            None => DialOpts::unknown_peer_id().address(self.address.clone()).allocate_new_port().build(),
        };
        self.dialing = Some(options.connection_id());
        self.next = now + self.delay;
        self.delay = (self.delay * 2).min(LAST_DELAY);
        Some(options)
    }
}

/// The peer that an address names. Addresses are of TCP over IP.
pub(super) fn parse(address: &Multiaddr) -> Result<Option<PeerId>, StartError> {
    let parts = address.iter().collect::<Vec<_>>();
    match parts[..] {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)] => Ok(None),
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_), Protocol::P2p(peer)] => Ok(Some(peer)),
        _ => Err(StartError::Address(address.clone())),
    }
}

/// From the first attempt to the second.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Between attempts, at most.
const LAST_DELAY: Duration = Duration::from_secs(10);
/// How long a peer of a smaller name is given to dial us first.
const COURTESY: Duration = Duration::from_secs(1);
/// A connection that lasted this long was a success.
const STEADY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn dialer(address: &str, now: Instant) -> Dialer {
        Dialer::new(least(), vec![address.parse().unwrap()], now).unwrap()
    }

    /// A name before all others that are random.
    fn least() -> PeerId {
        PeerId::from_multihash(libp2p::multihash::Multihash::wrap(0, &[]).unwrap()).unwrap()
    }

    fn silence() -> DialError {
        DialError::Transport(Vec::new())
    }

    const NOBODY: fn(&PeerId) -> bool = |_| false;
    const EVERYBODY: fn(&PeerId) -> bool = |_| true;

    #[test]
    fn attempts_come_slower_and_never_end() {
        let start = Instant::now();
        let mut dialer = dialer("/ip4/127.0.0.1/tcp/1", start);
        let mut attempts = Vec::new();
        for second in 0..60 {
            for options in dialer.due(start + Duration::from_secs(second), NOBODY) {
                attempts.push(second);
                let now = start + Duration::from_secs(second);
                dialer.failed(options.connection_id(), None, &silence(), now);
            }
        }
        assert_eq!(attempts, [0, 1, 3, 7, 15, 25, 35, 45, 55]);
    }

    #[test]
    fn one_attempt_runs_at_a_time() {
        let start = Instant::now();
        let mut dialer = dialer("/ip4/127.0.0.1/tcp/1", start);
        assert_eq!(dialer.due(start, NOBODY).len(), 1);
        assert!(dialer.due(start + Duration::from_secs(100), NOBODY).is_empty());
    }

    #[test]
    fn a_lost_peer_is_dialled_at_once_unless_it_had_just_come() {
        let start = Instant::now();
        let mut dialer = dialer("/ip4/127.0.0.1/tcp/1", start);
        let peer = PeerId::random();
        let attempt = dialer.due(start, NOBODY).remove(0).connection_id();
        dialer.established(attempt, peer);
        assert!(dialer.due(start, EVERYBODY).is_empty());
        assert!(dialer.due(start, NOBODY).is_empty(), "it had just come");
        let attempt = dialer.due(start + Duration::from_secs(1), NOBODY).remove(0).connection_id();
        dialer.established(attempt, peer);
        for second in [2, 12] {
            assert!(dialer.due(start + Duration::from_secs(second), EVERYBODY).is_empty());
        }
        assert_eq!(dialer.due(start + Duration::from_secs(12), NOBODY).len(), 1);
    }

    #[test]
    fn who_was_refused_is_known_and_not_dialled_while_it_is_connected() {
        let start = Instant::now();
        let mut dialer = dialer("/ip4/127.0.0.1/tcp/1", start);
        let peer = PeerId::random();
        let attempt = dialer.due(start, NOBODY).remove(0).connection_id();
        let denied = DialError::Denied { cause: libp2p::swarm::ConnectionDenied::new(std::fmt::Error) };
        dialer.failed(attempt, Some(peer), &denied, start);
        let hour = start + Duration::from_secs(3_600);
        assert!(dialer.due(hour, |connected| *connected == peer).is_empty());
        assert_eq!(dialer.due(hour, NOBODY).len(), 1);
    }

    #[test]
    fn the_greater_name_lets_the_smaller_dial_first() {
        let start = Instant::now();
        let greater = PeerId::random();
        let address = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", least()).parse().unwrap();
        let mut dialer = Dialer::new(greater, vec![address], start).unwrap();
        assert!(dialer.due(start, NOBODY).is_empty());
        assert_eq!(dialer.due(start + COURTESY, NOBODY).len(), 1);
    }

    #[test]
    fn a_node_does_not_call_itself_twice() {
        let start = Instant::now();
        let mut dialer = dialer("/ip4/127.0.0.1/tcp/1", start);
        let attempt = dialer.due(start, NOBODY).remove(0).connection_id();
        let own = DialError::LocalPeerId { address: "/ip4/127.0.0.1/tcp/1".parse().unwrap() };
        dialer.failed(attempt, None, &own, start);
        assert!(dialer.due(start + Duration::from_secs(100), NOBODY).is_empty());
    }

    #[test]
    fn addresses_are_of_tcp_over_ip() {
        let peer = PeerId::random();
        let named = format!("/ip6/::1/tcp/4/p2p/{peer}").parse().unwrap();
        assert_eq!(parse(&named).unwrap(), Some(peer));
        assert_eq!(parse(&"/ip4/1.2.3.4/tcp/4".parse().unwrap()).unwrap(), None);
        for other in ["/ip4/1.2.3.4", "/ip4/1.2.3.4/udp/4", "/dns4/example.org/tcp/4", "/ip4/1.2.3.4/tcp/4/ws"] {
            assert!(parse(&other.parse().unwrap()).is_err(), "{other}");
        }
    }
}
