//! A directory on disk to entries, and a bundle back to a directory.
//!
//! The only module of this crate that touches files. The command line and the engine call [`read_dir`] and give what
//! it returns to [`Bundle::from_entries`], which judges it; this module decides only what is *not* part of a bundle:
//! hidden files and caches are skipped, symbolic links and special files are refused, and reading stops at the limits
//! instead of filling the memory.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;

use crate::bundle::Bundle;
use crate::limits::{ARCHIVE_BYTES_MAX, BUNDLE_BYTES_MAX, FILES_MAX, PATH_COMPONENTS_MAX};

/// Names that tools leave behind and that are never part of a bundle.
const CACHE_DIRECTORIES: [&str; 2] = ["__pycache__", "__MACOSX"];
const CACHE_SUFFIXES: [&str; 4] = [".pyc", ".pyo", ".swp", "~"];
/// Modes of what is written, set explicitly since the umask may take bits from those of a new file.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;

/// Why a directory could not be packed, or a bundle not written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum PackError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("{path:?} is neither a directory nor a file", path = .0.as_os_str())]
    NotAnArchive(PathBuf),
    #[error("{path:?} is a symbolic link", path = .0.as_os_str())]
    Symlink(PathBuf),
    #[error("{path:?} is neither a file nor a directory", path = .0.as_os_str())]
    SpecialFile(PathBuf),
    #[error("the name of {path:?} is not UTF-8", path = .0.as_os_str())]
    NameNotUtf8(PathBuf),
    #[error("{path:?} lies deeper than {PATH_COMPONENTS_MAX} levels", path = .0.as_os_str())]
    TooDeep(PathBuf),
    #[error("{path:?} has more than {FILES_MAX} files besides hidden ones and caches", path = .0.as_os_str())]
    TooManyFiles(PathBuf),
    /// More bytes than a bundle may have.
    #[error("{path:?} has more than {BUNDLE_BYTES_MAX} bytes besides hidden files and caches", path = .0.as_os_str())]
    TooLarge(PathBuf),
}

impl Advice for PackError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotAnArchive(..) => "name a bundle's directory or its .zip".into(),
            Self::Symlink(..) => "put the file itself into the bundle".into(),
            Self::SpecialFile(..) => "remove it from the bundle".into(),
            Self::NameNotUtf8(..) => "rename it".into(),
            Self::TooDeep(..) => "flatten the bundle".into(),
            Self::TooManyFiles(..) | Self::TooLarge(..) => "is it the bundle's directory?".into(),
            Self::Io(_) => return None,
        })
    }
}

impl PackError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io(IoError { action, path, source })
    }
}

/// Reads the files of a directory as paths and contents, in ascending order of the paths. Links in `root` itself are
/// followed: it is the caller who named it.
pub fn read_dir(root: &Path) -> Result<Vec<(String, Vec<u8>)>, PackError> {
    let mut walk = Walk {
        root,
        entries: Vec::new(),
        left_bytes: BUNDLE_BYTES_MAX,
    };
    walk.directory(root, "", 1)?;
    walk.entries.sort();
    Ok(walk.entries)
}

/// Reads an archive, for [`Bundle::from_zip`] to judge: at most one byte more than it allows.
pub fn read_archive(path: &Path) -> Result<Vec<u8>, PackError> {
    // A pipe would block for ever when it is opened.
    if !fs::metadata(path)
        .map_err(PackError::io("look at", path))?
        .is_file()
    {
        return Err(PackError::NotAnArchive(path.to_owned()));
    }
    let mut archive = Vec::new();
    File::open(path)
        .and_then(|file| file.take(ARCHIVE_BYTES_MAX + 1).read_to_end(&mut archive))
        .map_err(PackError::io("read", path))?;
    Ok(archive)
}

struct Walk<'a> {
    root: &'a Path,
    entries: Vec<(String, Vec<u8>)>,
    left_bytes: u64,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), PackError> {
        if depth > PATH_COMPONENTS_MAX {
            return Err(PackError::TooDeep(directory.to_owned()));
        }
        for entry in fs::read_dir(directory).map_err(PackError::io("list", directory))? {
            let entry = entry.map_err(PackError::io("list", directory))?;
            let path = entry.path();
            let name = entry.file_name();
            if is_skipped(&name.to_string_lossy()) {
                continue;
            }
            let name = name
                .to_str()
                .ok_or_else(|| PackError::NameNotUtf8(path.clone()))?;
            let kind = entry.file_type().map_err(PackError::io("look at", &path))?;
            if kind.is_symlink() {
                return Err(PackError::Symlink(path));
            }
            if kind.is_dir() {
                self.directory(&path, &format!("{prefix}{name}/"), depth + 1)?;
            } else if kind.is_file() {
                self.file(&path, format!("{prefix}{name}"))?;
            } else {
                return Err(PackError::SpecialFile(path));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), PackError> {
        if self.entries.len() == FILES_MAX {
            return Err(PackError::TooManyFiles(self.root.to_owned()));
        }
        let mut content = Vec::new();
        File::open(path)
            .and_then(|file| file.take(self.left_bytes + 1).read_to_end(&mut content))
            .map_err(PackError::io("read", path))?;
        self.left_bytes = self
            .left_bytes
            .checked_sub(content.len() as u64)
            .ok_or_else(|| PackError::TooLarge(self.root.to_owned()))?;
        self.entries.push((name, content));
        Ok(())
    }
}

fn is_skipped(name: &str) -> bool {
    name.starts_with('.')
        || CACHE_DIRECTORIES.contains(&name)
        || CACHE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Writes a bundle's files into a directory that does not exist yet, so that nothing is followed or overwritten.
/// Whatever the umask, everybody may read them: where PRISM runs as root, the code in the sandbox runs as another user.
pub fn write_dir(bundle: &Bundle, directory: &Path) -> Result<(), PackError> {
    create_dir(directory)?;
    for (path, content) in bundle.files() {
        let path = directory.join(path.as_str());
        if let Some(parent) = path.parent() {
            create_missing_dirs(parent)?;
        }
        File::options()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(content.as_bytes())?;
                file.set_permissions(Permissions::from_mode(FILE_MODE))
            })
            .map_err(PackError::io("write", &path))?;
    }
    Ok(())
}

/// Creates a directory of the bundle and those above it, up to one that is there.
fn create_missing_dirs(directory: &Path) -> Result<(), PackError> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        create_missing_dirs(parent)?;
    }
    create_dir(directory)
}

fn create_dir(directory: &Path) -> Result<(), PackError> {
    fs::create_dir(directory).map_err(PackError::io("create", directory))?;
    fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))
        .map_err(PackError::io("set the mode of", directory))
}
