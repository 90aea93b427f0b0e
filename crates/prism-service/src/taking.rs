//! From what an attempt left to a result: its files become blobs, its figures a row, its submission moves on.
//!
//! A result is taken once, in one transaction, with the nonce of the live attempt. Nothing of it is believed that the record
//! does not say: the figures are computed again from it before they are stored.

use std::{
    fs::File,
    io::{self, BufReader, Read as _},
    path::Path,
};

use prism_core::{
    failure::Failure,
    hash::Sha256Hash,
    hex,
    nats::NATS_PER_BIT,
    outcome::{Fault, Reason, Status},
    submission::{Actor, Position, Stage},
};
use prism_engine::{
    executor::Left,
    outcome::Outcome,
    request::RehearsalReason,
    round::RunKind,
    run_dir::{EVENTS_FILE, RECORD_FILE, REPORT_FILE, TARGETS_FILE, owner_log},
};
use prism_referee::{
    profile,
    record::{self, RECORD_BYTES_MAX, Record},
};
use prism_report::manifest;
use prism_store::{
    attempts::{self, Attempt, End, Kind, Taken},
    budgets,
    results::{self, Files, NewResult},
    rounds,
    submissions::{self, Step},
};
use serde_json::{Value, json};

use crate::{
    problem::{Result, ServiceProblem},
    service::Service,
};

/// Largest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What a run that is over means for its submission.
enum Meaning {
    /// It has a result.
    Scored(Box<NewResult>),
    /// It has none, by the miner's fault.
    Failed,
    /// It is to be tried again.
    Ours(Failure),
}

impl Service {
    /// Takes what an attempt left.
    pub(crate) fn take(&self, attempt: &Attempt, left: &Left) -> Result<()> {
        let outcome = &left.outcome;
        if left.nonce != hex::encode(&attempt.nonce) {
            return self.fail(
                attempt,
                &Failure::new(Reason::Internal, "what the attempt left carries another nonce"),
            );
        }
        let logs = left.run_dir.as_deref().map(owner_log).transpose();
        let logs = logs.map_err(|source| io_problem("the logs of a run", source))?;
        let logs = match logs {
            Some(text) if !text.is_empty() => Some(self.store.blobs().put(text.as_bytes())?),
            _ => None,
        };
        match self.meaning(attempt, left, logs)? {
            Meaning::Ours(failure) => self.fail(attempt, &failure),
            Meaning::Failed => {
                self.state().failures_in_a_row = 0;
                self.take_failure(attempt, outcome, logs)
            }
            Meaning::Scored(new) => {
                self.state().failures_in_a_row = 0;
                self.take_result(attempt, outcome, *new)
            }
        }
    }

    fn meaning(&self, attempt: &Attempt, left: &Left, logs: Option<Sha256Hash>) -> Result<Meaning> {
        let outcome = &left.outcome;
        let ours = |reason, detail: String| Ok(Meaning::Ours(Failure::new(reason, detail)));
        match (outcome.status, outcome.fault) {
            (Status::Completed, _) => {}
            // Somebody ended the process, and it was not its owner: then its attempt would not be live any more.
            (Status::Cancelled, _) => return ours(Reason::Lost, "somebody stopped its process".to_owned()),
            (_, Some(Fault::Miner)) => return Ok(Meaning::Failed),
            (_, Some(Fault::Operator | Fault::Usage) | None) => {
                return ours(outcome.reason, outcome.detail.clone());
            }
        }
        // Too few audits are what a submission gets that reads little. Anything else is the machine's, or the round's.
        let not_counted: Vec<&str> = outcome
            .rehearsal_reasons
            .iter()
            .map(String::as_str)
            .filter(|code| *code != RehearsalReason::FewAudits.code())
            .collect();
        if !not_counted.is_empty() {
            return ours(
                Reason::NotCounted,
                format!("the run does not count: {}", not_counted.join(", ")),
            );
        }
        let Some(dir) = left.run_dir.as_deref() else {
            return ours(Reason::Storage, "the run has a score and no directory".to_owned());
        };
        Ok(match self.result(attempt, outcome, dir, logs) {
            Ok(new) => Meaning::Scored(Box::new(new)),
            Err(ServiceProblem::Store(problem)) => return Err(problem.into()),
            Err(problem) => Meaning::Ours(crate::runs::as_failure(problem)),
        })
    }

