//! One counted run on one kernel at a time: a lock of the machine.
//!
//! Two submissions that run side by side hear each other, and the one that is ahead could tell the other the text. So a
//! counted run holds this lock exclusively, and whatever else starts submitted code holds it shared. Taken by
//! [`crate::evaluate`] and [`crate::instantiate`], just before the first process of a submission. It must never be a
//! user's or a directory's: it lies at one place of the machine, and containers that share a kernel must share it.
//!
//! # How it works
//!
//! One file, locked by the kernel in ranges of bytes, so that a process that was killed leaves nothing behind. Byte 0 is
//! the lock. Every byte after it is a ticket: who comes takes the first one behind all that are taken, shared or
//! exclusive like what it wants, and waits until no ticket before its own is in its way. So who waits is served in
//! the order of coming, those who share do not wait for each other, and a stream of rehearsals cannot keep a counted
//! run out. Only root makes the file, and only who may write to it can take anything exclusively. Where there is none
//! and it cannot be made, root has never run anything here, and an ordinary user, whose runs do not count, goes on.

mod holders;

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{
        DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use prism_core::{failure::Failure, outcome::Reason};
use prism_referee::connection::Cancel;
use prism_runtime::env_vars::PRISM_MACHINE_LOCK;
use prism_sandbox::{LockKind, foreign_lock, try_lock_range, unlock_range};

pub use holders::Holder;

/// Where the lock lies unless the environment says otherwise.
pub const DEFAULT_PATH: &str = "/run/prism/machine.lock";
/// The lock itself.
const LOCK_BYTE: u64 = 0;
/// The first ticket.
const FIRST_TICKET: u64 = 1;
/// No machine has seen so many.
const TICKETS: u64 = 1 << 40;
/// How often somebody who waits looks.
const TICK: Duration = Duration::from_millis(100);
/// How often it says that it still waits.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// What becomes of somebody who would have to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenBusy {
    /// It waits, and says for whom.
    #[default]
    Wait,
    /// It goes on at once: beside rehearsals as one of them, beside a counted run not at all.
    GoOn,
}

/// What was obtained.
#[derive(Debug)]
pub(crate) enum Turn {
    /// What was wished for.
    Granted(Held),
    /// Only a place beside the rehearsals that go on.
    Beside(Held),
}

/// Who wants the machine, and how.
pub(crate) struct Wish<'a> {
    /// Exclusively for a run that would count, shared for everything else.
    pub(crate) kind: LockKind,
    /// What it is, for others who wait.
    pub(crate) what: &'a str,
    /// What to do where it is not free.
    pub(crate) when_busy: WhenBusy,
    /// Stops the waiting.
    pub(crate) cancel: &'a Cancel,
}

/// The lock, until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Held {
    /// None where no root ever made one.
    file: Option<File>,
    kind: LockKind,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(file), LockKind::Exclusive) = (&self.file, self.kind) {
            // What is left of it would only be stale: nobody believes it once the lock is free.
            let _ = file.set_len(0);
        }
    }
}

/// Where the lock of this machine lies.
pub(crate) fn path() -> PathBuf {
    std::env::var_os(PRISM_MACHINE_LOCK)
        .filter(|path| !path.is_empty())
        .map_or_else(|| PathBuf::from(DEFAULT_PATH), PathBuf::from)
}

/// Obtains the lock at `path`. `tell` hears at once, and then every half minute, who is waited for.
pub(crate) fn take(
    path: &Path,
    wish: &Wish<'_>,
    tell: &mut dyn FnMut(Vec<Holder>, Duration),
) -> Result<Turn, Failure> {
    let broken =
        |error: &dyn fmt::Display| {
            Failure::new(
            Reason::Storage,
            format!("the lock of this machine, {}, cannot be used: {error}", path.display()),
        )
        .with_hint(format!(
            "`{PRISM_MACHINE_LOCK}` names another place, which must be the same for everybody on this kernel"
        ))
        };
    let started = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let Some(file) = open(path, wish.kind).map_err(|error| broken(&error))? else {
            return Ok(Turn::Granted(Held {
                file: None,
                kind: wish.kind,
            }));
        };
        let mut line = Line::join(file, wish.kind).map_err(|error| broken(&error))?;
        while line.is_in_place(path) {
            if line.advance().map_err(|error| broken(&error))? {
                if !line.is_in_place(path) {
                    break;
                }
                return Ok(Turn::Granted(
                    line.held(wish.what).map_err(|error| broken(&error))?,
                ));
            }
            if wish.when_busy == WhenBusy::GoOn {
                let held = beside(line, path).map_err(|error| broken(&error))??;
                return Ok(match wish.kind {
                    LockKind::Exclusive => Turn::Beside(held),
                    LockKind::Shared => Turn::Granted(held),
                });
            }
            if wish.cancel.is_cancelled() {
                return Err(Failure::new(Reason::Cancelled, "the run was cancelled"));
            }
            if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
                told = Some(Instant::now());
                tell(holders::of(path, &line.file), started.elapsed());
            }
            thread::sleep(TICK);
        }
        // Somebody has put another file in its place: what was obtained would exclude nobody.
    }
}

