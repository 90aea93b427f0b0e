//! Ids, limits, the recipe and the score of PRISM.
//!
//! Everything here is pure: no file, no clock, no randomness, no process. The same bytes give the same answer on
//! every machine. Every other crate depends on this one and it depends on none of them.
