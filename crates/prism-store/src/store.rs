//! The store itself: opened once by one process, read by four connections, written by one thread.

use std::{
    fmt,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use prism_core::{hash::Sha256Hash, time::Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Params, Row, config::DbConfig};

use crate::{
    Blobs, Result, StoreError,
    backup::named_blobs,
    blobs::Swept,
    disk,
    events::{Notify, Written},
    lock::Lock,
    readers::Readers,
    schema,
    writer::Writer,
};

/// The database's name in the folder of the store.
pub const DATABASE_FILE: &str = "prism.sqlite3";
/// The name of the folder of blobs.
pub const BLOBS_FOLDER: &str = "blobs";
/// How long a blob stays that no row names.
const UNNAMED_SECONDS: i64 = 3600;
/// How long a connection waits for a lock of SQLite's own (recovery, checkpoint) before it gives up.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// What is kept of the write-ahead log after a checkpoint, in bytes.
const JOURNAL_BYTES: i64 = 64 << 20;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 128;

/// An open store. Clones are the same store; the last one that goes closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Fields are dropped in this order: the writing thread is the last to close the database, and then gives the lock back.
struct Inner {
    readers: Readers,
    writer: Writer,
    blobs: Blobs,
    dir: PathBuf,
}

/// A consistent view of the store, for as long as a closure runs. Everything that only looks takes it.
pub struct Read {
    pub(crate) conn: Connection,
}

impl Read {
    /// All rows of a question, each read by `of`. The statement is planned once for a connection.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The first row of a question, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        of: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, of).optional()?)
    }
}

/// A job's view of the store: it sees what it has written itself.
pub struct Write {
    read: Read,
    pub(crate) blobs: Blobs,
    /// The events that this group has written so far: their numbers, and whose they are.
    pub(crate) written: std::cell::RefCell<Vec<Written>>,
}

impl Deref for Write {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.read
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.inner.dir)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store of a folder, which is made if it is not there, and brings its tables to the present version.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self> {
        make_private_folder(dir)?;
        disk::must_be_local(dir)?;
        let lock = Lock::take(dir)?;
        let blobs = Blobs::at(&dir.join(BLOBS_FOLDER))?;
        let path = dir.join(DATABASE_FILE);
        let writing = open_for_writing(&path, now)?;
        disk::sync_folder(dir)?;
        let readers = Readers::open(&path)?;
        let writer = Writer::start(Write::on(writing, blobs.clone()), lock)?;
        Ok(Self {
            inner: Arc::new(Inner {
                readers,
                writer,
                blobs,
                dir: dir.to_owned(),
            }),
        })
    }

    /// Runs a job on the writing thread and returns once it is committed. The job must be short and must not call
    /// [`Store::write`] itself. If it returns an error or panics nothing of it is stored.
    pub fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Write) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.write_then(job, move |result| {
            // Whoever asked and does not wait any more needs no answer.
            let _ = answer.send(result);
        });
        answered.recv().unwrap_or(Err(StoreError::Stopped))
    }

    /// The same without waiting: `done` is called on the writing thread after the commit, so it must only hand the answer
    /// on.
    pub fn write_then<T, F, D>(&self, job: F, done: D)
    where
        T: Send + 'static,
        F: FnOnce(&Write) -> Result<T> + Send + 'static,
        D: FnOnce(Result<T>) + Send + 'static,
    {
        self.inner.writer.send(job, done);
    }

    /// Runs a reader on a snapshot. It must be short: a snapshot that stays open keeps the write-ahead log from being
    /// shortened.
    pub fn read<T>(&self, reader: impl FnOnce(&Read) -> Result<T>) -> Result<T> {
        self.inner.readers.read(reader)
    }

    /// Calls `notify` after each commit that added events, with which and whose. On the writing thread: it must only wake
    /// somebody.
    pub fn subscribe(&self, notify: Box<Notify>) {
        self.inner.writer.subscribe(notify);
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Removes the blobs that no row names and that are older than an hour: what was put for an upload that was then refused,
    /// or by a server that was killed in between.
    pub fn sweep(&self, now: Timestamp) -> Result<Swept> {
        let named = self.read(named_blobs)?;
        self.inner
            .blobs
            .sweep_unnamed(&|hash| named.contains(hash), now.plus_seconds(-UNNAMED_SECONDS))
    }

    /// The folder of the store.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Bytes that may still be written to the disk of the store: a server refuses uploads long before it is 0.
    pub fn free_bytes(&self) -> Result<u64> {
        disk::free_bytes(&self.inner.dir)
    }
}

impl Write {
    /// Jobs of this connection.
    pub(crate) fn on(conn: Connection, blobs: Blobs) -> Self {
        Self {
            read: Read { conn },
            blobs,
            written: std::cell::RefCell::default(),
        }
    }

    /// Refuses to name a blob that is not there: blobs are written before the rows that name them.
    pub(crate) fn must_have_blob(&self, hash: &Sha256Hash) -> Result<()> {
        if self.blobs.has(hash)? {
            Ok(())
        } else {
            Err(StoreError::BlobMissing(*hash))
        }
    }
}

/// Makes a folder that is for its owner alone, where it does not exist.
pub(crate) fn make_private_folder(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| StoreError::io("making the folder", dir, error))
}

fn open_for_writing(path: &Path, now: Timestamp) -> Result<Connection> {
    create_private_file(path)?;
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    schema::must_be_ours(&conn, path)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Database(format!(
            "the journal of {} is `{mode}` and cannot be a write-ahead log",
            path.display()
        )));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "journal_size_limit", JOURNAL_BYTES)?;
    keep_statements(&conn)?;
    schema::migrate(&mut conn, path, schema::MIGRATIONS, now)?;
    Ok(conn)
}

/// The database holds the secret of a round: nobody else reads it. SQLite gives its other files the same mode.
pub(crate) fn create_private_file(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| StoreError::io("opening", path, error))
}

/// A connection that can only read.
pub(crate) fn open_for_reading(path: &Path) -> Result<Read> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    keep_statements(&conn)?;
    Ok(Read { conn })
}

/// A statement is planned once, whatever its values are. Otherwise each new value would plan it anew where an index has a
/// condition, which costs more than most queries.
fn keep_statements(conn: &Connection) -> Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
