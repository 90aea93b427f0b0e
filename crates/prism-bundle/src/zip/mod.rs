//! The archive format, read as strictly as it can be.
//!
//! A `.zip` names every file three times (in the directory at its end, before the data, and sometimes after it), and
//! readers differ in which they believe. This one believes none: all must agree, and the entries, the directory and
//! the end record must cover the archive from its first byte to its last without a gap or an overlap. What ordinary
//! archivers write passes; what needs more (zip64, encryption, several disks, comments) is refused by name.
//!
//! `record` decodes fixed layouts, `read` holds the checks, `inflate` unpacks one entry, `write` is the opposite
//! direction. `bundle` calls [`read`] and [`write`]; nothing here touches a file.

mod inflate;
mod read;
mod record;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

use prism_core::advice::{Advice, Hint};

use crate::limits::{ARCHIVE_BYTES_MAX, ARCHIVE_ENTRIES_MAX, COMPRESSION_RATIO_MAX};
use crate::shown::Shown;

/// Why an archive was refused. Offsets count bytes from the archive's beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "what an error says describes it; `name` is the entry that is wrong, in every variant"
)]
pub enum ArchiveError {
    #[error("the archive has {bytes} bytes; at most {ARCHIVE_BYTES_MAX} are allowed")]
    TooLarge { bytes: u64 },
    #[error("this is not a .zip archive, or its end is cut off")]
    NotAZip,
    #[error("the archive is cut off: {what} at offset {offset_bytes} is incomplete")]
    Truncated { what: &'static str, offset_bytes: u64 },
    #[error("the archive is damaged: there is no {what} at offset {offset_bytes}")]
    BadSignature { what: &'static str, offset_bytes: u64 },
    #[error("{bytes} bytes follow the archive's end")]
    TrailingData { bytes: u64 },
    #[error("{bytes} bytes stand before the archive's first entry")]
    PrependedData { bytes: u64 },
    #[error("{bytes} bytes at offset {offset_bytes} of the archive belong to no entry")]
    UnclaimedBytes { offset_bytes: u64, bytes: u64 },
    #[error("the archive has a comment of {bytes} bytes")]
    Comment { bytes: u64 },
    #[error("the archive is split over several files")]
    SeveralDisks,
    /// The large-file extension, which no bundle needs, or a field that claims it.
    #[error("the archive uses zip64, which a bundle never needs")]
    Zip64,
    #[error("the archive has {count} entries; at most {ARCHIVE_ENTRIES_MAX} are allowed")]
    TooManyEntries { count: usize },
    #[error("the archive claims {claimed} entries but lists {found}")]
    EntryCount { claimed: usize, found: usize },
    /// Two entries share bytes.
    #[error("the entry `{name}` overlaps what stands before it in the archive")]
    Overlap { name: Shown },
    #[error("the entry `{name}` is encrypted")]
    Encrypted { name: Shown },
    #[error("the entry `{name}` uses compression method {method}; only stored and deflate are allowed")]
    Method { name: Shown, method: u16 },
    #[error("the entry `{name}` sets flags {flags:#06x} that are not allowed")]
    Flags { name: Shown, flags: u16 },
    #[error("the extra field of the entry `{name}` is malformed")]
    Extra { name: Shown },
    #[error("an extra field of the entry `{name}` names it once more")]
    ExtraName { name: Shown },
    #[error("the entry `{name}` is a symbolic link")]
    Symlink { name: Shown },
    #[error("the entry `{name}` is a special file; only ordinary files are allowed")]
    SpecialFile { name: Shown },
    #[error("the entry `{name}` is half a file and half a directory")]
    DirectoryMismatch { name: Shown },
    #[error("the two headers of the entry `{name}` disagree about its {field}")]
    HeaderMismatch { name: Shown, field: &'static str },
    #[error("the data descriptor of the entry `{name}` is missing or wrong")]
    Descriptor { name: Shown },
    #[error(
        "the entry `{name}` unpacks from {compressed_bytes} to {bytes} bytes, more than {COMPRESSION_RATIO_MAX} to one"
    )]
    CompressionRatio {
        name: Shown,
        compressed_bytes: u64,
        bytes: u64,
    },
    #[error("the data of the entry `{name}` is damaged")]
    DamagedData { name: Shown },
    #[error("the entry `{name}` does not unpack to the {bytes} bytes that it claims")]
    SizeMismatch { name: Shown, bytes: u64 },
    #[error("the checksum of the entry `{name}` is wrong")]
    WrongCrc { name: Shown },
}

impl Advice for ArchiveError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotAZip
            | Self::Truncated { .. }
            | Self::BadSignature { .. }
            | Self::UnclaimedBytes { .. }
            | Self::EntryCount { .. } => "make it again".into(),
            Self::TrailingData { .. } | Self::PrependedData { .. } => "remove them".into(),
            Self::Comment { .. } => "make it without one".into(),
            Self::SeveralDisks => "make it in one piece".into(),
            Self::Zip64 => "make it without".into(),
            Self::Encrypted { .. } => "make the archive without a password".into(),
            Self::Flags { .. }
            | Self::Extra { .. }
            | Self::DirectoryMismatch { .. }
            | Self::HeaderMismatch { .. }
            | Self::Descriptor { .. }
            | Self::DamagedData { .. }
            | Self::SizeMismatch { .. }
            | Self::WrongCrc { .. } => "make the archive again".into(),
            Self::ExtraName { .. } => "use plain ASCII names".into(),
            Self::Symlink { .. } => "put the file itself into the archive".into(),
            Self::CompressionRatio { .. } => "store it without compression".into(),
            _ => return None,
        })
    }
}
