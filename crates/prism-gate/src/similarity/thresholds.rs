//! From where on a resemblance is a copy, or worth a look. The measurements behind the numbers: `docs/similarity.md`.

use rustc_hash::FxHashMap;

use super::fingerprints::Mark;
use super::index::{Overlap, sizes};
use super::matching::Verdict;

/// The thresholds of a comparison. Shares are of the fingerprints of what is a bundle's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Fewer shared fingerprints than this say nothing.
    pub shared_min: usize,
    /// Fewer shared fingerprints than this never reject.
    pub shared_reject_min: usize,
    /// The larger of both shares from which on a person should look.
    pub review_share: f64,
    /// The larger of both shares from which on the later one is a copy ...
    pub reject_share: f64,
    /// ... if the smaller is at least this. A small part of something large is for a person to judge.
    pub reject_smaller_share: f64,
    /// Fewer fingerprints than this make no part: no class, and no function outside of one.
    pub part_min: usize,
    /// The share of a part from which on it is taken from the other bundle.
    pub part_share: f64,
    /// So many fingerprints of taken parts make the later bundle a copy ...
    pub copied_min: usize,
    /// ... if they are at least this share of the earlier one. How much else the later one holds says nothing.
    pub copied_share: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            shared_min: 12,
            shared_reject_min: 20,
            review_share: 0.35,
            reject_share: 0.65,
            reject_smaller_share: 0.2,
            part_min: 15,
            part_share: 0.65,
            copied_min: 20,
            copied_share: 0.2,
        }
    }
}

impl Thresholds {
    /// Whether so many shared fingerprints of a part make it one that was taken.
    pub(super) fn is_taken(&self, shared: usize, size: usize) -> bool {
        shared >= self.part_min && shared as f64 >= self.part_share * size as f64
    }

    /// How many of the shared fingerprints stand in parts, of either bundle, of which most is shared.
    pub(super) fn copied(
        &self,
        pairs: &[(Mark, Mark)],
        later: &FxHashMap<u16, usize>,
        earlier: &FxHashMap<u16, usize>,
    ) -> usize {
        let taken = |shared: FxHashMap<u16, usize>, whole: &FxHashMap<u16, usize>| {
            let mut taken = shared;
            taken.retain(|part, count| self.is_taken(*count, whole.get(part).copied().unwrap_or(*count)));
            taken
        };
        let here = taken(sizes(pairs.iter().map(|(here, _)| here)), later);
        let there = taken(sizes(pairs.iter().map(|(_, there)| there)), earlier);
        pairs
            .iter()
            .filter(|(mark, other)| here.contains_key(&mark.part) || there.contains_key(&other.part))
            .count()
    }

    pub(super) fn verdict(&self, exact: bool, overlap: Overlap) -> Option<Verdict> {
        if exact {
            return Some(Verdict::Reject);
        }
        let Overlap {
            shared,
            copied,
            later,
            earlier,
        } = overlap;
        let (small, large) = (later.min(earlier), later.max(earlier));
        if shared == 0 || shared < self.shared_min {
            return None;
        }
        let (greater, lesser) = (shared as f64 / small as f64, shared as f64 / large as f64);
        let is_copy = shared >= self.shared_reject_min
            && greater >= self.reject_share
            && lesser >= self.reject_smaller_share;
        let takes_parts = copied >= self.copied_min && copied as f64 >= self.copied_share * earlier as f64;
        if is_copy || takes_parts {
            Some(Verdict::Reject)
        } else {
            (copied > 0 || greater >= self.review_share).then_some(Verdict::Review)
        }
    }
}
