//! `prism eval`: one bundle, one corpus, one outcome.
//!
//! Builds the request, calls the engine, tells its events, prints its outcome. With `--json` exactly one object is
//! printed, on every exit. Reading order: the arguments here, `overrides` (flags that change the recipe), `live` and
//! `events` (what is told meanwhile), `summary` (what is told at the end).

mod events;
pub(super) mod live;
pub(super) mod overrides;
mod summary;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use prism_core::outcome::{Fault, Reason};
use prism_core::recipe::Device;
use prism_engine::evaluate::{Host, evaluate};
use prism_engine::event::EvalEvent;
use prism_engine::machine_lock::WhenBusy;
use prism_engine::outcome::Outcome;
use prism_engine::request::{EvalRequest, RehearsalReason, RunPlace};
use prism_referee::connection::Cancel;
use prism_referee::draws::AuditKey;

use super::secret_file;
use crate::failure::{Exit, Failure};
use crate::output::{Output, say_error};
use crate::{recipes, show, signals};

pub(super) use live::waiting;

/// Where runs go when nothing else is said.
pub(crate) const DEFAULT_RUNS: &str = "runs";
/// Over the flags that keep a run from counting.
const REHEARSAL: &str = "Changes that make the run a rehearsal";
/// A key file holds 64 digits and perhaps a line end.
const KEY_FILE_BYTES_MAX: usize = 256;

/// Arguments of `prism eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The bundle: a directory or a `.zip` with `architecture.py` and `training.py`
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// A locked corpus; see `prism data lock`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The constants of the measurement: `demo`, `official` or the path of a file
    ///
    /// A run under any other recipe than the built-in `official` is a rehearsal: it is measured in the same way, but does not count.
    #[arg(long, default_value = recipes::DEFAULT, value_name = "NAME|FILE")]
    recipe: String,
    /// The seed that is forced on the submission
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Where the model runs
    #[arg(long, value_enum, value_name = "DEVICE", help_heading = REHEARSAL)]
    device: Option<DeviceArg>,
    /// Threads of torch's pools
    #[arg(long, value_name = "N", help_heading = REHEARSAL)]
    threads: Option<u32>,
    /// Read only so many bytes of the stream, in whole documents
    #[arg(long, value_name = "N", help_heading = REHEARSAL)]
    max_bytes: Option<u64>,
    /// Probability that one byte's target is audited
    #[arg(long, value_name = "R", help_heading = REHEARSAL)]
    audit_rate: Option<f64>,
    /// Time limit of the learner, as wall time
    #[arg(long, value_name = "SECONDS", help_heading = REHEARSAL)]
    time_limit: Option<u64>,
    /// A file with the audit key, 64 hexadecimal digits, readable by its owner alone
    #[arg(long, value_name = "FILE", help_heading = REHEARSAL)]
    audit_key_file: Option<PathBuf>,
    /// Skip the static gate; `prism check` shows what it says
    #[arg(long, help_heading = REHEARSAL)]
    no_gate: bool,
    /// Do not wait for the machine: next to rehearsals the run becomes one too, next to a counted run it ends as `machine_busy`
    #[arg(long)]
    no_wait: bool,
    /// Where the run's directory is made
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
    /// Exactly the run's directory: it must be empty or not exist
    #[arg(long, value_name = "DIR", conflicts_with = "runs")]
    run_dir: Option<PathBuf>,
    /// A name that a driving program knows the submission by
    #[arg(long, value_name = "NAME")]
    submission_id: Option<String>,
    /// Write one JSON line per event to this open file descriptor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(2..))]
    progress_fd: Option<i32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DeviceArg {
    /// The processor
    Cpu,
    /// The first NVIDIA GPU
    Cuda,
}

impl From<DeviceArg> for Device {
    fn from(arg: DeviceArg) -> Self {
        match arg {
            DeviceArg::Cpu => Self::Cpu,
            DeviceArg::Cuda => Self::Cuda,
        }
    }
}

/// Runs it. The outcome is printed here: its object replaces the error object of other commands.
pub(crate) fn run(args: &EvalArgs, output: Output) -> Exit {
    let outcome = prepare(args, output)
        .and_then(|prepared| measure(&prepared, output))
        .unwrap_or_else(|outcome| *outcome);
    conclude(&outcome, output)
}

/// An evaluation that is ready to start.
struct Prepared {
    request: EvalRequest,
    when_busy: WhenBusy,
    events: Option<events::EventPipe>,
}

/// An ending before there was a run.
fn stop(reason: Reason, failure: Failure) -> Box<Outcome> {
    let mut why = prism_core::failure::Failure::new(reason, failure.detail);
    why.hint = failure.hint.map(Cow::Owned);
    Box::new(Outcome::of(why))
}

