//! Makes the runtime: a virtual environment with exactly the packages of the lock file.
//!
//! `prism runtime install`, `prism demo` and the tests call [`install`]; [`plan`] says beforehand what it would do and
//! what room it needs. In order: find a Python, check the machine and the disk, take the lock that keeps two
//! processes from installing at once, remove what an interrupted attempt left, make the environment, let `uv` or
//! `pip` fill it, import torch once, and only then declare it complete.
//!
//! The packages come from wherever the user's own `pip` or `uv` is set up to take them; the hashes in the lock file
//! make sure that they are the right ones. Neither is ever replaced by the other when it fails.

mod command;
mod disk;
mod failure;
mod progress;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::child::{self, Ending};
use crate::embedded;
use crate::error::RuntimeError;
use crate::installed::{self, Marker};
use crate::interpreter::{self, Interpreter};
use crate::locate::{self, Runtime};
use crate::lockfile::Lock;
use crate::probe;
use crate::settings::Settings;
use progress::Reader;

pub(crate) use disk::{free_bytes, installed_and_download_bytes};

const LOCK_FILE: &str = "install.lock";
/// How often a waiting process looks whether the other one is done.
const WAIT_INTERVAL: Duration = Duration::from_millis(200);

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
    /// What they take on disk once installed.
    pub installed_bytes: u64,
    /// What is downloaded, where nothing of it is in a cache.
    pub download_bytes: u64,
    /// What is free where the environment will be.
    pub free_bytes: u64,
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
    if !request.reinstall
        && let Ok(runtime) = locate::locked(settings)
    {
        return Ok(runtime);
    }
    let Prepared { plan, uv, lock } = prepare(settings, request)?;
    on_event(InstallEvent::Planned(plan.clone()));
    let parent = installed::parent(settings);
    fs::create_dir_all(&parent).map_err(RuntimeError::io("create", &parent))?;
    let _only_one = take_turn(&parent, stop, on_event)?;
    // Whoever was first may have made it meanwhile.
    if !request.reinstall
        && let Ok(runtime) = locate::locked(settings)
    {
        return Ok(runtime);
    }
    disk::check(settings, &plan)?;
    remove(&plan.directory)?;
    let made = make(&plan, uv.as_deref(), &lock, stop, on_event);
    if made.is_err() {
        // Half an environment is of no use to anybody, and it is large.
        remove(&plan.directory)?;
    }
    made?;
    locate::locked(settings)
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
    let uv = settings.find_program("uv");
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
        free_bytes: disk::free_bytes(&directory)?,
        directory,
        packages: lock.pins.len(),
        installed_bytes: disk::INSTALLED_BYTES,
        download_bytes: disk::DOWNLOAD_BYTES,
    };
    Ok(Prepared { plan, uv, lock })
}

/// Waits until no other process installs. The operating system gives the turn back when this process ends, however.
fn take_turn(
    parent: &Path,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(InstallEvent),
) -> Result<File, RuntimeError> {
    let path = parent.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(RuntimeError::io("open", &path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(reason)) => return Err(RuntimeError::io("lock", &path)(reason)),
            Err(TryLockError::WouldBlock) => {}
        }
        if stop() {
            return Err(RuntimeError::Cancelled);
        }
        if !told {
            on_event(InstallEvent::Waiting);
            told = true;
        }
        std::thread::sleep(WAIT_INTERVAL);
    }
}

fn remove(directory: &Path) -> Result<(), RuntimeError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RuntimeError::io("remove", directory)(error))
        }
        _ => Ok(()),
    }
}

/// Makes the environment in a directory that does not exist; the marker is the last thing that it writes.
fn make(
    plan: &InstallPlan,
    uv: Option<&Path>,
    lock: &Lock,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(InstallEvent),
) -> Result<(), RuntimeError> {
    let total = lock.pins.len();
    let mut at = |phase, done, what: &str| {
        on_event(InstallEvent::Progress {
            phase,
            done,
            total,
            what: what.to_owned(),
        });
    };
    at(Phase::Environment, 0, "making the environment");
    let environment = command::environment(plan);
    run(environment, plan, "making the environment", stop, &mut |line| {
        on_event(InstallEvent::Line(line.into()));
    })?;

    let lock_path = plan.directory.join("runtime.lock.txt");
    fs::write(&lock_path, embedded::lock_text()).map_err(RuntimeError::io("write", &lock_path))?;
    let packages = match (plan.installer, uv) {
        (Installer::Uv, Some(uv)) => command::uv(uv, plan, &lock_path),
        (Installer::Uv, None) => return Err(RuntimeError::NoUv),
        (Installer::Pip, _) => command::pip(plan, &lock_path),
    };
    let mut reader = Reader::new(plan.installer);
    run(packages, plan, "installing the packages", stop, &mut |line| {
        on_event(InstallEvent::Line(line.to_owned()));
        if let Some((phase, done, what)) = reader.read(line) {
            on_event(InstallEvent::Progress {
                phase,
                done: done.min(total),
                total,
                what,
            });
        }
    })?;

    on_event(InstallEvent::Progress {
        phase: Phase::Check,
        done: total,
        total,
        what: "importing torch".to_owned(),
    });
    let torch = probe::try_torch(&installed::python(&plan.directory))?;
    let marker = Marker::new(
        embedded::lock_hash(),
        &plan.python_version,
        plain_version(&torch),
        plan.installer.name(),
    );
    marker
        .write(&plan.directory)
        .map_err(RuntimeError::io("complete", &plan.directory))
}

/// torch adds its build (`+cu132`) to the version that its package has.
fn plain_version(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

fn run(
    command: Command,
    plan: &InstallPlan,
    step: &'static str,
    stop: &dyn Fn() -> bool,
    on_line: &mut dyn FnMut(&str),
) -> Result<(), RuntimeError> {
    let program = PathBuf::from(command.get_program());
    let finished = child::run(command, None, stop, on_line).map_err(RuntimeError::io("start", &program))?;
    match finished.ending {
        Ending::Exited(status) if status.success() => Ok(()),
        Ending::Exited(status) => Err(failure::classify(plan, step, status, finished.tail)),
        Ending::Stopped | Ending::TimedOut => Err(RuntimeError::Cancelled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installed::tests::settings;
    use std::cell::Cell;

    #[test]
    fn only_one_process_installs_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let first = take_turn(parent.path(), &|| false, &mut |_| panic!("nothing to wait for")).unwrap();
        let mut events = Vec::new();
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() == 3
        };
        let second = take_turn(parent.path(), &stop, &mut |event| events.push(event));
        assert!(matches!(second, Err(RuntimeError::Cancelled)));
        assert_eq!(events, [InstallEvent::Waiting], "it says once that it waits");
        drop(first);
        take_turn(parent.path(), &|| false, &mut |_| panic!("nothing to wait for")).unwrap();
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
        assert!(plan.free_bytes > 0);
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

    #[test]
    fn the_build_is_no_part_of_the_packages_version() {
        assert_eq!(plain_version("2.15.0+cu132"), "2.15.0");
        assert_eq!(plain_version("2.15.0"), "2.15.0");
    }
}
