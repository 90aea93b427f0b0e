//! `prism data lock` and `prism data twin`: text to a corpus, and the rest of it to another one.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use prism_corpus::hub::Fetched;
use prism_corpus::lock::{
    Filters, LockOptions, LockPhase, LockProgress, NearDuplicates, TextFiles, lock, twin as lock_twin,
};
use prism_corpus::manifest::{LockSalt, Manifest, Shares};
use prism_corpus::secret::SecretSalt;
use prism_corpus::{LockError, OpenError};

use super::super::CommandResult;
use super::{print, publish_failure, size};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::{limits, show, signals};

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
    /// Where the text comes from, in words; by default what `prism data fetch` has noted, or `unspecified`
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Which revision of the source it is; by default likewise
    #[arg(long, value_name = "TEXT")]
    revision: Option<String>,
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
    /// Take documents with at least this `language_score`
    #[arg(long, value_name = "0..1")]
    min_language_score: Option<f64>,
    /// Take documents with at least this `int_score`
    #[arg(long, value_name = "N")]
    min_int_score: Option<u32>,
    /// Take documents with at least so much text
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    min_bytes: Option<u64>,
    /// Take documents with at most so much text
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    max_bytes: Option<u64>,
    /// Documents at least this similar count as nearly the same, and one of them is kept: 0.3 to 1, or `off`
    #[arg(long, default_value = "0.7", value_name = "S", value_parser = near)]
    near_duplicates: Near,
    /// Most text of train, as `500MB`; with it, what no split has room for is left over for a twin
    #[arg(long, value_name = "SIZE", value_parser = size::parse, requires = "val",
          conflicts_with_all = ["val_permille", "test_permille"])]
    train: Option<u64>,
    /// Most text that is held out for validation
    #[arg(long, value_name = "SIZE", value_parser = size::parse, requires = "train")]
    val: Option<u64>,
    /// Most text that is kept for later tests
    #[arg(long, value_name = "SIZE", value_parser = size::parse, requires = "train")]
    test: Option<u64>,
    /// Thousandths of the documents that are held out for validation, where no sizes are given [default: 50]
    #[arg(long, value_name = "N")]
    val_permille: Option<u32>,
    /// Thousandths of the documents that are kept for later tests, where no sizes are given [default: 50]
    #[arg(long, value_name = "N")]
    test_permille: Option<u32>,
    /// Public text that decides, with its hash, which document goes to which split
    #[arg(
        long,
        default_value = "prism",
        value_name = "TEXT",
        conflicts_with = "salt_file"
    )]
    salt: String,
    /// The same, from a file that only its owner may read: nobody without it can tell what is held out
    #[arg(long, value_name = "FILE")]
    salt_file: Option<PathBuf>,
    /// Number of threads; the corpus is the same for any number
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

/// Arguments of `prism data twin`.
#[derive(Debug, Args)]
pub(crate) struct TwinArgs {
    /// A corpus that was locked with sizes
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The files that it was locked from, if they are not where they were
    #[arg(long, num_args = 1.., value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Where the twin goes: a new or empty directory
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of threads; the corpus is the same for any number
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TextFilesArg {
    /// Runs of whole paragraphs of 6 to 8 KiB, so that even one book gives three splits
    Sections,
    /// Each file is one document
    Whole,
}

/// How near duplicates are found; nothing where they are not looked for.
#[derive(Clone, Copy, Debug)]
struct Near(Option<NearDuplicates>);

fn near(text: &str) -> Result<Near, String> {
    if text == "off" {
        return Ok(Near(None));
    }
    let similarity: f64 = text
        .parse()
        .map_err(|_| "a number between 0.3 and 1, or `off`".to_owned())?;
    let permille = permille(similarity).filter(|permille| *permille >= 300);
    permille
        .map(|permille| Near(Some(NearDuplicates::from_permille(permille))))
        .ok_or_else(|| "a number between 0.3 and 1, or `off`".to_owned())
}

/// Thousandths of a part.
fn permille(part: f64) -> Option<u32> {
    // Thousandths of at most one are small whole numbers.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000"
    )]
    (0.0..=1.0)
        .contains(&part)
        .then(|| (part * 1000.0).round() as u32)
}

/// Runs `prism data lock`.
pub(super) fn run(args: &LockArgs, output: Output) -> CommandResult {
    let options = options(args)?;
    let mut bars = Bars::new(output)?;
    let locked = lock(&args.from, &args.out, &options, &mut |at| bars.set(at));
    bars.finish(locked, output)
        .and_then(|manifest| print(output, &args.out, &manifest, "locked"))
}

