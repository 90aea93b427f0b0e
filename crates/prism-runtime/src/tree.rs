//! A tree of embedded files: its hash, its parts, and how it is laid out on disk.
//!
//! `embedded` makes one of the Python sources and one of the examples. A tree on disk is read-only, appears in one
//! step under a name made of its hash, and is compared with what is embedded each time that it is asked for, so that
//! what runs in the sandbox is what the hash in the record says.
//!
//! The hash is the SHA-256 of these bytes; integers are unsigned and little-endian:
//!
//! ```text
//! offset  size  content
//! 0       14    "prism-tree-v1" and one zero byte
//!               then for each file, in ascending order of the bytes of its path:
//!         4       length of the path in bytes
//!         n       the path, "/" between components
//!         8       length of the content in bytes
//!         m       the content
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use prism_core::hash::Sha256Hash;

use crate::views;

const DOMAIN: &[u8; 14] = b"prism-tree-v1\0";
const FILE_MODE: u32 = 0o444;
const DIRECTORY_MODE: u32 = 0o555;
/// Beside the directories, for whoever replaces one.
const LOCK_FILE: &str = ".lock";
/// How names begin of what is half made.
const PARTIAL: &str = ".partial-";
/// How many digits of the hash are in the name of a directory.
pub(crate) const NAME_DIGITS: usize = 16;

/// Why a tree could not be laid out.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path:?}: {reason}", path = .path.as_os_str())]
pub struct TreeError {
    /// What was being done.
    pub action: &'static str,
    /// To which file.
    pub path: PathBuf,
    /// What the system said.
    pub reason: io::Error,
}

impl TreeError {
    fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self { action, path, reason }
    }
}

/// Files by their relative paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<&'static str, &'static [u8]>);

