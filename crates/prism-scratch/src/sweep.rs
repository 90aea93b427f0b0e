//! Removes directories whose owner is gone.
//!
//! Parents are places like `/tmp`, where anybody may put anything under any name. So a name alone is not believed: the
//! directory must be one, no link, of our own user, for that user alone, and on the file system of its parent. It is opened
//! once and everything below it is reached from there, so that whoever exchanges a name on the way gains nothing.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, statat, unlinkat};
use rustix::process::geteuid;

use crate::{Owner, Purpose, boot};

/// No directory that was made here is as deep as that.
const DEPTH_MAX: u32 = 64;
/// Permissions of others.
const GROUP_AND_OTHERS: u32 = 0o077;

/// Removes what dead processes of this user have left in a directory. What cannot be removed stays, and is tried again the
/// next time: it is in nobody's way.
pub fn sweep(parent: &Path) {
    if let Ok(boot) = boot() {
        sweep_as(parent, geteuid().as_raw(), &boot);
    }
}

fn sweep_as(parent: &Path, uid: u32, boot: &str) {
    let Ok(directory) = File::open(parent) else {
        return;
    };
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if owner_in(&name, boot).is_some_and(|owner| owner.is_gone()) {
            let _ = remove(&directory, &name, uid);
        }
    }
}

/// The owner of a directory that was made here since the machine was started; none for any other name.
fn owner_in(name: &OsStr, boot: &str) -> Option<Owner> {
    let name = name.to_str()?;
    let rest = Purpose::ALL
        .into_iter()
        .find_map(|purpose| name.strip_prefix(&purpose.prefix()))?;
    let (owner, random) = Owner::parse(rest.strip_prefix(boot)?.strip_prefix('-')?)?;
    let is_random = !random.is_empty() && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_random.then_some(owner)
}

fn remove(parent: &File, name: &OsStr, uid: u32) -> io::Result<()> {
    let directory = open(parent, name.as_bytes())?;
    let (found, around) = (fstat(&directory)?, fstat(parent)?);
    if found.st_uid != uid || found.st_mode & GROUP_AND_OTHERS != 0 || found.st_dev != around.st_dev {
        return Ok(());
    }
    empty(&directory, &found, 0)?;
    // What has this name now must still be what was emptied; and only an empty directory can be removed like this.
    let now = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if is_same(&now, &found) {
        unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// Opens a directory and nothing else: a link is an error.
fn open(parent: impl AsFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Removes everything in a directory of ours.
fn empty(directory: &OwnedFd, found: &Stat, depth: u32) -> io::Result<()> {
    if depth == DEPTH_MAX {
        return Err(io::Error::other("the directory is too deep"));
    }
    // Some of what lies there is made read-only.
    fchmod(directory, Mode::RWXU)?;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let below = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(below.st_mode) != FileType::Directory {
            // The name alone: what a link points to, and other names of a file, stay.
            unlinkat(directory, name, AtFlags::empty())?;
            continue;
        }
        let inner = open(directory, name.to_bytes())?;
        let inside = fstat(&inner)?;
        if inside.st_dev != found.st_dev || inside.st_uid != found.st_uid {
            return Err(io::Error::other(
                "something is mounted there, or belongs to somebody else",
            ));
        }
        empty(&inner, &inside, depth + 1)?;
        unlinkat(directory, name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
