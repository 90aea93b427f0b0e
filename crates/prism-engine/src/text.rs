//! The text of a run, as the referee reads it: a prefix of the train documents, a prefix of the held-out ones, and the
//! tokenizer of the bundle.
//!
//! Made by [`crate::evaluate`]. Documents are tokenised when they are due, so that memory stays flat however long the
//! stream is; one pass beforehand counts the targets and proves that every document survives the round trip.

use std::thread;

use prism_corpus::{
    SplitReader, StreamPrefix,
    tokenizer::{Encoded, Tokenizer},
};
use prism_referee::{
    lanes::{DocumentError, Documents, TokenDocument},
    plan::{StreamTotals, TextSource},
};

/// The text of one run.
pub(crate) struct RunText {
    train: SplitReader,
    train_prefix: StreamPrefix,
    val: SplitReader,
    val_documents: u64,
    tokenizer: Tokenizer,
}

/// Why a document has no tokens.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TextError {
    /// The corpus cannot be read.
    #[error("{0}")]
    Corpus(String),
    /// The tokenizer loses text.
    #[error("{0}")]
    Tokenizer(String),
}

impl RunText {
    /// Puts the parts together.
    pub(crate) fn new(
        train: SplitReader,
        train_prefix: StreamPrefix,
        val: SplitReader,
        val_documents: u64,
        tokenizer: Tokenizer,
    ) -> Self {
        Self {
            train,
            train_prefix,
            val,
            val_documents,
            tokenizer,
        }
    }

    /// Tokenises every document once: totals of the stream, and the proof that nothing is lost.
    ///
    /// On all cores; only whole numbers are added up, so their order does not matter.
    pub(crate) fn totals(&self) -> Result<StreamTotals, TextError> {
        let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
        let count = |reader: &SplitReader, from: u64, to: u64| -> Result<u64, TextError> {
            let mut encoded = Encoded::default();
            let mut targets = 0;
            for number in from..to {
                targets += self.encode(reader, number, &mut encoded)?;
            }
            Ok(targets)
        };
        let share = |n: u64, part: u64| n / threads * part + (n % threads).min(part);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|part| {
                    let count = &count;
                    scope.spawn(move || {
                        let n = self.train_prefix.documents;
                        let targets = count(&self.train, share(n, part), share(n, part + 1))?;
                        let n = self.val_documents;
                        count(&self.val, share(n, part), share(n, part + 1))?;
                        Ok(targets)
                    })
                })
                .collect();
            let mut targets = 0;
            for worker in workers {
                targets += worker
                    .join()
                    .map_err(|_| TextError::Tokenizer("the tokenizer failed on a document".into()))??;
            }
            Ok(StreamTotals {
                documents: self.train_prefix.documents,
                bytes: self.train_prefix.bytes,
                targets,
            })
        })
    }

    /// Encodes one document; returns its targets, its end-of-text included.
    fn encode(&self, reader: &SplitReader, number: u64, encoded: &mut Encoded) -> Result<u64, TextError> {
        let text = reader
            .document(number)
            .map_err(|error| TextError::Corpus(error.to_string()))?;
        encoded.clear();
        self.tokenizer
            .encode(&text, encoded)
            .map_err(|error| TextError::Tokenizer(format!("document {number}: {error}")))?;
        Ok(encoded.ids.len() as u64 + 1)
    }

    fn document(&self, reader: &SplitReader, number: u64) -> Result<TokenDocument, DocumentError> {
        let mut encoded = Encoded::default();
        self.encode(reader, number, &mut encoded)
            .map_err(|error| DocumentError(error.to_string()))?;
        Ok(TokenDocument {
            number,
            ids: encoded.ids,
            byte_lengths: encoded.byte_lengths,
        })
    }
}

impl TextSource for RunText {
    fn stream(&self) -> Box<dyn Documents + '_> {
        Box::new(Range {
            text: self,
            reader: &self.train,
            next: 0,
            end: self.train_prefix.documents,
        })
    }

    fn val(&self) -> Box<dyn Documents + '_> {
        Box::new(Range {
            text: self,
            reader: &self.val,
            next: 0,
            end: self.val_documents,
        })
    }

    fn stream_documents(&self, numbers: &[u64]) -> Result<Vec<TokenDocument>, DocumentError> {
        numbers
            .iter()
            .map(|&number| self.document(&self.train, number))
            .collect()
    }
}

struct Range<'a> {
    text: &'a RunText,
    reader: &'a SplitReader,
    next: u64,
    end: u64,
}

impl Documents for Range<'_> {
    fn next_document(&mut self) -> Result<Option<TokenDocument>, DocumentError> {
        if self.next == self.end {
            return Ok(None);
        }
        self.next += 1;
        self.text.document(self.reader, self.next - 1).map(Some)
    }
}
