//! Which snippets the gate gets wrong: `cargo run --release -p prism-gate --example cases -- [--refuse DIR]... [--pass DIR]...`
//!
//! A case is a file or a folder of files. What lies under `--refuse` must have an error, what lies under `--pass` none. A
//! file says in a comment which part of a bundle it is (`# role: architecture`, `training` or `helper`); what the bundle
//! lacks is filled in. Prints each case that is judged otherwise, with the findings; exits with 1 if there is one. `--all`
//! prints the errors of every case. Runs nothing of them.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command-line tool for people who measure"
)]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::path::PathBuf;
use std::process::ExitCode;

use prism_gate::Severity;

fn errors(entries: Vec<(String, Vec<u8>)>) -> Vec<String> {
    match corpus::judge(entries) {
        Err(error) => vec![error],
        Ok(report) => report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| {
                format!(
                    "{}:{}:{}: {} {} ({})",
                    finding.file,
                    finding.place.line,
                    finding.place.column,
                    finding.rule.code,
                    finding.message,
                    finding.hint
                )
            })
            .collect(),
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut total, mut wrong, mut all) = (0, 0, false);
    while let Some(flag) = arguments.next() {
        let refuse = match flag.as_str() {
            "--all" => {
                all = true;
                continue;
            }
            "--refuse" => true,
            "--pass" => false,
            _ => {
                eprintln!("usage: cases [--all] [--refuse DIR]... [--pass DIR]...");
                return ExitCode::from(2);
            }
        };
        let dir = PathBuf::from(arguments.next().unwrap_or_default());
        for path in corpus::sorted(&dir) {
            let Some(entries) = corpus::loose_case(&path) else {
                continue;
            };
            let errors = errors(entries);
            total += 1;
            let is_wrong = errors.is_empty() == refuse;
            wrong += usize::from(is_wrong);
            if is_wrong || all {
                let verdict = if is_wrong { "WRONG" } else { "right" };
                let said = if errors.is_empty() { "passes" } else { "is refused" };
                println!("{verdict} {} {said}", path.display());
                for error in errors {
                    println!("    {error}");
                }
            }
        }
    }
    println!("{wrong} of {total} are judged wrong");
    ExitCode::from(u8::from(wrong > 0))
}
