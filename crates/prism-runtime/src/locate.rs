//! Answers which interpreter runs miners' code.
//!
//! The engine calls [`locate`] once a run. There are two cases and no third: `PRISM_PYTHON` is set and is used or is
//! an error, or it is not set and the runtime that `install` made is used or is an error.

use std::path::{Path, PathBuf};

use prism_core::hash::Sha256Hash;

use crate::binds;
use crate::embedded;
use crate::error::RuntimeError;
use crate::installed;
use crate::probe::{self, Answer};
use crate::settings::{self, Settings};

/// An interpreter that can import torch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The interpreter, under the name to start it by.
    pub python: PathBuf,
    /// The directories that a sandbox must show read-only besides `/usr`, `/lib*`, `/bin` and `/sbin`: sorted,
    /// existing, none inside another. The embedded sources are not among them.
    pub read_only_dirs: Vec<PathBuf>,
    /// `3.11.7`.
    pub python_version: String,
    /// `2.15.0`, with whatever the build adds to it.
    pub torch_version: String,
    /// Its version, where numpy is installed.
    pub numpy_version: Option<String>,
    /// Its version, where einops is installed.
    pub einops_version: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a runtime comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made from the lock file of this hash.
    Locked(Sha256Hash),
    /// The interpreter that `PRISM_PYTHON` names.
    External,
}

impl Origin {
    /// For the record: the hash of the lock file, or `external`.
    pub fn label(&self) -> String {
        match self {
            Self::Locked(lock) => lock.to_string(),
            Self::External => "external".to_owned(),
        }
    }
}

/// Finds the runtime and asks it what it is. Takes some tens of milliseconds; torch is not imported.
pub fn locate(settings: &Settings) -> Result<Runtime, RuntimeError> {
    if let Some(python) = &settings.python {
        return external(settings, python);
    }
    locked(settings)
}

/// The runtime that `install` made, whatever `PRISM_PYTHON` says.
pub(crate) fn locked(settings: &Settings) -> Result<Runtime, RuntimeError> {
    let lock = embedded::lock_hash();
    let (directory, marker) = installed::find(settings, lock).ok_or(RuntimeError::NotInstalled)?;
    let broken = |reason: String| RuntimeError::Broken {
        directory: directory.clone(),
        reason,
    };
    let python = installed::python(&directory);
    let answer = probe::probe(&python).map_err(|error| broken(error.to_string()))?;
    if answer.torch.as_ref() != Some(&marker.torch_version) {
        let found = answer.torch.as_deref().unwrap_or("no version");
        return Err(broken(format!(
            "torch is {} there, not {}",
            found, marker.torch_version
        )));
    }
    if probe::leading_version(&marker.python_version) != Some(answer.language()) {
        return Err(broken(format!(
            "Python is {} now, not {}",
            answer.version_text(),
            marker.python_version
        )));
    }
    runtime(
        settings,
        &answer,
        python,
        marker.torch_version,
        Origin::Locked(lock),
    )
}

/// Whether [`locate`] would look at an installed runtime and find one that is complete.
pub fn is_installed(settings: &Settings) -> bool {
    installed::find(settings, embedded::lock_hash()).is_some()
}

fn external(settings: &Settings, python: &Path) -> Result<Runtime, RuntimeError> {
    if !settings::is_executable(python) {
        return Err(RuntimeError::NotAnInterpreter {
            path: python.to_owned(),
        });
    }
    let answer = probe::probe(python)?;
    answer.check_python(python)?;
    let torch_version = answer.check_torch(python)?;
    // What `PRISM_PYTHON` names may be a version manager's script; what runs in the sandbox is what it started.
    runtime(
        settings,
        &answer,
        answer.executable.clone(),
        torch_version,
        Origin::External,
    )
}

fn runtime(
    settings: &Settings,
    answer: &Answer,
    python: PathBuf,
    torch_version: String,
    origin: Origin,
) -> Result<Runtime, RuntimeError> {
    Ok(Runtime {
        read_only_dirs: binds::directories(answer, &settings.home)?,
        python,
        python_version: answer.version_text(),
        torch_version,
        numpy_version: answer.numpy.clone(),
        einops_version: answer.einops.clone(),
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::installed::tests::settings;

    #[test]
    fn nothing_installed_says_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        let error = locate(&settings(data.path())).unwrap_err();
        assert!(matches!(error, RuntimeError::NotInstalled));
        assert!(error.to_string().contains("prism runtime install"));
        assert!(!is_installed(&settings(data.path())));
    }

    #[test]
    fn a_named_interpreter_is_used_or_is_an_error() {
        let data = tempfile::tempdir().unwrap();
        let with = |python: &str| {
            locate(&Settings {
                python: Some(python.into()),
                ..settings(data.path())
            })
        };
        assert!(matches!(
            with("/does/not/exist"),
            Err(RuntimeError::NotAnInterpreter { .. })
        ));
        assert!(matches!(
            with("/etc/passwd"),
            Err(RuntimeError::NotAnInterpreter { .. })
        ));
        assert!(matches!(with("/bin/true"), Err(RuntimeError::ProbeFailed { .. })));
        assert!(matches!(
            with("/bin/false"),
            Err(RuntimeError::ProbeFailed { .. })
        ));
    }

    #[test]
    fn an_installed_runtime_without_its_interpreter_is_broken() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let lock = embedded::lock_hash();
        let directory = installed::directory(&settings, lock, (3, 12));
        std::fs::create_dir_all(&directory).unwrap();
        installed::Marker::new(lock, "3.12.1", "2.15.0", "pip")
            .write(&directory)
            .unwrap();
        assert!(is_installed(&settings));
        assert!(matches!(locate(&settings), Err(RuntimeError::Broken { .. })));
    }

    #[test]
    fn labels_for_the_record() {
        assert_eq!(Origin::External.label(), "external");
        assert_eq!(Origin::Locked(Sha256Hash([0xab; 32])).label(), "ab".repeat(32));
    }
}
