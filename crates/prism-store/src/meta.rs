//! Small facts about the store itself that must survive a restart, by key: its slug, whether the queue is paused.

use rusqlite::{OptionalExtension as _, params};

use crate::{Read, Result, Write};

/// The value of a key, if it was set.
pub fn get(tx: &Read, key: &str) -> Result<Option<String>> {
    let mut statement = tx.conn.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets a key, or removes it.
pub fn set(tx: &Write, key: &str, value: Option<&str>) -> Result<()> {
    match value {
        Some(value) => tx.conn.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value],
        )?,
        None => tx.conn.execute("DELETE FROM meta WHERE key = ?", [key])?,
    };
    Ok(())
}
