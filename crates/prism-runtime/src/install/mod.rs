//! Makes the runtime: a virtual environment with exactly the packages of the lock file.
//!
//! `prism runtime install`, `prism demo` and the tests call [`install`]; [`plan`] says beforehand what it would do and
//! what room it needs. In order: find a Python, check the machine and the disk, take the lock that keeps two
//! processes from installing at once, remove what an interrupted attempt left, make the environment, let the pip that
//! Python brings along fetch `uv`, let `uv` fill the environment, let every user of the machine read it, import torch
//! once, and only then declare it complete.
//!
//! The packages come from wherever the user's own `pip` is set up to take them; the hashes in the lock files make sure
//! that they are the right ones. It is always the same `uv`, whatever else lies on the path.

mod command;
mod disk;
mod failure;
mod job;
#[cfg(test)]
mod real;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::embedded;
use crate::error::RuntimeError;
use crate::installed;
use crate::interpreter::{self, Interpreter};
use crate::locate::{self, Runtime};
use crate::settings::Settings;
use crate::turn;
use job::Job;

pub use disk::DiskNeed;
pub(crate) use disk::{disk_needs, free_bytes};

const LOCK_FILE: &str = "install.lock";

/// What an installation would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallPlan {
    /// The interpreter that the environment is made with.
    pub python: PathBuf,
    /// Its version.
    pub python_version: String,
    /// Where the environment will be.
    pub directory: PathBuf,
    /// How many packages the lock file names.
    pub packages: usize,
    /// What they take on disk once installed, with the copies for the processes that answer.
    pub installed_bytes: u64,
    /// What is downloaded, where nothing of it is in a cache.
    pub download_bytes: u64,
    /// What must be free until it is done, and where; the installation does not begin with less.
    pub disk: Vec<DiskNeed>,
}

/// A stage of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Making the empty environment.
    Environment,
    /// Making pip ready, and having it fetch uv.
    Uv,
    /// Having uv fetch and unpack the packages; the step that takes longest.
    Packages,
    /// Importing torch once.
    Check,
}

impl Step {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Environment => "making the environment",
            Self::Uv => "fetching uv",
            Self::Packages => "installing the packages",
            Self::Check => "importing torch",
        }
    }

    /// Whether anything is fetched for it.
    fn fetches(self) -> bool {
        matches!(self, Self::Uv | Self::Packages)
    }
}

/// What happens during an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallEvent {
    /// Before anything is done.
    Planned(InstallPlan),
    /// Another process is installing; this one waits for it.
    Waiting,
    /// A stage begins.
    Step(Step),
    /// A line that an installer printed.
    Line(String),
}

/// Says what an installation would do, and whether it can.
pub fn plan(settings: &Settings) -> Result<InstallPlan, RuntimeError> {
    let Interpreter { path, answer } = interpreter::find(settings)?;
    interpreter::check_platform(&answer)?;
    Ok(InstallPlan {
        python: path,
        python_version: answer.version_text(),
        directory: installed::directory(settings, embedded::lock_hash(), answer.language()),
        packages: embedded::locked_packages().count(),
        installed_bytes: disk::INSTALLED_BYTES + disk::VIEWS_BYTES,
        download_bytes: disk::DOWNLOAD_BYTES,
        disk: disk_needs(settings)?,
    })
}

/// Makes the runtime where it is not complete already, or `again` though it is, and returns it. `stop` is asked several
/// times a second.
pub fn install(
    settings: &Settings,
    again: bool,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(InstallEvent),
) -> Result<Runtime, RuntimeError> {
    if let Some(runtime) = usable(settings, again)? {
        return Ok(runtime);
    }
    let plan = plan(settings)?;
    on_event(InstallEvent::Planned(plan.clone()));
    let parent = installed::parent(settings);
    fs::create_dir_all(&parent).map_err(RuntimeError::io("create", &parent))?;
    let turn = take_turn(&parent, stop, on_event)?;
    // Whoever was first may have made it meanwhile.
    if let Some(runtime) = usable(settings, again)? {
        return Ok(runtime);
    }
    disk::check(settings)?;
    let job = Job {
        settings,
        plan: &plan,
        lock: embedded::lock_text(),
        turn: &turn,
        stop,
    };
    job.replace(on_event)?;
    // This one and no other: there may be more than one, and not all of them need work.
    locate::locked_at(settings, &plan.directory)
}

