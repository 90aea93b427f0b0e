//! Lists and removes the runs of a directory.
//!
//! Called by `prism runs`, `report` and `watch`. Touches only directories that hold our files, follows no link, and leaves
//! alone what still runs: that is told by the run's lock, never by its age.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;
use prism_report::{About, manifest};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use thiserror::Error;

use crate::{
    event_file::Progress,
    outcome::Outcome,
    run_dir::{self, EVENTS_FILE, LOCK_FILE, LOGS_DIR, RESULT_FILE, TARGETS_FILE},
    run_lock,
};

/// Largest `result.json` that is read, in bytes.
pub const RESULT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Names that are said where a part of a name fits several.
const MATCHES_SHOWN: usize = 5;
/// Deepest directory whose files are counted: a run has one level.
const DEPTH_MAX: usize = 8;

/// Why a directory of runs cannot be read.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum RunsError {
    #[error("{path} is no directory", path = .path.display())]
    NotADirectory { path: PathBuf },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("{name} is neither the directory of a run nor the name of one in {dir}", dir = .dir.display())]
    NoSuchRun {
        /// What was named, harmless on a terminal.
        name: String,
        dir: PathBuf,
    },
    #[error("{name} may be any of {matches}", matches = .matches.join(", "))]
    Ambiguous {
        /// What was named, harmless on a terminal.
        name: String,
        matches: Vec<String>,
    },
}

impl Advice for RunsError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotADirectory { .. } => "name the directory of the runs with --runs".into(),
            Self::NoSuchRun { .. } => "see `prism runs list`".into(),
            Self::Ambiguous { .. } => "write more of the name".into(),
            Self::Io(_) => return None,
        })
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub enum RunState {
    /// It is over.
    Finished(Box<Outcome>),
    /// Its lock is held: it goes on.
    Running(Box<Progress>),
    /// It has no result and nobody holds its lock: it was killed, or the machine went down.
    Died(Box<Progress>),
    /// Its result cannot be read.
    Damaged,
}

impl Serialize for RunState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut state = serializer.serialize_struct("RunState", 3)?;
        state.serialize_field("state", self.name())?;
        state.serialize_field("result", &self.outcome())?;
        state.serialize_field("progress", &self.progress())?;
        state.end()
    }
}

impl RunState {
    /// The outcome, of one that is over.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Finished(outcome) => Some(outcome),
            Self::Running(_) | Self::Died(_) | Self::Damaged => None,
        }
    }

    /// How far it came, of one that has no result.
    pub fn progress(&self) -> Option<&Progress> {
        match self {
            Self::Running(progress) | Self::Died(progress) => Some(progress),
            Self::Finished(_) | Self::Damaged => None,
        }
    }

    /// What it is of, where that is known.
    pub fn about(&self) -> Option<&About> {
        match self {
            Self::Finished(outcome) => outcome.about.as_ref(),
            Self::Running(progress) | Self::Died(progress) => progress.about.as_ref(),
            Self::Damaged => None,
        }
    }

    /// Estimated bits per byte: of all, or of what was read so far.
    pub fn bpb(&self) -> Option<f64> {
        match self {
            Self::Finished(outcome) => outcome.bpb,
            Self::Running(progress) | Self::Died(progress) => progress.mean_bpb,
            Self::Damaged => None,
        }
    }

    /// What lists call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Finished(_) => "finished",
            Self::Running(_) => "running",
            Self::Died(_) => "died",
            Self::Damaged => "damaged",
        }
    }
}

/// As a string, also where it is not UTF-8.
fn shown_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunEntry {
    /// The name of its directory.
    pub name: String,
    /// Its directory.
    #[serde(serialize_with = "shown_path")]
    pub dir: PathBuf,
    /// What it takes on disk, in bytes.
    pub bytes: u64,
    /// The last change of anything in it, in seconds since 1970.
    pub modified_unix_seconds: u64,
    /// How far it is; serialised as `state`, `result` (of one that is over) and `progress` (of one that is not).
    #[serde(flatten)]
    pub state: RunState,
}

