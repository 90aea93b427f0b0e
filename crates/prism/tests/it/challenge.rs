//! The challenge over a real store and real records, with an executor that ends as a test says: every way of a submission
//! through the pipeline in seconds. (`serve` runs the same with real evaluations.)

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prism_bundle::Bundle;
use prism_core::failure::Failure;
use prism_core::hash::Sha256Hash;
use prism_core::outcome::{Reason, Status};
use prism_core::recipe::Recipe;
use prism_core::submission::{Actor, Position, Stage, Wait};
use prism_core::time::Timestamp;
use prism_engine::executor::{Executor, Left, Seen, Unit};
use prism_engine::outcome::Outcome;
use prism_engine::round::RunKind;
use prism_engine::slot::Slot;
use prism_server::challenge::Challenge as _;
use prism_service::{Operation, ReviewMode, Service, ServiceSettings};
use prism_store::rounds::{self, NewRound, Secret};
use prism_store::submissions::{self, Submission};
use prism_store::uploads::{self, NewUpload};
use prism_store::{Store, attempts, budgets, events, ids, results};

use crate::run_fixture::{Learner, Of, completed_of};

const PATIENCE: Duration = Duration::from_mins(1);
/// Noon of a day, so that an hour either way stays within it.
const START_SECONDS: i64 = 1_800_014_400;
const SEED: u64 = 77;

fn corpus() -> Sha256Hash {
    Sha256Hash::of(b"corpus")
}

/// How an attempt ends.
#[derive(Clone)]
enum End {
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
}

/// What became of an attempt.
struct Ran {
    unit: Unit,
    end: End,
    dir: PathBuf,
}

/// Runs attempts as a test says; survives a restart of the service, as processes do.
#[derive(Default)]
struct Scripted {
    /// By submission and kind: the next ends, the last of which stays.
    script: Mutex<HashMap<(String, &'static str), Vec<End>>>,
    ran: Mutex<BTreeMap<String, Ran>>,
    started: Mutex<Vec<(String, RunKind, u64)>>,
    removed: Mutex<Vec<String>>,
    temp: Mutex<Option<PathBuf>>,
}

fn kind_name(kind: RunKind) -> &'static str {
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
            let of = Of {
                bundle: Bundle::from_zip(&unit.bundle).unwrap().hash(),
                corpus: attempt.round.corpus.unwrap(),
                seed: attempt.seed,
                scale,
            };
            completed_of(&dir, Learner::Honest, of);
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
            End::Hangs => {
                let mut progress = prism_engine::event_file::Progress::default();
                progress.covered_bytes = 4096;
                progress.stream_bytes = 30_000;
                Seen::Running(Box::new(progress))
            }
        })
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

/// A challenge with a round.
struct World {
    temp: tempfile::TempDir,
    executor: Arc<Scripted>,
    clock: Arc<AtomicI64>,
    review: ReviewMode,
    running: Option<(Store, Arc<Service>, Vec<JoinHandle<()>>)>,
}

impl World {
    fn new() -> Self {
        Self::reviewed(ReviewMode::Off)
    }

