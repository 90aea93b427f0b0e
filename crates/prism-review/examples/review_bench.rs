//! What a review costs in our own process, beside the endpoint's time: a bundle at the size limit, both readings.
//!
//! `cargo run --release -p prism-review --example review_bench`. Reads the archive, checks it by the gate, makes both forms of the files,
//! hashes the question, builds and serialises both requests, and judges two complete answers. Medians of 41 rounds.

#![allow(clippy::print_stdout, reason = "it prints a table")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that cannot go on has failed"
)]

use std::fmt::Write as _;
use std::time::Instant;

use prism_bundle::Bundle;
use prism_gate::Options;
use prism_review::answer::{Answer, Choice, Confidence, ReadFile};
use prism_review::decision::{Outcome, Purpose};
use prism_review::judge::Vote;
use prism_review::prompt::Prompt;
use prism_review::{Access, Case, Client, Draw, Key, Settings, prompt, wire};

const ROUNDS: usize = 41;
const BYTES: usize = 256 * 1024;

/// A bundle of ordinary code, as large as the gate allows.
fn largest() -> Bundle {
    let mut architecture = String::from("import torch\nfrom torch import nn\n\n\n");
    let tail = "def build_model(ctx):\n    return Block(ctx.vocab_size)\n";
    while architecture.len() + 700 < BYTES / 2 {
        architecture.push_str(
            "class Block(nn.Module):\n    \"\"\"A block of the model.\"\"\"\n\n    def __init__(self, width):\n        \
             super().__init__()\n        self.norm = nn.LayerNorm(width)\n        self.inner = nn.Linear(width, 4 * width)  # wide\n        \
             self.outer = nn.Linear(4 * width, width)\n\n    def forward(self, hidden):\n        mixed = self.inner(self.norm(hidden))\n        \
             return hidden + self.outer(torch.nn.functional.gelu(mixed)) * 0.5\n\n\n",
        );
    }
    architecture.push_str(tail);
    let training = "def train(ctx):\n    pass\n".to_owned();
    let rest = BYTES - architecture.len() - training.len();
    let mut helper = String::new();
    while helper.len() + 120 < rest {
        helper.push_str(
            "def helper(first, second, scale=0.5):\n    return first * scale + second / 2.0  # mixed\n\n\n",
        );
    }
    let comment = "x".repeat(rest - helper.len() - 3);
    let _ = writeln!(helper, "# {comment}");
    let files = [
        ("architecture.py", architecture),
        ("training.py", training),
        ("helper.py", helper),
    ];
    let entries = files
        .map(|(path, text)| (path.to_owned(), text.into_bytes()))
        .to_vec();
    Bundle::from_entries(entries).unwrap()
}

fn answer(prompt: &Prompt) -> Vec<u8> {
    let files = prompt
        .files
        .iter()
        .map(|file| ReadFile {
            path: file.path.clone(),
            lines: file.lines.len() as u64,
        })
        .collect();
    let answer = Answer {
        echo: prompt.echo.clone(),
        files,
        decision: Choice::Allow,
        confidence: Confidence::High,
        violations: Vec::new(),
        summary: "a model".to_owned(),
    };
    let text = serde_json::to_string(&answer).unwrap();
    serde_json::json!({"choices": [{"finish_reason": "stop", "message": {"content": text}}]})
        .to_string()
        .into_bytes()
}

fn main() {
    let bundle = largest();
    let zip = bundle.to_zip();
    let access = Access::new("http://127.0.0.1:1/v1", Key::new("k").unwrap(), false).unwrap();
    let settings = Settings::new("model");
    let client = Client::new(access.clone(), settings.clone());
    let mut parts: Vec<(&str, Vec<f64>)> = ["read", "gate", "views", "hash", "ask", "judge", "all"]
        .map(|name| (name, Vec::new()))
        .into();
    let mut bytes = 0;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let mut last = begun;
        let mut took = Vec::new();
        let mut lap = || {
            let now = Instant::now();
            let ms = (now - last).as_secs_f64() * 1e3;
            last = now;
            ms
        };
        let bundle = Bundle::from_zip(&zip).unwrap();
        took.push(lap());
        let report = prism_gate::check(&bundle, &Options::default()).unwrap();
        assert!(!report.has_errors());
        took.push(lap());
        let case = Case::new(&bundle, &report, &[]).unwrap();
        took.push(lap());
        let _ = prompt::sha256(&case);
        took.push(lap());
        let mut asked = Vec::new();
        for purpose in [Purpose::Bare, Purpose::Full] {
            let draw = Draw::new([u8::try_from(round).unwrap_or(0); 32], false);
            let prompt = Client::prompt(&case, purpose, &[], &draw);
            assert_eq!(client.too_large(&case, &prompt), None);
            let request = wire::request(&access, &settings, purpose, &prompt);
            bytes = request.len();
            asked.push((purpose, prompt));
        }
        took.push(lap());
        let answers: Vec<Vec<u8>> = asked.iter().map(|(_, prompt)| answer(prompt)).collect();
        lap();
        for ((purpose, prompt), answer) in asked.iter().zip(&answers) {
            let understood = wire::understand(&case, &settings, *purpose, prompt, answer);
            assert_eq!(understood.outcome, Outcome::Vote(Vote::Allow));
        }
        took.push(lap());
        took.push(took.iter().sum());
        for ((_, all), ms) in parts.iter_mut().zip(took) {
            all.push(ms);
        }
    }
    println!(
        "{} bytes of source, a full request of {bytes} bytes, medians of {ROUNDS} rounds",
        case_bytes(&bundle)
    );
    for (name, mut all) in parts {
        all.sort_by(f64::total_cmp);
        println!(
            "{name:6} {:8.3} ms (most {:.3})",
            all[ROUNDS / 2],
            all[ROUNDS - 1]
        );
    }
}

fn case_bytes(bundle: &Bundle) -> usize {
    bundle.files().map(|(_, text)| text.len()).sum()
}
