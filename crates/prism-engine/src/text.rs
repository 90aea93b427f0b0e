//! The text of a run, as the referee reads it: a prefix of the train documents, a prefix of the held-out ones, and the
//! tokenizer of the bundle.
//!
//! Made by [`crate::evaluate`]. Documents are tokenised when they are due, so that memory stays flat however long the
//! stream is; one pass beforehand counts the targets of each and proves that every document survives the round trip. The
//! pass takes minutes where the stream is long, so it tells how far it is and can be cancelled between any two documents.

use std::{sync::mpsc, thread};

use prism_core::advice::Advice;
use prism_corpus::{
    SplitReader, StreamPrefix,
    tokenizer::{Encoded, Tokenizer},
};
use prism_referee::{
    connection::Cancel,
    lanes::{DocumentError, Documents, TokenDocument},
    plan::{StreamTotals, TextSource},
};

use crate::totals_cache::DocumentTargets;

/// Most threads that count tokens: each may fill a cache of some megabytes.
const THREADS_MAX: u64 = 32;

/// A prefix of a split.
struct Prefix {
    reader: SplitReader,
    prefix: StreamPrefix,
}

/// A prefix of a split, counted.
struct Counted {
    reader: SplitReader,
    /// Targets of each document, its end-of-text included.
    targets: Vec<u32>,
}

/// The text of a run before it is counted.
pub(crate) struct UncountedText {
    train: Prefix,
    val: Prefix,
    tokenizer: Tokenizer,
}

/// The text of one run.
pub(crate) struct RunText {
    train: Counted,
    val: Counted,
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

impl UncountedText {
    /// Puts the parts together.
    pub(crate) fn new(
        train: SplitReader,
        train_prefix: StreamPrefix,
        val: SplitReader,
        val_prefix: StreamPrefix,
        tokenizer: Tokenizer,
    ) -> Self {
        let of = |reader, prefix| Prefix { reader, prefix };
        Self {
            train: of(train, train_prefix),
            val: of(val, val_prefix),
            tokenizer,
        }
    }

    /// How many documents there are to read, of train and of val.
    pub(crate) fn documents(&self) -> (u64, u64) {
        (self.train.prefix.documents, self.val.prefix.documents)
    }

    /// With what was counted before, of these very documents.
    pub(crate) fn counted(self, targets: DocumentTargets) -> (RunText, StreamTotals) {
        let Self {
            train,
            val,
            tokenizer,
        } = self;
        let totals = StreamTotals {
            documents: train.prefix.documents,
            bytes: train.prefix.bytes,
            targets: targets.train.iter().map(|&targets| u64::from(targets)).sum(),
        };
        let counted = |prefix: Prefix, targets| Counted {
            reader: prefix.reader,
            targets,
        };
        let text = RunText {
            train: counted(train, targets.train),
            val: counted(val, targets.val),
            tokenizer,
        };
        (text, totals)
    }

    /// Tokenises every document once: totals of the stream, and the proof that nothing is lost. Tells how many bytes of
    /// text are done, of how many.
    ///
    /// On all cores, up to [`THREADS_MAX`], each with a run of documents of its own; only whole numbers come out.
    pub(crate) fn count(
        self,
        cancel: &Cancel,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(RunText, StreamTotals), TextError> {
        let Self {
            train,
            val,
            tokenizer,
        } = &self;
        let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
        let threads = threads.min(THREADS_MAX);
        let count = |of: &Prefix, part: u64, done: &mpsc::Sender<u64>| {
            let documents = of.prefix.documents;
            let start = |part: u64| documents / threads * part + (documents % threads).min(part);
            let mut encoded = Encoded::default();
            let mut targets = Vec::new();
            for number in start(part)..start(part + 1) {
                if cancel.is_cancelled() {
                    return Err(TextError::Cancelled);
                }
                encode(tokenizer, &of.reader, number, &mut encoded)?;
                // A document has some 64 KiB at the most.
                targets.push(u32::try_from(encoded.ids.len() + 1).unwrap_or(u32::MAX));
                let bytes = encoded.byte_lengths.iter().map(|&length| u64::from(length)).sum();
                // Whoever listened has panicked: nobody waits for the totals any more.
                done.send(bytes).map_err(|_| TextError::Cancelled)?;
            }
            Ok(targets)
        };
        let total_bytes = train.prefix.bytes + val.prefix.bytes;
        let (train_targets, val_targets) = thread::scope(|scope| {
            let (sender, done) = mpsc::channel();
            let workers: Vec<_> = (0..threads)
                .map(|part| {
                    let (count, sender) = (&count, sender.clone());
                    scope.spawn(move || Ok((count(train, part, &sender)?, count(val, part, &sender)?)))
                })
                .collect();
            drop(sender);
            let mut done_bytes = 0;
            for bytes in done {
                done_bytes += bytes;
                progress(done_bytes, total_bytes);
            }
            let mut all = (Vec::new(), Vec::new());
            for worker in workers {
                let (train, val) = worker
                    .join()
                    .map_err(|_| TextError::Tokenizer("the tokenizer failed on a document".into()))??;
                all.0.extend(train);
                all.1.extend(val);
            }
            Ok(all)
        })?;
        Ok(self.counted(DocumentTargets {
            train: train_targets,
            val: val_targets,
        }))
    }
}

/// Encodes one document.
fn encode(
    tokenizer: &Tokenizer,
    reader: &SplitReader,
    number: u64,
    encoded: &mut Encoded,
) -> Result<(), TextError> {
    let text = reader
        .document(number)
        .map_err(|error| TextError::Corpus(error.to_string()))?;
    encoded.clear();
    tokenizer
        .encode(&text, encoded)
        .map_err(|error| TextError::Tokenizer(format!("document {number}: {}", error.told())))
}

impl RunText {
    /// What was counted.
    pub(crate) fn targets(&self) -> DocumentTargets {
        DocumentTargets {
            train: self.train.targets.clone(),
            val: self.val.targets.clone(),
        }
    }
}

impl TextSource for RunText {
    fn stream(&self) -> Box<dyn Documents + '_> {
        Box::new(Tokenised {
            split: &self.train,
            tokenizer: &self.tokenizer,
        })
    }

