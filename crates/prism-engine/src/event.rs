//! What an evaluation tells while it goes on: one JSON line per event on `--progress-fd`, and the lasting ones of them in
//! the run's event file ([`crate::event_file`]).
//!
//! Nothing here comes from the submission but `log`, which is marked as the miner's own, and what `gate` quotes.

use std::time::{SystemTime, UNIX_EPOCH};

use prism_core::outcome::{Reason, Status};
use prism_report::About;
use serde::{Deserialize, Serialize};

/// Version of the lines. A reader that knows it passes over events and fields that it does not know; what an event or
/// field that it knows means changes only with the version.
pub const EVENT_VERSION: u32 = 1;

/// An event as it is written: a line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// [`EVENT_VERSION`].
    pub v: u32,
    /// When, in seconds since 1970.
    pub t: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: EvalEvent,
}

impl EventLine {
    /// Of something that has just happened.
    pub fn now(event: EvalEvent) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // Thousandths: nobody needs more.
        let seconds = since.map_or(0.0, |since| since.as_millis() as f64 / 1000.0);
        Self {
            v: EVENT_VERSION,
            t: seconds,
            event,
        }
    }

    /// The line, with its end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        Ok(line)
    }
}

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
        /// Bytes done: of text, or of files that are copied.
        done_bytes: u64,
        /// Bytes in all; other work on the same text may follow, and begins with a `stage` of its own.
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
    /// The run has a directory: the first line of its event file.
    Run {
        /// Its id.
        run_id: String,
        /// Its directory.
        run_dir: String,
        /// What it is of.
        about: About,
        /// Bytes of the stream.
        stream_bytes: u64,
        /// The least that any model can reach, in bits per byte, where the corpus knows it.
        entropy_floor_bpb: Option<f64>,
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
        /// Steps that the whole stream takes.
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
        /// Targets accepted so far.
        targets: u64,
        /// Bytes of the stream.
        stream_bytes: u64,
        /// Claimed bits per byte of this step.
        step_bpb: f64,
        /// Estimated bits per byte of everything accepted so far.
        mean_bpb: f64,
    },
    /// A point of the learning curve that will be published: at most [`prism_report::manifest::CURVE_POINTS_MAX`] in a run.
    Point {
        /// Steps accepted so far.
        steps: u64,
        /// Source bytes accepted so far.
        covered_bytes: u64,
        /// Targets accepted so far.
        targets: u64,
        /// Claimed bits per byte since the point before.
        claimed_bpb: f64,
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
    /// It waits for the machine. Told at once, then every half minute.
    Waiting {
        /// Who has it, each in words that are harmless on a terminal.
        holders: Vec<String>,
        /// How long it has waited.
        waited_seconds: u64,
    },
    /// The run turned out not to count, for this reason alone.
    Rehearsal {
        /// The stable code.
        reason: String,
        /// What is the matter with this machine, and what would help.
        detail: String,
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
    /// Finding the Python runtime, trying the sandbox, once copying the runtime for those who answer.
    Preflight,
    /// Making the kernel forget earlier runs, and reading in what this one can read. Only before runs that count.
    Forgetting,
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
pub(crate) struct ThrottledProgress<'a> {
    stage: EvalStage,
    told: Option<u64>,
    events: &'a mut dyn FnMut(EvalEvent),
}

impl<'a> ThrottledProgress<'a> {
    /// Has told nothing yet.
    pub(crate) fn new(stage: EvalStage, events: &'a mut dyn FnMut(EvalEvent)) -> Self {
        Self {
            stage,
            told: None,
            events,
        }
    }

    /// Reports progress, where it is a hundredth more than before.
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
        let mut progress = ThrottledProgress::new(EvalStage::Corpus, &mut events);
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
