//! Does a bundle copy an earlier one? Exact copies by hash, near ones by winnowed fingerprints of normalised code.
//!
//! Normalised: without names, comments, formatting, hints, docstrings, literals, without the order of independent
//! statements, definitions and files, and without dead code. Building blocks that everybody uses are subtracted. Only
//! the later of two is ever held to account, by an order that the caller gives. Nothing runs, nothing is read but the
//! bundle, and the same bundles give the same answer on every machine.
//!
//! Reading order: `units` (pieces of code), `statement` and `expression` (a piece to tokens), `order`, `winnow` (tokens
//! to fingerprints), [`Fingerprints`], [`Index`], [`against`]. Method and measurements: `docs/similarity.md`.

mod analysis;
mod effects;
mod expression;
mod fingerprints;
mod helpers;
mod index;
mod likeness;
mod order;
mod report;
mod resolve;
mod standard;
mod statement;
mod token;
mod units;
mod vocabulary;
mod winnow;

pub use fingerprints::Fingerprints;
pub use index::{Index, IndexFull};
pub use likeness::{Match, Verdict};
pub use report::against;
pub(crate) use vocabulary::is_library_name;

use self::analysis::TOKENS_MAX;
use self::fingerprints::FINGERPRINTS_MAX;
use crate::check::GateError;

/// Why a bundle has no fingerprints.
#[derive(Debug, thiserror::Error)]
pub enum SimilarityError {
    /// The machine, never the bundle.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A file does not parse, or goes too deep to be read.
    #[error("{file}:{line}: {problem}")]
    Unreadable {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// There is too much code.
    #[error(
        "the code has more than {TOKENS_MAX} tokens or {FINGERPRINTS_MAX} fingerprints; move tables out of the code"
    )]
    TooLarge,
}
