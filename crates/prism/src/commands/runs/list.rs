//! `prism runs list`: a line a run, in 80 columns.

use std::cmp::Ordering;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use prism_core::outcome::Status;
use prism_engine::about::utc;
use prism_engine::runs::{self, RunEntry, RunState};

use super::{CommandResult, DEFAULT_RUNS};
use crate::output::Output;
use crate::show::{self, Lean};

/// Where a line ends on every terminal.
const COLUMNS: usize = 80;
/// What each column keeps of its width where a line would be longer: the figures all, the texts enough to be known.
const LEAST: [usize; 7] = [12, 6, 11, 5, 5, 9, 7];

/// Of a longer name of a run only the beginning is shown, which every command takes as well.
const RUN_CHARS_MAX: usize = 12;

/// Arguments of `prism runs list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where the runs are
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
    /// What they are sorted by: figures from the least, words from A, dates and sizes from the newest and largest
    #[arg(long, value_enum, default_value_t = Sort::Date, value_name = "COLUMN")]
    sort: Sort,
    /// The other way round
    #[arg(long)]
    reverse: bool,
    /// Leave nothing out: whole names, score and size, however long the lines
    #[arg(long)]
    wide: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// When it began
    Date,
    /// What it is called
    Name,
    /// The recipe
    Recipe,
    /// The corpus
    Corpus,
    /// How far it is, or how it ended
    State,
    /// Bits per byte
    Bpb,
    /// What it takes on disk
    Size,
}

pub(super) fn run(args: &ListArgs, output: Output) -> CommandResult {
    let mut found = runs::list(&args.runs)?;
    found.sort_by(|a, b| order(args.sort, a, b));
    if args.reverse {
        found.reverse();
    }
    let value = serde_json::json!({
        "runs": found,
        "bytes": found.iter().map(|run| run.bytes).sum::<u64>(),
    });
    output.result(&value, || text(args, &found))
}

/// Which of two comes first.
fn order(sort: Sort, a: &RunEntry, b: &RunEntry) -> Ordering {
    let bpb = |run: &RunEntry| run.state.bpb().unwrap_or(f64::INFINITY);
    match sort {
        Sort::Date => began(b).cmp(&began(a)),
        Sort::Name => name(a).cmp(&name(b)),
        Sort::Recipe => about(a, |about| &about.recipe).cmp(&about(b, |about| &about.recipe)),
        Sort::Corpus => about(a, |about| &about.corpus).cmp(&about(b, |about| &about.corpus)),
        Sort::State => state(a).cmp(&state(b)),
        Sort::Bpb => bpb(a).total_cmp(&bpb(b)),
        Sort::Size => b.bytes.cmp(&a.bytes),
    }
}

/// When it began; of a run of which nobody knows, when it last changed.
fn began(run: &RunEntry) -> String {
    match run.state.about() {
        Some(about) => about.started_at.clone(),
        None => utc(run.modified_unix_seconds),
    }
}

fn about(run: &RunEntry, pick: fn(&prism_report::About) -> &String) -> String {
    run.state
        .about()
        .map_or_else(|| "-".to_owned(), |about| show::line(pick(about)))
}

fn name(run: &RunEntry) -> String {
    match (run.state.about(), run.state.outcome()) {
        (Some(about), _) => show::line(&about.name),
        (None, Some(outcome)) => outcome
            .submission_id
            .as_deref()
            .map_or_else(|| "-".to_owned(), show::line),
        (None, None) => "-".to_owned(),
    }
}

/// How far it is, in a word.
fn state(run: &RunEntry) -> String {
    match &run.state {
        RunState::Finished(outcome) if outcome.status != Status::Completed => outcome.reason.to_string(),
        RunState::Finished(outcome) if outcome.no_rank.is_some() => "no rank".to_owned(),
        RunState::Finished(_) => "completed".to_owned(),
        state => state.name().to_owned(),
    }
}

fn text(args: &ListArgs, found: &[RunEntry]) -> String {
    let total = show::bytes(found.iter().map(|run| run.bytes).sum());
    let summary = format!(
        "{} in {}, {total}\n",
        show::count(found.len() as u64, "run", "runs"),
        show::line(&args.runs.display().to_string())
    );
    if found.is_empty() {
        return summary;
    }
    let mut head = show::head("run|name|begun (UTC)|recipe|corpus|state|bpb>");
    if args.wide {
        head.extend([("final score", Lean::Right), ("on disk", Lean::Right)]);
    }
    let rows = found.iter().map(|run| row(args, run));
    let mut rows: Vec<_> = rows.collect();
    if !args.wide {
        show::fit(&head, &mut rows, &LEAST, COLUMNS);
    }
    let note = if args.wide {
        "bpb: bits per byte, lower is better. Final score: higher is better.\n"
    } else {
        ""
    };
    format!("{}\n{note}{summary}", show::table(&head, &rows))
}

fn row(args: &ListArgs, run: &RunEntry) -> Vec<String> {
    let began = began(run);
    let (run_name, date) = if args.wide {
        (show::line(&run.name), began.clone())
    } else {
        let shown: String = show::line(short(&run.name)).chars().take(RUN_CHARS_MAX).collect();
        (shown, short_date(&began))
    };
    let mut row = vec![
        run_name,
        name(run),
        date,
        about(run, |about| &about.recipe),
        about(run, |about| &about.corpus),
        state(run),
        show::number(run.state.bpb(), 4),
    ];
    if args.wide {
        let outcome = run.state.outcome();
        row.extend([
            show::number(outcome.and_then(|outcome| outcome.final_score), 5),
            show::bytes(run.bytes),
        ]);
    }
    row
}

/// Of a name that we gave, `run-<seconds>-<bundle>-<random>`, the end, by which every command finds the run.
fn short(name: &str) -> &str {
    let parts: Vec<&str> = name.split('-').collect();
    match parts[..] {
        ["run", seconds, bundle, random]
            if seconds.bytes().all(|byte| byte.is_ascii_digit())
                && bundle.len() == 8
                && random.len() == 8 =>
        {
            random
        }
        _ => name,
    }
}

/// Month, day, hour and minute of a time as RFC 3339 writes it.
fn short_date(time: &str) -> String {
    match (time.get(5..10), time.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute}"),
        _ => show::line(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_we_gave_are_shown_by_their_end() {
        assert_eq!(short("run-1732843401-1a2b3c4d-5e6f7a8b"), "5e6f7a8b");
        for own in ["run-new", "run-x-1a2b3c4d-5e6f7a8b", "a-b-c-d", ""] {
            assert_eq!(short(own), own);
        }
        assert_eq!(short_date("2026-11-29T01:23:21Z"), "11-29 01:23");
        assert_eq!(short_date("\u{1b}"), "\\u{1b}");
    }
}
