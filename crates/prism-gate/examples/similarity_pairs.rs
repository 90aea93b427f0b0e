//! Every pair of the bundles in some directories, the most similar first: where the numbers of `docs/similarity.md` come
//! from. `cargo run -p prism-gate --example similarity_pairs -- DIR...`; a directory holds bundles or is one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use prism_bundle::Bundle;
use prism_gate::similarity::{Fingerprints, Index, QueryOptions, Thresholds};

/// Pairs that are printed.
const SHOWN_MAX: usize = 25;

fn main() -> ExitCode {
    let mut read = Vec::new();
    for root in std::env::args().skip(1).map(PathBuf::from) {
        for dir in bundles(&root) {
            match fingerprints(&dir) {
                Ok(found) => {
                    let name = dir.strip_prefix(root.parent().unwrap_or(&root)).unwrap_or(&dir);
                    read.push((name.display().to_string(), found));
                }
                Err(error) => eprintln!("{}: {error}", dir.display()),
            }
        }
    }
    let anything = Thresholds {
        shared_min: 0,
        review_share: 0.0,
        ..Thresholds::default()
    };
    let mut index = Index::new();
    let mut rows = Vec::new();
    for (name, found) in read {
        let options = QueryOptions {
            thresholds: anything,
            ..QueryOptions::default()
        };
        for pair in index.query(&found, &options) {
            rows.push((
                pair.of_later.max(pair.of_earlier),
                name.clone(),
                found.len(),
                pair,
            ));
        }
        if let Err(error) = index.add(&name, found) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    let pairs = index.len() * index.len().saturating_sub(1) / 2;
    rows.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| (&a.1, &a.3.id).cmp(&(&b.1, &b.3.id)))
    });
    println!(
        "{} bundles, {pairs} pairs, {} share anything",
        index.len(),
        rows.len()
    );
    // Pairs that share nothing stand at the end, with nothing.
    let at = |part: usize| rows.get(pairs * (100 - part) / 100).map_or(0.0, |row| row.0);
    println!(
        "the greater share: median {:.2}, 90th {:.2}, 99th {:.2}",
        at(50),
        at(90),
        at(99)
    );
    println!("later  earlier jaccard shared  own  pair");
    for (_, name, own, pair) in rows.iter().take(SHOWN_MAX) {
        println!(
            "{:5.2} {:8.2} {:7.2} {:6} {own:4}  {name} <- {} {:?}",
            pair.of_later, pair.of_earlier, pair.jaccard, pair.shared, pair.id, pair.verdict
        );
    }
    ExitCode::SUCCESS
}

fn bundles(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    if found
        .iter()
        .any(|path| path.is_file() && path.extension().is_some_and(|suffix| suffix == "py"))
    {
        return vec![root.to_owned()];
    }
    found
        .into_iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| bundles(&path))
        .collect()
}

fn fingerprints(dir: &Path) -> Result<Fingerprints, Box<dyn std::error::Error>> {
    let entries = prism_bundle::pack::read_dir(dir)?
        .into_iter()
        .filter(|(path, _)| path != "case.toml")
        .collect();
    Ok(Fingerprints::of(&Bundle::from_entries(entries)?)?)
}