    /// The figures of a run, computed again from its record; its files as blobs.
    fn result(
        &self,
        attempt: &Attempt,
        outcome: &Outcome,
        dir: &Path,
        logs: Option<Sha256Hash>,
    ) -> Result<NewResult> {
        let damaged = |what: String| ServiceProblem::Engine(Failure::new(Reason::Storage, what));
        let record_bytes = read(&dir.join(RECORD_FILE), RECORD_BYTES_MAX)
            .map_err(|error| damaged(format!("the record cannot be read: {error}")))?;
        let record = Record::from_json(&record_bytes)
            .map_err(|error| damaged(format!("the record is none: {error}")))?;
        let targets = || {
            File::open(dir.join(TARGETS_FILE))
                .map(BufReader::new)
                .map_err(|error| damaged(format!("the claims cannot be read: {error}")))
        };
        let targets_sha256 = Sha256Hash::of_reader(&mut targets()?)
            .map_err(|error| damaged(format!("the claims cannot be read: {error}")))?;
        record::verify(&record, targets()?, targets_sha256)
            .map_err(|error| damaged(format!("the record does not verify: {error}")))?;
        self.must_be_of(attempt, &record)?;
        let profile = profile::of_record(&record, targets()?)
            .map_err(|error| damaged(format!("the record has no profile: {error}")))?;
        let blobs = self.store.blobs();
        let manifest_bytes = read(&dir.join(manifest::FILE_NAME), MANIFEST_BYTES_MAX)
            .map_err(|error| damaged(format!("the manifest cannot be read: {error}")))?;
        let parsed: Value = serde_json::from_slice(&manifest_bytes)
            .map_err(|error| damaged(format!("the manifest is none: {error}")))?;
        let optional = |name: &str| {
            let path = dir.join(name);
            if path.exists() {
                blobs.put_file(&path).map(Some)
            } else {
                Ok(None)
            }
        };
        let curve = curve(&parsed["metrics"], &record).to_string().into_bytes();
        let verdict = &record.verdict;
        Ok(NewResult {
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            bpb: verdict.bpb,
            bpb_se: verdict.bpb_se,
            standing: verdict.standing,
            rehearsal: outcome.rehearsal,
            flags: verdict.flags.iter().map(|flag| flag.code().to_owned()).collect(),
            hidden_max_bpb: Some(verdict.hidden_max_bpb),
            claims_rms_nats: outcome.claims_rms_nats,
            audits: record.measured.audits,
            covered_bytes: record.measured.bytes,
            stream_bytes: record.stream.bytes,
            compute_json: compute(&parsed["compute"], &record).to_string(),
            files: Files {
                curve: Some(blobs.put(&curve)?),
                record: Some(blobs.put(&record_bytes)?),
                targets: Some(blobs.put_file(&dir.join(TARGETS_FILE))?),
                manifest: Some(blobs.put(&manifest_bytes)?),
                report: optional(REPORT_FILE)?,
                logs,
                events: optional(EVENTS_FILE)?,
                profile: Some(blobs.put(&profile.to_json())?),
            },
        })
    }

    /// A record must be of what was to be run: bundle, corpus, recipe, seed.
    fn must_be_of(&self, attempt: &Attempt, record: &Record) -> Result<()> {
        let wrong = |what: &str| {
            Err(ServiceProblem::Engine(Failure::new(
                Reason::Internal,
                format!("the record is of another {what}"),
            )))
        };
        let kind = match attempt.kind {
            Kind::Main => RunKind::Main,
            Kind::Confirm => RunKind::Confirmation,
            Kind::Noise => RunKind::Noise,
        };
        let (round, bundle) = self.store.read(|tx| {
            let bundle = match &attempt.submission {
                Some(id) => submissions::get(tx, id)?
                    .contract
                    .map(|contract| contract.bundle_sha256),
                None => None,
            };
            Ok((rounds::get(tx, &attempt.round_id)?, bundle))
        })?;
        if record.seed != attempt.seed {
            return wrong("seed");
        }
        if record.hashes.corpus != round.corpus_sha256 {
            return wrong("corpus");
        }
        if record.hashes.recipe != self.engine_round(&round)?.recipe_of(kind).sha256() {
            return wrong("recipe");
        }
        if bundle.is_some_and(|bundle| bundle != record.hashes.bundle) {
            return wrong("bundle");
        }
        Ok(())
    }

    fn take_failure(&self, attempt: &Attempt, outcome: &Outcome, logs: Option<Sha256Hash>) -> Result<()> {
        let (attempt, outcome, now) = (attempt.clone(), outcome.clone(), self.now());
        self.store.write(move |tx| {
            let evidence =
                (!outcome.findings.is_empty()).then(|| json!({ "findings": outcome.findings }).to_string());
            let end = End {
                reason: outcome.reason,
                sentence: outcome.detail.clone(),
                wall_seconds: Some(outcome.wall_seconds),
                evidence_json: evidence.clone(),
                evidence: logs,
            };
            let Taken::Taken = attempts::ended(tx, attempt.id, &attempt.nonce, &end, now)? else {
                return Ok(());
            };
            let Some(id) = &attempt.submission else {
                return Ok(());
            };
            if has_begun(&outcome) && attempt.kind == Kind::Main {
                budgets::charge(tx, attempt.id, now)?;
            }
            let step = Step {
                reason: Some(outcome.reason),
                evidence_json: evidence.as_deref(),
                traceback: outcome.traceback.as_deref(),
                ..Step::new(Position::Ended(outcome.status), Actor::Pipeline, &outcome.detail)
            };
            submissions::step(tx, id, &step, now)?;
            Ok(())
        })?;
        Ok(())
    }

