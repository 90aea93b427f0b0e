//! The names of modules that a bundle must not hide.
//!
//! A bundle's directory is on Python's search path, so `torch.py` in it could be imported in place of PyTorch, by the
//! bundle itself or by the harness. `path` asks here about the first component of every Python file. The lists are
//! data: they hold names only and never look at an interpreter, so that one bundle is judged alike on every machine.

/// Whether a top-level module of this name belongs to Python, to the runtime's packages or to PRISM.
pub(crate) fn is_reserved(module: &str) -> bool {
    [&STANDARD_LIBRARY[..], &INSTALLED, &OURS, &START_UP_HOOKS, &TESTS]
        .iter()
        .any(|names| names.binary_search(&module).is_ok())
        || MADE_PREFIXES.iter().any(|prefix| module.starts_with(prefix))
}

/// Modules that compiled packages make for themselves carry their version in the name; those that `CPython` is tested with
/// stand in no list of its own.
const MADE_PREFIXES: [&str; 6] = [
    "_cython_",
    "_sysconfigdata_",
    "__editable__",
    "_test",
    "_xx",
    "xxlimited",
];

#[rustfmt::skip]
/// PRISM's own packages, the older interface's shim among them.
const OURS: [&str; 3] = [
    "boot", "prism_challenge", "prism_runtime",
];

#[rustfmt::skip]
/// Modules that an interpreter runs or replaces by itself when it starts.
const START_UP_HOOKS: [&str; 5] = [
    "__init__", "__main__", "__mp_main__", "sitecustomize", "usercustomize",
];

/// What `CPython` is tested with, and its standard library says nothing of.
const TESTS: [&str; 3] = ["_ctypes_test", "test", "xxsubtype"];

#[rustfmt::skip]
/// The top-level modules of the runtime's packages: what miners may import, and all that those bring along.
const INSTALLED: [&str; 25] = [
    "_distutils_hack", "_remote_module_non_scriptable", "caffe2", "cuda", "cython_runtime", "einops", "filelock", "fsspec", "functorch", "isympy", "jinja2",
    "markupsafe", "mpmath", "networkx", "numpy", "nvidia", "pip", "pkg_resources", "setuptools", "sympy",
    "torch", "torchgen", "triton", "typing_extensions", "wheel",
];