/// What is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prune {
    /// How many of the newest stay, whatever their age.
    pub keep: usize,
    /// Younger ones stay.
    pub older_than: Option<Duration>,
    /// Nothing is removed.
    pub dry_run: bool,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pruned {
    /// The runs.
    pub removed: Vec<RunEntry>,
    /// What they took on disk, in bytes.
    pub bytes: u64,
    /// Runs that could not be removed, and why.
    pub failed: Vec<(String, String)>,
    /// Whether nothing was removed after all.
    pub dry_run: bool,
}

/// The runs in a directory, newest first. What does not look like a run is passed over.
pub fn list(dir: &Path) -> Result<Vec<RunEntry>, RunsError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            RunsError::NotADirectory { path: dir.to_owned() }
        }
        _ => IoError::new("read", dir, source).into(),
    };
    let mut runs = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        // The type of the entry itself: a link to a directory is a link.
        if entry.file_type().map_err(fail)?.is_dir()
            && let Some(run) = look_at(&entry.path())
        {
            runs.push(run);
        }
    }
    runs.sort_by(|a, b| (b.modified_unix_seconds, &b.name).cmp(&(a.modified_unix_seconds, &a.name)));
    Ok(runs)
}

/// Removes runs.
pub fn prune(dir: &Path, what: &Prune, now: SystemTime) -> Result<Pruned, RunsError> {
    let now_seconds = unix_seconds(now);
    let is_old = |run: &RunEntry, age: Duration| {
        now_seconds.saturating_sub(run.modified_unix_seconds) >= age.as_secs()
    };
    let mut pruned = Pruned {
        dry_run: what.dry_run,
        ..Pruned::default()
    };
    for run in list(dir)?.into_iter().skip(what.keep) {
        let runs = matches!(run.state, RunState::Running(_));
        let too_young = what.older_than.is_some_and(|age| !is_old(&run, age));
        if runs || too_young {
            continue;
        }
        let removed = match foreign(&run.dir) {
            Err(error) => Err(error.to_string()),
            Ok(Some(name)) => Err(format!(
                "it holds `{name}`, which no run leaves behind; move that away first"
            )),
            Ok(None) if what.dry_run => Ok(()),
            // Removes links themselves, never what they point to.
            Ok(None) => fs::remove_dir_all(&run.dir).map_err(|error| error.to_string()),
        };
        match removed {
            Ok(()) => {
                pruned.bytes += run.bytes;
                pruned.removed.push(run);
            }
            Err(problem) => pruned.failed.push((run.name, problem)),
        }
    }
    Ok(pruned)
}

/// The directory of the run that is meant: a path, or a name below `dir`, or a part of just one of the names there, or
/// what just one of the runs there is called.
pub fn find(dir: &Path, name: &Path) -> Result<PathBuf, RunsError> {
    if name.is_dir() {
        return Ok(name.to_owned());
    }
    let shown = prism_core::escape::escape_for_terminal(name.as_os_str().as_encoded_bytes());
    let missing = || RunsError::NoSuchRun {
        name: shown.clone(),
        dir: dir.to_owned(),
    };
    let (Some(part), false) = (name.to_str(), name.components().count() != 1) else {
        return Err(missing());
    };
    let found = list(dir).map_err(|_| missing())?;
    let is_called = |run: &RunEntry| run.state.about().is_some_and(|about| about.name == part);
    let matches: Vec<_> = found
        .iter()
        .filter(|run| run.name.contains(part) || is_called(run))
        .collect();
    match &matches[..] {
        [] => Err(missing()),
        [run] => Ok(run.dir.clone()),
        several => match several.iter().find(|run| run.name == part) {
            Some(run) => Ok(run.dir.clone()),
            None => Err(RunsError::Ambiguous {
                name: shown,
                matches: several
                    .iter()
                    .take(MATCHES_SHOWN)
                    .map(|run| prism_core::escape::escape_for_terminal(&run.name))
                    .collect(),
            }),
        },
    }
}

