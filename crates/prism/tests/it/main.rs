//! The real binary, from the outside: what it prints, where, and how it exits.
//!
//! Every test runs `prism` in a directory of its own with an environment of its own; modules follow the commands. The
//! ones that start real evaluations, `dense`, `eval`, `official`, `passes` and `redteam`, share the machine that `host` sets
//! up; so does `instantiate`, which calls the engine's function, and `views`, both with the binary as the sandbox's init.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod context;
mod endpoint;
mod host;
mod hub;
mod run_fixture;
mod service;

mod challenge;
mod challenge_operator;
mod challenge_world;
mod check;
mod data;
mod dense;
mod documents;
mod eval;
mod eval_usage;
mod explain;
mod full_disk;
mod help;
mod init;
mod instantiate;
mod leftovers;
mod limits;
mod machine_lock;
mod official;
mod passes;
mod recipe;
mod redteam;
mod remote;
mod report;
mod review;
mod review_command;
mod review_corpus;
mod runs;
mod serve;
mod verify;
mod views;
mod watch;
