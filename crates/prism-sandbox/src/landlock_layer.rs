//! Landlock as a second layer over the read-only mounts, where the kernel has it.
//!
//! Called by `payload.rs`. Best effort by design: the mounts alone already hold, so a kernel without Landlock changes nothing but one thing: only here can
//! a deaf payload be kept from `/proc/<pid>/smaps` and its like, which tell which pages of a shared file another sandbox has mapped. It must never allow
//! less than the mounts do to an honest program that is not deaf.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError,
};

use crate::error::{FailedStep, Setup, Step};
use crate::plan::Plan;
use crate::spec::Devices;

/// The newest rules that this file knows.
const NEWEST: ABI = ABI::V5;

/// What a deaf payload may still read in `/proc`: what is not its own processes'. The covers of other files are views of `/dev/null`.
const HARMLESS_IN_PROC: [&str; 2] = ["/proc/cpuinfo", "/dev/null"];

/// Restricts this process and its descendants: read and execute everywhere (everywhere but in `/proc`, if deaf), write in the scratch spaces,
/// `/dev/shm` and the devices.
pub(crate) fn apply(plan: &Plan) -> Setup<()> {
    restrict(plan).map_err(|error| FailedStep {
        step: Step::Landlock,
        errno: 0,
        what: error.to_string(),
    })
}

fn restrict(plan: &Plan) -> Result<(), RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .create()?;
    let mut allow = |path: &Path, access| -> Result<(), RulesetError> {
        // A path that cannot be opened is not there to be used either.
        if let Ok(fd) = PathFd::new(path) {
            (&mut rules).add_rule(PathBeneath::new(fd, access))?;
        }
        Ok(())
    };
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    let gpu = plan.devices != Devices::None;
    if plan.deaf && !gpu {
        // Directories can be listed and links be followed everywhere.
        allow(Path::new("/"), AccessFs::ReadDir.into())?;
        for directory in std::fs::read_dir("/").into_iter().flatten().flatten() {
            if directory.file_name() != "proc" {
                allow(&directory.path(), AccessFs::from_read(NEWEST))?;
            }
        }
        for path in HARMLESS_IN_PROC {
            allow(Path::new(path), AccessFs::ReadFile.into())?;
        }
    } else {
        allow(Path::new("/"), AccessFs::from_read(NEWEST))?;
    }
    allow(Path::new("/dev"), device | AccessFs::ReadDir)?;
    allow(Path::new("/dev/shm"), AccessFs::from_all(NEWEST))?;
    for tmpfs in &plan.scratch {
        allow(&tmpfs.target, AccessFs::from_all(NEWEST))?;
    }
    if gpu {
        // The GPU driver names its threads through /proc/self/task.
        allow(
            Path::new("/proc"),
            AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile,
        )?;
    }
    rules.restrict_self().map(|_| ())
}
