//! A trial: one model, built once and asked about a few made-up rows. No text, no key, no score.
//!
//! Called by the engine before there is anything to measure, so that a miner learns in seconds what a run would say in
//! minutes. The process is an ordinary claimant, and nothing in the protocol tells it from one. What comes back is as
//! hostile as in a run: bounded, checked, and believed no further than that a miner is told about it. Never part of a
//! record.

use std::time::{Duration, Instant};

use prism_core::outcome::{Fault, Reason};

use crate::{
    auditor::{Forwarder, greet},
    connection::Cancel,
    frame::Kind,
    lanes::Step,
    layout::Layout,
    message::{Failed, Role, WeightSource},
    plan::Terms,
    shaken::{self, Random},
    worker::{Failure, Launcher, Output},
};

/// Rows of the widest forward.
const ROWS_TOGETHER: u32 = 2;

/// How long each part may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From the start of the process until torch is imported.
    pub start: Duration,
    /// From there until the layout: import of the architecture, `build_model` and the first forward.
    pub build: Duration,
    /// Each further answer.
    pub answer: Duration,
}

/// How far a trial had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The process was starting: nothing of the bundle had run.
    Start,
    /// The architecture was being imported, or `build_model` was running.
    Build,
    /// The model was making its first forward, or its tensors were being laid out.
    FirstForward,
    /// It was asked about one row at a time.
    OneRow,
    /// It was asked about two rows at once.
    TwoRows,
}

/// Why a trial came to no end.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Where.
    pub point: Point,
    /// The stable reason.
    pub failure: Failure,
    /// The worker's own account, where it gave one.
    pub failed: Option<Failed>,
    /// The layout, if it came so far.
    pub layout: Option<Layout>,
}

/// What a trial shows of a model that builds and answers.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Its tensors.
    pub layout: Layout,
    /// Whether the same row, asked about twice with another one between, cost the same within the recipe's tolerance: with the weights
    /// of the start and, if the model works with them, with made-up ones.
    pub repeats: bool,
    /// Why it does not answer two rows at once, if it does not.
    pub two_rows: Option<Box<Stopped>>,
}

/// Makes one.
///
/// # Errors
/// [`Stopped`] for every ending before the model had answered about single rows; its reason tells whose fault it is.
pub fn run(
    terms: &Terms<'_>,
    launcher: &mut dyn Launcher,
    seq_len: u32,
    patience: &Patience,
    cancel: &Cancel,
) -> Result<Tried, Box<Stopped>> {
    let mut forwarder =
        Forwarder::start_on(terms, launcher, Role::Claimant, Output::Shown, cancel).map_err(|failure| {
            Box::new(Stopped {
                point: Point::Start,
                failure,
                failed: None,
                layout: None,
            })
        })?;
    let mut trial = Trial {
        rows: [1, 2].map(|salt| made_up(seq_len, terms.tokenizer.vocab_size, salt)),
        patience,
        point: Point::Start,
        layout: None,
        tolerance_nats: terms.recipe.audit.repeat_tolerance_nats,
    };
    let result = trial.run(terms, &mut forwarder, seq_len);
    let failed = forwarder.worker.failed().cloned();
    forwarder.worker.kill();
    let stopped = |point, failure, layout| {
        Box::new(Stopped {
            point,
            failure,
            failed,
            layout,
        })
    };
    match (result, trial.layout) {
        (Ok(answers), Some(layout)) => Ok(Tried {
            repeats: answers.repeats,
            two_rows: answers
                .two_rows
                .map(|failure| stopped(Point::TwoRows, failure, None)),
            layout,
        }),
        (Err(failure), layout) => Err(stopped(trial.point, failure, layout)),
        (Ok(_), None) => Err(stopped(
            trial.point,
            Failure::new(Reason::Internal, "a trial ended without a layout"),
            None,
        )),
    }
}

/// What the model answered.
struct Answers {
    repeats: bool,
    two_rows: Option<Failure>,
}

