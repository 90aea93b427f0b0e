//! The paths of a bundle.
//!
//! [`BundlePath`] is a relative path that means the same file on every system: plain ASCII, `/` between components,
//! nothing hidden, nothing that Windows or a case-insensitive disk would read differently. `bundle` and `zip` parse
//! every name through it before they look at a byte of content. It knows nothing of files on disk.
//!
//! Names are ASCII only. That refuses every pair of names which differ in bytes but not in Unicode normalisation or
//! case folding, and every name whose encoding an archive leaves to guesswork.

use std::collections::BTreeMap;
use std::fmt;

use prism_core::advice::{Advice, Hint};

use crate::limits::{PATH_BYTES_MAX, PATH_COMPONENTS_MAX, SUFFIXES};
use crate::modules;
use crate::shown::Shown;

/// A path that obeys every rule for the files of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundlePath(String);

/// Why a path was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum PathError {
    #[error("a file has an empty name")]
    Empty,
    #[error("the path `{0}` contains a control character")]
    ControlCharacter(Shown),
    /// A backslash, which is a separator on one system and a letter on another.
    #[error("the path `{0}` contains a backslash")]
    Backslash(Shown),
    /// `C:` and its like.
    #[error("the path `{0}` starts with a drive letter; paths are relative to the bundle's root")]
    DriveLetter(Shown),
    #[error("the path `{0}` is absolute; paths are relative to the bundle's root")]
    Absolute(Shown),
    /// `..` as a component.
    #[error("the path `{0}` leaves the bundle through `..`")]
    Traversal(Shown),
    /// `.` as a component, or two slashes in a row, or a slash at the end of a file's name.
    #[error("the path `{0}` has an empty or `.` component")]
    NotNormal(Shown),
    #[error("the path `{0}` is hidden (a component starts with a dot)")]
    Hidden(Shown),
    #[error("the path `{0}` is not plain ASCII")]
    NotAscii(Shown),
    #[error("the path `{path}` contains `{character}`, which is not allowed in names")]
    ForbiddenCharacter { path: Shown, character: char },
    #[error("a component of the path `{0}` starts with a space or ends with a space or a dot")]
    TrimmedName(Shown),
    /// `CON`, `NUL` and their like.
    #[error("a component of the path `{0}` is a device name on Windows")]
    ReservedName(Shown),
    /// Too many bytes.
    #[error("the path `{path}` is {bytes} bytes long; at most {PATH_BYTES_MAX} are allowed")]
    TooLong { path: Shown, bytes: usize },
    #[error("the path `{path}` has {components} components; at most {PATH_COMPONENTS_MAX} are allowed")]
    TooDeep { path: Shown, components: usize },
    #[error("the file `{0}` has a suffix that bundles do not carry; allowed are {suffixes}", suffixes = SUFFIXES.join(" "))]
    Suffix(Shown),
    /// A module that would hide one of Python's, of the runtime's packages or of PRISM's own.
    #[error("the module `{path}` would hide the installed module `{module}`")]
    ShadowsModule { path: Shown, module: String },
    #[error("the bundle contains `{0}` twice")]
    Duplicate(Shown),
    #[error("the paths `{first}` and `{second}` differ only in case")]
    CaseCollision { first: Shown, second: Shown },
    #[error("`{file}` is both a file and a directory (of `{inner}`)")]
    FileIsDirectory { file: Shown, inner: Shown },
    /// `helper.py` beside `helper/__init__.py`: which one Python imports depends on its search order.
    #[error("`{module}` and `{package}` are the same module to Python")]
    AmbiguousModule { module: Shown, package: Shown },
}

impl Advice for PathError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Empty => "give it one".into(),
            Self::ControlCharacter(..) | Self::NotAscii(..) | Self::ForbiddenCharacter { .. } => {
                "rename the file".into()
            }
            Self::Backslash(..) => "separate directories with `/`".into(),
            Self::Traversal(..) => "keep every file inside the bundle".into(),
            Self::NotNormal(..) => "write it in its shortest form".into(),
            Self::Hidden(..) => "remove or rename it".into(),
            Self::TrimmedName(..) | Self::ReservedName(..) => "rename it".into(),
            Self::ShadowsModule { module, .. } => format!("rename it, for example to `my_{module}`").into(),
            Self::Duplicate(..) => "keep one of the two".into(),
            Self::CaseCollision { .. } | Self::FileIsDirectory { .. } | Self::AmbiguousModule { .. } => {
                "rename one of them".into()
            }
            _ => return None,
        })
    }
}

