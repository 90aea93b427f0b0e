//! `prism demo`: from nothing to a leaderboard, in one command.
//!
//! Installs the runtime where it is missing, makes the demo corpus, evaluates three example bundles through the same
//! engine as `prism eval`, and shows that the one that cheats gains nothing.

use std::path::PathBuf;

use clap::Args;
use prism_core::nats::NATS_PER_BIT;
use prism_core::outcome::{Fault, Status};
use prism_core::recipe::Recipe;
use prism_corpus::synth::GRAMMAR_VERSION;
use prism_engine::outcome::Outcome;
use prism_engine::report::{self, IndexEntry, RunFiles, Secrets};
use prism_engine::request::{EvalRequest, RehearsalReason, RunPlace};
use prism_referee::connection::Cancel;
use prism_runtime::{InstallRequest, Settings};
use serde::Serialize;

use super::CommandResult;
use super::data;
use super::eval::{DEFAULT_RUNS, evaluate_live};
use super::report::write as write_file;
use super::runtime;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show::{self, Lean};
use crate::signals;

/// What is evaluated, honest ones first.
const HONEST: [&str; 2] = ["transformer-small", "recurrent-small"];
/// It adds the next token to its logits while it trains.
const CHEAT: &str = "cheat-leak";
/// The demo corpus: its train split just fills the stream of the demo recipe.
const CORPUS_BYTES: u64 = 1_300_000;
const CORPUS_SEED: u64 = 1;
/// The report of all three, in the directory of the runs.
const INDEX_FILE: &str = "demo.html";

/// Arguments of `prism demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the runs are made
    #[arg(long, default_value = DEFAULT_RUNS, value_name = "DIR")]
    runs: PathBuf,
    /// Keep the example bundles beside the runs, in `demo-bundles`, to look at and change
    #[arg(long)]
    keep: bool,
}

/// One line of the leaderboard.
#[derive(Serialize)]
struct Row {
    bundle: &'static str,
    /// What the bundle itself claimed, in bits per byte of what was read.
    claimed_bpb: Option<f64>,
    result: Outcome,
}

/// What the demo prints for programs.
#[derive(Serialize)]
struct Demo<'a> {
    ok: bool,
    explanation: &'a str,
    report: String,
    bundles: &'a [Row],
}

/// Runs it.
pub(crate) fn run(args: &DemoArgs, output: Output) -> CommandResult {
    let cancel = Cancel::new();
    signals::watch(&cancel.flag())?;
    let settings = runtime::settings()?;
    match prism_runtime::locate(&settings) {
        Ok(_) => {}
        // An interpreter that was named is used or is an error; nothing is installed in its place.
        Err(error) if settings.python.is_some() => return Err(runtime::failure(&error)),
        Err(_) => drop(runtime::install(&settings, &InstallRequest::default(), output)?),
    }
    let corpus = corpus(&settings, output)?;
    let bundles = Bundles::lay_out(args)?;
    let mut rows = Vec::new();
    for (number, bundle) in HONEST.into_iter().chain([CHEAT]).enumerate() {
        output.note(format_args!("[{}/{}] {bundle}", number + 1, HONEST.len() + 1));
        let request = EvalRequest {
            bundle: bundles.dir.join(bundle),
            corpus: corpus.clone(),
            recipe: Recipe::demo(),
            rehearsal: vec![RehearsalReason::Recipe],
            seed: 0,
            audit_key: None,
            place: RunPlace::Under(args.runs.clone()),
            submission_id: Some(bundle.to_owned()),
        };
        let result = evaluate_live(&request, &cancel, output, &mut |_| ());
        if cancel.is_cancelled() {
            return Err(Failure::submission("cancelled", &"the demo was cancelled"));
        }
        if matches!(result.fault, Some(Fault::Operator | Fault::Usage)) {
            // The next bundle would fare no better.
            return Err(Failure::new(
                Exit::of(&result),
                result.reason.code(),
                &result.detail,
            ));
        }
        if result.status != Status::Completed {
            let what = show::line(&result.detail);
            output.note(format_args!("      {}: {what}", result.reason));
        }
        rows.push(Row {
            bundle,
            claimed_bpb: claimed_bpb(&result),
            result,
        });
    }

    let report = write_index(args, &rows)?;
    let (ok, explanation) = explain(&rows);
    let demo = Demo {
        ok,
        explanation: &explanation,
        report: report.display().to_string(),
        bundles: &rows,
    };
    output.result(&demo, || text(&demo))?;
    Ok(if ok { Exit::Ok } else { Exit::Submission })
}

