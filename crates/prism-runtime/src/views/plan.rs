//! Which files a process sees, before any of them is made.
//!
//! `make` makes what [`plan`] lists; nothing is written here. A plan is a small root file system: every file and link under
//! the path that it has on the host, with all links above it resolved, so that the loader and the interpreter find each
//! thing where they look for it today. What shows where is told by the binds: a directory that is also known under the
//! name of a link is bound under both names.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::closure;
use super::leave_out::{self, Reader};
use super::loader;
use crate::binds;
use crate::error::RuntimeError;
use crate::locate::Runtime;

/// As many links as the kernel follows.
const LINKS_MAX: usize = 40;
/// What the C library needs for the language that every sandbox has (`LANG` is `C.UTF-8`), where it is not built in.
const LOCALES: [&str; 2] = ["/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8"];

/// One thing in a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A file, to be copied from the path of the same name.
    File {
        /// Its length.
        bytes: u64,
        /// The file system that it is on.
        device: u64,
    },
    /// A link with this text.
    Link(PathBuf),
}

/// What a process sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// By the absolute path on the host, without links in it.
    pub(super) entries: BTreeMap<PathBuf, Entry>,
    /// Files that come from outside of where the interpreter looks for modules: loader, libraries, the program itself.
    pub(super) single: Vec<PathBuf>,
    /// Directories and files of [`Self::entries`], and where they appear.
    pub(super) binds: Vec<(PathBuf, PathBuf)>,
}

impl Plan {
    /// The length of all files together.
    pub(super) fn bytes(&self) -> u64 {
        let lengths = self.entries.values().map(|entry| match entry {
            Entry::File { bytes, .. } => *bytes,
            Entry::Link(_) => 0,
        });
        lengths.sum()
    }

    /// Adds everything below a directory but what its reader does not need.
    fn tree(&mut self, directory: &Path, reader: Reader) -> Result<(), RuntimeError> {
        let root = directory
            .canonicalize()
            .map_err(RuntimeError::io("look at", directory))?;
        self.below(&root, &root, reader)
    }

    fn below(&mut self, root: &Path, directory: &Path, reader: Reader) -> Result<(), RuntimeError> {
        let failed = || RuntimeError::io("list", directory);
        for entry in fs::read_dir(directory).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let path = entry.path();
            let Ok(relative) = path.strip_prefix(root) else {
                continue;
            };
            let kind = entry.file_type().map_err(failed())?;
            if kind.is_dir() {
                if !leave_out::directory(relative, reader) {
                    self.below(root, &path, reader)?;
                }
            } else if (kind.is_file() || kind.is_symlink()) && !leave_out::file(relative, reader) {
                self.insert(&path)?;
            }
            // Anything else, a socket for example, is nothing that can be imported.
        }
        Ok(())
    }

    /// Adds a file whose directory is named without links, or a link as it is. It may have gone meanwhile.
    fn insert(&mut self, path: &Path) -> Result<Option<Metadata>, RuntimeError> {
        let failed = || RuntimeError::io("look at", path);
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed()(error)),
        };
        let entry = if metadata.is_symlink() {
            Entry::Link(path.read_link().map_err(failed())?)
        } else if metadata.is_file() {
            Entry::File {
                bytes: metadata.len(),
                device: metadata.dev(),
            }
        } else {
            return Ok(None);
        };
        self.entries.insert(path.to_owned(), entry);
        Ok(Some(metadata))
    }

    /// Adds one file by any of its names, with the links that lead to it. Says where it lies, if it is there.
    pub(super) fn single(&mut self, path: &Path) -> Result<Option<PathBuf>, RuntimeError> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Ok(None);
            };
            let Ok(parent) = parent.canonicalize() else {
                return Ok(None);
            };
            path = parent.join(name);
            let is_new = !self.entries.contains_key(&path);
            let Some(metadata) = self.insert(&path)? else {
                return Ok(None);
            };
            if is_new {
                self.single.push(path.clone());
            }
            if !metadata.is_symlink() {
                return Ok(Some(path));
            }
            let Ok(target) = path.read_link() else {
                return Ok(None);
            };
            path = parent.join(target);
        }
        Ok(None)
    }

    /// Whether something lies at a path or below it.
    fn has(&self, path: &Path) -> bool {
        let next = self.entries.range(path.to_owned()..).next();
        next.is_some_and(|(entry, _)| entry.starts_with(path))
    }

    /// Decides what is bound where. `wanted` are directories by the names that programs use.
    fn bind(&mut self, wanted: &[PathBuf]) -> Result<(), RuntimeError> {
        for target in wanted {
            if let Ok(reached) = target.canonicalize()
                && self.has(&reached)
            {
                self.binds.push((reached, target.clone()));
            }
        }
        let shown = |binds: &[(PathBuf, PathBuf)], path: &Path| {
            binds.iter().any(|(source, _)| path.starts_with(source))
        };
        let paths: Vec<_> = self.entries.keys().cloned().collect();
        for path in paths {
            if shown(&self.binds, &path) {
                continue;
            }
            // A library in a directory of its own, that some other one is linked to; its directory shows nothing else.
            let single = if path == Path::new(loader::CACHE_FILE) {
                path
            } else {
                let parent = path.parent().unwrap_or(Path::new("/"));
                binds::refuse_broad(parent, None)?;
                parent.to_owned()
            };
            self.binds.push((single.clone(), single));
        }
        Ok(())
    }
}

