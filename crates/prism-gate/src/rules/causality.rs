//! # Predictions that depend on what an auditor does not see
//!
//! ## What it does
//!
//! Asks the model about made-up rows in eval mode, with the weights of its start and with made-up ones, and changes one thing
//! at a time that its predictions must not depend on:
//!
//! - the tokens after a position, which an auditor sees as end-of-text (three positions of a row are tried);
//! - the other row of a batch of two;
//! - the number of rows, one or two.
//!
//! Warns where predictions move by more than rounding, and says which of the three it was and by how much. A difference
//! counts if its root mean square is above `score.claims_rms_nats` of the recipe (0.02 nats in `demo`, 0.05 in `official`)
//! where the number of rows differs, since another shape may get another kernel, and above a quarter of that where it
//! does not. Half precision, compiled models and other kernels stay below. Where predictions are far from uniform the
//! bound grows with their distance. Whole rows are compared in eval mode alone: what dropout or batch statistics do in
//! training mode is not looked at here, see below.
//!
//! ## Why is this a warning?
//!
//! An auditor is given one row at a time, with everything after the position replaced by end-of-text. A run charges what the
//! model predicts from that. It is not void: a model that looks ahead, or at its neighbours, pays its true code length, mostly
//! more than an honest one. But its claims, which are made of whole rows of a batch, say otherwise, and where claims and
//! audits differ by more than `score.claims_rms_nats` the run takes no rank (`claims_untrue`). A model that depends on other
//! rows alone is measured as it is with `batch_size=1`.
//!
//! Dropout and batch norm are no such fault, as they do nothing of the kind in eval mode. But they make claims of a training
//! forward differ from audits: open the stream with `claims="eval"`.
//!
//! ## Example
//!
//! ```python
//! def forward(self, tokens):
//!     x = self.embedding(tokens)  # (B, T, width)
//!     x = x - x.mean(dim=0)  # over the rows of the batch
//!     return F.log_softmax(self.head(x), dim=1)  # over the positions
//! ```
//!
//! Use instead:
//!
//! ```python
//! def forward(self, tokens):
//!     x = self.embedding(tokens)
//!     x = x - x.mean(dim=-1, keepdim=True)
//!     return self.head(x)  # logits; the vocabulary is dimension -1
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS316",
    id: "prism:causality",
    severity: Severity::Warning,
    since: "0.1.0",
    source: include_str!("causality.rs"),
};

/// Looks nowhere in the code: the instantiation gate makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
