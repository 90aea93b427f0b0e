//! The lock that says that a run is alive: held on a file in its directory for as long as its evaluation goes on.
//!
//! Taken by [`crate::evaluate`] when it has made the directory, released by the kernel when the process ends, however
//! it ends. Who looks at a run asks [`is_held`]; nothing here goes by ages or numbers of processes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use prism_sandbox::{LockKind, foreign_lock, try_lock_range};

use crate::run_dir::{LOCK_FILE, PARTIAL_SUFFIX, RunDir};

/// The byte that is locked.
const BYTE: u64 = 0;

/// The lock of one run, until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct RunLock {
    /// Closing it gives the lock back.
    _file: File,
}

impl RunLock {
    /// Takes the lock of a new directory. The file appears there already locked, so that nobody sees a run that is
    /// about to begin and takes it for dead.
    pub(crate) fn take(dir: &RunDir) -> io::Result<Self> {
        let partial = dir.file(&format!(".{LOCK_FILE}{PARTIAL_SUFFIX}"));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)?;
        if !try_lock_range(&file, LockKind::Exclusive, BYTE, 1)? {
            return Err(io::Error::other("somebody else has locked it"));
        }
        // For whoever wants to send it a signal; to be believed only while the lock is held.
        writeln!(file, "{}", std::process::id())?;
        fs::rename(&partial, dir.file(LOCK_FILE))?;
        Ok(Self { _file: file })
    }
}

/// Whether somebody holds the lock of the run in this directory. An error is neither yes nor no.
pub fn is_held(dir: &Path) -> io::Result<bool> {
    let path = dir.join(LOCK_FILE);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(io::Error::other("the lock is no regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let file = File::open(path)?;
    Ok(foreign_lock(&file, LockKind::Exclusive, BYTE, 1)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_alive_while_its_lock_is_held() {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::create(&temp.path().join("run")).unwrap();
        assert!(!is_held(dir.path()).unwrap(), "there is none yet");
        let lock = RunLock::take(&dir).unwrap();
        assert!(is_held(dir.path()).unwrap());
        let pid = fs::read_to_string(dir.file(LOCK_FILE)).unwrap();
        assert_eq!(pid.trim(), std::process::id().to_string());
        drop(lock);
        assert!(!is_held(dir.path()).unwrap(), "the file stays and says nothing");
        assert!(dir.file(LOCK_FILE).exists());
    }

    #[test]
    fn what_is_no_lock_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join(LOCK_FILE)).unwrap();
        assert!(is_held(temp.path()).is_err());
    }
}
