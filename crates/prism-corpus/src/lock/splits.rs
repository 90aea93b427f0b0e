//! Which documents each split has where sizes decide it.
//!
//! The lock and the twin call it with the documents in the order of their keyed digests: whoever has no salt cannot tell
//! which come first.

use super::LockError;
use super::spool::Spool;
use crate::manifest::{Shares, Split};

/// The order in which splits are filled: what is held out first, so that its size is exact whatever text there is.
const FILLED: [Split; 3] = [Split::Val, Split::Test, Split::Train];

/// A train split that lacks more than this part of its size is refused, in hundredths: what is missing at the end of
/// each split is less than one document.
const MISSING_PERCENT_MAX: u64 = 1;

/// Least part of its size that a split has, in hundredths, however long the document is that had no room in it.
const FOUND_PERCENT_MIN: u64 = 50;

/// Gives each document its split, drops those that no split has room for, and tells how many that are.
pub(super) fn assign(spool: &mut Spool, shares: Shares) -> Result<u64, LockError> {
    let Shares::Bytes { train, val, test } = shares else {
        // The digest has decided it.
        return Ok(0);
    };
    let lengths: Vec<u64> = spool
        .sorted()
        .iter()
        .map(|entry| u64::from(entry.length_bytes))
        .collect();
    let filled = fill(&lengths, &[val, test, train]);
    for (split, size, got) in FILLED
        .into_iter()
        .zip([val, test, train])
        .zip(&filled)
        .map(|((split, size), range)| (split, size, &lengths[range.clone()]))
    {
        let found_bytes: u64 = got.iter().sum();
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let missing_max = longest.max(size.saturating_mul(MISSING_PERCENT_MAX) / 100);
        let found_min = size.saturating_mul(FOUND_PERCENT_MIN) / 100;
        if size.saturating_sub(found_bytes) > missing_max || found_bytes < found_min {
            return Err(LockError::TooFew {
                split,
                found_bytes,
                wanted_bytes: size,
            });
        }
    }
    let used = filled.last().map_or(0, |range| range.end);
    let unused = lengths.len() - used;
    let entries = spool.entries_mut();
    entries.truncate(used);
    for (range, split) in filled.into_iter().zip(FILLED) {
        for entry in &mut entries[range] {
            entry.split = split;
        }
    }
    Ok(unused as u64)
}

/// Runs of documents that fill these sizes one after another, none beyond its size.
fn fill(lengths: &[u64], sizes: &[u64; 3]) -> [std::ops::Range<usize>; 3] {
    let mut next = 0;
    sizes.map(|size| {
        let start = next;
        let mut bytes = 0u64;
        while let Some(length) = lengths.get(next) {
            match bytes.checked_add(*length) {
                Some(sum) if sum <= size => bytes = sum,
                _ => break,
            }
            next += 1;
        }
        start..next
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_fill_their_sizes_and_none_goes_beyond() {
        assert_eq!(fill(&[3, 3, 3, 3, 3], &[6, 3, 5]), [0..2, 2..3, 3..4]);
        assert_eq!(fill(&[3, 3], &[7, 0, 9]), [0..2, 2..2, 2..2]);
        assert_eq!(fill(&[], &[1, 1, 1]), [0..0, 0..0, 0..0]);
        assert_eq!(
            fill(&[u64::MAX, u64::MAX], &[u64::MAX, u64::MAX, 1]),
            [0..1, 1..2, 2..2]
        );
    }
}
