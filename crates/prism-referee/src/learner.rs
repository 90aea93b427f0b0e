//! The learner's side: one loop over its frames, one state at a time.
//!
//! ```text
//!   Fresh --OPEN--> due LAYOUT --LAYOUT--> due READY <--RESUME-- due CLAIMS
//!                                             |  --READY/BATCH-->   |
//!                                             |  --READY/END----> due nothing
//!   any state --DONE--> over       (READY where CLAIMS is due: claims_missing)
//! ```
//!
//! Called by the session. Believes nothing: every number in a frame is checked against what the referee already knows.
//! A step's order is part of the proof (see the crate's documentation): copy the snapshot, release the batch, take the
//! claims, draw, freeze the learner, thaw the auditor, ask, freeze, thaw, resume.

mod audit;

use std::{
    io::Write,
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_shm::PeerSegment;

use crate::{
    account::{Account, Run},
    answerers::Answerers,
    auditor::{gather, greet},
    connection::Cancel,
    draws::{Draws, Purpose},
    frame::{FrameError, Kind},
    kept::Kept,
    lanes::{Documents, Lanes, Step},
    layout::Layout,
    message::{self, EndReason, Open, Role, Rows},
    party::Party,
    plan::{Event, Plan, Stage, StepReport},
    record::AuditedTarget,
    replay::Witnesses,
    targets::{Section, TargetsWriter},
    worker::{Launcher, Worker},
};

use self::audit::Questions;

/// Most LOG frames that are passed on; later ones are dropped.
const LOGS_MAX: u64 = 20_000;

/// What the learner's part of a run leaves.
pub struct Learned {
    /// How it ended.
    pub reason: Reason,
    /// `B`, `T` and how claims were made, if a stream was ever opened.
    pub open: Option<Open>,
    /// The model, if a snapshot was ever taken.
    pub layout: Option<Layout>,
    /// The stream's account.
    pub account: Account,
    /// Audited targets of the stream, in the order of the record.
    pub audits: Vec<AuditedTarget>,
    /// Audited targets of step 0, in the order of their targets.
    pub step0: Vec<AuditedTarget>,
    /// Targets that a fresh auditor is to be asked about again.
    pub witnesses: Witnesses,
    /// Snapshots of the last tenth of the steps.
    pub kept: Kept,
    /// Steps whose claims were accepted.
    pub steps: u64,
    /// Wall time of the learner, less the time it was frozen, in seconds.
    pub charged_seconds: f64,
    /// From the first batch to the last claims, in seconds, audits included.
    pub stream_seconds: f64,
    /// Of these, how long the learner stood still for audits, in seconds.
    pub audit_seconds: f64,
}

/// How far the learner has come.
enum State<'a> {
    /// It has not asked for a stream.
    Fresh,
    /// It has one.
    Opened(Box<Stream<'a>>),
}

/// The stream of a learner that has opened one.
struct Stream<'a> {
    open: Open,
    lanes: Lanes<Box<dyn Documents + 'a>>,
    /// The auditor's model, which is the learner's too once LAYOUT has said so.
    layout: Layout,
    /// What is to come next.
    due: Due,
    /// The rows that were released last.
    step: Step,
    released_targets: u64,
    /// When the first batch went out, and when the last claims came.
    first_batch: Option<Instant>,
    last_claims: Option<Instant>,
}

/// What a learner with a stream may send, beside LOG and DONE.
#[derive(Clone, Copy)]
enum Due {
    /// LAYOUT.
    Layout,
    /// READY.
    Ready,
    /// The claims of the batch that is out.
    Claims,
    /// READY, and it hears again that the stream has ended, and why.
    Nothing(Reason),
}

impl State<'_> {
    /// Why the stream has ended, if it has.
    fn ended(&self) -> Option<Reason> {
        match self {
            Self::Opened(stream) => match stream.due {
                Due::Nothing(reason) => Some(reason),
                Due::Layout | Due::Ready | Due::Claims => None,
            },
            Self::Fresh => None,
        }
    }

    fn due(&self) -> &'static str {
        match self {
            Self::Fresh => "OPEN or DONE",
            Self::Opened(stream) => match stream.due {
                Due::Layout => "LAYOUT",
                Due::Ready | Due::Nothing(_) => "READY or DONE",
                Due::Claims => "CLAIMS",
            },
        }
    }
}

