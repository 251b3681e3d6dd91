//! State from the host, over the stream on which it waits for an answer.

use std::os::unix::net::UnixStream;

use cloister_chain::wire::{self, ToEnclave, ToHost, WireError};
use cloister_chain::{B256, Leaf};
use cloister_state::{Supplied, Supply, SupplyError};

/// Asks with [`ToHost::Need`] and reads one [`ToEnclave::Supply`].
pub(crate) struct SocketSupply<'a>(pub(crate) &'a mut UnixStream);

impl Supply for SocketSupply<'_> {
    fn supply(&mut self, height: u64, leaves: &[Leaf], blobs: &[B256]) -> Result<Supplied, SupplyError> {
        let need = ToHost::Need { height, leaves: leaves.to_vec(), blobs: blobs.to_vec() };
        wire::send(self.0, &need).map_err(refusal)?;
        match wire::receive(self.0).map_err(refusal)? {
            ToEnclave::Supply { leaves, blobs } => Ok(Supplied { leaves, blobs }),
            _ => Err(SupplyError::Protocol),
        }
    }
}

fn refusal(error: WireError) -> SupplyError {
    match error {
        WireError::Io(_) => SupplyError::Gone,
        WireError::TooLong(_) | WireError::Malformed => SupplyError::Protocol,
    }
}
