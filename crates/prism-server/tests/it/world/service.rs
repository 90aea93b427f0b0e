//! A small service over a store: it ranks, weighs, queues and cancels by what is stored, and evaluates nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Actor, Position};
use prism_server::Clock;
use prism_server::challenge::{
    Alarm, Board, BoardRow, BoardView, CancelError, Challenge, Comparison, GpuStatus, LogPage, Place,
    Precheck, Progress, QueueEntry, QueueView, Readiness, ReviewView, RoundName, ServiceError, Weights,
    WeightsView,
};
use prism_server::prepared::Prepared;
use prism_store::queue::{self, Line};
use prism_store::results::{self, Files, Scope, Scored};
use prism_store::submissions::{self, Step};
use prism_store::{Store, StoreError, events, rounds};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

/// The service.
pub(crate) struct Service {
    store: Store,
    clock: Clock,
    wakes: AtomicU64,
    /// The board, and the last event when it was made.
    board: Mutex<Option<(i64, Arc<Board>)>>,
    pub(crate) alarms: Mutex<Vec<Alarm>>,
    pub(crate) progress: Mutex<HashMap<String, Progress>>,
    pub(crate) logs: Mutex<HashMap<String, String>>,
    /// How long a check keeps a processor, and whether it then panics.
    pub(crate) precheck_panics: Mutex<bool>,
}

impl Service {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            wakes: AtomicU64::new(0),
            board: Mutex::default(),
            alarms: Mutex::default(),
            progress: Mutex::default(),
            logs: Mutex::default(),
            precheck_panics: Mutex::default(),
        }
    }

    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.load(Ordering::SeqCst)
    }

    fn rows(&self) -> (Option<RoundName>, Vec<BoardRow>) {
        let found = self.store.read(|tx| {
            let round = match rounds::current(tx)? {
                Some(round) => Some(round),
                None => rounds::last_closed(tx)?,
            };
            let Some(round) = round else {
                return Ok((None, Vec::new()));
            };
            let scored = results::scored(tx, &Scope::Round(round.id.clone()))?;
            let name = RoundName {
                id: round.id,
                name: round.name,
            };
            Ok((Some(name), scored))
        });
        let (round, scored) = found.unwrap();
        let mut ranked: Vec<(f64, Scored)> = scored
            .into_iter()
            .filter_map(|one| one.score.standing.final_score().map(|score| (score, one)))
            .collect();
        ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.seq.cmp(&y.seq)));
        let weights: Vec<f64> = {
            let raw: Vec<f64> = ranked
                .iter()
                .scan(1.0, |weight, (score, _)| {
                    *weight /= 2.0;
                    Some(if *score > 0.0 { *weight } else { 0.0 })
                })
                .collect();
            let sum: f64 = raw.iter().sum();
            raw.iter()
                .map(|weight| if sum > 0.0 { weight / sum } else { 0.0 })
                .collect()
        };
        let rows = ranked
            .into_iter()
            .zip(weights)
            .zip(1..)
            .map(|(((score, one), weight), rank)| BoardRow {
                rank,
                tie_group: rank,
                hotkey: one.hotkey,
                submission_id: one.submission,
                score,
                bpb: Some(one.score.bpb),
                bpb_se: Some(one.score.bpb_se),
                provisional: one.provisional,
                weight,
                flags: one.score.flags,
                created_at: one.accepted_at.to_string(),
            });
        (round, rows.collect())
    }

    fn files(&self, id: &str) -> Option<Files> {
        let found = self.store.read(|tx| results::of(tx, id)).ok()?;
        found.into_iter().next_back().map(|stored| stored.result.files)
    }
}

fn failed(error: &StoreError) -> ServiceError {
    ServiceError::Internal(error.to_string())
}

