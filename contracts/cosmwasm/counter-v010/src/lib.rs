//! The counter in the line of the standard library that came before 1.0: other entry points, other error texts, other
//! answers, and messages to other contracts that nobody replies to.

pub mod contract;
mod msg;

#[cfg(test)]
mod tests;

pub use msg::{CountResponse, HandleMsg, InitMsg, MigrateMsg, QueryMsg};

#[cfg(target_arch = "wasm32")]
cosmwasm_std::create_entry_points_with_migration!(contract);
