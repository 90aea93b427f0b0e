//! The newest documents: what a model that remembers its text remembers best.
//!
//! All lanes are read at the same time, so the newest text is at the front of every lane, not at the end of the stream.
//! Called when the learner is gone, to choose the train documents of the memorisation gap: [`newest_first`]. Reads no
//! document.

use std::collections::BTreeSet;

use crate::lanes::{Documents, Grid};

/// The documents of which every target is read within the first `steps` steps, oldest first.
///
/// A document is as old as its last target: those that end in a later row are newer, and of one row those of a higher
/// lane, then those further right; this is the order in which they are completed. Older than all of these are the
/// documents that a lane's end cuts, in their order in the stream: a part of each was read when its lane began. There are
/// fewer of them than lanes, and they are complete only when the stream is read to its end.
pub fn finished(documents: &dyn Documents, batch_size: u32, seq_len: u32, steps: u64) -> Vec<u64> {
    let count = documents.count();
    let total = (0..count).map(|place| documents.targets(place)).sum();
    let grid = Grid::new(total, batch_size, seq_len);
    let mut found = Vec::new();
    let mut start = 0;
    for place in 0..count {
        let end = start + documents.targets(place);
        let (first, last) = (start, end - 1);
        start = end;
        let whole = grid.lane_of(first) == grid.lane_of(last);
        // The first part of a document that is cut lies in the last row of its lane.
        let row = if whole { grid.row_of(last) } else { grid.rows() - 1 };
        if row < steps {
            found.push((whole, if whole { row } else { 0 }, place));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, _, place)| place).collect()
}

/// The documents that a snapshot had read when it had seen `steps` steps, the newest first. Those of which it had read
/// only a part come after all others, first those that it would have finished soonest, then those that a lane's end cuts:
/// who chooses lanes shorter than documents has text to be measured on all the same.
pub fn newest_first(documents: &dyn Documents, batch_size: u32, seq_len: u32, steps: u64) -> Vec<u64> {
    let mut found = finished(documents, batch_size, seq_len, steps);
    found.reverse();
    let whole: BTreeSet<u64> = found.iter().copied().collect();
    let count = documents.count();
    let total = (0..count).map(|place| documents.targets(place)).sum();
    let grid = Grid::new(total, batch_size, seq_len);
    let mut begun = Vec::new();
    let mut start = 0;
    for place in 0..count {
        let (first, last) = (start, start + documents.targets(place) - 1);
        start = last + 1;
        let cut = grid.lane_of(first) != grid.lane_of(last);
        // A document that is cut goes on in the first row of a lane.
        let begins = if cut { 0 } else { grid.row_of(first) };
        if begins < steps && !whole.contains(&place) {
            begun.push((cut, if cut { 0 } else { grid.row_of(last) }, place));
        }
    }
    begun.sort_unstable();
    found.extend(begun.into_iter().map(|(_, _, place)| place));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lanes::{Lanes, Step, TokenDocument};

    fn documents(lengths: &[usize]) -> Vec<TokenDocument> {
        let make = |(number, &len): (usize, &usize)| TokenDocument {
            number: number as u64,
            ids: vec![0; len],
            byte_lengths: vec![1; len],
        };
        lengths.iter().enumerate().map(make).collect()
    }

    #[test]
    fn the_ends_of_all_lanes_are_newer_than_what_was_read_before() {
        // Three lanes of four rows of two: documents 2 and 4 are cut, 6 and 7 end in the last row.
        let documents = documents(&[2, 2, 3, 2, 3, 2, 2, 0]);
        assert_eq!(finished(&documents, 3, 2, 4), [2, 4, 0, 5, 1, 3, 6, 7]);
        assert_eq!(finished(&documents, 3, 2, 3), [0, 5, 1, 3]);
        assert_eq!(finished(&documents, 3, 2, 2), [0, 5]);
        assert!(finished(&documents, 3, 2, 0).is_empty());
    }

    #[test]
    fn what_was_read_in_part_comes_last() {
        // As above: three lanes of four rows of two, documents 2 and 4 are cut.
        let documents = documents(&[2, 2, 3, 2, 3, 2, 2, 0]);
        assert_eq!(newest_first(&documents, 3, 2, 3), [3, 1, 5, 0, 6, 2, 4]);
        assert_eq!(newest_first(&documents, 3, 2, 2), [5, 0, 1, 3, 2, 4]);
        assert!(newest_first(&documents, 3, 2, 0).is_empty());
        // Lanes of two targets: after one step nothing is whole, and all but the last document are read in part.
        assert_eq!(newest_first(&documents, 12, 1, 1), [0, 1, 2, 3, 4, 5, 6]);
        let every = newest_first(&documents, 3, 2, 4);
        assert_eq!(every.iter().collect::<BTreeSet<_>>().len(), documents.len());
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_completion_but_for_the_documents_that_are_cut(
            lengths in prop::collection::vec(0_usize..30, 0..30),
            batch in 1_u32..9,
            seq_len in 1_u32..9,
            stop in 0_u64..30,
        ) {
            let documents = documents(&lengths);
            let mut lanes = Lanes::new(documents.clone(), batch, seq_len, 256);
            let mut step = Step::default();
            let (mut completed, mut cut) = (Vec::new(), Vec::new());
            let mut lanes_of = vec![std::collections::BTreeSet::new(); lengths.len()];
            let mut steps = 0;
            while lanes.next_step(&mut step).unwrap() {
                for segment in &step.segments {
                    lanes_of[usize::try_from(segment.document).unwrap()].insert(segment.lane);
                    if segment.completes && steps < stop {
                        completed.push(segment.document);
                    }
                }
                steps += 1;
            }
            completed.retain(|&number| {
                let whole = lanes_of[usize::try_from(number).unwrap()].len() == 1;
                if !whole {
                    cut.push(number);
                }
                whole
            });
            cut.sort_unstable();
            prop_assert!(cut.len() < batch as usize);
            let expected = [cut, completed].concat();
            prop_assert_eq!(finished(&documents, batch, seq_len, stop), expected);
        }
    }
}
