//! What makes honest claims differ from audits, and what removes it.
//!
//! The one place for this advice: the manifest, the report and `prism eval` print what stands here, for the flags
//! `claims_differ` and `claims_untrue`, and for an ending as `answers_differ`. Words between backticks are code. Accuses nobody: a model that sees its targets
//! looks the same.

use std::fmt::Write as _;

use prism_core::outcome::Reason;

/// One honest cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What the submission does, and how far apart that puts claims and audits.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Every honest cause that is known, the commonest first.
pub const CLAIMS: [Hint; 6] = [
    Hint {
        cause: "Dropout or batch statistics in the training forward (dropout of 0.1: about 0.3 nats)",
        remedy: "open the stream with `claims=\"eval\"`, which makes the claims in eval mode",
    },
    Hint {
        cause: "The loss is taken after `optimizer.step()`, so the claims are those of other weights than the snapshot's",
        remedy: "call `batch.loss(...)` on the first forward of a batch, before any update",
    },
    Hint {
        cause: "The next batch is fetched before `optimizer.step()`, so its claims come from later weights than its snapshot",
        remedy: "take a batch, step, and only then take the next one, as `for batch in stream` does",
    },
    Hint {
        cause: "Other weights predict than those that are trained, an average of past ones say (about 0.3 nats)",
        remedy: "name the module that predicts: `ctx.stream(..., predictor=module)`",
    },
    Hint {
        cause: "State is carried from row to row or from batch to batch, or rows of a batch see each other",
        remedy: "start every row anew: the auditor is given one row and nothing before it",
    },
    Hint {
        cause: "Mixed precision in the learner alone (autocast or bfloat16: 0.007 to 0.01 nats)",
        remedy: "nothing: that is within what a recipe allows; far more comes from something else in this list",
    },
];

/// The cause of claims that no audit bears out where answers were no distribution, then the others.
pub const INVALID: [Hint; 7] = [
    Hint {
        cause: "The training diverged: logits are NaN or infinite, which counts as a uniform guess (`invalid_logits`)",
        remedy: "lower the learning rate, warm it up, clip gradients, and see in the curve where it begins",
    },
    CLAIMS[0],
    CLAIMS[1],
    CLAIMS[2],
    CLAIMS[3],
    CLAIMS[4],
    CLAIMS[5],
];

/// What makes one model answer the same question differently, the commonest first.
pub const ANSWERS: [Hint; 4] = [
    Hint {
        cause: "Something random in eval mode: `F.dropout` without `training=self.training`, noise, sampling",
        remedy: "draw nothing where `self.training` is false",
    },
    Hint {
        cause: "State that is carried over rows in a Python attribute: a cache, a counter, a hidden state",
        remedy: "keep it in a buffer, or reset it at the start of `forward`",
    },
    Hint {
        cause: "Weights that are not in the snapshot: tensors that are neither parameters nor buffers",
        remedy: "register them with `nn.Parameter` or `register_buffer`",
    },
    Hint {
        cause: "The clock, the number of calls, or the order of the questions",
        remedy: "let the answer depend on weights and input alone",
    },
];

/// The causes that a run's flags or ending call for; none where nothing is to be explained.
pub fn due(reason: Reason, flags: &[String]) -> &'static [Hint] {
    if reason == Reason::AnswersDiffer {
        &ANSWERS
    } else {
        of_flags(flags)
    }
}

/// The causes that flags call for. Whether claims differ is not known of a run without audits, which may have diverged too.
pub fn of_flags(flags: &[String]) -> &'static [Hint] {
    let diverged = flags.iter().any(|flag| flag == "invalid_logits");
    match (are_due(flags), diverged) {
        (true, true) => &INVALID,
        (true, false) => &CLAIMS,
        (false, true) => &INVALID[..1],
        (false, false) => &[],
    }
}

/// What stands over them.
pub const TITLE: &str = "What does this honestly, and what removes it:";
/// What stands below those of claims.
pub const LEAK: &str = "A model that sees its targets does it too: a mask that is not causal, a mean over the row, logits that hold `targets`.";

/// Those of claims as one paragraph, for the manifest.
pub fn paragraph() -> String {
    let mut text = String::from("What does this honestly, and what removes it.");
    for Hint { cause, remedy } in CLAIMS {
        let _ = write!(text, " {cause}: {remedy}.");
    }
    let _ = write!(text, " {LEAK}");
    text
}

/// Whether flags call for the advice on claims.
pub fn are_due(flags: &[String]) -> bool {
    flags
        .iter()
        .any(|flag| matches!(flag.as_str(), "claims_differ" | "claims_untrue"))
}

#[cfg(test)]
mod tests {
    use prism_referee::verdict::Flag;

    use super::*;

    #[test]
    fn the_advice_names_every_remedy_and_is_due_with_its_flags() {
        let text = paragraph();
        for word in [
            "claims=\"eval\"",
            "predictor=",
            "optimizer.step()",
            "next batch",
            "every row anew",
            "sees its targets",
            "bfloat16",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert_eq!(text.matches('`').count() % 2, 0, "code is between two backticks");
        for hint in ANSWERS {
            let both = format!("{}{}", hint.cause, hint.remedy);
            assert_eq!(both.matches('`').count() % 2, 0, "{both}");
        }
        assert_eq!(due(Reason::AnswersDiffer, &[]), ANSWERS);
        assert!(due(Reason::EndOfData, &[]).is_empty());
        assert_eq!(due(Reason::EndOfData, &["claims_untrue".into()]), CLAIMS);
        // Where answers were no distribution, that is the first thing to look at, and the rest stays.
        let diverged = due(
            Reason::EndOfData,
            &["claims_untrue".into(), Flag::InvalidLogits.code().into()],
        );
        assert!(diverged[0].cause.contains("diverged"));
        assert_eq!(diverged[1..], CLAIMS);
        // Without audits nothing is known of the claims.
        let unaudited = due(Reason::EndOfData, &[Flag::InvalidLogits.code().into()]);
        assert_eq!(unaudited, &INVALID[..1]);
        for flag in [Flag::ClaimsDiffer, Flag::ClaimsUntrue] {
            assert!(are_due(&["memorization".into(), flag.code().into()]));
        }
        assert!(!are_due(&["memorization".into(), "step0_anomaly".into()]));
    }
}
