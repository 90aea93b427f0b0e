//! The footer of a Parquet file: where the chunks of the text column lie.
//!
//! [`super`] reads it once a file. Other columns, statistics and key-value pairs are skipped, not kept.

use super::thrift::{Cursor, Type};
use super::{Codec, Problem};

/// The physical type of byte strings, and the two repetitions without lists.
const BYTE_ARRAY: u64 = 6;
const REQUIRED: u64 = 0;
const OPTIONAL: u64 = 1;

/// One run of pages with values of the text column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) offset: u64,
    pub(super) length_bytes: u64,
    pub(super) rows: u64,
    pub(super) codec: Codec,
}

/// What is known of the text column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextColumn {
    pub(super) is_optional: bool,
    pub(super) chunks: Vec<Chunk>,
}

/// Reads the footer and finds the column of this name.
pub(super) fn parse(footer: &[u8], column: &str) -> Result<TextColumn, Problem> {
    let mut schema = Schema::new(column);
    let mut chunks = Vec::new();
    Cursor::new(footer).fields(&mut |cursor, id, kind| match (id, kind) {
        (2, Type::List) => cursor.structs(&mut |cursor| schema.element(cursor)),
        (4, Type::List) => {
            let leaf = schema.leaf()?;
            cursor.structs(&mut |cursor| {
                chunks.push(row_group(cursor, leaf, column)?);
                Ok(())
            })
        }
        (8, _) => Err(Problem::Unsupported("encryption")),
        _ => cursor.skip(kind),
    })?;
    schema.leaf()?;
    Ok(TextColumn {
        is_optional: schema.is_optional,
        chunks,
    })
}

/// The schema while it is read: a tree, written with each parent before its children.
struct Schema<'c> {
    column: &'c str,
    /// Elements still to come at each level of the tree above the next element.
    open: Vec<u64>,
    elements: u64,
    leaves: usize,
    found: Option<Found>,
    is_optional: bool,
}

#[derive(Clone, Copy)]
enum Found {
    Leaf(usize),
    Other,
}

impl<'c> Schema<'c> {
    fn new(column: &'c str) -> Self {
        Self {
            column,
            open: Vec::new(),
            elements: 0,
            leaves: 0,
            found: None,
            is_optional: false,
        }
    }

    fn element(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Problem> {
        let (mut kind_code, mut repetition, mut name, mut children) = (None, REQUIRED, &[][..], 0);
        cursor.fields(&mut |cursor, id, kind| {
            match (id, kind) {
                (1, Type::Int) => kind_code = Some(cursor.count()?),
                (3, Type::Int) => repetition = cursor.count()?,
                (4, Type::Binary) => name = cursor.binary()?,
                (5, Type::Int) => children = cursor.count()?,
                _ => cursor.skip(kind)?,
            }
            Ok(())
        })?;
        self.elements += 1;
        if self.elements == 1 {
            self.open.push(children);
            return Ok(());
        }
        while self.open.last() == Some(&0) {
            self.open.pop();
        }
        let Some(to_come) = self.open.last_mut() else {
            return Err(Problem::Malformed(
                "its schema has more elements than it announces",
            ));
        };
        *to_come -= 1;
        let is_at_top = self.open.len() == 1;
        if is_at_top && name == self.column.as_bytes() && self.found.is_none() {
            let is_text = children == 0 && kind_code == Some(BYTE_ARRAY);
            let is_flat = repetition == REQUIRED || repetition == OPTIONAL;
            self.is_optional = repetition == OPTIONAL;
            self.found = Some(if is_text && is_flat {
                Found::Leaf(self.leaves)
            } else {
                Found::Other
            });
        }
        match children {
            0 => self.leaves += 1,
            _ => self.open.push(children),
        }
        Ok(())
    }

    /// The number of the text column among the columns that have values.
    fn leaf(&self) -> Result<usize, Problem> {
        match self.found {
            Some(Found::Leaf(leaf)) => Ok(leaf),
            Some(Found::Other) => Err(Problem::NotText {
                column: self.column.to_owned(),
            }),
            None => Err(Problem::NoColumn {
                column: self.column.to_owned(),
            }),
        }
    }
}

fn row_group(cursor: &mut Cursor<'_>, leaf: usize, column: &str) -> Result<Chunk, Problem> {
    let (mut chunk, mut rows, mut number) = (None, None, 0);
    cursor.fields(&mut |cursor, id, kind| match (id, kind) {
        (1, Type::List) => cursor.structs(&mut |cursor| {
            if number == leaf {
                chunk = Some(column_chunk(cursor, column)?);
            } else {
                cursor.skip(Type::Struct)?;
            }
            number += 1;
            Ok(())
        }),
        (3, Type::Int) => {
            rows = Some(cursor.count()?);
            Ok(())
        }
        _ => cursor.skip(kind),
    })?;
    let (Some(chunk), Some(rows)) = (chunk, rows) else {
        return Err(Problem::Malformed(
            "a row group lacks the text column or its number of rows",
        ));
    };
    // A flat column has one value, or nothing, for each row.
    if chunk.rows == rows {
        Ok(chunk)
    } else {
        Err(Problem::Malformed("a column has not one value a row"))
    }
}

fn column_chunk(cursor: &mut Cursor<'_>, column: &str) -> Result<Chunk, Problem> {
    let mut found = None;
    cursor.fields(&mut |cursor, id, kind| match (id, kind) {
        (1, _) => Err(Problem::Unsupported("columns in other files")),
        (3, Type::Struct) => {
            found = Some(column_metadata(cursor, column)?);
            Ok(())
        }
        _ => cursor.skip(kind),
    })?;
    found.ok_or(Problem::Malformed("a column has no description"))
}

fn column_metadata(cursor: &mut Cursor<'_>, column: &str) -> Result<Chunk, Problem> {
    let (mut codec, mut values, mut length, mut data, mut dictionary) = (None, None, None, None, None);
    cursor.fields(&mut |cursor, id, kind| {
        match (id, kind) {
            (1, Type::Int) if cursor.count()? != BYTE_ARRAY => {
                return Err(Problem::Malformed(
                    "a column is of another type than its schema says",
                ));
            }
            (1, Type::Int) => {}
            (3, Type::List) => {
                if cursor.list()? != (1, Type::Binary) || cursor.binary()? != column.as_bytes() {
                    return Err(Problem::Malformed(
                        "its columns are in another order than its schema",
                    ));
                }
            }
            (4, Type::Int) => codec = Some(Codec::new(cursor.count()?)?),
            (5, Type::Int) => values = Some(cursor.count()?),
            (7, Type::Int) => length = Some(cursor.count()?),
            (9, Type::Int) => data = Some(cursor.count()?),
            (11, Type::Int) => dictionary = Some(cursor.count()?),
            _ => cursor.skip(kind)?,
        }
        Ok(())
    })?;
    let (Some(codec), Some(rows), Some(length_bytes), Some(data)) = (codec, values, length, data) else {
        return Err(Problem::Malformed("the description of a column is incomplete"));
    };
    // Some writers put a zero where there is no dictionary.
    let offset = dictionary
        .filter(|offset| *offset > 0)
        .map_or(data, |dictionary| dictionary.min(data));
    Ok(Chunk {
        offset,
        length_bytes,
        rows,
        codec,
    })
}
