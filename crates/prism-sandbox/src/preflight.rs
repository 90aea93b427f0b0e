//! What this machine can do, found out by doing it.
//!
//! Called by whoever is about to start sandboxes. A complete trial run: every step of a real sandbox but the final `execve`, looked at from inside, then
//! frozen, thawed and killed. Kernel switches are read only to word an error. It must never report a capability that was not just seen to work.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::caller_limits::CallerNeeds;
use crate::capabilities::{Capabilities, Freezer, Identities, MemoryCap, Mode, Preferences};
use crate::cgroup::{Duty, Group};
use crate::cgroup_places::{Base, Bases};
use crate::ending::Ending;
use crate::error::{SpawnError, Step};
use crate::plan::{Ids, Payload};
use crate::preflight_error::{PreflightError, word};
use crate::proctree;
use crate::sandbox::{Helper, Sandbox};
use crate::spec::{Limits, OutputPolicy, Spec, Tmpfs};
use crate::uids::{self, IdRange};

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
    CallerNeeds::of_setup()
        .provide()
        .map_err(PreflightError::CallerLimits)?;
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
        why: "the control group hierarchy is not there, not writable, or cannot limit the machine's swap"
            .to_owned(),
    }))
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

/// The first of these bases that works, for `kind`.
fn first_of<T>(bases: &[Base], kind: T, works: impl Fn(&&Base) -> bool) -> Option<(T, Option<Base>)> {
    bases.iter().find(works).map(|base| (kind, Some(base.clone())))
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
    candidates.extend(first_of(&bases.v2, MemoryCap::CgroupV2, works));
    candidates.extend(first_of(bases.v1_memory.as_slice(), MemoryCap::CgroupV1, works));
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
    candidates.extend(first_of(&bases.v2, Freezer::CgroupV2, works));
    candidates.extend(first_of(bases.v1_freezer.as_slice(), Freezer::CgroupV1, works));
    candidates.push((Freezer::InitSignals, None));
    candidates.retain(|(freezer, _)| wanted.is_none_or(|wanted| wanted == *freezer));
    candidates
}

/// A whole sandbox from start to end, with the probe for a payload.
fn trial(helper: &Helper, capabilities: &Capabilities) -> Result<(), PreflightError> {
    let spec = Spec {
        cwd: PathBuf::from("/"),
        binds: Vec::new(),
        scratch: vec![Tmpfs {
            target: PathBuf::from("/tmp"),
            bytes: 1 << 20,
            inodes: 16,
        }],
        shm_bytes: 1 << 20,
        output: OutputPolicy::Truncate,
        // It is not deaf: the probe reads /proc/self/status.
        ..Spec::new("preflight", Vec::new(), TRIAL_LIMITS)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{FailedStep, FreezeError};

    fn setup(step: Step, errno: i32) -> PreflightError {
        PreflightError::Trial(SpawnError::Setup(FailedStep {
            step,
            errno,
            what: String::new(),
        }))
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
