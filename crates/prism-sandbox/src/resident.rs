//! Keeps the file pages that a sealed sandbox has mapped in memory, so that touching one tells nothing.
//!
//! Called by `sandbox.rs`, by the caller's own process, once the seal is on: nothing more can be mapped from then on. Whether a page of a file is in
//! memory depends on everybody who reads that file, and a process sees it by the time that its first touch takes. So this process maps every such file
//! as a whole and locks it: its pages are in memory now and stay there for as long as the sandbox lives. Sandboxes that map the same files share one
//! lock. It must never lock what another process could still grow or cut, and never say that pages are held which are not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

/// `TMPFS_MAGIC`: always in memory, and the sandbox's own.
const TMPFS: rustix::fs::FsWord = 0x0102_1994;

/// More would wait for memory alone.
const WORKERS_MAX: usize = 4;

/// Device and inode number.
type FileId = (u64, u64);

/// What is locked in this process now.
static HELD: Mutex<BTreeMap<FileId, Weak<Held>>> = Mutex::new(BTreeMap::new());

/// One file, mapped as a whole and locked.
#[derive(Debug)]
pub(crate) struct Held {
    address: NonNull<libc::c_void>,
    bytes: usize,
}

// SAFETY: the mapping is read-only, nobody reads through it, and it is taken away once, by the last owner.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    fn new(file: &File, bytes: usize) -> io::Result<Self> {
        // SAFETY: a new read-only mapping at a place of the kernel's choice touches no memory of ours.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        let held = NonNull::new(address)
            .filter(|address| address.as_ptr() != libc::MAP_FAILED)
            .map(|address| Self { address, bytes })
            .ok_or_else(io::Error::last_os_error)?;
        // SAFETY: exactly the mapping that was just made.
        if unsafe { libc::mlock(held.address.as_ptr(), bytes) } != 0 {
            return Err(io::Error::last_os_error());
        }
        held.touch();
        Ok(held)
    }

    /// Reads a byte of each page. Locking puts a page into the kernel's tables only; below a hypervisor it may come to be there when it is first read.
    fn touch(&self) {
        let start = self.address.as_ptr().cast::<u8>();
        for offset in (0..self.bytes).step_by(rustix::param::page_size()) {
            // SAFETY: within the mapping, which is readable for as long as this lives. Whatever the byte is, it is not looked at.
            unsafe { start.add(offset).read_volatile() };
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `new` made; nobody else knows of it.
        unsafe { libc::munmap(self.address.as_ptr(), self.bytes) };
    }
}

/// Locks every file that one of these processes has mapped, and says how many bytes that are.
pub(crate) fn hold(members: &[i32]) -> io::Result<Vec<Arc<Held>>> {
    let mut files = BTreeMap::new();
    for pid in members {
        let links = match std::fs::read_dir(format!("/proc/{pid}/map_files")) {
            Ok(links) => links,
            // Ended meanwhile: it maps nothing any more.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for link in links {
            let path = link?.path();
            // A mapping can be gone again; it then tells nothing either.
            let Some(known) = ok_unless_gone(std::fs::metadata(&path))? else {
                continue;
            };
            let id = (known.dev(), known.ino());
            if !known.is_file() || known.len() == 0 || files.contains_key(&id) {
                continue;
            }
            if let Some(file) = ok_unless_gone(File::open(&path))? {
                files.insert(id, file);
            }
        }
    }
    hold_all(files.into_iter().collect())
}

/// Several files at a time: each page is read, which takes a second for the libraries of a sandbox.
fn hold_all(files: Vec<(FileId, File)>) -> io::Result<Vec<Arc<Held>>> {
    let workers = thread::available_parallelism().map_or(1, |cpus| cpus.get().min(WORKERS_MAX));
    let due = Mutex::new(files);
    thread::scope(|scope| {
        let work = || {
            let mut held = Vec::new();
            loop {
                let next = due.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((id, file)) = next else {
                    return Ok(held);
                };
                if !is_always_resident(&file)? {
                    held.push(hold_one(id, &file)?);
                }
            }
        };
        let working: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut held = Vec::new();
        for worker in working {
            let done: io::Result<Vec<Arc<Held>>> = worker
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a worker panicked")));
            held.extend(done?);
        }
        Ok(held)
    })
}

/// How many bytes these are.
pub(crate) fn bytes(held: &[Arc<Held>]) -> u64 {
    held.iter().map(|one| one.bytes as u64).sum()
}

fn hold_one(id: FileId, file: &File) -> io::Result<Arc<Held>> {
    let known = || HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(held) = known().get(&id).and_then(Weak::upgrade) {
        return Ok(held);
    }
    let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    // Without the lock, since this is what takes long. Who comes second locks the same pages once more, and each lets go of his own.
    let held = Arc::new(Held::new(file, bytes)?);
    let mut known = known();
    known.retain(|_, held| held.strong_count() > 0);
    known.insert(id, Arc::downgrade(&held));
    Ok(held)
}

fn ok_unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_always_resident(file: &File) -> io::Result<bool> {
    Ok(rustix::fs::fstatfs(file)?.f_type == TMPFS)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn locked_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmLck:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn one_lock_serves_all_and_goes_with_the_last() {
        let mut file = tempfile::tempfile_in("/var/tmp").unwrap();
        file.write_all(&[7; 20_000]).unwrap();
        let before = locked_kib();
        let first = hold_one((u64::MAX, 1), &file).unwrap();
        let second = hold_one((u64::MAX, 1), &file).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(locked_kib() - before, 20);
        drop(first);
        assert_eq!(locked_kib() - before, 20);
        drop(second);
        assert_eq!(locked_kib(), before);
    }
}
