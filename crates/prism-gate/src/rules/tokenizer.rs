//! # A tokenizer file that cannot be used
//!
//! ## What it does
//!
//! Reads `tokenizer.json` as the referee reads it before a run, and reports the first thing that keeps it from being used:
//! JSON that does not parse, a key or value outside of what a byte-level BPE needs, a split expression that is not on the
//! list, a vocabulary, merges or special tokens that contradict one another. The place is the line of the file; the message
//! names the path within it. `prism check --no-instantiate` looks at it too.
//!
//! ## Why is this refused?
//!
//! The referee tokenizes the text itself, with this file and without any code of the bundle. So the file may say what
//! byte-level BPE needs, and nothing that could change the text or take more than linear time. With another one the run
//! would be rejected before it began.
//!
//! ## Which split expressions are allowed?
//!
//! Those that well-known tokenizers publish, letter for letter, as a `Split` that is `Isolated`, or `Removed` with `invert`.
//! None takes more than linear time on any text.
//!
//! GPT-2, in two spellings:
//!
//! ```text
//! 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//! ```
//!
//! GPT-4 (cl100k) in its first spelling, which Llama 3 has too; the same with digits one by one, as Qwen 2 has it; its two
//! later spellings; and nanochat, which takes digits in twos:
//!
//! ```text
//! (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s
//! '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+
//! '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+
//! ```
//!
//! GPT-4o (o200k):
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//!
//! DeepSeek-V3, the steps of its sequence. `\r` and `\n` of the last one may be escapes, as here, or the characters
//! themselves, as in its file:
//!
//! ```text
//! \p{N}{1,3}
//! [一-龥぀-ゟ゠-ヿ]+
//! [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//!
//! Numbers one by one, as a step before another: `\p{N}`. The steps `Digits` and `ByteLevel`, with or without its own
//! expression, are always allowed; `ByteLevel` comes last.
//!
//! ## Example
//!
//! ```json
//! "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated"}
//! ```
//!
//! Use instead:
//!
//! ```json
//! "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}
//! ```

use crate::finding::Severity;
use crate::rule::{Hooks, Rule, RuleSet};

pub(crate) static RULE: Rule = Rule {
    code: "PRS302",
    id: "prism:tokenizer",
    severity: Severity::Error,
    since: "0.1.0",
    source: include_str!("tokenizer.rs"),
};

/// Looks nowhere in the code: `prism check` and the engine ask the referee's tokenizer, which makes its findings.
pub(crate) static SET: RuleSet = RuleSet {
    rule: &RULE,
    reason: "",
    denied: &[],
    attributes: &[],
    hooks: Hooks::NONE,
};
