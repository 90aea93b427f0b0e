//! The binary from outside: one integration test for everything that a user can do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod eval;
mod host;
mod redteam;
