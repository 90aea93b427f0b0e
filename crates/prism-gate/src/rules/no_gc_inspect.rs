//! # Looking into the interpreter
//!
//! ## What it does
//!
//! Refuses `gc`, `inspect`, `weakref`, `traceback`, `tracemalloc` and the other modules that find objects, frames or
//! source code of others.
//!
//! ## Why is this refused?
//!
//! They reach the objects of the harness, which a submission has no use for.
//!
//! ## Example
//!
//! ```python
//! import inspect
//!
//! fused = "fused" in inspect.signature(torch.optim.AdamW).parameters
//! ```
//!
//! Use instead:
//!
//! ```python
//! fused = ctx.device == "cuda"
//! optimizer = torch.optim.AdamW(groups, lr=3e-3, fused=fused)
//! ```
//!
//! Whether something is a function, as for a default that may be one, is asked with `callable`:
//!
//! ```python
//! def default(value, otherwise):
//!     if value is not None:
//!         return value
//!     return otherwise() if callable(otherwise) else otherwise
//! ```

use crate::rule::{Rule, RuleSet, denied};

pub(crate) static RULE: Rule = Rule::error("PRS114", "prism:no-gc-inspect", include_str!("no_gc_inspect.rs"));

pub(crate) static SET: RuleSet = RuleSet {
    reason: "looks into the interpreter",
    denied: &[
        denied(
            "inspect",
            "for fused AdamW write `fused=(ctx.device == \"cuda\")`, for `isfunction(f)` `callable(f)`",
        ),
        denied(
            "gc weakref _weakref _weakrefset tracemalloc objgraph pympler",
            "leave it out: memory is freed when the last name goes",
        ),
        denied(
            "traceback sys._getframe sys.exc_info sys.settrace sys.setprofile cgitb logging.traceback \
             sys._current_frames builtins.__debug_hook__ faulthandler atexit",
            "let the exception end the run: the report shows your traceback",
        ),
    ],
    ..RuleSet::of(&RULE)
};
