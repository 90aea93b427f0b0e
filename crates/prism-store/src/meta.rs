//! Small facts about the store itself that must survive a restart, by key: its slug, whether the queue is paused.

use rusqlite::params;

use crate::{Read, Result, Write};

/// The value of a key, if it was set.
pub fn get(tx: &Read, key: &str) -> Result<Option<String>> {
    tx.one("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0))
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