/// Runs `prism data twin`.
pub(super) fn twin(args: &TwinArgs, output: Output) -> CommandResult {
    let threads = args.threads.unwrap_or(LockOptions::default().threads);
    let mut bars = Bars::new(output)?;
    let locked = lock_twin(&args.dir, &args.from, &args.out, threads, &mut |at| bars.set(at));
    bars.finish(locked, output)
        .and_then(|manifest| print(output, &args.out, &manifest, "locked"))
}

fn options(args: &LockArgs) -> Result<LockOptions, Failure> {
    let language_score_permille_min = match args.min_language_score {
        None => None,
        Some(score) => Some(
            permille(score)
                .ok_or_else(|| Failure::usage("usage", &"`--min-language-score` must lie between 0 and 1"))?,
        ),
    };
    let salt = match &args.salt_file {
        None => LockSalt::Public(args.salt.clone()),
        Some(path) => {
            LockSalt::Secret(SecretSalt::read(path).map_err(|error| Failure::usage("salt", &error))?)
        }
    };
    let shares = match (args.train, args.val) {
        (Some(train), Some(val)) => Shares::Bytes {
            train,
            val,
            test: args.test.unwrap_or(0),
        },
        _ => Shares::Permille {
            val: args.val_permille.unwrap_or(50),
            test: args.test_permille.unwrap_or(50),
        },
    };
    // What `fetch` has noted beside the files, where they are all that is read.
    let fetched = match args.from.as_slice() {
        [dir] => Fetched::read(dir),
        _ => None,
    };
    let noted = |given: &Option<String>, found: fn(&Fetched) -> String| {
        given
            .clone()
            .or_else(|| fetched.as_ref().map(found))
            .unwrap_or_else(|| "unspecified".to_owned())
    };
    let defaults = LockOptions::default();
    Ok(LockOptions {
        name: args.name.clone(),
        source: noted(&args.source, |fetched| {
            format!("{} {}", fetched.dataset, fetched.config)
        }),
        revision: noted(&args.revision, |fetched| fetched.commit.clone()),
        // Who says both himself may read what he likes.
        fetched: fetched
            .clone()
            .filter(|_| args.source.is_none() || args.revision.is_none()),
        text_field: args.text_field.clone(),
        text_files: match args.text_files {
            TextFilesArg::Sections => TextFiles::Sections,
            TextFilesArg::Whole => TextFiles::Whole,
        },
        skip_empty: args.skip_empty,
        filters: Filters {
            language_score_permille_min,
            int_score_min: args.min_int_score,
            text_bytes_min: args.min_bytes,
            text_bytes_max: args.max_bytes,
        },
        near_duplicates: args.near_duplicates.0,
        salt,
        shares,
        threads: args.threads.unwrap_or(defaults.threads),
        ..defaults
    })
}

/// What is shown while a lock goes on, and what is told when it is over.
struct Bars {
    reading: Progress,
    comparing: Progress,
    writing: Progress,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    ignored: u64,
    input_bytes: u64,
}

impl Bars {
    fn new(output: Output) -> Result<Self, Failure> {
        limits::for_data()?;
        let stop = signals::stop_flag()?;
        Ok(Self {
            reading: Progress::bytes(output, "reading"),
            comparing: Progress::bytes(output, "comparing"),
            writing: Progress::bytes(output, "writing"),
            stop,
            ignored: 0,
            input_bytes: 0,
        })
    }

    fn set(&mut self, at: LockProgress) -> ControlFlow<()> {
        self.ignored = at.files_ignored;
        match at.phase {
            LockPhase::Reading => {
                self.input_bytes = at.total;
                self.reading.set(at.done, at.total);
            }
            LockPhase::Comparing => self.comparing.set(at.done, at.total),
            LockPhase::Writing => self.writing.set(at.done, at.total),
        }
        signals::flow(&self.stop)
    }

    fn finish(self, locked: Result<Manifest, LockError>, output: Output) -> Result<Manifest, Failure> {
        let (ignored, input_bytes) = (self.ignored, self.input_bytes);
        drop(self);
        let manifest = locked.map_err(|error| lock_failure(&error, input_bytes))?;
        if ignored > 0 {
            output.note(format_args!(
                "passed over {}: only `.txt`, `.jsonl`, `.jsonl.gz`, `.jsonl.zst` and `.parquet` are read",
                show::count(ignored, "file", "files")
            ));
        }
        Ok(manifest)
    }
}

fn lock_failure(error: &LockError, input_bytes: u64) -> Failure {
    match error {
        LockError::Cancelled | LockError::Open(OpenError::Cancelled) => {
            Failure::submission("cancelled", error)
        }
        LockError::Publish(inner) => publish_failure(inner, input_bytes),
        LockError::Open(_) => Failure::usage("corpus_invalid", error),
        LockError::Salt(_) => Failure::usage("salt", error),
        _ => Failure::usage("data_lock", error),
    }
}
