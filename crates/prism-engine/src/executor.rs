//! Who runs attempts: this machine now, others later.
//!
//! The service decides what is to be run and what its result means; an executor starts it, says how it stands, stops it and
//! gives back what it left. A handle is a name that the service has stored *before* the attempt starts, so that after any
//! crash it can ask for it. An executor believes no handle that it cannot see.

mod local;

use std::path::PathBuf;

use prism_core::failure::Failure;

pub use local::Local;

use crate::{attempt::Attempt, event_file::Progress, outcome::Outcome};

/// An attempt and its bundle.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What to do.
    pub attempt: Attempt,
    /// The submission, a zip.
    pub bundle: Vec<u8>,
}

/// How an attempt stands.
#[derive(Debug)]
pub enum Seen {
    /// It goes on.
    Running(Box<Progress>),
    /// It is over, and this is what it left.
    Over(Box<Left>),
    /// Nobody runs it and it left no outcome.
    Gone,
}

/// What an attempt left.
#[derive(Debug)]
pub struct Left {
    /// How it ended.
    pub outcome: Outcome,
    /// The nonce that it was started with.
    pub nonce: String,
    /// The run's directory, where there is one.
    pub run_dir: Option<PathBuf>,
}

/// Runs attempts.
pub trait Executor: Send + Sync {
    /// Its name in the store.
    fn name(&self) -> &str;
    /// Starts one under a handle that nothing is known by yet.
    fn start(&self, handle: &str, unit: &Unit) -> Result<(), Failure>;
    /// Looks at one.
    fn look(&self, handle: &str) -> Result<Seen, Failure>;
    /// What its learner has printed so far, escaped and bounded; `None` while there is nothing.
    fn log(&self, handle: &str) -> Result<Option<String>, Failure>;
    /// Asks one to stop. It then ends as cancelled; look at it for that.
    fn cancel(&self, handle: &str) -> Result<(), Failure>;
    /// Ends one for good, at once, and removes what it left.
    fn remove(&self, handle: &str) -> Result<(), Failure>;
    /// Every handle that something is known by, so that what nobody waits for can be removed.
    fn handles(&self) -> Result<Vec<String>, Failure>;
}