impl Tree {
    pub(crate) fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        Self(files.iter().copied().collect())
    }

    /// Paths and contents, in ascending order of the paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&'static str, &'static [u8])> + '_ {
        self.0.iter().map(|(path, content)| (*path, *content))
    }

    /// The names of the directories at the top, in ascending order.
    pub fn directories(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .0
            .keys()
            .filter_map(|path| path.split_once('/'))
            .map(|(name, _)| name)
            .collect();
        names.dedup();
        names
    }

    /// What lies below one directory at the top, with paths relative to it; `None` where there is nothing.
    pub fn directory(&self, name: &str) -> Option<Self> {
        let below = |path: &'static str| path.strip_prefix(name)?.strip_prefix('/');
        let files: BTreeMap<_, _> = self
            .0
            .iter()
            .filter_map(|(path, content)| Some((below(path)?, *content)))
            .collect();
        (!files.is_empty()).then_some(Self(files))
    }

    /// The hash of all paths and contents.
    pub fn sha256(&self) -> Sha256Hash {
        let mut bytes = Vec::from(DOMAIN);
        for (path, content) in self.files() {
            bytes.extend(u32::try_from(path.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(path.as_bytes());
            bytes.extend((content.len() as u64).to_le_bytes());
            bytes.extend(content);
        }
        Sha256Hash::of(&bytes)
    }

    /// Writes ordinary, writable files into a directory that does not exist yet: a scaffold for a person to change.
    pub fn write_new(&self, directory: &Path) -> Result<(), TreeError> {
        self.write(directory, |_, content| Cow::Borrowed(content))
    }

    fn write(
        &self,
        directory: &Path,
        form: fn(&Path, &'static [u8]) -> Cow<'static, [u8]>,
    ) -> Result<(), TreeError> {
        fs::create_dir(directory).map_err(TreeError::new("create", directory))?;
        for (path, content) in self.files() {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(TreeError::new("create", parent))?;
            }
            File::create_new(&path)
                .and_then(|mut file| file.write_all(&form(&path, content)))
                .map_err(TreeError::new("write", &path))?;
        }
        Ok(())
    }

    /// Writes files as a sandbox shows them into a directory that does not exist yet: without words about them, for
    /// everybody to read and nobody to change, whatever the umask.
    pub fn write_bare(&self, directory: &Path) -> Result<(), TreeError> {
        self.write(directory, |path, content| Cow::Owned(views::bare(path, content)))?;
        set_modes(directory, FILE_MODE, 0o755).map_err(TreeError::new("protect", directory))
    }

    /// Makes sure that `parent` has a read-only directory with exactly these files, and says where. One that is there
    /// and differs is replaced; of two processes at once one does that, and the right one is never touched.
    pub(crate) fn materialise(&self, parent: &Path) -> Result<PathBuf, TreeError> {
        let name: String = self.sha256().to_string().chars().take(NAME_DIGITS).collect();
        let directory = parent.join(name);
        if self.is_at(&directory) {
            return Ok(directory);
        }
        fs::create_dir_all(parent).map_err(TreeError::new("create", parent))?;
        // Held until this returns. Somebody else may have put the right one there before it was.
        let _turn = take_turn(parent)?;
        if self.is_at(&directory) {
            return Ok(directory);
        }
        remove_leftovers(parent);
        let scratch = tempfile::Builder::new()
            .prefix(PARTIAL)
            .tempdir_in(parent)
            .map_err(TreeError::new("create a directory in", parent))?;
        let fresh = scratch.path().join("fresh");
        self.write_new(&fresh)?;
        set_modes(&fresh, FILE_MODE, DIRECTORY_MODE).map_err(TreeError::new("protect", &fresh))?;
        let stale = scratch.path().join("stale");
        let moved = set_directory_writable(&directory).and_then(|()| fs::rename(&directory, &stale));
        if let Err(reason) = moved
            && reason.kind() != io::ErrorKind::NotFound
        {
            return Err(TreeError {
                action: "replace",
                path: directory,
                reason,
            });
        }
        // Moving a directory to another parent changes its `..`, for which it must be writable for a moment.
        let placed = set_directory_writable(&fresh)
            .and_then(|()| fs::rename(&fresh, &directory))
            .and_then(|()| set_mode(&directory, DIRECTORY_MODE));
        // The scratch directory is removed when this returns, for which its content must be writable.
        let _ = set_modes(scratch.path(), 0o600, 0o700);
        placed.map_err(TreeError::new("put the files in place at", &directory))?;
        Ok(directory)
    }

    /// Whether a directory has exactly these files and nothing else.
    fn is_at(&self, directory: &Path) -> bool {
        let mut found = 0;
        self.matches_below(directory, "", &mut found).unwrap_or(false) && found == self.0.len()
    }

    fn matches_below(&self, directory: &Path, prefix: &str, found: &mut usize) -> io::Result<bool> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let Some(path) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
                return Ok(false);
            };
            let kind = entry.file_type()?;
            let same = if kind.is_dir() {
                self.matches_below(&entry.path(), &format!("{path}/"), found)?
            } else {
                *found += 1;
                kind.is_file() && self.has(&path, &entry)?
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has(&self, path: &str, entry: &fs::DirEntry) -> io::Result<bool> {
        let Some(content) = self.0.get(path) else {
            return Ok(false);
        };
        Ok(entry.metadata()?.len() == content.len() as u64 && fs::read(entry.path())? == *content)
    }
}

/// Waits until nobody else replaces a directory in `parent`. The operating system gives the turn back when the file is
/// closed, however that happens; the file itself stays.
fn take_turn(parent: &Path) -> Result<File, TreeError> {
    let path = parent.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(TreeError::new("open", &path))?;
    file.lock().map_err(TreeError::new("lock", &path))?;
    Ok(file)
}

/// Removes what killed processes have left half made. Only for whoever has the turn: nobody else makes anything then. What
/// cannot be removed is in nobody's way.
fn remove_leftovers(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_partial = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PARTIAL.as_bytes());
        // The type of the entry itself: a link is none of ours.
        if is_partial && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = set_modes(&entry.path(), 0o600, 0o700);
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn set_directory_writable(path: &Path) -> io::Result<()> {
    set_mode(path, 0o755)
}

/// Sets the modes of a directory and of everything below it, and follows no links.
fn set_modes(directory: &Path, file_mode: u32, directory_mode: u32) -> io::Result<()> {
    // The directory must be readable before its content can be listed, and keeps its own mode until last.
    set_mode(directory, 0o700)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            set_modes(&entry.path(), file_mode, directory_mode)?;
        } else if kind.is_file() {
            set_mode(&entry.path(), file_mode)?;
        }
    }
    set_mode(directory, directory_mode)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    fn tree() -> Tree {
        Tree::new(&[
            ("b/c.py", b"x = 1\n"),
            ("a.py", b""),
            ("b/d/e.py", b"y"),
            ("bc/f.md", b"z"),
        ])
    }

    #[test]
    fn parts_of_a_tree() {
        let tree = tree();
        assert_eq!(tree.directories(), ["b", "bc"]);
        let paths: Vec<_> = tree.files().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a.py", "b/c.py", "b/d/e.py", "bc/f.md"]);
        let below: Vec<_> = tree
            .directory("b")
            .unwrap()
            .files()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(below, ["c.py", "d/e.py"]);
        assert_eq!(tree.directory("a.py"), None);
        assert_eq!(tree.directory("x"), None);
    }

    #[test]
    fn the_hash_is_of_the_documented_bytes() {
        let tree = Tree::new(&[("a.py", b"xy")]);
        let bytes = b"prism-tree-v1\0\x04\0\0\0a.py\x02\0\0\0\0\0\0\0xy";
        assert_eq!(tree.sha256(), Sha256Hash::of(bytes));
        assert_ne!(Tree::new(&[("a.p", b"yxy")]).sha256(), tree.sha256());
    }

    #[test]
    fn materialises_once_and_read_only() {
        let parent = tempfile::tempdir().unwrap();
        let parent_path = parent.path().join("sources");
        let directory = tree().materialise(&parent_path).unwrap();
        assert_eq!(fs::read(directory.join("b/c.py")).unwrap(), b"x = 1\n");
        let mode = |path: &str| directory.join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(""), mode("b"), mode("b/c.py")), (0o555, 0o555, 0o444));
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
        let before = inode(&directory);
        assert_eq!(tree().materialise(&parent_path).unwrap(), directory);
        assert_eq!(inode(&directory), before, "it is not written again");
        assert_only(&parent_path, &directory);
        set_modes(&parent_path, 0o600, 0o700).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_half_made_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(".partial-aB3xyz");
        fs::create_dir(&left).unwrap();
        tree().write_new(&left.join("fresh")).unwrap();
        set_modes(&left, FILE_MODE, DIRECTORY_MODE).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let link = parent.path().join(".partial-link");
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        tree().materialise(parent.path()).unwrap();
        assert!(!left.exists());
        assert!(link.is_symlink() && elsewhere.path().exists());
        set_modes(parent.path(), 0o600, 0o700).unwrap();
    }

    #[test]
    fn replaces_what_differs() {
        let parent = tempfile::tempdir().unwrap();
        let damages: [fn(&Path) -> io::Result<()>; 4] = [
            |directory| fs::write(directory.join("a.py"), "import os\n"),
            |directory| fs::write(directory.join("b/torch.py"), ""),
            |directory| fs::remove_file(directory.join("b/c.py")),
            |directory| {
                fs::remove_file(directory.join("a.py"))?;
                std::os::unix::fs::symlink("/dev/null", directory.join("a.py"))
            },
        ];
        for damage in damages {
            let directory = tree().materialise(parent.path()).unwrap();
            set_modes(&directory, 0o600, 0o700).unwrap();
            damage(&directory).unwrap();
            assert!(!tree().is_at(&directory));
            assert_eq!(tree().materialise(parent.path()).unwrap(), directory);
            assert!(tree().is_at(&directory));
            assert_only(parent.path(), &directory);
        }
        set_modes(parent.path(), 0o600, 0o700).unwrap();
    }

    /// Each round begins without the files; whoever has been told that they are there must find them there from then
    /// on, whatever the others still do.
    #[test]
    fn what_one_process_has_placed_no_other_takes_away() {
        const PROCESSES: usize = 4;
        let parent = tempfile::tempdir().unwrap();
        for round in 0..25 {
            let start = Barrier::new(PROCESSES);
            let left = AtomicUsize::new(PROCESSES);
            let start_and_watch = || {
                start.wait();
                let directory = tree().materialise(parent.path()).unwrap();
                left.fetch_sub(1, Ordering::SeqCst);
                loop {
                    let all_are_done = left.load(Ordering::SeqCst) == 0;
                    assert_eq!(
                        fs::read(directory.join("b/d/e.py")).unwrap(),
                        b"y",
                        "round {round}"
                    );
                    if all_are_done {
                        break;
                    }
                }
            };
            thread::scope(|scope| {
                for _ in 0..PROCESSES {
                    scope.spawn(start_and_watch);
                }
            });
            let directory = tree().materialise(parent.path()).unwrap();
            assert_only(parent.path(), &directory);
            set_modes(&directory, 0o600, 0o700).unwrap();
            fs::remove_dir_all(directory).unwrap();
        }
    }

    /// Nothing is left in `parent` but a directory and the lock.
    fn assert_only(parent: &Path, directory: &Path) {
        let mut found: Vec<_> = fs::read_dir(parent)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.sort();
        assert_eq!(found, [parent.join(LOCK_FILE), directory.to_owned()]);
    }

    #[test]
    fn a_scaffold_is_writable_and_overwrites_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("mine");
        tree().write_new(&directory).unwrap();
        fs::write(directory.join("a.py"), "changed").unwrap();
        assert_eq!(
            tree().write_new(&directory).unwrap_err().reason.kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(directory.join("a.py")).unwrap(), b"changed");
    }
}
