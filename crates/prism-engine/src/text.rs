//! The text of a run, as the referee reads it: a prefix of the train documents, a prefix of the held-out ones, and the
//! tokenizer of the bundle.
//!
//! Made by [`crate::evaluate`]. Documents are tokenised when they are due, so that memory stays flat however long the
//! stream is; one pass beforehand counts the targets and proves that every document survives the round trip. The pass
//! takes minutes where the stream is long, so it tells how far it is and can be cancelled between any two documents.

use std::{sync::mpsc, thread};

use prism_corpus::{
    SplitReader, StreamPrefix,
    tokenizer::{Encoded, Tokenizer},
};
use prism_referee::{
    connection::Cancel,
    lanes::{DocumentError, Documents, TokenDocument},
    plan::{StreamTotals, TextSource},
};

/// Most threads that count tokens: each may fill a cache of some megabytes.
const MAX_THREADS: u64 = 32;

/// The text of one run.
pub(crate) struct RunText {
    train: SplitReader,
    train_prefix: StreamPrefix,
    val: SplitReader,
    val_prefix: StreamPrefix,
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
    /// Somebody cancelled the run.
    #[error("the run was cancelled")]
    Cancelled,
}

impl RunText {
    /// Puts the parts together.
    pub(crate) fn new(
        train: SplitReader,
        train_prefix: StreamPrefix,
        val: SplitReader,
        val_prefix: StreamPrefix,
        tokenizer: Tokenizer,
    ) -> Self {
        Self {
            train,
            train_prefix,
            val,
            val_prefix,
            tokenizer,
        }
    }

    /// Tokenises every document once: totals of the stream, and the proof that nothing is lost. Tells how many bytes of
    /// text are done, of how many.
    ///
    /// On all cores, up to [`MAX_THREADS`]; only whole numbers are added up, so their order does not matter.
    pub(crate) fn totals(
        &self,
        cancel: &Cancel,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<StreamTotals, TextError> {
        let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
        let threads = threads.min(MAX_THREADS);
        let count = |reader: &SplitReader, from: u64, to: u64, done: &mpsc::Sender<u64>| {
            let mut encoded = Encoded::default();
            let mut targets = 0;
            for number in from..to {
                if cancel.is_cancelled() {
                    return Err(TextError::Cancelled);
                }
                targets += self.encode(reader, number, &mut encoded)?;
                let bytes = encoded.byte_lengths.iter().map(|&length| u64::from(length)).sum();
                // Whoever listened has panicked: nobody waits for the totals any more.
                done.send(bytes).map_err(|_| TextError::Cancelled)?;
            }
            Ok(targets)
        };
        let share = |n: u64, part: u64| n / threads * part + (n % threads).min(part);
        let total_bytes = self.train_prefix.bytes + self.val_prefix.bytes;
        thread::scope(|scope| {
            let (sender, done) = mpsc::channel();
            let workers: Vec<_> = (0..threads)
                .map(|part| {
                    let (count, sender) = (&count, sender.clone());
                    scope.spawn(move || {
                        let n = self.train_prefix.documents;
                        let targets = count(&self.train, share(n, part), share(n, part + 1), &sender)?;
                        let n = self.val_prefix.documents;
                        count(&self.val, share(n, part), share(n, part + 1), &sender)?;
                        Ok(targets)
                    })
                })
                .collect();
            drop(sender);
            let mut done_bytes = 0;
            for bytes in done {
                done_bytes += bytes;
                progress(done_bytes, total_bytes);
            }
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
            end: self.val_prefix.documents,
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

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use prism_corpus::{
        Corpus, Split, TokenizerSpec,
        synth::{SynthOptions, synthesize},
    };

    use super::*;

    fn text(dir: &std::path::Path) -> RunText {
        let out = dir.join("corpus");
        synthesize(&out, &SynthOptions::new(60_000, 1), &mut |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap();
        let corpus = Corpus::open(&out).unwrap();
        let (train, val) = (corpus.split(Split::Train), corpus.split(Split::Val));
        let (train_prefix, val_prefix) = (train.whole(), val.whole());
        let tokenizer = Tokenizer::load(&TokenizerSpec::Bytes).unwrap();
        RunText::new(train, train_prefix, val, val_prefix, tokenizer)
    }

    #[test]
    fn the_totals_count_every_byte_and_tell_how_far_they_are() {
        let temp = tempfile::tempdir().unwrap();
        let text = text(temp.path());
        let mut told = Vec::new();
        let totals = text
            .totals(&Cancel::new(), &mut |done, total| told.push((done, total)))
            .unwrap();
        assert_eq!(totals.targets, totals.bytes + totals.documents);
        let all = text.train_prefix.bytes + text.val_prefix.bytes;
        assert_eq!(told.last(), Some(&(all, all)));
        assert_eq!(
            told.len() as u64,
            text.train_prefix.documents + text.val_prefix.documents
        );
    }

    #[test]
    fn a_cancelled_count_ends_before_its_next_document() {
        let temp = tempfile::tempdir().unwrap();
        let text = text(temp.path());
        let cancel = Cancel::new();
        cancel.cancel();
        let mut told = 0;
        let ended = text.totals(&cancel, &mut |_, _| told += 1);
        assert!(matches!(ended, Err(TextError::Cancelled)), "{ended:?}");
        assert_eq!(told, 0);
    }
}