impl Stream<'_> {
    /// Whether its snapshots have a layout.
    fn has_layout(&self) -> bool {
        !matches!(self.due, Due::Layout)
    }
}

/// Drives one learner.
pub struct LearnerSession<'a, 'p, W: Write> {
    state: State<'a>,
    books: Books<'a, 'p, W>,
}

/// What a session has from its beginning to its end, however far the learner comes.
struct Books<'a, 'p, W: Write> {
    plan: &'a Plan<'p>,
    worker: Worker,
    segment: PeerSegment,
    answerers: &'a mut Answerers,
    targets: &'a mut TargetsWriter<W>,
    events: &'a mut dyn FnMut(Event),
    account: Account,
    steps: u64,
    step0: Vec<AuditedTarget>,
    audits: Vec<AuditedTarget>,
    witnesses: Witnesses,
    kept: Kept,
    logs: u64,
    started: Instant,
    limit: Duration,
    frozen: Duration,
}

impl<'a, 'p, W: Write> LearnerSession<'a, 'p, W> {
    /// Takes over a learner that has just been started; `answerers` are starting too.
    pub fn new(
        plan: &'a Plan<'p>,
        worker: Worker,
        segment: PeerSegment,
        answerers: &'a mut Answerers,
        targets: &'a mut TargetsWriter<W>,
        events: &'a mut dyn FnMut(Event),
    ) -> Self {
        Self {
            state: State::Fresh,
            books: Books {
                plan,
                worker,
                segment,
                answerers,
                targets,
                events,
                account: Account::new(plan.recipe, plan.tokenizer.vocab_size, &plan.key, Purpose::Stream),
                steps: 0,
                step0: Vec::new(),
                audits: Vec::new(),
                witnesses: Witnesses::new(plan),
                kept: Kept::new(plan),
                logs: 0,
                started: Instant::now(),
                limit: Duration::from_secs(plan.recipe.budget.time_limit_seconds),
                frozen: Duration::ZERO,
            },
        }
    }

    /// The learner, for its usage and notes.
    pub fn worker(&mut self) -> &mut Worker {
        &mut self.books.worker
    }

