//! Asked again: does the model answer from its weights and its input alone?
//!
//! An auditor lives as long as its run. What it remembers of earlier snapshots and questions, or hears from the learner
//! by a road that nobody knows of, could make its answers better than `W_k` and the prefix do. So a few targets of the
//! stream, drawn under the audit key, are kept with their snapshot ([`Witnesses`], filled by the learner's session), and
//! once the learner is dead a second auditor is asked about them under the same weights ([`check`]). It was started with
//! the run, sealed before the first batch and frozen until then, so that it has seen nothing else. An answer that does not come again fails the run: its audits measure something else than the model.
//!
//! A run in which a share `f` of the targets is answered from elsewhere is found with probability `1 - (1 - f)^repeats`.
//! The fresh process has about as much time for a snapshot and for an answer as the first one took: what that one had worked
//! out over the whole run cannot be worked out again in between. Never part of the estimate: a question about a kept target
//! alone is in none of the sums.

use std::{
    collections::VecDeque,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use prism_core::{
    failure::Failure,
    nats::{Audited, Smoothing},
    outcome::Reason,
};
use prism_shm::OwnSegment;
use serde::{Deserialize, Serialize};

use crate::{
    auditor::{Forwarder, Question},
    draws::{AuditKey, Draws, Purpose},
    layout::Layout,
    message::WeightSource,
    plan::Plan,
};

/// A fresh process may take so many times as long as the first one, for a snapshot and for an answer.
const TIMES_LONGER: u32 = 10;
/// And always so long.
const ALWAYS_ALLOWED: Duration = Duration::from_secs(10);

/// One target that was asked about twice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedTarget {
    /// Its number among the targets of the stream.
    pub target: u64,
    /// What it cost when the stream was read, in nats, smoothed.
    pub first_nats: f64,
    /// What it cost in the fresh process.
    pub again_nats: f64,
}

impl RepeatedTarget {
    /// Whether the two answers are the same, as far as the recipe demands. NaN never is.
    pub fn agrees(&self, tolerance_nats: f64) -> bool {
        (self.first_nats - self.again_nats).abs() <= tolerance_nats
    }
}

/// The targets that will be asked about again, ascending: drawn over the whole stream, however far a run comes.
pub fn drawn(key: &AuditKey, repeats: u32, stream_targets: u64) -> Vec<u64> {
    let count = usize::try_from(repeats).unwrap_or(usize::MAX);
    let all = usize::try_from(stream_targets).unwrap_or(usize::MAX);
    Draws::new(key, Purpose::Repeat)
        .distinct(count, all)
        .into_iter()
        .map(|target| target as u64)
        .collect()
}

/// A question that was put, and what came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its target's number among those of the stream.
    pub target: u64,
    /// The question.
    pub question: Question,
    /// The answer.
    pub answer: Audited,
    /// How long that took.
    pub answered_in: Duration,
}

/// What is needed to ask again.
struct Witness {
    target: u64,
    question: Question,
    first: Audited,
    /// How long it took to answer.
    answered_in: Duration,
    /// How long it took to load the snapshot.
    loaded_in: Duration,
    /// Which of the kept snapshots it was asked under.
    snapshot: usize,
}

/// The kept targets of a run, with their snapshots in temporary files without a name.
pub struct Witnesses {
    dir: PathBuf,
    due: VecDeque<u64>,
    kept: Vec<Witness>,
    snapshots: Vec<File>,
}

impl Witnesses {
    /// For a run under this plan.
    pub fn new(plan: &Plan<'_>) -> Self {
        let targets = drawn(&plan.key, plan.recipe.audit.repeats, plan.totals.targets);
        Self {
            dir: plan.keep_dir.to_owned(),
            due: targets.into(),
            kept: Vec::new(),
            snapshots: Vec::new(),
        }
    }

    /// Which targets of the next step are to be kept, as indices into it. The step has `targets` targets, the first of
    /// them with the number `first`. Each is said once.
    pub fn of_step(&mut self, first: u64, targets: usize) -> Vec<usize> {
        let mut indices = Vec::new();
        while let Some(index) = self
            .due
            .front()
            .and_then(|target| usize::try_from(target.checked_sub(first)?).ok())
            .filter(|&index| index < targets)
        {
            self.due.pop_front();
            indices.push(index);
        }
        indices
    }

    /// Keeps targets of one step, each with its question, its first answer and the time that this took, and the snapshot
    /// that they share.
    pub fn keep(
        &mut self,
        weights: &OwnSegment,
        layout: &Layout,
        loaded_in: Duration,
        asked: impl IntoIterator<Item = Asked>,
    ) -> Result<(), Failure> {
        let len = usize::try_from(layout.bytes()).unwrap_or(usize::MAX);
        let bytes = weights.as_slice().get(..len).unwrap_or(weights.as_slice());
        let file = tempfile::tempfile_in(&self.dir)
            .and_then(|mut file| file.write_all(bytes).map(|()| file))
            .map_err(|error| {
                Failure::new(
                    Reason::Storage,
                    format!(
                        "a snapshot of {} MB cannot be kept in {}: {error}",
                        len / 1_000_000,
                        self.dir.display()
                    ),
                )
                .with_hint("free some space there")
            })?;
        let snapshot = self.snapshots.len();
        self.snapshots.push(file);
        self.kept.extend(asked.into_iter().map(|asked| Witness {
            target: asked.target,
            question: asked.question,
            first: asked.answer,
            answered_in: asked.answered_in,
            loaded_in,
            snapshot,
        }));
        Ok(())
    }
}

