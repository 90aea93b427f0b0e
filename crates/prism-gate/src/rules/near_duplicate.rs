//! # A bundle that resembles an earlier one
//!
//! ## What it does
//!
//! Compares what the code does with all earlier bundles, without names, comments, formatting, type hints, docstrings,
//! numbers, strings, dead code and the order of whatever can be reordered. Building blocks that everybody uses do not
//! count: norms, rotary positions, attention, MLPs, a plain transformer, the usual schedules and training loops, and all
//! examples. A resemblance is a warning from one threshold and an error from a higher one. The order of arrival decides
//! which of two bundles is the later; only that one is ever refused.
//!
//! ## Why is this refused?
//!
//! Renaming the variables of somebody's model, or changing its width, is not a contribution, and takes the reward of the
//! person who had the idea.
//!
//! ## Example
//!
//! ```python
//! # earlier
//! decay = torch.exp(-F.softplus(self.rate(x)))
//! state = state * decay + self.value(x) * self.gate(x).sigmoid()
//! # later
//! d = torch.exp(-F.softplus(self.p(h)))
//! s = self.q(h) * torch.sigmoid(self.r(h)) + d * s
//! ```
//!
//! Use instead: your own idea. To build on published work is welcome: what you add must be more than what you take.

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS602",
    id: "prism:near-duplicate",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("near_duplicate.rs"),
};

/// Looks nowhere: `similarity` makes its findings, which needs the earlier bundles.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "resembles an earlier bundle",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
