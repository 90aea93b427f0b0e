//! Everything that can be wrong with `prism.yaml`, each with its line and column.
//!
//! `yaml` and the module above make these; nothing here looks at a manifest.

use std::borrow::Cow;

use prism_core::advice::Advice;

use crate::limits::{MAX_YAML_DEPTH, MAX_YAML_NODES};
use crate::path::PathError;
use crate::shown::Shown;

/// Why `prism.yaml` was refused. Lines and columns count from one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "`line`, `column` and `key` mean the same in every variant"
)]
pub enum ManifestError {
    /// Not YAML.
    #[error("prism.yaml, line {line}, column {column}: not valid YAML: {detail}")]
    Syntax {
        line: usize,
        column: usize,
        detail: Shown,
    },
    /// `&name`.
    #[error("prism.yaml, line {line}, column {column}: anchors (`&name`) are not allowed")]
    Anchor { line: usize, column: usize },
    /// `*name`.
    #[error("prism.yaml, line {line}, column {column}: aliases (`*name`) are not allowed")]
    Alias { line: usize, column: usize },
    /// `!tag`.
    #[error("prism.yaml, line {line}, column {column}: tags (`!name`) are not allowed")]
    Tag { line: usize, column: usize },
    /// A second `---`.
    #[error("prism.yaml, line {line}, column {column}: a second document begins")]
    SeveralDocuments { line: usize, column: usize },
    /// Nested too deeply.
    #[error("prism.yaml, line {line}, column {column}: nested more than {MAX_YAML_DEPTH} levels deep")]
    TooDeep { line: usize, column: usize },
    /// Too many keys and values.
    #[error("prism.yaml, line {line}, column {column}: more than {MAX_YAML_NODES} keys and values")]
    TooManyNodes { line: usize, column: usize },
    /// A key that is a list, a mapping or nothing.
    #[error("prism.yaml, line {line}, column {column}: a key must be a plain word")]
    KeyNotText { line: usize, column: usize },
    /// A key twice in one mapping.
    #[error("prism.yaml, line {line}, column {column}: the key `{key}` is there twice")]
    DuplicateKey { key: Shown, line: usize, column: usize },
    /// A key that means nothing.
    #[error("prism.yaml, line {line}, column {column}: unknown key `{key}`")]
    UnknownKey {
        key: Shown,
        nearest: &'static str,
        line: usize,
        column: usize,
    },
    /// A list where a mapping should be, and the like.
    #[error("prism.yaml, line {line}, column {column}: `{key}` must be {expected}")]
    WrongType {
        key: &'static str,
        expected: &'static str,
        line: usize,
        column: usize,
    },
    /// A name or description over its limit.
    #[error(
        "prism.yaml, line {line}, column {column}: `{key}` has {chars} characters; at most {limit_chars}"
    )]
    ValueTooLong {
        key: &'static str,
        chars: usize,
        limit_chars: usize,
        line: usize,
        column: usize,
    },
    /// An escape character, say, in a name.
    #[error("prism.yaml, line {line}, column {column}: `{key}` contains a control character")]
    ControlCharacter {
        key: &'static str,
        line: usize,
        column: usize,
    },
    /// No such tokenizer.
    #[error("prism.yaml, line {line}, column {column}: unknown tokenizer `{value}`")]
    UnknownTokenizer {
        value: Shown,
        nearest: &'static str,
        line: usize,
        column: usize,
    },
    /// An entrypoint that cannot be the path of a file of the bundle.
    #[error("prism.yaml, line {line}, column {column}: the {role} entrypoint is not a usable path: {reason}")]
    EntrypointPath {
        role: &'static str,
        reason: PathError,
        line: usize,
        column: usize,
    },
    /// An entrypoint that is not a `.py` file.
    #[error("prism.yaml, line {line}, column {column}: the {role} entrypoint `{path}` must be a .py file")]
    EntrypointNotPython {
        role: &'static str,
        path: Shown,
        line: usize,
        column: usize,
    },
    /// One entrypoint declared in both forms.
    #[error(
        "prism.yaml, line {line}, column {column}: the {role} entrypoint is declared twice, under `entrypoints` and under `{role}`"
    )]
    EntrypointTwice {
        role: &'static str,
        line: usize,
        column: usize,
    },
    /// The older interface could rename the functions.
    #[error(
        "prism.yaml, line {line}, column {column}: the {role} function must be called `{expected}`, not `{found}`"
    )]
    EntrypointFunction {
        role: &'static str,
        expected: &'static str,
        found: Shown,
        line: usize,
        column: usize,
    },
    /// A partial submission of the older interface.
    #[error("prism.yaml, line {line}, column {column}: kind `{kind}` is not supported; only `full` is")]
    UnsupportedKind { kind: Shown, line: usize, column: usize },
}