impl BundlePath {
    /// Parses the path of a file.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        check_shape(path)?;
        check_suffix(path)?;
        check_module(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Parses the name of an archive's entry, which need not even be text.
    pub(crate) fn parse_bytes(name: &[u8]) -> Result<Self, PathError> {
        Self::parse(utf8(name)?)
    }

    /// The path, with `/` between components.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Python would read it as source.
    pub fn is_python(&self) -> bool {
        self.0.strip_suffix(".py").is_some()
    }

    /// The path, for an error message.
    pub(crate) fn shown(&self) -> Shown {
        Shown::text(&self.0)
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Checks the name of a directory entry, given without its trailing slash.
pub(crate) fn check_directory(name: &[u8]) -> Result<(), PathError> {
    check_shape(utf8(name)?)
}

/// Refuses sets of paths that are not a tree, or not the same tree on every system.
pub(crate) fn check_together<'a>(paths: impl Iterator<Item = &'a BundlePath>) -> Result<(), PathError> {
    // From each path, file or directory, in lower case: how it is spelt, whether it is a file, and whose it is.
    let mut seen: BTreeMap<String, (&str, bool, &BundlePath)> = BTreeMap::new();
    for path in paths {
        for (end, _) in path.0.match_indices('/').chain([(path.0.len(), "")]) {
            let (prefix, is_file) = (&path.0[..end], end == path.0.len());
            let Some(&(spelling, was_file, owner)) = seen.get(&prefix.to_ascii_lowercase()) else {
                seen.insert(prefix.to_ascii_lowercase(), (prefix, is_file, path));
                continue;
            };
            if spelling != prefix {
                return Err(PathError::CaseCollision {
                    first: owner.shown(),
                    second: path.shown(),
                });
            }
            match (was_file, is_file) {
                (true, true) => return Err(PathError::Duplicate(path.shown())),
                (true, false) => {
                    return Err(PathError::FileIsDirectory {
                        file: owner.shown(),
                        inner: path.shown(),
                    });
                }
                (false, true) => {
                    return Err(PathError::FileIsDirectory {
                        file: path.shown(),
                        inner: owner.shown(),
                    });
                }
                (false, false) => {}
            }
        }
    }
    for (name, &(_, _, package)) in &seen {
        if let Some(directory) = name.strip_suffix("/__init__.py")
            && let Some(&(_, true, module)) = seen.get(&format!("{directory}.py"))
        {
            return Err(PathError::AmbiguousModule {
                module: module.shown(),
                package: package.shown(),
            });
        }
    }
    Ok(())
}

fn utf8(name: &[u8]) -> Result<&str, PathError> {
    std::str::from_utf8(name).map_err(|_| PathError::NotAscii(Shown::bytes(name)))
}

fn check_shape(path: &str) -> Result<(), PathError> {
    let shown = || Shown::text(path);
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::ControlCharacter(shown()));
    }
    if path.contains('\\') {
        return Err(PathError::Backslash(shown()));
    }
    if path.as_bytes()[0].is_ascii_alphabetic() && path.as_bytes().get(1) == Some(&b':') {
        return Err(PathError::DriveLetter(shown()));
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute(shown()));
    }
    if !path.is_ascii() {
        return Err(PathError::NotAscii(shown()));
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong {
            path: shown(),
            bytes: path.len(),
        });
    }
    let components = path.split('/').count();
    if components > PATH_COMPONENTS_MAX {
        return Err(PathError::TooDeep {
            path: shown(),
            components,
        });
    }
    path.split('/')
        .try_for_each(|component| check_component(component, &shown))
}

fn check_component(component: &str, shown: &dyn Fn() -> Shown) -> Result<(), PathError> {
    if component == ".." {
        return Err(PathError::Traversal(shown()));
    }
    if component.is_empty() || component == "." {
        return Err(PathError::NotNormal(shown()));
    }
    if component.starts_with('.') {
        return Err(PathError::Hidden(shown()));
    }
    if let Some(character) = component
        .chars()
        .find(|character| ":*?\"<>|".contains(*character))
    {
        return Err(PathError::ForbiddenCharacter {
            path: shown(),
            character,
        });
    }
    if component.starts_with(' ') || component.ends_with([' ', '.']) {
        return Err(PathError::TrimmedName(shown()));
    }
    if is_windows_device(component) {
        return Err(PathError::ReservedName(shown()));
    }
    Ok(())
}

/// Windows takes `nul.txt`, `Nul` and `NUL .py` all for the device.
fn is_windows_device(component: &str) -> bool {
    let stem = component
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => {
            stem.len() == 4
                && (stem.starts_with("COM") || stem.starts_with("LPT"))
                && stem.ends_with(|last: char| last.is_ascii_digit())
        }
    }
}

fn check_suffix(path: &str) -> Result<(), PathError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let allowed = SUFFIXES
        .iter()
        .any(|suffix| name.len() > suffix.len() && name.ends_with(suffix));
    if allowed {
        Ok(())
    } else {
        Err(PathError::Suffix(Shown::text(path)))
    }
}

