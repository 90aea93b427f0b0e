//! The manifest of a locked corpus: what `manifest.json` says, its canonical bytes and its hash.
//!
//! `lock` and `synth` write it, [`crate::Corpus::open`] reads it, and the run record carries its hash. A manifest
//! must never hold a clock, a path of the host or anything else that differs between two locks of the same text with
//! the same options. What the text is called and where it comes from are options.

use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};
use prism_core::hash::Sha256Hash;
use serde::{Deserialize, Serialize};

use crate::limits::{
    DOCUMENT_BYTES_MAX, DOCUMENT_CODE_MICROBITS_MAX, INPUT_FILES_MAX, LABEL_BYTES_MAX, SHARD_BYTES_MAX,
    SHARDS_MAX,
};
use crate::lock::{Filters, NearDuplicates};
use crate::secret::SECRET_DIR;

mod rule;
pub use rule::{LockSalt, Salt, Shares, SplitRule};

/// The schema that this version writes and reads.
pub const SCHEMA: &str = "prism-corpus.v3";

/// What this version calls itself in a manifest.
pub const TOOL: &str = concat!("prism ", env!("CARGO_PKG_VERSION"));

/// The name of the manifest inside a corpus directory.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The name of the file with its SHA-256, as `sha256sum` writes it: a bit that flips in the manifest would make another
/// corpus of it, and nobody would notice.
pub const MANIFEST_HASH_FILE: &str = "manifest.sha256";

prism_core::words! {
    /// One of the three disjoint parts of a corpus.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Split, name {
        /// The stream that is measured.
        Train = "train",
        /// The held-out text.
        Val = "val",
        /// Kept for later; nothing reads it.
        Test = "test",
    }
}

impl Split {
    /// The folder of the corpus that holds its shards: what is held out lies apart where the salt is secret.
    fn folder(self, rule: &SplitRule) -> Option<&'static str> {
        match self {
            Self::Val | Self::Test if rule.is_secret() => Some(SECRET_DIR),
            Self::Train | Self::Val | Self::Test => None,
        }
    }

    /// Where its shards lie in the corpus of this directory.
    pub(crate) fn dir(self, corpus: &Path, rule: &SplitRule) -> PathBuf {
        match self.folder(rule) {
            Some(folder) => corpus.join(folder),
            None => corpus.to_owned(),
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Train => 0,
            Self::Val => 1,
            Self::Test => 2,
        }
    }
}

/// Everything that is fixed about a corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this schema.
    pub schema: String,
    /// The program that made it, with its version.
    pub tool: String,
    /// What the corpus is called.
    pub name: String,
    /// Where its text comes from, in words.
    pub source: String,
    /// Which revision of the source it is.
    pub revision: String,
    /// How it was made.
    pub origin: Origin,
    /// How documents found their split.
    pub split_rule: SplitRule,
    /// Longest document.
    pub document_bytes_max: u64,
    /// Documents of all splits.
    pub documents: u64,
    /// Bytes of all splits.
    pub bytes: u64,
    /// The three splits.
    pub splits: Splits,
}

/// How a corpus was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Origin {
    /// From files, in the order of the documents' digests.
    Locked {
        /// The field or column that held the text.
        text_field: String,
        /// How `.txt` files became documents.
        text_files: crate::lock::TextFiles,
        /// The files that were read, in the order of their hashes.
        files: Vec<InputHash>,
        /// Which documents were taken.
        filters: Filters,
        /// How documents were found that are nearly the same, if they were looked for.
        near_duplicates: Option<NearDuplicates>,
        /// Documents read.
        documents_read: u64,
        /// Records passed over because they had null for their text, as they may with `--skip-empty` alone.
        documents_null: u64,
        /// Records dropped because their bytes are not UTF-8.
        documents_not_utf8: u64,
        /// Documents that a filter did not take.
        documents_filtered: u64,
        /// Documents dropped because they held nothing but white space.
        documents_empty: u64,
        /// Documents dropped because an equal one was kept.
        documents_duplicate: u64,
        /// Documents dropped because one was kept that differs from them in white space alone.
        documents_respaced: u64,
        /// Documents dropped because one was kept that is nearly the same.
        documents_near_duplicate: u64,
        /// Documents that no split had room for.
        documents_unused: u64,
        /// Documents that were longer than the limit and were cut.
        documents_cut: u64,
    },
    /// By the grammar, in the order of generation.
    Synthetic {
        /// Version of the grammar.
        grammar: String,
        /// The seed of its lexicon, its facts and its text.
        seed: u64,
    },
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputHash {
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// The three splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// See [`Split::Train`].
    pub train: SplitManifest,
    /// See [`Split::Val`].
    pub val: SplitManifest,
    /// See [`Split::Test`].
    pub test: SplitManifest,
}

