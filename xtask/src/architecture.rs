//! What `ARCHITECTURE.md` names is there: files by their whole path, tests by their names; and what it says of purity holds.
//!
//! Used by `xtask check` alone. It finds no wrong sentence, only names that have moved.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Endings of the files that the document names by their paths.
const FILES: [&str; 4] = [".rs", ".py", ".sql", ".json"];
/// A name with so many underscores is that of a test, or of a function that is named like one.
const UNDERSCORES_OF_A_TEST: usize = 4;
/// Files and folders that do no I/O and read no clock.
const PURE: [&str; 2] = ["crates/prism-core/src", "crates/prism-bundle/src"];
/// What is excepted of them: a bundle is read from a directory and written to one.
const NOT_PURE: [&str; 1] = ["crates/prism-bundle/src/pack.rs"];

/// Every file and test that the document names is there.
pub(crate) fn names(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let text = read(&root.join("ARCHITECTURE.md"))?;
    let mut sources = Vec::new();
    for (dir, extension) in [
        ("crates", "rs"),
        ("xtask", "rs"),
        ("python", "py"),
        ("tests", "py"),
    ] {
        crate::files(&root.join(dir), extension, &mut sources)?;
    }
    let mut functions = BTreeSet::new();
    for path in sources {
        let source = read(&path)?;
        let named = source.split("fn ").chain(source.split("def ")).skip(1);
        functions.extend(named.map(|rest| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            rest[..end.unwrap_or(rest.len())].to_owned()
        }));
    }
    // What stands between backticks, outside of the code map.
    let prose: String = text.split("```").step_by(2).collect();
    for name in prose.split('`').skip(1).step_by(2) {
        let is_file = name.contains('/') && FILES.iter().any(|ending| name.ends_with(ending));
        if is_file
            && !["", "crates"]
                .iter()
                .any(|dir| root.join(dir).join(name).is_file())
        {
            complaints.push(format!("ARCHITECTURE.md: there is no file `{name}`"));
        }
        let is_word = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if is_word && name.matches('_').count() >= UNDERSCORES_OF_A_TEST && !functions.contains(name) {
            complaints.push(format!("ARCHITECTURE.md: there is no test `{name}`"));
        }
    }
    Ok(())
}

/// Recipe, score and the format of a bundle touch no file, no clock and no process.
pub(crate) fn purity(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let mut sources: Vec<PathBuf> = Vec::new();
    for dir in PURE {
        crate::files(&root.join(dir), "rs", &mut sources)?;
    }
    let excepted = |path: &PathBuf| NOT_PURE.iter().any(|file| path.ends_with(file));
    for path in sources.iter().filter(|path| !excepted(path)) {
        let source = read(path)?;
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        for word in [
            "std::fs",
            "fs::",
            "std::net",
            "std::process",
            "std::env",
            "Instant::now",
            "SystemTime",
        ] {
            if product.contains(word) {
                complaints.push(format!("{}: is to be pure and contains `{word}`", path.display()));
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
