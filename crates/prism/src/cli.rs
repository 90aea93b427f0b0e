//! What can be typed: the top level and the options that every command has.
//!
//! Only shapes; each command's own arguments lie beside its code. Doc comments are the help texts.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    admin, appeal, attempt, cancel, check, config, data, demo, eval, explain, init, key, leaderboard, logs,
    recipe, report, review, round, runs, runtime, serve, status, submit, verify, watch, weights,
};

/// Measure how well a model learns from scratch
///
/// PRISM re-executes a submission's training in a sandbox and measures the bits per byte of everything the model
/// predicts while it learns, on text that it has not seen yet.
#[derive(Debug, Parser)]
#[command(name = "prism", version, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 ok, 1 the submission failed or was rejected, 2 usage or configuration, \
3 this machine cannot do it."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of every command.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Common {
    /// Print one JSON object to stdout; the same as `--format json`
    #[arg(long, global = true, display_order = 100)]
    pub(crate) json: bool,
    /// How results are printed
    #[arg(long, global = true, value_enum, value_name = "FORMAT", display_order = 101, default_value_t = Format::Text, hide_default_value = true)]
    pub(crate) format: Format,
}

impl Common {
    /// The format that was asked for.
    pub(crate) fn format(self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[value(alias = "human")]
    Text,
    /// For programs
    Json,
    /// For code scanning; `prism check` alone
    #[value(hide = true)]
    Sarif,
    /// For annotations of a workflow; `prism check` alone
    #[value(hide = true)]
    Github,
}

/// The commands, in the order in which a newcomer needs them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set everything up, evaluate three example bundles and show the leaderboard
    Demo(demo::DemoArgs),
    /// Make a small bundle that works, to start from
    Init(init::InitArgs),
    /// Check a bundle by the rules of the gate, in seconds
    ///
    /// The same rules as before an official run: the bundle's format, what its code may not do, and the model built
    /// once in the sandbox. Every finding says where, why, and what to write instead.
    Check(check::CheckArgs),
    /// Have a bundle read by the reviewer, as a service would before a run
    Review(Box<review::ReviewArgs>),
    /// Explain a rule of the gate or of the reviewer: what, why, and what to write instead
    Explain(explain::ExplainArgs),
    /// Fetch text, lock it into a corpus, open it after a round; or make a synthetic one
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Evaluate a bundle on a corpus
    Eval(Box<eval::EvalArgs>),
    /// Follow a run while it goes on: progress, bits per byte, speed
    Watch(watch::WatchArgs),
    /// Compute the score of a run again from its record, bit for bit, without Python
    Verify(verify::VerifyArgs),
    /// Write the HTML report of a run
    Report(report::ReportArgs),
    /// Look at the runs of this machine, or remove some
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// Make a hotkey to submit with, show its address, or sign with it
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Submit a bundle to a service
    Submit(Box<submit::SubmitArgs>),
    /// Show how a submission stands, or follow it to its end
    Status(status::StatusArgs),
    /// Show what the run of your submission has printed
    Logs(logs::LogsArgs),
    /// Stop your submission
    Cancel(cancel::CancelArgs),
    /// Show what the reviewer charges your submission with, and appeal
    Appeal(appeal::AppealArgs),
    /// Show the leaderboard
    Leaderboard(leaderboard::LeaderboardArgs),
    /// Show the weights, and why each hotkey has its weight
    Weights(weights::WeightsArgs),
    /// Run the whole challenge: API, queue, evaluations, ranks and weights
    Serve(serve::ServeArgs),
    /// Open, close and look at the rounds of a service
    #[command(subcommand)]
    Round(round::RoundCommand),
    /// Operate a service: release, reject, run again, withdraw, pause, back up
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Look at the configuration of a service
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// The process of one evaluation of a service
    #[command(hide = true)]
    Attempt(attempt::AttemptArgs),
    /// Look at the constants that a score depends on
    #[command(subcommand)]
    Recipe(recipe::RecipeCommand),
    /// Install the Python runtime, or find out what is missing on this machine
    #[command(subcommand)]
    Runtime(runtime::RuntimeCommand),
}
