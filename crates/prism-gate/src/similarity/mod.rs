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
mod bytes;
mod effects;
mod expression;
mod fingerprints;
mod helpers;
mod index;
mod matching;
mod order;
mod report;
mod resolve;
mod standard;
mod statement;
mod thresholds;
mod token;
mod units;
mod vocabulary;
mod winnow;

pub use analysis::TOKENS_MAX;
pub use bytes::BytesError;
pub use fingerprints::{FINGERPRINTS_MAX, Fingerprints};
pub use index::{Arrival, Index, IndexError, MATCHES_MAX, QueryOptions};
pub use matching::{Match, Region, Verdict};
pub use report::{against, findings};
pub use thresholds::Thresholds;
pub(crate) use vocabulary::is_library_name;

use crate::check::GateError;

/// Why a bundle has no fingerprints.
#[derive(Debug, thiserror::Error)]
pub enum SimilarityError {
    /// The machine, never the bundle.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Its code goes too deep to be read.
    #[error("{file}:{line}: the code goes too deep; split it")]
    TooDeep {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
    },
    /// It does not parse.
    #[error("{file}:{line}: syntax error; mend it")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
    },
    /// There is too much code.
    #[error(
        "the code has more than {TOKENS_MAX} tokens or {FINGERPRINTS_MAX} fingerprints; move tables out of the code"
    )]
    TooLarge,
    /// Stored bytes are not fingerprints.
    #[error(transparent)]
    Bytes(#[from] BytesError),
}
