//! From an upload to the reviewer, or to the queue where there is no review: contract, gate, similarity. Nothing of a submission
//! runs here.
//!
//! One submission at a time, in the order of acceptance, so that the later of two copies is always the later one. Each stage is
//! a step in the store; after a restart a submission is checked again from the beginning and goes on from where it stood.

use prism_bundle::Bundle;
use prism_core::advice::Advice as _;
use prism_core::{
    hash::Sha256Hash,
    outcome::{Reason, Status},
    submission::{Actor, Position, Stage},
};
use prism_gate::{
    Options, Report, Severity,
    similarity::{self, Fingerprints},
};
use prism_store::{
    queue::{self, Line},
    rounds,
    submissions::{self, Contract, Step, Submission},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    problem::{Result, ServiceProblem},
    review::ReviewMode,
    service::Service,
    similar::UPLOAD_BYTES_MAX,
};

/// Findings that are kept with a submission.
const FINDINGS_MAX: usize = 50;
/// Longest text of a finding that is kept, in characters.
const FINDING_CHARS_MAX: usize = 400;
/// Most devices and machines that a submission may ask for.
const DEVICES_MAX: u64 = 8;

/// Why a submission goes no further, and what that rests on.
struct Stop {
    status: Status,
    reason: Reason,
    sentence: String,
    evidence: Option<Value>,
}

impl Stop {
    fn rejected(reason: Reason, sentence: impl Into<String>) -> Self {
        Self {
            status: Status::Rejected,
            reason,
            sentence: sentence.into(),
            evidence: None,
        }
    }
}

/// A finding as it is kept and shown: no line of the source.
#[derive(Serialize)]
struct Kept<'a> {
    code: &'a str,
    severity: &'a str,
    file: &'a str,
    line: u32,
    message: String,
    hint: String,
}

impl Service {
    /// Checks what waits for it.
    pub(crate) fn check_submissions(&self) -> Result<()> {
        while !self.is_stopping() {
            let now = self.now();
            let Some(next) = self.store.read(|tx| queue::next(tx, Line::Checks, now))? else {
                return Ok(());
            };
            if let Err(problem) = self.check(&next) {
                // If the store itself refuses, so will this, and the turn ends.
                self.hold(&next, &problem.to_string())?;
            }
        }
        Ok(())
    }

    /// What we cannot go on with waits for a person and keeps nobody else waiting.
    pub(crate) fn hold(&self, submission: &Submission, why: &str) -> Result<()> {
        tracing::error!(submission = %submission.id, problem = why, "a submission cannot go on");
        let (id, now) = (submission.id.clone(), self.now());
        self.store.write(move |tx| {
            let step = Step {
                reason: Some(Reason::Internal),
                ..Step::new(
                    Position::Ended(Status::Held),
                    Actor::Pipeline,
                    "the service cannot go on with it; the operator looks at it, and it costs you no run",
                )
            };
            submissions::step(tx, &id, &step, now)
        })?;
        Ok(())
    }

    fn check(&self, submission: &Submission) -> Result<()> {
        match self.checked(submission)? {
            Ok(()) => Ok(()),
            Err(stop) => {
                let id = submission.id.clone();
                let now = self.now();
                self.store.write(move |tx| {
                    let evidence = stop.evidence.as_ref().map(Value::to_string);
                    let step = Step {
                        reason: Some(stop.reason),
                        evidence_json: evidence.as_deref(),
                        ..Step::new(Position::Ended(stop.status), Actor::Pipeline, &stop.sentence)
                    };
                    submissions::step(tx, &id, &step, now)
                })?;
                Ok(())
            }
        }
    }

