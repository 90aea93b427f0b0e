//! The keys of all documents' bands, in an unnamed file for each band.
//!
//! The spool fills them; [`super`] reads one after another. Memory holds one band at a time for each thread.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::signature::BANDS;
use crate::publish::PublishError;

const BUFFER_BYTES: usize = 32 * 1024;
/// Stands for a document without words; a key that happens to be it is passed over.
const NO_KEY: u64 = u64::MAX;

/// Files of keys, in the order in which documents were pushed.
pub(in crate::lock) struct BandFiles {
    dir: PathBuf,
    files: Vec<BufWriter<File>>,
    documents: usize,
}

impl BandFiles {
    pub(in crate::lock) fn new(dir: &Path) -> Result<Self, PublishError> {
        let file = || {
            tempfile::tempfile_in(dir)
                .map(|file| BufWriter::with_capacity(BUFFER_BYTES, file))
                .map_err(|e| PublishError::io("create a temporary file in", dir, e))
        };
        Ok(Self {
            dir: dir.to_owned(),
            files: (0..BANDS).map(|_| file()).collect::<Result<_, _>>()?,
            documents: 0,
        })
    }

    pub(in crate::lock) fn push(&mut self, keys: Option<&[u64; BANDS]>) -> Result<(), PublishError> {
        for (band, file) in self.files.iter_mut().enumerate() {
            let key = keys.map_or(NO_KEY, |keys| keys[band]);
            file.write_all(&key.to_le_bytes())
                .map_err(|e| PublishError::io("write a temporary file in", &self.dir, e))?;
        }
        self.documents += 1;
        Ok(())
    }

    pub(in crate::lock) fn flush(&mut self) -> Result<(), PublishError> {
        for file in &mut self.files {
            file.flush()
                .map_err(|e| PublishError::io("write a temporary file in", &self.dir, e))?;
        }
        Ok(())
    }

    /// The keys of one band.
    pub(super) fn keys(&self, band: usize) -> Result<Vec<Option<u64>>, PublishError> {
        let mut bytes = vec![0; self.documents * 8];
        self.files[band]
            .get_ref()
            .read_exact_at(&mut bytes, 0)
            .map_err(|e| PublishError::io("read a temporary file in", &self.dir, e))?;
        let keys = bytes.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b));
        Ok(keys.map(|key| (key != NO_KEY).then_some(key)).collect())
    }
}
