//! An archive to its files, after every check that the format allows.
//!
//! The order matters: the end record, the directory, the names and the declared sizes of all entries are checked
//! before a byte is unpacked, and the sizes bound every allocation. `bundle` calls [`read`] and then checks the
//! contents.

use super::ArchiveError;
use super::inflate::inflate;
use super::record::{
    Central, Cursor, DESCRIPTOR_SIGNATURE, Described, END_BYTES, End, ZIP64_LOCATOR_BYTES,
    ZIP64_LOCATOR_SIGNATURE, decode_local,
};
use crate::bundle::{check_count, check_total};
use crate::content;
use crate::error::BundleError;
use crate::limits::{ARCHIVE_BYTES_MAX, ARCHIVE_ENTRIES_MAX, COMPRESSION_RATIO_MAX};
use crate::path::{self, BundlePath};
use crate::shown::Shown;

const FLAG_ENCRYPTED: u16 = 1;
/// How hard the compressor tried; means nothing to a reader.
const FLAGS_DEFLATE_EFFORT: u16 = 0b110;
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_STRONG_ENCRYPTION: u16 = 1 << 6;
const FLAG_UTF8_NAME: u16 = 1 << 11;
const FLAG_MASKED_HEADERS: u16 = 1 << 13;
const FLAGS_ALLOWED: u16 = FLAGS_DEFLATE_EFFORT | FLAG_DESCRIPTOR | FLAG_UTF8_NAME;

const METHOD_STORED: u16 = 0;
const METHOD_DEFLATED: u16 = 8;
const METHOD_AES: u16 = 99;

const EXTRA_ZIP64: u16 = 0x0001;
const EXTRA_UNICODE_PATH: u16 = 0x7075;
const EXTRA_AES: u16 = 0x9901;

const UNIX_TYPE_MASK: u32 = 0o170_000;
const UNIX_FILE: u32 = 0o100_000;
const UNIX_DIRECTORY: u32 = 0o040_000;
const UNIX_SYMLINK: u32 = 0o120_000;
const DOS_DIRECTORY: u32 = 0x10;

/// One entry of the directory that has passed every check which needs no other part of the archive.
struct Entry<'a> {
    central: Central<'a>,
    kind: Kind,
}

enum Kind {
    File(BundlePath),
    Directory,
}

impl Entry<'_> {
    fn shown(&self) -> Shown {
        Shown::bytes(self.central.described.name)
    }
}

/// An entry's data, found and not yet unpacked.
struct Packed<'a> {
    path: BundlePath,
    described: Described<'a>,
    data: &'a [u8],
}

/// Reads an archive.
pub(crate) fn read(archive: &[u8]) -> Result<Vec<(BundlePath, Vec<u8>)>, BundleError> {
    if archive.len() as u64 > ARCHIVE_BYTES_MAX {
        return Err(ArchiveError::TooLarge {
            bytes: archive.len() as u64,
        }
        .into());
    }
    let (entries, directory_start) = read_directory(archive)?;
    let files = || entries.iter().filter(|entry| matches!(entry.kind, Kind::File(_)));
    check_count(files().count())?;
    check_total(
        files()
            .map(|entry| u64::from(entry.central.described.bytes))
            .sum(),
    )?;
    let packed = locate_all(archive, entries, directory_start)?;
    // Only now is anything unpacked: the whole structure is sound.
    packed
        .into_iter()
        .map(|packed| Ok((packed.path.clone(), unpack(&packed)?)))
        .collect()
}

