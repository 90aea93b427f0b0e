//! The service as the HTTP interface sees it: the trait `Challenge`, whose larger parts have files of their own.

mod queue;
mod results;

use std::{collections::BTreeMap, sync::Arc};

use prism_core::advice::Advice as _;
use prism_core::{
    outcome::{Reason, Status},
    recipe::Recipe,
    submission::{Actor, Position, Stage},
};
use prism_gate::{
    Options,
    similarity::{Fingerprints, Verdict},
};
use prism_server::{
    challenge::{
        Alarm, Board, CancelError, Challenge, Comparison, GpuStatus, LogPage, Place, Precheck, Progress,
        QueueView, Readiness, ReviewView, ServiceError, Similar, Weights,
    },
    prepared::Prepared,
};
use prism_store::{
    StoreError,
    attempts::{self, Kind},
    budgets, events, rounds,
    submissions::{self, Step},
};
use serde_json::{Value, json};

use crate::{checks, problem::ServiceProblem, service::Service};
pub(crate) use queue::QueueSnapshot;

/// Earlier submissions that a check names.
const SIMILAR_SHOWN: usize = 5;
/// Steps of a submission that are looked through for findings.
const EVENTS_MAX: u32 = 1000;

impl From<ServiceProblem> for ServiceError {
    fn from(problem: ServiceProblem) -> Self {
        Self::Internal(problem.to_string())
    }
}

fn store(problem: &StoreError) -> ServiceError {
    ServiceError::Internal(problem.told())
}

impl Challenge for Service {
    fn board(&self) -> Arc<Board> {
        Arc::clone(&self.standings().board)
    }

    fn weights(&self) -> Arc<Weights> {
        Arc::clone(&self.standings().weights)
    }

    fn readiness(&self) -> Readiness {
        let mut alarms: Vec<Alarm> = self
            .halted(self.now())
            .map(|(wait, sentence)| Alarm {
                code: wait.code().to_owned(),
                sentence,
            })
            .into_iter()
            .collect();
        let troubles: BTreeMap<&str, String> = self
            .state()
            .troubles
            .iter()
            .map(|(name, sentence)| (*name, sentence.clone()))
            .collect();
        // What is wrong exactly is for the operator's log, since this page is public.
        alarms.extend(troubles.into_keys().map(|name| Alarm {
            code: format!("trouble_{name}"),
            sentence: format!("a part of the service ({name}) cannot go on; its log says why"),
        }));
        let sentence = match self.store.free_bytes() {
            Ok(free) if free >= self.settings.reserve_bytes => None,
            Ok(_) => Some("the disk is nearly full, so that uploads are refused"),
            Err(_) => Some("the disk of the store cannot be looked at"),
        };
        alarms.extend(sentence.map(|sentence| Alarm {
            code: "disk".to_owned(),
            sentence: sentence.to_owned(),
        }));
        match self.store.read(rounds::current) {
            Ok(Some(_)) => {}
            Ok(None) => alarms.push(Alarm {
                code: "no_round".to_owned(),
                sentence: "no round is open, so that uploads are refused: `prism round open`".to_owned(),
            }),
            Err(_) => alarms.push(Alarm {
                code: "store".to_owned(),
                sentence: "the store cannot be read; the log says why".to_owned(),
            }),
        }
        let ready = alarms.is_empty();
        // Not a fault: the service does all that it is to do.
        alarms.extend(self.review_alarm().map(|(code, sentence)| Alarm {
            code: code.to_owned(),
            sentence,
        }));
        Readiness { ready, alarms }
    }

    fn queue(&self) -> Arc<QueueView> {
        Arc::clone(&self.queue_snapshot().view)
    }

    fn place(&self, id: &str) -> Option<Place> {
        self.queue_snapshot().places.get(id).cloned()
    }

    fn gpus(&self) -> GpuStatus {
        let total = self
            .settings
            .slots
            .iter()
            .filter(|slot| slot.device.is_some())
            .count();
        let running = self.store.read(attempts::live).map_or(0, |live| live.len());
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        let leased = u32::try_from(running).unwrap_or(u32::MAX).min(total);
        let mut by_status = BTreeMap::new();
        if total > 0 {
            by_status.insert("leased".to_owned(), leased);
            by_status.insert("free".to_owned(), total - leased);
        }
        GpuStatus {
            total_gpus: total,
            active_leases: leased,
            by_status,
            by_tier: BTreeMap::new(),
        }
    }

    fn progress(&self, id: &str) -> Option<Progress> {
        self.state().progress.get(id).copied()
    }

    fn recipe(&self) -> Arc<Prepared> {
        let round = self.store.read(|tx| {
            Ok(match rounds::current(tx)? {
                Some(round) => Some(round),
                None => rounds::last_closed(tx)?,
            })
        });
        let value = match round {
            Ok(Some(round)) => json!({
                "round": round.name,
                "open": round.is_open(),
                "recipe": Recipe::parse(&round.recipe_toml).ok(),
                "recipe_sha256": round.recipe_sha256.to_string(),
                "recipe_toml": round.recipe_toml,
                "corpus_sha256": round.corpus_sha256.to_string(),
                "runtime_lock": round.runtime_lock,
                "gate_version": round.gate_version,
                "review_mode": round.review_mode,
                "review_version": round.review_version,
                "seed_commitment": round.seed_commitment,
                "noise_floor_bpb": round.noise_floor_bpb,
                "weight_policy": round.weight_policy,
                "scored_runs_per_day": round.scored_runs_per_day,
                "uploads_per_day": round.uploads_per_day,
            }),
            Ok(None) => json!({ "round": null }),
            Err(problem) => {
                tracing::error!(%problem, "the round cannot be read");
                json!({ "round": null })
            }
        };
        Arc::new(Prepared::of_json_text(value.to_string().into_bytes()))
    }

