//! Stopping every process of the sandbox with signals, where there is no cgroup freezer.
//!
//! Called by `init.rs`, inside the PID namespace. `kill(-1, SIGSTOP)` from process 1 reaches everything but itself, and a fork that it interrupts starts
//! over, so no child slips through; then `/proc` is read until every thread is seen stopped.
//!
//! A look at many threads takes time, and one that was seen stopped may run again before the last is seen. The filters deny every way in which a process
//! could send SIGCONT or have one sent. One way is left, the kernel's own: when a process dies and leaves a process group without a parent outside it,
//! the stopped members get SIGHUP and SIGCONT. So whoever wakes others dies of it, or has somebody else die. Therefore three looks in a row must show the
//! same threads in the same states:
//!
//! - A death during the second look makes it differ from the first or from the third. So none happened, and nobody was woken then.
//! - Whoever was woken during the first look has stopped by itself before it was seen in the second. What it has killed or made until then, the third shows.
//! - So nobody ran when the third look began, and without anybody who runs there is no death in it either.
//!
//! Not covered: a process that the kernel kills while all are frozen, because the machine is out of memory.
//!
//! It must never answer "stopped" on the strength of having sent the signal, nor of fewer looks.

use std::time::{Duration, Instant};
use std::{fs, io};

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
        let running = match moving(look) {
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

/// What one look has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// Some thread that is neither stopped nor dead, by number and state.
    Running(String),
    /// Every thread, and whether it is stopped or dead.
    Stopped(Vec<(u32, u32, char)>),
}

/// Something that runs or has just died, or nothing if three looks agree that all is still.
fn moving(mut look: impl FnMut() -> io::Result<Seen>) -> io::Result<Option<String>> {
    let first = look()?;
    if let Seen::Running(running) = first {
        return Ok(Some(running));
    }
    for _ in 0..2 {
        match look()? {
            Seen::Running(running) => return Ok(Some(running)),
            next if next == first => {}
            Seen::Stopped(_) => return Ok(Some("a process died between two looks".to_owned())),
        }
    }
    Ok(None)
}

fn look() -> io::Result<Seen> {
    let mut all = Vec::new();
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
            let name = thread.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.parse::<u32>().ok())
                .unwrap_or(0);
            match state(&stat) {
                Some(still @ ('T' | 't' | 'Z' | 'X')) => all.push((pid, number, still)),
                None => {}
                Some(other) => {
                    let running = format!("thread {number} of process {pid} is in state {other}");
                    return Ok(Seen::Running(running));
                }
            }
        }
    }
    Ok(Seen::Stopped(all))
}

/// The state letter. The command name before it may hold anything, so it is found from the last parenthesis.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Process 7 dies while a look is at 9, and so wakes 5, which was seen stopped before.
    #[test]
    fn a_death_between_looks_is_not_stillness() {
        let stopped = |states: &[(u32, char)]| {
            let all = states.iter().map(|(pid, state)| (*pid, *pid, *state));
            Ok(Seen::Stopped(all.collect()))
        };
        let alive = || stopped(&[(5, 'T'), (7, 'T')]);
        let dead = || stopped(&[(5, 'T'), (7, 'Z')]);
        let gone = || stopped(&[(5, 'T')]);
        let running = || Ok(Seen::Running("5".to_owned()));
        let verdict = |looks: Vec<io::Result<Seen>>| {
            let mut looks = looks.into_iter();
            moving(|| looks.next().unwrap()).unwrap()
        };
        assert_eq!(verdict(vec![alive(), alive(), alive()]), None);
        assert_eq!(verdict(vec![dead(), dead(), dead()]), None);
        assert!(verdict(vec![alive(), dead()]).is_some());
        assert!(verdict(vec![alive(), alive(), dead()]).is_some());
        assert!(verdict(vec![alive(), alive(), gone()]).is_some());
        assert_eq!(verdict(vec![dead(), running()]), Some("5".to_owned()));
        assert_eq!(verdict(vec![dead(), dead(), running()]), Some("5".to_owned()));
        assert_eq!(verdict(vec![running()]), Some("5".to_owned()));
    }

    #[test]
    fn a_hostile_command_name_cannot_fake_a_state() {
        assert_eq!(state("12 (a) T (b) R 1 12 12"), Some('R'));
        assert_eq!(state("12 (x) T 1"), Some('T'));
        assert_eq!(state(""), None);
    }
}
