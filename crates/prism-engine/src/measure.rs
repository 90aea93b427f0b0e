//! The third step of an evaluation: from everything that it needs to a score.
//!
//! Called by [`crate::evaluate`]. Takes the machine, asks CPython's compiler, makes the run's directory, lets the referee
//! measure, writes record and manifest. No line of the submission runs before this step.

use std::{io, sync::Arc};

use prism_bundle::Bundle;
use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::{
    plan::{Event, Hashes, Plan},
    record::Record,
    session::{self, Observed},
};

use crate::{
    about, counts,
    ending::{self, Ended},
    event::{EvalEvent, EvalStage},
    gate,
    launcher::{SandboxLauncher, Seals, worker_paths},
    outcome::Score,
    prepare::{Prepared, check_resources, fill_random, fresh_key},
    publish,
    request::{EvalRequest, RehearsalReason, RunPlace},
    run::Run,
    run_dir::{RunDir, TARGETS_FILE},
    run_lock::RunLock,
    seats::Unpacked,
    settle,
    state::RunOutput,
};

/// Measures what is prepared.
pub(crate) fn measure(prepared: &Prepared, run: &mut Run<'_>) -> Result<Score, Failure> {
    let (request, recipe) = (run.request, &run.request.recipe);
    // Until this returns: nothing of a submission runs without it.
    let what = request.bundle.display().to_string();
    let _turn = settle::claim(&what, run.host.when_busy, run.cancel, run.state, run.events)?;
    let unpacked = Unpacked::write(&prepared.bundle)?;
    let seals = Arc::new(Seals::default());
    let mut launcher = SandboxLauncher {
        helper: &run.host.helper,
        capabilities: &prepared.capabilities,
        runtime: &prepared.runtime,
        views: &prepared.views,
        unpacked: &unpacked,
        recipe,
        slot: request.slot.as_ref(),
        logs: Arc::clone(&run.state.logs),
        seals: Arc::clone(&seals),
        recorder: run.state.recorder.clone(),
    };
    if !request.rehearsal.contains(&RehearsalReason::NoGate) {
        run.stage(EvalStage::Gate, "asking CPython's own compiler about the source")?;
        let said = gate::compile(&launcher, &prepared.bundle, &request.bundle, run.cancel)?;
        run.heed(said)?;
    }
    let about = about::of(request, &prepared.bundle, &prepared.corpus_name);
    let dir = make_run_dir(request, &prepared.bundle, about.clone(), run.state)?;
    check_resources(dir.path(), recipe, &prepared.totals)?;
    let stop = run.state.recorder.begin(&dir, run.cancel)?;

    let key = match &request.audit_key {
        Some(key) => key.clone(),
        None => fresh_key()?,
    };
    (run.events)(EvalEvent::Run {
        run_id: run.state.run_id.clone().unwrap_or_default(),
        run_dir: dir.path().display().to_string(),
        about,
        stream_bytes: prepared.totals.bytes,
        entropy_floor_bpb: prepared.entropy_floor_bpb,
        audit_key_commitment: key.commitment().to_string(),
    });
    let manifest = prepared.bundle.manifest();
    let plan = Plan {
        recipe,
        seed: request.seed,
        key,
        hashes: Hashes {
            bundle: prepared.bundle.hash(),
            corpus: prepared.corpus,
            recipe: recipe.sha256(),
            runtime_lock: prepared.runtime.origin.label(),
            runtime_sources: prism_runtime::source_tree().sha256(),
        },
        tokenizer: prepared.tokenizer_info.clone(),
        totals: prepared.totals,
        bundle_bits: prepared.bundle_bits,
        entropy_floor_bpb: prepared.entropy_floor_bpb,
        keep_dir: dir.path(),
        paths: worker_paths(manifest.architecture.as_str(), manifest.training.as_str()),
        text: &prepared.text,
    };
    let storage = |what: &str, error: io::Error| Failure::new(Reason::Storage, format!("{what}: {error}"));
    let targets = dir
        .create_file(TARGETS_FILE)
        .map_err(|error| storage(&format!("{TARGETS_FILE} cannot be created"), error))?;
    let forgot = settle::forget_earlier_runs(&launcher.sources(), &stop, run.state, run.events)?;
    let mut observed = Observed::default();
    let measured = {
        let (state, events) = (&mut *run.state, &mut *run.events);
        let mut watch = |event: Event| state.watch(event, &prepared.totals, events);
        session::measure(&plan, &mut launcher, targets, &stop, &mut watch, &mut observed)
    };
    let mut record = measured?;
    record.targets_sha256 = publish::hash_file(&dir.file(TARGETS_FILE))
        .map_err(|error| storage(&format!("{TARGETS_FILE} cannot be read back"), error))?;
    run.rehearse(counts::by_record(&record, &seals));
    let context = publish::Context {
        request,
        corpus_source: prepared.corpus_name.clone(),
        run_id: run.state.run_id.clone().unwrap_or_default(),
        about: run.state.about.clone(),
        rehearsal: &run.state.rehearsal,
        curve: run.state.curve.points(),
        observed: &observed,
        forgetting_seconds: forgot.map(|forgot| forgot.seconds),
        wall_seconds: run.started.elapsed().as_secs_f64(),
    };
    publish::write(&dir, &record, &context)
        .map_err(|error| storage("the run directory cannot be written", error))?;
    Ok(score(&record))
}

/// What a finished record says.
fn score(record: &Record) -> Score {
    let verdict = &record.verdict;
    Score {
        reason: record.ended,
        detail: ending::words(&Ended {
            reason: record.ended,
            steps: record.steps,
            read_bytes: record.measured.bytes,
            stream_bytes: record.stream.bytes,
            bpb: verdict.bpb,
            time_limit_seconds: record.recipe.budget.time_limit_seconds,
        }),
        bpb: verdict.bpb,
        bpb_se: verdict.bpb_se,
        hidden_max_bpb: verdict.hidden_max_bpb,
        standing: verdict.standing,
        claims_rms_nats: (record.measured.audits > 0).then_some(record.measured.difference_rms_nats),
        flags: verdict.flags.iter().map(|flag| flag.code().to_owned()).collect(),
        audits: record.measured.audits,
    }
}

fn make_run_dir(
    request: &EvalRequest,
    bundle: &Bundle,
    about: prism_report::About,
    state: &mut RunOutput,
) -> Result<RunDir, Failure> {
    let mut random = [0_u8; 4];
    fill_random(&mut random)?;
    let seconds = about::unix_seconds();
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
    state.about = Some(about);
    state.dir = Some(dir.clone());
    // Before anything in it makes it look like a run.
    state.lock = Some(RunLock::take(&dir).map_err(|error| {
        Failure::new(
            Reason::Storage,
            format!("the run directory cannot be locked: {error}"),
        )
    })?);
    Ok(dir)
}
