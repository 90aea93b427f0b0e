//! The one function behind `prism eval`, the demo, the red team and a service: a request in, events out, an outcome.
//!
//! In order: bundle, gate, corpus and tokenizer, runtime, sandbox, resources, run directory, measurement, files. Whatever
//! happens it returns an [`Outcome`]; once there is a run directory, `result.json` in it says the same. Never runs a
//! line of the submission outside a sandbox; never believes what a submission reports.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use prism_bundle::{Bundle, TokenizerChoice};
use prism_core::{
    hash::Sha256Hash,
    nats::NATS_PER_BIT,
    outcome::Reason,
    recipe::{Device, Recipe},
};
use prism_corpus::{
    Corpus, Split,
    tokenizer::{Tokenizer, TokenizerSpec},
};
use prism_referee::{
    connection::Cancel,
    draws::AuditKey,
    plan::{Event, Hashes, Plan, Stage, StreamTotals, TokenizerInfo},
    record::Record,
    session::{self, Observed},
    worker::Failure,
};
use prism_runtime::{Origin, Runtime, Settings};
use prism_sandbox::{Capabilities, Helper, MemoryCap};

use crate::{
    curve::Curve,
    event::{EvalEvent, EvalStage, GateFinding},
    gate,
    launcher::{CapturedLog, SandboxLauncher, worker_paths},
    manifest,
    outcome::Outcome,
    publish,
    request::{EvalRequest, RehearsalReason, RunPlace},
    run_dir::{LOGS_DIR, METRICS_FILE, RESULT_FILE, RunDir, TARGETS_FILE},
    text::{RunText, TextError},
};

/// Largest archive that is read; the format itself allows 8 MiB unpacked.
const MAX_ARCHIVE_BYTES: u64 = 16 * 1024 * 1024;
/// Two torch processes and the referee, before any model.
const MIN_MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Logs, manifest and report of a run.
const RUN_DIR_BYTES: u64 = 64 * 1024 * 1024;
/// A claim and its length, uncompressed.
const TARGET_BYTES: u64 = 6;

/// What this process brings along.
#[derive(Clone, Debug)]
pub struct Host {
    /// The executable that becomes a sandbox's init.
    pub helper: Helper,
}

/// Evaluates one submission.
pub fn evaluate(
    request: &EvalRequest,
    host: &Host,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
) -> Outcome {
    let started = Instant::now();
    let mut state = RunState::default();
    let result = run(request, host, cancel, events, &mut state, started);
    let mut outcome = match result {
        Ok(outcome) => outcome,
        Err(failure) => {
            // Both may quote the submission, and somebody will print them.
            let detail = prism_sandbox::escape_for_terminal(&failure.detail);
            let mut outcome = Outcome::failed(failure.reason, detail);
            outcome.traceback = failure.traceback.map(prism_sandbox::escape_for_terminal);
            outcome
        }
    };
    outcome.findings.clone_from(&state.findings);
    outcome.covered_bytes = state.covered_bytes;
    outcome.rehearsal_reasons = state
        .rehearsal
        .iter()
        .map(|reason| reason.code().to_owned())
        .collect();
    outcome.rehearsal = !state.rehearsal.is_empty();
    outcome.run_id.clone_from(&state.run_id);
    outcome.submission_id = request.submission_id.clone().or_else(|| state.run_id.clone());
    outcome.wall_seconds = started.elapsed().as_secs_f64();
    if let Some(dir) = &state.dir {
        outcome.run_dir = Some(dir.path().to_owned());
        if let Err(error) = close(dir, &outcome, &state) {
            let mut lost = Outcome::failed(
                Reason::Storage,
                format!("the run directory cannot be written: {error}"),
            );
            lost.run_dir.clone_from(&outcome.run_dir);
            lost.run_id.clone_from(&outcome.run_id);
            lost.submission_id.clone_from(&outcome.submission_id);
            lost.wall_seconds = outcome.wall_seconds;
            outcome = lost;
        }
    }
    events(EvalEvent::Finished {
        status: outcome.status,
        reason: outcome.reason,
    });
    outcome
}

