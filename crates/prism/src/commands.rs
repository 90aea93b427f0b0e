//! The commands: a file each, and the one place that calls them.

pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod init;
pub(crate) mod recipe;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod runtime;
pub(crate) mod verify;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What a command comes to: an exit, or a failure that is still to be told.
pub(crate) type CommandResult = Result<Exit, Failure>;

/// Runs what was typed.
pub(crate) fn run(cli: &Cli) -> ExitCode {
    let output = Output::new(cli.common.format());
    let result = match &cli.command {
        Command::Demo(args) => demo::run(args, output),
        Command::Init(args) => init::run(args, output),
        Command::Data(command) => data::run(command, output),
        // Its outcome is an object of its own, also where it fails.
        Command::Eval(args) => return eval::run(args, output).into(),
        Command::Verify(args) => verify::run(args, output),
        Command::Report(args) => report::run(args, output),
        Command::Runs(command) => runs::run(command, output),
        Command::Recipe(command) => recipe::run(command, output),
        Command::Runtime(command) => runtime::run(command, output),
    };
    result.unwrap_or_else(|failure| output.failure(&failure)).into()
}
