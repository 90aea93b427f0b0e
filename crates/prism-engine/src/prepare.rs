//! The second step of an evaluation: the text that a bundle is to read, and the machine that it is to run on.
//!
//! [`prepare`] is called by [`crate::evaluate`]. The smaller steps below it return what they have made or a failure for the
//! person at fault; the other steps and [`crate::instantiate`] share them. Starts nothing of the submission's.

use std::{ops::ControlFlow, path::Path};

use prism_bundle::{Bundle, PackError, TokenizerChoice, pack};
use prism_core::io_error::IoError;
use prism_core::{
    failure::Failure,
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
};
use prism_runtime::{Runtime, Settings, views::Views};
use prism_sandbox::Capabilities;

use crate::{
    admit::Admitted,
    caller_limits, counts,
    evaluate::Host,
    event::{EvalEvent, EvalStage, ThrottledProgress},
    run::Run,
    seats, settle,
    text::{RunText, TextError, UncountedText},
    totals_cache::{Key, TotalsCache},
};

/// Two torch processes and the referee, before any model.
pub(crate) const MEMORY_BYTES_MIN: u64 = 2 * 1024 * 1024 * 1024;
/// Logs, manifest and report of a run.
const RUN_DIR_BYTES: u64 = 64 * 1024 * 1024;
/// A claim and its length, uncompressed.
pub(crate) const TARGET_BYTES: u64 = 6;

/// Everything that a measurement needs.
pub(crate) struct Prepared {
    pub(crate) bundle: Bundle,
    /// Price of the bundle, in bits.
    pub(crate) bundle_bits: u64,
    pub(crate) tokenizer_info: TokenizerInfo,
    /// The hash that names the corpus.
    pub(crate) corpus: Sha256Hash,
    /// The corpus's own name.
    pub(crate) corpus_name: String,
    pub(crate) text: RunText,
    pub(crate) totals: StreamTotals,
    /// The least that any model can reach, in bits per byte, where the corpus knows it.
    pub(crate) entropy_floor_bpb: Option<f64>,
    pub(crate) capabilities: Capabilities,
    pub(crate) runtime: Runtime,
    pub(crate) views: Views,
}

/// The second step of an evaluation: the text that an admitted bundle is to read, and the machine that it is to run on.
pub(crate) fn prepare(admitted: Admitted, run: &mut Run<'_>) -> Result<Prepared, Failure> {
    let (request, recipe) = (run.request, &run.request.recipe);
    let Admitted {
        bundle,
        bundle_bits,
        tokenizer_spec,
        tokenizer,
        tokenizer_info,
    } = admitted;
    run.stage(EvalStage::Corpus, "verifying the corpus")?;
    let corpus = open_corpus(&request.corpus, run.cancel, run.events)?;
    let hash = corpus_hash(&corpus)?;
    let (text, entropy_floor_bpb) = open_text(&corpus, recipe, tokenizer)?;
    run.stage(EvalStage::Corpus, "counting the tokens of the stream")?;
    let (text, totals) = count(text, hash, &tokenizer_spec, run)?;
    run.state.stream = Some((totals.bytes, entropy_floor_bpb));
    check_stream(recipe, &totals)?;
    run.rehearse(counts::by_text(&request.round, recipe, hash, &totals));

    run.stage(EvalStage::Preflight, "trying the sandbox and the Python runtime")?;
    let (capabilities, runtime) = machine(run.host, recipe)?;
    run.rehearse(counts::by_machine(&request.round, &capabilities, &runtime));
    settle::preflight(capabilities.mode, run.state, run.events);
    let views = seats::views(&runtime, run.cancel, run.events)?;
    Ok(Prepared {
        bundle,
        bundle_bits,
        tokenizer_info,
        corpus: hash,
        corpus_name: corpus.manifest().name.clone(),
        text,
        totals,
        entropy_floor_bpb,
        capabilities,
        runtime,
        views,
    })
}

