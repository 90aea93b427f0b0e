//! `prism verify`: the score of a run from its record alone, bit for bit, without Python.
//!
//! Believes nothing in the directory: sizes are bounded before anything is read, the record must follow from itself,
//! and `result.json` must say what the record says.

mod of_corpus;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use prism_core::hash::Sha256Hash;
use prism_core::outcome::Status;
use prism_core::rank::NoRank;
use prism_engine::outcome::Outcome;
use prism_engine::run_dir::{self, RECORD_FILE, RESULT_FILE, TARGETS_FILE};
use prism_engine::runs::RESULT_BYTES_MAX;
use prism_referee::profile::text_se_bpb;
use prism_referee::record::{RECORD_BYTES_MAX, Record, VerifyError, verify};
use prism_referee::verdict::Verdict;
use serde::Serialize;

use super::CommandResult;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::show;

/// Bytes that one target takes in `targets.zst` before compression, with room for short documents.
const TARGET_BYTES_MAX: u64 = 64;
/// What even an empty run may take.
const TARGETS_BYTES_MIN: u64 = 1024 * 1024;

/// Arguments of `prism verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The run's directory
    #[arg(value_name = "RUN_DIR")]
    run_dir: PathBuf,
    /// Check that the record was made on this corpus, too: one that was revealed after its round
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

/// What it prints.
#[derive(Serialize)]
struct Answer {
    verified: bool,
    run_dir: String,
    record_sha256: String,
    corpus_sha256: String,
    /// What of the corpus was checked, where one was named.
    corpus_checked: Option<&'static str>,
    bpb: f64,
    bpb_se: f64,
    /// Standard error of the bits per byte as those of other text of the same kind.
    text_se_bpb: Option<f64>,
    ranked: bool,
    no_rank: Option<&'static str>,
    bpb_ranked: Option<f64>,
    hidden_max: f64,
    final_score: Option<f64>,
    claims_rms_nats: f64,
    flags: Vec<&'static str>,
    targets: u64,
    audits: u64,
}

pub(crate) fn run(args: &VerifyArgs, output: Output) -> CommandResult {
    let dir = &args.run_dir;
    let progress = Progress::spinner(output, "verifying");
    let result = read_result(dir)?;
    if let Some(result) = &result
        && result.status != Status::Completed
    {
        return Err(no_score(dir, result));
    }
    let record_bytes = read_bounded(&dir.join(RECORD_FILE), RECORD_BYTES_MAX)?;
    let record = Record::from_json(&record_bytes).map_err(|error| not_believed(dir, &error))?;
    let (verdict, text_se_bpb) = recompute(dir, &record)?;
    drop(progress);
    let corpus_checked = match &args.corpus {
        Some(corpus) => Some(of_corpus::check(dir, &record, corpus, output)?.told()),
        None => None,
    };
    if let Some(result) = &result {
        compare(dir, result, &record, &verdict)?;
    } else {
        crate::output::warn(format_args!(
            "{} has no `{RESULT_FILE}`: only the record was verified",
            dir.display()
        ));
    }
    let answer = Answer {
        verified: true,
        run_dir: dir.display().to_string(),
        record_sha256: Sha256Hash::of(&record_bytes).to_string(),
        corpus_sha256: record.hashes.corpus.to_string(),
        corpus_checked,
        bpb: verdict.bpb,
        bpb_se: verdict.bpb_se,
        text_se_bpb,
        ranked: verdict.standing.no_rank().is_none(),
        no_rank: verdict.standing.no_rank().map(NoRank::code),
        bpb_ranked: verdict.standing.bpb_ranked(),
        hidden_max: verdict.hidden_max_bpb,
        final_score: verdict.standing.final_score(),
        claims_rms_nats: record.measured.difference_rms_nats,
        flags: verdict.flags.iter().map(|flag| flag.code()).collect(),
        targets: record.measured.targets,
        audits: record.measured.audits,
    };
    output.result(&answer, || text(&answer))
}

fn text(answer: &Answer) -> String {
    let flags = if answer.flags.is_empty() {
        "none".to_owned()
    } else {
        answer.flags.join(", ")
    };
    let mut rows = vec![
        ("verified", answer.run_dir.clone()),
        (
            "bits per byte",
            show::estimate(answer.bpb, answer.bpb_se, answer.bpb_ranked),
        ),
    ];
    if let Some(error) = answer.text_se_bpb {
        rows.push((
            "other text",
            format!("± {error:.4}, on as much text of the same kind"),
        ));
    }
    match answer.no_rank {
        Some(why) => rows.push(("rank", show::no_rank(why, Some(answer.claims_rms_nats)))),
        None => rows.push((
            "final score",
            format!("{} (higher is better)", show::number(answer.final_score, 5)),
        )),
    }
    rows.extend([
        ("flags", flags),
        ("targets", show::grouped(answer.targets)),
        ("audits", show::grouped(answer.audits)),
        ("record", answer.record_sha256.clone()),
        ("corpus", answer.corpus_sha256.clone()),
    ]);
    if let Some(checked) = answer.corpus_checked {
        rows.push(("text", checked.to_owned()));
    }
    show::pairs(&rows)
}

