//! The same files and the same salt give the same corpus, byte for byte: on any number of threads, whatever the files are
//! called, in whatever folders and order they lie.

use std::collections::BTreeMap;
use std::num::NonZero;

use super::*;
use crate::secret::SecretSalt;

/// Parquet of several writers, packed and plain lines, copies and rewrites of one another in different files, and a document
/// of five megabytes.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let fixture = |name: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/parquet/{name}.parquet"));
        fs::read(path).unwrap()
    };
    let mut lines = jsonl(numbered(0..400));
    lines += &jsonl(["A line of five megabytes. ".repeat(200_000)]);
    let shouted = jsonl(numbered(200..600).map(|text| text.to_uppercase()));
    let respaced = jsonl(numbered(300..500).map(|text| text.replace(' ', "\r\n")));
    vec![
        (".parquet", fixture("fineweb-snappy")),
        (".parquet", fixture("fineweb-zstd-v2")),
        (".parquet", fixture("polars-default")),
        (".jsonl", lines.into_bytes()),
        (".jsonl", respaced.into_bytes()),
        (".jsonl.zst", zstd::encode_all(shouted.as_bytes(), 1).unwrap()),
        (".txt", "A paragraph of a book.\n\n".repeat(2000).into_bytes()),
    ]
}

/// All files of a corpus but the one that says where the text lay.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else if path.file_name().unwrap() != "inputs.json" {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let files = files();
    let mut first = None;
    for (turn, threads) in [1, 2, 3, 8].into_iter().enumerate() {
        let place = Place::new();
        for (number, (suffix, bytes)) in files.iter().enumerate() {
            // Another order by name in each turn, and other folders.
            let name = (number * 3 + turn * 5) % 7;
            let folder = if (number + turn) % 3 == 0 { "deeper/" } else { "" };
            place.write(&format!("{folder}{name}{suffix}"), bytes);
        }
        let options = LockOptions {
            salt: LockSalt::Secret(SecretSalt::new("a salt that nobody knows").unwrap()),
            skip_empty: true,
            near_duplicates: Some(NearDuplicates::default()),
            threads: NonZero::new(threads).unwrap(),
            filters: Filters {
                text_bytes_min: Some(20),
                ..Filters::default()
            },
            ..options()
        };
        place.lock(&options).unwrap();
        let found: BTreeMap<_, _> = tree(&place.out())
            .into_iter()
            .map(|(path, bytes)| (path.strip_prefix(place.out()).unwrap().to_owned(), bytes))
            .collect();
        assert!(found.len() > 20, "{:?}", found.keys());
        let first = first.get_or_insert_with(|| found.clone());
        assert!(*first == found, "{threads} threads");
    }
}
