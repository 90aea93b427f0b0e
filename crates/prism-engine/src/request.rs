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

prism_core::words! {
    /// Why a run does not count, however good it is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum RehearsalReason, code {
        Recipe = "recipe" => "the recipe is not the round's (by hand: `official`)",
        Corpus = "corpus" => "the corpus is not that of the round",
        Seed = "seed" => "the seed is not that of the round",
        Runtime = "runtime" => "the Python runtime is locked otherwise than that of the round",
        Gate = "gate" => "the rules of the gate are not those of the round",
        Flag = "flag" => "a flag changes a constant of the recipe",
        FixedKey = "fixed_key" => "the audit key was given, so its secrecy is not certain",
        NoGate = "no_gate" => "the static gate was skipped",
        ShortStream = "short_stream"
            => "the stream is so short that the bundle's free allowance is worth too much on it",
        FewAudits = "few_audits" => "too few targets were audited",
        MemoryWatchdog = "memory_watchdog" => "without a cgroup the memory cap is best effort",
        ExternalRuntime = "external_runtime" => "the Python runtime is not the locked one",
        PagesNotLocked = "pages_not_locked"
            => "the file pages of the processes that answer could not be locked into memory, as root can",
        TimersWhileFrozen = "timers_while_frozen"
            => "processes are frozen by a version 1 control group, which leaves the timers of sleeping threads running: a version 2 \
             group does not",
        StrictOvercommit = "strict_overcommit"
            => "`vm.overcommit_memory` is 2, so that memory which one process reserves is missing for the others: set it to 0",
        KernelRemembers = "kernel_remembers"
            => "the kernel remembers earlier runs and could not be made to forget them",
        MemoryShort = "memory_short"
            => "the files that a run can read do not fit into memory, which shows what was read before",
        MachineBusy = "machine_busy" => "other rehearsals or checks were running beside it",
    }
}
