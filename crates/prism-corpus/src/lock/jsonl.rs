//! Reads `.jsonl` files: one JSON object a line, the text in one field.
//!
//! The lock calls it for each file. Lines are bounded before they are parsed; other fields are skipped, not kept.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{LockError, Sink};
use crate::limits::RECORD_BYTES_MAX;

/// Hands over one document for each line that is not blank.
pub(super) fn read(path: &Path, field: &str, sink: &mut Sink<'_>) -> Result<(), LockError> {
    let failed = |source| LockError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path).map_err(failed)?);
    let mut line = Vec::new();
    let mut position_bytes = 0;
    for record in 1.. {
        line.clear();
        let limit = RECORD_BYTES_MAX as u64 + 1;
        let read = (&mut file)
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if read == 0 {
            break;
        }
        if read > RECORD_BYTES_MAX {
            return Err(LockError::RecordTooLong {
                path: path.to_owned(),
                record,
            });
        }
        position_bytes += read as u64;
        let text = std::str::from_utf8(&line).map_err(|_| LockError::NotUtf8 {
            path: path.to_owned(),
            record,
        })?;
        // Some tools put a byte order mark before the first line.
        let text = if record == 1 {
            text.trim_start_matches('\u{feff}')
        } else {
            text
        };
        if text.trim().is_empty() {
            continue;
        }
        let document = match parse(text, field) {
            Ok(Field::Text(document)) => document,
            Ok(Field::Problem(problem)) => {
                let (path, field) = (path.to_owned(), field.to_owned());
                return Err(LockError::Field {
                    path,
                    record,
                    problem,
                    field,
                });
            }
            Err(source) => {
                return Err(LockError::Json {
                    path: path.to_owned(),
                    record,
                    source,
                });
            }
        };
        sink(&document, position_bytes)?;
    }
    Ok(())
}

fn parse<'a>(line: &'a str, field: &str) -> Result<Field<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let found = LineVisitor { field }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// What a line holds in the field.
enum Field<'a> {
    Text(Cow<'a, str>),
    Problem(&'static str),
}

struct LineVisitor<'f> {
    field: &'f str,
}

impl<'de> DeserializeSeed<'de> for LineVisitor<'_> {
    type Value = Field<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineVisitor<'_> {
    type Value = Field<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut found = Field::Problem("has no field");
        while let Some(Text(key)) = map.next_key()? {
            if key != self.field {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            found = match (found, map.next_value::<MaybeText<'de>>()?) {
                (Field::Problem("has no field"), MaybeText::Text(text)) => Field::Text(text),
                (Field::Problem("has no field"), MaybeText::Other(_)) => {
                    Field::Problem("has something else than text in the field")
                }
                _ => Field::Problem("has twice the field"),
            };
        }
        Ok(found)
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value of the field: a string, or anything else.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum MaybeText<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(IgnoredAny),
}
