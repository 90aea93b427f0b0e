//! What is kept of a bundle for comparisons: its hash and the fingerprints of what is its own.
//!
//! Made once per bundle ([`Fingerprints::of`]). What everybody uses or may build upon is not in it.

use prism_bundle::Bundle;
use prism_core::hash::Sha256Hash;

use super::analysis::{Pieces, grams};
use super::standard::{Standard, standard};
use super::{SimilarityError, winnow};
use crate::check::on_a_large_stack;
use crate::source::Source;

/// Most fingerprints of one bundle.
pub(super) const FINGERPRINTS_MAX: usize = 65_536;

/// The fingerprints of one bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    pub(super) hash: Sha256Hash,
    /// The paths of the files that places name.
    pub(super) files: Vec<String>,
    /// Ascending.
    pub(super) hashes: Vec<u64>,
    /// Where each stands.
    pub(super) places: Vec<Place>,
    /// How many fingerprints each part has.
    pub(super) parts: Vec<usize>,
}

/// Where a fingerprint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: u16,
    pub(super) first_line: u32,
    pub(super) last_line: u32,
    /// The class or function that it stands in: parts are numbered over all files.
    pub(super) part: u16,
}

impl Fingerprints {
    /// Reads a bundle's code. Nothing of it runs; the work is bounded by the limits of bundles and of tokens.
    pub fn of(bundle: &Bundle) -> Result<Self, SimilarityError> {
        on_a_large_stack(|| Self::read(bundle, Standard::contains))?
    }

    /// The same as if the honest bundles of this repository were somebody's own. For measurements and tests of the
    /// comparison: they are the only bundles by several hands that come with it.
    #[doc(hidden)]
    pub fn before_publication(bundle: &Bundle) -> Result<Self, SimilarityError> {
        on_a_large_stack(|| Self::read(bundle, Standard::is_a_building_block))?
    }

    /// How many fingerprints there are of what is the bundle's own.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether the bundle has no code of its own: all of it is building blocks.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn read(bundle: &Bundle, is_anybodys: fn(&Standard, u64) -> bool) -> Result<Self, SimilarityError> {
        let sources = Source::all(bundle);
        let standard = standard();
        let mut own = grams(&sources, Pieces::Reached, winnow::winnowed)?;
        own.retain(|(hash, _)| !is_anybodys(standard, *hash));
        own.sort_unstable();
        own.dedup_by_key(|(hash, _)| *hash);
        if own.len() > FINGERPRINTS_MAX {
            return Err(SimilarityError::TooLarge);
        }
        let (hashes, places): (Vec<u64>, Vec<Place>) = own.into_iter().unzip();
        let last = places.iter().map(|place| usize::from(place.part)).max();
        let mut parts = vec![0; last.map_or(0, |part| part + 1)];
        for place in &places {
            parts[usize::from(place.part)] += 1;
        }
        Ok(Self {
            hash: bundle.hash(),
            files: sources.into_iter().map(|source| source.path).collect(),
            hashes,
            places,
            parts,
        })
    }
}
