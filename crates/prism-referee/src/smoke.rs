//! The smoke test: one model, built once and asked about a few made-up rows, and one import of the training script. No text, no
//! key, no score.
//!
//! Called by the engine before there is anything to measure, so that a miner learns in seconds what a run would say in
//! minutes. The process is an ordinary claimant, and nothing in the protocol tells it from one. What comes back is as
//! hostile as in a run: bounded, checked, and believed no further than that a miner is told about it. Never part of a
//! record.

use std::time::{Duration, Instant};

use prism_core::{
    failure::Failure,
    nats::Smoothing,
    outcome::{Fault, Reason},
};
use prism_shm::OwnSegment;

use crate::{
    auditor::{Forwarder, Place, greet},
    causality::{self, Tolerance},
    connection::Cancel,
    frame::Kind,
    lanes::Step,
    layout::Layout,
    made_up_weights::{self, Random},
    message::{Failed, WeightSource},
    party::Party,
    plan::Terms,
    worker::{Launcher, Usage, Worker},
};

pub use crate::causality::{Dependence, Moved};

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

/// How far the test had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The process was starting: nothing of the bundle had run.
    Start,
    /// The scripts were being imported as a learner imports them.
    Import,
    /// The architecture was being imported, or `build_model` was running.
    Build,
    /// The model was making its first forward, or its tensors were being laid out.
    FirstForward,
    /// It was asked about one row at a time.
    OneRow,
    /// It was asked about two rows at once.
    TwoRows,
}

/// Why a test came to no end.
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
    /// What the process had used.
    pub usage: Usage,
}

/// What a test shows of a model that builds and answers.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Its tensors.
    pub layout: Layout,
    /// Whether the same row, asked about twice with another one between, cost the same within the recipe's tolerance: with the weights
    /// of the start and, if the model works with them, with made-up ones.
    pub repeats: bool,
    /// At how many positions of a row the logits are no prediction with the weights of the start: NaN or infinite.
    pub invalid_positions: usize,
    /// Why it does not answer two rows at once, if it does not.
    pub two_rows: Option<Box<Stopped>>,
    /// What its predictions depend on and an auditor does not see: one of each kind. Empty where `repeats` is false, since then nothing can be compared.
    pub moved: Vec<Moved>,
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
    let mut forwarder = Forwarder::start_on(terms, launcher, Party::Smoke, cancel).map_err(|failure| {
        Box::new(Stopped {
            point: Point::Start,
            failure,
            failed: None,
            layout: None,
            usage: Usage::default(),
        })
    })?;
    let mut test = SmokeTest {
        rows: [1, 2, 3].map(|salt| made_up(seq_len, terms.tokenizer.vocab_size, salt)),
        end_of_text: i32::try_from(terms.tokenizer.end_of_text).unwrap_or(0),
        patience,
        point: Point::Start,
        layout: None,
        repeat_tolerance_nats: terms.recipe.audit.repeat_tolerance_nats,
        tolerance: Tolerance {
            claims_rms_nats: terms.recipe.score.claims_rms_nats,
            smoothing: Smoothing::new(terms.recipe.score.smoothing, terms.tokenizer.vocab_size),
        },
    };
    let result = test.run(terms, &mut forwarder, seq_len);
    let failed = forwarder.worker.failed().cloned();
    forwarder.worker.kill();
    let usage = forwarder.worker.process().usage();
    let stopped = |point, failure, layout| {
        Box::new(Stopped {
            point,
            failure,
            failed,
            layout,
            usage,
        })
    };
    match (result, test.layout) {
        (Ok(answers), Some(layout)) => Ok(Tried {
            repeats: answers.repeats,
            invalid_positions: answers.invalid_positions,
            moved: causality::gather(answers.moved),
            two_rows: answers
                .two_rows
                .map(|failure| stopped(Point::TwoRows, failure, None)),
            layout,
        }),
        (Err(failure), layout) => Err(stopped(test.point, failure, layout)),
        (Ok(_), None) => Err(stopped(
            test.point,
            Failure::new(Reason::Internal, "a smoke test ended without a layout"),
            None,
        )),
    }
}

/// The import of the training script, in a process of its own: what a learner does before `train` is called.
pub struct Importing {
    worker: Worker,
    /// Nothing is ever written into it.
    _segment: OwnSegment,
}

