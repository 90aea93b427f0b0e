//! What is missing on this machine, and how to get it.
//!
//! `prism runtime doctor` prints what [`doctor`] returns, with the sandbox's own check added to it. Nothing is changed
//! and nothing is installed here.

use std::path::Path;

use crate::embedded;
use crate::install::{free_bytes, installed_and_download_bytes};
use crate::interpreter;
use crate::locate::{Origin, locate};
use crate::probe;
use crate::settings::Settings;

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
    let mut checks = vec![python(settings), installer(settings)];
    checks.extend(runtime(settings));
    checks.extend([sources(settings), c_compiler(settings), disk(settings), memory()]);
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

fn installer(settings: &Settings) -> Check {
    match settings.find_program("uv") {
        Some(uv) => Check::ok("installer", format!("uv at {}", uv.display())),
        None => Check::ok("installer", "pip (uv is not on the PATH; it would be faster)"),
    }
}

fn runtime(settings: &Settings) -> Vec<Check> {
    let located = match locate(settings) {
        Ok(located) => located,
        Err(error) => {
            let fix = match &settings.python {
                Some(_) => "set PRISM_PYTHON to an interpreter with torch 2.9 or newer, or unset it",
                None => "prism runtime install",
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
    let torch = match probe::try_torch(&located.python) {
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
    vec![Check::ok("runtime", detail), torch, packages]
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

fn c_compiler(settings: &Settings) -> Check {
    let named = settings.c_compiler.as_ref().and_then(|name| name.to_str());
    let found = match named {
        // Given with a path it is used as it is.
        Some(name) if name.contains('/') => Some(Path::new(name).to_owned()).filter(|path| path.is_file()),
        Some(name) => settings.find_program(name),
        None => ["cc", "gcc", "clang"]
            .iter()
            .find_map(|name| settings.find_program(name)),
    };
    match found {
        Some(path) => Check::ok("c compiler", path.display().to_string()),
        None => Check::new(
            "c compiler",
            Status::Warn,
            "none found; torch.compile will not work",
            Some("apt install gcc"),
        ),
    }
}

fn disk(settings: &Settings) -> Check {
    let free = match free_bytes(&settings.data_dir) {
        Ok(free) => free,
        Err(error) => {
            return Check::new(
                "disk",
                Status::Fail,
                error.to_string(),
                Some("set PRISM_DATA_DIR"),
            );
        }
    };
    let detail = format!("{} free in {}", gigabytes(free), settings.data_dir.display());
    let wanted = if crate::is_installed(settings) || settings.python.is_some() {
        LEAST_DISK_BYTES
    } else {
        LEAST_DISK_BYTES + installed_and_download_bytes()
    };
    if free >= wanted {
        return Check::ok("disk", detail);
    }
    let fix = format!(
        "free some space ({} are needed), or set PRISM_DATA_DIR to another disk",
        gigabytes(wanted)
    );
    Check::new("disk", Status::Fail, detail, Some(&fix))
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

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installed::tests::settings;

    #[test]
    fn names_everything_once_and_says_how_to_fix_what_fails() {
        let data = tempfile::tempdir().unwrap();
        let checks = doctor(&settings(data.path()));
        let names: Vec<_> = checks.iter().map(|check| check.name).collect();
        assert_eq!(
            names,
            [
                "python",
                "installer",
                "runtime",
                "sources",
                "c compiler",
                "disk",
                "memory"
            ]
        );
        let runtime = &checks[2];
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
        assert_eq!(status("installer"), Status::Ok);
        assert_eq!(status("c compiler"), Status::Warn);
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