    fn reviewed(review: ReviewMode) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let executor = Arc::new(Scripted::default());
        *executor.temp.lock().unwrap() = Some(temp.path().join("ran"));
        let mut world = Self {
            temp,
            executor,
            clock: Arc::new(AtomicI64::new(START_SECONDS * 1_000_000)),
            review,
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

    fn round(&self, name: &str) -> NewRound {
        NewRound {
            id: ids::uuid_v4(*b"0123456789abcdef".map_last(name.len())),
            name: name.to_owned(),
            recipe_toml: Recipe::small().to_toml(),
            recipe_sha256: Recipe::small().sha256(),
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
            reference: None,
            publish_sources: true,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    fn start(&mut self) {
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
            preflight: Box::new(|| Ok(())),
            reserve_bytes: 0,
            clock: Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))),
        };
        let executor: Arc<dyn Executor> = Arc::clone(&self.executor) as _;
        let service = Service::new(store.clone(), executor, settings).unwrap();
        let threads = service.start().unwrap();
        self.running = Some((store, service, threads));
    }

    fn stop(&mut self) {
        if let Some((store, service, threads)) = self.running.take() {
            service.stop();
            for thread in threads {
                thread.join().unwrap();
            }
            drop((service, store));
        }
    }

    fn store(&self) -> &Store {
        &self.running.as_ref().unwrap().0
    }

    fn service(&self) -> &Arc<Service> {
        &self.running.as_ref().unwrap().1
    }

    fn admin(&self, operation: &Operation) -> Result<serde_json::Value, String> {
        self.service()
            .administer(operation)
            .map_err(|problem| problem.to_string())
    }

    /// Stores a bundle of a hotkey, as the HTTP interface does.
    fn submit(&self, hotkey: &str, zip: &[u8]) -> String {
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

    fn script(&self, id: &str, kind: &'static str, ends: &[End]) {
        let mut script = self.executor.script.lock().unwrap();
        script.insert((id.to_owned(), kind), ends.to_vec());
    }

    /// The same for a bundle whose submission has not started yet: the queue is paused meanwhile.
    fn submit_scripted(&self, hotkey: &str, zip: &[u8], ends: &[End]) -> String {
        self.admin(&Operation::Pause).unwrap();
        let id = self.submit(hotkey, zip);
        self.script(&id, "main", ends);
        self.admin(&Operation::Resume).unwrap();
        id
    }

    fn get(&self, id: &str) -> Submission {
        self.store().read(|tx| submissions::get(tx, id)).unwrap()
    }

    fn wait_for(&self, id: &str, position: Position) -> Submission {
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

    fn completed(&self, id: &str) -> Submission {
        self.wait_for(id, Position::Ended(Status::Completed))
    }

    fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < deadline, "never happened: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hotkey and weight, the highest first.
    fn weights(&self) -> Vec<(String, f64)> {
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

    fn started(&self, id: &str) -> Vec<RunKind> {
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
fn bundle(number: u32) -> Vec<u8> {
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

#[test]
fn a_submission_is_checked_measured_twice_ranked_and_weighed() {
    let world = World::new();
    let first = world.submit("5First", &bundle(1));
    world.script(&first, "confirm", &[End::Scores(1.02)]);
    let done = world.completed(&first);
    assert_eq!(world.started(&first), [RunKind::Main, RunKind::Confirmation]);
    let all = world.store().read(|tx| results::of(tx, &first)).unwrap();
    assert_eq!(all.len(), 2);
    let score = done.score.unwrap();
    assert_eq!(
        score.bpb,
        all[0].result.bpb.max(all[1].result.bpb),
        "the worse counts"
    );
    assert_eq!(score.kind, attempts::Kind::Confirm);
    let seeds: Vec<u64> = world
        .executor
        .started
        .lock()
        .unwrap()
        .iter()
        .map(|run| run.2)
        .collect();
    assert_eq!(seeds[0], SEED, "a main run has the round's seed");
    assert_ne!(seeds[1], SEED, "a confirmation has its own");
    world.until("the weight", |world| {
        world.weights() == [("5First".to_owned(), 1.0)]
    });
    // What the commands of a miner read of it.
    let weights: prism_client::wire::weights::Weights =
        serde_json::from_slice(world.service().weights().prepared().text()).unwrap();
    assert_eq!(weights.weights.len(), 1);
    let board = world.service().board();
    let row = &board.view().entries[0];
    assert_eq!(
        (row.rank, row.submission_id.as_str(), row.provisional),
        (1, first.as_str(), false)
    );
    let steps = world.store().read(|tx| events::of(tx, &first, 0, 100)).unwrap();
    let stages: Vec<String> = steps.iter().map(|step| step.position.to_string()).collect();
    assert_eq!(
        stages,
        [
            "pending (received)",
            "pending (contract)",
            "pending (gate)",
            "pending (similarity)",
            "pending (queued)",
            "running (training)",
            "running (scoring)",
            "pending (confirming)",
            "running (confirming)",
            "completed",
        ]
    );
    // The seed of its run is secret until the round closes.
    let manifest = world.service().manifest(&first).unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(manifest.text()).unwrap();
    assert_eq!(manifest["run"]["seed"], serde_json::Value::Null);
    // The second is worse: it needs no confirmation and takes half of the first's share.
    let second = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.5)]);
    world.completed(&second);
    assert_eq!(world.started(&second), [RunKind::Main]);
    world.until("two weights", |world| world.weights().len() == 2);
    let weights = world.weights();
    assert_eq!(weights[0].0, "5First");
    assert!((weights[0].1 - 2.0 / 3.0).abs() < 1e-12 && (weights[1].1 - 1.0 / 3.0).abs() < 1e-12);
    assert!(
        world.executor.handles().unwrap().is_empty(),
        "nothing is left of the runs"
    );
}

#[test]
fn until_it_is_confirmed_a_better_one_takes_nothing() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(1.0)]);
    world.completed(&first);
    world.until("the weight", |world| world.weights().len() == 1);
    world.admin(&Operation::Pause).unwrap();
    let better = world.submit("5Better", &bundle(2));
    world.script(&better, "main", &[End::Scores(0.8)]);
    world.script(&better, "confirm", &[End::Hangs]);
    world.admin(&Operation::Resume).unwrap();
    world.wait_for(&better, Position::Running(Stage::Confirming));
    world.until("the board", |world| {
        world.service().board().view().entries.len() == 2
    });
    let board = world.service().board();
    assert_eq!(board.view().entries[0].submission_id, better);
    assert!(board.view().entries[0].provisional);
    assert_eq!(world.weights(), [("5First".to_owned(), 1.0)]);
    // Its owner gives up: the first has lost nothing.
    world.service().cancel(&better).unwrap();
    world.wait_for(&better, Position::Ended(Status::Cancelled));
    world.until("it is ended", |world| {
        world.executor.handles().unwrap().is_empty()
    });
    world.until("the board", |world| {
        world.service().board().view().entries.len() == 1
    });
    assert_eq!(world.weights(), [("5First".to_owned(), 1.0)]);
}