impl Splits {
    /// Documents of all splits.
    pub fn documents(&self) -> u64 {
        [&self.train, &self.val, &self.test]
            .iter()
            .fold(0, |sum, s| sum.saturating_add(s.documents))
    }

    /// Bytes of all splits.
    pub fn bytes(&self) -> u64 {
        [&self.train, &self.val, &self.test]
            .iter()
            .fold(0, |sum, s| sum.saturating_add(s.bytes))
    }
}

/// One split: its totals and its shards in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitManifest {
    /// Documents of the split.
    pub documents: u64,
    /// Bytes of text of the split.
    pub bytes: u64,
    /// Exact code length of all documents, where the source knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_microbits: Option<u64>,
    /// The same per byte: no predictor is expected to score below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy_floor_bits_per_byte: Option<f64>,
    /// The shards, in order.
    pub shards: Vec<ShardManifest>,
}

/// One shard: `<stem>.txt` holds the text of its documents without separators, `<stem>.idx` their lengths in
/// bytes (u32, little endian), and `<stem>.bits` their code lengths in millionths of a bit (u64, little endian)
/// where the source knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardManifest {
    /// File names without their suffix.
    pub stem: String,
    /// Documents of the shard.
    pub documents: u64,
    /// Bytes of text of the shard.
    pub bytes: u64,
    /// BLAKE3 of the text file, in hexadecimal.
    pub text_blake3: String,
    /// BLAKE3 of the index file, in hexadecimal.
    pub index_blake3: String,
    /// BLAKE3 of the file of code lengths, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_blake3: Option<String>,
}

/// Why a manifest is not one that this version can read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ManifestError {
    #[error("the manifest is not readable: {0}")]
    Parse(#[source] serde_json::Error),
    #[error("the manifest has schema `{found}`, this version reads `{SCHEMA}`")]
    Schema { found: String },
    /// Its bytes are not those that this version would write.
    #[error("the manifest is not in canonical form: it was edited or rewritten")]
    NotCanonical,
    #[error("the manifest contradicts itself at {place}: {problem}")]
    Inconsistent { place: String, problem: &'static str },
}

impl Advice for ManifestError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Schema { .. } | Self::NotCanonical | Self::Inconsistent { .. } => {
                "lock the corpus again".into()
            }
            Self::Parse(_) => return None,
        })
    }
}

impl Manifest {
    /// The bytes of `manifest.json`.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // A struct of strings, numbers and vectors always serialises; the empty answer could only fail a check.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// SHA-256 of the canonical bytes, in hexadecimal: the identity of the corpus.
    pub fn manifest_hash(&self) -> String {
        Sha256Hash::of(&self.canonical_bytes()).to_string()
    }

    /// The text of [`MANIFEST_HASH_FILE`].
    pub(crate) fn hash_line(&self) -> String {
        format!("{}  {MANIFEST_FILE}\n", self.manifest_hash())
    }

    /// One split.
    pub const fn split(&self, split: Split) -> &SplitManifest {
        match split {
            Split::Train => &self.splits.train,
            Split::Val => &self.splits.val,
            Split::Test => &self.splits.test,
        }
    }