    fn val(&self) -> Box<dyn Documents + '_> {
        Box::new(Tokenised {
            split: &self.val,
            tokenizer: &self.tokenizer,
        })
    }
}

/// The documents of a counted prefix, each tokenised when it is asked for.
struct Tokenised<'a> {
    split: &'a Counted,
    tokenizer: &'a Tokenizer,
}

impl Documents for Tokenised<'_> {
    fn count(&self) -> u64 {
        self.split.targets.len() as u64
    }

    fn targets(&self, place: u64) -> u64 {
        let targets = usize::try_from(place).map(|place| self.split.targets.get(place));
        targets.ok().flatten().map_or(0, |&targets| u64::from(targets))
    }

    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError> {
        let mut encoded = Encoded::default();
        encode(self.tokenizer, &self.split.reader, place, &mut encoded)
            .map_err(|error| DocumentError(error.to_string()))?;
        Ok(TokenDocument {
            number: place,
            ids: encoded.ids,
            byte_lengths: encoded.byte_lengths,
        })
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

    fn text(dir: &std::path::Path) -> UncountedText {
        let out = dir.join("corpus");
        synthesize(&out, &SynthOptions::new(60_000, 1), &mut |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap();
        let corpus = Corpus::open(&out).unwrap();
        let (train, val) = (corpus.split(Split::Train), corpus.split(Split::Val));
        let (train_prefix, val_prefix) = (train.whole(), val.whole());
        let tokenizer = Tokenizer::load(&TokenizerSpec::Bytes).unwrap();
        UncountedText::new(train, train_prefix, val, val_prefix, tokenizer)
    }

    #[test]
    fn the_totals_count_every_byte_and_tell_how_far_they_are() {
        let temp = tempfile::tempdir().unwrap();
        let text = text(temp.path());
        let mut told = Vec::new();
        let (train, val) = (text.train.prefix, text.val.prefix);
        let (counted, totals) = text
            .count(&Cancel::new(), &mut |done, total| told.push((done, total)))
            .unwrap();
        assert_eq!(totals.targets, totals.bytes + totals.documents);
        let all = train.bytes + val.bytes;
        assert_eq!(told.last(), Some(&(all, all)));
        assert_eq!(told.len() as u64, train.documents + val.documents);
        for (documents, prefix) in [(counted.stream(), train), (counted.val(), val)] {
            assert_eq!(documents.count(), prefix.documents);
            assert!(prefix.documents > 0, "{prefix:?}");
            for place in 0..documents.count() {
                let document = documents.document(place).unwrap();
                assert_eq!(document.number, place);
                assert_eq!(document.ids.len() as u64 + 1, documents.targets(place));
            }
        }
    }

    #[test]
    fn a_cancelled_count_ends_before_its_next_document() {
        let temp = tempfile::tempdir().unwrap();
        let text = text(temp.path());
        let cancel = Cancel::new();
        cancel.cancel();
        let mut told = 0;
        let ended = text.count(&cancel, &mut |_, _| told += 1).map(|_| ());
        assert!(matches!(ended, Err(TextError::Cancelled)), "{ended:?}");
        assert_eq!(told, 0);
    }
}