    fn rules(&self) -> Arc<Prepared> {
        let gate: Vec<Value> = prism_gate::list()
            .map(|rule| json!({ "code": rule.code, "id": rule.id }))
            .collect();
        let value = json!({
            "gate": { "version": prism_gate::VERSION, "rules": gate },
            "review": self.review_rules(),
        });
        Arc::new(Prepared::of_json_text(value.to_string().into_bytes()))
    }

    fn review(&self) -> ReviewView {
        self.review_view()
    }

    fn wake(&self) {
        self.touch();
    }

    fn cancel(&self, id: &str) -> Result<(), CancelError> {
        // What a miner has seen of a run has its price: one that is stopped after it began counts like one that ended.
        let has_begun = self
            .progress(id)
            .is_some_and(|progress| progress.covered_bytes > 0);
        let (id, now) = (id.to_owned(), self.now());
        let done = self.store.write(move |tx| {
            if has_begun {
                for attempt in attempts::of(tx, &id)? {
                    if attempt.state.is_live() && attempt.kind == Kind::Main {
                        budgets::charge(tx, attempt.id, now)?;
                    }
                }
            }
            let step = Step {
                reason: Some(Reason::Cancelled),
                ..Step::new(
                    Position::Ended(Status::Cancelled),
                    Actor::Owner,
                    "its owner has cancelled it",
                )
            };
            submissions::step(tx, &id, &step, now)
        });
        match done {
            Ok(_) => {
                self.touch();
                Ok(())
            }
            Err(StoreError::NotFound { .. }) => Err(CancelError::NotFound),
            Err(StoreError::IllegalStep(illegal)) => Err(CancelError::WrongState(format!(
                "it is {} and cannot be cancelled",
                illegal.from.status()
            ))),
            Err(problem) => Err(store(&problem).into()),
        }
    }

    fn appeal(&self, id: &str, text: &str) -> Result<(), CancelError> {
        self.take_appeal(id, text).map_err(|problem| match problem {
            ServiceProblem::Refused(why) | ServiceProblem::Store(StoreError::NotAllowed(why)) => {
                CancelError::WrongState(why)
            }
            ServiceProblem::Store(StoreError::NotFound { .. }) => CancelError::NotFound,
            problem => ServiceError::from(problem).into(),
        })
    }

    fn review_of(&self, id: &str) -> Result<Option<Value>, ServiceError> {
        Ok(self.review_of_owner(id)?)
    }

    fn precheck(&self, filename: &str, bytes: &[u8]) -> Result<Precheck, ServiceError> {
        let bundle = match checks::read_upload(filename, bytes) {
            Ok(bundle) => bundle,
            Err((reason, sentence)) => return Ok(Precheck::rejected(reason, sentence, json!([]))),
        };
        let report = prism_gate::check(&bundle, &Options::default())
            .map_err(|error| ServiceError::Internal(error.to_string()))?;
        let findings = checks::kept(&report);
        if report.has_errors() {
            return Ok(Precheck::rejected(
                Reason::GateRejected,
                checks::refusal(&report),
                findings["findings"].clone(),
            ));
        }
        let matches = match Fingerprints::of(&bundle) {
            Ok(fingerprints) => {
                let mut similar = self.similar_lock();
                similar.of_others(&self.store, &fingerprints, None, i64::MAX)?
            }
            // As in the checks: what its comparison cannot read is a copy of nothing that was compared.
            Err(_) => Vec::new(),
        };
        let copy = matches.iter().find(|found| found.verdict == Verdict::Reject);
        Ok(Precheck {
            passes: copy.is_none(),
            reason: copy.map(|_| Reason::SimilarSource.code()),
            detail: copy.map(|found| {
                format!(
                    "{}; if that is your own, it does not count against you",
                    checks::copied_from(found)
                )
            }),
            findings: findings["findings"].clone(),
            similar: matches
                .iter()
                .take(SIMILAR_SHOWN)
                .map(|found| Similar {
                    submission_id: found.id.clone(),
                    similarity: found.share(),
                })
                .collect(),
        })
    }

    fn logs(&self, id: &str, since_bytes: u64) -> Result<Option<LogPage>, ServiceError> {
        self.log_of(id, since_bytes)
    }

    fn report(&self, id: &str) -> Result<Option<Vec<u8>>, ServiceError> {
        self.report_of(id)
    }

    fn manifest(&self, id: &str) -> Result<Option<Prepared>, ServiceError> {
        self.manifest_of(id)
    }

    fn compare(&self, id: &str, other: &str) -> Result<Option<Comparison>, ServiceError> {
        self.comparison(id, other)
    }

    fn findings(&self, id: &str) -> Result<Option<Prepared>, ServiceError> {
        let steps = self
            .store
            .read(|tx| events::of(tx, id, 0, EVENTS_MAX))
            .map_err(|problem| store(&problem))?;
        let mut found = Vec::new();
        let mut has_passed = false;
        for step in &steps {
            has_passed |= !matches!(
                step.position,
                Position::Pending(Stage::Received | Stage::Contract | Stage::Gate)
            );
            if let Some(evidence) = &step.evidence_json
                && let Ok(evidence) = serde_json::from_str::<Value>(evidence)
            {
                found.push(json!({
                    "at": step.at.to_string(),
                    "position": step.position.to_string(),
                    "evidence": evidence,
                }));
            }
        }
        let text = json!({ "findings": found }).to_string();
        Ok(has_passed.then(|| Prepared::of_json_text(text.into_bytes())))
    }
}
