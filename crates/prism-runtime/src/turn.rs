//! One process at a time: whoever makes something in the data directory holds a locked file meanwhile.
//!
//! `install` and `views` take turns, each with a file of its own. The operating system gives a turn back when the file is
//! closed, however that happens; the file itself stays.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::RuntimeError;

/// How often a waiting process looks whether the other one is done.
const WAIT_INTERVAL: Duration = Duration::from_millis(200);

/// Waits until no other process holds the turn. `stop` is asked meanwhile; `on_wait` is called once, if there is a wait.
pub(crate) fn take(
    path: &Path,
    stop: &dyn Fn() -> bool,
    on_wait: &mut dyn FnMut(),
) -> Result<File, RuntimeError> {
    let mut told = false;
    loop {
        if let Some(file) = try_take(path)? {
            return Ok(file);
        }
        if stop() {
            return Err(RuntimeError::Cancelled);
        }
        if !told {
            on_wait();
            told = true;
        }
        std::thread::sleep(WAIT_INTERVAL);
    }
}

/// Takes the turn if nobody has it.
pub(crate) fn try_take(path: &Path) -> Result<Option<File>, RuntimeError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(RuntimeError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(reason)) => Err(RuntimeError::io("lock", path)(reason)),
    }
}
