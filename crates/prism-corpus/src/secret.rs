//! The secret salt of a corpus, and the folder that keeps what nobody else may read.
//!
//! `lock` writes the folder, `open` checks it and the salt in it, `reveal` opens the salt to everybody. A salt is never printed, not even in
//! a `Debug`.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};
use prism_core::hex;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The folder of a corpus with a secret salt that holds `val`, `test` and the salt.
pub const SECRET_DIR: &str = "secret";
/// The salt, in [`SECRET_DIR`].
pub const SALT_FILE: &str = "salt";
/// The salt of a corpus that was revealed, beside the manifest.
pub const REVEALED_FILE: &str = "revealed-salt";

/// Fewest bytes of a secret salt: what can be guessed keeps nothing.
pub const SALT_BYTES_MIN: usize = 16;
/// Most bytes of a secret salt.
pub const SALT_BYTES_MAX: usize = crate::limits::LABEL_BYTES_MAX;

/// Domain separation: no other hash of the same text is a commitment.
const CONTEXT: &[u8] = b"prism-corpus 2026 salt commitment v1\n";

/// Text that keys the splits and that only the operator knows.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretSalt(Zeroizing<String>);

impl fmt::Debug for SecretSalt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretSalt(..)")
    }
}

/// Why there is no salt.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum SaltError {
    #[error("cannot read the salt file {path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("others than its owner may read {path}", path = path.display())]
    Readable { path: PathBuf },
    #[error("{path} is no salt: it wants one line of {SALT_BYTES_MIN} to {SALT_BYTES_MAX} bytes", path = path.display())]
    Unusable { path: PathBuf },
}

impl Advice for SaltError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Readable { .. } => {
                "take their rights away with `chmod 600` and, if anybody was there, make another salt".into()
            }
            Self::Unusable { path } => {
                let path = path.display();
                format!("make one with `(umask 077; head -c 32 /dev/urandom | base64 > {path})`").into()
            }
            Self::Io { .. } => return None,
        })
    }
}

impl SecretSalt {
    /// Reads a salt file, which nobody but its owner may read.
    pub fn read(path: &Path) -> Result<Self, SaltError> {
        let salt = Self::read_open(path)?;
        let metadata = fs::metadata(path).map_err(|source| SaltError::Io {
            path: path.to_owned(),
            source,
        })?;
        if is_open_to_others(&metadata) {
            return Err(SaltError::Readable {
                path: path.to_owned(),
            });
        }
        Ok(salt)
    }

    /// Reads a salt file that may be public by now.
    pub(crate) fn read_open(path: &Path) -> Result<Self, SaltError> {
        let failed = |source| SaltError::Io {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(SALT_BYTES_MAX + 2));
        File::open(path)
            .map_err(failed)?
            .take(SALT_BYTES_MAX as u64 + 2)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        let unusable = || SaltError::Unusable {
            path: path.to_owned(),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| unusable())?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Self::new(text).ok_or_else(unusable)
    }

    /// A salt of this text: one line of a good length.
    pub fn new(text: &str) -> Option<Self> {
        let is_good =
            (SALT_BYTES_MIN..=SALT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        is_good.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// SHA-256 of it, in hexadecimal: fixed before a round, checked when it is revealed.
    pub fn commitment(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(CONTEXT);
        hasher.update(self.0.as_bytes());
        hex::encode(&hasher.finalize())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Writes it where only the owner may read it.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(self.0.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    }

    /// Writes it for everybody.
    pub(crate) fn reveal(&self, path: &Path) -> io::Result<()> {
        fs::write(path, format!("{}\n", self.text()))
    }
}

/// Makes a folder that only its owner may enter.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Whether anybody but the owner has rights to it.
pub(crate) fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    metadata.mode() & 0o077 != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_salt_is_a_line_that_only_its_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("salt");
        let write = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        write("0123456789abcdef\n", 0o600);
        let salt = SecretSalt::read(&path).unwrap();
        assert_eq!(salt.text(), "0123456789abcdef");
        assert_eq!(format!("{salt:?}"), "SecretSalt(..)");
        for mode in [0o640, 0o604, 0o644] {
            write("0123456789abcdef", mode);
            assert!(matches!(SecretSalt::read(&path), Err(SaltError::Readable { .. })));
        }
        let long = "x".repeat(SALT_BYTES_MAX + 1);
        for text in ["", "0123456789abcde", "0123456789abcdef\nmore", &long] {
            write(text, 0o600);
            assert!(matches!(SecretSalt::read(&path), Err(SaltError::Unusable { .. })));
        }
        write(&long[1..], 0o600);
        assert!(SecretSalt::read(&path).is_ok());
    }

    #[test]
    fn a_commitment_is_of_the_whole_salt() {
        let one = SecretSalt::new("0123456789abcdef").unwrap();
        let other = SecretSalt::new("0123456789abcdeg").unwrap();
        assert_eq!(one.commitment().len(), 64);
        assert_ne!(one.commitment(), other.commitment());
        assert_ne!(
            one.commitment(),
            hex::encode(&Sha256::digest(b"0123456789abcdef"))
        );
    }
}
