//! Pages of a Parquet column: headers, decompression, and the values in them.
//!
//! [`super`] calls it for each page. A page is bounded before memory is taken for it, and its numbers are claims
//! that its bytes must bear out.

use std::borrow::Cow;

use super::thrift::{Cursor, Type};
use super::{Codec, PAGE_BYTES_MAX, Problem, Stop};

const PLAIN: u64 = 0;
const PLAIN_DICTIONARY: u64 = 2;
const RLE: u64 = 3;
const RLE_DICTIONARY: u64 = 8;

/// What a page header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) compressed_bytes: usize,
    uncompressed_bytes: usize,
    pub(super) kind: PageKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Dictionary {
        values: u64,
        encoding: u64,
    },
    Data {
        values: u64,
        encoding: u64,
        levels: Levels,
    },
    Index,
}

/// Where the levels of a data page are, which tell values from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Levels {
    /// Version 1: inside, after their length, in this encoding.
    Inside { encoding: u64 },
    /// Version 2: before the values, this many bytes, never compressed.
    Before { bytes: usize, is_compressed: bool },
}

impl PageHeader {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Problem> {
        let (mut code, mut uncompressed, mut compressed) = (None, None, None);
        let (mut data, mut dictionary) = (None, None);
        cursor.fields(&mut |cursor, id, kind| {
            match (id, kind) {
                (1, Type::Int) => code = Some(cursor.count()?),
                (2, Type::Int) => uncompressed = Some(bounded(cursor.count()?)?),
                (3, Type::Int) => compressed = Some(bounded(cursor.count()?)?),
                (5, Type::Struct) => data = Some(data_v1(cursor)?),
                (7, Type::Struct) => dictionary = Some(dictionary_page(cursor)?),
                (8, Type::Struct) => data = Some(data_v2(cursor)?),
                _ => cursor.skip(kind)?,
            }
            Ok(())
        })?;
        let kind = match code {
            Some(0 | 3) => data,
            Some(1) => Some(PageKind::Index),
            Some(2) => dictionary,
            _ => None,
        };
        match (kind, uncompressed, compressed) {
            (Some(kind), Some(uncompressed_bytes), Some(compressed_bytes)) => Ok(Self {
                compressed_bytes,
                uncompressed_bytes,
                kind,
            }),
            _ => Err(Problem::Malformed("the header of a page is incomplete")),
        }
    }
}

fn bounded(bytes: u64) -> Result<usize, Problem> {
    usize::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes <= PAGE_BYTES_MAX)
        .ok_or(Problem::PageTooLong)
}

fn data_v1(cursor: &mut Cursor<'_>) -> Result<PageKind, Problem> {
    let [values, encoding, levels] = numbers(cursor, [1, 2, 3])?;
    Ok(PageKind::Data {
        values,
        encoding,
        levels: Levels::Inside { encoding: levels },
    })
}

fn dictionary_page(cursor: &mut Cursor<'_>) -> Result<PageKind, Problem> {
    let [values, encoding] = numbers(cursor, [1, 2])?;
    Ok(PageKind::Dictionary { values, encoding })
}

fn data_v2(cursor: &mut Cursor<'_>) -> Result<PageKind, Problem> {
    let mut is_compressed = true;
    let mut after = cursor.clone();
    after.fields(&mut |cursor, id, kind| match (id, kind) {
        (7, Type::False) => {
            is_compressed = false;
            Ok(())
        }
        _ => cursor.skip(kind),
    })?;
    let [values, encoding, definition, repetition] = numbers(cursor, [1, 4, 5, 6])?;
    if repetition != 0 {
        return Err(Problem::Malformed("a page of a flat column has lists"));
    }
    let levels = Levels::Before {
        bytes: bounded(definition)?,
        is_compressed,
    };
    Ok(PageKind::Data {
        values,
        encoding,
        levels,
    })
}

