//! What an evaluation needs before it starts: the bundle, its tokenizer, the text, this machine.
//!
//! Each step is a function that returns what it has made or a failure for the person at fault, in the order in which
//! [`crate::evaluate`] calls them; [`crate::instantiate`] shares those that do not concern a corpus. Starts nothing of
//! the submission's.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use prism_bundle::{Bundle, PackError, TokenizerChoice, pack};
use prism_core::{
    hash::Sha256Hash,
    outcome::Reason,
    recipe::{Device, Recipe},
};
use prism_corpus::{
    Corpus, OpenError, Split, StreamPrefix,
    tokenizer::{Tokenizer, TokenizerSpec},
};
use prism_referee::{
    connection::Cancel,
    draws::AuditKey,
    plan::{StreamTotals, TokenizerInfo},
    worker::Failure,
};
use prism_runtime::{Runtime, Settings};
use prism_sandbox::Capabilities;

use crate::{
    evaluate::Host,
    event::{EvalEvent, EvalStage, Hundredths},
    text::{RunText, TextError},
};

/// Two torch processes and the referee, before any model.
const MIN_MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Logs, manifest and report of a run.
const RUN_DIR_BYTES: u64 = 64 * 1024 * 1024;
/// A claim and its length, uncompressed.
const TARGET_BYTES: u64 = 6;

/// The bundle at a path: a directory or an archive.
pub(crate) fn read_bundle(path: &Path) -> Result<Bundle, Failure> {
    let packed = |error: PackError| match error {
        PackError::Io { reason, path, .. } => Failure::new(
            Reason::Usage,
            format!("the bundle {} cannot be read: {reason}", path.display()),
        ),
        PackError::NotAnArchive(_) => Failure::new(Reason::Usage, error.to_string()),
        _ => Failure::new(Reason::BundleInvalid, error.to_string()),
    };
    let bundle = if path.is_dir() {
        Bundle::from_entries(pack::read_dir(path).map_err(packed)?)
    } else {
        Bundle::from_zip(&pack::read_archive(path).map_err(packed)?)
    };
    bundle.map_err(|error| Failure::new(Reason::BundleInvalid, error.to_string()))
}

/// The tokenizer that a bundle declares.
pub(crate) fn load_tokenizer(bundle: &Bundle) -> Result<Tokenizer, Failure> {
    let spec = match bundle.tokenizer() {
        TokenizerChoice::Bytes => TokenizerSpec::Bytes,
        TokenizerChoice::Gpt2 => TokenizerSpec::Gpt2,
        TokenizerChoice::Bundle => {
            TokenizerSpec::Bundle(bundle.tokenizer_json().unwrap_or_default().as_bytes().to_vec())
        }
    };
    Tokenizer::load(&spec).map_err(|error| Failure::new(Reason::TokenizerInvalid, error.to_string()))
}

/// What a run says of its tokenizer, whose vocabulary must be within the recipe's limit.
pub(crate) fn tokenizer_info(
    bundle: &Bundle,
    tokenizer: &Tokenizer,
    recipe: &Recipe,
) -> Result<TokenizerInfo, Failure> {
    let info = TokenizerInfo {
        name: bundle.tokenizer().name().to_owned(),
        vocab_size: tokenizer.vocab_size(),
        end_of_text: tokenizer.end_of_text(),
    };
    if info.vocab_size > recipe.stream.max_vocab_size {
        return Err(Failure::new(
            Reason::TokenizerInvalid,
            format!(
                "the vocabulary has {} tokens; at most {} are allowed",
                info.vocab_size, recipe.stream.max_vocab_size
            ),
        ));
    }
    Ok(info)
}

