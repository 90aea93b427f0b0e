//! Parquet files of several writers: what is read, and what is refused and how.

mod hostile;
mod written;

use std::fs;
use std::path::PathBuf;

use prism_core::advice::Advice as _;

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

const TEXT_ALONE: Wanted<'static> = Wanted {
    text_field: "text",
    skip_empty: false,
    language_score: false,
    int_score: false,
};

/// A record, kept.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Is(String),
    Null,
    NotUtf8,
}

fn records(path: &Path, wanted: &Wanted<'_>) -> Result<Vec<(Kept, Scores)>, LockError> {
    let mut records = Vec::new();
    let length_bytes = fs::metadata(path).unwrap().len();
    read(path, wanted, &mut |record, position_bytes| {
        assert!(position_bytes <= length_bytes);
        let kept = match record.text {
            Text::Is(text) => Kept::Is(text.to_owned()),
            Text::Null => Kept::Null,
            Text::NotUtf8 => Kept::NotUtf8,
        };
        records.push((kept, record.scores));
        Ok(())
    })?;
    Ok(records)
}

fn documents(path: &Path, column: &str) -> Result<Vec<String>, LockError> {
    let wanted = Wanted {
        text_field: column,
        ..TEXT_ALONE
    };
    let documents = records(path, &wanted)?.into_iter().map(|(kept, _)| match kept {
        Kept::Is(text) => text,
        other => panic!("{other:?}"),
    });
    Ok(documents.collect())
}

const GOOD: [&str; 6] = [
    "pyarrow-default",
    "pyarrow-zstd-v2-plain",
    "pyarrow-none-required",
    "pyarrow-snappy-v2-required",
    "polars-default",
    "duckdb-default",
];

const FINEWEB: [&str; 4] = [
    "fineweb-snappy",
    "fineweb-zstd-v2",
    "fineweb-lz4-delta",
    "fineweb-brotli",
];

#[test]
fn files_of_several_writers_are_read() {
    for name in GOOD {
        assert_eq!(documents(&fixture(name), "text").unwrap(), texts(), "{name}");
    }
    for name in ["pyarrow-gzip", "pyarrow-delta"] {
        assert_eq!(documents(&fixture(name), "text").unwrap(), texts()[..4], "{name}");
    }
}

/// The columns of FineWeb-Edu: odd texts byte for byte, and the numbers that filters read beside them.
#[test]
fn the_columns_of_fineweb_edu_are_read_in_step() {
    let odd = [
        "",
        "CRLF\r\nhere\r\n",
        "emoji \u{1f600}\u{1f9ea}",
        "NUL \0 inside",
        "\u{feff}mark",
    ];
    let wanted = Wanted {
        skip_empty: true,
        language_score: true,
        int_score: true,
        ..TEXT_ALONE
    };
    for name in FINEWEB {
        let found = records(&fixture(name), &wanted).unwrap();
        assert_eq!(found.len(), 20, "{name}");
        for (i, (text, scores)) in found.into_iter().enumerate() {
            let expected = match (i % 3, i / 3) {
                (0, 5) => Kept::Null,
                (0, at) if at < 5 => Kept::Is(odd[at].to_owned()),
                _ => Kept::Is(format!("Row {i} is {}. ", i * i).repeat(i + 1)),
            };
            assert_eq!(text, expected, "{name} {i}");
            assert_eq!(scores.language, Some(0.5 + i as f64 / 40.0), "{name} {i}");
            assert_eq!(scores.int, Some((1 + i / 5) as f64), "{name} {i}");
        }
    }
    // Without a filter they are not read.
    let plain = Wanted {
        skip_empty: true,
        ..TEXT_ALONE
    };
    let found = records(&fixture(FINEWEB[0]), &plain).unwrap();
    assert!(found.iter().all(|(_, scores)| *scores == Scores::default()));
}

#[test]
fn what_is_no_column_of_text_is_told_with_what_there_is() {
    let message = |name: &str, wanted: &Wanted<'_>| records(&fixture(name), wanted).unwrap_err().told();
    let cases = [
        (
            "refused-list",
            "it has no column `text`, but `text.list.element`; name the column",
        ),
        (
            "refused-number",
            "its column `text` holds INT64, not strings; the columns are `text`",
        ),
        ("null", "row 2 of"),
        (
            "refused-no-text",
            "it has no column `text`, but `body`; name the column that holds the text with `--text-field`",
        ),
        (
            "pyarrow-struct",
            "it has no column `text`, but `doc.text`, `doc.n`; name the column",
        ),
    ];
    for (name, expected) in cases {
        let message = message(name, &TEXT_ALONE);
        assert!(message.contains(expected) && message.contains(name), "{message}");
    }
    let named = |text_field| Wanted {
        text_field,
        ..TEXT_ALONE
    };
    let of_list = message("refused-list", &named("text.list.element"));
    assert!(of_list.contains("holds lists, not strings"), "{of_list}");
    // The name is that of a column, not of a part of one.
    assert!(
        message("pyarrow-default", &named("n"))
            .contains("it has no column `n`, but `id`, `tags.list.element`")
    );
    for name in ["meta", "schema"] {
        assert!(message("pyarrow-default", &named(name)).contains("it has no column"));
    }
    let scored = Wanted {
        language_score: true,
        ..TEXT_ALONE
    };
    let without = message("pyarrow-default", &scored);
    assert!(
        without.contains("it has no column `language_score`, but ")
            && without.contains("leave the filter out"),
        "{without}"
    );
}

#[test]
fn nulls_and_bytes_that_are_no_text_are_told_apart() {
    let skipping = Wanted {
        skip_empty: true,
        ..TEXT_ALONE
    };
    let kept = |name: &str| -> Vec<Kept> {
        let found = records(&fixture(name), &skipping).unwrap();
        found.into_iter().map(|(kept, _)| kept).collect()
    };
    let is = |text: &str| Kept::Is(text.to_owned());
    assert_eq!(kept("null"), [is("a"), Kept::Null, is("b")]);
    assert_eq!(kept("not-utf8"), [is("good"), Kept::NotUtf8, is("also good")]);
    // A part of a group that is null is null too.
    let inner = Wanted {
        text_field: "doc.text",
        ..skipping
    };
    let found = records(&fixture("pyarrow-struct"), &inner).unwrap();
    let found: Vec<Kept> = found.into_iter().map(|(kept, _)| kept).collect();
    assert_eq!(found, [is("inner"), Kept::Null, is("other")]);
}
