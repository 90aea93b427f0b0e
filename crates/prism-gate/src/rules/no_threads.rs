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

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet, denied};

pub(crate) static RULE: Rule = Rule {
    code: "PRS115",
    id: "prism:no-threads",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("no_threads.rs"),
};

pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "starts threads or event loops",
    denied: &[
        denied(
            "threading",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "_thread",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "_threading_local",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "dummy_threading",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "concurrent",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "queue",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "_queue",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "sched",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "contextvars",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "_contextvars",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "torch.futures",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "gevent",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "eventlet",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "greenlet",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "torch.set_num_threads",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
        denied(
            "torch.set_num_interop_threads",
            "leave it out: torch uses all threads of the recipe already, and batches need no prefetching",
        ),
    ],
    attributes: &[],
    hooks: Hooks { ..Hooks::NONE },
};
