//! The folder of blobs: files named by the SHA-256 of their bytes, complete or not there.
//!
//! ```text
//! blobs/tmp/...        being written
//! blobs/4d/603fcf...   written, synced, renamed, and the folder synced, before [`Blobs::put`] returns
//! ```
//!
//! A row names a blob only after it was put. What no row names stays for an hour, since whoever put it may be about to
//! name it; then [`Blobs::sweep_unnamed`] may remove it. Bytes are checked against the name whenever they are read, and when
//! they are put again. A blob is never changed; one that is damaged is replaced by whoever puts its bytes again.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use prism_core::{hash::Sha256Hash, time::Timestamp};
use tempfile::NamedTempFile;

use crate::{Result, StoreError, disk, store::make_private_folder};

/// Where blobs are written before they have their name.
const TEMPORARY: &str = "tmp";
/// How long somebody who has put a blob may take to name it. Counted by a clock that cannot be set.
const NAMED_WITHIN: Duration = Duration::from_hours(1);

/// The folder of blobs of a store. Clones are the same folder.
#[derive(Clone, Debug)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    /// When blobs were last put by this process. Held while a blob is found to exist, or removed: a blob that somebody
    /// was told to be there must not be swept.
    put: Mutex<HashMap<Sha256Hash, Instant>>,
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

