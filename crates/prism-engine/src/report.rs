//! Reads what a run has left, within bounds, for the pages that [`prism_report`] draws.
//!
//! The result is there, or the run is not finished and its events are; everything else may be missing, as after a
//! failure. A file that is there and cannot be read is said in the report, never passed over.

mod audits;
mod captured;
mod told;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;
use prism_referee::record::{RECORD_BYTES_MAX, Record};
use prism_report::{
    About,
    curve::PublishedCurve,
    manifest::{self, Manifest},
    run::{Audits, Run, State},
};
use thiserror::Error;

use crate::{
    event_file::Progress,
    outcome::Outcome,
    run_dir::{self, CURVE_FILE, LOGS_DIR, METRICS_FILE, RECORD_FILE, RESULT_FILE, TARGETS_FILE},
    runs::{self, RESULT_BYTES_MAX, RunState},
};

/// Largest manifest that is read, in bytes: two curves of 500 points.
const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Why there is no report.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ReportError {
    #[error("{path} is no run: it has neither a `{RESULT_FILE}` nor events", path = .path.display())]
    NotARun { path: PathBuf },
    #[error("{path} cannot be understood: {problem}", path = .path.display())]
    Damaged { path: PathBuf, problem: String },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl Advice for ReportError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotARun { .. } => "see `prism runs list`".into(),
            _ => return None,
        })
    }
}

/// Whether what stays secret until a round closes is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// The audits of a run that counts are left out; a rehearsal has no secrets.
    KeepOfCountedRuns,
    /// Everything is drawn: the round has closed.
    Show,
    /// No audits are drawn, so that none need be looked for.
    LeaveOut,
    /// For everybody, while the round is open: no audits, and nothing of what the submission has printed or logged.
    Public,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It is over.
    Finished(Box<Outcome>),
    /// It goes on.
    Running(Box<Progress>),
    /// It has no result and nobody holds its lock.
    Died(Box<Progress>),
}

impl End {
    /// The outcome, of one that is over.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Finished(outcome) => Some(outcome),
            Self::Running(_) | Self::Died(_) => None,
        }
    }

    fn about(&self) -> Option<&About> {
        match self {
            Self::Finished(outcome) => outcome.about.as_ref(),
            Self::Running(progress) | Self::Died(progress) => progress.about.as_ref(),
        }
    }

    /// What people call the run.
    fn name(&self) -> &str {
        let other = match self {
            Self::Finished(outcome) => outcome.submission_id.as_deref().or(outcome.run_id.as_deref()),
            Self::Running(progress) | Self::Died(progress) => progress.run_id.as_deref(),
        };
        self.about()
            .map(|about| about.name.as_str())
            .or(other)
            .unwrap_or("run")
    }

    fn state(&self) -> State {
        match self {
            Self::Finished(outcome) => State::Finished(Box::new(told::ending(outcome))),
            Self::Running(progress) => State::Running(told::so_far(progress)),
            Self::Died(progress) => State::Died(told::so_far(progress)),
        }
    }
}

/// What a run has left.
#[derive(Clone, Debug)]
pub struct RunFiles {
    /// How far it is.
    pub end: End,
    /// The same and all the rest, as a page shows it.
    pub shown: Run,
}

impl RunFiles {
    /// The estimate of everything read against the bytes read, up to where the run is.
    pub fn estimates(&self) -> Vec<(f64, f64)> {
        self.shown
            .curve
            .as_ref()
            .map_or_else(Vec::new, |curve| curve.points(&curve.mean_bpb))
    }

