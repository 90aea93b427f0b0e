//! `prism data`: from a dataset of the Hub to a locked corpus, and what a corpus holds, commits to and reveals.

mod fetch;
mod lock;
mod opening;
mod size;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use prism_corpus::manifest::{Manifest, Origin, Split};
use prism_corpus::synth::{SynthError, SynthOptions, synthesize};
use prism_corpus::{Corpus, OpenError};
use serde::Serialize;

use super::CommandResult;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::show::{self};
use crate::{limits, signals};

/// Characters of a document that are shown.
const SAMPLE_CHARACTERS: usize = 300;

/// `prism data ...`
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Fetch the Parquet files of a dataset from the Hub, as many as hold the text that is asked for
    ///
    /// Each file is checked against the Hub's SHA-256. Interrupted and started again it goes on from there. `HF_TOKEN`
    /// is the token, where the dataset wants one; `HF_ENDPOINT` another Hub than that of Hugging Face.
    Fetch(fetch::FetchArgs),
    /// Lock text into three fixed, disjoint splits
    ///
    /// Reads `.txt`, `.jsonl` (also `.jsonl.gz` and `.jsonl.zst`) and `.parquet` files; directories are read recursively.
    /// The same text and options give the same corpus, whatever the files are called and wherever it goes. Text that
    /// differs in white space, line ends or byte order marks alone counts as the same: one copy is kept, as it is, and the
    /// others are counted. Of documents that are nearly the same one is kept as well, whichever splits they would be in. So
    /// train holds no copy of held-out text, whatever its formatting.
    Lock(Box<lock::LockArgs>),
    /// Lock a corpus for rehearsals: as large as another, of documents that are in none of its splits
    Twin(lock::TwinArgs),
    /// Print what is published of a corpus before a round: its hash, which binds its text and its secret salt
    Commit(opening::CommitArgs),
    /// Write what anybody needs to check records made on a corpus with a secret salt: after the round
    Reveal(opening::RevealArgs),
    /// Write an English-like corpus whose exact code length is known
    ///
    /// It comes from a probabilistic grammar, so the best possible bits per byte are known: the report draws them.
    Synth(SynthArgs),
    /// Verify a corpus, every byte of it, and show what it holds
    #[command(visible_alias = "verify")]
    Show(ShowArgs),
}

/// Arguments of `prism data synth`.
#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// Bytes of text, all splits together; at least as many are written
    #[arg(long, value_name = "N")]
    bytes: u64,
    /// Seed of the words, the facts and the text
    #[arg(long, default_value_t = 0, value_name = "S")]
    seed: u64,
    /// Where the corpus goes: a new or empty directory, but not the working directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Arguments of `prism data show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A locked corpus
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Print the beginnings of so many documents of train, too
    #[arg(long, default_value_t = 0, value_name = "N")]
    sample: u64,
}

pub(crate) fn run(command: &DataCommand, output: Output) -> CommandResult {
    match command {
        DataCommand::Fetch(args) => fetch::run(args, output),
        DataCommand::Lock(args) => lock::run(args, output),
        DataCommand::Twin(args) => lock::twin(args, output),
        DataCommand::Commit(args) => opening::commit(args, output),
        DataCommand::Reveal(args) => opening::reveal(args, output),
        DataCommand::Synth(args) => {
            let manifest = synth(&args.out, args.bytes, args.seed, output)?;
            print(output, &args.out, &manifest, "written")
        }
        DataCommand::Show(args) => {
            let corpus = open(&args.dir, output)?;
            print(output, &args.dir, corpus.manifest(), "verified")?;
            sample(&corpus, args.sample, output)
        }
    }
}

fn publish_failure(error: &prism_corpus::PublishError, input_bytes: u64) -> Failure {
    match error {
        prism_corpus::PublishError::Io(io) => limits::file_too_large(error, &io.source, input_bytes)
            .unwrap_or_else(|| Failure::machine("storage", error)),
        prism_corpus::PublishError::OutputNotReplaceable { .. } => Failure::usage("output_place", error),
        _ => Failure::usage("output_exists", error),
    }
}

