//! # Logits of the wrong shape
//!
//! ## What it does
//!
//! Makes a few forwards of the model, of one and of two rows of token ids, in eval mode, and refuses a model that raises or
//! returns anything but finite floats of shape `(B, T, ctx.vocab_size)`. A model that answers one row but not two is a
//! warning: `batch_size=1` can measure it.
//!
//! ## Why is this refused?
//!
//! Every prediction is read from these logits. A row of another length or a class too few leaves bytes of the text without
//! a price.
//!
//! A model may pad its vocabulary to a round number inside: it returns `logits[..., :ctx.vocab_size]`.
//!
//! ## Example
//!
//! ```python
//! def forward(self, tokens):
//!     return self.head(self.blocks(tokens))[:, -1]  # only the last position
//! ```
//!
//! Use instead:
//!
//! ```python
//! def forward(self, tokens):
//!     return self.head(self.blocks(tokens))
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS313",
    id: "prism:logits-shape",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("logits_shape.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
