//! Hands the pages of a column to the Parquet library, unpacked and held against what they claim.
//!
//! [`super::columns`] puts it between the library's reader of pages and its reader of values. The library makes room for as
//! many values as a page claims before it looks at them; a claim that the bytes cannot bear out ends here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::SerializedPageReader;

use super::problem::Problem;
use super::source::Source;
use super::unpack::unpack;
use super::{PAGE_BYTES_MAX, PAGE_VALUES_MAX};

/// Lets one page of values through at a time, so that no read can hold more than two of them.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<AtomicBool>);

impl Gate {
    pub(super) fn open(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn pass(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The pages of one column in one row group.
pub(super) struct Pages {
    inner: SerializedPageReader<Source>,
    codec: Compression,
    announces_joined: bool,
    is_optional: bool,
    is_text: bool,
    gate: Gate,
}

impl Pages {
    pub(super) fn new(source: &Source, column: &ColumnChunkMetaData, gate: Gate) -> Result<Self> {
        let descr = column.column_descr();
        // Pages come as they are: they are unpacked here, within bounds.
        let plain = column
            .clone()
            .into_builder()
            .set_compression(Compression::UNCOMPRESSED)
            .build()?;
        // No row count is needed without an index of pages.
        let inner = SerializedPageReader::new(Arc::new(source.clone()), &plain, 0, None)?;
        Ok(Self {
            inner,
            codec: column.compression(),
            announces_joined: column
                .encodings()
                .any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY),
            is_optional: descr.max_def_level() > 0,
            is_text: descr.physical_type() == parquet::basic::Type::BYTE_ARRAY,
            gate,
        })
    }

    fn unpacked(&self, page: Page) -> Result<Page, Problem> {
        Ok(match page {
            Page::DictionaryPage {
                buf,
                num_values,
                encoding,
                is_sorted,
            } => {
                let buf = self.whole(&buf)?;
                // Each value of a dictionary takes bytes, a text four for its length alone.
                let least_bytes = if self.is_text { 4 } else { 1 };
                if (num_values as usize).saturating_mul(least_bytes) > buf.len() {
                    return Err(Problem::damaged("a dictionary claims more values than it holds"));
                }
                Page::DictionaryPage {
                    buf,
                    num_values,
                    encoding,
                    is_sorted,
                }
            }
            Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                ..
            } => {
                let buf = self.whole(&buf)?;
                let levels_bytes = if self.is_optional { levels_v1(&buf)? } else { 0 };
                self.check_values(&buf, levels_bytes, num_values, encoding)?;
                Page::DataPage {
                    buf,
                    num_values,
                    encoding,
                    def_level_encoding,
                    rep_level_encoding,
                    statistics: None,
                }
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                let levels_bytes = (def_levels_byte_len as usize)
                    .checked_add(rep_levels_byte_len as usize)
                    .filter(|length| *length <= buf.len())
                    .ok_or_else(|| Problem::damaged("the levels of a page are longer than the page"))?;
                // The levels are never packed, and a page of nulls alone has nothing else.
                let buf = if is_compressed && buf.len() > levels_bytes {
                    let mut out = buf[..levels_bytes].to_vec();
                    unpack(self.codec, &buf[levels_bytes..], &mut out)?;
                    out.into()
                } else {
                    buf
                };
                self.check_values(&buf, levels_bytes, num_values, encoding)?;
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics: None,
                }
            }
        })
    }

    fn whole(&self, packed: &Bytes) -> Result<Bytes, Problem> {
        if self.codec == Compression::UNCOMPRESSED {
            return Ok(packed.clone());
        }
        let expected_bytes = packed.len().saturating_mul(3).min(PAGE_BYTES_MAX);
        let mut out = Vec::with_capacity(expected_bytes);
        if !packed.is_empty() {
            unpack(self.codec, packed, &mut out)?;
        }
        Ok(out.into())
    }

    fn check_values(
        &self,
        page: &[u8],
        levels_bytes: usize,
        num_values: u32,
        encoding: Encoding,
    ) -> Result<(), Problem> {
        if num_values > PAGE_VALUES_MAX {
            return Err(Problem::TooManyValues);
        }
        // How many values are read at a time depends on whether the column announces this encoding.
        if encoding == Encoding::DELTA_BYTE_ARRAY && !self.announces_joined {
            return Err(Problem::damaged(
                "a page is in an encoding that its column does not announce",
            ));
        }
        let values = page.get(levels_bytes..).unwrap_or_default();
        // A page of nulls alone may have no values at all, not even their number.
        match encoding {
            _ if values.is_empty() => Ok(()),
            Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                delta_block(values, num_values).map(|_| ())
            }
            Encoding::DELTA_BYTE_ARRAY => {
                let suffixes = delta_block(values, num_values)?;
                delta_block(suffixes, num_values).map(|_| ())
            }
            _ => Ok(()),
        }
    }
}

/// Length of the definition levels at the start of a page of version 1, with the four bytes that tell it.
fn levels_v1(page: &[u8]) -> Result<usize, Problem> {
    let length = page
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes) as usize);
    length
        .and_then(|length| length.checked_add(4))
        .filter(|end| *end <= page.len())
        .ok_or_else(|| Problem::damaged("the levels of a page are longer than the page"))
}

/// Walks over delta-packed integers without unpacking them: their number is at most that of the page's values, and what
/// follows them is returned.
fn delta_block(bytes: &[u8], values_max: u32) -> Result<&[u8], Problem> {
    let cut = || Problem::damaged("the lengths of a page end too early");
    let mut rest = bytes;
    let block_values = varint(&mut rest).ok_or_else(cut)?;
    let mini_blocks = varint(&mut rest).ok_or_else(cut)?;
    let count = varint(&mut rest).ok_or_else(cut)?;
    let _first_value = varint(&mut rest).ok_or_else(cut)?;
    if count > u64::from(values_max) {
        return Err(Problem::damaged(
            "a page has lengths for more values than it holds",
        ));
    }
    let values_per_mini_block = block_values
        .checked_div(mini_blocks)
        .filter(|values| *values > 0 && values % 8 == 0)
        .ok_or_else(|| Problem::damaged("the lengths of a page are in blocks of an impossible size"))?;
    let mini_blocks = usize::try_from(mini_blocks).unwrap_or(usize::MAX);
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let _least_delta = varint(&mut rest).ok_or_else(cut)?;
        let (widths, after) = rest.split_at_checked(mini_blocks).ok_or_else(cut)?;
        rest = after;
        for width in widths {
            if left == 0 {
                break;
            }
            let packed_bytes = (u64::from(*width) * values_per_mini_block.min(u64::from(u32::MAX))) / 8;
            let packed_bytes = usize::try_from(packed_bytes).unwrap_or(usize::MAX);
            // The last one may be cut short by some writers.
            rest = rest.get(packed_bytes..).unwrap_or_default();
            left = left.saturating_sub(values_per_mini_block);
        }
    }
    Ok(rest)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = bytes.split_first()?;
        *bytes = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        if !self.gate.pass() {
            return Ok(None);
        }
        let Some(page) = self.inner.get_next_page()? else {
            return Ok(None);
        };
        if page.is_dictionary_page() {
            self.gate.open();
        }
        self.unpacked(page).map(Some).map_err(Problem::wrapped)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}
