//! Locks on byte ranges of an open file, which the kernel takes back when the last descriptor is closed.
//!
//! For whoever must know that no other process of this machine is at the same thing. They belong to the open file
//! and not to the process (`F_OFD_SETLK`), so two openings in one process exclude each other too. A shared lock needs a
//! file that is open for reading, an exclusive one a file that is open for writing: who may not write to the file can
//! exclude nobody from sharing it. It must never wait: who waits wants to say so, and to be stopped.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Whom a lock excludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Who wants the range exclusively.
    Shared,
    /// Everybody.
    Exclusive,
}

/// A lock that somebody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignLock {
    /// Whom it excludes.
    pub kind: LockKind,
    /// The first byte after it; `None` where it reaches to the end of every file.
    pub end: Option<u64>,
}

/// Locks `bytes` from `start`; `false` if somebody else's lock is in the way. What this file holds there already is
/// replaced.
pub fn try_lock_range(file: &File, kind: LockKind, start: u64, bytes: u64) -> io::Result<bool> {
    let mut lock = describe(type_of(kind), start, bytes)?;
    match control(file, libc::F_OFD_SETLK, &mut lock) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes back what this file holds of a range.
pub fn unlock_range(file: &File, start: u64, bytes: u64) -> io::Result<()> {
    control(
        file,
        libc::F_OFD_SETLK,
        &mut describe(libc::F_UNLCK, start, bytes)?,
    )
}

/// The first lock that would be in the way of `kind` on a range. Own locks are not.
pub fn foreign_lock(file: &File, kind: LockKind, start: u64, bytes: u64) -> io::Result<Option<ForeignLock>> {
    let mut lock = describe(type_of(kind), start, bytes)?;
    control(file, libc::F_OFD_GETLK, &mut lock)?;
    let found = i32::from(lock.l_type);
    if found == libc::F_UNLCK {
        return Ok(None);
    }
    let (from, length) = (
        u64::try_from(lock.l_start).unwrap_or(0),
        u64::try_from(lock.l_len).unwrap_or(0),
    );
    Ok(Some(ForeignLock {
        kind: if found == libc::F_WRLCK {
            LockKind::Exclusive
        } else {
            LockKind::Shared
        },
        // A length of nothing stands for all there is.
        end: (length != 0).then(|| from + length),
    }))
}

fn type_of(kind: LockKind) -> i32 {
    match kind {
        LockKind::Shared => libc::F_RDLCK,
        LockKind::Exclusive => libc::F_WRLCK,
    }
}

fn describe(kind: i32, start: u64, bytes: u64) -> io::Result<libc::flock> {
    let number = |value: u64| {
        i64::try_from(value).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "beyond every file"))
    };
    if bytes == 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a lock of no bytes"));
    }
    // SAFETY: `flock` is a struct of integers, for which all zeros is a value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = i16::try_from(kind).unwrap_or_default();
    lock.l_whence = i16::try_from(libc::SEEK_SET).unwrap_or_default();
    lock.l_start = number(start)?;
    lock.l_len = number(bytes)?;
    Ok(lock)
}

fn control(file: &File, command: i32, lock: &mut libc::flock) -> io::Result<()> {
    // SAFETY: the descriptor is open for the length of the call, and the three commands read and write one `flock`,
    // which is borrowed exclusively.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), command, std::ptr::from_mut(lock)) };
    if answer == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openings() -> (tempfile::NamedTempFile, File, File, File) {
        let named = tempfile::NamedTempFile::new().unwrap();
        let open = |write| {
            File::options()
                .read(true)
                .write(write)
                .open(named.path())
                .unwrap()
        };
        let (a, b, reader) = (open(true), open(true), open(false));
        (named, a, b, reader)
    }

    #[test]
    fn shared_beside_shared_and_exclusive_beside_nobody() {
        let (_named, a, b, reader) = openings();
        assert!(try_lock_range(&a, LockKind::Shared, 0, 1).unwrap());
        assert!(try_lock_range(&reader, LockKind::Shared, 0, 1).unwrap());
        assert!(!try_lock_range(&b, LockKind::Exclusive, 0, 1).unwrap());
        assert!(
            try_lock_range(&b, LockKind::Exclusive, 1, 1).unwrap(),
            "another byte"
        );
        drop(reader);
        unlock_range(&a, 0, 1).unwrap();
        assert!(try_lock_range(&b, LockKind::Exclusive, 0, 1).unwrap());
        assert!(!try_lock_range(&a, LockKind::Shared, 0, 1).unwrap());
        drop(b);
        assert!(
            try_lock_range(&a, LockKind::Shared, 0, 1).unwrap(),
            "closing releases"
        );
    }

    #[test]
    fn who_may_only_read_excludes_nobody_from_sharing() {
        let (_named, _, _, reader) = openings();
        let error = try_lock_range(&reader, LockKind::Exclusive, 0, 1).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        assert!(
            foreign_lock(&reader, LockKind::Exclusive, 0, 1)
                .unwrap()
                .is_none(),
            "asking needs no more than reading"
        );
    }

    #[test]
    fn the_first_lock_in_the_way_is_told() {
        let (_named, a, b, reader) = openings();
        assert!(try_lock_range(&a, LockKind::Shared, 3, 1).unwrap());
        assert!(try_lock_range(&b, LockKind::Exclusive, 5, 2).unwrap());
        let first = foreign_lock(&reader, LockKind::Exclusive, 1, 100).unwrap();
        let shared = ForeignLock {
            kind: LockKind::Shared,
            end: Some(4),
        };
        assert_eq!(first, Some(shared));
        let in_the_way_of_sharing = foreign_lock(&reader, LockKind::Shared, 1, 100).unwrap();
        let exclusive = ForeignLock {
            kind: LockKind::Exclusive,
            end: Some(7),
        };
        assert_eq!(in_the_way_of_sharing, Some(exclusive));
        assert_eq!(
            foreign_lock(&a, LockKind::Exclusive, 3, 1).unwrap(),
            None,
            "one's own is not"
        );
    }

    #[test]
    fn a_range_that_no_file_has_is_refused() {
        let (_named, a, ..) = openings();
        for (start, bytes) in [(0, 0), (u64::MAX, 1), (0, u64::MAX)] {
            assert!(try_lock_range(&a, LockKind::Shared, start, bytes).is_err());
        }
    }
}
