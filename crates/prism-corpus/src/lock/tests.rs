//! Tests of the lock from files to an opened corpus, and of what it refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::open::{Corpus, OpenError};

fn quiet(_: LockProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn options() -> LockOptions {
    LockOptions {
        split_rule: SplitRule::new("test", 250, 250),
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

#[test]
fn every_document_arrives_once_in_one_split() {
    let place = Place::new();
    place.write("b.jsonl", jsonl(numbered(0..700)));
    place.write("sub/a.JSONL", jsonl(numbered(500..1000)));
    place.write(".hidden.jsonl", "not json");
    place.write("notes.md", "ignored");
    let mut ignored = 0;
    let manifest = lock(&[place.input()], &place.out(), &options(), &mut |progress| {
        ignored = progress.files_ignored;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(ignored, 1);
    let corpus = Corpus::open(&place.out()).unwrap();
    assert_eq!(corpus.manifest(), &manifest);
    assert_eq!(corpus.manifest_hash(), manifest.manifest_hash());
    let mut found = all_documents(&corpus);
    found.sort();
    let mut expected: Vec<_> = numbered(0..1000).collect();
    expected.sort();
    assert_eq!(found, expected);
    let Origin::Locked {
        documents_read,
        documents_duplicate,
        documents_empty,
        documents_cut,
        ..
    } = manifest.origin
    else {
        panic!("not locked");
    };
    assert_eq!(
        (
            documents_read,
            documents_duplicate,
            documents_empty,
            documents_cut
        ),
        (1200, 200, 0, 0)
    );
    for split in Split::ALL {
        let part = manifest.split(split);
        assert!(part.documents > 150 && part.shards.len() > 3, "{part:?}");
        assert_eq!(part.entropy_floor_bits_per_byte, None);
        assert_eq!(
            corpus.split(split).bytes(),
            documents(&corpus, split)
                .iter()
                .map(|d| d.len() as u64)
                .sum::<u64>()
        );
    }
}

#[test]
fn the_corpus_depends_on_the_documents_and_the_salt_alone() {
    let (one, two, three) = (Place::new(), Place::new(), Place::new());
    one.write("all.jsonl", jsonl(numbered(0..300)));
    two.write("z.jsonl", jsonl(numbered(0..100)));
    two.write("a.jsonl", jsonl(numbered(100..300)));
    let [first, second] = [&one, &two].map(|place| place.lock(&options()).unwrap());
    assert_eq!(first, second);
    // With fewer documents, those that stay keep their split.
    three.write("some.jsonl", jsonl(numbered(50..200)));
    three.lock(&options()).unwrap();
    let split_of = |place: &Place| -> BTreeMap<String, &'static str> {
        let corpus = Corpus::open(&place.out()).unwrap();
        let of = |split: Split| {
            documents(&corpus, split)
                .into_iter()
                .map(move |d| (d, split.name()))
        };
        Split::ALL.into_iter().flat_map(of).collect()
    };
    let all = split_of(&one);
    assert!(
        split_of(&three)
            .iter()
            .all(|(document, split)| all[document] == *split)
    );
    let salted = LockOptions {
        split_rule: SplitRule::new("other", 250, 250),
        ..options()
    };
    let four = Place::new();
    four.write("all.jsonl", jsonl(numbered(0..300)));
    four.lock(&salted).unwrap();
    assert_ne!(split_of(&four), all);
}

#[test]
fn long_documents_are_cut_and_stay_together() {
    let place = Place::new();
    let long: Vec<String> = (0..6)
        .map(|i| format!("{i} paragraph of some length.\n\n").repeat(6000))
        .collect();
    place.write("a.jsonl", jsonl(long.iter().cloned().chain(numbered(0..50))));
    let manifest = place
        .lock(&LockOptions {
            shard_bytes_target: 100_000,
            ..options()
        })
        .unwrap();
    let Origin::Locked { documents_cut: 6, .. } = manifest.origin else {
        panic!("{:?}", manifest.origin)
    };
    let corpus = Corpus::open(&place.out()).unwrap();
    let mut found = 0;
    for split in Split::ALL {
        let joined = documents(&corpus, split).concat();
        found += long.iter().filter(|text| joined.contains(text.as_str())).count();
        for piece in documents(&corpus, split) {
            assert!(piece.len() <= DOCUMENT_BYTES_MAX);
            assert!(piece.len() < 1000 || piece.ends_with(".\n\n"));
        }
    }
    assert_eq!(found, 6);
}

#[test]
fn a_text_file_is_read_as_sections_or_whole() {
    let place = Place::new();
    let text = (0..4000).fold(String::new(), |text, i| {
        text + &format!("Line {i} of an \u{e9}tude.\n\n")
    });
    place.write("book.txt", &text);
    let manifest = place.lock(&options()).unwrap();
    assert!(manifest.documents >= 12, "{manifest:?}");
    let corpus = Corpus::open(&place.out()).unwrap();
    let sections = all_documents(&corpus);
    assert_eq!(sections.iter().map(String::len).sum::<usize>(), text.len());
    let mut places: Vec<_> = sections
        .iter()
        .map(|section| (text.find(section.as_str()), section))
        .collect();
    places.sort();
    assert_eq!(
        places
            .into_iter()
            .map(|(_, section)| section.as_str())
            .collect::<String>(),
        text
    );
    assert!(
        sections
            .iter()
            .all(|section| section.len() <= 8192 && section.ends_with("\n\n"))
    );

    let whole = LockOptions {
        text_files: TextFiles::Whole,
        ..options()
    };
    let mut seen = BTreeSet::new();
    text::read_whole(&place.input().join("book.txt"), &mut |document, _| {
        seen.insert(document.to_owned());
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, BTreeSet::from([text]));
    let elsewhere = place.dir.path().join("whole");
    let error = lock(&[place.input()], &elsewhere, &whole, &mut quiet).unwrap_err();
    assert!(
        matches!(error, LockError::EmptySplit { documents: 1, .. }),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn sections_join_to_the_file(
        lines in prop::collection::vec(prop::sample::select(vec!["", "a", "\u{20ac}\u{20ac}", "long ", "\n"]), 0..60),
        repeat in 1usize..900,
    ) {
        let text = lines.concat().repeat(repeat);
        let place = Place::new();
        let path = place.write("t.txt", &text);
        let mut joined = String::new();
        text::read_sections(&path, &mut |section, position_bytes| {
            assert!((1..=8192).contains(&section.len()));
            joined.push_str(section);
            assert_eq!(position_bytes, joined.len() as u64);
            Ok(())
        }).unwrap();
        prop_assert_eq!(joined, text);
    }
}

#[test]
fn empty_documents_are_dropped_and_counted() {
    let place = Place::new();
    place.write(
        "a.jsonl",
        jsonl(numbered(0..60).chain([String::new(), " \n\t".to_owned()])) + "\n  \n",
    );
    let manifest = place.lock(&options()).unwrap();
    assert_eq!(manifest.documents, 60);
    assert!(matches!(
        manifest.origin,
        Origin::Locked {
            documents_read: 62,
            documents_empty: 2,
            ..
        }
    ));
}

/// Locks one file of this name and content and gives the message of the error.
fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let place = Place::new();
    place.write(name, bytes);
    let error = place.lock(&options()).unwrap_err();
    place.assert_untouched();
    error
        .to_string()
        .replace(&place.input().display().to_string(), "IN")
}

#[test]
fn what_cannot_be_read_is_named_by_file_and_record() {
    let good = r#"{"text":"good"}"#;
    let cases: [(&str, Vec<u8>, &str); 12] = [
        (
            "a.jsonl",
            format!("{good}\nnonsense\n").into(),
            "line 2 of IN/a.jsonl is no JSON object",
        ),
        (
            "a.jsonl",
            format!("{good}\n{{\"text\":\"x\"").into(),
            "line 2 of IN/a.jsonl is no JSON object",
        ),
        (
            "a.jsonl",
            format!("{good}{good}\n").into(),
            "line 1 of IN/a.jsonl is no JSON object",
        ),
        ("a.jsonl", "[1]".into(), "line 1 of IN/a.jsonl is no JSON object"),
        (
            "a.jsonl",
            r#"{"body":"x"}"#.into(),
            "record 1 of IN/a.jsonl has no field `text`",
        ),
        (
            "a.jsonl",
            r#"{"text":7}"#.into(),
            "has something else than text in the field `text`",
        ),
        (
            "a.jsonl",
            r#"{"text":null}"#.into(),
            "has something else than text in the field `text`",
        ),
        (
            "a.jsonl",
            r#"{"text":"a","text":"b"}"#.into(),
            "has twice the field `text`",
        ),
        (
            "a.jsonl",
            b"{\"text\":\"\xff\"}".to_vec(),
            "record 1 of IN/a.jsonl is not UTF-8",
        ),
        ("a.jsonl", "[".repeat(100_000).into(), "is no JSON object"),
        (
            "a.txt",
            [b"x".repeat(20_000), b"\xff".to_vec()].concat(),
            "record 3 of IN/a.txt is not UTF-8",
        ),
        (
            "a.txt",
            b"cut \xe2\x82".to_vec(),
            "record 1 of IN/a.txt is not UTF-8",
        ),
    ];
    for (name, bytes, expected) in cases {
        let message = refusal(name, &bytes);
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
    let deep = format!(r#"{{"x":{}"text":"a"}}"#, "[".repeat(500));
    assert!(refusal("a.jsonl", deep).contains("is no JSON object"));
}

#[test]
fn records_are_bounded() {
    let long = "x".repeat(RECORD_BYTES_MAX + 1);
    assert!(refusal("a.jsonl", &long).contains("record 1 of IN/a.jsonl is longer than"));
    let place = Place::new();
    place.write("a.txt", &long);
    let whole = LockOptions {
        text_files: TextFiles::Whole,
        ..options()
    };
    assert!(matches!(
        place.lock(&whole),
        Err(LockError::RecordTooLong { record: 1, .. })
    ));
}

#[test]
fn inputs_and_options_are_checked_first() {
    let place = Place::new();
    assert!(matches!(place.lock(&options()), Err(LockError::NoFiles)));
    let missing = lock(
        &[place.dir.path().join("none")],
        &place.out(),
        &options(),
        &mut quiet,
    );
    assert!(matches!(missing, Err(LockError::Io { .. })));
    let other = place.write("a.csv", "a,b");
    assert!(matches!(
        lock(&[other], &place.out(), &options(), &mut quiet),
        Err(LockError::UnknownSuffix { .. })
    ));
    let shares = LockOptions {
        split_rule: SplitRule::new("s", 500, 500),
        ..options()
    };
    assert!(matches!(
        place.lock(&shares),
        Err(LockError::Option {
            option: "split_rule",
            ..
        })
    ));
    let unnamed = LockOptions {
        name: String::new(),
        ..options()
    };
    assert!(matches!(
        place.lock(&unnamed),
        Err(LockError::Option { option: "name", .. })
    ));
    let inside = lock(
        &[place.input()],
        &place.input().join("out"),
        &options(),
        &mut quiet,
    );
    assert!(matches!(inside, Err(LockError::Overlap { .. })));
    let around = lock(&[place.input()], place.dir.path(), &options(), &mut quiet);
    assert!(matches!(around, Err(LockError::Overlap { .. })));
    place.assert_untouched();
}

#[test]
fn an_output_is_never_overwritten() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    fs::create_dir(place.out()).unwrap();
    // An empty directory is taken; the same corpus again is success.
    let first = place.lock(&options()).unwrap();
    assert_eq!(place.lock(&options()).unwrap(), first);
    // Another corpus is refused, and what is there stays.
    place.write("b.jsonl", jsonl(numbered(60..61)));
    let error = place.lock(&options()).unwrap_err();
    assert!(
        matches!(
            error,
            LockError::Publish(PublishError::OutputIsAnotherCorpus { .. })
        ),
        "{error}"
    );
    assert_eq!(Corpus::open(&place.out()).unwrap().manifest(), &first);
    // So is a directory of other things, before anything is read.
    let full = place.dir.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.txt"), "precious").unwrap();
    let error = lock(&[place.input()], &full, &options(), &mut |_| panic!("reads")).unwrap_err();
    assert!(
        matches!(error, LockError::Publish(PublishError::OutputNotEmpty { .. })),
        "{error}"
    );
    assert_eq!(fs::read_dir(place.dir.path()).unwrap().count(), 3);
}

#[test]
fn the_same_corpus_but_damaged_is_told() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    place.lock(&options()).unwrap();
    fs::write(place.out().join("train-00000.txt"), "damage").unwrap();
    let error = place.lock(&options()).unwrap_err();
    assert!(
        matches!(error, LockError::Publish(PublishError::OutputIsDamaged { .. })),
        "{error}"
    );
}

#[test]
fn cancelling_at_any_moment_leaves_nothing() {
    for stop_after in [0, 1, 5, 61, 80] {
        let place = Place::new();
        place.write("a.jsonl", jsonl(numbered(0..60)));
        let mut calls = 0;
        let stopped = lock(&[place.input()], &place.out(), &options(), &mut |_| {
            calls += 1;
            if calls > stop_after {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(stopped, Err(LockError::Cancelled)));
        place.assert_untouched();
    }
}

#[test]
fn progress_runs_to_the_end_of_each_phase() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    place.write("b.txt", "Some text.\n".repeat(3000));
    let mut last = BTreeMap::new();
    let mut before = 0;
    lock(&[place.input()], &place.out(), &options(), &mut |progress| {
        let LockProgress {
            phase,
            done_bytes,
            total_bytes,
            ..
        } = progress;
        let key = format!("{phase:?}");
        before = if last.contains_key(&key) { before } else { 0 };
        assert!(before <= done_bytes && done_bytes <= total_bytes);
        before = done_bytes;
        last.insert(key, (done_bytes, total_bytes));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(last.len(), 2);
    assert!(
        last.values()
            .all(|(done_bytes, total_bytes)| done_bytes == total_bytes)
    );
}

#[test]
fn a_changed_byte_names_its_file() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..300)));
    let manifest = place.lock(&options()).unwrap();
    let mut tried = 0;
    for split in Split::ALL {
        for shard in &manifest.split(split).shards {
            for suffix in ["txt", "idx"] {
                let path = place.out().join(format!("{}.{suffix}", shard.stem));
                let original = fs::read(&path).unwrap();
                let longer = [original.clone(), b"x".to_vec()].concat();
                let shorter = original[..original.len() - 1].to_vec();
                let mut flipped = original.clone();
                let middle = flipped.len() / 2;
                flipped[middle] ^= 0x80;
                for changed in [longer, shorter, flipped, Vec::new()] {
                    fs::write(&path, changed).unwrap();
                    match Corpus::open(&place.out()) {
                        Err(OpenError::Changed { path: named }) => assert_eq!(named, path),
                        other => panic!("{other:?}"),
                    }
                    tried += 1;
                }
                fs::write(&path, original).unwrap();
            }
        }
    }
    assert!(tried > 50);
    Corpus::open(&place.out()).unwrap();
    fs::remove_file(place.out().join("val-00000.txt")).unwrap();
    assert!(matches!(Corpus::open(&place.out()), Err(OpenError::Io { .. })));
}

#[test]
fn the_prefix_is_the_longest_that_fits() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..2000)));
    place
        .lock(&LockOptions {
            shard_bytes_target: 60_000,
            ..options()
        })
        .unwrap();
    let reader = Corpus::open(&place.out()).unwrap().split(Split::Train);
    let lengths: Vec<u64> = (0..reader.documents())
        .map(|i| u64::from(reader.document_bytes(i).unwrap()))
        .collect();
    let sums: Vec<u64> = lengths
        .iter()
        .scan(0, |sum, l| {
            *sum += l;
            Some(*sum)
        })
        .collect();
    assert!(reader.documents() > 3 * crate::reader::BLOCK_DOCUMENTS && *sums.last().unwrap() > 90_000);
    for bytes_max in (0..200)
        .chain((200..100_000).step_by(173))
        .chain(sums.iter().flat_map(|s| [s - 1, *s]))
    {
        let prefix = reader.prefix(bytes_max).unwrap();
        let documents = sums.iter().filter(|sum| **sum <= bytes_max).count().max(1);
        assert_eq!(prefix.documents, documents as u64, "{bytes_max}");
        assert_eq!(prefix.bytes, sums[documents - 1]);
        assert_eq!(prefix.entropy_floor_bits_per_byte(), None);
    }
    assert_eq!(reader.prefix(u64::MAX).unwrap(), reader.whole());
    assert!(reader.document(reader.documents()).is_err());
    assert!(reader.document(u64::MAX).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_mutated_manifest_is_refused_or_equal(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let place = Place::new();
        place.write("a.jsonl", jsonl(numbered(0..40)));
        let manifest = place.lock(&options()).unwrap();
        let path = place.out().join("manifest.json");
        let mut bytes = fs::read(&path).unwrap();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        fs::write(&path, &bytes).unwrap();
        match Corpus::open(&place.out()) {
            // What opens has an identity of its own, or none of its bytes changed.
            Ok(corpus) => prop_assert_eq!(
                corpus.manifest_hash() == manifest.manifest_hash(),
                bytes == manifest.canonical_bytes()
            ),
            Err(error) => prop_assert!(!matches!(error, OpenError::Io { .. }), "{}", error),
        }
    }
}
