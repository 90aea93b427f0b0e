//! `prism demo`: from nothing to a leaderboard, in one command.
//!
//! Installs the runtime where it is missing, makes the demo corpus, evaluates three example bundles through the same
//! engine as `prism eval`, and shows that the one that cheats takes no rank.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::Args;
use prism_core::advice::Advice;
use prism_core::nats::NATS_PER_BIT;
use prism_core::outcome::{Fault, Status};
use prism_core::recipe::Recipe;
use prism_corpus::{manifest::SCHEMA, synth::GRAMMAR_VERSION};
use prism_engine::machine_lock::WhenBusy;
use prism_engine::outcome::Outcome;
use prism_engine::report::{RunFiles, Secrets};
use prism_engine::request::{EvalRequest, RunPlace};
use prism_referee::connection::Cancel;
use prism_runtime::Settings;
use prism_scratch::{Purpose, Scratch};
use serde::Serialize;

use super::CommandResult;
use super::data;
use super::eval::{DEFAULT_RUNS, evaluate_live};
use super::report::write as write_file;
use super::runtime;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show::{self};
use crate::{limits, signals};

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

pub(crate) fn run(args: &DemoArgs, output: Output) -> CommandResult {
    let cancel = Cancel::new();
    signals::watch(&cancel.flag())?;
    // Before anything is installed in the belief that it is broken.
    limits::demand()?;
    let settings = runtime::settings()?;
    runtime::provide(&settings, output)?;
    let corpus = corpus(&settings, output)?;
    let bundles = Bundles::lay_out(args)?;
    let mut rows = Vec::new();
    for (number, bundle) in HONEST.into_iter().chain([CHEAT]).enumerate() {
        output.note(format_args!("[{}/{}] {bundle}", number + 1, HONEST.len() + 1));
        let request = EvalRequest {
            submission_id: Some(bundle.to_owned()),
            ..EvalRequest::by_hand(
                bundles.dir.join(bundle),
                corpus.clone(),
                Recipe::demo(),
                RunPlace::Under(args.runs.clone()),
            )
        };
        let result = evaluate_live(&request, WhenBusy::Wait, &cancel, output, &mut |_| ());
        if cancel.is_cancelled() {
            return Err(Failure::submission("cancelled", &"the demo was cancelled"));
        }
        if matches!(result.fault, Some(Fault::Operator | Fault::Usage)) {
            // The next bundle would fare no better.
            return Err(Failure {
                exit: Exit::of(&result),
                code: result.reason.code().into(),
                detail: result.what_happened().to_owned(),
                hint: result.hint.map(Cow::into_owned),
            });
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
pub(super) fn corpus(settings: &Settings, output: Output) -> Result<PathBuf, Failure> {
    // One of an older version of the format stays where it is.
    let name = format!("{SCHEMA}-{GRAMMAR_VERSION}-seed{CORPUS_SEED}-{CORPUS_BYTES}");
    let dir = settings.data_dir.join("demo-corpus").join(name);
    // Where it is there already, it is verified and kept.
    data::synth(&dir, CORPUS_BYTES, CORPUS_SEED, output)?;
    Ok(dir)
}

/// The example bundles on disk.
struct Bundles {
    dir: PathBuf,
    /// Removes them again.
    _temp: Option<Scratch>,
}

impl Bundles {
    fn lay_out(args: &DemoArgs) -> Result<Self, Failure> {
        let fail = |error: &dyn Advice| {
            Failure::machine("storage", error).about("cannot lay out the example bundles")
        };
        let temp = if args.keep {
            None
        } else {
            Some(Scratch::new(&std::env::temp_dir(), Purpose::Demo).map_err(|error| fail(&error))?)
        };
        let dir = match &temp {
            Some(temp) => temp.path().to_owned(),
            None => args.runs.join("demo-bundles"),
        };
        std::fs::create_dir_all(&dir).map_err(|error| fail(&error))?;
        for name in HONEST.into_iter().chain([CHEAT]) {
            let tree = prism_runtime::examples()
                .directory(name)
                .ok_or_else(|| fail(&format!("this binary carries no `{name}`")).hint("build it again"))?;
            if !dir.join(name).exists() {
                tree.write_new(&dir.join(name))
                    .map_err(|error| fail(&error.to_string()))?;
            }
        }
        Ok(Self { dir, _temp: temp })
    }
}

/// What the learner itself said, from the record of its run.
fn claimed_bpb(outcome: &Outcome) -> Option<f64> {
    let run = RunFiles::load(outcome.run_dir.as_deref()?, Secrets::KeepOfCountedRuns).ok()?;
    let measured = &run.shown.record.as_ref()?.measured;
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
        entries.push(prism_report::IndexEntry {
            name: row.bundle.to_owned(),
            link,
            run: run.shown,
        });
    }
    let (_, explanation) = explain(rows);
    let html = prism_report::index_page("PRISM demo", &explanation, &entries);
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
    let completed = |row: &Row| row.result.status == Status::Completed;
    let honest: Vec<_> = rows.iter().filter(|row| row.bundle != CHEAT).collect();
    let cheat = rows.iter().find(|row| row.bundle == CHEAT);
    let (Some(cheat), true) = (cheat, rows.iter().all(completed)) else {
        return (
            false,
            "Not all three evaluations completed, so there is nothing to compare.".to_owned(),
        );
    };
    if let Some(row) = honest.iter().find(|row| row.result.bpb_ranked.is_none()) {
        let text = format!(
            "`{}` is honest and takes no rank: the measurement is broken.",
            row.bundle
        );
        return (false, text);
    }
    let best_honest = honest
        .iter()
        .filter_map(|row| Some((row.bundle, row.result.bpb_ranked?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let Some((best, honest_bpb)) = best_honest else {
        return (false, "No honest bundle was evaluated.".to_owned());
    };
    judge_cheat(cheat, best, honest_bpb)
}

/// The cheat must take no rank, and its estimate must not be better than the best honest code length.
fn judge_cheat(cheat: &Row, best: &str, honest_bpb: f64) -> (bool, String) {
    let result = &cheat.result;
    if result.bpb_ranked.is_some() || result.final_score.is_some() || result.no_rank.is_none() {
        let text = format!("`{CHEAT}` takes a rank: the measurement is broken.");
        return (false, text);
    }
    let (bpb, se) = (result.bpb.unwrap_or(f64::NAN), result.bpb_se.unwrap_or(f64::NAN));
    // A comparison with NaN is false: an unknown estimate never counts as "gained nothing".
    if bpb + 3.0 * se >= honest_bpb {
        let claimed = cheat
            .claimed_bpb
            .map_or_else(|| "less".to_owned(), |bpb| format!("{bpb:.2} bits per byte"));
        let text = format!(
            "`{CHEAT}` lets `forward` see the next token and claims {claimed}; the auditor, to whom that token is never \
             given, finds that its weights really pay {bpb:.2} ± {se:.2}. Claims that are not true take no rank, so it is \
             not on the board at all; the best that is, `{best}`, pays {honest_bpb:.2}."
        );
        return (true, text);
    }
    (
        false,
        format!(
            "`{CHEAT}` is measured at {bpb:.4} ± {se:.4}, better than `{best}` ({honest_bpb:.4}): the measurement is broken."
        ),
    )
}

/// The board: by what is ranked, those without a rank last.
fn board(rows: &[Row]) -> Vec<&Row> {
    let mut sorted: Vec<_> = rows.iter().collect();
    let key = |row: &Row| row.result.bpb_ranked.unwrap_or(f64::INFINITY);
    sorted.sort_by(|a, b| key(a).total_cmp(&key(b)));
    sorted
}

fn text(demo: &Demo<'_>) -> String {
    let rows: Vec<_> = board(demo.bundles)
        .into_iter()
        .map(|Row { bundle, result, .. }| {
            vec![
                (*bundle).to_owned(),
                result
                    .bpb
                    .zip(result.bpb_se)
                    .map_or_else(|| "-".to_owned(), |(bpb, se)| show::with_error(bpb, se)),
                match result.no_rank {
                    Some(_) => "no rank".to_owned(),
                    None => show::number(result.bpb_ranked, 4),
                },
                show::number(result.final_score, 5),
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
    let head = show::head("bundle|bits per byte>|ranked>|final score>|flags|seconds>|status");
    format!(
        "{}Bits per byte: lower is better. Final score: higher is better.\n\n{}\n\nreport: {}\n",
        show::table(&head, &rows),
        demo.explanation,
        demo.report
    )
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;
    use prism_core::rank::{NoRank, Standing};

    use super::*;

    fn row(bundle: &'static str, ranked: Option<f64>) -> Row {
        let reason = if ranked.is_some() {
            Reason::EndOfData
        } else {
            Reason::OutOfMemory
        };
        let mut result = Outcome::failed(reason, "");
        if let Some(bpb_ranked) = ranked {
            result.stand(&Standing::Ranked {
                bpb_ranked,
                final_score: 0.2,
            });
        }
        Row {
            bundle,
            claimed_bpb: Some(0.06),
            result,
        }
    }

    fn cheat(standing: &Standing, bpb: f64, se: f64) -> Row {
        let mut row = row(CHEAT, Some(bpb));
        row.result.bpb = Some(bpb);
        row.result.bpb_se = Some(se);
        row.result.stand(standing);
        row
    }

    const UNTRUE: Standing = Standing::NoRank(NoRank::ClaimsUntrue);

    #[test]
    fn the_demo_is_right_only_if_all_completed_and_the_cheat_took_no_rank() {
        let ok = |a, b, c| {
            let rows = [row(HONEST[0], a), row(HONEST[1], b), c];
            explain(&rows).0
        };
        assert!(ok(Some(3.0), Some(3.5), cheat(&UNTRUE, 4.0, 0.1)));
        assert!(
            ok(Some(3.0), Some(3.5), cheat(&UNTRUE, 2.9, 0.1)),
            "within its own error it is no better than the best"
        );
        assert!(!ok(Some(3.0), Some(3.5), cheat(&UNTRUE, 2.6, 0.1)));
        assert!(!ok(Some(3.0), None, cheat(&UNTRUE, 4.0, 0.1)));
        assert!(!ok(Some(3.0), Some(3.5), row(CHEAT, None)));
        assert!(!ok(Some(3.0), Some(3.5), cheat(&UNTRUE, f64::NAN, 0.1)));
        let ranked = Standing::Ranked {
            bpb_ranked: 4.3,
            final_score: 0.1,
        };
        assert!(
            !ok(Some(3.0), Some(3.5), cheat(&ranked, 4.0, 0.1)),
            "a rank for it is a defect, however bad"
        );
        let mut honest = row(HONEST[1], Some(3.5));
        honest.result.stand(&UNTRUE);
        let (right, text) = explain(&[row(HONEST[0], Some(3.0)), honest, cheat(&UNTRUE, 4.0, 0.1)]);
        assert!(!right && text.contains(HONEST[1]), "{text}");
    }

    #[test]
    fn the_board_is_sorted_and_says_which_way_is_better() {
        let rows = [
            row("second", Some(3.5)),
            cheat(&UNTRUE, 4.25, 0.25),
            row("first", Some(3.0)),
        ];
        let demo = Demo {
            ok: true,
            explanation: "",
            report: String::new(),
            bundles: &rows,
        };
        let shown = text(&demo);
        let at = |name: &str| shown.find(&format!("\n{name}")).unwrap();
        assert!(at("first") < at("second") && at("second") < at(CHEAT), "{shown}");
        assert!(shown.contains("Final score: higher is better"));
    }

    #[test]
    fn the_sentence_names_the_figures_and_that_there_is_no_rank() {
        let rows = [
            row(HONEST[0], Some(3.0)),
            row(HONEST[1], Some(3.5)),
            cheat(&UNTRUE, 4.25, 0.25),
        ];
        let (_, text) = explain(&rows);
        for words in ["claims 0.06", "pay 4.25 ± 0.25", "take no rank", "pays 3.00"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
