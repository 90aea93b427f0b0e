//! What a submission has said of itself, read within bounds: its metrics and its logs.
//!
//! Called by [`super::RunFiles::load`]. Both are the miner's words: bounded in number and length, harmless on a terminal.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use prism_core::escape::escape_for_terminal;
use prism_report::run::{Log, Metric};

use crate::metrics::{METRICS_BYTES_MAX, MetricLine};

/// A log is shown by its first and its last bytes, so many of each.
const LOG_END_BYTES: u64 = 16 * 1024;
/// Most logs that are shown.
const LOGS_MAX: usize = 16;
/// Most of the miner's own curves that are drawn.
const METRICS_MAX: usize = 12;
/// Most points of one of them.
const METRIC_POINTS_MAX: usize = 500;
/// Longest name of one of them that is shown, in characters.
const METRIC_NAME_CHARS_MAX: usize = 64;

/// The metrics that a submission has logged, thinned.
pub(super) fn metrics(path: &Path) -> io::Result<Vec<Metric>> {
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(METRICS_BYTES_MAX).read_to_end(&mut text)?,
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
            let name: String = name.chars().take(METRIC_NAME_CHARS_MAX).collect();
            let point = (line.covered_bytes, value);
            if let Some(metric) = metrics.iter_mut().find(|metric| metric.name == name) {
                metric.points.push(point);
            } else if metrics.len() < METRICS_MAX {
                metrics.push(Metric {
                    name,
                    points: vec![point],
                });
            }
        }
    }
    for metric in &mut metrics {
        metric.points = thin(&metric.points, METRIC_POINTS_MAX);
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

/// What the processes have written.
pub(super) fn logs(dir: &Path) -> io::Result<Vec<Log>> {
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
    for path in paths.into_iter().take(LOGS_MAX) {
        let bytes = two_ends(&path)?;
        if !bytes.is_empty() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            logs.push(Log {
                name,
                text: escape_for_terminal(&bytes),
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
    use super::*;

    #[test]
    fn the_miners_metrics_are_bounded_in_number_and_length() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("metrics.jsonl");
        let mut text = String::from("not json\n");
        for step in 0..2000 {
            let entries: Vec<_> = (0..20)
                .map(|i| (format!("m{i}{}", "x".repeat(200)), f64::from(step)))
                .collect();
            text.push_str(&serde_json::json!({ "covered_bytes": step, "entries": entries }).to_string());
            text.push('\n');
        }
        fs::write(&path, text).unwrap();
        let metrics = metrics(&path).unwrap();
        assert_eq!(metrics.len(), METRICS_MAX);
        assert!(
            metrics
                .iter()
                .all(|metric| metric.points.len() == METRIC_POINTS_MAX && metric.name.len() == 64)
        );
    }

    #[test]
    fn a_value_that_is_missing_costs_only_itself() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("metrics.jsonl");
        let text = "{\"covered_bytes\":1,\"entries\":[[\"a\",null],[\"b\",2.0]]}\n\
                    {\"covered_bytes\":2,\"entries\":[],\"cut\":\"no more is kept\"}\n";
        fs::write(&path, text).unwrap();
        let expected = Metric {
            name: "b".into(),
            points: vec![(1, 2.0)],
        };
        assert_eq!(metrics(&path).unwrap(), [expected]);
    }

    #[test]
    fn a_long_log_keeps_its_two_ends_and_is_harmless() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("learner.stdout.log");
        fs::write(&path, format!("first\u{1b}[2J{}last", "x".repeat(100_000))).unwrap();
        fs::write(temp.path().join("learner.stderr.log"), "").unwrap();
        let logs = logs(temp.path()).unwrap();
        assert_eq!(logs.len(), 1, "an empty log is not shown");
        let text = &logs[0].text;
        assert!(
            text.starts_with("first\\u{1b}[2J") && text.ends_with("last") && text.contains("bytes not shown")
        );
        assert!(text.len() < 40_000);
    }
}
