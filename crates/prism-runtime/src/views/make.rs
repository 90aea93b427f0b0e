//! Makes the views: a tree of names for each seat, one copy of every file for all who answer, and the learner's modules.
//!
//! `views` calls [`make`] while it holds the turn. The first of those who answer gets copies (shared blocks where the file
//! system can do that: they are files of their own all the same, with pages of their own in memory); the others get links to
//! these. Nothing of their views is a file that the host or the learner has. The learner gets links to the originals. Modules
//! are neither: everybody's are [`bare`], and compiled anew, the learner's once more as files of its own. Whatever interrupts
//! this leaves a directory that counts for nothing.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::Seat;
use super::bare::Form;
use super::plan::{self, Entry, Plan};
use crate::error::RuntimeError;
use crate::install;
use crate::locate::Runtime;

/// After how much a copy tells how far it is and asks whether to stop.
const PIECE_BYTES: u64 = 32 << 20;
/// Directories and links of one seat (measured: 6 MB for 12,000 files).
const NAMES_BYTES: u64 = 20_000_000;

/// What everybody sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plans {
    pub(super) answerer: Plan,
    pub(super) learner: Plan,
}

impl Plans {
    pub(super) fn of(runtime: &Runtime) -> Result<Self, RuntimeError> {
        Ok(Self {
            answerer: plan::answerer(runtime)?,
            learner: plan::learner(runtime)?,
        })
    }

    /// What is copied at least.
    pub(super) fn bytes(&self) -> u64 {
        let modules = self.learner.entries.iter().map(|(path, entry)| match entry {
            Entry::File { bytes, .. } if Form::of(path) != Form::AsIs => *bytes,
            Entry::File { .. } | Entry::Link(_) => 0,
        });
        self.answerer.bytes() + modules.sum::<u64>()
    }
}

/// Compiles modules below the root of a seat.
pub(super) type Compile<'a> = dyn Fn(&Path, &[PathBuf]) -> Result<(), RuntimeError> + 'a;

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
    pub(super) fn needed_bytes(self, plans: &Plans, directory: &Path) -> u64 {
        let seats = Seat::ANSWERERS.len() as u64;
        let copies = match self {
            Self {
                clones: true,
                links: true,
            } => 0,
            Self { links: true, .. } => 1,
            Self { links: false, .. } => seats,
        };
        let device = directory
            .ancestors()
            .find_map(|path| path.metadata().ok())
            .map(|found| found.dev());
        let learner = plans.learner.entries.iter().map(|(path, entry)| match entry {
            Entry::File { bytes, .. } if Form::of(path) == Form::Module => 2 * bytes,
            Entry::File {
                bytes, device: on, ..
            } if !self.links || Some(*on) != device => *bytes,
            Entry::File { .. } | Entry::Link(_) => 0,
        });
        copies * plans.answerer.bytes() + learner.sum::<u64>() + (seats + 1) * NAMES_BYTES
    }
}

/// Refuses to begin what cannot be finished.
pub(super) fn check_disk(directory: &Path, plans: &Plans, ways: Ways) -> Result<(), RuntimeError> {
    let (free_bytes, needed_bytes) = (
        install::free_bytes(directory)?,
        ways.needed_bytes(plans, directory),
    );
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
    plans: &Plans,
    directory: &Path,
    ways: Ways,
    compile: &Compile<'_>,
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
    maker.seat(
        &plans.answerer,
        &first,
        &mut |maker, source, target| match Form::of(source) {
            Form::AsIs => maker.copy(source, target),
            form => maker.bare(form, source, target),
        },
    )?;
    let modules = plans.answerer.entries.iter();
    let modules: Vec<_> = modules
        .filter(|(path, entry)| Form::of(path) == Form::Module && matches!(entry, Entry::File { .. }))
        .map(|(path, _)| inside(&first, path))
        .collect();
    compile(&first, &modules)?;
    let compiled = compiled(&first, &modules)?;
    for seat in others {
        let root = directory.join(seat.name());
        let link = |maker: &mut Maker<'_>, original: &Path, target: &Path| {
            if ways.links && fs::hard_link(original, target).is_ok() {
                return Ok(());
            }
            // No links here, or no more of them to one file.
            maker.copy(original, target)
        };
        maker.seat(&plans.answerer, &root, &mut |maker, source, target| {
            link(maker, &inside(&first, source), target)
        })?;
        for path in &compiled {
            let target = root.join(path);
            maker.parent(&target)?;
            link(&mut maker, &first.join(path), &target)?;
        }
    }
    let root = directory.join(Seat::Learner.name());
    maker.seat(
        &plans.learner,
        &root,
        &mut |maker, source, target| match Form::of(source) {
            // The learner may have what the host has. What cannot be linked, to another disk or to somebody else's, is copied.
            Form::AsIs if fs::hard_link(source, target).is_ok() => Ok(()),
            Form::AsIs => maker.copy(source, target),
            form => maker.bare(form, source, target),
        },
    )?;
    for path in &compiled {
        let target = root.join(path);
        // Not what the learner has nothing to do with, such as the libraries of the system.
        if target.ancestors().nth(2).is_some_and(Path::is_dir) {
            maker.parent(&target)?;
            maker.copy(&first.join(path), &target)?;
        }
    }
    let opened = File::open(directory).map_err(RuntimeError::io("open", directory))?;
    // What is declared complete must still be so after a power cut.
    rustix::fs::syncfs(&opened).map_err(|error| full_or(directory, error.into()))
}

