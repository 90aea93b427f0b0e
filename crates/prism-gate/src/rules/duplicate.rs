//! # A bundle that was submitted before
//!
//! ## What it does
//!
//! Refuses a bundle whose files are the same, byte for byte, as those of an earlier one. The order of arrival decides
//! which is the earlier; that one is never refused for it.
//!
//! ## Why is this refused?
//!
//! Its result is known, and it is somebody else's. Measuring it again would only draw the noise a second time.
//!
//! ## Example
//!
//! ```text
//! prism check copied --against submissions
//! ```
//!
//! Use instead: a bundle of your own. Starting from an example or the scaffold is welcome, as long as something changes.

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS601",
    id: "prism:duplicate",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("duplicate.rs"),
};

/// Looks nowhere: `similarity` makes its findings, which needs the earlier bundles.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "was submitted before",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