#[test]
fn what_is_refused_never_starts_and_costs_no_run() {
    let world = World::new();
    let first = world.submit("5First", &bundle(1));
    let copy = world.submit("5Other", &bundle(1));
    let no_zip = world.submit("5Other", b"no zip");
    let hostile = Bundle::from_entries(vec![
        (
            "architecture.py".to_owned(),
            b"import os\n\n\ndef build_model(ctx):\n    os.system('id')\n".to_vec(),
        ),
        ("training.py".to_owned(), b"def train(ctx):\n    pass\n".to_vec()),
    ])
    .unwrap()
    .to_zip();
    let hostile = world.submit("5Other", &hostile);
    world.completed(&first);
    for (id, reason) in [
        (&copy, Reason::Duplicate),
        (&no_zip, Reason::BundleInvalid),
        (&hostile, Reason::GateRejected),
    ] {
        let found = world.wait_for(id, Position::Ended(Status::Rejected));
        assert_eq!(found.reason, Some(reason));
        assert_eq!(world.started(id), []);
        assert!(world.store().read(|tx| attempts::of(tx, id)).unwrap().is_empty());
    }
    assert!(world.get(&copy).sentence.contains("duplicate") && world.get(&copy).sentence.contains(&first));
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5Other", world.now().day()))
        .unwrap();
    assert_eq!((used.uploads, used.scored_runs), (3, 0));
    assert!(world.service().findings(&hostile).unwrap().is_some());
}

/// A bundle whose code is its own, with a comment: another bundle, the same code.
fn commented(comment: &str) -> Vec<u8> {
    let files = prism_bundle::pack::read_dir(&crate::host::repository().join("redteam/honest/gla-chunked"))
        .unwrap()
        .into_iter()
        .map(|(path, mut bytes)| {
            if path == "training.py" || path == "architecture.py" {
                bytes.extend_from_slice(format!("\n# {comment}\n").as_bytes());
            }
            (path, bytes)
        })
        .collect();
    Bundle::from_entries(files).unwrap().to_zip()
}

#[test]
fn the_later_of_two_copies_is_refused_whatever_happens_in_between() {
    let world = World::new();
    world.admin(&Operation::Pause).unwrap();
    let first = world.submit("5First", &commented("one"));
    // A check of somebody else's in between changes nothing, nor does a restart.
    world.service().precheck("a.zip", &commented("none")).unwrap();
    world.wait_for(&first, Position::Pending(Stage::Queued));
    let copy = world.submit("5Other", &commented("two"));
    let refused = world.wait_for(&copy, Position::Ended(Status::Rejected));
    assert_eq!(refused.reason, Some(Reason::SimilarSource));
    assert!(refused.sentence.contains(&first));
    let own = world.submit("5First", &commented("three"));
    world.wait_for(&own, Position::Pending(Stage::Queued));
    // What its owner has withdrawn before it ran is nobody's property.
    world.service().cancel(&first).unwrap();
    world.service().cancel(&own).unwrap();
    let next = world.submit("5Third", &commented("four"));
    world.wait_for(&next, Position::Pending(Stage::Queued));
    // The one that was refused is let in by the operator: it is the earlier of the two.
    let requeue = Operation::Requeue {
        submission: copy.clone(),
        free: true,
    };
    world.admin(&requeue).unwrap();
    world.wait_for(&copy, Position::Pending(Stage::Queued));
    let last = world.submit("5Fourth", &commented("five"));
    let refused = world.wait_for(&last, Position::Ended(Status::Rejected));
    assert_eq!(refused.reason, Some(Reason::SimilarSource));
}

