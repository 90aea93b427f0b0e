//! # More source than anybody reads
//!
//! ## What it does
//!
//! Counts the bytes of all Python files of a bundle together and refuses more than 262,144 (256 KiB).
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
use crate::finding::Severity;
use crate::limits::SOURCE_BYTES_MAX;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS004",
    id: "prism:source-size",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("source_size.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "is more than anybody reads",
    denied: &[],
    attributes: &[],
    hooks: Hooks {
        bundle: Some(bundle),
        ..Hooks::NONE
    },
};

fn bundle(checker: &mut Checker<'_, '_>) {
    let bytes: usize = checker.sources.iter().map(|source| source.text.len()).sum();
    if bytes > SOURCE_BYTES_MAX {
        let message =
            format!("the Python files have {bytes} bytes together; at most {SOURCE_BYTES_MAX} are read");
        checker.report(&RULE, TextRange::default(), message, "remove what no run needs");
    }
}
