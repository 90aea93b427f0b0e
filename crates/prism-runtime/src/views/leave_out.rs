//! What no process that answers needs of an interpreter and its packages.
//!
//! `plan` asks for every directory and file below the places where the interpreter looks for modules. An answerer
//! imports and computes; it compiles, tests and installs nothing. What a library in the view is linked to comes into it
//! all the same, by way of `closure`.
//!
//! Left in on purpose: `testing` (torch, numpy and sympy import theirs), `setuptools` (`torch.utils.cpp_extension` imports
//! it), compiled Python files, and the two files of a package's metadata that are asked for at run time.

use std::ffi::OsStr;
use std::path::Path;

/// Directories, wherever they are.
const DIRECTORIES: [&str; 14] = [
    // Walked by themselves where the interpreter looks there.
    "site-packages",
    "dist-packages",
    "bin",
    "cmake",
    "docs",
    "ensurepip",
    "idlelib",
    "include",
    "pip",
    "share",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
];
/// Directories by their whole path: compilers, profilers and examples of them.
const PATHS: [&str; 3] = ["torch/test", "triton/instrumentation", "triton/plugins"];
/// Files by their ending: sources and headers of C, archives of objects, types for editors, programs for Windows.
const ENDINGS: [&str; 22] = [
    "a", "bat", "c", "cc", "cpp", "cu", "cuh", "exe", "h", "hpp", "inc", "inl", "lib", "ll", "md", "o",
    "pdb", "pxd", "pyi", "pyx", "rst", "td",
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
pub(super) fn directory(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        // A package cannot be imported by a name that is no text.
        return true;
    };
    let compilers = path.starts_with("triton/backends") && matches!(name, "lib");
    // `config-3.11-x86_64-linux-gnu`: what one needs to embed an interpreter.
    let embedding = path.components().count() == 1 && name.starts_with("config-");
    let installer = path.components().count() == 1 && name.starts_with("pip-");
    if Path::new(WANTED_PROGRAM).starts_with(path) {
        return false;
    }
    DIRECTORIES.contains(&name)
        || PATHS.iter().any(|left_out| path == Path::new(left_out))
        || compilers
        || embedding
        || installer
        || parent_is_metadata(path)
}

/// Whether a file stays out.
pub(super) fn file(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(OsStr::to_str) else {
        return true;
    };
    if parent_is_metadata(path) {
        return !METADATA.contains(&name);
    }
    if path.parent() == Path::new(WANTED_PROGRAM).parent() {
        return path != Path::new(WANTED_PROGRAM);
    }
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ENDINGS.contains(&ending) || LIBRARIES.iter().any(|library| name.starts_with(library))
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
            assert!(directory(Path::new(path)), "{path}");
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
            assert!(!directory(Path::new(path)), "{path}");
        }
        assert!(directory(Path::new(OsStr::from_bytes(b"\xff"))));
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
            assert!(file(Path::new(path)), "{path}");
        }
        for path in [
            "torch/__init__.py",
            "torch/__pycache__/x.cpython-311.pyc",
            "torch/lib/libtorch.so",
            "nvidia/cu13/lib/libcudart.so.13",
            "numpy-2.4.6.dist-info/METADATA",
            "x/RECORD",
            "mpmath/libmp/libelefun.py",
            "torch/version",
            "torch/bin/torch_shm_manager",
        ] {
            assert!(!file(Path::new(path)), "{path}");
        }
        assert!(file(Path::new(OsStr::from_bytes(b"a\xff.py"))));
    }
}
