//! How a sandbox ended, and what it had used by then.
//!
//! Decided once, by `watch.rs`, when nothing of the sandbox is left. It must never tell two endings apart by what the payload wrote.

use std::time::Duration;

use crate::spec::Limits;

/// How a sandbox ended. Every way is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The main process returned this code.
    Exited(i32),
    /// The main process was killed by this signal, from inside.
    Signalled(i32),
    /// The main process made a system call of a foreign kind and was killed for it (SIGSYS).
    ForbiddenSyscall,
    /// A sealed process made this system call, which the seal does not let pass; see [`crate::call_name`].
    SealBroken(i64),
    /// The tree used more memory than it may.
    OutOfMemory,
    /// The kernel killed a process for want of memory although the tree was below its limit: the machine, or whatever
    /// PRISM runs in, has too little.
    MachineOutOfMemory,
    /// The wall-clock limit passed, frozen time not counted.
    WallTime,
    /// The limit on CPU time passed.
    CpuTime,
    /// It wrote more than it may.
    OutputLimit,
    /// [`crate::Sandbox::kill`], or the sandbox was dropped.
    KilledByCaller,
    /// The helper processes vanished: somebody outside killed them. The payload is dead as well.
    HelperDied,
}

/// What a sandbox used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// The most memory that was seen in use by the whole tree.
    pub peak_memory_bytes: u64,
    /// User and system time of the whole tree.
    pub cpu_seconds: f64,
}

/// Says how it ended, from why we killed it, or else from how the main process ended by itself.
pub(crate) fn classify(cause: Option<Ending>, main_ended: Option<(i32, u64)>, limits: &Limits) -> Ending {
    if let Some(cause) = cause {
        return cause;
    }
    let Some((status, cpu_us)) = main_ended else {
        return Ending::HelperDied;
    };
    if libc::WIFEXITED(status) {
        return Ending::Exited(libc::WEXITSTATUS(status));
    }
    match libc::WTERMSIG(status) {
        libc::SIGSYS => Ending::ForbiddenSyscall,
        libc::SIGXCPU => Ending::CpuTime,
        // The kernel's second word to a process that ignored SIGXCPU.
        libc::SIGKILL if cpu_us >= limits.cpu_seconds.saturating_mul(1_000_000) => Ending::CpuTime,
        signal => Ending::Signalled(signal),
    }
}

/// Microseconds, as people read them.
pub(crate) fn seconds(microseconds: u64) -> f64 {
    Duration::from_micros(microseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        memory_bytes: 1,
        processes: 1,
        file_bytes: 1,
        open_files: 1,
        cpu_seconds: 2,
        wall: Duration::from_secs(1),
        output_bytes: 1,
    };

    #[test]
    fn our_own_reason_comes_before_the_signal_that_it_caused() {
        assert_eq!(
            classify(Some(Ending::WallTime), Some((libc::SIGKILL, 0)), &LIMITS),
            Ending::WallTime
        );
        assert_eq!(
            classify(None, Some((libc::SIGKILL, 0)), &LIMITS),
            Ending::Signalled(libc::SIGKILL)
        );
        assert_eq!(
            classify(None, Some((libc::SIGKILL, 2_000_000)), &LIMITS),
            Ending::CpuTime
        );
        assert_eq!(classify(None, Some((libc::SIGXCPU, 0)), &LIMITS), Ending::CpuTime);
        assert_eq!(
            classify(None, Some((libc::SIGSYS, 0)), &LIMITS),
            Ending::ForbiddenSyscall
        );
        assert_eq!(classify(None, Some((3 << 8, 0)), &LIMITS), Ending::Exited(3));
        assert_eq!(classify(None, None, &LIMITS), Ending::HelperDied);
    }
}