impl Advice for ManifestError {
    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Anchor { .. } | Self::Alias { .. } => "write the value out".into(),
            Self::Tag { .. } | Self::ControlCharacter { .. } => "remove it".into(),
            Self::SeveralDocuments { .. } => "keep only one".into(),
            Self::DuplicateKey { .. } | Self::EntrypointTwice { .. } => "keep one".into(),
            Self::UnknownKey { nearest, .. } => format!("did you mean `{nearest}`?").into(),
            Self::UnknownTokenizer { nearest, .. } => {
                format!("did you mean `{nearest}`? (there are bytes, gpt2 and bundle)").into()
            }
            Self::EntrypointPath { reason, .. } => return reason.hint(),
            _ => return None,
        })
    }
}

impl ManifestError {
    /// Line and column, both from one.
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Syntax { line, column, .. }
            | Self::Anchor { line, column }
            | Self::Alias { line, column }
            | Self::Tag { line, column }
            | Self::SeveralDocuments { line, column }
            | Self::TooDeep { line, column }
            | Self::TooManyNodes { line, column }
            | Self::KeyNotText { line, column }
            | Self::DuplicateKey { line, column, .. }
            | Self::UnknownKey { line, column, .. }
            | Self::WrongType { line, column, .. }
            | Self::ValueTooLong { line, column, .. }
            | Self::ControlCharacter { line, column, .. }
            | Self::UnknownTokenizer { line, column, .. }
            | Self::EntrypointPath { line, column, .. }
            | Self::EntrypointNotPython { line, column, .. }
            | Self::EntrypointTwice { line, column, .. }
            | Self::EntrypointFunction { line, column, .. }
            | Self::UnsupportedKind { line, column, .. } => (*line, *column),
        }
    }

    /// A stable name for the cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "manifest_syntax",
            Self::Anchor { .. } => "manifest_anchor",
            Self::Alias { .. } => "manifest_alias",
            Self::Tag { .. } => "manifest_tag",
            Self::SeveralDocuments { .. } => "manifest_several_documents",
            Self::TooDeep { .. } => "manifest_too_deep",
            Self::TooManyNodes { .. } => "manifest_too_many_nodes",
            Self::KeyNotText { .. } => "manifest_key_not_text",
            Self::DuplicateKey { .. } => "manifest_duplicate_key",
            Self::UnknownKey { .. } => "manifest_unknown_key",
            Self::WrongType { .. } => "manifest_wrong_type",
            Self::ValueTooLong { .. } => "manifest_value_too_long",
            Self::ControlCharacter { .. } => "manifest_control_character",
            Self::UnknownTokenizer { .. } => "manifest_unknown_tokenizer",
            Self::EntrypointPath { .. } => "entrypoint_path",
            Self::EntrypointNotPython { .. } => "entrypoint_not_python",
            Self::EntrypointTwice { .. } => "entrypoint_twice",
            Self::EntrypointFunction { .. } => "entrypoint_function",
            Self::UnsupportedKind { .. } => "manifest_unsupported_kind",
        }
    }
}
