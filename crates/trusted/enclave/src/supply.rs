//! State from the host, over the stream on which it waits for an answer.

use std::os::unix::net::UnixStream;

use cloister_chain::wire::{self, ToEnclave, ToHost, WireError};
use cloister_state::{Supplied, Supply, SupplyError, Wanted};

/// Asks with [`ToHost::Need`] and reads one [`ToEnclave::Supply`].
pub(crate) struct SocketSupply<'a>(pub(crate) &'a mut UnixStream);

impl Supply for SocketSupply<'_> {
    fn supply(&mut self, height: u64, wanted: &Wanted<'_>) -> Result<Supplied, SupplyError> {
        let Wanted { leaves, positions, blobs } = wanted;
        let (leaves, positions, blobs) = (leaves.to_vec(), positions.to_vec(), blobs.to_vec());
        let need = ToHost::Need { height, leaves, positions, blobs };
        wire::send(self.0, &need).map_err(refusal)?;
        match wire::receive(self.0).map_err(refusal)? {
            ToEnclave::Supply { leaves, sealed, blobs } => Ok(Supplied { leaves, sealed, blobs }),
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
