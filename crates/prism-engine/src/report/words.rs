//! Words of the report: what each code means.
//!
//! Pure functions. An unknown code is shown as it is: a report of an older or newer run must still read.

use maud::{Markup, html};
use prism_core::outcome::{Fault, Reason, Status};
use prism_referee::verdict::Flag;

use crate::request::RehearsalReason;

/// A flag's meaning, and what would remove it.
pub(super) fn flag(code: &str) -> &'static str {
    match serde_json::from_value::<Flag>(code.into()).ok() {
        Some(Flag::Step0Anomaly) => {
            "The first losses are too good for a random init, so weights were probably smuggled in. The score is zero."
        }
        Some(Flag::ClaimsDiffer) => {
            "What the learner claimed and what its weights predict differ. Dropout, batch statistics or averaged weights \
             do that honestly: `claims=\"eval\"` removes the noise, `predictor=module` lets other weights predict. A \
             model that sees its targets does it too. It costs what its noise costs and accuses nobody."
        }
        Some(Flag::InvalidLogits) => {
            "Some answers of the auditor were no distribution (NaN, infinite or of the wrong width) and were charged as \
             a uniform guess."
        }
        Some(Flag::Memorization) => {
            "The model is much better on the text that it has just read than on text that it has not: the score is \
             reduced."
        }
        Some(Flag::BelowEntropyFloor) => {
            "The result is better than the best possible one for this synthetic text. Something is wrong, or chance was \
             very kind."
        }
        Some(Flag::BundleCharged) => {
            "The compressed bundle is larger than its free allowance; the rest is part of the code length."
        }
        None => "This version of PRISM does not know this flag.",
    }
}

/// Why a run does not count.
pub(super) fn rehearsal(code: &str) -> &'static str {
    const ALL: [RehearsalReason; 8] = [
        RehearsalReason::Recipe,
        RehearsalReason::Flag,
        RehearsalReason::FixedKey,
        RehearsalReason::NoGate,
        RehearsalReason::ShortStream,
        RehearsalReason::FewAudits,
        RehearsalReason::MemoryWatchdog,
        RehearsalReason::ExternalRuntime,
    ];
    ALL.into_iter().find(|reason| reason.code() == code).map_or(
        "for a reason that this version of PRISM does not know",
        RehearsalReason::explain,
    )
}

/// How a run ended, as a sentence for its owner.
pub(super) fn ending(status: Status, fault: Option<Fault>, reason: Reason) -> String {
    match (status, fault) {
        (Status::Completed, _) => match reason {
            Reason::EndOfData => "The stream was read to its end.".to_owned(),
            _ => format!(
                "The run ended before the stream did ({reason}); unread bytes are charged at 8 bits each."
            ),
        },
        (Status::Cancelled, _) => "Somebody stopped the run, so it has no score.".to_owned(),
        (Status::Rejected, _) => "The submission was never run.".to_owned(),
        (Status::Failed, Some(Fault::Operator)) => {
            "The machine failed, not the submission. Running it again may help.".to_owned()
        }
        (Status::Failed, Some(Fault::Usage)) => "The command line was wrong.".to_owned(),
        (Status::Failed, _) => "The submission failed, so it has no score.".to_owned(),
    }
}

/// A word's colour class.
pub(super) fn status_class(status: Status) -> &'static str {
    match status {
        Status::Completed => "good",
        Status::Failed | Status::Rejected => "bad",
        Status::Cancelled => "warn",
    }
}

/// Text in which every other part, between backticks, is code.
pub(super) fn with_code(text: &str) -> Markup {
    html! {
        @for (i, part) in text.split('`').enumerate() {
            @if i % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_are_explained_and_unknown_ones_survive() {
        assert!(flag("claims_differ").contains("claims=\"eval\""));
        assert!(flag("no_such_flag").contains("does not know"));
        assert_eq!(rehearsal("recipe"), "the recipe is not `official`");
        assert!(rehearsal("no_such_reason").contains("does not know"));
    }
}