/// The numbers of a struct's fields with these ids, all of which must be there.
fn numbers<const N: usize>(cursor: &mut Cursor<'_>, ids: [i64; N]) -> Result<[u64; N], Problem> {
    let mut found = [None; N];
    cursor.fields(&mut |cursor, id, kind| {
        match (ids.iter().position(|wanted| *wanted == id), kind) {
            (Some(place), Type::Int) => found[place] = Some(cursor.count()?),
            _ => cursor.skip(kind)?,
        }
        Ok(())
    })?;
    let incomplete = Problem::Malformed("the header of a page is incomplete");
    let mut numbers = [0; N];
    for (number, found) in numbers.iter_mut().zip(found) {
        *number = found.ok_or(incomplete.clone())?;
    }
    Ok(numbers)
}

/// The byte strings of a dictionary page, as ranges of its bytes.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    values: Vec<(u32, u32)>,
}

impl Dictionary {
    pub(super) fn read(header: &PageHeader, body: &[u8], codec: Codec) -> Result<Self, Problem> {
        let PageKind::Dictionary { values, encoding } = header.kind else {
            return Err(Problem::Malformed("a dictionary is no dictionary page"));
        };
        if encoding != PLAIN && encoding != PLAIN_DICTIONARY {
            return Err(Problem::Unsupported("this encoding of a dictionary"));
        }
        let bytes = codec.decompress(body, header.uncompressed_bytes)?.into_owned();
        let mut dictionary = Self {
            values: Vec::new(),
            bytes: Vec::new(),
        };
        let mut rest = bytes.as_slice();
        for _ in 0..values {
            let value = plain(&mut rest)?;
            // Offsets fit: a page has at most `PAGE_BYTES_MAX` bytes.
            let end = u32::try_from(bytes.len() - rest.len()).unwrap_or(u32::MAX);
            dictionary
                .values
                .push((end - u32::try_from(value.len()).unwrap_or(0), end));
        }
        dictionary.bytes = bytes;
        Ok(dictionary)
    }

    fn get(&self, index: u32) -> Result<&[u8], Problem> {
        let range = self.values.get(index as usize);
        let (start, end) = range.ok_or(Problem::Malformed("a value is not in its dictionary"))?;
        Ok(&self.bytes[*start as usize..*end as usize])
    }
}

/// What becomes of a value, or of a row that has none.
type Visit<'a> = dyn FnMut(Option<&[u8]>) -> Result<(), Stop> + 'a;

/// Calls back with each value of a data page, or with nothing where there is none, and gives their number.
pub(super) fn read_data(
    header: &PageHeader,
    body: &[u8],
    codec: Codec,
    is_optional: bool,
    rows_left: u64,
    dictionary: &Dictionary,
    visit: &mut Visit<'_>,
) -> Result<u64, Stop> {
    let PageKind::Data {
        values: count,
        encoding,
        levels,
    } = header.kind
    else {
        return Err(Problem::Malformed("a data page is no data page").into());
    };
    if count > rows_left {
        return Err(Problem::Malformed("a page has more rows than its column").into());
    }
    let decompressed;
    let (levels, values): (&[u8], &[u8]) = match levels {
        Levels::Before { bytes, is_compressed } => {
            let (levels, values) = body.split_at_checked(bytes).ok_or(ENDS_EARLY)?;
            let length = header.uncompressed_bytes.checked_sub(bytes).ok_or(ENDS_EARLY)?;
            let codec = if is_compressed { codec } else { Codec::None };
            decompressed = codec.decompress(values, length)?;
            (levels, &decompressed)
        }
        Levels::Inside { encoding } => {
            decompressed = codec.decompress(body, header.uncompressed_bytes)?;
            match is_optional {
                false => (&[], &decompressed),
                true if encoding == RLE => {
                    let (length, rest) = decompressed.split_first_chunk().ok_or(ENDS_EARLY)?;
                    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
                        .ok_or(ENDS_EARLY)?
                }
                true => return Err(Problem::Unsupported("the old encoding of levels").into()),
            }
        }
    };
    let mut levels = Hybrid::new(levels, 1)?;
    let mut values = Values::new(values, encoding)?;
    for _ in 0..count {
        if is_optional && levels.next()? == 0 {
            visit(None)?;
        } else {
            visit(Some(values.next(dictionary)?))?;
        }
    }
    Ok(count)
}

