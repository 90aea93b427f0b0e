//! Reads `.parquet` files: one flat column of text.
//!
//! The lock calls it for each file. It knows the part of the format that a column of text needs, on purpose: what
//! it does not know (nested columns, delta encodings, other codecs, encryption) is an error that says so. Memory
//! holds the footer, one dictionary and one page, each bounded before it is read; the text may be at most
//! [`EXPANSION_MAX`] times as long as its file, so a file that repeats itself cannot fill the disk.

mod footer;
mod page;
mod thrift;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{FieldProblem, LockError, Place, Sink};
use crate::limits::RECORD_BYTES_MAX;
use footer::{Chunk, TextColumn};
use page::{Dictionary, PageHeader, PageKind};
use thrift::Cursor;

const MAGIC: &[u8; 4] = b"PAR1";
/// The magic number of files whose footer is encrypted.
const MAGIC_ENCRYPTED: &[u8; 4] = b"PARE";

/// Longest footer.
const FOOTER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest page, before and after decompression.
pub(super) const PAGE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes that are read for a page header, and those that are read if it turns out to be longer.
const HEADER_BYTES: usize = 8 * 1024;
const HEADER_BYTES_MAX: usize = 1024 * 1024;
/// How many times as long as its file a text may be, beyond [`EXPANSION_FREE_BYTES`].
const EXPANSION_MAX: u64 = 1000;
const EXPANSION_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// What a row counts for beside its text, or rows without any could be claimed without end.
const ROW_BYTES: u64 = 32;

/// Why a Parquet file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It has not the marks of a Parquet file.
    #[error("it is no Parquet file, or only a part of one")]
    NotParquet,
    /// It contradicts itself or the format.
    #[error("it is damaged: {0}")]
    Malformed(&'static str),
    /// It uses a part of the format that is not supported.
    #[error("it uses {0}, which is not supported; write it again with the usual settings, or as `.jsonl`")]
    Unsupported(&'static str),
    /// It has no column of the name.
    #[error("it has no column `{column}`; name the column that holds the text with `--text-field`")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// The column is no column of text.
    #[error(
        "its column `{column}` is not one of strings; name the column that holds the text with `--text-field`"
    )]
    NotText {
        /// The column.
        column: String,
    },
    /// A page is too long to be held.
    #[error("it has a page of more than {PAGE_BYTES_MAX} bytes; write it again with smaller pages")]
    PageTooLong,
    /// The footer is too long to be held.
    #[error("it has a footer of more than {FOOTER_BYTES_MAX} bytes; write it again with larger row groups")]
    FooterTooLong,
    /// The text is out of all proportion to the file.
    #[error("its text is more than {EXPANSION_MAX} times as long as the file; such repetition is no corpus")]
    Expansion,
}

/// The codecs that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Snappy,
    Zstd,
}

/// What ends the reading of a page.
pub(super) enum Stop {
    Problem(Problem),
    Lock(LockError),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Hands over one document for each row; nothing for null, where that is passed over.
pub(super) fn read(
    path: &Path,
    column: &str,
    skip_empty: bool,
    sink: &mut Sink<'_>,
) -> Result<(), LockError> {
    let file = File::open(path).map_err(|source| failed(path, source))?;
    let length_bytes = file.metadata().map_err(|source| failed(path, source))?.len();
    let mut reader = Reader {
        path,
        file,
        length_bytes,
        skip_empty,
        record: 0,
        text_bytes: 0,
    };
    reader.read(column, sink).map_err(|stop| match stop {
        Stop::Problem(problem) => LockError::Parquet {
            path: path.to_owned(),
            problem,
        },
        Stop::Lock(error) => error,
    })
}

fn failed(path: &Path, source: std::io::Error) -> LockError {
    LockError::Io {
        path: path.to_owned(),
        source,
    }
}

struct Reader<'p> {
    path: &'p Path,
    file: File,
    length_bytes: u64,
    skip_empty: bool,
    /// Rows read so far.
    record: u64,
    /// Bytes of text handed over so far, and [`ROW_BYTES`] for each row.
    text_bytes: u64,
}

