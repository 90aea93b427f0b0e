//! Stopping every process of the sandbox with signals, where there is no cgroup freezer.
//!
//! Called by `init.rs`, inside the PID namespace. `kill(-1, SIGSTOP)` from process 1 reaches everything but itself, and a fork that it interrupts starts
//! over, so no child slips through; then `/proc` is read until every thread is seen stopped. The filters deny each way in which a stopped process could
//! get itself a SIGCONT. It must never answer "stopped" on the strength of having sent the signal.

use std::fs;
use std::time::{Duration, Instant};

use crate::plan::Report;

/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_micros(200);
/// A process that waits in `vfork` for a child that is itself stopped cannot be told from one in a long system call. After so many looks everything
/// is let go for a moment, so that the child gets past its `execve`.
const LOOKS_BEFORE_LETTING_GO: u32 = 100;

/// Stops everything and says so only once it is true.
pub(crate) fn stop_everything(within_ms: u64) -> Report {
    let deadline = Instant::now() + Duration::from_millis(within_ms);
    let mut looks = 0_u32;
    loop {
        signal_all(libc::SIGSTOP);
        let running = match running_thread() {
            Ok(None) => return Report::Stopped,
            Ok(Some(running)) => running,
            Err(error) => format!("cannot read /proc: {error}"),
        };
        if Instant::now() >= deadline {
            signal_all(libc::SIGCONT);
            return Report::NotStopped { why: running };
        }
        looks += 1;
        if looks.is_multiple_of(LOOKS_BEFORE_LETTING_GO) {
            signal_all(libc::SIGCONT);
        }
        std::thread::sleep(LOOK_PAUSE);
    }
}

/// Lets everything run again.
pub(crate) fn continue_everything() -> Report {
    signal_all(libc::SIGCONT);
    Report::Continued
}

fn signal_all(signal: libc::c_int) {
    // SAFETY: a plain system call. In a PID namespace of its own, -1 means every process in it but the caller. An error means that there is none.
    unsafe { libc::kill(-1, signal) };
}

/// Some thread that is neither stopped nor dead, by number and state.
fn running_thread() -> std::io::Result<Option<String>> {
    for process in fs::read_dir("/proc")? {
        let name = process?.file_name();
        let Some(pid) = name
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
            .filter(|pid| *pid != 1)
        else {
            continue;
        };
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            // A thread that is gone by now is not running.
            let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else {
                continue;
            };
            match state(&stat) {
                Some('T' | 't' | 'Z' | 'X') | None => {}
                Some(other) => {
                    return Ok(Some(format!(
                        "thread {} of process {pid} is in state {other}",
                        thread.file_name().display()
                    )));
                }
            }
        }
    }
    Ok(None)
}

/// The state letter. The command name before it may hold anything, so it is found from the last parenthesis.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_command_name_cannot_fake_a_state() {
        assert_eq!(state("12 (a) T (b) R 1 12 12"), Some('R'));
        assert_eq!(state("12 (x) T 1"), Some('T'));
        assert_eq!(state(""), None);
    }
}