/// How far the run in this directory is; `None` where there is no run.
pub fn state(dir: &Path) -> Option<RunState> {
    look_at(dir).map(|run| run.state)
}

/// A run without a result: whether it goes on, and how far it came.
fn unfinished(dir: &Path) -> RunState {
    // Where nobody can say, it is left alone.
    let is_held = run_lock::is_held(dir).unwrap_or(true);
    let progress = Box::new(Progress::read(dir).unwrap_or_default());
    if is_held {
        return RunState::Running(progress);
    }
    // It may have ended between the two looks.
    match read_result(dir) {
        Some(outcome) => RunState::Finished(Box::new(outcome)),
        None => RunState::Died(progress),
    }
}

/// The run in a directory, if it is one: its result is one of ours, or it has logs beside a file with a name that only
/// we give. `result.json` and `logs` alone are names that anybody may have thought of.
fn look_at(dir: &Path) -> Option<RunEntry> {
    let is_file = |name: &str| fs::symlink_metadata(dir.join(name)).is_ok_and(|found| found.is_file());
    let ours = [TARGETS_FILE, manifest::FILE_NAME, LOCK_FILE, EVENTS_FILE];
    let has_ours = ours.into_iter().any(is_file);
    let has_logs = fs::symlink_metadata(dir.join(LOGS_DIR)).is_ok_and(|found| found.is_dir());
    let state = match is_file(RESULT_FILE).then(|| read_result(dir)) {
        Some(Some(outcome)) => RunState::Finished(Box::new(outcome)),
        Some(None) if has_ours => RunState::Damaged,
        None if has_ours => unfinished(dir),
        _ => return None,
    };
    if !has_logs {
        return None;
    }
    let mut size = Size::default();
    size.add(dir, 0);
    Some(RunEntry {
        name: dir.file_name()?.to_string_lossy().into_owned(),
        dir: dir.to_owned(),
        bytes: size.bytes,
        modified_unix_seconds: size.modified_unix_seconds,
        state,
    })
}

/// Something in a run's directory that no run leaves behind: it is somebody's, and not ours to remove.
fn foreign(dir: &Path) -> io::Result<Option<String>> {
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let is_partial = name.starts_with('.') && name.ends_with(run_dir::PARTIAL_SUFFIX);
        if !is_partial && !run_dir::NAMES.contains(&name.as_ref()) {
            return Ok(Some(prism_core::escape::escape_for_terminal(name.as_ref())));
        }
    }
    Ok(None)
}

/// The outcome in a run's directory; `None` where it cannot be read.
fn read_result(dir: &Path) -> Option<Outcome> {
    let bytes = run_dir::read(&dir.join(RESULT_FILE), RESULT_BYTES_MAX).ok()??;
    serde_json::from_slice(&bytes).ok()
}

#[derive(Default)]
struct Size {
    bytes: u64,
    modified_unix_seconds: u64,
}

impl Size {
    fn add(&mut self, path: &Path, depth: usize) {
        let Ok(found) = fs::symlink_metadata(path) else {
            return;
        };
        self.modified_unix_seconds = self
            .modified_unix_seconds
            .max(found.modified().map_or(0, unix_seconds));
        if found.is_file() {
            self.bytes += found.len();
        }
        if found.is_dir() && depth < DEPTH_MAX {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.add(&entry.path(), depth + 1);
            }
        }
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use prism_core::outcome::Reason;
    use tempfile::TempDir;

    use super::*;
    use crate::{run_dir::RunDir, run_lock::RunLock};

    fn finished(runs: &Path, name: &str, age_days: u64) -> PathBuf {
        let dir = runs.join(name);
        fs::create_dir_all(dir.join(LOGS_DIR)).unwrap();
        let outcome = Outcome::failed(Reason::TrainException, "no");
        fs::write(dir.join(RESULT_FILE), serde_json::to_vec(&outcome).unwrap()).unwrap();
        fs::write(dir.join(TARGETS_FILE), [0; 1000]).unwrap();
        age(&dir, age_days);
        dir
    }

