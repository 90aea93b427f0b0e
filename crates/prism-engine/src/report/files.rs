//! Reads what a run has left, within bounds.
//!
//! The result must be there; everything else may be missing, as after a failure. A file that is there and cannot be
//! read is said in the report, never passed over.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use prism_referee::record::{MAX_RECORD_BYTES, Record};
use thiserror::Error;

use super::audits::AuditGrid;
use crate::{
    curve::CurveFile,
    manifest::{self, Manifest},
    metrics::{MAX_METRICS_BYTES, MetricLine},
    outcome::Outcome,
    run_dir::{self, CURVE_FILE, LOGS_DIR, METRICS_FILE, RECORD_FILE, RESULT_FILE, TARGETS_FILE},
    runs::MAX_RESULT_BYTES,
};

/// Largest manifest that is read, in bytes: two curves of 500 points.
const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;
/// A log is shown by its first and its last bytes, so many of each.
const LOG_END_BYTES: u64 = 16 * 1024;
/// Most logs that are shown.
const MAX_LOGS: usize = 16;
/// Most of the miner's own curves that are drawn.
const MAX_METRICS: usize = 12;
/// Most points of one of them.
const MAX_METRIC_POINTS: usize = 500;
/// Longest name of one of them that is shown, in characters.
const MAX_METRIC_NAME_CHARS: usize = 64;

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The directory holds no finished run.
    #[error("{path} is no finished run: it has no `{RESULT_FILE}`; see `prism runs list`", path = .path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// The result is not what an evaluation writes.
    #[error("{path} cannot be understood: {problem}", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system refused.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

/// Whether what stays secret until a round closes is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// The audits of a run that counts are left out; a rehearsal has no secrets.
    KeepOfCountedRuns,
    /// Everything is drawn: the round has closed.
    Show,
}

/// What a run has left.
#[derive(Clone, Debug)]
pub struct RunFiles {
    /// How it ended.
    pub outcome: Outcome,
    /// The manifest, of a completed run.
    pub manifest: Option<Manifest>,
    /// The record, of a completed run.
    pub record: Option<Record>,
    /// The learning curve, whole or up to where the run ended.
    pub(super) curve: Option<CurveFile>,
    pub(super) audits: Option<AuditGrid>,
    pub(super) audits_withheld: bool,
    pub(super) metrics: Vec<Metric>,
    pub(super) logs: Vec<Log>,
    /// What was there and could not be read.
    pub(super) problems: Vec<String>,
}

/// One of the miner's own curves, thinned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metric {
    pub(super) name: String,
    /// Source bytes accepted, and the value.
    pub(super) points: Vec<(u64, f64)>,
}

/// One captured log, its middle left out where it is long.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Log {
    pub(super) name: String,
    pub(super) text: String,
}

impl RunFiles {
    /// A run that has left nothing but its outcome.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            manifest: None,
            record: None,
            curve: None,
            audits: None,
            audits_withheld: false,
            metrics: Vec::new(),
            logs: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Reads a run's directory.
    pub fn load(dir: &Path, secrets: Secrets) -> Result<Self, ReportError> {
        let path = dir.join(RESULT_FILE);
        let damaged = |problem: String| ReportError::Damaged {
            path: path.clone(),
            problem,
        };
        let bytes = run_dir::read(&path, MAX_RESULT_BYTES)
            .map_err(|source| match source.kind() {
                io::ErrorKind::FileTooLarge => damaged(source.to_string()),
                _ => ReportError::Io {
                    path: path.clone(),
                    source,
                },
            })?
            .ok_or_else(|| ReportError::NotARun { path: dir.to_owned() })?;
        let outcome: Outcome = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let mut problems = Vec::new();
        let mut lacking =
            |name: &str, error: String| problems.push(format!("{name} cannot be read: {error}"));

        let manifest = optional(
            dir,
            manifest::FILE_NAME,
            MAX_MANIFEST_BYTES,
            &mut lacking,
            |bytes| serde_json::from_slice::<Manifest>(bytes).map_err(|error| error.to_string()),
        );
        let curve = match &manifest {
            Some(manifest) => Some(CurveFile::of(manifest)),
            None => optional(dir, CURVE_FILE, MAX_MANIFEST_BYTES, &mut lacking, |bytes| {
                serde_json::from_slice(bytes).map_err(|error| error.to_string())
            }),
        };
        let record = optional(dir, RECORD_FILE, MAX_RECORD_BYTES, &mut lacking, |bytes| {
            Record::from_json(bytes).map_err(|error| error.to_string())
        });
        let audits_withheld = !outcome.rehearsal && secrets == Secrets::KeepOfCountedRuns;
        let audits = match &record {
            Some(record) if !audits_withheld => File::open(dir.join(TARGETS_FILE))
                .map_err(|error| error.to_string())
                .and_then(|file| AuditGrid::replay(record, file).map_err(|error| error.to_string()))
                .map_err(|error| lacking(TARGETS_FILE, error))
                .ok(),
            _ => None,
        };
        let logs = dir.join(LOGS_DIR);
        let metrics = read_metrics(&logs.join(METRICS_FILE)).unwrap_or_else(|error| {
            lacking(METRICS_FILE, error.to_string());
            Vec::new()
        });
        let logs = read_logs(&logs).unwrap_or_else(|error| {
            lacking(LOGS_DIR, error.to_string());
            Vec::new()
        });
        Ok(Self {
            outcome,
            manifest,
            record,
            curve,
            audits,
            audits_withheld,
            metrics,
            logs,
            problems,
        })
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

fn read_metrics(path: &Path) -> io::Result<Vec<Metric>> {
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_METRICS_BYTES).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut metrics: Vec<Metric> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        // The last one is empty, or cut where the limit is.
        let Ok(line) = serde_json::from_slice::<MetricLine>(line) else {
            continue;
        };
        for (name, value) in line.entries {
            let Some(value) = value else { continue };
            let name: String = name.chars().take(MAX_METRIC_NAME_CHARS).collect();
            let point = (line.covered_bytes, value);
            if let Some(metric) = metrics.iter_mut().find(|metric| metric.name == name) {
                metric.points.push(point);
            } else if metrics.len() < MAX_METRICS {
                metrics.push(Metric {
                    name,
                    points: vec![point],
                });
            }
        }
    }
    for metric in &mut metrics {
        metric.points = thin(&metric.points, MAX_METRIC_POINTS);
    }
    Ok(metrics)
}