#[rustfmt::skip]
/// `sys.stdlib_module_names` of `CPython` 3.11, 3.12 and 3.13, united.
const STANDARD_LIBRARY: [&str; 319] = [
    "__future__", "_abc", "_aix_support", "_android_support", "_ast", "_asyncio", "_bisect", "_blake2",
    "_bootsubprocess", "_bz2", "_codecs", "_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp",
    "_codecs_kr", "_codecs_tw", "_collections", "_collections_abc", "_colorize", "_compat_pickle",
    "_compression", "_contextvars", "_crypt", "_csv", "_ctypes", "_curses", "_curses_panel", "_datetime",
    "_dbm", "_decimal", "_elementtree", "_frozen_importlib", "_frozen_importlib_external", "_functools",
    "_gdbm", "_hashlib", "_heapq", "_imp", "_interpchannels", "_interpqueues", "_interpreters", "_io",
    "_ios_support", "_json", "_locale", "_lsprof", "_lzma", "_markupbase", "_md5", "_msi",
    "_multibytecodec", "_multiprocessing", "_opcode", "_opcode_metadata", "_operator", "_osx_support",
    "_overlapped", "_pickle", "_posixshmem", "_posixsubprocess", "_py_abc", "_pydatetime", "_pydecimal",
    "_pyio", "_pylong", "_pyrepl", "_queue", "_random", "_scproxy", "_sha1", "_sha2", "_sha256", "_sha3",
    "_sha512", "_signal", "_sitebuiltins", "_socket", "_sqlite3", "_sre", "_ssl", "_stat", "_statistics",
    "_string", "_strptime", "_struct", "_suggestions", "_symtable", "_sysconfig", "_thread",
    "_threading_local", "_tkinter", "_tokenize", "_tracemalloc", "_typing", "_uuid", "_warnings",
    "_weakref", "_weakrefset", "_winapi", "_wmi", "_zoneinfo", "abc", "aifc", "antigravity", "argparse",
    "array", "ast", "asynchat", "asyncio", "asyncore", "atexit", "audioop", "base64", "bdb", "binascii",
    "bisect", "builtins", "bz2", "cProfile", "calendar", "cgi", "cgitb", "chunk", "cmath", "cmd", "code",
    "codecs", "codeop", "collections", "colorsys", "compileall", "concurrent", "configparser", "contextlib",
    "contextvars", "copy", "copyreg", "crypt", "csv", "ctypes", "curses", "dataclasses", "datetime", "dbm",
    "decimal", "difflib", "dis", "distutils", "doctest", "email", "encodings", "ensurepip", "enum", "errno",
    "faulthandler", "fcntl", "filecmp", "fileinput", "fnmatch", "fractions", "ftplib", "functools", "gc",
    "genericpath", "getopt", "getpass", "gettext", "glob", "graphlib", "grp", "gzip", "hashlib", "heapq",
    "hmac", "html", "http", "idlelib", "imaplib", "imghdr", "imp", "importlib", "inspect", "io",
    "ipaddress", "itertools", "json", "keyword", "lib2to3", "linecache", "locale", "logging", "lzma",
    "mailbox", "mailcap", "marshal", "math", "mimetypes", "mmap", "modulefinder", "msilib", "msvcrt",
    "multiprocessing", "netrc", "nis", "nntplib", "nt", "ntpath", "nturl2path", "numbers", "opcode",
    "operator", "optparse", "os", "ossaudiodev", "pathlib", "pdb", "pickle", "pickletools", "pipes",
    "pkgutil", "platform", "plistlib", "poplib", "posix", "posixpath", "pprint", "profile", "pstats", "pty",
    "pwd", "py_compile", "pyclbr", "pydoc", "pydoc_data", "pyexpat", "queue", "quopri", "random", "re",
    "readline", "reprlib", "resource", "rlcompleter", "runpy", "sched", "secrets", "select", "selectors",
    "shelve", "shlex", "shutil", "signal", "site", "smtpd", "smtplib", "sndhdr", "socket", "socketserver",
    "spwd", "sqlite3", "sre_compile", "sre_constants", "sre_parse", "ssl", "stat", "statistics", "string",
    "stringprep", "struct", "subprocess", "sunau", "symtable", "sys", "sysconfig", "syslog", "tabnanny",
    "tarfile", "telnetlib", "tempfile", "termios", "textwrap", "this", "threading", "time", "timeit",
    "tkinter", "token", "tokenize", "tomllib", "trace", "traceback", "tracemalloc", "tty", "turtle",
    "turtledemo", "types", "typing", "unicodedata", "unittest", "urllib", "uu", "uuid", "venv", "warnings",
    "wave", "weakref", "webbrowser", "winreg", "winsound", "wsgiref", "xdrlib", "xml", "xmlrpc", "zipapp",
    "zipfile", "zipimport", "zlib", "zoneinfo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_so_that_the_search_finds_every_name() {
        for names in [&STANDARD_LIBRARY[..], &INSTALLED, &OURS, &START_UP_HOOKS, &TESTS] {
            assert!(names.is_sorted());
            assert!(names.iter().all(|name| is_reserved(name)));
        }
    }

    #[test]
    fn what_python_is_tested_with_is_reserved() {
        for name in [
            "test",
            "_testcapi",
            "_testinternalcapi",
            "_xxsubinterpreters",
            "_ctypes_test",
            "xxlimited_35",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        assert!(!is_reserved("tests"));
    }

    #[test]
    fn ordinary_helper_names_are_free() {
        for name in [
            "architecture",
            "training",
            "model",
            "layers",
            "optimizer",
            "data",
            "config",
            "utils",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
