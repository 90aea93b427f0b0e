//! A copy of the store while it is in use: a folder that is itself a store.
//!
//! The database goes first, from one snapshot and compacted; then the blobs that it names, which were all there before it
//! named them. The folder gets its name when all of it is on the disk and was checked: what has the name is whole.

use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt as _, path::Path};

use prism_core::hash::Sha256Hash;
use rustix::fs::{CWD, RenameFlags};

use crate::{
    Blobs, Read, Result, Store, StoreError, disk,
    store::{BLOBS_FOLDER, DATABASE_FILE, create_private_file, open_for_reading},
};

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Size of its database.
    pub database_bytes: u64,
    /// Blobs.
    pub blobs: u64,
    /// Their size.
    pub blob_bytes: u64,
}

impl Store {
    /// Writes a backup to a folder that must not exist yet. A server started on that folder goes on from there.
    pub fn backup(&self, to: &Path) -> Result<Backup> {
        if to.symlink_metadata().is_ok() {
            return Err(StoreError::NotAllowed(format!(
                "{} exists already: a backup needs a new name",
                to.display()
            )));
        }
        let above = to
            .parent()
            .filter(|above| !above.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."));
        // For its owner alone, and gone if this fails.
        let partial = tempfile::Builder::new()
            .prefix(to.file_name().unwrap_or_default())
            .suffix(".partial")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(above)
            .map_err(|error| StoreError::io("making a folder in", above, error))?;
        let written = self.write_backup(partial.path())?;
        rustix::fs::renameat_with(CWD, partial.path(), CWD, to, RenameFlags::NOREPLACE)
            .map_err(|error| StoreError::io("naming", to, error.into()))?;
        disk::sync_folder(above)?;
        Ok(written)
    }

    fn write_backup(&self, to: &Path) -> Result<Backup> {
        // A connection of its own: a large copy must keep no reader waiting.
        let source = open_for_reading(&self.dir().join(DATABASE_FILE))?;
        let path = to.join(DATABASE_FILE);
        let target = path
            .to_str()
            .ok_or_else(|| StoreError::NotAllowed(format!("{} is not UTF-8", path.display())))?;
        create_private_file(&path)?;
        source.conn.execute("VACUUM INTO ?", [target])?;
        drop(source);
        let file = fs::File::open(&path).map_err(|error| StoreError::io("opening", &path, error))?;
        file.sync_all()
            .map_err(|error| StoreError::io("syncing", &path, error))?;
        let copy = open_for_reading(&path)?;
        let verdict: String = copy
            .conn
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::Damaged(verdict));
        }
        let mut backup = Backup {
            database_bytes: file
                .metadata()
                .map_err(|error| StoreError::io("looking at", &path, error))?
                .len(),
            blobs: 0,
            blob_bytes: 0,
        };
        let blobs = Blobs::at(&to.join(BLOBS_FOLDER))?;
        for hash in named_blobs(&copy)? {
            let from = self.blobs().path(&hash);
            let copied = blobs.put_reader(self.blobs().open(&hash)?, &from)?;
            if copied != hash {
                return Err(StoreError::BlobDamaged { hash, path: from });
            }
            backup.blobs += 1;
            backup.blob_bytes += blobs.size(&hash)?.unwrap_or_default();
        }
        disk::sync_folder(to)?;
        Ok(backup)
    }
}

/// All blobs that a row names.
pub fn named_blobs(tx: &Read) -> Result<HashSet<Sha256Hash>> {
    const COLUMNS: [(&str, &str); 12] = [
        ("submissions", "zip_sha256"),
        ("rounds", "reference_sha256"),
        ("attempts", "evidence_sha256"),
        ("late_results", "evidence_sha256"),
        ("results", "curve_sha256"),
        ("results", "record_sha256"),
        ("results", "targets_sha256"),
        ("results", "manifest_sha256"),
        ("results", "report_sha256"),
        ("results", "logs_sha256"),
        ("results", "events_sha256"),
        ("results", "profile_sha256"),
    ];
    let mut named = HashSet::new();
    for (table, column) in COLUMNS {
        let mut statement = tx.conn.prepare(&format!(
            "SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
        ))?;
        let hashes = statement.query_map([], |row| row.get(0).map(Sha256Hash))?;
        for hash in hashes {
            named.insert(hash?);
        }
    }
    Ok(named)
}