/// The corpus at a path, every byte of it verified.
pub(crate) fn open_corpus(
    path: &Path,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Result<Corpus, Failure> {
    let mut progress = Hundredths::new(EvalStage::Corpus, events);
    Corpus::open_with_progress(path, &mut |done, total| {
        progress.at(done, total);
        if cancel.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .map_err(|error| match &error {
        OpenError::Cancelled => Failure::new(Reason::Cancelled, "the run was cancelled"),
        // A path that was mistyped, not a corpus that was damaged.
        error if error.is_no_corpus() => Failure::new(Reason::Usage, error.to_string()),
        error => Failure::new(
            Reason::CorpusInvalid,
            format!("{} is no usable corpus: {error}", path.display()),
        ),
    })
}

/// The totals of the stream; proves that the tokenizer keeps every document.
pub(crate) fn count(
    text: &RunText,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Result<StreamTotals, Failure> {
    let mut progress = Hundredths::new(EvalStage::Corpus, events);
    text.totals(cancel, &mut |done, total| progress.at(done, total))
        .map_err(|error| match error {
            TextError::Corpus(detail) => Failure::new(Reason::CorpusInvalid, detail),
            TextError::Tokenizer(detail) => Failure::new(Reason::TokenizerNotLossless, detail),
            TextError::Cancelled => Failure::new(Reason::Cancelled, error.to_string()),
        })
}

/// The train and val text of a run, and the corpus's entropy floor in bits per byte.
pub(crate) fn open_text(
    corpus: &Corpus,
    recipe: &Recipe,
    tokenizer: Tokenizer,
) -> Result<(RunText, Option<f64>), Failure> {
    let train = corpus.split(Split::Train);
    let val = corpus.split(Split::Val);
    let unreadable = |error: prism_corpus::ReadError| Failure::new(Reason::CorpusInvalid, error.to_string());
    let prefix = train.prefix(recipe.stream.max_bytes).map_err(unreadable)?;
    let val_prefix = if val.documents() == 0 || recipe.heldout.val_bytes == 0 {
        StreamPrefix {
            documents: 0,
            bytes: 0,
            code_microbits: None,
        }
    } else {
        val.prefix(recipe.heldout.val_bytes).map_err(unreadable)?
    };
    let floor = prefix.entropy_floor_bits_per_byte();
    Ok((RunText::new(train, prefix, val, val_prefix, tokenizer), floor))
}

/// The hash that names the corpus.
pub(crate) fn corpus_hash(corpus: &Corpus) -> Result<Sha256Hash, Failure> {
    Sha256Hash::parse(corpus.manifest_hash())
        .ok_or_else(|| Failure::new(Reason::Internal, "the corpus has no valid manifest hash"))
}

/// The corpus's own name.
pub(crate) fn corpus_source(corpus: &Corpus) -> String {
    let manifest = corpus.manifest();
    serde_json::to_value(manifest)
        .ok()
        .and_then(|value| {
            value
                .get("name")
                .and_then(|name| name.as_str().map(str::to_owned))
        })
        .unwrap_or_else(|| "unnamed".into())
}

/// Where the Python runtime lives.
pub(crate) fn settings() -> Result<Settings, Failure> {
    Settings::from_env().map_err(|error| Failure::new(Reason::RuntimeMissing, error.to_string()))
}

/// Whether this machine can run a submission: a trial of the sandbox, the device, the interpreter.
pub(crate) fn machine(host: &Host, recipe: &Recipe) -> Result<(Capabilities, Runtime), Failure> {
    let capabilities = prism_sandbox::preflight(&host.helper)
        .map_err(|error| Failure::new(Reason::SandboxUnavailable, error.to_string()))?;
    if recipe.compute.device == Device::Cuda && !Path::new("/dev/nvidiactl").exists() {
        return Err(Failure::new(
            Reason::DeviceMissing,
            "the recipe wants an NVIDIA GPU and /dev/nvidiactl does not exist: use `--device cpu`, or a machine with \
             the driver loaded",
        ));
    }
    let runtime = prism_runtime::locate(&settings()?)
        .map_err(|error| Failure::new(Reason::RuntimeMissing, error.to_string()))?;
    Ok((capabilities, runtime))
}

/// Whether disk and memory will do.
pub(crate) fn check_resources(dir: &Path, recipe: &Recipe, totals: &StreamTotals) -> Result<(), Failure> {
    let short = |detail: String| Failure::new(Reason::Resources, detail);
    let stat = rustix::fs::statvfs(dir).map_err(|error| short(format!("{}: {error}", dir.display())))?;
    let (free, needed) = (
        stat.f_bavail * stat.f_frsize,
        RUN_DIR_BYTES
            + totals.targets * TARGET_BYTES
            + u64::from(recipe.audit.repeats) * recipe.caps.max_snapshot_bytes,
    );
    if free < needed {
        return Err(short(format!(
            "{} has {} MB free and the run may need {}: free some space or choose another place with `--runs`",
            dir.display(),
            free / 1_000_000,
            needed / 1_000_000
        )));
    }
    let needed = MIN_MEMORY_BYTES + 3 * recipe.caps.max_snapshot_bytes.min(64 << 20);
    let room = prism_sandbox::available_memory_bytes();
    if let Some(available) = room.filter(|&available| available < needed) {
        return Err(short(format!(
            "{} MB of memory are available to this process and a run needs at least {}: end other programs, or raise the \
             limit of its container",
            available / 1_000_000,
            needed / 1_000_000
        )));
    }
    Ok(())
}

/// Fills a buffer with the kernel's random bytes.
pub(crate) fn fill_random(buffer: &mut [u8]) -> Result<(), Failure> {
    let mut filled = 0;
    while filled < buffer.len() {
        filled += rustix::rand::getrandom(&mut buffer[filled..], rustix::rand::GetRandomFlags::empty())
            .map_err(|error| {
                Failure::new(
                    Reason::Internal,
                    format!("the kernel gives no random bytes: {error}"),
                )
            })?;
    }
    Ok(())
}

/// An audit key that nobody has seen.
pub(crate) fn fresh_key() -> Result<AuditKey, Failure> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(AuditKey::new(bytes))
}

/// The bundle on disk, twice: an auditor never sees the training script.
pub(crate) struct Unpacked {
    _temp: tempfile::TempDir,
    /// All of it.
    pub learner: PathBuf,
    /// Without the training script.
    pub auditor: PathBuf,
}

impl Unpacked {
    /// Writes both; they are gone when this is dropped.
    pub(crate) fn write(bundle: &Bundle) -> Result<Self, Failure> {
        let storage =
            |error: String| Failure::new(Reason::Storage, format!("the bundle cannot be unpacked: {error}"));
        let temp = tempfile::Builder::new()
            .prefix("prism-")
            .tempdir()
            .map_err(|error| storage(error.to_string()))?;
        let (learner, auditor) = (temp.path().join("learner"), temp.path().join("auditor"));
        for dir in [&learner, &auditor] {
            prism_bundle::pack::write_dir(bundle, dir).map_err(|error| storage(error.to_string()))?;
        }
        fs::remove_file(auditor.join(bundle.manifest().training.as_str()))
            .map_err(|error| storage(error.to_string()))?;
        Ok(Self {
            _temp: temp,
            learner,
            auditor,
        })
    }
}
