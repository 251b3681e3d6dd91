//! Nodes that die.

use std::thread;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::network::Plan;
use super::traffic::Traffic;

#[test]
fn one_of_four_dies_and_the_others_go_on_and_it_catches_up() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).start();
    network.pay(3);
    network.kill([3]);
    network.pay(0);
    network.grows(&[0, 1, 2], 5);
    network.pay(1);
    network.start([3]);
    network.reach(3).reaches(network.height(&[0]));
    network.pay(3);
    network.compare();
}

#[test]
fn two_of_four_die_and_the_chain_halts_until_one_is_back() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).start();
    network.pay(0);
    network.kill([2, 3]);
    network.halts(&[0, 1]);
    network.start([2]);
    network.pay(1);
    network.start([3]);
    network.grows(&[0, 1, 2, 3], 3);
    network.compare();
}

#[test]
fn whoever_has_a_third_of_the_power_can_halt_the_chain_and_whoever_has_less_cannot() {
    let mut network = Plan::powers(&[10, 10, 40]).start();
    network.pay(0);
    network.kill([0]);
    network.pay(1);
    network.start([0]);
    network.kill([2]);
    network.halts(&[0, 1]);
    network.start([2]);
    network.pay(0);
    network.compare();
}

#[test]
fn all_are_killed_at_once_and_nothing_that_was_confirmed_is_lost() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).start();
    for _ in 0..3 {
        let traffic = Traffic::at(network.nodes.iter().map(|node| &node.reach));
        traffic.confirms(8);
        network.kill(0..4);
        network.promise(traffic.end());
        network.start(0..4);
    }
    network.pay(2);
    network.compare();
}

#[test]
fn nodes_are_killed_at_random_and_nothing_that_was_confirmed_is_lost() {
    let seconds = std::env::var("CLOISTER_KILL_SECONDS")
        .map_or(60, |seconds| seconds.parse().expect("CLOISTER_KILL_SECONDS is a number"));
    let mut chance = Chance::of_the_day();
    let mut network = Plan::powers(&[10, 10, 10, 10]).start();
    let traffic = Traffic::at(network.nodes.iter().map(|node| &node.reach));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        // Usually one, sometimes so many that the chain has to wait.
        let victims = if chance.happens(30) { 1 + chance.below(4) } else { 1 };
        let first = chance.below(4);
        let victims: Vec<usize> = (first..first + victims).map(|node| usize::try_from(node % 4).unwrap()).collect();
        network.kill(victims.clone());
        thread::sleep(Duration::from_millis(chance.below(1_500)));
        network.start(victims);
        thread::sleep(Duration::from_millis(chance.below(1_500)));
    }
    traffic.confirms(4);
    network.promise(traffic.end());
    network.grows(&[0, 1, 2, 3], 2);
    network.compare();
}
