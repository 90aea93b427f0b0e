//! All earlier bundles, by fingerprint: which of them does a new one resemble?
//!
//! An inverted index in memory. Whoever keeps bundles adds them in the order in which they arrived; a query finds only
//! earlier ones, so nobody is ever held against those who came later. Results never depend on the order of a hash map.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use prism_core::hash::Sha256Hash;
use rustc_hash::FxHashMap;

use super::fingerprints::{Fingerprints, Mark};
use super::matching::{Match, Region, Verdict, regions};
use super::thresholds::Thresholds;

/// A place in the order of arrival: earlier is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arrival(u32);

/// Why a bundle cannot be added.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IndexError {
    /// Its id is in use.
    #[error("the index already holds a bundle with the id `{0}`; remove it first")]
    Taken(String),
    /// The index is full.
    #[error(
        "the index holds {0} fingerprints and can take no more; make a new one of those that still count"
    )]
    Full(usize),
}

/// Most fingerprints of all bundles together: some 60,000 bundles of the usual size, or 3 GB of memory.
const MARKS_MAX: usize = 1 << 26;

/// What a query looks at.
#[derive(Clone, Debug, Default)]
pub struct QueryOptions<'q> {
    /// Only bundles that arrived before this one; all, if there is none.
    pub before: Option<Arrival>,
    /// Bundles that do not count: the author's own, say.
    pub ignored_ids: BTreeSet<&'q str>,
    /// From where on a resemblance is told.
    pub thresholds: Thresholds,
}

/// The earlier bundles.
#[derive(Debug, Default)]
pub struct Index {
    entries: Vec<Option<Entry>>,
    ids: FxHashMap<String, u32>,
    exact: FxHashMap<Sha256Hash, Vec<u32>>,
    postings: FxHashMap<u64, Posting>,
    shared: Vec<Vec<u32>>,
    /// Fingerprints of all bundles.
    marks: usize,
}

#[derive(Debug)]
struct Entry {
    id: String,
    fingerprints: Fingerprints,
    /// How many fingerprints each part has.
    parts: FxHashMap<u16, usize>,
}

/// The bundles that have a fingerprint. Most have one.
#[derive(Clone, Copy, Debug)]
enum Posting {
    One(u32),
    /// A list in `shared`.
    Many(u32),
}

impl Index {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bundles it holds.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The place of a bundle in the order of arrival.
    pub fn arrival(&self, id: &str) -> Option<Arrival> {
        self.ids.get(id).copied().map(Arrival)
    }

    /// Adds the bundle that arrived after all that were added before.
    pub fn add(&mut self, id: &str, fingerprints: Fingerprints) -> Result<Arrival, IndexError> {
        if self.ids.contains_key(id) {
            return Err(IndexError::Taken(id.to_owned()));
        }
        let full = IndexError::Full(self.marks);
        let Ok(place) = u32::try_from(self.entries.len()) else {
            return Err(full);
        };
        if self.marks + fingerprints.marks.len() > MARKS_MAX {
            return Err(full);
        }
        self.marks += fingerprints.marks.len();
        for mark in &fingerprints.marks {
            let posting = self.postings.entry(mark.hash).or_insert(Posting::One(place));
            match *posting {
                Posting::One(first) if first == place => {}
                Posting::One(first) => {
                    // There are no more lists than fingerprints.
                    *posting = Posting::Many(u32::try_from(self.shared.len()).unwrap_or(u32::MAX));
                    self.shared.push(vec![first, place]);
                }
                Posting::Many(list) => self.shared[list as usize].push(place),
            }
        }
        self.exact.entry(fingerprints.hash).or_default().push(place);
        self.ids.insert(id.to_owned(), place);
        self.entries.push(Some(Entry {
            id: id.to_owned(),
            parts: sizes(&fingerprints.marks),
            fingerprints,
        }));
        Ok(Arrival(place))
    }

