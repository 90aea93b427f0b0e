//! The corpus once it is locked: a changed byte, a mutated manifest, the longest prefix.

use proptest::prelude::*;

use super::*;
use crate::open::OpenError;
use crate::secret::{SALT_FILE, SECRET_DIR, SecretSalt};

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
        .map(|i| reader.document(i).unwrap().len() as u64)
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

/// Any bit of any file, the secret ones too: what opens is what was locked.
#[test]
fn a_flipped_bit_anywhere_is_named() {
    let place = Place::new();
    place.write("a.jsonl", jsonl(numbered(0..60)));
    let salt = SecretSalt::new("a salt that nobody knows").unwrap();
    let options = LockOptions {
        salt: LockSalt::Secret(salt),
        ..options()
    };
    place.lock(&options).unwrap();
    let secret = place.out().join(SECRET_DIR);
    let mut files: Vec<PathBuf> = [place.out(), secret.clone()]
        .iter()
        .flat_map(|dir| fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    // Where the text came from is no part of the corpus.
    files.retain(|path| path.file_name().unwrap() != "inputs.json");
    assert!(
        files.contains(&secret.join(SALT_FILE)) && files.len() == 9,
        "{files:?}"
    );
    let mut tried = 0;
    for path in files {
        let original = fs::read(&path).unwrap();
        for at in (0..original.len()).step_by(original.len().div_ceil(400)) {
            let mut flipped = original.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, &flipped).unwrap();
            let error = Corpus::open(&place.out()).unwrap_err().to_string();
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(error.contains(name), "{name} at {at}: {error}");
            tried += 1;
        }
        fs::write(&path, original).unwrap();
    }
    assert!(tried > 1000, "{tried}");
    Corpus::open(&place.out()).unwrap();
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
            // What opens is what it was.
            Ok(_) => prop_assert_eq!(bytes, manifest.canonical_bytes()),
            Err(error) => prop_assert!(!matches!(error, OpenError::Io { .. }), "{}", error),
        }
    }
}
