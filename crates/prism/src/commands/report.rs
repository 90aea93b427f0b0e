//! `prism report`: the HTML report of a run, finished or not, written and perhaps opened.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use prism_engine::report::{End, ReportError, RunFiles, Secrets};
use prism_engine::run_dir::{PARTIAL_SUFFIX, REPORT_FILE};

use super::CommandResult;
use super::eval::DEFAULT_RUNS;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;

/// Arguments of `prism report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its directory, or its name or a part of it
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where runs are looked for by name
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
    /// Open it in the browser
    #[arg(long)]
    open: bool,
    /// Where it goes, `-` for stdout [default: `report.html` in the run's directory]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show the audits of a run that counts; they stay secret until its round closes
    #[arg(long)]
    reveal_audits: bool,
}

pub(crate) fn run(args: &ReportArgs, output: Output) -> CommandResult {
    let secrets = if args.reveal_audits {
        Secrets::Show
    } else {
        Secrets::KeepOfCountedRuns
    };
    let dir = prism_engine::runs::find(&args.runs, &args.run)?;
    let (html, state) = render(&dir, secrets, output)?;
    if args.out.as_deref() == Some(Path::new("-")) {
        if output.is_json() {
            let text = "--json prints one object and `--out -` the page itself; leave one of them out";
            return Err(Failure::usage("report_stdout", &text));
        }
        crate::output::raw(&html)?;
        return Ok(Exit::Ok);
    }
    let path = args.out.clone().unwrap_or_else(|| dir.join(REPORT_FILE));
    write(&path, &html)?;
    let shown = path.display().to_string();
    let value = serde_json::json!({ "report": &shown, "state": state.name() });
    output.result(&value, || match state {
        State::Finished => shown.clone(),
        State::Running => format!("{shown} (the run goes on; ask again for more)"),
        State::Died => format!("{shown} (the run died: it has no result and nobody holds its lock)"),
    })?;
    // The report is there and said to be; that no browser shows it is no failure of the command.
    if args.open
        && let Err(failure) = open(&path)
    {
        crate::output::warn(&failure.detail);
    }
    Ok(Exit::Ok)
}

/// Writes the report of a run into its directory.
pub(crate) fn write_into(run_dir: &Path, output: Output) -> Result<PathBuf, Failure> {
    let (html, _) = render(run_dir, Secrets::KeepOfCountedRuns, output)?;
    let path = run_dir.join(REPORT_FILE);
    write(&path, &html)?;
    Ok(path)
}

/// The same for everybody: nothing of what the submission has printed, no audits.
pub(crate) fn write_public(run_dir: &Path, output: Output) -> Result<PathBuf, Failure> {
    let (html, _) = render(run_dir, Secrets::Public, output)?;
    let path = run_dir.join(REPORT_FILE);
    write(&path, &html)?;
    Ok(path)
}

/// How far the run is that a report is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Finished,
    Running,
    Died,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Running => "running",
            Self::Died => "died",
        }
    }
}

fn render(run_dir: &Path, secrets: Secrets, output: Output) -> Result<(String, State), Failure> {
    // The claims of every target are replayed for the picture of the audits.
    let _progress = Progress::spinner(output, "making the report");
    let run = load(run_dir, secrets)?;
    let state = match run.end {
        End::Finished(_) => State::Finished,
        End::Running(_) => State::Running,
        End::Died(_) => State::Died,
    };
    Ok((prism_report::run_page(&run.shown), state))
}

/// What a run has left, so far.
pub(crate) fn load(run_dir: &Path, secrets: Secrets) -> Result<RunFiles, Failure> {
    RunFiles::load(run_dir, secrets).map_err(|error| match &error {
        ReportError::NotARun { .. } => Failure::usage("not_a_run", &error),
        ReportError::Io { .. } => Failure::machine("storage", &error),
        ReportError::Damaged { .. } => Failure::submission("run_damaged", &error),
    })
}

/// Writes a whole file or none; a link of that name is replaced, not followed.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // As the engine names what it has not finished, so that what a killed process leaves is known for ours.
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".report.").suffix(PARTIAL_SUFFIX);
    let written = builder.tempfile_in(parent).and_then(|mut file| {
        std::io::Write::write_all(&mut file, content.as_bytes())?;
        file.persist(path)?;
        Ok(())
    });
    written.map_err(|error| {
        let text = format!("cannot write {}: {error}", path.display());
        Failure::machine("storage", &text).hint("choose another place with --out")
    })
}

/// Asks the desktop; the error says what to do instead.
fn open(path: &Path) -> Result<(), Failure> {
    Command::new("xdg-open")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| {
            let text = format!(
                "cannot start `xdg-open` ({error}): open {} in a browser",
                path.display()
            );
            Failure::machine("no_browser", &text)
        })
}