/// Finds the end record, which must be the archive's last bytes.
fn find_end(archive: &[u8]) -> Result<(End, usize), ArchiveError> {
    let last = archive
        .len()
        .checked_sub(END_BYTES)
        .ok_or(ArchiveError::NotAZip)?;
    if let Ok(end) = End::decode(archive, last)
        && end.comment_bytes == 0
    {
        return Ok((end, last));
    }
    // Nothing but an error can come of this; it looks further only to name the right one.
    for offset in (last.saturating_sub(usize::from(u16::MAX))..=last).rev() {
        if let Ok(end) = End::decode(archive, offset) {
            let comment_bytes = u64::from(end.comment_bytes);
            let bytes = (last - offset) as u64;
            return Err(match bytes.checked_sub(comment_bytes) {
                Some(0) => ArchiveError::Comment { bytes },
                Some(bytes) => ArchiveError::TrailingData { bytes },
                None => ArchiveError::Truncated {
                    what: "archive comment",
                    offset_bytes: offset as u64,
                },
            });
        }
    }
    Err(ArchiveError::NotAZip)
}

/// Reads the directory and says where it begins.
fn read_directory(archive: &[u8]) -> Result<(Vec<Entry<'_>>, usize), BundleError> {
    let (end, end_offset) = find_end(archive)?;
    check_no_zip64(archive, &end, end_offset)?;
    if end.disks != [0, 0] || end.entries[0] != end.entries[1] {
        return Err(ArchiveError::SeveralDisks.into());
    }
    let claimed = usize::from(end.entries[1]);
    if claimed > ARCHIVE_ENTRIES_MAX {
        return Err(ArchiveError::TooManyEntries { count: claimed }.into());
    }
    let start = end.directory_offset as usize;
    check_directory_end(archive, &end, end_offset)?;

    let directory = &archive[..end_offset];
    let mut entries = Vec::with_capacity(claimed);
    let mut position = start;
    while position < end_offset {
        if entries.len() == claimed {
            return Err(ArchiveError::EntryCount {
                claimed,
                found: claimed + 1,
            }
            .into());
        }
        let (central, next) = Central::decode(directory, position)?;
        position = next;
        let kind = check_central(&central)?;
        entries.push(Entry { central, kind });
    }
    if entries.len() != claimed {
        return Err(ArchiveError::EntryCount {
            claimed,
            found: entries.len(),
        }
        .into());
    }
    Ok((entries, start))
}

fn check_no_zip64(archive: &[u8], end: &End, end_offset: usize) -> Result<(), ArchiveError> {
    let locator = end_offset.checked_sub(ZIP64_LOCATOR_BYTES).is_some_and(|offset| {
        Cursor::new(archive, offset, "zip64 locator").u32() == Ok(ZIP64_LOCATOR_SIGNATURE)
    });
    let large =
        end.entries.contains(&u16::MAX) || [end.directory_bytes, end.directory_offset].contains(&u32::MAX);
    if locator || large {
        Err(ArchiveError::Zip64)
    } else {
        Ok(())
    }
}

/// The directory must end where the end record begins.
fn check_directory_end(archive: &[u8], end: &End, end_offset: usize) -> Result<(), ArchiveError> {
    let offset_bytes = u64::from(end.directory_offset);
    let directory_end = offset_bytes + u64::from(end.directory_bytes);
    let Some(bytes) = (end_offset as u64).checked_sub(directory_end) else {
        return Err(ArchiveError::Truncated {
            what: "directory",
            offset_bytes,
        });
    };
    if bytes == 0 {
        return Ok(());
    }
    // Bytes put before a finished archive move everything in it away from where its offsets say.
    let in_place = Central::decode(archive, end.directory_offset as usize).is_ok();
    Err(if in_place {
        ArchiveError::UnclaimedBytes {
            offset_bytes: directory_end,
            bytes,
        }
    } else {
        ArchiveError::PrependedData { bytes }
    })
}

