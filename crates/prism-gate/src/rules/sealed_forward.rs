//! # A forward that asks the system for something
//!
//! ## What it does
//!
//! Asks the model about made-up rows as an auditor would be asked: with the process sealed, so that it may compute and
//! allocate memory and ask the operating system for nothing else. Refuses a model that makes another system call, and
//! names the call.
//!
//! ## Why is this refused?
//!
//! The kernel remembers what others have asked it: names that were looked up, pages that were read, counters. A forward
//! that asks could learn from its answers, or from the time that they take, what it is about to predict. So the
//! processes that answer are sealed before the first batch, and a run in which one of them makes another call ends as
//! `auditor_sealed`. The learner is not sealed.
//!
//! The model has been built, and has answered a row of end-of-text tokens and some made-up rows, before the seal is put
//! on. What happens only once happens then.
//!
//! ## Example
//!
//! ```python
//! def forward(self, tokens):
//!     x = self.embedding(tokens)
//!     if tokens.max() > 200:
//!         from layers import mix  # looks for the file when the first such row comes
//!
//!         x = mix(x)
//!     return self.head(x)
//! ```
//!
//! Use instead:
//!
//! ```python
//! from layers import mix  # at the top of the file
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS315",
    id: "prism:sealed-forward",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("sealed_forward.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
