#![allow(clippy::unwrap_used)]

mod accounts;
mod blocks;
mod contracts;
mod feegrant;
mod light;
mod malformed;
mod modules;
mod searching;
mod sending;
pub(crate) mod world;
