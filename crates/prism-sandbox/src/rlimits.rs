//! Resource limits of each process: the second line behind the limits of the whole tree.
//!
//! Called by `payload.rs`. Limits are only ever lowered: raising a hard limit needs a capability that even root may lack. Where the caller's own hard
//! limit is lower than what the payload was promised, the sandbox does not start: the payload would be blamed for it. `caller_limits.rs` finds that out
//! before, and says it better.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::caller_limits::UNTOUCHED_DATA_BYTES;
use crate::capabilities::MemoryCap;
use crate::error::{At, FailedStep, Setup, Step};
use crate::plan::Plan;
use crate::spec::Devices;

/// Memory that a process may keep from being swapped.
const LOCKED_BYTES: u64 = 64 << 10;
/// Signals that may wait.
const PENDING_SIGNALS: u64 = 1_024;

/// Every limit but that of the number of processes.
pub(crate) fn apply(plan: &Plan) -> Setup<()> {
    let limits = &plan.limits;
    // 1 and not 0: it is too small for a core file, and the one value that also keeps a piped handler on the host from being run.
    lower(Resource::Core, 1, 1)?;
    promise(Resource::Fsize, limits.file_bytes, limits.file_bytes)?;
    promise(Resource::Nofile, limits.open_files, limits.open_files)?;
    lower(Resource::Memlock, LOCKED_BYTES, LOCKED_BYTES)?;
    lower(Resource::Sigpending, PENDING_SIGNALS, PENDING_SIGNALS)?;
    lower(Resource::Msgqueue, 0, 0)?;
    lower(Resource::Nice, 0, 0)?;
    lower(Resource::Rtprio, 0, 0)?;
    // The soft limit sends SIGXCPU, which tells what happened; the hard one, a second later, SIGKILL to whoever ignored it.
    promise(
        Resource::Cpu,
        limits.cpu_seconds,
        limits.cpu_seconds.saturating_add(1),
    )?;
    if plan.memory_cap == MemoryCap::Watchdog && plan.devices == Devices::None {
        let bytes = limits.memory_bytes.saturating_add(UNTOUCHED_DATA_BYTES);
        promise(Resource::Data, bytes, bytes)?;
    }
    Ok(())
}

/// The number of processes. Set last, as the payload's own user: earlier it would count somebody else's.
pub(crate) fn apply_processes(plan: &Plan) -> Setup<()> {
    promise(Resource::Nproc, plan.limits.processes, plan.limits.processes)
}

/// Lowers a limit to what the payload may count on: an error where the caller's own hard limit is below that.
fn promise(resource: Resource, soft: u64, hard: u64) -> Setup<()> {
    match getrlimit(resource).maximum {
        Some(ceiling) if ceiling < soft => Err(FailedStep {
            step: Step::SetLimit,
            errno: 0,
            what: format!("{resource:?}: the caller's own hard limit is {ceiling} and {soft} are needed"),
        }),
        _ => lower(resource, soft, hard),
    }
}

fn lower(resource: Resource, soft: u64, hard: u64) -> Setup<()> {
    let ceiling = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let hard = hard.min(ceiling);
    let limit = Rlimit {
        current: Some(soft.min(hard)),
        maximum: Some(hard),
    };
    setrlimit(resource, limit).at_what(Step::SetLimit, format!("{resource:?}"))
}
