//! The service as the HTTP interface sees it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use prism_core::advice::Advice as _;
use prism_core::{
    outcome::{Reason, Status},
    recipe::Recipe,
    submission::{Actor, Position, Stage, Wait},
};
use prism_gate::{
    Options,
    similarity::{Fingerprints, Verdict},
};
use prism_server::{
    challenge::{
        Alarm, Board, CancelError, Challenge, Comparison, GpuStatus, LogPage, Place, Precheck, Progress,
        QueueEntry, QueueView, Readiness, ReviewView, ServiceError, Similar, Weights,
    },
    prepared::Prepared,
};
use prism_store::{
    StoreError,
    attempts::{self, Kind},
    budgets, events, queue,
    results::{self, Stored},
    rounds,
    submissions::{self, Step, Submission},
};
use serde_json::{Value, json};

use crate::{checks, problem::ServiceProblem, service::Service};

/// Submissions of the queue that are shown.
const QUEUE_SHOWN: usize = 100;
/// Earlier submissions that a check names.
const SIMILAR_SHOWN: usize = 5;
/// Largest page of a log, in bytes.
const LOG_PAGE_BYTES: usize = 64 * 1024;
/// Largest blob that is shown, in bytes.
const BLOB_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Steps of a submission that are looked through for findings.
const EVENTS_MAX: u32 = 1000;

/// The queue as it was a moment ago: whoever asks for it, and however often, it is read from the store only so often.
pub(crate) struct QueueSnapshot {
    taken: Instant,
    view: Arc<QueueView>,
    places: HashMap<String, Place>,
}

/// How old it may be.
const SNAPSHOT_AGE: Duration = Duration::from_millis(250);

impl From<ServiceProblem> for ServiceError {
    fn from(problem: ServiceProblem) -> Self {
        Self::Internal(problem.to_string())
    }
}

fn store(problem: &StoreError) -> ServiceError {
    ServiceError::Internal(problem.told())
}

impl Service {
    /// The result that counts for a submission, if there is one.
    fn counting(&self, id: &str) -> Result<Option<Stored>, ServiceError> {
        self.store
            .read(
                |tx| match submissions::find(tx, id)?.and_then(|found| found.score) {
                    Some(score) => results::get_result(tx, score.result_id).map(Some),
                    None => Ok(None),
                },
            )
            .map_err(|problem| store(&problem))
    }

    /// The seed that a result was measured under, while it is not for the public: until its round closes.
    fn secret_seed(&self, stored: &Stored) -> Result<Option<u64>, ServiceError> {
        self.store
            .read(|tx| {
                let is_open = rounds::get(tx, &stored.round_id)?.is_open();
                let seed = attempts::get(tx, stored.attempt)?.seed;
                Ok(is_open.then_some(seed))
            })
            .map_err(|problem| store(&problem))
    }

    fn blob(&self, hash: Option<prism_core::hash::Sha256Hash>) -> Result<Option<Vec<u8>>, ServiceError> {
        hash.map(|hash| {
            self.store
                .blobs()
                .read(&hash, BLOB_BYTES_MAX)
                .map_err(|problem| store(&problem))
        })
        .transpose()
    }

    fn queue_snapshot(&self) -> Arc<QueueSnapshot> {
        let mut kept = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = kept
            .as_ref()
            .filter(|snapshot| snapshot.taken.elapsed() < SNAPSHOT_AGE)
        {
            return Arc::clone(snapshot);
        }
        let (view, places) = self.view_of_queue().unwrap_or_else(|problem| {
            tracing::error!(%problem, "the queue cannot be read");
            (QueueView::default(), HashMap::new())
        });
        let snapshot = Arc::new(QueueSnapshot {
            taken: Instant::now(),
            view: Arc::new(view),
            places,
        });
        *kept = Some(Arc::clone(&snapshot));
        snapshot
    }

