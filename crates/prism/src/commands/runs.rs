//! `prism runs`: what ran, what it takes on disk, and how to be rid of it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use prism_engine::runs::{self, Prune, RunState, RunsError};

use super::CommandResult;
use super::eval::DEFAULT_RUNS;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show::{self, Lean};

const SECONDS_PER_DAY: u64 = 86_400;

/// `prism runs ...`
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List the runs, newest first
    List(ListArgs),
    /// Remove old runs
    Prune(PruneArgs),
}

/// Arguments of `prism runs list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where the runs are
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
}

/// Arguments of `prism runs prune`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct PruneArgs {
    /// Where the runs are
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
    /// Keep the newest N runs
    #[arg(long, value_name = "N", group = "what")]
    keep: Option<usize>,
    /// Remove only what is older than so many days
    #[arg(long, value_name = "D", group = "what")]
    older_than_days: Option<u64>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs one of them.
pub(crate) fn run(command: &RunsCommand, output: Output) -> CommandResult {
    match command {
        RunsCommand::List(args) => list(args, output),
        RunsCommand::Prune(args) => prune(args, output),
    }
}

fn failure(error: &RunsError) -> Failure {
    match error {
        RunsError::NotADirectory { .. } => Failure::usage("runs_not_found", error),
        RunsError::Io { .. } => Failure::machine("storage", error),
    }
}

fn list(args: &ListArgs, output: Output) -> CommandResult {
    let found = runs::list(&args.runs).map_err(|error| failure(&error))?;
    let value = serde_json::json!({
        "runs": found,
        "bytes": found.iter().map(|run| run.bytes).sum::<u64>(),
    });
    output.result(&value, || {
        let rows: Vec<_> = found
            .iter()
            .map(|run| {
                let score = |value: Option<f64>, digits: usize| {
                    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
                };
                let outcome = run.state.outcome();
                vec![
                    show::line(&run.name),
                    match &run.state {
                        RunState::Finished(outcome) => {
                            format!("{} ({})", outcome.status.as_str(), outcome.reason)
                        }
                        state => state.name().to_owned(),
                    },
                    score(outcome.and_then(|o| o.bpb_ranked), 4),
                    score(outcome.and_then(|o| o.final_score), 5),
                    show::bytes(run.bytes),
                ]
            })
            .collect();
        let head = [
            ("run", Lean::Left),
            ("status", Lean::Left),
            ("ranked bpb", Lean::Right),
            ("final score", Lean::Right),
            ("on disk", Lean::Right),
        ];
        let total = show::bytes(found.iter().map(|run| run.bytes).sum());
        let summary = format!(
            "{} in {}, {total}\n",
            show::count(found.len() as u64, "run", "runs"),
            args.runs.display()
        );
        if found.is_empty() {
            summary
        } else {
            format!("{}\n{summary}", show::table(&head, &rows))
        }
    })?;
    Ok(Exit::Ok)
}

fn prune(args: &PruneArgs, output: Output) -> CommandResult {
    let what = Prune {
        keep: args.keep.unwrap_or(0),
        older_than: args
            .older_than_days
            .map(|days| Duration::from_secs(days.saturating_mul(SECONDS_PER_DAY))),
        dry_run: args.dry_run,
    };
    let pruned = runs::prune(&args.runs, &what, SystemTime::now()).map_err(|error| failure(&error))?;
    output.result(&pruned, || {
        let names = show::lines(pruned.removed.iter().map(|run| show::line(&run.name)));
        let verb = if args.dry_run {
            "would be removed"
        } else {
            "removed"
        };
        let number = show::count(pruned.removed.len() as u64, "run", "runs");
        format!("{names}{number} {verb}, {}\n", show::bytes(pruned.bytes))
    })?;
    for (name, error) in &pruned.failed {
        crate::output::warn(format_args!(
            "{} was not removed: {}",
            show::line(name),
            show::line(error)
        ));
    }
    Ok(if pruned.failed.is_empty() {
        Exit::Ok
    } else {
        Exit::Machine
    })
}
