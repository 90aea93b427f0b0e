//! Filters, records that are no text, sizes of splits, and what a secret salt keeps.

use std::os::unix::fs::PermissionsExt as _;

use prism_core::advice::Advice as _;

use super::*;
use crate::open::OpenError;
use crate::secret::{SALT_FILE, SECRET_DIR, SecretSalt};

fn scored(range: std::ops::Range<usize>) -> String {
    range
        .map(|i| {
            let text = format!("Text number {i} has the score {i}, and {} more", i * i);
            let score = i as f64 / 100.0;
            serde_json::json!({ "text": text, "language_score": score, "int_score": i % 6 }).to_string()
                + "\n"
        })
        .collect()
}

fn secret(text: &str) -> LockSalt {
    LockSalt::Secret(SecretSalt::new(text).unwrap())
}

#[test]
fn filters_are_declared_counted_and_need_their_numbers() {
    let place = Place::new();
    let without = "{\"text\":\"no scores at all\"}\n{\"text\":\"wrong score\",\"language_score\":\"high\",\"int_score\":5}\n";
    place.write("a.jsonl", scored(0..100) + without);
    let filters = Filters {
        language_score_permille_min: Some(500),
        int_score_min: Some(3),
        ..Filters::default()
    };
    let manifest = place.lock(&LockOptions { filters, ..options() }).unwrap();
    assert_eq!(
        manifest.documents,
        (50..100).filter(|i| i % 6 >= 3).count() as u64
    );
    let Origin::Locked {
        filters: declared,
        documents_filtered,
        documents_read,
        ..
    } = manifest.origin
    else {
        panic!("{:?}", manifest.origin)
    };
    assert_eq!((declared, documents_read), (filters, 102));
    assert_eq!(documents_filtered, 102 - manifest.documents);
}

#[test]
fn bytes_that_are_no_text_are_dropped_and_counted() {
    let place = Place::new();
    let mut bytes = scored(0..60).into_bytes();
    bytes.extend(b"{\"text\":\"bad \xff\"}\n{\"text\":\"good\"}\n\xc3\n");
    place.write("a.jsonl", bytes);
    let manifest = place.lock(&options()).unwrap();
    assert_eq!(manifest.documents, 61);
    let is_counted = matches!(
        manifest.origin,
        Origin::Locked {
            documents_not_utf8: 2,
            documents_read: 63,
            ..
        }
    );
    assert!(is_counted, "{:?}", manifest.origin);
}

#[test]
fn splits_have_their_sizes_and_the_rest_is_in_none() {
    let place = Place::new();
    place.write("a.jsonl", scored(0..1000));
    let shares = Shares::Bytes {
        train: 20_000,
        val: 3000,
        test: 2000,
    };
    let sized = LockOptions { shares, ..options() };
    let manifest = place.lock(&sized).unwrap();
    for (split, size) in [(Split::Train, 20_000), (Split::Val, 3000), (Split::Test, 2000)] {
        let bytes = manifest.split(split).bytes;
        assert!(bytes <= size && size - bytes < 60, "{split:?} {bytes}");
    }
    let Origin::Locked { documents_unused, .. } = manifest.origin else {
        panic!("{:?}", manifest.origin)
    };
    assert_eq!(manifest.documents + documents_unused, 1000);
    let more = LockOptions {
        shares: Shares::Bytes {
            train: 200_000,
            val: 3000,
            test: 0,
        },
        ..options()
    };
    let elsewhere = place.dir.path().join("elsewhere");
    let error = lock(&[place.input()], &elsewhere, &more, &mut quiet).unwrap_err();
    assert!(
        matches!(
            error,
            LockError::TooFew {
                split: Split::Train,
                wanted_bytes: 200_000,
                ..
            }
        ),
        "{error}"
    );
    assert!(!elsewhere.exists());
}

