//! One store, one server: a lock on a file in the folder, held as long as the store is open.
//!
//! The kernel gives it back when the process ends, however it ends. Programs that the server starts do not inherit it:
//! the descriptor is closed when they begin.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use crate::{Result, StoreError};

/// The file's name in the folder of the store.
const FILE: &str = "store.lock";
/// Longest number of a process that is read from it, in bytes.
const PID_BYTES_MAX: u64 = 20;

/// The lock, until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closing it gives the lock back.
    _file: File,
}

impl Lock {
    /// Takes the lock of a store, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| StoreError::io("opening", &path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(StoreError::Locked {
                    path: dir.to_owned(),
                    pid: holder(&file),
                });
            }
            Err(error) => return Err(StoreError::io("locking", &path, error.into())),
        }
        // For people only; the lock alone decides. A disk that is too full for it must not keep a server from starting.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &File) -> String {
    let mut text = String::new();
    match file.take(PID_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) if text.trim().parse::<u32>().is_ok() => text.trim().to_owned(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_has_gone() {
        let temp = tempfile::tempdir().unwrap();
        let first = Lock::take(temp.path()).unwrap();
        let StoreError::Locked { pid, .. } = Lock::take(temp.path()).unwrap_err() else {
            panic!("another error");
        };
        assert_eq!(pid, std::process::id().to_string());
        drop(first);
        drop(Lock::take(temp.path()).unwrap());
        std::fs::write(temp.path().join(FILE), "nobody\u{7}").unwrap();
        let again = Lock::take(temp.path()).unwrap();
        std::fs::write(temp.path().join(FILE), "nobody\u{7}").unwrap();
        let error = Lock::take(temp.path()).unwrap_err().to_string();
        assert!(error.contains("process unknown"), "{error}");
        drop(again);
    }
}
