//! Ids, limits, the recipe and the score of PRISM.
//!
//! Everything here is pure: no file, no clock, no randomness, no process. The same bytes give the same answer on
//! every machine. Every other crate depends on this one and it depends on none of them.
//!
//! Reading order: [`recipe`] (the constants), [`nats`] (one prediction), [`estimate`] (claims and audits to a code
//! length), [`score`] (code lengths to a score), [`rank`] (whether it ranks), [`ranking`] (the order of a round),
//! [`weights`] (an order to weights), [`outcome`] (how a run can end), [`advice`] (what an error tells people),
//! [`failure`] and [`io_error`] (why something has no result), [`submission`] (where a submission stands and may go),
//! [`time`], [`hash`], [`hex`], [`words`] (enums whose variants are words for programs), [`escape`] and [`traceback`]
//! (foreign words as they are shown).

pub mod recipe;

pub mod nats;

pub mod estimate;

pub mod score;

pub mod rank;

pub mod ranking;

pub mod weights;

pub mod outcome;

pub mod advice;

pub mod failure;

pub mod io_error;

pub mod submission;

pub mod time;

pub mod hash;

pub mod hex;

pub mod escape;

pub mod traceback;

pub mod words;
