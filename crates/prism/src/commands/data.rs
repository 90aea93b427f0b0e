//! `prism data`: text to a locked corpus, a synthetic corpus, and what a corpus holds.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use prism_corpus::lock::{LockOptions, LockPhase, TextFiles, lock};
use prism_corpus::manifest::{Manifest, Origin, Split, SplitRule};
use prism_corpus::synth::{SynthError, SynthOptions, synthesize};
use prism_corpus::{Corpus, LockError, OpenError};
use serde::Serialize;

use super::CommandResult;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::show::{self, Lean};
use crate::{limits, signals};

/// `prism data ...`
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Lock text into three fixed, disjoint splits
    ///
    /// Reads `.txt`, `.jsonl` (also `.jsonl.gz` and `.jsonl.zst`) and `.parquet` files; directories are read recursively.
    /// The same text and options give the same corpus, whatever the files are called and wherever it goes. Text that
    /// differs in white space, line ends or byte order marks alone counts as the same: one copy is kept, as it is, and the
    /// others are counted. So nothing of the held-out splits is in train in another layout.
    Lock(LockArgs),
    /// Write an English-like corpus whose exact code length is known
    ///
    /// It comes from a probabilistic grammar, so the best possible bits per byte are known: the report draws them.
    Synth(SynthArgs),
    /// Verify a corpus and show what it holds
    Show(ShowArgs),
}

/// Arguments of `prism data lock`.
#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// Files and directories with text
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Where the corpus goes: a new or empty directory, but not the working directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the corpus is called
    #[arg(long, default_value = "corpus")]
    name: String,
    /// Where the text comes from, in words
    #[arg(long, default_value = "unspecified", value_name = "TEXT")]
    source: String,
    /// Which revision of the source it is
    #[arg(long, default_value = "unspecified", value_name = "TEXT")]
    revision: String,
    /// The JSON field or Parquet column that holds the text
    #[arg(long, default_value = "text", value_name = "FIELD")]
    text_field: String,
    /// How `.txt` files become documents
    #[arg(long, value_enum, default_value_t = TextFilesArg::Sections, value_name = "HOW")]
    text_files: TextFilesArg,
    /// Pass over records whose text is null, and count them; without it they are an error. Text of white space alone is
    /// always dropped and counted
    #[arg(long)]
    skip_empty: bool,
    /// Thousandths of the documents that are held out for validation
    #[arg(long, default_value_t = 50, value_name = "N")]
    val_permille: u32,
    /// Thousandths of the documents that are kept for later tests
    #[arg(long, default_value_t = 50, value_name = "N")]
    test_permille: u32,
    /// Keys the rule by which documents find their split
    #[arg(long, default_value = "prism", value_name = "TEXT")]
    salt: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TextFilesArg {
    /// Runs of whole paragraphs of 6 to 8 KiB, so that even one book gives three splits
    Sections,
    /// Each file is one document
    Whole,
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
}

/// Runs one of them.
pub(crate) fn run(command: &DataCommand, output: Output) -> CommandResult {
    match command {
        DataCommand::Lock(args) => lock_text(args, output),
        DataCommand::Synth(args) => {
            let manifest = synth(&args.out, args.bytes, args.seed, output)?;
            print(output, &args.out, &manifest, "written")
        }
        DataCommand::Show(args) => {
            let corpus = open(&args.dir, output)?;
            print(output, &args.dir, corpus.manifest(), "verified")
        }
    }
}

