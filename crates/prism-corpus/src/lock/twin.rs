//! `prism data twin`: a corpus for rehearsals, of the documents that the official one has not.
//!
//! It is locked from the same files in the same way, from the documents that no split of the official corpus had room for,
//! to the same sizes, in the order of a public salt. Near duplicates were taken out of all documents together, so that
//! nothing of it is nearly the same as a document of the official corpus. It tells nothing of the secret salt but that
//! these documents are in none of the splits.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::spool::Entry;
use super::{LockError, LockOptions, LockProgress, inputs, reporter, splits, take_in, write};
use crate::digest::Digester;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::manifest::{LockSalt, Manifest, Origin, Salt, Shares, SplitRule};
use crate::normal::normal_form;
use crate::open::read_manifest;
use crate::publish::{PublishError, Staging};
use crate::secret::{REVEALED_FILE, SALT_FILE, SECRET_DIR, SecretSalt};

/// The paths that a corpus was locked from, in its secret folder: they say nothing of the corpus, and are none of its
/// bytes.
const INPUTS_FILE: &str = "inputs.json";

/// Keeps the paths for a twin that names none.
pub(super) fn remember(folder: &Path, paths: &[PathBuf]) -> Result<(), PublishError> {
    let full: Vec<_> = paths
        .iter()
        .filter_map(|path| std::path::absolute(path).ok())
        .collect();
    let path = folder.join(INPUTS_FILE);
    let json = serde_json::to_vec_pretty(&full).unwrap_or_default();
    fs::write(&path, json).map_err(|e| PublishError::io("write", &path, e))
}

fn remembered(corpus: &Path) -> Vec<PathBuf> {
    let path = corpus.join(SECRET_DIR).join(INPUTS_FILE);
    let is_short = fs::metadata(&path).is_ok_and(|found| found.len() <= MANIFEST_BYTES_MAX);
    let bytes = if is_short { fs::read(&path).ok() } else { None };
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// Locks the twin of `corpus` into `out`. Without paths, those are read that the corpus was locked from.
pub fn twin(
    corpus: &Path,
    paths: &[PathBuf],
    out: &Path,
    threads: std::num::NonZero<usize>,
    progress: &mut dyn FnMut(LockProgress) -> ControlFlow<()>,
) -> Result<Manifest, LockError> {
    let official = read_manifest(corpus)?;
    let no_twin = |problem, hint| LockError::NoTwin {
        path: corpus.to_owned(),
        problem,
        hint,
    };
    let Origin::Locked { files, .. } = &official.origin else {
        return Err(no_twin("it is synthetic", "make another one with `--seed`"));
    };
    let options = options(corpus, &official, threads)?;
    let paths = if paths.is_empty() {
        remembered(corpus)
    } else {
        paths.to_owned()
    };
    if paths.is_empty() {
        return Err(LockError::OtherFiles {
            what: "it is not known here what the corpus was locked from".to_owned(),
        });
    }
    inputs::refuse_overlap(&paths, out)?;
    let listing = inputs::list(&paths)?;
    let staging = Staging::new(out)?;
    let mut report = reporter(&listing, progress);
    let mut taken = take_in(&listing, &staging, &options, &mut report)?;
    if taken.files != *files {
        return Err(LockError::OtherFiles {
            what: "the files that are read are not those that the corpus was locked from".to_owned(),
        });
    }
    // The documents of the official corpus go; the others get an order of their own.
    let all = taken.spool.sorted().to_vec();
    splits::assign(&mut taken.spool, options.shares)?;
    let used = taken.spool.sorted().len();
    let rest = all.get(used..).unwrap_or_default();
    let options = LockOptions {
        name: format!("{}-twin", options.name),
        salt: LockSalt::Public(format!("twin of {}", official.manifest_hash())),
        ..options
    };
    let digester = Digester::new(options.salt.text(), 0, 0);
    let mut again: Vec<Entry> = Vec::with_capacity(rest.len());
    let (mut buffer, mut form) = (Vec::new(), String::new());
    for entry in rest {
        normal_form(taken.spool.read(entry, &mut buffer)?, &mut form);
        let (id, split) = digester.digest(form.as_bytes());
        again.push(entry.digested(id, split));
    }
    again.sort_unstable_by_key(|entry| entry.id);
    *taken.spool.entries_mut() = again;
    let documents = taken.spool.sorted().len() as u64;
    taken.unused = used as u64 + splits::assign(&mut taken.spool, options.shares)?;
    write(taken, documents, staging, &options, &paths, &mut report)
}

/// The options that the corpus was locked with.
fn options(
    corpus: &Path,
    official: &Manifest,
    threads: std::num::NonZero<usize>,
) -> Result<LockOptions, LockError> {
    let no_twin = |problem, hint| LockError::NoTwin {
        path: corpus.to_owned(),
        problem,
        hint,
    };
    let Origin::Locked {
        text_field,
        text_files,
        filters,
        near_duplicates,
        ..
    } = &official.origin
    else {
        return Err(no_twin("it is synthetic", "make another one with `--seed`"));
    };
    let SplitRule::Bytes {
        salt,
        train_bytes,
        val_bytes,
        test_bytes,
    } = &official.split_rule
    else {
        return Err(no_twin(
            "its splits hold all documents that there were",
            "lock it with sizes, `--train`, `--val` and `--test`",
        ));
    };
    let salt = match salt {
        Salt::Public(text) => LockSalt::Public(text.clone()),
        Salt::Sha256(commitment) => {
            let revealed = corpus.join(REVEALED_FILE);
            let salt = if revealed.exists() {
                SecretSalt::read_open(&revealed)?
            } else {
                SecretSalt::read(&corpus.join(SECRET_DIR).join(SALT_FILE))?
            };
            if salt.commitment() != *commitment {
                return Err(no_twin(
                    "its salt is not the one that it was locked with",
                    "restore the file",
                ));
            }
            LockSalt::Secret(salt)
        }
    };
    Ok(LockOptions {
        name: official.name.clone(),
        source: official.source.clone(),
        revision: official.revision.clone(),
        text_field: text_field.clone(),
        text_files: *text_files,
        // Where nulls were refused there are none.
        skip_empty: true,
        filters: *filters,
        near_duplicates: *near_duplicates,
        salt,
        shares: Shares::Bytes {
            train: *train_bytes,
            val: *val_bytes,
            test: *test_bytes,
        },
        threads,
        ..LockOptions::default()
    })
}
