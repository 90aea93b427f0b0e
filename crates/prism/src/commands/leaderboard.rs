//! `prism leaderboard`: who leads, in 80 columns.

use clap::Args;
use prism_client::wire::board::Row;

use super::CommandResult;
use super::remote::{ServiceArgs, shown};
use crate::output::Output;
use crate::show::{self};

/// Where a line ends on every terminal.
const COLUMNS: usize = 80;
/// What each column keeps of its width where a line would be longer: the figures all, the texts enough to be known.
const LEAST: [usize; 6] = [4, 3, 12, 15, 8, 10];

/// Arguments of `prism leaderboard`.
#[derive(Debug, Args)]
pub(crate) struct LeaderboardArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// The best of an epoch of six hours instead of the board of the round
    #[arg(long, value_name = "N")]
    epoch: Option<u64>,
    /// Leave nothing out: whole hotkeys and ids, however long the lines
    #[arg(long)]
    wide: bool,
}

pub(crate) fn run(args: &LeaderboardArgs, output: Output) -> CommandResult {
    let client = args.service.client()?;
    if let Some(epoch) = args.epoch {
        let got = client.leaderboard(Some(epoch))?;
        let title = format!("epoch {}\n", got.value.epoch_id);
        return output.result(&got.raw, || text(&title, &got.value.entries, args.wide));
    }
    let got = client.board()?;
    let board = &got.value;
    let round = board
        .round
        .as_ref()
        .map_or_else(|| "no round yet".to_owned(), |round| show::line(&round.name));
    let noise = board.noise_bpb.map_or_else(
        || "noise floor not measured".to_owned(),
        |noise| format!("noise floor {noise:.5} bpb"),
    );
    let changed = board
        .changed_at
        .as_deref()
        .map(|at| format!(", last change {}", shown::time(at)));
    let title = format!("{round}, {noise}{}\n", changed.unwrap_or_default());
    output.result(&got.raw, || text(&title, &board.entries, args.wide))
}

fn text(title: &str, rows: &[Row], wide: bool) -> String {
    if rows.is_empty() {
        return format!("{title}nobody has a rank yet\n");
    }
    let head = show::head("rank>|tie>|score>|bits per byte>|weight>|hotkey|submission");
    // Ids are for the next command, so that they are whole or not there.
    let columns = if wide { head.len() } else { head.len() - 1 };
    let mut cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row)[..columns].to_vec()).collect();
    if !wide {
        show::fit(&head[..columns], &mut cells, &LEAST, COLUMNS);
    }
    let provisional = if rows.iter().any(|row| row.provisional) {
        "* waits for its confirmation and takes no weight yet\n"
    } else {
        ""
    };
    format!("{title}\n{}{provisional}", show::table(&head[..columns], &cells))
}

fn cells(row: &Row) -> Vec<String> {
    let mark = if row.provisional { "*" } else { "" };
    let bpb = match (row.bpb, row.bpb_se) {
        (Some(bpb), Some(se)) => show::with_error(bpb, se),
        (bpb, _) => show::number(bpb, 4),
    };
    vec![
        format!("{}{mark}", row.rank),
        row.tie_group
            .map_or_else(|| "-".to_owned(), |group| group.to_string()),
        // Enough digits that the order is visible.
        format!("{:.9}", row.score),
        bpb,
        show::number(row.weight, 4),
        show::line(&row.hotkey),
        show::line(&row.submission_id),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        serde_json::from_value(serde_json::json!([
            {"rank": 1, "hotkey": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "score": 0.208_123_456,
             "submission_id": "8f0e7c1e-0000-4000-8000-000000000000", "bpb": 3.8052, "bpb_se": 0.0001, "tie_group": 1,
             "provisional": true, "weight": 0.0},
            {"rank": 2, "hotkey": "5\u{1b}[2J\n", "score": 0.1, "submission_id": "b"},
        ]))
        .unwrap()
    }

    #[test]
    fn a_board_fits_a_terminal_and_holds_nothing_dangerous() {
        let plain = |wide| anstream::adapter::strip_str(&text("main\n", &rows(), wide)).to_string();
        insta::assert_snapshot!(plain(false), @r#"
        main

        rank  tie        score    bits per byte  weight  hotkey
          1*    1  0.208123456  3.8052 ± 0.0001  0.0000  5GrwvaEF5zXb26Fz9rcQpDWS57CtER…
           2    -  0.100000000                -       -  5\u{1b}[2J\n
        * waits for its confirmation and takes no weight yet
        "#);
        let wide = plain(true);
        assert!(
            wide.contains("8f0e7c1e-0000-4000-8000-000000000000") && !wide.contains('\u{1b}'),
            "{wide}"
        );
        assert_eq!(text("main\n", &[], false), "main\nnobody has a rank yet\n");
    }
}
