//! What each process of an evaluation sees of the Python runtime and of the system: directories of its own.
//!
//! The kernel remembers names that were looked up in a directory, also those that are not there, and pages of files that
//! were read, for as long as it likes. Whoever shares a directory or a file with somebody else can leave a message there. So
//! everybody sees a tree that nobody else sees: no directory and no file is both in the learner's sight and in an
//! answerer's, and no directory in that of two answerers (their files are links to one copy). Source files are bare in
//! all of them: what libraries say to people is text that a learner could learn from before its stream.
//!
//! The engine calls [`views`] before each run, [`crate::doctor`] asks [`state`]. Views lie in `views/` in the data
//! directory, one set for each runtime, under a name made of what they were made from; one that is out of date is
//! made anew beside the old one, which goes when no run uses it any more.
//!
//! Reading order: `plan` (what is in a view; `leave_out` what is not), `closure` (the libraries of the system; `elf`,
//! `loader`), `make`, `bare`, `compile`, `marker`, `learner`.

mod bare;
mod closure;
mod compile;
mod elf;
#[cfg(test)]
mod fake;
mod learner;
mod leave_out;
mod loader;
mod make;
mod marker;
mod plan;
#[cfg(test)]
mod tests;

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use prism_core::hash::Sha256Hash;

use self::make::{Compile, Plans, Ways};
use self::marker::{MARKER_FILE, Marker};
use crate::error::RuntimeError;
use crate::locate::{Origin, Runtime};
use crate::settings::Settings;
use crate::tree::NAME_DIGITS;
use crate::turn;

/// A directory of each set in which nothing is.
const EMPTY: &str = "empty";
/// Below the directory of all views.
const LOCK_FILE: &str = "views.lock";
/// The beginning of names that count for nothing: half made, half removed.
const PARTIAL: &str = ".partial-";
const STALE: &str = ".stale-";

prism_core::words! {
    /// Whose view it is: one process of an evaluation.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Seat, name {
        /// Trains.
        Learner = "learner",
        /// Answers while the learner is frozen.
        Auditor = "auditor",
        /// Is asked again when the learner is dead.
        Replay = "replay",
        /// Scores held-out text.
        Claimant = "claimant",
        /// Answers about held-out text.
        HeldOutAuditor = "heldout-auditor",
        /// Answers about held-out and train text under an older snapshot.
        KeptAuditor = "kept-auditor",
    }
}

impl Seat {
    /// Those with a tree of their own.
    const ANSWERERS: [Self; 5] = [
        Self::Auditor,
        Self::Replay,
        Self::Claimant,
        Self::HeldOutAuditor,
        Self::KeptAuditor,
    ];
}

/// A file or directory of the host and where a sandbox must show it, read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// On the host.
    pub source: PathBuf,
    /// Inside.
    pub target: PathBuf,
}

/// Views that are complete and stay so for as long as this is held.
#[derive(Debug)]
pub struct Views {
    directory: PathBuf,
    marker: Marker,
    /// What the learner sees of the system.
    system: Vec<Bind>,
    /// Locked by everybody who uses the views; who removes them needs it alone.
    _in_use: File,
}

impl Views {
    /// Everything that a sandbox must show besides what belongs to the run: the system's part, the interpreter and its
    /// packages, the index of the dynamic loader.
    pub fn binds(&self, seat: Seat) -> Vec<Bind> {
        let (binds, system) = match seat {
            Seat::Learner => (&self.marker.learner_binds, self.system.clone()),
            _ => (&self.marker.binds, Vec::new()),
        };
        let root = self.directory.join(seat.name());
        let bind = |(source, target): &(PathBuf, PathBuf)| Bind {
            source: make::inside(&root, source),
            target: target.clone(),
        };
        system.into_iter().chain(binds.iter().map(bind)).collect()
    }
}

/// What happens while views are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewsEvent {
    /// They are missing or out of date, and are made now.
    Planned {
        /// What they take on the disk.
        needed_bytes: u64,
        /// Where.
        directory: PathBuf,
    },
    /// Another process makes views; this one waits for it.
    Waiting,
    /// How much of the copy is made.
    Progress {
        /// Bytes copied.
        done_bytes: u64,
        /// Of how many.
        total_bytes: u64,
    },
}

