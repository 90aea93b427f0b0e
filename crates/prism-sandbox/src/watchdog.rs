//! The limits that the kernel does not enforce for a whole tree: wall time, CPU time, and memory where there is no control group.
//!
//! Called by `watch.rs` ten times a second. It must never trust a number that the payload could have written.

use std::time::{Duration, Instant};

use crate::capabilities::MemoryCap;
use crate::cgroup::Group;
use crate::ending::Ending;
use crate::proctree;
use crate::watch::Shared;

/// How often the counters are looked at.
const TICK: Duration = Duration::from_millis(100);
/// CPU time that no group counts is added up every so many ticks.
const TICKS_PER_CPU_SCAN: u32 = 10;
/// Without a control group: memory that may vanish from the machine, beyond twice the limit, before the sandbox is blamed.
const UNEXPLAINED_BYTES: u64 = 1 << 30;

/// What is looked at between events.
pub(crate) struct Watchdog {
    available_at_start_bytes: Option<u64>,
    ticks: u32,
    next: Instant,
}

impl Watchdog {
    pub(crate) fn new() -> Self {
        Self {
            available_at_start_bytes: proctree::available_bytes(),
            ticks: 0,
            next: Instant::now() + TICK,
        }
    }

    /// Time until the next look.
    pub(crate) fn due_in(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Looks at every limit that the kernel does not enforce by itself, if it is time to.
    pub(crate) fn look_when_due(&mut self, shared: &Shared) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + TICK;
            self.look(shared);
        }
    }

    fn look(&mut self, shared: &Shared) {
        self.ticks = self.ticks.wrapping_add(1);
        if shared.wall_charged() >= shared.limits.wall {
            shared.request_kill(Ending::WallTime);
        }
        if shared.memory_cap == MemoryCap::Watchdog {
            self.look_at_memory(shared);
        } else if let Some(ending) = shared.oom_ending() {
            // Version 1 kills one process and lets the rest go on.
            shared.request_kill(ending);
        } else if shared.groups.memory().is_some_and(Group::is_over_network_limit) {
            shared.request_kill(Ending::OutOfMemory);
        }
        let counted_us = shared.groups.cpu_us();
        if counted_us.is_some() || self.ticks.is_multiple_of(TICKS_PER_CPU_SCAN) {
            let cpu_us = counted_us.unwrap_or_else(|| proctree::cpu_us(&proctree::members(shared.init_pid)));
            shared.note_cpu(cpu_us);
            if cpu_us >= shared.limits.cpu_seconds.saturating_mul(1_000_000) {
                shared.request_kill(Ending::CpuTime);
            }
        }
    }

    /// Best effort: what the processes map, and what has vanished from the machine meanwhile.
    fn look_at_memory(&self, shared: &Shared) {
        let limit_bytes = shared.limits.memory_bytes;
        let used_bytes = proctree::memory_bytes(&proctree::members(shared.init_pid), limit_bytes);
        shared.note_memory(used_bytes);
        let vanished_bytes = match (self.available_at_start_bytes, proctree::available_bytes()) {
            (Some(before), Some(now)) => before.saturating_sub(now),
            _ => 0,
        };
        if used_bytes > limit_bytes
            || vanished_bytes > limit_bytes.saturating_mul(2).saturating_add(UNEXPLAINED_BYTES)
        {
            shared.request_kill(Ending::OutOfMemory);
        }
    }
}
