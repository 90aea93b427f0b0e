//! The watcher: one thread of the caller per sandbox. It empties the pipes, enforces what the kernel does not, and says how it ended.
//!
//! Started by `sandbox.rs`. An ending is published only when nothing of the sandbox is left. It must never block on the payload: every read is either
//! announced by `poll` or non-blocking.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::capabilities::MemoryCap;
use crate::cgroup::{Groups, Want};
use crate::ending::{Ending, Usage, classify, seconds};
use crate::output::{Capture, Logs};
use crate::plan::{self, Report};
use crate::spec::{Limits, OutputPolicy};
use crate::uids::Slot;
use crate::watchdog::Watchdog;

/// Bytes taken from a pipe at a time.
const READ_BYTES: usize = 64 << 10;
/// After the end, at most this much is taken from each pipe: more than a pipe can hold.
const DRAIN_BYTES_MAX: usize = 4 << 20;
/// What the watcher and the sandbox's handle share.
pub(crate) struct Shared {
    pub(crate) socket: OwnedFd,
    pub(crate) groups: Groups,
    state: Mutex<State>,
    changed: Condvar,
    pub(crate) limits: Limits,
    policy: OutputPolicy,
    pub(crate) memory_cap: MemoryCap,
    pub(crate) init_pid: i32,
}

struct State {
    ending: Option<Ending>,
    /// Why we are killing it. The first reason stays.
    cause: Option<Ending>,
    main_ended: Option<(i32, u64)>,
    reply: Option<Report>,
    clock: WallClock,
    stdout: Capture,
    stderr: Capture,
    usage: Usage,
}

/// Wall time without the time spent frozen.
struct WallClock {
    charged: Duration,
    running_since: Option<Instant>,
}

