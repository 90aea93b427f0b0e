//! What a bundle's `tokenizer.json` may say: the part of the published format that byte-level BPE needs.
//!
//! [`super`] parses the file into this and checks it. Unknown keys are errors, so nothing in the file is silently
//! without effect. What it allocates is a bounded multiple of the file's length, and that is bounded.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::limits::VOCABULARY_MAX;

/// The whole file. Keys that must be absent or null are kept as `Option<Absent>`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct File {
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) truncation: Option<Present>,
    #[serde(default)]
    pub(super) padding: Option<Present>,
    #[serde(default)]
    pub(super) added_tokens: Vec<AddedToken>,
    #[serde(default)]
    pub(super) normalizer: Option<Present>,
    pub(super) pre_tokenizer: PreTokenizer,
    #[serde(default)]
    pub(super) post_processor: Option<Identity>,
    /// The referee takes a token's bytes from the vocabulary; what decodes is of no matter, but must be the usual.
    #[serde(default, rename = "decoder")]
    pub(super) _decoder: Option<Identity>,
    pub(super) model: Model,
}

/// Something that must not be there.
#[derive(Debug)]
pub(super) struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A token that the file declares beside the vocabulary.
#[expect(clippy::struct_excessive_bools, reason = "the keys of a published format")]
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with `id`, `content` and `special`"
)]
pub(super) struct AddedToken {
    pub(super) id: u32,
    pub(super) content: String,
    pub(super) special: bool,
    // How the token is looked for in text: of no matter, for special tokens are never looked for.
    #[serde(default, rename = "single_word")]
    _single_word: bool,
    #[serde(default, rename = "lstrip")]
    _lstrip: bool,
    #[serde(default, rename = "rstrip")]
    _rstrip: bool,
    #[serde(default, rename = "normalized")]
    _normalized: bool,
}

/// How text is split before it is merged.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields, expecting = "an object with a `type`")]
pub(super) enum PreTokenizer {
    ByteLevel {
        add_prefix_space: bool,
        #[serde(default, rename = "trim_offsets")]
        _trim_offsets: bool,
        #[serde(default = "yes")]
        use_regex: bool,
    },
    Sequence {
        pretokenizers: Vec<Step>,
    },
}

/// One step of a sequence.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields, expecting = "an object with a `type`")]
pub(super) enum Step {
    ByteLevel {
        add_prefix_space: bool,
        #[serde(default, rename = "trim_offsets")]
        _trim_offsets: bool,
        #[serde(default = "yes")]
        use_regex: bool,
    },
    Digits {
        individual_digits: bool,
    },
    Split {
        pattern: Pattern,
        behavior: Behavior,
        #[serde(default)]
        invert: bool,
    },
}

/// What a split looks for.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with `Regex`")]
pub(super) enum Pattern {
    Regex(String),
}

/// What a split does with what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(expecting = "`Isolated` or `Removed`")]
pub(super) enum Behavior {
    Isolated,
    Removed,
}

/// A post-processor or decoder that changes no token.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields, expecting = "an object with a `type`")]
pub(super) enum Identity {
    ByteLevel {
        #[serde(default, rename = "add_prefix_space")]
        _add_prefix_space: bool,
        #[serde(default, rename = "trim_offsets")]
        _trim_offsets: bool,
        #[serde(default, rename = "use_regex")]
        _use_regex: bool,
    },
}

/// The vocabulary and its merges.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", deny_unknown_fields, expecting = "an object with a `type`")]
pub(super) enum Model {
    #[serde(rename = "BPE")]
    Bpe {
        #[serde(default)]
        dropout: Option<Present>,
        #[serde(default, rename = "unk_token")]
        _unk_token: Option<String>,
        #[serde(default)]
        continuing_subword_prefix: Option<String>,
        #[serde(default)]
        end_of_word_suffix: Option<String>,
        #[serde(default, rename = "fuse_unk")]
        _fuse_unk: bool,
        #[serde(default)]
        byte_fallback: bool,
        #[serde(default)]
        ignore_merges: bool,
        vocab: Vocab,
        merges: Vec<Merge>,
    },
}

/// Tokens and their ids in the order of the file.
#[derive(Debug)]
pub(super) struct Vocab(pub(super) Vec<(String, u32)>);

/// One merge, in either of the two forms that files have.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a merge is neither a pair of tokens nor a line with both"
)]
pub(super) enum Merge {
    Line(String),
    Pair(String, String),
}

const fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VocabVisitor)
    }
}

struct VocabVisitor;

impl<'de> Visitor<'de> for VocabVisitor {
    type Value = Vocab;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map from tokens to ids")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vocab, M::Error> {
        let mut tokens = Vec::new();
        while let Some(entry) = map.next_entry()? {
            tokens.push(entry);
            if tokens.len() > VOCABULARY_MAX as usize {
                return Err(M::Error::custom(format_args!(
                    "more than {VOCABULARY_MAX} tokens"
                )));
            }
        }
        Ok(Vocab(tokens))
    }
}
