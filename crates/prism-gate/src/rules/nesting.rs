//! # Code that goes too deep
//!
//! ## What it does
//!
//! Refuses expressions in which brackets and chained operators add up to more than 1,000 levels, more than 64 functions,
//! classes and comprehensions in one another, and names that stand for one another in too many steps.
//!
//! ## Why is this refused?
//!
//! No person writes that. It is aimed at the programs that read the code.
//!
//! ## Example
//!
//! ```python
//! x = ((((((0))))))  # and so on, a thousand times
//! ```
//!
//! Use instead:
//!
//! ```python
//! x = 0
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};
use ruff_text_size::TextRange;

use crate::check::Checker;
use crate::limits::{ALIAS_ROUNDS_MAX, NESTING_MAX, SCOPE_DEPTH_MAX, STARS_MAX};

pub(crate) static RULE: Rule = Rule {
    code: "PRS002",
    id: "prism:nesting",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("nesting.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "goes too deep",
    denied: &[],
    attributes: &[],
    hooks: Hooks { ..Hooks::NONE },
};

const HINT: &str = "split it into several statements or functions";

/// The scan before the parser refused the file.
pub(crate) fn too_deep(checker: &mut Checker<'_, '_>, range: TextRange) {
    let message = format!(
        "brackets and operators go more than {NESTING_MAX} levels deep; the file was not read further"
    );
    checker.report(&RULE, range, message, HINT);
}

/// Scopes lie too deep in one another.
pub(crate) fn too_many_scopes(checker: &mut Checker<'_, '_>) {
    let message = format!(
        "more than {SCOPE_DEPTH_MAX} functions, classes and comprehensions lie in one another; the file was not read further"
    );
    checker.report(&RULE, TextRange::default(), message, HINT);
}

/// Names stand for one another in too many steps.
pub(crate) fn too_indirect(checker: &mut Checker<'_, '_>) {
    let message = format!(
        "names stand for one another in more than {ALIAS_ROUNDS_MAX} steps, for too many things, or come from more than {STARS_MAX} `import *`"
    );
    checker.report(&RULE, TextRange::default(), message, "use a name for one thing");
}
