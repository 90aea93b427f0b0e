//! One evaluation, from a request to an outcome.
//!
//! The command line and a service call the same function, [`evaluate::evaluate`]: a request in, events out, a cancel
//! handle, an outcome at the end. It is the only place that wires the bundle, the corpus, the Python runtime, the
//! sandbox and the referee together.
//!
//! Reading order: [`request`], [`outcome`], [`event`] (what goes in and out), [`evaluate`] (the one function), `prepare`
//! (what it needs beforehand), `text` and `launcher` (what it hands to the referee), `state`, `metrics`, [`manifest`], [`run_dir`]
//! (what stays), [`instantiate`] (the model built once, before any of it), [`report`] and [`runs`] (who reads it).

pub mod request;

pub mod outcome;

pub mod event;

pub mod manifest;

pub mod evaluate;

pub mod instantiate;

mod gate;

mod prepare;

mod text;

mod launcher;

mod curve;

mod metrics;

mod state;

mod publish;

pub mod run_dir;

pub mod report;

pub mod runs;
