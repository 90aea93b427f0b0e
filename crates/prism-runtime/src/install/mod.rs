//! Makes the runtime: a virtual environment with exactly the packages of the lock file.
//!
//! `prism runtime install`, `prism demo` and the tests call [`install`]; [`plan`] says beforehand what it would do and
//! what room it needs. In order: find a Python, check the machine and the disk, take the lock that keeps two
//! processes from installing at once, remove what an interrupted attempt left, make the environment, let `uv` or
//! `pip` fill it, let every user of the machine read it, import torch once, and only then declare it complete.
//!
//! The packages come from wherever the user's own `pip` or `uv` is set up to take them; the hashes in the lock file
//! make sure that they are the right ones. Neither is ever replaced by the other when it fails.

mod command;
mod disk;
mod failure;
mod job;
mod progress;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::embedded;
use crate::error::RuntimeError;
use crate::installed;
use crate::interpreter::{self, Interpreter};
use crate::locate::{self, Runtime};
use crate::lockfile::Lock;
use crate::settings::Settings;
use crate::turn;
use job::Job;

pub use disk::DiskNeed;
pub(crate) use disk::{disk_needs, free_bytes};

const LOCK_FILE: &str = "install.lock";

/// Who installs the packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installer {
    /// `uv pip install`.
    Uv,
    /// `python -m pip install`.
    Pip,
}

impl Installer {
    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uv => "uv",
            Self::Pip => "pip",
        }
    }
}

/// What the caller wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstallRequest {
    /// Who is to install; by default `uv` where it is on the path, else `pip`.
    pub installer: Option<Installer>,
    /// Whether to make a runtime again that is complete.
    pub reinstall: bool,
}

/// What an installation would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallPlan {
    /// The interpreter that the environment is made with.
    pub python: PathBuf,
    /// Its version.
    pub python_version: String,
    /// Who installs.
    pub installer: Installer,
    /// Where the environment will be.
    pub directory: PathBuf,
    /// How many packages there are.
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
pub enum Phase {
    /// Making the empty environment.
    Environment,
    /// Fetching packages; the step that takes longest.
    Download,
    /// Unpacking them.
    Unpack,
    /// Importing torch once.
    Check,
}

/// What happens during an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallEvent {
    /// Before anything is done.
    Planned(InstallPlan),
    /// Another process is installing; this one waits for it.
    Waiting,
    /// Something moved.
    Progress {
        /// In which stage.
        phase: Phase,
        /// How many packages are behind.
        done: usize,
        /// Of how many.
        total: usize,
        /// What is being worked on, for people.
        what: String,
    },
    /// A line that the installer printed, for the log.
    Line(String),
}

/// Says what an installation would do, and whether it can.
pub fn plan(settings: &Settings, request: &InstallRequest) -> Result<InstallPlan, RuntimeError> {
    prepare(settings, request).map(|prepared| prepared.plan)
}

/// Makes the runtime where it is not complete already, and returns it. `stop` is asked several times a second.
pub fn install(
    settings: &Settings,
    request: &InstallRequest,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(InstallEvent),
) -> Result<Runtime, RuntimeError> {
    if let Some(runtime) = usable(settings, request)? {
        return Ok(runtime);
    }
    let Prepared { plan, uv, lock } = prepare(settings, request)?;
    on_event(InstallEvent::Planned(plan.clone()));
    let parent = installed::parent(settings);
    fs::create_dir_all(&parent).map_err(RuntimeError::io("create", &parent))?;
    let turn = take_turn(&parent, stop, on_event)?;
    // Whoever was first may have made it meanwhile.
    if let Some(runtime) = usable(settings, request)? {
        return Ok(runtime);
    }
    disk::check(settings, plan.installer)?;
    let job = Job {
        plan: &plan,
        cache_dir: &settings.cache_dir,
        proxies: &settings.proxies,
        turn: &turn,
        stop,
    };
    job.replace(uv.as_deref(), &lock, on_event)?;
    // This one and no other: there may be more than one, and not all of them need work.
    locate::locked_at(settings, &plan.directory)
}

