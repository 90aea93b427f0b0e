//! A submission in words, and how a command ends that waited for it.
//!
//! Everything but numbers is the server's or the submission's and is escaped here.

use std::fmt::Write as _;

use prism_client::wire::{Attempt, Budget, Submission};
use prism_report::figures::{part_of, seconds};

use crate::failure::Exit;
use crate::show;

/// The exit of a command that followed a submission to its end.
pub(in crate::commands) fn exit(submission: &Submission) -> Exit {
    match submission.status.as_str() {
        "pending" | "running" | "completed" => Exit::Ok,
        // The submission is not at fault: a person has to look.
        "held" => Exit::Machine,
        _ => Exit::Submission,
    }
}

/// How it stands.
pub(in crate::commands) fn text(submission: &Submission) -> String {
    let mut out = head(submission);
    let detail = submission.detail.as_deref().or(submission.error.as_deref());
    if let Some(detail) = detail.filter(|detail| !detail.trim().is_empty())
        && submission.status != "completed"
    {
        let _ = writeln!(out, "\n{}", show::quoted(detail.trim_end()));
    }
    let _ = write!(out, "\n{}", show::pairs(&rows(submission)));
    out
}

fn head(submission: &Submission) -> String {
    let colour = match submission.status.as_str() {
        "completed" => anstyle::AnsiColor::Green,
        "pending" | "running" => anstyle::AnsiColor::Cyan,
        "held" => anstyle::AnsiColor::Yellow,
        _ => anstyle::AnsiColor::Red,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(colour.into()));
    let name = submission
        .name
        .as_deref()
        .map(|name| format!("{}: ", show::line(name)));
    let more = submission.stage.as_deref().or(submission.reason.as_deref());
    let more = more.map(|more| format!(" ({})", show::line(more)));
    format!(
        "{}{style}{}{style:#}{}\n",
        name.unwrap_or_default(),
        show::line(submission.standing()),
        more.unwrap_or_default()
    )
}

fn rows(submission: &Submission) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("submission", submission.id.to_string()),
        ("hotkey", show::line(&submission.hotkey)),
    ];
    if let Some(rank) = submission.rank {
        rows.push((
            "rank",
            rank_of(rank, submission.tie_group, submission.provisional),
        ));
    }
    if let Some(weight) = submission.weight {
        rows.push(("weight", format!("{weight:.6}")));
    }
    if let Some(score) = submission.final_score {
        rows.push(("final score", format!("{score:.5} (higher is better)")));
    }
    if let Some(bpb) = submission.bpb {
        let bpb = submission
            .bpb_se
            .map_or_else(|| format!("{bpb:.4}"), |se| show::with_error(bpb, se));
        rows.push(("bits per byte", bpb));
    }
    if !submission.flags.is_empty() {
        rows.push(("flags", show::line(&submission.flags.join(", "))));
    }
    if let Some(position) = submission.position {
        rows.push(("queue", queue(position, submission.estimate_seconds)));
    }
    if let (Some(covered), Some(all)) = (submission.covered_bytes, submission.stream_bytes) {
        let read = if covered == all {
            show::bytes(all)
        } else {
            part_of(covered, all)
        };
        rows.push(("read", read));
    }
    if let Some(round) = &submission.round {
        rows.push(("round", show::line(round)));
    }
    if let Some(at) = &submission.created_at {
        rows.push(("submitted", time(at)));
    }
    if !submission.attempts.is_empty() {
        rows.push((
            "runs",
            submission
                .attempts
                .iter()
                .map(attempt)
                .collect::<Vec<_>>()
                .join("; "),
        ));
    }
    if let Some(budget) = submission.budget.as_ref().and_then(budget) {
        rows.push(("today", budget));
    }
    rows
}

fn rank_of(rank: u64, tie_group: Option<u64>, provisional: bool) -> String {
    let tie = tie_group
        .map(|group| format!(", tie group {group}"))
        .unwrap_or_default();
    let provisional = if provisional {
        ", until it is confirmed"
    } else {
        ""
    };
    format!("{rank}{tie}{provisional}")
}

fn queue(position: f64, estimate_seconds: Option<f64>) -> String {
    let estimate = estimate_seconds.map_or_else(
        || "unknown until three runs are known".to_owned(),
        |estimate| format!("done in about {}", seconds(estimate)),
    );
    format!("place {position:.0}, {estimate}")
}

