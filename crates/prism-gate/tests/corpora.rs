//! The gate against both corpora: every hostile script under `redteam/gate/` is refused by the rule that it names, and no
//! bundle under `redteam/honest/` or `examples/` has an error.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prism_bundle::Bundle;
use prism_gate::{Options, Report, Severity, check};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const HONEST_ARCHITECTURE: &str = "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n";
const HONEST_TRAINING: &str = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=32, seq_len=256):\n        batch.loss(model(batch.inputs)).backward()\n";

/// A case: what must be found, and the bundle.
struct Case {
    name: String,
    rules: Vec<String>,
    entries: Vec<(String, Vec<u8>)>,
}

fn header<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines()
        .take(3)
        .find_map(|line| line.strip_prefix(&format!("# {key}: ")))
        .unwrap_or_default()
        .trim()
}

fn rules(text: &str) -> Vec<String> {
    text.split('|').map(|rule| rule.trim().to_owned()).collect()
}

fn file_case(path: &Path) -> Case {
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let role = header(&text, "role");
    let mut entries = vec![
        (
            "architecture.py".to_owned(),
            HONEST_ARCHITECTURE.as_bytes().to_vec(),
        ),
        ("training.py".to_owned(), HONEST_TRAINING.as_bytes().to_vec()),
    ];
    match role {
        "architecture" => entries[0].1 = bytes,
        "training" => entries[1].1 = bytes,
        "helper" => {
            entries[0].1 = [b"import helper\n", HONEST_ARCHITECTURE.as_bytes()].concat();
            entries.push(("helper.py".to_owned(), bytes));
        }
        other => panic!("{}: the role {other:?} is none", path.display()),
    }
    Case {
        name: path.display().to_string(),
        rules: rules(header(&text, "rule")),
        entries,
    }
}

fn dir_case(dir: &Path) -> Case {
    let text = fs::read_to_string(dir.join("case.toml")).unwrap();
    let rule = text
        .lines()
        .find_map(|line| line.strip_prefix("rule = "))
        .unwrap_or_default();
    Case {
        name: dir.display().to_string(),
        rules: rules(rule.trim_matches('"')),
        entries: prism_bundle::pack::read_dir(dir)
            .unwrap()
            .into_iter()
            .filter(|(path, _)| path != "case.toml")
            .collect(),
    }
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn hostile() -> Vec<Case> {
    sorted(&repository().join("redteam/gate"))
        .iter()
        .filter(|family| family.is_dir())
        .flat_map(|family| sorted(family))
        .filter_map(|path| {
            if path.is_dir() {
                Some(dir_case(&path))
            } else {
                (path.extension().is_some_and(|extension| extension == "py")).then(|| file_case(&path))
            }
        })
        .collect()
}

/// What the gate says; `Err` is a refusal before it, by the bundle's own rules.
fn judge(entries: Vec<(String, Vec<u8>)>) -> Result<Report, String> {
    let bundle = Bundle::from_entries(entries).map_err(|error| error.to_string())?;
    Ok(check(&bundle, &Options::default()).unwrap())
}

#[test]
fn every_hostile_script_is_refused_by_its_rule() {
    let cases = hostile();
    assert!(
        cases.len() >= 150,
        "only {} hostile scripts were found",
        cases.len()
    );
    let mut missed: BTreeMap<String, String> = BTreeMap::new();
    let total = cases.len();
    for case in cases {
        let found: Vec<String> = match judge(case.entries) {
            Ok(report) => report
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .map(|finding| finding.rule.id.to_owned())
                .collect(),
            Err(_) => vec!["prism:contract".to_owned(), "prism:syntax".to_owned()],
        };
        if !found.iter().any(|rule| case.rules.contains(rule)) {
            missed.insert(case.name, format!("due {:?}, found {found:?}", case.rules));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {total} missed:\n{missed:#?}",
        missed.len()
    );
}

#[test]
fn no_honest_bundle_has_an_error() {
    let mut wrong = String::new();
    let mut count = 0;
    for root in ["redteam/honest", "examples"] {
        for dir in sorted(&repository().join(root))
            .iter()
            .filter(|path| path.is_dir())
        {
            count += 1;
            match judge(prism_bundle::pack::read_dir(dir).unwrap()) {
                Ok(report) => {
                    for finding in report
                        .findings
                        .iter()
                        .filter(|finding| finding.severity == Severity::Error)
                    {
                        wrong.push_str(&format!(
                            "{}/{}:{}:{}: {} {}\n",
                            dir.display(),
                            finding.file,
                            finding.place.line,
                            finding.place.column,
                            finding.rule.id,
                            finding.message
                        ));
                    }
                }
                Err(error) => wrong.push_str(&format!("{}: {error}\n", dir.display())),
            }
        }
    }
    assert!(count >= 48, "only {count} honest bundles were found");
    assert!(wrong.is_empty(), "false alarms:\n{wrong}");
}
