//! Machines without machines: each node in a network namespace of its own, plugged into a switch that can be split.
//!
//! The switch is a namespace too, with a bridge for each side of a partition, so that nothing is made in the namespace of
//! the test. Names carry the test's process id: runs beside each other do not meet, and what a killed run left behind is
//! removed by the next one.

use std::fs::File;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fd::AsFd;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A switch and the namespaces around it. Gone when dropped.
pub struct Fabric {
    switch: String,
    machines: Vec<String>,
}

/// A namespace that threads can enter.
#[derive(Clone)]
pub struct Namespace(Arc<File>);

impl Fabric {
    /// Machines that all see each other.
    pub fn new(machines: usize) -> Self {
        static RUN: AtomicU32 = AtomicU32::new(0);
        sweep();
        let run = RUN.fetch_add(1, Ordering::Relaxed);
        let name = |what: &str| format!("{PREFIX}{}-{run}-{what}", std::process::id());
        let mut fabric = Self { switch: name("switch"), machines: Vec::new() };
        ip(&["netns", "add", &fabric.switch]);
        for side in 0..SIDES {
            let bridge = bridge(side);
            fabric.at_switch(&["link", "add", &bridge, "type", "bridge"]);
            fabric.at_switch(&["link", "set", &bridge, "up"]);
        }
        for index in 0..machines {
            let machine = name(&index.to_string());
            ip(&["netns", "add", &machine]);
            fabric.machines.push(machine.clone());
            let plug = plug(index);
            fabric.at_switch(&["link", "add", &plug, "type", "veth", "peer", "name", "eth0", "netns", &machine]);
            fabric.at_switch(&["link", "set", &plug, "master", &bridge(0), "up"]);
            ip(&["-n", &machine, "address", "add", &format!("{}/24", host(index)), "dev", "eth0"]);
            ip(&["-n", &machine, "link", "set", "lo", "up"]);
            ip(&["-n", &machine, "link", "set", "eth0", "up"]);
        }
        fabric
    }

    /// Plugs a machine into one side of the switch. Machines see those of their own side.
    pub fn plug(&self, machine: usize, side: usize) {
        self.at_switch(&["link", "set", &plug(machine), "master", &bridge(side)]);
    }

    /// A machine's namespace.
    pub fn namespace(&self, machine: usize) -> Namespace {
        let path = format!("/run/netns/{}", self.machines[machine]);
        Namespace(Arc::new(File::open(path).unwrap()))
    }

    fn at_switch(&self, arguments: &[&str]) {
        ip(&[&["-n", &self.switch], arguments].concat());
    }
}

impl Namespace {
    /// Moves this thread, and what it starts from now on, into the namespace.
    pub fn enter(&self) {
        let moved = move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network));
        moved.expect("entering a network namespace takes root (CAP_SYS_ADMIN)");
    }
}

impl Drop for Fabric {
    fn drop(&mut self) {
        self.machines.iter().chain([&self.switch]).for_each(|name| remove(name));
    }
}

/// Address of a machine.
pub fn host(machine: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, u8::try_from(machine + 1).unwrap())
}

fn ip(arguments: &[&str]) {
    let done = Command::new("ip").args(arguments).output().expect("partitions need iproute2: there is no `ip`");
    let error = String::from_utf8_lossy(&done.stderr);
    let words = arguments.join(" ");
    assert!(done.status.success(), "partitions need root and network namespaces: `ip {words}` failed: {error}");
}

/// Removes what killed runs left behind.
fn sweep() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let owner = |name: &str| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok();
    let orphaned = |name: &String| owner(name).is_some_and(|owner| !std::fs::exists(format!("/proc/{owner}")).unwrap());
    names.filter(orphaned).for_each(|name| remove(&name));
}

/// Removes a namespace. Processes in it keep it alive, without a name.
fn remove(name: &str) {
    let _ = Command::new("ip").args(["netns", "delete", name]).status();
}

fn bridge(side: usize) -> String {
    format!("side{side}")
}

fn plug(machine: usize) -> String {
    format!("plug{machine}")
}

const PREFIX: &str = "cloister-test-";
/// Sides of a partition at most.
const SIDES: usize = 2;
