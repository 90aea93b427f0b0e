//! What the threads of the challenge share, and how they start and stop.

use std::{
    collections::{HashMap, HashSet},
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, time::Timestamp};
use prism_engine::{executor::Executor, slot::Slot};
use prism_server::challenge::Progress;
use prism_store::Store;

use crate::{
    challenge::QueueSnapshot,
    orders,
    problem::{Result, ServiceProblem},
    ranks::{Basis, Standings},
    review::{ReviewMode, ReviewState, Reviewer},
    silence::Heard,
    similar::Similar,
};

/// Where the present comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long a thread waits at most until it looks again.
const LOOK: Duration = Duration::from_millis(200);

/// Says whether this machine can run submissions of a round (of none, while none is open), and if not why. May take seconds.
pub type Preflight =
    Box<dyn Fn(Option<&prism_engine::round::Round>) -> std::result::Result<(), Failure> + Send + Sync>;

/// What can be set.
pub struct ServiceSettings {
    /// Where attempts keep what was counted of a corpus.
    pub cache_dir: PathBuf,
    /// The parts of the machine that runs are given, one each. No two share anything.
    pub slots: Vec<Slot>,
    /// Whether submissions are read by a reviewer.
    pub review: ReviewMode,
    /// The reviewer, where one is set up.
    pub reviewer: Option<Reviewer>,
    /// Asked whether this machine can run submissions.
    pub preflight: Preflight,
    /// Bytes of the disk below which uploads are refused.
    pub reserve_bytes: u64,
    /// The present.
    pub clock: Clock,
}

/// The challenge.
pub struct Service {
    pub(crate) store: Store,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) settings: ServiceSettings,
    pub(crate) similar: Mutex<Similar>,
    pub(crate) standings: Mutex<Arc<Standings>>,
    pub(crate) queue: Mutex<Option<Arc<QueueSnapshot>>>,
    state: Mutex<State>,
    changed: Condvar,
}

/// What is known beside the store, and forgotten at a restart but for the pause.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) stopping: bool,
    /// Grows with everything that somebody may wait for.
    version: u64,
    /// How far runs have come, by submission.
    pub(crate) progress: HashMap<String, Progress>,
    /// The submissions whose runs wait until others have left the machine.
    pub(crate) waits_for_machine: HashSet<String>,
    /// What live attempts last said, by attempt.
    pub(crate) heard: HashMap<i64, Heard>,
    /// Why nothing can be run on this machine; `None` while that is not known yet.
    pub(crate) machine: Option<std::result::Result<(), Failure>>,
    /// What was found the last time that the machine was tried.
    pub(crate) machine_was: Option<std::result::Result<(), Failure>>,
    /// When blobs that nobody names were last removed.
    pub(crate) swept_at: Option<Timestamp>,
    /// The submission whose attempt failed last by our fault.
    pub(crate) failed_last: Option<String>,
    /// What ranks and weights were last made from.
    pub(crate) ranked: Option<Basis>,
    /// The operator has paused the queue. As the store has it: see `orders`.
    pub(crate) paused: bool,
    /// The queue rests until then, since everything failed for this reason.
    pub(crate) breaker: Option<(Timestamp, Failure)>,
    /// Failures of the operator's in a row.
    pub(crate) failures_in_a_row: u32,
    /// What is known of the reviewer.
    pub(crate) review: ReviewState,
    /// What a thread could not do, by thread: shown to the operator until it can.
    pub(crate) troubles: HashMap<&'static str, String>,
}

impl Service {
    /// Over a store, with its threads not yet started.
    pub fn new(store: Store, executor: Arc<dyn Executor>, settings: ServiceSettings) -> Result<Arc<Self>> {
        for (number, slot) in settings.slots.iter().enumerate() {
            if settings.slots[..number]
                .iter()
                .any(|other| !slot.is_apart_from(other))
            {
                return Err(ServiceProblem::Refused(
                    "two slots share a CPU or a device; give each its own".to_owned(),
                ));
            }
        }
        let now = (settings.clock)();
        let standings = Standings::of(&store, now)?;
        let state = State {
            paused: store.read(orders::is_paused)?,
            ..State::default()
        };
        let service = Arc::new(Self {
            store,
            executor,
            settings,
            similar: Mutex::default(),
            standings: Mutex::new(Arc::new(standings)),
            queue: Mutex::default(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let weak = Arc::downgrade(&service);
        service.store.subscribe(Box::new(move |_written| {
            if let Some(service) = weak.upgrade() {
                service.touch();
            }
        }));
        Ok(service)
    }

    /// Starts the threads. They go on until [`Service::stop`].
    pub fn start(self: &Arc<Self>) -> Result<Vec<JoinHandle<()>>> {
        type Turn = fn(&Service) -> Result<()>;
        let threads: [(&'static str, Turn); 4] = [
            ("checks", Service::check_submissions),
            ("runs", Service::run_submissions),
            ("ranks", Service::rank_submissions),
            ("machine", Service::look_at_machine),
        ];
        let reviews: (&'static str, Turn) = ("reviews", Service::review_submissions);
        threads
            .into_iter()
            .chain(std::iter::repeat_n(reviews, self.review_threads()))
            .map(|(name, turn)| {
                let service = Arc::clone(self);
                thread::Builder::new()
                    .name(format!("prism-{name}"))
                    .spawn(move || service.repeat(name, turn))
                    .map_err(|source| ServiceProblem::Io {
                        what: format!("the thread for {name} cannot be started"),
                        source,
                    })
            })
            .collect()
    }

    /// Ends the threads after what they do just now. Evaluations go on without them.
    pub fn stop(&self) {
        self.state().stopping = true;
        self.touch();
    }

    /// Takes turns until the end. What goes wrong in a turn is told and tried again.
    fn repeat(&self, name: &'static str, turn: fn(&Self) -> Result<()>) {
        loop {
            let seen = {
                let state = self.state();
                if state.stopping {
                    return;
                }
                state.version
            };
            // A defect ends a turn, not the thread: then everything else would stand still without a word.
            let turned = panic::catch_unwind(AssertUnwindSafe(|| turn(self))).unwrap_or_else(|_| {
                Err(ServiceProblem::Refused(format!(
                    "a defect in PRISM ended a turn of `{name}`; the log says where"
                )))
            });
            match turned {
                Ok(()) => {
                    self.state().troubles.remove(name);
                }
                Err(problem) => {
                    let sentence = problem.to_string();
                    let known = self.state().troubles.insert(name, sentence.clone());
                    if known.as_ref() != Some(&sentence) {
                        tracing::error!(thread = name, problem = %sentence, "a part of the service cannot go on");
                    }
                }
            }
            let state = self.state();
            if !state.stopping && state.version == seen {
                let waited = self.changed.wait_timeout(state, LOOK);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Waits for a while, unless the service ends or `is_over` says so meanwhile.
    pub(crate) fn rest(&self, pause: Duration, is_over: impl Fn(&State) -> bool) {
        let end = Instant::now() + pause;
        let mut state = self.state();
        while !state.stopping && !is_over(&state) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Something happened that a thread may wait for.
    pub(crate) fn touch(&self) {
        self.state().version += 1;
        self.changed.notify_all();
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Each field is complete at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        (self.settings.clock)()
    }

    /// Whether the threads are to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.state().stopping
    }
}
