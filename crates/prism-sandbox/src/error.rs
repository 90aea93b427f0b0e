//! Every way in which confinement can fail, one name per system call.
//!
//! Built by the setup code of keeper, init and payload; carried to the caller as [`FailedStep`]; shown to people through [`SpawnError`] and
//! [`FreezeError`]. It must never lose the step or the errno: they are all that is known about a failure inside the sandbox.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use prism_core::advice::{Advice, Hint};
use serde::{Deserialize, Serialize};

/// Why [`crate::Sandbox::spawn`] gave no sandbox. Nothing of it is left running.
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum SpawnError {
    /// The specification is contradictory or out of bounds; nothing was started.
    #[error("the sandbox specification is not valid: {0}")]
    InvalidSpec(String),
    #[error("{in_use} sandboxes are alive in this process, which is the most it may have")]
    TooManySandboxes { in_use: usize },
    #[error("could not {what}: {source_text}")]
    Caller { what: &'static str, source_text: String },
    #[error(
        "could not start the sandbox helper {path}: {source_text}; it must be an executable that calls `prism_sandbox::run_init_if_asked` first thing in `main`",
        path = path.display()
    )]
    Helper { path: PathBuf, source_text: String },
    #[error("the sandbox helper {what} before the payload started")]
    HelperSilent { what: &'static str },
    #[error("could not prepare the control group: {0}")]
    Cgroup(String),
    #[error("could not isolate the process: {0}")]
    Setup(FailedStep),
}

impl Advice for SpawnError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::TooManySandboxes { .. } => "drop one first".into(),
            Self::HelperSilent { .. } => {
                "is it an executable that calls `prism_sandbox::run_init_if_asked` first thing in `main`?"
                    .into()
            }
            Self::Setup(failure) => return failure.hint().map(Cow::Borrowed),
            _ => return None,
        })
    }
}

/// Why [`crate::Sandbox::freeze`] or [`crate::Sandbox::thaw`] failed. The sandbox must then be treated as running.
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum FreezeError {
    #[error("the sandboxed process has already ended")]
    Ended,
    #[error("not every process in the sandbox stopped within {waited_ms} ms")]
    Timeout {
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
    #[error("the {what} of the sandbox's freezer failed: {source_text}")]
    Control { what: &'static str, source_text: String },
    #[error("the sandbox's init could not stop its processes: {0}")]
    Init(String),
}

/// Why [`crate::Sandbox::seal`] failed. Whatever runs must be treated as unsealed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SealError {
    /// There is nothing left to seal.
    #[error("the sandboxed process has already ended")]
    Ended,
    /// The init did not answer in time.
    #[error("the sandbox's init did not answer within {waited_ms} ms")]
    Timeout {
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
    /// The init could not be told, or answered that it failed.
    #[error("the sandbox's init could not put the seal on: {0}")]
    Init(String),
}

/// One failed step of the set-up, as reported from inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedStep {
    /// Which operation failed.
    pub step: Step,
    /// The errno it returned, 0 where none applies.
    pub errno: i32,
    /// The path, limit or value it was about; may be empty.
    pub what: String,
}

impl fmt::Display for FailedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        if !self.what.is_empty() {
            write!(f, " ({})", self.what)?;
        }
        if self.errno != 0 {
            write!(f, " failed: {}", std::io::Error::from_raw_os_error(self.errno))?;
        }
        Ok(())
    }
}

impl FailedStep {
    /// What the person in front of the screen can do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match (self.step, self.errno) {
            (Step::OpenBind, libc::EACCES) => Some(
                "the user who starts the sandbox must be able to read what is bound; an interpreter under another user's private home is not",
            ),
            (Step::OpenBind, libc::ENOENT) => Some("the path to bind does not exist"),
            (Step::Execute, libc::EACCES) => Some(
                "the program, its interpreter and every bound directory above them must be readable and executable by an unprivileged user (mode o+rx)",
            ),
            (Step::Execute, libc::ENOENT) => Some(
                "the program, or the loader that it names, is not inside the sandbox: bind it, and the system directories",
            ),
            (Step::MakeMountpoint, libc::EROFS) => {
                Some("a target inside a read-only bind must exist there already")
            }
            _ => None,
        }
    }
}

/// The result of a set-up step.
pub(crate) type Setup<T> = Result<T, FailedStep>;