/// At most `limit` points, evenly spread; the last one is always among them.
fn thin<T: Copy>(points: &[T], limit: usize) -> Vec<T> {
    let count = points.len().min(limit);
    (0..count)
        .map(|i| points[(i + 1) * points.len() / count - 1])
        .collect()
}

fn read_logs(dir: &Path) -> io::Result<Vec<Log>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "log") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut logs = Vec::new();
    for path in paths.into_iter().take(MAX_LOGS) {
        let bytes = two_ends(&path)?;
        if !bytes.is_empty() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            logs.push(Log {
                name,
                text: prism_sandbox::escape_for_terminal(&bytes),
            });
        }
    }
    Ok(logs)
}

/// The first and the last bytes of a file, with a mark in between where something is missing.
fn two_ends(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if length <= 2 * LOG_END_BYTES {
        file.take(2 * LOG_END_BYTES).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    (&mut file).take(LOG_END_BYTES).read_to_end(&mut bytes)?;
    let missing = length - 2 * LOG_END_BYTES;
    bytes.extend_from_slice(format!("\n[... {missing} bytes not shown, see the log file ...]\n").as_bytes());
    file.seek(SeekFrom::Start(length - LOG_END_BYTES))?;
    file.take(LOG_END_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;

    use super::*;

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
    fn what_cannot_be_read_is_said() {
        let temp = run_dir();
        assert!(
            RunFiles::load(temp.path(), Secrets::Show)
                .unwrap()
                .problems
                .is_empty()
        );
        fs::write(temp.path().join(RECORD_FILE), "{").unwrap();
        fs::write(temp.path().join(manifest::FILE_NAME), "[]").unwrap();
        let run = RunFiles::load(temp.path(), Secrets::Show).unwrap();
        assert_eq!(run.problems.len(), 2, "{:?}", run.problems);
        assert!(run.record.is_none() && run.manifest.is_none());
    }

    #[test]
    fn the_miners_metrics_are_bounded_in_number_and_length() {
        let temp = run_dir();
        let mut text = String::from("not json\n");
        for step in 0..2000 {
            let entries: Vec<_> = (0..20)
                .map(|i| (format!("m{i}{}", "x".repeat(200)), f64::from(step)))
                .collect();
            text.push_str(&serde_json::json!({ "covered_bytes": step, "entries": entries }).to_string());
            text.push('\n');
        }
        fs::write(temp.path().join(LOGS_DIR).join(METRICS_FILE), text).unwrap();
        let run = RunFiles::load(temp.path(), Secrets::Show).unwrap();
        assert_eq!(run.metrics.len(), MAX_METRICS);
        assert!(
            run.metrics
                .iter()
                .all(|metric| metric.points.len() == MAX_METRIC_POINTS && metric.name.len() == 64)
        );
    }

    #[test]
    fn a_value_that_is_missing_costs_only_itself() {
        let temp = run_dir();
        let text = "{\"covered_bytes\":1,\"entries\":[[\"a\",null],[\"b\",2.0]]}\n\
                    {\"covered_bytes\":2,\"entries\":[],\"cut\":\"no more is kept\"}\n";
        fs::write(temp.path().join(LOGS_DIR).join(METRICS_FILE), text).unwrap();
        let run = RunFiles::load(temp.path(), Secrets::Show).unwrap();
        let expected = Metric {
            name: "b".into(),
            points: vec![(1, 2.0)],
        };
        assert_eq!(run.metrics, [expected]);
        assert!(run.problems.is_empty());
    }

    #[test]
    fn a_long_log_keeps_its_two_ends_and_is_harmless() {
        let temp = run_dir();
        let path = temp.path().join(LOGS_DIR).join("learner.stdout.log");
        fs::write(&path, format!("first\u{1b}[2J{}last", "x".repeat(100_000))).unwrap();
        fs::write(temp.path().join(LOGS_DIR).join("learner.stderr.log"), "").unwrap();
        let run = RunFiles::load(temp.path(), Secrets::Show).unwrap();
        assert_eq!(run.logs.len(), 1, "an empty log is not shown");
        let text = &run.logs[0].text;
        assert!(
            text.starts_with("first\\u{1b}[2J") && text.ends_with("last") && text.contains("bytes not shown")
        );
        assert!(text.len() < 40_000);
    }
}
