//! What is missing on this machine, and how to get it.
//!
//! `prism runtime doctor` prints what [`doctor`] returns, with the sandbox's own check added to it. Nothing is installed
//! here. The embedded sources are laid out in the data directory, as at the start of every run: that this works is one of
//! the checks.

use std::path::PathBuf;

use prism_core::advice::Advice as _;

use crate::binds;
use crate::embedded;
use crate::error::RuntimeError;
use crate::gigabytes;
use crate::install::{self, DiskNeed};
use crate::interpreter;
use crate::locate::{Origin, Runtime, locate};
use crate::probe;
use crate::settings::{self, Settings};
use crate::views::{self, ViewsState};

/// Where programs are looked for in a sandbox. Of these directories a learner sees the compiler and what that needs.
pub const SANDBOX_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The C++ compiler that `torch.compile` looks for there. There is no other: a sandbox has no variable that names one.
const COMPILER: &str = "g++";

/// Below this, not even the demo fits beside its two Python processes.
const LEAST_MEMORY_BYTES: u64 = 3_000_000_000;
/// Below this, a run of the official size may not fit.
const ENOUGH_MEMORY_BYTES: u64 = 7_000_000_000;
/// Room for a corpus and some runs.
const LEAST_DISK_BYTES: u64 = 2_000_000_000;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// Something optional is missing.
    Warn,
    /// PRISM cannot work like this.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// A stable name.
    pub name: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// What to do, where there is something to do.
    pub fix: Option<String>,
}

impl Check {
    fn new(name: &'static str, status: Status, detail: impl Into<String>, fix: Option<&str>) -> Self {
        Self {
            name,
            status,
            detail: detail.into(),
            fix: fix.map(str::to_owned),
        }
    }

    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, detail, None)
    }
}

/// Looks at everything that the runtime needs, in the order in which it is needed. Imports torch, which takes seconds.
pub fn doctor(settings: &Settings) -> Vec<Check> {
    let located = locate(settings);
    let mut checks = vec![python(settings)];
    checks.extend(runtime(settings, &located));
    let disk = if matches!(
        located,
        Err(RuntimeError::NotInstalled | RuntimeError::Broken { .. })
    ) {
        disk_for_installation(settings)
    } else {
        disk(settings)
    };
    checks.extend([sources(settings), compiler(SANDBOX_PATH), disk, memory()]);
    checks
}

fn python(settings: &Settings) -> Check {
    let found = interpreter::find(settings).and_then(|found| {
        interpreter::check_platform(&found.answer)?;
        Ok(found)
    });
    match (found, &settings.python) {
        (Ok(found), _) => {
            let detail = format!(
                "CPython {} at {}",
                found.answer.version_text(),
                found.path.display()
            );
            Check::ok("python", detail)
        }
        // Only an installation needs it.
        (Err(error), Some(_)) => Check::new(
            "python",
            Status::Warn,
            error.to_string(),
            Some("not needed while PRISM_PYTHON is set"),
        ),
        (Err(error), None) => Check::new(
            "python",
            Status::Fail,
            error.to_string(),
            Some("apt install python3 python3-venv"),
        ),
    }
}

fn runtime(settings: &Settings, located: &Result<Runtime, RuntimeError>) -> Vec<Check> {
    let located = match located {
        Ok(located) => located,
        Err(error) => {
            let fix = match (&settings.python, error) {
                (_, RuntimeError::ClosedToOthers { .. }) => "let other users read that directory",
                (Some(_), _) => "set PRISM_PYTHON to an interpreter with torch 2.9 or newer, or unset it",
                (None, _) => "prism runtime install",
            };
            return vec![Check::new("runtime", Status::Fail, error.to_string(), Some(fix))];
        }
    };
    let origin = match &located.origin {
        Origin::Locked(_) => "installed",
        Origin::External => "from PRISM_PYTHON",
    };
    let detail = format!(
        "{origin}: Python {}, torch {} at {}",
        located.python_version,
        located.torch_version,
        located.python.display()
    );
    let torch = match probe::try_torch(&located.python, &|| false) {
        Ok(version) => Check::ok("torch", format!("torch {version} imports and computes")),
        Err(error) => Check::new(
            "torch",
            Status::Fail,
            error.to_string(),
            Some("prism runtime install --reinstall"),
        ),
    };
    let missing: Vec<_> = [
        ("numpy", &located.numpy_version),
        ("einops", &located.einops_version),
    ]
    .iter()
    .filter(|(_, version)| version.is_none())
    .map(|(name, _)| *name)
    .collect();
    let packages = if missing.is_empty() {
        Check::ok("packages", "numpy and einops are there")
    } else {
        let detail = format!("{} missing; bundles that import it fail", missing.join(" and "));
        Check::new(
            "packages",
            Status::Warn,
            detail,
            Some("install it for the interpreter of PRISM_PYTHON"),
        )
    };
    vec![
        Check::ok("runtime", detail),
        torch,
        packages,
        views(settings, located),
    ]
}