/// Asks the second auditor about everything that was kept, step by step as they came and, in a step, by increasing column:
/// it must never have held a snapshot later than the question, since that one may have been trained on the answer. The
/// answers are in ascending order of their targets. The learner and the first auditor must be dead by now.
///
/// # Errors
/// [`Reason::AnswersDiffer`] where an answer does not come again.
pub fn check(
    plan: &Plan<'_>,
    auditor: &mut Forwarder,
    layout: &Layout,
    mut witnesses: Witnesses,
) -> Result<Vec<RepeatedTarget>, Failure> {
    if witnesses.kept.is_empty() {
        return Ok(Vec::new());
    }
    auditor.worker.thaw()?;
    auditor.set_end(Instant::now() + plan.answers_together());
    let (audit, limits) = (&plan.recipe.audit, &plan.recipe.sandbox);
    let smoothing = Smoothing::new(plan.recipe.score.smoothing, plan.tokenizer.vocab_size);
    let mut repeated = Vec::with_capacity(witnesses.kept.len());
    for (id, witness) in witnesses.kept.iter().enumerate() {
        // Who needs much longer than the first time makes up for what the first one had beforehand.
        auditor.set_timeouts(
            again(witness.loaded_in, limits.startup_seconds),
            again(witness.answered_in, limits.question_seconds),
        );
        restore(
            &mut witnesses.snapshots[witness.snapshot],
            layout,
            auditor.segment(),
        )?;
        auditor.load(WeightSource::Segment, id as u64)?;
        let again = auditor.put(&witness.question, &smoothing)?;
        let pair = RepeatedTarget {
            target: witness.target,
            first_nats: witness.first.nats(),
            again_nats: again.nats(),
        };
        if !pair.agrees(audit.repeat_tolerance_nats) {
            return Err(differs(&pair));
        }
        repeated.push(pair);
    }
    auditor.worker.kill();
    repeated.sort_unstable_by_key(|pair| pair.target);
    Ok(repeated)
}

/// Time limit when something is repeated: [`TIMES_LONGER`] times its first duration, at least [`ALWAYS_ALLOWED`], and at most
/// what the first one was allowed. Whoever was slow on purpose gains no time by it.
fn again(first: Duration, limit_seconds: u64) -> Duration {
    (first * TIMES_LONGER)
        .max(ALWAYS_ALLOWED)
        .min(Duration::from_secs(limit_seconds))
}

fn restore(snapshot: &mut File, layout: &Layout, segment: &mut OwnSegment) -> Result<(), Failure> {
    let len = usize::try_from(layout.bytes()).unwrap_or(usize::MAX);
    let place = segment.as_mut_slice();
    let len = len.min(place.len());
    snapshot
        .seek(SeekFrom::Start(0))
        .and_then(|_| snapshot.read_exact(&mut place[..len]))
        .map_err(|error| {
            Failure::new(
                Reason::Storage,
                format!("a snapshot that was kept cannot be read back: {error}"),
            )
        })
}

fn differs(pair: &RepeatedTarget) -> Failure {
    let RepeatedTarget {
        target,
        first_nats,
        again_nats,
    } = pair;
    Failure::new(
        Reason::AnswersDiffer,
        format!(
            "asked again in a second process, with the same weights and the same text before it, the model gives target \
             {target} of the stream {again_nats:.6} nats instead of {first_nats:.6}: its `forward` in eval mode depends on \
             something besides parameters, buffers and input. Keep all state in parameters or buffers, or reset it at the \
             start of `forward`; `prism check` finds most of this beforehand"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_drawn_target_falls_due_in_exactly_one_step() {
        let key = AuditKey::new([3; 32]);
        let targets = drawn(&key, 8, 1000);
        assert_eq!(targets.len(), 8);
        assert!(targets.is_sorted() && targets.iter().all(|&target| target < 1000));
        assert_ne!(targets, drawn(&AuditKey::new([4; 32]), 8, 1000));
        let mut witnesses = Witnesses {
            dir: PathBuf::new(),
            due: targets.clone().into(),
            kept: Vec::new(),
            snapshots: Vec::new(),
        };
        let mut found = Vec::new();
        for first in (0..1000).step_by(70) {
            let due = witnesses.of_step(first, 70);
            found.extend(due.into_iter().map(|index| first + index as u64));
            assert!(witnesses.of_step(first, 70).is_empty());
        }
        assert_eq!(found, targets);
        assert_eq!(
            drawn(&key, 8, 3),
            [0, 1, 2],
            "a stream shorter than that is kept whole"
        );
    }

    #[test]
    fn a_fresh_process_has_about_the_time_of_the_first() {
        let seconds = Duration::from_secs;
        assert_eq!(again(Duration::from_millis(11), 60), seconds(10));
        assert_eq!(again(seconds(3), 60), seconds(30));
        assert_eq!(again(seconds(20), 60), seconds(60));
        assert_eq!(again(seconds(1), 5), seconds(5));
    }

    #[test]
    fn agreement_is_within_the_tolerance_and_never_of_nan() {
        let pair = |first_nats, again_nats| RepeatedTarget {
            target: 0,
            first_nats,
            again_nats,
        };
        assert!(pair(1.0, 1.0).agrees(0.0) && pair(1.0, 1.25).agrees(0.25));
        assert!(!pair(1.0, 1.25).agrees(0.2) && !pair(1.25, 1.0).agrees(0.2));
        assert!(!pair(f64::NAN, f64::NAN).agrees(1.0) && !pair(1.0, f64::INFINITY).agrees(1.0));
    }
}