impl Importing {
    /// Starts the process; it is importing torch when this returns.
    ///
    /// # Errors
    /// A [`Failure`] that is not the submission's: nothing of it has run.
    pub fn start(terms: &Terms<'_>, launcher: &mut dyn Launcher, cancel: &Cancel) -> Result<Self, Failure> {
        let segment = OwnSegment::create(terms.segment_bytes())
            .map_err(|error| Failure::internal("a snapshot segment cannot be made", &error))?;
        let fd = segment
            .try_clone_fd()
            .map_err(|error| Failure::internal("a snapshot segment cannot be shared", &error))?;
        let deadline = Instant::now() + Duration::from_secs(terms.recipe.sandbox.startup_seconds);
        let config = terms.import_config();
        let worker = Worker::start(launcher, Party::SmokeLearner, fd, &config, cancel, deadline)?;
        Ok(Self {
            worker,
            _segment: segment,
        })
    }

    /// Waits until both scripts are imported.
    ///
    /// # Errors
    /// [`Stopped`] for every other ending; its reason tells whose fault it is.
    pub fn finish(mut self, patience: &Patience) -> Result<(), Box<Stopped>> {
        let mut point = Point::Start;
        let mut body = Vec::new();
        let result = greet(&mut self.worker, Instant::now() + patience.start, &mut body).and_then(|()| {
            point = Point::Import;
            self.worker
                .expect(Kind::Done, Instant::now() + patience.build, &mut body)
        });
        let failed = self.worker.failed().cloned();
        self.worker.kill();
        let usage = self.worker.process().usage();
        result.map_err(|mut failure| {
            if failure.reason == Reason::TimeLimit {
                // A learner that was not ready for its first batch.
                failure.reason = Reason::StartupTimeout;
            }
            Box::new(Stopped {
                point,
                failure,
                failed,
                layout: None,
                usage,
            })
        })
    }
}

/// What the model answered.
struct Answers {
    repeats: bool,
    invalid_positions: usize,
    two_rows: Option<Failure>,
    moved: Vec<Moved>,
}

struct SmokeTest<'a> {
    rows: [Vec<i32>; 3],
    end_of_text: i32,
    patience: &'a Patience,
    point: Point,
    layout: Option<Layout>,
    repeat_tolerance_nats: f64,
    tolerance: Tolerance,
}