/// A document that is longer than a split ends it, and nothing else follows: that is told instead of an empty split.
#[test]
fn one_long_document_does_not_empty_a_split() {
    let place = Place::new();
    let mut lines = scored(0..1000);
    for i in 0..40 {
        lines += &serde_json::json!({ "text": format!("{i} is long. ").repeat(3000) }).to_string();
        lines.push('\n');
    }
    place.write("a.jsonl", lines);
    let shares = Shares::Bytes {
        train: 20_000,
        val: 3000,
        test: 2000,
    };
    let sized = LockOptions { shares, ..options() };
    let error = place.lock(&sized).unwrap_err();
    assert!(matches!(error, LockError::TooFew { .. }), "{error}");
    assert!(error.told().contains("--max-bytes"), "{error}");
    place.assert_untouched();
    // Without such documents there is enough.
    let short = Filters {
        text_bytes_max: Some(1000),
        ..Filters::default()
    };
    let filtered = LockOptions {
        filters: short,
        ..sized
    };
    assert!(place.lock(&filtered).unwrap().split(Split::Test).bytes > 1900);
}

#[test]
fn what_is_held_out_lies_apart_and_only_its_owner_may_look() {
    let place = Place::new();
    place.write("a.jsonl", scored(0..300));
    let salted = LockOptions {
        salt: secret("a salt that nobody knows"),
        ..options()
    };
    let manifest = place.lock(&salted).unwrap();
    let text = String::from_utf8(manifest.canonical_bytes()).unwrap();
    assert!(!text.contains("nobody knows"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = place.out().join(SECRET_DIR);
    assert_eq!((mode(&place.out()), mode(&folder)), (0o700, 0o700));
    assert_eq!(mode(&folder.join(SALT_FILE)), 0o600);
    assert!(place.out().join("train-00000.txt").exists());
    for split in ["val", "test"] {
        assert!(folder.join(format!("{split}-00000.txt")).exists());
        assert!(!place.out().join(format!("{split}-00000.txt")).exists());
    }
    let corpus = Corpus::open(&place.out()).unwrap();
    assert_eq!(all_documents(&corpus).len() as u64, manifest.documents);
    for open in [0o750, 0o701, 0o755] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(open)).unwrap();
        match Corpus::open(&place.out()) {
            Err(OpenError::SecretReadable { path }) => assert_eq!(path, folder),
            other => panic!("{other:?}"),
        }
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    // The same text and salt give the same corpus; another salt another one.
    place.lock(&salted).unwrap();
    let other = LockOptions {
        salt: secret("another that nobody knows"),
        ..options()
    };
    let error = place.lock(&other).unwrap_err();
    assert!(error.to_string().contains("holds another corpus"), "{error}");
}

#[test]
fn a_twin_has_the_sizes_of_its_corpus_and_none_of_its_documents() {
    let place = Place::new();
    place.write("a.jsonl", scored(0..1500));
    let sized = LockOptions {
        shares: Shares::Bytes {
            train: 20_000,
            val: 3000,
            test: 2000,
        },
        salt: secret("a salt that nobody knows"),
        ..options()
    };
    let official = place.lock(&sized).unwrap();
    let public = place.dir.path().join("public");
    let threads = sized.threads;
    let manifest = twin(&place.out(), &[], &public, threads, &mut quiet).unwrap();
    assert!(!manifest.split_rule.is_secret());
    let corpus = Corpus::open(&place.out()).unwrap();
    let rehearsal = Corpus::open(&public).unwrap();
    let (one, other) = (all_documents(&corpus), all_documents(&rehearsal));
    assert!(one.iter().all(|text| !other.contains(text)));
    for split in Split::ALL {
        assert!(manifest.split(split).bytes.abs_diff(official.split(split).bytes) < 60);
    }
    // Named files must be the same ones; and there must be enough of them.
    place.write("b.jsonl", scored(1500..1501));
    let again = place.dir.path().join("again");
    let error = twin(&place.out(), &[place.input()], &again, threads, &mut quiet).unwrap_err();
    assert!(matches!(error, LockError::OtherFiles { .. }), "{error}");
    assert!(!again.exists());
}