/// Lists what the learner has of the interpreter and its packages, and the headers of the system. What it needs of the system
/// besides is bound by `learner`.
pub(super) fn learner(runtime: &Runtime) -> Result<Plan, RuntimeError> {
    let mut plan = Plan::default();
    let places = runtime.search.iter().chain(&runtime.headers);
    let (in_system, own): (Vec<_>, Vec<_>) = places
        .filter(|place| place.is_dir())
        .partition(|place| in_system(place));
    let places = runtime.read_only_dirs.iter().chain(own);
    for place in places.chain(in_system.iter().copied()) {
        plan.tree(place, Reader::Learner)?;
    }
    let mut wanted = runtime.read_only_dirs.clone();
    for place in in_system {
        let reached = place.canonicalize().map_err(RuntimeError::io("look at", place))?;
        wanted.extend(under_all_names(&reached));
    }
    wanted.dedup();
    plan.bind(&wanted)?;
    Ok(plan)
}

/// Whether a path is in a directory of the system.
fn in_system(path: &Path) -> bool {
    binds::SYSTEM.iter().any(|system| path.starts_with(system))
}

/// A path as it is and as the system's links lead to it: `/usr/lib/x` and `/lib/x`.
pub(super) fn under_all_names(path: &Path) -> Vec<PathBuf> {
    let mut names = vec![path.to_owned()];
    for system in binds::SYSTEM.map(Path::new) {
        if let Ok(reached) = system.canonicalize()
            && reached != system
            && let Ok(rest) = path.strip_prefix(&reached)
        {
            names.push(system.join(rest).components().collect());
        }
    }
    names
}

/// Lists what the interpreter of an answerer needs to start, to import its packages and to compute.
pub(super) fn answerer(runtime: &Runtime) -> Result<Plan, RuntimeError> {
    let mut plan = Plan::default();
    for place in &runtime.search {
        if place.is_dir() {
            plan.tree(place, Reader::Answerer)?;
        } else {
            plan.single(place)?;
        }
    }
    for program in binds::link_chain(&runtime.python) {
        plan.single(&program)?;
        // What makes an environment of the directory: beside the program or above it.
        for directory in program.ancestors().skip(1).take(2) {
            plan.single(&directory.join("pyvenv.cfg"))?;
        }
    }
    for prefix in &runtime.prefixes {
        // Beside an interpreter of its own lie libraries that are opened by name.
        if !in_system(prefix) {
            libraries_in(&mut plan, &prefix.join("lib"))?;
        }
    }
    closure::complete(&mut plan, &runtime.python)?;
    for locale in LOCALES {
        if Path::new(locale).is_dir() {
            plan.tree(Path::new(locale), Reader::Answerer)?;
        }
    }
    // Not among the single files: it changes with every library that is installed, needed here or not.
    plan.insert(Path::new(loader::CACHE_FILE))?;
    let system = binds::SYSTEM.iter().map(PathBuf::from);
    let wanted: Vec<_> = system.chain(runtime.read_only_dirs.iter().cloned()).collect();
    plan.bind(&wanted)?;
    Ok(plan)
}

