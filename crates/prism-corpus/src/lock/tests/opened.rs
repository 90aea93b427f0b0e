//! The corpus once it is locked: a changed byte, a mutated manifest, the longest prefix.

use proptest::prelude::*;

use super::*;
use crate::open::OpenError;

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
