//! The challenge itself: from a stored upload to a ranked, weighted result.
//!
//! ```text
//! upload -> checks (contract, gate, similarity, review) -> queue -> attempt -> scoring -> [confirming] -> board, weights
//! ```
//!
//! Threads that each do one thing, over a store that remembers everything: [`Service`] holds what they share. What is not
//! in the store is forgotten at a restart and found again: a thread looks at the store, does the next thing, and stores that
//! it is done. Nothing here speaks HTTP and nothing here writes to a chain.
//!
//! Reading order: [`Service`], `checks`, `review`, `runs` (and `taking`), `ranks`, `rounds`, [`admin`], `challenge` (what the HTTP
//! interface sees).

mod admin;
mod admin_socket;
mod challenge;
mod checks;
pub mod config;
mod noise;
mod orders;
mod problem;
mod random;
mod ranks;
mod review;
mod rounds;
mod runs;
mod service;
mod silence;
mod similar;
mod taking;
mod withdraw;

pub use admin::{Operation, RoundSpec};
pub use admin_socket::{SocketError, ask};
pub use problem::ServiceProblem;
pub use review::{ReviewMode, Reviewer};
pub use service::{Clock, Preflight, Service, ServiceSettings};
pub use withdraw::{Shared, Then};
