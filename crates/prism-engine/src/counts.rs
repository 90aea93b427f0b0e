//! Whether a run counts: the one place that holds it against its round, and against what keeps a measurement sound.
//!
//! Called by [`crate::evaluate`] as the facts become known; `settle` adds what only the machine can tell. A reason that is
//! not found here or there does not exist. No recipe is special: a run counts if it is the round's.

use std::fs;

use prism_core::{hash::Sha256Hash, recipe::Recipe};
use prism_referee::{plan::StreamTotals, record::Record};
use prism_runtime::{Origin, Runtime};
use prism_sandbox::{Capabilities, Freezer, MemoryCap};

use crate::{
    launcher::Seals,
    request::{EvalRequest, RehearsalReason},
    round::Round,
};

/// What the request alone says.
pub(crate) fn by_request(request: &EvalRequest) -> Vec<RehearsalReason> {
    let round = &request.round;
    let mut reasons = request.rehearsal.clone();
    if request.recipe.sha256() != round.recipe_of(request.kind).sha256() {
        reasons.push(RehearsalReason::Recipe);
    }
    if round
        .seed_of(request.kind)
        .is_some_and(|seed| seed != request.seed)
    {
        reasons.push(RehearsalReason::Seed);
    }
    if round.gate_version != prism_gate::VERSION {
        reasons.push(RehearsalReason::Gate);
    }
    if request.audit_key.is_some() {
        reasons.push(RehearsalReason::FixedKey);
    }
    reasons
}

/// What its text says.
pub(crate) fn by_text(
    round: &Round,
    recipe: &Recipe,
    corpus: Sha256Hash,
    totals: &StreamTotals,
) -> Vec<RehearsalReason> {
    let mut reasons = Vec::new();
    if round.corpus.is_some_and(|wanted| wanted != corpus) {
        reasons.push(RehearsalReason::Corpus);
    }
    // NaN, of an empty stream, is above every bound.
    let allowance_bpb = 8.0 * recipe.bundle.allowance_bytes as f64 / totals.bytes as f64;
    let is_worth_little = allowance_bpb <= recipe.bundle.max_allowance_bpb;
    if !is_worth_little {
        reasons.push(RehearsalReason::ShortStream);
    }
    reasons
}

/// What the machine says, before anything runs on it.
pub(crate) fn by_machine(
    round: &Round,
    capabilities: &Capabilities,
    runtime: &Runtime,
) -> Vec<RehearsalReason> {
    let mut reasons = Vec::new();
    match capabilities.memory_cap {
        MemoryCap::Watchdog => reasons.push(RehearsalReason::MemoryWatchdog),
        MemoryCap::CgroupV1 | MemoryCap::CgroupV2 => {}
    }
    // Both let a process that stands still be felt by one that runs.
    if capabilities.freezer == Freezer::CgroupV1 {
        reasons.push(RehearsalReason::TimersWhileFrozen);
    }
    if fs::read_to_string("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim() == "2") {
        reasons.push(RehearsalReason::StrictOvercommit);
    }
    if runtime.origin == Origin::External {
        reasons.push(RehearsalReason::ExternalRuntime);
    }
    let lock = runtime.origin.label();
    if round.runtime_lock.as_ref().is_some_and(|wanted| *wanted != lock) {
        reasons.push(RehearsalReason::Runtime);
    }
    reasons
}

/// What the measurement says.
pub(crate) fn by_record(record: &Record, seals: &Seals) -> Vec<RehearsalReason> {
    let mut reasons = Vec::new();
    if seals.not_locked().is_some() {
        reasons.push(RehearsalReason::PagesNotLocked);
    }
    if record.measured.audits < record.recipe.audit.min_audits {
        reasons.push(RehearsalReason::FewAudits);
    }
    reasons
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use prism_referee::draws::AuditKey;

    use super::*;
    use crate::{request::RunPlace, round::RunKind};

    fn request(round: Round, kind: RunKind, seed: u64) -> EvalRequest {
        let place = RunPlace::Under(PathBuf::from("runs"));
        EvalRequest {
            recipe: round.recipe_of(kind),
            round,
            kind,
            seed,
            ..EvalRequest::by_hand("bundle".into(), "corpus".into(), Recipe::demo(), place)
        }
    }

    fn small_round() -> Round {
        Round {
            recipe: Recipe::demo(),
            corpus: Some(Sha256Hash::of(b"corpus")),
            runtime_lock: None,
            gate_version: prism_gate::VERSION,
            seed: Some(7),
        }
    }

    #[test]
    fn a_run_counts_if_it_is_the_rounds_whatever_its_recipe_is() {
        for kind in [RunKind::Main, RunKind::Confirmation, RunKind::Noise] {
            assert_eq!(by_request(&request(small_round(), kind, 7)), []);
            assert_eq!(by_request(&request(Round::by_hand(), kind, 3)), []);
        }
        // A seed of its own is what a confirmation is for, and what a main run may not have.
        assert_eq!(by_request(&request(small_round(), RunKind::Confirmation, 8)), []);
        assert_eq!(
            by_request(&request(small_round(), RunKind::Main, 8)),
            [RehearsalReason::Seed]
        );
    }

    #[test]
    fn whatever_differs_from_the_round_is_named() {
        let mut main = request(small_round(), RunKind::Main, 7);
        main.recipe = main.round.recipe_of(RunKind::Confirmation);
        assert_eq!(by_request(&main), [RehearsalReason::Recipe], "easier to confirm");
        let mut confirmation = request(small_round(), RunKind::Confirmation, 1);
        confirmation.recipe = confirmation.round.recipe.clone();
        assert_eq!(
            by_request(&confirmation),
            [RehearsalReason::Recipe],
            "too few audits"
        );
        let mut other = request(small_round(), RunKind::Main, 7);
        other.round.gate_version += 1;
        other.audit_key = Some(AuditKey::new([1; 32]));
        assert_eq!(
            by_request(&other),
            [RehearsalReason::Gate, RehearsalReason::FixedKey]
        );
    }

    #[test]
    fn the_corpus_is_part_of_the_decision() {
        let round = small_round();
        let totals = |bytes| StreamTotals {
            documents: 1,
            bytes,
            targets: bytes,
        };
        let of = |round: &Round, corpus: &[u8], bytes| {
            by_text(round, &Recipe::official(), Sha256Hash::of(corpus), &totals(bytes))
        };
        assert_eq!(of(&round, b"corpus", 1_000_000_000), []);
        assert_eq!(of(&round, b"other", 1_000_000_000), [RehearsalReason::Corpus]);
        assert_eq!(of(&Round::by_hand(), b"other", 1_000_000_000), []);
        assert_eq!(of(&round, b"corpus", 1000), [RehearsalReason::ShortStream]);
        assert_eq!(of(&round, b"corpus", 0), [RehearsalReason::ShortStream]);
    }
}
