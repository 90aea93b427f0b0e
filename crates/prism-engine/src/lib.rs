//! One evaluation, from a request to an outcome.
//!
//! The command line and a service call the same function, [`evaluate::evaluate`]: a request in, events out, a cancel
//! handle, an outcome at the end. It is the only place that wires the bundle, the corpus, the Python runtime, the
//! sandbox and the referee together.
//!
//! Reading order: [`request`], [`outcome`], [`event`] (what goes in and out), [`evaluate`] (the one function),
//! [`caller_limits`] and `prepare` (what it needs beforehand), `settle`, [`machine_lock`] and [`forget`] (a machine of its own
//! that remembers nothing), `text`, `seats` and `launcher` (what it hands to the referee), `state`, `metrics`, `recorder`,
//! [`event_file`], [`run_lock`], [`run_dir`] (what stays, and what can be seen meanwhile), [`instantiate`] (the
//! model built once, before any of it), [`report`] and [`runs`] (who reads it).

pub mod request;

pub mod round;

pub mod slot;

pub mod outcome;

pub mod about;

pub mod event;

pub mod event_file;

pub mod evaluate;

pub mod ready;

pub mod attempt;

pub mod executor;

pub mod instantiate;

pub mod caller_limits;

pub mod machine_lock;

pub mod forget;

mod settle;

mod gate;

mod run;

mod admit;

mod prepare;

mod measure;

mod counts;

mod totals_cache;

mod text;

mod seats;

mod launcher;

mod compiler;

pub mod tokenizer;

mod curve;

mod metrics;

mod recorder;

mod state;

mod ending;

mod throughput;

mod gpu;

mod publish;

pub mod run_dir;

pub mod run_lock;

pub mod report;

pub mod runs;
