//! Reads `.txt` files, as sections or whole.
//!
//! The lock calls it for each file. Sections joined are the file; memory holds some sections, or the file up to the
//! limit of a record.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use prism_core::io_error::IoError;

use super::record::{Record, Scores, Sink, Text};
use super::{LockError, Place, cut};
use crate::limits::RECORD_BYTES_MAX;

/// Bytes read at a time; several sections.
const READ_BYTES: u64 = 64 * 1024;

/// Hands over one document for each section of the file.
pub(super) fn read_sections(path: &Path, sink: &mut Sink<'_>) -> Result<(), LockError> {
    let failed = |source| LockError::from(IoError::new("read", path, source));
    let mut file = File::open(path).map_err(failed)?;
    let mut buffer = Vec::new();
    let (mut position_bytes, mut sections) = (0, 0);
    loop {
        let read = (&mut file)
            .take(READ_BYTES)
            .read_to_end(&mut buffer)
            .map_err(failed)?;
        let at_end = read == 0;
        let (text, is_broken) = longest_text(&buffer, at_end);
        let mut rest = text;
        // Before the end of the file a section is only cut where a longer text would be cut as well.
        while !rest.is_empty()
            && let Some(length) = cut::section_bytes(rest, at_end && !is_broken)
        {
            let (section, after) = rest.split_at(length);
            position_bytes += length as u64;
            sections += 1;
            sink(record(section), position_bytes)?;
            rest = after;
        }
        if is_broken {
            return Err(LockError::NotUtf8 {
                path: path.to_owned(),
                at: Place::Section(sections + 1),
            });
        }
        if at_end {
            return Ok(());
        }
        let used = text.len() - rest.len();
        buffer.drain(..used);
    }
}

/// The text at the start of the buffer, and whether it ends because something else than text follows; a character
/// that the end of the buffer cuts is still to come.
fn longest_text(buffer: &[u8], at_end: bool) -> (&str, bool) {
    match std::str::from_utf8(buffer) {
        Ok(text) => (text, false),
        Err(error) => {
            let text = std::str::from_utf8(&buffer[..error.valid_up_to()]).unwrap_or_default();
            (text, at_end || error.error_len().is_some())
        }
    }
}

/// Hands over the whole file as one document.
pub(super) fn read_whole(path: &Path, sink: &mut Sink<'_>) -> Result<(), LockError> {
    let failed = |source| LockError::from(IoError::new("read", path, source));
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(RECORD_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(LockError::RecordTooLong {
            path: path.to_owned(),
            at: Place::Whole,
        });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| LockError::NotUtf8 {
        path: path.to_owned(),
        at: Place::Whole,
    })?;
    sink(record(text), bytes.len() as u64)
}

fn record(text: &str) -> Record<'_> {
    Record {
        text: Text::Is(text),
        scores: Scores::default(),
    }
}
