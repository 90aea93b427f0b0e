//! What a directory of fetched files says of itself.
//!
//! `fetched.json` is written when a fetch is complete, and read by the lock for the source and the revision. Until then
//! `.fetching.json` holds the commit that the revision was when the fetch began: a branch that moves meanwhile moves
//! nothing here.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{FetchOptions, HubError};

/// What was fetched, beside the files.
pub const FETCHED_FILE: &str = "fetched.json";
const FETCHING_FILE: &str = ".fetching.json";
/// Longest of these files.
const STATE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a complete fetch has brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// Owner and name of the dataset.
    pub dataset: String,
    /// The part of it.
    pub config: String,
    /// The commit.
    pub commit: String,
    /// The branch, tag or commit that was asked for.
    pub revision: String,
    /// Bytes of text in all files.
    pub text_bytes: u64,
    /// The files, in the order of their paths.
    pub files: Vec<FetchedFile>,
}

/// One fetched file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchedFile {
    /// Its path in the dataset, and below the directory.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Bytes of its text, unpacked, as its own footer tells.
    pub text_bytes: u64,
}

impl Fetched {
    /// Reads what a directory says of itself, if it was fetched.
    pub fn read(dir: &Path) -> Option<Self> {
        read(&dir.join(FETCHED_FILE))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fetching {
    dataset: String,
    config: String,
    revision: String,
    commit: String,
}

pub(super) struct State {
    out: PathBuf,
    fetching: Fetching,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    let is_short = fs::metadata(path).is_ok_and(|found| found.len() <= STATE_BYTES_MAX);
    let bytes = if is_short {
        fs::read(path).ok()?
    } else {
        return None;
    };
    serde_json::from_slice(&bytes).ok()
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), HubError> {
    let temporary = path.with_extension("json.new");
    let bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    let written = fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|e| HubError::io("write", path, e))
}

impl State {
    /// Goes on with what the directory holds, or begins.
    pub(super) fn open(
        out: &Path,
        options: &FetchOptions,
        commit: impl FnOnce() -> Result<String, HubError>,
    ) -> Result<Self, HubError> {
        fs::create_dir_all(out).map_err(|e| HubError::io("create the directory", out, e))?;
        let path = out.join(FETCHING_FILE);
        if let Some(fetching) = read::<Fetching>(&path) {
            let is_same = fetching.dataset == options.dataset
                && fetching.config == options.config
                && fetching.revision == options.revision;
            if !is_same {
                return Err(HubError::AnotherFetch {
                    path: out.to_owned(),
                    found: format!(
                        "{} {} at {}",
                        fetching.dataset, fetching.config, fetching.revision
                    ),
                });
            }
            return Ok(Self {
                out: out.to_owned(),
                fetching,
            });
        }
        let fetching = Fetching {
            dataset: options.dataset.clone(),
            config: options.config.clone(),
            revision: options.revision.clone(),
            commit: commit()?,
        };
        write(&path, &fetching)?;
        Ok(Self {
            out: out.to_owned(),
            fetching,
        })
    }

    pub(super) fn commit(&self) -> &str {
        &self.fetching.commit
    }

    pub(super) fn finish(self, files: Vec<FetchedFile>, text_bytes: u64) -> Result<Fetched, HubError> {
        let Fetching {
            dataset,
            config,
            revision,
            commit,
        } = self.fetching;
        let fetched = Fetched {
            dataset,
            config,
            commit,
            revision,
            text_bytes,
            files,
        };
        write(&self.out.join(FETCHED_FILE), &fetched)?;
        Ok(fetched)
    }
}
