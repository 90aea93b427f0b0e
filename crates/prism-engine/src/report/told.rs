//! Outcome and progress as a page shows them.
//!
//! Copies fields; the few words that only the engine knows, such as why a run does not count, are put in here.

use prism_report::run::{Ending, SoFar, WhyNot};

use crate::{event_file::Progress, outcome::Outcome, request::RehearsalReason};

/// How a run ended.
pub(super) fn ending(outcome: &Outcome) -> Ending {
    let rehearsal = outcome.rehearsal.then(|| {
        outcome
            .rehearsal_reasons
            .iter()
            .map(|code| why_not(code))
            .collect()
    });
    Ending {
        status: outcome.status,
        fault: outcome.fault,
        reason: outcome.reason,
        detail: outcome.detail.clone(),
        traceback: outcome.traceback.clone(),
        bpb: outcome.bpb,
        bpb_se: outcome.bpb_se,
        no_rank: outcome.no_rank.clone(),
        bpb_ranked: outcome.bpb_ranked,
        hidden_bpb: outcome.hidden_worth_telling(),
        final_score: outcome.final_score,
        claims_rms_nats: outcome.claims_rms_nats,
        flags: outcome.flags.clone(),
        rehearsal,
        covered_bytes: outcome.covered_bytes,
        audits: outcome.audits,
        wall_seconds: outcome.wall_seconds,
        run_id: outcome.run_id.clone(),
    }
}

/// A code that this version does not know is shown too: a report of an older or newer run must still read.
fn why_not(code: &str) -> WhyNot {
    WhyNot {
        code: code.to_owned(),
        meaning: RehearsalReason::parse(code).map_or(
            "for a reason that this version of PRISM does not know",
            RehearsalReason::explain,
        ),
    }
}

/// How far a run is.
pub(super) fn so_far(progress: &Progress) -> SoFar {
    SoFar {
        run_id: progress.run_id.clone(),
        stream_bytes: progress.stream_bytes,
        covered_bytes: progress.covered_bytes,
        mean_bpb: progress.mean_bpb,
        seconds: progress.last_unix_seconds - progress.first_unix_seconds,
        tokens_per_second: progress.tokens_per_second(),
    }
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;

    use super::*;

    #[test]
    fn every_reason_for_a_rehearsal_is_explained_and_an_unknown_one_survives() {
        let mut outcome = Outcome::failed(Reason::EndOfData, "");
        outcome.rehearsal_reasons = vec!["recipe".into(), "no_such_reason".into()];
        assert_eq!(ending(&outcome).rehearsal, None, "it counts");
        outcome.rehearsal = true;
        let reasons = ending(&outcome).rehearsal.unwrap();
        assert_eq!(
            reasons[0].meaning,
            "the recipe is not the round's (by hand: `official`)"
        );
        assert_eq!(reasons[1].code, "no_such_reason");
        assert!(reasons[1].meaning.contains("does not know"));
        for reason in RehearsalReason::ALL {
            assert_eq!(why_not(reason.code()).meaning, reason.explain());
        }
    }
}
