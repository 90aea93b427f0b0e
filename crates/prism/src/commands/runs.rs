//! `prism runs`: lists, compares and removes runs.

mod compare;
mod list;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use prism_engine::runs::{self, Prune, RunsError};

use super::CommandResult;
use super::eval::DEFAULT_RUNS;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show;

const SECONDS_PER_DAY: u64 = 86_400;

/// `prism runs ...`
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List the runs, newest first, those that go on too
    List(list::ListArgs),
    /// Compare runs: a table and their curves over each other
    Compare(compare::CompareArgs),
    /// Remove old runs; a run that still goes on is never removed
    Prune(PruneArgs),
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

pub(crate) fn run(command: &RunsCommand, output: Output) -> CommandResult {
    match command {
        RunsCommand::List(args) => list::run(args, output),
        RunsCommand::Compare(args) => compare::run(args, output),
        RunsCommand::Prune(args) => prune(args, output),
    }
}

impl From<RunsError> for Failure {
    fn from(error: RunsError) -> Self {
        let code = match error {
            RunsError::NotADirectory { .. } => "runs_not_found",
            RunsError::NoSuchRun { .. } => "not_a_run",
            RunsError::Ambiguous { .. } => "run_ambiguous",
            RunsError::Io { .. } => return Self::machine("storage", &error),
        };
        Self::usage(code, &error)
    }
}

fn prune(args: &PruneArgs, output: Output) -> CommandResult {
    let what = Prune {
        keep: args.keep.unwrap_or(0),
        older_than: args
            .older_than_days
            .map(|days| Duration::from_secs(days.saturating_mul(SECONDS_PER_DAY))),
        dry_run: args.dry_run,
    };
    let pruned = runs::prune(&args.runs, &what, SystemTime::now())?;
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