impl WallClock {
    fn charged(&self) -> Duration {
        self.charged + self.running_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// What only the watcher holds.
pub(crate) struct Watched {
    pub(crate) keeper: Child,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// Kept until everything that runs under it is dead.
    pub(crate) slot: Option<Slot>,
}

impl Shared {
    pub(crate) fn new(
        socket: OwnedFd,
        groups: Groups,
        spec: &crate::spec::Spec,
        memory_cap: MemoryCap,
        init_pid: i32,
    ) -> Self {
        let capture = || Capture::new(spec.limits.output_bytes, spec.output);
        let state = State {
            ending: None,
            cause: None,
            main_ended: None,
            reply: None,
            clock: WallClock {
                charged: Duration::ZERO,
                running_since: Some(Instant::now()),
            },
            stdout: capture(),
            stderr: capture(),
            usage: Usage::default(),
        };
        Self {
            socket,
            groups,
            state: Mutex::new(state),
            changed: Condvar::new(),
            limits: spec.limits,
            policy: spec.output,
            memory_cap,
            init_pid,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the killing of the tree, unless it has ended already. The keeper does it; it does the same when this process dies.
    pub(crate) fn request_kill(&self, cause: Ending) {
        let mut state = self.lock();
        if state.main_ended.is_none() {
            state.cause.get_or_insert(cause);
        }
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Write);
    }

    pub(crate) fn ending(&self) -> Option<Ending> {
        self.lock().ending
    }

    /// Waits for the ending, at most so long.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Option<Ending> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        while state.ending.is_none() {
            state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return None,
                Some(left) => {
                    self.changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
        state.ending
    }

    /// Whether the main process still runs, as far as is known here.
    pub(crate) fn is_alive(&self) -> bool {
        let state = self.lock();
        state.ending.is_none() && state.main_ended.is_none() && state.cause.is_none()
    }

    /// Stops or restarts the wall clock.
    pub(crate) fn charge_wall_time(&self, charge: bool) {
        let mut state = self.lock();
        if charge == state.clock.running_since.is_some() {
            return;
        }
        state.clock.charged = state.clock.charged();
        state.clock.running_since = charge.then(Instant::now);
    }

    /// Forgets an answer that nobody waits for any more.
    pub(crate) fn clear_reply(&self) {
        self.lock().reply = None;
    }

    /// The init's answer to an order, or `None` if the sandbox ended or the time passed.
    pub(crate) fn wait_reply(&self, timeout: Duration) -> Option<Report> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(reply) = state.reply.take() {
                return Some(reply);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ending.is_some() || left.is_zero() {
                return None;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        if self.ending().is_none() {
            self.update_usage();
        }
        self.lock().usage
    }

    pub(crate) fn logs(&self) -> Logs {
        let state = self.lock();
        Logs {
            stdout: state.stdout.finish(),
            stderr: state.stderr.finish(),
            stdout_truncated: state.stdout.is_over(),
            stderr_truncated: state.stderr.is_over(),
        }
    }

    pub(crate) fn logs_from(&self, stdout_bytes: usize, stderr_bytes: usize) -> [Vec<u8>; 2] {
        let state = self.lock();
        [
            state.stdout.beginning_from(stdout_bytes),
            state.stderr.beginning_from(stderr_bytes),
        ]
    }

    /// Reads the counters of the groups, which are exact, as far as there are groups.
    fn update_usage(&self) {
        if let Some(peak) = self
            .groups
            .memory()
            .and_then(crate::cgroup::Group::peak_memory_bytes)
        {
            self.note_memory(peak);
        }
        if let Some(cpu_us) = self.groups.cpu_us() {
            self.note_cpu(cpu_us);
        }
    }

    /// Wall time so far, without the time spent frozen.
    pub(crate) fn wall_charged(&self) -> Duration {
        self.lock().clock.charged()
    }

    /// Takes note of CPU time that was seen.
    pub(crate) fn note_cpu(&self, cpu_us: u64) {
        let mut state = self.lock();
        state.usage.cpu_seconds = state.usage.cpu_seconds.max(seconds(cpu_us));
    }

    /// Takes note of memory that was seen in use.
    pub(crate) fn note_memory(&self, bytes: u64) {
        let mut state = self.lock();
        state.usage.peak_memory_bytes = state.usage.peak_memory_bytes.max(bytes);
    }

    /// The ending that the kernel has made by killing a process for want of memory, if it has.
    pub(crate) fn oom_ending(&self) -> Option<Ending> {
        match self.groups.memory()?.oom_kill().ok()?? {
            Want::Own => Some(Ending::OutOfMemory),
            Want::Machine => Some(Ending::MachineOutOfMemory),
        }
    }
}

/// The thread's whole life.
pub(crate) fn watch(shared: &Shared, mut watched: Watched) {
    let mut watchdog = Watchdog::new();
    let mut open = [true, true];
    let gone = loop {
        watchdog.look_when_due(shared);
        let mut fds = vec![PollFd::new(&shared.socket, PollFlags::IN)];
        let pipes = [&watched.stdout, &watched.stderr];
        fds.extend(
            pipes
                .iter()
                .zip(open)
                .filter(|(_, open)| *open)
                .map(|(pipe, _)| PollFd::new(*pipe, PollFlags::IN)),
        );
        let timeout = watchdog.due_in();
        match poll(&mut fds, Some(&timeout.try_into().unwrap_or_default())) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break None,
        }
        let socket_ready = !fds[0].revents().is_empty();
        for (index, pipe) in pipes.into_iter().enumerate() {
            if open[index] {
                open[index] = read_some(shared, index, pipe, READ_BYTES);
            }
        }
        if socket_ready {
            match plan::receive::<Report>(&shared.socket) {
                Ok(Some(Report::Ended { wait_status, cpu_us })) => {
                    shared.lock().main_ended = Some((wait_status, cpu_us))
                }
                Ok(Some(Report::Gone {
                    cpu_us,
                    peak_rss_bytes,
                })) => break Some((cpu_us, peak_rss_bytes)),
                Ok(Some(Report::SealBroken { call })) => shared.request_kill(Ending::SealBroken(call)),
                Ok(Some(
                    reply @ (Report::Stopped
                    | Report::NotStopped { .. }
                    | Report::Continued
                    | Report::Sealed
                    | Report::NotSealed { .. }),
                )) => {
                    shared.lock().reply = Some(reply);
                    shared.changed.notify_all();
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break None,
            }
        }
    };
    finish(shared, &mut watched, gone);
}

/// Everything in the sandbox is dead, or its keeper is: takes the last words, cleans up and publishes the ending.
fn finish(shared: &Shared, watched: &mut Watched, gone: Option<(u64, u64)>) {
    if gone.is_none() {
        // The keeper was killed. The init follows it by itself; frozen processes cannot, so that is done here.
        shared.groups.kill_all();
    }
    for (index, pipe) in [&watched.stdout, &watched.stderr].into_iter().enumerate() {
        read_some(shared, index, pipe, DRAIN_BYTES_MAX);
    }
    shared.update_usage();
    let oom_ending = shared.oom_ending();
    // The keeper removes the groups once the socket is closed.
    let _ = rustix::net::shutdown(&shared.socket, rustix::net::Shutdown::Both);
    let _ = watched.keeper.wait();
    if gone.is_none() {
        shared.groups.kill_and_remove();
    }
    drop(watched.slot.take());
    if let Some((cpu_us, peak_rss_bytes)) = gone {
        shared.note_cpu(cpu_us);
        shared.note_memory(peak_rss_bytes);
    }
    let mut state = shared.lock();
    let over = state.stdout.is_over() || state.stderr.is_over();
    state.ending = Some(if let (Some(ending), None) = (oom_ending, state.cause) {
        ending
    } else if over && shared.policy == OutputPolicy::Kill && state.cause.is_none() {
        Ending::OutputLimit
    } else {
        classify(state.cause, state.main_ended, &shared.limits)
    });
    shared.changed.notify_all();
}

/// Takes what is there, never waiting for more. False at the end of the pipe.
fn read_some(shared: &Shared, index: usize, pipe: &OwnedFd, bytes_max: usize) -> bool {
    let mut buffer = vec![0_u8; READ_BYTES];
    let mut taken_bytes = 0;
    while taken_bytes < bytes_max {
        match rustix::io::read(pipe.as_fd(), &mut buffer) {
            Ok(0) => return false,
            Ok(length) => {
                taken_bytes += length;
                let mut state = shared.lock();
                let capture = if index == 0 {
                    &mut state.stdout
                } else {
                    &mut state.stderr
                };
                capture.push(&buffer[..length]);
                let over = capture.is_over();
                drop(state);
                if over && shared.policy == OutputPolicy::Kill {
                    shared.request_kill(Ending::OutputLimit);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return true,
            Err(_) => return false,
        }
    }
    true
}

/// A pipe's two ends, ours non-blocking.
pub(crate) fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((reader, writer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_charges_nothing() {
        let mut clock = WallClock {
            charged: Duration::from_secs(5),
            running_since: None,
        };
        assert_eq!(clock.charged(), Duration::from_secs(5));
        clock.running_since = Instant::now().checked_sub(Duration::from_secs(2));
        assert!(clock.charged() >= Duration::from_secs(7));
    }
}