fn prepare(args: &EvalArgs, output: Output) -> Result<Prepared, Box<Outcome>> {
    let recipe = recipes::load(&args.recipe).map_err(|failure| stop(Reason::RecipeInvalid, failure))?;
    let plan = overrides::apply(args, recipe).map_err(|failure| stop(Reason::Usage, failure))?;
    let audit_key = match &args.audit_key_file {
        Some(path) => Some(read_key(path).map_err(|failure| stop(Reason::Usage, failure))?),
        None => None,
    };
    let events = match args.progress_fd {
        Some(number) => {
            Some(events::EventPipe::open(number).map_err(|failure| stop(Reason::Usage, failure))?)
        }
        None => None,
    };
    let place = match &args.run_dir {
        Some(dir) => RunPlace::Exactly(dir.clone()),
        None => RunPlace::Under(args.runs.clone()),
    };
    let request = EvalRequest {
        rehearsal: plan.rehearsal.clone(),
        seed: args.seed,
        audit_key,
        submission_id: args.submission_id.clone(),
        ..EvalRequest::by_hand(args.bundle.clone(), args.data.clone(), plan.recipe.clone(), place)
    };
    if let Some(why) = plan.words(&request.why_rehearsal()) {
        output.note(format_args!("note: this run is a rehearsal: {why}"));
    }
    Ok(Prepared {
        request,
        when_busy: when_busy(args.no_wait),
        events,
    })
}

/// What `--no-wait` means.
pub(super) fn when_busy(no_wait: bool) -> WhenBusy {
    if no_wait { WhenBusy::GoOn } else { WhenBusy::Wait }
}

fn measure(prepared: &Prepared, output: Output) -> Result<Outcome, Box<Outcome>> {
    let cancel = Cancel::new();
    signals::watch(&cancel.flag()).map_err(|failure| stop(Reason::Internal, failure))?;
    let outcome = evaluate_live(
        &prepared.request,
        prepared.when_busy,
        &cancel,
        output,
        &mut |event| {
            if let Some(pipe) = &prepared.events {
                pipe.send(event);
            }
        },
    );
    if let Some(pipe) = &prepared.events
        && let Some(lost) = pipe.close()
    {
        crate::output::warn(lost);
    }
    Ok(outcome)
}

/// Evaluates with a live line on the terminal, then writes the report. The demo comes here too.
pub(crate) fn evaluate_live(
    request: &EvalRequest,
    when_busy: WhenBusy,
    cancel: &Cancel,
    output: Output,
    tell: &mut dyn FnMut(&EvalEvent),
) -> Outcome {
    let host = Host {
        helper: prism_sandbox::Helper::default(),
        when_busy,
    };
    let live = live::Live::new(output);
    let outcome = evaluate(request, &host, cancel, &mut |event| {
        live.event(&event);
        tell(&event);
    });
    drop(live);
    // A disk that has refused the run would refuse its report, and say so a second time.
    if let Some(dir) = &outcome.run_dir
        && outcome.reason != Reason::Storage
        && let Err(failure) = super::report::write_into(dir, output)
    {
        crate::output::warn(format_args!(
            "the report was not written: {}",
            show::line(&failure.detail)
        ));
    }
    outcome
}

/// Prints the outcome and says how to exit. `prism watch` ends so too.
pub(super) fn conclude(outcome: &Outcome, output: Output) -> Exit {
    let exit = Exit::of(outcome);
    let not_the_miners = matches!(outcome.fault, Some(Fault::Usage | Fault::Operator));
    if not_the_miners && !output.is_json() {
        say_error(outcome.what_happened(), outcome.hint.as_deref());
        return exit;
    }
    match output.result(outcome, || summary::text(outcome)) {
        Ok(_) => exit,
        // The outcome could not be told: that is this machine's business, whatever it was.
        Err(failure) => {
            say_error(&failure.detail, None);
            failure.exit
        }
    }
}

/// Reads an audit key. Whoever knows the key knows the audited targets, so it must be its owner's alone.
fn read_key(path: &Path) -> Result<AuditKey, Failure> {
    let shown = path.display();
    let text = secret_file::read(path, KEY_FILE_BYTES_MAX, "audit_key_file", "audit key file")?;
    AuditKey::from_hex(text.trim_end()).ok_or_else(|| {
        let text = format!("the audit key file {shown} does not hold 64 hexadecimal digits");
        let hint = format!("make one with `(umask 077; openssl rand -hex 32 > {shown})`");
        Failure::usage("audit_key_file", &text).hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_must_be_private_and_hold_a_key() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("key");
        let set = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            read_key(&path)
        };
        let digits = "0123456789abcdef".repeat(4);
        assert!(set(&format!("{digits}\n"), 0o600).is_ok());
        assert!(set(&digits, 0o400).is_ok());
        for (text, mode) in [
            (digits.as_str(), 0o640),
            (&digits, 0o604),
            (&digits, 0o620),
            ("", 0o600),
            (&digits[1..], 0o600),
        ] {
            assert_eq!(set(text, mode).unwrap_err().exit, Exit::Usage, "{text} {mode:o}");
        }
        let long = format!("{digits}{}", " ".repeat(4096));
        assert!(
            set(&long, 0o600).is_ok(),
            "trailing space does not matter, however much there is"
        );
        assert!(read_key(&temp.path().join("none")).is_err());
    }
}
