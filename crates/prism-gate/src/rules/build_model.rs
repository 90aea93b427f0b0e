//! # Models that do not build
//!
//! ## What it does
//!
//! Calls `build_model(ctx)` once, in the sandbox of an auditor, and reports what kept it from returning a
//! `torch.nn.Module`: an exception while `architecture.py` was imported or in `build_model`, a process that died, more
//! memory or time than there is.
//!
//! ## Why is this refused?
//!
//! An auditor builds the model from `ctx` and the architecture alone, without `training.py`, without a network and without
//! files. What does not build there cannot be audited, so the run would fail before its first batch.
//!
//! ## Example
//!
//! ```python
//! from training import WIDTH  # an auditor has no training.py
//!
//!
//! def build_model(ctx):
//!     return Model(ctx.vocab_size, WIDTH)
//! ```
//!
//! Use instead:
//!
//! ```python
//! WIDTH = 256
//!
//!
//! def build_model(ctx):
//!     return Model(ctx.vocab_size, WIDTH)
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS311",
    id: "prism:build-model",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("build_model.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
