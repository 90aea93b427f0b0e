//! Fingerprints as bytes, so that a service can keep them: one form, every bound checked before memory is taken.
//!
//! ```text
//! "PRFP"  format u16  method u64  bundle hash [u8; 32]  files u16  marks u32
//! files x { length u16, UTF-8 }          marks x { hash u64, file u16, part u16, first line u32, last line u32 }
//! ```
//!
//! All numbers are little-endian. Hashes ascend strictly. Nothing may follow. The method stands for the normalisation and
//! the building blocks: bytes of another method are refused, because comparing across methods would find nothing.

use prism_bundle::BundlePath;
use prism_bundle::limits::FILES_MAX;
use prism_core::hash::Sha256Hash;

use super::SimilarityError;
use super::fingerprints::{FINGERPRINTS_MAX, Fingerprints, Mark};
use super::standard::standard;
use crate::check::on_a_large_stack;

const MAGIC: [u8; 4] = *b"PRFP";
const FORMAT: u16 = 2;
const MARK_BYTES: usize = 20;
/// A Python file of the greatest size holds no more lines.
const LINE_MAX: u32 = (1 << 18) + 1;

/// Why bytes are not fingerprints.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BytesError {
    /// They begin with something else.
    #[error("these are not fingerprints: the first bytes are not `PRFP`")]
    Magic,
    /// A format that this version does not know.
    #[error(
        "fingerprints of format {found}, but this version reads {FORMAT}: make them again from the bundle"
    )]
    Format {
        /// What they say.
        found: u16,
    },
    /// They were made with other rules or other building blocks.
    #[error(
        "fingerprints of another method ({found:016x}, here {ours:016x}): make them again from the bundle"
    )]
    Method {
        /// What they say.
        found: u64,
        /// What this version makes.
        ours: u64,
    },
    /// They end too early.
    #[error("fingerprints end too early: {needed} more bytes are due at byte {at}")]
    Truncated {
        /// Where.
        at: usize,
        /// How many are missing.
        needed: usize,
    },
    /// Bytes are left over.
    #[error("{left} bytes follow the fingerprints")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// A number is over its limit.
    #[error("fingerprints with {found} {what}, but {most} is the most")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// What they say.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A path that no bundle can hold.
    #[error("the path of file {file} of the fingerprints cannot stand in a bundle")]
    Path {
        /// Which.
        file: usize,
    },
    /// A fingerprint that points nowhere, or stands out of order.
    #[error("fingerprint {mark} is out of order or points nowhere")]
    Mark {
        /// Which.
        mark: usize,
    },
}

impl Fingerprints {
    /// The stored form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SimilarityError> {
        let method = on_a_large_stack(|| standard().method)?;
        let mut bytes = Vec::with_capacity(64 + self.marks.len() * MARK_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(method.to_le_bytes());
        bytes.extend(self.hash.0);
        // Both counts were bounded when the fingerprints were made.
        bytes.extend(u16::try_from(self.files.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend(u32::try_from(self.marks.len()).unwrap_or(u32::MAX).to_le_bytes());
        for file in &self.files {
            bytes.extend(u16::try_from(file.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(file.as_bytes());
        }
        for mark in &self.marks {
            bytes.extend(mark.hash.to_le_bytes());
            bytes.extend(mark.file.to_le_bytes());
            bytes.extend(mark.part.to_le_bytes());
            bytes.extend(mark.first_line.to_le_bytes());
            bytes.extend(mark.last_line.to_le_bytes());
        }
        Ok(bytes)
    }

    /// Reads the stored form; what does not have exactly that form is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SimilarityError> {
        let ours = on_a_large_stack(|| standard().method)?;
        Ok(read(bytes, ours)?)
    }
}

fn read(bytes: &[u8], ours: u64) -> Result<Fingerprints, BytesError> {
    let mut input = Input { bytes, at: 0 };
    if input.take::<4>()? != MAGIC {
        return Err(BytesError::Magic);
    }
    let format = u16::from_le_bytes(input.take()?);
    if format != FORMAT {
        return Err(BytesError::Format { found: format });
    }
    let method = u64::from_le_bytes(input.take()?);
    if method != ours {
        return Err(BytesError::Method { found: method, ours });
    }
    let hash = Sha256Hash(input.take()?);
    let files = bounded("files", u16::from_le_bytes(input.take()?).into(), FILES_MAX)?;
    let marks = u32::from_le_bytes(input.take()?) as usize;
    let marks = bounded("fingerprints", marks, FINGERPRINTS_MAX)?;
    let mut paths = Vec::with_capacity(files);
    for file in 0..files {
        let length = u16::from_le_bytes(input.take()?);
        let text = std::str::from_utf8(input.slice(length.into())?).map_err(|_| BytesError::Path { file })?;
        BundlePath::parse(text).map_err(|_| BytesError::Path { file })?;
        paths.push(text.to_owned());
    }
    // Checked before memory is taken for them.
    let due = marks * MARK_BYTES;
    let left = bytes.len() - input.at;
    if left < due {
        return Err(BytesError::Truncated {
            at: input.at,
            needed: due - left,
        });
    }
    let mut read: Vec<Mark> = Vec::with_capacity(marks);
    for number in 0..marks {
        let mark = Mark {
            hash: u64::from_le_bytes(input.take()?),
            file: u16::from_le_bytes(input.take()?),
            part: u16::from_le_bytes(input.take()?),
            first_line: u32::from_le_bytes(input.take()?),
            last_line: u32::from_le_bytes(input.take()?),
        };
        let ascends = read.last().is_none_or(|last| last.hash < mark.hash);
        let is_a_place = usize::from(mark.file) < files
            && 1 <= mark.first_line
            && mark.first_line <= mark.last_line
            && mark.last_line <= LINE_MAX;
        if !ascends || !is_a_place {
            return Err(BytesError::Mark { mark: number });
        }
        read.push(mark);
    }
    match bytes.len() - input.at {
        0 => Ok(Fingerprints {
            hash,
            files: paths,
            marks: read,
        }),
        left => Err(BytesError::Trailing { left }),
    }
}

fn bounded(what: &'static str, found: usize, most: usize) -> Result<usize, BytesError> {
    if found > most {
        Err(BytesError::TooMany { what, found, most })
    } else {
        Ok(found)
    }
}

struct Input<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Input<'b> {
    fn slice(&mut self, length: usize) -> Result<&'b [u8], BytesError> {
        let left = self.bytes.len() - self.at;
        if left < length {
            return Err(BytesError::Truncated {
                at: self.at,
                needed: length - left,
            });
        }
        let slice = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BytesError> {
        let slice = self.slice(N)?;
        let mut array = [0; N];
        array.copy_from_slice(slice);
        Ok(array)
    }
}
