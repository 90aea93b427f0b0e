//! Ctrl-C, SIGTERM and the end of the terminal pull a cancel handle; the command then ends in its own, orderly way.
//!
//! The second signal does what the first did: a run that is being cleaned up must not leave processes behind. Where whoever
//! started us ignores the end of the terminal, as `nohup` does, so do we.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::failure::Failure;

/// Sets `flag` when the process is asked to stop.
pub(crate) fn watch(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
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

/// A write beyond the limit on the size of a file is an error from now on, with its place and its advice, where it would end
/// this process. Programs that are started get the default again, since a handler does not outlive `execve`.
pub(crate) fn outlive_file_limit() {
    // Where it cannot be had, such a write ends the process as before.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Whether this process was started with a signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status, signal)
}

fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Whether work goes on: until a signal came.
pub(crate) fn flow(flag: &AtomicBool) -> ControlFlow<()> {
    if is_set(flag) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Whether a signal came.
pub(crate) fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_kernels_mask() {
        let status = "Name:\tprism\nSigBlk:\t0000000000000001\nSigIgn:\t0000000001001001\n";
        assert!(ignored_in(status, SIGHUP));
        assert!(ignored_in(status, SIGXFSZ), "signal 25 is bit 24");
        assert!(!ignored_in(status, SIGINT));
        assert!(!ignored_in("", SIGHUP));
    }
}