const ENDS_EARLY: Problem = Problem::Malformed("a page ends too early");

/// One byte string in the plain encoding: its length, then its bytes.
fn plain<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Problem> {
    let (length, after) = rest.split_first_chunk().ok_or(ENDS_EARLY)?;
    let (value, after) = after
        .split_at_checked(u32::from_le_bytes(*length) as usize)
        .ok_or(ENDS_EARLY)?;
    *rest = after;
    Ok(value)
}

/// The values of a data page, one after the other.
enum Values<'a> {
    Plain(&'a [u8]),
    Dictionary(Hybrid<'a>),
}

impl<'a> Values<'a> {
    fn new(bytes: &'a [u8], encoding: u64) -> Result<Self, Problem> {
        match encoding {
            PLAIN => Ok(Self::Plain(bytes)),
            // A page in which every row is empty may have no values at all.
            PLAIN_DICTIONARY | RLE_DICTIONARY => match bytes.split_first() {
                Some((width, rest)) => Ok(Self::Dictionary(Hybrid::new(rest, *width)?)),
                None => Ok(Self::Plain(&[])),
            },
            _ => Err(Problem::Unsupported("delta or stream-split encoding")),
        }
    }

    fn next<'s>(&'s mut self, dictionary: &'s Dictionary) -> Result<&'s [u8], Problem> {
        match self {
            Self::Plain(rest) => plain(rest),
            Self::Dictionary(indices) => dictionary.get(indices.next()?),
        }
    }
}

/// Small numbers in runs of equal ones or packed to their width.
struct Hybrid<'a> {
    rest: &'a [u8],
    width: u32,
    run: Run<'a>,
}

enum Run<'a> {
    Equal { value: u32, left: u64 },
    Packed { bytes: &'a [u8], bit: u64, left: u64 },
}

impl<'a> Hybrid<'a> {
    fn new(rest: &'a [u8], width: u8) -> Result<Self, Problem> {
        if width > 32 {
            return Err(Problem::Malformed("numbers are wider than 32 bits"));
        }
        Ok(Self {
            rest,
            width: u32::from(width),
            run: Run::Equal { value: 0, left: 0 },
        })
    }

    fn next(&mut self) -> Result<u32, Problem> {
        loop {
            match &mut self.run {
                Run::Equal { value, left } if *left > 0 => {
                    *left -= 1;
                    return Ok(*value);
                }
                Run::Packed { bytes, bit, left } if *left > 0 => {
                    let value = unpack(bytes, *bit, self.width)?;
                    *bit += u64::from(self.width);
                    *left -= 1;
                    return Ok(value);
                }
                _ => self.run = self.next_run()?,
            }
        }
    }

    fn next_run(&mut self) -> Result<Run<'a>, Problem> {
        let mut header = 0u64;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(ENDS_EARLY)?;
            self.rest = rest;
            header |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return self.run(header);
            }
        }
        Err(Problem::Malformed("a run is too long"))
    }

    fn run(&mut self, header: u64) -> Result<Run<'a>, Problem> {
        let length = header >> 1;
        if length == 0 {
            return Err(Problem::Malformed("a run is empty"));
        }
        if header & 1 == 0 {
            let bytes = self.width.div_ceil(8) as usize;
            let (value, rest) = self.rest.split_at_checked(bytes).ok_or(ENDS_EARLY)?;
            self.rest = rest;
            let value = value
                .iter()
                .rev()
                .fold(0, |value, byte| value << 8 | u32::from(*byte));
            return Ok(Run::Equal { value, left: length });
        }
        // Eight numbers a group; some writers leave out the unused end of the last group.
        let bytes = usize::try_from(length * u64::from(self.width)).unwrap_or(usize::MAX);
        let (packed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        Ok(Run::Packed {
            bytes: packed,
            bit: 0,
            left: length * 8,
        })
    }
}

