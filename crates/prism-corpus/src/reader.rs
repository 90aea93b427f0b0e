//! Documents of a verified corpus at random access, and prefixes of it as streams.
//!
//! The referee reads the stream and the held-out text with a [`SplitReader`]. Memory stays flat: the sums before
//! every [`BLOCK_DOCUMENTS`] documents are kept, and everything else is read where it is needed. It must never give
//! out a document that is not the one locked.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::limits::DOCUMENT_BYTES_MAX;
use crate::manifest::{Split, SplitManifest};

/// Documents for which one offset is kept in memory.
pub const BLOCK_DOCUMENTS: u64 = 256;

/// Why a document of an open corpus cannot be read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ReadError {
    #[error("there is no document {document} in `{split}`: it has {documents}", split = split.name())]
    NoSuchDocument {
        split: Split,
        document: u64,
        documents: u64,
    },
    #[error("cannot read document {document} of `{split}`: {source}", split = split.name())]
    Io {
        split: Split,
        document: u64,
        source: io::Error,
    },
    #[error("document {document} of `{split}` was changed while the corpus was open", split = split.name())]
    Changed { split: Split, document: u64 },
}

/// The documents of one split, in the order of the corpus.
#[derive(Debug, Clone)]
pub struct SplitReader {
    pub(crate) inner: Arc<SplitFiles>,
}

#[derive(Debug)]
pub(crate) struct SplitFiles {
    pub(crate) split: Split,
    pub(crate) documents: u64,
    pub(crate) bytes: u64,
    pub(crate) code_microbits: Option<u64>,
    pub(crate) shards: Vec<Shard>,
}

/// One verified shard.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) text: File,
    pub(crate) lengths: Lengths,
    pub(crate) bits: Option<File>,
    /// Documents and bytes of the split before this shard.
    pub(crate) first_document: u64,
    pub(crate) first_byte: u64,
    /// Bytes and code of the split before each block of this shard.
    pub(crate) blocks: Vec<Sums>,
}

/// The lengths of the documents of one shard.
#[derive(Debug)]
pub(crate) struct Lengths {
    pub(crate) index: File,
    pub(crate) documents: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) bytes: u64,
    pub(crate) code_microbits: u64,
}

/// The first documents of a split, taken as a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPrefix {
    /// How many documents.
    pub documents: u64,
    /// Their bytes of text.
    pub bytes: u64,
    /// Their exact code length in millionths of a bit, where the corpus knows it.
    pub code_microbits: Option<u64>,
}

impl StreamPrefix {
    /// The entropy floor of exactly these documents, where the corpus knows it.
    pub fn entropy_floor_bits_per_byte(&self) -> Option<f64> {
        SplitManifest::floor(self.code_microbits, self.bytes)
    }
}

impl SplitReader {
    /// Which split this is.
    pub fn split(&self) -> Split {
        self.inner.split
    }

    /// How many documents it has.
    pub fn documents(&self) -> u64 {
        self.inner.documents
    }

    /// How many bytes of text it has.
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    /// All of it as a stream.
    pub fn whole(&self) -> StreamPrefix {
        let SplitFiles {
            documents,
            bytes,
            code_microbits,
            ..
        } = *self.inner;
        StreamPrefix {
            documents,
            bytes,
            code_microbits,
        }
    }

    /// The text of one document.
    pub fn document(&self, document: u64) -> Result<String, ReadError> {
        let split = self.inner.split;
        let failed = |source| ReadError::Io {
            split,
            document,
            source,
        };
        let (shard, offset, length_bytes) = self.locate(document)?;
        let mut bytes = vec![0; length_bytes as usize];
        shard.text.read_exact_at(&mut bytes, offset).map_err(failed)?;
        String::from_utf8(bytes).map_err(|_| ReadError::Changed { split, document })
    }

