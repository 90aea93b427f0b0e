//! An attempt: one evaluation in a process of its own, that outlives whoever started it.
//!
//! ```text
//! attempt.json   what to do (this module); written before the process starts
//! bundle.zip     the submission
//! attempt.lock   locked for as long as the process lives; it gets the lock as its standard input, already held
//! process.json   number and start of the process, for whoever wants to stop it; believed only while the lock is held
//! driver.log     what the process itself says
//! waiting        there while it waits for others to leave the machine
//! run/           the run's directory
//! outcome.json   the outcome; written last, so its presence says that the attempt is over
//! ```
//!
//! The executor writes the directory and reads it ([`crate::executor`]); `prism attempt DIR` calls [`run`]. The directory is its
//! owner's alone: it holds a submission.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_sandbox::{LockKind, foreign_lock, try_lock_range};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    event::EvalEvent,
    outcome::Outcome,
    request::{EvalRequest, RunPlace},
    round::{Round, RunKind},
    slot::Slot,
};

/// What to do.
pub(crate) const ATTEMPT_FILE: &str = "attempt.json";
/// The submission.
pub(crate) const BUNDLE_FILE: &str = "bundle.zip";
/// Held while the process lives.
pub(crate) const LOCK_FILE: &str = "attempt.lock";
/// Number and start of the process.
pub(crate) const PROCESS_FILE: &str = "process.json";
/// What the process itself says.
pub(crate) const LOG_FILE: &str = "driver.log";
/// The run's directory.
pub(crate) const RUN_DIR: &str = "run";
/// There while the attempt waits for others to leave the machine.
pub(crate) const WAITING_FILE: &str = "waiting";
/// The outcome.
pub(crate) const OUTCOME_FILE: &str = "outcome.json";
/// Version of these files.
const VERSION: u32 = 1;
/// Largest of these files that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The byte that is locked.
const LOCK_BYTE: u64 = 0;

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Version of this file.
    pub version: u32,
    /// The submission, by the name that its challenge knows it by.
    pub submission: String,
    /// Whoever brings the result shows it. Hexadecimal.
    pub nonce: String,
    /// The locked corpus.
    pub corpus: PathBuf,
    /// What the run has to be to count.
    pub round: Round,
    /// What it is to the round.
    pub kind: RunKind,
    /// The forced seed.
    pub seed: u64,
    /// The part of the machine that it has.
    pub slot: Slot,
    /// Where it is kept what was once counted of a corpus.
    pub cache: Option<PathBuf>,
}

impl Attempt {
    /// With the version of this program.
    pub const VERSION: u32 = VERSION;

    fn request(&self, dir: &Path) -> EvalRequest {
        EvalRequest {
            bundle: dir.join(BUNDLE_FILE),
            corpus: self.corpus.clone(),
            recipe: self.round.recipe_of(self.kind),
            round: self.round.clone(),
            kind: self.kind,
            rehearsal: Vec::new(),
            seed: self.seed,
            audit_key: None,
            place: RunPlace::Exactly(dir.join(RUN_DIR)),
            submission_id: Some(self.submission.clone()),
            slot: Some(self.slot.clone()),
            cache: self.cache.clone(),
        }
    }
}

/// A process, so that its number is not taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// When it started, in ticks since the machine did.
    pub(crate) start_ticks: u64,
}

/// When a process started, in ticks since the machine did; `None` where there is none.
pub(crate) fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in the second field may hold anything; what follows its last parenthesis does not.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Makes the lock of an attempt and takes it.
pub(crate) fn make_lock(dir: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(dir.join(LOCK_FILE))?;
    if try_lock_range(&file, LockKind::Exclusive, LOCK_BYTE, 1)? {
        Ok(file)
    } else {
        Err(io::Error::other("somebody else has locked it"))
    }
}

