//! A challenge over a real store and real records, with an executor that ends as a test says. (`serve` runs the same with real
//! evaluations.)

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prism_bundle::Bundle;
use prism_core::failure::Failure;
use prism_core::hash::Sha256Hash;
use prism_core::outcome::{Reason, Status};
use prism_core::submission::Position;
use prism_core::time::Timestamp;
use prism_engine::executor::{Executor, Left, Seen, Unit};
use prism_engine::outcome::Outcome;
use prism_engine::round::RunKind;
use prism_engine::slot::Slot;
use prism_server::challenge::Challenge as _;
use prism_service::{Operation, ReviewMode, Reviewer, Service, ServiceSettings};
use prism_store::rounds::{self, NewRound, Secret};
use prism_store::submissions::{self, Submission};
use prism_store::uploads::{self, NewUpload};
use prism_store::{Store, events, ids};

use crate::run_fixture::{Learner, Of, completed_of, recipe};

pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Noon of a day, so that an hour either way stays within it.
pub(crate) const START_SECONDS: i64 = 1_800_014_400;
pub(crate) const SEED: u64 = 77;

pub(crate) fn corpus() -> Sha256Hash {
    Sha256Hash::of(b"corpus")
}

/// How an attempt ends.
#[derive(Clone)]
pub(crate) enum End {
    /// With a score: every prediction costs its usual times this.
    Scores(f32),
    /// Without one.
    Fails(Reason),
    /// With a score that does not count, for this reason.
    Rehearses(&'static str),
    /// Nobody runs it any more.
    Dies,
    /// It goes on until somebody ends it.
    Hangs,
    /// It waits for others to leave the machine.
    Waits,
}

/// What a run of this is to leave.
pub(crate) fn of_unit(unit: &Unit, scale: f32) -> Of {
    let attempt = &unit.attempt;
    Of {
        bundle: Bundle::from_zip(&unit.bundle).unwrap().hash(),
        corpus: attempt.round.corpus.unwrap(),
        seed: attempt.seed,
        scale,
        recipe: attempt.round.recipe_of(attempt.kind),
    }
}

/// What became of an attempt.
pub(crate) struct Ran {
    pub(crate) unit: Unit,
    pub(crate) end: End,
    pub(crate) dir: PathBuf,
}

/// Runs attempts as a test says; survives a restart of the service, as processes do.
#[derive(Default)]
pub(crate) struct Scripted {
    /// By submission and kind: the next ends, the last of which stays.
    pub(crate) script: Mutex<HashMap<(String, &'static str), Vec<End>>>,
    pub(crate) ran: Mutex<BTreeMap<String, Ran>>,
    pub(crate) started: Mutex<Vec<(String, RunKind, u64)>>,
    pub(crate) removed: Mutex<Vec<String>>,
    pub(crate) temp: Mutex<Option<PathBuf>>,
}

pub(crate) fn kind_name(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Main => "main",
        RunKind::Confirmation => "confirm",
        RunKind::Noise => "noise",
    }
}

impl Executor for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn start(&self, handle: &str, unit: &Unit) -> Result<(), Failure> {
        let attempt = &unit.attempt;
        let key = (attempt.submission.clone(), kind_name(attempt.kind));
        self.started
            .lock()
            .unwrap()
            .push((attempt.submission.clone(), attempt.kind, attempt.seed));
        let mut script = self.script.lock().unwrap();
        let ends = script.entry(key).or_insert_with(|| vec![End::Scores(1.0)]);
        let end = if ends.len() > 1 {
            ends.remove(0)
        } else {
            ends[0].clone()
        };
        drop(script);
        let dir = self.temp.lock().unwrap().clone().unwrap().join(handle);
        if let End::Scores(_) | End::Rehearses(_) = end {
            let scale = if let End::Scores(scale) = end { scale } else { 1.0 };
            completed_of(&dir, Learner::Honest, &of_unit(unit, scale));
        }
        let ran = Ran {
            unit: unit.clone(),
            end,
            dir,
        };
        self.ran.lock().unwrap().insert(handle.to_owned(), ran);
        Ok(())
    }