/// The checks that need only an entry of the directory.
fn check_central(central: &Central<'_>) -> Result<Kind, BundleError> {
    let Described {
        name,
        extra,
        flags,
        method,
        compressed_bytes,
        bytes,
        ..
    } = central.described;
    let shown = || Shown::bytes(name);
    check_extra(name, extra)?;
    if flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED_HEADERS) != 0 || method == METHOD_AES {
        return Err(ArchiveError::Encrypted { name: shown() }.into());
    }
    if flags & !FLAGS_ALLOWED != 0 {
        return Err(ArchiveError::Flags { name: shown(), flags }.into());
    }
    if method != METHOD_STORED && method != METHOD_DEFLATED {
        return Err(ArchiveError::Method {
            name: shown(),
            method,
        }
        .into());
    }
    if [compressed_bytes, bytes, central.local_offset].contains(&u32::MAX) {
        return Err(ArchiveError::Zip64.into());
    }
    if central.disk != 0 {
        return Err(ArchiveError::SeveralDisks.into());
    }
    if central.comment_bytes != 0 {
        return Err(ArchiveError::Comment {
            bytes: u64::from(central.comment_bytes),
        }
        .into());
    }
    let kind = check_kind(central)?;
    if method == METHOD_STORED && compressed_bytes != bytes {
        return Err(ArchiveError::SizeMismatch {
            name: shown(),
            bytes: u64::from(bytes),
        }
        .into());
    }
    let (compressed_bytes, bytes) = (u64::from(compressed_bytes), u64::from(bytes));
    if bytes > compressed_bytes.saturating_mul(COMPRESSION_RATIO_MAX) {
        return Err(ArchiveError::CompressionRatio {
            name: shown(),
            compressed_bytes,
            bytes,
        }
        .into());
    }
    if let Kind::File(path) = &kind {
        content::check_size(path, bytes)?;
    }
    Ok(kind)
}

/// A file or a directory, by the name's last byte and the attributes, which must agree.
fn check_kind(central: &Central<'_>) -> Result<Kind, BundleError> {
    let name = central.described.name;
    let shown = || Shown::bytes(name);
    let directory_name = name.strip_suffix(b"/");
    match (
        (central.external_attributes >> 16) & UNIX_TYPE_MASK,
        directory_name,
    ) {
        (UNIX_SYMLINK, _) => return Err(ArchiveError::Symlink { name: shown() }.into()),
        (0, _) | (UNIX_FILE, None) | (UNIX_DIRECTORY, Some(_)) => {}
        (UNIX_FILE, Some(_)) | (UNIX_DIRECTORY, None) => {
            return Err(ArchiveError::DirectoryMismatch { name: shown() }.into());
        }
        _ => return Err(ArchiveError::SpecialFile { name: shown() }.into()),
    }
    let Some(directory_name) = directory_name else {
        if central.external_attributes & DOS_DIRECTORY != 0 {
            return Err(ArchiveError::DirectoryMismatch { name: shown() }.into());
        }
        return Ok(Kind::File(BundlePath::parse_bytes(name)?));
    };
    path::check_directory(directory_name)?;
    if central.described.bytes != 0 {
        return Err(ArchiveError::DirectoryMismatch { name: shown() }.into());
    }
    Ok(Kind::Directory)
}

/// Extra fields are skipped, except those that would change what this reader has understood.
fn check_extra(name: &[u8], extra: &[u8]) -> Result<(), ArchiveError> {
    let malformed = || ArchiveError::Extra {
        name: Shown::bytes(name),
    };
    let mut rest = extra;
    while !rest.is_empty() {
        let (header, behind) = rest.split_at_checked(4).ok_or_else(malformed)?;
        let length_bytes = usize::from(u16::from_le_bytes([header[2], header[3]]));
        match u16::from_le_bytes([header[0], header[1]]) {
            EXTRA_ZIP64 => return Err(ArchiveError::Zip64),
            EXTRA_UNICODE_PATH => {
                return Err(ArchiveError::ExtraName {
                    name: Shown::bytes(name),
                });
            }
            EXTRA_AES => {
                return Err(ArchiveError::Encrypted {
                    name: Shown::bytes(name),
                });
            }
            _ => rest = behind.split_at_checked(length_bytes).ok_or_else(malformed)?.1,
        }
    }
    Ok(())
}