/// Whether the process of an attempt lives. Ask before looking for its outcome.
pub(crate) fn is_alive(dir: &Path) -> io::Result<bool> {
    match File::open(dir.join(LOCK_FILE)) {
        Ok(file) => Ok(foreign_lock(&file, LockKind::Exclusive, LOCK_BYTE, 1)?.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a file of an attempt: whole or not at all, and there after a loss of power.
pub(crate) fn write_json(dir: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let partial = dir.join(format!(".{name}.partial"));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.sync_all()?;
    fs::rename(&partial, dir.join(name))?;
    File::open(dir)?.sync_all()
}

/// Reads one; `None` where it is not there.
pub(crate) fn read_json<T: DeserializeOwned>(dir: &Path, name: &str) -> io::Result<Option<T>> {
    let file = match File::open(dir.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// The attempt in a directory, in the process that was started for it.
pub struct Driver {
    dir: PathBuf,
    attempt: Attempt,
    /// Holds the lock until the process ends.
    _lock: OwnedFd,
}

impl Driver {
    /// Takes over: the lock from standard input, a session of its own, the slot.
    pub fn take_over(dir: &Path) -> Result<Self, Failure> {
        let failed = |what: &str, error: io::Error| {
            Failure::new(
                Reason::Storage,
                format!("the attempt in {}: {what}: {error}", dir.display()),
            )
        };
        // A copy that closes when something else is started. What was standard input must reach nobody.
        let lock = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(|error| failed("its lock", error))?;
        let null = File::open("/dev/null").map_err(|error| failed("/dev/null", error))?;
        rustix::stdio::dup2_stdin(&null).map_err(|error| failed("standard input", error.into()))?;
        let lock = File::from(lock);
        let holds = is_alive(dir).and_then(|is_held| {
            let (given, wanted) = (lock.metadata()?, fs::metadata(dir.join(LOCK_FILE))?);
            let is_the_file = (given.dev(), given.ino()) == (wanted.dev(), wanted.ino());
            // Locking again what is held already says that it is this very lock.
            Ok(is_held && is_the_file && try_lock_range(&lock, LockKind::Exclusive, LOCK_BYTE, 1)?)
        });
        if !matches!(holds, Ok(true)) {
            return Err(Failure::new(
                Reason::Usage,
                format!(
                    "{} is no attempt that was handed to this process: `prism serve` starts them",
                    dir.display()
                ),
            ));
        }
        // Refused to the leader of a session, which then has one of its own already.
        let _ = rustix::process::setsid();
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let process = Process {
            pid,
            start_ticks: start_ticks(pid).unwrap_or_default(),
        };
        write_json(dir, PROCESS_FILE, &process).map_err(|error| failed(PROCESS_FILE, error))?;
        let attempt: Attempt = read_json(dir, ATTEMPT_FILE)
            .and_then(|attempt| attempt.ok_or_else(|| io::ErrorKind::NotFound.into()))
            .map_err(|error| failed(ATTEMPT_FILE, error))?;
        if attempt.version != VERSION {
            return Err(Failure::new(
                Reason::Internal,
                format!(
                    "the attempt has version {} and this `prism` reads {VERSION}",
                    attempt.version
                ),
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            attempt,
            _lock: lock.into(),
        })
    }

    /// Puts this process where it is to run.
    pub fn enter_slot(&self) -> Result<(), Failure> {
        self.attempt.slot.enter()
    }

    /// What to evaluate.
    pub fn request(&self) -> EvalRequest {
        self.attempt.request(&self.dir)
    }

    /// Lets whoever looks know whether this waits for the machine. Called with every event.
    pub fn told(&self, event: &EvalEvent) {
        let note = self.dir.join(WAITING_FILE);
        // A disk that refuses will be met by the run itself, which says so better.
        let _ = match event {
            EvalEvent::Waiting { .. } => File::create(note).map(drop),
            // Many of them come in a second, and none while it waits.
            EvalEvent::Stage { .. } | EvalEvent::Run { .. } => fs::remove_file(note),
            _ => Ok(()),
        };
    }

    /// Writes the outcome, last of all.
    pub fn conclude(self, outcome: &Outcome) -> io::Result<()> {
        write_json(&self.dir, OUTCOME_FILE, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_whether_somebody_lives_and_goes_with_its_last_copy() {
        let temp = tempfile::tempdir().unwrap();
        assert!(!is_alive(temp.path()).unwrap());
        let lock = make_lock(temp.path()).unwrap();
        assert!(is_alive(temp.path()).unwrap());
        assert!(make_lock(temp.path()).is_err(), "no second one");
        let copy = lock.try_clone().unwrap();
        drop(lock);
        assert!(is_alive(temp.path()).unwrap(), "a copy is as good as the first");
        drop(copy);
        assert!(!is_alive(temp.path()).unwrap());
    }

    #[test]
    fn a_process_is_known_by_number_and_start() {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        assert!(start_ticks(own).is_some_and(|ticks| ticks > 0));
        assert_eq!(start_ticks(own), start_ticks(own));
        assert_eq!(start_ticks(i32::MAX), None);
    }

    #[test]
    fn files_are_whole_and_bounded() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(read_json::<Process>(temp.path(), PROCESS_FILE).unwrap(), None);
        let process = Process {
            pid: 3,
            start_ticks: 4,
        };
        write_json(temp.path(), PROCESS_FILE, &process).unwrap();
        assert_eq!(read_json(temp.path(), PROCESS_FILE).unwrap(), Some(process));
        for damaged in ["", "{", r#"{"pid":3}"#, r#"{"pid":3,"start_ticks":4,"x":1}"#] {
            fs::write(temp.path().join(PROCESS_FILE), damaged).unwrap();
            assert!(
                read_json::<Process>(temp.path(), PROCESS_FILE).is_err(),
                "{damaged}"
            );
        }
    }
}