/// The copies for the processes that answer. They are made when they are first needed.
fn views(settings: &Settings, located: &Runtime) -> Check {
    match views::state(settings, located) {
        Ok(ViewsState::Ready { directory }) => Check::ok("views", directory.display().to_string()),
        Ok(ViewsState::Missing {
            needed_bytes,
            free_bytes,
        }) => {
            let detail = format!(
                "the next run copies the runtime for the processes that answer: {} in {} ({} free)",
                gigabytes(needed_bytes),
                settings.data_dir.display(),
                gigabytes(free_bytes)
            );
            if free_bytes >= needed_bytes {
                Check::ok("views", detail)
            } else {
                let fix = "free some space, or set PRISM_DATA_DIR to another disk";
                Check::new("views", Status::Fail, detail, Some(fix))
            }
        }
        Err(error) => Check::new("views", Status::Fail, error.to_string(), error.hint().as_deref()),
    }
}

fn sources(settings: &Settings) -> Check {
    match embedded::runtime_sources(settings) {
        Ok(sources) => Check::ok("sources", sources.dir.display().to_string()),
        Err(error) => Check::new(
            "sources",
            Status::Fail,
            error.to_string(),
            Some("set PRISM_DATA_DIR to a directory of yours"),
        ),
    }
}

fn compiler(path: &str) -> Check {
    let shown = |program: &PathBuf| {
        // Where it is but a link, what it leads to must be there, too.
        let target = program.canonicalize();
        settings::is_executable(program)
            && target.is_ok_and(|target| binds::SYSTEM.iter().any(|system| target.starts_with(system)))
    };
    let mut candidates = std::env::split_paths(path).map(|directory| directory.join(COMPILER));
    match candidates.find(shown) {
        Some(program) => Check::ok("compiler", program.display().to_string()),
        None => Check::new(
            "compiler",
            Status::Warn,
            format!("no {COMPILER} in {path}; a bundle that uses torch.compile will fail"),
            Some("apt install g++"),
        ),
    }
}

/// Room for the corpora and the runs of somebody who has a runtime.
fn disk(settings: &Settings) -> Check {
    let free = match install::free_bytes(&settings.data_dir) {
        Ok(free) => free,
        Err(error) => return unknown_disk(&error),
    };
    let detail = format!("{} free in {}", gigabytes(free), settings.data_dir.display());
    if free >= LEAST_DISK_BYTES {
        return Check::ok("disk", detail);
    }
    let fix = format!(
        "free some space ({} are needed), or set PRISM_DATA_DIR to another disk",
        gigabytes(LEAST_DISK_BYTES)
    );
    Check::new("disk", Status::Fail, detail, Some(&fix))
}

/// Room for what an installation would demand.
fn disk_for_installation(settings: &Settings) -> Check {
    let needs = match install::disk_needs(settings) {
        Ok(needs) => needs,
        Err(error) => return unknown_disk(&error),
    };
    let described: Vec<_> = needs.iter().map(ToString::to_string).collect();
    let detail = format!("installing needs {}", described.join(", and "));
    if needs.iter().all(DiskNeed::is_met) {
        return Check::ok("disk", detail);
    }
    Check::new(
        "disk",
        Status::Fail,
        detail,
        Some("free some space, or set PRISM_DATA_DIR to another disk"),
    )
}

fn unknown_disk(error: &RuntimeError) -> Check {
    Check::new(
        "disk",
        Status::Fail,
        error.to_string(),
        Some("set PRISM_DATA_DIR"),
    )
}

fn memory() -> Check {
    match std::fs::read_to_string("/proc/meminfo") {
        Ok(text) => judge_memory(&text),
        Err(error) => Check::new(
            "memory",
            Status::Warn,
            format!("/proc/meminfo: {error}"),
            Some("mount /proc"),
        ),
    }
}

