//! What a process does not need of an interpreter and its packages.
//!
//! `plan` asks for every directory and file. An answerer imports and computes; it compiles, tests and installs nothing. The
//! learner may compile its model, so that it keeps headers and compilers, but no tests and no texts for people. What a
//! library in the view is linked to comes into it all the same, by way of `closure`.
//!
//! Left in on purpose: `testing` (torch, numpy and sympy import theirs), `setuptools` (`torch.utils.cpp_extension` imports
//! it), and the two files of a package's metadata that are asked for at run time. Compiled Python files are made anew.

use std::ffi::OsStr;
use std::path::Path;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Trains, and may compile its model.
    Learner,
    /// Answers.
    Answerer,
}

/// Directories that nobody needs, wherever they are.
const DIRECTORIES: [&str; 13] = [
    // Made anew.
    "__pycache__",
    // Walked by themselves where the interpreter looks there.
    "site-packages",
    "dist-packages",
    "docs",
    "ensurepip",
    "idlelib",
    "man",
    "pip",
    "pydoc_data",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
];
/// Directories that only a compiler needs.
const OF_COMPILERS: [&str; 4] = ["bin", "cmake", "include", "share"];
/// Directories by their whole path: compilers, profilers and examples of them.
const PATHS: [&str; 3] = ["torch/test", "triton/instrumentation", "triton/plugins"];
/// Files by their ending that nobody needs: types for editors, texts, tables of compilers' makers, programs for Windows.
const ENDINGS: [&str; 8] = ["bat", "exe", "md", "pdb", "pod", "pyi", "rst", "td"];
/// Files that only a compiler needs: sources and headers of C, archives of objects.
const ENDINGS_OF_COMPILERS: [&str; 15] = [
    "a", "c", "cc", "cpp", "cu", "cuh", "h", "hpp", "inc", "inl", "lib", "ll", "o", "pxd", "pyx",
];
/// Libraries for windows, for profilers and for what torch has its own of.
const LIBRARIES: [&str; 7] = [
    "_tkinter.",
    "libcheckpoint.",
    "libcufftw.",
    "libcusolverMg.",
    "libnvperf_",
    "libpcsamplingutil.",
    "libproton.",
];
/// The one program that torch wants to see when it is imported, in a directory of others.
const WANTED_PROGRAM: &str = "torch/bin/torch_shm_manager";
/// What is asked of an installed package: its version, and what it registers.
const METADATA: [&str; 2] = ["METADATA", "entry_points.txt"];

/// Whether a directory stays out, by its path relative to where the interpreter looks.
pub(super) fn directory(path: &Path, reader: Reader) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        // A package cannot be imported by a name that is no text.
        return true;
    };
    let compilers = path.starts_with("triton/backends") && matches!(name, "lib");
    // `config-3.11-x86_64-linux-gnu`: what one needs to embed an interpreter.
    let embedding = path.components().count() == 1 && name.starts_with("config-");
    let installer = path.components().count() == 1 && name.starts_with("pip-");
    if DIRECTORIES.contains(&name) || installer || parent_is_metadata(path) {
        return true;
    }
    if reader == Reader::Learner || Path::new(WANTED_PROGRAM).starts_with(path) {
        return false;
    }
    OF_COMPILERS.contains(&name)
        || PATHS.iter().any(|left_out| path == Path::new(left_out))
        || compilers
        || embedding
}

/// Whether a file stays out.
pub(super) fn file(path: &Path, reader: Reader) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        return true;
    };
    if parent_is_metadata(path) {
        return !METADATA.contains(&name);
    }
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    if ENDINGS.contains(&ending) {
        return true;
    }
    if reader == Reader::Learner {
        return false;
    }
    if path.parent() == Path::new(WANTED_PROGRAM).parent() {
        return path != Path::new(WANTED_PROGRAM);
    }
    ENDINGS_OF_COMPILERS.contains(&ending) || LIBRARIES.iter().any(|library| name.starts_with(library))
}

fn parent_is_metadata(path: &Path) -> bool {
    let parent = path.parent().and_then(Path::extension);
    parent.is_some_and(|ending| ending == "dist-info" || ending == "egg-info")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn directories() {
        for path in [
            "test",
            "numpy/linalg/tests",
            "torch/include",
            "triton/bin",
            "torch/share",
            "pip",
            "pip-23.2.1.dist-info",
            "site-packages",
            "config-3.11-x86_64-linux-gnu",
            "nvidia/cu13/include",
            "triton/backends/nvidia/lib",
            "triton/backends/nvidia/bin",
            "numpy-2.4.6.dist-info/licenses",
        ] {
            assert!(directory(Path::new(path), Reader::Answerer), "{path}");
        }
        for path in [
            "torch",
            "torch/lib",
            "torch/bin",
            "torch/testing",
            "numpy/testing",
            "sympy/testing",
            "setuptools",
            "nvidia/cu13/lib",
            "triton/backends/nvidia",
            "unittest",
            "lib-dynload",
            "torch-2.15.0.dist-info",
            "x/config-1",
            "x/pip-tools",
        ] {
            assert!(!directory(Path::new(path), Reader::Answerer), "{path}");
        }
        assert!(directory(Path::new(OsStr::from_bytes(b"\xff")), Reader::Answerer));
    }

    #[test]
    fn files() {
        for path in [
            "torch/_C/__init__.pyi",
            "nvidia/cu13/lib/libcudart_static.a",
            "nvidia/cu13/lib/libnvperf_host.so",
            "numpy-2.4.6.dist-info/RECORD",
            "README.md",
            "torch/bin/protoc",
        ] {
            assert!(file(Path::new(path), Reader::Answerer), "{path}");
        }
        for path in [
            "torch/__init__.py",
            "torch/lib/libtorch.so",
            "nvidia/cu13/lib/libcudart.so.13",
            "numpy-2.4.6.dist-info/METADATA",
            "x/RECORD",
            "mpmath/libmp/libelefun.py",
            "torch/version",
            "torch/bin/torch_shm_manager",
        ] {
            assert!(!file(Path::new(path), Reader::Answerer), "{path}");
        }
        assert!(file(Path::new(OsStr::from_bytes(b"a\xff.py")), Reader::Learner));
    }
    #[test]
    fn the_learner_keeps_what_compiles_and_no_text() {
        for path in [
            "torch/include",
            "triton/backends/nvidia/bin",
            "config-3.11-x86_64-linux-gnu",
            "torch/share",
        ] {
            assert!(!directory(Path::new(path), Reader::Learner), "{path}");
        }
        for path in [
            "torch/tests",
            "x/docs",
            "__pycache__",
            "pip",
            "numpy-2.4.6.dist-info/licenses",
        ] {
            assert!(directory(Path::new(path), Reader::Learner), "{path}");
        }
        for path in ["torch/include/x.h", "a/b.cpp", "libx.a", "torch/bin/protoc"] {
            assert!(!file(Path::new(path), Reader::Learner), "{path}");
        }
        for path in ["x.pyi", "README.md", "numpy-2.4.6.dist-info/RECORD"] {
            assert!(file(Path::new(path), Reader::Learner), "{path}");
        }
    }
}
