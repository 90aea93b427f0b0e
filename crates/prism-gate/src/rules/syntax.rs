//! # Files that do not parse
//!
//! ## What it does
//!
//! Reports every syntax error of a file, with the full syntax of Python 3.11.
//!
//! Where nothing else is wrong, CPython's own compiler is asked too, in the sandbox and with the interpreter that a run
//! uses: it knows errors that no parser sees, such as an argument named twice, `return` outside of a function, tabs that
//! do not line up, a late `from __future__ import` or too many nested blocks. Each file is compiled as an import compiles
//! it, and nothing is executed. Warnings of the compiler do not count. A file that exhausts the compiler (60 seconds for
//! all files, 1 GiB, its recursion) or crashes it is reported like one that it refuses. `prism check --no-instantiate`
//! starts no interpreter, so that CPython is not asked; `prism eval` asks it before it starts a learner.
//!
//! ## Why is this refused?
//!
//! A file that does not parse cannot be imported: the run would fail before it began.
//!
//! ## Example
//!
//! ```python
//! def forward(self, x)
//!     return x
//! ```
//!
//! Use instead:
//!
//! ```python
//! def forward(self, x):
//!     return x
//! ```

use crate::rule::{Rule, RuleSet};
use ruff_python_ast::{ModModule, PythonVersion};
use ruff_python_parser::Parsed;
use ruff_text_size::{TextRange, TextSize};

use crate::check::Checker;
use crate::limits::SYNTAX_ERRORS_MAX;

pub(crate) static RULE: Rule = Rule::error("PRS001", "prism:syntax", include_str!("syntax.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "does not parse",
    ..RuleSet::of(&RULE)
};

/// The version that a bundle must run on at least.
pub(crate) const VERSION: PythonVersion = PythonVersion::PY311;

/// Reports what the parser found.
pub(crate) fn errors(checker: &mut Checker<'_, '_>, parsed: &Parsed<ModModule>) {
    let (errors, unsupported) = (parsed.errors(), parsed.unsupported_syntax_errors());
    let shown = errors.len().min(SYNTAX_ERRORS_MAX);
    let shown_unsupported = unsupported.len().min(SYNTAX_ERRORS_MAX);
    checker.omit(errors.len() - shown + unsupported.len() - shown_unsupported);
    for error in &errors[..shown] {
        let message = format!("syntax error: {}", error.error.to_string().trim_end_matches('.'));
        checker.report(
            &RULE,
            error.location,
            message,
            "run the file with Python 3.11 to see the same",
        );
    }
    for error in &unsupported[..shown_unsupported] {
        let message = format!("syntax error: {}", error.to_string().trim_end_matches('.'));
        checker.report(
            &RULE,
            error.range,
            message,
            "write it so that Python 3.11 understands it",
        );
    }
    if let Some(offset) = checker.source().text.find('\0') {
        let start = TextSize::try_from(offset).unwrap_or_default();
        let range = TextRange::at(start, TextSize::from(1));
        checker.report(
            &RULE,
            range,
            "the file holds a null byte".to_owned(),
            "save it as plain text",
        );
    }
}