/// What [`state`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewsState {
    /// They are there.
    Ready {
        /// Where.
        directory: PathBuf,
    },
    /// The next run makes them.
    Missing {
        /// What they take on the disk.
        needed_bytes: u64,
        /// What is free there.
        free_bytes: u64,
    },
}

/// The views of a runtime, made where they are missing or out of date. `stop` is asked several times a second.
pub fn views(
    settings: &Settings,
    runtime: &Runtime,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(ViewsEvent),
) -> Result<Views, RuntimeError> {
    let compile = |root: &Path, modules: &[PathBuf]| compile::compile(&runtime.python, root, modules, stop);
    views_by(settings, runtime, &compile, stop, on_event)
}

/// The same with another compiler.
fn views_by(
    settings: &Settings,
    runtime: &Runtime,
    compile: &Compile<'_>,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(ViewsEvent),
) -> Result<Views, RuntimeError> {
    let parent = parent(settings);
    let lock = parent.join(LOCK_FILE);
    if let Some(views) = ready(&parent, runtime)? {
        // What a killed process has left is large; whoever makes views now cleans up by itself.
        if has_leftovers(&parent)
            && let Some(_turn) = turn::try_take(&lock)?
        {
            remove_leftovers(&parent)?;
        }
        return Ok(views);
    }
    fs::create_dir_all(&parent).map_err(RuntimeError::io("create", &parent))?;
    let _turn = turn::take(&lock, stop, &mut || on_event(ViewsEvent::Waiting))?;
    remove_leftovers(&parent)?;
    // Whoever was first may have made them meanwhile.
    if let Some(views) = ready(&parent, runtime)? {
        return Ok(views);
    }
    let plans = Plans::of(runtime)?;
    let ways = Ways::of(&parent, &runtime.python)?;
    let made = make_all(&parent, runtime, (&plans, ways), compile, stop, on_event)?;
    remove_others(&parent, runtime, &made)?;
    ready(&parent, runtime)?.ok_or(RuntimeError::ViewsUnsteady { path: made })
}

/// Whether the views of a runtime are there, and what making them takes. Makes nothing.
pub fn state(settings: &Settings, runtime: &Runtime) -> Result<ViewsState, RuntimeError> {
    let parent = parent(settings);
    if let Some(views) = ready(&parent, runtime)? {
        return Ok(ViewsState::Ready {
            directory: views.directory.clone(),
        });
    }
    let plans = Plans::of(runtime)?;
    // What the file system can do is found out when they are made; most can link and cannot clone.
    let ways = Ways {
        clones: false,
        links: true,
    };
    Ok(ViewsState::Missing {
        needed_bytes: ways.needed_bytes(&plans, &parent),
        free_bytes: crate::install::free_bytes(&parent)?,
    })
}

/// The content of a source file as a sandbox shows it.
pub(crate) fn bare(path: &Path, content: &[u8]) -> Vec<u8> {
    bare::Form::of(path).apply(content.to_vec())
}

fn parent(settings: &Settings) -> PathBuf {
    settings.data_dir.join("views")
}

/// What names of the views of a runtime begin with.
fn identity(runtime: &Runtime) -> String {
    let digits = |hash: Sha256Hash| -> String { hash.to_string().chars().take(NAME_DIGITS).collect() };
    let program = Sha256Hash::of(runtime.python.as_os_str().as_bytes());
    match &runtime.origin {
        // There may be one for each version of Python.
        Origin::Locked(lock) => format!("{}-{}-", digits(*lock), digits(program)),
        Origin::External => format!("external-{}-", digits(program)),
    }
}

/// The directories of views of a runtime, in whatever state.
fn candidates(parent: &Path, runtime: &Runtime) -> Vec<PathBuf> {
    let identity = identity(runtime);
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().as_bytes().starts_with(identity.as_bytes()));
    ours.map(|entry| entry.path()).collect()
}

