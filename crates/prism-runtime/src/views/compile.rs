//! Compiles the modules of a view, which their interpreter would otherwise do at each start.
//!
//! Called by `make` when the modules of the first seat lie in place. What the installer has compiled is of no use: it holds
//! the docstrings that [`super::bare`] has taken away. The runtime's own interpreter compiles and executes nothing of it.

use std::io::{Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::{self, Ending};
use crate::error::RuntimeError;
use crate::probe::REMOVED_VARIABLES;

const SCRIPT: &str = include_str!("compile.py");

/// Compiles modules below a root, each into `__pycache__` beside it. The compiled forms name the modules without the root.
pub(super) fn compile(
    python: &Path,
    root: &Path,
    modules: &[PathBuf],
    stop: &dyn Fn() -> bool,
) -> Result<(), RuntimeError> {
    if modules.is_empty() {
        return Ok(());
    }
    let failed = RuntimeError::io("start", python);
    let mut command = Command::new(python);
    command.args(["-I", "-S", "-B", "-c", SCRIPT]).arg(root);
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    let run = || {
        let mut paths = tempfile::tempfile()?;
        let names: Vec<_> = modules.iter().map(|path| path.as_os_str().as_bytes()).collect();
        paths.write_all(&names.join(&0))?;
        paths.rewind()?;
        command.stdin(Stdio::from(paths));
        child::run(command, None, stop, &mut |_| {})
    };
    let finished = run().map_err(failed)?;
    match finished.ending {
        Ending::Exited(status) if status.success() => Ok(()),
        Ending::Stopped => Err(RuntimeError::Cancelled),
        Ending::Exited(_) | Ending::TimedOut => Err(RuntimeError::NotCompiled { tail: finished.tail }),
    }
}
