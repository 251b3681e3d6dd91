//! Padding: ciphertext is as long as what it hides.

use cosmwasm_std::{Binary, StdError, StdResult, to_vec};
use serde::Serialize;

/// Lengths are multiples of this.
pub const BLOCK: usize = 256;

/// JSON with spaces after it, which no reader minds.
pub fn answer(answer: &impl Serialize) -> StdResult<Binary> {
    let mut bytes = to_vec(answer)?;
    bytes.resize(padded(bytes.len()), b' ');
    Ok(Binary(bytes))
}

/// For errors that name amounts: a number's length is some of what it says.
pub fn error(error: StdError) -> StdError {
    match error {
        StdError::GenericErr { msg, .. } => {
            let width = padded(msg.len());
            StdError::generic_err(format!("{msg:width$}"))
        }
        other => other,
    }
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(BLOCK)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn answers_of_different_lengths_look_alike() {
        for text in ["", "x", &"x".repeat(BLOCK - 2)] {
            let padded = answer(&text).unwrap().0;
            assert_eq!(padded.len(), BLOCK);
            assert_eq!(cosmwasm_std::from_slice::<String>(&padded).unwrap(), text);
        }
        assert_eq!(answer(&"x".repeat(BLOCK - 1)).unwrap().len(), 2 * BLOCK);
    }
}
