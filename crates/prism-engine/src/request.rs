//! What is to be evaluated, and how.
//!
//! Built by the command line or a service; read by the engine alone.

use std::path::PathBuf;

use prism_core::recipe::Recipe;
use prism_referee::draws::AuditKey;

/// One evaluation.
#[derive(Clone, Debug)]
pub struct EvalRequest {
    /// A bundle: a directory or a `.zip`.
    pub bundle: PathBuf,
    /// A locked corpus.
    pub corpus: PathBuf,
    /// The constants, after flags.
    pub recipe: Recipe,
    /// What already makes the run a rehearsal, before it starts.
    pub rehearsal: Vec<RehearsalReason>,
    /// The forced seed.
    pub seed: u64,
    /// Fixes the audit key; a fresh one is drawn where it is absent.
    pub audit_key: Option<AuditKey>,
    /// Where the run's directory goes.
    pub place: RunPlace,
    /// A name that a driving program knows the submission by; the run's id where it is absent.
    pub submission_id: Option<String>,
}

/// Where a run's directory goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunPlace {
    /// A new directory named after the run, in this one.
    Under(PathBuf),
    /// Exactly this one; it must be empty or not exist.
    Exactly(PathBuf),
}

/// Why a run does not count, however good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RehearsalReason {
    /// The recipe is not the official one.
    Recipe,
    /// A flag changes a constant of the recipe.
    Flag,
    /// The audit key was given.
    FixedKey,
    /// The static gate was skipped.
    NoGate,
    /// The stream is so short that the bundle's allowance is worth too much on it.
    ShortStream,
    /// Too few audits.
    FewAudits,
    /// The memory cap rests on a watchdog.
    MemoryWatchdog,
    /// The interpreter is the user's own, not the locked one.
    ExternalRuntime,
}

impl RehearsalReason {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Flag => "flag",
            Self::FixedKey => "fixed_key",
            Self::NoGate => "no_gate",
            Self::ShortStream => "short_stream",
            Self::FewAudits => "few_audits",
            Self::MemoryWatchdog => "memory_watchdog",
            Self::ExternalRuntime => "external_runtime",
        }
    }

    /// A sentence for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Recipe => "the recipe is not `official`",
            Self::Flag => "a flag changes a constant of the recipe",
            Self::FixedKey => "the audit key was given, so its secrecy is not certain",
            Self::NoGate => "the static gate was skipped",
            Self::ShortStream => {
                "the stream is so short that the bundle's free allowance is worth too much on it"
            }
            Self::FewAudits => "too few targets were audited",
            Self::MemoryWatchdog => "without a cgroup the memory cap is best effort",
            Self::ExternalRuntime => "the Python runtime is not the locked one",
        }
    }
}
