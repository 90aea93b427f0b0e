//! Why something has no result: a stable reason, a sentence for the person at fault, and the miner's traceback.
//!
//! Made wherever an evaluation can end, read by the command line and the service. Texts may quote a submission: whoever
//! shows them escapes them.

use std::io;

use crate::outcome::Reason;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable reason.
    pub reason: Reason,
    /// What happened, in a sentence for the person whose fault it is.
    pub detail: String,
    /// The miner's own traceback, where there is one.
    pub traceback: Option<String>,
}

impl Failure {
    /// One without a traceback.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            traceback: None,
        }
    }

    /// Our own trouble with files or memory.
    pub fn internal(what: &str, error: &io::Error) -> Self {
        Self::new(Reason::Internal, format!("{what}: {error}"))
    }
}
