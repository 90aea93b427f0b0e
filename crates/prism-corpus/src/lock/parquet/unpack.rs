//! Unpacks the body of a page, however it is packed, up to a bound.
//!
//! [`super::pages`] calls it. The Parquet library would do it too, but without a bound for gzip, Brotli and framed LZ4: a
//! page of some kilobytes could fill the memory. So the library is told that nothing is packed, and this is done between.

use std::io::Read;

use parquet::basic::Compression;

use super::PAGE_BYTES_MAX;
use super::problem::Problem;

/// Largest window of zstd that is taken, as a power of two: 128 MiB, which is what its own tool takes too.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const BROTLI_BUFFER_BYTES: usize = 64 * 1024;
/// Before each block of Hadoop's LZ4: its length, and that of its text.
const HADOOP_HEADER_BYTES: usize = 8;

/// Appends what the bytes unpack to.
pub(super) fn unpack(codec: Compression, packed: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    match codec {
        Compression::UNCOMPRESSED => {
            out.extend_from_slice(packed);
            Ok(())
        }
        Compression::SNAPPY => snappy(packed, out),
        Compression::ZSTD(_) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|e| damaged(&e))?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(|e| damaged(&e))?;
            bounded(decoder, out)
        }
        Compression::GZIP(_) => bounded(flate2::bufread::MultiGzDecoder::new(packed), out),
        Compression::BROTLI(_) => bounded(
            brotli_decompressor::Decompressor::new(packed, BROTLI_BUFFER_BYTES),
            out,
        ),
        Compression::LZ4_RAW => lz4_block(packed, out),
        // The same name stands for Hadoop's blocks and, from older writers, for frames.
        Compression::LZ4 => {
            let before = out.len();
            lz4_hadoop(packed, out).or_else(|_| {
                out.truncate(before);
                bounded(lz4_flex::frame::FrameDecoder::new(packed), out)
            })
        }
        Compression::LZO => Err(Problem::Unsupported("compression by LZO".to_owned())),
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Problem {
    Problem::damaged(format!("a page does not unpack: {error}"))
}

/// Room that is left in a page.
fn room(out: &[u8]) -> usize {
    PAGE_BYTES_MAX.saturating_sub(out.len())
}

fn bounded(text: impl Read, out: &mut Vec<u8>) -> Result<(), Problem> {
    let limit = room(out);
    let read = text.take(limit as u64 + 1).read_to_end(out);
    if read.map_err(|e| damaged(&e))? > limit {
        return Err(Problem::PageTooLong);
    }
    Ok(())
}

fn snappy(packed: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let length = snap::raw::decompress_len(packed).map_err(|e| damaged(&e))?;
    if length > room(out) {
        return Err(Problem::PageTooLong);
    }
    let start = out.len();
    out.resize(start + length, 0);
    let written = snap::raw::Decoder::new().decompress(packed, &mut out[start..]);
    let written = written.map_err(|e| damaged(&e))?;
    out.truncate(start + written);
    Ok(())
}

/// A block says nothing of the length of its text, so that it is tried with ever more room.
fn lz4_block(packed: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let start = out.len();
    let most = room(out);
    let mut length = packed.len().saturating_mul(4).max(64 * 1024).min(most);
    loop {
        out.resize(start + length, 0);
        match lz4_flex::block::decompress_into(packed, &mut out[start..]) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) if length < most => {
                length = length.saturating_mul(4).min(most);
            }
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) => return Err(Problem::PageTooLong),
            Err(error) => return Err(damaged(&error)),
        }
    }
}

fn lz4_hadoop(packed: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let wrong = || Problem::damaged("a page is no LZ4 of Hadoop's kind");
    let mut rest = packed;
    while !rest.is_empty() {
        let header: [u8; HADOOP_HEADER_BYTES] = *rest.first_chunk().ok_or_else(wrong)?;
        let [a, b, c, d, e, f, g, h] = header;
        let unpacked_bytes = u32::from_be_bytes([a, b, c, d]) as usize;
        let packed_bytes = u32::from_be_bytes([e, f, g, h]) as usize;
        let (block, after) = rest[HADOOP_HEADER_BYTES..]
            .split_at_checked(packed_bytes)
            .ok_or_else(wrong)?;
        if unpacked_bytes > room(out) {
            return Err(wrong());
        }
        let start = out.len();
        out.resize(start + unpacked_bytes, 0);
        let written = lz4_flex::block::decompress_into(block, &mut out[start..]);
        if written.is_ok_and(|written| written == unpacked_bytes) {
            rest = after;
        } else {
            return Err(wrong());
        }
    }
    Ok(())
}
