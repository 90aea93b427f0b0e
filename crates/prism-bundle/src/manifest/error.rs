//! Everything that can be wrong with `prism.yaml`, each with its line and column.
//!
//! `yaml` and the module above make these; nothing here looks at a manifest.

use prism_core::advice::{Advice, Hint};

use crate::limits::{YAML_DEPTH_MAX, YAML_NODES_MAX};
use crate::path::PathError;
use crate::shown::Shown;

/// Why `prism.yaml` was refused, and where. Lines and columns count from one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("prism.yaml, line {line}, column {column}: {problem}")]
pub struct ManifestError {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// What is wrong there.
    pub problem: ManifestProblem,
}

impl Advice for ManifestError {
    fn hint(&self) -> Option<Hint> {
        self.problem.hint()
    }
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "what an error says describes it; `key`, `role` and `found` mean the same in every variant"
)]
pub enum ManifestProblem {
    #[error("not valid YAML: {detail}")]
    Syntax { detail: Shown },
    #[error("a tab stands where spaces must be")]
    Tab,
    /// `&name`.
    #[error("anchors (`&name`) are not allowed")]
    Anchor,
    /// `*name`.
    #[error("aliases (`*name`) are not allowed")]
    Alias,
    /// `!tag`.
    #[error("tags (`!name`) are not allowed")]
    Tag,
    /// A second `---`.
    #[error("a second document begins")]
    SeveralDocuments,
    #[error("nested more than {YAML_DEPTH_MAX} levels deep")]
    TooDeep,
    #[error("more than {YAML_NODES_MAX} keys and values")]
    TooManyNodes,
    #[error("a key must be a plain word")]
    KeyNotText,
    #[error("the key `{key}` is there twice")]
    DuplicateKey { key: Shown },
    #[error("unknown key `{key}`")]
    UnknownKey {
        key: Shown,
        nearest: Option<&'static str>,
        known: Vec<&'static str>,
    },
    #[error("`{key}` must be {expected}")]
    WrongType {
        key: &'static str,
        expected: &'static str,
    },
    #[error("`{key}` has {chars} characters; at most {limit_chars}")]
    ValueTooLong {
        key: &'static str,
        chars: usize,
        limit_chars: usize,
    },
    #[error("`{key}` contains a control character")]
    ControlCharacter { key: &'static str },
    #[error("unknown tokenizer `{value}`")]
    UnknownTokenizer {
        value: Shown,
        nearest: Option<&'static str>,
    },
    #[error("the {role} entrypoint is not a usable path: {reason}")]
    EntrypointPath { role: &'static str, reason: PathError },
    /// An entrypoint that is not a `.py` file.
    #[error("the {role} entrypoint `{path}` must be a .py file")]
    EntrypointNotPython { role: &'static str, path: Shown },
    #[error("the {role} entrypoint is declared twice, under `entrypoints` and under `{role}`")]
    EntrypointTwice { role: &'static str },
    #[error("the {role} function must be called `{expected}`, not `{found}`")]
    EntrypointFunction {
        role: &'static str,
        expected: &'static str,
        found: Shown,
    },
    #[error("kind `{kind}` is not supported; only `full` is")]
    UnsupportedKind { kind: Shown },
}

impl Advice for ManifestProblem {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Anchor { .. } | Self::Alias { .. } => "write the value out".into(),
            Self::Tag { .. } | Self::ControlCharacter { .. } => "remove it".into(),
            Self::SeveralDocuments { .. } => "keep only one".into(),
            Self::DuplicateKey { .. } | Self::EntrypointTwice { .. } => "keep one".into(),
            Self::UnknownKey {
                nearest: Some(nearest),
                ..
            } => format!("did you mean `{nearest}`?").into(),
            Self::UnknownKey { known, .. } => format!("write one of `{}`", known.join("`, `")).into(),
            Self::UnknownTokenizer { nearest, .. } => {
                const THERE_ARE: &str = "`bytes`, `gpt2` and `bundle` (the bundle's own `tokenizer.json`)";
                match nearest {
                    Some(nearest) => format!("did you mean `{nearest}`? There are {THERE_ARE}").into(),
                    None => format!("there are {THERE_ARE}").into(),
                }
            }
            Self::Tab => "indent with spaces".into(),
            Self::EntrypointPath { reason, .. } => return reason.hint(),
            _ => return None,
        })
    }
}

impl ManifestProblem {
    pub(crate) fn at(self, line: usize, column: usize) -> ManifestError {
        ManifestError {
            line,
            column,
            problem: self,
        }
    }
}
