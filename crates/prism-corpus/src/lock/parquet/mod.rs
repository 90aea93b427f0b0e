//! Reads `.parquet` files: one column of text, and those that filters ask for.
//!
//! The lock calls it for each file. The format is the `parquet` crate's to know; this module keeps it within bounds. A
//! file is somebody else's bytes: its lengths and counts are held against the file before anything is allocated, and a
//! panic of the library is an error that names file and row group. Memory holds the footer, one dictionary and two pages
//! of a column; the text may be at most [`EXPANSION_MAX`] times as long as its file, so a file that repeats itself cannot
//! fill the disk.

mod columns;
mod footer;
mod pages;
mod problem;
mod source;
mod unpack;

use std::fs::File;
use std::path::Path;

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use prism_core::io_error::IoError;

use super::record::{Record, Scores, Sink, Text, Wanted};
use super::{FieldProblem, LockError, Place};
use crate::limits::{INPUT_FILE_BYTES_MAX, RECORD_BYTES_MAX};
use columns::{NumberColumn, TextColumn, guarded};

pub use problem::Problem;
use problem::{Stop, short};
use source::Source;

const MAGIC: &[u8; 4] = b"PAR1";
/// The magic number of files whose footer is encrypted.
const MAGIC_ENCRYPTED: &[u8; 4] = b"PARE";

/// Longest footer.
const FOOTER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest page, packed and unpacked.
const PAGE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Longest header of a page.
const HEADER_BYTES_MAX: u64 = 1024 * 1024;
/// Most values of a page: their lengths alone may take 8 bytes each.
const PAGE_VALUES_MAX: u32 = 16 * 1024 * 1024;
/// Most row groups of a file.
const ROW_GROUPS_MAX: u64 = 100_000;
/// Most elements of a schema, and its deepest nesting.
const SCHEMA_ELEMENTS_MAX: u64 = 10_000;
const SCHEMA_DEPTH_MAX: usize = 64;
/// How many times as long as its file a text may be, beyond [`EXPANSION_FREE_BYTES`].
const EXPANSION_MAX: u64 = 1000;
const EXPANSION_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// What a row counts for beside its text, or rows without any could be claimed without end.
const ROW_BYTES: u64 = 32;

/// Hands over one record for each row; one without text for null, where that is passed over.
pub(super) fn read(path: &Path, wanted: &Wanted<'_>, sink: &mut Sink<'_>) -> Result<(), LockError> {
    let failed = |source| LockError::from(IoError::new("read", path, source));
    let file = File::open(path).map_err(failed)?;
    let length_bytes = file.metadata().map_err(failed)?.len();
    let source = Source::new(file, length_bytes);
    let stopped = |stop, row_group| match stop {
        Stop::Io(source) => failed(source),
        Stop::Problem(problem) => LockError::Parquet {
            path: path.to_owned(),
            row_group,
            problem: Box::new(problem),
        },
    };
    let (metadata, places) = metadata(&source, length_bytes)
        .and_then(|metadata| {
            let places = Places::find(&metadata, wanted)?;
            Ok((metadata, places))
        })
        .map_err(|stop| stopped(stop, None))?;
    let mut reader = Reader {
        path,
        wanted,
        length_bytes,
        rows: 0,
        text_bytes: 0,
    };
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let stopped = |stop| stopped(stop, Some(number));
        let mut open = guarded(|| Group::open(&source, group, &places)).map_err(stopped)?;
        loop {
            let rows = open.read().map_err(stopped)?;
            if rows == 0 {
                break;
            }
            for (text, scores) in open.rows(rows) {
                let record = reader.record(text, scores)?;
                if reader.is_out_of_proportion() {
                    return Err(stopped(Problem::Expansion.into()));
                }
                sink(record, source.position_bytes())?;
            }
        }
        if !open.is_whole(group) {
            let problem = Problem::damaged("a column has another number of rows than its row group");
            return Err(stopped(problem.into()));
        }
    }
    Ok(())
}

/// Bytes of the text of a file, unpacked, as its footer tells: a little more or less than there are.
pub(crate) fn text_bytes(path: &Path, text_field: &str) -> Result<u64, LockError> {
    let failed = |source| LockError::from(IoError::new("read", path, source));
    let file = File::open(path).map_err(failed)?;
    let length_bytes = file.metadata().map_err(failed)?.len();
    let wanted = Wanted {
        text_field,
        skip_empty: true,
        language_score: false,
        int_score: false,
    };
    let source = Source::new(file, length_bytes);
    let sum = metadata(&source, length_bytes).and_then(|metadata| {
        let places = Places::find(&metadata, &wanted)?;
        let sizes = metadata.row_groups().iter().map(|group| {
            let size = group.column(places.text).uncompressed_size();
            u64::try_from(size).unwrap_or(0)
        });
        Ok(sizes.fold(0, u64::saturating_add))
    });
    sum.map_err(|stop| match stop {
        Stop::Io(source) => failed(source),
        Stop::Problem(problem) => LockError::Parquet {
            path: path.to_owned(),
            row_group: None,
            problem: Box::new(problem),
        },
    })
}

