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

/// What is wrong: the name of the variant, behind that of the part that found it.
fn code(result: Result<Bundle, BundleError>) -> &'static str {
    result.map_or_else(|error| cause(&error), |_| "ok")
}

fn cause(error: &impl std::fmt::Debug) -> &'static str {
    let text = format!("{error:?}");
    let (part, rest) = ["Archive", "Path", "Content", "Manifest"]
        .into_iter()
        .find_map(|part| Some((format!("{part}::"), text.strip_prefix(part)?.strip_prefix('(')?)))
        .unwrap_or((String::new(), &text));
    let rest = rest.split_once("problem: ").map_or(rest, |(_, problem)| problem);
    let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    (part + &name).leak()
}