    /// Reads and checks a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        // The schema is looked at first, so that a newer manifest is called newer and not malformed.
        #[derive(Deserialize)]
        struct Header {
            schema: String,
        }
        let header: Header = serde_json::from_slice(bytes).map_err(ManifestError::Parse)?;
        if header.schema != SCHEMA {
            return Err(ManifestError::Schema {
                found: header.schema.chars().take(64).collect(),
            });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(ManifestError::Parse)?;
        if manifest.canonical_bytes() != bytes {
            return Err(ManifestError::NotCanonical);
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let wrong = |place: &str, problem| {
            Err(ManifestError::Inconsistent {
                place: place.to_owned(),
                problem,
            })
        };
        for (place, label) in [
            ("tool", &self.tool),
            ("name", &self.name),
            ("source", &self.source),
            ("revision", &self.revision),
        ] {
            if label.len() > LABEL_BYTES_MAX {
                return wrong(place, "it is too long");
            }
        }
        if !self.split_rule.is_valid() {
            return wrong(
                "split_rule",
                "the shares leave nothing for train, or the salt is too long",
            );
        }
        let is_of_synthetic = matches!(self.split_rule, SplitRule::Synthetic { .. });
        if is_of_synthetic != matches!(self.origin, Origin::Synthetic { .. }) {
            return wrong("split_rule", "it is not the rule of a corpus of this origin");
        }
        if let Origin::Locked {
            files,
            near_duplicates,
            ..
        } = &self.origin
        {
            if files.len() > INPUT_FILES_MAX || files.iter().any(|file| !is_hash(&file.sha256)) {
                return wrong("files", "there are too many, or one of their hashes is none");
            }
            if !files.is_sorted() {
                return wrong("files", "they are not in the order of their hashes");
            }
            if near_duplicates.is_some_and(|near| !near.is_valid()) {
                return wrong(
                    "near_duplicates",
                    "they were looked for in a way that this version does not know",
                );
            }
        }
        if self.document_bytes_max != DOCUMENT_BYTES_MAX as u64 {
            return wrong("document_bytes_max", "this version has another limit");
        }
        for split in Split::ALL {
            self.split(split).check(split)?;
        }
        if (self.splits.documents(), self.splits.bytes()) != (self.documents, self.bytes) {
            return wrong("documents and bytes", "they are not the sums over the splits");
        }
        Ok(())
    }
}

impl SplitManifest {
    /// The floor that belongs to a number of code bits over a number of bytes.
    pub(crate) fn floor(code_microbits: Option<u64>, bytes: u64) -> Option<f64> {
        code_microbits
            .filter(|_| bytes > 0)
            .map(|code| code as f64 / 1e6 / bytes as f64)
    }

    fn check(&self, split: Split) -> Result<(), ManifestError> {
        let wrong = |place: String, problem| Err(ManifestError::Inconsistent { place, problem });
        if self.shards.len() > SHARDS_MAX {
            return wrong(split.name().to_owned(), "it has too many shards");
        }
        let (mut documents, mut bytes) = (0u64, 0u64);
        for (number, shard) in self.shards.iter().enumerate() {
            if let Some(problem) = shard.problem(split, number, self.code_microbits.is_some()) {
                return wrong(format!("shard {number} of {}", split.name()), problem);
            }
            documents = documents.saturating_add(shard.documents);
            bytes = bytes.saturating_add(shard.bytes);
        }
        if (documents, bytes) != (self.documents, self.bytes) {
            return wrong(
                split.name().to_owned(),
                "its totals are not the sums over its shards",
            );
        }
        let code_max = documents.saturating_mul(DOCUMENT_CODE_MICROBITS_MAX);
        if self.code_microbits.is_some_and(|code| code > code_max) {
            return wrong(split.name().to_owned(), "its code length is out of range");
        }
        if Self::floor(self.code_microbits, self.bytes) != self.entropy_floor_bits_per_byte {
            return wrong(
                split.name().to_owned(),
                "its entropy floor is not its code length over its bytes",
            );
        }
        Ok(())
    }
}

impl ShardManifest {
    /// The name of shard `number` of a split; a manifest may not choose names, so it cannot point elsewhere.
    pub(crate) fn stem(split: Split, number: usize) -> String {
        format!("{}-{number:05}", split.name())
    }

    fn problem(&self, split: Split, number: usize, with_bits: bool) -> Option<&'static str> {
        if self.stem != Self::stem(split, number) {
            return Some("its name is not the one of its place");
        }
        if self.documents == 0 || self.documents > self.bytes || self.bytes > SHARD_BYTES_MAX {
            return Some("its counts are out of range");
        }
        if self.bits_blake3.is_some() != with_bits {
            return Some("code lengths are known for part of the split only");
        }
        let hashes = [
            Some(&self.text_blake3),
            Some(&self.index_blake3),
            self.bits_blake3.as_ref(),
        ];
        hashes
            .into_iter()
            .flatten()
            .any(|h| !is_hash(h))
            .then_some("a hash is not 64 hexadecimal digits")
    }
}

/// Whether a text is a hash of 32 bytes in lower-case hexadecimal.
fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests;
