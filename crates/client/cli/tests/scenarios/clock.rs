//! Nodes whose clock is wrong.
//!
//! The clock is that of the process: libfaketime stands between it and the system.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use cloister_chain::Header;
use cloister_chain::staking::key_address;
use cloister_sdk::light::Source;

use super::faults::refused;
use super::network::{Network, Plan};

#[test]
fn a_validator_whose_clock_is_ahead_proposes_in_vain_and_the_chain_keeps_its_time() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).make();
    network.nodes[3].skew = Skew(MINUTES);
    network.start(0..4);
    (0..4).for_each(|node| network.pay(node));
    network.grows(&[0, 1, 2, 3], 12);
    (0..3).for_each(|node| assert!(refused(&network.log(node), "time") > 0));
    let headers = network.headers();
    let ahead = network.address(3);
    assert!(headers.iter().all(|header| header.proposer != ahead), "none of its blocks is decided");
    assert!(headers.last().unwrap().time < now() + TOLERANCE, "the chain's time stays near everybody else's");
    network.compare();
}

#[test]
fn a_validator_whose_clock_is_behind_still_proposes_and_time_goes_on() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).make();
    network.nodes[3].skew = Skew(-MINUTES);
    network.start(0..4);
    (0..4).for_each(|node| network.pay(node));
    let behind = network.address(3);
    let own = |headers: &[Header]| headers.windows(2).find(|pair| pair[1].proposer == behind).map(<[Header]>::to_vec);
    super::reach::wait("one of its blocks is decided", || own(&network.headers()).is_some());
    let pair = own(&network.headers()).unwrap();
    assert_eq!(pair[1].time, pair[0].time + 1, "its clock says nothing later");
    let headers = network.headers();
    assert!(headers.is_sorted_by(|one, next| one.time < next.time));
    network.compare();
}

impl Network {
    /// Every header since the genesis, as the first node tells them.
    fn headers(&self) -> Vec<Header> {
        let mut headers: Vec<Header> = Vec::new();
        let height = self.height(&[0]);
        while (headers.len() as u64) < height {
            let from = headers.len() as u64 + 1;
            let told = self.reach(0).talk(async |node| node.light().headers(from, 64).await).unwrap();
            headers.extend(told.headers.into_iter().map(|(header, _)| header));
        }
        headers
    }

    fn address(&self, node: usize) -> cloister_sdk::Address {
        key_address(&self.nodes[node].validator)
    }
}

/// Seconds by which a clock is ahead.
#[derive(Clone, Copy, Default)]
pub struct Skew(pub i64);

impl Skew {
    /// Has the command see that clock.
    pub fn apply(self, command: &mut Command) {
        if self.0 == 0 {
            return;
        }
        // The loader says no more than a warning of a library that is not there.
        let seen = Command::new("date").arg("+%s").envs(self.environment()).output().unwrap().stdout;
        let seen: i64 = String::from_utf8(seen).unwrap().trim().parse().unwrap();
        let real = i64::try_from(now() / 1_000_000_000).unwrap();
        let skewed = (seen - real - self.0).abs() < 60;
        assert!(skewed, "wrong clocks need libfaketime (Debian: libfaketime): there is no {LIBRARY}");
        command.envs(self.environment());
    }

    fn environment(self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", LIBRARY.into()),
            ("FAKETIME", format!("{:+}s", self.0)),
            // Time-outs go by the true passing of time, and files have true dates.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

/// Nanoseconds since the Unix epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}

/// The loader knows what `$LIB` is on this machine.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketime.so.1";
/// Ten, in seconds.
const MINUTES: i64 = 600;
/// How far validators let a proposer's clock be ahead of theirs, in nanoseconds.
const TOLERANCE: u64 = 10_000_000_000;
