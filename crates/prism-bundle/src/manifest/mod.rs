//! `prism.yaml`: what a bundle says about itself.
//!
//! ```yaml
//! name: my-model                 # optional, for people
//! description: A small one.      # optional, for people
//! tokenizer: bytes               # optional: bytes (the default), gpt2, or bundle (its tokenizer.json)
//! entrypoints:                   # optional, each on its own
//!   architecture: architecture.py
//!   training: training.py
//! ```
//!
//! Manifests of the older interface are read too: `architecture: {entrypoint: FILE}` and `training: {entrypoint: FILE}`
//! instead of `entrypoints`, `kind: full`, `architecture_id`. A declared entrypoint is honoured exactly: it must be
//! the path of a file of the bundle, and nothing else is tried where it is not. `bundle` calls [`Manifest::parse`]
//! once it has the text; this module looks at no other file.

mod error;

pub use error::{ManifestError, ManifestProblem};

use prism_core::advice::nearest;

use crate::limits::{DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX};
use crate::path::BundlePath;
use crate::shown::Shown;
use crate::yaml::{self, Key, Node, Value};

/// The name of the manifest, at the bundle's root.
pub(crate) const MANIFEST_FILE: &str = "prism.yaml";
/// The name of a bundle's own tokenizer, at its root.
pub(crate) const TOKENIZER_FILE: &str = "tokenizer.json";

const DEFAULT_ARCHITECTURE: &str = "architecture.py";
const DEFAULT_TRAINING: &str = "training.py";

const KEYS: [&str; 4] = ["name", "description", "tokenizer", "entrypoints"];
const ENTRYPOINT_KEYS: [&str; 2] = ["architecture", "training"];
const OLDER_KEYS: [&str; 4] = ["kind", "architecture_id", "architecture", "training"];
const OLDER_SECTION_KEYS: [&str; 5] = ["entrypoint", "factory", "function", "entry", "files"];
const TOKENIZERS: [&str; 3] = ["bytes", "gpt2", "bundle"];

/// The tokenizer that a bundle asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenizerChoice {
    /// 256 bytes and an end-of-text token.
    Bytes,
    /// The GPT-2 byte-pair encoding.
    Gpt2,
    /// The bundle's own `tokenizer.json`.
    Bundle,
}

impl TokenizerChoice {
    /// The name that `prism.yaml` uses for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => TOKENIZERS[0],
            Self::Gpt2 => TOKENIZERS[1],
            Self::Bundle => TOKENIZERS[2],
        }
    }
}

/// What `prism.yaml` says, with the defaults in place of what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The model's name, for people.
    pub name: Option<String>,
    /// A description, for people.
    pub description: Option<String>,
    /// The file that has `build_model(ctx)`.
    pub architecture: BundlePath,
    /// The file that has `train(ctx)`.
    pub training: BundlePath,
    /// The tokenizer, where one is declared.
    pub tokenizer: Option<TokenizerChoice>,
}

/// One of the two scripts: what its keys and its function are called.
struct Role {
    key: &'static str,
    function: &'static str,
}

const ARCHITECTURE: Role = Role {
    key: ENTRYPOINT_KEYS[0],
    function: "build_model",
};
const TRAINING: Role = Role {
    key: ENTRYPOINT_KEYS[1],
    function: "train",
};

/// What has been read so far.
#[derive(Default)]
struct Draft {
    name: Option<String>,
    description: Option<String>,
    tokenizer: Option<TokenizerChoice>,
    architecture: Option<BundlePath>,
    training: Option<BundlePath>,
}

impl Manifest {
    /// Parses the text of `prism.yaml`, whose size the caller has bounded. An empty text gives the defaults, as does
    /// a bundle without the file.
    pub(crate) fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut draft = Draft::default();
        if let Some(root) = yaml::parse(text)? {
            for (key, node) in mapping(root, "prism.yaml")? {
                draft.top_level(&key, node)?;
            }
        }
        let or_default = |declared: Option<BundlePath>, role: &'static str, default: &str| match declared {
            Some(path) => Ok(path),
            None => BundlePath::parse(default)
                .map_err(|reason| ManifestProblem::EntrypointPath { role, reason }.at(1, 1)),
        };
        Ok(Self {
            name: draft.name,
            description: draft.description,
            architecture: or_default(draft.architecture, ARCHITECTURE.key, DEFAULT_ARCHITECTURE)?,
            training: or_default(draft.training, TRAINING.key, DEFAULT_TRAINING)?,
            tokenizer: draft.tokenizer,
        })
    }
}