    fn look(&self, handle: &str) -> Result<Seen, Failure> {
        let ran = self.ran.lock().unwrap();
        let Some(ran) = ran.get(handle) else {
            return Ok(Seen::Gone);
        };
        let left = |outcome: Outcome, run_dir: Option<PathBuf>| {
            Seen::Over(Box::new(Left {
                outcome,
                nonce: ran.unit.attempt.nonce.clone(),
                run_dir,
            }))
        };
        let read = || {
            let text = std::fs::read(ran.dir.join("result.json")).unwrap();
            let mut outcome: Outcome = serde_json::from_slice(&text).unwrap();
            outcome.rehearsal = false;
            outcome.rehearsal_reasons.clear();
            outcome
        };
        Ok(match &ran.end {
            End::Scores(_) => left(read(), Some(ran.dir.clone())),
            End::Rehearses(reason) => {
                let mut outcome = read();
                outcome.rehearsal = true;
                outcome.rehearsal_reasons = vec![(*reason).to_owned()];
                left(outcome, Some(ran.dir.clone()))
            }
            End::Fails(reason) => left(Outcome::failed(*reason, "as a test says"), None),
            End::Dies => Seen::Gone,
            End::Waits => {
                let mut progress = prism_engine::event_file::Progress::default();
                progress.waits_for_machine = true;
                Seen::Running(Box::new(progress))
            }
            End::Hangs => {
                let mut progress = prism_engine::event_file::Progress::default();
                progress.covered_bytes = 4096;
                progress.stream_bytes = 30_000;
                Seen::Running(Box::new(progress))
            }
        })
    }

    fn log(&self, handle: &str) -> Result<Option<String>, Failure> {
        let ran = self.ran.lock().unwrap();
        Ok(ran
            .get(handle)
            .map(|ran| format!("the log of {}", ran.unit.attempt.submission)))
    }

