//! The gate's two rates: `cargo run --release -p prism-gate --example accuracy [-- --write | --check]`.
//!
//! How many of the hostile scripts under `redteam/gate/` are refused by the rule that they attack, and how many of the
//! honest bundles have an error or a warning. Prints the page `docs/gate-accuracy.md`, writes it, or checks that it is
//! up to date, as `.ci/run` does.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command-line tool"
)]

#[path = "../tests/corpus/mod.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use prism_gate::Severity;

fn page() -> String {
    let mut families: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for case in corpus::hostile() {
        let counts = families.entry(case.family.clone()).or_default();
        counts.0 += 1;
        counts.1 += usize::from(case.is_detected());
    }
    let honest = corpus::honest();
    let mut with_errors = Vec::new();
    let mut warnings: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut with_warnings = 0;
    for (name, dir) in &honest {
        let entries = prism_bundle::pack::read_dir(dir).unwrap();
        let Ok(report) = corpus::judge(entries) else {
            with_errors.push(name.clone());
            continue;
        };
        if report.has_errors() {
            with_errors.push(name.clone());
        }
        with_warnings += usize::from(report.count(Severity::Warning) > 0);
        for finding in report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Warning)
        {
            *warnings.entry(finding.rule.id).or_default() += 1;
        }
    }
    let cases: usize = families.values().map(|(cases, _)| cases).sum();
    let refused: usize = families.values().map(|(_, refused)| refused).sum();
    let mut page = String::from(
        "# How accurate is the static gate?\n\n\
         Written by `cargo run --release -p prism-gate --example accuracy -- --write`; `.ci/run` checks that it is up to\n\
         date. A hostile script counts as refused only if an *error* of the rule that it attacks is among the findings.\n\n",
    );
    writeln!(
        page,
        "- Hostile scripts under `redteam/gate/`: {refused} of {cases} refused by the right rule."
    )
    .unwrap();
    let wrong = with_errors.len();
    writeln!(
        page,
        "- Honest bundles under `redteam/honest/` and `examples/`: {wrong} of {} with an error.",
        honest.len()
    )
    .unwrap();
    writeln!(
        page,
        "- Honest bundles with a warning (which stops nobody): {with_warnings} of {}.\n",
        honest.len()
    )
    .unwrap();
    page.push_str("| family | hostile scripts | refused |\n| --- | --- | --- |\n");
    for (family, (cases, refused)) in &families {
        writeln!(page, "| `prism:{family}` | {cases} | {refused} |").unwrap();
    }
    page.push_str("\n| warnings among the honest | count |\n| --- | --- |\n");
    for (rule, count) in &warnings {
        writeln!(page, "| `{rule}` | {count} |").unwrap();
    }
    for name in with_errors {
        writeln!(page, "\nFalse alarm: `{name}`.").unwrap();
    }
    page
}

fn main() -> ExitCode {
    let path = corpus::repository().join("docs/gate-accuracy.md");
    let page = page();
    match std::env::args().nth(1).as_deref() {
        Some("--write") => fs::write(path, page).unwrap(),
        Some("--check") => {
            if fs::read_to_string(&path).unwrap_or_default() != page {
                eprintln!("docs/gate-accuracy.md is not up to date: run this example with `--write`");
                return ExitCode::FAILURE;
            }
            println!("docs/gate-accuracy.md is up to date");
        }
        Some(other) => {
            eprintln!("`{other}` is not known: use `--write`, `--check` or nothing");
            return ExitCode::from(2);
        }
        None => print!("{page}"),
    }
    ExitCode::SUCCESS
}
