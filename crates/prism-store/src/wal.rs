//! The write-ahead log, kept from growing for ever.
//!
//! SQLite begins the log anew when all of it has been copied to the database and nobody reads from it. Where there is always
//! some reader, that moment never comes by itself. So the writing thread looks at its length from time to time, and where it
//! is too long waits for the readers of that moment; those that come meanwhile read the database alone.

use std::time::Duration;

use crate::{Result, StoreError, Write, store::BUSY_TIMEOUT};

/// Longer than this it is cut.
pub(crate) const MOST_BYTES: u64 = 64 << 20;
/// How long the writing thread waits for readers. A backup reads for longer, and the log is cut after it.
const PATIENCE: Duration = Duration::from_millis(100);

/// Cuts the log if it is longer than that. Whether it was cut.
pub(crate) fn shorten(tx: &Write, most_bytes: u64) -> Result<bool> {
    let Some(database) = tx.conn.path() else {
        return Ok(false);
    };
    let path = std::path::PathBuf::from(format!("{database}-wal"));
    let length = std::fs::metadata(&path)
        .map_err(|error| StoreError::io("looking at", &path, error))?
        .len();
    if length <= most_bytes {
        return Ok(false);
    }
    tx.conn.busy_timeout(PATIENCE)?;
    let cut = tx
        .conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    tx.conn.busy_timeout(BUSY_TIMEOUT)?;
    Ok(cut? == 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Store, meta};

    #[test]
    fn a_log_that_readers_keep_open_is_cut_when_they_have_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), prism_core::time::Timestamp(0)).unwrap();
        let length = || fs::metadata(dir.path().join("prism.sqlite3-wal")).unwrap().len();
        let fill = |what: &'static str| {
            store
                .write(move |tx| meta::set(tx, what, Some(&"x".repeat(500_000))))
                .unwrap();
        };
        let shorten = || {
            store.write(|tx| {
                // Outside of the group's transaction, as the writing thread does it.
                tx.conn.execute_batch("COMMIT")?;
                let cut = shorten(tx, 400_000);
                tx.conn.execute_batch("BEGIN IMMEDIATE; SAVEPOINT job")?;
                cut
            })
        };
        fill("before");
        store
            .read(|tx| {
                assert!(meta::get(tx, "before")?.is_some());
                fill("meanwhile");
                assert!(!shorten().unwrap(), "somebody reads from it");
                assert!(length() > 1_000_000);
                assert!(
                    meta::get(tx, "meanwhile")?.is_none(),
                    "and goes on reading what he read"
                );
                Ok(())
            })
            .unwrap();
        assert!(shorten().unwrap());
        assert_eq!(length(), 0);
        assert!(!shorten().unwrap(), "there is nothing to cut");
        assert!(store.read(|tx| meta::get(tx, "meanwhile")).unwrap().is_some());
    }
}