    fn view_of_queue(&self) -> prism_store::Result<(QueueView, HashMap<String, Place>)> {
        let now = self.now();
        let (waiting, depth, seconds) = self.store.read(|tx| {
            let seconds = match rounds::current(tx)? {
                Some(round) => attempts::median_wall_seconds(tx, &round.id, Kind::Main)?,
                None => None,
            };
            Ok((submissions::unfinished(tx)?, queue::depth(tx)?, seconds))
        })?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a duration"
        )]
        let seconds_per_run = seconds.map(|seconds| seconds.ceil() as u64);
        let slots = u32::try_from(self.settings.slots.len()).unwrap_or(u32::MAX);
        let mut order: Vec<&Submission> = waiting.iter().collect();
        order.sort_by_key(|submission| {
            let is_running = matches!(submission.position, Position::Running(_));
            let is_confirming = submission.position.stage() == Some(Stage::Confirming);
            (!is_running, !is_confirming, submission.seq)
        });
        let mut position = 0;
        let all: Vec<QueueEntry> = order
            .iter()
            .map(|submission| {
                let is_running = matches!(submission.position, Position::Running(_));
                if !is_running {
                    position += 1;
                }
                QueueEntry {
                    submission_id: submission.id.clone(),
                    hotkey: submission.hotkey.clone(),
                    status: submission.position.status().to_owned(),
                    stage: submission
                        .position
                        .stage()
                        .map_or_else(String::new, |stage| stage.as_str().to_owned()),
                    created_at: submission.accepted_at.to_string(),
                    place: self.place_of(
                        submission,
                        (!is_running).then_some(position),
                        seconds_per_run,
                        slots,
                    ),
                }
            })
            .collect();
        let places = all
            .iter()
            .filter(|entry| entry.place.position.is_some() || entry.place.reason.is_some())
            .map(|entry| (entry.submission_id.clone(), entry.place.clone()))
            .collect();
        let entries = all.into_iter().take(QUEUE_SHOWN).collect();
        let oldest = waiting
            .iter()
            .map(|submission| now.seconds() - submission.accepted_at.seconds())
            .max()
            .unwrap_or(0);
        let view = QueueView {
            depth: u32::try_from(depth.checks + depth.reviews + depth.runs).unwrap_or(u32::MAX),
            running: u32::try_from(depth.running).unwrap_or(u32::MAX),
            slots,
            halted: self.halted(now).map(|(wait, sentence)| Alarm {
                code: wait.code().to_owned(),
                sentence,
            }),
            seconds_per_run,
            entries,
            oldest_wait_seconds: u64::try_from(oldest).unwrap_or(0),
        };
        Ok((view, places))
    }

    fn place_of(
        &self,
        submission: &Submission,
        position: Option<u32>,
        seconds_per_run: Option<u64>,
        slots: u32,
    ) -> Place {
        // What halts the runs does not halt the checks.
        let waits_for_a_run = submission
            .position
            .stage()
            .is_some_and(|stage| stage >= Stage::Queued);
        let halted = self.halted(self.now()).filter(|_| waits_for_a_run);
        let waiting = submission.waiting.as_ref();
        let waits_for_machine = self.state().waits_for_machine.contains(&submission.id);
        let (reason, detail) = match (position, halted, waiting) {
            (None, _, _) if waits_for_machine => (
                Some(Wait::Machine),
                Some(
                    "another run has the machine, which no two may share; it goes on when that has ended"
                        .to_owned(),
                ),
            ),
            (None, _, _) => (None, None),
            (Some(_), Some((wait, sentence)), _) => (Some(wait), Some(sentence)),
            (Some(position), None, Some(waiting)) if waiting.why == Wait::Queue => {
                let before = position.saturating_sub(1);
                (Some(Wait::Queue), Some(format!("{before} are before it")))
            }
            (Some(_), None, Some(waiting)) => (Some(waiting.why), waiting.sentence.clone()),
            (Some(_), None, None) => (Some(Wait::Queue), None),
        };
        // Unknown until three runs were measured, and while nothing moves.
        let estimate_seconds = match (position, seconds_per_run, reason) {
            (Some(position), Some(seconds), Some(Wait::Queue)) => {
                let rounds = u64::from(position).div_ceil(u64::from(slots.max(1)));
                Some((rounds + u64::from(position > 0)) * seconds)
            }
            _ => None,
        };
        Place {
            position,
            estimate_seconds,
            reason: reason.map(|wait| wait.code().to_owned()),
            detail,
        }
    }
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
                similar.build(&self.store)?;
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
        let (results, attempts) = self
            .store
            .read(|tx| Ok((results::of(tx, id)?, attempts::of(tx, id)?)))
            .map_err(|problem| store(&problem))?;
        let live = attempts
            .iter()
            .rev()
            .find(|attempt| attempt.state.is_live() && attempt.kind == Kind::Main)
            .and_then(|attempt| attempt.handle.as_deref());
        if let Some(handle) = live {
            let text = self
                .executor
                .log(handle)
                .map_err(|failure| ServiceError::Internal(failure.told()))?;
            return Ok(Some(log_page(text.unwrap_or_default().as_bytes(), since_bytes)));
        }
        let newest = results.iter().rev().find_map(|stored| stored.result.files.logs);
        let of_failure = attempts.iter().rev().find_map(|attempt| attempt.evidence);
        let has_ended = attempts.iter().any(|attempt| attempt.ended_at.is_some());
        let Some(bytes) = self
            .blob(newest.or(of_failure))?
            // A run that has printed nothing has a log, an empty one.
            .or(has_ended.then(Vec::new))
        else {
            return Ok(None);
        };
        Ok(Some(log_page(&bytes, since_bytes)))
    }

    fn report(&self, id: &str) -> Result<Option<Vec<u8>>, ServiceError> {
        let Some(stored) = self.counting(id)? else {
            return Ok(None);
        };
        let Some(mut page) = self.blob(stored.result.files.report)? else {
            return Ok(None);
        };
        if let Some(seed) = self.secret_seed(&stored)? {
            // It stands in a cell of its own.
            let (shown, hidden) = (
                format!("<td>{seed}</td>"),
                b"<td>secret until the round closes</td>",
            );
            while let Some(at) = page
                .windows(shown.len())
                .position(|bytes| bytes == shown.as_bytes())
            {
                page.splice(at..at + shown.len(), hidden.iter().copied());
            }
        }
        Ok(Some(page))
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

    fn manifest(&self, id: &str) -> Result<Option<Prepared>, ServiceError> {
        let Some(stored) = self.counting(id)? else {
            return Ok(None);
        };
        let Some(bytes) = self.blob(stored.result.files.manifest)? else {
            return Ok(None);
        };
        if self.secret_seed(&stored)?.is_none() {
            return Ok(Some(Prepared::of_json_text(bytes)));
        }
        let mut manifest: Value =
            serde_json::from_slice(&bytes).map_err(|error| ServiceError::Internal(error.to_string()))?;
        for pointer in ["/run/seed", "/run/about/seed"] {
            if let Some(seed) = manifest.pointer_mut(pointer) {
                *seed = Value::Null;
            }
        }
        Ok(Some(Prepared::of_json_text(manifest.to_string().into_bytes())))
    }

    fn compare(&self, id: &str, other: &str) -> Result<Option<Comparison>, ServiceError> {
        let (Some(one), Some(two)) = (self.counting(id)?, self.counting(other)?) else {
            return Ok(None);
        };
        if one.round_id != two.round_id {
            return Ok(None);
        }
        let profile = |stored: &Stored| -> Result<_, ServiceError> {
            let bytes = self.blob(stored.result.files.profile)?;
            bytes
                .map(|bytes| {
                    prism_core::ranking::profile::CodeProfile::from_json(&bytes)
                        .map_err(|error| ServiceError::Internal(error.to_string()))
                })
                .transpose()
        };
        let (Some(first), Some(second)) = (profile(&one)?, profile(&two)?) else {
            return Ok(None);
        };
        if !first.same_stream(&second) {
            return Ok(None);
        }
        let stream_bytes = first.head().stream_bytes as f64;
        let blocks = first.saved_micronats().len().min(second.saved_micronats().len());
        let mut difference = 0.0;
        let (mut covered_bytes, mut difference_bits, mut band_bits) = (Vec::new(), Vec::new(), Vec::new());
        let band_bpb = 1.96 * libm_hypot(one.result.bpb_se, two.result.bpb_se);
        let pairs = first.saved_micronats().iter().zip(second.saved_micronats());
        for (number, (one_saved, two_saved)) in pairs.enumerate() {
            // Saved against eight bits a byte, so that more saved is a shorter code.
            difference += (two_saved - one_saved) as f64 * 1e-6 / prism_core::nats::NATS_PER_BIT;
            let share = (number + 1) as f64 / blocks as f64;
            covered_bytes.push(share * stream_bytes);
            difference_bits.push(difference);
            band_bits.push(band_bpb * stream_bytes * share.sqrt());
        }
        let difference_bpb = one.result.bpb - two.result.bpb;
        let floor = self.standings().noise_floor.bpb();
        Ok(Some(Comparison {
            submission_id: id.to_owned(),
            other_id: other.to_owned(),
            covered_bytes,
            difference_bits,
            band_bits,
            difference_bpb,
            band_bpb,
            significant: difference_bpb.abs() > band_bpb.max(floor),
        }))
    }
}

fn log_page(bytes: &[u8], since_bytes: u64) -> LogPage {
    let from = usize::try_from(since_bytes)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let to = (from + LOG_PAGE_BYTES).min(bytes.len());
    LogPage {
        since: from as u64,
        next: (to < bytes.len()).then_some(to as u64),
        text: String::from_utf8_lossy(&bytes[from..to]).into_owned(),
    }
}

fn libm_hypot(a: f64, b: f64) -> f64 {
    (a * a + b * b).sqrt()
}