    /// Reads a run's directory.
    pub fn load(dir: &Path, secrets: Secrets) -> Result<Self, ReportError> {
        let path = dir.join(RESULT_FILE);
        let damaged = |problem: String| ReportError::Damaged {
            path: path.clone(),
            problem,
        };
        let bytes = run_dir::read(&path, RESULT_BYTES_MAX).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => damaged(source.to_string()),
            _ => IoError::new("read", &path, source).into(),
        })?;
        let end = match bytes {
            Some(bytes) => {
                End::Finished(serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?)
            }
            None => match runs::state(dir) {
                Some(RunState::Running(progress)) => End::Running(progress),
                Some(RunState::Died(progress)) => End::Died(progress),
                // It has ended since.
                Some(RunState::Finished(outcome)) => End::Finished(outcome),
                Some(RunState::Damaged) | None => {
                    return Err(ReportError::NotARun { path: dir.to_owned() });
                }
            },
        };
        let mut problems = Vec::new();
        let mut lacking =
            |name: &str, error: String| problems.push(format!("{name} cannot be read: {error}"));

        let manifest = optional(
            dir,
            manifest::FILE_NAME,
            MANIFEST_BYTES_MAX,
            &mut lacking,
            |bytes| serde_json::from_slice::<Manifest>(bytes).map_err(|error| error.to_string()),
        );
        let curve = match (&manifest, &end) {
            (Some(manifest), _) => Some(PublishedCurve::of(manifest)),
            (None, End::Running(progress) | End::Died(progress)) => progress.curve(),
            (None, End::Finished(_)) => {
                optional(dir, CURVE_FILE, MANIFEST_BYTES_MAX, &mut lacking, |bytes| {
                    serde_json::from_slice(bytes).map_err(|error| error.to_string())
                })
            }
        };
        let record = optional(dir, RECORD_FILE, RECORD_BYTES_MAX, &mut lacking, |bytes| {
            Record::from_json(bytes).map_err(|error| error.to_string())
        });
        let is_rehearsal = matches!(&end, End::Finished(outcome) if outcome.rehearsal);
        let audits = match (&record, secrets) {
            (_, Secrets::Public) => Audits::Withheld,
            (_, Secrets::KeepOfCountedRuns) if !is_rehearsal => Audits::Withheld,
            (_, Secrets::LeaveOut) | (None, _) => Audits::Absent,
            (Some(record), Secrets::KeepOfCountedRuns | Secrets::Show) => File::open(dir.join(TARGETS_FILE))
                .map_err(|error| error.to_string())
                .and_then(|file| audits::replay(record, file).map_err(|error| error.to_string()))
                .map_or_else(
                    |error| {
                        lacking(TARGETS_FILE, error);
                        Audits::Absent
                    },
                    Audits::Drawn,
                ),
        };
        let logs = dir.join(LOGS_DIR);
        let (metrics, logs) = if secrets == Secrets::Public {
            (Vec::new(), Vec::new())
        } else {
            let metrics = captured::metrics(&logs.join(METRICS_FILE)).unwrap_or_else(|error| {
                lacking(METRICS_FILE, error.to_string());
                Vec::new()
            });
            let logs = captured::logs(&logs).unwrap_or_else(|error| {
                lacking(LOGS_DIR, error.to_string());
                Vec::new()
            });
            (metrics, logs)
        };
        let shown = Run {
            name: end.name().to_owned(),
            about: end.about().cloned(),
            state: end.state(),
            manifest,
            record,
            curve,
            audits,
            metrics,
            logs,
            problems,
        };
        Ok(Self { end, shown })
    }
}

fn optional<T>(
    dir: &Path,
    name: &str,
    limit_bytes: u64,
    lacking: &mut impl FnMut(&str, String),
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Option<T> {
    let bytes = match run_dir::read(&dir.join(name), limit_bytes) {
        Ok(bytes) => bytes?,
        Err(error) => {
            lacking(name, error.to_string());
            return None;
        }
    };
    parse(&bytes).map_err(|error| lacking(name, error)).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use prism_core::outcome::Reason;

    use super::*;
    use crate::{run_dir::RunDir, run_lock::RunLock};

    fn run_dir() -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join(LOGS_DIR)).unwrap();
        let outcome = Outcome::failed(Reason::OutOfMemory, "too much");
        fs::write(
            temp.path().join(RESULT_FILE),
            serde_json::to_vec(&outcome).unwrap(),
        )
        .unwrap();
        temp
    }

    #[test]
    fn a_directory_without_a_result_is_no_run() {
        let temp = tempfile::tempdir().unwrap();
        let load = || RunFiles::load(temp.path(), Secrets::Show);
        assert!(matches!(load(), Err(ReportError::NotARun { .. })));
        fs::write(temp.path().join(RESULT_FILE), "{}").unwrap();
        assert!(matches!(load(), Err(ReportError::Damaged { .. })));
        fs::write(temp.path().join(RESULT_FILE), vec![b' '; 5_000_000]).unwrap();
        assert!(matches!(load(), Err(ReportError::Damaged { problem, .. }) if problem.contains("more than")));
    }

    #[test]
    fn an_unfinished_run_is_read_from_its_events() {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::create(&temp.path().join("run")).unwrap();
        let lock = RunLock::take(&dir).unwrap();
        let point = "{\"v\":1,\"t\":5.0,\"event\":\"point\",\"steps\":1,\"covered_bytes\":10,\"targets\":9,\"claimed_bpb\":7.0,\"mean_bpb\":7.5}\n";
        fs::write(dir.file(crate::run_dir::EVENTS_FILE), point).unwrap();
        let load = || RunFiles::load(dir.path(), Secrets::Show).unwrap();
        assert!(matches!(load().end, End::Running(progress) if progress.covered_bytes == 10));
        assert_eq!(load().estimates(), [(10.0, 7.5)]);
        drop(lock);
        assert!(matches!(load().end, End::Died(_)));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let temp = run_dir();
        assert!(
            RunFiles::load(temp.path(), Secrets::Show)
                .unwrap()
                .shown
                .problems
                .is_empty()
        );
        fs::write(temp.path().join(RECORD_FILE), "{").unwrap();
        fs::write(temp.path().join(manifest::FILE_NAME), "[]").unwrap();
        let run = RunFiles::load(temp.path(), Secrets::Show).unwrap().shown;
        assert_eq!(run.problems.len(), 2, "{:?}", run.problems);
        assert!(run.record.is_none() && run.manifest.is_none());
    }
}
