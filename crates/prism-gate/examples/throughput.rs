//! How fast the gate reads: `cargo run --release -p prism-gate --example throughput -- DIR...`
//!
//! Every directory with an `architecture.py` and a `training.py` below the arguments is a bundle. All are checked in
//! turn on one thread; the best and the median of the rounds are printed, and the bytes that were read, so that
//! `bench/gate.py` can compare them with `CPython`'s own parser on the same files. `--each` prints instead what one check of
//! each bundle costs, and what its comparison does: seconds of the processor and the most memory. Times nothing in a test.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a command-line tool for people who measure"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use prism_bundle::Bundle;
use prism_gate::similarity::Fingerprints;
use prism_gate::{Options, check, check_all};

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

/// The most memory that the process had since the last call, in mebibytes.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    // Begins anew; where that is not allowed the figure is that of all bundles so far.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// Seconds that all threads of the process had of the processors, to the hundredth.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: u32 = fields[11..13]
        .iter()
        .filter_map(|ticks| ticks.parse::<u32>().ok())
        .sum();
    f64::from(ticks) / 100.0
}

fn each(dirs: &[PathBuf]) {
    println!("| bundle | check, s | peak, MiB | findings | comparison, s | peak, MiB |");
    println!("{}|", "| --- ".repeat(6));
    for dir in dirs {
        let bundle = Bundle::from_entries(prism_bundle::pack::read_dir(dir).unwrap()).unwrap();
        peak_mib();
        let start = processor_seconds();
        let report = check(&bundle, &Options::default()).unwrap();
        let (checked, memory) = (processor_seconds(), peak_mib());
        drop(Fingerprints::of(&bundle));
        println!(
            "| {} | {:.2} | {memory} | {} | {:.2} | {} |",
            dir.file_name().unwrap_or_default().to_string_lossy(),
            checked - start,
            report.findings.len(),
            processor_seconds() - checked,
            peak_mib()
        );
    }
}

fn main() {
    let mut dirs = Vec::new();
    let mut roots: Vec<String> = std::env::args().skip(1).collect();
    let shows_each = roots.first().is_some_and(|first| first == "--each");
    for root in roots.drain(usize::from(shows_each)..) {
        bundles(Path::new(&root), &mut dirs);
    }
    if shows_each {
        each(&dirs);
        return;
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