/// A place beside rehearsals for somebody who does not wait; the inner error is for who meets a counted run.
fn beside(line: Line, path: &Path) -> io::Result<Result<Held, Failure>> {
    let busy = |file: &File| {
        let holders = holders::of(path, file);
        Failure::new(
            Reason::MachineBusy,
            format!(
                "a counted run has this machine to itself or is about to ({}): leave out `--no-wait` to wait for it, or try \
                 again later",
                holders::list(&holders)
            ),
        )
    };
    let file = line.leave()?;
    let mut line = Line::join(file, LockKind::Shared)?;
    if line.advance()? {
        return Ok(Ok(line.held("")?));
    }
    Ok(Err(busy(&line.file)))
}

/// Opens the file; root makes it where it is missing. `None` where there is none and nobody could hold it.
fn open(path: &Path, kind: LockKind) -> io::Result<Option<File>> {
    let root = rustix::process::geteuid().is_root();
    if root && !path.exists() {
        match create(path) {
            Err(_) if kind == LockKind::Shared && !path.exists() => return Ok(None),
            made => made?,
        }
    }
    let opened = OpenOptions::new()
        .read(true)
        .write(kind == LockKind::Exclusive)
        .custom_flags(libc_flags())
        .open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound && kind == LockKind::Shared => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    // Whoever could write to it could keep counted runs out for ever, or put words into a holder's mouth.
    if kind == LockKind::Exclusive
        && (metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0)
    {
        return Err(io::Error::other("it can be written to by others than its user"));
    }
    Ok(Some(file))
}

fn libc_flags() -> i32 {
    // A link at that place is somebody's trick.
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

/// The file and its directory, readable by everybody whatever the umask.
fn create(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        DirBuilder::new()
            .mode(0o755)
            .create(parent)
            .or_else(exists_already)?;
        fs::set_permissions(parent, Permissions::from_mode(0o755))?;
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o644)));
    made.or_else(exists_already)
}

fn exists_already(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists {
        Ok(())
    } else {
        Err(error)
    }
}

/// A place in the line.
struct Line {
    file: File,
    kind: LockKind,
    ticket: u64,
}

impl Line {
    fn join(file: File, kind: LockKind) -> io::Result<Self> {
        loop {
            let mut ticket = FIRST_TICKET;
            // Behind every ticket that is taken, whoever took it.
            while let Some(taken) = foreign_lock(&file, LockKind::Exclusive, ticket, TICKETS - ticket)? {
                ticket = taken
                    .end
                    .filter(|end| *end < TICKETS)
                    .ok_or_else(|| io::Error::other("somebody has locked all of it"))?;
            }
            // Two may come at once: one of them looks again.
            if try_lock_range(&file, kind, ticket, 1)? {
                return Ok(Self { file, kind, ticket });
            }
        }
    }

    /// Takes the lock if it is this one's turn, and gives the ticket back.
    fn advance(&mut self) -> io::Result<bool> {
        let before = self.ticket - FIRST_TICKET;
        let is_first = before == 0 || foreign_lock(&self.file, self.kind, FIRST_TICKET, before)?.is_none();
        if !is_first || !try_lock_range(&self.file, self.kind, LOCK_BYTE, 1)? {
            return Ok(false);
        }
        unlock_range(&self.file, self.ticket, 1)?;
        Ok(true)
    }

    fn leave(self) -> io::Result<File> {
        unlock_range(&self.file, self.ticket, 1)?;
        Ok(self.file)
    }

    /// Whether the path still leads to this file.
    fn is_in_place(&self, path: &Path) -> bool {
        let same =
            |ours: fs::Metadata, there: fs::Metadata| ours.ino() == there.ino() && ours.dev() == there.dev();
        self.file
            .metadata()
            .and_then(|ours| Ok(same(ours, fs::symlink_metadata(path)?)))
            .unwrap_or(false)
    }

    fn held(self, what: &str) -> io::Result<Held> {
        if self.kind == LockKind::Exclusive {
            self.file.set_len(0)?;
            self.file.write_all_at(&holders::own_text(what), 0)?;
        }
        Ok(Held {
            file: Some(self.file),
            kind: self.kind,
        })
    }
}

#[cfg(test)]
mod tests;
