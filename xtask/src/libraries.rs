//! What the libraries of a bundle lend, asked of the locked runtime: `cargo run --release -p xtask -- libraries [--check]`.
//!
//! `xtask libraries` writes `names.txt`, `attributes.txt`, `inner.txt` and `ways.txt` beside the gate's knowledge, which are
//! compiled into it. With `--check` it writes nothing: it compares, and walks from everything that is lent through
//! everything that may be said to prove that nothing leads out. Both need the runtime. `xtask check` compares the hash of
//! the lock in these files, and needs none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use prism_gate::libraries as known;
use prism_runtime::Settings;
use serde_json::{Value, json};

/// Where the files are, in the repository.
const FOLDER: &str = "crates/prism-gate/src/knowledge";
/// Asks the runtime.
const SCRIPT: &str = include_str!("libraries.py");
/// Longest line of the files, in characters.
const LINE_CHARS: usize = 116;

/// Says of each file what it is.
const FILES: [(&str, &str); 4] = [
    ("names.txt", "What each module lends: classes have a star."),
    (
        "attributes.txt",
        "Attributes that the classes of the libraries document.",
    ),
    (
        "inner.txt",
        "Attributes that objects of the libraries have besides.",
    ),
    (
        "ways.txt",
        "Attributes under which objects of the libraries hold a way out.",
    ),
];

