//! An outcome in words: what `prism eval` prints for people.
//!
//! Detail and traceback may quote the submission; everything passes through the terminal escape.

use std::fmt::Write as _;

use prism_core::outcome::Status;
use prism_engine::outcome::Outcome;

use crate::show;

/// The summary.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut out = head(outcome);
    if outcome.status != Status::Completed {
        let _ = writeln!(out, "\n{}", show::text(outcome.detail.trim_end()));
        if let Some(traceback) = &outcome.traceback {
            let _ = writeln!(out, "\n{}", show::text(traceback.trim_end()));
        }
    }
    let mut rows = Vec::new();
    if let (Some(bpb), Some(se), Some(ranked)) = (outcome.bpb, outcome.bpb_se, outcome.bpb_ranked) {
        rows.push((
            "bits per byte",
            format!("{} (ranked {ranked:.4})", show::with_error(bpb, se)),
        ));
    }
    if let Some(score) = outcome.final_score {
        rows.push(("final score", format!("{score:.5}")));
    }
    if outcome.status == Status::Completed {
        let hidden = outcome
            .hidden_max
            .map(|hidden| format!("; at most {hidden:.4} bpb hidden"))
            .unwrap_or_default();
        rows.push(("audits", format!("{}{hidden}", show::grouped(outcome.audits))));
        rows.push(("flags", list_or_none(&outcome.flags)));
    }
    rows.push(("read", show::bytes(outcome.covered_bytes)));
    rows.push(("time", format!("{:.1} s", outcome.wall_seconds)));
    if outcome.rehearsal {
        rows.push(("rehearsal", list_or_none(&outcome.rehearsal_reasons)));
    }
    if let Some(dir) = &outcome.run_dir {
        rows.push(("run", dir.display().to_string()));
        let report = dir.join(prism_engine::run_dir::REPORT_FILE);
        if report.exists() {
            rows.push(("report", report.display().to_string()));
        }
    }
    let _ = write!(out, "\n{}", show::pairs(&rows));
    out
}

fn head(outcome: &Outcome) -> String {
    let colour = match outcome.status {
        Status::Completed => anstyle::AnsiColor::Green,
        Status::Failed | Status::Rejected => anstyle::AnsiColor::Red,
        Status::Cancelled => anstyle::AnsiColor::Yellow,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(colour.into()));
    let name = outcome
        .submission_id
        .as_deref()
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
    use prism_core::outcome::Reason;

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
        final score    0.20812
        audits         1,012; at most 0.0123 bpb hidden
        flags          none
        read           999 kB
        time           34.2 s
        rehearsal      recipe
        ");
    }

    #[test]
    fn a_failed_run_shows_the_miners_traceback_harmlessly() {
        let mut outcome = Outcome::failed(Reason::TrainException, "`train` raised ValueError: \u{1b}[2J");
        outcome.traceback = Some("File \"training.py\", line 3\n\u{202e}x".into());
        insta::assert_snapshot!(plain(&outcome), @r#"
        failed (train_exception)

        `train` raised ValueError: \u{1b}[2J

        File "training.py", line 3
        \u{202e}x

        read  0 B
        time  0.0 s
        "#);
    }
}
