//! Everything that can be wrong with the runtime.
//!
//! One variant per cause, each with what to do next. [`RuntimeError::code`] is the stable name; the text is for the
//! person in front of the machine. All of them are the operator's, none is a miner's fault.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;

use crate::gigabytes;

/// Why there is no runtime to use.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum RuntimeError {
    /// Neither `PRISM_DATA_DIR` nor a home directory.
    #[error("there is no home directory to keep the runtime in")]
    NoHome,
    /// The operating system refused.
    #[error(transparent)]
    Io(IoError),
    #[error("the Python runtime is not installed")]
    NotInstalled,
    #[error("the Python runtime in {directory:?} does not work: {reason}", directory = .directory.as_os_str())]
    Broken { directory: PathBuf, reason: String },
    /// `PRISM_PYTHON` does not name a program.
    #[error("PRISM_PYTHON is {path:?}, which is not an executable file", path = .path.as_os_str())]
    NotAnInterpreter { path: PathBuf },
    #[error("the interpreter {path:?} did not answer: {reason}", path = .path.as_os_str())]
    ProbeFailed {
        path: PathBuf,
        /// What happened, with the end of what it printed.
        reason: String,
    },
    /// An interpreter that is too old, too new, or not `CPython`.
    #[error("{path:?} is {found}; PRISM needs CPython 3.11 or newer", path = .path.as_os_str())]
    WrongPython { path: PathBuf, found: String },
    #[error("{path:?} has no torch", path = .path.as_os_str())]
    NoTorch { path: PathBuf },
    #[error("{path:?} has torch {found}; PRISM needs 2.9 or newer", path = .path.as_os_str())]
    OldTorch { path: PathBuf, found: String },
    #[error("the interpreter needs {path:?}, which a sandbox must not show as a whole", path = .path.as_os_str())]
    BindTooBroad { path: PathBuf },
    #[error("PRISM runs as root, and submissions under another user, who may not read {path:?}, which the interpreter needs", path = .path.as_os_str())]
    ClosedToOthers { path: PathBuf },
    #[error("the interpreter needs {path:?}, which a sandbox shows empty", path = .path.as_os_str())]
    BindHidden { path: PathBuf },
    #[error("{path:?} is no program of this machine", path = .path.as_os_str())]
    NotAProgram { path: PathBuf },
    #[error("{path:?} has {free} free, and the copy of the Python runtime for those who answer needs {needed}", path = .path.as_os_str(), free = gigabytes(*.free_bytes), needed = gigabytes(*.needed_bytes))]
    NoRoomForViews {
        path: PathBuf,
        free_bytes: u64,
        needed_bytes: u64,
    },
    #[error("the Python modules could not be compiled for the sandboxes:\n{tail}")]
    NotCompiled {
        /// The end of what the interpreter printed.
        tail: String,
    },
    #[error("the Python runtime or the system's libraries were changed while {path:?} was made", path = .path.as_os_str())]
    ViewsUnsteady { path: PathBuf },
    #[error("no CPython 3.11, 3.12 or 3.13 that can make environments was found on the PATH{tried}")]
    NoPython {
        /// What was looked at, with the punctuation that leads to it.
        tried: String,
    },
    #[error(
        "the runtime cannot be installed on {found}: the lock file covers Linux with glibc 2.28 or newer on x86_64 and aarch64"
    )]
    UnsupportedPlatform { found: String },
    #[error("{path:?} has {free} free and the installation needs {needed}", path = .path.as_os_str(), free = gigabytes(*.free_bytes), needed = gigabytes(*.needed_bytes))]
    NotEnoughDisk {
        path: PathBuf,
        free_bytes: u64,
        needed_bytes: u64,
    },
    #[error(
        "the disk filled up while {step}; free some space, or set PRISM_DATA_DIR, XDG_CACHE_HOME and TMPDIR to another disk:\n{tail}"
    )]
    DiskFull {
        step: &'static str,
        /// Where, or the end of what was printed.
        tail: String,
    },
    #[error(
        "{step} failed, and the proxy {proxy} does not answer ({reason}); start it, or unset that variable:\n{tail}"
    )]
    Proxy {
        step: &'static str,
        proxy: String,
        reason: String,
        /// The end of what the installer printed.
        tail: String,
    },
    #[error("{step} failed ({status}){advice}:\n{tail}")]
    StepFailed {
        step: &'static str,
        status: ExitStatus,
        /// What to look at, with the punctuation before it.
        advice: String,
        /// The end of what it printed.
        tail: String,
    },
    #[error(
        "the installation was stopped; nothing was left that looks complete, run `prism runtime install` to go on"
    )]
    Cancelled,
}

