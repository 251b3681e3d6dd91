//! At the end of a story: what every node has is the same, and everybody can verify it.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use cloister_sdk::B256;
use cloister_sdk::light::{Anchor, Checkpoint, Leaf, LightClient, Rules, State};

use super::network::{Joined, Network};
use super::process::{cloister, result};
use super::reach::{Reach, wallet};

impl Network {
    /// Compares every block of all running nodes. From the genesis, or from where the node began, a light client of each node
    /// checks every header's certificate against the validators that the one before it names, so that nothing can differ below two equal headers; then
    /// each promise with its receipt, and a value of the state. Then the nodes stop, and `cloister db verify` checks every
    /// block and every receipt in their stores against the headers.
    pub fn compare(mut self) {
        let (genesis, nodes) = (&self.genesis.clone(), self.running());
        let height = self.height(&nodes);
        nodes.iter().for_each(|node| self.reach(*node).reaches(height + 1));
        let verified: Vec<B256> = thread::scope(|scope| {
            let share = |first: usize| self.promised.iter().skip(first).step_by(nodes.len()).copied().collect();
            let each = nodes.iter().enumerate().map(|(place, node)| match &self.nodes[*node].joined {
                None => (*node, Checkpoint::genesis(genesis).unwrap(), share(place)),
                Some(Joined { anchor, promised }) => {
                    (*node, self.checkpoint(*anchor), self.promised[*promised..].to_vec())
                }
            });
            let each: Vec<_> = each
                .map(|(node, start, promises): (usize, Checkpoint, Vec<B256>)| {
                    let node = self.reach(node);
                    scope.spawn(move || verify(start, node, height, promises))
                })
                .collect();
            each.into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        assert!(verified.iter().all(|hash| *hash == verified[0]), "one chain: {verified:?}");
        for node in nodes {
            self.stop(node);
            let home = self.nodes[node].home.to_str().unwrap();
            let stored = result(&["db", "verify", "--json", "--home", home]);
            assert!(stored["height"].as_u64().unwrap() > height, "{stored}");
        }
    }

    /// A block to begin with, as the first node tells it.
    fn checkpoint(&self, anchor: Anchor) -> Checkpoint {
        let opened = async |node: &Reach| LightClient::open(node.light(), anchor, Rules::default()).await;
        self.reach(0).talk(opened).unwrap().trusted().clone()
    }

    /// What `cloister db verify` says of a stopped node's store, if it is whole.
    pub fn is_sound(&self, node: usize) -> bool {
        let home = &self.nodes[node].home;
        cloister().args(["db", "verify", "--home"]).arg(home).output().unwrap().status.success()
    }
}

/// Everything up to a height of which the next header speaks; the hash of that one.
fn verify(start: Checkpoint, node: &Reach, height: u64, promises: Vec<B256>) -> B256 {
    let light = || LightClient::new(node.light(), start.clone(), Rules::default());
    let lie = |error| -> ! { panic!("{}: {error}", node.name) };
    node.talk(async |node| {
        let mut each = light();
        let header = each.follow_each(height + 1, now()).await.unwrap_or_else(|error| lie(error)).header().clone();
        let mut client = light();
        for promise in promises {
            let proved = client.transaction(promise, now()).await.unwrap_or_else(|error| lie(error));
            let agreed = proved.state == State::Agreed || proved.header.height >= height;
            assert!(agreed, "{}: {promise} is only {:?}", node.name, proved.state);
        }
        let rich = Leaf::Account(wallet(0).address());
        let value = each.leaf(rich, Some(height), now()).await.unwrap_or_else(|error| lie(error));
        assert!(value.value.is_some());
        header.hash()
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}
