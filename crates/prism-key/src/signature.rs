//! Signatures: 64 bytes of sr25519 in hexadecimal digits, and whether they are a hotkey's over a message.
//!
//! The context is `substrate`, as in every wallet of the network. Wallets in browsers sign `<Bytes>` + message +
//! `</Bytes>` instead of the message; both are taken, and nothing else. The service calls this for every upload of a
//! stranger, so text is bounded by its length before anything is computed.

use std::fmt;

use prism_core::advice::{Advice, Hint};
use schnorrkel::PublicKey;

use crate::hotkey::{Hotkey, KEY_BYTES};
use prism_core::hex;

/// The signing context of Substrate.
pub(crate) const CONTEXT: &[u8] = b"substrate";
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

const WRAP_BEFORE: &[u8] = b"<Bytes>";
const WRAP_AFTER: &[u8] = b"</Bytes>";

/// A signature that was parsed; nothing is known yet of whose it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_BYTES]);

/// Why a signature is not taken. Servers answer all of these alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 128 hexadecimal digits.
    #[error("a signature is {} hexadecimal digits, with or without `0x`", SIGNATURE_BYTES * 2)]
    Malformed,
    /// The hotkey is no key that somebody can own.
    #[error("nobody can sign for this hotkey")]
    NoKey,
    /// It is not this hotkey's signature over this message.
    #[error("the signature is not this hotkey's over this message")]
    Wrong,
}

impl Advice for SignatureError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Malformed => "sign again".into(),
            Self::NoKey => "use one of your own".into(),
            Self::Wrong => "sign exactly the bytes that are sent".into(),
        })
    }
}

impl Signature {
    /// Parses 128 digits of either case, with or without `0x`.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let mut bytes = [0; SIGNATURE_BYTES];
        if hex::decode_into(hex::without_prefix(text), &mut bytes) {
            Ok(Self(bytes))
        } else {
            Err(SignatureError::Malformed)
        }
    }

    /// A signature of these bytes.
    pub fn from_bytes(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Signature {
    /// A signature can be used by whoever sees it, so it gets into no log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

impl Hotkey {
    /// Whether this is the hotkey's signature over the message, plain or in `<Bytes>`.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        // The neutral element has the secret 0, which everybody knows: anybody could sign for it.
        if self.as_bytes() == &[0; KEY_BYTES] {
            return Err(SignatureError::NoKey);
        }
        let key = PublicKey::from_bytes(self.as_bytes()).map_err(|_| SignatureError::NoKey)?;
        let signature =
            schnorrkel::Signature::from_bytes(signature.as_bytes()).map_err(|_| SignatureError::Wrong)?;
        let is_over = |message: &[u8]| key.verify_simple(CONTEXT, message, &signature).is_ok();
        if is_over(message) || is_over(&wrapped(message)) {
            Ok(())
        } else {
            Err(SignatureError::Wrong)
        }
    }
}

/// Whether the text is this hotkey's signature over the message.
pub fn verify(hotkey: &Hotkey, message: &[u8], signature_text: &str) -> Result<(), SignatureError> {
    hotkey.verifies(message, &Signature::parse(signature_text)?)
}

fn wrapped(message: &[u8]) -> Vec<u8> {
    [WRAP_BEFORE, message, WRAP_AFTER].concat()
}

#[cfg(test)]
mod tests;