impl Draft {
    fn top_level(&mut self, key: &Key, node: Node) -> Result<(), ManifestError> {
        match key.text.as_str() {
            "name" => self.name = Some(prose(node, "name", NAME_CHARS_MAX, false)?),
            "description" => {
                self.description = Some(prose(node, "description", DESCRIPTION_CHARS_MAX, true)?);
            }
            "tokenizer" => self.tokenizer = Some(tokenizer(node)?),
            "entrypoints" => {
                for (key, node) in mapping(node, "entrypoints")? {
                    match key.text.as_str() {
                        "architecture" => self.declare(&ARCHITECTURE, node)?,
                        "training" => self.declare(&TRAINING, node)?,
                        _ => return Err(unknown(&key, &ENTRYPOINT_KEYS)),
                    }
                }
            }
            "architecture" => self.older_section(&ARCHITECTURE, node)?,
            "training" => self.older_section(&TRAINING, node)?,
            "architecture_id" => {
                prose(node, "architecture_id", NAME_CHARS_MAX, false)?;
            }
            "kind" => {
                let (line, column) = (node.position.line, node.position.column);
                let kind = text(node, "kind")?;
                if kind != "full" {
                    return Err(ManifestProblem::UnsupportedKind {
                        kind: Shown::text(&kind),
                    }
                    .at(line, column));
                }
            }
            _ => return Err(unknown(key, &[&KEYS[..], &OLDER_KEYS[..]].concat())),
        }
        Ok(())
    }

    /// `architecture: {entrypoint: FILE}`. `files` only grouped sources for the older interface's comparison of
    /// submissions; whatever a bundle contains is there for both scripts.
    fn older_section(&mut self, role: &Role, node: Node) -> Result<(), ManifestError> {
        for (key, node) in mapping(node, role.key)? {
            match key.text.as_str() {
                "entrypoint" => self.declare(role, node)?,
                "factory" | "function" | "entry" => {
                    let (line, column) = (node.position.line, node.position.column);
                    check_function(role, &text(node, role.key)?, line, column)?;
                }
                "files" => files(node)?,
                _ => return Err(unknown(&key, &OLDER_SECTION_KEYS)),
            }
        }
        Ok(())
    }

    fn declare(&mut self, role: &Role, node: Node) -> Result<(), ManifestError> {
        let (line, column) = (node.position.line, node.position.column);
        let declared = text(node, role.key)?;
        // The older interface wrote `file.py::function`.
        let path = match declared.split_once("::") {
            Some((path, function)) => {
                check_function(role, function, line, column)?;
                path
            }
            None => &declared,
        };
        let path = BundlePath::parse(path).map_err(|reason| {
            ManifestProblem::EntrypointPath {
                role: role.key,
                reason,
            }
            .at(line, column)
        })?;
        if !path.is_python() {
            return Err(ManifestProblem::EntrypointNotPython {
                role: role.key,
                path: path.shown(),
            }
            .at(line, column));
        }
        let slot = if role.key == ARCHITECTURE.key {
            &mut self.architecture
        } else {
            &mut self.training
        };
        if slot.replace(path).is_some() {
            return Err(ManifestProblem::EntrypointTwice { role: role.key }.at(line, column));
        }
        Ok(())
    }
}

fn check_function(role: &Role, found: &str, line: usize, column: usize) -> Result<(), ManifestError> {
    if found == role.function {
        return Ok(());
    }
    let (role, expected, found) = (role.key, role.function, Shown::text(found));
    Err(ManifestProblem::EntrypointFunction {
        role,
        expected,
        found,
    }
    .at(line, column))
}

