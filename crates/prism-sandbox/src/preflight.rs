//! What this machine can do, found out by doing it.
//!
//! Called by whoever is about to start sandboxes. A complete trial run: every step of a real sandbox but the final `execve`, looked at from inside, then
//! frozen, thawed and killed. Kernel switches are read only to word an error. It must never report a capability that was not just seen to work.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cgroup::{Base, Bases, Duty, Group};
use crate::error::{Failure, FreezeError, Setup, SpawnError, Step, cvt};
use crate::plan::{Ids, Payload};
use crate::proctree;
use crate::sandbox::{Helper, Sandbox};
use crate::spec::{Devices, Limits, OutputPolicy, Spec, Tmpfs};
use crate::uids::{self, IdRange, Slot};
use crate::watch::Ending;

/// Whose privileges build the sandbox. In neither does anything inside run as host uid 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Started by root, without a user namespace: the payload and the init each run under an unused host uid.
    Root,
    /// Started by an ordinary user, in a user namespace that maps that user only.
    User,
}

/// What holds the memory of the whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MemoryCap {
    /// A version 1 memory group: exact.
    CgroupV1,
    /// A version 2 group: exact.
    CgroupV2,
    /// Looking at the processes ten times a second: best effort. The caller must mark such a run a rehearsal.
    Watchdog,
}

/// What stops the whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Freezer {
    /// A version 1 freezer group.
    CgroupV1,
    /// `cgroup.freeze` of a version 2 group.
    CgroupV2,
    /// SIGSTOP to every process, by the sandbox's init.
    InitSignals,
}

/// What a preflight may choose from; `None` means the best that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Preferences {
    /// Insist on this way of capping memory.
    pub memory_cap: Option<MemoryCap>,
    /// Insist on this way of freezing.
    pub freezer: Option<Freezer>,
}

/// What was seen to work on this machine, for this user. Only a preflight makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Root or ordinary user.
    pub mode: Mode,
    /// How memory is capped.
    pub memory_cap: MemoryCap,
    /// How the tree is frozen.
    pub freezer: Freezer,
    pub(crate) memory_base: Option<Base>,
    pub(crate) freezer_base: Option<Base>,
    ids: Identities,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identities {
    Own(Ids),
    Unused(IdRange),
}

impl Capabilities {
    /// The identities of the next sandbox, and what keeps them from being given out again.
    pub(crate) fn identities(&self) -> Result<(Ids, Option<Slot>), SpawnError> {
        match self.ids {
            Identities::Own(ids) => Ok((ids, None)),
            Identities::Unused(range) => {
                let slot = Slot::take().map_err(|in_use| SpawnError::TooManySandboxes { in_use })?;
                Ok((slot.ids(range), Some(slot)))
            }
        }
    }
}

/// Why this machine cannot confine, and what would change that.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PreflightError {
    /// Root without the capabilities that root mode needs.
    #[error(
        "running as root without {}: the sandbox cannot be built, and it never runs anything as host uid 0; start it as an ordinary user, or add the capabilities (in a container: `--cap-add SYS_ADMIN --cap-add NET_ADMIN`)", missing.join(", ")
    )]
    RootWithoutCapabilities {
        /// The missing ones.
        missing: Vec<&'static str>,
    },
    /// The user's number stands for root outside.
    #[error(
        "uid {uid} of this user namespace is host uid 0; nothing is ever run as host uid 0: start from a namespace that maps an ordinary user"
    )]
    HostUidZero {
        /// The number inside.
        uid: u32,
    },
    /// An ordinary user whose group is 0.
    #[error("the group of this user is 0, the group of root; start it under an ordinary group")]
    RootGroup,
    /// Root of a user namespace that has too few ids.
    #[error(
        "running as root of a user namespace without unused ids (needs 61184 to 65519, or all, in /proc/self/uid_map); map at least 65536 ids"
    )]
    NoUnusedIds,
    /// `/proc` is not what it should be.
    #[error("cannot read {path}: {source_text}; /proc must be mounted")]
    NoProc {
        /// What was read.
        path: &'static str,
        /// The operating system's answer.
        source_text: String,
    },
    /// User namespaces cannot be made.
    #[error("cannot make a user namespace: {failure}{reason}")]
    UserNamespaces {
        /// The failed step.
        failure: Failure,
        /// Which switch is in the way and how to turn it, as far as it can be told.
        reason: String,
    },
    /// A new `/proc` cannot be mounted because the present one is partly covered.
    #[error(
        "cannot mount /proc for the sandbox: {0}; parts of the present /proc are covered, as container engines do; run the container with `--security-opt systempaths=unconfined`, or as root with `--cap-add SYS_ADMIN`"
    )]
    MaskedProc(Failure),
    /// The kernel lacks a system call.
    #[error("this kernel is too old: {0}; Linux 5.14 or newer is needed")]
    OldKernel(Failure),
    /// Memory can be capped in no way.
    #[error(
        "memory cannot be capped: no memory control group can be used and this kernel does not list the children of processes (CONFIG_PROC_CHILDREN)"
    )]
    NoMemoryCap,
    /// What was insisted on is not to be had.
    #[error("this machine cannot provide {wanted}: {why}")]
    NotAvailable {
        /// The preference.
        wanted: String,
        /// What stood in the way.
        why: String,
    },
    /// The trial run did not start.
    #[error("the trial run of the sandbox failed: {0}")]
    Trial(SpawnError),
    /// The trial run could not be frozen.
    #[error("the trial run of the sandbox could not be frozen: {0}")]
    Freeze(FreezeError),
    /// The trial run ended in an unexpected way.
    #[error("the trial run of the sandbox ended with {0:?} instead of being killed")]
    Ending(Ending),
}

