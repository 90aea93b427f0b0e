//! A store with an open round, and short ways to bring submissions where a test wants them.

use std::fmt::Write as _;

use prism_core::{
    hash::Sha256Hash,
    outcome::{Reason, Status},
    rank::Standing,
    submission::{Actor, Position, Stage},
    time::Timestamp,
};
use rusqlite::types::Value;
use tempfile::TempDir;

use crate::{
    Read, Result, Store, StoreError, Write,
    attempts::{self, Attempt, End, NewAttempt, Of, Taken},
    events,
    results::{self, Files, NewResult},
    rounds::{self, NewRound, Secret},
    submissions::{self, Step, Submission},
    uploads::{self, Accepted, NewUpload, NonceUse, Refused},
};

/// 2026-01-01, at midnight.
pub(super) const T0: Timestamp = Timestamp(1_767_225_600_000_000);

pub(super) struct Fixture {
    pub(super) store: Store,
    pub(super) dir: TempDir,
}

impl Fixture {
    /// A store with one open round.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), T0).unwrap();
        store.write(|tx| rounds::open(tx, &round(1), T0)).unwrap();
        Self { store, dir }
    }

    /// Closes the store and opens it again.
    pub(super) fn reopen(self) -> Self {
        let Self { store, dir } = self;
        drop(store);
        // A child that another test is just starting has a copy of the lock until it runs its own program.
        let mut tries_left = 5000;
        let store = loop {
            match Store::open(dir.path(), T0) {
                Err(StoreError::Locked { .. }) if tries_left > 0 => {
                    tries_left -= 1;
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                opened => break opened.unwrap(),
            }
        };
        Self { store, dir }
    }

    pub(super) fn round_id(&self) -> String {
        self.store.read(rounds::current).unwrap().unwrap().id
    }

    pub(super) fn accept(&self, new: NewUpload, now: Timestamp) -> Result<Accepted, Refused> {
        self.store
            .write(move |tx| uploads::accept(tx, &new, now))
            .unwrap()
    }

    /// Uploads a bundle of its own.
    pub(super) fn submit(&self, hotkey: &str, bundle: &str) -> Submission {
        let mut new = self.upload(hotkey, bundle);
        let last_event = self.store.read(events::last_seq).unwrap();
        new.id = id_of(&format!("{hotkey} {bundle} after {last_event}"));
        self.accept(new, T0).unwrap().submission
    }

    /// An upload whose blob is in place.
    pub(super) fn upload(&self, hotkey: &str, bundle: &str) -> NewUpload {
        self.store.blobs().put(bundle.as_bytes()).unwrap();
        upload(hotkey, bundle)
    }

    pub(super) fn get(&self, id: &str) -> Submission {
        self.store.read(|tx| submissions::get(tx, id)).unwrap()
    }

    pub(super) fn step(&self, id: &str, to: Position, by: Actor) -> Result<Position> {
        let id = id.to_owned();
        self.store.write(move |tx| step(tx, &id, to, by))
    }

    /// Uploads and brings it to the queue.
    pub(super) fn queued(&self, hotkey: &str, bundle: &str) -> String {
        let id = self.submit(hotkey, bundle).id;
        self.step(&id, Position::Pending(Stage::Queued), Actor::Pipeline)
            .unwrap();
        id
    }

    /// Begins an attempt and runs it.
    pub(super) fn run(&self, of: Of) -> Attempt {
        self.store.write(move |tx| run(tx, of)).unwrap()
    }

    /// Uploads, runs and scores.
    pub(super) fn completed(&self, hotkey: &str, bundle: &str, final_score: f64) -> (String, i64) {
        let id = self.queued(hotkey, bundle);
        let attempt = self.run(Of::Main(id.clone()));
        let result = self
            .store
            .write({
                let id = id.clone();
                move |tx| finish(tx, &id, &attempt, final_score, Position::Ended(Status::Completed))
            })
            .unwrap();
        (id, result)
    }

    /// Every row of every table, as text.
    pub(super) fn dump(&self) -> String {
        self.store.read(|tx| Ok(dump(tx))).unwrap()
    }

    pub(super) fn blob(&self, text: &str) -> Sha256Hash {
        self.store.blobs().put(text.as_bytes()).unwrap()
    }
}

/// An id made of a text.
pub(super) fn id_of(text: &str) -> String {
    let hash = Sha256Hash::of(text.as_bytes()).0;
    let mut random = [0; 16];
    random.copy_from_slice(&hash[..16]);
    crate::ids::uuid_v4(random)
}

pub(super) fn upload(hotkey: &str, bundle: &str) -> NewUpload {
    let zip_sha256 = Sha256Hash::of(bundle.as_bytes());
    NewUpload {
        id: id_of(&format!("{hotkey} {bundle}")),
        hotkey: hotkey.to_owned(),
        nonce: None,
        filename: "bundle.zip".to_owned(),
        code_hash: Sha256Hash::of(format!("base64 of {bundle}").as_bytes()),
        zip_sha256,
        zip_bytes: bundle.len() as u64,
        metadata_json: "{}".to_owned(),
    }
}