/// The verdict, and what other text of the same kind would change of it.
fn recompute(dir: &Path, record: &Record) -> Result<(Verdict, Option<f64>), Failure> {
    let path = dir.join(TARGETS_FILE);
    let shown = path.display();
    let fail =
        |error: std::io::Error| Failure::usage("run_unreadable", &format!("cannot read {shown}: {error}"));
    let mut file = File::open(&path).map_err(fail)?;
    let found_bytes = file.metadata().map_err(fail)?.len();
    let limit_bytes = record
        .measured
        .targets
        .saturating_mul(TARGET_BYTES_MAX)
        .saturating_add(TARGETS_BYTES_MIN);
    if found_bytes > limit_bytes {
        return Err(mismatch(&format!(
            "{shown} has {found_bytes} bytes, more than {} targets can take",
            record.measured.targets
        )));
    }
    let hash = Sha256Hash::of_reader(&mut (&mut file).take(limit_bytes)).map_err(fail)?;
    let open = || File::open(&path).map(|file| file.take(limit_bytes)).map_err(fail);
    let verdict = verify(record, open()?, hash).map_err(|error| not_believed(dir, &error))?;
    let text_se_bpb = text_se_bpb(open()?)
        .map_err(|error| mismatch(&format!("{}: {}", dir.display(), show::line(&error.to_string()))))?;
    Ok((verdict, text_se_bpb))
}

fn mismatch(text: &str) -> Failure {
    Failure::submission("record_mismatch", &text)
        .hint("do not trust this score; evaluate the bundle again, or restore the files of the run")
}

fn not_believed(dir: &Path, error: &VerifyError) -> Failure {
    mismatch(&format!("{}: {}", dir.display(), show::line(&error.to_string())))
}

fn no_score(dir: &Path, result: &Outcome) -> Failure {
    let text = format!(
        "{} {} ({}), so it has no score",
        dir.display(),
        match result.status {
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Rejected => "was rejected",
            Status::Cancelled => "was cancelled",
            Status::Held => "is held",
            Status::Invalidated => "was invalidated",
        },
        result.reason
    );
    Failure::submission("no_score", &text).hint(format!("see why with `prism report {}`", dir.display()))
}

/// The outcome beside the record must say the same, to the last bit.
fn compare(dir: &Path, result: &Outcome, record: &Record, verdict: &Verdict) -> Result<(), Failure> {
    let flags: Vec<_> = verdict.flags.iter().map(|flag| flag.code()).collect();
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    let standing = &verdict.standing;
    let checks = [
        ("reason", result.reason == record.ended),
        ("bpb", bits(result.bpb) == bits(Some(verdict.bpb))),
        ("bpb_se", bits(result.bpb_se) == bits(Some(verdict.bpb_se))),
        (
            "bpb_ranked",
            bits(result.bpb_ranked) == bits(standing.bpb_ranked()),
        ),
        (
            "hidden_max",
            bits(result.hidden_max) == bits(Some(verdict.hidden_max_bpb)),
        ),
        (
            "final_score",
            bits(result.final_score) == bits(standing.final_score()),
        ),
        ("ranked", result.ranked == standing.no_rank().is_none()),
        (
            "no_rank",
            result.no_rank.as_deref() == standing.no_rank().map(NoRank::code),
        ),
        ("flags", result.flags == flags),
        ("covered_bytes", result.covered_bytes == record.measured.bytes),
    ];
    match checks.iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((field, _)) => Err(mismatch(&format!(
            "{}: `{field}` in {RESULT_FILE} is not what the record gives",
            dir.display()
        ))),
    }
}

fn read_result(dir: &Path) -> Result<Option<Outcome>, Failure> {
    let path = dir.join(RESULT_FILE);
    if !path.exists() && dir.join(RECORD_FILE).exists() {
        return Ok(None);
    }
    let bytes = read_bounded(&path, RESULT_BYTES_MAX)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| mismatch(&format!("{} cannot be read: {error}", path.display())))
}

fn read_bounded(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    match run_dir::read(path, limit_bytes) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Failure::usage("not_a_run", &format!("there is no {shown}"))
            .hint("name the directory of a run, see `prism runs list`")),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(mismatch(&format!("{shown} cannot be read: {error}")))
        }
        Err(error) => Err(Failure::usage(
            "run_unreadable",
            &format!("cannot read {shown}: {error}"),
        )),
    }
}
