//! How much of a disguised copy is found: the second table of `docs/similarity.md`.
//!
//! `cargo run -p prism-gate --example similarity_copies -- ORIGINALS VARIANTS`, where VARIANTS was written by
//! `bench/similarity_variants.py`. Prints, for each disguise, how similar the copies are to their originals.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::path::{Path, PathBuf};

use prism_bundle::Bundle;
use prism_gate::similarity::{Fingerprints, Index, QueryOptions, Thresholds, Verdict};

fn main() {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let (Some(originals), Some(variants)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: similarity_copies ORIGINALS VARIANTS");
        return;
    };
    let anything = Thresholds {
        shared_min: 0,
        review_share: 0.0,
        ..Thresholds::default()
    };
    println!("disguise             copies  min  10th median  reject review neither   the lowest");
    for disguise in sorted(&variants) {
        let mut shares: Vec<(f64, String)> = Vec::new();
        let (mut rejected, mut reviewed) = (0, 0);
        for copy in sorted(&disguise) {
            let name = copy
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let (Some(earlier), Some(later)) = (read(&originals.join(&name)), read(&copy)) else {
                continue;
            };
            let mut index = Index::new();
            let own = earlier.len();
            if let Err(error) = index.add(&name, earlier) {
                eprintln!("{error}");
            }
            let told = index.query(&later, &QueryOptions::default());
            match told.first().map(|found| found.verdict) {
                Some(Verdict::Reject) => rejected += 1,
                Some(Verdict::Review) => reviewed += 1,
                None => {}
            }
            let options = QueryOptions {
                thresholds: anything,
                ..QueryOptions::default()
            };
            let share = index
                .query(&later, &options)
                .first()
                .map_or(0.0, |found| found.of_later.max(found.of_earlier));
            shares.push((share, format!("{name}({own})")));
        }
        shares.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |part: usize| shares.get(shares.len() * part / 100).map_or(0.0, |share| share.0);
        let lowest: Vec<String> = shares
            .iter()
            .take(3)
            .map(|(share, name)| format!("{name} {share:.2}"))
            .collect();
        println!(
            "{:20} {:6} {:5.2} {:5.2} {:5.2}  {rejected:6} {reviewed:6} {:7}   {}",
            disguise.file_name().unwrap_or_default().to_string_lossy(),
            shares.len(),
            at(0),
            at(10),
            at(50),
            shares.len() - rejected - reviewed,
            lowest.join(", ")
        );
    }
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn read(dir: &Path) -> Option<Fingerprints> {
    let read = || -> Result<Fingerprints, Box<dyn std::error::Error>> {
        let entries = prism_bundle::pack::read_dir(dir)?
            .into_iter()
            .filter(|(path, _)| path != "case.toml")
            .collect();
        Ok(Fingerprints::of(&Bundle::from_entries(entries)?)?)
    };
    match read() {
        Ok(found) => Some(found),
        Err(error) => {
            eprintln!("{}: {error}", dir.display());
            None
        }
    }
}