    fn cancel(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn remove(&self, handle: &str) -> Result<(), Failure> {
        self.ran.lock().unwrap().remove(handle);
        self.removed.lock().unwrap().push(handle.to_owned());
        Ok(())
    }

    fn handles(&self) -> Result<Vec<String>, Failure> {
        Ok(self.ran.lock().unwrap().keys().cloned().collect())
    }
}

/// Sets a reviewer up, anew at each start.
pub(crate) type MakeReviewer = Box<dyn Fn() -> Reviewer>;

/// A challenge with a round.
pub(crate) struct World {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) executor: Arc<Scripted>,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) review: ReviewMode,
    reviewer: Option<MakeReviewer>,
    pub(crate) running: Option<(Store, Arc<Service>, Vec<JoinHandle<()>>)>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::reviewed(ReviewMode::Off)
    }

    pub(crate) fn reviewed(review: ReviewMode) -> Self {
        Self::reviewed_by(review, None)
    }

    pub(crate) fn reviewed_by(review: ReviewMode, reviewer: Option<MakeReviewer>) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let executor = Arc::new(Scripted::default());
        *executor.temp.lock().unwrap() = Some(temp.path().join("ran"));
        let mut world = Self {
            temp,
            executor,
            clock: Arc::new(AtomicI64::new(START_SECONDS * 1_000_000)),
            review,
            reviewer,
            running: None,
        };
        world.start();
        let round = world.round("first");
        let now = world.now();
        world
            .store()
            .write(move |tx| rounds::open(tx, &round, now))
            .unwrap();
        world
    }

    pub(crate) fn round(&self, name: &str) -> NewRound {
        NewRound {
            id: ids::uuid_v4(*b"0123456789abcdef".map_last(name.len())),
            name: name.to_owned(),
            recipe_toml: recipe().to_toml(),
            recipe_sha256: recipe().sha256(),
            corpus_path: "/corpus".into(),
            corpus_sha256: corpus(),
            runtime_lock: "external".into(),
            gate_version: prism_gate::VERSION.to_string(),
            review_version: "none".into(),
            review_mode: self.review.as_str().into(),
            secret: Secret {
                seed: SEED,
                salt: [1; 32],
            },
            scored_runs_per_day: 2,
            uploads_per_day: 20,
            weight_policy: "rank-geometric(ratio=0.5, top=20)".into(),
            reference: Some(self.store().blobs().put(&bundle(0)).unwrap()),
            publish_sources: true,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn start(&mut self) {
        // The writing thread of the one before may still be about to let go of it.
        let deadline = Instant::now() + PATIENCE;
        let store = loop {
            match Store::open(&self.temp.path().join("store"), self.now()) {
                Ok(store) => break store,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let clock = Arc::clone(&self.clock);
        let settings = ServiceSettings {
            cache_dir: self.temp.path().join("cache"),
            slots: vec![Slot::whole().unwrap()],
            review: self.review,
            reviewer: self.reviewer.as_ref().map(|make| make()),
            preflight: Box::new(|_| Ok(())),
            reserve_bytes: 0,
            clock: Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))),
        };
        let executor: Arc<dyn Executor> = Arc::clone(&self.executor) as _;
        let service = Service::new(store.clone(), executor, settings).unwrap();
        let threads = service.start().unwrap();
        self.running = Some((store, service, threads));
    }

    pub(crate) fn stop(&mut self) {
        if let Some((store, service, threads)) = self.running.take() {
            service.stop();
            for thread in threads {
                thread.join().unwrap();
            }
            drop((service, store));
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.running.as_ref().unwrap().0
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.running.as_ref().unwrap().1
    }

    pub(crate) fn admin(&self, operation: &Operation) -> Result<serde_json::Value, String> {
        self.service()
            .administer(operation)
            .map_err(|problem| problem.to_string())
    }

    /// Stores a bundle of a hotkey, as the HTTP interface does.
    pub(crate) fn submit(&self, hotkey: &str, zip: &[u8]) -> String {
        let zip_sha256 = self.store().blobs().put(zip).unwrap();
        let number = self.store().read(events::last_seq).unwrap();
        let mut random = [0; 16];
        random.copy_from_slice(&Sha256Hash::of(format!("{hotkey}{number}").as_bytes()).0[..16]);
        let upload = NewUpload {
            id: ids::uuid_v4(random),
            hotkey: hotkey.to_owned(),
            nonce: None,
            filename: "bundle.zip".into(),
            code_hash: Sha256Hash::of(zip),
            zip_sha256,
            zip_bytes: zip.len() as u64,
            metadata_json: "{}".into(),
        };
        let now = self.now();
        let accepted = self
            .store()
            .write(move |tx| uploads::accept(tx, &upload, now))
            .unwrap();
        self.pass(1);
        accepted.unwrap().submission.id
    }

    pub(crate) fn script(&self, id: &str, kind: &'static str, ends: &[End]) {
        let mut script = self.executor.script.lock().unwrap();
        script.insert((id.to_owned(), kind), ends.to_vec());
    }

    /// The same for a bundle whose submission has not started yet: the queue is paused meanwhile.
    pub(crate) fn submit_scripted(&self, hotkey: &str, zip: &[u8], ends: &[End]) -> String {
        self.admin(&Operation::Pause).unwrap();
        let id = self.submit(hotkey, zip);
        self.script(&id, "main", ends);
        self.admin(&Operation::Resume).unwrap();
        id
    }

    pub(crate) fn get(&self, id: &str) -> Submission {
        self.store().read(|tx| submissions::get(tx, id)).unwrap()
    }

    pub(crate) fn wait_for(&self, id: &str, position: Position) -> Submission {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.get(id);
            if found.position == position {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "{id} is {} ({:?}: {}), not {position}",
                found.position,
                found.reason,
                found.sentence
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn completed(&self, id: &str) -> Submission {
        self.wait_for(id, Position::Ended(Status::Completed))
    }

    pub(crate) fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < deadline, "never happened: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hotkey and weight, the highest first.
    pub(crate) fn weights(&self) -> Vec<(String, f64)> {
        let weights = self.service().weights();
        let mut all: Vec<_> = weights
            .view()
            .weights
            .iter()
            .map(|(hotkey, weight)| (hotkey.clone(), *weight))
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    pub(crate) fn started(&self, id: &str) -> Vec<RunKind> {
        let started = self.executor.started.lock().unwrap();
        started
            .iter()
            .filter(|(submission, ..)| submission == id)
            .map(|(_, kind, _)| *kind)
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Two rounds of a test need two ids.
trait MapLast {
    fn map_last(&self, number: usize) -> &Self;
}

impl MapLast for [u8; 16] {
    fn map_last(&self, number: usize) -> &Self {
        // As many different ids as these tests have rounds.
        match number {
            5 => b"0123456789abcdef",
            _ => b"fedcba9876543210",
        }
    }
}

/// A bundle of its own: the number is in its architecture.
pub(crate) fn bundle(number: u32) -> Vec<u8> {
    let architecture = format!(
        "import torch\n\n\nclass Model{number}(torch.nn.Module):\n    def __init__(self, width):\n        super().__init__()\n        \
         self.table = torch.nn.Embedding(width, width)\n        self.extra = torch.nn.ModuleList({})\n\n    def forward(self, tokens):\n        \
         return self.table(tokens) + {number}.5\n\n\ndef build_model(ctx):\n    return Model{number}(ctx.vocab_size)\n",
        "[torch.nn.Linear(3, 3)]".to_owned() + &" + [torch.nn.ReLU()]".repeat(number as usize),
    );
    let files = vec![
        ("architecture.py".to_owned(), architecture.into_bytes()),
        ("training.py".to_owned(), b"def train(ctx):\n    pass\n".to_vec()),
    ];
    Bundle::from_entries(files).unwrap().to_zip()
}