/// Writes a synthetic corpus; the demo does it too.
pub(crate) fn synth(out: &Path, bytes: u64, seed: u64, output: Output) -> Result<Manifest, Failure> {
    limits::for_data()?;
    let stop = signals::stop_flag()?;
    let mut progress = Progress::bytes(output, "writing");
    synthesize(out, &SynthOptions::new(bytes, seed), &mut |done, total| {
        progress.set(done, total);
        signals::flow(&stop)
    })
    .map_err(|error| match &error {
        SynthError::Cancelled => Failure::submission("cancelled", &error),
        SynthError::Publish(inner) => publish_failure(inner, bytes),
        _ => Failure::usage("data_synth", &error),
    })
}

/// Prints beginnings of documents; not as JSON, which has one object for an answer.
fn sample(corpus: &Corpus, count: u64, output: Output) -> CommandResult {
    let train = corpus.split(Split::Train);
    if !output.is_json() {
        for number in 0..count.min(train.documents()) {
            let text = train
                .document(number)
                .map_err(|error| Failure::usage("corpus_invalid", &error.to_string()))?;
            let beginning: String = text.chars().take(SAMPLE_CHARACTERS).collect();
            output.note(format_args!("{number}: {}", show::line(&beginning)));
        }
    }
    Ok(Exit::Ok)
}

pub(crate) fn open(dir: &Path, output: Output) -> Result<Corpus, Failure> {
    let stop = signals::stop_flag()?;
    let mut progress = Progress::bytes(output, "verifying");
    Corpus::open_with_progress(dir, &mut |done, total| {
        progress.set(done, total);
        signals::flow(&stop)
    })
    .map_err(|error| match &error {
        OpenError::Cancelled => Failure::submission("cancelled", &error),
        _ => Failure::usage("corpus_invalid", &error),
    })
}

/// What the commands print of a corpus.
#[derive(Serialize)]
struct Shown<'a> {
    dir: String,
    manifest_sha256: String,
    manifest: &'a Manifest,
}

fn print(output: Output, dir: &Path, manifest: &Manifest, done: &str) -> CommandResult {
    let shown = Shown {
        dir: dir.display().to_string(),
        manifest_sha256: manifest.manifest_hash(),
        manifest,
    };
    output.result(&shown, || {
        let rows: Vec<_> = Split::ALL
            .map(|split| {
                let part = manifest.split(split);
                let floor = part.entropy_floor_bits_per_byte;
                vec![
                    split.name().to_owned(),
                    show::grouped(part.documents),
                    show::grouped(part.bytes),
                    part.shards.len().to_string(),
                    floor.map_or_else(|| "unknown".to_owned(), |floor| format!("{floor:.4}")),
                ]
            })
            .into();
        let head = show::head("split|documents>|bytes>|shards>|floor, bits/byte>");
        let mut facts = vec![
            ("corpus", format!("{} ({done})", dir.display())),
            ("name", show::line(&manifest.name)),
            ("source", show::line(&manifest.source)),
            ("revision", show::line(&manifest.revision)),
            ("manifest", shown.manifest_sha256.clone()),
        ];
        facts.extend(became(&manifest.origin));
        format!("{}\n{}", show::pairs(&facts), show::table(&head, &rows))
    })
}

/// What became of the documents that a lock has read.
fn became(origin: &Origin) -> Vec<(&'static str, String)> {
    let Origin::Locked {
        documents_read,
        documents_null,
        documents_empty,
        documents_duplicate,
        documents_respaced,
        documents_near_duplicate,
        documents_not_utf8,
        documents_filtered,
        documents_unused,
        documents_cut,
        ..
    } = origin
    else {
        return Vec::new();
    };
    let dropped = [
        (documents_null, "null"),
        (documents_empty, "empty"),
        (documents_duplicate, "equal to another"),
        (documents_respaced, "equal up to white space"),
        (documents_near_duplicate, "nearly equal"),
        (documents_not_utf8, "not UTF-8"),
        (documents_filtered, "by filters"),
    ]
    .map(|(count, kind)| format!("{} {kind}", show::grouped(*count)));
    vec![
        ("read", show::count(*documents_read, "document", "documents")),
        ("dropped", dropped.join(", ")),
        (
            "unused",
            format!(
                "{} that no split had room for",
                show::count(*documents_unused, "document", "documents")
            ),
        ),
        (
            "cut",
            format!(
                "{} for their length",
                show::count(*documents_cut, "document", "documents")
            ),
        ),
    ]
}
