//! A language model reads a bundle before it runs, and code judges what it says.
//!
//! ```text
//! Case -> Prompt (with a Draw) -> request -> answer -> Called -> decision::next -> ... -> ReviewVerdict
//! ```
//!
//! The model decides nothing: its answer counts only where it proves that it has read everything and quotes what it accuses.
//! Whatever else happens ends in `held`, which costs the miner nothing. This crate makes one call at a time and remembers
//! nothing; when the next one is due, what was called before and what a review costs are the caller's (the service's store,
//! or one command). It is the only HTTP out beside `prism-client`, and must never put a key or source text into an error.
//!
//! Reading order: [`rules`], [`case`], [`prompt`], [`answer`], [`judge`], [`decision`], [`wire`], [`client`], [`breaker`], [`access`].

pub mod access;
pub mod answer;
pub mod breaker;
pub mod case;
pub mod client;
pub mod decision;
pub mod judge;
pub mod plant;
pub mod prompt;
pub mod rules;
pub mod run;
pub mod wire;

pub use access::{Access, Key, Settings, Structured};
pub use case::Case;
pub use client::{Called, Client};
pub use decision::{Next, ReviewVerdict};
pub use prompt::Draw;
