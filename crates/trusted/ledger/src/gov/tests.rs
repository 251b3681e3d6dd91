use std::cmp::Reverse;
use std::collections::BinaryHeap;

use cloister_chain::gov::Due;
use cloister_chain::{Address, Genesis, Header, Leaf};
use cloister_state::{Cache, NoSupply, Overlay, Tree, View};
use proptest::prelude::*;

use super::Gov;
use crate::cosmos::Meter;

fn with<T>(story: impl FnOnce(&mut Gov<'_, '_, NoSupply>) -> T) -> T {
    let mut state = Overlay::new(View::new(Tree::new(), 0, Cache::default(), NoSupply));
    let header = Header::genesis(&Genesis::for_tests());
    story(&mut Gov::new(&mut Meter::new(&mut state, u64::MAX), &header).expect("an empty state"))
}

proptest! {
    #[test]
    fn what_ends_first_comes_first(steps in prop::collection::vec(prop::option::weighted(0.6, (0..20u64, 0..50u64)), 0..80)) {
        with(|gov| {
            let mut model = BinaryHeap::new();
            for step in steps {
                match step {
                    Some((time, id)) => {
                        gov.push(Due { time, id }).expect("room");
                        model.push(Reverse((time, id)));
                    }
                    None => {
                        gov.pop().expect("nothing fails");
                        model.pop();
                    }
                }
                let first = model.peek().map(|Reverse((time, id))| Due { time: *time, id: *id });
                prop_assert_eq!(gov.first().expect("readable"), first);
                let governance = gov.governance().expect("readable");
                prop_assert_eq!(governance.due, first.map(|due| due.time));
                prop_assert_eq!(governance.queued as usize, model.len());
                let beyond: Option<Due> = gov.meter.read(Leaf::GovQueue(governance.queued)).expect("readable");
                prop_assert_eq!(beyond, None);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_list_gives_back_all_that_it_took(count in 0..300u32, most in 1..100u32) {
        with(|gov| {
            let name = |number: u32| Address::left_padding_from(&number.to_be_bytes());
            let mut entries = 0;
            for number in 0..count {
                gov.enlist(Leaf::Voters, 1, &mut entries, name(number)).expect("room");
            }
            let mut seen = Vec::new();
            while entries > 0 {
                seen.extend(gov.delist(Leaf::Voters, 1, &mut entries, most).expect("readable"));
            }
            seen.sort();
            prop_assert_eq!(seen, (0..count).map(name).collect::<Vec<_>>());
            Ok(())
        })?;
    }
}
