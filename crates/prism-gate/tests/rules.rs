//! Every rule against its fixture: what it must find, what it must let pass, and how its findings read.
//!
//! `fixtures/<CODE>.py` has three sections, each begun by a comment that stands alone: `# forbidden`, `# allowed` and
//! `# shadowed` (names that only look like the forbidden ones). Every statement of the first has a finding of the rule;
//! no line of the others has one, nor an error of any rule. Where one file cannot show it, `fixtures/<CODE>/` holds
//! files and whole bundles whose names begin with `forbidden`, `allowed` or `shadowed`. A file stands where its entry
//! point says, or is a helper of the architecture. The snapshots show the findings as a reader sees them.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use prism_bundle::Bundle;
use prism_gate::{DistributedPolicy, Finding, Options, Report, Severity, check};
use ruff_source_file::LineIndex;
use ruff_text_size::Ranged;

const ARCHITECTURE: &str = "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n";
const TRAINING: &str = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=32, seq_len=256):\n        batch.loss(model(batch.inputs)).backward()\n";
/// Rules whose findings are made elsewhere and tested there: of the bundle's format, of the model that is built, and of
/// the comparison with other bundles.
const NOT_OF_THE_SOURCE: [&str; 12] = [
    "PRS003", "PRS004", "PRS302", "PRS311", "PRS312", "PRS313", "PRS314", "PRS315", "PRS316", "PRS317",
    "PRS601", "PRS602",
];
/// Longest line of source in a snapshot, in characters.
const SHOWN_CHARS: usize = 100;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

type Entries = Vec<(String, Vec<u8>)>;

/// A bundle around one file, and the name that the file has in it.
fn around(text: &str) -> (Entries, &'static str) {
    let entry = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    if text.contains("def build_model(") {
        (
            vec![entry("architecture.py", text), entry("training.py", TRAINING)],
            "architecture.py",
        )
    } else if text.contains("def train(") {
        (
            vec![entry("architecture.py", ARCHITECTURE), entry("training.py", text)],
            "training.py",
        )
    } else {
        let architecture = format!("import helper\n{ARCHITECTURE}");
        let entries = vec![
            entry("architecture.py", &architecture),
            entry("training.py", TRAINING),
            entry("helper.py", text),
        ];
        (entries, "helper.py")
    }
}

fn judge(entries: Entries, options: Options) -> Report {
    check(&Bundle::from_entries(entries).unwrap(), &options).unwrap()
}

/// The findings of a file as a reader sees them: place, source, marks, hint.
fn render(findings: &[&Finding], entries: &Entries) -> String {
    let mut shown = String::new();
    for finding in findings {
        let place = finding.place;
        let text = entries.iter().find(|(name, _)| *name == finding.file).unwrap();
        let text = String::from_utf8(text.1.clone()).unwrap();
        let line: String = text
            .lines()
            .nth(place.line as usize - 1)
            .unwrap_or_default()
            .chars()
            .take(SHOWN_CHARS)
            .collect();
        let start = (place.column as usize - 1).min(SHOWN_CHARS);
        let end = if place.end_line == place.line {
            place.end_column as usize - 1
        } else {
            line.chars().count()
        };
        let marks = end.min(SHOWN_CHARS).saturating_sub(start).max(1);
        writeln!(
            shown,
            "{}:{}:{}: {}[{}] {}",
            finding.file,
            place.line,
            place.column,
            finding.severity.as_str(),
            finding.rule.code,
            finding.message
        )
        .unwrap();
        writeln!(
            shown,
            "  | {}",
            line.escape_debug()
                .to_string()
                .replace("\\\"", "\"")
                .replace("\\'", "'")
        )
        .unwrap();
        writeln!(shown, "  | {}{}", " ".repeat(start), "^".repeat(marks)).unwrap();
        writeln!(shown, "  = {}\n", finding.hint).unwrap();
    }
    shown
}

/// What is wrong with the findings of one section or file.
fn complaint(kind: &str, code: &str, findings: &[&Finding]) -> Option<String> {
    let unwelcome: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error || finding.rule.code == code)
        .map(|finding| {
            format!(
                "line {}: {} {}",
                finding.place.line, finding.rule.code, finding.message
            )
        })
        .collect();
    (kind != "forbidden" && !unwelcome.is_empty()).then(|| format!("{kind}: {}", unwelcome.join("; ")))
}

/// The sections of a fixture: name, first line, last line.
fn sections(text: &str) -> Vec<(&'static str, u32, u32)> {
    let mut sections = vec![("setup", 1, u32::MAX)];
    for (number, line) in (1_u32..).zip(text.lines()) {
        for name in ["forbidden", "allowed", "shadowed"] {
            if line == format!("# {name}") {
                sections.last_mut().unwrap().2 = number;
                sections.push((name, number + 1, u32::MAX));
            }
        }
    }
    sections
}