/// Complete views that are up to date, from now on in use.
fn ready(parent: &Path, runtime: &Runtime) -> Result<Option<Views>, RuntimeError> {
    for directory in candidates(parent, runtime) {
        let Some(marker) = Marker::read(&directory).filter(|marker| marker.is_of(runtime)) else {
            continue;
        };
        let path = directory.join(MARKER_FILE);
        let Ok(in_use) = File::open(&path) else {
            continue;
        };
        in_use.lock_shared().map_err(RuntimeError::io("lock", &path))?;
        // Somebody may have removed them before they were in use.
        let opened = in_use.metadata().map(|metadata| metadata.ino()).ok();
        if opened.is_none() || path.metadata().map(|metadata| metadata.ino()).ok() != opened {
            continue;
        }
        let system = learner::binds(runtime, &marker.single, &directory.join(EMPTY));
        return Ok(Some(Views {
            directory,
            marker,
            system,
            _in_use: in_use,
        }));
    }
    Ok(None)
}

/// Makes all views in a directory that counts for nothing, and puts it in place when it is complete.
fn make_all(
    parent: &Path,
    runtime: &Runtime,
    (plans, ways): (&Plans, Ways),
    compile: &Compile<'_>,
    stop: &dyn Fn() -> bool,
    on_event: &mut dyn FnMut(ViewsEvent),
) -> Result<PathBuf, RuntimeError> {
    on_event(ViewsEvent::Planned {
        needed_bytes: ways.needed_bytes(plans, parent),
        directory: parent.to_owned(),
    });
    make::check_disk(parent, plans, ways)?;
    let partial = tempfile::Builder::new()
        .prefix(PARTIAL)
        // A sandbox enters the trees below it by themselves.
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(RuntimeError::io("create a directory in", parent))?;
    // Before anything is copied: what changes meanwhile makes the views out of date.
    let fingerprint = marker::fingerprint(runtime, &plans.answerer.single);
    let total_bytes = plans.bytes();
    make::make(plans, partial.path(), ways, compile, stop, &mut |done_bytes| {
        on_event(ViewsEvent::Progress {
            done_bytes,
            total_bytes,
        });
    })?;
    let empty = partial.path().join(EMPTY);
    fs::create_dir(&empty)
        .and_then(|()| fs::set_permissions(&empty, Permissions::from_mode(0o555)))
        .map_err(RuntimeError::io("create", &empty))?;
    let marker = Marker::new(fingerprint, plans);
    marker
        .write(partial.path())
        .map_err(RuntimeError::io("complete", partial.path()))?;
    let name: String = fingerprint.to_string().chars().take(NAME_DIGITS).collect();
    let directory = parent.join(identity(runtime) + &name);
    // One of this name that does not count: damaged, for it would have been used.
    discard(parent, &directory)?;
    fs::rename(partial.keep(), &directory)
        .map_err(RuntimeError::io("put the views in place at", &directory))?;
    Ok(directory)
}

/// Removes what was made for this runtime before and is used by nobody.
fn remove_others(parent: &Path, runtime: &Runtime, current: &Path) -> Result<(), RuntimeError> {
    for directory in candidates(parent, runtime) {
        if directory == current {
            continue;
        }
        // Held until they are gone: whoever wants to use them waits, and then sees that there is nothing.
        let marker = File::open(directory.join(MARKER_FILE));
        let is_used = marker.as_ref().is_ok_and(|marker| marker.try_lock().is_err());
        if !is_used {
            discard(parent, &directory)?;
        }
    }
    Ok(())
}

/// Takes a directory out of sight in one step, then removes it.
fn discard(parent: &Path, directory: &Path) -> Result<(), RuntimeError> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let stale = parent.join(format!("{STALE}{name}"));
    match fs::rename(directory, &stale) {
        Ok(()) => fs::remove_dir_all(&stale).map_err(RuntimeError::io("remove", &stale)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(RuntimeError::io("remove", directory)(error)),
    }
}

fn leftovers(parent: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let dead = entries.filter(|entry| {
        let name = entry.file_name();
        [PARTIAL, STALE]
            .iter()
            .any(|beginning| name.as_bytes().starts_with(beginning.as_bytes()))
    });
    dead.map(|entry| entry.path())
}

fn has_leftovers(parent: &Path) -> bool {
    leftovers(parent).next().is_some()
}

/// Only for whoever has the turn: nobody else makes or removes anything then.
fn remove_leftovers(parent: &Path) -> Result<(), RuntimeError> {
    for path in leftovers(parent) {
        fs::remove_dir_all(&path).map_err(RuntimeError::io("remove", &path))?;
    }
    Ok(())
}
