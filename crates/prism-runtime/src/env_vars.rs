//! The names of all environment variables that PRISM reads.
//!
//! No other file of the workspace may spell such a name out; documentation and `prism runtime doctor` list [`ALL`].
//! Nothing is read here.

/// Where PRISM keeps its runtime, its sources and its demo corpus. Default: `prism` in the XDG data directory.
pub const PRISM_DATA_DIR: &str = "PRISM_DATA_DIR";

/// An existing Python interpreter with torch 2.9 or newer, to be used instead of the installed runtime.
pub const PRISM_PYTHON: &str = "PRISM_PYTHON";

/// The file that counted runs lock, the same for everybody on one kernel. Default: `/run/prism/machine.lock`.
pub const PRISM_MACHINE_LOCK: &str = "PRISM_MACHINE_LOCK";

/// Where programs are looked for: Python.
pub const PATH: &str = "PATH";

/// The user's home directory, below which the XDG directories lie where they are not set.
pub const HOME: &str = "HOME";

/// The XDG data directory. Default: `.local/share` in the home directory.
pub const XDG_DATA_HOME: &str = "XDG_DATA_HOME";

/// The XDG cache directory, where `uv` keeps what it has downloaded. Default: `.cache` in the home
/// directory.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";

/// Where temporary files go. Default: `/tmp`.
pub const TMPDIR: &str = "TMPDIR";

/// Set to anything but the empty text: no colours.
pub const NO_COLOR: &str = "NO_COLOR";

/// Every variable with what it is for, in the order of this file.
pub const ALL: [(&str, &str); 9] = [
    (
        PRISM_DATA_DIR,
        "where the runtime, its sources and the demo corpus are kept",
    ),
    (
        PRISM_PYTHON,
        "an existing interpreter with torch to use instead of the installed runtime",
    ),
    (
        PRISM_MACHINE_LOCK,
        "the file that counted runs lock, the same for everybody on one kernel",
    ),
    (PATH, "where Python is looked for"),
    (HOME, "the home directory"),
    (
        XDG_DATA_HOME,
        "the data directory, where PRISM_DATA_DIR is not set",
    ),
    (XDG_CACHE_HOME, "where uv keeps downloads"),
    (TMPDIR, "where temporary files go"),
    (NO_COLOR, "set: no colours"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_listed_once() {
        let mut names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        let declared = include_str!("env_vars.rs").matches("\npub const ").count();
        assert_eq!(
            declared,
            ALL.len() + 1,
            "one constant a name, and the list itself"
        );
    }
}
