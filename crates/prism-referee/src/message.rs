//! Messages: what the body of each frame means (`protocol/PROTOCOL.md`).
//!
//! Outgoing messages are written straight into a buffer; incoming ones are parsed with a cursor that checks every
//! length and refuses left-over bytes. Called by the learner's and the auditor's side of the referee. Never trusts a
//! count: vectors grow with the bytes that are there, not with what a field promises.

use prism_core::escape::escape_line;

use crate::{
    frame::{FrameError, Kind},
    layout::{Dtype, Layout, TensorRole, TensorSpec},
};

/// Who a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Runs `train`.
    Learner = 1,
    /// Answers questions.
    Auditor = 2,
    /// Scores held-out rows, then dies.
    Claimant = 3,
}

impl Role {
    /// The word in configurations and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learner => "learner",
            Self::Auditor => "auditor",
            Self::Claimant => "claimant",
        }
    }
}

/// How the learner makes its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimsMode {
    /// From the training forward.
    Loss,
    /// From an extra forward in eval mode.
    Eval,
}

/// Which weights a worker is to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightSource {
    /// Those in its segment.
    Segment,
    /// Those that its own `build_model` made.
    RandomInit,
    /// Parameters from its segment, buffers as its own `build_model` made them: masks and tables keep their meaning. Before a run alone.
    SegmentParameters,
    /// The same, and the model predicts in train mode until the next load. Before a run alone.
    SegmentParametersInTrainMode,
}

/// Why there is no further batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The stream is read.
    EndOfData,
    /// A budget is spent.
    Budget,
}

/// Where a worker gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Importing `architecture`.
    ImportArchitecture,
    /// Importing `training`.
    ImportTraining,
    /// In `build_model`.
    BuildModel,
    /// In `train`.
    Train,
    /// In `forward`, in an auditor or claimant.
    Forward,
}

/// A worker's own account of why it gave up; believed no further than that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Where.
    pub phase: Phase,
    /// A code of the protocol.
    pub reason: String,
    /// The exception's type.
    pub exception: String,
    /// Its message.
    pub message: String,
    /// The miner's own frames.
    pub traceback: String,
}

impl Failed {
    /// What was raised: the exception's name and its message. The name stays on its line whatever it is made of: a class can
    /// be called anything.
    pub fn raised(&self) -> String {
        let name = escape_line(&self.exception);
        match (name.as_str(), self.message.as_str()) {
            ("", message) => message.to_owned(),
            (_, "") => name,
            (_, message) => format!("{name}: {message}"),
        }
    }
}

/// `OPEN`: the first call of `ctx.stream`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// `B`, in rows.
    pub batch_size: u32,
    /// `T`, in tokens.
    pub seq_len: u32,
    /// How claims are made.
    pub claims: ClaimsMode,
}

/// `ANSWER`: the logits at one position.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which question.
    pub id: u64,
    /// The logits, of the vocabulary's width; `None` where the model's output has another width.
    pub logits: Option<Vec<f32>>,
}