    /// Runs until the learner is done, out of time, or in breach.
    pub fn run(&mut self) -> Result<Reason, Failure> {
        let mut body = Vec::new();
        let startup = Duration::from_secs(self.books.plan.recipe.sandbox.startup_seconds);
        greet(&mut self.books.worker, Instant::now() + startup, &mut body)?;
        // Torch is there and the miner's code begins. It runs while the other two build their model, however long.
        self.books.started = Instant::now();
        self.books.answerers.built()?;
        loop {
            match self.turn(&mut body) {
                Ok(None) => {}
                Ok(Some(reason)) => return Ok(reason),
                // Time is no crime: what was read counts, the tail is charged.
                Err(failure) if failure.reason == Reason::TimeLimit => {
                    return Ok(self.state.ended().unwrap_or(Reason::TimeLimit));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Takes one frame; a reason once the learner is done.
    fn turn(&mut self, body: &mut Vec<u8>) -> Result<Option<Reason>, Failure> {
        let books = &mut self.books;
        let kind = books.worker.receive(books.deadline(), body)?;
        match (&mut self.state, kind) {
            (_, Kind::Log) => books.log(body)?,
            (State::Fresh, Kind::Open) => {
                let (stream, batches) = books.open(body)?;
                self.state = State::Opened(Box::new(stream));
                books.opened(batches)?;
            }
            (_, Kind::Done) => return self.done(body).map(Some),
            (State::Opened(stream), kind) => match (stream.due, kind) {
                (Due::Layout, Kind::Layout) => books.layout(stream, body)?,
                (Due::Ready, Kind::Ready) => books.ready(stream, None, body)?,
                (Due::Nothing(reason), Kind::Ready) => books.ready(stream, Some(reason), body)?,
                (Due::Claims, Kind::Claims) => books.claims(stream, body)?,
                (Due::Claims, Kind::Ready) => {
                    return Err(Failure::new(
                        Reason::ClaimsMissing,
                        "the next batch was asked for before the claims of the last one: call `batch.loss(logits)` once \
                         for every batch",
                    ));
                }
                (_, got) => return Err(self.unexpected(got)),
            },
            (State::Fresh, got) => return Err(self.unexpected(got)),
        }
        Ok(None)
    }

    fn unexpected(&self, got: Kind) -> Failure {
        let expected = self.state.due().to_owned();
        self.books.violation(&FrameError::Unexpected { got, expected })
    }

    fn done(&mut self, body: &[u8]) -> Result<Reason, Failure> {
        let has_snapshot = message::parse_done(body).map_err(|error| self.books.violation(&error))?;
        if let State::Opened(stream) = &self.state
            && has_snapshot
            && stream.has_layout()
        {
            self.books.copy_snapshot(&stream.layout)?;
        }
        // Whoever counts to `len(stream)` asks for no batch after the last one, and so is never told that it was the last.
        let has_read_all = self.books.account.targets() == self.books.plan.totals.targets;
        Ok(self.state.ended().unwrap_or(if has_read_all {
            Reason::EndOfData
        } else {
            Reason::EarlyReturn
        }))
    }

    /// What the run leaves, whatever became of it.
    pub fn into_learned(self, reason: Reason) -> Learned {
        let Books {
            account,
            audits,
            step0,
            witnesses,
            kept,
            steps,
            started,
            frozen,
            ..
        } = self.books;
        let stream = match self.state {
            State::Fresh => None,
            State::Opened(stream) => Some(*stream),
        };
        let span = stream
            .as_ref()
            .and_then(|stream| stream.first_batch.zip(stream.last_claims));
        Learned {
            reason,
            open: stream.as_ref().map(|stream| stream.open),
            layout: stream.filter(Stream::has_layout).map(|stream| stream.layout),
            account,
            audits,
            step0,
            witnesses,
            kept,
            steps,
            charged_seconds: started.elapsed().saturating_sub(frozen).as_secs_f64(),
            stream_seconds: span.map_or(0.0, |(first, last)| (last - first).as_secs_f64()),
            audit_seconds: frozen.as_secs_f64(),
        }
    }
}

impl<'a, W: Write> Books<'a, '_, W> {
    fn deadline(&self) -> Instant {
        self.started + self.limit + self.frozen
    }

    fn violation(&self, error: &FrameError) -> Failure {
        self.worker.violation(error)
    }

    fn log(&mut self, body: &[u8]) -> Result<(), Failure> {
        let entries = message::parse_log(body).map_err(|error| self.violation(&error))?;
        self.logs += 1;
        if self.logs <= LOGS_MAX {
            (self.events)(Event::Log {
                covered_bytes: self.account.bytes(),
                entries,
            });
        }
        Ok(())
    }

    /// The stream that a learner opens, and of how many batches it is.
    fn open(&mut self, body: &[u8]) -> Result<(Stream<'a>, u64), Failure> {
        let open = message::parse_open(body).map_err(|error| self.violation(&error))?;
        let batches = self.check_shape(open)?;
        // From here on they are sealed, and run only while the learner stands still.
        let layout = self.answerers.settle(open)?;
        layout.check_caps(&self.plan.recipe.caps)?;
        (self.events)(Event::Opened {
            batch_size: open.batch_size,
            seq_len: open.seq_len,
            parameters: layout.parameters(),
            batches,
        });
        let stream = Stream {
            lanes: Lanes::new(
                self.plan.text.stream(),
                open.batch_size,
                open.seq_len,
                self.plan.tokenizer.end_of_text,
            ),
            open,
            layout,
            due: Due::Layout,
            step: Step::default(),
            released_targets: 0,
            first_batch: None,
            last_claims: None,
        };
        Ok((stream, batches))
    }

    fn opened(&mut self, batches: u64) -> Result<(), Failure> {
        let deadline = self.deadline();
        self.worker.send(Kind::Opened, deadline, |out| {
            out.extend_from_slice(&batches.to_le_bytes());
        })
    }

    /// Checks `B` and `T` against the recipe; returns `ceil(N / (B T))`.
    fn check_shape(&self, open: Open) -> Result<u64, Failure> {
        let limits = &self.plan.recipe.stream;
        let total = self.plan.totals.targets;
        let (b, t) = (open.batch_size, open.seq_len);
        let wrong = |detail: String| Failure::new(Reason::BatchShape, detail);
        if b == 0 || b > limits.max_batch_size || t == 0 || t > limits.max_seq_len {
            return Err(wrong(format!(
                "batch_size = {b} and seq_len = {t}; allowed are 1 to {} rows of 1 to {} targets",
                limits.max_batch_size, limits.max_seq_len
            )));
        }
        let per_step = u64::from(b) * u64::from(t);
        let (least, most) = limits.step_targets(total);
        let instead = match limits.step_rows(total, t) {
            Some((one, other)) if one == other => format!("with seq_len={t} that is batch_size={one}"),
            Some((least, most)) => format!("with seq_len={t} that is batch_size={least} to {most}"),
            None => format!("no batch_size makes that of seq_len={t}: change both"),
        };
        if per_step < least {
            return Err(wrong(format!(
                "`ctx.stream(batch_size={b}, seq_len={t})` makes {per_step} targets a step; this recipe wants at least \
                 {least}; {instead}"
            )));
        }
        if per_step > most {
            return Err(wrong(format!(
                "`ctx.stream(batch_size={b}, seq_len={t})` makes {per_step} targets a step; on this stream of {total} \
                 targets at most {most} are allowed; {instead}"
            )));
        }
        Ok(total.div_ceil(per_step))
    }

    fn layout(&mut self, stream: &mut Stream<'_>, body: &[u8]) -> Result<(), Failure> {
        let layout = message::parse_layout(body).map_err(|error| self.violation(&error))?;
        layout.check_caps(&self.plan.recipe.caps)?;
        if let Some(difference) = layout.difference(&stream.layout) {
            return Err(Failure::new(
                Reason::SnapshotMismatch,
                format!(
                    "the model that was given to `ctx.stream` is not the one that `build_model` makes: {difference}"
                ),
            ));
        }
        stream.due = Due::Ready;
        Ok(())
    }

    fn copy_snapshot(&mut self, layout: &Layout) -> Result<(), Failure> {
        self.segment
            .copy_into(self.answerers.auditor.segment(), layout.bytes())
            .map_err(|error| Failure::internal("a snapshot cannot be copied", &error))
    }

    /// `ended` is why the stream has ended, where it has.
    fn ready(&mut self, stream: &mut Stream<'_>, ended: Option<Reason>, body: &[u8]) -> Result<(), Failure> {
        let step = message::parse_u64(Kind::Ready, body).map_err(|error| self.violation(&error))?;
        if step != self.steps {
            return Err(self.violation(&FrameError::Field {
                kind: Kind::Ready,
                field: "step",
            }));
        }
        self.copy_snapshot(&stream.layout)?;
        let deadline = self.deadline();
        let ended = match ended {
            Some(reason) => Some(reason),
            None => self.next_step(stream)?,
        };
        if let Some(reason) = ended {
            stream.due = Due::Nothing(reason);
            let end = if reason == Reason::EndOfData {
                EndReason::EndOfData
            } else {
                EndReason::Budget
            };
            return self
                .worker
                .send(Kind::End, deadline, |out| message::write_end(out, end));
        }
        stream.released_targets += stream.step.targets;
        stream.due = Due::Claims;
        if stream.first_batch.is_none() {
            stream.first_batch = Some(Instant::now());
            (self.events)(Event::Stage(Stage::Training));
        }
        let rows = Rows {
            batch_size: stream.open.batch_size,
            seq_len: stream.open.seq_len,
            tokens: &stream.step.tokens,
            mask: &stream.step.mask,
        };
        // The claims of all batches before this one are accepted.
        let read_bytes = self.account.bytes();
        self.worker.send(Kind::Batch, deadline, |out| {
            message::write_batch(out, step, read_bytes, &rows);
        })?;
        // While the learner trains, at every step, so that no time tells which one stays.
        self.kept
            .copy(self.answerers.auditor.segment_ref(), stream.layout.bytes());
        Ok(())
    }

    /// Prepares the next rows, or says why there are none.
    fn next_step(&self, stream: &mut Stream<'_>) -> Result<Option<Reason>, Failure> {
        let budget = &self.plan.recipe.budget;
        if budget.max_steps.is_some_and(|most| self.steps >= most) {
            return Ok(Some(Reason::StepBudget));
        }
        if budget
            .max_tokens
            .is_some_and(|most| stream.released_targets >= most)
        {
            return Ok(Some(Reason::TokenBudget));
        }
        let more = stream
            .lanes
            .next_step(&mut stream.step)
            .map_err(|error| Failure::new(Reason::CorpusInvalid, error.to_string()))?;
        Ok((!more).then_some(Reason::EndOfData))
    }

    fn claims(&mut self, stream: &mut Stream<'_>, body: &[u8]) -> Result<(), Failure> {
        let step = &stream.step;
        let mut dense = Vec::new();
        message::parse_nats(Kind::Claims, body, self.steps, step.mask.len(), &mut dense)
            .map_err(|error| self.violation(&error))?;
        let (mut claims, mut byte_lengths) = (Vec::new(), Vec::new());
        gather(step, stream.open.seq_len, &dense, &mut claims, &mut byte_lengths);
        let runs: Vec<Run> = step.segments.iter().map(Run::from).collect();
        self.targets
            .step(Section::Stream, &runs, &claims, &byte_lengths)
            .map_err(|error| {
                Failure::new(Reason::Storage, format!("the record cannot be written: {error}"))
            })?;

        let before = self.account.estimate().claimed_nats;
        let first_target = self.account.targets();
        let drawn = self.account.step(runs, &claims, &byte_lengths);
        self.kept.accept();
        let step0 = if self.steps == 0 {
            let count = usize::try_from(self.plan.recipe.audit.step0_audits).unwrap_or(usize::MAX);
            Draws::new(&self.plan.key, Purpose::Step0).distinct(count, claims.len())
        } else {
            Vec::new()
        };
        let kept = self.witnesses.of_step(first_target, claims.len());
        if !(drawn.is_empty() && step0.is_empty() && kept.is_empty()) {
            let questions = Questions {
                drawn: &drawn,
                step0: &step0,
                kept: &kept,
                first_target,
            };
            let answers = self.ask(stream, &questions)?;
            self.book(&questions, &answers);
        }
        let estimate = self.account.estimate();
        (self.events)(Event::Step(StepReport {
            step: self.steps,
            targets: stream.step.targets,
            bytes: stream.step.bytes,
            covered_bytes: self.account.bytes(),
            claimed_nats: estimate.claimed_nats - before,
            nats: estimate.nats,
        }));
        let number = self.steps;
        self.steps += 1;
        stream.due = Due::Ready;
        stream.last_claims = Some(Instant::now());
        let deadline = self.deadline();
        self.worker.send(Kind::Resume, deadline, |out| {
            out.extend_from_slice(&number.to_le_bytes());
        })
    }
}

/// Starts a learner with its segment.
pub fn start_learner(
    plan: &Plan<'_>,
    launcher: &mut dyn Launcher,
    cancel: &Cancel,
) -> Result<(Worker, PeerSegment), Failure> {
    let segment = PeerSegment::create(plan.terms().segment_bytes())
        .map_err(|error| Failure::internal("a snapshot segment cannot be made", &error))?;
    let fd = segment
        .try_clone_fd()
        .map_err(|error| Failure::internal("a snapshot segment cannot be shared", &error))?;
    let deadline = Instant::now() + Duration::from_secs(plan.recipe.sandbox.startup_seconds);
    let config = plan.terms().worker_config(Role::Learner);
    let worker = Worker::start(launcher, Party::Learner, fd, &config, cancel, deadline)?;
    Ok((worker, segment))
}
