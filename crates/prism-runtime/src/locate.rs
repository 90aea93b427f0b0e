//! Answers which interpreter runs miners' code.
//!
//! The engine calls [`locate`] once a run. There are two cases and no third: `PRISM_PYTHON` is set and is used or is
//! an error, or it is not set and the runtime that `install` made is used or is an error.

use std::path::{Path, PathBuf};

use prism_core::hash::Sha256Hash;

use crate::binds;
use crate::embedded;
use crate::error::RuntimeError;
use crate::installed::{self, Marker};
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
    /// Where the interpreter looks for modules.
    pub search: Vec<PathBuf>,
    /// The system's headers, which the learner's compiler needs.
    pub headers: Vec<PathBuf>,
    /// The directories that it is installed in: its environment's, and that of the interpreter behind it.
    pub prefixes: Vec<PathBuf>,
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

/// A runtime that `install` made and that works, whatever `PRISM_PYTHON` says: the first of the complete ones, as there
/// may be one for each version of Python.
pub(crate) fn locked(settings: &Settings) -> Result<Runtime, RuntimeError> {
    let mut first_error = None;
    for (directory, marker) in installed::complete(settings, embedded::lock_hash()) {
        match check(settings, &directory, marker) {
            Ok(runtime) => return Ok(runtime),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or(RuntimeError::NotInstalled))
}

/// The complete runtime in a directory.
pub(crate) fn locked_at(settings: &Settings, directory: &Path) -> Result<Runtime, RuntimeError> {
    let marker = Marker::read(directory, embedded::lock_hash()).ok_or(RuntimeError::NotInstalled)?;
    check(settings, directory, marker)
}

/// Asks an installed runtime whether it is still what its marker says.
fn check(settings: &Settings, directory: &Path, marker: Marker) -> Result<Runtime, RuntimeError> {
    let broken = |reason: String| RuntimeError::Broken {
        directory: directory.to_owned(),
        reason,
    };
    if settings.is_root && !may_read(directory)? {
        return Err(broken(
            "PRISM runs as root, and submissions under another user, who may not read it".to_owned(),
        ));
    }
    let python = installed::python(directory);
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
        Origin::Locked(embedded::lock_hash()),
    )
}

/// Whether [`locate`] would look at an installed runtime and find one that is complete.
pub fn is_installed(settings: &Settings) -> bool {
    !installed::complete(settings, embedded::lock_hash()).is_empty()
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
    // A directory of the interpreter that an environment was made with, for example.
    for prefix in answer.prefixes.iter().filter(|prefix| prefix.is_dir()) {
        if settings.is_root && !may_read(prefix)? {
            return Err(RuntimeError::ClosedToOthers { path: prefix.clone() });
        }
    }
    Ok(Runtime {
        read_only_dirs: binds::directories(answer, settings.home.as_deref())?,
        search: binds::search(answer),
        headers: binds::headers(),
        prefixes: answer.prefixes.clone(),
        python,
        python_version: answer.version_text(),
        torch_version,
        numpy_version: answer.numpy.clone(),
        einops_version: answer.einops.clone(),
        origin,
    })
}

fn may_read(directory: &Path) -> Result<bool, RuntimeError> {
    installed::everybody_may_read(directory).map_err(RuntimeError::io("look at", directory))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use prism_core::advice::Advice as _;

    use super::*;
    use crate::installed::tests::{settings, write_program};

    /// The version that the markers of the tests name.
    pub(crate) const TORCH: &str = "2.15.0";

    /// A program that answers as an interpreter of this version would that has its packages in `prefix`.
    pub(crate) fn fake_answer(prefix: &Path, [major, minor]: [u32; 2]) -> String {
        format!(
            r#"PRISM-PROBE {{"implementation": "CPython", "version": [{major}, {minor}, 1], "machine": "x86_64",
            "libc": ["glibc", "2.36"], "executable": "{prefix}/bin/python", "prefixes": ["{prefix}"], "paths": [],
            "stdlib": [], "packages": [], "libraries": [], "venv": true, "torch": "{TORCH}", "numpy": null, "einops": null}}"#,
            prefix = prefix.display(),
        )
        .replace('\n', "")
    }

    /// Installs something that works like a runtime.
    fn fake_runtime(settings: &Settings, version: [u32; 2]) -> PathBuf {
        let lock = embedded::lock_hash();
        let directory = installed::directory(settings, lock, version.into());
        fs::create_dir_all(directory.join("bin")).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        let python = installed::python(&directory);
        let script = format!("#!/bin/sh\necho '{}'\n", fake_answer(&directory, version));
        write_program(&python, &script);
        let [major, minor] = version;
        installed::Marker::new(lock, &format!("{major}.{minor}.1"), TORCH)
            .write(&directory)
            .unwrap();
        directory
    }

    #[test]
    fn nothing_installed_says_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        let error = locate(&settings(data.path())).unwrap_err();
        assert!(matches!(error, RuntimeError::NotInstalled));
        assert!(error.told().contains("prism runtime install"));
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
        installed::Marker::new(lock, "3.12.1", "2.15.0")
            .write(&directory)
            .unwrap();
        assert!(is_installed(&settings));
        assert!(matches!(locate(&settings), Err(RuntimeError::Broken { .. })));
    }

    #[test]
    fn every_complete_runtime_is_tried_and_the_newest_that_works_is_used() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let older = fake_runtime(&settings, [3, 11]);
        let newer = fake_runtime(&settings, [3, 13]);
        let used = || locate(&settings).map(|runtime| runtime.python);
        assert_eq!(used().unwrap(), installed::python(&newer));
        fs::remove_file(installed::python(&newer)).unwrap();
        assert_eq!(used().unwrap(), installed::python(&older));
        assert!(matches!(
            locked_at(&settings, &newer),
            Err(RuntimeError::Broken { .. })
        ));
        fs::remove_file(installed::python(&older)).unwrap();
        let error = used().unwrap_err();
        assert!(
            matches!(&error, RuntimeError::Broken { directory, .. } if *directory == newer),
            "{error}"
        );
    }

    #[test]
    fn a_runtime_that_submissions_could_not_read_is_broken() {
        let data = tempfile::tempdir().unwrap();
        let as_root = |is_root| Settings {
            is_root,
            ..settings(data.path())
        };
        let directory = fake_runtime(&as_root(true), [3, 12]);
        locate(&as_root(true)).unwrap();
        for mode in [0o700, 0o750, 0o751, 0o754] {
            fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
            let error = locate(&as_root(true)).unwrap_err();
            assert!(
                matches!(&error, RuntimeError::Broken { reason, .. } if reason.contains("may not read")),
                "{error}"
            );
            locate(&as_root(false)).unwrap();
        }
    }

    #[test]
    fn an_interpreter_that_submissions_could_not_read_is_named() {
        let data = tempfile::tempdir().unwrap();
        let prefix = fake_runtime(&settings(data.path()), [3, 12]);
        let as_root = |is_root| Settings {
            is_root,
            python: Some(installed::python(&prefix)),
            ..settings(data.path())
        };
        locate(&as_root(true)).unwrap();
        fs::set_permissions(&prefix, Permissions::from_mode(0o700)).unwrap();
        let error = locate(&as_root(true)).unwrap_err();
        assert!(
            matches!(&error, RuntimeError::ClosedToOthers { path } if *path == prefix),
            "{error}"
        );
        locate(&as_root(false)).unwrap();
    }

    #[test]
    fn labels_for_the_record() {
        assert_eq!(Origin::External.label(), "external");
        assert_eq!(Origin::Locked(Sha256Hash([0xab; 32])).label(), "ab".repeat(32));
    }
}
