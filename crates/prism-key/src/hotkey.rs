//! A hotkey: the public key by which a miner is known, and its SS58 address.
//!
//! An address is base58 of `42 || 32 bytes || 2 bytes of BLAKE2b-512("SS58PRE" || 42 || 32 bytes)`. The service parses
//! addresses of strangers; whoever compares hotkeys compares bytes. Every address that is accepted here is the only one
//! of its key.

use std::fmt;

use blake2::{Blake2b512, Digest as _};
use prism_core::advice::{Advice, Hint};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The network prefix of every address: the one of Bittensor and of Substrate in general.
pub const SS58_PREFIX: u8 = 42;
/// Bytes of a public key.
pub const KEY_BYTES: usize = 32;

const CHECKSUM_BYTES: usize = 2;
const ADDRESS_BYTES: usize = 1 + KEY_BYTES + CHECKSUM_BYTES;
const CHECKSUM_CONTEXT: &[u8] = b"SS58PRE";
/// No 35 bytes are longer than this in base58; what is longer is not decoded at all.
const ADDRESS_CHARACTERS_MAX: usize = 48;

/// A public key. Ordered and compared by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hotkey([u8; KEY_BYTES]);

/// Why a text is no hotkey. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HotkeyError {
    /// Not base58.
    #[error("this is no SS58 address: it is not base58")]
    NotBase58,
    /// Too long, or of another number of bytes.
    #[error("this is no SS58 address of a hotkey: it has another length")]
    Length,
    /// An address of another network.
    #[error("this address is of another network (its prefix is not {SS58_PREFIX})")]
    Prefix,
    /// A digit is wrong.
    #[error("the checksum of this address is wrong: it has a typing error")]
    Checksum,
}

impl Advice for HotkeyError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotBase58 | Self::Length | Self::Checksum => "copy the hotkey's address again".into(),
            Self::Prefix => "use the address that begins with 5".into(),
        })
    }
}

impl Hotkey {
    /// The hotkey with these bytes. Whether they are a point of the curve shows when a signature is verified.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Its bytes as wallets write them: `0x` and 64 lower-case digits.
    pub fn to_hex(&self) -> String {
        format!("0x{}", prism_core::hex::encode(&self.0))
    }

    /// Parses an address.
    pub fn parse(address: &str) -> Result<Self, HotkeyError> {
        if address.len() > ADDRESS_CHARACTERS_MAX {
            return Err(HotkeyError::Length);
        }
        let mut decoded = [0_u8; ADDRESS_CHARACTERS_MAX];
        let length = bs58::decode(address)
            .onto(&mut decoded[..])
            .map_err(|_| HotkeyError::NotBase58)?;
        if length != ADDRESS_BYTES {
            return Err(HotkeyError::Length);
        }
        let (key, check) = decoded[1..ADDRESS_BYTES].split_at(KEY_BYTES);
        if decoded[0] != SS58_PREFIX {
            return Err(HotkeyError::Prefix);
        }
        let mut bytes = [0; KEY_BYTES];
        bytes.copy_from_slice(key);
        if check != checksum(&bytes) {
            return Err(HotkeyError::Checksum);
        }
        Ok(Self(bytes))
    }
}

/// The two bytes that guard an address against typing errors.
fn checksum(key: &[u8; KEY_BYTES]) -> [u8; CHECKSUM_BYTES] {
    let digest = Blake2b512::new()
        .chain_update(CHECKSUM_CONTEXT)
        .chain_update([SS58_PREFIX])
        .chain_update(key)
        .finalize();
    [digest[0], digest[1]]
}

impl fmt::Display for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0_u8; ADDRESS_BYTES];
        bytes[0] = SS58_PREFIX;
        bytes[1..=KEY_BYTES].copy_from_slice(&self.0);
        bytes[1 + KEY_BYTES..].copy_from_slice(&checksum(&self.0));
        f.pad(&bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Hotkey {
    type Err = HotkeyError;

    fn from_str(address: &str) -> Result<Self, HotkeyError> {
        Self::parse(address)
    }
}

impl Serialize for Hotkey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hotkey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use prism_core::hex;

    /// The well-known development key "Alice", in other tools' words.
    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const ALICE_HEX: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    /// An address as another network would write it, or a wrong one.
    fn address(prefix: u8, key: &[u8], flip: u8) -> String {
        let digest = Blake2b512::new()
            .chain_update(CHECKSUM_CONTEXT)
            .chain_update([prefix])
            .chain_update(key)
            .finalize();
        let mut bytes = vec![prefix];
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(&[digest[0] ^ flip, digest[1]]);
        bs58::encode(bytes).into_string()
    }

    #[test]
    fn the_well_known_address_is_its_key() {
        let alice = Hotkey::parse(ALICE).unwrap();
        assert_eq!(hex::encode(alice.as_bytes()), ALICE_HEX);
        assert_eq!(alice.to_string(), ALICE);
        assert_eq!(serde_json::to_string(&alice).unwrap(), format!("\"{ALICE}\""));
        assert_eq!(
            serde_json::from_str::<Hotkey>(&format!("\"{ALICE}\"")).unwrap(),
            alice
        );
    }

    #[test]
    fn what_is_no_address_of_ours_is_refused_with_its_reason() {
        let key = [7; KEY_BYTES];
        for (text, expected) in [
            (String::new(), HotkeyError::Length),
            ("hk".into(), HotkeyError::Length),
            (ALICE.replace('Q', "0"), HotkeyError::NotBase58),
            (format!("{ALICE} "), HotkeyError::Length),
            (format!("{}\n", &ALICE[1..]), HotkeyError::NotBase58),
            ("é".repeat(20), HotkeyError::NotBase58),
            ("z".repeat(48), HotkeyError::Length),
            ("1".repeat(48), HotkeyError::Length),
            ("1".repeat(35), HotkeyError::Prefix),
            ("5".repeat(1 << 20), HotkeyError::Length),
            // A leading zero byte more: the same number, another text.
            (format!("1{ALICE}"), HotkeyError::Length),
            // Polkadot, Kusama and the first byte of prefixes with two.
            (address(0, &key, 0), HotkeyError::Prefix),
            (address(2, &key, 0), HotkeyError::Prefix),
            (address(64, &key, 0), HotkeyError::Prefix),
            (address(SS58_PREFIX, &key[..31], 0), HotkeyError::Length),
            (address(SS58_PREFIX, &[7; 33], 0), HotkeyError::Length),
            (address(SS58_PREFIX, &key, 1), HotkeyError::Checksum),
        ] {
            assert_eq!(Hotkey::parse(&text), Err(expected), "{text}");
        }
        assert!(Hotkey::parse(&address(SS58_PREFIX, &key, 0)).is_ok());
    }

    #[test]
    fn no_single_wrong_character_passes() {
        for (at, old) in ALICE.char_indices() {
            for new in ('!'..='~').filter(|&new| new != old) {
                let mut text = ALICE.to_owned();
                text.replace_range(at..=at, &new.to_string());
                assert!(Hotkey::parse(&text).is_err(), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn each_key_has_one_address(bytes: [u8; KEY_BYTES]) {
            let hotkey = Hotkey::from_bytes(bytes);
            prop_assert_eq!(Hotkey::parse(&hotkey.to_string()), Ok(hotkey));
        }

        #[test]
        fn what_is_accepted_is_written_alike(text in "[1-9A-HJ-NP-Za-km-z]{0,50}|\\PC*") {
            if let Ok(hotkey) = Hotkey::parse(&text) {
                prop_assert_eq!(hotkey.to_string(), text);
            }
        }
    }
}
