//! Documents on their way from the input files to the shards: the text in an unnamed file, 40 bytes a document in
//! memory.
//!
//! The lock fills it, sorts it once and reads it in order. It must never hold the text of more than one document.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::LockError;
use crate::digest::{Digester, DocumentId};
use crate::manifest::Split;
use crate::normal::normal_form;
use crate::publish::PublishError;

pub(super) struct Spool {
    dir: PathBuf,
    file: BufWriter<File>,
    digester: Digester,
    /// The normal form of one document, kept for its memory.
    form: String,
    entries: Vec<Entry>,
    spooled_bytes: u64,
    counts: Counts,
}

/// One document: what decides its place, and where it lies in the spool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Of the normal form: equal ones are equal up to white space.
    id: DocumentId,
    /// Of the bytes: with the length it tells such documents apart.
    tag: u64,
    offset: u64,
    length_bytes: u32,
    pub(super) split: Split,
}

/// What became of the documents.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) read: u64,
    /// Nulls that were passed over; they are among those read.
    pub(super) null: u64,
    pub(super) empty: u64,
    /// Equal to one that is kept.
    pub(super) duplicate: u64,
    /// Equal to one that is kept up to white space.
    pub(super) respaced: u64,
}

impl Spool {
    pub(super) fn new(dir: &Path, digester: Digester) -> Result<Self, PublishError> {
        let file =
            tempfile::tempfile_in(dir).map_err(|e| PublishError::io("create a temporary file in", dir, e))?;
        Ok(Self {
            dir: dir.to_owned(),
            file: BufWriter::with_capacity(1024 * 1024, file),
            digester,
            form: String::new(),
            entries: Vec::new(),
            spooled_bytes: 0,
            counts: Counts::default(),
        })
    }

    /// Takes one document; white space alone is none, and neither is a null.
    pub(super) fn push(&mut self, document: Option<&str>) -> Result<(), LockError> {
        self.counts.read += 1;
        let Some(document) = document else {
            self.counts.null += 1;
            return Ok(());
        };
        normal_form(document, &mut self.form);
        if self.form.is_empty() {
            self.counts.empty += 1;
            return Ok(());
        }
        let (id, split) = self.digester.digest(self.form.as_bytes());
        let tag = self.digester.tag(document.as_bytes());
        self.file
            .write_all(document.as_bytes())
            .map_err(|e| PublishError::io("write a temporary file in", &self.dir, e))?;
        // The readers bound a document far below 4 GiB.
        let length_bytes = u32::try_from(document.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            id,
            tag,
            offset: self.spooled_bytes,
            length_bytes,
            split,
        });
        self.spooled_bytes += document.len() as u64;
        Ok(())
    }

    /// Puts the documents in the order of the corpus and drops duplicates.
    pub(super) fn sort(&mut self) -> Result<Counts, PublishError> {
        self.file
            .flush()
            .map_err(|e| PublishError::io("write a temporary file in", &self.dir, e))?;
        // Which of the copies is kept depends on them alone, not on the order of reading: the shortest, and of several
        // the one with the least tag. What has equal keys is equal, so it makes no difference which of them that is.
        self.entries
            .sort_unstable_by_key(|entry| (entry.id, entry.length_bytes, entry.tag));
        let read = self.entries.len();
        self.entries
            .dedup_by_key(|entry| (entry.id, entry.length_bytes, entry.tag));
        let different = self.entries.len();
        self.entries.dedup_by_key(|entry| entry.id);
        self.counts.duplicate = (read - different) as u64;
        self.counts.respaced = (different - self.entries.len()) as u64;
        Ok(self.counts)
    }

    /// Distinct documents.
    pub(super) fn documents(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Bytes of the distinct documents.
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
        let failed = |e| PublishError::io("read a temporary file in", &self.dir, e);
        buffer.resize(entry.length_bytes as usize, 0);
        self.file
            .get_ref()
            .read_exact_at(buffer, entry.offset)
            .map_err(failed)?;
        std::str::from_utf8(buffer).map_err(|e| failed(std::io::Error::other(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_costs_40_bytes_of_memory() {
        assert_eq!(size_of::<Entry>(), 40);
    }
}
