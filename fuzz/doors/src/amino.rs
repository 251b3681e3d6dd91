//! What signatures of Cosmos transactions cover, in every mode.

use cloister_chain::CosmosTx;
use cloister_chain::cosmos::{CosmosError, SignerData};
use prost::Message as _;
use secret_sdk_proto::Any;
use secret_sdk_proto::cosmos::base::v1beta1::Coin;
use secret_sdk_proto::cosmos::tx::v1beta1::{Fee, TxBody, TxRaw};

use crate::cursor::Cursor;
use crate::signer::{Mode, Place, key, owned, sign};

/// The bytes are how somebody signs and a transaction's body, whose messages get that signer. What is signed from outside
/// with a document that is built from the published rules verifies, and nothing else does.
///
/// ```text
/// mode(1) ‖ number(1) ‖ sequence(1) ‖ gas(1) ‖ TxBody
/// ```
pub(crate) fn amino(data: &[u8]) {
    check(data);
}

/// Nothing if the body is not one that can be signed.
fn check(data: &[u8]) -> Option<()> {
    let mut cursor = Cursor(data);
    let mode = MODES[usize::from(cursor.byte()) % MODES.len()];
    let place = Place { number: cursor.byte().into(), sequence: cursor.byte().into() };
    let gas_limit = cursor.byte().into();
    let body = TxBody::decode(cursor.0).ok()?;
    let owner = key(USER, mode).address();
    let messages: Vec<Any> = body.messages.iter().map(|message| owned(message, owner)).collect::<Option<_>>()?;
    let body = TxBody { messages, ..body };
    let fee = Fee { amount: vec![Coin { denom: "uscrt".into(), amount: "7".into() }], gas_limit, ..Fee::default() };
    let raw = sign(USER, mode, CHAIN, place, fee, &body);
    let tx = CosmosTx::decode(&raw).ok()?;
    assert_eq!(tx.bytes()[..], raw, "a transaction has one encoding");
    assert_eq!(tx.signers(), [owner]);
    let signer = SignerData { number: place.number, sequence: place.sequence, key: None };
    assert_eq!(tx.verify(CHAIN, std::slice::from_ref(&signer)), Ok(()), "{mode:?}");

    let other = SignerData { number: place.number + 1, ..signer.clone() };
    assert!(matches!(tx.verify(CHAIN, &[other]), Err(CosmosError::Signature { .. })));
    assert!(matches!(tx.verify("test-2", std::slice::from_ref(&signer)), Err(CosmosError::Signature { .. })));
    let body = TxBody { timeout_height: body.timeout_height ^ 1, ..body };
    // The signature of one body under another.
    let (auth, signatures) = (tx.parts().1.encode_to_vec(), tx.parts().2.to_vec());
    let raw = TxRaw { body_bytes: body.encode_to_vec(), auth_info_bytes: auth, signatures };
    let changed = CosmosTx::decode(&raw.encode_to_vec()).expect("only a number changed");
    assert!(matches!(changed.verify(CHAIN, &[signer]), Err(CosmosError::Signature { .. })));
    Some(())
}

pub(crate) const MODES: [Mode; 4] = [Mode::Direct, Mode::Amino, Mode::Ethereum, Mode::Together];
const CHAIN: &str = "test-1";
const USER: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_message_is_signed_in_every_mode() {
        let seeds: Vec<_> = crate::seeds::all().into_iter().filter(|(door, _)| *door == "amino").collect();
        assert_eq!(seeds.len(), MODES.len() * 12);
        for (_, seed) in seeds {
            assert_eq!(check(&seed), Some(()), "{}", hex::encode(&seed));
        }
    }
}
