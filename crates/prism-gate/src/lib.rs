//! The static gate: Python source to findings, before anything of a bundle runs.
//!
//! It protects the operator and the reader of the code, not the score, which the measurement protects by itself. So it
//! is strict about escapes, open about machine learning, and says of everything that it refuses: the rule, the place,
//! the reason and the way out. [`check`] is called by `prism check`, by the engine before a run, and by a service.
//!
//! This crate is the only user of the Python parser. It runs no code, reads no file, opens no socket: a bundle in, a
//! report out, the same on every machine. It never panics on any input and its work is bounded ([`limits`]).
//!
//! Reading order: [`rule`], `rules/no_process.rs` as an example, `semantic` (what names stand for), `reading` (what is seen of values), `check` (one walk),
//! [`render`] (how a report is told).

/// Version of the rules: grows with every change of what is refused. A round names the one that all its runs were judged by.
pub const VERSION: u32 = 2;

pub mod bare;
mod check;
mod display_name;
mod finding;
mod format;
mod knowledge;
pub mod libraries;
pub mod limits;
mod options;
mod prescan;
mod reading;
pub mod render;
mod rule;
mod rules;
mod semantic;
pub mod similarity;
mod source;

pub use check::{GateError, check, check_all};
pub use display_name::display_name;
pub use finding::{Finding, Place, Report, Severity};
pub use format::{of_bundle_error, of_pack_error};
pub use options::{DistributedPolicy, Options};
pub use rule::Rule;
pub use rules::{find, list, of_instantiation};
