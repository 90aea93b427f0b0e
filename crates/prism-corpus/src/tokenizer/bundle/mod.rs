//! A bundle's `tokenizer.json`: hostile input inside the referee.
//!
//! [`super::Tokenizer`] is the caller. The file is parsed into a narrow schema and checked here; only then is a
//! tokenizer of the `tokenizers` crate put together from what was checked, part by part. The crate never sees the
//! file. Covered: length, nesting, widths, foreign characters, regular expressions (from a list), dropout,
//! truncation, padding, normalisers, prefix spaces, added text. The special tokens are never looked for in text, and
//! a token of the vocabulary can never be one, so no document contains the end of text.

mod alphabet;
mod place;
mod schema;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use prism_core::advice::{Advice, Hint};
use serde_json::error::Category;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::table::TokenTable;
use super::{EncodeError, Encoded};
use crate::limits::{
    ADDED_TOKENS_MAX, MERGES_MAX, PRE_TOKENIZERS_MAX, TOKEN_BYTES_MAX, TOKENIZER_JSON_BYTES_MAX,
    VOCABULARY_MAX,
};
use alphabet::Inverse;

pub use place::JsonPlace;
use schema::{AddedToken, Behavior, File, Identity, Merge, Model, Pattern, PreTokenizer, Step};

/// The names that the end of a text may have. Exactly one must be declared as a special token.
pub const END_OF_TEXT_NAMES: [&str; 6] = [
    "<|endoftext|>",
    "<|end_of_text|>",
    "</s>",
    "<|eos|>",
    "<eos>",
    "[EOS]",
];

/// The regular expressions that a `Split` may have, as published with well-known tokenizers. None of them takes
/// more than linear time on a run of characters, so no text makes one of them slow: wherever an alternative fails after
/// a run, a later one takes the run. The page of the gate's rule `PRS302` lists them for miners.
pub const SPLIT_PATTERNS: [&str; 13] = [
    // GPT-2, and the same with a possessive spelling.
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    // Digits in threes, and one by one.
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    // Numbers alone, as a step before another.
    r"\p{N}{1,3}",
    r"\p{N}",
    // GPT-4 (cl100k), in the two later spellings of its library, and nanochat, which takes digits in twos.
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    // GPT-4o (o200k).
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    // The second and third step of DeepSeek-V3; the third as its file has it, with the line ends themselves, and with
    // their escapes.
    "[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
];

/// How much is shown of each end of a library's message, in characters. A list of what would be right fits in.
const MESSAGE_END_CHARS: usize = 400;

/// Why a bundle's `tokenizer.json` is refused.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum BundleTokenizerError {
    #[error("it has {bytes} bytes, {TOKENIZER_JSON_BYTES_MAX} are allowed")]
    TooLong { bytes: usize },
    #[error("{message}")]
    Malformed {
        message: String,
        advice: &'static str,
        /// The line of the file, from 1; 0 if it is not known.
        line: usize,
        /// The column in bytes, from 1; 0 if it is not known.
        column: usize,
    },
    #[error("`{key}` {problem}")]
    Unsupported {
        key: &'static str,
        /// Why its value is refused and what to write instead.
        problem: &'static str,
    },
    #[error("the expression {expression:?} of a `Split` is not one of the {known} that are allowed", known = SPLIT_PATTERNS.len())]
    UnknownExpression {
        /// Which step of the sequence has it, from 0.
        step: usize,
        /// The expression, shortened.
        expression: String,
    },
    #[error("it has {found} {what}, {limit} are allowed")]
    TooMany {
        what: &'static str,
        found: usize,
        limit: usize,
    },
    #[error("the token {token:?} of the vocabulary {problem}")]
    Token {
        /// The token, shortened.
        token: String,
        problem: &'static str,
    },
    #[error("merge number {number} {problem}")]
    Merge {
        /// Its number, from 1.
        number: usize,
        problem: &'static str,
    },
    /// The end of text is not declared, or not clearly.
    #[error("it declares {found} of the special tokens that may end a text ({names})", names = END_OF_TEXT_NAMES.join(", "))]
    EndOfText { found: usize },
    #[error("it cannot be loaded: {0}")]
    Assembly(String),
}

impl Advice for BundleTokenizerError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::TooLong { .. } => "use a smaller vocabulary".into(),
            Self::Malformed { advice, .. } => (*advice).into(),
            Self::UnknownExpression { .. } => "use one of those that well-known tokenizers publish (`prism explain PRS302` lists them), or `ByteLevel` with `use_regex`".into(),
            Self::EndOfText { .. } => "declare exactly one in `added_tokens`".into(),
            _ => return None,
        })
    }
}

/// A loaded tokenizer of a bundle.
pub(super) struct Bundle {
    tokenizer: Tokenizer,
    pub(super) table: TokenTable,
    pub(super) vocab_size: u32,
    pub(super) end_of_text: u32,
}

