//! Which directories a sandbox must show for an interpreter to work.
//!
//! `locate` calls [`directories`] with the interpreter's own answer. A sandbox that shows these read-only, besides the
//! system's directories, can start the interpreter under the name that it has outside, import its standard library
//! and its packages, and load their libraries. Both the name of a directory and what links in it lead to are in the
//! list, because programs use either.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::error::RuntimeError;
use crate::probe::Answer;

/// What every sandbox shows in any case.
pub(crate) const SYSTEM: [&str; 7] = ["/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"];
/// Directories that hold much besides an interpreter. Each may be *above* a directory of the list, never in it.
const TOO_BROAD: [&str; 13] = [
    "/", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/tmp", "/var",
];
/// Headers that a compiler needs.
const HEADERS: [&str; 2] = ["/usr/include", "/usr/local/include"];
/// What a sandbox shows empty: word lists, manuals and documentation.
const HIDDEN: [&str; 2] = ["/usr/share", "/usr/local/share"];
/// As many links as the kernel follows.
const LINKS_MAX: usize = 40;

/// The directories to show read-only besides [`SYSTEM`], sorted, none inside another.
pub(crate) fn directories(answer: &Answer, home: Option<&Path>) -> Result<Vec<PathBuf>, RuntimeError> {
    let mut wanted = BTreeSet::new();
    let trees = [&answer.prefixes, &answer.paths, &answer.stdlib, &answer.packages];
    for directory in trees.into_iter().flatten().filter(|path| path.is_dir()) {
        add(&mut wanted, directory.clone());
    }
    for file in link_chain(&answer.executable).iter().chain(&answer.libraries) {
        if let Some(parent) = file.parent()
            && !wanted.iter().any(|directory| file.starts_with(directory))
        {
            add(&mut wanted, parent.to_owned());
        }
    }
    // A sandbox shows these empty, because of what else lies there.
    let hidden = |directory: &&PathBuf| HIDDEN.iter().any(|hidden| directory.starts_with(hidden));
    if let Some(path) = wanted.iter().find(hidden) {
        return Err(RuntimeError::BindHidden { path: path.clone() });
    }
    wanted.retain(|directory| !SYSTEM.iter().any(|system| directory.starts_with(system)));
    let all: Vec<_> = wanted.iter().cloned().collect();
    // Sorted order puts a directory right before what lies in it.
    wanted.retain(|directory| {
        !all.iter()
            .any(|other| other != directory && directory.starts_with(other))
    });
    for directory in &wanted {
        refuse_broad(directory, home)?;
    }
    Ok(wanted.into_iter().collect())
}

/// The directories of headers that this machine has.
pub(crate) fn headers() -> Vec<PathBuf> {
    let headers = HEADERS.iter().map(PathBuf::from);
    headers.filter(|directory| directory.is_dir()).collect()
}

/// Refuses a directory that holds much besides what is wanted of it.
pub(crate) fn refuse_broad(directory: &Path, home: Option<&Path>) -> Result<(), RuntimeError> {
    let broad = TOO_BROAD.iter().any(|broad| directory == Path::new(broad));
    if broad || home == Some(directory) {
        return Err(RuntimeError::BindTooBroad {
            path: directory.to_owned(),
        });
    }
    Ok(())
}

/// Where the interpreter looks for modules: directories, and archives where there are any.
pub(crate) fn search(answer: &Answer) -> Vec<PathBuf> {
    let places: BTreeSet<_> = answer
        .paths
        .iter()
        .chain(&answer.stdlib)
        .filter(|path| path.exists())
        .collect();
    let packages = answer
        .packages
        .iter()
        .filter(|package| !places.iter().any(|place| package.starts_with(place)));
    let packages: Vec<_> = packages.collect();
    places.into_iter().chain(packages).cloned().collect()
}

/// Adds a directory as it is called and as it is reached.
fn add(wanted: &mut BTreeSet<PathBuf>, directory: PathBuf) {
    if let Ok(reached) = directory.canonicalize() {
        wanted.insert(reached);
    }
    wanted.insert(directory);
}

/// A file and every file that its links lead to, one after the other.
pub(crate) fn link_chain(file: &Path) -> Vec<PathBuf> {
    let mut chain = vec![file.to_owned()];
    while let Some(last) = chain.last().filter(|_| chain.len() <= LINKS_MAX)
        && let Ok(target) = last.read_link()
    {
        let target = last.parent().unwrap_or(Path::new("/")).join(target);
        chain.push(without_dots(&target));
    }
    chain
}