/// Finds the data of every entry. Together with the directory, the entries must cover the archive.
fn locate_all<'a>(
    archive: &'a [u8],
    mut entries: Vec<Entry<'a>>,
    directory_start: usize,
) -> Result<Vec<Packed<'a>>, ArchiveError> {
    // In the order of their data, so that gaps and overlaps show.
    entries.sort_by_key(|entry| entry.central.local_offset);
    let mut position = 0;
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let start = entry.central.local_offset as usize;
        if start < position {
            return Err(ArchiveError::Overlap { name: entry.shown() });
        }
        check_gap(position, start)?;
        let (data, end) = locate(&archive[..directory_start], &entry)?;
        position = end;
        let Entry {
            central: Central { described, .. },
            kind,
        } = entry;
        if let Kind::File(path) = kind {
            found.push(Packed {
                path,
                described,
                data,
            });
        }
    }
    check_gap(position, directory_start)?;
    Ok(found)
}

fn check_gap(from: usize, to: usize) -> Result<(), ArchiveError> {
    match (from, (to - from) as u64) {
        (_, 0) => Ok(()),
        (0, bytes) => Err(ArchiveError::PrependedData { bytes }),
        (_, bytes) => Err(ArchiveError::UnclaimedBytes {
            offset_bytes: from as u64,
            bytes,
        }),
    }
}

/// Compares the header before an entry's data with the directory; says what the data is and where the entry ends.
/// `body` is the archive without its directory, so that no entry can reach into that.
fn locate<'a>(body: &'a [u8], entry: &Entry<'_>) -> Result<(&'a [u8], usize), ArchiveError> {
    let central = &entry.central.described;
    let (local, data_start) = decode_local(body, entry.central.local_offset as usize)?;
    check_extra(central.name, local.extra)?;
    let described_later = central.flags & FLAG_DESCRIPTOR != 0;
    let agrees = |local: u32, central: u32| local == central || (described_later && local == 0);
    for (same, field) in [
        (local.name == central.name, "name"),
        (local.flags == central.flags, "flags"),
        (local.method == central.method, "compression method"),
        (agrees(local.crc, central.crc), "checksum"),
        (
            agrees(local.compressed_bytes, central.compressed_bytes),
            "compressed size",
        ),
        (agrees(local.bytes, central.bytes), "size"),
    ] {
        if !same {
            return Err(ArchiveError::HeaderMismatch {
                name: entry.shown(),
                field,
            });
        }
    }
    let mut cursor = Cursor::new(body, data_start, "entry's data");
    let data = cursor.take(central.compressed_bytes as usize)?;
    let data_end = cursor.position();
    let descriptor_bytes = if described_later {
        descriptor_bytes(body, data_end, entry)?
    } else {
        0
    };
    Ok((data, data_end + descriptor_bytes))
}

/// The length of the descriptor behind the data: checksum and sizes, with or without a signature before them.
fn descriptor_bytes(body: &[u8], offset: usize, entry: &Entry<'_>) -> Result<usize, ArchiveError> {
    let Described {
        crc,
        compressed_bytes,
        bytes,
        ..
    } = entry.central.described;
    let expected: Vec<u8> = [DESCRIPTOR_SIGNATURE, crc, compressed_bytes, bytes]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let rest = &body[offset..];
    [&expected[..], &expected[4..]]
        .iter()
        .find(|form| rest.starts_with(form))
        .map(|form| form.len())
        .ok_or_else(|| ArchiveError::Descriptor { name: entry.shown() })
}

/// Unpacks an entry whose declared size is within the limits.
fn unpack(packed: &Packed<'_>) -> Result<Vec<u8>, ArchiveError> {
    let Described {
        name,
        method,
        crc,
        bytes,
        ..
    } = packed.described;
    let content = match method {
        METHOD_STORED => packed.data.to_vec(),
        _ => inflate(name, packed.data, bytes as usize)?,
    };
    if crc32fast::hash(&content) != crc {
        return Err(ArchiveError::WrongCrc {
            name: Shown::bytes(name),
        });
    }
    Ok(content)
}
