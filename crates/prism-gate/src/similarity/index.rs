//! Earlier bundles, in memory, in the order in which they arrived: which of them does a later one resemble?
//!
//! A query looks at all of them; whose they are, and whether they still count, is for the caller to say.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::fingerprints::Fingerprints;
use super::likeness::{Match, Verdict};

/// Most fingerprints of all bundles together: some 60,000 bundles of the usual size, or 2 GB of memory.
const FINGERPRINTS_MAX: usize = 1 << 26;

/// The index can take no more.
#[derive(Debug, thiserror::Error)]
#[error("the index holds {0} fingerprints and can take no more; make a new one of those that still count")]
pub struct IndexFull(usize);

/// The earlier bundles.
#[derive(Debug, Default)]
pub struct Index {
    bundles: Vec<(String, Fingerprints)>,
    /// Of all bundles.
    fingerprints: usize,
}

impl Index {
    /// Adds the bundle that arrived after all that were added before, by an id of its own.
    pub fn add(&mut self, id: &str, fingerprints: Fingerprints) -> Result<(), IndexFull> {
        let all = self.fingerprints + fingerprints.len();
        if all > FINGERPRINTS_MAX {
            return Err(IndexFull(self.fingerprints));
        }
        self.fingerprints = all;
        self.bundles.push((id.to_owned(), fingerprints));
        Ok(())
    }

    /// Those that a bundle resembles, the gravest first, then in the order of their arrival.
    pub fn query(&self, later: &Fingerprints) -> Vec<Match> {
        let marks = later.hashes.iter().zip(&later.places);
        let parts: FxHashMap<u64, u16> = marks.map(|(hash, place)| (*hash, place.part)).collect();
        let mut matches = Vec::new();
        let mut shared = Vec::new();
        for (id, earlier) in &self.bundles {
            let marks = earlier.hashes.iter().zip(&earlier.places);
            shared.clear();
            shared.extend(marks.filter_map(|(hash, place)| Some((*parts.get(hash)?, place.part))));
            let found = Match::by_parts(id, later, earlier, &shared);
            if found.verdict > Verdict::Unlike {
                matches.push(found);
            }
        }
        matches.sort_by_key(|found| Reverse(found.gravity()));
        matches
    }
}
