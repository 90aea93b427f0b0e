//! Corpora whose hashes are right and whose content is not: made by a broken or hostile writer.

use std::fs;
use std::ops::ControlFlow;

use tempfile::TempDir;

use super::*;
use crate::synth::{SynthOptions, synthesize};

type Change<'c> = &'c dyn Fn(&mut Vec<u8>);

/// A small corpus, one file of whose first validation shard is changed, with its hash in the manifest to match.
fn forged(suffix: &str, change: Change<'_>) -> (TempDir, Result<Corpus, OpenError>) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("corpus");
    let mut manifest = synthesize(&out, &SynthOptions::new(100_000, 3), &mut |_, _| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let path = out.join(format!("val-00000.{suffix}"));
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    let hash = blake3::hash(&bytes).to_hex().to_string();
    let shard = &mut manifest.splits.val.shards[0];
    match suffix {
        "txt" => shard.text_blake3 = hash,
        "idx" => shard.index_blake3 = hash,
        _ => shard.bits_blake3 = Some(hash),
    }
    fs::write(out.join(MANIFEST_FILE), manifest.canonical_bytes()).unwrap();
    fs::write(out.join(MANIFEST_HASH_FILE), manifest.hash_line()).unwrap();
    let opened = Corpus::open(&out);
    (dir, opened)
}

#[test]
fn right_hashes_do_not_excuse_wrong_content() {
    let cases: [(&str, Change<'_>, &str); 6] = [
        ("txt", &|bytes| bytes[10] = 0xff, "a document is not UTF-8"),
        (
            "idx",
            &|bytes| bytes[..4].fill(0),
            "a document has an impossible length",
        ),
        (
            "idx",
            &|bytes| bytes[..4].fill(0xff),
            "a document has an impossible length",
        ),
        (
            "idx",
            &|bytes| bytes[0] ^= 1,
            "its documents are not as long as its text",
        ),
        (
            "bits",
            &|bytes| bytes[..8].fill(0xff),
            "a document has an impossible code length",
        ),
        (
            "bits",
            &|bytes| bytes[0] ^= 1,
            "the code length of a split is not the sum over its documents",
        ),
    ];
    for (suffix, change, expected) in cases {
        match forged(suffix, change).1 {
            Err(OpenError::Inconsistent { problem, .. }) => assert_eq!(problem, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    // Nor do they excuse a file that is longer or shorter than its documents.
    for suffix in ["txt", "idx", "bits"] {
        let shorter = forged(suffix, &|bytes| bytes.truncate(bytes.len() - 1)).1;
        assert!(matches!(shorter, Err(OpenError::Changed { .. })), "{shorter:?}");
        let longer = forged(suffix, &|bytes| bytes.push(b'x')).1;
        assert!(
            matches!(longer, Err(OpenError::Inconsistent { .. })),
            "{longer:?}"
        );
    }
    let (dir, unchanged) = forged("txt", &|_| ());
    drop(unchanged.unwrap());
    drop(dir);
}

#[test]
fn a_directory_without_a_manifest_is_no_corpus() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Corpus::open(dir.path()),
        Err(OpenError::NotACorpus { .. })
    ));
    fs::write(dir.path().join(MANIFEST_FILE), "{}").unwrap();
    assert!(matches!(
        Corpus::open(dir.path()),
        Err(OpenError::Manifest { .. })
    ));
}

#[test]
fn a_document_that_changes_under_an_open_corpus_is_told() {
    let (dir, corpus) = forged("txt", &|_| ());
    let reader = corpus.unwrap().split(Split::Val);
    reader.document(0).unwrap();
    let path = dir.path().join("corpus/val-00000.txt");
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] = 0xff;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(
        reader.document(0),
        Err(crate::ReadError::Changed { document: 0, .. })
    ));
    fs::write(&path, "").unwrap();
    assert!(matches!(
        reader.document(0),
        Err(crate::ReadError::Io { document: 0, .. })
    ));
}

#[test]
fn progress_reaches_the_bytes_of_the_corpus() {
    let (dir, _) = forged("txt", &|_| ());
    let mut last = (0, 1);
    let corpus = Corpus::open_with_progress(&dir.path().join("corpus"), &mut |done, total| {
        last = (done, total);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(last, (corpus.manifest().bytes, corpus.manifest().bytes));
}

#[test]
fn whoever_waits_can_stop_it_at_any_time() {
    let (dir, _) = forged("txt", &|_| ());
    let out = dir.path().join("corpus");
    let mut calls = 0;
    Corpus::open_with_progress(&out, &mut |_, _| {
        calls += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(calls > 9, "three files of three splits, {calls} calls");
    for stop in 0..calls {
        let mut call = 0;
        let stopped = Corpus::open_with_progress(&out, &mut |_, _| {
            call += 1;
            if call > stop {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(stopped, Err(OpenError::Cancelled)), "{stopped:?}");
        assert_eq!(call, stop + 1, "it went on");
    }
}

#[test]
fn a_stop_is_heard_in_a_tail_that_somebody_appended() {
    let (dir, _) = forged("txt", &|_| ());
    let out = dir.path().join("corpus");
    let count = || {
        let mut calls = 0;
        let opened = Corpus::open_with_progress(&out, &mut |_, _| {
            calls += 1;
            ControlFlow::Continue(())
        });
        (calls, opened.is_ok())
    };
    let (calls, is_corpus) = count();
    assert!(is_corpus);
    let path = out.join("test-00000.txt");
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 3 * CHUNK_BYTES, b'x');
    fs::write(&path, bytes).unwrap();
    let (more_calls, is_corpus) = count();
    assert!(!is_corpus && more_calls >= calls + 3, "{calls} and {more_calls}");
}

#[test]
fn a_wrong_path_is_told_apart_from_damage() {
    let (dir, _) = forged("txt", &|_| ());
    let corpus = dir.path().join("corpus");
    let is_no_corpus = |path: &Path| Corpus::open(path).unwrap_err().is_no_corpus();
    assert!(is_no_corpus(&dir.path().join("none")));
    assert!(is_no_corpus(dir.path()));
    assert!(is_no_corpus(&corpus.join("val-00000.txt")), "a file");
    let taken = dir.path().join("taken");
    fs::create_dir_all(taken.join(MANIFEST_FILE)).unwrap();
    assert!(is_no_corpus(&taken), "a directory where the manifest should be");

    for damage in [
        Box::new(|| fs::write(corpus.join("val-00000.txt"), "x").unwrap()) as Box<dyn Fn()>,
        Box::new(|| fs::remove_file(corpus.join("val-00000.txt")).unwrap()),
        Box::new(|| fs::write(corpus.join(MANIFEST_FILE), "{}").unwrap()),
    ] {
        damage();
        assert!(!is_no_corpus(&corpus));
    }
}
