//! What the gate says of code that nobody wrote for it: `cargo run --release -p prism-gate --example real_code -- [--list] DIR...`
//!
//! Every Python file below the directories that defines a model or an optimizer of torch is put into a bundle by itself,
//! where it lies in its package, so that what it imports of that is taken for the bundle's own. Its errors are sorted:
//! what the contract forbids, by its clause, and what is wrong, as judged by people who looked at each
//! ([`WRONG`]). Prints the table; `--list` prints each error but those about imports with its place. Downloads nothing and runs
//! nothing; `bench/similarity_real.py WORK` leaves packages in WORK/src.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a command-line tool for people who measure"
)]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prism_gate::{Finding, Severity};

/// Most files of one package.
const PER_PACKAGE_MAX: usize = 25;

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for path in corpus::sorted(dir) {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "py") && is_of_torch(&path) {
            found.push(path);
        }
    }
}

/// Whether a file defines a model or an optimizer.
fn is_of_torch(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let defines =
        |bases: &[&str], method: &str| text.contains(method) && bases.iter().any(|base| text.contains(base));
    let is_a_model = || defines(&["(Module)", "nn.Module)", "PreTrainedModel)"], "def forward(");
    let is_an_optimizer = || defines(&["Optimizer)"], "def step(");
    text.contains("import torch") && (is_a_model() || is_an_optimizer())
}

/// Errors that are wrong, by the end of the file's path and the rule: honest code that a reader sees to be harmless.
const WRONG: &[(&str, &str)] = &[
    // A method of a module that was handed over, by a name that was handed over with it.
    ("hyper_connections/mHCv2.py", "PRS110"),
    (
        "hyper_connections/manifold_constrained_hyper_connections.py",
        "PRS110",
    ),
    // Children of `self` that are replaced by computed names, in a class that is handed to a function which makes it.
    // A wrapper that hands every attribute on to what it wraps.
    ("modules/layer_dropout.py", "PRS110"),
    // A documented setting of the compiler, which is read.
    ("cat/modeling_cat.py", "PRS108"),
    ("cat/modeling_cat.py", "PRS110"),
];

/// What of the contract an error is about.
fn clause(finding: &Finding) -> &'static str {
    match finding.rule.code {
        "PRS101" | "PRS102" | "PRS103" | "PRS105" | "PRS107" => {
            "no files, processes, networks, stored objects, clocks of the system"
        }
        "PRS104" | "PRS106" | "PRS109" | "PRS113" | "PRS114" => "no way into the interpreter",
        "PRS108" | "PRS116" => {
            "nothing of torch that is undocumented, foreign to Python or outside of the model"
        }
        "PRS110" => "names are spelled out, except on own objects",
        "PRS111" => "no other libraries",
        "PRS112" | "PRS115" => "nothing of the harness or of others is changed",
        "PRS201" | "PRS202" => "code can be read",
        _ => "the form of a bundle",
    }
}

fn main() {
    let mut list = false;
    let (mut total, mut clean, mut wrong) = (0, 0, 0);
    let mut rules: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for root in std::env::args().skip(1) {
        if root == "--list" {
            list = true;
            continue;
        }
        let mut found = Vec::new();
        files(Path::new(&root), &mut found);
        // Spread over the package, in the order of the names.
        let step = found.len().div_ceil(PER_PACKAGE_MAX).max(1);
        for path in found.iter().step_by(step) {
            let text = fs::read(path).unwrap();
            // Where it lies in its package, so that what it imports of that is the bundle's own.
            let place = path.strip_prefix(&root).unwrap().display().to_string();
            let architecture = "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n";
            let training = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=8, seq_len=64):\n        batch.loss(model(batch.inputs)).backward()\n";
            let entries = vec![
                ("architecture.py".to_owned(), architecture.as_bytes().to_vec()),
                ("training.py".to_owned(), training.as_bytes().to_vec()),
                (place, text),
            ];
            let Ok(report) = corpus::judge(entries) else {
                continue;
            };
            total += 1;
            let errors: Vec<_> = report
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .collect();
            clean += usize::from(errors.is_empty());
            let is_wrong = |finding: &Finding| {
                let is_here =
                    |(file, rule): &&(&str, &str)| path.ends_with(file) && *rule == finding.rule.code;
                WRONG.iter().any(|judged| is_here(&judged))
            };
            wrong += usize::from(errors.iter().any(|finding| is_wrong(finding)));
            let mut seen = Vec::new();
            for finding in &errors {
                let sort = if is_wrong(finding) {
                    "**wrong**"
                } else {
                    clause(finding)
                };
                let key = (finding.rule.code, sort);
                let counts = rules.entry(key).or_default();
                counts.1 += 1;
                if !seen.contains(&key) {
                    seen.push(key);
                    counts.0 += 1;
                }
                if list && finding.rule.code != "PRS111" {
                    let (path, line) = (path.display(), finding.place.line);
                    println!("{path}:{line}: {} {}", finding.rule.code, finding.message);
                }
            }
        }
    }
    println!("| rule | what the contract says | files | errors |\n| --- | --- | --- | --- |");
    for ((rule, sort), (files, errors)) in &rules {
        println!("| {rule} | {sort} | {files} | {errors} |");
    }
    println!(
        "\n{total} files: {clean} pass, {} have errors that the contract forbids only, {wrong} have wrong ones",
        total - clean - wrong
    );
}
