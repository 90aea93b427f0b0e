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

/// Most bundles that one is compared with in full, and told of: those that look gravest.
pub const MATCHES_MAX: usize = 100;

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
    /// The parts of all bundles, in the order of arrival. Lists of the index name these.
    slots: Vec<Slot>,
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

/// A part of a bundle.
#[derive(Clone, Copy, Debug)]
struct Slot {
    place: u32,
    /// How many fingerprints it has.
    size: u32,
}

/// The parts of bundles that have a fingerprint. Most have one.
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
        let parts = sizes(&fingerprints.marks);
        let mut slots: FxHashMap<u16, u32> = FxHashMap::default();
        for mark in &fingerprints.marks {
            // There are no more slots than fingerprints.
            let slot = *slots.entry(mark.part).or_insert_with(|| {
                let size = parts.get(&mark.part).copied().unwrap_or_default();
                self.slots.push(Slot {
                    place,
                    size: u32::try_from(size).unwrap_or(u32::MAX),
                });
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            });
            let posting = self.postings.entry(mark.hash).or_insert(Posting::One(slot));
            match *posting {
                Posting::One(first) if first == slot => {}
                Posting::One(first) => {
                    // There are no more lists than fingerprints.
                    *posting = Posting::Many(u32::try_from(self.shared.len()).unwrap_or(u32::MAX));
                    self.shared.push(vec![first, slot]);
                }
                Posting::Many(list) => self.shared[list as usize].push(slot),
            }
        }
        self.exact.entry(fingerprints.hash).or_default().push(place);
        self.ids.insert(id.to_owned(), place);
        self.entries.push(Some(Entry {
            id: id.to_owned(),
            parts,
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
                    Some(Posting::Many(list)) => {
                        let slots = &self.slots;
                        self.shared[list as usize].retain(|slot| slots[*slot as usize].place != place);
                    }
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
        let thresholds = &options.thresholds;
        let parts = sizes(&fingerprints.marks);
        let bundles = before.min(self.entries.len());
        let mut counts = vec![0_u32; bundles];
        // How many each part of an earlier bundle shares with this one, and each earlier bundle with the part at hand.
        let mut of_slots = vec![0_u32; self.slots.len()];
        let mut of_part = vec![0_u32; bundles];
        // At most so much can be copied: what parts of either share, perhaps counted twice.
        let mut copied_most = vec![0_u32; bundles];
        let mut by_part: Vec<&Mark> = fingerprints.marks.iter().collect();
        by_part.sort_by_key(|mark| mark.part);
        let mut touched: Vec<u32> = Vec::new();
        for marks in by_part.chunk_by(|one, other| one.part == other.part) {
            for mark in marks {
                let slots = match self.postings.get(&mark.hash) {
                    None => continue,
                    Some(Posting::One(slot)) => std::slice::from_ref(slot),
                    Some(Posting::Many(list)) => &self.shared[*list as usize][..],
                };
                for &number in slots {
                    let slot = self.slots[number as usize];
                    let place = slot.place as usize;
                    // Ascending: what is not before comes last.
                    let Some(count) = counts.get_mut(place) else { break };
                    *count += 1;
                    of_slots[number as usize] += 1;
                    if of_part[place] == 0 {
                        touched.push(slot.place);
                    }
                    of_part[place] += 1;
                }
            }
            for place in touched.drain(..) {
                let count = std::mem::take(&mut of_part[place as usize]);
                if thresholds.is_taken(count as usize, marks.len()) {
                    copied_most[place as usize] += count;
                }
            }
        }
        for (slot, &count) in self.slots.iter().zip(&of_slots) {
            if thresholds.is_taken(count as usize, slot.size as usize) {
                copied_most[slot.place as usize] += count;
            }
        }
        let exact = self.exact.get(&fingerprints.hash).map_or(&[][..], Vec::as_slice);
        let mut near = Vec::new();
        for (place, &shared) in counts.iter().enumerate() {
            let is_exact = exact.iter().any(|&other| other as usize == place);
            if !is_exact && (shared == 0 || (shared as usize) < thresholds.shared_min) {
                continue;
            }
            let Some(entry) = &self.entries[place] else {
                continue;
            };
            if options.ignored_ids.contains(entry.id.as_str()) {
                continue;
            }
            let overlap = Overlap {
                shared: shared as usize,
                copied: copied_most[place].min(shared) as usize,
                later: fingerprints.marks.len(),
                earlier: entry.fingerprints.marks.len(),
            };
            if let Some(verdict) = thresholds.verdict(is_exact, overlap) {
                near.push((
                    Reverse((verdict, is_exact, overlap.copied, shared)),
                    place,
                    overlap,
                ));
            }
        }
        near.sort_unstable_by_key(|(gravity, place, _)| (*gravity, *place));
        near.truncate(MATCHES_MAX);
        near.sort_unstable_by_key(|(_, place, _)| *place);
        let mut matches = Vec::new();
        for (Reverse((_, is_exact, ..)), place, mut overlap) in near {
            let Some(entry) = &self.entries[place] else {
                continue;
            };
            let pairs = common(&fingerprints.marks, &entry.fingerprints.marks);
            overlap.copied = thresholds.copied(&pairs, &parts, &entry.parts);
            if let Some(verdict) = thresholds.verdict(is_exact, overlap) {
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
