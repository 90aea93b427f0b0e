//! What the environment says, read once.
//!
//! Every public function of the crate takes [`Settings`]; only [`Settings::from_env`] looks at the process's
//! environment, so that tests and a service can say something else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::env_vars;
use crate::error::RuntimeError;

/// Where things are and what to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// PRISM's own directory; made when it is first needed.
    pub data_dir: PathBuf,
    /// The interpreter that `PRISM_PYTHON` names.
    pub python: Option<PathBuf>,
    /// The user's home directory, which no sandbox may show as a whole.
    pub home: PathBuf,
    /// Where programs are looked for.
    pub path: OsString,
    /// Where `pip` and `uv` keep downloads.
    pub cache_dir: PathBuf,
    /// Where temporary files go.
    pub temp_dir: PathBuf,
    /// The C compiler that `CC` names.
    pub c_compiler: Option<OsString>,
}

impl Settings {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, RuntimeError> {
        let base = etcetera::base_strategy::Xdg::new().map_err(|_| RuntimeError::NoHome)?;
        let data_dir = match set(env_vars::PRISM_DATA_DIR) {
            Some(directory) => absolute(Path::new(&directory))?,
            None => base.data_dir().join("prism"),
        };
        let python = set(env_vars::PRISM_PYTHON)
            .map(|python| absolute(Path::new(&python)))
            .transpose()?;
        Ok(Self {
            data_dir,
            python,
            home: base.home_dir().to_owned(),
            path: std::env::var_os(env_vars::PATH).unwrap_or_default(),
            cache_dir: base.cache_dir(),
            temp_dir: std::env::temp_dir(),
            c_compiler: set(env_vars::CC),
        })
    }

    /// The first executable of this name on the path.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        // A name with a slash is a path already; an empty entry of PATH would mean the working directory.
        std::env::split_paths(&self.path)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(name))
            .find(|candidate| is_executable(candidate))
    }
}

/// An empty variable counts as one that is not set.
fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn absolute(path: &Path) -> Result<PathBuf, RuntimeError> {
    std::path::absolute(path).map_err(RuntimeError::io("find", path))
}

pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
