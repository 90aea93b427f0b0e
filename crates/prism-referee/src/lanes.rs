//! Lanes: a queue of documents laid out as rows of a step.
//!
//! Lane `b` reads its document in rows of `T` targets. A document that ends inside a row is followed, in that row, by
//! the next one of the queue; ties go to the lowest lane. Every document ends with an end-of-text token, which is paid
//! for and has no bytes. Column 0 of a row is the last token already paid for in its lane; the first one of a lane is
//! end-of-text. Called by the session for the stream and for held-out rows alike; reads each document once.

use std::{cmp::Reverse, collections::BinaryHeap};

/// One tokenised document, without its end-of-text token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenDocument {
    /// Its number within its split.
    pub number: u64,
    /// Token ids, each below the vocabulary.
    pub ids: Vec<u32>,
    /// How many source bytes each token stands for.
    pub byte_lengths: Vec<u16>,
}

/// Yields documents in the order of the stream.
pub trait Documents {
    /// The next one; `None` at the end.
    fn next_document(&mut self) -> Result<Option<TokenDocument>, DocumentError>;
}

/// Reading or tokenising a document failed. Text for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(pub String);

impl<D: Documents + ?Sized> Documents for Box<D> {
    fn next_document(&mut self) -> Result<Option<TokenDocument>, DocumentError> {
        (**self).next_document()
    }
}

/// Documents that are already there.
impl Documents for std::vec::IntoIter<TokenDocument> {
    fn next_document(&mut self) -> Result<Option<TokenDocument>, DocumentError> {
        Ok(self.next())
    }
}

/// A run of targets in one row that belong to one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which row.
    pub lane: u32,
    /// Its first column.
    pub column: u32,
    /// How many targets.
    pub targets: u32,
    /// Whose they are.
    pub document: u64,
    /// Whether the document's end-of-text is among them.
    pub ends: bool,
}

/// The rows of one step, as the referee sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// `(B, T + 1)` tokens, row-major.
    pub tokens: Vec<i32>,
    /// `(B, T)`: 1 for a real target.
    pub mask: Vec<u8>,
    /// `(B, T)`: source bytes that each target stands for.
    pub byte_lengths: Vec<u16>,
    /// The real targets, by row, then column.
    pub segments: Vec<Segment>,
    /// Number of real targets.
    pub targets: u64,
    /// Source bytes of all targets.
    pub bytes: u64,
}

struct Lane {
    last_token: i32,
    document: Option<(TokenDocument, usize)>,
}

/// Lays documents on lanes.
pub struct Lanes<D> {
    documents: D,
    rows: Vec<Lane>,
    seq_len: usize,
    end_of_text: i32,
    drained: bool,
}

impl<D: Documents> Lanes<D> {
    /// `batch_size` lanes with rows of `seq_len` targets.
    pub fn new(documents: D, batch_size: u32, seq_len: u32, end_of_text: u32) -> Self {
        let end_of_text = i32::try_from(end_of_text).unwrap_or(i32::MAX);
        let rows = (0..batch_size)
            .map(|_| Lane {
                last_token: end_of_text,
                document: None,
            })
            .collect();
        Self {
            documents,
            rows,
            seq_len: usize::try_from(seq_len).unwrap_or(usize::MAX),
            end_of_text,
            drained: false,
        }
    }

    /// Fills `step` with the next rows; false if nothing is left.
    pub fn next_step(&mut self, step: &mut Step) -> Result<bool, DocumentError> {
        let (rows, t) = (self.rows.len(), self.seq_len);
        step.tokens.clear();
        step.tokens.resize(rows * (t + 1), self.end_of_text);
        step.mask.clear();
        step.mask.resize(rows * t, 0);
        step.byte_lengths.clear();
        step.byte_lengths.resize(rows * t, 0);
        step.segments.clear();
        (step.targets, step.bytes) = (0, 0);

        // Lanes that need a document, by the column at which they need it, then by number.
        let mut hungry = BinaryHeap::new();
        for row in 0..rows {
            step.tokens[row * (t + 1)] = self.rows[row].last_token;
            let filled = self.copy(step, row, 0);
            if filled < t {
                hungry.push(Reverse((filled, row)));
            }
        }
        while let Some(Reverse((column, row))) = hungry.pop() {
            let Some(document) = self.next_document()? else {
                break;
            };
            self.rows[row].document = Some((document, 0));
            let filled = self.copy(step, row, column);
            if filled < t {
                hungry.push(Reverse((filled, row)));
            }
        }
        step.segments
            .sort_unstable_by_key(|segment| (segment.lane, segment.column));
        Ok(step.targets > 0)
    }

    fn next_document(&mut self) -> Result<Option<TokenDocument>, DocumentError> {
        if self.drained {
            return Ok(None);
        }
        let document = self.documents.next_document()?;
        self.drained = document.is_none();
        Ok(document)
    }

    /// Copies from the lane's document into its row from `column` on; returns the first column left empty.
    fn copy(&mut self, step: &mut Step, row: usize, column: usize) -> usize {
        let t = self.seq_len;
        let lane = &mut self.rows[row];
        let Some((document, position)) = lane.document.take() else {
            return column;
        };
        let total = document.ids.len() + 1;
        let count = (total - position).min(t - column);
        let ends = position + count == total;
        let text = position..position + count - usize::from(ends);

        let at = row * (t + 1) + 1 + column;
        for (place, &id) in step.tokens[at..].iter_mut().zip(&document.ids[text.clone()]) {
            *place = id.cast_signed();
        }
        // The end-of-text token is what the row is filled with already.
        let at = row * t + column;
        step.mask[at..at + count].fill(1);
        for (place, &bytes) in step.byte_lengths[at..]
            .iter_mut()
            .zip(&document.byte_lengths[text])
        {
            *place = bytes;
            step.bytes += u64::from(bytes);
        }
        step.targets += count as u64;
        step.segments.push(Segment {
            lane: u32::try_from(row).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            targets: u32::try_from(count).unwrap_or(u32::MAX),
            document: document.number,
            ends,
        });
        lane.last_token = step.tokens[row * (t + 1) + column + count];
        if !ends {
            lane.document = Some((document, position + count));
        }
        column + count
    }
}

