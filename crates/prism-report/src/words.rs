//! Words of the report: what each code means.
//!
//! Pure functions. An unknown code is shown as it is: a report of an older or newer run must still read.

use maud::{Markup, html};
use prism_core::{
    escape::escape_for_terminal,
    outcome::{Fault, Reason, Status},
    rank::NoRank,
};
use prism_referee::verdict::Flag;

use crate::run::Ending;

/// A flag's meaning, and what would remove it.
pub fn flag(code: &str) -> &'static str {
    match serde_json::from_value::<Flag>(code.into()).ok() {
        Some(Flag::Step0Anomaly) => {
            "The first losses are too good for a random init, so weights were probably smuggled in. The score is zero."
        }
        Some(Flag::ClaimsDiffer) => {
            "Some claims of the learner are not what its weights predict. It costs what its noise costs and accuses nobody."
        }
        Some(Flag::ClaimsUntrue) => {
            "The claims of the learner are not what its weights predict, by more than the recipe allows. The estimate \
             stands, and the run takes no rank."
        }
        Some(Flag::InvalidLogits) => {
            "Some answers of the auditor were no distribution (NaN, infinite or of the wrong width) and were charged as \
             a uniform guess."
        }
        Some(Flag::Memorization) => {
            "The model is much better on the text that it has just read than on text that it has not, or too little is \
             known to say that it is not: the score is reduced."
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

/// Why a completed run takes no rank.
pub fn no_rank(code: &str) -> &'static str {
    NoRank::parse(code).map_or(
        "for a reason that this version of PRISM does not know",
        NoRank::explain,
    )
}

/// How a run ended, as a sentence for its owner.
pub fn ending(ending: &Ending) -> String {
    match (ending.status, ending.fault) {
        (Status::Completed, _) => match ending.reason {
            Reason::EndOfData => "The stream was read to its end.".to_owned(),
            reason => format!(
                "The run ended before the stream did ({reason}): {}.",
                escape_for_terminal(&ending.detail)
            ),
        },
        (Status::Cancelled, _) => "Somebody stopped the run, so it has no score.".to_owned(),
        (Status::Rejected, _) => "The submission was never run.".to_owned(),
        (Status::Failed, Some(Fault::Operator)) => {
            "The machine failed, not the submission. Running it again may help.".to_owned()
        }
        (Status::Failed, Some(Fault::Usage)) => "The command line was wrong.".to_owned(),
        (Status::Failed, _) => "The submission failed, so it has no score.".to_owned(),
        (Status::Held, _) => "A person has to decide before it goes on.".to_owned(),
        (Status::Invalidated, _) => "It had a score, which was withdrawn.".to_owned(),
    }
}

/// A word's colour class.
pub fn status_class(status: Status) -> &'static str {
    match status {
        Status::Completed => "good",
        Status::Failed | Status::Rejected => "bad",
        Status::Cancelled | Status::Held | Status::Invalidated => "warn",
    }
}

/// Text in which every other part, between backticks, is code.
pub fn with_code(text: &str) -> Markup {
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
        assert!(flag("claims_untrue").contains("takes no rank"));
        assert!(no_rank("claims_untrue").contains("more than the recipe allows"));
        assert!(no_rank("no_such_reason").contains("does not know"));
        assert!(flag("no_such_flag").contains("does not know"));
    }
}