/// Whether there is a stream, and one that is long enough for its recipe.
fn check_stream(recipe: &Recipe, totals: &StreamTotals) -> Result<(), Failure> {
    if totals.bytes == 0 {
        return Err(Failure::new(
            Reason::CorpusInvalid,
            "the train split of the corpus is empty",
        ));
    }
    let (least, most) = recipe.stream.step_targets(totals.targets);
    if least > most {
        return Err(Failure::new(
            Reason::Usage,
            format!(
                "the stream of {} targets is too short for this recipe: a step needs at least {least} targets and may have \
                 at most {most}",
                totals.targets
            ),
        )
        .with_hint(
            "lock more text, raise `--max-bytes`, or take a recipe with a smaller `stream.min_targets_per_step`",
        ));
    }
    Ok(())
}

/// The bundle at a path: a directory or an archive.
pub(crate) fn read_bundle(path: &Path) -> Result<Bundle, Failure> {
    let packed = |error: PackError| match error {
        PackError::Io(IoError { path, source, .. }) => Failure::new(
            Reason::Usage,
            format!("the bundle {} cannot be read: {source}", path.display()),
        ),
        PackError::NotAnArchive(_) => Failure::of(Reason::Usage, &error),
        _ => Failure::of(Reason::BundleInvalid, &error),
    };
    let bundle = if path.is_dir() {
        Bundle::from_entries(pack::read_dir(path).map_err(packed)?)
    } else {
        Bundle::from_zip(&pack::read_archive(path).map_err(packed)?)
    };
    bundle.map_err(|error| Failure::of(Reason::BundleInvalid, &error))
}

/// The tokenizer that a bundle declares.
pub(crate) fn tokenizer_spec(bundle: &Bundle) -> TokenizerSpec {
    match bundle.tokenizer() {
        TokenizerChoice::Bytes => TokenizerSpec::Bytes,
        TokenizerChoice::Gpt2 => TokenizerSpec::Gpt2,
        TokenizerChoice::Bundle => {
            TokenizerSpec::Bundle(bundle.tokenizer_json().unwrap_or_default().as_bytes().to_vec())
        }
    }
}

/// The same, loaded.
pub(crate) fn load_tokenizer(bundle: &Bundle) -> Result<Tokenizer, Failure> {
    Tokenizer::load(&tokenizer_spec(bundle)).map_err(|error| Failure::of(Reason::TokenizerInvalid, &error))
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
    let mut progress = ThrottledProgress::new(EvalStage::Corpus, events);
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
        error if error.is_no_corpus() => Failure::of(Reason::Usage, error),
        error => Failure {
            detail: format!("{} is no usable corpus: {error}", path.display()),
            ..Failure::of(Reason::CorpusInvalid, error)
        },
    })
}

/// The text of a run and the totals of its stream; proves that the tokenizer keeps every document. What was counted before is
/// not counted again.
fn count(
    text: UncountedText,
    corpus: Sha256Hash,
    spec: &TokenizerSpec,
    run: &mut Run<'_>,
) -> Result<(RunText, StreamTotals), Failure> {
    let cache = run.request.cache.as_deref().map(TotalsCache::new);
    let (train_documents, val_documents) = text.documents();
    let key = Key::new(corpus, spec, train_documents, val_documents);
    if let Some(targets) = cache.as_ref().and_then(|cache| cache.get(&key)) {
        return Ok(text.counted(targets));
    }
    let mut progress = ThrottledProgress::new(EvalStage::Corpus, run.events);
    let counted = text
        .count(run.cancel, &mut |done, total| progress.at(done, total))
        .map_err(|error| match error {
            TextError::Corpus(detail) => Failure::new(Reason::CorpusInvalid, detail),
            TextError::Tokenizer(detail) => Failure::new(Reason::TokenizerNotLossless, detail),
            TextError::Cancelled => Failure::new(Reason::Cancelled, error.to_string()),
        })?;
    if let Some(cache) = cache {
        // A disk that refuses will be met by the run itself, which says so better.
        let _ = cache.put(&key, &counted.0.targets());
    }
    Ok(counted)
}