impl Blobs {
    /// Opens the folder, which is made if it is not there. What an earlier process left half written is removed.
    pub(crate) fn at(dir: &Path) -> Result<Self> {
        let temporary = dir.join(TEMPORARY);
        make_private_folder(&temporary)?;
        for entry in entries(&temporary)? {
            fs::remove_file(&entry).map_err(|error| StoreError::io("removing", &entry, error))?;
        }
        disk::sync_folder(dir)?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                put: Mutex::new(HashMap::new()),
            }),
        })
    }

    /// Stores bytes and returns their name. When this returns they are on the disk. Putting the same again is no error.
    pub fn put(&self, bytes: &[u8]) -> Result<Sha256Hash> {
        let hash = Sha256Hash::of(bytes);
        if self.is_put(&hash, bytes.len() as u64)? {
            return Ok(hash);
        }
        let mut file = self.temporary()?;
        file.write_all(bytes)
            .map_err(|error| StoreError::io("writing", file.path(), error))?;
        self.name(file, hash)
    }

    /// Stores a copy of a file.
    pub fn put_file(&self, path: &Path) -> Result<Sha256Hash> {
        let source = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
            .map_err(|error| StoreError::io("opening", path, error))?;
        self.put_reader(source, path)
    }

    /// Stores what a reader yields; `from` is for the error.
    pub(crate) fn put_reader(&self, source: impl io::Read, from: &Path) -> Result<Sha256Hash> {
        let file = self.temporary()?;
        let mut copy = Copying {
            source,
            target: file.as_file(),
            failed: None,
        };
        let read = Sha256Hash::of_reader(&mut copy);
        if let Some(error) = copy.failed {
            return Err(StoreError::io("writing", file.path(), error));
        }
        let hash = read.map_err(|error| StoreError::io("reading", from, error))?;
        let bytes = file
            .as_file()
            .metadata()
            .map_err(|error| StoreError::io("looking at", file.path(), error))?
            .len();
        if self.is_put(&hash, bytes)? {
            return Ok(hash);
        }
        self.name(file, hash)
    }

    /// Whether a blob is there. Its bytes are checked when they are read.
    pub fn has(&self, hash: &Sha256Hash) -> Result<bool> {
        Ok(self.size(hash)?.is_some())
    }

    /// The size of a blob, if it is there.
    pub fn size(&self, hash: &Sha256Hash) -> Result<Option<u64>> {
        let path = self.path(hash);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(StoreError::BlobDamaged { hash: *hash, path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("looking at", &path, error)),
        }
    }

    /// Opens a blob, whose bytes have been checked, at its start.
    pub fn open(&self, hash: &Sha256Hash) -> Result<File> {
        let path = self.path(hash);
        let mut file = Self::file(hash, &path)?;
        let found = Sha256Hash::of_reader(&mut file)
            .and_then(|found| file.rewind().map(|()| found))
            .map_err(|error| StoreError::io("reading", &path, error))?;
        if found == *hash {
            Ok(file)
        } else {
            Err(StoreError::BlobDamaged { hash: *hash, path })
        }
    }

    /// The bytes of a blob, checked, if there are at most so many.
    pub fn read(&self, hash: &Sha256Hash, max_bytes: u64) -> Result<Vec<u8>> {
        let path = self.path(hash);
        let file = Self::file(hash, &path)?;
        let mut bytes = Vec::new();
        file.take(max_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::io("reading", &path, error))?;
        if bytes.len() as u64 > max_bytes {
            return Err(StoreError::BlobTooLarge {
                hash: *hash,
                bytes: self.size(hash)?.unwrap_or_default(),
                max_bytes,
            });
        }
        if Sha256Hash::of(&bytes) == *hash {
            Ok(bytes)
        } else {
            Err(StoreError::BlobDamaged { hash: *hash, path })
        }
    }

    /// All blobs, in no order.
    pub fn all(&self) -> Result<Vec<Sha256Hash>> {
        let mut found = Vec::new();
        for folder in entries(&self.inner.dir)? {
            let Some(start) = folder.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if start.len() != 2 {
                continue;
            }
            for file in entries(&folder)? {
                let rest = file
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                found.extend(Sha256Hash::parse(&format!("{start}{rest}")));
            }
        }
        Ok(found)
    }

    /// Removes what is not named, was last written before `older_than`, and was not put by this process within the last
    /// hour. `named` must be the truth of a moment after this was called, or earlier: a blob that is named later was put
    /// within the hour.
    pub fn sweep_unnamed(&self, named: &dyn Fn(&Sha256Hash) -> bool, older_than: Timestamp) -> Result<Swept> {
        let mut swept = Swept::default();
        for hash in self.all()? {
            if named(&hash) {
                self.put_times().remove(&hash);
                continue;
            }
            let path = self.path(&hash);
            let mut put = self.put_times();
            if put.get(&hash).is_some_and(|at| at.elapsed() < NAMED_WITHIN) {
                continue;
            }
            let found = match fs::symlink_metadata(&path) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(StoreError::io("looking at", &path, error)),
            };
            if written_at(&found) >= older_than {
                continue;
            }
            fs::remove_file(&path).map_err(|error| StoreError::io("removing", &path, error))?;
            put.remove(&hash);
            swept.files += 1;
            swept.bytes += found.len();
        }
        Ok(swept)
    }

    /// Where a blob lies.
    pub fn path(&self, hash: &Sha256Hash) -> PathBuf {
        let name = hash.to_string();
        let (folder, file) = name.split_at(2);
        self.inner.dir.join(folder).join(file)
    }

    fn put_times(&self) -> MutexGuard<'_, HashMap<Sha256Hash, Instant>> {
        self.inner.put.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(hash: &Sha256Hash, path: &Path) -> Result<File> {
        File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::BlobMissing(*hash),
            _ => StoreError::io("opening", path, error),
        })
    }

    /// Whether the blob is there already, whole; then it counts as put now. One that is damaged is not, and what is about
    /// to be written replaces it: whoever brings the bytes again mends it.
    fn is_put(&self, hash: &Sha256Hash, bytes: u64) -> Result<bool> {
        {
            let mut put = self.put_times();
            if self.size(hash)? != Some(bytes) {
                return Ok(false);
            }
            // Before it is read, so that it is not swept meanwhile.
            put.insert(*hash, Instant::now());
        }
        match self.open(hash) {
            Ok(_) => {}
            // A disk that cannot read it may be able to write another.
            Err(StoreError::BlobDamaged { .. } | StoreError::BlobMissing(_) | StoreError::Io { .. }) => {
                return Ok(false);
            }
            Err(other) => return Err(other),
        }
        // Somebody else may have named it a moment ago and not yet synced the folder.
        disk::sync_folder(&self.folder(hash)?)?;
        Ok(true)
    }

    fn temporary(&self) -> Result<NamedTempFile> {
        let dir = self.inner.dir.join(TEMPORARY);
        NamedTempFile::new_in(&dir).map_err(|error| StoreError::io("making a file in", &dir, error))
    }

    /// Syncs a complete file, gives it its name, and syncs the folder.
    fn name(&self, file: NamedTempFile, hash: Sha256Hash) -> Result<Sha256Hash> {
        file.as_file()
            .sync_all()
            .map_err(|error| StoreError::io("syncing", file.path(), error))?;
        let path = self.path(&hash);
        let folder = self.folder(&hash)?;
        self.put_times().insert(hash, Instant::now());
        file.persist(&path)
            .map_err(|error| StoreError::io("naming", &path, error.error))?;
        disk::sync_folder(&folder)?;
        Ok(hash)
    }

    /// The folder of a blob, made where it is missing.
    fn folder(&self, hash: &Sha256Hash) -> Result<PathBuf> {
        let name = hash.to_string();
        let folder = self.inner.dir.join(&name[..2]);
        if !folder.is_dir() {
            make_private_folder(&folder)?;
            disk::sync_folder(&self.inner.dir)?;
        }
        Ok(folder)
    }
}

/// Reads from one place and writes what it reads to another.
struct Copying<'a, R> {
    source: R,
    target: &'a File,
    /// Why writing failed, so that it is not told as a failure to read.
    failed: Option<io::Error>,
}

impl<R: io::Read> io::Read for Copying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if let Err(error) = self.target.write_all(&buffer[..read]) {
            self.failed = Some(error);
            return Err(io::Error::other("the copy failed"));
        }
        Ok(read)
    }
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    list().map_err(|error| StoreError::io("listing", dir, error))
}

/// When a file was last written, by the clock of that time.
fn written_at(found: &fs::Metadata) -> Timestamp {
    use std::os::unix::fs::MetadataExt as _;
    Timestamp(
        found
            .mtime()
            .saturating_mul(1_000_000)
            .saturating_add(found.mtime_nsec() / 1000),
    )
}
