//! Lanes: the documents as one sequence of targets, cut into as many equal parts as a step has rows.
//!
//! Every document ends with an end-of-text token, which is paid for and has no bytes. Of `N` targets in all, lane `b`
//! takes those from `b R T` to `(b + 1) R T - 1`, where `R = ceil(N / (B T))`. So a pass has exactly `R` steps, and only
//! the last lanes can be short or empty. Column 0 of a row is the last token of the row before it; the first one of a
//! lane is end-of-text. A document that ends where a lane ends is whole; one that goes on is cut, and starts anew in the
//! next lane. Called by the session for the stream and for held-out rows alike; holds one document a lane.

use std::collections::BTreeMap;

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

/// Documents in the order in which they are laid out, each to be had at any time.
pub trait Documents {
    /// How many there are.
    fn count(&self) -> u64;
    /// Targets of the one at this place of the order, from 0: its tokens and its end-of-text.
    fn targets(&self, place: u64) -> u64;
    /// The one at this place.
    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError>;
}

/// Reading or tokenising a document failed. Text for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(pub String);

impl<D: Documents + ?Sized> Documents for Box<D> {
    fn count(&self) -> u64 {
        (**self).count()
    }
    fn targets(&self, place: u64) -> u64 {
        (**self).targets(place)
    }
    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError> {
        (**self).document(place)
    }
}

/// Documents that are already there.
impl Documents for Vec<TokenDocument> {
    fn count(&self) -> u64 {
        self.len() as u64
    }
    fn targets(&self, place: u64) -> u64 {
        at(self, place).map_or(0, |document| document.ids.len() as u64 + 1)
    }
    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError> {
        let missing = || DocumentError(format!("there is no document {place}"));
        at(self, place).cloned().ok_or_else(missing)
    }
}

fn at(documents: &[TokenDocument], place: u64) -> Option<&TokenDocument> {
    documents.get(usize::try_from(place).ok()?)
}

/// How a sequence of targets is cut: `B` lanes of `R` rows of `T` targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    lanes: u64,
    columns: u64,
    rows: u64,
    targets: u64,
}

impl Grid {
    /// For `targets` targets in all, `batch_size` lanes and rows of `seq_len` targets.
    pub(crate) fn new(targets: u64, batch_size: u32, seq_len: u32) -> Self {
        let (lanes, columns) = (u64::from(batch_size.max(1)), u64::from(seq_len.max(1)));
        Self {
            lanes,
            columns,
            rows: targets.div_ceil(lanes * columns),
            targets,
        }
    }

    /// `R`: rows of a lane, which are the steps of a pass.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The lane of a target.
    pub(crate) fn lane_of(&self, target: u64) -> u64 {
        target / self.lane_targets()
    }

    /// The row of a target within its lane, which is the step that reads it.
    pub(crate) fn row_of(&self, target: u64) -> u64 {
        target % self.lane_targets() / self.columns
    }

    /// The first target of a lane, and how many it takes.
    fn lane(&self, lane: u64) -> (u64, u64) {
        let start = lane * self.lane_targets();
        (start, self.targets.saturating_sub(start).min(self.lane_targets()))
    }