/// First and last line of every statement at the top of a file.
fn statements(text: &str) -> Vec<(u32, u32)> {
    let index = LineIndex::from_source_text(text);
    let line = |offset| u32::try_from(index.line_index(offset).get()).unwrap();
    ruff_python_parser::parse_module(text)
        .unwrap()
        .syntax()
        .body
        .iter()
        .map(|stmt| (line(stmt.start()), line(stmt.end())))
        .collect()
}

fn check_file(code: &str, path: &Path, problems: &mut Vec<String>) -> String {
    let text = fs::read_to_string(path).unwrap();
    let (entries, name) = around(&text);
    let report = judge(entries.clone(), Options::default());
    let findings: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.file == name)
        .collect();
    let sections = sections(&text);
    let names: Vec<&str> = sections.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, ["setup", "forbidden", "allowed", "shadowed"], "{code}");
    let statements = statements(&text);
    for (kind, first, last) in &sections {
        let here = |line: u32| *first <= line && line <= *last;
        let found: Vec<&Finding> = findings
            .iter()
            .copied()
            .filter(|finding| here(finding.place.line))
            .collect();
        problems.extend(complaint(kind, code, &found).map(|complaint| format!("{code}: {complaint}")));
        let count = statements.iter().filter(|(start, _)| here(*start)).count();
        assert!(*kind == "setup" || count > 0, "{code}: nothing is {kind}");
        for (start, end) in statements
            .iter()
            .filter(|(start, _)| *kind == "forbidden" && here(*start))
        {
            let is_found = |finding: &&Finding| {
                finding.rule.code == code && (*start..=*end).contains(&finding.place.line)
            };
            if !found.iter().any(is_found) {
                problems.push(format!("{code}: nothing found in lines {start} to {end}"));
            }
        }
    }
    let of_rule: Vec<&Finding> = findings
        .into_iter()
        .filter(|finding| finding.rule.code == code)
        .collect();
    render(&of_rule, &entries)
}

/// One file or bundle of a rule that needs several.
fn check_part(code: &str, path: &Path, problems: &mut Vec<String>) -> String {
    let entries = if path.is_dir() {
        prism_bundle::pack::read_dir(path).unwrap()
    } else {
        around(&fs::read_to_string(path).unwrap()).0
    };
    let report = judge(entries.clone(), Options::default());
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let kind = name.split(['-', '.']).next().unwrap();
    assert!(
        ["forbidden", "allowed", "shadowed"].contains(&kind),
        "{code}: {name}"
    );
    let findings: Vec<&Finding> = report.findings.iter().collect();
    problems.extend(complaint(kind, code, &findings).map(|complaint| format!("{code}/{name}: {complaint}")));
    let of_rule: Vec<&Finding> = findings
        .into_iter()
        .filter(|finding| finding.rule.code == code)
        .collect();
    if kind == "forbidden" && of_rule.is_empty() {
        problems.push(format!("{code}/{name}: nothing found"));
    }
    let shown = render(&of_rule, &entries);
    if shown.is_empty() {
        String::new()
    } else {
        format!("--- {name}\n{shown}")
    }
}

#[test]
fn every_rule_keeps_to_its_fixture() {
    let (mut problems, mut snapshots) = (Vec::new(), Vec::new());
    for rule in prism_gate::list().filter(|rule| !NOT_OF_THE_SOURCE.contains(&rule.code)) {
        let code = rule.code;
        let file = fixtures().join(format!("{code}.py"));
        let shown = if file.is_file() {
            check_file(code, &file, &mut problems)
        } else {
            let dir = fixtures().join(code);
            let mut parts: Vec<PathBuf> = fs::read_dir(&dir)
                .unwrap_or_else(|error| panic!("{code} has no fixture: {error}"))
                .map(|entry| entry.unwrap().path())
                .collect();
            parts.sort();
            let has = |kind: &str| {
                parts
                    .iter()
                    .any(|part| part.file_name().unwrap().to_string_lossy().starts_with(kind))
            };
            assert!(
                has("forbidden") && has("allowed"),
                "{code}: its fixture shows one side only"
            );
            parts
                .iter()
                .map(|part| check_part(code, part, &mut problems))
                .collect()
        };
        snapshots.push((code, shown));
    }
    // Before the snapshots: they end at the first that differs, and would hide what is wrong with the fixture.
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for (code, shown) in snapshots {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(code, shown);
        });
    }
}