/// Reads the fields of one body, in order.
pub struct Cursor<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte of `body`.
    pub fn new(kind: Kind, body: &'a [u8]) -> Self {
        Self { kind, rest: body }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], FrameError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(FrameError::Truncated(self.kind))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(FrameError::Truncated(self.kind))?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8, FrameError> {
        Ok(self.array::<1>()?[0])
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Result<u16, FrameError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Result<u32, FrameError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> Result<u64, FrameError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next eight bytes, as a float.
    pub fn f64(&mut self) -> Result<f64, FrameError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// `len` bytes of UTF-8, at most `max_bytes` of them.
    pub fn text(&mut self, len: usize, max_bytes: usize, field: &'static str) -> Result<&'a str, FrameError> {
        let kind = self.kind;
        if len > max_bytes {
            return Err(FrameError::Field { kind, field });
        }
        std::str::from_utf8(self.take(len)?).map_err(|_| FrameError::Field { kind, field })
    }

    /// A string with its length in one byte.
    pub fn str8(&mut self, field: &'static str) -> Result<&'a str, FrameError> {
        let len = usize::from(self.u8()?);
        self.text(len, 255, field)
    }

    /// A string with its length in two bytes.
    pub fn str16(&mut self, max_bytes: usize, field: &'static str) -> Result<&'a str, FrameError> {
        let len = usize::from(self.u16()?);
        self.text(len, max_bytes, field)
    }

    /// A string with its length in four bytes.
    pub fn str32(&mut self, max_bytes: usize, field: &'static str) -> Result<&'a str, FrameError> {
        let len = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        self.text(len, max_bytes, field)
    }

    /// Four bytes each, `count` of them.
    pub fn f32s(&mut self, count: usize) -> Result<Vec<f32>, FrameError> {
        let bytes = self.take(count.checked_mul(4).ok_or(FrameError::Truncated(self.kind))?)?;
        let (floats, _) = bytes.as_chunks::<4>();
        Ok(floats.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    /// A field whose value the protocol does not allow.
    pub fn bad(&self, field: &'static str) -> FrameError {
        FrameError::Field {
            kind: self.kind,
            field,
        }
    }

    /// Ends the message: nothing may be left over.
    pub fn finish(self) -> Result<(), FrameError> {
        match self.rest.len() {
            0 => Ok(()),
            left_bytes => Err(FrameError::Trailing {
                kind: self.kind,
                left_bytes,
            }),
        }
    }
}

/// Parses `HELLO`: role and torch's version.
pub fn parse_hello(body: &[u8]) -> Result<(u8, String), FrameError> {
    let mut c = Cursor::new(Kind::Hello, body);
    let role = c.u8()?;
    let version = c.str8("torch_version")?.to_owned();
    c.finish()?;
    Ok((role, version))
}

/// Parses `FAILED`.
pub fn parse_failed(body: &[u8]) -> Result<Failed, FrameError> {
    let mut c = Cursor::new(Kind::Failed, body);
    let phase = match c.u8()? {
        0 => Phase::ImportArchitecture,
        1 => Phase::ImportTraining,
        2 => Phase::BuildModel,
        3 => Phase::Train,
        4 => Phase::Forward,
        _ => return Err(c.bad("phase")),
    };
    let failed = Failed {
        phase,
        reason: c.str8("reason")?.to_owned(),
        exception: c.str16(1024, "exception")?.to_owned(),
        message: c.str16(4096, "message")?.to_owned(),
        traceback: c.str32(49_152, "traceback")?.to_owned(),
    };
    c.finish()?;
    Ok(failed)
}

/// Parses `NOTE`.
pub fn parse_note(body: &[u8]) -> Result<String, FrameError> {
    let mut c = Cursor::new(Kind::Note, body);
    let text = c.str16(1024, "text")?.to_owned();
    c.finish()?;
    Ok(text)
}

/// Parses `LOG`: the miner's own metrics.
pub fn parse_log(body: &[u8]) -> Result<Vec<(String, f64)>, FrameError> {
    let mut c = Cursor::new(Kind::Log, body);
    let count = c.u8()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push((c.str8("key")?.to_owned(), c.f64()?));
    }
    c.finish()?;
    Ok(entries)
}

/// Parses `OPEN`. Ranges are the recipe's matter.
pub fn parse_open(body: &[u8]) -> Result<Open, FrameError> {
    let mut c = Cursor::new(Kind::Open, body);
    let (batch_size, seq_len) = (c.u32()?, c.u32()?);
    let claims = match c.u8()? {
        0 => ClaimsMode::Loss,
        1 => ClaimsMode::Eval,
        _ => return Err(c.bad("claims")),
    };
    c.finish()?;
    Ok(Open {
        batch_size,
        seq_len,
        claims,
    })
}

/// Parses a body that is one `u64`: `READY`, `LOADED`.
pub fn parse_u64(kind: Kind, body: &[u8]) -> Result<u64, FrameError> {
    let mut c = Cursor::new(kind, body);
    let value = c.u64()?;
    c.finish()?;
    Ok(value)
}

/// Parses `DONE`.
pub fn parse_done(body: &[u8]) -> Result<bool, FrameError> {
    let mut c = Cursor::new(Kind::Done, body);
    let has_snapshot = match c.u8()? {
        0 => false,
        1 => true,
        _ => return Err(c.bad("has_snapshot")),
    };
    c.finish()?;
    Ok(has_snapshot)
}

/// Parses `CLAIMS` or `SCORES` into `out`: one `f32` for each of the `expected` places.
pub fn parse_nats(
    kind: Kind,
    body: &[u8],
    id: u64,
    expected: usize,
    out: &mut Vec<f32>,
) -> Result<(), FrameError> {
    let mut c = Cursor::new(kind, body);
    if c.u64()? != id {
        return Err(c.bad("step"));
    }
    if usize::try_from(c.u32()?) != Ok(expected) {
        return Err(c.bad("count"));
    }
    let bytes = c.take(expected.checked_mul(4).ok_or(FrameError::Truncated(kind))?)?;
    c.finish()?;
    out.clear();
    out.extend(
        bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four)),
    );
    Ok(())
}

/// Parses `ANSWER`: logits are there only if their number is the vocabulary's.
pub fn parse_answer(body: &[u8], vocab_size: u32) -> Result<Answer, FrameError> {
    let mut c = Cursor::new(Kind::Answer, body);
    let id = c.u64()?;
    let width = c.u32()?;
    let logits = if width == vocab_size {
        Some(c.f32s(usize::try_from(width).unwrap_or(usize::MAX))?)
    } else {
        None
    };
    c.finish()?;
    Ok(Answer { id, logits })
}

/// Most tensors of a layout.
pub const TENSORS_MAX: u32 = 65_536;

/// Parses `LAYOUT`.
pub fn parse_layout(body: &[u8]) -> Result<Layout, FrameError> {
    let mut c = Cursor::new(Kind::Layout, body);
    let count = c.u32()?;
    if count > TENSORS_MAX {
        return Err(c.bad("count"));
    }
    let mut tensors = Vec::new();
    for _ in 0..count {
        let name = c.str16(512, "name")?;
        let role = match c.u8()? {
            0 => TensorRole::Parameter,
            1 => TensorRole::Buffer,
            _ => return Err(c.bad("role")),
        };
        let dtype = Dtype::from_code(c.u8()?).ok_or_else(|| c.bad("dtype"))?;
        let dims = c.u8()?;
        if name.is_empty() || dims > 8 {
            return Err(c.bad(if name.is_empty() { "name" } else { "dims" }));
        }
        let shape = (0..dims).map(|_| c.u64()).collect::<Result<Vec<_>, _>>()?;
        tensors.push(TensorSpec {
            name: name.to_owned(),
            role,
            dtype,
            shape,
        });
    }
    let layout = Layout::new(tensors).ok_or_else(|| c.bad("tensors"))?;
    c.finish()?;
    Ok(layout)
}

/// Writes `SHAPE`.
pub fn write_shape(out: &mut Vec<u8>, batch_size: u32, seq_len: u32) {
    out.extend_from_slice(&batch_size.to_le_bytes());
    out.extend_from_slice(&seq_len.to_le_bytes());
}

/// Writes `END`.
pub fn write_end(out: &mut Vec<u8>, reason: EndReason) {
    out.push(match reason {
        EndReason::EndOfData => 0,
        EndReason::Budget => 1,
    });
}

/// Writes `LOAD`.
pub fn write_load(out: &mut Vec<u8>, source: WeightSource, id: u64) {
    out.push(match source {
        WeightSource::Segment => 0,
        WeightSource::RandomInit => 1,
        WeightSource::SegmentParameters => 2,
        WeightSource::SegmentParametersInTrainMode => 3,
    });
    out.extend_from_slice(&id.to_le_bytes());
}

/// Writes `QUESTION`: `row` is already cut and filled.
pub fn write_question(out: &mut Vec<u8>, id: u64, lane: u32, column: u32, row: &[i32]) {
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&lane.to_le_bytes());
    out.extend_from_slice(&column.to_le_bytes());
    out.extend_from_slice(&u32::try_from(row.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(row.iter().flat_map(|token| token.to_le_bytes()));
}

/// The rows of one step, as `BATCH` and `SCORE` carry them.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// `B`, in rows.
    pub batch_size: u32,
    /// `T`, in tokens.
    pub seq_len: u32,
    /// `(B, T + 1)`, row-major.
    pub tokens: &'a [i32],
    /// `(B, T)`: 1 for a real target.
    pub mask: &'a [u8],
}

impl Rows<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.reserve(8 + 4 * self.tokens.len() + self.mask.len());
        out.extend_from_slice(&self.batch_size.to_le_bytes());
        out.extend_from_slice(&self.seq_len.to_le_bytes());
        for &token in self.tokens {
            out.extend_from_slice(&token.to_le_bytes());
        }
        out.extend_from_slice(self.mask);
    }
}

/// Writes `BATCH`: before it `read_bytes` bytes of the stream were read.
pub fn write_batch(out: &mut Vec<u8>, step: u64, read_bytes: u64, rows: &Rows<'_>) {
    out.extend_from_slice(&step.to_le_bytes());
    out.extend_from_slice(&read_bytes.to_le_bytes());
    rows.write(out);
}

/// Writes `SCORE`.
pub fn write_score(out: &mut Vec<u8>, id: u64, rows: &Rows<'_>) {
    out.extend_from_slice(&id.to_le_bytes());
    rows.write(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_exception_begins_no_line_of_its_own() {
        let failed = |exception: &str, message: &str| Failed {
            phase: Phase::Train,
            reason: "exception".to_owned(),
            exception: exception.to_owned(),
            message: message.to_owned(),
            traceback: String::new(),
        };
        let hostile = failed("X\r\n::error file=a::b\n\u{1b}[2J\u{2028}completed", "boom");
        assert_eq!(
            hostile.raised(),
            "X\\u{d}\\n::error file=a::b\\n\\u{1b}[2J\\u{2028}completed: boom"
        );
        assert_eq!(failed("KeyError", "").raised(), "KeyError");
        assert_eq!(
            failed("", "one\ntwo").raised(),
            "one\ntwo",
            "a message may have lines"
        );
        assert_eq!(failed("Größe", "x").raised(), "Größe: x");
    }
}