impl Bundle {
    /// Checks the file and loads it.
    pub(super) fn load(json: &[u8]) -> Result<Self, BundleTokenizerError> {
        if json.len() > TOKENIZER_JSON_BYTES_MAX {
            return Err(BundleTokenizerError::TooLong { bytes: json.len() });
        }
        let file: File = serde_json::from_slice(json).map_err(|error| {
            let (message, advice) = malformed(json, &error);
            BundleTokenizerError::Malformed {
                message,
                advice,
                line: error.line(),
                column: error.column(),
            }
        })?;
        refuse_changes_of_text(&file)?;
        let pre_tokenizer = pre_tokenizer(file.pre_tokenizer)?;
        let Model::Bpe {
            vocab,
            merges,
            ignore_merges,
            ..
        } = file.model;
        let vocabulary = Vocabulary::new(vocab.0, &file.added_tokens)?;
        let merges = checked_merges(merges, &vocabulary)?;
        let table = TokenTable::new(vocabulary.bytes_by_id.iter().map(Vec::as_slice));
        let assemble = || {
            let model = BPE::builder()
                .vocab_and_merges(
                    vocabulary.ids.into_iter().collect::<ahash::AHashMap<_, _>>(),
                    merges,
                )
                .ignore_merges(ignore_merges)
                .build()
                .map_err(|error| error.to_string())?;
            let mut tokenizer = Tokenizer::new(model);
            tokenizer.with_pre_tokenizer(Some(pre_tokenizer));
            Ok(tokenizer)
        };
        let tokenizer = guarded(assemble).map_err(|error| BundleTokenizerError::Assembly(ends(&error)))?;
        let (vocab_size, end_of_text) = (vocabulary.width, vocabulary.end_of_text);
        Ok(Self {
            tokenizer,
            table,
            vocab_size,
            end_of_text,
        })
    }

    /// Appends the tokens of the document; what they stand for is for the caller to check.
    pub(super) fn encode(&self, document: &str, out: &mut Encoded) -> Result<(), EncodeError> {
        let encode = || {
            let encoding = self.tokenizer.encode_fast(document, false);
            encoding.map_err(|error| error.to_string())
        };
        let encoding = guarded(encode).map_err(|error| EncodeError::Tokenizer(ends(&error)))?;
        out.ids.extend_from_slice(encoding.get_ids());
        Ok(())
    }
}

/// What is wrong with a file that does not parse, and what to do: in words of files, not of the parser.
fn malformed(json: &[u8], error: &serde_json::Error) -> (String, &'static str) {
    const SAVE: &str = "write it with `tokenizer.save(\"tokenizer.json\")` of the package `tokenizers`";
    let said = ends(&error.to_string());
    let first = json.iter().find(|byte| !byte.is_ascii_whitespace());
    match (error.classify(), first) {
        (_, None) => ("it is empty".to_owned(), SAVE),
        (Category::Eof, _) => ("it ends in the middle".to_owned(), "copy it again, whole"),
        (Category::Data, Some(b'{')) => (
            format!("it is not a byte-level BPE tokenizer that this program knows: {said}"),
            if said.starts_with("missing") {
                "add what it names"
            } else {
                "remove or replace what it names"
            },
        ),
        (Category::Data, _) => ("it is no JSON object".to_owned(), SAVE),
        (Category::Syntax | Category::Io, _) => (format!("it is no JSON: {said}"), SAVE),
    }
}

/// Runs something of the `tokenizers` crate. It is fed what a stranger wrote: should it ever panic over that, then the
/// submission is refused and not the program ended. The tokenizer is not used again after an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("it makes the `tokenizers` crate panic".to_owned()))
}

fn refuse_changes_of_text(file: &File) -> Result<(), BundleTokenizerError> {
    let unsupported = |key, problem| Err(BundleTokenizerError::Unsupported { key, problem });
    if file.version.as_ref().is_some_and(|version| version != "1.0") {
        return unsupported("version", "must be `1.0`");
    }
    let absent = "must be null: every document is encoded as it is and to its end";
    let present = [
        ("truncation", file.truncation.is_some()),
        ("padding", file.padding.is_some()),
        ("normalizer", file.normalizer.is_some()),
    ];
    for (key, is_present) in present {
        if is_present {
            return unsupported(key, absent);
        }
    }
    // The type allows only a post-processor that moves offsets, which nobody reads.
    let (Some(Identity::ByteLevel { .. }) | None) = file.post_processor;
    let Model::Bpe {
        dropout,
        continuing_subword_prefix,
        end_of_word_suffix,
        byte_fallback,
        ..
    } = &file.model;
    if dropout.is_some() {
        return unsupported(
            "model.dropout",
            "must be null: the same text must give the same tokens",
        );
    }
    for (key, affix) in [
        ("model.continuing_subword_prefix", continuing_subword_prefix),
        ("model.end_of_word_suffix", end_of_word_suffix),
    ] {
        if affix.as_ref().is_some_and(|affix| !affix.is_empty()) {
            return unsupported(
                key,
                "must be null or empty: tokens stand for bytes and nothing else",
            );
        }
    }
    if *byte_fallback {
        return unsupported(
            "model.byte_fallback",
            "must be false: byte-level tokens need no fallback",
        );
    }
    Ok(())
}

