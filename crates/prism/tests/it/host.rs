//! One machine for all end-to-end tests of the binary: the Python runtime installed once, a corpus, a place for runs.
//!
//! Evaluations never crowd the machine by accident: whoever runs one holds a [`seat`], and who needs it alone a [`turn`].

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, atomic::AtomicBool},
};

use tempfile::TempDir;

/// What the end-to-end tests share.
pub(crate) struct Host {
    temp: TempDir,
    /// A synthetic corpus of some 180,000 bytes.
    pub(crate) corpus: PathBuf,
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The binary under test.
pub(crate) fn prism() -> Command {
    Command::new(env!("CARGO_BIN_EXE_prism"))
}

/// What is started from now on hears the end of its terminal, also where whoever runs the tests has it ignored, as `nohup`
/// does: a signal that is caught here has its default again in a child.
pub(crate) fn hear_hangups() {
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::new(AtomicBool::new(false))).unwrap();
}

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Evaluations that run side by side: most of the time each of them keeps one processor busy.
const SEATS: u32 = 2;
static TAKEN: Mutex<u32> = Mutex::new(0);
static LEFT: Condvar = Condvar::new();

/// Places on the machine, until it is dropped.
#[must_use]
pub(crate) struct Seats(u32);

fn take(seats: u32) -> Seats {
    let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut taken = LEFT
        .wait_while(taken, |taken| *taken + seats > SEATS)
        .unwrap_or_else(PoisonError::into_inner);
    *taken += seats;
    Seats(seats)
}

impl Drop for Seats {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        LEFT.notify_all();
    }
}

/// Place for one evaluation.
pub(crate) fn seat() -> Seats {
    take(1)
}

/// The whole machine: for runs that count, for what looks at all processes, and for the red team, which has its own workers.
pub(crate) fn turn() -> Seats {
    take(SEATS)
}

/// A directory that nothing removes when this process ends, as it is never dropped; so each removes those of the dead.
fn place_of_this_process() -> TempDir {
    const PREFIX: &str = "prism-it-";
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            // Another one may be at it.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir().unwrap()
}

/// The shared machine; the first caller installs the runtime where it is missing.
pub(crate) fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| {
        succeed(prism().args(["runtime", "install"]));
        let temp = place_of_this_process();
        let corpus = temp.path().join("corpus");
        succeed(
            prism()
                .args(["data", "synth", "--bytes", "180000", "--seed", "7", "--out"])
                .arg(&corpus),
        );
        Host { temp, corpus }
    })
}

impl Host {
    /// A path of this name that does not exist yet.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }
}

/// Writes an audit key as its owner alone may read it.
pub(crate) fn write_key(path: &Path, key: &str) {
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(key.as_bytes()).unwrap();
}

/// Processes whose command line holds `needle`, other than this one.
pub(crate) fn processes_with(needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if pid != std::process::id() && line.contains(needle) {
            found.push(format!("{pid}: {line}"));
        }
    }
    found
}

/// All processes below this one.
pub(crate) fn descendants(root: u32) -> Vec<u32> {
    descendants_but(root, |_| false)
}

/// All processes below this one, but those for which `leave_out` holds and what is below them.
pub(crate) fn descendants_but(root: u32, leave_out: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // The name, in parentheses, may hold anything; the parent is the second field after it.
        let Some((_, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let parent = rest
            .split(' ')
            .nth(1)
            .and_then(|parent| parent.parse::<u32>().ok());
        parents.push((pid, parent.unwrap_or(0)));
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|(pid, of)| *of == parent && !leave_out(*pid))
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}