#[test]
fn a_copy_of_what_a_person_released_is_a_copy() {
    let world = World::reviewed(ReviewMode::Enforce);
    let first = world.submit("5First", &commented("one"));
    world.wait_for(&first, Position::Ended(Status::Held));
    let other = world.submit("5Other", &bundle(1));
    world.wait_for(&other, Position::Ended(Status::Held));
    world.admin(&Operation::Pause).unwrap();
    world
        .admin(&Operation::Release {
            submission: first.clone(),
        })
        .unwrap();
    let copy = world.submit("5Third", &commented("two"));
    let refused = world.wait_for(&copy, Position::Ended(Status::Rejected));
    assert_eq!(refused.reason, Some(Reason::SimilarSource));
}

#[test]
fn whoever_cancels_a_run_that_has_begun_has_had_it() {
    let world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Hangs]);
    world.wait_for(&id, Position::Running(Stage::Training));
    world.until("it has read something", |world| {
        world
            .service()
            .progress(&id)
            .is_some_and(|progress| progress.covered_bytes > 0)
    });
    world.service().cancel(&id).unwrap();
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 1);
    world.until("it is ended", |world| {
        world.executor.handles().unwrap().is_empty()
    });
}

#[test]
fn one_upload_that_is_gone_from_the_disk_stops_nobody_else() {
    let world = World::new();
    world.admin(&Operation::Pause).unwrap();
    let gone = world.submit("5First", &bundle(1));
    let other = world.submit("5Other", &bundle(2));
    for id in [&gone, &other] {
        world.wait_for(id, Position::Pending(Stage::Queued));
    }
    let blob = world.store().blobs().path(&world.get(&gone).zip_sha256);
    std::fs::remove_file(blob).unwrap();
    world.admin(&Operation::Resume).unwrap();
    world.completed(&other);
    let held = world.wait_for(&gone, Position::Ended(Status::Held));
    assert_eq!(held.reason, Some(Reason::Internal));
    assert_eq!(world.started(&gone), []);
}

#[test]
fn the_operators_fault_is_tried_again_free_and_held_in_the_end() {
    let world = World::new();
    let id = world.submit_scripted(
        "5First",
        &bundle(1),
        &[
            End::Fails(Reason::Storage),
            End::Dies,
            End::Rehearses("machine_busy"),
            End::Fails(Reason::Internal),
            End::Scores(1.0),
        ],
    );
    for tries in 1..=3 {
        world.until("another try", |world| world.started(&id).len() == tries);
        let waits = world.wait_for(&id, Position::Pending(Stage::Queued));
        let waiting = waits.waiting.unwrap();
        assert_eq!(
            (waiting.why, waits.retries),
            (Wait::Retry, u32::try_from(tries).unwrap())
        );
        assert!(waiting.not_before.is_some_and(|time| time > world.now()));
        world.pass(600);
    }
    let held = world.wait_for(&id, Position::Ended(Status::Held));
    assert_eq!(held.reason, Some(Reason::RetriesSpent));
    assert_eq!(world.started(&id).len(), 4);
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 0);
    // Four in a row: the queue rests as well, until the operator has looked.
    let release = Operation::Release {
        submission: id.clone(),
    };
    world.admin(&release).unwrap();
    world.admin(&Operation::Resume).unwrap();
    world.completed(&id);
    assert!(
        world.admin(&release).is_err(),
        "what is completed is not released"
    );
}

#[test]
fn the_miners_fault_ends_it_and_counts() {
    let world = World::new();
    let failed = world.submit_scripted("5First", &bundle(1), &[End::Fails(Reason::TrainException)]);
    let found = world.wait_for(&failed, Position::Ended(Status::Failed));
    assert_eq!(found.reason, Some(Reason::TrainException));
    assert_eq!(world.started(&failed), [RunKind::Main], "once");
    // Its run never had a directory, so that training never began.
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 0);
    assert!(world.weights().is_empty());
}

