//! What is kept of a bundle for comparisons: its hash and the fingerprints of what is its own.
//!
//! Made once per bundle ([`Fingerprints::of`]), stored as bytes (`bytes`), compared by [`super::Index`]. What everybody
//! uses or may build upon is not in it.

use prism_bundle::Bundle;
use prism_core::hash::Sha256Hash;

use super::analysis::{Pieces, grams};
use super::standard::{Standard, standard};
use super::{SimilarityError, winnow};
use crate::check::on_a_large_stack;
use crate::source::Source;

/// Most fingerprints of one bundle.
pub const FINGERPRINTS_MAX: usize = 65_536;
/// Parts with a number of their own; what comes after them is taken for one.
const PARTS_MAX: u16 = u16::MAX;

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
    /// The class or function that it stands in: parts are numbered over all files.
    pub(super) part: u16,
    pub(super) first_line: u32,
    pub(super) last_line: u32,
}

impl Fingerprints {
    /// Reads a bundle's code. Nothing of it runs; the work is bounded by the limits of bundles and [`super::TOKENS_MAX`].
    pub fn of(bundle: &Bundle) -> Result<Self, SimilarityError> {
        on_a_large_stack(|| Self::read(bundle, Standard::contains))?
    }

    /// The same as if the honest bundles of this repository were somebody's own. For measurements and tests of the
    /// comparison: they are the only bundles by several hands that come with it.
    #[doc(hidden)]
    pub fn before_publication(bundle: &Bundle) -> Result<Self, SimilarityError> {
        on_a_large_stack(|| Self::read(bundle, Standard::is_a_building_block))?
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

    fn read(bundle: &Bundle, is_anybodys: fn(&Standard, u64) -> bool) -> Result<Self, SimilarityError> {
        let sources = Source::all(bundle);
        let standard = standard();
        let mut marks: Vec<Mark> = grams(&sources, Pieces::Reached, winnow::winnowed)?
            .into_iter()
            .filter(|found| !is_anybodys(standard, found.gram.hash))
            .map(|found| Mark {
                hash: found.gram.hash,
                // A bundle has far fewer files (`prism_bundle::limits::FILES_MAX`).
                file: u16::try_from(found.file).unwrap_or(u16::MAX),
                part: u16::try_from(found.part).unwrap_or(PARTS_MAX),
                first_line: found.gram.first_line,
                last_line: found.gram.last_line,
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
