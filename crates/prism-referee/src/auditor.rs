//! The auditor's side: start, freeze, questions.
//!
//! One question is one row in one forward; questions of a step go out in increasing column over all rows, each
//! answered before the next is sent: several in one forward, or a later column first, would hold each other's
//! answers. (What a process remembers of them nevertheless, [`crate::replay`] finds out.) Never sends a mask, a row's length, a document's end or a target.

use std::time::{Duration, Instant};

use prism_core::{
    failure::Failure,
    nats::{Audited, Smoothing, audited_nats},
    outcome::Reason,
};
use prism_shm::OwnSegment;

use crate::{
    connection::Cancel,
    frame::{FrameError, Kind},
    lanes::{Step, question_row, target},
    layout::Layout,
    message::{self, Open, Rows, WeightSource},
    party::Party,
    plan::{Plan, Terms},
    worker::{Launcher, Worker},
};

/// A place of a step that is to be audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which column: questions are asked in this order.
    pub column: u32,
    /// Which row.
    pub lane: u32,
}

/// The place of the `index`th real target of a step.
pub fn place_of(step: &Step, index: usize) -> Option<Place> {
    let mut left = u32::try_from(index).ok()?;
    for segment in &step.segments {
        if left < segment.targets {
            return Some(Place {
                column: segment.column + left,
                lane: segment.lane,
            });
        }
        left -= segment.targets;
    }
    None
}

/// One question: a row up to the hidden target, filler after it, and what the answer is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    place: Place,
    row: Vec<i32>,
    hidden: u32,
}

impl Question {
    /// The question about a place of a step.
    pub fn of(step: &Step, place: Place, seq_len: u32, end_of_text: u32) -> Self {
        let mut row = Vec::new();
        question_row(step, place.lane, place.column, seq_len, end_of_text, &mut row);
        Self {
            place,
            row,
            hidden: target(step, place.lane, place.column, seq_len),
        }
    }
}

/// An auditor or claimant, with its own segment.
pub struct Forwarder {
    /// The process.
    pub worker: Worker,
    segment: OwnSegment,
    vocab_size: u32,
    end_of_text: u32,
    question_timeout: Duration,
    load_timeout: Duration,
    /// When everything must be over, where that is bounded.
    end: Option<Instant>,
    next_id: u64,
    seq_len: u32,
    body: Vec<u8>,
}

impl Forwarder {
    /// Starts the process; it is importing torch when this returns.
    pub fn start(
        plan: &Plan<'_>,
        launcher: &mut dyn Launcher,
        party: Party,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        Self::start_on(&plan.terms(), launcher, party, cancel)
    }

    /// The same without a whole plan.
    pub fn start_on(
        terms: &Terms<'_>,
        launcher: &mut dyn Launcher,
        party: Party,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let segment = OwnSegment::create(terms.segment_bytes())
            .map_err(|error| Failure::internal("a snapshot segment cannot be made", &error))?;
        let fd = segment
            .try_clone_fd()
            .map_err(|error| Failure::internal("a snapshot segment cannot be shared", &error))?;
        let load_timeout = Duration::from_secs(terms.recipe.sandbox.startup_seconds);
        let deadline = Instant::now() + load_timeout;
        let config = terms.worker_config(party.role());
        let worker = Worker::start(launcher, party, fd, &config, cancel, deadline)?;
        Ok(Self {
            worker,
            segment,
            vocab_size: terms.tokenizer.vocab_size,
            end_of_text: terms.tokenizer.end_of_text,
            question_timeout: Duration::from_secs(terms.recipe.sandbox.question_seconds),
            load_timeout,
            end: None,
            next_id: 0,
            seq_len: 0,
            body: Vec::new(),
        })
    }

    /// Changes how long a build, a layout or a load may take from now on.
    pub fn set_load_timeout(&mut self, load_timeout: Duration) {
        self.load_timeout = load_timeout;
    }

