//! Makes the views: one copy of every file, and a tree of names for each seat.
//!
//! `views` calls [`make`] while it holds the turn. The first seat gets copies (shared blocks where the file system can do
//! that: they are files of their own all the same, with pages of their own in memory); the others get links to these.
//! Nothing of a view is a file that the host or the learner has. Whatever interrupts this leaves a directory that counts
//! for nothing.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::Seat;
use super::plan::{Entry, Plan};
use crate::error::RuntimeError;
use crate::install;

/// After how much a copy tells how far it is and asks whether to stop.
const PIECE_BYTES: u64 = 32 << 20;
/// Directories and links of one seat (measured: 6 MB for 12,000 files).
const NAMES_BYTES: u64 = 20_000_000;

/// What the file system of the views can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// Copies that share their blocks with the original until one of them is changed.
    pub(super) clones: bool,
    /// Several names for one file.
    pub(super) links: bool,
}

impl Ways {
    /// Tries both with a file that is to be copied.
    pub(super) fn of(directory: &Path, sample: &Path) -> Result<Self, RuntimeError> {
        let scratch = tempfile::Builder::new()
            .prefix(super::PARTIAL)
            .tempdir_in(directory)
            .map_err(RuntimeError::io("create a directory in", directory))?;
        let (copy, link) = (scratch.path().join("copy"), scratch.path().join("link"));
        let to = File::create_new(&copy).map_err(RuntimeError::io("create", &copy))?;
        let from = File::open(sample).map_err(RuntimeError::io("open", sample))?;
        Ok(Self {
            clones: rustix::fs::ioctl_ficlone(&to, &from).is_ok(),
            links: fs::hard_link(&copy, &link).is_ok(),
        })
    }

    /// What a set of views needs on the disk.
    pub(super) fn needed_bytes(self, plan: &Plan) -> u64 {
        let seats = Seat::ANSWERERS.len() as u64;
        let copies = match self {
            Self {
                clones: true,
                links: true,
            } => 0,
            Self { links: true, .. } => 1,
            Self { links: false, .. } => seats,
        };
        copies * plan.bytes() + seats * NAMES_BYTES
    }
}

/// Refuses to begin what cannot be finished.
pub(super) fn check_disk(directory: &Path, plan: &Plan, ways: Ways) -> Result<(), RuntimeError> {
    let (free_bytes, needed_bytes) = (install::free_bytes(directory)?, ways.needed_bytes(plan));
    if free_bytes < needed_bytes {
        return Err(RuntimeError::NoRoomForViews {
            path: directory.to_owned(),
            free_bytes,
            needed_bytes,
        });
    }
    Ok(())
}

/// Fills an empty directory with one tree a seat. `progress` is told the bytes that are copied so far.
pub(super) fn make(
    plan: &Plan,
    directory: &Path,
    ways: Ways,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(u64),
) -> Result<(), RuntimeError> {
    let [first, others @ ..] = Seat::ANSWERERS;
    let first = directory.join(first.name());
    let mut maker = Maker {
        stop,
        progress,
        done_bytes: 0,
        made: BTreeSet::new(),
    };
    maker.seat(plan, &first, &mut |maker, source, target, is_program| {
        maker.copy(source, target, is_program)
    })?;
    for seat in others {
        let root = directory.join(seat.name());
        maker.seat(plan, &root, &mut |maker, source, target, is_program| {
            let original = inside(&first, source);
            if ways.links && fs::hard_link(&original, target).is_ok() {
                return Ok(());
            }
            // No links here, or no more of them to one file.
            maker.copy(&original, target, is_program)
        })?;
    }
    let opened = File::open(directory).map_err(RuntimeError::io("open", directory))?;
    // What is declared complete must still be so after a power cut.
    rustix::fs::syncfs(&opened).map_err(|error| full_or(directory, error.into()))
}

/// Where a path of the host lies below the root of a view.
pub(super) fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

struct Maker<'a> {
    stop: &'a dyn Fn() -> bool,
    progress: &'a mut dyn FnMut(u64),
    done_bytes: u64,
    /// Directories that exist.
    made: BTreeSet<PathBuf>,
}

/// Puts one file of the host at a place.
type Place<'a> = dyn FnMut(&mut Maker<'_>, &Path, &Path, bool) -> Result<(), RuntimeError> + 'a;

impl Maker<'_> {
    fn seat(&mut self, plan: &Plan, root: &Path, place: &mut Place<'_>) -> Result<(), RuntimeError> {
        for (path, entry) in &plan.entries {
            if (self.stop)() {
                return Err(RuntimeError::Cancelled);
            }
            let target = inside(root, path);
            if let Some(parent) = target.parent() {
                self.directory(parent)?;
            }
            match entry {
                Entry::Link(text) => symlink(text, &target).map_err(|error| full_or(&target, error))?,
                Entry::File { is_program, .. } => place(self, path, &target, *is_program)?,
            }
        }
        Ok(())
    }

    /// Makes a directory that everybody may enter, whatever the umask.
    fn directory(&mut self, path: &Path) -> Result<(), RuntimeError> {
        if self.made.contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent()
            && !path.exists()
        {
            self.directory(parent)?;
            fs::create_dir(path).map_err(|error| full_or(path, error))?;
            fs::set_permissions(path, Permissions::from_mode(0o755))
                .map_err(RuntimeError::io("protect", path))?;
        }
        self.made.insert(path.to_owned());
        Ok(())
    }

    /// A file of its own with the same content and the same time, by which the interpreter knows whether what it has
    /// compiled is still right.
    fn copy(&mut self, source: &Path, target: &Path, is_program: bool) -> Result<(), RuntimeError> {
        let from = File::open(source).map_err(RuntimeError::io("open", source))?;
        let to = File::create_new(target).map_err(|error| full_or(target, error))?;
        let metadata = from.metadata().map_err(RuntimeError::io("look at", source))?;
        if rustix::fs::ioctl_ficlone(&to, &from).is_ok() {
            self.done_bytes += metadata.len();
        } else {
            self.copy_bytes(&from, &to).map_err(|error| match error {
                Some(error) => full_or(target, error),
                None => RuntimeError::Cancelled,
            })?;
        }
        let mode = if is_program { 0o555 } else { 0o444 };
        metadata
            .modified()
            .and_then(|time| to.set_times(FileTimes::new().set_modified(time)))
            .and_then(|()| to.set_permissions(Permissions::from_mode(mode)))
            .map_err(|error| full_or(target, error))?;
        (self.progress)(self.done_bytes);
        Ok(())
    }

    /// `None` if it was stopped.
    fn copy_bytes(&mut self, mut from: &File, mut to: &File) -> Result<(), Option<io::Error>> {
        loop {
            let copied = io::copy(&mut Read::by_ref(&mut from).take(PIECE_BYTES), &mut to)?;
            if copied == 0 {
                return Ok(());
            }
            self.done_bytes += copied;
            (self.progress)(self.done_bytes);
            if (self.stop)() {
                return Err(None);
            }
        }
    }
}

fn full_or(path: &Path, error: io::Error) -> RuntimeError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => RuntimeError::DiskFull {
            step: "copying the Python runtime for those who answer",
            tail: format!("{}: {error}", path.display()),
        },
        _ => RuntimeError::io("write", path)(error),
    }
}