/// What a run leaves behind even if it fails half-way.
#[derive(Default)]
struct RunState {
    dir: Option<RunDir>,
    run_id: Option<String>,
    rehearsal: Vec<RehearsalReason>,
    covered_bytes: u64,
    findings: Vec<GateFinding>,
    curve: Curve,
    metrics: Vec<String>,
    logs: Arc<Mutex<Vec<CapturedLog>>>,
}

impl RunState {
    fn rehearse(&mut self, reason: RehearsalReason) {
        if !self.rehearsal.contains(&reason) {
            self.rehearsal.push(reason);
            self.rehearsal.sort_unstable();
        }
    }
}

fn fail(reason: Reason) -> impl Fn(String) -> Failure {
    move |detail| Failure::new(reason, detail)
}

fn run(
    request: &EvalRequest,
    host: &Host,
    cancel: &Cancel,
    events: &mut dyn FnMut(EvalEvent),
    state: &mut RunState,
    started: Instant,
) -> Result<Outcome, Failure> {
    let recipe = &request.recipe;
    recipe
        .check()
        .map_err(|error| Failure::new(Reason::RecipeInvalid, error.to_string()))?;
    note_rehearsal(request, state);
    let stage = |events: &mut dyn FnMut(EvalEvent), stage: EvalStage, message: &str| {
        events(EvalEvent::Stage {
            stage,
            message: message.into(),
        });
        if cancel.is_cancelled() {
            Err(Failure::new(Reason::Cancelled, "the run was cancelled"))
        } else {
            Ok(())
        }
    };

    stage(events, EvalStage::Bundle, "reading the bundle")?;
    let bundle = read_bundle(&request.bundle)?;
    if !request.rehearsal.contains(&RehearsalReason::NoGate) {
        // Before anything costs time or starts a process.
        stage(
            events,
            EvalStage::Gate,
            "checking the source by the rules of the gate",
        )?;
        let said = gate::judge(&bundle, &request.bundle)?;
        if let Some(event) = said.event() {
            events(event);
        }
        if let Some(detail) = said.refusal {
            state.findings = said.findings;
            return Err(Failure::new(Reason::GateRejected, detail));
        }
    }
    let bundle_bits = bundle
        .priced_bits(recipe.bundle.allowance_bytes)
        .map_err(|error| Failure::new(Reason::Internal, error.to_string()))?;
    let tokenizer = load_tokenizer(&bundle)?;

    stage(
        events,
        EvalStage::Corpus,
        "verifying the corpus and counting its tokens",
    )?;
    let corpus = Corpus::open(&request.corpus).map_err(|error| {
        Failure::new(
            Reason::CorpusInvalid,
            format!("{} is no usable corpus: {error}", request.corpus.display()),
        )
    })?;
    let info = tokenizer_info(&bundle, &tokenizer, recipe)?;
    let (text, entropy_floor_bpb) = open_text(&corpus, recipe, tokenizer)?;
    let totals = text.totals().map_err(|error| match error {
        TextError::Corpus(detail) => Failure::new(Reason::CorpusInvalid, detail),
        TextError::Tokenizer(detail) => Failure::new(Reason::TokenizerNotLossless, detail),
    })?;
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
                 at most {most}; lock more text, raise `--max-bytes`, or take a recipe with a smaller \
                 `stream.min_targets_per_step`",
                totals.targets
            ),
        ));
    }
    let allowance_bpb = 8.0 * recipe.bundle.allowance_bytes as f64 / totals.bytes as f64;
    if allowance_bpb > recipe.bundle.max_allowance_bpb {
        state.rehearse(RehearsalReason::ShortStream);
    }

    stage(
        events,
        EvalStage::Preflight,
        "trying the sandbox and the Python runtime",
    )?;
    let (capabilities, runtime) = preflight(host, recipe, state)?;
    let dir = make_run_dir(request, &bundle, state)?;
    check_resources(dir.path(), recipe, &totals)?;

    let sources = prism_runtime::runtime_sources(&settings()?)
        .map_err(|error| Failure::new(Reason::RuntimeMissing, error.to_string()))?;
    let unpacked = Unpacked::write(&bundle)?;
    let key = match &request.audit_key {
        Some(key) => key.clone(),
        None => fresh_key()?,
    };
    events(EvalEvent::Run {
        run_id: state.run_id.clone().unwrap_or_default(),
        run_dir: dir.path().display().to_string(),
        audit_key_commitment: key.commitment().to_string(),
    });
    let manifest = bundle.manifest();
    let plan = Plan {
        recipe,
        seed: request.seed,
        key,
        hashes: Hashes {
            bundle: bundle.hash(),
            corpus: corpus_hash(&corpus)?,
            recipe: recipe.sha256(),
            runtime_lock: runtime.origin.label(),
            runtime_sources: sources.sha256,
        },
        tokenizer: info,
        totals,
        bundle_bits,
        entropy_floor_bpb,
        paths: worker_paths(manifest.architecture.as_str(), manifest.training.as_str()),
        text: &text,
    };
    let mut launcher = SandboxLauncher {
        helper: &host.helper,
        capabilities: &capabilities,
        runtime: &runtime,
        sources_dir: &sources.dir,
        learner_bundle: &unpacked.learner,
        auditor_bundle: &unpacked.auditor,
        recipe,
        logs: Arc::clone(&state.logs),
        auditors: 0,
    };
    let targets = dir.create_file(TARGETS_FILE).map_err(|error| {
        Failure::new(
            Reason::Storage,
            format!("{TARGETS_FILE} cannot be created: {error}"),
        )
    })?;
    let mut observed = Observed::default();
    let measured = {
        let mut watch = |event: Event| watch(event, &totals, state, events);
        session::measure(&plan, &mut launcher, targets, cancel, &mut watch, &mut observed)
    };
    let finished = match measured {
        Ok(finished) => finished,
        Err(failure) => {
            // Half a record is none.
            let _ = fs::remove_file(dir.file(TARGETS_FILE));
            return Err(failure);
        }
    };
    let mut record = finished.record;
    record.targets_sha256 = publish::hash_file(&dir.file(TARGETS_FILE)).map_err(|error| {
        Failure::new(
            Reason::Storage,
            format!("{TARGETS_FILE} cannot be read back: {error}"),
        )
    })?;
    if record.measured.audits < recipe.audit.min_audits {
        state.rehearse(RehearsalReason::FewAudits);
    }
    let context = publish::Context {
        request,
        corpus_source: corpus_source(&corpus),
        run_id: state.run_id.clone().unwrap_or_default(),
        rehearsal: &state.rehearsal,
        curve: state.curve.thin(manifest::MAX_CURVE_POINTS),
        observed: &observed,
        wall_seconds: started.elapsed().as_secs_f64(),
    };
    publish::write(&dir, &record, &context).map_err(|error| {
        Failure::new(
            Reason::Storage,
            format!("the run directory cannot be written: {error}"),
        )
    })?;
    Ok(completed(&record))
}

