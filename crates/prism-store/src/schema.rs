//! The tables of the store, by numbered migrations that are only ever added, and what of them a file has.
//!
//! A file says its version in `user_version` and keeps the digest of each migration that made it. A file that is newer,
//! altered or something else is refused before anything is written.

use std::path::Path;

use prism_core::{hash::Sha256Hash, time::Timestamp};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::{Result, StoreError};

/// `PRSM`: says that the file is ours.
const APPLICATION_ID: i32 = 0x5052_534d;

/// The migrations, in order. The version of a file is the number of those that it has.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("schema/0001.sql"), include_str!("schema/0002.sql")];

/// Brings a file to the present version, one transaction a migration.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
    now: Timestamp,
) -> Result<()> {
    let has = check(connection, path, migrations)?;
    for (version, migration) in (1_u32..).zip(migrations).skip(has) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version == 1 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.execute_batch(
                "CREATE TABLE migrations (
                     version    INTEGER PRIMARY KEY CHECK (version >= 1),
                     sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
                     applied_at INTEGER NOT NULL
                 ) STRICT",
            )?;
        }
        transaction.execute_batch(migration)?;
        transaction.execute(
            "INSERT INTO migrations (version, sha256, applied_at) VALUES (?, ?, ?)",
            params![version, Sha256Hash::of(migration.as_bytes()).0, now.0],
        )?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Refuses a file that is something else, newer or altered. Writes nothing.
pub(crate) fn must_be_ours(connection: &Connection, path: &Path) -> Result<()> {
    check(connection, path, MIGRATIONS).map(drop)
}

/// How many of the migrations the file has; an error where it is not one of ours, or not of these.
fn check(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<usize> {
    let not_a_store = |what: String| StoreError::NotAStore {
        path: path.to_owned(),
        what,
    };
    let application: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|error| match StoreError::from(error) {
            StoreError::Damaged(what) => not_a_store(what),
            other => other,
        })?;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return if application == 0 && found == 0 && tables == 0 {
            Ok(0)
        } else {
            Err(not_a_store(format!(
                "application id {application}, {tables} tables and indices"
            )))
        };
    }
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            known,
        });
    }
    let mut statement = connection.prepare("SELECT version, sha256 FROM migrations ORDER BY version")?;
    let applied: Vec<(u32, [u8; 32])> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let has = found as usize;
    if applied.len() != has {
        return Err(StoreError::Damaged(format!(
            "its version is {found}, and {} migrations were applied",
            applied.len()
        )));
    }
    for ((version, digest), (expected, migration)) in applied.into_iter().zip((1_u32..).zip(migrations)) {
        if version != expected || digest != Sha256Hash::of(migration.as_bytes()).0 {
            return Err(StoreError::AlteredSchema {
                path: path.to_owned(),
                version: expected,
            });
        }
    }
    Ok(has)
}