/// A runtime that is there already and works, unless it is to be made again. Only what making one would mend is passed
/// over.
fn usable(settings: &Settings, again: bool) -> Result<Option<Runtime>, RuntimeError> {
    if again {
        return Ok(None);
    }
    match locate::locked(settings) {
        Ok(runtime) => Ok(Some(runtime)),
        Err(RuntimeError::NotInstalled | RuntimeError::Broken { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until no other process installs. The operating system gives the turn back when
/// this process and the programs that it has started have ended, however they do.
fn take_turn(
    parent: &Path,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(InstallEvent),
) -> Result<File, RuntimeError> {
    turn::take(&parent.join(LOCK_FILE), stop, &mut || {
        on_event(InstallEvent::Waiting);
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::process::Command;

    use prism_core::advice::Advice as _;

    use super::*;
    use crate::installed::tests::settings;

    #[test]
    fn only_one_process_installs_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let first = take_turn(parent.path(), &|| false, &mut |_| {}).unwrap();
        let mut events = Vec::new();
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() == 3
        };
        let second = take_turn(parent.path(), &stop, &mut |event| events.push(event));
        assert!(matches!(second, Err(RuntimeError::Cancelled)));
        assert_eq!(events, [InstallEvent::Waiting], "it says once that it waits");
        // A program that outlives its installer keeps the turn.
        let mut program = Command::new("sleep")
            .arg("60")
            .stdin(first.try_clone().unwrap())
            .spawn()
            .unwrap();
        drop(first);
        let blocked = take_turn(parent.path(), &|| true, &mut |_| {});
        assert!(matches!(blocked, Err(RuntimeError::Cancelled)));
        program.kill().unwrap();
        program.wait().unwrap();
        take_turn(parent.path(), &|| false, &mut |_| {}).unwrap();
    }

    #[test]
    fn the_plan_says_what_is_needed_and_where() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let plan = plan(&settings).unwrap();
        assert!(plan.directory.starts_with(data.path().join("runtime")));
        assert_eq!(plan.packages, 31);
        // What is free may change meanwhile.
        let needs = |disk: &[DiskNeed]| -> Vec<_> {
            disk.iter()
                .map(|need| (need.path.clone(), need.needed_bytes))
                .collect()
        };
        assert_eq!(needs(&plan.disk), needs(&disk_needs(&settings).unwrap()));
    }

    #[test]
    fn no_python_says_how_to_get_one() {
        let data = tempfile::tempdir().unwrap();
        let nothing = Settings {
            path: data.path().into(),
            ..settings(data.path())
        };
        let error = install(&nothing, false, &|| false, &mut |_| {}).unwrap_err();
        assert!(matches!(error, RuntimeError::NoPython { .. }));
        assert!(error.told().contains("apt install"), "{error}");
        assert!(!installed::parent(&nothing).exists(), "nothing is written");
    }

    #[test]
    fn an_interrupted_installation_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let plan = plan(&settings).unwrap();
        // What a killed process leaves: an environment without a marker.
        fs::create_dir_all(plan.directory.join("lib")).unwrap();
        fs::write(plan.directory.join("lib/half"), "half").unwrap();
        assert!(!crate::is_installed(&settings));
        // Stopped at the first opportunity, that is while the environment is made.
        let mut events = Vec::new();
        let result = install(&settings, false, &|| true, &mut |event| events.push(event));
        assert!(
            matches!(
                result,
                Err(RuntimeError::Cancelled | RuntimeError::NotEnoughDisk { .. })
            ),
            "{result:?}"
        );
        assert!(matches!(events[0], InstallEvent::Planned(_)));
        assert!(!crate::is_installed(&settings));
        if matches!(result, Err(RuntimeError::Cancelled)) {
            assert!(!plan.directory.exists(), "the half environment is gone");
        }
    }
}
