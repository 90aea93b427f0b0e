//! Workflow commands of GitHub Actions: annotations beside the lines of a pull request.
//!
//! A command is one line. `%` and line ends are encoded everywhere, `:` and `,` in properties, so that nothing of a
//! submission begins a command of its own; other control characters are spelled out, because logs are read on terminals.

use std::fmt::Write as _;

use super::{Instantiation, NOT_COMPILED, Subject, summary, text};
use crate::finding::Report;

/// A report as workflow commands, and the summary as an ordinary line.
pub fn github(report: &Report, subject: &Subject<'_>) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let place = &finding.place;
        let _ = write!(out, "::{} ", finding.severity.as_str());
        if let Some(path) = subject.path(finding) {
            let _ = write!(
                out,
                "file={},line={},col={},endLine={},endColumn={},",
                property(&path),
                place.line,
                place.column,
                place.end_line,
                place.end_column
            );
        }
        let title = format!("{} {}", finding.rule.code, finding.rule.id);
        let said = format!("{}\nhelp: {}", finding.message, finding.hint);
        let _ = writeln!(out, "title={}::{}", property(&title), data(&said));
    }
    let _ = writeln!(out, "prism check: {}", summary(report, subject));
    if subject.instantiation == Instantiation::NotWanted {
        let _ = writeln!(out, "prism check: {NOT_COMPILED}");
    }
    out
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| text::line(&line.replace('%', "%25")))
        .collect();
    lines.join("%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
