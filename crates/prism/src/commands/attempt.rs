//! `prism attempt DIR`: the process of one evaluation that a service has started. Not for people.
//!
//! Takes over the attempt's lock, evaluates, writes report and outcome. Everything it needs lies in the directory.

use std::path::PathBuf;

use clap::Args;
use prism_engine::attempt::Driver;
use prism_engine::evaluate::{Host, evaluate};
use prism_engine::machine_lock::WhenBusy;
use prism_engine::outcome::Outcome;
use prism_referee::connection::Cancel;

use super::CommandResult;
use crate::failure::{Exit, Failure};
use crate::output::{self, Output};
use crate::signals;

/// Arguments of `prism attempt`.
#[derive(Debug, Args)]
pub(crate) struct AttemptArgs {
    /// The directory of the attempt
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(crate) fn run(args: &AttemptArgs, output: Output) -> CommandResult {
    let cancel = Cancel::new();
    signals::watch(&cancel.flag())?;
    // Whoever was not handed the attempt must not write into its directory: another process may be at work there.
    let driver = Driver::take_over(&args.dir)?;
    let host = Host {
        helper: prism_sandbox::Helper::default(),
        when_busy: WhenBusy::Wait,
    };
    let outcome = match driver.enter_slot() {
        Ok(()) => evaluate(&driver.request(), &host, &cancel, &mut |event| {
            driver.told(&event);
        }),
        Err(failure) => Outcome::of(failure),
    };
    write_report(&outcome, output);
    let exit = Exit::of(&outcome);
    driver
        .conclude(&outcome)
        .map_err(|error| Failure::machine("storage", &format!("the outcome cannot be written: {error}")))?;
    Ok(exit)
}

/// A report that cannot be written is missed and ends nothing.
fn write_report(outcome: &Outcome, output: Output) {
    if let Some(dir) = &outcome.run_dir
        && let Err(failure) = super::report::write_public(dir, output)
    {
        output::warn(format_args!("the report was not written: {}", failure.detail));
    }
}