fn mapping(node: Node, key: &'static str) -> Result<Vec<(Key, Node)>, ManifestError> {
    match node.value {
        Value::Mapping(entries) => Ok(entries),
        _ => Err(wrong_type(&node, key, "a mapping of keys to values")),
    }
}

fn text(node: Node, key: &'static str) -> Result<String, ManifestError> {
    match node.value {
        Value::Text(text) => Ok(text),
        _ => Err(wrong_type(&node, key, "a text")),
    }
}

/// A text or a list of texts.
fn files(node: Node) -> Result<(), ManifestError> {
    let items = match node.value {
        Value::List(items) => items,
        _ => vec![node],
    };
    items
        .into_iter()
        .try_for_each(|item| text(item, "files").map(drop))
}

/// Text for people: bounded, and without anything that would disturb a terminal or a page.
fn prose(
    node: Node,
    key: &'static str,
    limit_chars: usize,
    several_lines: bool,
) -> Result<String, ManifestError> {
    let (line, column) = (node.position.line, node.position.column);
    let text = text(node, key)?.trim().to_owned();
    let chars = text.chars().count();
    if chars > limit_chars {
        return Err(ManifestProblem::ValueTooLong {
            key,
            chars,
            limit_chars,
        }
        .at(line, column));
    }
    if text
        .chars()
        .any(|character| character.is_control() && !(several_lines && character == '\n'))
    {
        return Err(ManifestProblem::ControlCharacter { key }.at(line, column));
    }
    Ok(text)
}

fn tokenizer(node: Node) -> Result<TokenizerChoice, ManifestError> {
    let (line, column) = (node.position.line, node.position.column);
    let Value::Text(value) = node.value else {
        return Err(wrong_type(&node, "tokenizer", "`bytes`, `gpt2` or `bundle`"));
    };
    match value.as_str() {
        "bytes" => Ok(TokenizerChoice::Bytes),
        "gpt2" => Ok(TokenizerChoice::Gpt2),
        "bundle" | TOKENIZER_FILE => Ok(TokenizerChoice::Bundle),
        _ => Err(ManifestProblem::UnknownTokenizer {
            nearest: nearest(&value, TOKENIZERS),
            value: Shown::text(&value),
        }
        .at(line, column)),
    }
}

fn wrong_type(node: &Node, key: &'static str, expected: &'static str) -> ManifestError {
    ManifestProblem::WrongType { key, expected }.at(node.position.line, node.position.column)
}

