//! The commands: a file each, and the one place that calls them.

pub(crate) mod check;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod recipe;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod runtime;
pub(crate) mod verify;

use std::process::ExitCode;

use crate::cli::{Cli, Command, Format};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What a command comes to: an exit, or a failure that is still to be told.
pub(crate) type CommandResult = Result<Exit, Failure>;

/// Runs what was typed.
pub(crate) fn run(cli: &Cli) -> ExitCode {
    let output = Output::new(cli.common.format());
    if let Format::Sarif | Format::Github = output.format()
        && !matches!(cli.command, Command::Check(_))
    {
        let text =
            "only `prism check` prints SARIF and workflow commands; use `--format text` or `--format json`";
        return output.failure(&Failure::usage("usage", &text)).into();
    }
    let result = match &cli.command {
        Command::Demo(args) => demo::run(args, output),
        Command::Init(args) => init::run(args, output),
        Command::Check(args) => check::run(args, output),
        Command::Explain(args) => explain::run(args, output),
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
