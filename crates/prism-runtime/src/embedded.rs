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

/// What the lock file pins, each as `name==version`.
pub(crate) fn locked_packages() -> impl Iterator<Item = &'static str> {
    // Everything else in it are comments and hashes, which are indented.
    let starts_entry = |line: &&str| line.starts_with(|first: char| first.is_ascii_alphanumeric());
    let pins = generated::LOCK.lines().filter(starts_entry);
    pins.filter_map(|line| line.split_whitespace().next())
}

/// The text of the file that locks uv.
pub(crate) fn installer_lock_text() -> &'static str {
    generated::INSTALLER_LOCK
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
                    && !path.contains("__pycache__"),
                "{path}"
            );
        }
    }

    #[test]
    fn the_lock_files_pin_every_package_by_version_and_hash() {
        assert!(locked_packages().count() > 1);
        for text in [lock_text(), installer_lock_text()] {
            assert!(!text.contains("://") && !text.contains("index"), "no address");
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
            let mut hashes = 1;
            for line in lines {
                if let Some(digits) = line.trim_start().strip_prefix("--hash=sha256:") {
                    let digits = digits.trim_end_matches(" \\");
                    assert!(Sha256Hash::parse(digits).is_some(), "{line}");
                    hashes += 1;
                } else {
                    assert!(line.contains("==") && line.ends_with(" \\"), "{line}");
                    assert!(hashes > 0, "before {line}");
                    hashes = 0;
                }
            }
            assert!(hashes > 0);
        }
    }

    #[test]
    fn what_miners_may_import_is_locked() {
        for wanted in ["torch", "numpy", "einops"] {
            let mut versions =
                locked_packages().filter_map(|pin| pin.strip_prefix(wanted)?.strip_prefix("=="));
            let version = versions.next().unwrap();
            if wanted == "torch" {
                let version = crate::probe::leading_version(version).unwrap();
                assert!(version >= crate::probe::OLDEST_TORCH);
            }
            assert_eq!(versions.next(), None, "{wanted} is there once, for every machine");
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
