//! Rows into values: columns are taken in the order of the query, and a word that nobody knows is an error.
//!
//! Each module keeps its list of columns beside the function that takes them.

use prism_core::{hash::Sha256Hash, time::Timestamp};
use rusqlite::{
    Row,
    types::{FromSql, Type},
};
use thiserror::Error;

#[derive(Debug, Error)]
#[error("`{0}` is no word that this version knows")]
struct UnknownWord(String);

/// A row, read from left to right.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(crate) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    pub(crate) fn hash(&mut self) -> rusqlite::Result<Sha256Hash> {
        self.take().map(Sha256Hash)
    }

    pub(crate) fn maybe_hash(&mut self) -> rusqlite::Result<Option<Sha256Hash>> {
        Ok(self.take::<Option<[u8; 32]>>()?.map(Sha256Hash))
    }

    pub(crate) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.take().map(Timestamp)
    }

    pub(crate) fn maybe_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp))
    }

    /// A number that is never negative.
    pub(crate) fn count(&mut self) -> rusqlite::Result<u64> {
        let number: i64 = self.take()?;
        u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(self.next - 1, number))
    }

    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
        let word: String = self.take()?;
        parse(&word).ok_or_else(|| unknown(self.next - 1, word))
    }

    pub(crate) fn maybe_word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
        let Some(word) = self.take::<Option<String>>()? else {
            return Ok(None);
        };
        parse(&word).map(Some).ok_or_else(|| unknown(self.next - 1, word))
    }
}

/// The error for a word that is in no table of ours.
pub(crate) fn unknown(column: usize, word: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(UnknownWord(word)))
}

/// A count as SQLite keeps it. What is above 2^63 is no count of ours and becomes the largest.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The bytes of a digest, for a parameter.
pub(crate) fn bytes(hash: Option<&Sha256Hash>) -> Option<&[u8]> {
    hash.map(|hash| hash.0.as_slice())
}