impl Advice for RuntimeError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NoHome => "set HOME or PRISM_DATA_DIR".into(),
            Self::NotInstalled => {
                "run `prism runtime install`, or set PRISM_PYTHON to an interpreter with torch".into()
            }
            Self::Broken { .. } => "run `prism runtime install` to make it again".into(),
            Self::NotAnInterpreter { .. } => "set it to a Python interpreter or unset it".into(),
            Self::NoTorch { .. } => "install torch 2.9 or newer for it, or unset PRISM_PYTHON".into(),
            Self::BindTooBroad { .. } => "use an interpreter in a directory of its own".into(),
            Self::ClosedToOthers { .. } => "run `chmod -R o+rX` on it, or use another interpreter".into(),
            Self::BindHidden { .. } => {
                "use an interpreter outside of `/usr/share` and `/usr/local/share`".into()
            }
            Self::NotAProgram { .. } => {
                "set PRISM_PYTHON to the interpreter itself, not to a script that starts it".into()
            }
            Self::NoRoomForViews { .. } | Self::NotEnoughDisk { .. } => {
                "free some space, or set PRISM_DATA_DIR to another disk".into()
            }
            Self::ViewsUnsteady { .. } => "try again when that is done".into(),
            Self::NoPython { .. } => {
                "install one, for example with `apt install python3 python3-venv`".into()
            }
            Self::UnsupportedPlatform { .. } => {
                "set PRISM_PYTHON to an interpreter with torch instead".into()
            }
            _ => return None,
        })
    }
}

impl RuntimeError {
    /// A stable name for the cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHome => "runtime_no_home",
            Self::Io { .. } => "runtime_io",
            Self::NotInstalled => "runtime_not_installed",
            Self::Broken { .. } => "runtime_broken",
            Self::NotAnInterpreter { .. } => "runtime_not_an_interpreter",
            Self::ProbeFailed { .. } => "runtime_probe_failed",
            Self::WrongPython { .. } => "runtime_wrong_python",
            Self::NoTorch { .. } => "runtime_no_torch",
            Self::OldTorch { .. } => "runtime_old_torch",
            Self::BindHidden { .. } => "runtime_bind_hidden",
            Self::BindTooBroad { .. } => "runtime_bind_too_broad",
            Self::ClosedToOthers { .. } => "runtime_closed_to_others",
            Self::NotAProgram { .. } => "runtime_not_a_program",
            Self::NoRoomForViews { .. } => "runtime_no_room_for_views",
            Self::NotCompiled { .. } => "runtime_not_compiled",
            Self::ViewsUnsteady { .. } => "runtime_views_unsteady",
            Self::NoPython { .. } => "runtime_no_python",
            Self::UnsupportedPlatform { .. } => "runtime_unsupported_platform",
            Self::NotEnoughDisk { .. } => "runtime_not_enough_disk",
            Self::DiskFull { .. } => "runtime_disk_full",
            Self::Proxy { .. } => "runtime_proxy",
            Self::StepFailed { .. } => "runtime_step_failed",
            Self::Cancelled => "runtime_cancelled",
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io(IoError { action, path, source })
    }
}