    /// Targets of a full lane; 1 where there are none at all.
    fn lane_targets(&self) -> u64 {
        (self.rows * self.columns).max(1)
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
    /// Whether all of the document is read with them. A document that is cut is complete with the last of its parts,
    /// which need not be the one that holds its end-of-text.
    pub completes: bool,
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

/// Where a lane stands.
struct Cursor {
    last_token: i32,
    /// Where the next target is: a document's place, and how many of its targets come before.
    place: u64,
    offset: usize,
    /// Targets that are still to be read.
    left: u64,
    /// The document, once a target of it was needed.
    text: Option<TokenDocument>,
}

/// Lays documents on lanes.
pub struct Lanes<D> {
    documents: D,
    grid: Grid,
    cursors: Vec<Cursor>,
    seq_len: usize,
    end_of_text: i32,
    next_row: u64,
    /// Targets that are still to be read of the documents that a lane's end cuts, by place.
    cut: BTreeMap<u64, u64>,
}

impl<D: Documents> Lanes<D> {
    /// `batch_size` lanes with rows of `seq_len` targets. Reads no document yet.
    pub fn new(documents: D, batch_size: u32, seq_len: u32, end_of_text: u32) -> Self {
        let total = (0..documents.count()).map(|place| documents.targets(place)).sum();
        let end_of_text = i32::try_from(end_of_text).unwrap_or(i32::MAX);
        let mut this = Self {
            documents,
            grid: Grid::new(total, batch_size, seq_len),
            cursors: Vec::new(),
            seq_len: usize::try_from(seq_len).unwrap_or(usize::MAX),
            end_of_text,
            next_row: 0,
            cut: BTreeMap::new(),
        };
        this.place_cursors();
        this
    }

    /// `R`: how many steps there are.
    pub fn steps(&self) -> u64 {
        self.grid.rows()
    }

    /// Sets every lane to its first target, in one walk over the documents.
    fn place_cursors(&mut self) {
        let mut document_start = 0;
        for place in 0..self.documents.count() {
            let document_end = document_start + self.documents.targets(place);
            while (self.cursors.len() as u64) < self.grid.lanes {
                let (start, left) = self.grid.lane(self.cursors.len() as u64);
                if start >= document_end {
                    break;
                }
                if start > document_start {
                    self.cut.insert(place, document_end - document_start);
                }
                self.cursors.push(Cursor {
                    last_token: self.end_of_text,
                    place,
                    offset: usize::try_from(start - document_start).unwrap_or(usize::MAX),
                    left,
                    text: None,
                });
            }
            document_start = document_end;
        }
    }

    /// Fills `step` with the next rows; false if nothing is left.
    pub fn next_step(&mut self, step: &mut Step) -> Result<bool, DocumentError> {
        let rows = usize::try_from(self.grid.lanes).unwrap_or(usize::MAX);
        let t = self.seq_len;
        step.tokens.clear();
        step.tokens.resize(rows * (t + 1), self.end_of_text);
        step.mask.clear();
        step.mask.resize(rows * t, 0);
        step.byte_lengths.clear();
        step.byte_lengths.resize(rows * t, 0);
        step.segments.clear();
        (step.targets, step.bytes) = (0, 0);
        if self.next_row == self.grid.rows() {
            return Ok(false);
        }
        self.next_row += 1;
        for row in 0..self.cursors.len() {
            step.tokens[row * (t + 1)] = self.cursors[row].last_token;
            let mut column = 0;
            while column < t && self.cursors[row].left > 0 {
                column += self.copy(step, row, column)?;
            }
            self.cursors[row].last_token = step.tokens[row * (t + 1) + column];
        }
        Ok(true)
    }

    /// Copies from the lane's document into its row from `column` on; returns how many targets that were.
    fn copy(&mut self, step: &mut Step, row: usize, column: usize) -> Result<usize, DocumentError> {
        let t = self.seq_len;
        let lane = &mut self.cursors[row];
        let document = match lane.text.take() {
            Some(document) => document,
            None => load(&self.documents, lane.place)?,
        };
        let total = document.ids.len() + 1;
        let left = usize::try_from(lane.left).unwrap_or(usize::MAX);
        let count = (total - lane.offset).min(t - column).min(left);
        let ends = lane.offset + count == total;
        let text = lane.offset..lane.offset + count - usize::from(ends);

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
        let completes = match self.cut.get_mut(&lane.place) {
            Some(unread) => {
                *unread -= count as u64;
                *unread == 0
            }
            None => ends,
        };
        step.segments.push(Segment {
            lane: u32::try_from(row).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            targets: u32::try_from(count).unwrap_or(u32::MAX),
            document: document.number,
            completes,
        });
        lane.left -= count as u64;
        if ends {
            (lane.place, lane.offset) = (lane.place + 1, 0);
        } else {
            lane.offset += count;
            lane.text = (lane.left > 0).then_some(document);
        }
        Ok(count)
    }
}

/// Loads one document, which must be as long as it was said to be: the lanes are cut by that.
fn load(documents: &impl Documents, place: u64) -> Result<TokenDocument, DocumentError> {
    let document = documents.document(place)?;
    let targets = documents.targets(place);
    if document.ids.len() as u64 + 1 != targets || document.ids.len() != document.byte_lengths.len() {
        return Err(DocumentError(format!(
            "document {} has {} tokens and had {} when the stream was counted",
            document.number,
            document.ids.len(),
            targets.saturating_sub(1)
        )));
    }
    Ok(document)
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
mod tests;
