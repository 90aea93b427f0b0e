//! Made-up names that the kernel is made to remember, to see afterwards that it does not.
//!
//! Used by [`super`]. Whether a name is remembered is asked of the kernel itself, without a clock: `openat2` with
//! `RESOLVE_CACHED` answers from what is remembered or not at all. Asking leaves nothing behind.

use std::{
    collections::BTreeSet,
    fs, io,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, openat, openat2, statat, statfs},
    io::Errno,
};

/// Names in each directory.
const NAMES: u32 = 256;
/// A file system that lives in memory and keeps no names that are not there.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Names that were remembered when this was made.
pub(super) struct Planted {
    directories: Vec<OwnedFd>,
}

/// Looks up names that do not exist, in the directories among `roots`. The kernel must be seen to remember them, once on
/// each file system: otherwise nothing would be known by their absence.
pub(super) fn plant(roots: &[PathBuf]) -> Result<Planted, String> {
    let mut directories = Vec::new();
    let (mut seen, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for root in roots.iter().filter(|root| root.is_dir()) {
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", root.display());
        let device = fs::metadata(root).map_err(|error| said(&error))?.dev();
        let directory = open_directory(root).map_err(|error| said(&error))?;
        // Once makes the kernel remember, twice makes it remember longer.
        for name in names().chain(names()) {
            if statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW).map(drop) != Err(Errno::NOENT) {
                return Err(format!("{}/{name} is there", root.display()));
            }
        }
        if count(&directory).map_err(|error| said(&error))? > 0 {
            seen.insert(device);
            directories.push(directory);
        } else if is_tmpfs(root).map_err(|error| said(&error))? {
            seen.insert(device);
        }
        wanted.insert((device, root.clone()));
    }
    if let Some((_, root)) = wanted.iter().find(|(device, _)| !seen.contains(device)) {
        return Err(format!(
            "the file system of {} does not tell which names the kernel remembers",
            root.display()
        ));
    }
    if directories.is_empty() {
        return Err("no directory is known to be remembered".to_owned());
    }
    Ok(Planted { directories })
}

impl Planted {
    /// How many of the names are still remembered.
    pub(super) fn remembered(&self) -> io::Result<usize> {
        self.directories.iter().map(count).sum()
    }
}

fn names() -> impl Iterator<Item = String> {
    (0..NAMES).map(|number| format!(".prism-forget-{}-{number}", std::process::id()))
}

fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

fn is_tmpfs(path: &Path) -> io::Result<bool> {
    #[allow(
        clippy::useless_conversion,
        reason = "the type of the magic differs between architectures"
    )]
    Ok(i64::from(statfs(path)?.f_type) == TMPFS_MAGIC)
}

/// How many of the names the kernel remembers in a directory. The descriptor holds the directory, so that nothing above
/// it has to be remembered.
fn count(directory: &OwnedFd) -> io::Result<usize> {
    let mut remembered = 0;
    for name in names() {
        match openat2(
            directory,
            &name,
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::CACHED,
        ) {
            // Not without asking the file system.
            Err(Errno::AGAIN) => {}
            Err(Errno::NOENT) => remembered += 1,
            Err(error) => return Err(error.into()),
            Ok(_) => return Err(io::Error::other(format!("{name} is there"))),
        }
    }
    Ok(remembered)
}
