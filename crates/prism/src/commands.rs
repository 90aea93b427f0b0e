//! The commands: a file each, and the one place that calls them.

pub(crate) mod admin;
pub(crate) mod appeal;
pub(crate) mod attempt;
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod leaderboard;
pub(crate) mod logs;
mod operate;
pub(crate) mod recipe;
mod remote;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod round;
pub(crate) mod runs;
pub(crate) mod runtime;
mod secret_file;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod verify;
pub(crate) mod watch;
pub(crate) mod weights;

use std::process::ExitCode;

use crate::cli::{Cli, Command, Format};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What a command comes to: an exit, or a failure that is still to be told.
pub(crate) type CommandResult = Result<Exit, Failure>;

/// Runs what was typed.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let output = Output::new(cli.common.format());
    if let Format::Sarif | Format::Github = output.format()
        && !matches!(cli.command, Command::Check(_))
        && !(matches!(cli.command, Command::Review(_)) && output.format() == Format::Sarif)
    {
        let text = "only `prism check` prints SARIF and workflow commands, and `prism review` SARIF";
        let failure = Failure::usage("usage", &text).hint("use `--format text` or `--format json`");
        return output.failure(&failure).into();
    }
    if let Command::Demo(_) | Command::Check(_) | Command::Data(_) | Command::Eval(_) = cli.command {
        // What killed ones of them have left, also where this one makes nothing: a corpus is begun beside its place, which
        // most often is in the working directory.
        for place in [std::env::temp_dir(), ".".into()] {
            prism_scratch::sweep(&place);
        }
    }
    let result = match cli.command {
        Command::Demo(args) => demo::run(&args, output),
        Command::Init(args) => init::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Review(args) => review::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Data(command) => data::run(&command, output),
        // Its outcome is an object of its own, also where it fails.
        Command::Eval(args) => return eval::run(&args, output).into(),
        // So has its watcher.
        Command::Watch(args) => watch::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Report(args) => report::run(&args, output),
        Command::Runs(command) => runs::run(&command, output),
        Command::Key(command) => key::run(&command, output),
        Command::Submit(args) => submit::run(&args, output),
        Command::Status(args) => status::run(&args, output),
        Command::Logs(args) => logs::run(&args, output),
        Command::Cancel(args) => cancel::run(&args, output),
        Command::Appeal(args) => appeal::run(&args, output),
        Command::Leaderboard(args) => leaderboard::run(&args, output),
        Command::Weights(args) => weights::run(&args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Round(command) => round::run(command, output),
        Command::Admin(command) => admin::run(command, output),
        Command::Config(command) => config::run(&command, output),
        Command::Attempt(args) => attempt::run(&args, output),
        Command::Recipe(command) => recipe::run(&command, output),
        Command::Runtime(command) => runtime::run(&command, output),
    };
    result.unwrap_or_else(|failure| output.failure(&failure)).into()
}
