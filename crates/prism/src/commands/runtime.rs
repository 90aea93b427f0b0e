//! `prism runtime`: the Python that runs submissions, and what this machine lacks.

use std::path::Path;

use clap::{Args, Subcommand};
use prism_runtime::{
    Check, InstallEvent, InstallPlan, Runtime, RuntimeError, Settings, Status, gigabytes, views::ViewsEvent,
};
use prism_sandbox::{Capabilities, Freezer, MemoryCap, Mode};
use serde_json::{Value, json};

use super::CommandResult;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::{limits, show, signals};

/// `prism runtime ...`
#[derive(Debug, Subcommand)]
pub(crate) enum RuntimeCommand {
    /// Install the pinned Python packages, PyTorch among them
    ///
    /// They go into a virtual environment in the data directory, checked against the hashes of the lock file. With
    /// `PRISM_PYTHON` set to an interpreter that has torch, nothing needs to be installed.
    Install(InstallArgs),
    /// Say what is missing on this machine, and how to get it
    Doctor,
    /// Print the path of the interpreter that runs submissions
    Path,
}

/// Arguments of `prism runtime install`.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Make a runtime again that is complete
    #[arg(long)]
    reinstall: bool,
}

pub(crate) fn run(command: &RuntimeCommand, output: Output) -> CommandResult {
    match command {
        RuntimeCommand::Install(args) => {
            limits::demand()?;
            let settings = settings()?;
            if settings.python.is_some() {
                crate::output::warn("PRISM_PYTHON is set, so the installed runtime will not be used");
            }
            let runtime = install(&settings, args.reinstall, output)?;
            output.result(&json(&runtime), || text(&runtime))
        }
        RuntimeCommand::Doctor => doctor(output),
        RuntimeCommand::Path => {
            let runtime = prism_runtime::locate(&settings()?)?;
            output.result(&json(&runtime), || runtime.python.display().to_string())
        }
    }
}

/// What the environment says.
pub(crate) fn settings() -> Result<Settings, Failure> {
    Ok(Settings::from_env()?)
}

/// All of them are this machine's, but for somebody who changed their mind: that exits as a cancelled run does.
impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Cancelled => Self::submission("cancelled", &error),
            error => Self::machine(error.code(), &error),
        }
    }
}

/// Installs the runtime where there is none that works.
pub(crate) fn provide(settings: &Settings, output: Output) -> Result<(), Failure> {
    match prism_runtime::locate(settings) {
        Ok(_) => Ok(()),
        // An interpreter that was named is used or is an error; nothing is installed in its place.
        Err(error) if settings.python.is_some() => Err(error.into()),
        Err(_) => install(settings, false, output).map(drop),
    }
}

/// Installs the runtime where it is not complete, and says beforehand what that takes.
pub(crate) fn install(settings: &Settings, again: bool, output: Output) -> Result<Runtime, Failure> {
    let stop = signals::stop_flag()?;
    let mut progress = Progress::spinner(output, "installing");
    let mut doing = "";
    let mut on_event = |event| match event {
        InstallEvent::Planned(plan) => progress.above(|| output.note(announce(&plan))),
        InstallEvent::Waiting => progress.message("waiting for another installation to finish".to_owned()),
        InstallEvent::Step(step) => {
            doing = step.words();
            progress.message(doing.to_owned());
        }
        InstallEvent::Line(said) => progress.message(format!("{doing}  {}", show::line(said.trim()))),
    };
    let runtime = prism_runtime::install(settings, again, &|| signals::is_set(&stop), &mut on_event)?;
    drop(progress);
    make_views(settings, &runtime, &|| signals::is_set(&stop), output)?;
    Ok(runtime)
}

/// Copies the runtime for those who answer, where that is not done, and shows how far it is.
pub(crate) fn make_views(
    settings: &Settings,
    runtime: &Runtime,
    stop: &dyn Fn() -> bool,
    output: Output,
) -> Result<(), RuntimeError> {
    let mut progress = Progress::bytes(output, "copying the Python runtime");
    prism_runtime::views::views(settings, runtime, stop, &mut |event| match event {
        ViewsEvent::Planned {
            needed_bytes,
            directory,
        } => progress.above(|| {
            output.note(format_args!(
                "Copying the Python runtime for the processes that answer, once: {} in {}.",
                gigabytes(needed_bytes),
                directory.display()
            ));
        }),
        ViewsEvent::Waiting => progress.message("waiting for another copy to finish".to_owned()),
        ViewsEvent::Progress {
            done_bytes,
            total_bytes,
        } => progress.set(done_bytes, total_bytes),
    })
    .map(drop)
}

