//! Files that are damaged, or made to cost what no file is worth.

use proptest::prelude::*;

use super::*;

/// Reads bytes as a file; whatever they are, this must come back.
fn outcome(bytes: &[u8]) -> Result<Vec<String>, LockError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    fs::write(&path, bytes).unwrap();
    let wanted = Wanted {
        skip_empty: true,
        ..TEXT_ALONE
    };
    let kept = records(&path, &wanted)?;
    Ok(kept
        .into_iter()
        .filter_map(|(kept, _)| match kept {
            Kept::Is(text) => Some(text),
            Kept::Null | Kept::NotUtf8 => None,
        })
        .collect())
}

/// The problem, and the row group that it is in.
fn problem_in(bytes: &[u8]) -> (Problem, Option<usize>) {
    match outcome(bytes) {
        Err(LockError::Parquet {
            problem, row_group, ..
        }) => (*problem, row_group),
        other => panic!("{other:?}"),
    }
}

fn problem(bytes: &[u8]) -> Problem {
    problem_in(bytes).0
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
    assert_eq!(problem(&encrypted), Problem::Unsupported("encryption".to_owned()));
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
        // One row group with one column chunk, where it starts, and its description.
        footer.extend([
            0x19, 0x1c, 0x19, 0x1c, 0x26, 0x00, 0x1c, 0x15, 0x0c, 0x19, 0x15, 0x00,
        ]);
        footer.extend([0x19, 0x18, 0x04]);
        footer.extend(b"text");
        footer.extend([0x15, 0x00, 0x16]);
        footer.extend(int(self.rows));
        for _ in ["unpacked", "packed"] {
            footer.push(0x16);
            footer.extend(int(self.pages.len() as u64));
        }
        footer.push(0x26);
        footer.extend(int(4));
        footer.extend([0x00, 0x00, 0x16, 0x00, 0x16]);
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
        "another number of rows",
    );
    damaged(
        of(2, data(2, 0, b"\x02\0\0\0hi\xff\xff\xff\xff!")),
        "it is damaged",
    );
    damaged(of(2, data(2, 8, &[1, 4, 0])), "it is damaged");
    // What a page claims to be unpacked is never made room for, and so does no harm.
    let boastful = HandMade {
        rows: 1,
        pages: page(0, 1 << 30, 1, 0, b"\x01\0\0\0a"),
    };
    assert_eq!(outcome(&boastful.bytes()).unwrap(), ["a"]);
    damaged(of(1, data(1, 5, b"\x01\0\0\0a")), "it is damaged");
    damaged(of(1, page(9, 5, 1, 0, b"\x01\0\0\0a")), "it is damaged");
    damaged(of(1, page(2, 6, 1 << 60, 0, b"\x02\0\0\0ab")), "it is damaged");
    damaged(of(1, vec![0x15]), "it is damaged");
    damaged(of(1, Vec::new()), "another number of rows");
    let mut outside = data(1, 0, b"\x01\0\0\0a");
    outside.truncate(outside.len() - 1);
    damaged(of(1, outside), "it is damaged");
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
        let rows = 1 << 23;
        let pages = [dictionary, data(rows, 8, &run(rows))].concat();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.parquet");
        fs::write(&path, HandMade { rows, pages }.bytes()).unwrap();
        let error = read(&path, &TEXT_ALONE, &mut |_, _| Ok(())).unwrap_err();
        let LockError::Parquet { problem, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(*problem, Problem::Expansion);
    }
    let rows = u64::from(PAGE_VALUES_MAX) + 1;
    let dictionary = page(2, 4, 1, 0, &[0; 4]);
    let pages = [dictionary, data(rows, 8, &run(rows))].concat();
    assert_eq!(problem(&HandMade { rows, pages }.bytes()), Problem::TooManyValues);
}

#[test]
fn a_deep_schema_costs_no_stack() {
    // Groups, each inside the one before.
    for (elements, expected) in [
        (100_000, "a schema of more than 10000 columns"),
        (9_000, "a schema of more than 64 levels"),
    ] {
        let mut footer = vec![0x29, 0xfc];
        footer.extend(varint(elements));
        for _ in 0..elements {
            footer.extend([0x48, 0x01, b'g', 0x15, 0x02, 0x00]);
        }
        footer.push(0x00);
        let mut bytes = [MAGIC.as_slice(), &footer].concat();
        bytes.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
        bytes.extend(MAGIC);
        let problem = problem(&bytes).to_string();
        assert!(problem.contains(expected), "{problem}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever is done to a file, it is refused or read; it never panics.
    #[test]
    fn mutated_files_never_panic(
        name in prop::sample::select([GOOD.as_slice(), &FINEWEB].concat()),
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
