//! Documents that are nearly the same: found by `MinHash`, decided by their shingles themselves.
//!
//! The lock calls it once, after exact copies are gone. Whatever is found depends on the set of documents alone: they are
//! ranked by their keyed digests, and of two that are nearly the same the one of lower rank is kept. A document goes if and
//! only if it is nearly the same as one that is kept and that it was compared with; none that goes takes another with it.
//! All splits are compared together, so that nothing that is held out is in the stream in other words' clothes.

mod files;
mod shingles;
mod signature;

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};

use super::LockError;
use super::spool::Spool;
use crate::publish::PublishError;
pub(super) use files::BandFiles;
pub(super) use signature::{BANDS, bands};

/// Members of a bucket, in the order of their ranks, that each of its members is compared with.
const COMPARED_MAX: usize = 16;
/// Most pairs that are compared: 8 bytes each.
const PAIRS_MAX: usize = 32 * 1024 * 1024;
/// Pairs that a thread takes at a time.
const CHUNK_PAIRS: usize = 256;
/// Sets of shingles that a thread keeps: the first members of a bucket come again and again.
const KEPT_SETS: usize = 8;
/// From this length of both texts together on, two documents are compared by one thread at a time.
const LARGE_PAIR_BYTES: u64 = 2 * 1024 * 1024;
/// Sets that are kept of such documents.
const KEPT_LARGE_SETS: usize = 2;

/// How documents that are nearly the same are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearDuplicates {
    /// The name of the hash functions and of what they are taken of.
    pub kind: NearKind,
    /// Words of a shingle.
    pub shingle_words: u32,
    /// Bands of the signature: two documents are compared if one agrees.
    pub bands: u32,
    /// Minima in a band.
    pub rows: u32,
    /// Members of a bucket that each of its members is compared with.
    pub compared_max: u32,
    /// From this Jaccard similarity of their shingles on, in thousandths, two documents are nearly the same.
    pub jaccard_permille_min: u32,
}

/// The ways that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NearKind {
    /// Words in lower case, FNV-1a and the finaliser of `MurmurHash3`, one permutation, densified.
    #[serde(rename = "minhash-lsh.v1")]
    MinHashLshV1,
}

impl NearDuplicates {
    /// From this similarity on, in thousandths.
    pub fn from_permille(jaccard_permille_min: u32) -> Self {
        // Small numbers.
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            kind: NearKind::MinHashLshV1,
            shingle_words: small(shingles::SHINGLE_WORDS),
            bands: small(BANDS),
            rows: small(signature::ROWS),
            compared_max: small(COMPARED_MAX),
            jaccard_permille_min,
        }
    }

    /// Whether this version does it like that.
    pub(crate) fn is_valid(&self) -> bool {
        *self == Self::from_permille(self.jaccard_permille_min)
            && (300..=1000).contains(&self.jaccard_permille_min)
    }
}

impl Default for NearDuplicates {
    fn default() -> Self {
        Self::from_permille(700)
    }
}

/// The Jaccard similarity of two texts by their shingles, in thousandths.
pub fn similarity_permille(one: &str, other: &str) -> u32 {
    shingles::jaccard_permille(&shingles::set(one), &shingles::set(other))
}

/// For each document of the spool, by its rank, whether it goes.
pub(super) fn dropped(
    spool: &Spool,
    rule: NearDuplicates,
    threads: NonZero<usize>,
    report: &mut dyn FnMut(u64, u64) -> Result<(), LockError>,
) -> Result<Vec<bool>, LockError> {
    let Some(files) = spool.bands() else {
        return Ok(vec![false; spool.sorted().len()]);
    };
    let pairs = candidates(files, &spool.ranks(), threads)?;
    report(0, pairs.len() as u64)?;
    let alike = compare(spool, &pairs, rule.jaccard_permille_min, threads, report)?;
    let mut dropped = vec![false; spool.sorted().len()];
    // Pairs are in the order of the higher rank, so that whether the lower one is kept is known by then.
    for (pair, _) in pairs.iter().zip(&alike).filter(|(_, is_alike)| **is_alike) {
        if !dropped[pair.lower()] {
            dropped[pair.higher()] = true;
        }
    }
    Ok(dropped)
}

/// Two documents by their ranks, ordered by the higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    higher: u32,
    lower: u32,
}

impl Pair {
    fn higher(self) -> usize {
        self.higher as usize
    }

    fn lower(self) -> usize {
        self.lower as usize
    }

    fn text_bytes(self, spool: &Spool) -> u64 {
        let of = |rank: usize| u64::from(spool.sorted()[rank].length_bytes);
        of(self.lower()) + of(self.higher())
    }
}