/// The train and val text of a run, and the corpus's entropy floor in bits per byte.
pub(crate) fn open_text(
    corpus: &Corpus,
    recipe: &Recipe,
    tokenizer: Tokenizer,
) -> Result<(UncountedText, Option<f64>), Failure> {
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
    let text = UncountedText::new(train, prefix, val, val_prefix, tokenizer);
    Ok((text, floor))
}

/// The hash that names the corpus.
pub(crate) fn corpus_hash(corpus: &Corpus) -> Result<Sha256Hash, Failure> {
    Sha256Hash::parse(corpus.manifest_hash())
        .ok_or_else(|| Failure::new(Reason::Internal, "the corpus has no valid manifest hash"))
}

/// Where the Python runtime lives.
pub(crate) fn settings() -> Result<Settings, Failure> {
    Settings::from_env().map_err(|error| Failure::of(Reason::RuntimeMissing, &error))
}

/// Whether this machine can run a submission: a trial of the sandbox, the device, the interpreter.
pub(crate) fn machine(host: &Host, recipe: &Recipe) -> Result<(Capabilities, Runtime), Failure> {
    caller_limits::provide(recipe)?;
    let capabilities = prism_sandbox::preflight(&host.helper)
        .map_err(|error| Failure::of(Reason::SandboxUnavailable, &error))?;
    if recipe.compute.device == Device::Cuda && !Path::new("/dev/nvidiactl").exists() {
        return Err(Failure::new(
            Reason::DeviceMissing,
            "the recipe wants an NVIDIA GPU and /dev/nvidiactl does not exist",
        )
        .with_hint(
            "load the driver, or use a machine with a GPU; `prism eval --device cpu` rehearses without one",
        ));
    }
    let runtime =
        prism_runtime::locate(&settings()?).map_err(|error| Failure::of(Reason::RuntimeMissing, &error))?;
    Ok((capabilities, runtime))
}

/// Whether a run of so many targets has room in a directory.
pub(crate) fn check_disk(dir: &Path, recipe: &Recipe, targets: u64) -> Result<(), Failure> {
    let short = |detail: String| Failure::new(Reason::Resources, detail);
    let stat = rustix::fs::statvfs(dir).map_err(|error| short(format!("{}: {error}", dir.display())))?;
    let (free, needed) = (
        stat.f_bavail * stat.f_frsize,
        RUN_DIR_BYTES
            + targets * TARGET_BYTES
            + u64::from(recipe.audit.repeats) * recipe.caps.max_snapshot_bytes,
    );
    if free < needed {
        return Err(short(format!(
            "{} has {} MB free and the run may need {}: free some space or choose another place",
            dir.display(),
            free / 1_000_000,
            needed / 1_000_000
        )));
    }
    Ok(())
}

/// Whether disk and memory will do.
pub(crate) fn check_resources(dir: &Path, recipe: &Recipe, totals: &StreamTotals) -> Result<(), Failure> {
    let short = |detail: String| Failure::new(Reason::Resources, detail);
    check_disk(dir, recipe, totals.targets)?;
    // Of each snapshot: the learner's segment, two of auditors, and three copies for the memorisation gap.
    let needed = MEMORY_BYTES_MIN + 6 * recipe.caps.max_snapshot_bytes.min(64 << 20);
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
    getrandom::fill(buffer).map_err(|error| {
        Failure::new(
            Reason::Internal,
            format!("the kernel gives no random bytes: {error}"),
        )
    })
}

/// An audit key that nobody has seen.
pub(crate) fn fresh_key() -> Result<AuditKey, Failure> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(AuditKey::new(bytes))
}