/// Only what Python would import by its first component can hide an installed module.
fn check_module(path: &str) -> Result<(), PathError> {
    let Some(stem) = path.strip_suffix(".py") else {
        return Ok(());
    };
    let module = stem.split('/').next().unwrap_or(stem);
    if modules::is_reserved(module) {
        return Err(PathError::ShadowsModule {
            path: Shown::text(path),
            module: module.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str) -> &'static str {
        BundlePath::parse(path).map_or_else(|error| crate::cause(&error), |_| "ok")
    }

    #[test]
    fn accepts_ordinary_paths() {
        for path in [
            "architecture.py",
            "lib/deep/er/still/x.py",
            "notes/READ ME.md",
            "a-b_c+d.json",
            "console.py",
        ] {
            assert_eq!(code(path), "ok", "{path}");
        }
    }

    #[test]
    fn refuses_each_kind_of_bad_path() {
        let long = format!("{}.py", "a".repeat(PATH_BYTES_MAX));
        let cases = [
            ("", "Empty"),
            ("a\0.py", "ControlCharacter"),
            ("a\n.py", "ControlCharacter"),
            ("a\u{85}.py", "ControlCharacter"),
            ("a\u{7f}.py", "ControlCharacter"),
            ("a\\b.py", "Backslash"),
            ("..\\b.py", "Backslash"),
            ("C:a.py", "DriveLetter"),
            ("c:/a.py", "DriveLetter"),
            ("/etc/a.py", "Absolute"),
            ("//a.py", "Absolute"),
            ("../a.py", "Traversal"),
            ("lib/../../a.py", "Traversal"),
            ("./a.py", "NotNormal"),
            ("lib//a.py", "NotNormal"),
            ("a.py/", "NotNormal"),
            (".hidden.py", "Hidden"),
            (".git/a.py", "Hidden"),
            ("...", "Hidden"),
            ("caf\u{e9}.py", "NotAscii"),
            ("\u{ff0f}etc.py", "NotAscii"),
            ("a:b.py", "DriveLetter"),
            ("ab:c.py", "ForbiddenCharacter"),
            ("a*.py", "ForbiddenCharacter"),
            (" a.py", "TrimmedName"),
            ("lib /a.py", "TrimmedName"),
            ("lib./a.py", "TrimmedName"),
            ("nul.py", "ReservedName"),
            ("lib/Com1.tar.py", "ReservedName"),
            ("aux /a.py", "TrimmedName"),
            ("a/b/c/d/e/f/g.py", "TooDeep"),
            (long.as_str(), "TooLong"),
            ("a.so", "Suffix"),
            ("a.pyc", "Suffix"),
            ("a.PY", "Suffix"),
            ("Makefile", "Suffix"),
            ("a.py.gz", "Suffix"),
            ("torch.py", "ShadowsModule"),
            ("torch/nn.py", "ShadowsModule"),
            ("prism_runtime/wire.py", "ShadowsModule"),
            ("prism_challenge/x.py", "ShadowsModule"),
            ("sitecustomize.py", "ShadowsModule"),
            ("usercustomize.py", "ShadowsModule"),
            ("json.py", "ShadowsModule"),
            ("numpy.py", "ShadowsModule"),
            ("einops/__init__.py", "ShadowsModule"),
        ];
        for (path, expected) in cases {
            assert_eq!(code(path), expected, "{path:?}");
        }
    }

    #[test]
    fn only_modules_that_python_imports_first_can_shadow() {
        for path in ["lib/torch.py", "types/notes.md", "json.txt", "Torch.py"] {
            assert_eq!(code(path), "ok", "{path}");
        }
    }

    #[test]
    fn refuses_sets_that_are_not_one_tree() {
        let together = |paths: &[&str]| {
            let paths: Vec<_> = paths
                .iter()
                .map(|path| BundlePath::parse(path).unwrap())
                .collect();
            check_together(paths.iter()).map_or_else(|error| crate::cause(&error), |()| "ok")
        };
        assert_eq!(together(&["a.py", "b/a.py", "b/c.py"]), "ok");
        assert_eq!(together(&["a.py", "a.py"]), "Duplicate");
        assert_eq!(together(&["a.py", "A.py"]), "CaseCollision");
        assert_eq!(together(&["Lib/a.py", "lib/b.py"]), "CaseCollision");
        assert_eq!(together(&["a.py", "a.py/b.py"]), "FileIsDirectory");
        assert_eq!(together(&["a.py/b.py", "a.py"]), "FileIsDirectory");
        assert_eq!(together(&["a.py", "A.py/b.py"]), "CaseCollision");
        assert_eq!(together(&["a.py", "a/__init__.py"]), "AmbiguousModule");
        assert_eq!(together(&["a.py", "a/b.py"]), "ok");
    }
}
