//! What happens after each call, as a function of all calls so far. Nothing else decides.

use serde::{Deserialize, Serialize};

use crate::answer::Charge;
use crate::judge::{NoVote, Vote};

/// Readings without a vote until a person is asked.
const NO_VOTES_MAX: usize = 2;
/// Failures of the connection in a row, until a person is asked.
pub const FAILURES_MAX: usize = 5;

prism_core::words! {
    /// What a call is for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Purpose, as_str {
        /// To read the files without words.
        Bare = "bare",
        /// To read the files as submitted.
        Full = "full",
        /// To refute the charges.
        Refute = "refute",
    }
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Outcome {
    /// A vote.
    Vote(Vote),
    /// An answer that is no vote.
    NoVote {
        /// Why.
        why: NoVote,
    },
    /// The endpoint could not be asked now.
    Unreachable {
        /// Why, in a few words.
        why: Unreachable,
        /// When it wants to be asked again, in seconds.
        retry_after_seconds: Option<u64>,
    },
    /// The endpoint says that the set-up is wrong.
    Setup {
        /// The status of HTTP.
        status: u16,
    },
}

/// Why an endpoint could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreachable {
    /// No connection, or one that broke.
    Connection,
    /// No answer in time.
    Timeout,
    /// It has too much to do (408, 429).
    Busy,
    /// It failed (5xx).
    Failed,
    /// The service stopped in mid-call.
    Interrupted,
}

impl Unreachable {
    /// For the operator.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Connection => "the connection to the endpoint cannot be made or breaks",
            Self::Timeout => "the endpoint does not answer in time",
            Self::Busy => "the endpoint is asked too often",
            Self::Failed => "the endpoint fails",
            Self::Interrupted => "the service was stopped in mid-call",
        }
    }
}

/// What was called, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// What for.
    pub purpose: Purpose,
    /// What came.
    pub outcome: Outcome,
}

/// Why a person has to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The bare code is rejected and the text around it changes the verdict.
    Disputed,
    /// The second reviewer did not let the charges stand.
    Refuted,
    /// Two readings were no vote.
    NoVerdict,
    /// The endpoint could not be asked, again and again.
    Unreachable,
    /// The set-up is wrong.
    Setup {
        /// The status of HTTP.
        status: u16,
    },
}

/// How a review ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum ReviewVerdict {
    /// It goes on.
    Passed,
    /// It breaks rules, and nobody could refute it.
    Rejected {
        /// What stands.
        charges: Vec<Charge>,
    },
    /// A person decides.
    Held {
        /// Why.
        why: Held,
        /// What was charged, where anything was.
        charges: Vec<Charge>,
    },
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A call.
    Call {
        /// What for.
        purpose: Purpose,
        /// What is charged, for a refutation.
        charges: Vec<Charge>,
        /// Failures in a row before it: it waits longer after each.
        failures: usize,
    },
    /// Nothing.
    End(ReviewVerdict),
}

/// What happens after these calls, the earliest first.
pub fn next(past: &[Past]) -> Next {
    let held = |why| {
        Next::End(ReviewVerdict::Held {
            why,
            charges: Vec::new(),
        })
    };
    if let Some(Outcome::Setup { status }) = past.last().map(|last| &last.outcome) {
        return held(Held::Setup { status: *status });
    }
    let failures = past
        .iter()
        .rev()
        .take_while(|call| matches!(call.outcome, Outcome::Unreachable { .. }))
        .count();
    if failures >= FAILURES_MAX {
        return held(Held::Unreachable);
    }
    let call = |purpose, charges| Next::Call {
        purpose,
        charges,
        failures,
    };
    let bare = match standing(past, Purpose::Bare) {
        Standing::Vote(vote) => vote,
        Standing::Open => return call(Purpose::Bare, Vec::new()),
        Standing::Spent => return held(Held::NoVerdict),
    };
    let full = match standing(past, Purpose::Full) {
        Standing::Vote(vote) => vote,
        Standing::Open => return call(Purpose::Full, Vec::new()),
        Standing::Spent => return held(Held::NoVerdict),
    };
    let charges = match (bare, full) {
        (Vote::Allow, Vote::Allow) => return Next::End(ReviewVerdict::Passed),
        (Vote::Reject { charges }, Vote::Allow) => {
            return Next::End(ReviewVerdict::Held {
                why: Held::Disputed,
                charges: charges.clone(),
            });
        }
        (_, Vote::Reject { charges }) => charges,
        // No reading votes as a refutation does.
        (Vote::Stands { .. } | Vote::Refuted, _) | (_, Vote::Stands { .. } | Vote::Refuted) => {
            return held(Held::NoVerdict);
        }
    };
    let held_with = |why| {
        Next::End(ReviewVerdict::Held {
            why,
            charges: charges.clone(),
        })
    };
    match standing(past, Purpose::Refute) {
        Standing::Open => call(Purpose::Refute, charges.clone()),
        // No refutation votes as a reading does.
        Standing::Spent | Standing::Vote(Vote::Allow | Vote::Reject { .. }) => held_with(Held::NoVerdict),
        Standing::Vote(Vote::Stands { numbers }) => {
            let standing: Vec<Charge> = numbers
                .iter()
                .filter_map(|number| charges.get(*number).cloned())
                .collect();
            if standing.is_empty() {
                return held_with(Held::NoVerdict);
            }
            Next::End(ReviewVerdict::Rejected { charges: standing })
        }
        Standing::Vote(Vote::Refuted) => held_with(Held::Refuted),
    }
}

enum Standing<'p> {
    Vote(&'p Vote),
    Open,
    Spent,
}

/// The vote for a purpose, or whether it may be tried (again).
fn standing(past: &[Past], purpose: Purpose) -> Standing<'_> {
    let mut no_votes = 0;
    for call in past.iter().filter(|call| call.purpose == purpose) {
        match &call.outcome {
            Outcome::Vote(vote) => return Standing::Vote(vote),
            Outcome::NoVote { .. } => no_votes += 1,
            Outcome::Unreachable { .. } | Outcome::Setup { .. } => {}
        }
    }
    if no_votes < NO_VOTES_MAX {
        Standing::Open
    } else {
        Standing::Spent
    }
}

/// How long to wait after so many failures in a row, in seconds: anything up to a bound that doubles (full jitter), or what
/// the endpoint asked for. `random` is a number that nobody shares.
pub fn pause_seconds(failures: usize, retry_after_seconds: Option<u64>, random: u64) -> u64 {
    const FIRST_SECONDS: u64 = 4;
    const LONGEST_SECONDS: u64 = 150;
    const RETRY_AFTER_SECONDS_MAX: u64 = 600;
    if let Some(seconds) = retry_after_seconds {
        return seconds.clamp(1, RETRY_AFTER_SECONDS_MAX);
    }
    let doublings = u32::try_from(failures.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(10);
    let bound = (FIRST_SECONDS << doublings).min(LONGEST_SECONDS);
    1 + random % bound
}

#[cfg(test)]
mod tests;