pub(crate) fn settings() -> Result<Settings, Failure> {
    Settings::from_env().map_err(|error| Failure::new(Reason::RuntimeMissing, error.to_string()))
}

/// What already keeps a run from counting, before it starts.
fn note_rehearsal(request: &EvalRequest, state: &mut RunState) {
    for &reason in &request.rehearsal {
        state.rehearse(reason);
    }
    if request.recipe.sha256() != Recipe::official().sha256() {
        state.rehearse(RehearsalReason::Recipe);
    }
    if request.audit_key.is_some() {
        state.rehearse(RehearsalReason::FixedKey);
    }
}

fn read_bundle(path: &Path) -> Result<Bundle, Failure> {
    let invalid = fail(Reason::BundleInvalid);
    let metadata = fs::metadata(path).map_err(|error| {
        Failure::new(
            Reason::Usage,
            format!("the bundle {} cannot be read: {error}", path.display()),
        )
    })?;
    if metadata.is_dir() {
        let entries = prism_bundle::pack::read_dir(path).map_err(|error| invalid(error.to_string()))?;
        return Bundle::from_entries(entries).map_err(|error| invalid(error.to_string()));
    }
    if metadata.len() > MAX_ARCHIVE_BYTES {
        return Err(invalid(format!(
            "{} has {} bytes; an archive of at most {MAX_ARCHIVE_BYTES} is read",
            path.display(),
            metadata.len()
        )));
    }
    let archive = fs::read(path).map_err(|error| {
        Failure::new(
            Reason::Usage,
            format!("the bundle {} cannot be read: {error}", path.display()),
        )
    })?;
    Bundle::from_zip(&archive).map_err(|error| invalid(error.to_string()))
}

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

