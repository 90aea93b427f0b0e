//! A fuzzer that runs on stable: `cargo run --release -p prism-gate --example fuzz -- [--seconds N] [--seed S] [--limit-ms L]`.
//!
//! Takes the scripts of both corpora as seeds, mutates them (bytes, tokens, splices, repetition, nesting) and gives
//! them to the gate, as archives and as entries to the bundle reader. It stops at the first crash, at an answer that
//! takes longer than [`LIMIT_MS`], at a report that differs the second time, and at an archive that does not survive
//! being packed again; it then writes the input to `target/` and says so. The same seed gives the same inputs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command-line tool"
)]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use prism_bundle::Bundle;
use prism_gate::{Options, check};

/// Longer than anything may take on a busy machine; `--limit-ms` sets another limit.
const LIMIT_MS: u64 = 5_000;
/// Longest file that is made, in bytes: a little over what a bundle may hold.
const FILE_BYTES_MAX: usize = 260 * 1024;

/// What mutations insert.
const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    ".",
    "\n",
    "\n    ",
    "\t",
    "\\\n",
    "\r",
    "\x0c",
    "\0",
    "\u{feff}",
    "#",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "f\"{",
    "}\"",
    "f'''{x!r:{y}}'''",
    "lambda: ",
    "lambda x=",
    "not ",
    "-",
    "~",
    "await ",
    "yield ",
    "**",
    "*",
    "@",
    ":=",
    "->",
    "...",
    "if x else ",
    "for x in y ",
    "async ",
    "with a as b:\n  ",
    "try:\n  x\nexcept* E as e:\n  ",
    "match x:\n  case ",
    "case {**r}:",
    "case C(a=b):",
    "class C(metaclass=M):\n  ",
    "def f[T: int](x, /, *, y=1, **k) -> T: ",
    "type X[T] = ",
    "global x\n",
    "nonlocal x\n",
    "del x\n",
    "import os",
    "from . import *",
    "from torch import *",
    "from helper import x as y\n",
    "eval",
    "getattr(x, ",
    "torch.load",
    "ctx.",
    "__class__",
    "1_000",
    "0xff",
    "1e999",
    "1j",
    "b'\\x00'",
    "r'\\'",
    "u'\\N{DIGIT ONE}'",
    "\u{ff45}val",
    "\u{202e}",
    "\u{0430}",
    "==",
    "!=",
    "<>",
    "print ",
    "`",
    "$",
    "?",
    "x = y\ny = x\n",
    "self.",
    "super().",
    "{0.__class__}",
    "%s",
    ";",
    "0",
    "a",
    "_",
    "Literal[\"x\"]",
];

/// `SplitMix64`, so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

fn cut(random: &mut Random, bytes: &[u8]) -> (usize, usize) {
    let from = random.below(bytes.len() + 1);
    let longest = 1 + random.below(400);
    (from, bytes.len().min(from + random.below(longest)))
}

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        let (from, to) = cut(random, &bytes);
        match random.below(9) {
            0 if from < bytes.len() => bytes[from] ^= 1 << random.below(8),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let token = TOKENS[random.below(TOKENS.len())].repeat(1 + random.below(3));
                bytes.splice(from..from, token.into_bytes());
            }
            3 => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(from..to, token.bytes());
            }
            4 => {
                let count = 1 + random.below(3_000);
                let chunk = bytes[from..to].repeat(count.min(FILE_BYTES_MAX / (to - from + 1)));
                bytes.splice(from..from, chunk);
            }
            5 => {
                let other = &seeds[random.below(seeds.len())];
                let (start, end) = cut(random, other);
                bytes.splice(from..to, other[start..end].iter().copied());
            }
            6 => {
                let depth = random.below(1_500);
                let (open, close) = [
                    ("(", ")"),
                    ("[", "]"),
                    ("{", "}"),
                    ("f(", ")"),
                    ("-", ""),
                    ("x.", ""),
                    ("lambda:", ""),
                ][random.below(7)];
                bytes.splice(to..to, close.repeat(depth).into_bytes());
                bytes.splice(from..from, open.repeat(depth).into_bytes());
            }
            7 => {
                let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                let mut lines: Vec<&[u8]> = lines;
                lines.swap(a, b);
                bytes = lines.join(&b'\n');
            }
            _ => bytes.insert(from, u8::try_from(random.below(256)).unwrap()),
        }
        bytes.truncate(FILE_BYTES_MAX);
    }
    bytes
}

