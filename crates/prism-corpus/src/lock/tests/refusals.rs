//! What cannot be read is named by file and record, and leaves nothing; inputs and options are checked first.

use super::*;
use crate::limits::RECORD_BYTES_MAX;

#[test]
fn what_cannot_be_read_is_named_by_file_and_record() {
    let good = r#"{"text":"good"}"#;
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{good}\n")
            .encode_utf16()
            .flat_map(bytes)
            .collect()
    };
    let in_utf16 = "IN/a.jsonl is in UTF-16; convert it with `iconv -f UTF-16 -t UTF-8`";
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let page = "<!DOCTYPE html>\n<html><body>404</body></html>\n";
    let cases: [(&str, Vec<u8>, &str); 17] = [
        (
            "a.parquet",
            pointer.into(),
            "IN/a.parquet is a Git LFS pointer, which only names the file; run `git lfs pull`",
        ),
        ("a.txt", pointer.into(), "IN/a.txt is a Git LFS pointer"),
        (
            "a.parquet",
            page.into(),
            "IN/a.parquet is an HTML page; open it in a browser",
        ),
        ("a.jsonl.gz", page.into(), "IN/a.jsonl.gz is an HTML page"),
        ("a.jsonl", utf16(u16::to_le_bytes), in_utf16),
        ("a.jsonl", utf16(u16::to_be_bytes), in_utf16),
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
            "line 1 of IN/a.jsonl has no field `text`, but `body`; name the field that holds the text with `--text-field`",
        ),
        (
            "a.jsonl",
            r#"{"text":7}"#.into(),
            "has a number instead of text in the field `text`; name the field",
        ),
        (
            "a.jsonl",
            r#"{"text":null}"#.into(),
            "has null in the field `text`; pass over such records with `--skip-empty`",
        ),
        (
            "a.jsonl",
            r#"{"text":"a","text":"b"}"#.into(),
            "has twice the field `text`",
        ),
        ("a.jsonl", "[".repeat(100_000).into(), "is no JSON object"),
        (
            "a.txt",
            [b"x".repeat(20_000), b"\xff".to_vec()].concat(),
            "section 3 of IN/a.txt is not UTF-8",
        ),
        (
            "a.txt",
            b"cut \xe2\x82".to_vec(),
            "section 1 of IN/a.txt is not UTF-8",
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
    assert!(refusal("a.jsonl", &long).contains("line 1 of IN/a.jsonl is longer than"));
    let place = Place::new();
    place.write("a.txt", &long);
    let whole = LockOptions {
        text_files: TextFiles::Whole,
        ..options()
    };
    assert!(matches!(
        place.lock(&whole),
        Err(LockError::RecordTooLong {
            at: crate::lock::Place::Whole,
            ..
        })
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
        shares: Shares::Permille { val: 500, test: 500 },
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