#[test]
fn a_hotkey_has_so_many_scored_runs_a_day() {
    let world = World::new();
    for number in 1..=2 {
        let id = world.submit("5First", &bundle(number));
        world.completed(&id);
    }
    let third = world.submit("5First", &bundle(3));
    world.until("it waits", |world| {
        let third = world.get(&third);
        third.position == Position::Pending(Stage::Queued)
            && third.waiting.is_some_and(|waiting| waiting.why == Wait::Budget)
    });
    assert_eq!(world.started(&third), []);
    // Somebody else goes on meanwhile.
    let other = world.submit_scripted("5Other", &bundle(4), &[End::Scores(2.0)]);
    world.completed(&other);
    assert_eq!(world.started(&third), []);
    world.pass(24 * 3600);
    world.completed(&third);
}

#[test]
fn what_runs_when_the_service_ends_is_taken_up_again_and_not_repeated() {
    let mut world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Hangs]);
    world.wait_for(&id, Position::Running(Stage::Training));
    world.until("it has started", |world| world.started(&id).len() == 1);
    world.stop();
    // Meanwhile it ends.
    for ran in world.executor.ran.lock().unwrap().values_mut() {
        let of = Of {
            bundle: Bundle::from_zip(&ran.unit.bundle).unwrap().hash(),
            corpus: corpus(),
            seed: ran.unit.attempt.seed,
            scale: 1.0,
        };
        completed_of(&ran.dir, Learner::Honest, of);
        ran.end = End::Scores(1.0);
    }
    world.start();
    world.completed(&id);
    assert_eq!(world.started(&id), [RunKind::Main, RunKind::Confirmation]);
    // One that nobody knows is ended.
    world.stop();
    let stranger = Ran {
        unit: {
            let mut unit = strange_unit();
            unit.attempt.submission = "unknown".into();
            unit
        },
        end: End::Hangs,
        dir: PathBuf::new(),
    };
    world
        .executor
        .ran
        .lock()
        .unwrap()
        .insert("stranger-s0".into(), stranger);
    world.start();
    world.until("the stranger is ended", |world| {
        world.executor.handles().unwrap().is_empty()
    });
    assert!(
        world
            .executor
            .removed
            .lock()
            .unwrap()
            .iter()
            .any(|handle| handle == "stranger-s0")
    );
}

fn strange_unit() -> Unit {
    Unit {
        attempt: prism_engine::attempt::Attempt {
            version: prism_engine::attempt::Attempt::VERSION,
            submission: String::new(),
            nonce: "00".repeat(16),
            corpus: Path::new("/corpus").into(),
            round: prism_engine::round::Round::by_hand(),
            kind: RunKind::Main,
            seed: 0,
            slot: Slot::whole().unwrap(),
            cache: None,
        },
        bundle: Vec::new(),
    }
}

#[test]
fn a_withdrawn_score_moves_everybody_up_and_runs_again_free() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(0.8)]);
    world.completed(&first);
    let second = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.2)]);
    world.completed(&second);
    world.until("two weights", |world| world.weights().len() == 2);
    assert_eq!(world.started(&second), [RunKind::Main]);
    world.admin(&Operation::Pause).unwrap();
    let cause = Operation::Invalidate {
        submission: first.clone(),
        why: "a fault of the referee".into(),
        same_engine: false,
        requeue: true,
    };
    world.admin(&cause).unwrap();
    let waits = world.get(&first);
    assert_eq!(
        (waits.position, waits.score),
        (Position::Pending(Stage::Queued), None)
    );
    world.until("the second is alone", |world| {
        world.service().board().view().entries.len() == 1
    });
    world.admin(&Operation::Resume).unwrap();
    world.completed(&first);
    world.until("both again", |world| world.weights().len() == 2);
    // Whoever came to first place meanwhile was measured a second time.
    world.completed(&second);
    assert_eq!(world.started(&second), [RunKind::Main, RunKind::Confirmation]);
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 1, "the withdrawn run was given back");
    let events = world.store().read(|tx| events::of(tx, &first, 0, 100)).unwrap();
    assert!(
        events
            .iter()
            .any(|event| event.by == Actor::Operator && event.sentence.contains("referee"))
    );
}