/// The limits of the trial run: it needs next to nothing.
const TRIAL_LIMITS: Limits = Limits {
    memory_bytes: 256 << 20,
    processes: 8,
    file_bytes: 1 << 20,
    open_files: 64,
    cpu_seconds: 60,
    wall: Duration::from_secs(60),
    output_bytes: 4096,
};

/// Finds out what this machine can do, once per process and helper; later calls give the same answer. Also removes control groups that a killed
/// process left behind.
pub fn preflight(helper: &Helper) -> Result<Capabilities, PreflightError> {
    preflight_with(helper, Preferences::default())
}

/// The same, insisting on some ways of doing it.
pub fn preflight_with(helper: &Helper, preferences: Preferences) -> Result<Capabilities, PreflightError> {
    type Answer = ((Helper, Preferences), Result<Capabilities, PreflightError>);
    static ANSWERS: Mutex<Vec<Answer>> = Mutex::new(Vec::new());
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (helper.clone(), preferences);
    if let Some((_, answer)) = answers.iter().find(|(known, _)| *known == key) {
        return answer.clone();
    }
    let answer = find_out(helper, preferences);
    answers.push((key, answer.clone()));
    answer
}

fn find_out(helper: &Helper, preferences: Preferences) -> Result<Capabilities, PreflightError> {
    let (mode, ids) = identities()?;
    let bases = Bases::discover();
    bases.sweep_stale();
    let memory = memory_candidates(&bases, preferences.memory_cap)?;
    let freezers = freezer_candidates(&bases, preferences.freezer);
    let mut obstacle = None;
    for (memory_cap, memory_base) in &memory {
        for (freezer, freezer_base) in &freezers {
            let (memory_base, freezer_base) = (memory_base.clone(), freezer_base.clone());
            let capabilities = Capabilities {
                mode,
                memory_cap: *memory_cap,
                freezer: *freezer,
                memory_base,
                freezer_base,
                ids,
            };
            match trial(helper, &capabilities) {
                Ok(()) => return Ok(capabilities),
                Err(error) if is_about_groups(&error) => obstacle = Some(error),
                Err(error) => return Err(word(error, mode)),
            }
        }
    }
    let wanted = format!("{preferences}");
    Err(obstacle.unwrap_or(PreflightError::NotAvailable {
        wanted,
        why: "the control group hierarchy is not there or not writable".to_owned(),
    }))
}

impl fmt::Display for Preferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "memory cap {:?} with freezer {:?}",
            self.memory_cap, self.freezer
        )
    }
}

/// Who would run inside, or why nobody can.
fn identities() -> Result<(Mode, Identities), PreflightError> {
    let path = "/proc/self/uid_map";
    let uid_map = std::fs::read_to_string(path).map_err(|error| PreflightError::NoProc {
        path,
        source_text: error.to_string(),
    })?;
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    if uid == 0 {
        let missing = missing_capabilities();
        if !missing.is_empty() {
            return Err(PreflightError::RootWithoutCapabilities { missing });
        }
        let range = IdRange::from_uid_map(&uid_map).ok_or(PreflightError::NoUnusedIds)?;
        return Ok((Mode::Root, Identities::Unused(range)));
    }
    if uids::outside_id(&uid_map, uid) == Some(0) {
        return Err(PreflightError::HostUidZero { uid });
    }
    if gid == 0 {
        return Err(PreflightError::RootGroup);
    }
    Ok((
        Mode::User,
        Identities::Own(Ids {
            uid,
            gid,
            init_uid: uid,
        }),
    ))
}

