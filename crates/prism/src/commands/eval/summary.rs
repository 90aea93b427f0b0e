//! An outcome in words: what `prism eval` prints for people.
//!
//! Detail and traceback may quote the submission: every line of them stands behind a bar, and everything passes through the
//! terminal escape.

use std::fmt::Write as _;

use prism_core::outcome::{Reason, Status};
use prism_core::traceback;
use prism_engine::outcome::Outcome;
use prism_engine::request::RehearsalReason;
use prism_report::hints;

use crate::show;

/// The summary.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut out = head(outcome);
    if outcome.status == Status::Completed {
        if outcome.reason != Reason::EndOfData {
            let _ = writeln!(out, "\n{}", show::quoted(outcome.detail.trim_end()));
        }
    } else {
        let _ = writeln!(out, "\n{}", show::quoted(outcome.detail.trim_end()));
        if let Some(traceback) = &outcome.traceback {
            // The error itself stands above it.
            let frames = traceback::frames(traceback, &outcome.detail);
            let _ = writeln!(out, "\n{}", show::quoted(frames));
        }
    }
    let mut rows = Vec::new();
    if let (Some(bpb), Some(se)) = (outcome.bpb, outcome.bpb_se) {
        rows.push(("bits per byte", show::estimate(bpb, se, outcome.bpb_ranked)));
    }
    if let Some(why) = &outcome.no_rank {
        rows.push(("rank", show::no_rank(why, outcome.claims_rms_nats)));
    }
    if let Some(score) = outcome.final_score {
        rows.push(("final score", format!("{score:.5} (higher is better)")));
    }
    if outcome.status == Status::Completed {
        let hidden = outcome
            .hidden_worth_telling()
            .map(|hidden| format!("; at most {hidden:.4} bpb hidden"))
            .unwrap_or_default();
        rows.push(("audits", format!("{}{hidden}", show::grouped(outcome.audits))));
        rows.push(("flags", list_or_none(&outcome.flags)));
    }
    rows.push(("read", show::bytes(outcome.covered_bytes)));
    rows.push(("time", format!("{:.1} s", outcome.wall_seconds)));
    if outcome.rehearsal {
        rows.push(("rehearsal", rehearsal(&outcome.rehearsal_reasons)));
    }
    if let Some(dir) = &outcome.run_dir {
        rows.push(("run", dir.display().to_string()));
        let report = dir.join(prism_engine::run_dir::REPORT_FILE);
        if report.exists() {
            rows.push(("report", report.display().to_string()));
        }
    }
    let _ = write!(out, "\n{}", show::pairs(&rows));
    out.push_str(&causes(outcome));
    out
}

/// Why a run does not count, in words; a code that this version does not know stays.
fn rehearsal(codes: &[String]) -> String {
    let words = codes.iter().map(|code| {
        RehearsalReason::parse(code).map_or_else(|| show::line(code), |reason| reason.explain().to_owned())
    });
    words.collect::<Vec<_>>().join("; ")
}

/// What makes claims or answers differ honestly, and what removes it, where that is to be explained.
fn causes(outcome: &Outcome) -> String {
    let hints = hints::due(outcome.reason, &outcome.flags);
    if hints.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", hints::TITLE);
    for hints::Hint { cause, remedy } in hints {
        let _ = writeln!(out, "- {cause}: {remedy}.");
    }
    if outcome.status == Status::Completed && hints::are_due(&outcome.flags) {
        let _ = writeln!(out, "- {}", hints::LEAK);
    }
    out
}

fn head(outcome: &Outcome) -> String {
    let colour = match outcome.status {
        Status::Completed => anstyle::AnsiColor::Green,
        Status::Failed | Status::Rejected => anstyle::AnsiColor::Red,
        Status::Cancelled | Status::Held | Status::Invalidated => anstyle::AnsiColor::Yellow,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(colour.into()));
    let about = outcome.about.as_ref().map(|about| about.name.as_str());
    let name = about
        .or(outcome.submission_id.as_deref())
        .map(|id| format!("{}: ", show::line(id)))
        .unwrap_or_default();
    format!(
        "{name}{style}{}{style:#} ({})\n",
        outcome.status.as_str(),
        outcome.reason
    )
}

