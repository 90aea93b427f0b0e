//! The one function behind `prism eval`, the demo, the red team and a service: a request in, events out, an outcome.
//!
//! In order: bundle, gate, corpus and tokenizer, runtime, sandbox, resources, run directory, measurement, files. Whatever
//! happens it returns an [`Outcome`]; once there is a run directory, `result.json` in it says the same. Never runs a
//! line of the submission outside a sandbox; never believes what a submission reports.

use std::{
    any::Any,
    fs, io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use prism_bundle::Bundle;
use prism_core::{outcome::Reason, recipe::Recipe};
use prism_referee::{
    connection::Cancel,
    plan::{Event, Hashes, Plan},
    record::Record,
    session::{self, Observed},
    worker::Failure,
};
use prism_runtime::{Origin, Runtime};
use prism_sandbox::{Capabilities, Helper, MemoryCap};

use crate::{
    event::{EvalEvent, EvalStage},
    gate,
    launcher::{SandboxLauncher, worker_paths},
    manifest,
    outcome::Outcome,
    prepare::{
        Unpacked, check_resources, corpus_hash, corpus_source, count, fill_random, fresh_key, load_tokenizer,
        machine, open_corpus, open_text, read_bundle, settings, tokenizer_info,
    },
    publish,
    request::{EvalRequest, RehearsalReason, RunPlace},
    run_dir::{RECORD_FILE, RunDir, TARGETS_FILE},
    state::RunState,
};

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
    // A defect of ours must still end in an outcome: a service goes on with the next submission. Nothing of the run is
    // used afterwards but what the state holds, and each of its fields is complete at any time.
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        run(request, host, cancel, events, &mut state, started)
    }))
    .unwrap_or_else(|payload| Err(defect(payload.as_ref())));
    let mut outcome = match result {
        Ok(outcome) => outcome,
        Err(failure) => {
            if let Some(dir) = &state.dir {
                // Half a record is none.
                for name in [TARGETS_FILE, RECORD_FILE] {
                    let _ = fs::remove_file(dir.file(name));
                }
            }
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
        if let Err(error) = state.close(dir, &outcome) {
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

/// The failure that a panic becomes.
fn defect(payload: &(dyn Any + Send)) -> Failure {
    let said = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no reason was given");
    Failure::new(
        Reason::Internal,
        format!("a defect in PRISM ended the run: {said}; report it with the lines that were printed"),
    )
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

    stage(events, EvalStage::Corpus, "verifying the corpus")?;
    let corpus = open_corpus(&request.corpus, cancel, events)?;
    let info = tokenizer_info(&bundle, &tokenizer, recipe)?;
    let (text, entropy_floor_bpb) = open_text(&corpus, recipe, tokenizer)?;
    stage(events, EvalStage::Corpus, "counting the tokens of the stream")?;
    let totals = count(&text, cancel, events)?;
    if totals.bytes == 0 {
        return Err(Failure::new(
            Reason::CorpusInvalid,
            "the train split of the corpus is empty",
        ));
    }
    state.stream = Some((totals.bytes, entropy_floor_bpb));
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
        keep_dir: dir.path(),
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
        let mut watch = |event: Event| state.watch(event, &totals, events);
        session::measure(&plan, &mut launcher, targets, cancel, &mut watch, &mut observed)
    };
    let mut record = measured?.record;
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

#[cfg(test)]
mod tests;
