//! What the binary carries: the Python sources, the lock file, the examples.
//!
//! `build.rs` collects the files; this module gives them names. The command line's `demo` and `init`, the engine and
//! `install` read them here.

use std::path::PathBuf;

use prism_core::hash::Sha256Hash;

use crate::settings::Settings;
use crate::tree::{Tree, TreeError};

mod generated {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// The Python sources on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeSources {
    /// The directory that has `boot.py`, `prism_runtime` and `prism_challenge`. Read-only.
    pub dir: PathBuf,
    /// The hash of all of them, for the record.
    pub sha256: Sha256Hash,
}

/// The embedded Python sources, which each process of a run gets a copy of.
pub fn source_tree() -> Tree {
    Tree::new(generated::PYTHON)
}

/// Lays the embedded Python sources out in the data directory, where they are not there already.
pub fn runtime_sources(settings: &Settings) -> Result<RuntimeSources, TreeError> {
    let tree = source_tree();
    Ok(RuntimeSources {
        dir: tree.materialise(&settings.data_dir.join("sources"))?,
        sha256: tree.sha256(),
    })
}

/// The example bundles: a directory each.
pub fn examples() -> Tree {
    Tree::new(generated::EXAMPLES)
}

/// The text of the lock file.
pub fn lock_text() -> &'static str {
    generated::LOCK
}

/// The hash of the lock file, which names the installed runtime and goes into the record.
pub fn lock_hash() -> Sha256Hash {
    Sha256Hash::of(generated::LOCK.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_what_runs_and_nothing_else() {
        let paths: Vec<_> = generated::PYTHON.iter().map(|(path, _)| *path).collect();
        assert!(paths.is_sorted());
        assert!(paths.contains(&"boot.py"));
        assert!(paths.contains(&"prism_runtime/__init__.py"));
        for path in paths {
            assert!(
                !path.starts_with("tests/")
                    && !path.starts_with("prism_runtime/local/")
                    && path != "lock.py"
                    && !path.contains("__pycache__"),
                "{path}"
            );
        }
    }

    #[test]
    fn every_example_has_two_scripts() {
        let examples = examples();
        assert!(!examples.directories().is_empty());
        for name in examples.directories() {
            let files = examples.directory(name).unwrap();
            assert!(files.files().any(|(path, _)| path.contains(".py")), "{name}");
        }
    }
}
