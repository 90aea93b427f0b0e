//! How much two bundles have in common, and what follows. The measurements behind the numbers: `docs/similarity.md`.
//!
//! Shares are of the fingerprints of what is a bundle's own. Asked by [`super::Index`] and [`super::against`].

use super::fingerprints::{Fingerprints, Place};

/// Fewer shared fingerprints than this say nothing.
const SHARED_MIN: usize = 12;
/// Fewer shared fingerprints than this never reject.
const SHARED_REJECT_MIN: usize = 20;
/// The larger of both shares from which on a person should look.
pub(super) const REVIEW_SHARE: f64 = 0.35;
/// The larger of both shares from which on the later one is a copy ...
const REJECT_SHARE: f64 = 0.65;
/// ... if the smaller is at least this. A small part of something large is for a person to judge.
const REJECT_SMALLER_SHARE: f64 = 0.2;
/// Fewer fingerprints than this make no part: no class, and no function outside of one.
const PART_MIN: usize = 15;
/// The share of a part from which on it is taken from the other bundle.
const PART_SHARE: f64 = 0.65;
/// So many fingerprints of taken parts make the later bundle a copy ...
const COPIED_MIN: usize = 20;
/// ... if they are at least this share of the earlier one. How much else the later one holds says nothing.
const COPIED_SHARE: f64 = 0.2;

/// What follows from a resemblance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing.
    Unlike,
    /// A person should look at the two.
    Review,
    /// The later one is a copy.
    Reject,
}

/// What a later bundle has in common with an earlier one.
#[derive(Clone, Debug)]
pub struct Match {
    /// The earlier bundle.
    pub id: String,
    /// Whether both are the same files, byte for byte.
    pub exact: bool,
    /// Fingerprints that both have.
    pub shared: usize,
    /// The share of the later bundle's own code that the earlier one holds, from 0 to 1.
    pub of_later: f64,
    /// The share of the earlier bundle's own code that the later one holds, from 0 to 1.
    pub of_earlier: f64,
    /// Fingerprints that both have in classes and functions of which most is shared.
    pub copied: usize,
    /// What follows.
    pub verdict: Verdict,
}

impl Match {
    /// Compares two bundles.
    pub fn of(id: &str, later: &Fingerprints, earlier: &Fingerprints) -> Self {
        let pairs = shared(later, earlier);
        let parts: Vec<_> = pairs
            .iter()
            .map(|(here, there)| (here.part, there.part))
            .collect();
        Self::by_parts(id, later, earlier, &parts)
    }

    /// Judges two bundles by the parts in which they have the fingerprints that both have, the later one's first.
    pub(super) fn by_parts(
        id: &str,
        later: &Fingerprints,
        earlier: &Fingerprints,
        shared: &[(u16, u16)],
    ) -> Self {
        let share = |whole: usize| shared.len() as f64 / whole.max(1) as f64;
        let mut found = Self {
            id: id.to_owned(),
            exact: later.hash == earlier.hash,
            shared: shared.len(),
            of_later: share(later.len()),
            of_earlier: share(earlier.len()),
            copied: 0,
            verdict: Verdict::Unlike,
        };
        if found.shared >= SHARED_MIN {
            found.copied = copied(shared, later, earlier);
        }
        found.verdict = found.judged(earlier.len());
        found
    }

    /// The larger of both shares: a copy beside much else is a small part of the later bundle.
    pub fn share(&self) -> f64 {
        self.of_later.max(self.of_earlier)
    }

    /// What matches are told by, the greatest first.
    pub(super) fn gravity(&self) -> (Verdict, bool, usize) {
        (self.verdict, self.exact, self.shared)
    }

    fn judged(&self, earlier: usize) -> Verdict {
        let greater = self.share();
        let lesser = self.of_later.min(self.of_earlier);
        let is_copy =
            self.shared >= SHARED_REJECT_MIN && greater >= REJECT_SHARE && lesser >= REJECT_SMALLER_SHARE;
        let takes_parts = self.copied >= COPIED_MIN && self.copied as f64 >= COPIED_SHARE * earlier as f64;
        if self.exact || is_copy || takes_parts {
            Verdict::Reject
        } else if self.shared >= SHARED_MIN && (self.copied > 0 || greater >= REVIEW_SHARE) {
            Verdict::Review
        } else {
            Verdict::Unlike
        }
    }
}

/// The places of what both have, the later one's first.
pub(super) fn shared(later: &Fingerprints, earlier: &Fingerprints) -> Vec<(Place, Place)> {
    let mut pairs = Vec::new();
    let (mut here, mut there) = (0, 0);
    while let (Some(one), Some(other)) = (later.hashes.get(here), earlier.hashes.get(there)) {
        if one == other {
            pairs.push((later.places[here], earlier.places[there]));
        }
        here += usize::from(one <= other);
        there += usize::from(other <= one);
    }
    pairs
}

/// How many of the shared fingerprints stand in parts, of either bundle, of which most is shared.
fn copied(shared: &[(u16, u16)], later: &Fingerprints, earlier: &Fingerprints) -> usize {
    let (mut here, mut there) = (vec![0; later.parts.len()], vec![0; earlier.parts.len()]);
    for &(part, other) in shared {
        here[usize::from(part)] += 1;
        there[usize::from(other)] += 1;
    }
    let of = |part: u16, shared: &[usize], whole: &Fingerprints| {
        is_taken(shared[usize::from(part)], whole.parts[usize::from(part)])
    };
    shared
        .iter()
        .filter(|&&(part, other)| of(part, &here, later) || of(other, &there, earlier))
        .count()
}

/// Whether a part of this size is taken from another bundle, with which it shares so much.
pub(super) fn is_taken(shared: usize, size: usize) -> bool {
    shared >= PART_MIN && shared as f64 >= PART_SHARE * size as f64
}
