//! An enclave that asks a running network for its seed.

use alloy_primitives::Address;
use cloister_chain::trust::Registration;
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::secret::registration::v1beta1::RaAuthenticate;

/// Gas of a registration, beside what its bytes cost.
pub const GAS: u64 = 1_000_000;

/// The message that registers an enclave for its owner, who alone may renew it. Once it is in a block,
/// [`encrypted_seed`](super::Client::encrypted_seed) has what the enclave opens.
pub fn register(owner: Address, registration: &Registration) -> Any {
    let message = RaAuthenticate { sender: owner.to_vec(), certificate: registration.to_bytes() };
    Any { type_url: "/secret.registration.v1beta1.RaAuthenticate".into(), value: message.encode_to_vec() }
}
