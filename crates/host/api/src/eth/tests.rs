#![allow(clippy::unwrap_used)]

mod calling;
mod events;
mod malformed;
mod own;
mod reading;
mod sending;
mod shapes;
mod streaming;
mod world;