impl Challenge for Service {
    fn board(&self) -> Arc<Board> {
        let event = self.store.read(events::last_seq).unwrap();
        let mut kept = self.board.lock().unwrap();
        if let Some((_, board)) = kept.as_ref().filter(|(of, _)| *of == event) {
            return Arc::clone(board);
        }
        let (round, entries) = self.rows();
        let view = BoardView {
            round,
            entries,
            ..BoardView::empty((self.clock)())
        };
        let board = Arc::new(Board::new(view).unwrap());
        *kept = Some((event, Arc::clone(&board)));
        board
    }

    fn weights(&self) -> Arc<Weights> {
        let (round, entries) = self.rows();
        let mut view = WeightsView::empty("rank-geometric", (self.clock)());
        view.round = round.map(|round| round.id);
        view.explanation = entries
            .iter()
            .map(|row| json!({"hotkey": row.hotkey, "rank": row.rank}))
            .map(|value| to_raw_value(&value).unwrap())
            .collect();
        view.weights = entries
            .into_iter()
            .filter(|row| row.weight > 0.0)
            .map(|row| (row.hotkey, row.weight))
            .collect();
        Arc::new(Weights::new(view).unwrap())
    }

    fn readiness(&self) -> Readiness {
        let alarms = self.alarms.lock().unwrap().clone();
        Readiness {
            ready: alarms.is_empty(),
            alarms,
        }
    }

    fn queue(&self) -> Arc<QueueView> {
        let now = (self.clock)();
        let (depth, next) = self
            .store
            .read(|tx| Ok((queue::depth(tx)?, queue::next_few(tx, Line::Runs, now, 50)?)))
            .unwrap();
        let entries = next
            .into_iter()
            .map(|submission| QueueEntry {
                place: self.place(&submission.id).unwrap_or_default(),
                hotkey: submission.hotkey,
                status: submission.position.status().to_owned(),
                stage: submission
                    .position
                    .stage()
                    .map_or("", |stage| stage.as_str())
                    .to_owned(),
                created_at: submission.accepted_at.to_string(),
                submission_id: submission.id,
            })
            .collect();
        Arc::new(QueueView {
            depth: u32::try_from(depth.checks + depth.runs).unwrap(),
            running: u32::try_from(depth.running).unwrap(),
            slots: 1,
            entries,
            ..QueueView::default()
        })
    }

    fn place(&self, id: &str) -> Option<Place> {
        let place = self.store.read(|tx| queue::position(tx, id)).unwrap()?;
        Some(Place {
            position: u32::try_from(place.place).ok(),
            ..Place::default()
        })
    }

    fn gpus(&self) -> GpuStatus {
        GpuStatus::default()
    }

    fn progress(&self, id: &str) -> Option<Progress> {
        self.progress.lock().unwrap().get(id).copied()
    }

    fn recipe(&self) -> Arc<Prepared> {
        let round = self.store.read(rounds::current).unwrap();
        Arc::new(Prepared::json(&json!({"toml": round.map(|round| round.recipe_toml)})).unwrap())
    }

    fn rules(&self) -> Arc<Prepared> {
        let codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        Arc::new(Prepared::json(&json!({"reasons": codes})).unwrap())
    }

