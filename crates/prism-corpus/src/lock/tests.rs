//! Tests of the lock from files to an opened corpus, and of what it refuses: here what all of them share.

mod copies;
mod documents;
mod filters;
mod json;
mod near;
mod opened;
mod output;
mod packed;
mod refusals;
mod same;
mod text_files;

use std::fs;

use tempfile::TempDir;

use prism_core::advice::Advice as _;

use super::*;
use crate::open::Corpus;

fn quiet(_: LockProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn options() -> LockOptions {
    LockOptions {
        salt: LockSalt::Public("test".to_owned()),
        shares: Shares::Permille { val: 250, test: 250 },
        shard_bytes_target: 4000,
        ..Default::default()
    }
}

/// A directory of inputs and the place of the corpus.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.input()).unwrap();
        place
    }

    fn input(&self) -> PathBuf {
        self.dir.path().join("input")
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.input().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn lock(&self, options: &LockOptions) -> Result<Manifest, LockError> {
        lock(&[self.input()], &self.out(), options, &mut quiet)
    }

    /// After a failure, neither the corpus nor a temporary directory is there.
    fn assert_untouched(&self) {
        assert_eq!(fs::read_dir(self.dir.path()).unwrap().count(), 1);
    }
}

fn jsonl(documents: impl IntoIterator<Item = String>) -> String {
    documents
        .into_iter()
        .map(|text| serde_json::json!({ "id": 1, "text": text }).to_string() + "\n")
        .collect()
}

fn numbered(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|i| format!("Document number {i}, caf\u{e9}.\n{}", "word ".repeat(i % 37)))
}

fn documents(corpus: &Corpus, split: Split) -> Vec<String> {
    let reader = corpus.split(split);
    (0..reader.documents())
        .map(|i| reader.document(i).unwrap())
        .collect()
}

fn all_documents(corpus: &Corpus) -> Vec<String> {
    Split::ALL
        .iter()
        .flat_map(|split| documents(corpus, *split))
        .collect()
}

/// Locks one file of this name and content and gives the message of the error.
fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let place = Place::new();
    place.write(name, bytes);
    let error = place.lock(&options()).unwrap_err();
    place.assert_untouched();
    error.told().replace(&place.input().display().to_string(), "IN")
}

fn text_of<'t>(record: &record::Record<'t>) -> Option<&'t str> {
    match record.text {
        record::Text::Is(text) => Some(text),
        record::Text::Null | record::Text::NotUtf8 => None,
    }
}