fn pre_tokenizer(declared: PreTokenizer) -> Result<PreTokenizerWrapper, BundleTokenizerError> {
    let steps = match declared {
        PreTokenizer::ByteLevel {
            add_prefix_space,
            use_regex,
            ..
        } => {
            return byte_level(add_prefix_space, use_regex).map(Into::into);
        }
        PreTokenizer::Sequence { pretokenizers } => pretokenizers,
    };
    if steps.len() > PRE_TOKENIZERS_MAX {
        let (what, limit) = ("pre-tokenizers", PRE_TOKENIZERS_MAX);
        return Err(BundleTokenizerError::TooMany {
            what,
            found: steps.len(),
            limit,
        });
    }
    let count = steps.len();
    let mut sequence: Vec<PreTokenizerWrapper> = Vec::with_capacity(count);
    for (position, step) in steps.into_iter().enumerate() {
        let is_last = position + 1 == count;
        sequence.push(match step {
            Step::ByteLevel {
                add_prefix_space,
                use_regex,
                ..
            } if is_last => byte_level(add_prefix_space, use_regex)?.into(),
            Step::Digits { individual_digits } if !is_last => Digits::new(individual_digits).into(),
            Step::Split {
                pattern: Pattern::Regex(expression),
                behavior,
                invert,
            } if !is_last => split(position, expression, behavior, invert)?.into(),
            _ => return Err(must_end_in_byte_level()),
        });
    }
    if sequence.is_empty() {
        return Err(must_end_in_byte_level());
    }
    Ok(Sequence::new(sequence).into())
}

fn must_end_in_byte_level() -> BundleTokenizerError {
    let problem = "must have `ByteLevel` once, as its last step: the vocabulary is one of bytes";
    BundleTokenizerError::Unsupported {
        key: "pre_tokenizer",
        problem,
    }
}

fn byte_level(add_prefix_space: bool, use_regex: bool) -> Result<ByteLevel, BundleTokenizerError> {
    if add_prefix_space {
        let problem = "must be false: it would add a space to every document";
        return Err(BundleTokenizerError::Unsupported {
            key: "pre_tokenizer.add_prefix_space",
            problem,
        });
    }
    Ok(ByteLevel::new(false, true, use_regex))
}

fn split(
    step: usize,
    expression: String,
    behavior: Behavior,
    invert: bool,
) -> Result<Split, BundleTokenizerError> {
    if !SPLIT_PATTERNS.contains(&expression.as_str()) {
        return Err(BundleTokenizerError::UnknownExpression {
            step,
            expression: shortened(&expression),
        });
    }
    let behavior = match (behavior, invert) {
        (Behavior::Isolated, false) => SplitDelimiterBehavior::Isolated,
        (Behavior::Removed, true) => SplitDelimiterBehavior::Removed,
        _ => {
            let problem = "must be `Isolated`, or `Removed` with `invert`: others lose text";
            return Err(BundleTokenizerError::Unsupported {
                key: "pre_tokenizer.behavior",
                problem,
            });
        }
    };
    Split::new(SplitPattern::Regex(expression), behavior, invert)
        .map_err(|error| BundleTokenizerError::Assembly(ends(&error.to_string())))
}

/// The checked vocabulary, without its special tokens.
struct Vocabulary {
    ids: HashMap<String, u32>,
    /// The bytes of each id; none where there is no token or a special one.
    bytes_by_id: Vec<Vec<u8>>,
    width: u32,
    end_of_text: u32,
}

