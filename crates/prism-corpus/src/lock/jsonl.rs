//! Reads `.jsonl` files: one JSON object a line, the text in one field. They may be packed with gzip or zstd.
//!
//! The lock calls it for each file. Lines are bounded before they are parsed, and so is all text of a packed file; other
//! fields are skipped, not kept. Of what JSON does not know, `NaN` and `Infinity` are passed over in those other fields,
//! since common writers put them there; nothing else is.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::fields::{self, Found, Value};
use super::packed::{PackedProblem, Packing, Unpacked};
use super::record::{Record, Scores, Sink, Text, Wanted};
use super::spelling;
use super::{FieldProblem, JsonProblem, LockError, Place};
use crate::limits::RECORD_BYTES_MAX;
use crate::normal::BYTE_ORDER_MARK;

/// What a line counts for beside its text, or a packed file could hold blank lines without end.
const LINE_BYTES: u64 = 32;

/// What UTF-16 begins with, in either order of its bytes. In UTF-8 neither byte ever stands anywhere.
const UTF16_MARKS: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// Hands over one document for each line that is not blank; nothing for null, where that is passed over.
pub(super) fn read(
    path: &Path,
    packing: Packing,
    wanted: &Wanted<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), LockError> {
    let mut file = BufReader::with_capacity(256 * 1024, Unpacked::open(path, packing)?);
    let mut bytes = Vec::new();
    let mut text_bytes = 0;
    for line in 1.. {
        bytes.clear();
        let limit = RECORD_BYTES_MAX as u64 + 1;
        let read = (&mut file).take(limit).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| file.get_ref().failed(path, line - 1, source))?;
        if read == 0 {
            break;
        }
        let at = Place::Line(line);
        if read > RECORD_BYTES_MAX {
            return Err(LockError::RecordTooLong {
                path: path.to_owned(),
                at,
            });
        }
        text_bytes += read as u64 + LINE_BYTES;
        if !file.get_ref().may_hold(text_bytes) {
            return Err(LockError::Packed {
                path: path.to_owned(),
                lines: line,
                problem: PackedProblem::Expansion,
            });
        }
        if line == 1 && UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
            return Err(LockError::Utf16 {
                path: path.to_owned(),
            });
        }
        let position_bytes = file.get_ref().position_bytes();
        let without = |text| Record {
            text,
            scores: Scores::default(),
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            sink(without(Text::NotUtf8), position_bytes)?;
            continue;
        };
        let text = text.trim_end_matches(['\n', '\r']);
        // Some tools put a byte order mark before the first line.
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        if text.trim().is_empty() {
            continue;
        }
        match found(text, wanted) {
            Ok(Found {
                text: Value::Text(document),
                scores,
            }) => {
                let text = Text::Is(&document);
                sink(Record { text, scores }, position_bytes)?;
            }
            Ok(Found {
                text: Value::Null, ..
            }) if wanted.skip_empty => {
                sink(without(Text::Null), position_bytes)?;
            }
            Ok(other) => {
                return Err(LockError::Field {
                    path: path.to_owned(),
                    at,
                    field: wanted.text_field.to_owned(),
                    problem: problem_of(&other.text, text),
                });
            }
            Err(error) => return Err(refused(path, line, text, &error)),
        }
    }
    Ok(())
}

/// What a line holds in the fields that are wanted.
fn found<'a>(text: &'a str, wanted: &Wanted<'_>) -> Result<Found<'a>, serde_json::Error> {
    let error = match fields::values(text, wanted) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    // Each of them has become a number of the same length, so that places stay what they are.
    let Some(with_numbers) = spelling::with_numbers(text) else {
        return Err(error);
    };
    let Found { text, scores } = fields::values(&with_numbers, wanted)?;
    let text = match text {
        Value::Text(document) => Value::Text(Cow::Owned(document.into_owned())),
        Value::Null => Value::Null,
        Value::Number(number) => Value::Number(number),
        Value::Other(kind) => Value::Other(kind),
        Value::Twice => Value::Twice,
        Value::Missing => Value::Missing,
    };
    Ok(Found { text, scores })
}

fn problem_of(value: &Value<'_>, text: &str) -> FieldProblem {
    match value {
        Value::Null | Value::Text(_) => FieldProblem::Null,
        Value::Number(_) => FieldProblem::NoText("a number"),
        Value::Other(kind) => FieldProblem::NoText(kind),
        Value::Twice => FieldProblem::Twice,
        Value::Missing => FieldProblem::Missing(fields::names(text)),
    }
}

fn refused(path: &Path, line: u64, text: &str, error: &serde_json::Error) -> LockError {
    let end = error.column().saturating_sub(1).min(text.len());
    let surrogate = spelling::lone_surrogate_before(text, error.column());
    let at = match &surrogate {
        Some(found) => found.start,
        None => text.floor_char_boundary(end),
    };
    let problem = match surrogate {
        Some(found) => JsonProblem::LoneSurrogate(text[found].to_owned()),
        None if error.is_data() => JsonProblem::NoObject,
        None if error.is_eof() => JsonProblem::Unfinished,
        None if !text.trim_start().starts_with('{') => JsonProblem::Words,
        None if text[at..].starts_with('\'') => JsonProblem::SingleQuote,
        None => JsonProblem::Syntax(without_place(error)),
    };
    LockError::Json {
        path: path.to_owned(),
        line,
        column: text[..at].chars().count() as u64 + 1,
        problem,
    }
}

/// The parser's message without its own idea of where it is: it knows one line only.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or(text.clone(), str::to_owned)
}