/// The shared libraries right in a directory.
fn libraries_in(plan: &mut Plan, directory: &Path) -> Result<(), RuntimeError> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if closure::is_library(&entry.path()) {
            plan.single(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_without_what_is_left_out_and_without_odd_things() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for directory in ["p/tests", "p/include", "p/lib"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for file in [
            "p/a.py",
            "p/tests/b.py",
            "p/include/c.h",
            "p/lib/d.so",
            "p/e.pyi",
            "line\nbreak.py",
        ] {
            fs::write(root.join(file), "12").unwrap();
        }
        fs::write(root.join(OsStr::from_bytes(b"\xff.py")), "").unwrap();
        symlink("a.py", root.join("p/linked.py")).unwrap();
        symlink("/nowhere", root.join("p/broken")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("p/socket")).unwrap();
        let mut plan = Plan::default();
        plan.tree(&root, Reader::Answerer).unwrap();
        let names: Vec<_> = plan
            .entries
            .keys()
            .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "line\nbreak.py",
                "p/a.py",
                "p/broken",
                "p/lib/d.so",
                "p/linked.py"
            ]
        );
        assert_eq!(plan.bytes(), 6);
        assert_eq!(
            plan.entries[&root.join("p/linked.py")],
            Entry::Link("a.py".into())
        );
    }

    #[test]
    fn a_single_file_comes_with_the_links_that_lead_to_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("real")).unwrap();
        fs::write(root.join("real/l.so.1.2"), "").unwrap();
        symlink("l.so.1.2", root.join("real/l.so.1")).unwrap();
        symlink("real", root.join("alias")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let mut plan = Plan::default();
        let found = plan.single(&root.join("alias/l.so.1")).unwrap();
        assert_eq!(found, Some(root.join("real/l.so.1.2")));
        assert_eq!(
            plan.single,
            [root.join("real/l.so.1"), root.join("real/l.so.1.2")]
        );
        assert_eq!(plan.entries.len(), 2);
        for missing in ["alias/none", "none/l.so", "loop", "real"] {
            assert_eq!(plan.single(&root.join(missing)).unwrap(), None, "{missing}");
        }
    }

    #[test]
    fn a_directory_is_bound_under_all_its_names_and_a_stray_file_with_its_own() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for directory in ["usr/lib", "empty", "stray"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        symlink("usr/lib", root.join("lib")).unwrap();
        fs::write(root.join("usr/lib/a.so"), "").unwrap();
        fs::write(root.join("stray/b.so"), "").unwrap();
        let mut plan = Plan::default();
        plan.single(&root.join("lib/a.so")).unwrap();
        plan.single(&root.join("stray/b.so")).unwrap();
        let wanted = ["usr", "lib", "empty", "absent"].map(|name| root.join(name));
        plan.bind(&wanted).unwrap();
        let bind = |source: &str, target: &str| (root.join(source), root.join(target));
        assert_eq!(
            plan.binds,
            [bind("usr", "usr"), bind("usr/lib", "lib"), bind("stray", "stray")]
        );
    }

    #[test]
    fn a_library_in_a_directory_that_holds_more_is_refused() {
        let mut plan = Plan::default();
        plan.entries.insert("/tmp/x.so".into(), Entry::Link("y".into()));
        let refused = plan.bind(&[]);
        assert!(
            matches!(refused, Err(RuntimeError::BindTooBroad { .. })),
            "{refused:?}"
        );
    }
}
