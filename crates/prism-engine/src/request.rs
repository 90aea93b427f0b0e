//! What is to be evaluated, and how.
//!
//! Built by the command line or a service; read by the engine alone.

use std::path::PathBuf;

use prism_core::recipe::Recipe;
use prism_referee::draws::AuditKey;

use crate::{
    counts,
    round::{Round, RunKind},
    slot::Slot,
};

/// One evaluation.
#[derive(Clone, Debug)]
pub struct EvalRequest {
    /// A bundle: a directory or a `.zip`.
    pub bundle: PathBuf,
    /// A locked corpus.
    pub corpus: PathBuf,
    /// The constants, after flags.
    pub recipe: Recipe,
    /// What the run has to be to count.
    pub round: Round,
    /// What it is to that round.
    pub kind: RunKind,
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
    /// The part of the machine that it has; `None`: what this process may use, and the first device.
    pub slot: Option<Slot>,
    /// Where it is kept what was once verified and counted of a corpus; `None`: each run does so again.
    pub cache: Option<PathBuf>,
}

impl EvalRequest {
    /// A run by hand with the seed 0 and nothing else out of the ordinary: it counts if the recipe is the official one.
    pub fn by_hand(bundle: PathBuf, corpus: PathBuf, recipe: Recipe, place: RunPlace) -> Self {
        Self {
            bundle,
            corpus,
            recipe,
            round: Round::by_hand(),
            kind: RunKind::Main,
            rehearsal: Vec::new(),
            seed: 0,
            audit_key: None,
            place,
            submission_id: None,
            slot: None,
            cache: None,
        }
    }

    /// What already keeps the run from counting, before it starts, sorted. The machine and the text may add to it.
    pub fn why_rehearsal(&self) -> Vec<RehearsalReason> {
        let mut reasons = counts::by_request(self);
        reasons.sort_unstable();
        reasons
    }
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
    /// The recipe is not the round's.
    Recipe,
    /// The corpus is not the round's.
    Corpus,
    /// The seed is not the round's.
    Seed,
    /// The Python runtime is locked, but not as the round's is.
    Runtime,
    /// The rules of the gate are not the round's.
    Gate,
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
    /// File pages of the processes that answer could not be locked into memory.
    PagesNotLocked,
    /// Timers go on in processes that are frozen.
    TimersWhileFrozen,
    /// Who reserves memory takes it from everybody.
    StrictOvercommit,
    /// The kernel could not be made to forget what earlier runs have left in it.
    KernelRemembers,
    /// What a run can read does not fit into memory, so that it shows what was read before.
    MemoryShort,
    /// Others were running beside it.
    MachineBusy,
}

impl RehearsalReason {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Recipe,
        Self::Corpus,
        Self::Seed,
        Self::Runtime,
        Self::Gate,
        Self::Flag,
        Self::FixedKey,
        Self::NoGate,
        Self::ShortStream,
        Self::FewAudits,
        Self::MemoryWatchdog,
        Self::ExternalRuntime,
        Self::PagesNotLocked,
        Self::TimersWhileFrozen,
        Self::StrictOvercommit,
        Self::KernelRemembers,
        Self::MemoryShort,
        Self::MachineBusy,
    ];

    /// The reason with this code, if this version knows it.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Corpus => "corpus",
            Self::Seed => "seed",
            Self::Runtime => "runtime",
            Self::Gate => "gate",
            Self::Flag => "flag",
            Self::FixedKey => "fixed_key",
            Self::NoGate => "no_gate",
            Self::ShortStream => "short_stream",
            Self::FewAudits => "few_audits",
            Self::MemoryWatchdog => "memory_watchdog",
            Self::ExternalRuntime => "external_runtime",
            Self::PagesNotLocked => "pages_not_locked",
            Self::TimersWhileFrozen => "timers_while_frozen",
            Self::StrictOvercommit => "strict_overcommit",
            Self::KernelRemembers => "kernel_remembers",
            Self::MemoryShort => "memory_short",
            Self::MachineBusy => "machine_busy",
        }
    }

    /// A sentence for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Recipe => "the recipe is not the round's (by hand: `official`)",
            Self::Corpus => "the corpus is not that of the round",
            Self::Seed => "the seed is not that of the round",
            Self::Runtime => "the Python runtime is locked otherwise than that of the round",
            Self::Gate => "the rules of the gate are not those of the round",
            Self::Flag => "a flag changes a constant of the recipe",
            Self::FixedKey => "the audit key was given, so its secrecy is not certain",
            Self::NoGate => "the static gate was skipped",
            Self::ShortStream => {
                "the stream is so short that the bundle's free allowance is worth too much on it"
            }
            Self::FewAudits => "too few targets were audited",
            Self::MemoryWatchdog => "without a cgroup the memory cap is best effort",
            Self::ExternalRuntime => "the Python runtime is not the locked one",
            Self::PagesNotLocked => {
                "the file pages of the processes that answer could not be locked into memory, as root can"
            }
            Self::TimersWhileFrozen => {
                "processes are frozen by a version 1 control group, which leaves the timers of sleeping threads running: a version 2 \
                 group does not"
            }
            Self::StrictOvercommit => {
                "`vm.overcommit_memory` is 2, so that memory which one process reserves is missing for the others: set it to 0"
            }
            Self::KernelRemembers => "the kernel remembers earlier runs and could not be made to forget them",
            Self::MemoryShort => {
                "the files that a run can read do not fit into memory, which shows what was read before"
            }
            Self::MachineBusy => "other rehearsals or checks were running beside it",
        }
    }
}
