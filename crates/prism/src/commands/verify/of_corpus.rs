//! Whether a record was made on a corpus: its hash, and the totals of the stream counted again from the text.
//!
//! `prism verify --corpus` calls it, for whoever has a corpus that was revealed after its round.

use std::path::Path;

use prism_corpus::tokenizer::{Encoded, Tokenizer, TokenizerSpec};
use prism_corpus::{Corpus, Split, SplitReader, StreamPrefix};
use prism_referee::record::Record;

use super::mismatch;
use crate::commands::data;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;

/// What was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// Hash, documents, bytes and tokens.
    Whole,
    /// Hash, documents and bytes; the tokens are those of a tokenizer that came with the bundle.
    WithoutTokens,
}

impl Checked {
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::Whole => {
                "the corpus's: its hash, and documents, bytes and tokens of the stream counted again"
            }
            Self::WithoutTokens => {
                "the corpus's: its hash, and documents and bytes of the stream counted again; the bundle's tokenizer is not \
                 in the record"
            }
        }
    }
}

/// Checks it; the corpus is verified byte by byte first.
pub(super) fn check(dir: &Path, record: &Record, corpus: &Path, output: Output) -> Result<Checked, Failure> {
    let opened: Corpus = data::open(corpus, output)?;
    let differs = |what: &str, in_record: &dyn std::fmt::Display, in_corpus: &dyn std::fmt::Display| {
        Err(mismatch(&format!(
            "{}: the record was not made on {}: {what} is {in_record} in the record and {in_corpus} in the corpus",
            dir.display(),
            corpus.display()
        )))
    };
    let hash = opened.manifest_hash();
    if record.hashes.corpus.to_string() != hash {
        return differs("the hash of the corpus", &record.hashes.corpus, &hash);
    }
    let train = opened.split(Split::Train);
    let stream = train
        .prefix(record.recipe.stream.max_bytes)
        .map_err(|error| Failure::usage("corpus_invalid", &error.to_string()))?;
    if record.stream.documents != stream.documents {
        return differs(
            "the number of documents",
            &record.stream.documents,
            &stream.documents,
        );
    }
    if record.stream.bytes != stream.bytes {
        return differs("the number of bytes", &record.stream.bytes, &stream.bytes);
    }
    let spec = match record.tokenizer.name.as_str() {
        "bytes" => TokenizerSpec::Bytes,
        "gpt2" => TokenizerSpec::Gpt2,
        _ => return Ok(Checked::WithoutTokens),
    };
    let tokenizer = Tokenizer::load(&spec).map_err(|error| Failure::machine("tokenizer", &error))?;
    let targets = targets(&train, &stream, &tokenizer, output)?;
    if record.stream.targets != targets {
        return differs("the number of targets", &record.stream.targets, &targets);
    }
    Ok(Checked::Whole)
}

/// Tokens of the stream, with an end for each document.
fn targets(
    train: &SplitReader,
    stream: &StreamPrefix,
    tokenizer: &Tokenizer,
    output: Output,
) -> Result<u64, Failure> {
    let mut progress = Progress::bytes(output, "counting");
    let mut encoded = Encoded::default();
    let (mut targets, mut done_bytes) = (0, 0);
    for number in 0..stream.documents {
        let text = train
            .document(number)
            .map_err(|error| Failure::usage("corpus_invalid", &error.to_string()))?;
        encoded.clear();
        tokenizer
            .encode(&text, &mut encoded)
            .map_err(|error| Failure::machine("tokenizer", &error))?;
        targets += encoded.ids.len() as u64 + 1;
        done_bytes += text.len() as u64;
        progress.set(done_bytes, stream.bytes);
    }
    Ok(targets)
}