/// What root mode uses: namespaces and mounts, the loopback interface, the change of user, and signals to that user.
fn missing_capabilities() -> Vec<&'static str> {
    use rustix::thread::CapabilitySet as Set;
    let needed = [
        (Set::SYS_ADMIN, "CAP_SYS_ADMIN"),
        (Set::NET_ADMIN, "CAP_NET_ADMIN"),
        (Set::SETUID, "CAP_SETUID"),
        (Set::SETGID, "CAP_SETGID"),
        (Set::SETPCAP, "CAP_SETPCAP"),
        (Set::KILL, "CAP_KILL"),
    ];
    let held = rustix::thread::capabilities(None).map_or(Set::empty(), |sets| sets.effective);
    needed
        .into_iter()
        .filter(|(bit, _)| !held.contains(*bit))
        .map(|(_, name)| name)
        .collect()
}

/// Ways of capping memory, the best first, each tried as far as it can be without a process.
fn memory_candidates(
    bases: &Bases,
    wanted: Option<MemoryCap>,
) -> Result<Vec<(MemoryCap, Option<Base>)>, PreflightError> {
    let duty = Duty {
        memory: true,
        freezer: false,
    };
    let works = |base: &&Base| {
        Group::create(base, duty).is_ok_and(|group| {
            let limited = group.limit_memory(TRIAL_LIMITS.memory_bytes);
            group.kill_and_remove();
            limited.is_ok()
        })
    };
    let mut candidates = Vec::new();
    candidates.extend(
        bases
            .v2
            .iter()
            .find(works)
            .map(|base| (MemoryCap::CgroupV2, Some(base.clone()))),
    );
    candidates.extend(
        bases
            .v1_memory
            .iter()
            .find(works)
            .map(|base| (MemoryCap::CgroupV1, Some(base.clone()))),
    );
    if proctree::is_supported() {
        candidates.push((MemoryCap::Watchdog, None));
    }
    if candidates.is_empty() {
        return Err(PreflightError::NoMemoryCap);
    }
    candidates.retain(|(cap, _)| wanted.is_none_or(|wanted| wanted == *cap));
    Ok(candidates)
}

/// Ways of freezing, the best first: version 2 can kill what it has frozen.
fn freezer_candidates(bases: &Bases, wanted: Option<Freezer>) -> Vec<(Freezer, Option<Base>)> {
    let duty = Duty {
        memory: false,
        freezer: true,
    };
    let works = |base: &&Base| {
        Group::create(base, duty).is_ok_and(|group| {
            let switched = group.set_frozen(false);
            group.kill_and_remove();
            switched.is_ok()
        })
    };
    let mut candidates = Vec::new();
    candidates.extend(
        bases
            .v2
            .iter()
            .find(works)
            .map(|base| (Freezer::CgroupV2, Some(base.clone()))),
    );
    candidates.extend(
        bases
            .v1_freezer
            .iter()
            .find(works)
            .map(|base| (Freezer::CgroupV1, Some(base.clone()))),
    );
    candidates.push((Freezer::InitSignals, None));
    candidates.retain(|(freezer, _)| wanted.is_none_or(|wanted| wanted == *freezer));
    candidates
}

/// A whole sandbox from start to end, with the probe for a payload.
fn trial(helper: &Helper, capabilities: &Capabilities) -> Result<(), PreflightError> {
    let spec = Spec {
        name: "preflight".to_owned(),
        argv: Vec::new(),
        env: Vec::new(),
        cwd: PathBuf::from("/"),
        binds: Vec::new(),
        scratch: vec![Tmpfs {
            target: PathBuf::from("/tmp"),
            bytes: 1 << 20,
            inodes: 16,
        }],
        shm_bytes: 1 << 20,
        fds: Vec::new(),
        limits: TRIAL_LIMITS,
        output: OutputPolicy::Truncate,
        devices: Devices::None,
        cpus: None,
    };
    let mut sandbox =
        Sandbox::start(helper, capabilities, spec, Payload::Probe).map_err(PreflightError::Trial)?;
    sandbox.freeze().map_err(PreflightError::Freeze)?;
    sandbox.thaw().map_err(PreflightError::Freeze)?;
    match sandbox.kill() {
        Ending::KilledByCaller => Ok(()),
        other => Err(PreflightError::Ending(other)),
    }
}

