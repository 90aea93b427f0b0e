//! What the learner sees of the system: no more than a compiler needs.
//!
//! A learner may compile its model (`torch.compile`), which runs the C++ compiler, so that it keeps the parts of the system
//! that are listed here, as they are. Headers, the interpreter and its packages it sees in a tree of its own. Everything else of `/usr` stays away: other
//! languages and their libraries, mail, databases, documentation. No directory of these is in the view of anybody who
//! answers. Called each time that views are asked for: a compiler may have come since they were made.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::loader::TRIPLET;
use super::{Bind, loader, plan};
use crate::locate::Runtime;

/// What the compiler starts for itself and its own libraries; the libraries to link to. `{}` is the triplet.
const DIRECTORIES: [&str; 10] = [
    "/usr/lib/gcc",
    "/usr/libexec/gcc",
    "/usr/local/lib/gcc",
    "/usr/local/libexec/gcc",
    // Debian and its relatives; Fedora and its relatives.
    "/usr/lib/{}",
    "/lib/{}",
    "/usr/{}",
    "/usr/lib64",
    // Part of the C library, where it is not built in.
    "/usr/lib/locale/C.utf8",
    // Nothing but links, through which libraries and programs above are reached.
    "/etc/alternatives",
];
/// What else lies among the libraries and is text, by the beginning of its name; shown empty.
const HIDDEN: [&str; 2] = ["perl", "cmake"];
/// Where programs are.
const PROGRAM_DIRECTORIES: [&str; 6] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/sbin",
];
/// The compiler by its names, the assembler and the linker that it starts, what Python asks for libraries with, the shell
/// through which Python starts a command line, and what `torch.compile` takes the hash of a header with.
const PROGRAMS: [&str; 22] = [
    "ar",
    "as",
    "c++",
    "cc",
    "cpp",
    "env",
    "g++",
    "gcc",
    "gcc-ar",
    "gcc-nm",
    "gcc-ranlib",
    "ld",
    "ld.bfd",
    "ld.gold",
    "ldconfig",
    "nm",
    "objcopy",
    "objdump",
    "openssl",
    "ranlib",
    "sh",
    "strip",
];

/// The learner's binds of the system. `single` are its libraries that the interpreter and its packages need, `empty` is a
/// directory without anything in it.
pub(super) fn binds(runtime: &Runtime, single: &[PathBuf], empty: &Path) -> Vec<Bind> {
    let mut directories = directories(single);
    directories.sort();
    let all = directories.clone();
    directories.retain(|directory| {
        !all.iter()
            .any(|other| other != directory && directory.starts_with(other))
    });
    directories.dedup();
    let mut binds: Vec<Bind> = directories
        .iter()
        .flat_map(|directory| from_host(directory))
        .collect();
    let hidden = binds.iter().flat_map(|bind| hidden_in(&bind.target));
    let hidden: Vec<_> = hidden
        .map(|target| Bind {
            source: empty.to_owned(),
            target,
        })
        .collect();
    binds.extend(hidden);
    let shown = |path: &Path, binds: &[Bind]| {
        let mut targets = binds
            .iter()
            .map(|bind| &bind.target)
            .chain(&runtime.read_only_dirs);
        targets.any(|target| path.starts_with(target))
    };
    let programs = PROGRAM_DIRECTORIES
        .iter()
        .flat_map(|directory| PROGRAMS.map(|program| Path::new(directory).join(program)));
    let files = single
        .iter()
        .cloned()
        .chain(programs)
        .chain([PathBuf::from(loader::CACHE_FILE)]);
    for file in files.filter(|file| file.is_file()) {
        for bind in from_host(&file) {
            if !shown(&bind.target, &binds) {
                binds.push(bind);
            }
        }
    }
    binds
}

/// Directories of text in a directory of the system.
fn hidden_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_hidden = |name: &OsStr| {
        HIDDEN
            .iter()
            .any(|hidden| name.as_bytes().starts_with(hidden.as_bytes()))
    };
    entries
        .filter(|entry| is_hidden(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// By the names that have no links above them.
fn directories(single: &[PathBuf]) -> Vec<PathBuf> {
    let listed = DIRECTORIES
        .iter()
        .map(|directory| PathBuf::from(directory.replace("{}", TRIPLET)));
    // Somewhere else on other systems, among all other libraries.
    let c_library = single
        .iter()
        .filter(|file| file.file_name() == Some(OsStr::new("libc.so.6")))
        .filter_map(|file| file.parent().map(Path::to_owned));
    let wanted = listed.chain(c_library).filter(|path| path.is_dir());
    wanted.filter_map(|path| path.canonicalize().ok()).collect()
}

/// A file or directory of the host under all its names.
fn from_host(path: &Path) -> impl Iterator<Item = Bind> {
    plan::under_all_names(path).into_iter().map(|target| Bind {
        source: path.to_owned(),
        target,
    })
}