/// What is wrong with an input, if anything.
fn judge(entries: &[(String, Vec<u8>)], twice: bool, limit: Duration) -> Result<Duration, String> {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let Ok(bundle) = Bundle::from_entries(entries.to_vec()) else {
            return Ok(());
        };
        let report = check(&bundle, &Options::default()).map_err(|error| error.to_string())?;
        if twice {
            let again = check(&bundle, &Options::default()).map_err(|error| error.to_string())?;
            if format!("{report:?}") != format!("{again:?}") {
                return Err("the second report differs".to_owned());
            }
        }
        Ok(())
    }));
    match outcome {
        Ok(result) => result?,
        Err(_) => return Err("a panic in the bundle reader".to_owned()),
    }
    let took = start.elapsed();
    if took > limit {
        Err(format!("it took {took:?}"))
    } else {
        Ok(took)
    }
}

fn judge_archive(archive: &[u8]) -> Result<(), String> {
    let outcome = catch_unwind(|| {
        if let Ok(bundle) = Bundle::from_zip(archive) {
            let again = Bundle::from_zip(&bundle.to_zip()).map_err(|error| error.to_string())?;
            if again.hash() != bundle.hash() {
                return Err("packing it again changes its hash".to_owned());
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|_| Err("a panic in the archive reader".to_owned()))
}

fn option(name: &str, default: u64) -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let place = arguments.iter().position(|argument| argument == name);
    place.map_or(default, |place| {
        arguments
            .get(place + 1)
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("`{name}` wants a whole number"))
    })
}

fn stop(problem: &str, input: &[u8]) -> ExitCode {
    let path = corpus::repository().join("target/gate-fuzz-failure.bin");
    std::fs::write(&path, input).unwrap();
    eprintln!("{problem}; the input is {}", path.display());
    ExitCode::FAILURE
}

fn main() -> ExitCode {
    let seconds = option("--seconds", 60);
    let limit = Duration::from_millis(option("--limit-ms", LIMIT_MS));
    let mut random = Random(option("--seed", 1));
    let mut seeds: Vec<Vec<u8>> = corpus::hostile()
        .into_iter()
        .flat_map(|case| case.entries)
        .map(|(_, bytes)| bytes)
        .collect();
    let honest: Vec<Vec<(String, Vec<u8>)>> = corpus::honest()
        .iter()
        .map(|(_, dir)| prism_bundle::pack::read_dir(dir).unwrap())
        .collect();
    seeds.extend(
        honest
            .iter()
            .flatten()
            .filter(|(path, _)| path.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "py"))
            .map(|(_, bytes)| bytes.clone()),
    );
    let archives: Vec<Vec<u8>> = honest
        .iter()
        .filter_map(|entries| Some(Bundle::from_entries(entries.clone()).ok()?.to_zip()))
        .collect();
    let (mut inputs, mut slowest) = (0_u64, Duration::ZERO);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        let entries = [
            ("architecture.py".to_owned(), mutate(&mut random, &seeds)),
            ("helper.py".to_owned(), mutate(&mut random, &seeds)),
            ("training.py".to_owned(), mutate(&mut random, &seeds)),
        ];
        match judge(&entries, random.below(16) == 0, limit) {
            Ok(took) => slowest = slowest.max(took),
            Err(problem) => return stop(&problem, &entries.concat_bytes()),
        }
        let archive = mutate(&mut random, &archives);
        if let Err(problem) = judge_archive(&archive) {
            return stop(&problem, &archive);
        }
        inputs += 1;
    }
    println!(
        "{inputs} bundles and as many archives in {seconds} s, nothing found; the slowest took {slowest:?}"
    );
    ExitCode::SUCCESS
}

/// The files of a failure in one piece, to look at.
trait Concat {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl Concat for [(String, Vec<u8>); 3] {
    fn concat_bytes(&self) -> Vec<u8> {
        let parts = self
            .iter()
            .map(|(path, bytes)| [format!("\n==== {path}\n").as_bytes(), bytes].concat());
        parts.collect::<Vec<_>>().concat()
    }
}