    fn wake(&self) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
    }

    fn review(&self) -> ReviewView {
        ReviewView {
            mode: "off".to_owned(),
            ..ReviewView::default()
        }
    }

    fn appeal(&self, id: &str, text: &str) -> Result<(), CancelError> {
        if text.is_empty() {
            return Err(CancelError::WrongState("an appeal has words".to_owned()));
        }
        let (id, text) = (id.to_owned(), text.to_owned());
        let now = (self.clock)();
        let done = self.store.write(move |tx| {
            prism_store::reviews::appeal(tx, &id, &text, now)?;
            let step = Step {
                reason: Some(Reason::ReviewAppealed),
                ..Step::new(
                    Position::Ended(Status::Held),
                    Actor::Owner,
                    "its owner has appealed",
                )
            };
            submissions::step(tx, &id, &step, now)
        });
        done.map(drop)
            .map_err(|error| CancelError::WrongState(error.to_string()))
    }

    fn review_of(&self, id: &str) -> Result<Option<Value>, ServiceError> {
        let found = self
            .store
            .read(|tx| submissions::find(tx, id))
            .map_err(|error| failed(&error))?;
        Ok(found.map(|found| json!({"id": found.id, "charges": [{"quote": "a line of the source"}]})))
    }

    fn cancel(&self, id: &str) -> Result<(), CancelError> {
        let (id, now) = (id.to_owned(), (self.clock)());
        let cancelled = self.store.write(move |tx| {
            let to = Position::Ended(Status::Cancelled);
            let new = Step {
                reason: Some(Reason::Cancelled),
                ..Step::new(to, Actor::Owner, "its owner stopped it")
            };
            submissions::step(tx, &id, &new, now)
        });
        match cancelled {
            Ok(_) => Ok(()),
            Err(StoreError::IllegalStep(illegal)) => Err(CancelError::WrongState(illegal.to_string())),
            Err(StoreError::NotFound { .. }) => Err(CancelError::NotFound),
            Err(error) => Err(failed(&error).into()),
        }
    }

    fn precheck(&self, filename: &str, bytes: &[u8]) -> Result<Precheck, ServiceError> {
        assert!(
            !*self.precheck_panics.lock().unwrap(),
            "a fault that a test has planted"
        );
        if filename != "model.py" && bytes.starts_with(b"PK") {
            return Ok(Precheck {
                passes: true,
                reason: None,
                detail: None,
                findings: json!([]),
                similar: Vec::new(),
            });
        }
        Ok(Precheck::rejected(
            Reason::BundleInvalid,
            "this is no zip",
            json!([]),
        ))
    }

    fn logs(&self, id: &str, since_bytes: u64) -> Result<Option<LogPage>, ServiceError> {
        let logs = self.logs.lock().unwrap();
        Ok(logs.get(id).map(|log| {
            let since = usize::try_from(since_bytes).unwrap_or(usize::MAX).min(log.len());
            LogPage {
                since: since as u64,
                next: Some(log.len() as u64),
                text: log[since..].to_owned(),
            }
        }))
    }

    fn report(&self, id: &str) -> Result<Option<Vec<u8>>, ServiceError> {
        let Some(hash) = self.files(id).and_then(|files| files.report) else {
            return Ok(None);
        };
        let page = self
            .store
            .blobs()
            .read(&hash, 1 << 20)
            .map_err(|error| failed(&error))?;
        Ok(Some(page))
    }

    fn findings(&self, id: &str) -> Result<Option<Prepared>, ServiceError> {
        let found = self
            .store
            .read(|tx| submissions::find(tx, id))
            .map_err(|error| failed(&error))?;
        let has_been_read = found.is_some_and(|submission| submission.contract.is_some());
        Ok(has_been_read.then(|| Prepared::json(&json!({"findings": []})).unwrap()))
    }

    fn manifest(&self, id: &str) -> Result<Option<Prepared>, ServiceError> {
        let Some(hash) = self.files(id).and_then(|files| files.manifest) else {
            return Ok(None);
        };
        let text = self
            .store
            .blobs()
            .read(&hash, 1 << 20)
            .map_err(|error| failed(&error))?;
        Ok(Some(Prepared::of_json_text(text)))
    }

    fn compare(&self, id: &str, other: &str) -> Result<Option<Comparison>, ServiceError> {
        let bpb = |id: &str| -> Result<Option<f64>, ServiceError> {
            let found = self
                .store
                .read(|tx| submissions::get(tx, id))
                .map_err(|error| failed(&error))?;
            Ok(found.score.map(|score| score.bpb))
        };
        Ok(bpb(id)?.zip(bpb(other)?).map(|(one, two)| Comparison {
            submission_id: id.to_owned(),
            other_id: other.to_owned(),
            covered_bytes: Vec::new(),
            difference_bits: Vec::new(),
            band_bits: Vec::new(),
            difference_bpb: one - two,
            band_bpb: 0.0,
            significant: false,
        }))
    }
}
