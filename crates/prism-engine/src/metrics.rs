//! The miner's own metrics on their way into the run's directory: JSON lines, bounded in all.
//!
//! Filled by [`crate::state`], read by [`crate::report`]. Names and numbers are the miner's: a name is made harmless
//! for a terminal, a number that JSON has no word for is left out, and no more bytes are ever held than
//! [`METRICS_BYTES_MAX`], however often a submission logs.

use serde::{Deserialize, Serialize};

/// Most bytes that are kept of one run, and that are read of it again. A small part of what a run's directory may take.
pub(crate) const METRICS_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Of them, what is left free for the line that says that lines are missing.
const MARK_BYTES: usize = 256;

/// One line.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct MetricLine {
    /// Source bytes accepted before it.
    pub(crate) covered_bytes: u64,
    /// Names and values. A file that others have written may have `null` for a value.
    pub(crate) entries: Vec<(String, Option<f64>)>,
    /// Said in the last line if more were logged than is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cut: Option<String>,
}

/// The lines of one run so far.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    text: String,
    /// Whether a line did not fit; then none is kept any more, so that there are no holes.
    is_full: bool,
}

impl Metrics {
    /// What is fit to be kept and shown of what a submission logged.
    pub(crate) fn harmless(entries: Vec<(String, f64)>) -> Vec<(String, f64)> {
        entries
            .into_iter()
            .filter(|(_, value)| value.is_finite())
            .map(|(name, value)| (prism_core::escape::escape_for_terminal(&name), value))
            .collect()
    }

    /// Keeps one line, if there is room. What was added to the file.
    pub(crate) fn push(&mut self, covered_bytes: u64, entries: &[(String, f64)]) -> &str {
        let before = self.text.len();
        self.add(covered_bytes, entries);
        self.text.get(before..).unwrap_or_default()
    }

    fn add(&mut self, covered_bytes: u64, entries: &[(String, f64)]) {
        if self.is_full || entries.is_empty() {
            return;
        }
        let entries = entries.iter().map(|(name, value)| (name.clone(), Some(*value)));
        let line = MetricLine {
            covered_bytes,
            entries: entries.collect(),
            cut: None,
        };
        if !self.append(&line, MARK_BYTES) {
            self.is_full = true;
            let mark = MetricLine {
                covered_bytes,
                cut: Some(format!(
                    "at most {METRICS_BYTES_MAX} bytes of metrics are kept; what was logged from here on is not"
                )),
                ..MetricLine::default()
            };
            self.append(&mark, 0);
        }
    }

    /// Whether the line fits and leaves so many bytes free.
    fn append(&mut self, line: &MetricLine, free_bytes: usize) -> bool {
        let Ok(json) = serde_json::to_string(line) else {
            return true;
        };
        let fits = (self.text.len() + json.len() + 1 + free_bytes) as u64 <= METRICS_BYTES_MAX;
        if fits {
            self.text.push_str(&json);
            self.text.push('\n');
        }
        fits
    }

    /// The file.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<MetricLine> {
        let text = std::str::from_utf8(metrics.as_bytes()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn what_is_kept_is_bounded_and_says_that_it_was_cut() {
        let mut metrics = Metrics::default();
        // The longest frame of the protocol, of the character that grows most, three times as often as there is room.
        let name = "\u{1}".repeat(255);
        for step in 0..1000 {
            let entries = Metrics::harmless(vec![(name.clone(), 1.0); 15]);
            metrics.push(step, &entries);
        }
        assert!(metrics.as_bytes().len() as u64 <= METRICS_BYTES_MAX);
        assert!(metrics.as_bytes().len() as u64 > METRICS_BYTES_MAX - 64 * 1024);
        let lines = lines(&metrics);
        let (mark, kept) = lines.split_last().unwrap();
        assert!(mark.entries.is_empty());
        assert!(mark.cut.as_deref().unwrap().contains("not"), "{mark:?}");
        assert_eq!(mark.covered_bytes, kept.len() as u64, "and from where on");
        assert!(kept.iter().all(|line| line.cut.is_none()));
    }

    #[test]
    fn names_are_harmless_and_a_value_that_is_not_finite_costs_only_itself() {
        let entries = Metrics::harmless(vec![
            ("a\u{1b}[2J\u{202e}".into(), 1.5),
            ("b".into(), f64::NAN),
            ("c".into(), f64::INFINITY),
            ("d".into(), -2.0),
        ]);
        assert_eq!(
            entries,
            [("a\\u{1b}[2J\\u{202e}".to_owned(), 1.5), ("d".to_owned(), -2.0)]
        );
        let mut metrics = Metrics::default();
        assert!(metrics.push(7, &entries).ends_with("]]}\n"));
        assert_eq!(metrics.push(8, &[]), "");
        let lines = lines(&metrics);
        assert_eq!(lines.len(), 1, "a line without a value says nothing");
        assert_eq!(lines[0].entries.len(), 2);
        assert_eq!(lines[0].covered_bytes, 7);
    }
}
