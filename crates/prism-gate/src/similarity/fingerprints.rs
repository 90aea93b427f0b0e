//! What is kept of a bundle for comparisons: its hash and the fingerprints of what is its own.
//!
//! Made once per bundle ([`Fingerprints::of`]), stored as bytes (`bytes`), compared by [`super::Index`]. Building blocks
//! that everybody uses are not in it.

use prism_bundle::Bundle;
use prism_core::hash::Sha256Hash;

use super::analysis::{Pieces, grams};
use super::standard::standard;
use super::{SimilarityError, winnow};
use crate::check::on_a_large_stack;
use crate::source::Source;

/// Most fingerprints of one bundle.
pub const FINGERPRINTS_MAX: usize = 65_536;

/// The fingerprints of one bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    pub(super) hash: Sha256Hash,
    /// The paths that marks point to.
    pub(super) files: Vec<String>,
    /// Ascending by their hashes, each hash once.
    pub(super) marks: Vec<Mark>,
}

/// One fingerprint and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) hash: u64,
    pub(super) file: u16,
    pub(super) first_line: u32,
    pub(super) last_line: u32,
}

impl Fingerprints {
    /// Reads a bundle's code. Nothing of it runs; the work is bounded by the limits of bundles and [`super::TOKENS_MAX`].
    pub fn of(bundle: &Bundle) -> Result<Self, SimilarityError> {
        on_a_large_stack(|| Self::read(bundle))?
    }

    /// The canonical hash of the bundle.
    pub fn hash(&self) -> Sha256Hash {
        self.hash
    }

    /// How many fingerprints there are of what is the bundle's own.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether the bundle has no code of its own: all of it is building blocks.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    fn read(bundle: &Bundle) -> Result<Self, SimilarityError> {
        let sources = Source::all(bundle);
        let standard = standard();
        let mut marks: Vec<Mark> = grams(&sources, Pieces::Reached, winnow::winnowed)?
            .into_iter()
            .filter(|(_, gram)| !standard.contains(gram.hash))
            .map(|(file, gram)| Mark {
                hash: gram.hash,
                // A bundle has far fewer files (`prism_bundle::limits::MAX_FILES`).
                file: u16::try_from(file).unwrap_or(u16::MAX),
                first_line: gram.first_line,
                last_line: gram.last_line,
            })
            .collect();
        marks.sort_by_key(|mark| (mark.hash, mark.file, mark.first_line, mark.last_line));
        marks.dedup_by_key(|mark| mark.hash);
        if marks.len() > FINGERPRINTS_MAX {
            return Err(SimilarityError::TooLarge);
        }
        Ok(Self {
            hash: bundle.hash(),
            files: sources.into_iter().map(|source| source.path).collect(),
            marks,
        })
    }
}
