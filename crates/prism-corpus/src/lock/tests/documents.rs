//! Every document arrives once, in the split that its text alone decides; long ones are cut and stay together.

use std::collections::BTreeMap;

use super::*;

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
        documents_null: 0,
        documents_respaced: 0,
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
    // The files are told apart, the text is the same.
    assert_ne!(first.manifest_hash(), second.manifest_hash());
    assert_eq!(first.splits, second.splits);
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
        salt: LockSalt::Public("other".to_owned()),
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
