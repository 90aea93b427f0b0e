//! What the environment says, read once.
//!
//! Every public function of the crate takes [`Settings`]; only [`Settings::from_env`] looks at the process's
//! environment, so that tests and a service can say something else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

use crate::env_vars;
use crate::error::RuntimeError;

/// Where things are and what to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// PRISM's own directory; made when it is first needed.
    pub data_dir: PathBuf,
    /// The interpreter that `PRISM_PYTHON` names.
    pub python: Option<PathBuf>,
    /// The user's home directory, which no sandbox may show as a whole; not every user has one.
    pub home: Option<PathBuf>,
    /// Where programs are looked for.
    pub path: OsString,
    /// Where `uv` keeps downloads, unless it is set up to keep them elsewhere.
    pub cache_dir: PathBuf,
    /// Where temporary files go.
    pub temp_dir: PathBuf,
    /// The proxies that programs are told to use, each as `NAME=address`, without credentials.
    pub proxies: Vec<String>,
    /// Whether PRISM runs as root; what it starts in a sandbox then runs as another user.
    pub is_root: bool,
}

impl Settings {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, RuntimeError> {
        let directories = Xdg::new().ok();
        let mut settings = Self::new(directories.as_ref(), &|name| {
            // An empty variable counts as one that is not set.
            std::env::var_os(name).filter(|value| !value.is_empty())
        })?;
        settings.proxies = proxies(std::env::vars_os());
        Ok(settings)
    }

    /// From the user's directories, which somebody without a home has not, and the variables that are set.
    fn new(directories: Option<&Xdg>, set: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, RuntimeError> {
        let data_dir = match (set(env_vars::PRISM_DATA_DIR), directories) {
            (Some(directory), _) => absolute(Path::new(&directory))?,
            (None, Some(directories)) => directories.data_dir().join("prism"),
            (None, None) => return Err(RuntimeError::NoHome),
        };
        let python = set(env_vars::PRISM_PYTHON)
            .map(|python| absolute(Path::new(&python)))
            .transpose()?;
        Ok(Self {
            python,
            home: directories.map(|directories| directories.home_dir().to_owned()),
            path: set(env_vars::PATH).unwrap_or_default(),
            cache_dir: directories.map_or_else(|| data_dir.join("cache"), Xdg::cache_dir),
            temp_dir: std::env::temp_dir(),
            proxies: Vec::new(),
            is_root: rustix::process::geteuid().is_root(),
            data_dir,
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

/// The variables by which installers find a proxy: `https_proxy` and its like, in either case.
fn proxies(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let mut found: Vec<String> = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| {
            let name = name.to_ascii_lowercase();
            name.ends_with("_proxy") && name != "no_proxy" && !value.is_empty()
        })
        .map(|(name, value)| {
            let (scheme, rest) = value.split_once("://").unwrap_or(("http", &value));
            // Whatever stands before an `@` is a name and a password.
            let address = rest.rsplit_once('@').map_or(rest, |(_, address)| address);
            format!("{name}={scheme}://{address}")
        })
        .collect();
    found.sort();
    found
}

fn absolute(path: &Path) -> Result<PathBuf, RuntimeError> {
    std::path::absolute(path).map_err(RuntimeError::io("find", path))
}

pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_home_directory_the_data_directory_must_be_named() {
        let nothing = Settings::new(None, &|_| None);
        assert!(matches!(nothing, Err(RuntimeError::NoHome)), "{nothing:?}");
        let named = |name: &str| (name == env_vars::PRISM_DATA_DIR).then(|| OsString::from("/srv/prism"));
        let settings = Settings::new(None, &named).unwrap();
        assert_eq!(settings.data_dir, Path::new("/srv/prism"));
        assert_eq!(settings.cache_dir, Path::new("/srv/prism/cache"));
        assert_eq!(settings.home, None);
    }

    #[test]
    fn proxies_are_told_without_their_passwords() {
        let set = [
            ("HTTPS_PROXY", "http://me:secret@10.0.0.1:3128"),
            ("all_proxy", "socks5://localhost:9"),
            ("no_proxy", "localhost"),
            ("http_proxy", ""),
            ("PROXY_HOST", "x"),
        ];
        let set = set.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        assert_eq!(
            proxies(set.into_iter()),
            [
                "HTTPS_PROXY=http://10.0.0.1:3128",
                "all_proxy=socks5://localhost:9"
            ]
        );
    }
}