fn announce(plan: &InstallPlan) -> String {
    let needs: Vec<_> = plan.disk.iter().map(ToString::to_string).collect();
    format!(
        "Installing the Python runtime: {} for Python {}, once.\n\
         It takes a minute or two and downloads up to {}. It needs {};\n{} of that stay in use, in {}.",
        show::count(plan.packages as u64, "package", "packages"),
        plan.python_version,
        gigabytes(plan.download_bytes),
        needs.join(", and "),
        gigabytes(plan.installed_bytes),
        plan.directory.display(),
    )
}

fn json(runtime: &Runtime) -> Value {
    json!({
        "python": runtime.python.display().to_string(),
        "python_version": runtime.python_version,
        "torch_version": runtime.torch_version,
        "numpy_version": runtime.numpy_version,
        "einops_version": runtime.einops_version,
        "origin": runtime.origin.label(),
    })
}

fn text(runtime: &Runtime) -> String {
    show::pairs(&[
        (
            "python",
            format!("{} ({})", runtime.python.display(), runtime.python_version),
        ),
        ("torch", runtime.torch_version.clone()),
        ("lock", runtime.origin.label()),
    ])
}

fn doctor(output: Output) -> CommandResult {
    let settings = settings()?;
    let progress = Progress::spinner(output, "looking at this machine");
    // First: everything after it is subject to them.
    let limits = limits::check();
    let mut checks = prism_runtime::doctor(&settings);
    checks.push(sandbox());
    let checks = limits::lead(limits, checks);
    drop(progress);
    let worst = checks
        .iter()
        .map(|check| check.status)
        .max()
        .unwrap_or(Status::Ok);
    let value = json!({
        "ok": worst != Status::Fail,
        "checks": checks.iter().map(|check| json!({
            "name": check.name,
            "status": word(check.status),
            "detail": check.detail,
            "fix": check.fix,
        })).collect::<Vec<_>>(),
    });
    output.result(&value, || {
        let mut text: String = checks.iter().map(line).collect();
        text.push_str(match worst {
            Status::Ok => "\nThis machine has all that PRISM needs.\n",
            Status::Warn => "\nPRISM works on this machine; see the warnings above.\n",
            Status::Fail => "\nPRISM cannot evaluate on this machine yet; see above.\n",
        });
        text
    })?;
    Ok(if worst == Status::Fail {
        Exit::Machine
    } else {
        Exit::Ok
    })
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Fail => "fail",
    }
}

fn line(check: &Check) -> String {
    let colour = match check.status {
        Status::Ok => anstyle::AnsiColor::Green,
        Status::Warn => anstyle::AnsiColor::Yellow,
        Status::Fail => anstyle::AnsiColor::Red,
    };
    let style = anstyle::Style::new().bold().fg_color(Some(colour.into()));
    let fix = check
        .fix
        .as_ref()
        .map(|fix| format!("\n      {:<10}  fix: {}", "", show::text(fix)))
        .unwrap_or_default();
    format!(
        "{style}{:>4}{style:#}  {:<10}  {}{fix}\n",
        word(check.status),
        check.name,
        show::text(&check.detail)
    )
}

/// Whether this machine can confine a submission: a complete trial run.
fn sandbox() -> Check {
    let helper = prism_sandbox::Helper {
        path: Path::new("/proc/self/exe").to_owned(),
    };
    match prism_sandbox::preflight(&helper) {
        Ok(capabilities) => Check {
            name: "sandbox",
            status: if capabilities.memory_cap.is_exact() {
                Status::Ok
            } else {
                Status::Warn
            },
            detail: describe(&capabilities),
            fix: None,
        },
        Err(error) => Check {
            name: "sandbox",
            status: Status::Fail,
            detail: error.to_string(),
            fix: None,
        },
    }
}

fn describe(capabilities: &Capabilities) -> String {
    let mode = match capabilities.mode {
        Mode::Root => "as root, under an unused uid",
        Mode::User => "as this user, in a user namespace",
    };
    let memory = match capabilities.memory_cap {
        MemoryCap::CgroupV1 => "memory by a version 1 control group",
        MemoryCap::CgroupV2 => "memory by a control group",
        MemoryCap::Watchdog => "memory by a watchdog, so every run is a rehearsal",
    };
    let freezer = match capabilities.freezer {
        Freezer::CgroupV1 => "frozen by a version 1 control group",
        Freezer::CgroupV2 => "frozen by a control group",
        Freezer::InitSignals => "frozen by signals",
    };
    format!("{mode}; {memory}; {freezer}")
}