impl Reader<'_> {
    fn read(&mut self, column: &str, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let TextColumn { is_optional, chunks } = footer::parse(&self.footer()?, column)?;
        for chunk in &chunks {
            self.chunk(chunk, is_optional, column, sink)?;
        }
        Ok(())
    }

    /// The bytes of the footer; they lie before its length and the closing magic number.
    fn footer(&self) -> Result<Vec<u8>, Stop> {
        let Some(end) = self.length_bytes.checked_sub(8).filter(|end| *end >= 4) else {
            return Err(Problem::NotParquet.into());
        };
        let (start, tail) = (self.bytes(0, 4)?, self.bytes(end, 8)?);
        if tail[4..] == MAGIC_ENCRYPTED[..] {
            return Err(Problem::Unsupported("encryption").into());
        }
        if start != MAGIC || tail[4..] != MAGIC[..] {
            return Err(Problem::NotParquet.into());
        }
        let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        if length > FOOTER_BYTES_MAX {
            return Err(Problem::FooterTooLong.into());
        }
        let start = end
            .checked_sub(length)
            .filter(|start| *start >= 4)
            .ok_or(Problem::NotParquet)?;
        self.bytes(start, usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Bytes of the file that are known to be there and of a bounded length.
    fn bytes(&self, offset: u64, length: usize) -> Result<Vec<u8>, Stop> {
        let mut bytes = vec![0; length];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|source| Stop::Lock(failed(self.path, source)))?;
        Ok(bytes)
    }

    fn chunk(
        &mut self,
        chunk: &Chunk,
        is_optional: bool,
        column: &str,
        sink: &mut Sink<'_>,
    ) -> Result<(), Stop> {
        let end = chunk
            .offset
            .checked_add(chunk.length_bytes)
            .filter(|end| *end <= self.length_bytes);
        let end = end.ok_or(Problem::Malformed("a column lies outside of the file"))?;
        let (mut position, mut rows) = (chunk.offset, 0u64);
        let mut dictionary = Dictionary::default();
        while position < end && rows < chunk.rows {
            let (header, header_bytes) = self.page_header(position, end)?;
            let start = position + header_bytes;
            position = start.saturating_add(header.compressed_bytes as u64);
            if position > end {
                return Err(Problem::Malformed("a page lies outside of its column").into());
            }
            if header.kind == PageKind::Index {
                continue;
            }
            let body = self.bytes(start, header.compressed_bytes)?;
            if let PageKind::Dictionary { .. } = header.kind {
                dictionary = Dictionary::read(&header, &body, chunk.codec)?;
                continue;
            }
            let left = chunk.rows - rows;
            let mut visit = |value: Option<&[u8]>| self.row(value, position, column, sink);
            rows += page::read_data(
                &header,
                &body,
                chunk.codec,
                is_optional,
                left,
                &dictionary,
                &mut visit,
            )?;
        }
        if rows == chunk.rows {
            Ok(())
        } else {
            Err(Problem::Malformed("a column has another number of rows than announced").into())
        }
    }

    fn page_header(&self, offset: u64, end: u64) -> Result<(PageHeader, u64), Stop> {
        let available = usize::try_from(end - offset).unwrap_or(usize::MAX);
        for limit in [HEADER_BYTES, HEADER_BYTES_MAX] {
            let bytes = self.bytes(offset, available.min(limit))?;
            let mut cursor = Cursor::new(&bytes);
            match PageHeader::parse(&mut cursor) {
                Ok(header) => return Ok((header, cursor.position() as u64)),
                Err(problem) if problem == thrift::TRUNCATED && available > limit => {}
                Err(problem) => return Err(problem.into()),
            }
        }
        Err(thrift::TRUNCATED.into())
    }

    fn row(
        &mut self,
        value: Option<&[u8]>,
        position: u64,
        column: &str,
        sink: &mut Sink<'_>,
    ) -> Result<(), Stop> {
        self.record += 1;
        let (path, at) = (self.path.to_owned(), Place::Row(self.record));
        if value.is_none() && !self.skip_empty {
            return Err(Stop::Lock(LockError::Field {
                path,
                at,
                field: column.to_owned(),
                problem: FieldProblem::Null,
            }));
        }
        let length_bytes = value.map_or(0, <[u8]>::len);
        if length_bytes > RECORD_BYTES_MAX {
            return Err(Stop::Lock(LockError::RecordTooLong { path, at }));
        }
        self.text_bytes += length_bytes as u64 + ROW_BYTES;
        if self.text_bytes > EXPANSION_FREE_BYTES + self.length_bytes.saturating_mul(EXPANSION_MAX) {
            return Err(Problem::Expansion.into());
        }
        match value.map(std::str::from_utf8).transpose() {
            Ok(text) => sink(text, position).map_err(Stop::Lock),
            Err(_) => Err(Stop::Lock(LockError::NotUtf8 { path, at })),
        }
    }
}

#[cfg(test)]
mod tests;