    /// Changes how long a load and an answer may take from now on.
    pub fn set_timeouts(&mut self, load: Duration, question: Duration) {
        (self.load_timeout, self.question_timeout) = (load, question);
    }

    /// Sets when all its answers together must be over: many slow ones must not run for days.
    pub fn set_end(&mut self, end: Instant) {
        self.end = Some(end);
    }

    fn deadline(&self, timeout: Duration) -> Instant {
        let deadline = Instant::now() + timeout;
        self.end.map_or(deadline, |end| end.min(deadline))
    }

    /// Waits until `build_model` has returned.
    pub fn built(&mut self) -> Result<(), Failure> {
        let deadline = self.deadline(self.load_timeout);
        greet(&mut self.worker, deadline, &mut self.body)?;
        self.worker.expect(Kind::Built, deadline, &mut self.body)
    }

    /// Tells `B` and `T`; returns the layout of the model, once the first forwards are made.
    pub fn shape(&mut self, batch_size: u32, seq_len: u32) -> Result<Layout, Failure> {
        self.tell_shape(batch_size, seq_len)?;
        self.layout()
    }

    fn tell_shape(&mut self, batch_size: u32, seq_len: u32) -> Result<(), Failure> {
        let deadline = self.deadline(self.load_timeout);
        self.seq_len = seq_len;
        self.worker.send(Kind::Shape, deadline, |out| {
            message::write_shape(out, batch_size, seq_len);
        })
    }

    fn layout(&mut self) -> Result<Layout, Failure> {
        let deadline = self.deadline(self.load_timeout);
        self.worker.expect(Kind::Layout, deadline, &mut self.body)?;
        message::parse_layout(&self.body).map_err(|error| self.worker.violation(&error))
    }

    /// The segment, to copy a snapshot into it.
    pub fn segment(&mut self) -> &mut OwnSegment {
        &mut self.segment
    }

    /// The segment, to copy a snapshot out of it.
    pub fn segment_ref(&self) -> &OwnSegment {
        &self.segment
    }

    /// Lets it take over weights.
    pub fn load(&mut self, source: WeightSource, id: u64) -> Result<(), Failure> {
        let deadline = self.deadline(self.load_timeout);
        self.worker
            .send(Kind::Load, deadline, |out| message::write_load(out, source, id))?;
        self.worker.expect(Kind::Loaded, deadline, &mut self.body)?;
        match message::parse_u64(Kind::Loaded, &self.body) {
            Ok(got) if got == id => Ok(()),
            Ok(_) => Err(self.worker.violation(&FrameError::Field {
                kind: Kind::Loaded,
                field: "id",
            })),
            Err(error) => Err(self.worker.violation(&error)),
        }
    }

    /// Asks one question: what does the hidden target at `place` cost?
    pub fn ask(&mut self, step: &Step, place: Place, smoothing: &Smoothing) -> Result<Audited, Failure> {
        self.put(&self.question(step, place), smoothing)
    }

    /// The question about a place, to be put now or later.
    pub fn question(&self, step: &Step, place: Place) -> Question {
        Question::of(step, place, self.seq_len, self.end_of_text)
    }

    /// Puts a question.
    pub fn put(&mut self, question: &Question, smoothing: &Smoothing) -> Result<Audited, Failure> {
        let logits = self.logits(question.place, &question.row)?;
        Ok(match logits {
            Some(logits) => audited_nats(&logits, question.hidden, self.vocab_size, smoothing),
            None => Audited::Invalid(smoothing.uniform_nats()),
        })
    }

