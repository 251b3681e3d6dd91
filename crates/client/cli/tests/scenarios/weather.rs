//! Links as they are around the world.

use std::time::Duration;

use super::network::Plan;
use super::proxy::Weather;
use super::traffic::Traffic;

#[test]
fn delay_and_loss_make_it_slow_and_nothing_else() {
    let weather = Weather { delay: Duration::from_millis(200), jitter: Duration::from_millis(50), loss: 5 };
    let mut network = Plan::powers(&[10, 10, 10, 10]).weather(weather).start();
    let traffic = Traffic::at(network.nodes.iter().map(|node| &node.reach));
    traffic.confirms(12);
    network.promise(traffic.end());
    network.grows(&[0, 1, 2, 3], 2);
    assert!(network.proxy.as_ref().unwrap().carried() > 100_000, "they speak through the proxy");
    network.compare();
}
