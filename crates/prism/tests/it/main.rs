//! The real binary, from the outside: what it prints, where, and how it exits.
//!
//! Every test runs `prism` in a directory of its own with an environment of its own. Modules follow the commands.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod context;
mod run_fixture;

mod data;
mod eval_usage;
mod help;
mod init;
mod recipe;
mod report;
mod runs;
mod verify;
