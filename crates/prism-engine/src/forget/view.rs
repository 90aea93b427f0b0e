//! Every file that a process of a run can read, brought into memory.
//!
//! Used by [`super`]. Directories are walked, which makes the kernel know all names and inodes that exist, and files are
//! read from start to end; then the kernel is asked whether every page is there. It must never follow a link, nor touch
//! anything but directories and plain files.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use prism_referee::connection::Cancel;
use rustix::fs::OFlags;

use super::Unsettled;

/// How often a file is read before it is believed that its pages do not stay.
const READINGS: u32 = 3;
/// What is read at once.
const CHUNK_BYTES: usize = 4 << 20;

/// A file and its length when it was found.
struct Found {
    path: PathBuf,
    bytes: u64,
}

/// The sources as the kernel calls them, none inside another. One that is not there shows nothing.
pub(super) fn roots(sources: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut all = BTreeSet::new();
    for source in sources {
        match source.canonicalize() {
            Ok(path) => {
                all.insert(path);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", source.display())),
        }
    }
    let inside = |path: &PathBuf| all.iter().any(|other| other != path && path.starts_with(other));
    Ok(all.iter().filter(|path| !inside(path)).cloned().collect())
}

/// Reads everything in and below `roots` and sees that it stays; how many bytes that were.
pub(super) fn read_in(
    roots: &[PathBuf],
    keep_free_bytes: u64,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Unsettled> {
    let mut found = Vec::new();
    let mut linked = BTreeSet::new();
    for root in roots {
        walk(root, cancel, &mut linked, &mut found)?;
    }
    let total = found.iter().map(|file| file.bytes).sum();
    let room = prism_sandbox::available_memory_bytes();
    let needed = total + keep_free_bytes;
    if let Some(room) = room.filter(|&room| room < needed) {
        return Err(Unsettled::NoRoom(format!(
            "{} MB of memory are available, and what a run can read, {} MB, must fit beside the {} MB of the run",
            room / 1_000_000,
            total / 1_000_000,
            keep_free_bytes / 1_000_000
        )));
    }
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut done = 0;
    for file in &found {
        stop_if_cancelled(cancel)?;
        read(&file.path, &mut buffer).map_err(|error| unreadable(&file.path, &error))?;
        done += file.bytes;
        progress(done, total);
    }
    // Another program may have let the kernel drop something meanwhile.
    for _ in 1..READINGS {
        let gone = not_resident(&found, cancel)?;
        if gone.pages == 0 {
            break;
        }
        for path in gone.paths {
            read(path, &mut buffer).map_err(|error| unreadable(path, &error))?;
        }
    }
    match not_resident(&found, cancel)?.pages {
        0 => Ok(total),
        pages => Err(Unsettled::NoRoom(format!(
            "{pages} pages of what a run can read did not stay in memory, although they were read {READINGS} times"
        ))),
    }
}

/// Finds every file, one with several names once: `linked` holds the device and inode of those that were seen.
fn walk(
    path: &Path,
    cancel: &Cancel,
    linked: &mut BTreeSet<(u64, u64)>,
    found: &mut Vec<Found>,
) -> Result<(), Unsettled> {
    // By hand and not by recursion: a tree may be deep.
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        stop_if_cancelled(cancel)?;
        let unreadable = |error: io::Error| unreadable(&path, &error);
        let Some(metadata) = there(fs::symlink_metadata(&path)).map_err(unreadable)? else {
            continue;
        };
        if metadata.is_dir() {
            let Some(entries) = there(fs::read_dir(&path)).map_err(unreadable)? else {
                continue;
            };
            for entry in entries {
                pending.push(entry.map_err(unreadable)?.path());
            }
        } else if metadata.is_file() && metadata.len() > 0 {
            if metadata.nlink() > 1 && !linked.insert((metadata.dev(), metadata.ino())) {
                continue;
            }
            let bytes = metadata.len();
            found.push(Found { path, bytes });
        }
    }
    Ok(())
}

/// What vanished meanwhile shows nothing to anybody.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    let with = |flags: OFlags| {
        let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    let plain = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    // The time of the last access is something that others can see.
    let quiet = with(plain | OFlags::NOATIME);
    there(match quiet {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => with(plain),
        quiet => quiet,
    })
}

fn read(path: &Path, buffer: &mut [u8]) -> io::Result<()> {
    let Some(mut file) = open(path)? else {
        return Ok(());
    };
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What is not in memory.
#[derive(Default)]
struct Gone<'a> {
    paths: Vec<&'a Path>,
    pages: u64,
}

fn not_resident<'a>(found: &'a [Found], cancel: &Cancel) -> Result<Gone<'a>, Unsettled> {
    let mut gone = Gone::default();
    for Found { path, .. } in found {
        stop_if_cancelled(cancel)?;
        let unreadable = |error: io::Error| unreadable(path, &error);
        let Some(file) = open(path).map_err(unreadable)? else {
            continue;
        };
        let bytes = file.metadata().map_err(unreadable)?.len();
        let here = prism_sandbox::residency(&file, bytes).map_err(unreadable)?;
        if here.resident_pages < here.pages {
            gone.paths.push(path);
            gone.pages += here.pages - here.resident_pages;
        }
    }
    Ok(gone)
}

fn unreadable(path: &Path, error: &io::Error) -> Unsettled {
    Unsettled::Remembers(format!(
        "{} cannot be brought into memory: {error}",
        path.display()
    ))
}

fn stop_if_cancelled(cancel: &Cancel) -> Result<(), Unsettled> {
    if cancel.is_cancelled() {
        Err(Unsettled::Cancelled)
    } else {
        Ok(())
    }
}
