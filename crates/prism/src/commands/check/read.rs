//! What lies at the paths that were typed: the bundle to check, and the earlier ones beside it.
//!
//! Reads within the limits of a bundle. What a bundle may not hold becomes a finding; what cannot be read at all is an
//! error of usage.

use std::fs;
use std::path::{Component, Path, PathBuf};

use prism_bundle::{Bundle, PackError, pack};
use prism_gate::Finding;
use prism_gate::render::{Instantiation, Subject, Texts};

use crate::failure::Failure;
use crate::progress::Progress;
use crate::show;

/// Most bundles that one is compared with.
const EARLIER_MAX: usize = 10_000;

/// What lies at the path that was typed.
pub(super) struct Read {
    /// The files of a directory.
    pub(super) entries: Vec<(String, Vec<u8>)>,
    /// The bytes of an archive.
    archive: Option<Vec<u8>>,
    /// What a directory holds that no bundle may hold.
    refused: Option<PackError>,
    /// What stands before the path of a file where the reader's tools look for it.
    prefix: String,
}

impl Read {
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error: std::io::Error| {
            Failure::usage(
                "bundle_unreadable",
                &format!("the bundle {} cannot be read: {error}", path.display()),
            )
        };
        let mut read = Self {
            entries: Vec::new(),
            archive: None,
            refused: None,
            prefix: String::new(),
        };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            read.prefix = prefix(path);
            match pack::read_dir(path) {
                Ok(entries) => read.entries = entries,
                Err(error @ PackError::Io { .. }) => {
                    return Err(Failure::usage("bundle_unreadable", &error));
                }
                Err(error) => read.refused = Some(error),
            }
        } else {
            let archive = pack::read_archive(path).map_err(|error| match error {
                PackError::Io(error) => unreadable(error.source),
                error => Failure::usage("bundle_unreadable", &error),
            })?;
            read.archive = Some(archive);
        }
        Ok(read)
    }

    pub(super) fn bundle(&self) -> Result<Bundle, Box<Finding>> {
        if let Some(error) = &self.refused {
            return Err(Box::new(prism_gate::of_pack_error(error)));
        }
        match &self.archive {
            Some(archive) => Bundle::from_zip(archive),
            None => Bundle::from_entries(self.entries.clone()),
        }
        .map_err(|error| Box::new(prism_gate::of_bundle_error(&error, &self.entries)))
    }

    pub(super) fn subject<'a>(&self, texts: Texts<'a>) -> Subject<'a> {
        Subject {
            prefix: self.prefix.clone(),
            texts,
            bundle_sha256: None,
            version: env!("CARGO_PKG_VERSION"),
            instantiation: Instantiation::Skipped,
        }
    }
}

/// `my-model/` of `my-model` and `./my-model/`, nothing of `.`.
fn prefix(path: &Path) -> String {
    let named = path.components().filter(|part| *part != Component::CurDir);
    let shown = named.collect::<PathBuf>().display().to_string();
    match shown.as_str() {
        "" => String::new(),
        shown if shown.ends_with('/') => shown.to_owned(),
        shown => format!("{shown}/"),
    }
}

/// The bundles of a directory by their names, without the one that is checked.
pub(super) fn earlier(
    dir: &Path,
    checked: &Path,
    progress: &Progress,
) -> Result<Vec<(String, Bundle)>, Failure> {
    let shown = dir.display();
    let unreadable = |error: std::io::Error| {
        Failure::usage("against_unreadable", &format!("{shown} cannot be read: {error}"))
            .hint("name a directory of bundles")
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "zip") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.len() > EARLIER_MAX {
        let text = format!("{shown} holds {} bundles", paths.len());
        return Err(
            Failure::usage("against_too_many", &text).hint(format!("at most {EARLIER_MAX} are compared"))
        );
    }
    let itself = fs::canonicalize(checked).ok();
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| fs::canonicalize(path).ok() != itself) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match Read::new(path)?.bundle() {
            Ok(bundle) => found.push((name, bundle)),
            Err(finding) => progress.above(|| {
                crate::output::warn(format_args!(
                    "{} was not compared: {}",
                    show::line(&name),
                    show::line(&finding.message)
                ));
            }),
        }
    }
    if found.is_empty() {
        let text = format!("{shown} holds no other bundle");
        return Err(Failure::usage("against_empty", &text).hint("name the directory above them"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_where_the_readers_tools_look_for_it() {
        for (path, expected) in [
            (".", ""),
            ("./", ""),
            ("a", "a/"),
            ("a//b/", "a/b/"),
            ("./a/", "a/"),
            ("/", "/"),
            ("/a", "/a/"),
            ("../a", "../a/"),
        ] {
            assert_eq!(prefix(Path::new(path)), expected, "{path}");
        }
    }
}
