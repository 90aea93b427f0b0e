//! A hotkey with its secret: what can sign.
//!
//! Made from a fresh seed or read by [`crate::key_file`]. The secret is wiped when it is dropped and is shown by
//! nothing; the seed leaves this module only to be written into a key file.

use std::fmt;

use schnorrkel::{ExpansionMode, MiniSecretKey, SecretKey};
use zeroize::Zeroizing;

use crate::hotkey::Hotkey;
use crate::random::{self, RandomError};
use crate::signature::{CONTEXT, Signature};

/// Bytes of a seed.
pub const SEED_BYTES: usize = 32;
/// Bytes of a secret key in its long form.
pub(crate) const SECRET_BYTES: usize = 64;

/// The 32 secret bytes from which a key is made.
pub struct Seed(Zeroizing<[u8; SEED_BYTES]>);

impl Seed {
    /// A seed that nobody has seen.
    pub fn fresh() -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0; SEED_BYTES]);
        random::fill(&mut bytes[..])?;
        Ok(Self(bytes))
    }

    /// The seed with these bytes.
    pub fn from_bytes(bytes: &[u8; SEED_BYTES]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SEED_BYTES] {
        &self.0
    }

    /// The key that every wallet of the network makes from this seed.
    pub fn keypair(&self) -> Keypair {
        #[allow(clippy::expect_used, reason = "any bytes of this length are a seed")]
        let mini = MiniSecretKey::from_bytes(&self.0[..]).expect("a seed has the length of one");
        Keypair(mini.expand_to_keypair(ExpansionMode::Ed25519))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A hotkey that can sign.
pub struct Keypair(schnorrkel::Keypair);

impl Keypair {
    /// The key of a secret in its long form; `None` where the bytes are none, or one that everybody knows.
    pub(crate) fn from_secret(bytes: &[u8; SECRET_BYTES]) -> Option<Self> {
        let secret = SecretKey::from_bytes(bytes).ok()?;
        let keypair = Self(secret.to_keypair());
        (keypair.hotkey().as_bytes() != &[0; 32]).then_some(keypair)
    }

    /// Whose key it is.
    pub fn hotkey(&self) -> Hotkey {
        Hotkey::from_bytes(self.0.public.to_bytes())
    }

    /// Signs a message. Two signatures over the same message differ.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::from_bytes(self.0.sign_simple(CONTEXT, message).to_bytes())
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.hotkey())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_secret_is_ever_shown() {
        let seed = Seed::from_bytes(&[0xab; SEED_BYTES]);
        let keypair = seed.keypair();
        let shown = format!("{seed:?} {keypair:?}");
        assert_eq!(shown, format!("Seed(..) Keypair({})", keypair.hotkey()));
        assert_eq!(format!("{:?}", keypair.sign(b"x")), "Signature(..)");
    }

    #[test]
    fn fresh_seeds_differ() {
        assert_ne!(
            Seed::fresh().unwrap().as_bytes(),
            Seed::fresh().unwrap().as_bytes()
        );
    }

    #[test]
    fn a_long_secret_is_taken_only_where_it_is_a_key() {
        let secret = schnorrkel::Keypair::generate().secret.clone();
        let keypair = Keypair::from_secret(&secret.to_bytes()).unwrap();
        assert_eq!(keypair.hotkey().as_bytes(), &secret.to_public().to_bytes());
        assert!(
            Keypair::from_secret(&[0xff; SECRET_BYTES]).is_none(),
            "no number of the curve"
        );
        assert!(
            Keypair::from_secret(&[0; SECRET_BYTES]).is_none(),
            "everybody knows it"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_signed_verifies_and_nothing_else_does(
            seed: [u8; SEED_BYTES],
            message: Vec<u8>,
            other: Vec<u8>,
            at in 0_usize..64,
            bit in 0_u8..8,
        ) {
            let keypair = Seed::from_bytes(&seed).keypair();
            let signature = keypair.sign(&message);
            let hotkey = keypair.hotkey();
            prop_assert!(hotkey.verifies(&message, &signature).is_ok());
            prop_assert_eq!(hotkey.verifies(&other, &signature).is_ok(), other == message);
            let mut bytes = *signature.as_bytes();
            bytes[at] ^= 1 << bit;
            prop_assert!(hotkey.verifies(&message, &Signature::from_bytes(bytes)).is_err());
            let mut key = *hotkey.as_bytes();
            key[at / 2] ^= 1 << bit;
            prop_assert!(Hotkey::from_bytes(key).verifies(&message, &signature).is_err());
        }
    }
}
