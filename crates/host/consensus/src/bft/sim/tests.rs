use std::env;
use std::ops::Range;

use super::*;

/// Seeds to run: one, as many as asked for, or as many as take a few seconds.
fn seeds(usual: u64) -> Range<u64> {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (number("CLOISTER_SEED"), number("CLOISTER_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.map_or(usual, |count| count.div_ceil(150) * usual),
    }
}

const CALM: Faults = Faults { loss: 0, doubles: 0, delay: 20, crashes: 0, cuts: 0 };

#[test]
fn a_calm_network_goes_on_at_its_pace() {
    let mut world = World::new(1, &[1, 1, 1, 1], CALM);
    world.reach(5, 15_000);
    world.compare();
}

#[test]
fn whatever_happens_nobody_decides_differently_and_when_it_ends_all_go_on() {
    let (mut crashes, mut late) = (0, 0);
    for seed in seeds(100) {
        let mut random = Random::new(seed ^ 0x5eed);
        let powers: Vec<u64> = (0..3 + random.below(3)).map(|_| 1 + random.below(3)).collect();
        let faults = Faults {
            loss: random.below(150),
            doubles: random.below(100),
            delay: 1 + random.below(300),
            crashes: random.below(150),
            cuts: random.below(400),
        };
        let mut world = World::new(seed, &powers, faults);
        for _ in 0..10 {
            world.send();
            world.run(1_500);
        }
        world.heal();
        let height = world.heights().into_iter().max().expect("there are nodes");
        world.reach(height + 3, 240_000);
        world.compare();
        crashes += world.crashes;
        let node = world.nodes[0].shared.lock();
        late += node.disk.decided.iter().filter(|(_, certificate)| certificate.round > 0).count();
    }
    assert!(
        seeds(100).count() < 50 || (crashes > 100 && late > 50),
        "{crashes} crashes, {late} late rounds: too quiet"
    );
}

#[test]
fn who_signs_two_of_anything_is_shown_in_a_block_and_nothing_else_happens() {
    for seed in seeds(25) {
        let faults = Faults { loss: 20, doubles: 20, delay: 50, crashes: 0, cuts: 0 };
        let mut world = World::new(seed, &[1, 1, 1, 1], faults);
        world.double_signer = Some(seed as usize % 4);
        world.run(10_000);
        world.heal();
        let height = world.heights().into_iter().max().expect("there are nodes");
        world.reach(height + 3, 120_000);
        world.compare();
        let node = world.nodes[0].shared.lock();
        let shown: Vec<B256> =
            node.disk.decided.iter().flat_map(|(block, _)| &block.evidence).map(|piece| piece.validator).collect();
        assert!(!shown.is_empty(), "seed {seed}: no block has evidence");
        assert!(shown.iter().all(|validator| *validator == key(seed as usize % 4).public()), "seed {seed}");
    }
}

#[test]
fn an_enclave_that_computes_something_else_stops_its_node_and_the_rest_go_on() {
    for seed in seeds(25) {
        let faults = Faults { loss: 20, doubles: 20, delay: 50, crashes: 0, cuts: 0 };
        let mut world = World::new(seed, &[1, 1, 1, 1], faults);
        let deviant = seed as usize % 4;
        world.deviant = Some(deviant);
        world.steady = true;
        world.run(1_000);
        world.nodes[deviant].shared.lock().deviation = 1;
        for _ in 0..4 {
            world.send();
            world.run(2_000);
        }
        world.heal();
        let height = world.heights().into_iter().max().expect("there are nodes");
        world.reach(height + 3, 120_000);
        world.compare();
        world.run(5_000);
        assert!(!world.nodes[deviant].is_up(), "seed {seed}: the deviant goes on");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let faults = Faults { loss: 50, doubles: 50, delay: 200, crashes: 100, cuts: 200 };
        let mut world = World::new(seed, &[1, 2, 1, 1], faults);
        for _ in 0..6 {
            world.send();
            world.run(1_000);
        }
        (world.decided, world.signed, world.count)
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}
