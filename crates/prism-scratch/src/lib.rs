//! Temporary directories that say whose they are, and the removal of those whose owner is gone.
//!
//! A process that is killed cannot clean up. So the name of each directory tells which process made it ([`Owner`]), and whoever
//! starts next removes what dead ones have left ([`sweep`]). Used by the engine, the corpus and the command line for
//! directories, and by the sandbox for control groups, whose names tell the same. It must never touch what belongs to a
//! living process or to another user, what was not made here, or what lies outside of a directory that was.

mod owner;
mod sweep;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

pub use owner::Owner;
pub use sweep::sweep;

/// How names begin, after a dot where the directory lies beside something that people look at.
const PREFIX: &str = "prism-";
/// Digits of the name of this start of the machine.
const BOOT_DIGITS: usize = 8;

/// What a directory is for. It is a part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What the sandboxes of a run or a check see of it.
    Run,
    /// The bundles of the demo.
    Demo,
    /// A corpus that is being written, beside its place.
    Corpus,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Run, Self::Demo, Self::Corpus];

    fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Demo => "demo",
            Self::Corpus => "corpus",
        }
    }

    fn is_hidden(self) -> bool {
        self == Self::Corpus
    }

    fn prefix(self) -> String {
        let dot = if self.is_hidden() { "." } else { "" };
        format!("{dot}{PREFIX}{}-", self.name())
    }
}

/// A directory of this process, for its user alone. Gone when it is dropped, or else with the next [`sweep`].
#[derive(Debug)]
pub struct Scratch {
    temp: TempDir,
}

impl Scratch {
    /// Makes one, after what dead processes have left there is removed.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new(parent: &Path, purpose: Purpose) -> io::Result<Self> {
        sweep(parent);
        let prefix = format!("{}{}-{}-", purpose.prefix(), boot()?, Owner::this_process()?);
        let temp = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        Ok(Self { temp })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.temp.path()
    }
}

/// Tells this start of the machine from every other: numbers of processes mean nothing beyond it.
fn boot() -> io::Result<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let digits: String = id
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(BOOT_DIGITS)
        .collect();
    if digits.len() == BOOT_DIGITS {
        return Ok(digits);
    }
    Err(io::Error::other(
        "/proc/sys/kernel/random/boot_id holds no identity",
    ))
}
