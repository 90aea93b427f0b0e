//! What was once counted of a corpus under a tokenizer, kept for later runs.
//!
//! A long stream takes minutes to tokenise, and each run of a round would do so again. Kept are whole numbers only: the
//! targets of each document. A file that is damaged, or of anything else, is not read and the text is counted again. The
//! directory is its owner's: whoever can write there can do so to the corpus too.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use prism_core::hash::Sha256Hash;
use prism_corpus::tokenizer::TokenizerSpec;
use serde::{Deserialize, Serialize};

/// Version of the files, and of how tokens are counted.
const VERSION: u32 = 1;
/// Largest file that is read: some 16 million documents.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Files that are kept: one for each tokenizer of a corpus, of the newest ones.
const FILES_MAX: usize = 64;

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    version: u32,
    corpus: Sha256Hash,
    tokenizer: String,
    train_documents: u64,
    val_documents: u64,
}

/// Targets of each document, its end-of-text included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentTargets {
    pub(crate) train: Vec<u32>,
    pub(crate) val: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheFile {
    key: Key,
    targets: DocumentTargets,
    /// Of `targets` as JSON.
    sha256: Sha256Hash,
}

/// The files of one directory.
#[derive(Clone, Debug)]
pub(crate) struct TotalsCache {
    dir: PathBuf,
}

impl Key {
    /// Of so many documents of a corpus under a tokenizer.
    pub(crate) fn new(
        corpus: Sha256Hash,
        tokenizer: &TokenizerSpec,
        train_documents: u64,
        val_documents: u64,
    ) -> Self {
        let tokenizer = match tokenizer {
            TokenizerSpec::Bytes => "bytes".to_owned(),
            TokenizerSpec::Gpt2 => "gpt2".to_owned(),
            TokenizerSpec::Bundle(json) => Sha256Hash::of(json).to_string(),
        };
        Self {
            version: VERSION,
            corpus,
            tokenizer,
            train_documents,
            val_documents,
        }
    }
}

impl TotalsCache {
    /// In this directory, which is made when something is kept.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    fn path(&self, key: &Key) -> Option<PathBuf> {
        let name = Sha256Hash::of(&serde_json::to_vec(key).ok()?);
        Some(self.dir.join(format!("targets-{name}.json")))
    }

    /// What was kept, if it is whole and of this.
    pub(crate) fn get(&self, key: &Key) -> Option<DocumentTargets> {
        let path = self.path(key)?;
        if fs::metadata(&path).ok()?.len() > FILE_BYTES_MAX {
            return None;
        }
        let file: CacheFile = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let is_whole = file.key == *key
            && file.targets.train.len() as u64 == key.train_documents
            && file.targets.val.len() as u64 == key.val_documents
            && checksum(&file.targets).is_some_and(|sum| sum == file.sha256);
        is_whole.then_some(file.targets)
    }

    /// Keeps it. An error costs the next run its time and nothing else.
    pub(crate) fn put(&self, key: &Key, targets: &DocumentTargets) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)?;
        let (Some(path), Some(sha256)) = (self.path(key), checksum(targets)) else {
            return Ok(());
        };
        let file = CacheFile {
            key: key.clone(),
            targets: targets.clone(),
            sha256,
        };
        let mut partial = tempfile::NamedTempFile::new_in(&self.dir)?;
        partial.write_all(&serde_json::to_vec(&file)?)?;
        partial.persist(path)?;
        self.sweep()
    }

    /// Removes the oldest files beyond [`FILES_MAX`].
    fn sweep(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let is_ours = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with("targets-"));
            if is_ours {
                files.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        files.sort();
        for (_, path) in files.iter().rev().skip(FILES_MAX) {
            match fs::remove_file(path) {
                // Another run was faster.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

fn checksum(targets: &DocumentTargets) -> Option<Sha256Hash> {
    Some(Sha256Hash::of(&serde_json::to_vec(targets).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_whole_and_of_the_same_is_given_back() {
        let temp = tempfile::tempdir().unwrap();
        let cache = TotalsCache::new(&temp.path().join("cache"));
        let corpus = Sha256Hash::of(b"corpus");
        let key = Key::new(corpus, &TokenizerSpec::Bytes, 3, 1);
        let targets = DocumentTargets {
            train: vec![7, 1, 9],
            val: vec![4],
        };
        assert_eq!(cache.get(&key), None);
        cache.put(&key, &targets).unwrap();
        assert_eq!(cache.get(&key), Some(targets.clone()));
        for other in [
            Key::new(Sha256Hash::of(b"other"), &TokenizerSpec::Bytes, 3, 1),
            Key::new(corpus, &TokenizerSpec::Gpt2, 3, 1),
            Key::new(corpus, &TokenizerSpec::Bundle(Vec::new()), 3, 1),
            Key::new(corpus, &TokenizerSpec::Bytes, 2, 1),
            Key::new(corpus, &TokenizerSpec::Bytes, 3, 2),
        ] {
            assert_eq!(cache.get(&other), None, "{other:?}");
        }
        let path = cache.path(&key).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for damaged in [
            text.replace("[7,1,9]", "[7,1,8]"),
            text.replace("[7,1,9]", "[7,1]"),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            assert_ne!(damaged, text);
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.get(&key), None);
        }
        cache.put(&key, &targets).unwrap();
        assert_eq!(cache.get(&key), Some(targets));
    }

    #[test]
    fn no_more_files_are_kept_than_stated() {
        let temp = tempfile::tempdir().unwrap();
        let cache = TotalsCache::new(temp.path());
        fs::write(temp.path().join("of-somebody-else"), "").unwrap();
        let targets = DocumentTargets {
            train: vec![1],
            val: Vec::new(),
        };
        let key = |number: usize| {
            let tokenizer = TokenizerSpec::Bundle(number.to_string().into_bytes());
            Key::new(Sha256Hash::of(b"corpus"), &tokenizer, 1, 0)
        };
        for number in 0..FILES_MAX + 3 {
            cache.put(&key(number), &targets).unwrap();
            let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1 + number as u64);
            let file = fs::File::options()
                .append(true)
                .open(cache.path(&key(number)).unwrap());
            file.unwrap().set_modified(old).unwrap();
        }
        cache.put(&key(FILES_MAX + 3), &targets).unwrap();
        let kept = fs::read_dir(temp.path()).unwrap().count();
        assert_eq!(kept, FILES_MAX + 1, "and what is not ours");
        assert_eq!(cache.get(&key(0)), None);
        assert_eq!(cache.get(&key(FILES_MAX + 3)), Some(targets));
    }
}
