//! Writes the shards of a corpus: documents in, text, lengths, code lengths and hashes out.
//!
//! `lock` and `synth` push documents in the order of the corpus. One shard of each split is open at a time, so
//! memory does not grow with the corpus. It must never change a byte of a document.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::limits::DOCUMENT_BYTES_MAX;
use crate::manifest::{ShardManifest, Split, SplitManifest, SplitRule, Splits};
use crate::publish::PublishError;

const BUFFER_BYTES: usize = 256 * 1024;

/// Writes all three splits below one directory.
pub(crate) struct CorpusWriter {
    splits: [SplitWriter; 3],
}

impl CorpusWriter {
    /// A writer that closes shards at `shard_bytes_target` and, if `with_bits`, keeps a code length a document. The
    /// folders of the splits are there.
    pub(crate) fn new(dir: &Path, rule: &SplitRule, shard_bytes_target: u64, with_bits: bool) -> Self {
        let splits = Split::ALL.map(|split| SplitWriter {
            dir: split.dir(dir, rule),
            split,
            shard_bytes_target: shard_bytes_target.max(1),
            open: None,
            done: SplitManifest {
                documents: 0,
                bytes: 0,
                code_microbits: with_bits.then_some(0),
                entropy_floor_bits_per_byte: None,
                shards: Vec::new(),
            },
        });
        Self { splits }
    }

    /// Appends one document of 1 to [`DOCUMENT_BYTES_MAX`] bytes.
    pub(crate) fn push(&mut self, split: Split, document: &str, bits: u64) -> Result<(), PublishError> {
        debug_assert!((1..=DOCUMENT_BYTES_MAX).contains(&document.len()));
        self.splits[split.index()].push(document, bits)
    }

    /// Closes the last shards and gives their totals.
    pub(crate) fn finish(self) -> Result<Splits, PublishError> {
        let [train, val, test] = self.splits;
        Ok(Splits {
            train: train.finish()?,
            val: val.finish()?,
            test: test.finish()?,
        })
    }
}

struct SplitWriter {
    dir: PathBuf,
    split: Split,
    shard_bytes_target: u64,
    open: Option<OpenShard>,
    done: SplitManifest,
}

struct OpenShard {
    stem: String,
    text: HashedFile,
    index: HashedFile,
    bits: Option<HashedFile>,
    documents: u64,
    bytes: u64,
}

impl SplitWriter {
    fn push(&mut self, document: &str, bits: u64) -> Result<(), PublishError> {
        let mut shard = match self.open.take() {
            Some(shard) => shard,
            None => self.next_shard()?,
        };
        let length = document.len() as u64;
        let length_u32 = u32::try_from(document.len()).unwrap_or(u32::MAX);
        shard.text.write(document.as_bytes())?;
        shard.index.write(&length_u32.to_le_bytes())?;
        if let Some(file) = &mut shard.bits {
            file.write(&bits.to_le_bytes())?;
        }
        shard.documents += 1;
        shard.bytes += length;
        self.done.documents += 1;
        self.done.bytes += length;
        self.done.code_microbits = self.done.code_microbits.map(|sum| sum + bits);
        if shard.bytes >= self.shard_bytes_target {
            self.close(shard)
        } else {
            self.open = Some(shard);
            Ok(())
        }
    }

    fn next_shard(&self) -> Result<OpenShard, PublishError> {
        let stem = ShardManifest::stem(self.split, self.done.shards.len());
        let create = |suffix: &str| HashedFile::create(self.dir.join(format!("{stem}.{suffix}")));
        Ok(OpenShard {
            text: create("txt")?,
            index: create("idx")?,
            bits: if self.done.code_microbits.is_some() {
                Some(create("bits")?)
            } else {
                None
            },
            documents: 0,
            bytes: 0,
            stem,
        })
    }

    fn close(&mut self, shard: OpenShard) -> Result<(), PublishError> {
        self.done.shards.push(ShardManifest {
            stem: shard.stem,
            documents: shard.documents,
            bytes: shard.bytes,
            text_blake3: shard.text.finish()?,
            index_blake3: shard.index.finish()?,
            bits_blake3: shard.bits.map(HashedFile::finish).transpose()?,
        });
        Ok(())
    }

    fn finish(mut self) -> Result<SplitManifest, PublishError> {
        if let Some(shard) = self.open.take() {
            self.close(shard)?;
        }
        self.done.entropy_floor_bits_per_byte =
            SplitManifest::floor(self.done.code_microbits, self.done.bytes);
        Ok(self.done)
    }
}

/// A file that is hashed while it is written.
struct HashedFile {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl HashedFile {
    fn create(path: PathBuf) -> Result<Self, PublishError> {
        let file = File::create_new(&path).map_err(|e| PublishError::io("create", &path, e))?;
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            hasher: blake3::Hasher::new(),
            path,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PublishError> {
        self.hasher.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(|e| PublishError::io("write", &self.path, e))
    }

    fn finish(mut self) -> Result<String, PublishError> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.map_err(|e| PublishError::io("write", &self.path, e))?;
        Ok(self.hasher.finalize().to_hex().to_string())
    }
}
