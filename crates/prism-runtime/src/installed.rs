//! The runtimes in the data directory: where they lie, and which of them are complete.
//!
//! A runtime is a virtual environment in `runtime/<lock>-cp<version>` below the data directory. It counts only once
//! [`MARKER_FILE`] lies in it, which `install` writes last, in one step; whatever was interrupted has none. `locate`
//! looks for complete ones, `install` makes them; nobody else knows these names.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prism_core::hash::Sha256Hash;
use serde::{Deserialize, Serialize};

use crate::settings::Settings;
use crate::tree::NAME_DIGITS;

const MARKER_FILE: &str = "prism-runtime.json";
const MARKER_SCHEMA: u32 = 1;
/// The versions of Python that the lock file covers, the preferred one first.
const LANGUAGES: [(u32, u32); 3] = [(3, 13), (3, 12), (3, 11)];

/// What a complete runtime says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marker {
    schema: u32,
    pub(crate) lock_sha256: String,
    pub(crate) python_version: String,
    pub(crate) torch_version: String,
    pub(crate) installer: String,
}

impl Marker {
    pub(crate) fn new(lock: Sha256Hash, python_version: &str, torch_version: &str, installer: &str) -> Self {
        Self {
            schema: MARKER_SCHEMA,
            lock_sha256: lock.to_string(),
            python_version: python_version.to_owned(),
            torch_version: torch_version.to_owned(),
            installer: installer.to_owned(),
        }
    }

    /// Reads the marker of a directory; `None` where it is not one of a complete runtime for this lock.
    pub(crate) fn read(directory: &Path, lock: Sha256Hash) -> Option<Self> {
        let text = fs::read_to_string(directory.join(MARKER_FILE)).ok()?;
        let marker: Self = serde_json::from_str(&text).ok()?;
        (marker.schema == MARKER_SCHEMA && marker.lock_sha256 == lock.to_string()).then_some(marker)
    }

    /// Declares a directory complete, in one step that lasts.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(directory.join(MARKER_FILE))?;
        File::open(directory)?.sync_all()
    }
}

/// Where all runtimes lie.
pub(crate) fn parent(settings: &Settings) -> PathBuf {
    settings.data_dir.join("runtime")
}

/// Where the runtime for a lock and a version of Python lies.
pub(crate) fn directory(settings: &Settings, lock: Sha256Hash, (major, minor): (u32, u32)) -> PathBuf {
    let lock: String = lock.to_string().chars().take(NAME_DIGITS).collect();
    parent(settings).join(format!("{lock}-cp{major}{minor}"))
}

/// The interpreter of a runtime.
pub(crate) fn python(directory: &Path) -> PathBuf {
    directory.join("bin").join("python")
}

/// The complete runtime for a lock, if there is one; the newest Python where there are several.
pub(crate) fn find(settings: &Settings, lock: Sha256Hash) -> Option<(PathBuf, Marker)> {
    LANGUAGES.iter().find_map(|language| {
        let directory = directory(settings, lock, *language);
        Marker::read(&directory, lock).map(|marker| (directory, marker))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn settings(data_dir: &Path) -> Settings {
        Settings {
            data_dir: data_dir.to_owned(),
            python: None,
            home: PathBuf::from("/nonexistent"),
            path: std::env::var_os(crate::env_vars::PATH).unwrap_or_default(),
            cache_dir: data_dir.join("cache"),
            temp_dir: std::env::temp_dir(),
            c_compiler: None,
        }
    }

    fn lock(byte: u8) -> Sha256Hash {
        Sha256Hash([byte; 32])
    }

    #[test]
    fn a_runtime_counts_once_its_marker_is_there() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let older = directory(&settings, lock(1), (3, 11));
        let newer = directory(&settings, lock(1), (3, 13));
        for path in [&older, &newer] {
            fs::create_dir_all(path.join("bin")).unwrap();
        }
        assert_eq!(find(&settings, lock(1)), None);
        Marker::new(lock(1), "3.11.7", "2.15.0", "pip")
            .write(&older)
            .unwrap();
        assert_eq!(find(&settings, lock(1)).unwrap().0, older);
        Marker::new(lock(1), "3.13.0", "2.15.0", "uv")
            .write(&newer)
            .unwrap();
        let (found, marker) = find(&settings, lock(1)).unwrap();
        assert_eq!(
            (found.as_path(), marker.torch_version.as_str()),
            (newer.as_path(), "2.15.0")
        );
        assert_eq!(
            find(&settings, lock(2)),
            None,
            "another lock file needs another runtime"
        );
    }

    #[test]
    fn a_marker_that_is_damaged_or_of_another_lock_does_not_count() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let directory = directory(&settings, lock(1), (3, 12));
        fs::create_dir_all(&directory).unwrap();
        for text in ["", "{", "{}", "{\"schema\": 2}"] {
            fs::write(directory.join(MARKER_FILE), text).unwrap();
            assert_eq!(find(&settings, lock(1)), None, "{text:?}");
        }
        // The names of directories show only the beginning of the hash.
        Marker::new(lock(2), "3.12.1", "2.15.0", "pip")
            .write(&directory)
            .unwrap();
        assert_eq!(find(&settings, lock(1)), None);
    }
}