    /// All checks. The outer error is ours, the inner one is told to the miner.
    fn checked(&self, submission: &Submission) -> Result<std::result::Result<(), Stop>> {
        self.enter(submission, Stage::Contract, "the bundle is read", None)?;
        if let Err(stop) = metadata(&submission.metadata_json) {
            return Ok(Err(stop));
        }
        let bytes = self
            .store
            .blobs()
            .read(&submission.zip_sha256, UPLOAD_BYTES_MAX)?;
        let bundle = match read(&submission.filename, &bytes) {
            Ok(bundle) => bundle,
            Err(stop) => return Ok(Err(stop)),
        };
        let (id, now) = (submission.id.clone(), self.now());
        let contract = contract(&bundle)?;
        let duplicate = self.store.write(move |tx| {
            submissions::set_contract(tx, &id, &contract, now)?;
            submissions::duplicate_of(tx, &id)
        })?;
        if let Some(earlier) = duplicate {
            let mut stop = Stop::rejected(
                Reason::Duplicate,
                format!(
                    "it is a duplicate: the same bundle was submitted before, as {}",
                    earlier.id
                ),
            );
            stop.evidence = Some(json!({ "first": earlier.id }));
            return Ok(Err(stop));
        }

        self.enter(submission, Stage::Gate, "the source is checked", None)?;
        let report = prism_gate::check(&bundle, &Options::default()).map_err(|error| gate_fails(&error))?;
        let findings = kept(&report);
        if report.has_errors() {
            let mut stop = Stop::rejected(Reason::GateRejected, refusal(&report));
            stop.evidence = Some(findings);
            return Ok(Err(stop));
        }

        let evidence = (report.count(Severity::Warning) > 0).then_some(findings);
        self.enter(
            submission,
            Stage::Similarity,
            "the source is compared with earlier ones",
            evidence,
        )?;
        let resembles = self.resembling(submission, &bundle)?;
        let evidence = match resembles {
            Ok(evidence) => evidence,
            Err(stop) => return Ok(Err(stop)),
        };

        // What the round says counts, whatever this service is set to.
        let mode = self
            .store
            .read(|tx| rounds::get(tx, &submission.round_id))?
            .review_mode;
        if mode == ReviewMode::Off.as_str() {
            let sentence = "it waits for a slot (the review is off)";
            self.enter(submission, Stage::Queued, sentence, evidence)?;
        } else {
            let sentence = "it waits for the reviewer";
            self.enter(submission, Stage::Review, sentence, evidence)?;
        }
        Ok(Ok(()))
    }

