//! What the documents tell people to type is understood: commands by the binary under test, training loops by its gate, settings
//! by the service's own parser. Nothing that they would do is done: a command is asked for its help behind its last word.
//!
//! Not here: `docs/sandbox.md`'s program is a test of `prism-sandbox`'s documentation, the tables of `docs/ranking.md` are
//! computed in `prism-core`. Nobody runs the lines of other programs (`curl`, `systemctl`), the Dockerfile and the unit of
//! systemd.

use std::path::PathBuf;

use crate::context::Context;

/// Fewer than these would mean that the documents are not read.
const COMMANDS_MIN: usize = 50;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The documents for people, by their names.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec![repository().join("README.md")];
    let docs = std::fs::read_dir(repository().join("docs")).unwrap();
    paths.extend(
        docs.map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file()),
    );
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), text)
    };
    paths.into_iter().map(read).collect()
}

/// What stands between fences of this language.
fn fenced(document: &str, language: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = None;
    for line in document.lines() {
        match (open, line.trim_start().strip_prefix("```")) {
            (None, Some(named)) => {
                open = Some(named);
                found.extend((named == language).then(String::new));
            }
            (Some(_), Some(_)) => open = None,
            (Some(named), None) if named == language => {
                let text = found.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
            (_, None) => {}
        }
    }
    found
}

/// The words of each `prism` command of a script, as a shell would split them, without what only a person can fill in.
fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("prism "))
        .map(|line| {
            let line = line.split(" #").next().unwrap_or_default();
            let mut words = Vec::new();
            let mut quoted = false;
            let mut word = String::new();
            for character in line.chars() {
                match character {
                    '"' => quoted = !quoted,
                    ' ' if !quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
                    _ => word.push(character),
                }
            }
            words.extend((!word.is_empty()).then_some(word));
            words
        })
        .collect()
}

#[test]
fn every_command_of_the_documents_is_one() {
    let context = Context::new();
    let mut seen = 0;
    for (name, document) in documents() {
        for mut words in fenced(&document, "sh").iter().flat_map(|script| commands(script)) {
            let typed = words.join(" ");
            words.push("--help".to_owned());
            let output = context.command(&words).output().unwrap();
            assert!(
                output.status.success(),
                "{name}: prism {typed}\n{}",
                context.show(&output)
            );
            seen += 1;
        }
    }
    assert!(seen >= COMMANDS_MIN, "{seen} commands");
    let unknown = context
        .command(&["eval", "--no-such-flag", "--help"])
        .output()
        .unwrap();
    assert!(
        !unknown.status.success(),
        "an unknown flag before `--help` would not be seen"
    );
}

#[test]
fn every_training_loop_of_the_documents_passes_the_gate() {
    let context = Context::new();
    let model = repository().join("examples/transformer-small/architecture.py");
    let mut seen = 0;
    for (name, document) in documents() {
        for loop_ in fenced(&document, "python") {
            assert!(loop_.contains("def train(ctx):"), "{name}: {loop_}");
            context.write("bundle/architecture.py", std::fs::read(&model).unwrap());
            context.write("bundle/training.py", format!("import torch\n\n\n{loop_}\n"));
            let output = context.run("check --no-instantiate bundle");
            assert!(output.status.success(), "{name}: {}", context.show(&output));
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} training loops");
}

#[test]
fn every_configuration_of_the_documents_is_valid() {
    let context = Context::new();
    let mut seen = 0;
    for (name, document) in documents() {
        for settings in fenced(&document, "toml") {
            context.write("prism.toml", &settings);
            let output = context.run("config check --config prism.toml");
            assert!(output.status.success(), "{name}: {}", context.show(&output));
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} configurations");
}