struct Trial<'a> {
    rows: [Vec<i32>; 2],
    patience: &'a Patience,
    point: Point,
    layout: Option<Layout>,
    tolerance_nats: f64,
}

impl Trial<'_> {
    fn run(
        &mut self,
        terms: &Terms<'_>,
        forwarder: &mut Forwarder,
        seq_len: u32,
    ) -> Result<Answers, Failure> {
        let mut body = Vec::new();
        greet(
            &mut forwarder.worker,
            Instant::now() + self.patience.start,
            &mut body,
        )?;
        let deadline = Instant::now() + self.patience.build;
        self.point = Point::Build;
        forwarder.worker.expect(Kind::Built, deadline, &mut body)?;
        self.point = Point::FirstForward;
        forwarder.set_load_timeout(deadline.saturating_duration_since(Instant::now()));
        let layout = forwarder.shape(ROWS_TOGETHER, seq_len)?;
        let within = layout.check_caps(&terms.recipe.caps);
        let layout = self.layout.insert(layout).clone();
        within?;

        self.point = Point::OneRow;
        forwarder.set_load_timeout(self.patience.answer);
        forwarder.load(WeightSource::RandomInit, 0)?;
        let repeats = self.repeats(forwarder)?;
        let both = self.rows.concat();
        if let Err(failure) = self.ask(forwarder, &both, ROWS_TOGETHER) {
            let two_rows = Some(blamed(failure)?);
            return Ok(Answers { repeats, two_rows });
        }
        let repeats = repeats && self.repeats_when_shaken(forwarder, &layout)?;
        Ok(Answers {
            repeats,
            two_rows: None,
        })
    }

    /// The same under made-up weights: with those of its start many a model says nothing yet, and so cannot contradict
    /// itself. It never promised to work with others, so that a failure is none.
    fn repeats_when_shaken(&self, forwarder: &mut Forwarder, layout: &Layout) -> Result<bool, Failure> {
        shaken::fill(layout, forwarder.segment().as_mut_slice());
        let asked = forwarder
            .load(WeightSource::Segment, 1)
            .and_then(|()| self.repeats(forwarder));
        match asked {
            Ok(repeats) => Ok(repeats),
            Err(failure) => blamed(failure).map(|_| true),
        }
    }

    /// Whether the first row costs the same before and after the second one.
    fn repeats(&self, forwarder: &mut Forwarder) -> Result<bool, Failure> {
        let before = self.ask(forwarder, &self.rows[0], 1)?;
        self.ask(forwarder, &self.rows[1], 1)?;
        let after = self.ask(forwarder, &self.rows[0], 1)?;
        // As a run compares them.
        let same = |(&a, &b): (&f32, &f32)| {
            a.to_bits() == b.to_bits()
                || (a.is_nan() && b.is_nan())
                || f64::from(a - b).abs() <= self.tolerance_nats
        };
        Ok(before.iter().zip(&after).all(same))
    }

    fn ask(&self, forwarder: &mut Forwarder, tokens: &[i32], rows: u32) -> Result<Vec<f32>, Failure> {
        let step = Step {
            tokens: tokens.to_vec(),
            // All places but one token a row are targets.
            mask: vec![1; tokens.len() - rows as usize],
            ..Step::default()
        };
        let mut nats = Vec::new();
        forwarder.score(&step, rows, self.patience.answer, &mut nats)?;
        Ok(nats)
    }
}

/// A failure that is the submission's; any other one ends the trial.
fn blamed(failure: Failure) -> Result<Failure, Failure> {
    match failure.reason.fault() {
        Some(Fault::Miner) => Ok(failure),
        Some(Fault::Operator | Fault::Usage) | None => Err(failure),
    }
}

/// `T + 1` tokens of no meaning, always the same ones.
fn made_up(seq_len: u32, vocab_size: u32, salt: u64) -> Vec<i32> {
    let mut random = Random(salt);
    (0..=seq_len)
        .map(|_| i32::try_from(random.next() % u64::from(vocab_size.max(1))).unwrap_or(0))
        .collect()
}
