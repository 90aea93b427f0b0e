//! The kernel's random bytes, and the nonces that are made of them.
//!
//! Called for a new key and for each signed request. Nothing here is ever seeded: where the kernel gives none, there is
//! no key and no nonce.

use prism_core::advice::{Advice, Hint};

use prism_core::hex;

/// Random bytes of a nonce: two of them are never equal by chance.
const NONCE_BYTES: usize = 16;

/// The kernel gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the kernel gives no random bytes: {0}")]
pub struct RandomError(getrandom::Error);

impl Advice for RandomError {
    fn hint(&self) -> Option<Hint> {
        Some("try again, and look at `dmesg` if it stays so".into())
    }
}

/// Fills a buffer.
pub(crate) fn fill(buffer: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(buffer).map_err(RandomError)
}

/// A nonce for one signed request: 32 lower-case hexadecimal digits.
pub fn nonce() -> Result<String, RandomError> {
    let mut bytes = [0; NONCE_BYTES];
    fill(&mut bytes)?;
    Ok(hex::encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nonce_comes_twice() {
        let (one, other) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }
}
