//! Everything that the crate promises about bytes from outside, tried through its public functions only.
//!
//! `zip_builder` makes archives that no honest program would; `hostile` has one test per trick; `mutated` breaks
//! archives at random; `contract` holds the rules about entrypoints, tokenizers, hashes and prices; `packing` is
//! about directories.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::large_stack_arrays,
    reason = "a failed unwrap fails the test, and the archives here are small"
)]

mod contract;
mod hostile;
mod mutated;
mod packing;
mod zip_builder;

use prism_bundle::{Bundle, BundleError};

const ARCHITECTURE: &str = "def build_model(ctx):\n    return None\n";
const TRAINING: &str = "def train(ctx):\n    pass\n";

/// The smallest honest bundle, and more files beside it.
fn entries(more: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    [
        ("architecture.py", ARCHITECTURE.as_bytes()),
        ("training.py", TRAINING.as_bytes()),
    ]
    .iter()
    .chain(more)
    .map(|(path, content)| ((*path).to_owned(), content.to_vec()))
    .collect()
}

fn code(result: Result<Bundle, BundleError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}
