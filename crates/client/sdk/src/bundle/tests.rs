#![allow(clippy::unwrap_used)]

mod collecting;
mod corrupted;
mod golden;
mod refused;
mod world;
