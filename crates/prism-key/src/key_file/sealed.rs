//! A key under a password, as Bittensor wallets keep it: `$NACL`, a nonce of 24 bytes, a secretbox.
//!
//! The box's key is Argon2i of the password with a salt that is the same in every file, at libsodium's cost "sensitive".
//! Whoever has the file can try passwords; that this takes long is all that guards a weak one, so the cost is part of the
//! format and none is chosen here.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crypto_secretbox::aead::AeadInPlace as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::{Zeroize, Zeroizing};

use super::Problem;

const PREFIX: &[u8] = b"$NACL";
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const BOX_KEY_BYTES: usize = 32;
/// Part of the format, and in every wallet the same.
const SALT: [u8; 16] = [
    0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1,
];

/// What making a box's key of a password takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// libsodium's `MEMLIMIT_SENSITIVE` and `OPSLIMIT_SENSITIVE` of Argon2i: 512 MiB, eight times over.
    pub(super) const SENSITIVE: Self = Self {
        memory_kib: 512 * 1024,
        passes: 8,
    };

    #[cfg(test)]
    pub(super) const TEST: Self = Self {
        memory_kib: 64,
        passes: 3,
    };
}

/// The parts of a file under a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    nonce: [u8; NONCE_BYTES],
    tag: [u8; TAG_BYTES],
    /// The JSON, enciphered.
    text: Vec<u8>,
}

impl Sealed {
    /// `None` where these bytes are of another kind.
    pub(super) fn recognise(bytes: &[u8]) -> Option<Result<Self, Problem>> {
        let rest = bytes.strip_prefix(PREFIX)?;
        Some(Self::split(rest).ok_or(Problem::SealedTooShort))
    }

    fn split(bytes: &[u8]) -> Option<Self> {
        let (nonce, bytes) = bytes.split_first_chunk()?;
        let (tag, text) = bytes.split_first_chunk()?;
        Some(Self {
            nonce: *nonce,
            tag: *tag,
            text: text.to_vec(),
        })
    }

    /// What is in the box, if the password opens it.
    pub(super) fn open(&self, password: &SecretString, cost: Cost) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let key = box_key(password, cost)?;
        let mut text = Zeroizing::new(self.text.clone());
        XSalsa20Poly1305::new((&*key).into())
            .decrypt_in_place_detached((&self.nonce).into(), b"", &mut text, (&self.tag).into())
            .map_err(|_| Problem::WrongPassword)?;
        Ok(text)
    }
}

fn box_key(password: &SecretString, cost: Cost) -> Result<Zeroizing<[u8; BOX_KEY_BYTES]>, Problem> {
    let mut key = Zeroizing::new([0; BOX_KEY_BYTES]);
    // A password of gigabytes is the one thing that these parameters would refuse.
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(BOX_KEY_BYTES))
        .map_err(|_| Problem::WrongPassword)?;
    let blocks = params.block_count();
    let no_memory = Problem::Memory {
        needed_bytes: blocks * Block::SIZE,
    };
    let mut memory = Vec::new();
    if memory.try_reserve_exact(blocks).is_err() {
        return Err(no_memory);
    }
    memory.resize(blocks, Block::new());
    let made = Argon2::new(Algorithm::Argon2i, Version::V0x13, params).hash_password_into_with_memory(
        password.expose_secret().as_bytes(),
        &SALT,
        &mut key[..],
        &mut memory,
    );
    // The key follows from what is left there.
    memory.iter_mut().for_each(Zeroize::zeroize);
    made.map_err(|_| Problem::WrongPassword)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(password: &str, text: &[u8]) -> Vec<u8> {
        let key = box_key(&password.into(), Cost::TEST).unwrap();
        let nonce = [9; NONCE_BYTES];
        let mut text = text.to_vec();
        let tag = XSalsa20Poly1305::new((&*key).into())
            .encrypt_in_place_detached((&nonce).into(), b"", &mut text)
            .unwrap();
        [PREFIX, &nonce, &tag, &text].concat()
    }

    #[test]
    fn a_box_opens_with_its_password_and_with_no_other() {
        let file = sealed("right", b"{\"a\":1}");
        let sealed = Sealed::recognise(&file).unwrap().unwrap();
        assert_eq!(*sealed.open(&"right".into(), Cost::TEST).unwrap(), b"{\"a\":1}");
        for wrong in ["", "Right", "right "] {
            let opened = sealed.open(&wrong.into(), Cost::TEST);
            assert!(matches!(opened, Err(Problem::WrongPassword)), "{wrong}");
        }
    }

    #[test]
    fn a_box_that_was_changed_or_cut_does_not_open() {
        let file = sealed("right", b"{}");
        for at in PREFIX.len()..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            let sealed = Sealed::recognise(&changed).unwrap().unwrap();
            let opened = sealed.open(&"right".into(), Cost::TEST);
            assert!(matches!(opened, Err(Problem::WrongPassword)), "{at}");
        }
        for length in PREFIX.len()..PREFIX.len() + NONCE_BYTES + TAG_BYTES {
            let cut = Sealed::recognise(&file[..length]).unwrap();
            assert!(matches!(cut, Err(Problem::SealedTooShort)), "{length}");
        }
        assert!(Sealed::recognise(&file[..PREFIX.len() - 1]).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_behind_the_prefix_are_parted_or_refused(bytes: Vec<u8>) {
            let file = [PREFIX, &bytes].concat();
            let is_long_enough = bytes.len() >= NONCE_BYTES + TAG_BYTES;
            prop_assert_eq!(Sealed::recognise(&file).unwrap().is_ok(), is_long_enough);
        }
    }
}