    fn age(dir: &Path, days: u64) {
        let then = SystemTime::now() - Duration::from_secs(days * 86_400);
        for path in [
            dir.join(RESULT_FILE),
            dir.join(TARGETS_FILE),
            dir.join(LOGS_DIR),
            dir.to_owned(),
        ] {
            if let Ok(file) = fs::File::open(path) {
                file.set_modified(then).unwrap();
            }
        }
    }

    fn names(runs: &[RunEntry]) -> Vec<&str> {
        runs.iter().map(|run| run.name.as_str()).collect()
    }

    fn everything() -> Prune {
        Prune {
            keep: 0,
            older_than: None,
            dry_run: false,
        }
    }

    #[test]
    fn runs_are_listed_newest_first_with_their_size() {
        let temp = TempDir::new().unwrap();
        for (name, days) in [("b", 2), ("a", 1), ("c", 3)] {
            finished(temp.path(), name, days);
        }
        let runs = list(temp.path()).unwrap();
        assert_eq!(names(&runs), ["a", "b", "c"]);
        assert!(runs[0].bytes > 1000 && runs[0].bytes < 2000);
        assert!(
            matches!(&runs[0].state, RunState::Finished(outcome) if outcome.reason == Reason::TrainException)
        );
    }

    #[test]
    fn what_is_no_run_is_neither_listed_nor_removed() {
        let temp = TempDir::new().unwrap();
        let elsewhere = TempDir::new().unwrap();
        let real = finished(elsewhere.path(), "real", 9);
        symlink(&real, temp.path().join("link")).unwrap();
        fs::create_dir_all(temp.path().join("mine/logs")).unwrap();
        fs::write(temp.path().join("mine/thesis.txt"), "years of work").unwrap();
        fs::create_dir_all(temp.path().join("fake")).unwrap();
        fs::write(temp.path().join("fake").join(RESULT_FILE), "{}").unwrap();
        fs::create_dir_all(temp.path().join("theirs/logs")).unwrap();
        for name in [RESULT_FILE, run_dir::RECORD_FILE] {
            fs::write(temp.path().join("theirs").join(name), "{\"accuracy\": 0.9}").unwrap();
        }
        fs::write(temp.path().join(RESULT_FILE), "{}").unwrap();
        assert!(list(temp.path()).unwrap().is_empty());
        assert_eq!(
            prune(temp.path(), &everything(), SystemTime::now()).unwrap(),
            Pruned::default()
        );
        assert!(real.join(RESULT_FILE).exists() && temp.path().join("mine/thesis.txt").exists());
    }

    #[test]
    fn a_link_inside_a_run_is_removed_but_not_followed() {
        let temp = TempDir::new().unwrap();
        let elsewhere = TempDir::new().unwrap();
        fs::write(elsewhere.path().join("big"), vec![0; 50_000]).unwrap();
        let run = finished(temp.path(), "run", 1);
        symlink(elsewhere.path(), run.join(LOGS_DIR).join("out")).unwrap();
        assert!(list(temp.path()).unwrap()[0].bytes < 5000);
        prune(temp.path(), &everything(), SystemTime::now()).unwrap();
        assert!(!run.exists() && elsewhere.path().join("big").exists());
    }

    #[test]
    fn a_run_that_somebody_keeps_something_in_stays() {
        let temp = TempDir::new().unwrap();
        let run = finished(temp.path(), "run", 1);
        fs::write(run.join(".result.json.partial"), "").unwrap();
        fs::write(run.join("notes\u{1b}.md"), "what I tried next").unwrap();
        let pruned = prune(temp.path(), &everything(), SystemTime::now()).unwrap();
        assert!(pruned.removed.is_empty() && pruned.bytes == 0);
        assert!(
            matches!(&pruned.failed[..], [(name, why)] if name == "run" && why.contains("`notes\\u{1b}.md`"))
        );
        fs::remove_file(run.join("notes\u{1b}.md")).unwrap();
        prune(temp.path(), &everything(), SystemTime::now()).unwrap();
        assert!(!run.exists());
    }

