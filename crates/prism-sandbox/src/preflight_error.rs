//! Why a machine is refused, in words that lead somewhere.
//!
//! Filled in by `preflight.rs`. Kernel switches are read here to word an error and for nothing else. It must never suggest running without the sandbox.

use prism_core::advice::{Advice, Hint};

use crate::caller_limits::CallerLimitsError;
use crate::capabilities::Mode;
use crate::ending::Ending;
use crate::error::{FailedStep, FreezeError, SpawnError, Step};

/// Why this machine cannot confine, and what would change that.
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum PreflightError {
    #[error("running as root without {}: the sandbox cannot be built, and it never runs anything as host uid 0", missing.join(", "))]
    RootWithoutCapabilities { missing: Vec<&'static str> },
    #[error(
        "uid {uid} of this user namespace is host uid 0; nothing is ever run as host uid 0: start from a namespace that maps an ordinary user"
    )]
    HostUidZero { uid: u32 },
    #[error("the group of this user is 0, the group of root")]
    RootGroup,
    #[error(
        "running as root of a user namespace without unused ids (needs 61184 to 65519, or all, in /proc/self/uid_map)"
    )]
    NoUnusedIds,
    /// `/proc` is not what it should be.
    #[error("cannot read {path}: {source_text}")]
    NoProc { path: &'static str, source_text: String },
    #[error("cannot make a user namespace: {failure}")]
    UserNamespaces {
        failure: FailedStep,
        /// Which switch is in the way and how to turn it, as far as it can be told.
        advice: String,
    },
    /// A new `/proc` cannot be mounted because the present one is partly covered.
    #[error(
        "cannot mount /proc for the sandbox: {0}; parts of the present /proc are covered, as container engines do"
    )]
    MaskedProc(FailedStep),
    #[error("this kernel is too old: {0}")]
    OldKernel(FailedStep),
    #[error("{0}")]
    CallerLimits(CallerLimitsError),
    #[error(
        "memory cannot be capped: no memory control group can be used and this kernel does not list the children of processes (CONFIG_PROC_CHILDREN)"
    )]
    NoMemoryCap,
    #[error("this machine cannot provide {wanted}: {why}")]
    NotAvailable { wanted: String, why: String },
    #[error("the trial run of the sandbox failed: {0}")]
    Trial(SpawnError),
    #[error("the trial run of the sandbox could not be frozen: {0}")]
    Freeze(FreezeError),
    #[error("the trial run of the sandbox ended with {0:?} instead of being killed")]
    Ending(Ending),
}

impl Advice for PreflightError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::RootWithoutCapabilities { .. } => "start it as an ordinary user, or add the capabilities (in a container: `--cap-add SYS_ADMIN --cap-add NET_ADMIN`)".into(),
            Self::RootGroup => "start it under an ordinary group".into(),
            Self::NoUnusedIds => "map at least 65536 ids".into(),
            Self::NoProc { .. } => "mount /proc".into(),
            Self::OldKernel(_) => "Linux 5.14 or newer is needed".into(),
            Self::UserNamespaces { advice, .. } => advice.clone().into(),
            Self::CallerLimits(error) => return error.hint(),
            Self::Trial(error) => return error.hint(),
            Self::MaskedProc(..) => "run the container with `--security-opt systempaths=unconfined`, or as root with `--cap-add SYS_ADMIN`".into(),
            _ => return None,
        })
    }
}

/// Turns a bare failure into the cause that a person can act on.
pub(crate) fn word(error: PreflightError, mode: Mode) -> PreflightError {
    let PreflightError::Trial(SpawnError::Setup(failure)) = error else {
        return error;
    };
    match (failure.step, failure.errno) {
        (_, libc::ENOSYS) => PreflightError::OldKernel(failure),
        (Step::MountProc, libc::EPERM) => PreflightError::MaskedProc(failure),
        (Step::NewNamespaces | Step::WriteUidMap | Step::WriteGidMap | Step::DenySetgroups, _)
            if mode == Mode::User =>
        {
            PreflightError::UserNamespaces {
                failure,
                advice: user_namespace_switches(),
            }
        }
        (Step::PrivateMounts, libc::EPERM | libc::EACCES) if mode == Mode::User => {
            PreflightError::UserNamespaces {
                failure,
                advice: user_namespace_switches(),
            }
        }
        _ => PreflightError::Trial(SpawnError::Setup(failure)),
    }
}

/// The switches that turn user namespaces off, as they stand.
fn user_namespace_switches() -> String {
    let switches = [
        (
            "/proc/sys/user/max_user_namespaces",
            "0",
            "sysctl -w user.max_user_namespaces=10000",
        ),
        (
            "/proc/sys/kernel/unprivileged_userns_clone",
            "0",
            "sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with `userns,` for this program",
        ),
    ];
    let value = |path: &str| {
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    switches.iter().find(|(path, bad, _)| value(path) == *bad).map_or_else(
        || "in a container its system-call filter may forbid it: `--security-opt seccomp=unconfined`, or run as root with `--cap-add SYS_ADMIN --cap-add NET_ADMIN`".to_owned(),
        |(path, bad, cure)| format!("{path} is {bad}: as root on the host: {cure}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(step: Step, errno: i32) -> PreflightError {
        PreflightError::Trial(SpawnError::Setup(FailedStep {
            step,
            errno,
            what: String::new(),
        }))
    }

    #[test]
    fn causes_are_worded_for_the_person_who_can_act_on_them() {
        assert!(
            word(setup(Step::MountProc, libc::EPERM), Mode::User)
                .told()
                .contains("systempaths=unconfined")
        );
        assert!(
            word(setup(Step::RestrictBind, libc::ENOSYS), Mode::Root)
                .told()
                .contains("Linux 5.14")
        );
        let namespaces = word(setup(Step::NewNamespaces, libc::ENOSPC), Mode::User);
        assert!(matches!(namespaces, PreflightError::UserNamespaces { .. }));
        assert!(matches!(
            word(setup(Step::NewNamespaces, libc::EPERM), Mode::Root),
            PreflightError::Trial(_)
        ));
    }
}
