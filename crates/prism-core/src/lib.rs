//! Ids, limits, the recipe and the score of PRISM.
//!
//! Everything here is pure: no file, no clock, no randomness, no process. The same bytes give the same answer on
//! every machine. Every other crate depends on this one and it depends on none of them.
//!
//! Reading order: [`recipe`] (the constants), [`nats`] (one prediction), [`estimate`] (claims and audits to a code
//! length), [`score`] (code lengths to a score), [`outcome`] (how a run can end), [`hash`].

pub mod recipe;

pub mod nats;

pub mod estimate;

pub mod score;

pub mod outcome;

pub mod hash;
