#![allow(clippy::unwrap_used)]

mod accounts;
mod blocks;
mod contracts;
mod feegrant;
mod malformed;
mod searching;
mod sending;
mod world;
