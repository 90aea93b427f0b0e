//! Attempts on this machine: child processes, each with a directory ([`crate::attempt`]), in sessions of their own.
//!
//! Nothing is remembered that the directories do not say, so that a restarted service finds everything again: who lives is
//! told by a lock, never by a number of a process. The children get no secret of the service: their environment is a short
//! list.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_runtime::env_vars;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::{Executor, Left, Seen, Unit};
use crate::{
    attempt::{
        self, ATTEMPT_FILE, Attempt, BUNDLE_FILE, LOG_FILE, OUTCOME_FILE, PROCESS_FILE, Process, RUN_DIR,
        WAITING_FILE,
    },
    event_file::Progress,
    outcome::Outcome,
    run_dir::owner_log,
};

/// What a child's environment may hold beside the variables that PRISM reads.
const ENVIRONMENT: [&str; 4] = ["USER", "LANG", "LC_ALL", "RUST_BACKTRACE"];
/// How long a killed process is given to be gone.
const LAST_BREATH: Duration = Duration::from_mins(2);
/// Longest handle.
const HANDLE_BYTES_MAX: usize = 128;

/// This machine.
pub struct Local {
    dir: PathBuf,
    program: PathBuf,
    arguments: Vec<OsString>,
    /// To be reaped when they end. Nothing else is known by them.
    children: Mutex<HashMap<String, Child>>,
}

impl Local {
    /// With its directories in `dir`. `program` and `arguments` start the process of an attempt; its directory follows them.
    pub fn new(dir: PathBuf, program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self {
            dir,
            program,
            arguments,
            children: Mutex::default(),
        }
    }

    fn place(&self, handle: &str) -> Result<PathBuf, Failure> {
        let is_name = !handle.is_empty()
            && handle.len() <= HANDLE_BYTES_MAX
            && handle
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_name {
            Ok(self.dir.join(handle))
        } else {
            Err(Failure::new(
                Reason::Internal,
                format!("`{}` is no handle of an attempt", handle.escape_debug()),
            ))
        }
    }

