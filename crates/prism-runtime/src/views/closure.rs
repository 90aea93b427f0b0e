//! The shared libraries that a view must have, besides those in the interpreter's own directories.
//!
//! `plan` calls [`complete`] once the modules are listed. Every library that a listed file is linked to is added where the
//! loader would find it, then what that one is linked to, until nothing is missing. What is found nowhere is not added: it
//! is not on the host either, and what asks for it fails there, too (`libcuda.so.1` without a GPU).

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::elf::{self, Needs};
use super::loader::{Places, TRIPLET};
use super::plan::{Entry, Plan};
use crate::error::RuntimeError;

/// Libraries that are opened by name at run time, where they exist.
pub(super) const OPENED_BY_NAME: [&str; 10] = [
    // The C library, when a thread is cancelled.
    "libgcc_s.so.1",
    // The C library, when it looks up a user or a host; built in since glibc 2.34.
    "libnss_files.so.2",
    // The driver of a GPU and what it opens for itself.
    "libcuda.so.1",
    "libcudadebugger.so.1",
    "libnvidia-gpucomp.so.1",
    "libnvidia-ml.so.1",
    "libnvidia-nvvm.so.4",
    "libnvidia-nvvm70.so.4",
    "libnvidia-ptxjitcompiler.so.1",
    "libnvidia-tileiras.so.1",
];

/// Whether a file is a shared library by its name.
pub(super) fn is_library(path: &Path) -> bool {
    let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
    name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.")
}

/// Where the libraries that are opened by name lie on this machine.
pub(super) fn opened_by_name() -> Vec<PathBuf> {
    let places = Places::of_this_machine();
    let found = OPENED_BY_NAME
        .iter()
        .flat_map(|name| places.find(OsStr::new(name)));
    found.collect()
}

/// Adds the loader of an interpreter and all libraries.
pub(super) fn complete(plan: &mut Plan, python: &Path) -> Result<(), RuntimeError> {
    let Some(program) = python.canonicalize().ok().and_then(|path| elf::read(&path)) else {
        // A script that starts an interpreter: what it starts is not known.
        return Err(RuntimeError::NotAProgram {
            path: python.to_owned(),
        });
    };
    let places = Places::of_this_machine();
    if let Some(loader) = &program.loader {
        plan.single(loader)?;
    }
    let mut closure = Closure {
        machine: program.machine,
        inherited: inherited(&program, python),
        places,
        seen: BTreeSet::new(),
        open: Vec::new(),
    };
    let listed = plan.entries.iter().filter(|(path, entry)| {
        matches!(entry, Entry::File { .. })
            && (is_library(path) || python.canonicalize().is_ok_and(|it| it == **path))
    });
    closure.open = listed.map(|(path, _)| path.clone()).collect();
    for path in opened_by_name() {
        closure.add(plan, &path)?;
    }
    while let Some(path) = closure.open.pop() {
        closure.follow(plan, &path)?;
    }
    Ok(())
}

/// Where the libraries of libraries are looked for because the program says so.
fn inherited(program: &Needs, python: &Path) -> Vec<PathBuf> {
    let origin = python.canonicalize().unwrap_or_else(|_| python.to_owned());
    let search = program.search.iter().filter(|_| program.is_inherited);
    search.flat_map(|text| expand(text, &origin)).collect()
}

struct Closure {
    machine: u16,
    inherited: Vec<PathBuf>,
    places: Places,
    seen: BTreeSet<PathBuf>,
    /// Files whose needs were not looked at yet.
    open: Vec<PathBuf>,
}

