//! # Predictions that depend on earlier calls
//!
//! ## What it does
//!
//! Asks the model, in eval mode and with the same weights, about a row, about another one, and about the first again. Warns
//! where the first and the last answer differ.
//!
//! ## Why is this a warning?
//!
//! An audit predicts from the snapshot and the row alone, in a process that has seen nothing else. What a model keeps
//! anywhere but in its parameters and buffers, or draws at random in eval mode, is lost there: the run is measured
//! correctly, but the score is that of the model without it.
//!
//! ## Example
//!
//! ```python
//! def forward(self, tokens):
//!     self.cache.append(tokens)  # a list: no snapshot holds it
//!     return self.head(self.mix(self.cache))
//! ```
//!
//! Use instead:
//!
//! ```python
//! def __init__(self, vocab_size):
//!     super().__init__()
//!     self.register_buffer("memory", torch.zeros(64, 256))  # part of every snapshot
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS314",
    id: "prism:stateful-forward",
    severity: Severity::Warning,
    since: "0.1.0",
    source: include_str!("stateful_forward.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