/// Whether another way of capping or freezing may fare better.
fn is_about_groups(error: &PreflightError) -> bool {
    match error {
        PreflightError::Freeze(_) | PreflightError::Trial(SpawnError::Cgroup(_)) => true,
        PreflightError::Trial(SpawnError::Setup(failure)) => {
            matches!(
                failure.step,
                Step::OpenCgroup | Step::JoinCgroup | Step::CgroupNamespace
            )
        }
        _ => false,
    }
}

/// Turns a bare failure into the cause that a person can act on.
fn word(error: PreflightError, mode: Mode) -> PreflightError {
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
                reason: user_namespace_switches(),
            }
        }
        (Step::PrivateMounts, libc::EPERM | libc::EACCES) if mode == Mode::User => {
            PreflightError::UserNamespaces {
                failure,
                reason: user_namespace_switches(),
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
        || "; in a container its system-call filter may forbid it: `--security-opt seccomp=unconfined`, or run as root with `--cap-add SYS_ADMIN --cap-add NET_ADMIN`".to_owned(),
        |(path, bad, cure)| format!("; {path} is {bad}; as root on the host: {cure}"),
    )
}

/// The trial's payload, run under every restriction: tries what must fail, and what must work.
pub(crate) fn probe() -> Setup<()> {
    let fail = |what: &str| {
        Err(Failure {
            step: Step::Probe,
            errno: 0,
            what: what.to_owned(),
        })
    };
    let forbidden_paths = ["/probe", "/dev/probe", "/etc/probe", "/proc/self/oom_score_adj"];
    if let Some(path) = forbidden_paths.iter().find(|path| {
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .is_ok()
    }) {
        return fail(&format!("{path} is writable"));
    }
    if std::fs::write("/tmp/probe", "x").is_err() || std::fs::write("/dev/shm/probe", "x").is_err() {
        return fail("a scratch space is not writable");
    }
    let outside = std::fs::read_dir("/proc").map_or(0, |entries| {
        let number =
            |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<u32>().ok();
        entries.filter_map(number).filter(|pid| *pid > 2).count()
    });
    if outside > 0 || std::fs::read("/proc/meminfo").is_ok_and(|text| !text.is_empty()) {
        return fail("/proc shows more than the sandbox");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in [
        "CapPrm:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
    ] {
        if !status.lines().any(|found| found == line) {
            return fail(&format!("/proc/self/status does not say {line:?}"));
        }
    }
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    match TcpStream::connect_timeout(&loopback, Duration::from_secs(5)).map_err(|error| error.raw_os_error())
    {
        Err(Some(libc::ECONNREFUSED)) => {}
        other => return fail(&format!("the loopback interface answers {other:?}")),
    }
    // SAFETY: plain system calls with numbers and null pointers; both must be refused before any argument is looked at.
    let (unshared, foreign_socket) = unsafe {
        (
            libc::unshare(libc::CLONE_NEWUSER),
            libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        )
    };
    if cvt(unshared.into()).is_ok() || cvt(foreign_socket.into()).is_ok() {
        return fail("a forbidden system call succeeded");
    }
    Ok(())
}

impl MemoryCap {
    /// Whether the cap is exact.
    pub fn is_exact(self) -> bool {
        self != Self::Watchdog
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(step: Step, errno: i32) -> PreflightError {
        PreflightError::Trial(SpawnError::Setup(Failure {
            step,
            errno,
            what: String::new(),
        }))
    }

    #[test]
    fn causes_are_worded_for_the_person_who_can_act_on_them() {
        assert!(
            word(setup(Step::MountProc, libc::EPERM), Mode::User)
                .to_string()
                .contains("systempaths=unconfined")
        );
        assert!(
            word(setup(Step::RestrictBind, libc::ENOSYS), Mode::Root)
                .to_string()
                .contains("Linux 5.14")
        );
        let namespaces = word(setup(Step::NewNamespaces, libc::ENOSPC), Mode::User);
        assert!(matches!(namespaces, PreflightError::UserNamespaces { .. }));
        assert!(matches!(
            word(setup(Step::NewNamespaces, libc::EPERM), Mode::Root),
            PreflightError::Trial(_)
        ));
    }

    #[test]
    fn only_trouble_with_groups_leads_to_another_try() {
        assert!(is_about_groups(&setup(Step::JoinCgroup, libc::EACCES)));
        assert!(is_about_groups(&PreflightError::Freeze(FreezeError::Timeout {
            waited_ms: 1
        })));
        assert!(!is_about_groups(&setup(Step::Seccomp, libc::EINVAL)));
        assert!(!is_about_groups(&setup(Step::Probe, 0)));
    }
}
