//! The JSON of a key file: which secret it holds, and whether the file agrees with itself.
//!
//! Wallets write a `privateKey`, a `secretSeed` or both. The private key is taken first: wallets write it for every key,
//! and garble the seed of one that was made from raw bytes. What is taken must give the public key that the file names,
//! so a file that mixes two keys is refused instead of signing for the wrong one.

use schnorrkel::SECRET_KEY_LENGTH;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Problem;
use crate::hotkey::{Hotkey, KEY_BYTES};
use crate::keypair::{Keypair, SECRET_BYTES, SEED_BYTES, Seed};
use prism_core::hex;

const _: () = assert!(SECRET_BYTES == SECRET_KEY_LENGTH);

/// `cryptoType` of the one kind that is taken, and of the other one that wallets know.
const SR25519: u64 = 1;
const ED25519: u64 = 0;

/// What wallets write; fields that are not here say nothing about the key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    account_id: Option<String>,
    public_key: Option<String>,
    ss58_address: Option<String>,
    private_key: Option<Zeroizing<String>>,
    secret_seed: Option<Zeroizing<String>>,
    secret_phrase: Option<Zeroizing<String>>,
    crypto_type: Option<u64>,
}

/// The key in this JSON.
pub(super) fn keypair(json: &[u8]) -> Result<Keypair, Problem> {
    // The parser's own words may quote a value, so only its place is told.
    let fields: Fields = serde_json::from_slice(json).map_err(|error| Problem::NotAKeyFile {
        line: error.line(),
        column: error.column(),
    })?;
    match fields.crypto_type {
        None | Some(SR25519) => {}
        Some(ED25519) => return Err(Problem::Ed25519),
        Some(other) => return Err(Problem::CryptoType(other)),
    }
    let keypair = fields.secret()?;
    fields.agree_with(&keypair.hotkey())?;
    Ok(keypair)
}

impl Fields {
    fn secret(&self) -> Result<Keypair, Problem> {
        let seed = self.secret_seed.as_ref().map(|text| seed(text));
        match (&self.private_key, seed) {
            (Some(private_key), seed) => {
                let keypair = private(private_key)?;
                // A seed that can be read must be of the same key; one that cannot is a known fault of wallets.
                if let Some(Ok(seed)) = seed
                    && seed.keypair().hotkey() != keypair.hotkey()
                {
                    return Err(Problem::Contradiction("secretSeed"));
                }
                Ok(keypair)
            }
            (None, Some(seed)) => Ok(seed?.keypair()),
            (None, None) if self.secret_phrase.is_some() => Err(Problem::WordsOnly),
            (None, None) if self.names_a_key() => Err(Problem::PublicOnly),
            (None, None) => Err(Problem::Field("privateKey", "there")),
        }
    }

    fn names_a_key(&self) -> bool {
        self.account_id.is_some() || self.public_key.is_some() || self.ss58_address.is_some()
    }

    /// Every public field that is there must be of this key.
    fn agree_with(&self, hotkey: &Hotkey) -> Result<(), Problem> {
        for (name, text) in [("accountId", &self.account_id), ("publicKey", &self.public_key)] {
            let Some(text) = text else { continue };
            let mut bytes = [0; KEY_BYTES];
            if !hex::decode_into(hex::without_prefix(text), &mut bytes) {
                return Err(Problem::Field(name, "64 hexadecimal digits"));
            }
            if &bytes != hotkey.as_bytes() {
                return Err(Problem::Contradiction(name));
            }
        }
        if let Some(address) = &self.ss58_address {
            let named = Hotkey::parse(address)
                .map_err(|_| Problem::Field("ss58Address", "an address with prefix 42"))?;
            if named != *hotkey {
                return Err(Problem::Contradiction("ss58Address"));
            }
        }
        Ok(())
    }
}

fn seed(text: &str) -> Result<Seed, Problem> {
    let mut bytes = Zeroizing::new([0; SEED_BYTES]);
    if hex::decode_into(hex::without_prefix(text), &mut bytes[..]) {
        Ok(Seed::from_bytes(&bytes))
    } else {
        Err(Problem::Field("secretSeed", "64 hexadecimal digits"))
    }
}

fn private(text: &str) -> Result<Keypair, Problem> {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    if !hex::decode_into(hex::without_prefix(text), &mut bytes[..]) {
        return Err(Problem::Field("privateKey", "128 hexadecimal digits"));
    }
    Keypair::from_secret(&bytes).ok_or(Problem::Field("privateKey", "an sr25519 secret"))
}
