//! # Files that do not make a bundle
//!
//! ## What it does
//!
//! Refuses files, archives and directories that are not a bundle: too many files or bytes, a file over its limit, paths that
//! mean different things on different systems, suffixes that a bundle does not carry, modules that would hide an installed
//! one, symbolic links, archives that are damaged or hide something.
//!
//! ## Why is this refused?
//!
//! A bundle must be the same files to everybody who reads it: to the gate, to a reviewer, and to the process that runs it.
//! The limits keep it readable, and keep the price of a bundle from being paid in disk and memory.
//!
//! ## Example
//!
//! ```text
//! my-model/
//!     architecture.py
//!     training.py
//!     weights.bin      # a suffix that bundles do not carry
//!     torch.py         # would hide the installed `torch`
//! ```
//!
//! Use instead:
//!
//! ```text
//! my-model/
//!     architecture.py
//!     training.py
//!     my_torch.py
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS003",
    id: "prism:bundle",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("bundle.rs"),
};

/// Looks nowhere in the code: `format` makes its findings from what the bundle's own rules refuse.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
