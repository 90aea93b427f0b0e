//! Ctrl-C and SIGTERM pull a cancel handle; the command then ends in its own, orderly way.
//!
//! The second signal does what the first did: a run that is being cleaned up must not leave processes behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::Failure;

/// Sets `flag` when the process is asked to stop.
pub(crate) fn watch(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(flag))
            .map_err(|error| Failure::machine("signals", &format!("cannot watch for signals: {error}")))?;
    }
    Ok(())
}

/// A flag of its own that signals set.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    watch(&flag)?;
    Ok(flag)
}

/// Whether a signal came.
pub(crate) fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}