fn list_or_none(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        show::line(&items.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(outcome: &Outcome) -> String {
        anstream::adapter::strip_str(&text(outcome)).to_string()
    }

    #[test]
    fn a_completed_run_shows_its_score_and_why_it_does_not_count() {
        let mut outcome = Outcome::failed(Reason::EndOfData, "the stream was read to its end");
        outcome.bpb = Some(3.80521);
        outcome.bpb_se = Some(0.00012);
        outcome.bpb_ranked = Some(3.80557);
        outcome.final_score = Some(0.20812);
        outcome.hidden_max = Some(0.01234);
        outcome.audits = 1012;
        outcome.covered_bytes = 999_000;
        outcome.wall_seconds = 34.25;
        outcome.rehearsal = true;
        outcome.rehearsal_reasons = vec!["recipe".into()];
        insta::assert_snapshot!(plain(&outcome), @"
        completed (end_of_data)

        bits per byte  3.8052 ± 0.0001 (ranked 3.8056)
        final score    0.20812 (higher is better)
        audits         1,012; at most 0.0123 bpb hidden
        flags          none
        read           999 kB
        time           34.2 s
        rehearsal      the recipe is not the round's (by hand: `official`)
        ");
    }

    #[test]
    fn a_run_without_a_rank_says_so_and_what_would_help() {
        let mut outcome = Outcome::failed(Reason::EndOfData, "the stream was read to its end");
        outcome.bpb = Some(4.25);
        outcome.bpb_se = Some(0.125);
        outcome.no_rank = Some("claims_untrue".into());
        outcome.claims_rms_nats = Some(2.5);
        outcome.flags = vec!["claims_differ".into(), "claims_untrue".into()];
        let shown = plain(&outcome);
        assert!(shown.contains("4.2500 ± 0.1250 (no rank)"), "{shown}");
        assert!(
            shown.contains("none (claims_untrue): what it claimed") && shown.contains("2.5"),
            "{shown}"
        );
        assert!(
            shown.contains("claims=\"eval\"")
                && shown.contains("next batch is fetched before")
                && !shown.contains("final score"),
            "{shown}"
        );
    }

    #[test]
    fn answers_that_differ_name_their_likely_causes() {
        let shown = plain(&Outcome::failed(
            Reason::AnswersDiffer,
            "asked again, it says something else",
        ));
        for words in ["F.dropout", "carried over rows", "register_buffer"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains("sees its targets"), "{shown}");
    }

    #[test]
    fn an_early_end_says_what_it_cost_and_a_thin_bound_is_not_told() {
        let mut outcome = Outcome::failed(Reason::EarlyReturn, "`train` returned: read 7.7 of 29.2 kB");
        outcome.bpb_ranked = Some(7.0);
        outcome.hidden_max = Some(2.4);
        let shown = plain(&outcome);
        assert!(
            shown.contains("read 7.7 of 29.2 kB") && !shown.contains("hidden"),
            "{shown}"
        );
        let whole = plain(&Outcome::failed(Reason::EndOfData, "the whole stream was read"));
        assert!(!whole.contains("the whole stream"), "{whole}");
    }

    #[test]
    fn an_error_is_shown_once() {
        let mut outcome = Outcome::failed(Reason::TrainException, "ValueError: no good (learner)");
        outcome.traceback = Some(
            "Traceback (most recent call last):\n  File \"training.py\", line 3, in train\n    f()\nValueError: no good"
                .into(),
        );
        assert_eq!(plain(&outcome).matches("no good").count(), 1);
    }

    #[test]
    fn a_failed_run_shows_the_miners_traceback_harmlessly() {
        let mut outcome = Outcome::failed(Reason::TrainException, "`train` raised ValueError: \u{1b}[2J");
        outcome.traceback = Some("File \"training.py\", line 3\n\u{202e}x".into());
        insta::assert_snapshot!(plain(&outcome), @r#"
        failed (train_exception)

        | `train` raised ValueError: \u{1b}[2J

        | File "training.py", line 3
        | \u{202e}x

        read  0 B
        time  0.0 s
        "#);
    }
}
