//! Looks at the footer of a file before the Parquet library parses it.
//!
//! The library builds the schema by recursion: a footer of a few hundred kilobytes that nests deep enough would end the
//! process, which nothing could catch. So its lists and the depth of its schema are bounded here. Everything else of it
//! is passed over; what makes no sense is left to the library to refuse.

use super::problem::Problem;
use super::{ROW_GROUPS_MAX, SCHEMA_DEPTH_MAX, SCHEMA_ELEMENTS_MAX};

/// Deepest nesting of values that is walked; files have some ten levels.
const DEPTH_MAX: u32 = 48;

/// Numbers of fields in the format's description.
const SCHEMA: i64 = 2;
const ROW_GROUPS: i64 = 4;
const CHILDREN: i64 = 5;

/// Kinds of values in the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const INTEGERS: [u8; 3] = [4, 5, 6];
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// Refuses a footer whose parsing could exhaust stack or memory.
pub(super) fn check(footer: &[u8]) -> Result<(), Problem> {
    let mut walk = Walk { rest: footer };
    let mut id = 0;
    while let Some(kind) = walk.field(&mut id)? {
        match (id, kind) {
            (SCHEMA, LIST) => walk.schema()?,
            (ROW_GROUPS, LIST) => {
                let (kind, length) = walk.list()?;
                if length > ROW_GROUPS_MAX {
                    return Err(Problem::TooManyRowGroups);
                }
                for _ in 0..length {
                    walk.skip(kind, DEPTH_MAX)?;
                }
            }
            _ => walk.skip_field(kind, DEPTH_MAX)?,
        }
    }
    Ok(())
}

struct Walk<'f> {
    rest: &'f [u8],
}

fn cut() -> Problem {
    Problem::damaged("the footer ends too early")
}

impl Walk<'_> {
    /// The elements of the schema come in the order of a walk through the tree, each with the number of its children.
    fn schema(&mut self) -> Result<(), Problem> {
        let (kind, length) = self.list()?;
        if length > SCHEMA_ELEMENTS_MAX {
            let what = format!("a schema of more than {SCHEMA_ELEMENTS_MAX} columns");
            return Err(Problem::Unsupported(what));
        }
        // Children that are still to come, of each group that is open.
        let mut open: Vec<u64> = Vec::new();
        for _ in 0..length {
            let children = if kind == STRUCT { self.children()? } else { 0 };
            if kind != STRUCT {
                self.skip(kind, DEPTH_MAX)?;
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
            }
            if open.len() > SCHEMA_DEPTH_MAX {
                let what = format!("a schema of more than {SCHEMA_DEPTH_MAX} levels");
                return Err(Problem::Unsupported(what));
            }
        }
        Ok(())
    }

    fn children(&mut self) -> Result<u64, Problem> {
        let (mut id, mut children) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            if id == CHILDREN && INTEGERS.contains(&kind) {
                children = u64::try_from(self.integer()?).unwrap_or(0);
            } else {
                self.skip_field(kind, DEPTH_MAX)?;
            }
        }
        Ok(children)
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        let (byte, after) = self.rest.split_first().ok_or_else(cut)?;
        self.rest = after;
        Ok(*byte)
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Problem::damaged("a number of the footer has no end"))
    }

    fn integer(&mut self) -> Result<i64, Problem> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn bytes(&mut self, count: u64) -> Result<(), Problem> {
        let count = usize::try_from(count).map_err(|_| cut())?;
        self.rest = self.rest.get(count..).ok_or_else(cut)?;
        Ok(())
    }

    /// The kind of the next field, whose number comes after the one given; nothing at the end of the struct.
    fn field(&mut self, id: &mut i64) -> Result<Option<u8>, Problem> {
        let head = self.byte()?;
        let (delta, kind) = (head >> 4, head & 0x0f);
        if kind == 0 {
            return Ok(None);
        }
        *id = if delta == 0 {
            self.integer()?
        } else {
            id.saturating_add(i64::from(delta))
        };
        Ok(Some(kind))
    }

    /// The kind and number of the elements of a list. Each takes a byte at least.
    fn list(&mut self) -> Result<(u8, u64), Problem> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        if length > self.rest.len() as u64 {
            return Err(cut());
        }
        Ok((head & 0x0f, length))
    }

    /// Passes over the value of a field: its kind alone tells a truth value.
    fn skip_field(&mut self, kind: u8, depth: u32) -> Result<(), Problem> {
        match kind {
            TRUE | FALSE => Ok(()),
            _ => self.skip(kind, depth),
        }
    }

    /// Passes over a value, or an element of a list.
    fn skip(&mut self, kind: u8, depth: u32) -> Result<(), Problem> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Problem::damaged("the footer nests too deep"));
        };
        match kind {
            TRUE | FALSE | BYTE => self.bytes(1),
            kind if INTEGERS.contains(&kind) => self.varint().map(|_| ()),
            DOUBLE => self.bytes(8),
            BINARY => {
                let length = self.varint()?;
                self.bytes(length)
            }
            LIST | SET => {
                let (kind, length) = self.list()?;
                for _ in 0..length {
                    self.skip(kind, depth)?;
                }
                Ok(())
            }
            MAP => {
                let length = self.varint()?;
                if length == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                for _ in 0..length {
                    self.skip(kinds >> 4, depth)?;
                    self.skip(kinds & 0x0f, depth)?;
                }
                Ok(())
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip_field(kind, depth)?;
                }
                Ok(())
            }
            _ => Err(Problem::damaged("the footer holds a value of no known kind")),
        }
    }
}