pub(super) fn nonce(hotkey: &str, nonce: &str, request: &str) -> NonceUse {
    NonceUse {
        hotkey: hotkey.to_owned(),
        nonce: nonce.to_owned(),
        request_sha256: Sha256Hash::of(request.as_bytes()),
        expires_at: T0.plus_seconds(300),
    }
}

pub(super) fn round(number: u32) -> NewRound {
    NewRound {
        id: id_of(&format!("round {number}")),
        name: format!("round {number}"),
        recipe_toml: "name = \"small\"\n".to_owned(),
        recipe_sha256: Sha256Hash::of(b"recipe"),
        corpus_path: "/corpus".to_owned(),
        corpus_sha256: Sha256Hash::of(b"corpus"),
        runtime_lock: "lock".to_owned(),
        gate_version: "1".to_owned(),
        review_version: "1".to_owned(),
        review_mode: "off".to_owned(),
        secret: Secret {
            seed: u64::MAX - u64::from(number),
            salt: [7; 32],
        },
        scored_runs_per_day: 4,
        uploads_per_day: 40,
        weight_policy: "rank-geometric".to_owned(),
        reference: None,
        publish_sources: true,
    }
}

pub(super) fn step(tx: &Write, id: &str, to: Position, by: Actor) -> Result<Position> {
    let reason = match to {
        Position::Ended(Status::Completed) | Position::Pending(_) | Position::Running(_) => None,
        Position::Ended(Status::Failed) => Some(Reason::TrainException),
        Position::Ended(Status::Rejected) => Some(Reason::GateRejected),
        Position::Ended(Status::Held) => Some(Reason::RetriesSpent),
        Position::Ended(Status::Cancelled) => Some(Reason::Cancelled),
        Position::Ended(Status::Invalidated) => Some(Reason::Invalidated),
    };
    let step = Step {
        reason,
        ..Step::new(to, by, "a step of a test")
    };
    submissions::step(tx, id, &step, T0)
}

pub(super) fn new_attempt(of: Of, nonce: u8) -> NewAttempt {
    NewAttempt {
        of,
        nonce: [nonce; 16],
        executor: "local".to_owned(),
        handle: None,
        seed: u64::MAX,
        audit_rate_factor: 1,
    }
}

/// An attempt whose nonce nobody else in the test has.
pub(super) fn run(tx: &Write, of: Of) -> Result<Attempt> {
    let moves = match &of {
        Of::Main(id) => Some((id.clone(), Stage::Training)),
        Of::Confirm(id) => Some((id.clone(), Stage::Confirming)),
        Of::Noise { .. } => None,
    };
    let number: i64 = tx
        .conn
        .query_row("SELECT ifnull(max(id), 0) FROM attempts", [], |row| row.get(0))?;
    let mut new = new_attempt(of, 0);
    new.nonce[..8].copy_from_slice(&number.to_le_bytes());
    let attempt = attempts::begin(tx, &new, T0)?;
    assert!(attempts::started(tx, attempt.id, Some("run-directory"), T0)?);
    if let Some((id, stage)) = moves {
        step(tx, &id, Position::Running(stage), Actor::Pipeline)?;
    }
    attempts::get(tx, attempt.id)
}

pub(super) fn end(reason: Reason) -> End {
    End {
        reason,
        sentence: "the end of a test".to_owned(),
        wall_seconds: Some(12.5),
        evidence_json: None,
        evidence: None,
    }
}

/// Takes the result of a main or confirmation run and moves on.
pub(super) fn finish(tx: &Write, id: &str, attempt: &Attempt, final_score: f64, to: Position) -> Result<i64> {
    let taken = attempts::ended(tx, attempt.id, &attempt.nonce, &end(Reason::EndOfData), T0)?;
    assert_eq!(taken, Taken::Taken);
    let result = results::store(tx, attempt.id, &result(final_score), T0)?;
    if attempt.kind == attempts::Kind::Main {
        step(tx, id, Position::Running(Stage::Scoring), Actor::Pipeline)?;
    }
    let last = Step {
        counts: Some(result),
        ..Step::new(to, Actor::Pipeline, "it has a score")
    };
    submissions::step(tx, id, &last, T0)?;
    Ok(result)
}

pub(super) fn result(final_score: f64) -> NewResult {
    NewResult {
        engine_version: "0.1.0".to_owned(),
        bpb: 1.0 / final_score - 1.0,
        bpb_se: 0.001,
        standing: Standing::Ranked {
            bpb_ranked: 1.0 / final_score - 1.0 + 0.003,
            final_score,
        },
        rehearsal: false,
        flags: vec!["a \"flag\"".to_owned()],
        hidden_max_bpb: Some(0.01),
        claims_rms_nats: Some(1e-7),
        audits: 1000,
        covered_bytes: 29_200,
        stream_bytes: 29_200,
        compute_json: "{}".to_owned(),
        files: Files::default(),
    }
}

pub(super) fn dump(tx: &Read) -> String {
    let mut out = String::new();
    let mut tables = tx
        .conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|name| name.unwrap())
        .collect();
    for name in names {
        let mut statement = tx
            .conn
            .prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column).unwrap()).collect();
            writeln!(out, "{name} {values:?}").unwrap();
        }
    }
    out
}
