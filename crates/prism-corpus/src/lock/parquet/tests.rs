//! Parquet files of several writers, damaged ones and hostile ones.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/parquet")
        .join(format!("{name}.parquet"))
}

/// The texts of all good fixtures: see `fixtures/parquet/make.py`.
fn texts() -> Vec<String> {
    let text = |i: usize| match i % 4 {
        0 => "The same text again.".to_owned(),
        1 => format!("Document {i} of caf\u{e9} \u{20ac}{}.\n\nEnd.", i * i),
        2 if i.is_multiple_of(3) => "x".repeat(300),
        2 => String::new(),
        _ => "w".repeat(if i == 67 { 30_000 } else { i }),
    };
    (0..120).map(text).collect()
}

fn documents(path: &Path, column: &str) -> Result<Vec<String>, LockError> {
    let mut documents = Vec::new();
    read(path, column, false, &mut |document, position_bytes| {
        let document = document.unwrap();
        assert!(position_bytes <= fs::metadata(path).unwrap().len());
        documents.push(document.to_owned());
        Ok(())
    })?;
    Ok(documents)
}

const GOOD: [&str; 6] = [
    "pyarrow-default",
    "pyarrow-zstd-v2-plain",
    "pyarrow-none-required",
    "pyarrow-snappy-v2-required",
    "polars-default",
    "duckdb-default",
];

#[test]
fn files_of_several_writers_are_read() {
    for name in GOOD {
        assert_eq!(documents(&fixture(name), "text").unwrap(), texts(), "{name}");
    }
}

#[test]
fn what_is_not_supported_is_said() {
    let cases = [
        (
            "refused-gzip",
            "it uses compression other than Snappy and Zstandard",
        ),
        ("refused-delta", "it uses delta or stream-split encoding"),
        ("refused-list", "its column `text` is not one of strings"),
        ("refused-number", "its column `text` is not one of strings"),
        ("refused-null", "row 2 of"),
        ("refused-binary", "row 2 of"),
        (
            "refused-no-text",
            "it has no column `text`; name the column that holds the text with `--text-field`",
        ),
    ];
    for (name, expected) in cases {
        let message = documents(&fixture(name), "text").unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(name), "{message}");
    }
    // A null is passed over where that is asked for, and only it.
    let (mut texts, mut nulls) = (0, 0);
    read(&fixture("refused-null"), "text", true, &mut |document, _| {
        *(if document.is_some() {
            &mut texts
        } else {
            &mut nulls
        }) += 1;
        Ok(())
    })
    .unwrap();
    assert!(texts > 0 && nulls > 0, "{texts} texts, {nulls} nulls");
    // The name is that of a column, not of a part of one.
    let inner = documents(&fixture("pyarrow-default"), "n")
        .unwrap_err()
        .to_string();
    assert!(inner.contains("it has no column `n`"), "{inner}");
    assert!(documents(&fixture("pyarrow-default"), "meta").is_err());
    assert!(documents(&fixture("pyarrow-default"), "schema").is_err());
}

/// Reads bytes as a file; whatever they are, this must come back.
fn outcome(bytes: &[u8]) -> Result<Vec<String>, LockError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    fs::write(&path, bytes).unwrap();
    documents(&path, "text")
}

