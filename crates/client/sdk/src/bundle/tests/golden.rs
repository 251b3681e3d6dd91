//! The file in `testdata`, which the npm package reads too, is the one that this code writes, for ever.

use std::fs;
use std::path::Path;

use super::world::*;
use crate::bundle::{Bundle, Demands};
use crate::light::tests::world::clock;

/// Whoever changes the format on purpose: `CLOISTER_BLESS=1 cargo test -p cloister-sdk golden`.
#[test]
fn the_golden_bundle_is_written_and_read_as_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/bundle.json");
    let world = Plan::new().build();
    let demands = Demands { nodes: 2, ..Demands::default() };
    let text = world.collect(&demands).unwrap().to_json();
    if std::env::var_os("CLOISTER_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    assert!(golden == text, "the format has changed");
    let anchor = include_str!("../../../testdata/checkpoint").trim().parse().unwrap();
    assert_eq!(world.genesis(), anchor);
    let verdict = Bundle::from_json(&golden).unwrap().verify(&anchor, &demands, clock(TIP)).unwrap();
    assert_eq!((verdict.enclaves.len(), verdict.simulated), (2, true));
}