/// The row of a question: true up to `column`, end-of-text after it, so that the target is not there.
pub fn question_row(step: &Step, lane: u32, column: u32, seq_len: u32, end_of_text: u32, row: &mut Vec<i32>) {
    let (lane, column, t) = (lane as usize, column as usize, seq_len as usize);
    let start = lane * (t + 1);
    row.clear();
    row.extend_from_slice(&step.tokens[start..=start + column]);
    row.resize(t, end_of_text.cast_signed());
}

/// The target at a place.
pub fn target(step: &Step, lane: u32, column: u32, seq_len: u32) -> u32 {
    let at = lane as usize * (seq_len as usize + 1) + column as usize + 1;
    step.tokens[at].cast_unsigned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EOT: u32 = 256;

    fn documents(lengths: &[usize]) -> std::vec::IntoIter<TokenDocument> {
        let make = |(number, &len): (usize, &usize)| TokenDocument {
            number: number as u64,
            ids: (0..len)
                .map(|i| u32::try_from((number * 31 + i) % 256).unwrap())
                .collect(),
            byte_lengths: vec![1; len],
        };
        lengths
            .iter()
            .enumerate()
            .map(make)
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn steps(lengths: &[usize], batch: u32, seq_len: u32) -> Vec<Step> {
        let mut lanes = Lanes::new(documents(lengths), batch, seq_len, EOT);
        let mut out = Vec::new();
        let mut step = Step::default();
        while lanes.next_step(&mut step).unwrap() {
            out.push(step.clone());
        }
        out
    }

    #[test]
    fn documents_follow_each_other_in_a_row_and_ties_go_to_the_lowest_lane() {
        // Lane 0 takes document 0 (two targets with its end), lane 1 document 1 (two as well); both run dry at
        // column 2, so lane 0 takes document 2 and lane 1 document 3.
        let all = steps(&[1, 1, 5, 2], 2, 4);
        let owners: Vec<_> = all[0]
            .segments
            .iter()
            .map(|s| (s.lane, s.column, s.document, s.ends))
            .collect();
        assert_eq!(
            owners,
            [
                (0, 0, 0, true),
                (0, 2, 2, false),
                (1, 0, 1, true),
                (1, 2, 3, false)
            ]
        );
        let eot = EOT.cast_signed();
        assert_eq!(all[0].tokens[..5], [eot, 0, eot, 62, 63]);
        assert_eq!(
            all[1].tokens[..5],
            [63, 64, 65, 66, eot],
            "column 0 is the last token paid for"
        );
        assert_eq!(all[1].mask, [1, 1, 1, 1, 1, 0, 0, 0]);
    }

    #[test]
    fn a_question_does_not_hold_its_target() {
        let step = &steps(&[7], 1, 4)[0];
        let mut row = Vec::new();
        question_row(step, 0, 1, 4, EOT, &mut row);
        assert_eq!(row, [256, 0, 256, 256]);
        assert_eq!(target(step, 0, 1, 4), 1);
    }

    proptest! {
        #[test]
        fn every_token_is_paid_for_exactly_once_and_in_order(
            lengths in prop::collection::vec(0_usize..40, 0..30),
            batch in 1_u32..6,
            seq_len in 1_u32..17,
        ) {
            let all = steps(&lengths, batch, seq_len);
            let mut seen: Vec<Vec<i32>> = vec![Vec::new(); lengths.len()];
            let (mut targets, mut bytes) = (0, 0);
            for step in &all {
                targets += step.targets;
                bytes += step.bytes;
                prop_assert_eq!(step.mask.iter().map(|&m| u64::from(m)).sum::<u64>(), step.targets);
                for s in &step.segments {
                    for column in s.column..s.column + s.targets {
                        prop_assert_eq!(step.mask[(s.lane * seq_len + column) as usize], 1);
                        let token = target(step, s.lane, column, seq_len).cast_signed();
                        seen[usize::try_from(s.document).unwrap()].push(token);
                    }
                }
            }
            for (document, seen) in documents(&lengths).zip(&seen) {
                let mut expected: Vec<i32> = document.ids.iter().map(|id| id.cast_signed()).collect();
                expected.push(EOT.cast_signed());
                prop_assert_eq!(&expected, seen);
            }
            prop_assert_eq!(targets, lengths.iter().map(|len| *len as u64 + 1).sum::<u64>());
            prop_assert_eq!(bytes, lengths.iter().map(|len| *len as u64).sum::<u64>());
            // Column 0 always continues the row before it in the same lane.
            for pair in all.windows(2) {
                for lane in 0..batch as usize {
                    let width = seq_len as usize + 1;
                    let filled = pair[0].mask[lane * seq_len as usize..][..seq_len as usize]
                        .iter().map(|&m| usize::from(m)).sum::<usize>();
                    prop_assert_eq!(pair[1].tokens[lane * width], pair[0].tokens[lane * width + filled]);
                }
            }
        }
    }
}
