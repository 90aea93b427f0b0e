//! The interface as a stranger sees it: a real server on a real socket over a real store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod contract;
mod describe;
mod hostile;
mod load;
mod miner;
mod owner;
mod reads;
mod runs;
mod secrets;
mod shutdown;
mod streams;
mod vector;
mod world;