/// Where a path of the host lies below the root of a view.
pub(super) fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// What the interpreter has made of the modules of a seat, by paths below its root.
fn compiled(root: &Path, modules: &[PathBuf]) -> Result<BTreeSet<PathBuf>, RuntimeError> {
    let directories: BTreeSet<_> = modules
        .iter()
        .filter_map(|module| Some(module.parent()?.join("__pycache__")))
        .collect();
    let mut compiled = BTreeSet::new();
    for directory in directories.iter().filter(|directory| directory.is_dir()) {
        let failed = || RuntimeError::io("list", directory);
        for entry in fs::read_dir(directory).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            compiled.extend(path.strip_prefix(root).ok().map(Path::to_owned));
        }
    }
    Ok(compiled)
}

struct Maker<'a> {
    stop: &'a dyn Fn() -> bool,
    progress: &'a mut dyn FnMut(u64),
    done_bytes: u64,
    /// Directories that exist.
    made: BTreeSet<PathBuf>,
}

/// Puts one file of the host at a place.
type Place<'a> = dyn FnMut(&mut Maker<'_>, &Path, &Path) -> Result<(), RuntimeError> + 'a;

impl Maker<'_> {
    fn seat(&mut self, plan: &Plan, root: &Path, place: &mut Place<'_>) -> Result<(), RuntimeError> {
        for (path, entry) in &plan.entries {
            if (self.stop)() {
                return Err(RuntimeError::Cancelled);
            }
            let target = inside(root, path);
            self.parent(&target)?;
            match entry {
                Entry::Link(text) => symlink(text, &target).map_err(|error| full_or(&target, error))?,
                Entry::File { .. } => place(self, path, &target)?,
            }
        }
        Ok(())
    }

    fn parent(&mut self, target: &Path) -> Result<(), RuntimeError> {
        target.parent().map_or(Ok(()), |parent| self.directory(parent))
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
    fn copy(&mut self, source: &Path, target: &Path) -> Result<(), RuntimeError> {
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
        finish(&to, &metadata).map_err(|error| full_or(target, error))?;
        (self.progress)(self.done_bytes);
        Ok(())
    }

    /// A file of its own with less content.
    fn bare(&mut self, form: Form, source: &Path, target: &Path) -> Result<(), RuntimeError> {
        let metadata = source.metadata().map_err(RuntimeError::io("look at", source))?;
        let content = fs::read(source).map_err(RuntimeError::io("read", source))?;
        self.done_bytes += metadata.len();
        let mut to = File::create_new(target).map_err(|error| full_or(target, error))?;
        to.write_all(&form.apply(content))
            .and_then(|()| finish(&to, &metadata))
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

/// The time of the original, and what everybody may do with it.
fn finish(copy: &File, original: &Metadata) -> io::Result<()> {
    let is_program = original.mode() & 0o111 != 0;
    copy.set_times(FileTimes::new().set_modified(original.modified()?))?;
    copy.set_permissions(Permissions::from_mode(if is_program { 0o555 } else { 0o444 }))
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