/// Attaches the step to an operating-system error.
pub(crate) trait At<T> {
    /// The same result, with the failing step named.
    fn at(self, step: Step) -> Setup<T>;
    /// The same, and with what it was about.
    fn at_what(self, step: Step, what: impl fmt::Display) -> Setup<T>;
}

impl<T, E: Into<Errno>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Setup<T> {
        self.at_what(step, "")
    }
    fn at_what(self, step: Step, what: impl fmt::Display) -> Setup<T> {
        self.map_err(|error| FailedStep {
            step,
            errno: error.into().0,
            what: what.to_string(),
        })
    }
}

/// An errno, whichever library returned it.
pub(crate) struct Errno(pub(crate) i32);

impl From<rustix::io::Errno> for Errno {
    fn from(error: rustix::io::Errno) -> Self {
        Self(error.raw_os_error())
    }
}

impl From<std::io::Error> for Errno {
    fn from(error: std::io::Error) -> Self {
        Self(error.raw_os_error().unwrap_or(0))
    }
}

/// Turns the return value of a raw system call into a result.
pub(crate) fn cvt(returned: libc::c_long) -> Result<libc::c_long, Errno> {
    if returned == -1 {
        Err(Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)))
    } else {
        Ok(returned)
    }
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// The steps of the set-up, in the order in which they are taken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Step {
            $(#[doc = $text] $name,)*
        }
        impl fmt::Display for Step {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

steps! {
    // The keeper, in the host's namespaces.
    ReceivePlan => "receive the plan",
    KeeperSession => "setsid of the keeper",
    OpenCgroup => "open cgroup.procs",
    KeeperPipe => "pipe to the keeper",
    NewNamespaces => "clone with new namespaces",
    // The init, in the new namespaces.
    InitSession => "setsid of the init",
    DenySetgroups => "write /proc/self/setgroups",
    WriteUidMap => "write /proc/self/uid_map",
    WriteGidMap => "write /proc/self/gid_map",
    OomScore => "write /proc/self/oom_score_adj",
    PrivateMounts => "make every mount private",
    OpenBind => "open_tree of a path to bind",
    RestrictBind => "mount_setattr of a bound path",
    OpenDevice => "open_tree of a device",
    MountProc => "mount /proc of the new PID namespace",
    CoverProc => "cover what /proc tells about the machine",
    MountSys => "mount /sys",
    MountRoot => "mount the new root",
    PivotRoot => "pivot_root",
    DetachOldRoot => "unmount the old root",
    MakeMountpoint => "make a mount point",
    AttachMount => "move_mount",
    MountTmpfs => "mount a tmpfs",
    WriteEtc => "write a file of /etc",
    MakeSymlink => "make a symbolic link in /dev",
    SealRoot => "make the new root read-only",
    SetHostname => "sethostname",
    LoopbackUp => "bring up the loopback interface",
    NotDumpable => "prctl(PR_SET_DUMPABLE)",
    ExecPipe => "pipe to the payload",
    BuildSeccomp => "compile the system-call filters",
    ForkPayload => "fork of the payload",
    // The payload process, before it becomes the payload.
    PayloadSession => "setsid of the payload",
    JoinCgroup => "join the control group",
    CgroupNamespace => "unshare(CLONE_NEWCGROUP)",
    Affinity => "sched_setaffinity",
    PlaceDescriptors => "place the file descriptors",
    SetLimit => "setrlimit",
    ResetSignals => "reset the signal mask",
    DropGroups => "setgroups",
    DropBounding => "drop the capability bounding set",
    DropUser => "setresuid and setresgid",
    DropCapabilities => "capset",
    CheckIdentity => "check that no privilege is left",
    NoNewPrivs => "prctl(PR_SET_NO_NEW_PRIVS)",
    ChangeDirectory => "chdir",
    Landlock => "apply Landlock",
    Seccomp => "install the system-call filters",
    SeccompListener => "seccomp with a listener, for the seal",
    Execute => "execve",
    // The init, once the payload runs.
    DeathSignal => "prctl(PR_SET_PDEATHSIG)",
    SignalDescriptor => "signalfd",
    // Neither step nor call: the trial run of the preflight looked around and found a hole.
    Probe => "the trial run inside the sandbox",
}