/// The number of this width that starts at a bit, the lowest bit first.
fn unpack(bytes: &[u8], bit: u64, width: u32) -> Result<u32, Problem> {
    let first = usize::try_from(bit / 8).unwrap_or(usize::MAX);
    let shift = u32::try_from(bit % 8).unwrap_or(0);
    let needed = (shift + width).div_ceil(8) as usize;
    let end = first.checked_add(needed).ok_or(ENDS_EARLY)?;
    let packed = bytes.get(first..end).ok_or(ENDS_EARLY)?;
    let joined = packed
        .iter()
        .rev()
        .fold(0u64, |joined, byte| joined << 8 | u64::from(*byte));
    let mask = (1u64 << width) - 1;
    Ok(u32::try_from(joined >> shift & mask).unwrap_or(u32::MAX))
}

impl Codec {
    pub(super) fn new(code: u64) -> Result<Self, Problem> {
        match code {
            0 => Ok(Self::None),
            1 => Ok(Self::Snappy),
            6 => Ok(Self::Zstd),
            _ => Err(Problem::Unsupported(
                "compression other than Snappy and Zstandard",
            )),
        }
    }

    /// Exactly `length` bytes; memory for them is taken only here, and `length` is bounded.
    fn decompress(self, compressed: &[u8], length: usize) -> Result<Cow<'_, [u8]>, Problem> {
        let broken = Problem::Malformed("a page does not decompress to the length that it announces");
        if length == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        let decompressed = match self {
            Self::None => Cow::Borrowed(compressed),
            Self::Snappy => {
                if snap::raw::decompress_len(compressed) != Ok(length) {
                    return Err(broken);
                }
                let decompressed = snap::raw::Decoder::new().decompress_vec(compressed);
                Cow::Owned(decompressed.map_err(|_| broken.clone())?)
            }
            Self::Zstd => Cow::Owned(zstd::bulk::decompress(compressed, length).map_err(|_| broken.clone())?),
        };
        if decompressed.len() == length {
            Ok(decompressed)
        } else {
            Err(broken)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], width: u8, count: usize) -> Result<Vec<u32>, Problem> {
        let mut hybrid = Hybrid::new(bytes, width)?;
        (0..count).map(|_| hybrid.next()).collect()
    }

    #[test]
    fn runs_and_packed_numbers_are_read() {
        // The example of the format's documentation: 0 to 7 in three bits each.
        assert_eq!(all(&[0x03, 0x88, 0xc6, 0xfa], 3, 8), Ok((0..8).collect()));
        assert_eq!(all(&[0x08, 0x05, 0x04, 0x01], 1, 6), Ok(vec![5, 5, 5, 5, 1, 1]));
        assert_eq!(all(&[0x04, 0x01, 0x02], 9, 2), Ok(vec![0x201, 0x201]));
        assert_eq!(all(&[0x02], 0, 1), Ok(vec![0]));
        // A last group without its unused end.
        assert_eq!(all(&[0x03, 0x0f, 0xf0], 8, 2), Ok(vec![15, 240]));
        assert_eq!(all(&[0x03, 0x0f], 8, 2), Err(ENDS_EARLY));
    }

    #[test]
    fn hostile_runs_are_refused() {
        assert_eq!(all(&[], 1, 1), Err(ENDS_EARLY));
        assert!(all(&[0x00, 0x00], 1, 1).is_err());
        assert!(all(&[0x01, 0x00], 1, 1).is_err());
        assert!(all(&[0xff; 6], 1, 1).is_err());
        assert!(all(&[0x03], 33, 1).is_err());
        assert_eq!(all(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0xaa], 32, 1), Err(ENDS_EARLY));
    }
}