/// Pairs that agree in a band, each once, in order.
fn candidates(
    files: &BandFiles,
    ranks: &[Option<u32>],
    threads: NonZero<usize>,
) -> Result<Vec<Pair>, LockError> {
    let next = AtomicUsize::new(0);
    let found: Result<Vec<Vec<Pair>>, PublishError> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get().min(BANDS))
            .map(|_| {
                scope.spawn(|| {
                    let mut pairs = Vec::new();
                    loop {
                        let band = next.fetch_add(1, Ordering::Relaxed);
                        if band >= BANDS || pairs.len() > PAIRS_MAX {
                            return Ok(pairs);
                        }
                        of_band(&files.keys(band)?, ranks, &mut pairs);
                        pairs.sort_unstable();
                        pairs.dedup();
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let mut pairs = found?.concat();
    pairs.sort_unstable();
    pairs.dedup();
    if pairs.len() > PAIRS_MAX {
        return Err(LockError::TooManyAlike { pairs_max: PAIRS_MAX });
    }
    Ok(pairs)
}

/// Adds the pairs of one band.
fn of_band(keys: &[Option<u64>], ranks: &[Option<u32>], pairs: &mut Vec<Pair>) {
    let mut ranked: Vec<(u64, u32)> = keys
        .iter()
        .zip(ranks)
        .filter_map(|(key, rank)| Some(((*key)?, (*rank)?)))
        .collect();
    ranked.sort_unstable();
    for bucket in ranked.chunk_by(|one, other| one.0 == other.0) {
        for (place, (_, higher)) in bucket.iter().enumerate() {
            for (_, lower) in &bucket[..place.min(COMPARED_MAX)] {
                pairs.push(Pair {
                    higher: *higher,
                    lower: *lower,
                });
            }
        }
    }
}

/// Which of the pairs are nearly the same.
fn compare(
    spool: &Spool,
    pairs: &[Pair],
    permille_min: u32,
    threads: NonZero<usize>,
    report: &mut dyn FnMut(u64, u64) -> Result<(), LockError>,
) -> Result<Vec<bool>, LockError> {
    let mut alike = vec![false; pairs.len()];
    let large = Mutex::new(Sets::new(spool, KEPT_LARGE_SETS));
    let per_round = threads.get() * CHUNK_PAIRS * 16;
    let mut done = 0;
    for (pairs_of_round, alike) in pairs.chunks(per_round).zip(alike.chunks_mut(per_round)) {
        let share = pairs_of_round.len().div_ceil(threads.get()).max(1);
        let compared: Result<(), PublishError> = thread::scope(|scope| {
            let workers: Vec<_> = pairs_of_round
                .chunks(share)
                .zip(alike.chunks_mut(share))
                .map(|(pairs, alike)| {
                    scope.spawn(|| {
                        let mut sets = Sets::new(spool, KEPT_SETS);
                        for (pair, is_alike) in pairs.iter().zip(alike) {
                            let permille = if pair.text_bytes(spool) < LARGE_PAIR_BYTES {
                                sets.similarity_permille(*pair)?
                            } else {
                                let mut large = large.lock().unwrap_or_else(PoisonError::into_inner);
                                large.similarity_permille(*pair)?
                            };
                            *is_alike = permille >= permille_min;
                        }
                        Ok(())
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        });
        compared?;
        done += pairs_of_round.len() as u64;
        report(done, pairs.len() as u64)?;
    }
    Ok(alike)
}

/// The shingles of the documents that were asked for last.
struct Sets<'s> {
    spool: &'s Spool,
    buffer: Vec<u8>,
    kept: VecDeque<(usize, Vec<u64>)>,
    kept_max: usize,
}

impl<'s> Sets<'s> {
    fn new(spool: &'s Spool, kept_max: usize) -> Self {
        Self {
            spool,
            buffer: Vec::new(),
            kept: VecDeque::new(),
            kept_max,
        }
    }

    fn similarity_permille(&mut self, pair: Pair) -> Result<u32, PublishError> {
        for rank in [pair.lower(), pair.higher()] {
            // What is used goes to the back, so that loading the second one never throws out the first.
            let found = self.kept.iter().position(|(kept, _)| *kept == rank);
            if found.is_none() && self.kept.len() >= self.kept_max {
                // The other one of this pair is still needed.
                let other = pair.lower() + pair.higher() - rank;
                let oldest = self.kept.iter().position(|(kept, _)| *kept != other);
                oldest.and_then(|place| self.kept.remove(place));
            }
            let used = if let Some(kept) = found.and_then(|place| self.kept.remove(place)) {
                kept
            } else {
                let text = self.spool.read(&self.spool.sorted()[rank], &mut self.buffer)?;
                (rank, shingles::set(text))
            };
            self.kept.push_back(used);
        }
        let of = |rank| {
            let found = self.kept.iter().find(|(kept, _)| *kept == rank);
            found.map_or(&[][..], |(_, set)| set)
        };
        Ok(shingles::jaccard_permille(of(pair.lower()), of(pair.higher())))
    }
}
