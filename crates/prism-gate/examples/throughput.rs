//! How fast the gate reads: `cargo run --release -p prism-gate --example throughput -- DIR...`
//!
//! Every directory with an `architecture.py` and a `training.py` below the arguments is a bundle. All are checked in
//! turn on one thread; the best and the median of the rounds are printed, and the bytes that were read, so that
//! `bench/gate.py` can compare them with `CPython`'s own parser on the same files. Times nothing in a test.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a command-line tool for people who measure"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use prism_bundle::Bundle;
use prism_gate::{Options, check_all};

const ROUNDS: usize = 15;

fn bundles(dir: &Path, found: &mut Vec<PathBuf>) {
    if dir.join("architecture.py").is_file() && dir.join("training.py").is_file() {
        found.push(dir.to_owned());
        return;
    }
    let mut below: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    below.sort();
    for dir in below {
        bundles(&dir, found);
    }
}

fn main() {
    let mut dirs = Vec::new();
    for root in std::env::args().skip(1) {
        bundles(Path::new(&root), &mut dirs);
    }
    let bundles: Vec<Bundle> = dirs
        .iter()
        .filter_map(|dir| Bundle::from_entries(prism_bundle::pack::read_dir(dir).ok()?).ok())
        .collect();
    let bytes: usize = bundles
        .iter()
        .flat_map(Bundle::files)
        .filter(|(path, _)| {
            path.as_str()
                .rsplit_once('.')
                .is_some_and(|(_, suffix)| suffix == "py")
        })
        .map(|(_, text)| text.len())
        .sum();
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            check_all(&bundles, &Options::default()).unwrap();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    println!(
        "{{\"bundles\": {}, \"bytes\": {bytes}, \"best_seconds\": {:.6}, \"median_seconds\": {:.6}}}",
        bundles.len(),
        seconds[0],
        seconds[ROUNDS / 2]
    );
}
