//! The objects of the Hub's API, as far as they are needed.

use serde::Deserialize;

/// An entry of a tree.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) size: u64,
    pub(super) lfs: Option<Lfs>,
}

/// What stands for a large file in git, whether its bytes lie in LFS or in Xet.
#[derive(Debug, Deserialize)]
pub(super) struct Lfs {
    /// SHA-256 of the bytes.
    pub(super) oid: String,
    pub(super) size: u64,
}

/// What the Hub says of a revision.
#[derive(Debug, Deserialize)]
pub(super) struct Revision {
    /// The commit.
    pub(super) sha: String,
}
