//! # Threads and event loops
//!
//! ## What it does
//!
//! Refuses `threading`, `_thread`, `concurrent.futures`, `queue`, `sched`, `contextvars` and `torch.futures`.
//!
//! ## Why is this refused?
//!
//! The measurement stops and wakes the process as a whole; a thread that runs beside the loop makes a run depend on
//! timing. torch has threads of its own, and as many as the recipe says.
//!
//! ## Example
//!
//! ```python
//! import threading
//!
//! threading.Thread(target=prefetch).start()
//! ```
//!
//! Use instead:
//!
//! ```python
//! # Batches are ready when they are due; there is nothing to prefetch.
//! for batch in stream:
//!     ...
//! ```

use crate::rule::{Rule, RuleSet, denied};

pub(crate) static RULE: Rule = Rule::error("PRS115", "prism:no-threads", include_str!("no_threads.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "starts threads or event loops",
    denied: &[
        denied(
            "threading _thread _threading_local dummy_threading concurrent queue _queue sched contextvars \
             _contextvars torch.futures gevent eventlet greenlet torch.set_num_threads \
             torch.set_num_interop_threads",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "torch.ThroughputBenchmark torch.BenchmarkConfig torch.BenchmarkExecutionStats",
            "time it with `time.perf_counter()`",
        ),
        denied(
            "torch.jit.fork torch.jit.wait",
            "leave it out: torch uses all threads already",
        ),
    ],
    ..RuleSet::of(&RULE)
};
