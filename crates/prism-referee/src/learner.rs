//! The learner's side: one loop over its frames, one state at a time.
//!
//! ```text
//!   Fresh --OPEN--> Opened --LAYOUT--> Ready <--RESUME-- Claiming
//!                                        |  --READY/BATCH--> |
//!                                        |  --READY/END----> Ended
//!   any state --DONE--> over       (READY while Claiming: claims_missing)
//! ```
//!
//! Called by the session. Believes nothing: every number in a frame is checked against what the referee already knows.
//! A step's order is part of the proof (see the crate's documentation): copy the snapshot, release the batch, take the
//! claims, draw, freeze the learner, thaw the auditor, ask, freeze, thaw, resume.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, nats::Audited, outcome::Reason};
use prism_shm::PeerSegment;

use crate::{
    account::{Account, Drawn, Run},
    answerers::Answerers,
    auditor::{Place, gather, greet, place_of},
    connection::Cancel,
    draws::{Draws, Purpose},
    frame::{FrameError, Kind},
    kept::Kept,
    lanes::{Documents, Lanes, Step},
    layout::Layout,
    message::{self, EndReason, Open, Role, Rows, WeightSource},
    party::Party,
    plan::{Event, Plan, Stage, StepReport},
    record::AuditedTarget,
    repeat::{Asked, Witnesses},
    targets::{Section, TargetsWriter},
    worker::{Launcher, Worker},
};

/// Most LOG frames that are passed on; later ones are dropped.
const MAX_LOGS: u64 = 20_000;

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Opened,
    Ready,
    Claiming,
    Ended,
}