impl SmokeTest<'_> {
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
        // As in a run: what a forward asks the system for from here on ends it.
        forwarder.worker.seal()?;
        forwarder.set_load_timeout(self.patience.answer);
        forwarder.load(WeightSource::RandomInit, 0)?;
        let mut answers = Answers {
            repeats: false,
            invalid_positions: 0,
            two_rows: None,
            moved: Vec::new(),
        };
        let Some(alone) = self.repeats(forwarder)? else {
            // It has no answer that another one could be held against.
            let [first, second, _] = &self.rows;
            let both = self.ask(forwarder, &[&first[..], second].concat(), ROWS_TOGETHER);
            answers.two_rows = both.err().map(blamed).transpose()?;
            return Ok(answers);
        };
        answers.repeats = true;
        // Logits with a NaN or a plus infinity make it NaN, as do those that are minus infinity everywhere.
        answers.invalid_positions = alone[0].iter().filter(|nats| nats.is_nan()).count();
        self.later_tokens(forwarder, &mut answers.moved)?;
        if let Err(failure) = self.other_rows(forwarder, &alone, &mut answers.moved) {
            answers.two_rows = Some(blamed(failure)?);
            return Ok(answers);
        }
        self.with_made_up_weights(forwarder, &layout, &mut answers)?;
        Ok(answers)
    }

    /// The same under made-up weights: with those of its start many a model says nothing yet, and so cannot contradict
    /// itself. It never promised to work with others, so that a failure is none.
    fn with_made_up_weights(
        &self,
        forwarder: &mut Forwarder,
        layout: &Layout,
        answers: &mut Answers,
    ) -> Result<(), Failure> {
        made_up_weights::fill(layout, forwarder.segment().as_mut_slice());
        let mut asked = || {
            forwarder.load(WeightSource::Segment, 1)?;
            answers.repeats = self.repeats(forwarder)?.is_some();
            // Made-up buffers are no masks and no tables any more: with them an honest model may look ahead.
            forwarder.load(WeightSource::SegmentParameters, 2)?;
            let alone = self.repeats(forwarder)?.filter(|_| answers.repeats);
            let Some(alone) = alone else {
                answers.repeats = false;
                answers.moved.clear();
                return Ok(());
            };
            self.later_tokens(forwarder, &mut answers.moved)?;
            self.other_rows(forwarder, &alone, &mut answers.moved)?;
            // Last, since a forward in train mode may fail where no run makes one: under the seal, without targets.
            forwarder.load(WeightSource::SegmentParametersInTrainMode, 3)?;
            let trained = self.ask(forwarder, &self.rows[0], 1)?;
            answers
                .moved
                .extend(self.tolerance.train_mode(&alone[0], &trained));
            Ok(())
        };
        match asked() {
            Ok(()) => Ok(()),
            Err(failure) => blamed(failure).map(drop),
        }
    }

    /// What the first two rows cost, each by itself; `None` if the first row costs something else after the second one.
    fn repeats(&self, forwarder: &mut Forwarder) -> Result<Option<[Vec<f32>; 2]>, Failure> {
        let before = self.ask(forwarder, &self.rows[0], 1)?;
        let second = self.ask(forwarder, &self.rows[1], 1)?;
        let after = self.ask(forwarder, &self.rows[0], 1)?;
        // As a run compares them.
        let same = |(&a, &b): (&f32, &f32)| {
            a.to_bits() == b.to_bits()
                || (a.is_nan() && b.is_nan())
                || f64::from(a - b).abs() <= self.repeat_tolerance_nats
        };
        Ok(before.iter().zip(&after).all(same).then_some([before, second]))
    }

    /// Whether a prediction stays where it is when only what comes after its position is another: the rest of a row, as a learner
    /// has it, and end-of-text, as an auditor has it.
    fn later_tokens(&self, forwarder: &mut Forwarder, moved: &mut Vec<Moved>) -> Result<(), Failure> {
        let row = &self.rows[0][..self.rows[0].len() - 1];
        // At the start, within, and at the last place that something comes after.
        let mut columns = [0, row.len() / 3, row.len().saturating_sub(2)].to_vec();
        columns.dedup();
        columns.retain(|column| column + 1 < row.len());
        for column in columns {
            let mut cut = row.to_vec();
            cut[column + 1..].fill(self.end_of_text);
            let place = Place {
                column: u32::try_from(column).unwrap_or(u32::MAX),
                lane: 0,
            };
            let whole = forwarder.logits(place, row)?;
            let cut = forwarder.logits(place, &cut)?;
            // A number of logits that is not the vocabulary's has been seen to by the scores.
            if let (Some(whole), Some(cut)) = (whole, cut) {
                moved.extend(self.tolerance.later_tokens(&whole, &cut));
            }
        }
        Ok(())
    }

    /// Whether the costs of a row stay what they are when another row is beside it, and when that one is another.
    fn other_rows(
        &self,
        forwarder: &mut Forwarder,
        alone: &[Vec<f32>; 2],
        moved: &mut Vec<Moved>,
    ) -> Result<(), Failure> {
        let [first, second, third] = &self.rows;
        let columns = alone[0].len();
        let mut two = |one: &Vec<i32>, two: &Vec<i32>| {
            let nats = self.ask(forwarder, &[&one[..], two].concat(), ROWS_TOGETHER)?;
            let (one, two) = nats.split_at(columns.min(nats.len()));
            Ok([one.to_vec(), two.to_vec()])
        };
        let both: [Vec<f32>; 2] = two(first, second)?;
        let with_another: [Vec<f32>; 2] = two(first, third)?;
        let after_another: [Vec<f32>; 2] = two(third, second)?;
        moved.extend(self.tolerance.other_rows(&both[0], &with_another[0]));
        moved.extend(self.tolerance.other_rows(&both[1], &after_another[1]));
        moved.extend(self.tolerance.batch_size(&alone[0], &both[0]));
        moved.extend(self.tolerance.batch_size(&alone[1], &both[1]));
        Ok(())
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

/// A failure that is the submission's; any other one ends the test.
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
