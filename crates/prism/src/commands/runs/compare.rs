//! `prism runs compare`: runs side by side, in the terminal and as a page.

use std::path::{Path, PathBuf};

use clap::Args;
use prism_core::outcome::Status;
use prism_engine::report::{End, RunFiles, Secrets};
use prism_engine::run_dir::REPORT_FILE;
use prism_report::figures::{figure, seconds};
use prism_report::{About, IndexEntry, index_page};
use serde::Serialize;

use super::{CommandResult, DEFAULT_RUNS};
use crate::commands::report as report_command;
use crate::failure::Failure;
use crate::output::Output;
use crate::plot::{self, Series};
use crate::show::{self};

/// The page, in the directory of the runs.
const PAGE: &str = "compare.html";
/// Where a line ends on every terminal.
const COLUMNS: usize = 80;
/// Rows of the drawing.
const ROWS: usize = 18;
/// Most runs that are compared at once: each has a letter.
const RUNS_MAX: usize = 26;

/// Arguments of `prism runs compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The runs: their directories, or their names or a part of them
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    run: Vec<PathBuf>,
    /// Where runs are looked for by name
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
    /// Where the page goes [default: `compare.html` in the directory of the runs]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// One run of the comparison.
struct Compared {
    dir: PathBuf,
    run: RunFiles,
}

/// The same for programs.
#[derive(Serialize)]
struct Line<'a> {
    run_dir: String,
    state: &'static str,
    about: Option<&'a About>,
    bpb: Option<f64>,
    bpb_se: Option<f64>,
    bpb_ranked: Option<f64>,
    final_score: Option<f64>,
    covered_bytes: u64,
    parameters: Option<u64>,
    tokens_per_second: Option<f64>,
    wall_seconds: f64,
}

impl Compared {
    fn line(&self) -> Line<'_> {
        let compute = self.run.shown.manifest.as_ref().map(|manifest| &manifest.compute);
        let mut line = Line {
            run_dir: self.dir.display().to_string(),
            state: "",
            about: self.run.shown.about.as_ref(),
            bpb: None,
            bpb_se: None,
            bpb_ranked: None,
            final_score: None,
            covered_bytes: 0,
            parameters: compute.map(|compute| compute.model_params),
            tokens_per_second: compute.and_then(|compute| compute.tokens_per_second),
            wall_seconds: 0.0,
        };
        match &self.run.end {
            End::Finished(outcome) => {
                line.state = match (outcome.status, &outcome.no_rank) {
                    (Status::Completed, None) => "completed",
                    (Status::Completed, Some(_)) => "no rank",
                    _ => outcome.reason.code(),
                };
                line.bpb = outcome.bpb;
                line.bpb_se = outcome.bpb_se;
                line.bpb_ranked = outcome.bpb_ranked;
                line.final_score = outcome.final_score;
                line.covered_bytes = outcome.covered_bytes;
                line.wall_seconds = outcome.wall_seconds;
            }
            End::Running(progress) | End::Died(progress) => {
                let is_alive = matches!(self.run.end, End::Running(_));
                line.state = if is_alive { "running" } else { "died" };
                line.bpb = progress.mean_bpb;
                line.covered_bytes = progress.covered_bytes;
                line.parameters = progress.parameters;
                line.tokens_per_second = progress.tokens_per_second();
                line.wall_seconds = progress.last_unix_seconds - progress.first_unix_seconds;
            }
        }
        line
    }
}

pub(super) fn run(args: &CompareArgs, output: Output) -> CommandResult {
    if args.run.len() > RUNS_MAX {
        let text = format!("{} runs were named", args.run.len());
        return Err(Failure::usage("usage", &text).hint(format!("compare at most {RUNS_MAX} at once")));
    }
    let mut compared = Vec::new();
    for name in &args.run {
        let dir = prism_engine::runs::find(&args.runs, name)?;
        // Audits are not drawn here, and looking for them takes long.
        let run = report_command::load(&dir, Secrets::LeaveOut)?;
        compared.push(Compared { dir, run });
    }
    let path = args.out.clone().unwrap_or_else(|| args.runs.join(PAGE));
    report_command::write(&path, &page(&compared, &path))?;
    let lines: Vec<_> = compared.iter().map(Compared::line).collect();
    let shown = path.display().to_string();
    let value = serde_json::json!({ "runs": lines, "report": &shown });
    output.result(&value, || text(&compared, &lines, &shown))
}

