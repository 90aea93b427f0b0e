//! Files to an archive: sorted, stored, without times.
//!
//! Nothing is compressed, so that the bytes depend on no compressor and no ratio limit can refuse what was written.
//! `bundle` calls this with validated files only.

use std::collections::BTreeMap;

use super::record::{CENTRAL_SIGNATURE, END_SIGNATURE, LOCAL_SIGNATURE};
use crate::path::BundlePath;

/// Version 2.0 of the format, made on Unix.
const VERSION_NEEDED: u16 = 20;
const VERSION_MADE_BY: u16 = (3 << 8) | VERSION_NEEDED;
/// An ordinary file that its owner may write and everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// The first of January 1980, midnight: the earliest that the format can say.
const DATE: u16 = (1 << 5) | 1;

/// Writes the files. Their number and sizes are bounded by the limits of a bundle, far below what the format holds.
pub(crate) fn write(files: &BTreeMap<BundlePath, String>) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (path, content) in files {
        let offset = u32_of(archive.len());
        let mut common = Vec::new();
        push_u16(&mut common, &[VERSION_NEEDED, 0, 0, 0, DATE]);
        let bytes = u32_of(content.len());
        push_u32(&mut common, &[crc32fast::hash(content.as_bytes()), bytes, bytes]);
        push_u16(&mut common, &[u16_of(path.as_str().len()), 0]);

        push_u32(&mut archive, &[LOCAL_SIGNATURE]);
        archive.extend(&common);
        archive.extend(path.as_str().as_bytes());
        archive.extend(content.as_bytes());

        push_u32(&mut directory, &[CENTRAL_SIGNATURE]);
        push_u16(&mut directory, &[VERSION_MADE_BY]);
        directory.extend(&common);
        push_u16(&mut directory, &[0, 0, 0]);
        push_u32(&mut directory, &[ATTRIBUTES, offset]);
        directory.extend(path.as_str().as_bytes());
    }
    let directory_offset = u32_of(archive.len());
    archive.extend(&directory);
    push_u32(&mut archive, &[END_SIGNATURE]);
    let entries = u16_of(files.len());
    push_u16(&mut archive, &[0, 0, entries, entries]);
    push_u32(&mut archive, &[u32_of(directory.len()), directory_offset]);
    push_u16(&mut archive, &[0]);
    archive
}

fn push_u16(to: &mut Vec<u8>, values: &[u16]) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn push_u32(to: &mut Vec<u8>, values: &[u32]) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn u16_of(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn u32_of(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