/// The demo corpus, made once.
fn corpus(settings: &Settings, output: Output) -> Result<PathBuf, Failure> {
    let name = format!("{GRAMMAR_VERSION}-seed{CORPUS_SEED}-{CORPUS_BYTES}");
    let dir = settings.data_dir.join("demo-corpus").join(name);
    // Where it is there already, it is verified and kept.
    data::synth(&dir, CORPUS_BYTES, CORPUS_SEED, output)?;
    Ok(dir)
}

/// The example bundles on disk.
struct Bundles {
    dir: PathBuf,
    /// Removes them again.
    _temp: Option<tempfile::TempDir>,
}

impl Bundles {
    fn lay_out(args: &DemoArgs) -> Result<Self, Failure> {
        let fail = |error: &dyn std::fmt::Display| {
            Failure::machine("storage", &format!("cannot lay out the example bundles: {error}"))
        };
        let temp = tempfile::Builder::new()
            .prefix("prism-demo-")
            .tempdir()
            .map_err(|error| fail(&error))?;
        let dir = if args.keep {
            args.runs.join("demo-bundles")
        } else {
            temp.path().to_owned()
        };
        std::fs::create_dir_all(&dir).map_err(|error| fail(&error))?;
        for name in HONEST.into_iter().chain([CHEAT]) {
            let tree = prism_runtime::examples()
                .directory(name)
                .ok_or_else(|| fail(&format!("this binary carries no `{name}`; build it again")))?;
            if !dir.join(name).exists() {
                tree.write_new(&dir.join(name)).map_err(|error| fail(&error))?;
            }
        }
        Ok(Self {
            dir,
            _temp: (!args.keep).then_some(temp),
        })
    }
}

/// What the learner itself said, from the record of its run.
fn claimed_bpb(outcome: &Outcome) -> Option<f64> {
    let run = RunFiles::load(outcome.run_dir.as_deref()?, Secrets::KeepOfCountedRuns).ok()?;
    let measured = &run.record.as_ref()?.measured;
    (measured.bytes > 0).then(|| measured.claimed_nats / NATS_PER_BIT / measured.bytes as f64)
}

fn write_index(args: &DemoArgs, rows: &[Row]) -> Result<PathBuf, Failure> {
    let mut entries = Vec::new();
    for row in rows {
        let Some(dir) = &row.result.run_dir else { continue };
        let run = RunFiles::load(dir, Secrets::KeepOfCountedRuns)
            .map_err(|error| Failure::machine("storage", &error))?;
        let link = dir.file_name().map(|name| {
            format!(
                "{}/{}",
                name.to_string_lossy(),
                prism_engine::run_dir::REPORT_FILE
            )
        });
        entries.push(IndexEntry {
            name: row.bundle.to_owned(),
            link,
            run,
        });
    }
    let (_, explanation) = explain(rows);
    let html = report::render_index("PRISM demo", &explanation, &entries);
    std::fs::create_dir_all(&args.runs).map_err(|error| {
        Failure::machine(
            "storage",
            &format!("cannot create {}: {error}", args.runs.display()),
        )
    })?;
    let path = std::path::absolute(args.runs.join(INDEX_FILE)).unwrap_or_else(|_| args.runs.join(INDEX_FILE));
    write_file(&path, &html)?;
    Ok(path)
}

