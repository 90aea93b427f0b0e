//! From where on a resemblance is a copy, or worth a look. The measurements behind the numbers: `docs/similarity.md`.

use super::index::Overlap;
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
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            shared_min: 12,
            shared_reject_min: 20,
            review_share: 0.35,
            reject_share: 0.65,
            reject_smaller_share: 0.2,
        }
    }
}

impl Thresholds {
    pub(super) fn verdict(&self, exact: bool, overlap: Overlap) -> Option<Verdict> {
        if exact {
            return Some(Verdict::Reject);
        }
        let Overlap {
            shared,
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
        if is_copy {
            Some(Verdict::Reject)
        } else {
            (greater >= self.review_share).then_some(Verdict::Review)
        }
    }
}
