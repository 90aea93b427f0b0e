//! `prism watch`: follows a run that another process evaluates.
//!
//! Reads the run's event file and asks its lock whether it is alive; ends with the run, as `prism eval` would. It
//! changes nothing in the run's directory and can be stopped and started again at any time.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use prism_engine::event_file::Tail;
use prism_engine::outcome::Outcome;
use prism_engine::run_dir::RESULT_FILE;
use prism_engine::run_lock;
use prism_engine::runs::{self, RunState};

use super::CommandResult;
use super::eval::live::Live;
use super::eval::{self, DEFAULT_RUNS};
use crate::failure::Failure;
use crate::output::Output;
use crate::show;

/// How often the files are looked at.
const POLL: Duration = Duration::from_millis(250);

/// Arguments of `prism watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The run: its directory, or its name or a part of it
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where runs are looked for by name
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
}

pub(crate) fn run(args: &WatchArgs, output: Output) -> CommandResult {
    let dir = runs::find(&args.runs, &args.run)?;
    let outcome = follow(&dir, output)?;
    Ok(eval::conclude(&outcome, output))
}

/// Tells what happens until the run is over.
fn follow(dir: &Path, output: Output) -> Result<Outcome, Failure> {
    let live = Live::new(output);
    let mut tail = Tail::new(dir);
    loop {
        // Asked before the files are read: whoever has let go of the lock by now has written all that it will.
        let is_alive = run_lock::is_held(dir).unwrap_or(true);
        let events = tail.poll().map_err(|error| {
            let text = format!(
                "cannot follow {}: {}",
                dir.display(),
                show::line(&error.to_string())
            );
            Failure::machine("events_unreadable", &text)
        })?;
        for line in events {
            live.event_at(line.t, &line.event);
        }
        if !is_alive || dir.join(RESULT_FILE).exists() {
            match runs::state(dir) {
                Some(RunState::Finished(outcome)) => return Ok(*outcome),
                Some(RunState::Running(_)) => {}
                Some(RunState::Died(_)) => return Err(died(dir)),
                Some(RunState::Damaged) => {
                    let text = format!("{} cannot be understood", dir.join(RESULT_FILE).display());
                    return Err(Failure::submission("run_damaged", &text));
                }
                None => {
                    let text = format!("{} is no run", dir.display());
                    return Err(Failure::usage("not_a_run", &text).hint("see `prism runs list`"));
                }
            }
        }
        thread::sleep(POLL);
    }
}

fn died(dir: &Path) -> Failure {
    let text = format!(
        "the run in {} died: it has no `{RESULT_FILE}` and nobody holds its lock, so it was killed or the machine went down",
        dir.display()
    );
    Failure::machine("run_died", &text).hint(format!(
        "`prism report {}` shows how far it came; start it again with `prism eval`",
        dir.display()
    ))
}