/// Whether all is as it should be, and a sentence on the cheat's row.
fn explain(rows: &[Row]) -> (bool, String) {
    let ranked = |row: &Row| {
        row.result
            .bpb_ranked
            .filter(|_| row.result.status == Status::Completed)
    };
    let all_completed = rows.iter().all(|row| ranked(row).is_some());
    let best_honest = rows
        .iter()
        .filter(|row| row.bundle != CHEAT)
        .filter_map(|row| Some((row.bundle, ranked(row)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let cheat = rows.iter().find(|row| row.bundle == CHEAT);
    let (Some((best, honest_bpb)), Some(cheat), true) = (best_honest, cheat, all_completed) else {
        return (
            false,
            "Not all three evaluations completed, so there is nothing to compare.".to_owned(),
        );
    };
    let cheat_bpb = ranked(cheat).unwrap_or(f64::NAN);
    let claimed = cheat
        .claimed_bpb
        .map_or_else(|| "less".to_owned(), |bpb| format!("{bpb:.2} bits per byte"));
    // A comparison with NaN is false: an unknown score never counts as "gained nothing".
    if cheat_bpb >= honest_bpb {
        let text = format!(
            "`{CHEAT}` lets `forward` see the next token and claims {claimed}; the auditor, to whom that token is never \
             given, finds what its weights really predict, so it pays {cheat_bpb:.2} and gains nothing over `{best}` \
             ({honest_bpb:.2})."
        );
        return (true, text);
    }
    (
        false,
        format!(
            "`{CHEAT}` scores {cheat_bpb:.4}, better than `{best}` ({honest_bpb:.4}): the measurement is broken."
        ),
    )
}

fn text(demo: &Demo<'_>) -> String {
    let number =
        |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"));
    let rows: Vec<_> = demo
        .bundles
        .iter()
        .map(|Row { bundle, result, .. }| {
            vec![
                (*bundle).to_owned(),
                result
                    .bpb
                    .zip(result.bpb_se)
                    .map_or_else(|| "-".to_owned(), |(bpb, se)| show::with_error(bpb, se)),
                number(result.bpb_ranked, 4),
                number(result.final_score, 5),
                if result.flags.is_empty() {
                    "-".to_owned()
                } else {
                    show::line(&result.flags.join(", "))
                },
                format!("{:.0}", result.wall_seconds),
                match result.status {
                    Status::Completed => "completed".to_owned(),
                    status => format!("{} ({})", status.as_str(), result.reason),
                },
            ]
        })
        .collect();
    let head = [
        ("bundle", Lean::Left),
        ("bits per byte", Lean::Right),
        ("ranked", Lean::Right),
        ("final score", Lean::Right),
        ("flags", Lean::Left),
        ("seconds", Lean::Right),
        ("status", Lean::Left),
    ];
    format!(
        "{}\n{}\n\nreport: {}\n",
        show::table(&head, &rows),
        demo.explanation,
        demo.report
    )
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;

    use super::*;

    fn row(bundle: &'static str, ranked: Option<f64>) -> Row {
        let reason = if ranked.is_some() {
            Reason::EndOfData
        } else {
            Reason::OutOfMemory
        };
        let mut result = Outcome::failed(reason, "");
        result.bpb_ranked = ranked;
        Row {
            bundle,
            claimed_bpb: Some(0.06),
            result,
        }
    }

    #[test]
    fn the_demo_is_right_only_if_all_completed_and_the_cheat_gained_nothing() {
        let ok = |a, b, c| {
            let rows = [row(HONEST[0], a), row(HONEST[1], b), row(CHEAT, c)];
            let (ok, _) = explain(&rows);
            ok
        };
        assert!(ok(Some(3.0), Some(3.5), Some(4.0)));
        assert!(
            ok(Some(3.0), Some(3.5), Some(3.2)),
            "it must only not beat the best"
        );
        assert!(!ok(Some(3.0), Some(3.5), Some(2.9)));
        assert!(!ok(Some(3.0), None, Some(4.0)));
        assert!(!ok(Some(3.0), Some(3.5), None));
        assert!(!ok(Some(3.0), Some(3.5), Some(f64::NAN)));
    }

    #[test]
    fn the_sentence_names_both_figures() {
        let rows = [
            row(HONEST[0], Some(3.0)),
            row(HONEST[1], Some(3.5)),
            row(CHEAT, Some(4.25)),
        ];
        let (_, text) = explain(&rows);
        assert!(
            text.contains("claims 0.06") && text.contains("pays 4.25") && text.contains("(3.00)"),
            "{text}"
        );
    }
}
