//! What the gate knows of Python and its libraries: names, never behaviour.
//!
//! [`builtins`], [`libraries`] and [`attributes`] are lists; [`verdict`] looks a dotted path up in them and in the tables of the rules.

pub(crate) mod attributes;
pub(crate) mod builtins;
pub(crate) mod libraries;
pub(crate) mod verdict;
