//! From a run that would count to a machine that is its own and remembers nothing.
//!
//! Called by [`crate::evaluate`] just before the first process of a submission starts, and by [`crate::instantiate`],
//! which only shares. A run that is a rehearsal anyway disturbs nobody: it shares the machine and lets the kernel
//! remember. What could not be had makes the run a rehearsal, by name, or ends it; it is never passed over.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::connection::Cancel;
use prism_sandbox::{LockKind, Mode};

use crate::{
    event::{EvalEvent, EvalStage, ThrottledProgress},
    forget::{self, Forgot, Unsettled},
    machine_lock::{self, Held, Holder, Turn, WhenBusy, Wish},
    prepare::MEMORY_BYTES_MIN,
    request::RehearsalReason,
    state::RunOutput,
};

type Events<'a> = &'a mut dyn FnMut(EvalEvent);

/// Whether this kernel can be made to forget; a run on one that cannot is a rehearsal.
pub(crate) fn preflight(mode: Mode, state: &mut RunOutput, events: Events<'_>) {
    if let Err(why) = forget::possible(mode) {
        rehearse(RehearsalReason::KernelRemembers, why, state, events);
    }
}

/// The machine for a run: to itself where it would count, else beside other rehearsals.
pub(crate) fn claim(
    what: &str,
    when_busy: WhenBusy,
    cancel: &Cancel,
    state: &mut RunOutput,
    events: Events<'_>,
) -> Result<Held, Failure> {
    claim_at(&machine_lock::path(), what, when_busy, cancel, state, events)
}

fn claim_at(
    path: &Path,
    what: &str,
    when_busy: WhenBusy,
    cancel: &Cancel,
    state: &mut RunOutput,
    events: Events<'_>,
) -> Result<Held, Failure> {
    let kind = if state.rehearsal.is_empty() {
        LockKind::Exclusive
    } else {
        LockKind::Shared
    };
    match obtain(path, kind, what, when_busy, cancel, events)? {
        Turn::Granted(held) => Ok(held),
        Turn::Beside(held) => {
            let why = "rehearsals or checks are going on beside it, and it was not to wait for them";
            rehearse(RehearsalReason::MachineBusy, why.to_owned(), state, events);
            Ok(held)
        }
    }
}

/// The machine for something that does not count.
pub(crate) fn share(when_busy: WhenBusy, cancel: &Cancel, events: Events<'_>) -> Result<Held, Failure> {
    match obtain(
        &machine_lock::path(),
        LockKind::Shared,
        "",
        when_busy,
        cancel,
        events,
    )? {
        Turn::Granted(held) | Turn::Beside(held) => Ok(held),
    }
}

fn obtain(
    path: &Path,
    kind: LockKind,
    what: &str,
    when_busy: WhenBusy,
    cancel: &Cancel,
    events: Events<'_>,
) -> Result<Turn, Failure> {
    let wish = Wish {
        kind,
        what,
        when_busy,
        cancel,
    };
    machine_lock::take(path, &wish, &mut |holders: Vec<Holder>, waited: Duration| {
        events(EvalEvent::Waiting {
            holders: holders.iter().map(Holder::to_string).collect(),
            waited_seconds: waited.as_secs(),
        });
    })
}

/// Lets the kernel forget before a run that would count; what that took. `sources` is everything that its processes can
/// read.
pub(crate) fn forget_earlier_runs(
    sources: &[PathBuf],
    cancel: &Cancel,
    state: &mut RunOutput,
    events: Events<'_>,
) -> Result<Option<Forgot>, Failure> {
    if !state.rehearsal.is_empty() {
        return Ok(None);
    }
    events(EvalEvent::Stage {
        stage: EvalStage::Forgetting,
        message: "making the kernel forget earlier runs".into(),
    });
    let forgot = {
        let mut told = ThrottledProgress::new(EvalStage::Forgetting, &mut *events);
        forget::forget(sources, MEMORY_BYTES_MIN, cancel, &mut |done, total| {
            told.at(done, total);
        })
    };
    match forgot {
        Ok(forgot) => Ok(Some(forgot)),
        Err(Unsettled::Cancelled) => Err(Failure::new(Reason::Cancelled, "the run was cancelled")),
        Err(Unsettled::Remembers(why)) => {
            rehearse(RehearsalReason::KernelRemembers, why, state, events);
            Ok(None)
        }
        Err(Unsettled::NoRoom(why)) => {
            rehearse(RehearsalReason::MemoryShort, why, state, events);
            Ok(None)
        }
    }
}

/// Notes the reason, and says so where it is the one that keeps the run from counting.
fn rehearse(reason: RehearsalReason, why: String, state: &mut RunOutput, events: Events<'_>) {
    if state.rehearsal.is_empty() {
        events(EvalEvent::Rehearsal {
            reason: reason.code().to_owned(),
            detail: why,
        });
    }
    state.rehearse(reason);
}

#[cfg(test)]
mod tests;
