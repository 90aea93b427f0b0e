//! # A training script that cannot be imported
//!
//! ## What it does
//!
//! Imports `architecture.py` and then `training.py` in the sandbox of a learner, as a run does before it calls `train(ctx)`,
//! and reports what kept them from being imported: an exception, a process that died, more memory or time than there
//! is, no `train` at the end. `train` is not called.
//!
//! ## Why is this refused?
//!
//! The run would fail before its first batch.
//!
//! ## Example
//!
//! ```python
//! from .architecture import build_model  # the scripts are not parts of a package
//! ```
//!
//! Use instead:
//!
//! ```python
//! from architecture import build_model
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS317",
    id: "prism:training-import",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("training_import.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
