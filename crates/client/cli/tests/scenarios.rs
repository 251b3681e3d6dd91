//! Networks in trouble, told as stories: every node a process of its own, and what stands between them at the story's mercy.
//!
//! After each story every block, certificate, receipt and root is compared on every node. Partitions are made between network
//! namespaces, which takes root and iproute2 (`ip`), and wrong clocks by libfaketime: without them the stories fail. Delay and
//! loss come from a proxy of ours, whose seed is printed.
//!
//! | environment | what | default |
//! | --- | --- | --- |
//! | `CLOISTER_KILL_SECONDS` | how long nodes are killed at random | 60 |
//! | `CLOISTER_SEED` | what the random choices of a story come from | drawn, and printed |
//! | `CLOISTER_PROGRAM` | another build of `cloister` | the one under test |
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod scenarios {
    pub mod chance;
    pub mod clock;
    pub mod compare;
    pub mod deviant;
    pub mod fabric;
    pub mod flood;
    pub mod network;
    pub mod process;
    pub mod proxy;
    pub mod reach;
    pub mod traffic;

    mod crash;
    pub mod faults;
    mod members;
    mod partition;
    mod weather;
}