    fn reap(&self, handle: &str) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = children.get_mut(handle)
            && !matches!(child.try_wait(), Ok(None))
        {
            children.remove(handle);
        }
    }

    fn write(place: &Path, unit: &Unit) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(place)?;
        let mut bundle = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(place.join(BUNDLE_FILE))?;
        bundle.write_all(&unit.bundle)?;
        attempt::write_json(place, ATTEMPT_FILE, &unit.attempt)
    }

    fn spawn(&self, place: &Path) -> io::Result<Child> {
        let lock = attempt::make_lock(place)?;
        let log = File::create(place.join(LOG_FILE))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .arg(place)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| is_passed_on(name)))
            .current_dir(place)
            .stdin(Stdio::from(lock))
            .stdout(Stdio::from(log.try_clone()?))
            .stderr(Stdio::from(log));
        command.spawn()
    }

    /// Sends a signal to the process of an attempt, if it lives and has said which it is.
    fn signal(place: &Path, signal: Signal) -> io::Result<()> {
        let Some(process) = attempt::read_json::<Process>(place, PROCESS_FILE)? else {
            return Ok(());
        };
        let Some(pid) = Pid::from_raw(process.pid) else {
            return Ok(());
        };
        let handle = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        // The number is this process's from here on, if it was until now.
        let is_it =
            attempt::start_ticks(process.pid) == Some(process.start_ticks) && attempt::is_alive(place)?;
        if is_it {
            match rustix::process::pidfd_send_signal(handle, signal) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn is_passed_on(name: &OsStr) -> bool {
    let ours = env_vars::ALL.iter().map(|(name, _)| *name);
    ours.chain(ENVIRONMENT).any(|allowed| name == allowed)
}

fn storage(what: &str, place: &Path, error: &io::Error) -> Failure {
    Failure::new(Reason::Storage, format!("{what} {}: {error}", place.display()))
}

impl Executor for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn start(&self, handle: &str, unit: &Unit) -> Result<(), Failure> {
        let place = self.place(handle)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .and_then(|()| Self::write(&place, unit))
            .map_err(|error| storage("an attempt cannot be written to", &place, &error))?;
        let child = self.spawn(&place).map_err(|error| {
            Failure::new(
                Reason::Resources,
                format!("the process of an attempt cannot be started: {error}"),
            )
        })?;
        self.children
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(handle.to_owned(), child);
        Ok(())
    }

    fn look(&self, handle: &str) -> Result<Seen, Failure> {
        let place = self.place(handle)?;
        self.reap(handle);
        let unreadable = |error: io::Error| storage("an attempt cannot be read in", &place, &error);
        // First this: who has let go of the lock has written everything.
        let is_alive = attempt::is_alive(&place).map_err(unreadable)?;
        if let Some(outcome) = attempt::read_json::<Outcome>(&place, OUTCOME_FILE).map_err(unreadable)? {
            let attempt: Option<Attempt> = attempt::read_json(&place, ATTEMPT_FILE).map_err(unreadable)?;
            let run_dir = place.join(RUN_DIR);
            return Ok(match attempt {
                Some(attempt) => Seen::Over(Box::new(Left {
                    outcome,
                    nonce: attempt.nonce,
                    run_dir: run_dir.is_dir().then_some(run_dir),
                })),
                None => Seen::Gone,
            });
        }
        if is_alive {
            let mut progress = Progress::read(&place.join(RUN_DIR)).map_err(unreadable)?;
            progress.waits_for_machine = place.join(WAITING_FILE).exists();
            Ok(Seen::Running(Box::new(progress)))
        } else {
            Ok(Seen::Gone)
        }
    }

    fn log(&self, handle: &str) -> Result<Option<String>, Failure> {
        let place = self.place(handle)?;
        let text = owner_log(&place.join(RUN_DIR))
            .map_err(|error| storage("the log of an attempt cannot be read in", &place, &error))?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn cancel(&self, handle: &str) -> Result<(), Failure> {
        let place = self.place(handle)?;
        Self::signal(&place, Signal::TERM)
            .map_err(|error| storage("an attempt cannot be stopped in", &place, &error))
    }

    fn remove(&self, handle: &str) -> Result<(), Failure> {
        let place = self.place(handle)?;
        let failed = |error: io::Error| storage("an attempt cannot be removed from", &place, &error);
        let deadline = Instant::now() + LAST_BREATH;
        while attempt::is_alive(&place).map_err(failed)? {
            // Again and again: it may have had no time yet to say which process it is.
            Self::signal(&place, Signal::KILL).map_err(failed)?;
            self.reap(handle);
            if Instant::now() > deadline {
                return Err(failed(io::Error::other("its process does not end")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.reap(handle);
        match fs::remove_dir_all(&place) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    fn handles(&self) -> Result<Vec<String>, Failure> {
        let failed = |error: io::Error| storage("attempts cannot be listed in", &self.dir, &error);
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut handles = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            handles.extend(name.into_string());
        }
        handles.sort();
        Ok(handles)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use prism_core::recipe::Recipe;

    use super::*;
    use crate::{
        round::{Round, RunKind},
        slot::Slot,
    };

    const PATIENCE: Duration = Duration::from_secs(30);

    fn unit() -> Unit {
        Unit {
            attempt: Attempt {
                version: Attempt::VERSION,
                submission: "s".into(),
                nonce: "00ff".into(),
                corpus: "corpus".into(),
                round: Round {
                    recipe: Recipe::small(),
                    ..Round::by_hand()
                },
                kind: RunKind::Main,
                seed: 1,
                slot: Slot::whole().unwrap(),
                cache: None,
            },
            bundle: b"zip".to_vec(),
        }
    }

    /// An executor whose attempts are a script: `$1` is the directory.
    fn executor(dir: &Path, script: &str) -> Local {
        let arguments = ["-c", script, "sh"].map(OsString::from);
        Local::new(dir.join("attempts"), "/bin/sh".into(), arguments.to_vec())
    }

    fn eventually(mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < deadline);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Says which process it is, as an attempt does, and waits.
    const WAITS: &str = r#"ticks=$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20)
        echo "{\"pid\":$$,\"start_ticks\":$ticks}" > "$1/.p" && mv "$1/.p" "$1/process.json"
        while :; do sleep 0.01; done"#;

    #[test]
    fn an_attempt_goes_on_until_it_has_an_outcome() {
        let temp = tempfile::tempdir().unwrap();
        let local = executor(
            temp.path(),
            r#"until [ -e "$1/go" ]; do sleep 0.01; done; mv "$1/go" "$1/outcome.json""#,
        );
        local.start("a-1", &unit()).unwrap();
        assert!(matches!(local.look("a-1").unwrap(), Seen::Running(_)));
        assert!(local.start("a-1", &unit()).is_err(), "no handle is used twice");
        // Somebody else who looks sees the same: nothing is remembered.
        let restarted = executor(temp.path(), "");
        assert!(matches!(restarted.look("a-1").unwrap(), Seen::Running(_)));
        assert_eq!(restarted.handles().unwrap(), ["a-1"]);
        let outcome = Outcome::failed(Reason::TrainException, "no");
        let place = temp.path().join("attempts/a-1");
        attempt::write_json(&place, "go", &outcome).unwrap();
        eventually(|| matches!(restarted.look("a-1").unwrap(), Seen::Over(_)));
        let Seen::Over(left) = local.look("a-1").unwrap() else {
            panic!("it is over");
        };
        assert_eq!(
            (left.outcome, left.nonce.as_str(), left.run_dir),
            (outcome, "00ff", None)
        );
        local.remove("a-1").unwrap();
        assert!(!place.exists());
        assert!(matches!(local.look("a-1").unwrap(), Seen::Gone));
        local.remove("a-1").unwrap();
    }

    #[test]
    fn what_dies_without_an_outcome_is_gone() {
        let temp = tempfile::tempdir().unwrap();
        let local = executor(temp.path(), "exit 0");
        local.start("a", &unit()).unwrap();
        eventually(|| matches!(local.look("a").unwrap(), Seen::Gone));
        assert!(matches!(local.look("never-started").unwrap(), Seen::Gone));
        // An outcome that is damaged is neither.
        fs::write(temp.path().join("attempts/a/outcome.json"), "{").unwrap();
        assert_eq!(local.look("a").unwrap_err().reason, Reason::Storage);
    }

    #[test]
    fn what_lives_is_stopped_and_killed_by_whoever_finds_it() {
        let temp = tempfile::tempdir().unwrap();
        let local = executor(temp.path(), &format!("trap 'exit 1' TERM; {WAITS}"));
        local.start("asked", &unit()).unwrap();
        local.start("killed", &unit()).unwrap();
        let place = |handle: &str| temp.path().join("attempts").join(handle);
        let restarted = executor(temp.path(), "");
        eventually(|| place("asked").join("process.json").exists());
        restarted.cancel("asked").unwrap();
        eventually(|| matches!(local.look("asked").unwrap(), Seen::Gone));
        restarted.remove("killed").unwrap();
        assert!(!place("killed").exists());
        assert!(matches!(local.look("killed").unwrap(), Seen::Gone));
    }

    #[test]
    fn a_number_of_a_process_that_is_another_by_now_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let local = executor(temp.path(), "exec sleep 600");
        local.start("a", &unit()).unwrap();
        let place = temp.path().join("attempts/a");
        let mut innocent = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(innocent.id()).unwrap();
        let wrong = Process {
            pid,
            start_ticks: attempt::start_ticks(pid).unwrap() + 1,
        };
        attempt::write_json(&place, PROCESS_FILE, &wrong).unwrap();
        local.cancel("a").unwrap();
        assert!(innocent.try_wait().unwrap().is_none());
        // Nor is one killed whose lock nobody holds any more.
        let child = local.children.lock().unwrap().remove("a");
        let mut child = child.unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let stale = Process {
            pid,
            start_ticks: attempt::start_ticks(pid).unwrap(),
        };
        attempt::write_json(&place, PROCESS_FILE, &stale).unwrap();
        eventually(|| !attempt::is_alive(&place).unwrap());
        local.remove("a").unwrap();
        assert!(innocent.try_wait().unwrap().is_none());
        innocent.kill().unwrap();
        innocent.wait().unwrap();
    }

    #[test]
    fn a_handle_is_a_name_and_no_path() {
        let temp = tempfile::tempdir().unwrap();
        let local = executor(temp.path(), "exit 0");
        for handle in ["", ".", "..", "../x", "a/b", "a.b", "\0", &"a".repeat(129)] {
            assert_eq!(
                local.remove(handle).unwrap_err().reason,
                Reason::Internal,
                "{handle}"
            );
            assert!(local.start(handle, &unit()).is_err());
            assert!(local.look(handle).is_err() && local.cancel(handle).is_err());
        }
        assert!(fs::read_dir(temp.path()).unwrap().next().is_none());
        assert_eq!(local.handles().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn no_secret_of_the_service_is_passed_on() {
        for name in [
            "OPENROUTER_API_KEY",
            "PRISM_SHARED_TOKEN",
            "PRISM_REVIEW_API_KEY",
            "HF_TOKEN",
            "LD_PRELOAD",
        ] {
            assert!(!is_passed_on(name.as_ref()), "{name}");
        }
        assert!(is_passed_on("PATH".as_ref()) && is_passed_on("XDG_DATA_HOME".as_ref()));
    }
}
