//! Unpacks one entry into a buffer of exactly its declared size.
//!
//! `read` calls this after it has checked the declared sizes against the limits, so the buffer is bounded before it
//! is allocated, and the decompressor cannot write beyond it.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::ArchiveError;
use crate::shown::Shown;

/// A raw deflate stream that must use all of `data` and give exactly `bytes` bytes.
pub(super) fn inflate(name: &[u8], data: &[u8], bytes: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut content = vec![0; bytes];
    let mut state = DecompressorOxide::new();
    let (status, read_bytes, written_bytes) = decompress(
        &mut state,
        data,
        &mut content,
        0,
        TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
    );
    match status {
        TINFLStatus::Done if read_bytes == data.len() && written_bytes == bytes => Ok(content),
        TINFLStatus::Done if read_bytes == data.len() => Err(mismatch(name, bytes)),
        TINFLStatus::HasMoreOutput => Err(mismatch(name, bytes)),
        _ => Err(ArchiveError::DamagedData {
            name: Shown::bytes(name),
        }),
    }
}

fn mismatch(name: &[u8], bytes: usize) -> ArchiveError {
    ArchiveError::SizeMismatch {
        name: Shown::bytes(name),
        bytes: bytes as u64,
    }
}
