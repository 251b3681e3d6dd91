//! Which node is where.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::error::Error;
use crate::settings::{DoorSettings, NetworkSettings, Settings};

/// The nodes of a network, validators first.
#[derive(Debug)]
pub struct Plan {
    /// One for each node.
    pub seats: Vec<Seat>,
}

/// One node of a network.
#[derive(Debug)]
pub struct Seat {
    /// The name of its directory.
    pub name: String,
    /// Its voting power; `None` if it only follows.
    pub power: Option<u64>,
    /// What its settings file says.
    pub settings: Settings,
}

/// The ports of a node.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    ethereum: u16,
    cosmos: u16,
    faucet: u16,
    ops: u16,
    validators: u16,
    gossip: u16,
}

impl Ports {
    /// What clients and operators of such chains expect.
    pub const USUAL: Self =
        Self { ethereum: 8_545, cosmos: 1_317, faucet: 5_000, ops: 26_660, validators: 26_656, gossip: 26_658 };

    /// The ports of the node that comes `others` nodes later on the same machine.
    fn after(self, others: u16) -> Result<Self, Error> {
        let step = others.checked_mul(STEP).ok_or(PORTS)?;
        let next = |port: u16| port.checked_add(step).ok_or(PORTS);
        Ok(Self {
            ethereum: next(self.ethereum)?,
            cosmos: next(self.cosmos)?,
            faucet: next(self.faucet)?,
            ops: next(self.ops)?,
            validators: next(self.validators)?,
            gossip: next(self.gossip)?,
        })
    }
}

impl From<u16> for Ports {
    /// Six in a row.
    fn from(base: u16) -> Self {
        let [ethereum, cosmos, faucet, ops, validators, gossip] =
            [0, 1, 2, 3, 4, 5].map(|step| base.saturating_add(step));
        Self { ethereum, cosmos, faucet, ops, validators, gossip }
    }
}

impl Plan {
    /// A node for each of `powers`, and `followers` more. Without `hosts` all are on this machine.
    pub fn new(powers: &[u64], followers: u16, hosts: &[IpAddr], ports: Ports) -> Result<Self, Error> {
        let count = powers.len().saturating_add(followers.into());
        if !hosts.is_empty() && hosts.len() != count {
            return Err(Error::Plan("--hosts has one address for each node, validators first"));
        }
        let mut neighbours: BTreeMap<IpAddr, u16> = BTreeMap::new();
        let mut places = Vec::new();
        for index in 0..count {
            let host = hosts.get(index).copied().unwrap_or(LOCAL);
            let before = neighbours.entry(host).or_default();
            places.push((host, ports.after(*before)?));
            *before += 1;
        }
        let powers = powers.iter().copied().map(Some).chain(std::iter::repeat(None));
        let seat = |((index, (host, ports)), power): ((usize, &(IpAddr, Ports)), Option<u64>)| {
            let others = || places.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, place)| place);
            // A node of several machines has to be reached from outside, its doors for clients only if somebody says so.
            let inside = if hosts.is_empty() { LOCAL } else { unspecified(*host) };
            let door = |port| SocketAddr::new(LOCAL, port);
            let settings = Settings {
                doors: DoorSettings {
                    ethereum: door(ports.ethereum),
                    cosmos: door(ports.cosmos),
                    faucet: Some(door(ports.faucet)),
                    ops: Some(door(ports.ops)),
                },
                network: NetworkSettings {
                    moniker: format!("node{index}"),
                    listen: multiaddr(inside, ports.validators),
                    peers: others().map(|(host, ports)| multiaddr(*host, ports.validators)).collect(),
                    gossip_listen: multiaddr(inside, ports.gossip),
                    gossip_peers: others().map(|(host, ports)| multiaddr(*host, ports.gossip)).collect(),
                },
                ..Settings::default()
            };
            Seat { name: format!("node{index}"), power, settings }
        };
        Ok(Self { seats: places.iter().enumerate().zip(powers).map(seat).collect() })
    }
}

/// An address as libp2p writes it.
pub fn multiaddr(host: IpAddr, port: u16) -> String {
    let kind = if host.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{kind}/{host}/tcp/{port}")
}

/// Every address of a machine, of the same kind as `host`.
fn unspecified(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Between the ports of two nodes on one machine.
const STEP: u16 = 10;
const PORTS: Error = Error::Plan("there are not so many ports on one machine");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn on_one_machine_every_node_has_ports_of_its_own_and_knows_all_others() {
        for ports in [Ports::USUAL, Ports::from(30_000)] {
            let plan = Plan::new(&[10, 10, 40], 2, &[], ports).unwrap();
            let names: Vec<&str> = plan.seats.iter().map(|seat| seat.name.as_str()).collect();
            assert_eq!(names, ["node0", "node1", "node2", "node3", "node4"]);
            let powers: Vec<_> = plan.seats.iter().map(|seat| seat.power).collect();
            assert_eq!(powers, [Some(10), Some(10), Some(40), None, None]);
            let mut taken = BTreeSet::new();
            for seat in &plan.seats {
                let Settings { doors, network, .. } = &seat.settings;
                for address in [Some(doors.ethereum), Some(doors.cosmos), doors.faucet, doors.ops] {
                    assert!(taken.insert(address.unwrap().port()));
                }
                for address in [&network.listen, &network.gossip_listen] {
                    assert!(taken.insert(address.rsplit_once('/').unwrap().1.parse().unwrap()), "{address}");
                }
                assert!(!network.peers.contains(&network.listen) && network.peers.len() == 4);
                assert!(!network.gossip_peers.contains(&network.gossip_listen) && network.gossip_peers.len() == 4);
            }
        }
    }

    #[test]
    fn on_several_machines_nodes_are_reached_from_outside_and_their_doors_are_not() {
        let hosts = ["10.0.0.1", "fd00::2", "10.0.0.1"].map(|host| host.parse().unwrap());
        let plan = Plan::new(&[1, 1, 1], 0, &hosts, Ports::USUAL).unwrap();
        let [first, second, third] = plan.seats.as_slice() else { panic!("three") };
        assert_eq!(first.settings.network.listen, "/ip4/0.0.0.0/tcp/26656");
        assert_eq!(first.settings.network.peers, ["/ip6/fd00::2/tcp/26656", "/ip4/10.0.0.1/tcp/26666"]);
        assert_eq!(second.settings.network.listen, "/ip6/::/tcp/26656");
        assert_eq!(third.settings.doors.ethereum.to_string(), "127.0.0.1:8555");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Plan::new(&[1, 1], 0, &[LOCAL], Ports::USUAL).is_err(), "a host too few");
        assert!(Plan::new(&[1; 256], 0, &[], Ports::from(64_000)).is_err(), "too few ports");
    }
}