    /// Moves a submission on, unless it stands there or further already.
    fn enter(
        &self,
        submission: &Submission,
        stage: Stage,
        sentence: &'static str,
        evidence: Option<Value>,
    ) -> Result<()> {
        let (id, now) = (submission.id.clone(), self.now());
        self.store.write(move |tx| {
            let stands = submissions::get(tx, &id)?.position;
            if matches!(stands, Position::Pending(at) if at < stage) {
                let evidence = evidence.as_ref().map(Value::to_string);
                let step = Step {
                    evidence_json: evidence.as_deref(),
                    ..Step::new(Position::Pending(stage), Actor::Pipeline, sentence)
                };
                submissions::step(tx, &id, &step, now)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// What it resembles, as evidence; or that it is a copy.
    fn resembling(
        &self,
        submission: &Submission,
        bundle: &Bundle,
    ) -> Result<std::result::Result<Option<Value>, Stop>> {
        let fingerprints = match Fingerprints::of(bundle) {
            Ok(fingerprints) => fingerprints,
            Err(error) => {
                // It was read by the gate; what its comparison cannot read is a copy of nothing that was compared.
                return Ok(Ok(Some(json!({ "not_compared": error.to_string() }))));
            }
        };
        let mut similar = self.similar_lock();
        let matches = similar.of_others(
            &self.store,
            &fingerprints,
            Some(&submission.hotkey),
            submission.seq,
        )?;
        similar.take_in(submission, fingerprints);
        let evidence: Vec<Value> = matches
            .iter()
            .take(5)
            .map(|found| {
                json!({
                    "submission_id": found.id,
                    "share": found.of_later,
                    "share_of_earlier": found.of_earlier,
                })
            })
            .collect();
        let copy = matches
            .iter()
            .find(|found| found.verdict == similarity::Verdict::Reject);
        Ok(match copy {
            Some(found) => {
                let mut stop = Stop::rejected(Reason::SimilarSource, copied_from(found));
                stop.evidence = Some(json!({ "similar": evidence }));
                Err(stop)
            }
            None => Ok((!evidence.is_empty()).then(|| json!({ "similar": evidence }))),
        })
    }
}

/// The bundle of an upload, or why it is none.
pub(crate) fn read_upload(filename: &str, bytes: &[u8]) -> std::result::Result<Bundle, (Reason, String)> {
    let is_zip = std::path::Path::new(filename)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if !is_zip {
        return Err((
            Reason::BundleInvalid,
            "a single Python file is no submission: send a zip with `architecture.py` and `training.py`"
                .to_owned(),
        ));
    }
    Bundle::from_zip(bytes).map_err(|error| (Reason::BundleInvalid, error.told()))
}

fn read(filename: &str, bytes: &[u8]) -> std::result::Result<Bundle, Stop> {
    read_upload(filename, bytes).map_err(|(reason, sentence)| Stop::rejected(reason, sentence))
}

/// What a bundle's contract says.
fn contract(bundle: &Bundle) -> Result<Contract> {
    let manifest = bundle.manifest();
    let hash_of = |path: &str| Sha256Hash::of(bundle.file(path).unwrap_or_default().as_bytes());
    let name = match &manifest.name {
        Some(name) => Some(name.clone()),
        None => prism_gate::display_name(bundle).map_err(|error| gate_fails(&error))?,
    };
    Ok(Contract {
        bundle_sha256: bundle.hash(),
        architecture_sha256: hash_of(manifest.architecture.as_str()),
        training_sha256: hash_of(manifest.training.as_str()),
        name,
    })
}

fn gate_fails(error: &prism_gate::GateError) -> ServiceProblem {
    ServiceProblem::Refused(format!("the gate cannot work: {error}"))
}

/// What was sent along must not ask for what there is not.
fn metadata(json: &str) -> std::result::Result<(), Stop> {
    let refused = |sentence: String| Err(Stop::rejected(Reason::SubmissionMetadata, sentence));
    let Ok(Value::Object(metadata)) = serde_json::from_str(json) else {
        return refused("the metadata is no JSON object".to_owned());
    };
    match metadata.get("execution_mode") {
        None | Some(Value::Null) => {}
        Some(Value::String(mode)) if mode == "gpu_proxy_eval" || mode == "full_scale_eval" => {}
        Some(_) => {
            return refused("`execution_mode` in the metadata must be `gpu_proxy_eval`".to_owned());
        }
    }
    for name in ["archive_base64", "zip_base64"] {
        if metadata.get(name).is_some_and(|value| !value.is_null()) {
            return refused(format!(
                "`{name}` in the metadata: the bundle is the whole submission"
            ));
        }
    }
    let asks = |names: &[&'static str], most: u64| {
        names.iter().copied().find(|name| {
            metadata
                .get(*name)
                .is_some_and(|value| !value.is_null() && value.as_u64().is_none_or(|count| count > most))
        })
    };
    if let Some(name) = asks(
        &["gpu_count", "num_gpus", "requested_gpu_count", "gpus"],
        DEVICES_MAX,
    ) {
        return refused(format!("`{name}` in the metadata is more than {DEVICES_MAX}"));
    }
    if let Some(name) = asks(&["num_nodes", "nnodes", "nodes"], 1) {
        return refused(format!("`{name}` in the metadata is more than 1"));
    }
    Ok(())
}

fn short(text: &str) -> String {
    text.chars().take(FINDING_CHARS_MAX).collect()
}

/// Findings as they are kept, errors first.
pub(crate) fn kept(report: &Report) -> Value {
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let others = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Error);
    let findings: Vec<_> = errors
        .chain(others)
        .take(FINDINGS_MAX)
        .map(|finding| Kept {
            code: finding.rule.code,
            severity: finding.severity.as_str(),
            file: &finding.file,
            line: finding.place.line,
            message: short(&finding.message),
            hint: short(&finding.hint),
        })
        .collect();
    json!({
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "findings": findings,
    })
}

/// The refusal in a sentence.
pub(crate) fn refusal(report: &Report) -> String {
    let errors = report.count(Severity::Error);
    let first = report
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Error);
    let first = first.map_or_else(String::new, |finding| {
        format!(
            "{}:{}: {} {}",
            finding.file,
            finding.place.line,
            finding.rule.code,
            short(&finding.message)
        )
    });
    let more = if errors > 1 {
        format!(" and {} more", errors - 1)
    } else {
        String::new()
    };
    format!(
        "the gate refuses the source: {first}{more}; `prism check` shows everything and what to write instead"
    )
}

/// What is said of a copy: how much of it is copied, and how much of the earlier one it holds.
pub(crate) fn copied_from(found: &similarity::Match) -> String {
    format!(
        "{:.0} % of its code is that of the earlier submission {}, and it holds {:.0} % of the code of that one",
        100.0 * found.of_later,
        found.id,
        100.0 * found.of_earlier
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_may_say_anything_but_ask_for_what_there_is_not() {
        for allowed in [
            "{}",
            r#"{"a":1,"gpu_count":8,"nodes":1,"execution_mode":"gpu_proxy_eval"}"#,
            r#"{"execution_mode":null,"zip_base64":null}"#,
        ] {
            assert!(metadata(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "[]",
            "",
            r#"{"gpus":9}"#,
            r#"{"gpus":"many"}"#,
            r#"{"nnodes":2}"#,
            r#"{"nodes":-1}"#,
            r#"{"execution_mode":"other"}"#,
            r#"{"execution_mode":3}"#,
            r#"{"archive_base64":"UEs="}"#,
        ] {
            let stop = metadata(refused).unwrap_err();
            assert_eq!(
                (stop.status, stop.reason),
                (Status::Rejected, Reason::SubmissionMetadata),
                "{refused}"
            );
        }
    }

    #[test]
    fn only_a_zip_is_a_submission() {
        assert_eq!(read_upload("model.py", b"").unwrap_err().0, Reason::BundleInvalid);
        assert_eq!(
            read_upload("a.zip", b"no zip").unwrap_err().0,
            Reason::BundleInvalid
        );
    }
}