    /// Takes a bundle out: one that was withdrawn or refused. The others keep their places. Whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(place) = self.ids.remove(id) else {
            return false;
        };
        if let Some(entry) = self.entries[place as usize].take() {
            self.marks -= entry.fingerprints.marks.len();
            for mark in &entry.fingerprints.marks {
                match self.postings.get(&mark.hash).copied() {
                    Some(Posting::One(_)) => {
                        self.postings.remove(&mark.hash);
                    }
                    Some(Posting::Many(list)) => self.shared[list as usize].retain(|other| *other != place),
                    None => {}
                }
            }
            if let Some(places) = self.exact.get_mut(&entry.fingerprints.hash) {
                places.retain(|other| *other != place);
            }
        }
        true
    }

    /// The earlier bundles that a bundle resembles, the gravest first, then in the order of their arrival.
    pub fn query(&self, fingerprints: &Fingerprints, options: &QueryOptions<'_>) -> Vec<Match> {
        let before = options
            .before
            .map_or(self.entries.len(), |arrival| arrival.0 as usize);
        let mut counts = vec![0_u32; before.min(self.entries.len())];
        for mark in &fingerprints.marks {
            let places = match self.postings.get(&mark.hash) {
                None => continue,
                Some(Posting::One(place)) => std::slice::from_ref(place),
                Some(Posting::Many(list)) => &self.shared[*list as usize][..],
            };
            for &place in places {
                // Ascending: what is not before comes last.
                match counts.get_mut(place as usize) {
                    Some(count) => *count += 1,
                    None => break,
                }
            }
        }
        let exact = self.exact.get(&fingerprints.hash).map_or(&[][..], Vec::as_slice);
        let parts = sizes(&fingerprints.marks);
        let mut matches = Vec::new();
        for (place, &shared) in counts.iter().enumerate() {
            let Some(entry) = &self.entries[place] else {
                continue;
            };
            if options.ignored_ids.contains(entry.id.as_str()) {
                continue;
            }
            let is_exact = exact.iter().any(|&other| other as usize == place);
            let mut overlap = Overlap {
                shared: shared as usize,
                copied: 0,
                later: fingerprints.marks.len(),
                earlier: entry.fingerprints.marks.len(),
            };
            if !is_exact && (overlap.shared == 0 || overlap.shared < options.thresholds.shared_min) {
                continue;
            }
            let pairs = common(&fingerprints.marks, &entry.fingerprints.marks);
            overlap.copied = options.thresholds.copied(&pairs, &parts, &entry.parts);
            if let Some(verdict) = options.thresholds.verdict(is_exact, overlap) {
                matches.push(told(entry, fingerprints, is_exact, verdict, overlap, &pairs));
            }
        }
        matches.sort_by_key(|found| {
            (
                Reverse(found.verdict),
                Reverse(found.exact),
                Reverse(found.shared),
            )
        });
        matches
    }
}

/// How many fingerprints two bundles have, and have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlap {
    pub(super) shared: usize,
    /// Of those, what stands in parts of which most is shared.
    pub(super) copied: usize,
    pub(super) later: usize,
    pub(super) earlier: usize,
}

/// How many fingerprints each part has.
pub(super) fn sizes<'m>(marks: impl IntoIterator<Item = &'m Mark>) -> FxHashMap<u16, usize> {
    let mut sizes = FxHashMap::default();
    for mark in marks {
        *sizes.entry(mark.part).or_insert(0) += 1;
    }
    sizes
}

fn told(
    entry: &Entry,
    later: &Fingerprints,
    exact: bool,
    verdict: Verdict,
    overlap: Overlap,
    pairs: &[(Mark, Mark)],
) -> Match {
    let earlier = &entry.fingerprints;
    let regions: Vec<Region> = regions(pairs, later, earlier);
    let share = |whole: usize| {
        if whole == 0 {
            0.0
        } else {
            overlap.shared as f64 / whole as f64
        }
    };
    Match {
        id: entry.id.clone(),
        exact,
        shared: overlap.shared,
        of_later: share(overlap.later),
        of_earlier: share(overlap.earlier),
        copied: overlap.copied,
        jaccard: share(overlap.later + overlap.earlier - overlap.shared),
        regions,
        verdict,
    }
}

/// The marks that two bundles share; both lists ascend.
fn common(later: &[Mark], earlier: &[Mark]) -> Vec<(Mark, Mark)> {
    let mut pairs = Vec::new();
    let mut rest = earlier;
    for mark in later {
        let skipped = rest.partition_point(|other| other.hash < mark.hash);
        rest = &rest[skipped..];
        if let Some(other) = rest.first()
            && other.hash == mark.hash
        {
            pairs.push((*mark, *other));
        }
    }
    pairs
}
