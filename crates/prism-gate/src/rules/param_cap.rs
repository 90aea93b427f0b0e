//! # Models that are too large
//!
//! ## What it does
//!
//! Counts the parameters of the model that `build_model(ctx)` returns, tied ones once, after one forward, so that lazy
//! parameters exist; and the bytes of parameters and buffers together. Refuses what is over the caps of the recipe.
//!
//! ## Why is this refused?
//!
//! The measurement compares how well models of a bounded size learn. It copies the model before every batch, and what does
//! not fit into its segment cannot be audited. `prism recipe show` lists the caps.
//!
//! ## Example
//!
//! ```python
//! def build_model(ctx):
//!     return Transformer(ctx.vocab_size, width=4096, layers=48)
//! ```
//!
//! Use instead:
//!
//! ```python
//! def build_model(ctx):
//!     return Transformer(ctx.vocab_size, width=512, layers=8)
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS312",
    id: "prism:param-cap",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("param_cap.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
