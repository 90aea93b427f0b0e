//! Documents on their way from the input files to the shards: the text in an unnamed file, 48 bytes a document in
//! memory.
//!
//! The lock fills it, from several threads, sorts it once and reads it in order. It must never hold the text of more than
//! one document.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::LockError;
use super::near::{BANDS, BandFiles};
use crate::digest::DocumentId;
use crate::manifest::Split;
use crate::publish::PublishError;

/// The documents, while they come and when they are all there.
pub(super) struct Spool {
    text: SpoolText,
    entries: Vec<Entry>,
    bands: Option<BandFiles>,
    /// Documents that were pushed.
    pushed: usize,
}

/// The file of the text, which several threads write at once.
pub(super) struct SpoolText {
    dir: PathBuf,
    file: File,
    bytes: AtomicU64,
}

/// One document: what decides its place, and where it lies in the spool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Of the normal form: equal ones are equal up to white space.
    pub(super) id: DocumentId,
    /// Of the bytes: with the length it tells such documents apart.
    pub(super) tag: u64,
    pub(super) offset: u64,
    pub(super) length_bytes: u32,
    /// Which one it was to come.
    number: u32,
    pub(super) split: Split,
}

impl Entry {
    /// The same document under another digest.
    pub(super) fn digested(&self, id: DocumentId, split: Split) -> Self {
        Self { id, split, ..*self }
    }
}

/// A document without its text.
pub(super) struct Digested {
    pub(super) id: DocumentId,
    pub(super) split: Split,
    pub(super) tag: u64,
    /// Where its text lies, from the start of what was written with it.
    pub(super) offset: u64,
    pub(super) length_bytes: u32,
    pub(super) bands: Option<[u64; BANDS]>,
}

/// Documents that were dropped as copies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Copies {
    /// Equal to one that is kept.
    pub(super) duplicate: u64,
    /// Equal to one that is kept up to white space.
    pub(super) respaced: u64,
}

impl SpoolText {
    pub(super) fn new(dir: &Path) -> Result<Self, PublishError> {
        let file =
            tempfile::tempfile_in(dir).map_err(|e| PublishError::io("create a temporary file in", dir, e))?;
        Ok(Self {
            dir: dir.to_owned(),
            file,
            bytes: AtomicU64::new(0),
        })
    }

    /// Writes text, and tells where it lies.
    pub(super) fn write(&self, text: &str) -> Result<u64, PublishError> {
        let offset = self.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        self.file
            .write_all_at(text.as_bytes(), offset)
            .map_err(|e| PublishError::io("write a temporary file in", &self.dir, e))?;
        Ok(offset)
    }
}

/// What is known of the documents while they come.
pub(super) struct SpoolIndex {
    entries: Vec<Entry>,
    bands: Option<BandFiles>,
    pushed: usize,
}

impl SpoolIndex {
    pub(super) fn new(dir: &Path, with_bands: bool) -> Result<Self, PublishError> {
        Ok(Self {
            entries: Vec::new(),
            bands: with_bands.then(|| BandFiles::new(dir)).transpose()?,
            pushed: 0,
        })
    }

    /// Takes documents whose text was written at this offset.
    pub(super) fn push(&mut self, documents: &[Digested], offset: u64) -> Result<(), LockError> {
        for document in documents {
            let number = u32::try_from(self.pushed).map_err(|_| LockError::TooManyDocuments)?;
            self.entries.push(Entry {
                id: document.id,
                tag: document.tag,
                offset: offset + document.offset,
                length_bytes: document.length_bytes,
                number,
                split: document.split,
            });
            if let Some(bands) = &mut self.bands {
                bands.push(document.bands.as_ref())?;
            }
            self.pushed += 1;
        }
        Ok(())
    }
}

impl Spool {
    /// Puts the documents in the order of the corpus and drops copies.
    pub(super) fn sorted_of(text: SpoolText, index: SpoolIndex) -> Result<(Self, Copies), PublishError> {
        let SpoolIndex {
            mut entries,
            mut bands,
            pushed,
        } = index;
        if let Some(bands) = &mut bands {
            bands.flush()?;
        }
        // Which of the copies is kept depends on them alone, not on the order of reading: the shortest, and of several
        // the one with the least tag. What has equal keys is equal, so it makes no difference which of them that is.
        entries.sort_unstable_by_key(|entry| (entry.id, entry.length_bytes, entry.tag));
        entries.dedup_by_key(|entry| (entry.id, entry.length_bytes, entry.tag));
        let different = entries.len();
        entries.dedup_by_key(|entry| entry.id);
        let copies = Copies {
            duplicate: (pushed - different) as u64,
            respaced: (different - entries.len()) as u64,
        };
        let spool = Self {
            text,
            entries,
            bands,
            pushed,
        };
        Ok((spool, copies))
    }

    /// Keeps the documents that are not dropped, by their places, and tells how many go.
    pub(super) fn drop_those(&mut self, dropped: &[bool]) -> u64 {
        let before = self.entries.len();
        let mut place = 0;
        self.entries.retain(|_| {
            place += 1;
            !dropped.get(place - 1).copied().unwrap_or(false)
        });
        (before - self.entries.len()) as u64
    }

    /// The documents, to be changed in place and order.
    pub(super) fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    pub(super) fn bands(&self) -> Option<&BandFiles> {
        self.bands.as_ref()
    }

    /// The place of each document that was pushed among those that are kept.
    pub(super) fn ranks(&self) -> Vec<Option<u32>> {
        let mut ranks = vec![None; self.pushed];
        for (rank, entry) in self.entries.iter().enumerate() {
            // There are no more of them than have numbers.
            ranks[entry.number as usize] = u32::try_from(rank).ok();
        }
        ranks
    }

    /// Bytes of the documents that are kept.
    pub(super) fn text_bytes(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| u64::from(entry.length_bytes))
            .sum()
    }

    /// The documents in order.
    pub(super) fn sorted(&self) -> &[Entry] {
        &self.entries
    }

    /// The text of one document, read into the buffer.
    pub(super) fn read<'b>(&self, entry: &Entry, buffer: &'b mut Vec<u8>) -> Result<&'b str, PublishError> {
        let failed = |e| PublishError::io("read a temporary file in", &self.text.dir, e);
        buffer.resize(entry.length_bytes as usize, 0);
        self.text
            .file
            .read_exact_at(buffer, entry.offset)
            .map_err(failed)?;
        std::str::from_utf8(buffer).map_err(|e| failed(std::io::Error::other(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_costs_48_bytes_of_memory() {
        assert_eq!(size_of::<Entry>(), 48);
    }
}