fn judge_memory(meminfo: &str) -> Check {
    let available_kib = meminfo.lines().find_map(|line| {
        line.strip_prefix("MemAvailable:")?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    let Some(available_bytes) = available_kib.map(|kib| kib.saturating_mul(1024)) else {
        return Check::new(
            "memory",
            Status::Warn,
            "this kernel does not say how much is available",
            Some("make sure that 3 GB are free"),
        );
    };
    let detail = format!("{} available", gigabytes(available_bytes));
    match available_bytes {
        ENOUGH_MEMORY_BYTES.. => Check::ok("memory", detail),
        LEAST_MEMORY_BYTES.. => Check::new(
            "memory",
            Status::Warn,
            detail,
            Some("enough for the demo; large models need more"),
        ),
        _ => Check::new(
            "memory",
            Status::Fail,
            detail,
            Some("end other programs; the demo needs 3 GB"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::installed::tests::settings;

    #[test]
    fn names_everything_once_and_says_how_to_fix_what_fails() {
        let data = tempfile::tempdir().unwrap();
        let checks = doctor(&settings(data.path()));
        let names: Vec<_> = checks.iter().map(|check| check.name).collect();
        assert_eq!(
            names,
            ["python", "runtime", "sources", "compiler", "disk", "memory"]
        );
        let runtime = &checks[1];
        assert_eq!(
            (runtime.status, runtime.fix.as_deref()),
            (Status::Fail, Some("prism runtime install"))
        );
        for check in checks {
            assert!(check.status == Status::Ok || check.fix.is_some(), "{check:?}");
            assert!(!check.detail.is_empty());
        }
    }

    #[test]
    fn an_interpreter_that_does_not_work_is_a_failure_and_not_passed_over() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            python: Some("/bin/false".into()),
            ..settings(data.path())
        };
        let checks = doctor(&settings);
        let runtime = checks.iter().find(|check| check.name == "runtime").unwrap();
        assert_eq!(runtime.status, Status::Fail);
        assert!(runtime.fix.as_ref().unwrap().contains("PRISM_PYTHON"));
    }

    #[test]
    fn a_machine_without_programs() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: data.path().into(),
            ..settings(data.path())
        };
        let status = |name| {
            doctor(&settings)
                .into_iter()
                .find(|check| check.name == name)
                .unwrap()
                .status
        };
        assert_eq!(status("python"), Status::Fail);
    }

    #[test]
    fn only_a_compiler_that_a_sandbox_shows_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let nothing = compiler(path("nothing").to_str().unwrap());
        assert_eq!(
            (nothing.status, nothing.fix.as_deref()),
            (Status::Warn, Some("apt install g++"))
        );
        // A C compiler is not enough.
        let only_c = path("c");
        std::os::unix::fs::symlink("/bin/sh", only_c.join("gcc")).unwrap();
        assert_eq!(compiler(only_c.to_str().unwrap()).status, Status::Warn);
        // One that lies where no sandbox shows it.
        let elsewhere = path("elsewhere");
        let program = elsewhere.join("g++");
        std::fs::write(&program, "").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(compiler(elsewhere.to_str().unwrap()).status, Status::Warn);
        let shown = path("shown");
        std::os::unix::fs::symlink("/bin/sh", shown.join("g++")).unwrap();
        let both = format!("{}:{}", elsewhere.display(), shown.display());
        let found = compiler(&both);
        assert_eq!(
            (found.status, found.detail),
            (Status::Ok, shown.join("g++").display().to_string())
        );
    }

    #[test]
    fn the_disk_is_asked_for_what_an_installation_demands() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: data.path().into(),
            ..settings(data.path())
        };
        let disk = |settings: &Settings| {
            let checks = doctor(settings);
            let found = checks.into_iter().find(|check| check.name == "disk");
            found.unwrap().detail
        };
        let needs = install::disk_needs(&settings).unwrap();
        let missing = disk(&settings);
        assert!(missing.starts_with("installing needs "), "{missing}");
        for need in needs {
            assert!(missing.contains(&gigabytes(need.needed_bytes)), "{missing}");
        }
        let named = Settings {
            python: Some("/bin/false".into()),
            ..settings
        };
        assert!(!disk(&named).contains("installing"));
    }

    #[test]
    fn memory_is_judged_by_what_is_available() {
        let judge = |text: &str| judge_memory(text).status;
        assert_eq!(judge("MemTotal: 1 kB\nMemAvailable:   16000000 kB\n"), Status::Ok);
        assert_eq!(judge("MemAvailable: 4000000 kB\n"), Status::Warn);
        assert_eq!(judge("MemAvailable: 400000 kB\n"), Status::Fail);
        assert_eq!(judge("MemFree: 16000000 kB\n"), Status::Warn);
    }
}
