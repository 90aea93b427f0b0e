//! What the gate says of code that nobody wrote for it: `cargo run --release -p prism-gate --example real_code -- [--list] DIR...`
//!
//! Every Python file below the directories that defines a module or an optimizer of torch is put into a bundle by itself, as
//! a helper. Its errors are sorted: what the contract forbids (other libraries, files, processes, environment, foreign
//! kernels), and what is left, which somebody has to look at. Prints the table; `--list` prints what is left, with its
//! places. Downloads nothing and runs nothing.

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

/// Whether a file defines modules or optimizers.
fn is_of_torch(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let defines = ["nn.Module)", "Module):", "Optimizer):", "BaseOptimizer):"];
    text.contains("import torch") && defines.iter().any(|base| text.contains(base))
}

/// Whether the contract forbids what a finding is about; everything else is looked at by a person.
fn is_forbidden(finding: &Finding) -> bool {
    let by_rule = matches!(
        finding.rule.code,
        "PRS101" | "PRS102" | "PRS103" | "PRS104" | "PRS105" | "PRS107" | "PRS115" | "PRS201"
    );
    by_rule || finding.message.contains("is not on the list of modules")
}

fn main() {
    let mut list = false;
    let (mut total, mut clean, mut forbidden, mut left) = (0, 0, 0, 0);
    let mut rules: BTreeMap<(&str, bool), (usize, usize)> = BTreeMap::new();
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
            let architecture = "import helper\nfrom torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n";
            let training = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=8, seq_len=64):\n        batch.loss(model(batch.inputs)).backward()\n";
            let entries = vec![
                ("architecture.py".to_owned(), architecture.as_bytes().to_vec()),
                ("training.py".to_owned(), training.as_bytes().to_vec()),
                ("helper.py".to_owned(), text),
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
            let strange: Vec<_> = errors.iter().filter(|finding| !is_forbidden(finding)).collect();
            forbidden += usize::from(!errors.is_empty() && strange.is_empty());
            left += usize::from(!strange.is_empty());
            let mut seen: Vec<(&str, bool)> = Vec::new();
            for finding in &errors {
                let key = (finding.rule.code, is_forbidden(finding));
                let counts = rules.entry(key).or_default();
                counts.1 += 1;
                if !seen.contains(&key) {
                    seen.push(key);
                    counts.0 += 1;
                }
            }
            if list {
                for finding in strange {
                    println!(
                        "{}:{}: {} {}",
                        path.display(),
                        finding.place.line,
                        finding.rule.code,
                        finding.message
                    );
                }
            }
        }
    }
    println!("| rule | sort | files | errors |\n| --- | --- | --- | --- |");
    for ((rule, is_forbidden), (files, errors)) in &rules {
        let sort = if *is_forbidden {
            "the contract forbids it"
        } else {
            "to be looked at"
        };
        println!("| {rule} | {sort} | {files} | {errors} |");
    }
    println!(
        "\n{total} files: {clean} pass, {forbidden} have errors that the contract forbids only, {left} others"
    );
}