fn attempt(attempt: &Attempt) -> String {
    let reason = attempt
        .reason
        .as_deref()
        .map(|reason| format!(" ({})", show::line(reason)));
    format!(
        "{} {} {}{}",
        attempt.number,
        show::line(&attempt.kind),
        show::line(&attempt.state),
        reason.unwrap_or_default()
    )
}

fn budget(budget: &Budget) -> Option<String> {
    let uploads = budget.uploads?;
    let runs = budget.scored_runs?;
    Some(format!(
        "{} of {} uploads, {} of {} scored runs",
        uploads.used, uploads.limit, runs.used, runs.limit
    ))
}

/// `2026-11-28T18:26:03.828177Z` as `2026-11-28 18:26:03`; anything else as it came.
pub(in crate::commands) fn time(at: &str) -> String {
    match (at.get(..10), at.get(10..11), at.get(11..19)) {
        (Some(date), Some("T"), Some(clock)) if at.ends_with('Z') => {
            format!("{} {}", show::line(date), show::line(clock))
        }
        _ => show::line(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(json: serde_json::Value) -> Submission {
        serde_json::from_value(json).unwrap()
    }

    fn plain(submission: &Submission) -> String {
        anstream::adapter::strip_str(&text(submission)).to_string()
    }

    #[test]
    fn a_completed_submission_shows_its_rank_and_its_weight() {
        let submission = submission(serde_json::json!({
            "id": "8f0e", "hotkey": "5Hk", "status": "completed", "reason": "end_of_data", "detail": "read to its end",
            "created_at": "2026-11-28T18:26:03.828177Z", "rank": 1, "tie_group": 1, "provisional": true,
            "weight": 0.666_667, "final_score": 0.20812, "bpb": 3.80521, "bpb_se": 0.00012, "flags": [],
            "covered_bytes": 999_000, "stream_bytes": 999_000,
            "attempts": [{"number": 1, "kind": "main", "state": "ended", "reason": "end_of_data"}],
        }));
        insta::assert_snapshot!(plain(&submission), @"
        completed (end_of_data)

        submission     8f0e
        hotkey         5Hk
        rank           1, tie group 1, until it is confirmed
        weight         0.666667
        final score    0.20812 (higher is better)
        bits per byte  3.8052 ± 0.0001
        read           999 kB
        submitted      2026-11-28 18:26:03
        runs           1 main ended (end_of_data)
        ");
        assert_eq!(exit(&submission), Exit::Ok);
    }

    #[test]
    fn one_that_waits_says_why_where_and_how_long() {
        let submission = submission(serde_json::json!({
            "id": "8f0e", "hotkey": "5Hk", "status": "pending", "stage": "queued", "reason": "queue",
            "detail": "it waits for a slot", "position": 3, "estimate_seconds": 200,
            "budget": {"date": "d", "uploads": {"used": 1, "limit": 40}, "scored_runs": {"used": 0, "limit": 4}},
        }));
        insta::assert_snapshot!(plain(&submission), @"
        pending (queued)

        | it waits for a slot

        submission  8f0e
        hotkey      5Hk
        queue       place 3, done in about 3.3 min
        today       1 of 40 uploads, 0 of 4 scored runs
        ");
    }

    #[test]
    fn nothing_of_a_strangers_text_is_taken_for_ours_or_acted_upon() {
        let submission = submission(serde_json::json!({
            "id": "8f0e", "hotkey": "5\u{1b}[2J", "status": "rejected", "state": "cancelled\n", "reason": "a\nb",
            "name": "x\u{202e}y", "error": "Error\ncompleted (end_of_data)\n\u{1b}]0;x\u{7}", "created_at": "2026\n",
            "flags": ["a\nb"], "round": "\u{9b}1m", "attempts": [{"number": 1, "kind": "\n", "state": "\t"}],
        }));
        let shown = plain(&submission);
        assert!(
            !shown.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{9b}']),
            "{shown}"
        );
        assert!(
            shown.contains("| completed (end_of_data)") && shown.contains("cancelled\\n (a\\nb)"),
            "{shown}"
        );
        assert_eq!(exit(&submission), Exit::Submission);
    }

    #[test]
    fn only_a_time_of_ours_is_shortened() {
        assert_eq!(time("2026-11-28T18:26:03.828177Z"), "2026-11-28 18:26:03");
        for other in [
            "",
            "T",
            "2026-11-28",
            "2026-11-28T18:26:03+02:00",
            "ééééééééééééééééé",
        ] {
            assert_eq!(time(other), other);
        }
    }
}