    fn take_result(&self, attempt: &Attempt, outcome: &Outcome, new: NewResult) -> Result<()> {
        let (attempt, outcome, now) = (attempt.clone(), outcome.clone(), self.now());
        let noise_of = (attempt.kind == Kind::Noise).then(|| attempt.round_id.clone());
        self.store.write(move |tx| {
            let end = End {
                reason: outcome.reason,
                sentence: outcome.detail.clone(),
                wall_seconds: Some(outcome.wall_seconds),
                evidence_json: None,
                evidence: None,
            };
            let Taken::Taken = attempts::ended(tx, attempt.id, &attempt.nonce, &end, now)? else {
                return Ok(());
            };
            let result = results::store(tx, attempt.id, &new, now)?;
            let Some(id) = &attempt.submission else {
                return Ok(());
            };
            match attempt.kind {
                Kind::Main => {
                    budgets::charge(tx, attempt.id, now)?;
                    let step = Step::new(
                        Position::Running(Stage::Scoring),
                        Actor::Pipeline,
                        "its record is complete",
                    );
                    submissions::step(tx, id, &step, now)?;
                }
                Kind::Confirm => {
                    let counts = worse(tx, id, result)?;
                    let step = Step {
                        reason: Some(outcome.reason),
                        counts: Some(counts),
                        ..Step::new(
                            Position::Ended(Status::Completed),
                            Actor::Pipeline,
                            "it was measured a second time; the worse of the two scores counts",
                        )
                    };
                    submissions::step(tx, id, &step, now)?;
                }
                Kind::Noise => {}
            }
            Ok(())
        })?;
        match noise_of {
            Some(round) => self.store_noise(&round),
            None => Ok(()),
        }
    }
}

/// Whether training began: what is charged to the budget of scored runs.
fn has_begun(outcome: &Outcome) -> bool {
    outcome.about.is_some() && outcome.status != Status::Rejected
}

/// The worse of a submission's results: the one that counts after a confirmation.
fn worse(tx: &prism_store::Write, id: &str, confirmation: i64) -> prism_store::Result<i64> {
    let mut worst = results::get_result(tx, confirmation)?;
    for other in results::of(tx, id)? {
        if other.invalidated.is_none() && results::as_score(&other).is_worse_than(&results::as_score(&worst))
        {
            worst = other;
        }
    }
    Ok(worst.id)
}

/// The learning curve as the contract has it: mean nats a token, by the bytes a token of the whole run.
fn curve(metrics: &Value, record: &Record) -> Value {
    let measured = &record.measured;
    let nats_per_token = NATS_PER_BIT * measured.bytes as f64 / measured.targets.max(1) as f64;
    let numbers = |name: &str| -> Vec<f64> {
        let values = metrics[name].as_array().into_iter().flatten();
        values.map(|value| value.as_f64().unwrap_or(0.0)).collect()
    };
    let losses: Vec<f64> = numbers("online_loss")
        .into_iter()
        .map(|bpb| bpb * nats_per_token)
        .collect();
    json!({
        "points": losses.len(),
        "downsampled": (losses.len() as u64) < record.steps,
        "online_loss": losses,
        "covered_bytes_cumulative": numbers("covered_bytes_cumulative"),
        "step0_loss": metrics["step0_loss"],
        "baseline_nats": metrics["random_init_baseline_nats"],
    })
}

/// What a run took, as the contract has it.
fn compute(compute: &Value, record: &Record) -> Value {
    let gpus = compute["gpu_count"].as_f64().unwrap_or(0.0);
    let seconds = compute["wall_clock_seconds"].as_f64().unwrap_or(0.0);
    json!({
        "gpu_count": compute["gpu_count"],
        "device": compute["device"],
        "gpu_tier": compute["peak_of"],
        "model_params": compute["model_params"],
        "tokens_consumed": record.measured.targets,
        "estimated_flops": compute["estimated_flops"],
        "wall_clock_seconds": seconds,
        "gpu_hours": gpus * seconds / 3600.0,
        "peak_vram_bytes": compute["peak_vram_bytes"],
        "peak_rss_bytes": compute["peak_rss_bytes"],
    })
}

fn io_problem(what: &str, source: io::Error) -> ServiceProblem {
    ServiceProblem::Io {
        what: what.to_owned(),
        source,
    }
}

fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!("it is longer than {max_bytes} bytes")));
    }
    Ok(bytes)
}
