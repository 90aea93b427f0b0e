//! `prism data synth`: an English-like corpus whose exact code length is known.
//!
//! The command line writes it, the referee's tests predict it. A probabilistic grammar writes the documents; each
//! of its choices is written as a codeword that is not the start of another option's, so the text determines the
//! choices, and the code length of a document is the sum over them. No predictor is expected to do better. What
//! there is to learn: words and their frequencies by topic, agreement of subject and verb, which objects a verb
//! likes, facts that hold in all documents, things that a document says again, and arithmetic.
//!
//! The same seed gives the same bytes on every machine.

mod choice;
mod grammar;
mod machine;
mod random;
mod walk;
mod world;

use std::ops::ControlFlow;
use std::path::Path;

use prism_core::advice::{Advice, Hint};

pub use grammar::{GRAMMAR_VERSION, Grammar, GrammarError};
pub use walk::{END_SYMBOL, GrammarPredictor, SynthDocument};

use crate::digest::Digester;
use crate::limits::{DOCUMENT_BYTES_MAX, SHARD_BYTES_TARGET};
use crate::manifest::{Manifest, Origin, SCHEMA, Split, SplitRule, TOOL};
use crate::publish::{PublishError, Staging};
use crate::writer::CorpusWriter;

/// What a synthetic corpus depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthOptions {
    /// Bytes of all splits together: documents are written until there are at least as many.
    pub bytes: u64,
    /// Seed of the lexicon, the facts and the text.
    pub seed: u64,
    /// How documents find their split.
    pub split_rule: SplitRule,
    /// Length at which a shard is closed.
    pub shard_bytes_target: u64,
}

impl SynthOptions {
    /// The usual options: a twentieth of the documents in `val`, as many in `test`.
    pub fn new(bytes: u64, seed: u64) -> Self {
        let split_rule = SplitRule::of_synthetic("prism", 50, 50);
        Self {
            bytes,
            seed,
            split_rule,
            shard_bytes_target: SHARD_BYTES_TARGET,
        }
    }
}

/// Why a synthetic corpus could not be written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum SynthError {
    #[error("the shares of val and test must leave something for train, and the salt must be short")]
    SplitRule,
    /// The grammar has a defect.
    #[error(transparent)]
    Grammar(#[from] GrammarError),
    #[error("{bytes} bytes are too few: the split `{split}` would be empty", split = split.name())]
    EmptySplit { split: Split, bytes: u64 },
    #[error("the corpus was cancelled")]
    Cancelled,
    /// The corpus could not be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Advice for SynthError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::EmptySplit { .. } => "ask for more".into(),
            Self::Cancelled => "nothing was written".into(),
            Self::Grammar(error) => return error.hint(),
            Self::Publish(error) => return error.hint(),
            Self::SplitRule => return None,
        })
    }
}

/// Writes a synthetic corpus into `out`. The callback is told the bytes written and wanted, and may stop the work.
pub fn synthesize(
    out: &Path,
    options: &SynthOptions,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Manifest, SynthError> {
    let SplitRule::Synthetic {
        salt,
        val_permille,
        test_permille,
    } = &options.split_rule
    else {
        return Err(SynthError::SplitRule);
    };
    if !options.split_rule.is_valid() {
        return Err(SynthError::SplitRule);
    }
    let grammar = Grammar::new(options.seed)?;
    let digester = Digester::new(salt, *val_permille, *test_permille);
    let staging = Staging::new(out)?;
    let mut writer = CorpusWriter::new(
        staging.dir(),
        &options.split_rule,
        options.shard_bytes_target,
        true,
    );
    let mut written_bytes = 0;
    for number in 0.. {
        if written_bytes >= options.bytes {
            break;
        }
        let document = grammar.document(number);
        debug_assert!(document.text.len() <= DOCUMENT_BYTES_MAX);
        let (_, split) = digester.digest(document.text.as_bytes());
        writer.push(split, &document.text, microbits(document.bits))?;
        written_bytes += document.text.len() as u64;
        if progress(written_bytes, options.bytes).is_break() {
            return Err(SynthError::Cancelled);
        }
    }
    let splits = writer.finish()?;
    for (split, part) in [(Split::Train, &splits.train), (Split::Val, &splits.val)] {
        if part.documents == 0 {
            return Err(SynthError::EmptySplit {
                split,
                bytes: options.bytes,
            });
        }
    }
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        tool: TOOL.to_owned(),
        name: format!("synthetic-{}", options.seed),
        source: "a probabilistic grammar with known code length".to_owned(),
        revision: GRAMMAR_VERSION.to_owned(),
        origin: Origin::Synthetic {
            grammar: GRAMMAR_VERSION.to_owned(),
            seed: options.seed,
        },
        split_rule: options.split_rule.clone(),
        document_bytes_max: DOCUMENT_BYTES_MAX as u64,
        documents: splits.documents(),
        bytes: splits.bytes(),
        splits,
    };
    staging.publish(&manifest)?;
    Ok(manifest)
}

/// Millionths of a bit, rounded; a document has a few thousand bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of positive bits"
)]
fn microbits(bits: f64) -> u64 {
    libm::round(bits * 1e6) as u64
}

#[cfg(test)]
mod tests;
