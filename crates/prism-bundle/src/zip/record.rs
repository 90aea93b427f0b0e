//! The fixed layouts of a `.zip`: bytes to fields, without judging them.
//!
//! `read` calls these and does the judging. Every access is checked against the end of the archive; all numbers are
//! little-endian.

use super::ArchiveError;

pub(super) const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
pub(super) const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
pub(super) const END_SIGNATURE: u32 = 0x0605_4b50;
pub(super) const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
pub(super) const ZIP64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
pub(super) const END_BYTES: usize = 22;
pub(super) const ZIP64_LOCATOR_BYTES: usize = 20;

/// A place in the archive from which fields are taken one after the other.
pub(super) struct Cursor<'a> {
    archive: &'a [u8],
    start: usize,
    position: usize,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// Starts at an offset; `what` is the structure there, for error messages.
    pub(super) fn new(archive: &'a [u8], start: usize, what: &'static str) -> Self {
        Self {
            archive,
            start,
            position: start,
            what,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], ArchiveError> {
        let taken = self
            .position
            .checked_add(bytes)
            .and_then(|end| self.archive.get(self.position..end))
            .ok_or(ArchiveError::Truncated {
                what: self.what,
                offset_bytes: self.start as u64,
            })?;
        self.position += bytes;
        Ok(taken)
    }

    pub(super) fn u16(&mut self) -> Result<u16, ArchiveError> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, ArchiveError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn signature(&mut self, expected: u32) -> Result<(), ArchiveError> {
        if self.u32()? == expected {
            return Ok(());
        }
        Err(ArchiveError::BadSignature {
            what: self.what,
            offset_bytes: self.start as u64,
        })
    }
}

/// The end record.
pub(super) struct End {
    pub(super) disks: [u16; 2],
    pub(super) entries: [u16; 2],
    pub(super) directory_bytes: u32,
    pub(super) directory_offset: u32,
    pub(super) comment_bytes: u16,
}

impl End {
    pub(super) fn decode(archive: &[u8], offset: usize) -> Result<Self, ArchiveError> {
        let mut cursor = Cursor::new(archive, offset, "end record");
        cursor.signature(END_SIGNATURE)?;
        Ok(Self {
            disks: [cursor.u16()?, cursor.u16()?],
            entries: [cursor.u16()?, cursor.u16()?],
            directory_bytes: cursor.u32()?,
            directory_offset: cursor.u32()?,
            comment_bytes: cursor.u16()?,
        })
    }
}

/// What both headers of an entry say about it.
#[derive(Clone, Copy)]
pub(super) struct Described<'a> {
    pub(super) name: &'a [u8],
    pub(super) extra: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed_bytes: u32,
    pub(super) bytes: u32,
}

/// An entry of the directory at the archive's end.
pub(super) struct Central<'a> {
    pub(super) described: Described<'a>,
    pub(super) comment_bytes: u16,
    pub(super) disk: u16,
    pub(super) external_attributes: u32,
    pub(super) local_offset: u32,
}

impl<'a> Central<'a> {
    /// Decodes the entry at an offset and says where the next one begins.
    pub(super) fn decode(archive: &'a [u8], offset: usize) -> Result<(Self, usize), ArchiveError> {
        let mut cursor = Cursor::new(archive, offset, "directory entry");
        cursor.signature(CENTRAL_SIGNATURE)?;
        let _versions = [cursor.u16()?, cursor.u16()?];
        let (flags, method) = (cursor.u16()?, cursor.u16()?);
        let _time = cursor.u32()?;
        let (crc, compressed_bytes, bytes) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let (name_bytes, extra_bytes, comment_bytes) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        let disk = cursor.u16()?;
        let _internal_attributes = cursor.u16()?;
        let (external_attributes, local_offset) = (cursor.u32()?, cursor.u32()?);
        let name = cursor.take(usize::from(name_bytes))?;
        let extra = cursor.take(usize::from(extra_bytes))?;
        cursor.take(usize::from(comment_bytes))?;
        let described = Described {
            name,
            extra,
            flags,
            method,
            crc,
            compressed_bytes,
            bytes,
        };
        Ok((
            Self {
                described,
                comment_bytes,
                disk,
                external_attributes,
                local_offset,
            },
            cursor.position(),
        ))
    }
}

/// The header before an entry's data, and where the data begins.
pub(super) fn decode_local(archive: &[u8], offset: usize) -> Result<(Described<'_>, usize), ArchiveError> {
    let mut cursor = Cursor::new(archive, offset, "local header");
    cursor.signature(LOCAL_SIGNATURE)?;
    let _version = cursor.u16()?;
    let (flags, method) = (cursor.u16()?, cursor.u16()?);
    let _time = cursor.u32()?;
    let (crc, compressed_bytes, bytes) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    let (name_bytes, extra_bytes) = (cursor.u16()?, cursor.u16()?);
    let name = cursor.take(usize::from(name_bytes))?;
    let extra = cursor.take(usize::from(extra_bytes))?;
    Ok((
        Described {
            name,
            extra,
            flags,
            method,
            crc,
            compressed_bytes,
            bytes,
        },
        cursor.position(),
    ))
}
