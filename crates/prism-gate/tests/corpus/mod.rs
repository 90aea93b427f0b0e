//! Loads both corpora: the hostile scripts under `redteam/gate/` and the honest bundles under `redteam/honest/` and
//! `examples/`. Used by the test that judges them and by the example that prints the rates.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each user takes a part of it; a broken corpus should stop the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use prism_bundle::Bundle;
use prism_gate::{Options, Report, Severity, check};

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const HONEST_ARCHITECTURE: &str = "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n";
const HONEST_TRAINING: &str = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=32, seq_len=256):\n        batch.loss(model(batch.inputs)).backward()\n";

/// A hostile case: what must be found, and the bundle.
pub(crate) struct Case {
    /// Its folder, which is the rule that it attacks.
    pub(crate) family: String,
    /// Its name within that.
    pub(crate) name: String,
    /// One of these must be among its errors.
    pub(crate) rules: Vec<String>,
    /// The files of the bundle.
    pub(crate) entries: Vec<(String, Vec<u8>)>,
}

impl Case {
    /// The rules of the errors that the gate finds in it.
    pub(crate) fn errors(&self) -> Vec<String> {
        match judge(self.entries.clone()) {
            Ok(report) => report
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .map(|finding| finding.rule.id.to_owned())
                .collect(),
            // The bundle's own rules refuse it before: that is how the command line reports these.
            Err(_) => vec!["prism:contract".to_owned(), "prism:syntax".to_owned()],
        }
    }

    /// Whether one of the rules that must refuse it does.
    pub(crate) fn is_detected(&self) -> bool {
        self.errors().iter().any(|rule| self.rules.contains(rule))
    }
}

fn family_of(path: &Path) -> String {
    let name = path.parent().and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn name_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
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
        family: family_of(path),
        name: name_of(path),
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
        family: family_of(dir),
        name: name_of(dir),
        rules: rules(rule.trim_matches('"')),
        entries: prism_bundle::pack::read_dir(dir)
            .unwrap()
            .into_iter()
            .filter(|(path, _)| path != "case.toml")
            .collect(),
    }
}

pub(crate) fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// The bundle around a file or a folder of files; `None` for what is no case. What it lacks is filled in.
pub(crate) fn loose_case(path: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    if !path.is_dir() {
        let is_python = path.extension().is_some_and(|extension| extension == "py");
        return is_python.then(|| file_case(path).entries);
    }
    let mut entries: Vec<_> = prism_bundle::pack::read_dir(path)
        .unwrap()
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_str(), "case.toml" | "case.txt"))
        .collect();
    for (name, text) in [
        ("architecture.py", format!("import helper\n{HONEST_ARCHITECTURE}")),
        ("training.py", HONEST_TRAINING.to_owned()),
    ] {
        if !entries.iter().any(|(known, _)| known == name) {
            entries.push((name.to_owned(), text.into_bytes()));
        }
    }
    Some(entries)
}

/// Every hostile case, in the order of its name.
pub(crate) fn hostile() -> Vec<Case> {
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

/// Every honest bundle: its name and its directory.
pub(crate) fn honest() -> Vec<(String, PathBuf)> {
    ["redteam/honest", "examples"]
        .iter()
        .flat_map(|root| {
            sorted(&repository().join(root))
                .into_iter()
                .map(move |dir| (*root, dir))
        })
        .filter(|(_, dir)| dir.is_dir())
        .map(|(root, dir)| (format!("{root}/{}", name_of(&dir)), dir))
        .collect()
}

/// What the gate says; `Err` is a refusal before it, by the bundle's own rules.
pub(crate) fn judge(entries: Vec<(String, Vec<u8>)>) -> Result<Report, String> {
    let bundle = Bundle::from_entries(entries).map_err(|error| error.to_string())?;
    Ok(check(&bundle, &Options::default()).unwrap())
}
