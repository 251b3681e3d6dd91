//! Networks that fall apart.

use super::network::Plan;
use super::traffic::Traffic;

#[test]
fn two_halves_halt_and_go_on_when_they_see_each_other_again() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).apart().start();
    network.pay(0);
    let traffic = Traffic::at(network.nodes.iter().map(|node| &node.reach));
    traffic.confirms(4);
    network.split(&[2, 3]);
    network.halts(&[0, 1, 2, 3]);
    network.heal();
    traffic.confirms(8);
    network.promise(traffic.end());
    (0..4).for_each(|node| network.pay(node));
    network.compare();
}

#[test]
fn three_of_four_go_on_and_the_fourth_catches_up_when_it_sees_them_again() {
    let mut network = Plan::powers(&[10, 10, 10, 10]).apart().start();
    network.pay(3);
    network.split(&[3]);
    network.halts(&[3]);
    network.grows(&[0, 1, 2], 8);
    network.pay(0);
    network.pay(2);
    network.heal();
    network.reach(3).reaches(network.height(&[0]));
    network.pay(3);
    network.compare();
}
