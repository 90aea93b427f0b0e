//! Rules of the repository that a compiler does not know: `cargo run --release -p xtask -- check`.
//!
//! Which crate may depend on which; that every source file says what it is; that the protocol's document and its
//! source agree; that the pages of the gate's rules are those of its code. Run by `.ci/run`; changes nothing. `cargo run --release
//! -p xtask -- rules` writes these pages; `-- libraries` asks the runtime what a bundle may use.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod architecture;
mod libraries;
mod rules;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use prism_referee::frame::Kind;

/// Our crates, and which of our crates each may depend on, without `prism-`. Direction: core, then parts, then engine, then binary.
const MAY_DEPEND_ON: &[(&str, &str)] = &[
    ("prism-core", ""),
    ("prism-shm", ""),
    ("prism-scratch", ""),
    ("prism-sandbox", "core scratch"),
    ("prism-bundle", "core"),
    ("prism-key", "core"),
    ("prism-client", "core key"),
    ("prism-gate", "bundle core"),
    ("prism-corpus", "core scratch"),
    ("prism-runtime", "core"),
    ("prism-referee", "core shm"),
    ("prism-report", "core referee"),
    ("prism-review", "bundle core gate"),
    ("prism-store", "core"),
    (
        "prism-engine",
        "bundle core corpus gate referee report runtime sandbox scratch",
    ),
    ("prism-server", "core key store"),
    (
        "prism-service",
        "bundle core engine gate referee report review server store",
    ),
    (
        "prism",
        "bundle client core corpus engine gate key referee \
         report review runtime sandbox scratch server service store",
    ),
    ("xtask", "gate referee review runtime"),
];

/// Crates of others, and which of ours may use them.
const ONLY_USERS: &[(&str, &[&str])] = &[
    ("axum", &["prism-server"]),
    ("hyper", &["prism-server"]),
    ("tokio", &["prism-server"]),
    ("rusqlite", &["prism-store"]),
    // To judge what is submitted, and to take the words out of what a sandbox shows.
    ("ruff_python_parser", &["prism-gate", "prism-runtime"]),
    ("schnorrkel", &["prism-key"]),
];

/// Adds what it finds wrong; an error is a rule that could not be checked.
type Rule = fn(&Path, &mut Vec<String>) -> Result<(), String>;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(&root),
        Some("rules") => match rules::write(&root) {
            Ok(pages) => {
                println!("xtask: {pages} pages in {}", rules::FOLDERS.join(" and "));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        Some("libraries") => {
            let only_check = std::env::args().nth(2).as_deref() == Some("--check");
            match libraries::run(&root, only_check) {
                Ok(said) => {
                    println!("xtask: {said}");
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    eprintln!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprintln!("usage: cargo run --release -p xtask -- check|rules|libraries [--check]");
            ExitCode::from(2)
        }
    }
}

fn check(root: &Path) -> ExitCode {
    let mut complaints = Vec::new();
    let all: [Rule; 7] = [
        dependencies,
        source_files,
        architecture::names,
        architecture::purity,
        protocol_document,
        rules::check,
        libraries::check_lock,
    ];
    for rule in all {
        if let Err(error) = rule(root, &mut complaints) {
            complaints.push(error);
        }
    }
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    if complaints.is_empty() {
        println!("xtask: all rules hold");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn dependencies(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let rules: BTreeMap<&str, &str> = MAY_DEPEND_ON.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = rules.get(name) else {
            complaints.push(format!(
                "the crate {name} is not in xtask's table of dependencies"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            let only = ONLY_USERS.iter().find(|(theirs, _)| *theirs == other);
            if let Some((_, ours)) = only.filter(|(_, ours)| !ours.contains(&name) && !for_tests) {
                complaints.push(format!(
                    "{name} must not depend on {other}: only {} may",
                    ours.join(" and ")
                ));
            }
            let is_allowed = allowed
                .split(' ')
                .any(|ours| other.strip_prefix("prism-") == Some(ours));
            if rules.contains_key(other) && !is_allowed && !for_tests {
                complaints.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    Ok(())
}

fn files(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, extension, found)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    Ok(())
}

fn source_files(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let mut sources = Vec::new();
    for dir in ["crates", "xtask/src", "fuzz/src", "fuzz/fuzz_targets"] {
        files(&root.join(dir), "rs", &mut sources)?;
    }
    for path in sources {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !text.starts_with("//!") {
            complaints.push(format!(
                "{}: does not open with a `//!` that says what it is",
                path.display()
            ));
        }
        // Written in two parts, so that this file does not find itself.
        for word in [
            concat!("#[ign", "ore"),
            concat!("todo", "!("),
            concat!("TO", "DO"),
            // Advice is a value of an error (`prism_core::advice`): a sentence may quote a stranger.
            concat!("split_once(\"", "; \")"),
            // A bound is called after what it bounds: `NAME_BYTES_MAX`.
            concat!("const M", "AX_"),
            concat!("const M", "IN_"),
        ] {
            if text.contains(word) {
                complaints.push(format!("{}: contains `{word}`", path.display()));
            }
        }
    }
    Ok(())
}

/// Every kind's number, name and limit stand in the protocol's table.
fn protocol_document(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let path = root.join("protocol/PROTOCOL.md");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    for &kind in Kind::ALL {
        let limit = grouped(kind.max_body_bytes());
        let start = format!("| {:#04x} | {} |", kind as u8, kind.name());
        let row = text.lines().find(|line| line.starts_with(&start));
        if row.is_none_or(|row| !row.ends_with(&format!("| {limit} |"))) {
            complaints.push(format!("PROTOCOL.md: no row `{start} ... | {limit} |`"));
        }
    }
    Ok(())
}

/// `1234567` as `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
