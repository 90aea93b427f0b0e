//! The kernel forgets what earlier runs have left in it, before the learner of a counted run starts.
//!
//! A name that was looked up and not found, an inode, a page of a file: the kernel keeps them when the process that made
//! it look is gone, and the next run could read them. So what nobody holds is dropped, which is *seen* by made-up names
//! of our own; then every file that a process of the run can read is read once, so that all pages are in memory,
//! whatever anybody read before. Called by [`crate::settle`] for runs that would count, and only while they have the
//! machine to themselves. It must never report success that it has not seen: a kernel that could not be made to forget
//! makes the run a rehearsal.

mod names;
mod view;

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use prism_referee::connection::Cancel;
use prism_sandbox::Mode;

/// Drops names, inodes and clean pages that nobody holds.
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";
/// Pages, and names and inodes.
const DROP_ALL: &[u8] = b"3";
/// A name that was used a moment ago survives the first look at it, a directory the look before its last name goes.
const PASSES_MAX: u32 = 8;

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Forgot {
    /// How often the kernel was asked until it had forgotten.
    pub passes: u32,
    /// Bytes of files that were then read.
    pub view_bytes: u64,
    /// How long all of it took.
    pub seconds: f64,
}

/// Why the kernel's memory is not in a known state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// It remembers, or it could not be seen to forget.
    Remembers(String),
    /// Not everything that a run can read fits into memory.
    NoRoom(String),
    /// Somebody does not want to know any more.
    Cancelled,
}

/// Whether this machine lets its kernel forget, before anything is disturbed; otherwise why not.
pub fn possible(mode: Mode) -> Result<(), String> {
    if mode == Mode::User {
        return Err("only root can make the kernel forget what earlier runs have left in it".to_owned());
    }
    open_switch(Path::new(DROP_CACHES)).map(drop)
}

fn open_switch(path: &Path) -> Result<std::fs::File, String> {
    OpenOptions::new().write(true).open(path).map_err(|error| {
        format!(
            "{} cannot be written to ({error}), so the kernel cannot be made to forget what earlier runs have left in it; \
             in a container this takes a writable `/proc/sys`",
            path.display()
        )
    })
}

/// Makes the kernel forget, then reads all files in and below `sources`. `keep_free_bytes` of memory must be left for
/// the run; `progress` hears of bytes read, and of all.
pub fn forget(
    sources: &[PathBuf],
    keep_free_bytes: u64,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Forgot, Unsettled> {
    let started = Instant::now();
    let roots = view::roots(sources).map_err(Unsettled::Remembers)?;
    let planted = names::plant(&roots).map_err(Unsettled::Remembers)?;
    let passes = drop_until(Path::new(DROP_CACHES), cancel, &|| planted.remembered())?;
    drop(planted);
    let view_bytes = view::read_in(&roots, keep_free_bytes, cancel, progress)?;
    Ok(Forgot {
        passes,
        view_bytes,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Drops until nothing of ours is remembered; how often that took.
fn drop_until(
    switch: &Path,
    cancel: &Cancel,
    remembered: &dyn Fn() -> io::Result<usize>,
) -> Result<u32, Unsettled> {
    let mut left = 0;
    for pass in 1..=PASSES_MAX {
        if cancel.is_cancelled() {
            return Err(Unsettled::Cancelled);
        }
        // Pages that wait to be written are not dropped, nor are their inodes.
        rustix::fs::sync();
        open_switch(switch)
            .and_then(|mut file| {
                file.write_all(DROP_ALL)
                    .map_err(|error| format!("{} does not take `3`: {error}", switch.display()))
            })
            .map_err(Unsettled::Remembers)?;
        left = remembered().map_err(|error| Unsettled::Remembers(error.to_string()))?;
        if left == 0 {
            return Ok(pass);
        }
    }
    Err(Unsettled::Remembers(format!(
        "the kernel still remembers {left} of the names that were looked up to try it, after it was told {PASSES_MAX} \
         times to drop them; `vm.vfs_cache_pressure` must not be 0"
    )))
}

#[cfg(test)]
mod tests;