/// The footer, bounded and parsed.
fn metadata(source: &Source, length_bytes: u64) -> Result<ParquetMetaData, Stop> {
    if length_bytes > INPUT_FILE_BYTES_MAX {
        return Err(Problem::FileTooLong.into());
    }
    let Some(end) = length_bytes.checked_sub(8).filter(|end| *end >= 4) else {
        return Err(Problem::NotParquet.into());
    };
    let bytes = |offset, length| source.bytes(offset, length).map_err(Stop::Io);
    let (start, tail) = (bytes(0, 4)?, bytes(end, 8)?);
    if tail[4..] == MAGIC_ENCRYPTED[..] {
        return Err(Problem::Unsupported("encryption".to_owned()).into());
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
    let footer = bytes(start, usize::try_from(length).unwrap_or(usize::MAX))?;
    footer::check(&footer)?;
    guarded(|| ParquetMetaDataReader::decode_metadata(&footer))
}

/// Where the columns are that are read.
struct Places {
    text: usize,
    language_score: Option<usize>,
    int_score: Option<usize>,
}

impl Places {
    fn find(metadata: &ParquetMetaData, wanted: &Wanted<'_>) -> Result<Self, Problem> {
        let schema = metadata.file_metadata().schema_descr();
        let text = columns::find(schema, wanted.text_field).ok_or_else(|| Problem::NoColumn {
            column: short(wanted.text_field),
            there: columns::all(schema),
        })?;
        columns::check_text(schema, text)?;
        let score = |is_wanted: bool, name: &str| {
            if !is_wanted {
                return Ok(None);
            }
            let place = columns::find(schema, name).ok_or_else(|| Problem::NoScore {
                column: name.to_owned(),
                there: columns::all(schema),
            })?;
            columns::check_number(schema, place)?;
            Ok(Some(place))
        };
        Ok(Self {
            text,
            language_score: score(wanted.language_score, super::record::LANGUAGE_SCORE)?,
            int_score: score(wanted.int_score, super::record::INT_SCORE)?,
        })
    }
}

/// The columns of one row group, read in step.
struct Group {
    text: TextColumn,
    language_score: Option<NumberColumn>,
    int_score: Option<NumberColumn>,
    /// Numbers of the rows that were read last.
    scores: Vec<Scores>,
    rows: u64,
}

impl Group {
    fn open(source: &Source, group: &RowGroupMetaData, places: &Places) -> parquet::errors::Result<Self> {
        let number = |place: Option<usize>| {
            place
                .map(|place| NumberColumn::open(source, group, place))
                .transpose()
        };
        Ok(Self {
            text: TextColumn::open(source, group, places.text)?,
            language_score: number(places.language_score)?,
            int_score: number(places.int_score)?,
            scores: Vec::new(),
            rows: 0,
        })
    }

    /// Reads the next rows of all columns; none at the end of the row group.
    fn read(&mut self) -> Result<usize, Stop> {
        guarded(|| {
            let rows = self.text.read()?;
            self.scores.clear();
            self.scores.resize(rows, Scores::default());
            if let Some(column) = &mut self.language_score {
                for (scores, value) in self.scores.iter_mut().zip(column.read(rows)?) {
                    scores.language = value;
                }
            }
            if let Some(column) = &mut self.int_score {
                for (scores, value) in self.scores.iter_mut().zip(column.read(rows)?) {
                    scores.int = value;
                }
            }
            self.rows += rows as u64;
            Ok(rows)
        })
    }

    fn rows(&self, rows: usize) -> impl Iterator<Item = (Option<&[u8]>, Scores)> {
        self.text.rows(rows).zip(self.scores.iter().copied())
    }

    fn is_whole(&self, group: &RowGroupMetaData) -> bool {
        u64::try_from(group.num_rows()) == Ok(self.rows)
    }
}

/// What is counted over a whole file.
struct Reader<'p> {
    path: &'p Path,
    wanted: &'p Wanted<'p>,
    length_bytes: u64,
    /// Rows read so far.
    rows: u64,
    /// Bytes of text handed over so far, and [`ROW_BYTES`] for each row.
    text_bytes: u64,
}

impl Reader<'_> {
    fn record<'t>(&mut self, value: Option<&'t [u8]>, scores: Scores) -> Result<Record<'t>, LockError> {
        self.rows += 1;
        let at = Place::Row(self.rows);
        let length_bytes = value.map_or(0, <[u8]>::len);
        if length_bytes > RECORD_BYTES_MAX {
            let path = self.path.to_owned();
            return Err(LockError::RecordTooLong { path, at });
        }
        self.text_bytes += length_bytes as u64 + ROW_BYTES;
        let text = match value.map(std::str::from_utf8) {
            Some(Ok(text)) => Text::Is(text),
            Some(Err(_)) => Text::NotUtf8,
            None if self.wanted.skip_empty => Text::Null,
            None => {
                return Err(LockError::Field {
                    path: self.path.to_owned(),
                    at,
                    field: self.wanted.text_field.to_owned(),
                    problem: FieldProblem::Null,
                });
            }
        };
        Ok(Record { text, scores })
    }

    fn is_out_of_proportion(&self) -> bool {
        self.text_bytes > EXPANSION_FREE_BYTES + self.length_bytes.saturating_mul(EXPANSION_MAX)
    }
}

#[cfg(test)]
mod tests;
