//! Asks an interpreter what it is.
//!
//! `interpreter` asks every candidate, `locate` the chosen one. The questions are in `probe.py`; the interpreter runs
//! it isolated (`-I`), without the variables that change how Python or the dynamic loader search, since a sandbox has
//! none of them either. An interpreter that does not answer in time, or not in this form, is an error.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::child::{self, Ending};
use crate::error::RuntimeError;

const SCRIPT: &str = include_str!("probe.py");
const MARKER: &str = "PRISM-PROBE ";
/// Far more than an interpreter needs on a slow disk.
const LIMIT: Duration = Duration::from_mins(1);
/// What changes the search paths of Python or of the dynamic loader.
pub(crate) const REMOVED_VARIABLES: [&str; 5] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "__PYVENV_LAUNCHER__",
];

/// The oldest Python whose syntax and library the runtime uses.
pub(crate) const OLDEST_PYTHON: (u32, u32) = (3, 11);
/// The oldest torch that the runtime works with.
pub(crate) const OLDEST_TORCH: (u32, u32) = (2, 9);

/// What an interpreter says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) implementation: String,
    pub(crate) version: [u32; 3],
    pub(crate) machine: String,
    /// The C library's name and version.
    pub(crate) libc: [String; 2],
    pub(crate) executable: PathBuf,
    pub(crate) prefixes: Vec<PathBuf>,
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) stdlib: Vec<PathBuf>,
    pub(crate) packages: Vec<PathBuf>,
    pub(crate) libraries: Vec<PathBuf>,
    /// Whether it can make environments with pip in them.
    pub(crate) venv: bool,
    pub(crate) torch: Option<String>,
    pub(crate) numpy: Option<String>,
    pub(crate) einops: Option<String>,
}

impl Answer {
    /// `3.11.7`.
    pub(crate) fn version_text(&self) -> String {
        let [major, minor, patch] = self.version;
        format!("{major}.{minor}.{patch}")
    }

    /// Major and minor version.
    pub(crate) fn language(&self) -> (u32, u32) {
        (self.version[0], self.version[1])
    }

    /// Refuses what is no `CPython` of a sufficient version.
    pub(crate) fn check_python(&self, path: &Path) -> Result<(), RuntimeError> {
        if self.implementation == "CPython" && self.language() >= OLDEST_PYTHON {
            return Ok(());
        }
        let found = format!("{} {}", self.implementation, self.version_text());
        Err(RuntimeError::WrongPython {
            path: path.to_owned(),
            found,
        })
    }

    /// Refuses an interpreter without a torch of a sufficient version, and returns that.
    pub(crate) fn check_torch(&self, path: &Path) -> Result<String, RuntimeError> {
        let found = self.torch.clone().ok_or_else(|| RuntimeError::NoTorch {
            path: path.to_owned(),
        })?;
        match leading_version(&found) {
            Some(version) if version >= OLDEST_TORCH => Ok(found),
            _ => Err(RuntimeError::OldTorch {
                path: path.to_owned(),
                found,
            }),
        }
    }
}

/// The first two numbers of `2.15.0+cu132`.
pub(crate) fn leading_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(['.', '+', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Asks an interpreter.
pub(crate) fn probe(python: &Path) -> Result<Answer, RuntimeError> {
    let mut command = Command::new(python);
    command.args(["-I", "-B", "-c", SCRIPT]);
    ask(command, python, LIMIT, &|| false)
}

/// Makes the interpreter import torch and use it once: what only fails then is a library or a processor feature that
/// is missing. Takes seconds, on a slow disk minutes; `stop` is asked meanwhile.
pub(crate) fn try_torch(python: &Path, stop: &dyn Fn() -> bool) -> Result<String, RuntimeError> {
    let script = "import json, torch; assert float((torch.ones(2) + 1).sum()) == 4.0; \
                  print('PRISM-PROBE ' + json.dumps(torch.__version__))";
    let mut command = Command::new(python);
    command.args(["-I", "-B", "-c", script]);
    ask(command, python, 3 * LIMIT, stop)
}

fn ask<T: for<'de> Deserialize<'de>>(
    mut command: Command,
    python: &Path,
    limit: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<T, RuntimeError> {
    command.stdin(Stdio::null());
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    let failed = |reason: String| RuntimeError::ProbeFailed {
        path: python.to_owned(),
        reason,
    };
    let mut answer = None;
    let finished = child::run(command, Some(limit), stop, &mut |line| {
        if let Some(json) = line.strip_prefix(MARKER) {
            answer = Some(json.to_owned());
        }
    })
    .map_err(|error| failed(error.to_string()))?;
    let tail = || {
        if finished.tail.is_empty() {
            String::new()
        } else {
            format!(":\n{}", finished.tail)
        }
    };
    match finished.ending {
        Ending::Exited(status) if status.success() => {}
        Ending::Exited(status) => return Err(failed(format!("{status}{}", tail()))),
        Ending::Stopped => return Err(RuntimeError::Cancelled),
        Ending::TimedOut => {
            return Err(failed(format!(
                "no answer within {} s{}",
                limit.as_secs(),
                tail()
            )));
        }
    }
    let answer = answer.ok_or_else(|| failed(format!("it printed no answer{}", tail())))?;
    serde_json::from_str(&answer).map_err(|error| failed(format!("its answer is not understood: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<String, RuntimeError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        ask(command, Path::new("/bin/sh"), LIMIT, &|| false)
    }

    #[test]
    fn whoever_waits_for_an_answer_can_stop() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo 'PRISM-PROBE \"x\"'; exec sleep 60"]);
        let stopped = ask::<String>(command, Path::new("/bin/sh"), LIMIT, &|| true);
        assert!(matches!(stopped, Err(RuntimeError::Cancelled)), "{stopped:?}");
    }

    #[test]
    fn takes_the_answer_from_among_other_lines() {
        assert_eq!(
            shell("echo hello; echo 'PRISM-PROBE \"x\"'; echo bye >&2").unwrap(),
            "x"
        );
    }

    #[test]
    fn every_other_ending_is_an_error_that_shows_what_was_printed() {
        for (script, part) in [
            ("echo no module >&2; exit 1", "no module"),
            ("echo hello", "printed no answer:\nhello"),
            ("echo 'PRISM-PROBE {'", "not understood"),
            ("echo 'PRISM-PROBE 3'", "not understood"),
            ("kill -9 $$", "signal: 9"),
        ] {
            let message = shell(script).unwrap_err().to_string();
            assert!(message.contains(part), "{script}: {message}");
        }
    }

    #[test]
    fn versions() {
        for (text, version) in [
            ("2.15.0", Some((2, 15))),
            ("2.9.0+cu128", Some((2, 9))),
            ("2.10+rocm", Some((2, 10))),
            ("3.0a1", None),
            ("nightly", None),
            ("", None),
        ] {
            assert_eq!(leading_version(text), version, "{text}");
        }
    }
}