fn lock_text(args: &LockArgs, output: Output) -> CommandResult {
    let options = LockOptions {
        name: args.name.clone(),
        source: args.source.clone(),
        revision: args.revision.clone(),
        text_field: args.text_field.clone(),
        text_files: match args.text_files {
            TextFilesArg::Sections => TextFiles::Sections,
            TextFilesArg::Whole => TextFiles::Whole,
        },
        skip_empty: args.skip_empty,
        split_rule: SplitRule::new(&args.salt, args.val_permille, args.test_permille),
        ..LockOptions::default()
    };
    let stop = signals::stop_flag()?;
    limits::for_data();
    let mut reading = Progress::bytes(output, "reading");
    let mut writing = Progress::bytes(output, "writing");
    let (mut ignored, mut input_bytes) = (0, 0);
    let manifest = lock(&args.from, &args.out, &options, &mut |at| {
        ignored = at.files_ignored;
        let bar = match at.phase {
            LockPhase::Reading => {
                input_bytes = at.total_bytes;
                &mut reading
            }
            LockPhase::Writing => &mut writing,
        };
        bar.set(at.done_bytes, at.total_bytes);
        if signals::is_set(&stop) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .map_err(|error| lock_failure(&error, input_bytes))?;
    drop((reading, writing));
    if ignored > 0 {
        output.note(format_args!(
            "passed over {}: only `.txt`, `.jsonl`, `.jsonl.gz`, `.jsonl.zst` and `.parquet` are read",
            show::count(ignored, "file", "files")
        ));
    }
    print(output, &args.out, &manifest, "locked")
}

fn lock_failure(error: &LockError, input_bytes: u64) -> Failure {
    match error {
        LockError::Cancelled => Failure::submission("cancelled", error),
        LockError::Publish(inner) => publish_failure(inner, input_bytes),
        _ => Failure::usage("data_lock", error),
    }
}

fn publish_failure(error: &prism_corpus::PublishError, input_bytes: u64) -> Failure {
    match error {
        prism_corpus::PublishError::Io { source, .. } => limits::file_too_large(error, source, input_bytes)
            .unwrap_or_else(|| Failure::machine("storage", error)),
        prism_corpus::PublishError::OutputNotReplaceable { .. } => Failure::usage("output_place", error),
        _ => Failure::usage("output_exists", error),
    }
}

/// Writes a synthetic corpus; the demo does it too.
pub(crate) fn synth(out: &Path, bytes: u64, seed: u64, output: Output) -> Result<Manifest, Failure> {
    let stop = signals::stop_flag()?;
    limits::for_data();
    let mut progress = Progress::bytes(output, "writing");
    synthesize(out, &SynthOptions::new(bytes, seed), &mut |done, total| {
        progress.set(done, total);
        if signals::is_set(&stop) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .map_err(|error| match &error {
        SynthError::Cancelled => Failure::submission("cancelled", &error),
        SynthError::Publish(inner) => publish_failure(inner, bytes),
        _ => Failure::usage("data_synth", &error),
    })
}

fn open(dir: &Path, output: Output) -> Result<Corpus, Failure> {
    let stop = signals::stop_flag()?;
    let mut progress = Progress::bytes(output, "verifying");
    Corpus::open_with_progress(dir, &mut |done, total| {
        progress.set(done, total);
        if signals::is_set(&stop) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
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
        let head = [
            ("split", Lean::Left),
            ("documents", Lean::Right),
            ("bytes", Lean::Right),
            ("shards", Lean::Right),
            ("floor, bits/byte", Lean::Right),
        ];
        let mut facts = vec![
            ("corpus", format!("{} ({done})", dir.display())),
            ("name", show::line(&manifest.name)),
            ("source", show::line(&manifest.source)),
            ("revision", show::line(&manifest.revision)),
            ("manifest", shown.manifest_sha256.clone()),
        ];
        facts.extend(became(&manifest.origin));
        format!("{}\n{}", show::pairs(&facts), show::table(&head, &rows))
    })?;
    Ok(Exit::Ok)
}

/// What became of the documents that a lock has read.
fn became(origin: &Origin) -> Vec<(&'static str, String)> {
    let Origin::Locked {
        documents_read,
        documents_null,
        documents_empty,
        documents_duplicate,
        documents_respaced,
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
    ]
    .map(|(count, kind)| format!("{} {kind}", show::grouped(*count)));
    vec![
        ("read", show::count(*documents_read, "document", "documents")),
        ("dropped", dropped.join(", ")),
        (
            "cut",
            format!(
                "{} for their length",
                show::count(*documents_cut, "document", "documents")
            ),
        ),
    ]
}
