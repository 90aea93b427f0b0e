//! Embeds the Python sources, the lock files and the examples.
//!
//! Cargo runs this before it compiles the crate. It writes Rust constants to `OUT_DIR`: lists of relative
//! paths and contents, in ascending order of the paths, so that the same tree always gives the same lists. A tree
//! without what the runtime cannot work without stops the build; nothing is left out silently.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What the runtime consists of, and what only maintainers, or miners on their own machines, need.
const SOURCE_SUFFIXES: [&str; 3] = ["py", "pyi", "typed"];
const ELSEWHERE: [&str; 2] = ["tests", "prism_runtime/local"];
const EXAMPLE_SUFFIXES: [&str; 7] = ["py", "yaml", "yml", "json", "toml", "md", "txt"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?)
        .join("../..")
        .canonicalize()?;
    let (python, examples) = (root.join("python"), root.join("examples"));
    let locks = [
        ("LOCK", python.join("runtime.lock.txt")),
        ("INSTALLER_LOCK", python.join("installer.lock.txt")),
    ];
    for needed in [
        &locks[0].1,
        &locks[1].1,
        &python.join("boot.py"),
        &python.join("prism_runtime"),
        &python.join("prism_challenge"),
        &examples,
    ] {
        if !needed.exists() {
            return Err(format!("{} is missing; the runtime cannot be embedded", needed.display()).into());
        }
    }
    let mut generated = String::new();
    constant(&mut generated, "PYTHON", &python, &|path| {
        has_suffix(path, &SOURCE_SUFFIXES) && !ELSEWHERE.iter().any(|skipped| path.starts_with(skipped))
    })?;
    constant(&mut generated, "EXAMPLES", &examples, &|path| {
        has_suffix(path, &EXAMPLE_SUFFIXES)
    })?;
    for (name, lock) in locks {
        writeln!(
            generated,
            "/// The text of a lock file.\npub(crate) const {name}: &str = include_str!({:?});",
            utf8(&lock)?
        )?;
        println!("cargo:rerun-if-changed={}", lock.display());
    }
    fs::write(
        PathBuf::from(std::env::var("OUT_DIR")?).join("embedded.rs"),
        generated,
    )?;
    Ok(())
}

fn constant(
    out: &mut String,
    name: &str,
    root: &Path,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    walk(root, root, wanted, &mut files)?;
    files.sort();
    writeln!(
        out,
        "/// Paths and contents of `{name}`.\npub(crate) const {name}: &[(&str, &[u8])] = &["
    )?;
    for (relative, path) in files {
        writeln!(out, "    ({relative:?}, include_bytes!({:?})),", utf8(&path)?)?;
    }
    writeln!(out, "];")?;
    Ok(())
}

/// Collects relative paths with `/` between components, and tells Cargo about every directory and file that counts.
fn walk(
    root: &Path,
    directory: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", directory.display());
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("a name that is not UTF-8")?;
        if name.starts_with('.') || name == "__pycache__" {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, wanted, files)?;
            continue;
        }
        let relative = path.strip_prefix(root)?;
        if wanted(relative) {
            println!("cargo:rerun-if-changed={}", path.display());
            let relative = relative
                .to_str()
                .ok_or("a path that is not UTF-8")?
                .replace('\\', "/");
            files.push((relative, path.clone()));
        }
    }
    Ok(())
}

fn utf8(path: &Path) -> Result<&str, Box<dyn Error>> {
    path.to_str()
        .ok_or_else(|| format!("{} is not UTF-8", path.display()).into())
}

fn has_suffix(path: &Path, suffixes: &[&str]) -> bool {
    path.extension()
        .and_then(|suffix| suffix.to_str())
        .is_some_and(|suffix| suffixes.contains(&suffix))
}
