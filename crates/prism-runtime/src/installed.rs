//! The runtimes in the data directory: where they lie, and which of them are complete.
//!
//! A runtime is a virtual environment in `runtime/<lock>-cp<version>` below the data directory. It counts only once
//! [`MARKER_FILE`] lies in it, which `install` writes last, in one step; whatever was interrupted has none. `locate`
//! looks for complete ones, `install` makes them; nobody else knows these names.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
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
}

impl Marker {
    pub(crate) fn new(lock: Sha256Hash, python_version: &str, torch_version: &str) -> Self {
        Self {
            schema: MARKER_SCHEMA,
            lock_sha256: lock.to_string(),
            python_version: python_version.to_owned(),
            torch_version: torch_version.to_owned(),
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
        write_marker(self, directory, MARKER_FILE)
    }
}

/// Writes a marker that stands for a whole directory, in one step that lasts.
pub(crate) fn write_marker(marker: &impl Serialize, directory: &Path, name: &str) -> io::Result<()> {
    let text = serde_json::to_string_pretty(marker)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name))?;
    File::open(directory)?.sync_all()
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

/// The complete runtimes for a lock, that of the newest Python first.
pub(crate) fn complete(settings: &Settings, lock: Sha256Hash) -> Vec<(PathBuf, Marker)> {
    let complete = |language: &(u32, u32)| {
        let directory = directory(settings, lock, *language);
        Marker::read(&directory, lock).map(|marker| (directory, marker))
    };
    LANGUAGES.iter().filter_map(complete).collect()
}

/// Removes a runtime, if it is there. Not complete any more is the first that it becomes: whatever interrupts this
/// leaves nothing that counts.
pub(crate) fn remove(directory: &Path) -> io::Result<()> {
    remove_with(directory, |directory| fs::remove_dir_all(directory))
}

fn remove_with(directory: &Path, remove_tree: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let removed = match fs::symlink_metadata(directory) {
        // Somebody's link to another disk: what it leads to is theirs.
        Ok(metadata) if metadata.is_symlink() => fs::remove_file(directory),
        Ok(_) => withdraw(directory).and_then(|()| remove_tree(directory)),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes back what [`Marker::write`] has declared, in a way that lasts, too.
fn withdraw(directory: &Path) -> io::Result<()> {
    match fs::remove_file(directory.join(MARKER_FILE)) {
        Ok(()) => File::open(directory)?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether everybody may enter and list a directory.
pub(crate) fn everybody_may_read(directory: &Path) -> io::Result<bool> {
    Ok(directory.metadata()?.permissions().mode() & 0o005 == 0o005)
}

/// Lets everybody read a runtime: where PRISM runs as root, the code in the sandbox runs as another user. The umask is
/// not what decides that alone, since `uv` links to files that it once put into its cache under another one.
pub(crate) fn let_everybody_read(directory: &Path) -> io::Result<()> {
    add_mode(directory, 0o055)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let_everybody_read(&entry.path())?;
        } else if kind.is_file() {
            let is_program = entry.metadata()?.permissions().mode() & 0o100 != 0;
            add_mode(&entry.path(), if is_program { 0o055 } else { 0o044 })?;
        }
    }
    Ok(())
}

fn add_mode(path: &Path, wanted: u32) -> io::Result<()> {
    let mode = path.metadata()?.permissions().mode();
    if mode & wanted == wanted {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode | wanted))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::process::{Command, Stdio};
    use std::slice;

    use super::*;

    /// Writes a program for everybody. Another process does it: a program cannot be started while somebody has it open
    /// for writing, as a child that another test is starting has for a moment whatever this process has.
    pub(crate) fn write_program(path: &Path, script: &str) {
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
    }

    pub(crate) fn settings(data_dir: &Path) -> Settings {
        Settings {
            data_dir: data_dir.to_owned(),
            python: None,
            home: None,
            path: std::env::var_os(crate::env_vars::PATH).unwrap_or_default(),
            cache_dir: data_dir.join("cache"),
            temp_dir: std::env::temp_dir(),
            proxies: Vec::new(),
            is_root: false,
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
        assert_eq!(complete(&settings, lock(1)), []);
        let older_marker = Marker::new(lock(1), "3.11.7", "2.15.0");
        older_marker.write(&older).unwrap();
        let older = (older, older_marker);
        assert_eq!(complete(&settings, lock(1)), slice::from_ref(&older));
        let newer_marker = Marker::new(lock(1), "3.13.0", "2.15.0");
        newer_marker.write(&newer).unwrap();
        assert_eq!(complete(&settings, lock(1)), [(newer, newer_marker), older]);
        assert_eq!(
            complete(&settings, lock(2)),
            [],
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
            assert_eq!(complete(&settings, lock(1)), [], "{text:?}");
        }
        // The names of directories show only the beginning of the hash.
        Marker::new(lock(2), "3.12.1", "2.15.0")
            .write(&directory)
            .unwrap();
        assert_eq!(complete(&settings, lock(1)), []);
    }

    /// A complete runtime with two files, all of it closed to others.
    fn closed_runtime(settings: &Settings) -> PathBuf {
        let directory = directory(settings, lock(1), (3, 12));
        fs::create_dir_all(directory.join("bin")).unwrap();
        for (name, mode) in [("bin/pip", 0o700), ("pyvenv.cfg", 0o600)] {
            fs::write(directory.join(name), "").unwrap();
            fs::set_permissions(directory.join(name), Permissions::from_mode(mode)).unwrap();
        }
        Marker::new(lock(1), "3.12.1", "2.15.0")
            .write(&directory)
            .unwrap();
        for path in [directory.join("bin"), directory.clone()] {
            fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
        }
        directory
    }

    #[test]
    fn a_runtime_that_is_being_removed_does_not_count() {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(data.path());
        let directory = closed_runtime(&settings);
        let interrupted = remove_with(&directory, |tree| {
            assert_eq!(tree, directory);
            Err(io::Error::from(io::ErrorKind::Interrupted))
        });
        assert_eq!(interrupted.unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert!(directory.join("pyvenv.cfg").exists(), "half of it is there");
        assert_eq!(complete(&settings, lock(1)), []);
        remove(&directory).unwrap();
        assert!(!directory.exists());
        remove(&directory).unwrap();
    }

    #[test]
    fn only_the_link_to_a_runtime_elsewhere_is_removed() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (settings, elsewhere) = (settings(data.path()), settings(other.path()));
        let target = closed_runtime(&elsewhere);
        let link = directory(&settings, lock(1), (3, 12));
        fs::create_dir_all(parent(&settings)).unwrap();
        std::os::unix::fs::symlink(target, &link).unwrap();
        assert_eq!(complete(&settings, lock(1)).len(), 1);
        remove(&link).unwrap();
        assert_eq!(complete(&settings, lock(1)), []);
        assert_eq!(complete(&elsewhere, lock(1)).len(), 1);
    }

    #[test]
    fn everybody_may_read_what_was_opened_and_nobody_write_it() {
        let data = tempfile::tempdir().unwrap();
        let directory = closed_runtime(&settings(data.path()));
        std::os::unix::fs::symlink("/nonexistent", directory.join("bin/python")).unwrap();
        assert!(!everybody_may_read(&directory).unwrap());
        let_everybody_read(&directory).unwrap();
        assert!(everybody_may_read(&directory).unwrap());
        for (name, wanted) in [
            ("", 0o755),
            ("bin", 0o755),
            ("bin/pip", 0o755),
            ("pyvenv.cfg", 0o644),
        ] {
            let mode = fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, wanted, "{name:?}: {mode:o}");
        }
    }
}