/// Drives one learner.
pub struct LearnerSession<'a, 'p, W: Write> {
    plan: &'a Plan<'p>,
    worker: Worker,
    segment: PeerSegment,
    answerers: &'a mut Answerers,
    targets: &'a mut TargetsWriter<W>,
    events: &'a mut dyn FnMut(Event),
    account: Account,
    state: State,
    open: Option<Open>,
    lanes: Option<Lanes<Box<dyn Documents + 'a>>>,
    layout: Option<Layout>,
    auditor_layout: Option<Layout>,
    step: Step,
    steps: u64,
    released_targets: u64,
    ended: Option<Reason>,
    step0: Vec<AuditedTarget>,
    audits: Vec<AuditedTarget>,
    witnesses: Witnesses,
    kept: Kept,
    logs: u64,
    frozen: Duration,
    limit: Duration,
    started: Instant,
    first_batch: Option<Instant>,
    last_claims: Option<Instant>,
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
            plan,
            worker,
            segment,
            answerers,
            targets,
            events,
            account: Account::new(plan.recipe, plan.tokenizer.vocab_size, &plan.key, Purpose::Stream),
            state: State::Fresh,
            open: None,
            lanes: None,
            layout: None,
            auditor_layout: None,
            step: Step::default(),
            steps: 0,
            released_targets: 0,
            ended: None,
            step0: Vec::new(),
            audits: Vec::new(),
            witnesses: Witnesses::new(plan),
            kept: Kept::new(plan),
            logs: 0,
            frozen: Duration::ZERO,
            limit: Duration::from_secs(plan.recipe.budget.time_limit_seconds),
            started: Instant::now(),
            first_batch: None,
            last_claims: None,
        }
    }

    /// The learner, for its usage and notes.
    pub fn worker(&mut self) -> &mut Worker {
        &mut self.worker
    }

    /// Runs until the learner is done, out of time, or in breach.
    pub fn run(&mut self) -> Result<Reason, Failure> {
        let mut body = Vec::new();
        let startup = Duration::from_secs(self.plan.recipe.sandbox.startup_seconds);
        greet(&mut self.worker, Instant::now() + startup, &mut body)?;
        // Torch is there and the miner's code begins. It runs while the other two build their model, however long.
        self.started = Instant::now();
        self.answerers.built()?;
        loop {
            match self.turn(&mut body) {
                Ok(None) => {}
                Ok(Some(reason)) => return Ok(reason),
                // Time is no crime: what was read counts, the tail is charged.
                Err(failure) if failure.reason == Reason::TimeLimit => {
                    return Ok(self.ended.unwrap_or(Reason::TimeLimit));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Takes one frame; a reason once the learner is done.
    fn turn(&mut self, body: &mut Vec<u8>) -> Result<Option<Reason>, Failure> {
        let kind = self.worker.receive(self.deadline(), body)?;
        match (self.state, kind) {
            (_, Kind::Log) => self.log(body)?,
            (State::Fresh, Kind::Open) => self.open(body)?,
            (State::Opened, Kind::Layout) => self.layout(body)?,
            (State::Ready | State::Ended, Kind::Ready) => self.ready(body)?,
            (State::Claiming, Kind::Claims) => self.claims(body)?,
            (State::Claiming, Kind::Ready) => {
                return Err(Failure::new(
                    Reason::ClaimsMissing,
                    "the next batch was asked for before the claims of the last one: call `batch.loss(logits)` once \
                     for every batch",
                ));
            }
            (_, Kind::Done) => return self.done(body).map(Some),
            (_, got) => {
                return Err(self.violation(&FrameError::Unexpected {
                    got,
                    expected: self.due(),
                }));
            }
        }
        Ok(None)
    }

    /// What the run leaves, whatever became of it.
    pub fn into_learned(self, reason: Reason) -> Learned {
        let stream = self.first_batch.zip(self.last_claims);
        Learned {
            reason,
            open: self.open,
            layout: self.layout,
            account: self.account,
            audits: self.audits,
            step0: self.step0,
            witnesses: self.witnesses,
            kept: self.kept,
            steps: self.steps,
            charged_seconds: self.started.elapsed().saturating_sub(self.frozen).as_secs_f64(),
            stream_seconds: stream.map_or(0.0, |(first, last)| (last - first).as_secs_f64()),
            audit_seconds: self.frozen.as_secs_f64(),
        }
    }

    fn deadline(&self) -> Instant {
        self.started + self.limit + self.frozen
    }

    fn due(&self) -> &'static str {
        match self.state {
            State::Fresh => "OPEN or DONE",
            State::Opened => "LAYOUT",
            State::Ready | State::Ended => "READY or DONE",
            State::Claiming => "CLAIMS",
        }
    }

    fn violation(&self, error: &FrameError) -> Failure {
        self.worker.violation(error)
    }

    fn log(&mut self, body: &[u8]) -> Result<(), Failure> {
        let entries = message::parse_log(body).map_err(|error| self.violation(&error))?;
        self.logs += 1;
        if self.logs <= MAX_LOGS {
            (self.events)(Event::Log {
                covered_bytes: self.account.bytes(),
                entries,
            });
        }
        Ok(())
    }

    fn open(&mut self, body: &[u8]) -> Result<(), Failure> {
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
        self.auditor_layout = Some(layout);
        let documents = self.plan.text.stream();
        self.lanes = Some(Lanes::new(
            documents,
            open.batch_size,
            open.seq_len,
            self.plan.tokenizer.end_of_text,
        ));
        self.open = Some(open);
        self.state = State::Opened;
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
        // What to write instead: the least or the most rows of the same length, where there are any.
        let instead = |rows: u64, which: &str| {
            if (1..=u64::from(limits.max_batch_size)).contains(&rows) {
                format!("with seq_len={t} that is batch_size={rows} or {which}")
            } else {
                format!("no batch_size makes that of seq_len={t}: change both")
            }
        };
        if per_step < least {
            return Err(wrong(format!(
                "`ctx.stream(batch_size={b}, seq_len={t})` makes {per_step} targets a step; this recipe wants at least \
                 {least}; {}",
                instead(least.div_ceil(u64::from(t)), "more")
            )));
        }
        if per_step > most {
            return Err(wrong(format!(
                "`ctx.stream(batch_size={b}, seq_len={t})` makes {per_step} targets a step; on this stream of {total} \
                 targets at most {most} are allowed; {}",
                instead(most / u64::from(t), "less")
            )));
        }
        Ok(total.div_ceil(per_step))
    }

    fn layout(&mut self, body: &[u8]) -> Result<(), Failure> {
        let layout = message::parse_layout(body).map_err(|error| self.violation(&error))?;
        layout.check_caps(&self.plan.recipe.caps)?;
        let expected = self
            .auditor_layout
            .as_ref()
            .and_then(|theirs| layout.difference(theirs));
        if let Some(difference) = expected {
            return Err(Failure::new(
                Reason::SnapshotMismatch,
                format!(
                    "the model that was given to `ctx.stream` is not the one that `build_model` makes: {difference}"
                ),
            ));
        }
        self.layout = Some(layout);
        self.state = State::Ready;
        Ok(())
    }

    fn copy_snapshot(&mut self) -> Result<(), Failure> {
        let bytes = self.layout.as_ref().map_or(0, Layout::bytes);
        self.segment
            .copy_into(self.answerers.auditor.segment(), bytes)
            .map_err(|error| Failure::internal("a snapshot cannot be copied", &error))
    }

    fn ready(&mut self, body: &[u8]) -> Result<(), Failure> {
        let step = message::parse_u64(Kind::Ready, body).map_err(|error| self.violation(&error))?;
        if step != self.steps {
            return Err(self.violation(&FrameError::Field {
                kind: Kind::Ready,
                field: "step",
            }));
        }
        self.copy_snapshot()?;
        let deadline = self.deadline();
        if let Some(end) = self.next_end()? {
            self.state = State::Ended;
            return self
                .worker
                .send(Kind::End, deadline, |out| message::write_end(out, end));
        }
        let Some(open) = self.open else {
            return Err(self.violation(&FrameError::Unexpected {
                got: Kind::Ready,
                expected: "OPEN",
            }));
        };
        self.released_targets += self.step.targets;
        self.state = State::Claiming;
        if self.first_batch.is_none() {
            self.first_batch = Some(Instant::now());
            (self.events)(Event::Stage(Stage::Training));
        }
        let rows = Rows {
            batch_size: open.batch_size,
            seq_len: open.seq_len,
            tokens: &self.step.tokens,
            mask: &self.step.mask,
        };
        // The claims of all batches before this one are accepted.
        let read_bytes = self.account.bytes();
        self.worker.send(Kind::Batch, deadline, |out| {
            message::write_batch(out, step, read_bytes, &rows);
        })?;
        // While the learner trains, at every step, so that no time tells which one stays.
        let bytes = self.layout.as_ref().map_or(0, Layout::bytes);
        self.kept.copy(self.answerers.auditor.segment_ref(), bytes);
        Ok(())
    }

    /// Prepares the next rows, or says why there are none.
    fn next_end(&mut self) -> Result<Option<EndReason>, Failure> {
        if let Some(reason) = self.ended {
            let data = reason == Reason::EndOfData;
            return Ok(Some(if data {
                EndReason::EndOfData
            } else {
                EndReason::Budget
            }));
        }
        let budget = &self.plan.recipe.budget;
        let spent = if budget.max_steps.is_some_and(|most| self.steps >= most) {
            Some(Reason::StepBudget)
        } else if budget
            .max_tokens
            .is_some_and(|most| self.released_targets >= most)
        {
            Some(Reason::TokenBudget)
        } else {
            None
        };
        if spent.is_some() {
            self.ended = spent;
            return Ok(Some(EndReason::Budget));
        }
        let Some(lanes) = self.lanes.as_mut() else {
            return Ok(Some(EndReason::EndOfData));
        };
        let more = lanes
            .next_step(&mut self.step)
            .map_err(|error| Failure::new(Reason::CorpusInvalid, error.to_string()))?;
        if more {
            return Ok(None);
        }
        self.ended = Some(Reason::EndOfData);
        Ok(Some(EndReason::EndOfData))
    }

    fn claims(&mut self, body: &[u8]) -> Result<(), Failure> {
        let Some(open) = self.open else {
            return Err(self.violation(&FrameError::Unexpected {
                got: Kind::Claims,
                expected: "OPEN",
            }));
        };
        let mut dense = Vec::new();
        message::parse_nats(Kind::Claims, body, self.steps, self.step.mask.len(), &mut dense)
            .map_err(|error| self.violation(&error))?;
        let (mut claims, mut byte_lengths) = (Vec::new(), Vec::new());
        gather(&self.step, open.seq_len, &dense, &mut claims, &mut byte_lengths);
        let runs: Vec<Run> = self.step.segments.iter().map(Run::from).collect();
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
            self.audit(&drawn, &step0, &kept, first_target)?;
        }
        let estimate = self.account.estimate();
        (self.events)(Event::Step(StepReport {
            step: self.steps,
            targets: self.step.targets,
            bytes: self.step.bytes,
            covered_bytes: self.account.bytes(),
            claimed_nats: estimate.claimed_nats - before,
            nats: estimate.nats,
        }));
        let step = self.steps;
        self.steps += 1;
        self.state = State::Ready;
        self.last_claims = Some(Instant::now());
        let deadline = self.deadline();
        self.worker.send(Kind::Resume, deadline, |out| {
            out.extend_from_slice(&step.to_le_bytes());
        })
    }

    /// Asks about the drawn targets while the learner stands still.
    fn audit(
        &mut self,
        drawn: &[Drawn],
        step0: &[usize],
        kept: &[usize],
        first_target: u64,
    ) -> Result<(), Failure> {
        let since = Instant::now();
        self.worker.freeze()?;
        let auditor = &mut self.answerers.auditor;
        auditor.worker.thaw()?;
        let loading = Instant::now();
        auditor.load(WeightSource::Segment, self.steps)?;
        let loaded_in = loading.elapsed();
        let smoothing = *self.account.smoothing();
        let mut indices: Vec<usize> = drawn
            .iter()
            .map(|drawn| drawn.index)
            .chain(step0.iter().copied())
            .chain(kept.iter().copied())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        let mut questions: Vec<(Place, usize)> = indices
            .iter()
            .filter_map(|&index| Some((place_of(&self.step, index)?, index)))
            .collect();
        questions.sort_unstable();
        let mut answers: Vec<(usize, Audited)> = Vec::with_capacity(questions.len());
        let mut witnessed = Vec::with_capacity(kept.len());
        for (place, index) in questions {
            // The auditor's clock is not the learner's, but it must not run without end either.
            let together = self.plan.answers_together();
            if self.frozen + since.elapsed() > together {
                return Err(Failure::new(
                    Reason::AuditorTimeout,
                    format!(
                        "the model's answers to single rows have taken more than {} s in all, as long as a whole run may train",
                        together.as_secs()
                    ),
                ));
            }
            let question = auditor.question(&self.step, place);
            let asking = Instant::now();
            let audited = auditor.put(&question, &smoothing)?;
            if kept.contains(&index) {
                witnessed.push(Asked {
                    target: first_target + index as u64,
                    question,
                    answer: audited,
                    answered_in: asking.elapsed(),
                });
            }
            answers.push((index, audited));
        }
        auditor.worker.freeze()?;
        if let (false, Some(layout)) = (witnessed.is_empty(), &self.layout) {
            let weights = auditor.segment_ref();
            self.witnesses.keep(weights, layout, loaded_in, witnessed)?;
        }
        self.worker.thaw()?;
        self.frozen += since.elapsed();

        answers.sort_unstable_by_key(|&(index, _)| index);
        let answer = |index: usize| {
            let at = answers.binary_search_by_key(&index, |&(index, _)| index).ok()?;
            answers.get(at).map(|&(_, audited)| audited)
        };
        for drawn in drawn {
            let Some(audited) = answer(drawn.index) else {
                continue;
            };
            self.account.audit(drawn, audited);
            self.audits
                .push(AuditedTarget::new(first_target + drawn.index as u64, audited));
            (self.events)(Event::Audited {
                covered_bytes: self.account.bytes(),
                claimed_nats: drawn.claimed_nats(),
                audited_nats: audited.nats(),
            });
        }
        for &index in step0 {
            let Some(audited) = answer(index) else { continue };
            self.step0.push(AuditedTarget::new(index as u64, audited));
        }
        Ok(())
    }

    fn done(&mut self, body: &[u8]) -> Result<Reason, Failure> {
        let has_snapshot = message::parse_done(body).map_err(|error| self.violation(&error))?;
        if has_snapshot && self.layout.is_some() {
            self.copy_snapshot()?;
        }
        // Whoever counts to `len(stream)` asks for no batch after the last one, and so is never told that it was the last.
        let has_read_all = self.account.targets() == self.plan.totals.targets;
        Ok(self.ended.unwrap_or(if has_read_all {
            Reason::EndOfData
        } else {
            Reason::EarlyReturn
        }))
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