    #[test]
    fn number_and_age_decide_together() {
        let temp = TempDir::new().unwrap();
        for (name, days) in [("new", 0), ("week", 7), ("month", 30)] {
            finished(temp.path(), name, days);
        }
        let pruned = |keep, days: Option<u64>| {
            let older_than = days.map(|days| Duration::from_secs(days * 86_400));
            let what = Prune {
                keep,
                older_than,
                dry_run: true,
            };
            let pruned = prune(temp.path(), &what, SystemTime::now()).unwrap();
            names(&pruned.removed)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(pruned(1, None), ["week", "month"]);
        assert_eq!(pruned(0, Some(14)), ["month"]);
        assert_eq!(pruned(3, Some(1)), Vec::<String>::new());
        assert_eq!(pruned(2, Some(1)), ["month"]);
        assert_eq!(list(temp.path()).unwrap().len(), 3, "a dry run removes nothing");
    }

    #[test]
    fn a_run_that_goes_on_is_told_by_its_lock_and_left_alone() {
        let temp = TempDir::new().unwrap();
        let mut locks = Vec::new();
        for (name, days) in [("going", 2), ("dead", 0)] {
            let dir = finished(temp.path(), name, days);
            fs::remove_file(dir.join(RESULT_FILE)).unwrap();
            locks.push(RunLock::take(&RunDir::open(&dir)).unwrap());
            age(&dir, days);
        }
        locks.pop();
        let damaged = finished(temp.path(), "damaged", 0);
        fs::write(damaged.join(RESULT_FILE), "{").unwrap();
        let states: Vec<_> = list(temp.path())
            .unwrap()
            .iter()
            .map(|run| (run.name.clone(), run.state.name()))
            .collect();
        assert!(states.contains(&("going".into(), "running")), "{states:?}");
        assert!(
            states.contains(&("dead".into(), "died")),
            "however young it is: {states:?}"
        );
        let pruned = prune(temp.path(), &everything(), SystemTime::now()).unwrap();
        let mut removed = names(&pruned.removed);
        removed.sort_unstable();
        assert_eq!(removed, ["damaged", "dead"]);
        assert!(temp.path().join("going").exists());
    }

    #[test]
    fn a_run_is_found_by_its_path_or_a_part_of_its_name() {
        let temp = TempDir::new().unwrap();
        for name in ["run-1-aaaa", "run-2-bbbb", "run-2"] {
            finished(temp.path(), name, 1);
        }
        let find = |name: &str| find(temp.path(), Path::new(name));
        let named = |name: &str| find(name).unwrap().file_name().unwrap().to_owned();
        assert_eq!(named("bbbb"), "run-2-bbbb");
        assert_eq!(named("run-2"), "run-2", "the whole name of one is not ambiguous");
        assert_eq!(
            named(temp.path().join("run-1-aaaa").to_str().unwrap()),
            "run-1-aaaa"
        );
        assert!(matches!(find("run-"), Err(RunsError::Ambiguous { matches, .. }) if matches.len() == 3));
        let mut outcome = Outcome::failed(Reason::TrainException, "no");
        outcome.about = Some(About {
            name: "my model".into(),
            started_at: String::new(),
            recipe: String::new(),
            recipe_version: 1,
            corpus: String::new(),
            seed: 0,
            device: String::new(),
        });
        let json = serde_json::to_vec(&outcome).unwrap();
        fs::write(temp.path().join("run-1-aaaa").join(RESULT_FILE), json).unwrap();
        assert_eq!(named("my model"), "run-1-aaaa", "what it is called");
        for missing in ["zzzz", "../run-2", ""] {
            assert!(
                matches!(find(missing), Err(RunsError::NoSuchRun { .. })),
                "{missing}"
            );
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let temp = TempDir::new().unwrap();
        let missing = temp.path().join("none");
        assert!(matches!(list(&missing), Err(RunsError::NotADirectory { path }) if path == missing));
    }
}
