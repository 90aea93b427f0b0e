//! Looks for an interpreter to install the runtime for.
//!
//! `install` and `doctor` call [`find`]. Every candidate on the path is asked what it is, since a name alone says
//! little: version managers put programs there that only say that nothing is selected.

use std::path::PathBuf;

use crate::error::RuntimeError;
use crate::probe::{self, Answer};
use crate::settings::Settings;

/// In the order in which they are tried.
const NAMES: [&str; 4] = ["python3.13", "python3.12", "python3.11", "python3"];
/// The newest Python that the lock file covers.
pub(crate) const NEWEST_LOCKED_PYTHON: (u32, u32) = (3, 13);
const LOCKED_MACHINES: [&str; 2] = ["x86_64", "aarch64"];
const OLDEST_GLIBC: (u32, u32) = (2, 28);

/// An interpreter that the lock file covers.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) path: PathBuf,
    pub(crate) answer: Answer,
}

/// Finds the first interpreter on the path that the lock file covers.
pub(crate) fn find(settings: &Settings) -> Result<Interpreter, RuntimeError> {
    let mut tried = Vec::new();
    for name in NAMES {
        let Some(path) = settings.find_program(name) else {
            continue;
        };
        let answer = match probe::probe(&path) {
            Ok(answer) => answer,
            Err(error) => {
                tried.push(format!("{name}: {}", first_line(&error)));
                continue;
            }
        };
        match suits(&answer) {
            Ok(()) => {
                return Ok(Interpreter {
                    path: answer.executable.clone(),
                    answer,
                });
            }
            Err(reason) => tried.push(format!("{name}: {reason}")),
        }
    }
    let tried = if tried.is_empty() {
        String::new()
    } else {
        format!(" ({})", tried.join("; "))
    };
    Err(RuntimeError::NoPython { tried })
}

/// Refuses a machine without wheels in the lock file.
pub(crate) fn check_platform(answer: &Answer) -> Result<(), RuntimeError> {
    let [libc, libc_version] = &answer.libc;
    let machine = LOCKED_MACHINES.contains(&answer.machine.as_str());
    let glibc =
        libc == "glibc" && probe::leading_version(libc_version).is_some_and(|found| found >= OLDEST_GLIBC);
    if machine && glibc && cfg!(target_os = "linux") {
        return Ok(());
    }
    let libc = if libc.is_empty() {
        "another C library than glibc".to_owned()
    } else {
        format!("{libc} {libc_version}")
    };
    Err(RuntimeError::UnsupportedPlatform {
        found: format!("{} with {libc}", answer.machine),
    })
}

fn suits(answer: &Answer) -> Result<(), String> {
    let version = answer.language();
    if answer.implementation != "CPython" {
        return Err(format!("{} is not CPython", answer.implementation));
    }
    if version < probe::OLDEST_PYTHON || version > NEWEST_LOCKED_PYTHON {
        return Err(format!("version {}", answer.version_text()));
    }
    if !answer.venv {
        return Err("it cannot make environments with pip: `venv` or `ensurepip` is missing".to_owned());
    }
    Ok(())
}

fn first_line(error: &RuntimeError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(implementation: &str, version: [u32; 3], machine: &str, libc: [&str; 2]) -> Answer {
        Answer {
            implementation: implementation.to_owned(),
            version,
            machine: machine.to_owned(),
            libc: libc.map(str::to_owned),
            executable: PathBuf::new(),
            prefixes: Vec::new(),
            paths: Vec::new(),
            stdlib: Vec::new(),
            packages: Vec::new(),
            libraries: Vec::new(),
            venv: true,
            torch: None,
            numpy: None,
            einops: None,
        }
    }

    #[test]
    fn only_what_the_lock_file_covers_suits() {
        let glibc = ["glibc", "2.36"];
        for (implementation, version, ok) in [
            ("CPython", [3, 11, 0], true),
            ("CPython", [3, 13, 9], true),
            ("CPython", [3, 10, 9], false),
            ("CPython", [3, 14, 0], false),
            ("PyPy", [3, 11, 0], false),
        ] {
            assert_eq!(
                suits(&answer(implementation, version, "x86_64", glibc)).is_ok(),
                ok,
                "{version:?}"
            );
        }
    }

    #[test]
    fn an_interpreter_that_can_make_no_environment_is_passed_over() {
        let mut answer = answer("CPython", [3, 11, 0], "x86_64", ["glibc", "2.36"]);
        assert!(suits(&answer).is_ok());
        answer.venv = false;
        let reason = suits(&answer).unwrap_err();
        assert!(reason.contains("ensurepip"), "{reason}");
    }

    #[test]
    fn only_machines_with_wheels_pass() {
        for (machine, libc, ok) in [
            ("x86_64", ["glibc", "2.28"], true),
            ("aarch64", ["glibc", "2.41"], true),
            ("x86_64", ["glibc", "2.27"], false),
            ("x86_64", ["", ""], false),
            ("riscv64", ["glibc", "2.41"], false),
        ] {
            let result = check_platform(&answer("CPython", [3, 12, 0], machine, libc));
            assert_eq!(result.is_ok(), ok, "{machine} {libc:?}");
        }
    }
}
