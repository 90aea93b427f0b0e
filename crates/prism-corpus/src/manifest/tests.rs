//! Manifests that are not what this version writes.

use super::*;

fn shard(split: Split, number: usize, documents: u64, bytes: u64) -> ShardManifest {
    ShardManifest {
        stem: ShardManifest::stem(split, number),
        documents,
        bytes,
        text_blake3: "0".repeat(64),
        index_blake3: "a".repeat(64),
        bits_blake3: Some("f".repeat(64)),
    }
}

fn split(split: Split, documents: u64, bytes: u64) -> SplitManifest {
    let code_microbits = Some(bytes * 500_000);
    SplitManifest {
        documents,
        bytes,
        code_microbits,
        entropy_floor_bits_per_byte: SplitManifest::floor(code_microbits, bytes),
        shards: if documents > 0 {
            vec![shard(split, 0, documents, bytes)]
        } else {
            Vec::new()
        },
    }
}

fn manifest() -> Manifest {
    let splits = Splits {
        train: split(Split::Train, 7, 1000),
        val: split(Split::Val, 2, 300),
        test: split(Split::Test, 0, 0),
    };
    Manifest {
        schema: SCHEMA.to_owned(),
        tool: TOOL.to_owned(),
        name: "name".to_owned(),
        source: "source".to_owned(),
        revision: "revision".to_owned(),
        origin: Origin::Synthetic {
            grammar: "grammar".to_owned(),
            seed: u64::MAX,
        },
        split_rule: SplitRule::of_synthetic("salt", 50, 50),
        document_bytes_max: DOCUMENT_BYTES_MAX as u64,
        documents: splits.documents(),
        bytes: splits.bytes(),
        splits,
    }
}

#[test]
fn a_manifest_survives_its_file() {
    let manifest = manifest();
    let parsed = Manifest::parse(&manifest.canonical_bytes()).unwrap();
    assert_eq!(parsed, manifest);
    assert_eq!(parsed.splits.train.entropy_floor_bits_per_byte, Some(0.5));
    assert_eq!(parsed.splits.test.entropy_floor_bits_per_byte, None);
    assert_eq!(parsed.manifest_hash().len(), 64);
    let mut renamed = manifest.clone();
    renamed.name.push('x');
    assert_ne!(renamed.manifest_hash(), manifest.manifest_hash());
}

#[test]
fn other_spellings_and_schemas_are_refused() {
    let text = String::from_utf8(manifest().canonical_bytes()).unwrap();
    let parse = |text: &str| Manifest::parse(text.as_bytes()).unwrap_err();
    assert!(matches!(parse(text.trim_end()), ManifestError::NotCanonical));
    assert!(matches!(
        parse(&text.replace("  ", " ")),
        ManifestError::NotCanonical
    ));
    let newer = text
        .replace(SCHEMA, "prism-corpus.v9")
        .replace("\"name\"", "\"title\"");
    assert!(matches!(parse(&newer), ManifestError::Schema { found } if found == "prism-corpus.v9"));
    assert!(matches!(
        parse(&text.replace("\"name\"", "\"title\"")),
        ManifestError::Parse(_)
    ));
    assert!(matches!(parse(""), ManifestError::Parse(_)));
    assert!(matches!(parse(&"[".repeat(100_000)), ManifestError::Parse(_)));
}

type Change<'c> = &'c dyn Fn(&mut Manifest);

#[test]
fn contradictions_are_named() {
    let refused = |change: Change<'_>| {
        let mut manifest = manifest();
        change(&mut manifest);
        Manifest::parse(&manifest.canonical_bytes())
            .map(|_| "taken".to_owned())
            .unwrap_err()
            .to_string()
    };
    let cases: [(Change<'_>, &str); 13] = [
        (
            &|m| m.documents += 1,
            "documents and bytes: they are not the sums over the splits",
        ),
        (
            &|m| m.bytes = u64::MAX,
            "documents and bytes: they are not the sums over the splits",
        ),
        (
            &|m| m.splits.train.bytes += 1,
            "train: its totals are not the sums over its shards",
        ),
        (
            &|m| m.splits.train.shards[0].documents += 1,
            "train: its totals are not the sums",
        ),
        (
            &|m| m.splits.val.shards[0].stem = "../etc".into(),
            "shard 0 of val: its name is not the one of its place",
        ),
        (
            &|m| m.splits.val.shards[0].stem = "val-00001".into(),
            "its name is not the one of its place",
        ),
        (
            &|m| m.splits.val.shards[0].documents = 0,
            "shard 0 of val: its counts are out of range",
        ),
        (
            &|m| m.splits.val.shards[0].bytes = 1,
            "shard 0 of val: its counts are out of range",
        ),
        (
            &|m| m.splits.val.shards[0].index_blake3 = "A".repeat(64),
            "a hash is not 64 hexadecimal digits",
        ),
        (
            &|m| m.splits.val.shards[0].bits_blake3 = None,
            "code lengths are known for part of the split only",
        ),
        (
            &|m| m.splits.val.code_microbits = Some(u64::MAX),
            "val: its code length is out of range",
        ),
        (
            &|m| m.splits.val.entropy_floor_bits_per_byte = Some(0.4),
            "val: its entropy floor is not",
        ),
        (
            &|m| m.split_rule = SplitRule::of_synthetic("salt", 950, 50),
            "split_rule: the shares leave nothing for train",
        ),
    ];
    for (change, expected) in cases {
        let message = refused(change);
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
    assert!(refused(&|m| m.source = "x".repeat(1025)).contains("source: it is too long"));
    assert!(
        refused(&|m| m.split_rule = SplitRule::new(
            Salt::Public("salt".into()),
            Shares::Permille { val: 50, test: 50 }
        ))
        .contains("split_rule: it is not the rule")
    );
    assert!(refused(&|m| m.document_bytes_max = 1).contains("document_bytes_max"));
}
