//! Lists the files that a lock reads.
//!
//! The lock calls it once. It reads directory entries only, never the content of a file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use prism_core::io_error::IoError;

use super::LockError;
use super::packed::Packing;
use crate::hub::Fetched;
use crate::limits::{INPUT_DEPTH_MAX, INPUT_FILES_MAX};
use crate::manifest::InputHash;

/// The kinds of files that hold text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputKind {
    Text,
    JsonLines(Packing),
    Parquet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputFile {
    pub(super) path: PathBuf,
    pub(super) kind: InputKind,
    pub(super) bytes: u64,
}

pub(super) struct Listing {
    /// In the order of their paths, each once.
    pub(super) files: Vec<InputFile>,
    /// Files passed over for their suffix.
    pub(super) ignored: u64,
}

/// All files to read. A file that is named must be of a known kind; in directories other files, and names that
/// start with a dot, are passed over. Links to files are followed, links to directories are not.
pub(super) fn list(paths: &[PathBuf]) -> Result<Listing, LockError> {
    let mut listing = Listing {
        files: Vec::new(),
        ignored: 0,
    };
    for path in paths {
        let metadata = fs::metadata(path).map_err(|source| failed(path, source))?;
        if metadata.is_dir() {
            list_directory(path, 0, &mut listing)?;
        } else {
            let kind = kind_of(path).ok_or_else(|| LockError::UnknownSuffix { path: path.clone() })?;
            listing.files.push(InputFile {
                path: path.clone(),
                kind,
                bytes: metadata.len(),
            });
        }
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    listing.files.dedup_by(|a, b| a.path == b.path);
    if listing.files.is_empty() {
        return Err(LockError::NoFiles);
    }
    Ok(listing)
}

fn list_directory(dir: &Path, depth: usize, listing: &mut Listing) -> Result<(), LockError> {
    if depth > INPUT_DEPTH_MAX {
        return Err(LockError::TooDeep { path: dir.to_owned() });
    }
    for entry in fs::read_dir(dir).map_err(|source| failed(dir, source))? {
        let entry = entry.map_err(|source| failed(dir, source))?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(|source| failed(&path, source))?;
        if kind.is_dir() {
            list_directory(&path, depth + 1, listing)?;
            continue;
        }
        let Some(input_kind) = kind_of(&path) else {
            listing.ignored += 1;
            continue;
        };
        let metadata = fs::metadata(&path).map_err(|source| failed(&path, source))?;
        if metadata.is_file() {
            listing.files.push(InputFile {
                path,
                kind: input_kind,
                bytes: metadata.len(),
            });
        }
        if listing.files.len() > INPUT_FILES_MAX {
            return Err(LockError::TooManyFiles);
        }
    }
    Ok(())
}

fn kind_of(path: &Path) -> Option<InputKind> {
    let name = path.file_name()?.as_encoded_bytes().to_ascii_lowercase();
    [
        (".txt", InputKind::Text),
        (".jsonl", InputKind::JsonLines(Packing::None)),
        (".jsonl.gz", InputKind::JsonLines(Packing::Gzip)),
        (".jsonl.zst", InputKind::JsonLines(Packing::Zstd)),
        (".parquet", InputKind::Parquet),
    ]
    .into_iter()
    .find_map(|(suffix, kind)| name.ends_with(suffix.as_bytes()).then_some(kind))
}

/// Refuses files that are not those of the fetch, by name and length; where they lie is the directory that was read. Their
/// hashes are held against it by [`check_hashes`].
pub(super) fn check_fetched(listing: &Listing, dir: &Path, fetched: &Fetched) -> Result<(), LockError> {
    let noted: BTreeMap<PathBuf, u64> = fetched
        .files
        .iter()
        .map(|file| (dir.join(&file.path), file.bytes))
        .collect();
    let found: BTreeMap<PathBuf, u64> = listing
        .files
        .iter()
        .map(|file| (file.path.clone(), file.bytes))
        .collect();
    let differs = |one: &BTreeMap<PathBuf, u64>, other: &BTreeMap<PathBuf, u64>| {
        one.iter()
            .find(|(path, bytes)| other.get(*path) != Some(*bytes))
            .map(|(path, _)| path.clone())
    };
    match differs(&noted, &found).or_else(|| differs(&found, &noted)) {
        Some(path) => Err(LockError::NotAsFetched { path }),
        None => Ok(()),
    }
}

/// The same by hash, once the files were read.
pub(super) fn check_hashes(files: &[InputHash], dir: &Path, fetched: &Fetched) -> Result<(), LockError> {
    let changed = fetched
        .files
        .iter()
        .find(|noted| !files.iter().any(|found| found.sha256 == noted.sha256));
    match changed {
        Some(noted) => Err(LockError::NotAsFetched {
            path: dir.join(&noted.path),
        }),
        None => Ok(()),
    }
}

/// Refuses an output inside an input, or the other way round: the next lock would read its own shards.
pub(super) fn refuse_overlap(paths: &[PathBuf], out: &Path) -> Result<(), LockError> {
    let out_full = absolute(out)?;
    for input in paths {
        let input_full = absolute(input)?;
        if out_full.starts_with(&input_full) || input_full.starts_with(&out_full) {
            return Err(LockError::Overlap {
                input: input.clone(),
                out: out.to_owned(),
            });
        }
    }
    Ok(())
}

/// The path without links, as far as it exists; what does not exist yet is appended as it is.
fn absolute(path: &Path) -> Result<PathBuf, LockError> {
    let full = std::path::absolute(path).map_err(|source| failed(path, source))?;
    for known in full.ancestors() {
        if let Ok(real) = known.canonicalize() {
            return Ok(match full.strip_prefix(known) {
                Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
                _ => real,
            });
        }
    }
    Ok(full)
}

fn failed(path: &Path, source: io::Error) -> LockError {
    IoError::new("read", path, source).into()
}
