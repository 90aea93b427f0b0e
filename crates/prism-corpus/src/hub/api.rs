//! The Hub's answers: a commit for a revision, and the Parquet files of a part of a dataset.
//!
//! What is a path or a hash in them is checked before anything uses it.

use super::http::{Http, short};
use super::wire::{Entry, Revision};
use super::{FetchOptions, HubError};
use crate::limits::{INPUT_FILE_BYTES_MAX, INPUT_FILES_MAX};

/// Longest page of a listing.
const PAGE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Most pages of a listing.
const PAGES_MAX: usize = 1000;
const PATH_BYTES_MAX: usize = 1024;
/// Most folders that are named where one is missing.
const FOLDERS_SHOWN_MAX: usize = 20;

/// The Hub.
pub(super) struct Hub {
    pub(super) http: Http,
}

/// A file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemoteFile {
    /// Its path in the dataset; each part is a plain name.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

impl Hub {
    pub(super) fn new(options: &FetchOptions) -> Result<Self, HubError> {
        let wrong = |option, problem: &str| {
            Err(HubError::Option {
                option,
                problem: problem.to_owned(),
            })
        };
        let is_name = |name: &str| {
            (1..=96).contains(&name.len())
                && !name.starts_with('.')
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        let parts: Vec<_> = options.dataset.split('/').collect();
        if !(1..=2).contains(&parts.len()) || !parts.iter().all(|part| is_name(part)) {
            return wrong("dataset", "it is no name like `owner/name`");
        }
        if !is_plain_path(&options.config) {
            return wrong("config", "it is no name or folder of a dataset");
        }
        if options.revision.is_empty() || options.revision.len() > 256 {
            return wrong("revision", "it is empty or too long");
        }
        if options.text_bytes == 0 {
            return wrong("bytes", "it is nothing");
        }
        let http = Http::new(&options.endpoint, options.token.clone(), options.patience)?;
        Ok(Self { http })
    }

    /// The commit of a revision. A commit is one itself.
    pub(super) fn commit(&self, dataset: &str, revision: &str) -> Result<String, HubError> {
        if is_hex(revision, 40) {
            return Ok(revision.to_owned());
        }
        let what = format!("revision {} of {dataset}", short(revision));
        let address = self.http.at(&format!(
            "/api/datasets/{dataset}/revision/{}",
            encoded(revision, false)
        ));
        let (body, _) = self.http.body(&address, &what, PAGE_BYTES_MAX)?;
        let found: Revision = serde_json::from_slice(&body)
            .map_err(|error| self.http.unexpected(None, &what, &error.to_string()))?;
        if !is_hex(&found.sha, 40) {
            return Err(self.http.unexpected(None, &what, "a commit that is none"));
        }
        Ok(found.sha)
    }

    /// The Parquet files of a part of the dataset, in the order of their paths.
    pub(super) fn parquet_files(
        &self,
        dataset: &str,
        commit: &str,
        config: &str,
    ) -> Result<Vec<RemoteFile>, HubError> {
        let mut tried = vec![
            config.to_owned(),
            config.replacen('-', "/", 1),
            format!("data/{config}"),
        ];
        tried.dedup();
        for folder in &tried {
            let entries = match self.tree(dataset, commit, folder, true) {
                Err(HubError::NotFound { .. }) => continue,
                other => other?,
            };
            let mut files = Vec::new();
            for entry in entries {
                if entry.kind == "file" && entry.path.ends_with(".parquet") {
                    files.push(self.remote_file(entry, folder)?);
                }
            }
            if !files.is_empty() {
                files.sort_by(|one, other| one.path.cmp(&other.path));
                files.dedup_by(|one, other| one.path == other.path);
                return Ok(files);
            }
        }
        let root = self.tree(dataset, commit, "", false)?;
        let folders: Vec<_> = root
            .iter()
            .filter(|entry| entry.kind == "directory")
            .take(FOLDERS_SHOWN_MAX)
            .map(|entry| format!("`{}`", short(&entry.path)))
            .collect();
        Err(HubError::NoConfig {
            tried: format!("`{}`", tried.join("`, `")),
            there: if folders.is_empty() {
                "it has no folders".to_owned()
            } else {
                folders.join(", ")
            },
        })
    }

    fn remote_file(&self, entry: Entry, folder: &str) -> Result<RemoteFile, HubError> {
        let what = format!("the files of {folder}");
        let bad = |problem: &str| Err(self.http.unexpected(None, &what, problem));
        // A path becomes one of this machine: it may not lead elsewhere.
        if !is_plain_path(&entry.path) {
            return bad("a path that is none");
        }
        let Some(lfs) = entry.lfs else {
            return bad("a Parquet file without a SHA-256");
        };
        if !is_hex(&lfs.oid, 64)
            || !(1..=INPUT_FILE_BYTES_MAX).contains(&lfs.size)
            || (entry.size != 0 && entry.size != lfs.size)
        {
            return bad("a Parquet file with an impossible hash or length");
        }
        Ok(RemoteFile {
            path: entry.path,
            bytes: lfs.size,
            sha256: lfs.oid,
        })
    }

    fn tree(
        &self,
        dataset: &str,
        commit: &str,
        folder: &str,
        recursive: bool,
    ) -> Result<Vec<Entry>, HubError> {
        let what = format!("the files of {dataset}/{folder} at {commit}");
        let mut address = self.http.at(&format!(
            "/api/datasets/{dataset}/tree/{commit}/{}?recursive={recursive}",
            encoded(folder, true)
        ));
        let mut entries = Vec::new();
        for _ in 0..PAGES_MAX {
            let (body, next) = self.http.body(&address, &what, PAGE_BYTES_MAX)?;
            let page: Vec<Entry> = serde_json::from_slice(&body)
                .map_err(|error| self.http.unexpected(None, &what, &error.to_string()))?;
            entries.extend(page);
            if entries.len() > INPUT_FILES_MAX {
                break;
            }
            match next {
                Some(next) => address = next,
                None => return Ok(entries),
            }
        }
        Err(self.http.unexpected(None, &what, "a listing without end"))
    }

    /// The address that the Hub has for a file, which redirects to its bytes.
    pub(super) fn resolve(&self, dataset: &str, commit: &str, path: &str) -> String {
        self.http.at(&format!(
            "/datasets/{dataset}/resolve/{commit}/{}",
            encoded(path, true)
        ))
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a path is relative and each of its parts a plain name that a listing shows.
fn is_plain_path(path: &str) -> bool {
    (1..=PATH_BYTES_MAX).contains(&path.len())
        && !path.chars().any(|c| c.is_control() || c == '\\')
        && path
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.len() <= 200)
}

/// Percent-encoded for a path; slashes stay where they separate its parts.
fn encoded(text: &str, keeps_slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keeps_slashes && byte == b'/') {
            out.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}
