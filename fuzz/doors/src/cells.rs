//! What users encrypt, and what an enclave seals for itself.

use alloy_primitives::U256;
use cloister_envelope::{
    AccountKey, Form, InputContext, OnboardingKey, Secret, UserCipher, UserKey, WideCell, onboard, signature, text,
};
use cloister_keys::{Purpose, SealingKey};

use crate::cursor::Cursor;

pub(crate) fn input_text(data: &[u8]) {
    let mut cursor = Cursor(data);
    let context =
        InputContext { sender: cursor.array().into(), contract: cursor.array().into(), selector: cursor.array() };
    let cells = WideCell { high: cursor.word(), low: cursor.word() };
    let given = cursor.short();
    if context.verify(cells.high, given).is_ok() {
        let signer = signature::recover(&context.message(cells.high), given);
        assert_eq!(signer, Ok(context.sender));
        assert!(context.verify_wide(&cells, given).is_err(), "a signature is for one cell or for two");
    }
    let _ = context.verify_wide(&cells, given);

    let key = account();
    let ours = InputContext { sender: key.address(), ..context };
    for form in [Form::Raw, Form::Personal] {
        let input = ours.sign(cells.high, &key, form);
        assert_eq!(ours.verify(input.ciphertext, &input.signature), Ok(()));
    }

    let user = UserKey::from_bytes(cursor.array());
    let cipher = UserCipher::new(&user);
    let plain = cipher.open_wide(&cells);
    let (high, low) = (cells.high.to_be_bytes::<32>(), cells.low.to_be_bytes::<32>());
    let r = |cell: [u8; 32]| <[u8; 16]>::try_from(&cell[16..]).expect("half a cell");
    assert_eq!(cipher.seal_wide(r(high), r(low), plain), cells, "sealing undoes opening");
    let words: Vec<U256> = cursor.0.chunks(32).map(U256::from_be_slice).collect();
    let _ = text::open(&cipher, &words);
    let _ = UserKey::from_client_hex(&String::from_utf8_lossy(cursor.0));
}

pub(crate) fn onboarding(data: &[u8]) {
    let key = account();
    let _ = onboard::open_request(data, key.address());
    // The signature is no obstacle to a hostile user: behind it stands the parser of public keys.
    let signed = [&key.sign(data, Form::Raw)[..], data].concat();
    if let Ok(recipient) = onboard::open_request(&signed, key.address()) {
        let (share, coins) = (Secret::from_bytes([1; 16]), Secret::from_bytes([2; 32]));
        let answer = recipient.seal_key(&UserKey::from_bytes([3; 16]), &share, [&coins, &coins]);
        assert_eq!(answer.len(), onboard::ANSWER_BYTES);
    }
    for private in [OnboardingKey::from_pkcs1_der(data), OnboardingKey::from_pkcs8_der(data)].into_iter().flatten() {
        let (first, second) = data.split_at(data.len() / 2);
        let _ = private.recover(first, second);
        let _ = private.recover_whole(data);
    }
}

pub(crate) fn sealed(data: &[u8]) {
    let mut cursor = Cursor(data);
    let key = SealingKey::from_bytes("test-1", [5; 32]);
    let (context, blob) = (cursor.short(), cursor.0);
    let _ = key.open_roots(context, blob);
    for purpose in Purpose::ALL {
        if let Ok(plain) = key.open(purpose, context, blob) {
            assert_eq!(key.seal(purpose, context, &plain).as_deref(), Ok(blob), "sealing is deterministic");
        }
    }
}

/// The account of the fuzz targets, and of their seeds.
pub(crate) fn account() -> AccountKey {
    AccountKey::from_secret(Secret::from_bytes([1; 32])).expect("below the group order")
}