/// Writes the files or compares them; returns what to say.
pub(crate) fn run(root: &Path, check: bool) -> Result<String, String> {
    let names = names(&ask("names", json!({ "denied": known::denied() }))?)?;
    let answer = ask("attributes", json!({ "names": names, "plain": known::plain() }))?;
    let all = |key: &str| -> BTreeSet<String> {
        let values = answer[key].as_array().into_iter().flatten();
        values.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let lent: BTreeSet<&str> = names
        .values()
        .flatten()
        .map(|name| name.trim_end_matches('*'))
        .collect();
    let (public, inner) = (all("public"), all("inner"));
    let mut ways: BTreeSet<String> = answer["ways"]
        .as_object()
        .into_iter()
        .flat_map(|ways| ways.keys().cloned())
        .collect();
    ways.retain(|name| !known::is_reviewed(name));
    // Modules may hold what they do not lend under a name that is lent elsewhere.
    ways.retain(|name| !lent.contains(name.as_str()) && !public.contains(name) || name.starts_with('_'));
    let public: BTreeSet<String> = public
        .into_iter()
        .filter(|name| !known::is_decided(name) && !ways.contains(name))
        .collect();
    let inner: BTreeSet<String> = inner.into_iter().filter(|name| !ways.contains(name)).collect();
    let texts = [
        names.iter().fold(String::new(), |mut text, (module, names)| {
            let _ = writeln!(text, "= {module}");
            text + &wrapped(names.iter().map(String::as_str))
        }),
        wrapped(public.iter().map(String::as_str)),
        wrapped(inner.iter().map(String::as_str)),
        wrapped(ways.iter().map(String::as_str)),
    ];
    let mut stale = Vec::new();
    for ((name, what), text) in FILES.iter().zip(&texts) {
        let text = format!(
            "# {what} Written by `cargo run -p xtask -- libraries`.\n{}\n{text}",
            lock_line()
        );
        let path = root.join(FOLDER).join(name);
        if !check {
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            stale.push(*name);
        }
    }
    if !stale.is_empty() {
        return Err(format!(
            "{FOLDER}: {} are not what the runtime says; run `cargo run --release -p xtask -- libraries`",
            stale.join(", ")
        ));
    }
    if !check {
        return Ok(format!(
            "{} modules, {} attributes in {FOLDER}",
            names.len(),
            public.len()
        ));
    }
    walk(&names, &public)
}

/// Walks from what is lent; an error names every way out with its path.
fn walk(names: &BTreeMap<String, Vec<String>>, public: &BTreeSet<String>) -> Result<String, String> {
    let said: Vec<&String> = public.iter().collect();
    let answer = ask(
        "walk",
        json!({ "names": names, "attributes": said, "plain": known::plain() }),
    )?;
    let reached = answer["reached"].as_object().cloned().unwrap_or_default();
    if reached.is_empty() {
        return Ok(format!("{} objects, none of them a way out", answer["objects"]));
    }
    let mut text = String::from("what is lent leads out:\n");
    for (path, value) in reached.iter().take(200) {
        let _ = writeln!(text, "  {path}: {value}");
    }
    Err(text)
}

/// The files that were made for another lock.
pub(crate) fn check_lock(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    for (name, _) in FILES {
        let path = root.join(FOLDER).join(name);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if text.lines().nth(1) != Some(lock_line().as_str()) {
            complaints.push(format!(
                "{FOLDER}/{name} was made for another runtime; run `cargo run --release -p xtask -- libraries`"
            ));
        }
    }
    Ok(())
}

fn lock_line() -> String {
    format!("# Runtime {}.", prism_runtime::lock_hash())
}

/// What each module lends, without what the gate's rules refuse.
fn names(answer: &Value) -> Result<BTreeMap<String, Vec<String>>, String> {
    if let Some(missing) = answer["missing"].as_array().filter(|missing| !missing.is_empty()) {
        return Err(format!(
            "modules.txt names what the runtime does not have: {missing:?}"
        ));
    }
    // What a rule refuses by one path is not lent under another.
    let same: BTreeSet<&str> = answer["same"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut lent = BTreeMap::new();
    for (module, names) in answer["names"].as_object().into_iter().flatten() {
        let kept = names.as_object().into_iter().flatten().filter_map(|(name, is)| {
            let path = format!("{module}.{name}");
            let kind = is[0].as_str().unwrap_or_default();
            // A whole module is lent where it may be imported, and never under another name.
            if kind == "module" || known::is_denied(&path) || same.contains(path.as_str()) {
                return None;
            }
            Some(if kind == "class" {
                format!("{name}*")
            } else {
                name.clone()
            })
        });
        lent.insert(module.clone(), kept.collect());
    }
    Ok(lent)
}

fn wrapped<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for name in names {
        if line.len() + name.len() + 1 > LINE_CHARS {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clear();
        }
        line.push_str(name);
        line.push(' ');
    }
    text.push_str(line.trim_end());
    if !line.is_empty() {
        text.push('\n');
    }
    text
}

/// Runs the script with the runtime's interpreter.
fn ask(task: &str, mut request: Value) -> Result<Value, String> {
    let modules: serde_json::Map<String, Value> = known::modules()
        .into_iter()
        .map(|module| {
            (
                module.name.to_owned(),
                json!({ "only": module.only, "also": module.also }),
            )
        })
        .collect();
    request["task"] = json!(task);
    request["modules"] = Value::Object(modules);
    let settings = Settings::from_env().map_err(|error| error.to_string())?;
    let runtime = prism_runtime::locate(&settings).map_err(|error| error.to_string())?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
    let mut child = Command::new(&runtime.python)
        .args(["-B", "-c", SCRIPT])
        .env("PYTHONPATH", sources)
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", runtime.python.display()))?;
    let mut input = child.stdin.take().ok_or("the interpreter has no input")?;
    input
        .write_all(request.to_string().as_bytes())
        .map_err(|error| format!("the interpreter does not read: {error}"))?;
    drop(input);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("asking the runtime for {task} failed: {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("the runtime's answer: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_and_nothing_is_lost() {
        let names: Vec<String> = (0..100).map(|number| format!("name_{number}")).collect();
        let text = wrapped(names.iter().map(String::as_str));
        assert!(text.lines().all(|line| line.len() <= LINE_CHARS));
        assert!(text.split_whitespace().eq(names.iter().map(String::as_str)));
        assert_eq!(wrapped(std::iter::empty()), "");
    }

    #[test]
    fn the_files_are_those_of_the_lock() {
        let mut complaints = Vec::new();
        check_lock(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut complaints).unwrap();
        assert_eq!(complaints, Vec::<String>::new());
    }
}
