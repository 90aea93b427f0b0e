//! What a run leaves behind even if it fails half-way, and how it gets into the run's directory.
//!
//! Filled by [`crate::evaluate`] and by the referee's events while a run goes on. Its recorder writes meanwhile; what is
//! final is written once, at the end.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use prism_core::{nats::NATS_PER_BIT, outcome::Status};
use prism_referee::plan::{Event, Stage, StreamTotals};
use prism_report::About;

use crate::{
    curve::{self, Curve},
    event::{EvalEvent, EvalStage, GateFinding},
    launcher::CapturedLog,
    metrics::Metrics,
    outcome::Outcome,
    recorder::Recorder,
    request::RehearsalReason,
    run_dir::{CURVE_FILE, LOGS_DIR, METRICS_FILE, RESULT_FILE, RunDir},
    run_lock::RunLock,
};

/// What a run leaves behind even if it fails half-way.
#[derive(Default)]
pub(crate) struct RunOutput {
    /// Its directory, once there is one.
    pub(crate) dir: Option<RunDir>,
    /// The lock of it, until all is written.
    pub(crate) lock: Option<RunLock>,
    /// Writes into it what happens.
    pub(crate) recorder: Recorder,
    /// Its name, once it has one.
    pub(crate) run_id: Option<String>,
    /// What it is of, once it has a directory.
    pub(crate) about: Option<About>,
    /// Why it does not count, sorted.
    pub(crate) rehearsal: Vec<RehearsalReason>,
    /// Source bytes whose claims were accepted.
    pub(crate) covered_bytes: u64,
    /// Source bytes of the whole stream and its entropy floor, once they are known.
    pub(crate) stream: Option<(u64, Option<f64>)>,
    /// What the gate said.
    pub(crate) findings: Vec<GateFinding>,
    /// The learning curve so far.
    pub(crate) curve: Curve,
    metrics: Metrics,
    /// What the processes wrote.
    pub(crate) logs: Arc<Mutex<Vec<CapturedLog>>>,
}

impl RunOutput {
    /// Notes a reason once.
    pub(crate) fn rehearse(&mut self, reason: RehearsalReason) {
        if !self.rehearsal.contains(&reason) {
            self.rehearsal.push(reason);
            self.rehearsal.sort_unstable();
        }
    }

    /// Turns the referee's events into those of an evaluation, and keeps what the run's files need of them.
    pub(crate) fn watch(&mut self, event: Event, totals: &StreamTotals, events: &mut dyn FnMut(EvalEvent)) {
        match event {
            Event::Stage(stage) => {
                let (stage, message) = match stage {
                    Stage::Starting => (EvalStage::Starting, "starting learner and auditor"),
                    Stage::Training => (EvalStage::Training, "reading the stream"),
                    Stage::Repeating => (EvalStage::Repeating, "asking a fresh auditor again"),
                    Stage::HeldOut => (EvalStage::HeldOut, "scoring held-out text"),
                    Stage::Concluding => (EvalStage::Concluding, "closing the record"),
                };
                events(EvalEvent::Stage {
                    stage,
                    message: message.into(),
                });
            }
            Event::Opened {
                batch_size,
                seq_len,
                parameters,
                batches,
            } => {
                self.curve.open(batches);
                events(EvalEvent::Opened {
                    batch_size,
                    seq_len,
                    parameters,
                    batches,
                    stream_bytes: totals.bytes,
                });
            }
            Event::Step(report) => {
                let point = self.curve.push(&report);
                self.covered_bytes = report.covered_bytes;
                events(EvalEvent::Step {
                    step: report.step,
                    covered_bytes: report.covered_bytes,
                    targets: self.curve.targets(),
                    stream_bytes: totals.bytes,
                    step_bpb: report.claimed_nats / NATS_PER_BIT / report.bytes.max(1) as f64,
                    mean_bpb: report.nats / NATS_PER_BIT / report.covered_bytes.max(1) as f64,
                });
                if let Some(point) = point {
                    events(EvalEvent::Point {
                        steps: report.step + 1,
                        covered_bytes: point.covered_bytes,
                        targets: self.curve.targets(),
                        claimed_bpb: point.claimed_bpb,
                        mean_bpb: point.mean_bpb,
                    });
                }
            }
            Event::Log {
                covered_bytes,
                entries,
            } => {
                let entries = Metrics::harmless(entries);
                self.recorder.metrics(self.metrics.push(covered_bytes, &entries));
                events(EvalEvent::Log {
                    covered_bytes,
                    entries,
                });
            }
        }
    }

    /// Writes logs, the curve of a run without a manifest and, last, the outcome.
    pub(crate) fn close(&self, dir: &RunDir, outcome: &Outcome) -> io::Result<()> {
        for log in self.logs.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (stream, content) in [("stdout", &log.stdout), ("stderr", &log.stderr)] {
                // Whoever reads a log with `cat` must not have their terminal rewritten by it.
                let shown = prism_core::escape::escape_for_terminal(content);
                dir.write(&format!("{LOGS_DIR}/{}.{stream}.log", log.name), shown.as_bytes())?;
            }
        }
        dir.write(&format!("{LOGS_DIR}/{METRICS_FILE}"), self.metrics.as_bytes())?;
        if outcome.status != Status::Completed {
            self.write_curve(dir)?;
        }
        let mut json = serde_json::to_vec_pretty(outcome)?;
        json.push(b'\n');
        dir.write(RESULT_FILE, &json)
    }

    fn write_curve(&self, dir: &RunDir) -> io::Result<()> {
        let points = self.curve.points();
        let (Some((stream_bytes, entropy_floor_bpb)), false) = (self.stream, points.is_empty()) else {
            return Ok(());
        };
        let mut json =
            serde_json::to_vec_pretty(&curve::published(&points, stream_bytes, entropy_floor_bpb))?;
        json.push(b'\n');
        dir.write(CURVE_FILE, &json)
    }
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;

    use super::*;

    #[test]
    fn the_miners_metrics_are_harmless_wherever_they_go() {
        let totals = StreamTotals {
            documents: 1,
            bytes: 10,
            targets: 11,
        };
        let mut state = RunOutput::default();
        let mut told = Vec::new();
        let event = Event::Log {
            covered_bytes: 3,
            entries: vec![("\u{9b}loss".into(), 2.0), ("nan".into(), f64::NAN)],
        };
        state.watch(event, &totals, &mut |event| told.push(event));
        let shown = vec![("\\u{9b}loss".to_owned(), 2.0)];
        assert_eq!(
            told,
            [EvalEvent::Log {
                covered_bytes: 3,
                entries: shown
            }]
        );

        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::create(&temp.path().join("run")).unwrap();
        state
            .close(&dir, &Outcome::failed(Reason::OutOfMemory, ""))
            .unwrap();
        let text = std::fs::read_to_string(dir.file(LOGS_DIR).join(METRICS_FILE)).unwrap();
        assert_eq!(
            text,
            "{\"covered_bytes\":3,\"entries\":[[\"\\\\u{9b}loss\",2.0]]}\n"
        );
    }
}
