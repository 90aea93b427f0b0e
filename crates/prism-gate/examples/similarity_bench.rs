//! Time and memory of one comparison against 10,000 earlier bundles.
//!
//! `cargo run --release -p prism-gate --example similarity_bench`. The bundles are generated: each holds functions of
//! its own and functions drawn from a pool that all share, so that the lists of the index are long. Timings mean
//! something on an idle machine only; the load is printed with them.

#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::fmt::Write as _;
use std::time::Instant;

use prism_bundle::Bundle;
use prism_gate::similarity::{Fingerprints, Index};

const BUNDLES: u64 = 10_000;
const QUERIES: u64 = 200;
/// Functions that are in circulation.
const POOL: u64 = 400;
/// Of a bundle's functions, drawn from the pool.
const DRAWN: u64 = 8;
/// Of a bundle's functions, its own.
const OWN: u64 = 10;
const STATEMENTS: u64 = 8;

const WORDS: [&str; 24] = [
    "exp",
    "tanh",
    "sigmoid",
    "cumsum",
    "softmax",
    "logsumexp",
    "roll",
    "flip",
    "einsum",
    "matmul",
    "where",
    "clamp",
    "norm",
    "outer",
    "stack",
    "cat",
    "gather",
    "topk",
    "masked_fill",
    "rsqrt",
    "mean",
    "var",
    "relu",
    "sin",
];

/// `SplitMix64`: the same bundles on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % bound
    }
}

fn function(text: &mut String, name: &str, seed: u64) -> std::fmt::Result {
    let mut draw = Draw(seed);
    writeln!(text, "def {name}(v0):")?;
    for at in 0..STATEMENTS {
        let mut word = || WORDS[usize::try_from(draw.below(24)).unwrap_or_default()];
        let (one, two, three) = (word(), word(), word());
        let (a, b) = (draw.below(at + 1), draw.below(at + 1));
        writeln!(
            text,
            "    v{} = torch.{one}(v{a} - torch.{two}(v{b}[0])) * v{b}.{three}(1)",
            at + 1
        )?;
    }
    writeln!(text, "    return v{STATEMENTS}\n")
}

fn bundle(number: u64) -> Result<Bundle, Box<dyn Error>> {
    let mut draw = Draw(number);
    let mut text = "import torch\n\n".to_owned();
    let mut names = Vec::new();
    for at in 0..DRAWN + OWN {
        let seed = if at < DRAWN {
            draw.below(POOL)
        } else {
            1_000_000 + number * OWN + at
        };
        let name = format!("f{at}");
        function(&mut text, &name, seed)?;
        names.push(name);
    }
    writeln!(text, "def build_model(ctx):\n    return [{}]", names.join(", "))?;
    let training = "def train(ctx):\n    pass\n";
    Ok(Bundle::from_entries(vec![
        ("architecture.py".to_owned(), text.into_bytes()),
        ("training.py".to_owned(), training.as_bytes().to_vec()),
    ])?)
}

fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn main() -> Result<(), Box<dyn Error>> {
    let before_mib = resident_mib().unwrap_or_default();
    let started = Instant::now();
    let mut index = Index::default();
    let mut marks = 0;
    for number in 0..BUNDLES {
        let found = Fingerprints::of(&bundle(number)?)?;
        marks += found.len();
        index.add(&number.to_string(), found)?;
    }
    let count = usize::try_from(BUNDLES)?;
    println!(
        "{BUNDLES} bundles, {} fingerprints each, read and added in {:.1} s",
        marks / count,
        started.elapsed().as_secs_f64()
    );
    println!(
        "memory of the index: {} MiB",
        resident_mib().unwrap_or_default().saturating_sub(before_mib)
    );
    let (mut whole_ms, mut query_ms, mut told) = (Vec::new(), Vec::new(), 0);
    for number in 0..QUERIES {
        let later = bundle(if number % 2 == 0 {
            number * 37
        } else {
            BUNDLES + number
        })?;
        let started = Instant::now();
        let found = Fingerprints::of(&later)?;
        let queried = Instant::now();
        told += index.query(&found).len();
        query_ms.push(queried.elapsed().as_secs_f64() * 1e3);
        whole_ms.push(started.elapsed().as_secs_f64() * 1e3);
    }
    for (what, mut times) in [("query", query_ms), ("fingerprints and query", whole_ms)] {
        times.sort_by(f64::total_cmp);
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        println!(
            "{what}: median {:.2} ms, 99th {:.2} ms, most {:.2} ms",
            at(50),
            at(99),
            at(100)
        );
    }
    println!("{told} matches in {QUERIES} queries");
    println!(
        "load: {}",
        std::fs::read_to_string("/proc/loadavg")
            .unwrap_or_default()
            .trim()
    );
    Ok(())
}