#[test]
fn a_round_that_closes_ends_what_waits_and_its_weights_stay() {
    let world = World::new();
    let first = world.submit("5First", &bundle(1));
    world.completed(&first);
    world.until("the weight", |world| world.weights().len() == 1);
    world.admin(&Operation::Pause).unwrap();
    let waits = world.submit("5Second", &bundle(2));
    world.wait_for(&waits, Position::Pending(Stage::Queued));
    let reveal = Operation::RoundReveal {
        round: "first".into(),
    };
    assert!(world.admin(&reveal).unwrap_err().contains("still open"));
    world
        .admin(&Operation::RoundClose {
            round: "first".into(),
        })
        .unwrap();
    world.admin(&Operation::Resume).unwrap();
    let ended = world.wait_for(&waits, Position::Ended(Status::Cancelled));
    assert_eq!(ended.reason, Some(Reason::RoundClosed));
    assert_eq!(world.started(&waits), []);
    assert_eq!(world.admin(&reveal).unwrap()["seed"], SEED);
    let manifest = world.service().manifest(&first).unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(manifest.text()).unwrap();
    assert!(manifest["run"]["seed"].is_u64(), "nothing is secret any more");
    let next = world.round("second");
    let now = world.now();
    world
        .store()
        .write(move |tx| rounds::open(tx, &next, now))
        .unwrap();
    world.until("the last closed round's weights", |world| {
        world.weights() == [("5First".to_owned(), 1.0)]
    });
    // The same bundle of the same hotkey enters the next round.
    let again = world.submit("5First", &bundle(1));
    assert_ne!(again, first);
    world.completed(&again);
}

#[test]
fn a_round_that_closes_makes_no_place_cheaper() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(1.0)]);
    world.completed(&first);
    world.admin(&Operation::Pause).unwrap();
    let better = world.submit("5Better", &bundle(2));
    world.script(&better, "main", &[End::Scores(0.8)]);
    world.script(&better, "confirm", &[End::Dies, End::Scores(1.3)]);
    world.admin(&Operation::Resume).unwrap();
    world.until("its confirmation is lost", |world| {
        world.started(&better).len() == 2
    });
    world
        .admin(&Operation::RoundClose {
            round: "first".into(),
        })
        .unwrap();
    world.pass(60);
    // The worse of the two counts, although the round has closed in between.
    world.completed(&better);
    assert_eq!(world.started(&better).len(), 3);
    world.until("both weights", |world| world.weights().len() == 2);
    assert_eq!(world.weights()[0].0, "5First");
}

#[test]
fn a_review_that_nobody_does_holds_everything_until_the_operator_decides() {
    let world = World::reviewed(ReviewMode::Enforce);
    let id = world.submit("5First", &bundle(1));
    let held = world.wait_for(&id, Position::Ended(Status::Held));
    assert_eq!(held.reason, Some(Reason::ReviewAbsent));
    assert_eq!(world.started(&id), []);
    let other = world.submit("5Second", &bundle(2));
    world.wait_for(&other, Position::Ended(Status::Held));
    assert_eq!(
        world.admin(&Operation::Held).unwrap()["held"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    world
        .admin(&Operation::Release {
            submission: id.clone(),
        })
        .unwrap();
    world.completed(&id);
    let reject = |why: &str| Operation::Reject {
        submission: other.clone(),
        why: why.into(),
    };
    assert!(
        world.admin(&reject(" ")).is_err(),
        "without a reason nobody is rejected"
    );
    world.admin(&reject("it is a joke")).unwrap();
    let rejected = world.get(&other);
    assert_eq!(rejected.reason, Some(Reason::RejectedByOperator));
    assert!(rejected.sentence.contains("joke"));
    assert_eq!(world.started(&other), []);
}

#[test]
fn a_clock_that_jumps_loses_nothing() {
    let world = World::new();
    let id = world.submit_scripted(
        "5First",
        &bundle(1),
        &[End::Fails(Reason::Storage), End::Scores(1.0)],
    );
    world.until("it has failed once", |world| world.started(&id).len() == 1);
    world.wait_for(&id, Position::Pending(Stage::Queued));
    // An hour back: what was to wait ten seconds must not wait an hour.
    world.pass(-3600);
    world.completed(&id);
    world.pass(2 * 3600);
    let other = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.5)]);
    world.completed(&other);
    world.until("two weights", |world| world.weights().len() == 2);
}
