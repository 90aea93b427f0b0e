//! How documents find their split, as a manifest says it: a keyed digest, and shares or sizes.
//!
//! A part of [`super::Manifest`]. A secret salt is in it by its hash alone.

use serde::{Deserialize, Serialize};

use crate::limits::LABEL_BYTES_MAX;
use crate::secret::SecretSalt;

/// What keys the digest, as far as the manifest tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Salt {
    /// This text, for everybody to see: anybody can tell which documents are held out.
    Public(String),
    /// The text with this commitment, which only the operator has: see [`SecretSalt::commitment`].
    Sha256(String),
}

impl Salt {
    /// Whether the manifest keeps it to itself.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Sha256(_))
    }

    fn is_valid(&self) -> bool {
        match self {
            Self::Public(text) => text.len() <= LABEL_BYTES_MAX,
            Self::Sha256(hash) => super::is_hash(hash),
        }
    }
}

/// How a document finds its split: a keyed BLAKE3 digest of it, and what share or size each split has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum SplitRule {
    /// Of the bytes of the document, taken in thousandths. For text that a grammar writes.
    #[serde(rename = "blake3-keyed-permille.v1")]
    Synthetic {
        /// Text that keys the digest.
        salt: String,
        /// Thousandths of the documents that go to `val`.
        val_permille: u32,
        /// Thousandths of the documents that go to `test`.
        test_permille: u32,
    },
    /// Of the normal form of the whole input document, taken in thousandths: its words with one space between them,
    /// without byte order marks. For text that somebody may have copied.
    #[serde(rename = "blake3-keyed-permille.v2")]
    Permille {
        /// What keys the digest.
        salt: Salt,
        /// Thousandths of the documents that go to `val`.
        val_permille: u32,
        /// Thousandths of the documents that go to `test`.
        test_permille: u32,
    },
    /// Of the normal form as well: documents in the order of their digests fill `val`, then `test`, then `train`, each
    /// up to its size. The rest is in none of them.
    #[serde(rename = "blake3-keyed-bytes.v1")]
    Bytes {
        /// What keys the digest.
        salt: Salt,
        /// Most bytes of `train`.
        train_bytes: u64,
        /// Most bytes of `val`.
        val_bytes: u64,
        /// Most bytes of `test`.
        test_bytes: u64,
    },
}

/// What part of the documents each split has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shares {
    /// Thousandths of the documents; the rest is `train`.
    Permille {
        /// Of `val`.
        val: u32,
        /// Of `test`.
        test: u32,
    },
    /// Most bytes of each; the rest is in none of them.
    Bytes {
        /// Of `train`.
        train: u64,
        /// Of `val`.
        val: u64,
        /// Of `test`.
        test: u64,
    },
}

impl SplitRule {
    /// The rule of a lock with this salt and these shares.
    pub fn new(salt: Salt, shares: Shares) -> Self {
        match shares {
            Shares::Permille { val, test } => Self::Permille {
                salt,
                val_permille: val,
                test_permille: test,
            },
            Shares::Bytes { train, val, test } => Self::Bytes {
                salt,
                train_bytes: train,
                val_bytes: val,
                test_bytes: test,
            },
        }
    }

    /// The rule of a synthetic corpus with this salt and these thousandths.
    pub fn of_synthetic(salt: &str, val_permille: u32, test_permille: u32) -> Self {
        Self::Synthetic {
            salt: salt.to_owned(),
            val_permille,
            test_permille,
        }
    }

    /// Whether `val`, `test` and the salt are kept apart, for the operator alone.
    pub fn is_secret(&self) -> bool {
        self.locked_salt().is_some_and(Salt::is_secret)
    }

    /// The salt of a rule that a lock has used.
    pub fn locked_salt(&self) -> Option<&Salt> {
        match self {
            Self::Synthetic { .. } => None,
            Self::Permille { salt, .. } | Self::Bytes { salt, .. } => Some(salt),
        }
    }

    /// Whether some documents are left for `train`, and the salt is of bounded length.
    pub fn is_valid(&self) -> bool {
        let leaves_some = |val: u32, test: u32| val.checked_add(test).is_some_and(|sum| sum < 1000);
        match self {
            Self::Synthetic {
                salt,
                val_permille,
                test_permille,
            } => salt.len() <= LABEL_BYTES_MAX && leaves_some(*val_permille, *test_permille),
            Self::Permille {
                salt,
                val_permille,
                test_permille,
            } => salt.is_valid() && leaves_some(*val_permille, *test_permille),
            Self::Bytes {
                salt,
                train_bytes,
                val_bytes,
                test_bytes,
            } => {
                let sum = train_bytes
                    .checked_add(*val_bytes)
                    .and_then(|sum| sum.checked_add(*test_bytes));
                salt.is_valid() && *train_bytes > 0 && *val_bytes > 0 && sum.is_some()
            }
        }
    }
}

/// What keys a lock.
#[derive(Debug, Clone)]
pub enum LockSalt {
    /// Text that is written into the manifest.
    Public(String),
    /// Text that only the operator knows; the manifest has its commitment.
    Secret(SecretSalt),
}

impl LockSalt {
    /// What the manifest says of it.
    pub fn in_manifest(&self) -> Salt {
        match self {
            Self::Public(text) => Salt::Public(text.clone()),
            Self::Secret(salt) => Salt::Sha256(salt.commitment()),
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Public(text) => text,
            Self::Secret(salt) => salt.text(),
        }
    }
}
