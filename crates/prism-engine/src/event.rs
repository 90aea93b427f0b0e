//! What an evaluation tells while it goes on: one JSON line an event on `--progress-fd`.
//!
//! Nothing here comes from the submission but `log`, which is marked as the miner's own, and what `gate` quotes.

use prism_core::outcome::{Reason, Status};
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EvalEvent {
    /// A new part of the evaluation has begun.
    Stage {
        /// Which one.
        stage: EvalStage,
        /// A sentence for people.
        message: String,
    },
    /// A part that takes long has got further. Told at most once a hundredth.
    Progress {
        /// Which one.
        stage: EvalStage,
        /// Bytes of text done.
        done_bytes: u64,
        /// Bytes of text in all; other work on the same text may follow, and begins with a `stage` of its own.
        total_bytes: u64,
    },
    /// What the static gate says of the source, where it says anything.
    Gate {
        /// Findings that stop the submission.
        errors: u64,
        /// Findings that do not.
        warnings: u64,
        /// The first of them.
        findings: Vec<GateFinding>,
    },
    /// The run has a directory.
    Run {
        /// Its id.
        run_id: String,
        /// Its directory.
        run_dir: String,
        /// Hash of the audit key, fixed before step 0.
        audit_key_commitment: String,
    },
    /// The stream was opened.
    Opened {
        /// `B`, in rows.
        batch_size: u32,
        /// `T`, in tokens.
        seq_len: u32,
        /// Parameters of the model.
        parameters: u64,
        /// Steps that the stream will take, at least.
        batches: u64,
        /// Bytes of the stream.
        stream_bytes: u64,
    },
    /// A step was accepted.
    Step {
        /// Its number, from 0.
        step: u64,
        /// Source bytes accepted so far.
        covered_bytes: u64,
        /// Bytes of the stream.
        stream_bytes: u64,
        /// Claimed bits per byte of this step.
        step_bpb: f64,
        /// Estimated bits per byte of everything accepted so far.
        mean_bpb: f64,
    },
    /// The miner's own metrics: names that are harmless on a terminal, values that are finite.
    Log {
        /// Source bytes accepted so far.
        covered_bytes: u64,
        /// Names and values.
        entries: Vec<(String, f64)>,
    },
    /// It is over.
    Finished {
        /// What became of the submission.
        status: Status,
        /// The stable reason.
        reason: Reason,
    },
}

/// One finding of the static gate. Its texts may quote the submission: whoever shows them escapes them for the place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateFinding {
    /// The rule's code, as `PRS102`.
    pub code: String,
    /// The rule's name, as `prism:no-network`.
    pub id: String,
    /// `error` or `warning`.
    pub severity: String,
    /// The file within the bundle.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

/// Parts of an evaluation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvalStage {
    /// Reading the bundle.
    Bundle,
    /// Checking its source by the rules of the gate.
    Gate,
    /// Verifying the corpus, then tokenising it once: told twice.
    Corpus,
    /// Finding the Python runtime, trying the sandbox.
    Preflight,
    /// Starting learner and auditor.
    Starting,
    /// Reading the stream.
    Training,
    /// Asking a fresh auditor again about a few targets.
    Repeating,
    /// Scoring held-out text.
    HeldOut,
    /// Writing record, manifest and logs.
    Concluding,
}

/// Tells [`EvalEvent::Progress`] of one stage, from its first hundredth on.
pub(crate) struct Hundredths<'a> {
    stage: EvalStage,
    told: Option<u64>,
    events: &'a mut dyn FnMut(EvalEvent),
}

impl<'a> Hundredths<'a> {
    /// Has told nothing yet.
    pub(crate) fn new(stage: EvalStage, events: &'a mut dyn FnMut(EvalEvent)) -> Self {
        Self {
            stage,
            told: None,
            events,
        }
    }

    /// So far it is.
    pub(crate) fn at(&mut self, done_bytes: u64, total_bytes: u64) {
        let hundredth = done_bytes.saturating_mul(100) / total_bytes.max(1);
        if self.told != Some(hundredth) {
            self.told = Some(hundredth);
            (self.events)(EvalEvent::Progress {
                stage: self.stage,
                done_bytes,
                total_bytes,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_once_a_hundredth() {
        let mut told = Vec::new();
        let mut events = |event| told.push(event);
        let mut progress = Hundredths::new(EvalStage::Corpus, &mut events);
        for done in 0..=5000 {
            progress.at(done, 5000);
        }
        progress.at(0, 0);
        assert_eq!(told.len(), 102);
        assert!(matches!(
            told[100],
            EvalEvent::Progress {
                done_bytes: 5000,
                total_bytes: 5000,
                ..
            }
        ));
    }
}
