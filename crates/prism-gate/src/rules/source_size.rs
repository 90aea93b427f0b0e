//! # More source than anybody reads
//!
//! ## What it does
//!
//! Counts the bytes of all Python files of a bundle together and refuses more than 262,144 (256 KiB). Of more than
//! 1 MiB nothing else is checked.
//!
//! ## Why is this refused?
//!
//! A submission is read as a whole, by a reviewer and by people, and nothing of it is ever left out. A bundle that is larger
//! is a table or generated code.
//!
//! ## Example
//!
//! ```python
//! TABLE = [0.1, 0.2, 0.3]  # and so on, in ten files of 30 KB
//! ```
//!
//! Use instead:
//!
//! ```python
//! table = torch.randn(30_000, generator=generator)  # and learn it
//! ```

use ruff_text_size::TextRange;

use crate::check::Checker;
use crate::finding::{Finding, Report};
use crate::limits::{READ_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::rule::{Rule, RuleSet};
use crate::source::{Role, Source};

pub(crate) static RULE: Rule = Rule::error("PRS004", "prism:source-size", include_str!("source_size.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "is more than anybody reads",
    bundle: Some(bundle),
    ..RuleSet::of(&RULE)
};

const HINT: &str = "remove what no run needs";

fn bytes(sources: &[Source<'_>]) -> usize {
    sources.iter().map(|source| source.text.len()).sum()
}

fn message(bytes: usize) -> String {
    format!("the Python files have {bytes} bytes together; at most {SOURCE_BYTES_MAX} are read")
}

fn bundle(checker: &mut Checker<'_, '_>) {
    let bytes = bytes(checker.sources);
    if bytes > SOURCE_BYTES_MAX {
        checker.report(&RULE, TextRange::default(), message(bytes), HINT);
    }
}

/// Whether there is so much that nothing is read.
pub(crate) fn is_beyond_reading(sources: &[Source<'_>]) -> bool {
    bytes(sources) > READ_BYTES_MAX
}

/// The report on a bundle of which nothing was read.
pub(crate) fn unread(sources: &[Source<'_>]) -> Report {
    let architecture = sources.iter().find(|source| source.role == Role::Architecture);
    let finding = |source: &Source<'_>| Finding {
        rule: &RULE,
        severity: RULE.severity,
        file: source.path.clone(),
        place: source.place(TextRange::default()),
        message: format!("{}; nothing of it was checked", message(bytes(sources))),
        hint: HINT.to_owned(),
        traceback: None,
    };
    Report {
        findings: architecture
            .or(sources.first())
            .map(finding)
            .into_iter()
            .collect(),
        ..Report::default()
    }
}