/// A runtime that is there already and works, unless it is to be made again. Only what making one would mend is passed
/// over.
fn usable(settings: &Settings, request: &InstallRequest) -> Result<Option<Runtime>, RuntimeError> {
    if request.reinstall {
        return Ok(None);
    }
    match locate::locked(settings) {
        Ok(runtime) => Ok(Some(runtime)),
        Err(RuntimeError::NotInstalled | RuntimeError::Broken { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Prepared {
    plan: InstallPlan,
    uv: Option<PathBuf>,
    lock: Lock,
}

fn prepare(settings: &Settings, request: &InstallRequest) -> Result<Prepared, RuntimeError> {
    let lock = Lock::parse(embedded::lock_text())?;
    let Interpreter { path, answer } = interpreter::find(settings)?;
    interpreter::check_platform(&answer)?;
    let uv = find_uv(settings);
    let installer = match (request.installer, &uv) {
        (Some(Installer::Uv), None) => return Err(RuntimeError::NoUv),
        (Some(installer), _) => installer,
        (None, Some(_)) => Installer::Uv,
        (None, None) => Installer::Pip,
    };
    let directory = installed::directory(settings, embedded::lock_hash(), answer.language());
    let plan = InstallPlan {
        python: path,
        python_version: answer.version_text(),
        installer,
        disk: disk_needs(settings, installer)?,
        directory,
        packages: lock.pins.len(),
        installed_bytes: disk::INSTALLED_BYTES + disk::VIEWS_BYTES,
        download_bytes: disk::DOWNLOAD_BYTES,
    };
    Ok(Prepared { plan, uv, lock })
}

pub(crate) fn find_uv(settings: &Settings) -> Option<PathBuf> {
    settings.find_program("uv")
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
    fn uv_must_be_there_to_be_asked_for() {
        let data = tempfile::tempdir().unwrap();
        let programs = tempfile::tempdir().unwrap();
        // A path with Python and without uv: links to whatever interpreters this machine has.
        let everything = settings(data.path());
        let found = interpreter::find(&everything).unwrap();
        std::os::unix::fs::symlink(&found.path, programs.path().join("python3")).unwrap();
        let without_uv = Settings {
            path: programs.path().into(),
            ..everything
        };
        let request = InstallRequest {
            installer: Some(Installer::Uv),
            reinstall: false,
        };
        assert!(matches!(plan(&without_uv, &request), Err(RuntimeError::NoUv)));
        let plan = plan(&without_uv, &InstallRequest::default()).unwrap();
        assert_eq!(plan.installer, Installer::Pip);
        assert!(plan.directory.starts_with(data.path().join("runtime")));
        // What is free may change meanwhile.
        let needs = |disk: &[DiskNeed]| -> Vec<_> {
            disk.iter()
                .map(|need| (need.path.clone(), need.needed_bytes))
                .collect()
        };
        let demanded = disk_needs(&without_uv, Installer::Pip).unwrap();
        assert_eq!(needs(&plan.disk), needs(&demanded));
    }

    #[test]
    fn no_python_says_how_to_get_one() {
        let data = tempfile::tempdir().unwrap();
        let nothing = Settings {
            path: data.path().into(),
            ..settings(data.path())
        };
        let error = install(&nothing, &InstallRequest::default(), &|| false, &mut |_| {}).unwrap_err();
        assert!(matches!(error, RuntimeError::NoPython { .. }));
        assert!(error.to_string().contains("apt install"), "{error}");
        assert!(!installed::parent(&nothing).exists(), "nothing is written");
    }

    #[test]
    fn an_interrupted_installation_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let plan = plan(&settings, &InstallRequest::default()).unwrap();
        // What a killed process leaves: an environment without a marker.
        fs::create_dir_all(plan.directory.join("lib")).unwrap();
        fs::write(plan.directory.join("lib/half"), "half").unwrap();
        assert!(!crate::is_installed(&settings));
        // Stopped at the first opportunity, that is while the environment is made.
        let mut events = Vec::new();
        let request = InstallRequest::default();
        let result = install(&settings, &request, &|| true, &mut |event| events.push(event));
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
