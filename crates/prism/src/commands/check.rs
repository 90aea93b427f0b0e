//! `prism check`: what the gate says of a bundle, in seconds and without a corpus.
//!
//! The same rules as before an official run: the bundle's format, the static gate, the tokenizer's file, then, in the sandbox,
//! CPython's own compiler, the model built once and the training script imported. Whatever is wrong with the submission is a finding with a place; only what is wrong with the command line or
//! the machine is a failure. Nothing of a bundle runs that the static gate refuses.

mod read;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use prism_bundle::Bundle;
use prism_core::outcome::Reason;
use prism_core::recipe::Recipe;
use prism_engine::evaluate::Host;
use prism_engine::instantiate::{Instantiated, instantiate};
use prism_engine::tokenizer;
use prism_gate::render::{self, Instantiation, Style, Subject, Texts};
use prism_gate::{DistributedPolicy, GateError, Options, Report};
use prism_referee::connection::Cancel;

use self::read::{Read, earlier};
use super::eval::overrides::set_device;
use super::eval::{DeviceArg, waiting};
use super::{CommandResult, runtime};
use crate::cli::Format;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::{recipes, signals};

/// The seed of the model that is built.
const SEED: u64 = 0;

/// Arguments of `prism check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Formats: `text` (also `human`) and `json` as everywhere, and here `sarif` (2.1.0, for code \
scanning and editors) and `github` (annotations of a workflow). Exit codes: 0 nothing stops it, warnings included; \
1 an error stops it; 2 usage; 3 this machine cannot build the model."
)]
pub(crate) struct CheckArgs {
    /// The bundle: a directory or a `.zip` with `architecture.py` and `training.py`
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Do not build the model, and do not ask CPython's own compiler: milliseconds, and no Python runtime is needed
    #[arg(long)]
    no_instantiate: bool,
    /// Do not wait for a counted run to end: leave the model unbuilt and exit with 3
    #[arg(long)]
    no_wait: bool,
    /// Whose caps and row lengths the model must fit: `demo`, `official` or the path of a recipe file
    #[arg(long, default_value = recipes::DEFAULT, value_name = "NAME|FILE")]
    recipe: String,
    /// Where the model is built, if not where the recipe says: a recipe for a GPU is checked without one by `cpu`
    #[arg(long, value_enum, value_name = "DEVICE")]
    device: Option<DeviceArg>,
    /// Compare with the bundles in this directory, which came earlier: directories and `.zip` files
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// How findings about distributed training are treated
    #[arg(long, value_enum, default_value_t = DistributedArg::Flag, value_name = "POLICY")]
    distributed: DistributedArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DistributedArg {
    /// They are errors
    Reject,
    /// They are warnings
    Flag,
    /// They are not looked for
    Off,
}

impl From<DistributedArg> for DistributedPolicy {
    fn from(arg: DistributedArg) -> Self {
        match arg {
            DistributedArg::Reject => Self::Reject,
            DistributedArg::Flag => Self::Flag,
            DistributedArg::Off => Self::Off,
        }
    }
}

pub(crate) fn run(args: &CheckArgs, output: Output) -> CommandResult {
    let read = Read::new(&args.bundle)?;
    match read.bundle() {
        Ok(bundle) => check(&bundle, &read, args, output),
        Err(finding) => {
            let report = Report {
                findings: vec![*finding],
                omitted: 0,
            };
            let subject = read.subject(Texts::of_entries(&read.entries));
            tell(&report, &subject, output)?;
            Ok(Exit::Submission)
        }
    }
}

fn check(bundle: &Bundle, read: &Read, args: &CheckArgs, output: Output) -> CommandResult {
    let options = Options {
        distributed: args.distributed.into(),
    };
    let mut report = prism_gate::check(bundle, &options).map_err(|error| gate_failure(&error))?;
    let mut subject = read.subject(Texts::of_bundle(bundle));
    subject.bundle_sha256 = Some(bundle.hash().to_string());
    if let Some(dir) = &args.against {
        let progress = Progress::spinner(output, "comparing with earlier bundles");
        let earlier = earlier(dir, &args.bundle, &progress)?;
        let copied =
            prism_gate::similarity::against(bundle, &earlier).map_err(|error| gate_failure(&error))?;
        drop(progress);
        report.findings.extend(copied);
    }
    let mut recipe = recipes::load(&args.recipe).map_err(Failure::recipe_invalid)?;
    if let Some(device) = args.device {
        set_device(&mut recipe, device.into());
    }
    report.findings.extend(tokenizer::problem(bundle, &recipe));
    if args.no_instantiate {
        subject.instantiation = Instantiation::NotWanted;
    }
    let mut cannot = None;
    if !args.no_instantiate && !report.has_errors() {
        match instantiation_findings(bundle, &recipe, args, output)? {
            Ok(built) => {
                report.findings.extend(built.findings);
                subject.instantiation = Instantiation::Done {
                    parameters: built.parameters,
                };
            }
            Err(failure) => {
                subject.instantiation = Instantiation::Unavailable {
                    reason: failure.code.to_string(),
                    detail: failure.detail.clone(),
                };
                cannot = Some(failure);
            }
        }
    }
    tell(&report, &subject, output)?;
    match cannot {
        // The object says it already, and there is only one.
        Some(failure) if output.is_json() => Ok(failure.exit),
        Some(failure) => Err(failure),
        None if report.has_errors() => Ok(Exit::Submission),
        None => Ok(Exit::Ok),
    }
}

/// The gate had no thread to run on, or is broken.
fn gate_failure(error: &GateError) -> Failure {
    match error {
        GateError::Thread(_) => Failure::machine("resources", &error.to_string()),
        GateError::Defect => Failure::machine("internal", &error.to_string()),
    }
}

fn tell(report: &Report, subject: &Subject<'_>, output: Output) -> Result<(), Failure> {
    let internal = |error: serde_json::Error| {
        Failure::machine("internal", &format!("cannot serialise the findings: {error}"))
    };
    match output.format() {
        // The stream knows whether it is a terminal, and takes the colours out where it is none.
        Format::Text => crate::output::coloured(&render::human(report, subject, Style::Coloured)),
        Format::Json => crate::output::raw(&render::json(report, subject).map_err(internal)?),
        Format::Sarif => crate::output::raw(&render::sarif(report, subject).map_err(internal)?),
        Format::Github => crate::output::raw(&render::github(report, subject)),
    }
}

/// Builds the model once. The outer error ends the command; the inner one
/// is this machine's, and the findings so far are still told.
fn instantiation_findings(
    bundle: &Bundle,
    recipe: &Recipe,
    args: &CheckArgs,
    output: Output,
) -> Result<Result<Instantiated, Failure>, Failure> {
    let cancel = Cancel::new();
    signals::watch(&cancel.flag())?;
    let host = Host {
        helper: prism_sandbox::Helper::default(),
        when_busy: super::eval::when_busy(args.no_wait),
    };
    // A limit around this process is told by the next step, and nothing is copied under it.
    if prism_engine::caller_limits::provide(recipe).is_ok()
        && let Ok(settings) = runtime::settings()
        && let Ok(located) = prism_runtime::locate(&settings)
    {
        // Only so that it is seen, where it takes a minute: what is wrong with it the next step says, too.
        let _ = runtime::make_views(&settings, &located, &|| cancel.is_cancelled(), output);
    }
    let progress = Progress::spinner(output, "building the model");
    let built = instantiate(bundle, recipe, SEED, &host, &cancel, &mut |event| {
        if let Some(line) = waiting(&event) {
            progress.above(|| crate::output::warn(line));
        }
    });
    drop(progress);
    match built {
        Ok(built) => Ok(Ok(built)),
        Err(failure) if failure.reason == Reason::Cancelled => {
            Err(Failure::submission("cancelled", &failure))
        }
        Err(failure) => {
            let failure = Failure::from(failure);
            let other = "leave the model out with `--no-instantiate`";
            let hint = match &failure.hint {
                Some(hint) => format!("{hint}, or {other}"),
                None => other.to_owned(),
            };
            Ok(Err(failure.hint(hint)))
        }
    }
}
