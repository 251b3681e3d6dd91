//! What contracts share to answer an owner and nobody else: viewing keys, permits, and answers whose
//! length says nothing.
//!
//! A query has no sender: whoever asks shows what only the owner can have.

pub mod pad;
pub mod permit;
pub mod viewing_key;
