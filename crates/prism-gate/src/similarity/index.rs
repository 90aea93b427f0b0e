//! Earlier bundles, in memory, in the order in which they arrived: which of them does a later one resemble?
//!
//! A query finds those that have a fingerprint of its own, and judges each of them whole; whose they are, and whether they
//! still count, is for the caller to say.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::fingerprints::Fingerprints;
use super::likeness::{Match, REVIEW_SHARE, Verdict, is_taken};

/// Most fingerprints of all bundles together: some 60,000 bundles of the usual size, or 3 GB of memory.
const FINGERPRINTS_MAX: usize = 1 << 26;

/// The index can take no more.
#[derive(Debug, thiserror::Error)]
#[error("the index holds {0} fingerprints and can take no more; make a new one of those that still count")]
pub struct IndexFull(usize);

/// The earlier bundles.
#[derive(Debug, Default)]
pub struct Index {
    bundles: Vec<(String, Fingerprints)>,
    /// Their fingerprints, together.
    fingerprints: usize,
    /// Their parts, in their order: the place of the bundle, and how many fingerprints the part has.
    parts: Vec<(u32, usize)>,
    /// The parts that have a fingerprint, by their places above.
    holders: FxHashMap<u64, Vec<u32>>,
}

impl Index {
    /// Adds the bundle that arrived after all that were added before, by an id of its own.
    pub fn add(&mut self, id: &str, fingerprints: Fingerprints) -> Result<(), IndexFull> {
        let all = self.fingerprints + fingerprints.len();
        let places = (u32::try_from(self.bundles.len()), u32::try_from(self.parts.len()));
        let (true, (Ok(bundle), Ok(first))) = (all <= FINGERPRINTS_MAX, places) else {
            return Err(IndexFull(self.fingerprints));
        };
        self.fingerprints = all;
        self.parts
            .extend(fingerprints.parts.iter().map(|size| (bundle, *size)));
        for (hash, place) in fingerprints.hashes.iter().zip(&fingerprints.places) {
            let part = first.saturating_add(u32::from(place.part));
            self.holders.entry(*hash).or_default().push(part);
        }
        self.bundles.push((id.to_owned(), fingerprints));
        Ok(())
    }

    /// Those that a bundle resembles, the gravest first, then in the order of their arrival.
    pub fn query(&self, later: &Fingerprints) -> Vec<Match> {
        let near = self.near(later);
        let bundles = self.bundles.iter().zip(near).filter(|(_, is_near)| *is_near);
        let mut matches: Vec<Match> = bundles
            .map(|((id, earlier), _)| Match::of(id, later, earlier))
            .filter(|found| found.verdict > Verdict::Unlike)
            .collect();
        matches.sort_by_key(|found| Reverse(found.gravity()));
        matches
    }

    /// Which bundles may be worth a look, by what they share in all, with one of their parts, or with a part of the later one.
    /// Of thousands that share a little it leaves some, without comparing each.
    fn near(&self, later: &Fingerprints) -> Vec<bool> {
        let mut near = vec![false; self.bundles.len()];
        let mut of_bundles = vec![0; self.bundles.len()];
        let mut of_parts = vec![0; self.parts.len()];
        let mut marks: Vec<_> = later.places.iter().zip(&later.hashes).collect();
        marks.sort_by_key(|(place, _)| place.part);
        for marks in marks.chunk_by(|(one, _), (other, _)| one.part == other.part) {
            let before = of_bundles.clone();
            for part in marks
                .iter()
                .filter_map(|(_, hash)| self.holders.get(hash))
                .flatten()
            {
                of_parts[*part as usize] += 1;
                of_bundles[self.parts[*part as usize].0 as usize] += 1;
            }
            for (is_near, (all, before)) in near.iter_mut().zip(of_bundles.iter().zip(&before)) {
                *is_near |= is_taken(all - before, marks.len());
            }
        }
        for ((bundle, size), shared) in self.parts.iter().zip(of_parts) {
            near[*bundle as usize] |= is_taken(shared, *size);
        }
        for (is_near, ((_, earlier), shared)) in near.iter_mut().zip(self.bundles.iter().zip(of_bundles)) {
            let least = later.len().min(earlier.len()) as f64;
            *is_near |= earlier.hash == later.hash || shared as f64 >= REVIEW_SHARE * least;
        }
        near
    }
}