#[test]
fn names_are_read_as_python_reads_them() {
    let text = "x = ｅｖａｌ(\"1\")\nimport 𝐨𝐬\ny = x.__ｃｌａｓｓ__\n";
    let (entries, name) = around(text);
    let report = judge(entries, Options::default());
    for (line, id) in [
        (1, "prism:no-dynamic-code"),
        (2, "prism:no-process"),
        (3, "prism:no-attribute-escape"),
    ] {
        let refused = report.findings.iter().any(|finding| {
            finding.file == name
                && finding.place.line == line
                && finding.rule.id == id
                && finding.severity == Severity::Error
        });
        assert!(refused, "line {line} lacks {id}");
    }
}

#[test]
fn the_operator_decides_about_distributed_training() {
    for (code, part) in [
        ("PRS501", "forbidden-first-half-only.py"),
        ("PRS502", "forbidden-everyone-writes.py"),
    ] {
        let text = fs::read_to_string(fixtures().join(code).join(part)).unwrap();
        let weight = |distributed| {
            let report = judge(around(&text).0, Options { distributed });
            report
                .findings
                .iter()
                .find(|finding| finding.rule.code == code)
                .map(|finding| finding.severity)
        };
        assert_eq!(weight(DistributedPolicy::Reject), Some(Severity::Error), "{code}");
        assert_eq!(weight(DistributedPolicy::Flag), Some(Severity::Warning), "{code}");
        assert_eq!(weight(DistributedPolicy::Off), None, "{code}");
    }
}

#[test]
fn one_machine_is_the_bound_whatever_the_operator_decides() {
    let text =
        "def train(ctx):\n    import torch.distributed as dist\n    dist.init_process_group(world_size=16)\n";
    for distributed in [
        DistributedPolicy::Reject,
        DistributedPolicy::Flag,
        DistributedPolicy::Off,
    ] {
        let report = judge(around(text).0, Options { distributed });
        let is_bound =
            |finding: &Finding| finding.rule.code == "PRS503" && finding.severity == Severity::Error;
        assert!(report.findings.iter().any(is_bound));
    }
}

#[test]
fn source_that_nobody_reads_is_refused_at_the_byte() {
    let of = |bytes: usize| {
        let entry = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        let line = "# filler\n";
        let room = bytes - ARCHITECTURE.len() - TRAINING.len();
        let half = line.repeat(room / 2 / line.len());
        let rest = format!("{}#{}\n", line.repeat(0), "x".repeat(room - half.len() - 2));
        let entries = vec![
            entry("architecture.py", ARCHITECTURE),
            entry("training.py", TRAINING),
            entry("aaa.py", &half),
            entry("zzz.py", &rest),
        ];
        let report = judge(entries, Options::default());
        report
            .findings
            .iter()
            .any(|finding| finding.rule.code == "PRS004")
    };
    assert!(!of(256 * 1024));
    assert!(of(256 * 1024 + 1));
}

#[test]
fn names_come_through_modules_that_import_everything_of_one_another() {
    // Each of them from all others: what a name stands for is looked up once, not once for each way to it.
    let count = 15;
    let mut entries = vec![
        ("training.py".to_owned(), TRAINING.as_bytes().to_vec()),
        (
            "architecture.py".to_owned(),
            format!("from part_0 import *\n\nweights = hidden(1)\n{ARCHITECTURE}").into_bytes(),
        ),
    ];
    for number in 0..count {
        let mut text = String::new();
        for other in (0..count).filter(|other| *other != number) {
            writeln!(text, "from part_{other} import *").unwrap();
        }
        if number == count - 1 {
            text.push_str("from torch import load as hidden\n");
        }
        entries.push((format!("part_{number}.py"), text.into_bytes()));
    }
    let report = judge(entries, Options::default());
    let found = report
        .findings
        .iter()
        .find(|finding| finding.file == "architecture.py")
        .map(|finding| finding.rule.code);
    assert_eq!(found, Some("PRS107"));
}

#[test]
fn a_wrong_signature_is_one_finding() {
    let training = "import torch


def train(model, ctx):
    model = model.to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        ctx.log(loss=loss.item())
";
    let codes = |training: &str| -> Vec<(&str, u32)> {
        let findings = judge(around(training).0, Options::default()).findings;
        findings
            .iter()
            .map(|finding| (finding.rule.code, finding.place.line))
            .collect()
    };
    assert_eq!(codes(training), [("PRS301", 4)]);
    // What is wrong with `ctx` itself is still seen.
    let private = training.replace("ctx.device", "ctx._session");
    assert_eq!(codes(&private), [("PRS301", 4), ("PRS113", 5)]);
}