fn problem(bytes: &[u8]) -> Problem {
    match outcome(bytes) {
        Err(LockError::Parquet { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_parquet_file_is_said() {
    let good = fs::read(fixture("polars-default")).unwrap();
    let mut cases: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"PAR1".to_vec(),
        b"PAR1PAR1".to_vec(),
        vec![b'x'; 1000],
    ];
    cases.push(good[..good.len() - 1].to_vec());
    cases.push(good[1..].to_vec());
    let mut short_footer = good.clone();
    let length = short_footer.len();
    short_footer[length - 8..length - 4].copy_from_slice(&u32::try_from(good.len()).unwrap().to_le_bytes());
    cases.push(short_footer);
    for bytes in &cases {
        assert_eq!(problem(bytes), Problem::NotParquet);
    }
    let mut long_footer = good.clone();
    long_footer[length - 8..length - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(problem(&long_footer), Problem::FooterTooLong);
    let mut encrypted = good;
    encrypted[length - 4..].copy_from_slice(b"PARE");
    assert_eq!(problem(&encrypted), Problem::Unsupported("encryption"));
}

/// A file with one required column `text` in one uncompressed chunk, made by hand.
struct HandMade {
    rows: u64,
    pages: Vec<u8>,
}

impl HandMade {
    fn bytes(&self) -> Vec<u8> {
        let mut footer = vec![0x15, 0x04];
        // Two schema elements: the root with one child, and the column.
        footer.extend([0x19, 0x2c, 0x48, 0x01, b'r', 0x15, 0x02, 0x00]);
        footer.extend([0x15, 0x0c, 0x25, 0x00, 0x18, 0x04]);
        footer.extend(b"text\0");
        footer.push(0x16);
        footer.extend(int(self.rows));
        // One row group with one column chunk and its description.
        footer.extend([0x19, 0x1c, 0x19, 0x1c, 0x3c, 0x15, 0x0c, 0x29, 0x18, 0x04]);
        footer.extend(b"text");
        footer.extend([0x15, 0x00, 0x16]);
        footer.extend(int(self.rows));
        footer.push(0x26);
        footer.extend(int(self.pages.len() as u64));
        footer.push(0x26);
        footer.extend(int(4));
        footer.extend([0x00, 0x00, 0x26]);
        footer.extend(int(self.rows));
        footer.extend([0x00, 0x00]);
        let mut bytes = [MAGIC.as_slice(), &self.pages, &footer].concat();
        bytes.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
        bytes.extend(MAGIC);
        bytes
    }
}

/// A non-negative number in the zigzag encoding.
fn int(value: u64) -> Vec<u8> {
    varint(u128::from(value) << 1)
}

fn varint(value: u128) -> Vec<u8> {
    let (mut rest, mut bytes) = (value, Vec::new());
    loop {
        let low = u8::try_from(rest & 0x7f).unwrap();
        rest >>= 7;
        bytes.push(if rest == 0 { low } else { low | 0x80 });
        if rest == 0 {
            return bytes;
        }
    }
}

/// A page: its kind, the lengths that it claims, the values that it claims, its encoding and its body.
fn page(kind: u64, claimed_bytes: u64, values: u64, encoding: u64, body: &[u8]) -> Vec<u8> {
    let mut page = vec![0x15];
    page.extend(int(kind));
    page.push(0x15);
    page.extend(int(claimed_bytes));
    page.push(0x15);
    page.extend(int(body.len() as u64));
    page.push(if kind == 2 { 0x4c } else { 0x2c });
    page.push(0x15);
    page.extend(int(values));
    page.push(0x15);
    page.extend(int(encoding));
    if kind == 0 {
        page.extend([0x15, 0x06, 0x15, 0x06]);
    }
    page.extend([0x00, 0x00]);
    page.extend(body);
    page
}

fn data(values: u64, encoding: u64, body: &[u8]) -> Vec<u8> {
    page(0, body.len() as u64, values, encoding, body)
}

#[test]
fn a_hand_made_file_is_read() {
    let file = HandMade {
        rows: 2,
        pages: data(2, 0, b"\x02\0\0\0hi\x01\0\0\0!"),
    };
    assert_eq!(outcome(&file.bytes()).unwrap(), ["hi", "!"]);
    let dictionary = page(2, 6, 1, 0, b"\x02\0\0\0ab");
    let twice = [dictionary, data(2, 8, &[0, 4])].concat();
    assert_eq!(
        outcome(
            &HandMade {
                rows: 2,
                pages: twice
            }
            .bytes()
        )
        .unwrap(),
        ["ab", "ab"]
    );
}

#[test]
fn claims_that_the_bytes_do_not_bear_out_are_refused() {
    let of = |rows: u64, pages: Vec<u8>| problem(&HandMade { rows, pages }.bytes());
    let damaged = |problem: Problem, needle: &str| {
        let message = problem.to_string();
        assert!(message.contains(needle), "{message}\nexpected: {needle}");
    };
    damaged(
        of(3, data(2, 0, b"\x02\0\0\0hi\x01\0\0\0!")),
        "another number of rows",
    );
    damaged(
        of(1, data(2, 0, b"\x02\0\0\0hi\x01\0\0\0!")),
        "more rows than its column",
    );
    damaged(
        of(2, data(2, 0, b"\x02\0\0\0hi\xff\xff\xff\xff!")),
        "ends too early",
    );
    damaged(of(2, data(2, 8, &[1, 4, 0])), "not in its dictionary");
    damaged(
        of(1, page(0, 100, 1, 0, b"\x01\0\0\0a")),
        "does not decompress to the length",
    );
    damaged(of(1, page(0, 1 << 40, 1, 0, b"\x01\0\0\0a")), "page of more than");
    damaged(of(1, data(1, 5, b"\x01\0\0\0a")), "delta or stream-split");
    damaged(of(1, page(9, 5, 1, 0, b"\x01\0\0\0a")), "incomplete");
    damaged(of(1, page(2, 6, 1 << 60, 0, b"\x02\0\0\0ab")), "ends too early");
    damaged(of(1, vec![0x15]), "ends too early");
    damaged(of(1, Vec::new()), "another number of rows");
    let mut outside = data(1, 0, b"\x01\0\0\0a");
    outside.truncate(outside.len() - 1);
    damaged(of(1, outside), "outside of its column");
}

#[test]
fn repetition_beyond_all_proportion_is_refused() {
    // No width, then one run.
    let run = |rows: u64| [vec![0], varint(u128::from(rows) << 1)].concat();
    // A few bytes that claim gigabytes of text, or of rows without any.
    for word in ["", "0123456789abcdef"] {
        let length = u32::try_from(word.len()).unwrap().to_le_bytes();
        let body = [&length, word.as_bytes()].concat();
        let dictionary = page(2, body.len() as u64, 1, 0, &body);
        let rows = 1 << 32;
        let pages = [dictionary, data(rows, 8, &run(rows))].concat();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.parquet");
        fs::write(&path, HandMade { rows, pages }.bytes()).unwrap();
        let error = read(&path, "text", false, &mut |_, _| Ok(())).unwrap_err();
        assert!(
            matches!(
                error,
                LockError::Parquet {
                    problem: Problem::Expansion,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_deep_schema_costs_no_stack() {
    // A hundred thousand groups, each inside the one before.
    let elements = 100_000;
    let mut footer = vec![0x29, 0xfc];
    footer.extend(varint(elements));
    for _ in 0..elements {
        footer.extend([0x48, 0x01, b'g', 0x15, 0x02, 0x00]);
    }
    footer.push(0x00);
    let mut bytes = [MAGIC.as_slice(), &footer].concat();
    bytes.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
    bytes.extend(MAGIC);
    assert_eq!(
        problem(&bytes),
        Problem::NoColumn {
            column: "text".to_owned()
        }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever is done to a file, it is refused or read; it never panics.
    #[test]
    fn mutated_files_never_panic(
        name in prop::sample::select(GOOD.to_vec()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..8),
        in_footer in any::<bool>(),
    ) {
        let mut bytes = fs::read(fixture(name)).unwrap();
        // Most of a file is text; the footer is where the claims are.
        let from = if in_footer { bytes.len().saturating_sub(700) } else { 0 };
        for (at, byte, flips) in edits {
            let at = from + at.index(bytes.len() - 8 - from);
            bytes[at] = if flips { bytes[at] ^ (1 << (byte % 8)) } else { byte };
        }
        if let Ok(documents) = outcome(&bytes) {
            prop_assert!(documents.len() <= 1 << 20);
        }
    }
}
