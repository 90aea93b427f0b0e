//! `prism weights`: who would get how much, and why.
//!
//! The reasons are the service's own; nothing is computed here. Dry-run: nothing anywhere writes to a chain.

use std::fmt::Write as _;

use clap::Args;
use prism_client::wire::weights::{Explained, Place, Taken, Weights};

use super::CommandResult;
use super::remote::{ServiceArgs, shown};
use crate::output::Output;
use crate::show::{self};

/// Arguments of `prism weights`.
#[derive(Debug, Args)]
pub(crate) struct WeightsArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// For each hotkey: rank, tie group, the policy's arithmetic, and the result that it comes from
    #[arg(long)]
    explain: bool,
}

pub(crate) fn run(args: &WeightsArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    let got = client.weights()?;
    output.result(&got.raw, || text(&got.value, args.explain))
}

fn text(weights: &Weights, explain: bool) -> String {
    let mut out = head(weights);
    if explain {
        for explained in &weights.explanation {
            let _ = write!(out, "\n{}", reason(explained));
        }
        return out;
    }
    if weights.weights.is_empty() {
        out.push_str("nobody has a weight\n");
        return out;
    }
    let mut largest_first: Vec<_> = weights.weights.iter().collect();
    largest_first.sort_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let rows: Vec<Vec<String>> = largest_first
        .into_iter()
        .map(|(hotkey, weight)| vec![format!("{weight:.6}"), show::line(hotkey)])
        .collect();
    let _ = write!(out, "\n{}", show::table(&show::head("weight>|hotkey"), &rows));
    out
}

fn head(weights: &Weights) -> String {
    let line = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), show::line);
    show::pairs(&[
        ("round", line(&weights.round)),
        ("policy", line(&weights.policy)),
        (
            "computed",
            weights
                .computed_at
                .as_deref()
                .map_or_else(|| "-".to_owned(), shown::time),
        ),
        ("inputs", line(&weights.inputs_hash)),
    ])
}

/// Why one hotkey has its weight, in a few lines.
fn reason(explained: &Explained) -> String {
    let bold = anstyle::Style::new().bold();
    let mut out = format!(
        "{bold}{:.6}{bold:#}  {}\n",
        explained.weight,
        show::line(&explained.hotkey)
    );
    match &explained.place {
        Place::Taken(taken) => place(&mut out, taken),
        Place::None { submission, .. } => {
            let why = explained.place.why_none().unwrap_or_default();
            let _ = writeln!(
                out,
                "  no place: {} (submission {})",
                show::line(&why),
                show::line(submission)
            );
        }
    }
    if let Some(provisional) = &explained.provisional {
        let _ = writeln!(
            out,
            "  waits for its confirmation: {}, rank {} on the board, score {:.9}",
            show::line(&provisional.submission),
            provisional.board_rank,
            provisional.final_score
        );
    }
    out
}

fn place(out: &mut String, taken: &Taken) {
    let _ = writeln!(
        out,
        "  rank {}, tie group {}, position {}: {}",
        taken.rank,
        taken.tie_group,
        taken.position,
        show::line(&taken.arithmetic)
    );
    let share = taken
        .share
        .map_or_else(|| "nothing".to_owned(), |share| share.to_string());
    let _ = writeln!(out, "  share {share} of {} in all", taken.sum_of_shares);
    let _ = writeln!(
        out,
        "  from {}: score {:.9}, {} bpb",
        show::line(&taken.submission),
        taken.final_score,
        show::with_error(taken.bpb, taken.bpb_se)
    );
    if let Some(held_by) = taken
        .held_by
        .as_deref()
        .filter(|&held_by| held_by != taken.submission)
    {
        let _ = writeln!(out, "  holds its position by {}", show::line(held_by));
    }
    match &taken.against {
        Some(against) => drop(writeln!(out, "  {}", show::line(&against.sentence))),
        None => out.push_str("  the best of all\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights() -> Weights {
        let taken = |rank: u32, submission: &str, against: serde_json::Value| {
            serde_json::json!({"taken": {"rank": rank, "tie_group": rank, "position": rank, "submission": submission,
                "final_score": 0.25, "bpb": 3.0, "bpb_se": 0.001, "against": against, "held_by": submission,
                "arithmetic": "0.5^(p - 1)", "share": 1.0, "sum_of_shares": 1.5}})
        };
        serde_json::from_value(serde_json::json!({
            "round": "main", "policy": "rank-geometric(ratio=0.5, top=20)",
            "computed_at": "2026-11-28T18:26:03.828177Z", "inputs_hash": "abc",
            "weights": {"5B": 0.25, "5A": 0.75},
            "explanation": [
                {"hotkey": "5A", "weight": 0.75, "place": taken(1, "s-1", serde_json::Value::Null), "provisional": null},
                {"hotkey": "5B", "weight": 0.25, "place": taken(2, "s-2", serde_json::json!({"sentence": "worse\n"})),
                 "provisional": {"submission": "s-3", "board_rank": 1, "final_score": 0.5}},
                {"hotkey": "5\u{1b}", "weight": 0.0, "place": {"none": {"submission": "s-4", "why": {"not_counted": "failed"}}}},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn every_hotkey_has_its_reason() {
        let plain = |explain| anstream::adapter::strip_str(&text(&weights(), explain)).to_string();
        insta::assert_snapshot!(plain(false), @"
        round     main
        policy    rank-geometric(ratio=0.5, top=20)
        computed  2026-11-28 18:26:03
        inputs    abc

          weight  hotkey
        0.750000  5A
        0.250000  5B
        ");
        insta::assert_snapshot!(plain(true), @r#"
        round     main
        policy    rank-geometric(ratio=0.5, top=20)
        computed  2026-11-28 18:26:03
        inputs    abc

        0.750000  5A
          rank 1, tie group 1, position 1: 0.5^(p - 1)
          share 1 of 1.5 in all
          from s-1: score 0.250000000, 3.0000 ± 0.0010 bpb
          the best of all

        0.250000  5B
          rank 2, tie group 2, position 2: 0.5^(p - 1)
          share 1 of 1.5 in all
          from s-2: score 0.250000000, 3.0000 ± 0.0010 bpb
          worse\n
          waits for its confirmation: s-3, rank 1 on the board, score 0.500000000

        0.000000  5\u{1b}
          no place: not counted: failed (submission s-4)
        "#);
    }

    #[test]
    fn nobody_may_have_a_weight() {
        let empty: Weights = serde_json::from_value(serde_json::json!({"weights": {}})).unwrap();
        assert!(text(&empty, false).contains("nobody has a weight"));
    }
}
