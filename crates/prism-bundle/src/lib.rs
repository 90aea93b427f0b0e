//! Bytes to a validated bundle and its hash.
//!
//! A bundle is what a miner submits: `architecture.py` with `build_model(ctx)`, `training.py` with `train(ctx)`,
//! optionally `prism.yaml`, helper modules and a `tokenizer.json`. [`Bundle::from_zip`] and
//! [`Bundle::from_entries`] take bytes from an adversary and return either a [`Bundle`] in which every rule of this
//! crate holds, or one [`BundleError`] that says which rule failed, where, and what to change. The command line, the
//! engine and a service all call these two; nobody else may construct a [`Bundle`].
//!
//! This crate starts no process, opens no socket, reads no clock and uses no randomness: the same bytes give the same
//! answer on every machine. Nothing is written to disk. The one exception to "bytes in, answer out" is [`pack`],
//! which reads a directory into entries and writes a validated bundle out again; no other module touches files.
//!
//! Reading order: [`limits`], `path`, `content`, `manifest`, `bundle`, then `zip` for the archive format.

mod bundle;
mod canonical;
mod content;
mod error;
pub mod limits;
mod manifest;
mod modules;
pub mod pack;
mod path;
mod shown;
mod yaml;
mod zip;

pub use bundle::Bundle;
pub use canonical::zstd_version;
pub use content::ContentError;
pub use error::BundleError;
pub use manifest::{Manifest, ManifestError, ManifestProblem, TokenizerChoice};
pub use pack::PackError;
pub use path::{BundlePath, PathError};
pub use shown::Shown;
pub use zip::ArchiveError;

/// What an error is, for tests: the name of its variant.
#[cfg(test)]
fn cause(error: &impl std::fmt::Debug) -> &'static str {
    let text = format!("{error:?}");
    let name: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
    name.leak()
}