/// Resolves `.` and `..` by name. Where a component before a `..` is a link this differs from what the kernel does;
/// the last member of a chain is therefore also there as the kernel sees it, by way of [`add`].
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            _ => plain.push(component),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn answer(executable: PathBuf, prefixes: Vec<PathBuf>, paths: Vec<PathBuf>) -> Answer {
        Answer {
            implementation: "CPython".to_owned(),
            version: [3, 11, 7],
            machine: "x86_64".to_owned(),
            libc: ["glibc".to_owned(), "2.36".to_owned()],
            executable,
            prefixes,
            paths,
            stdlib: Vec::new(),
            packages: Vec::new(),
            libraries: Vec::new(),
            venv: true,
            torch: None,
            numpy: None,
            einops: None,
        }
    }

    #[test]
    fn an_environment_and_the_interpreter_behind_its_links() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (base, venv, shims) = (
            root.join("versions/3.11.7"),
            root.join("venv"),
            root.join("shims"),
        );
        for directory in [
            base.join("bin"),
            base.join("lib/python3.11"),
            venv.join("bin"),
            shims.clone(),
        ] {
            fs::create_dir_all(directory).unwrap();
        }
        fs::write(base.join("bin/python3.11"), "").unwrap();
        symlink("../versions/3.11.7/bin/python3.11", shims.join("python3")).unwrap();
        symlink(shims.join("python3"), venv.join("bin/python3")).unwrap();
        symlink("python3", venv.join("bin/python")).unwrap();
        let answer = answer(
            venv.join("bin/python"),
            vec![venv.clone(), base.clone()],
            vec![
                base.join("lib/python3.11"),
                base.join("lib/python311.zip"),
                venv.join("lib/site-packages"),
            ],
        );
        assert_eq!(directories(&answer, None).unwrap(), [shims, venv, base]);
    }

    #[test]
    fn a_linked_directory_is_there_under_both_names() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("cpython-3.12.4/bin")).unwrap();
        fs::write(root.join("cpython-3.12.4/bin/python"), "").unwrap();
        symlink("cpython-3.12.4", root.join("cpython-3.12")).unwrap();
        let prefix = root.join("cpython-3.12");
        let answer = answer(prefix.join("bin/python"), vec![prefix.clone()], Vec::new());
        assert_eq!(
            directories(&answer, None).unwrap(),
            [prefix, root.join("cpython-3.12.4")]
        );
    }

    #[test]
    fn the_systems_interpreter_needs_nothing_more() {
        let answer = answer(
            "/usr/bin/env".into(),
            vec!["/usr".into()],
            vec!["/usr/lib".into()],
        );
        assert_eq!(directories(&answer, None).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_a_sandbox_shows_empty_is_no_place_for_an_interpreter() {
        for path in ["/usr/share", "/usr/local/share"] {
            let answer = answer("/usr/bin/env".into(), vec!["/usr".into()], vec![path.into()]);
            if Path::new(path).is_dir() {
                let error = directories(&answer, None).unwrap_err();
                assert!(error.to_string().contains(path), "{error}");
            }
        }
        assert!(Path::new("/usr/share").is_dir(), "there is one on every machine");
    }

    #[test]
    fn libraries_and_further_paths_are_shown() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for directory in ["py", "opt/ssl/lib", "editable"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let mut answer = answer(
            root.join("py/python"),
            vec![root.join("py")],
            vec![root.join("editable")],
        );
        answer.libraries = vec![root.join("opt/ssl/lib/libssl.so.3"), root.join("py/x.so")];
        assert_eq!(
            directories(&answer, None).unwrap(),
            [root.join("editable"), root.join("opt/ssl/lib"), root.join("py")]
        );
    }

    #[test]
    fn refuses_to_show_what_holds_more_than_an_interpreter() {
        for broad in ["/", "/etc", "/tmp", "/var"] {
            let answer = answer("/usr/bin/env".into(), vec![broad.into()], Vec::new());
            let error = directories(&answer, None).unwrap_err();
            assert!(
                matches!(&error, RuntimeError::BindTooBroad { path } if path == Path::new(broad)),
                "{error}"
            );
        }
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let answer = answer(home.join("python"), vec![home.clone()], Vec::new());
        assert!(matches!(
            directories(&answer, Some(&home)),
            Err(RuntimeError::BindTooBroad { .. })
        ));
        assert_eq!(directories(&answer, None).unwrap(), [home]);
    }
}