impl Vocabulary {
    fn new(tokens: Vec<(String, u32)>, added: &[AddedToken]) -> Result<Self, BundleTokenizerError> {
        let special = special_tokens(added)?;
        let end_of_text = end_of_text(&special)?;
        let special_ids: HashSet<u32> = special.values().copied().collect();
        let inverse = Inverse::new();
        let mut ids = HashMap::with_capacity(tokens.len());
        let highest = tokens
            .iter()
            .map(|(_, id)| *id)
            .chain(special_ids.iter().copied())
            .max();
        let width = highest.unwrap_or(0).saturating_add(1);
        if width > VOCABULARY_MAX {
            let (what, limit) = ("ids", VOCABULARY_MAX as usize);
            return Err(BundleTokenizerError::TooMany {
                what,
                found: width as usize,
                limit,
            });
        }
        let mut bytes_by_id = vec![Vec::new(); width as usize];
        for (token, id) in tokens {
            let wrong = |problem| {
                Err(BundleTokenizerError::Token {
                    token: shortened(&token),
                    problem,
                })
            };
            if let Some(special_id) = special.get(token.as_str()) {
                if *special_id != id {
                    return wrong("has another id among the added tokens");
                }
                continue;
            }
            let Some(bytes) = inverse.bytes_of(&token) else {
                return wrong(
                    "has a character that stands for no byte; only byte-level vocabularies are allowed",
                );
            };
            if bytes.is_empty() || bytes.len() > TOKEN_BYTES_MAX {
                return wrong("is empty or too long");
            }
            let slot = &mut bytes_by_id[id as usize];
            if !slot.is_empty() || special_ids.contains(&id) {
                return wrong("has the id of another token");
            }
            *slot = bytes;
            if ids.contains_key(&token) {
                return wrong("is there twice");
            }
            ids.insert(token, id);
        }
        Ok(Self {
            ids,
            bytes_by_id,
            width,
            end_of_text,
        })
    }
}

fn special_tokens(added: &[AddedToken]) -> Result<HashMap<&str, u32>, BundleTokenizerError> {
    if added.len() > ADDED_TOKENS_MAX {
        let (what, limit) = ("added tokens", ADDED_TOKENS_MAX);
        return Err(BundleTokenizerError::TooMany {
            what,
            found: added.len(),
            limit,
        });
    }
    let mut special = HashMap::with_capacity(added.len());
    let mut ids = HashSet::with_capacity(added.len());
    for token in added {
        let wrong = |problem| {
            Err(BundleTokenizerError::Token {
                token: shortened(&token.content),
                problem,
            })
        };
        if !token.special {
            return wrong("is added but not special; put it into the vocabulary with its merges");
        }
        if token.content.is_empty() || token.content.len() > TOKEN_BYTES_MAX {
            return wrong("is empty or too long");
        }
        if special.insert(token.content.as_str(), token.id).is_some() || !ids.insert(token.id) {
            return wrong("is added twice, or has the id of another added token");
        }
    }
    Ok(special)
}

fn end_of_text(special: &HashMap<&str, u32>) -> Result<u32, BundleTokenizerError> {
    let found: Vec<u32> = END_OF_TEXT_NAMES
        .iter()
        .filter_map(|name| special.get(name).copied())
        .collect();
    match found[..] {
        [id] => Ok(id),
        _ => Err(BundleTokenizerError::EndOfText { found: found.len() }),
    }
}

fn checked_merges(
    merges: Vec<Merge>,
    vocabulary: &Vocabulary,
) -> Result<Vec<(String, String)>, BundleTokenizerError> {
    if merges.len() > MERGES_MAX {
        let (what, limit) = ("merges", MERGES_MAX);
        return Err(BundleTokenizerError::TooMany {
            what,
            found: merges.len(),
            limit,
        });
    }
    let mut seen = HashSet::with_capacity(merges.len());
    let mut checked = Vec::with_capacity(merges.len());
    for (number, merge) in (1..).zip(merges) {
        let wrong = |problem| Err(BundleTokenizerError::Merge { number, problem });
        let pair = match merge {
            Merge::Pair(left, right) => (left, right),
            Merge::Line(line) => match line.split_once(' ') {
                Some((left, right)) => (left.to_owned(), right.to_owned()),
                None => return wrong("is not two tokens with a space between them"),
            },
        };
        let ids = &vocabulary.ids;
        let (Some(left), Some(right)) = (ids.get(&pair.0), ids.get(&pair.1)) else {
            return wrong("joins a token that is not in the vocabulary");
        };
        if !ids.contains_key(&(pair.0.clone() + &pair.1)) {
            return wrong("makes a token that is not in the vocabulary");
        }
        if !seen.insert((*left, *right)) {
            return wrong("is there twice");
        }
        checked.push(pair);
    }
    Ok(checked)
}

/// What an error message shows of a text that a stranger wrote.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What an error message shows of what a library says of such a text: libraries quote names and values whole. The
/// beginning says what is wrong, the end says where.
fn ends(text: &str) -> String {
    let count = text.chars().count();
    if count <= 2 * MESSAGE_END_CHARS {
        return text.to_owned();
    }
    let first: String = text.chars().take(MESSAGE_END_CHARS).collect();
    let last: String = text.chars().skip(count - MESSAGE_END_CHARS).collect();
    format!("{first}[...]{last}")
}

impl fmt::Debug for Bundle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Bundle")
            .field("vocab_size", &self.vocab_size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