    /// The longest run of documents from the first whose bytes are at most `bytes_max`, but at least one document
    /// (none only if the split is empty). This is the rule of `--max-bytes` and of every held-out prefix.
    pub fn prefix(&self, bytes_max: u64) -> Result<StreamPrefix, ReadError> {
        if self.inner.bytes <= bytes_max {
            return Ok(self.whole());
        }
        // The last block that starts within the limit holds the end of the prefix; the first starts at zero.
        let shards = &self.inner.shards;
        let shard = &shards[shards
            .partition_point(|s| s.first_byte <= bytes_max)
            .saturating_sub(1)];
        let block = shard
            .blocks
            .partition_point(|sums| sums.bytes <= bytes_max)
            .saturating_sub(1);
        let first = shard.first_document + block as u64 * BLOCK_DOCUMENTS;
        let failed = |source| ReadError::Io {
            split: self.inner.split,
            document: first,
            source,
        };
        let lengths = shard.lengths.block(block as u64).map_err(failed)?;
        let code = shard.code_of_block(block as u64).map_err(failed)?;
        let (mut documents, mut sums) = (first, shard.blocks[block]);
        for (i, length_bytes) in lengths.iter().enumerate() {
            let bytes = sums.bytes + u64::from(*length_bytes);
            if bytes > bytes_max && documents > 0 {
                break;
            }
            documents += 1;
            sums.bytes = bytes;
            sums.code_microbits += code.as_ref().map_or(0, |code| code[i]);
        }
        let code_microbits = self.inner.code_microbits.map(|_| sums.code_microbits);
        Ok(StreamPrefix {
            documents,
            bytes: sums.bytes,
            code_microbits,
        })
    }

    /// The shard of a document, its offset in the text file and its length.
    fn locate(&self, document: u64) -> Result<(&Shard, u64, u32), ReadError> {
        let SplitFiles {
            split,
            documents,
            ref shards,
            ..
        } = *self.inner;
        if document >= documents {
            return Err(ReadError::NoSuchDocument {
                split,
                document,
                documents,
            });
        }
        let shard = &shards[shards.partition_point(|s| s.first_document <= document) - 1];
        let within = document - shard.first_document;
        let block = within / BLOCK_DOCUMENTS;
        let position = usize::try_from(within % BLOCK_DOCUMENTS).unwrap_or(usize::MAX);
        let lengths = shard.lengths.block(block).map_err(|source| ReadError::Io {
            split,
            document,
            source,
        })?;
        let before: u64 = lengths[..position].iter().map(|l| u64::from(*l)).sum();
        let start = shard.blocks[usize::try_from(block).unwrap_or(usize::MAX)].bytes - shard.first_byte;
        let length_bytes = lengths[position];
        if length_bytes as usize > DOCUMENT_BYTES_MAX {
            return Err(ReadError::Changed { split, document });
        }
        Ok((shard, start + before, length_bytes))
    }
}

impl Lengths {
    /// The lengths of one block; the last may be short.
    pub(crate) fn block(&self, block: u64) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; self.documents_of(block) * 4];
        self.index
            .read_exact_at(&mut bytes, block * BLOCK_DOCUMENTS * 4)?;
        Ok(bytes
            .as_chunks()
            .0
            .iter()
            .map(|b| u32::from_le_bytes(*b))
            .collect())
    }

    fn documents_of(&self, block: u64) -> usize {
        let count = (self.documents - block * BLOCK_DOCUMENTS).min(BLOCK_DOCUMENTS);
        usize::try_from(count).unwrap_or(usize::MAX)
    }
}

impl Shard {
    /// The code lengths of one block, where the corpus knows them.
    fn code_of_block(&self, block: u64) -> io::Result<Option<Vec<u64>>> {
        let Some(file) = &self.bits else { return Ok(None) };
        let mut bytes = vec![0; self.lengths.documents_of(block) * 8];
        file.read_exact_at(&mut bytes, block * BLOCK_DOCUMENTS * 8)?;
        Ok(Some(
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| u64::from_le_bytes(*b))
                .collect(),
        ))
    }
}
