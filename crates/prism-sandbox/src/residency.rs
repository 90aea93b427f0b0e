//! How much of a file is in memory.
//!
//! For whoever has read files so that no later reader can tell a page that was read before from one that was not. The
//! kernel answers for files that this process owns or may write to, and for root. It must never bring a page in.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr;

/// Pages asked about at once: one byte each.
const PAGES_AT_ONCE: usize = 1 << 20;

/// Pages of a file: those in memory, and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    /// In memory.
    pub resident_pages: u64,
    /// All.
    pub pages: u64,
}

/// Looks at the first `bytes` of a file, which must not be longer than it is.
pub fn residency(file: &File, bytes: u64) -> io::Result<Residency> {
    let page = rustix::param::page_size();
    let mut found = Residency::default();
    let mut offset = 0_u64;
    while offset < bytes {
        let window_bytes = (PAGES_AT_ONCE as u64 * page as u64).min(bytes - offset);
        let length = usize::try_from(window_bytes).map_err(io::Error::other)?;
        let window = Window::map(file, offset, length)?;
        let pages = length.div_ceil(page);
        found.resident_pages += window.resident(pages)?;
        found.pages += pages as u64;
        offset += window_bytes;
    }
    Ok(found)
}

/// A mapping that nothing is read through.
struct Window {
    start: *mut libc::c_void,
    bytes: usize,
}

impl Window {
    fn map(file: &File, offset: u64, bytes: usize) -> io::Result<Self> {
        let offset = i64::try_from(offset).map_err(io::Error::other)?;
        // SAFETY: a new mapping at an address of the kernel's choice, which nobody can read or write through.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_NONE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, bytes })
    }

    fn resident(&self, pages: usize) -> io::Result<u64> {
        let mut answers = vec![0_u8; pages];
        // SAFETY: the mapping is ours and `bytes` long, and `answers` has one byte for each of its pages.
        let failed = unsafe { libc::mincore(self.start, self.bytes, answers.as_mut_ptr()) } != 0;
        if failed {
            return Err(io::Error::last_os_error());
        }
        // The other bits are not defined.
        Ok(answers.iter().filter(|&&answer| answer & 1 == 1).count() as u64)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` has mapped, and nobody holds a pointer into it.
        unsafe { libc::munmap(self.start, self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_just_written_is_in_memory_and_a_hole_is_not() {
        // Not in `/tmp`, which may be a file system without a disk where every page is always in memory.
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let page = rustix::param::page_size() as u64;
        file.write_all(&vec![1; 3 * page as usize - 1]).unwrap();
        let found = residency(&file, 3 * page - 1).unwrap();
        assert_eq!(
            found,
            Residency {
                resident_pages: 3,
                pages: 3
            }
        );
        file.set_len(8 * page).unwrap();
        let found = residency(&file, 8 * page).unwrap();
        assert_eq!((found.resident_pages, found.pages), (3, 8));
        assert_eq!(residency(&file, 0).unwrap(), Residency::default());
    }
}
