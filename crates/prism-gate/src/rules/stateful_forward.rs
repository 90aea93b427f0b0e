//! # Predictions that depend on earlier calls
//!
//! ## What it does
//!
//! Asks the model, in eval mode and with the same weights, about a row, about another one, and about the first again.
//! Refuses it where the first and the last answer differ.
//!
//! ## Why is this refused?
//!
//! An audit is a prediction from the snapshot and the row alone. What a model keeps anywhere but in its parameters and
//! buffers, or draws at random in eval mode, is something else: a process that remembers more than its weights could
//! know the text. So a fresh process is asked a few of the questions of a run again, and an answer that does not come
//! again ends the run as `answers_differ`, without a score.
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
    severity: Severity::Error,
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