/// The letter of a run.
fn letter(number: usize) -> char {
    char::from(b'a' + u8::try_from(number % RUNS_MAX).unwrap_or_default())
}

/// A number of parameters: `562 k`, `12.3 M`.
fn rounded(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        1000..1_000_000 => format!("{:.0} k", number as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", number as f64 / 1e6),
        _ => format!("{:.1} G", number as f64 / 1e9),
    }
}

fn page(compared: &[Compared], path: &Path) -> String {
    let entries: Vec<_> = compared
        .iter()
        .enumerate()
        .map(|(number, Compared { dir, run })| IndexEntry {
            name: format!("{}: {}", letter(number), run.shown.name),
            link: link(dir, path),
            run: run.shown.clone(),
        })
        .collect();
    let lead = "Runs side by side. Those of different recipes or corpora have curves, and no common rank.";
    index_page("Runs compared", lead, &entries)
}

/// The run's own report as the page reaches it, where both lie in one directory.
fn link(dir: &Path, page: &Path) -> Option<String> {
    let parent = |path: &Path| std::path::absolute(path).ok()?.parent().map(Path::to_owned);
    let name = dir.file_name()?.to_str()?;
    (parent(dir)? == parent(page)? && dir.join(REPORT_FILE).exists()).then(|| format!("{name}/{REPORT_FILE}"))
}

fn text(compared: &[Compared], lines: &[Line<'_>], page: &str) -> String {
    let numbered = || compared.iter().zip(lines).enumerate();
    let mut scores: Vec<_> = numbered()
        .map(|(number, (compared, line))| {
            vec![
                letter(number).to_string(),
                show::line(&compared.run.shown.name),
                match (line.bpb, line.bpb_se) {
                    (Some(bpb), Some(se)) => show::with_error(bpb, se),
                    (bpb, _) => show::number(bpb, 4),
                },
                show::number(line.final_score, 5),
                line.parameters.map_or_else(|| "-".to_owned(), rounded),
                line.tokens_per_second.map_or_else(|| "-".to_owned(), figure),
                seconds(line.wall_seconds.max(0.0)),
                line.state.to_owned(),
            ]
        })
        .collect();
    let head = show::head("|name|bits per byte>|score>|params>|tokens/s>|time>|state");
    show::fit(&head, &mut scores, &[1, 4, 15, 7, 7, 8, 6, 9], COLUMNS);
    let mut subjects: Vec<_> = numbered()
        .map(|(number, (compared, line))| {
            let about = |pick: fn(&About) -> String| {
                line.about
                    .map_or_else(|| "-".to_owned(), |about| show::line(&pick(about)))
            };
            vec![
                letter(number).to_string(),
                show::line(&compared.dir.file_name().unwrap_or_default().to_string_lossy()),
                about(|about| about.started_at.clone()),
                about(|about| format!("{} {}", about.recipe, about.recipe_version)),
                about(|about| about.corpus.clone()),
            ]
        })
        .collect();
    let subject_head = show::head("|run|begun|recipe|corpus");
    show::fit(&subject_head, &mut subjects, &[1, 20, 20, 6, 6], COLUMNS);
    let series: Vec<_> = compared
        .iter()
        .enumerate()
        .map(|(number, compared)| Series {
            mark: letter(number),
            points: compared.run.estimates(),
        })
        .collect();
    let drawing = plot::curves(&series, COLUMNS, ROWS);
    let drawing = if drawing.is_empty() {
        String::new()
    } else {
        format!("\nbits per byte of what was read so far (`*`: several)\n{drawing}")
    };
    format!(
        "{}Bits per byte: lower is better. Score: higher is better.\n\n{}{drawing}\npage: {page}\n",
        show::table(&head, &scores),
        show::table(&subject_head, &subjects)
    )
}
