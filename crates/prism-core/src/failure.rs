//! Why something has no result: a stable reason, a sentence for the person at fault, and the miner's traceback.
//!
//! Made wherever an evaluation can end, read by the command line and the service. Texts may quote a submission: whoever
//! shows them escapes them.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::advice::{Advice, Hint};
use crate::outcome::Reason;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable reason.
    pub reason: Reason,
    /// What happened, in a sentence for the person whose fault it is.
    pub detail: String,
    /// What to do next.
    pub hint: Option<Hint>,
    /// The miner's own traceback, where there is one.
    pub traceback: Option<String>,
}

impl Failure {
    /// One without advice and without a traceback.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            hint: None,
            traceback: None,
        }
    }

    /// What an error says, with its advice.
    pub fn of(reason: Reason, error: &dyn Advice) -> Self {
        Self {
            hint: error.hint(),
            ..Self::new(reason, error.to_string())
        }
    }

    /// The same with this advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Our own trouble with files or memory.
    pub fn internal(what: &str, error: &io::Error) -> Self {
        Self::new(Reason::Internal, format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl Advice for Failure {
    fn hint(&self) -> Option<Hint> {
        self.hint.clone()
    }
}