fn open_text(
    corpus: &Corpus,
    recipe: &Recipe,
    tokenizer: Tokenizer,
) -> Result<(RunText, Option<f64>), Failure> {
    let train = corpus.split(Split::Train);
    let val = corpus.split(Split::Val);
    let unreadable = |error: prism_corpus::ReadError| Failure::new(Reason::CorpusInvalid, error.to_string());
    let prefix = train.prefix(recipe.stream.max_bytes).map_err(unreadable)?;
    let val_documents = if val.documents() == 0 || recipe.heldout.val_bytes == 0 {
        0
    } else {
        val.prefix(recipe.heldout.val_bytes)
            .map_err(unreadable)?
            .documents
    };
    let floor = prefix.entropy_floor_bits_per_byte();
    Ok((RunText::new(train, prefix, val, val_documents, tokenizer), floor))
}

fn corpus_hash(corpus: &Corpus) -> Result<Sha256Hash, Failure> {
    Sha256Hash::parse(corpus.manifest_hash())
        .ok_or_else(|| Failure::new(Reason::Internal, "the corpus has no valid manifest hash"))
}

fn corpus_source(corpus: &Corpus) -> String {
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

fn preflight(host: &Host, recipe: &Recipe, state: &mut RunState) -> Result<(Capabilities, Runtime), Failure> {
    let (capabilities, runtime) = machine(host, recipe)?;
    if capabilities.memory_cap == MemoryCap::Watchdog {
        state.rehearse(RehearsalReason::MemoryWatchdog);
    }
    if runtime.origin == Origin::External {
        state.rehearse(RehearsalReason::ExternalRuntime);
    }
    Ok((capabilities, runtime))
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

fn make_run_dir(request: &EvalRequest, bundle: &Bundle, state: &mut RunState) -> Result<RunDir, Failure> {
    let mut random = [0_u8; 4];
    fill_random(&mut random)?;
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let hash = bundle.hash().to_string();
    let run_id = format!("run-{seconds}-{}-{:08x}", &hash[..8], u32::from_le_bytes(random));
    let path = match &request.place {
        RunPlace::Under(runs) => runs.join(&run_id),
        RunPlace::Exactly(path) => path.clone(),
    };
    let dir = RunDir::create(&path).map_err(|error| {
        let reason = if error.kind() == io::ErrorKind::AlreadyExists {
            Reason::Usage
        } else {
            Reason::Storage
        };
        Failure::new(
            reason,
            format!("the run directory {} cannot be made: {error}", path.display()),
        )
    })?;
    state.run_id = Some(run_id);
    state.dir = Some(dir.clone());
    Ok(dir)
}

fn check_resources(dir: &Path, recipe: &Recipe, totals: &StreamTotals) -> Result<(), Failure> {
    let short = fail(Reason::Resources);
    let stat = rustix::fs::statvfs(dir).map_err(|error| short(format!("{}: {error}", dir.display())))?;
    let (free, needed) = (
        stat.f_bavail * stat.f_frsize,
        RUN_DIR_BYTES + totals.targets * TARGET_BYTES,
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
    if let Some(available) = available_memory_bytes().filter(|&available| available < needed) {
        return Err(short(format!(
            "{} MB of memory are available and a run needs at least {}",
            available / 1_000_000,
            needed / 1_000_000
        )));
    }
    Ok(())
}

/// `MemAvailable`, where the kernel tells it.
fn available_memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

fn fill_random(buffer: &mut [u8]) -> Result<(), Failure> {
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

fn fresh_key() -> Result<AuditKey, Failure> {
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

/// Turns the referee's events into those of an evaluation, and keeps what the run's files need of them.
fn watch(event: Event, totals: &StreamTotals, state: &mut RunState, events: &mut dyn FnMut(EvalEvent)) {
    match event {
        Event::Stage(stage) => {
            let (stage, message) = match stage {
                Stage::Starting => (EvalStage::Starting, "starting learner and auditor"),
                Stage::Training => (EvalStage::Training, "reading the stream"),
                Stage::HeldOut => (EvalStage::HeldOut, "scoring held-out text"),
                Stage::Concluding => (EvalStage::Concluding, "closing the record"),
            };
            events(EvalEvent::Stage {
                stage,
                message: message.into(),
            });
        }
        Event::Opened {
            batch_size,
            seq_len,
            parameters,
            batches,
        } => {
            events(EvalEvent::Opened {
                batch_size,
                seq_len,
                parameters,
                batches,
                stream_bytes: totals.bytes,
            });
        }
        Event::Step(report) => {
            state.curve.push(&report);
            state.covered_bytes = report.covered_bytes;
            events(EvalEvent::Step {
                step: report.step,
                covered_bytes: report.covered_bytes,
                stream_bytes: totals.bytes,
                step_bpb: report.claimed_nats / NATS_PER_BIT / report.bytes.max(1) as f64,
                mean_bpb: report.nats / NATS_PER_BIT / report.covered_bytes.max(1) as f64,
            });
        }
        Event::Audited { .. } => {}
        Event::Log {
            covered_bytes,
            entries,
        } => {
            let line = serde_json::json!({ "covered_bytes": covered_bytes, "entries": &entries });
            state.metrics.push(line.to_string());
            events(EvalEvent::Log {
                covered_bytes,
                entries,
            });
        }
    }
}

fn completed(record: &Record) -> Outcome {
    let verdict = &record.verdict;
    let mut outcome = Outcome::failed(record.ended, "");
    outcome.detail = match record.ended {
        Reason::EndOfData => "the whole stream was read".to_owned(),
        reason => format!(
            "the run ended early ({reason}); {} unread bytes are charged at 8 bits each",
            verdict.unread_bytes
        ),
    };
    outcome.bpb = Some(verdict.bpb);
    outcome.bpb_se = Some(verdict.bpb_se);
    outcome.bpb_ranked = Some(verdict.bpb_ranked);
    outcome.hidden_max = Some(verdict.hidden_max_bpb);
    outcome.final_score = Some(verdict.final_score);
    outcome.flags = verdict.flags.iter().map(|flag| flag.code().to_owned()).collect();
    outcome.audits = record.measured.audits;
    outcome
}

/// Writes logs and, last, the outcome.
fn close(dir: &RunDir, outcome: &Outcome, state: &RunState) -> io::Result<()> {
    for log in state.logs.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        for (stream, content) in [("stdout", &log.stdout), ("stderr", &log.stderr)] {
            // Whoever reads a log with `cat` must not have their terminal rewritten by it.
            let shown = prism_sandbox::escape_for_terminal(content);
            dir.write(&format!("{LOGS_DIR}/{}.{stream}.log", log.name), shown.as_bytes())?;
        }
    }
    let mut metrics = state.metrics.join("\n");
    if !metrics.is_empty() {
        metrics.push('\n');
    }
    dir.write(&format!("{LOGS_DIR}/{METRICS_FILE}"), metrics.as_bytes())?;
    let mut json = serde_json::to_vec_pretty(outcome)?;
    json.push(b'\n');
    dir.write(RESULT_FILE, &json)
}
