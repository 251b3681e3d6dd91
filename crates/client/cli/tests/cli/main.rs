//! The program as its users meet it: each story starts it and speaks to it from outside. They are one program, because linking a
//! node is what costs.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

mod attest;
mod crash;
mod demo;
mod dev;
mod disk;
mod dump;
mod faucet;
mod kill;
mod logs;
mod network;
mod private;
mod runs;
mod testnet;
mod verify;
