//! What the gate says: findings with a rule, a place, a reason and a way out.
//!
//! Made by rules through the checker, rendered by `render/`, read by the engine. A report is complete: all findings up
//! to a bound, in the order of files and places.

use serde::Serialize;

use crate::rule::Rule;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look; does not stop a submission.
    Warning,
    /// Stops the submission.
    Error,
}

impl Severity {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Where it begins, in bytes from the start of the file.
    pub start_byte: u32,
    /// Where it ends, in bytes from the start of the file.
    pub end_byte: u32,
    /// Line of the beginning, from 1.
    pub line: u32,
    /// Column of the beginning in characters, from 1.
    pub column: u32,
    /// Line of the end, from 1.
    pub end_line: u32,
    /// Column after the end in characters, from 1.
    pub end_column: u32,
}

impl Place {
    /// Where a finding about a whole file is shown: at its first character.
    pub const START: Self = Self::at(1, 1);

    /// A point whose offset in bytes is not known.
    pub const fn at(line: u32, column: u32) -> Self {
        Self {
            start_byte: 0,
            end_byte: 0,
            line,
            column,
            end_line: line,
            end_column: column,
        }
    }
}

/// One thing that is wrong, or may be.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What it weighs here.
    pub severity: Severity,
    /// The file within the bundle; empty where the finding is about the bundle as a whole.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// One sentence: what is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
    /// What the submission's own code said, where it ran: the frames of an exception.
    pub traceback: Option<String>,
}

/// What the gate says of a bundle.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// All findings, by file and place.
    pub findings: Vec<Finding>,
    /// Findings that were left out because there are too many.
    pub omitted: usize,
}

impl Report {
    /// Whether any finding stops the submission.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many findings weigh so much.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}