impl Closure {
    /// Adds what one file is linked to.
    fn follow(&mut self, plan: &mut Plan, path: &Path) -> Result<(), RuntimeError> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let Some(needs) = elf::read(path).filter(|needs| needs.machine == self.machine) else {
            return Ok(());
        };
        let mut own: Vec<PathBuf> = needs.search.iter().flat_map(|text| expand(text, path)).collect();
        own.extend(self.inherited.iter().cloned());
        for library in &needs.libraries {
            for found in self.find(library, &own) {
                self.add(plan, &found)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, plan: &mut Plan, path: &Path) -> Result<(), RuntimeError> {
        if let Some(file) = plan.single(path)? {
            self.open.push(file);
        }
        Ok(())
    }

    /// The first in the directories that the file itself names; else all that the loader may choose from, which
    /// depends on the processor.
    fn find(&self, library: &OsStr, own: &[PathBuf]) -> Vec<PathBuf> {
        let fits = |path: &PathBuf| elf::read(path).is_some_and(|needs| needs.machine == self.machine);
        if library.as_bytes().contains(&b'/') {
            return Some(PathBuf::from(library))
                .filter(|path| path.is_absolute() && fits(path))
                .into_iter()
                .collect();
        }
        let mut own = own.iter().map(|directory| directory.join(library));
        match own.find(fits) {
            Some(found) => vec![found],
            None => self.places.find(library).into_iter().filter(fits).collect(),
        }
    }
}

/// The directories that a search path means in a file.
fn expand(text: &OsStr, file: &Path) -> Vec<PathBuf> {
    let origin = file.parent().unwrap_or(Path::new("/")).as_os_str().as_bytes();
    // Which of these it is the loader knows by how it was built.
    let triplet = format!("lib/{TRIPLET}");
    let libs = [b"lib64", triplet.as_bytes(), b"lib"];
    let mut texts = vec![text.as_bytes().to_vec()];
    for (name, values) in [
        ("$ORIGIN", &[origin][..]),
        ("${ORIGIN}", &[origin]),
        ("$LIB", &libs),
        ("${LIB}", &libs),
    ] {
        let replaced = texts
            .iter()
            .flat_map(|text| replace(text, name.as_bytes(), values));
        texts = replaced.collect();
    }
    let paths = texts
        .into_iter()
        .map(|text| PathBuf::from(OsString::from_vec(text)));
    // A relative one would mean the working directory.
    paths.filter(|path| path.is_absolute()).collect()
}

/// The text with a name replaced by each of its values; the text alone where the name is not in it.
fn replace(text: &[u8], name: &[u8], values: &[&[u8]]) -> Vec<Vec<u8>> {
    match text.windows(name.len()).position(|window| window == name) {
        Some(at) => {
            let (before, after) = (&text[..at], &text[at + name.len()..]);
            values
                .iter()
                .map(|value| [before, value, after].concat())
                .collect()
        }
        None => vec![text.to_vec()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libraries() {
        for name in ["a.so", "b.so.1", "c.so.1.2", "_d.cpython-311-x86_64-linux-gnu.so"] {
            assert!(is_library(Path::new(name)), "{name}");
        }
        for name in ["a.py", "b.some", "so", "x.so1"] {
            assert!(!is_library(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn search_paths_are_relative_to_the_file() {
        let file = Path::new("/p/lib/a.so");
        let one = |text: &str| expand(OsStr::new(text), file);
        assert_eq!(one("$ORIGIN/../b"), [Path::new("/p/lib/../b")]);
        assert_eq!(one("${ORIGIN}"), [Path::new("/p/lib")]);
        assert_eq!(one("/x/$LIB").len(), 3);
        assert_eq!(one("relative"), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_program_comes_with_its_loader_and_all_its_libraries() {
        let mut plan = Plan::default();
        let program = std::env::current_exe().unwrap();
        plan.single(&program).unwrap();
        complete(&mut plan, &program).unwrap();
        let has = |part: &str| {
            plan.single
                .iter()
                .any(|path| path.to_str().unwrap().contains(part))
        };
        assert!(
            has("/libc.so.6") && has("/ld-linux-") && has("/libgcc_s.so.1"),
            "{:?}",
            plan.single
        );
        for path in plan.single.iter().filter(|path| is_library(path)) {
            assert!(path.exists(), "{path:?}");
        }
    }

    #[test]
    fn a_script_is_no_interpreter() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("python");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        let error = complete(&mut Plan::default(), &script).unwrap_err();
        assert!(matches!(error, RuntimeError::NotAProgram { .. }), "{error}");
    }
}