    /// The logits at a place, by a row of tokens; `None` where their number is not that of the vocabulary.
    pub fn logits(&mut self, place: Place, row: &[i32]) -> Result<Option<Vec<f32>>, Failure> {
        let Place { lane, column } = place;
        let id = self.next_id;
        self.next_id += 1;
        let deadline = self.deadline(self.question_timeout);
        self.worker.send(Kind::Question, deadline, |out| {
            message::write_question(out, id, lane, column, row);
        })?;
        self.worker.expect(Kind::Answer, deadline, &mut self.body)?;
        let answer = message::parse_answer(&self.body, self.vocab_size)
            .map_err(|error| self.worker.violation(&error))?;
        if answer.id != id {
            return Err(self.worker.violation(&FrameError::Field {
                kind: Kind::Answer,
                field: "id",
            }));
        }
        Ok(answer.logits)
    }

    /// Has a claimant score whole rows; one `f32` of nats for each place.
    pub fn score(
        &mut self,
        step: &Step,
        batch_size: u32,
        timeout: Duration,
        out: &mut Vec<f32>,
    ) -> Result<(), Failure> {
        let id = self.next_id;
        self.next_id += 1;
        let deadline = self.deadline(timeout);
        let rows = Rows {
            batch_size,
            seq_len: self.seq_len,
            tokens: &step.tokens,
            mask: &step.mask,
        };
        self.worker
            .send(Kind::Score, deadline, |out| message::write_score(out, id, &rows))?;
        self.worker.expect(Kind::Scores, deadline, &mut self.body)?;
        message::parse_nats(Kind::Scores, &self.body, id, step.mask.len(), out)
            .map_err(|error| self.worker.violation(&error))
    }
}

/// Brings processes that have built the model to where they may be asked: all are told the shape at once and lay the model
/// out, which must be the same in all of them, and the run's where that is known. Then they are sealed and frozen.
///
/// Whatever one of them does later it does without the kernel, and only when it is thawed.
pub fn settle(
    forwarders: &mut [&mut Forwarder],
    open: Open,
    expected: Option<&Layout>,
) -> Result<Layout, Failure> {
    for forwarder in &mut *forwarders {
        forwarder.tell_shape(open.batch_size, open.seq_len)?;
    }
    let mut known = expected.cloned();
    for forwarder in &mut *forwarders {
        let layout = forwarder.layout()?;
        let difference = known.as_ref().and_then(|known| layout.difference(known));
        if let Some(difference) = difference {
            return Err(Failure::new(
                Reason::SnapshotMismatch,
                format!("`build_model` does not make the same model every time: {difference}"),
            ));
        }
        known = Some(layout);
    }
    for forwarder in &mut *forwarders {
        forwarder.worker.seal()?;
        // A call that was under way when the seal was put on ends now, or meets the seal when it is started over.
        forwarder.worker.freeze()?;
    }
    known.ok_or_else(|| Failure::new(Reason::Internal, "nobody was there to be settled"))
}

/// Waits for HELLO and checks who greets.
pub fn greet(worker: &mut Worker, deadline: Instant, body: &mut Vec<u8>) -> Result<(), Failure> {
    let late = |failure: Failure| match failure.reason {
        Reason::TimeLimit | Reason::AuditorTimeout => Failure::new(Reason::StartupTimeout, failure.detail),
        _ => failure,
    };
    worker.expect(Kind::Hello, deadline, body).map_err(late)?;
    match message::parse_hello(body) {
        Ok((role, _)) if role == worker.role() as u8 => Ok(()),
        Ok(_) => Err(worker.violation(&FrameError::Field {
            kind: Kind::Hello,
            field: "role",
        })),
        Err(error) => Err(worker.violation(&error)),
    }
}

/// Keeps the claims of the real targets of a step, and their lengths in bytes, in the order of the record.
pub fn gather(step: &Step, seq_len: u32, dense: &[f32], claims: &mut Vec<f32>, byte_lengths: &mut Vec<u16>) {
    claims.clear();
    byte_lengths.clear();
    for segment in &step.segments {
        let start = segment.lane as usize * seq_len as usize + segment.column as usize;
        let range = start..start + segment.targets as usize;
        claims.extend_from_slice(&dense[range.clone()]);
        byte_lengths.extend_from_slice(&step.byte_lengths[range]);
    }
}
