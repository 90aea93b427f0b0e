//! The file as the Parquet library sees it: bounded reads, and how far it has come.
//!
//! The library asks for bytes by offsets and lengths that the file claims. What is too long, or lies outside of the file,
//! is refused here before anything is allocated.

use std::fs::File;
use std::io::{BufReader, Read, Take};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::problem::Problem;
use super::{HEADER_BYTES_MAX, PAGE_BYTES_MAX};

/// Bytes that are read at a time where the length is not known: the header of a page.
const BUFFER_BYTES: usize = 4 * 1024;

/// An open file.
#[derive(Clone)]
pub(super) struct Source {
    file: Arc<File>,
    length_bytes: u64,
    /// End of what was read last of a page.
    position_bytes: Arc<AtomicU64>,
}

impl Source {
    pub(super) fn new(file: File, length_bytes: u64) -> Self {
        Self {
            file: Arc::new(file),
            length_bytes,
            position_bytes: Arc::default(),
        }
    }

    /// How far the file was read, at least.
    pub(super) fn position_bytes(&self) -> u64 {
        self.position_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the file that are known to be there and of a bounded length.
    pub(super) fn bytes(&self, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length_bytes
    }
}

impl ChunkReader for Source {
    type T = BufReader<Take<At>>;

    /// Only headers of pages are read like this.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let at = At {
            file: Arc::clone(&self.file),
            offset: start,
        };
        Ok(BufReader::with_capacity(BUFFER_BYTES, at.take(HEADER_BYTES_MAX)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if length > PAGE_BYTES_MAX {
            return Err(Problem::PageTooLong.wrapped());
        }
        let end = start
            .checked_add(length as u64)
            .filter(|end| *end <= self.length_bytes)
            .ok_or_else(|| Problem::damaged("a page lies outside of the file").wrapped())?;
        let bytes = self
            .bytes(start, length)
            .map_err(|error| ParquetError::External(Box::new(error)))?;
        self.position_bytes.fetch_max(end, Ordering::Relaxed);
        Ok(bytes.into())
    }
}

/// A reader from some offset on that moves no other reader.
pub(super) struct At {
    file: Arc<File>,
    offset: u64,
}

impl Read for At {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(out, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