fn unknown(key: &Key, known: &[&'static str]) -> ManifestError {
    ManifestProblem::UnknownKey {
        key: Shown::text(&key.text),
        nearest: nearest(&key.text, known.iter().copied()),
        known: known.to_vec(),
    }
    .at(key.position.line, key.position.column)
}

#[cfg(test)]
mod tests {
    use prism_core::advice::Advice as _;

    use super::*;

    fn failure(text: &str) -> (&'static str, String) {
        let error = Manifest::parse(text).unwrap_err();
        (crate::cause(&error.problem), error.told())
    }

    #[test]
    fn empty_gives_the_defaults() {
        for text in ["", "# nothing\n", "{}\n", "name: x\n"] {
            let manifest = Manifest::parse(text).unwrap();
            assert_eq!(manifest.architecture.as_str(), "architecture.py");
            assert_eq!(manifest.training.as_str(), "training.py");
            assert_eq!(manifest.tokenizer, None);
        }
    }

    #[test]
    fn reads_every_key() {
        let manifest = Manifest::parse(
            "name: Tiny \ndescription: |\n  Two\n  lines\ntokenizer: gpt2\n\
             entrypoints:\n  architecture: src/model.py\n  training: src/fit.py\n",
        )
        .unwrap();
        assert_eq!(manifest.name.as_deref(), Some("Tiny"));
        assert_eq!(manifest.description.as_deref(), Some("Two\nlines"));
        assert_eq!(manifest.tokenizer, Some(TokenizerChoice::Gpt2));
        assert_eq!(manifest.architecture.as_str(), "src/model.py");
        assert_eq!(manifest.training.as_str(), "src/fit.py");
    }

    #[test]
    fn reads_the_older_form() {
        let manifest = Manifest::parse(
            "kind: full\narchitecture_id: tiny\narchitecture:\n  entrypoint: model.py::build_model\n  files: [a.py]\n\
             training:\n  entrypoint: fit.py\n  function: train\n",
        )
        .unwrap();
        assert_eq!(manifest.architecture.as_str(), "model.py");
        assert_eq!(manifest.training.as_str(), "fit.py");
    }

    #[test]
    fn both_names_of_the_bundles_tokenizer() {
        for name in ["bundle", "tokenizer.json", "'bundle'"] {
            let manifest = Manifest::parse(&format!("tokenizer: {name}\n")).unwrap();
            assert_eq!(manifest.tokenizer, Some(TokenizerChoice::Bundle));
            assert_eq!(TokenizerChoice::Bundle.name(), "bundle");
        }
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        for (text, nearest) in [
            ("tokeniser: bytes\n", "`tokenizer`"),
            ("Name: x\n", "`name`"),
            ("entrypoint: x\n", "`entrypoints`"),
            ("entrypoints: {train: x.py}\n", "`training`"),
            ("architecture: {entrypont: x.py}\n", "`entrypoint`"),
        ] {
            let (code, message) = failure(text);
            assert_eq!(code, "UnknownKey");
            assert!(message.contains(&format!("did you mean {nearest}?")), "{message}");
        }
        // Where no name is near, all are told.
        let (_, message) = failure("x: 1\n");
        assert!(
            message.contains("; write one of `name`, `description`"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_tokenizer_hears_which_ones_there_are() {
        for (value, near) in [
            ("gpt-2", Some("gpt2")),
            ("Byte", Some("bytes")),
            ("5", None),
            ("[gpt2]", None),
        ] {
            let (_, message) = failure(&format!("name: x\ntokenizer: {value}\n"));
            assert!(message.contains("line 2, column 12"), "{message}");
            for name in TOKENIZERS {
                assert!(message.contains(&format!("`{name}`")), "{message}");
            }
            let meant = near.map(|near| format!("did you mean `{near}`?"));
            assert_eq!(message.contains("did you mean"), meant.is_some(), "{message}");
            assert!(message.contains(&meant.unwrap_or_default()), "{message}");
        }
    }

    #[test]
    fn refuses_each_wrong_value() {
        let long = format!("name: {}\n", "x".repeat(NAME_CHARS_MAX + 1));
        for (text, code) in [
            ("- a\n", "WrongType"),
            ("just text\n", "WrongType"),
            ("name:\n", "WrongType"),
            ("name: [a]\n", "WrongType"),
            ("tokenizer: ~\n", "WrongType"),
            ("entrypoints: x.py\n", "WrongType"),
            ("entrypoints: {training: }\n", "WrongType"),
            (long.as_str(), "ValueTooLong"),
            ("name: \"a\\eb\"\n", "ControlCharacter"),
            ("name: \"a\\nb\"\n", "ControlCharacter"),
            ("description: \"a\\rb\"\n", "ControlCharacter"),
            ("tokenizer: Bytes\n", "UnknownTokenizer"),
            ("entrypoints: {training: ../x.py}\n", "EntrypointPath"),
            ("entrypoints: {training: /x.py}\n", "EntrypointPath"),
            ("entrypoints: {training: ./x.py}\n", "EntrypointPath"),
            ("entrypoints: {training: x.txt}\n", "EntrypointNotPython"),
            (
                "entrypoints: {training: x.py}\ntraining: {entrypoint: x.py}\n",
                "EntrypointTwice",
            ),
            ("training: {files: {a: b}}\n", "WrongType"),
            ("training: {function: fit}\n", "EntrypointFunction"),
            ("architecture: {entrypoint: 'm.py::make'}\n", "EntrypointFunction"),
            ("kind: architecture_only\n", "UnsupportedKind"),
        ] {
            assert_eq!(failure(text).0, code, "{text:?}");
        }
    }
}
