//! Finds or installs the Python runtime, and owns what PRISM brings along for it.
//!
//! The command line, the engine, the tests and a service all come here and so all find the same interpreter:
//!
//! - [`locate`] answers with a [`Runtime`]: an interpreter that can import torch, and the directories that a sandbox
//!   must bind read-only for it to work. With `PRISM_PYTHON` set it is that one, without it is the one that
//!   [`install`] made from the lock file. Where neither works the answer is an error that says what to do; nothing is
//!   ever tried in its place.
//! - [`install`] makes a virtual environment from the embedded lock file, in the user's data directory.
//! - [`views::views`] gives each process of an evaluation directories of its own, made of that.
//! - [`runtime_sources`] lays the embedded Python sources out on disk; [`examples`] are the embedded example bundles.
//! - [`doctor`] says what is missing on this machine.
//!
//! The crate runs interpreters and installers only to ask about them and to install packages. It never runs a
//! miner's code. What is downloaded is downloaded by `pip` and `uv`; the only thing that it opens a socket to itself is a
//! proxy that the environment names, to see whether it is there when a download has failed.
//!
//! Reading order: [`env_vars`], `settings`, `locate`, `probe`, `binds`, `install`, `tree`, `views`, `doctor`.

mod binds;
mod child;
mod doctor;
mod embedded;
pub mod env_vars;
mod error;
mod install;
mod installed;
mod interpreter;
mod locate;
mod probe;
mod settings;
mod tree;
mod turn;
pub mod views;

pub use doctor::{Check, SANDBOX_PATH, Status, doctor};
pub use embedded::{RuntimeSources, examples, lock_hash, lock_text, runtime_sources, source_tree};
pub use error::RuntimeError;
pub use install::{DiskNeed, InstallEvent, InstallPlan, Step, install, plan};
pub use locate::{Origin, Runtime, is_installed, locate};
pub use settings::Settings;
pub use tree::{Tree, TreeError};

/// Bytes for people, in the unit of everything that is said about an installation: `12.0 GB`.
pub fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
