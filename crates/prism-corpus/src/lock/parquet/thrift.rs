//! The compact Thrift encoding, as far as the headers of Parquet use it: a bounded cursor over bytes.
//!
//! [`super`] reads its footer and page headers with it. It allocates nothing, goes at most [`DEPTH_MAX`] deep and
//! cannot read past its bytes, so a hostile header costs no more than its length.

use super::Problem;

/// Deepest nesting that is skipped over.
const DEPTH_MAX: usize = 16;

/// The types of the encoding that a header can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    True,
    False,
    Byte,
    Int,
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

impl Type {
    fn new(code: u8) -> Result<Self, Problem> {
        Ok(match code {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Int,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            13 => Self::Uuid,
            _ => return Err(Problem::Malformed("a header has a field of unknown type")),
        })
    }
}

/// What ends a header early: the caller may have more bytes to offer.
pub(super) const TRUNCATED: Problem = Problem::Malformed("a header ends too early");

#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let end = self.position.checked_add(count).ok_or(TRUNCATED)?;
        let taken = self.bytes.get(self.position..end).ok_or(TRUNCATED)?;
        self.position = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        self.take(1).map(|byte| byte[0])
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Problem::Malformed("a header has a number that is too long"))
    }

    /// A signed number.
    pub(super) fn int(&mut self) -> Result<i64, Problem> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A number that counts something.
    pub(super) fn count(&mut self) -> Result<u64, Problem> {
        u64::try_from(self.int()?).map_err(|_| Problem::Malformed("a header has a negative count"))
    }

    /// A string or bytes.
    pub(super) fn binary(&mut self) -> Result<&'a [u8], Problem> {
        let length = self.varint()?;
        self.take(usize::try_from(length).map_err(|_| TRUNCATED)?)
    }

    /// The start of a list: how many elements of which type.
    pub(super) fn list(&mut self) -> Result<(usize, Type), Problem> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => usize::try_from(self.varint()?).map_err(|_| TRUNCATED)?,
            short => usize::from(short),
        };
        // Some writers give an empty list no type.
        let element = if count == 0 {
            Type::Byte
        } else {
            Type::new(header & 0x0f)?
        };
        Ok((count, element))
    }

    /// A list of structs: calls back at the start of each.
    pub(super) fn structs(
        &mut self,
        visit: &mut dyn FnMut(&mut Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        match self.list()? {
            (0, _) => Ok(()),
            (count, Type::Struct) => (0..count).try_for_each(|_| visit(self)),
            _ => Err(Problem::Malformed("a header has a list of another type")),
        }
    }

    /// The fields of a struct: calls back with the number and type of each, which must then be read or skipped.
    pub(super) fn fields(
        &mut self,
        visit: &mut dyn FnMut(&mut Self, i64, Type) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut id = 0i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(());
            }
            let kind = Type::new(header & 0x0f)?;
            id = match header >> 4 {
                0 => self.int()?,
                delta => id.saturating_add(i64::from(delta)),
            };
            visit(self, id, kind)?;
        }
    }

    /// Skips a value.
    pub(super) fn skip(&mut self, kind: Type) -> Result<(), Problem> {
        self.skip_below(kind, DEPTH_MAX)
    }

    fn skip_below(&mut self, kind: Type, depth: usize) -> Result<(), Problem> {
        let depth = depth
            .checked_sub(1)
            .ok_or(Problem::Malformed("a header is nested too deeply"))?;
        match kind {
            Type::True | Type::False => Ok(()),
            Type::Byte => self.take(1).map(drop),
            Type::Int => self.varint().map(drop),
            Type::Double => self.take(8).map(drop),
            Type::Uuid => self.take(16).map(drop),
            Type::Binary => self.binary().map(drop),
            Type::List => {
                let (count, element) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(element, depth))
            }
            Type::Map => {
                let count = self.varint()?;
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                let (key, value) = (Type::new(kinds >> 4)?, Type::new(kinds & 0x0f)?);
                (0..count).try_for_each(|_| {
                    self.skip_element(key, depth)?;
                    self.skip_element(value, depth)
                })
            }
            Type::Struct => self.fields(&mut |cursor, _, kind| cursor.skip_below(kind, depth)),
        }
    }

    /// In a collection a truth value takes a byte, where a field has it in its type.
    fn skip_element(&mut self, kind: Type, depth: usize) -> Result<(), Problem> {
        match kind {
            Type::True | Type::False => self.take(1).map(drop),
            _ => self.skip_below(kind, depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(Cursor::new(&[0x03]).int(), Ok(-2));
        assert_eq!(Cursor::new(&[0xac, 0x02]).count(), Ok(150));
        assert!(Cursor::new(&[0x01]).count().is_err());
        assert!(Cursor::new(&[0xff; 20]).int().is_err());
        assert_eq!(Cursor::new(&[0x80]).int(), Err(TRUNCATED));
        assert_eq!(
            Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).binary(),
            Err(TRUNCATED)
        );
    }

    #[test]
    fn nesting_and_counts_cost_no_more_than_their_bytes() {
        // Lists of lists; a list that claims 2^32 elements of nothing; a struct in a struct.
        assert!(Cursor::new(&[0x19; 1000]).skip(Type::List).is_err());
        assert_eq!(
            Cursor::new(&[0xf3, 0xff, 0xff, 0xff, 0xff, 0x0f]).skip(Type::List),
            Err(TRUNCATED)
        );
        assert!(Cursor::new(&[0x1c; 1000]).skip(Type::Struct).is_err());
        assert_eq!(
            Cursor::new(&[0xf1, 0xff, 0xff, 0xff, 0xff, 0x0f]).skip(Type::List),
            Err(TRUNCATED)
        );
        assert_eq!(Cursor::new(&[0x15, 0x02, 0x11, 0x00]).skip(Type::Struct), Ok(()));
    }
}
