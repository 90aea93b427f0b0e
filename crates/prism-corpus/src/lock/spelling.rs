//! Two things that JSON does not know and common writers put out: numbers that are none, and halves of characters.
//!
//! [`super::jsonl`] asks about a line that the parser refuses. Nothing here decides what a text is.

use std::ops::Range;

/// The words that some writers put where a number would be, and numbers of the same length.
const WORDS: [(&str, &str); 3] = [
    ("NaN", "0.0"),
    ("-Infinity", "-0.000000"),
    ("Infinity", "0.000000"),
];

/// The line with a number of the same length for each `NaN` and `Infinity` that stands where a value does; none if it has
/// none of them.
pub(super) fn with_numbers(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    // What comes before a value; white space does not count.
    let (mut before, mut found, mut at) = (b' ', false, 0);
    while let Some(&byte) = line.as_bytes().get(at) {
        let number = WORDS.iter().find(|(word, _)| line[at..].starts_with(word));
        let end = match number {
            Some((word, number)) if matches!(before, b':' | b',' | b'[') => {
                found = true;
                out.push_str(number);
                at += word.len();
                before = b'0';
                continue;
            }
            _ if byte == b'"' => string_end(line, at),
            _ => line.ceil_char_boundary(at + 1),
        };
        out.push_str(&line[at..end]);
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        at = end;
    }
    found.then_some(out)
}

/// Where the string that starts at this quotation mark ends.
fn string_end(line: &str, start: usize) -> usize {
    let mut escaped = false;
    for (place, byte) in line.bytes().enumerate().skip(start + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    line.len()
}

/// The escape of a surrogate without its other half at which the parser gave up; `column` is how many bytes it had read.
pub(super) fn lone_surrogate_before(line: &str, column: usize) -> Option<Range<usize>> {
    // It gives up right after a second half, one or two bytes after a first one, or after the escape that follows.
    [6, 7, 8, 12].into_iter().find_map(|read_bytes| {
        let start = column.checked_sub(read_bytes)?;
        let unit = escape_at(line, start)?;
        let after = line.as_bytes().get(start + 6..)?;
        let is_lone = match read_bytes {
            6 => {
                is_low(unit)
                    && !start
                        .checked_sub(6)
                        .and_then(|at| escape_at(line, at))
                        .is_some_and(is_high)
            }
            7 => is_high(unit) && !after.starts_with(b"\\"),
            8 => is_high(unit) && after.starts_with(b"\\") && !after.starts_with(b"\\u"),
            _ => is_high(unit) && escape_at(line, start + 6).is_some_and(|next| !is_low(next)),
        };
        is_lone.then_some(start..start + 6)
    })
}

const fn is_high(unit: u16) -> bool {
    matches!(unit, 0xd800..=0xdbff)
}

const fn is_low(unit: u16) -> bool {
    matches!(unit, 0xdc00..=0xdfff)
}

/// The unit of the escape `\uXXXX` that starts here. One whose backslash is itself escaped is none.
fn escape_at(line: &str, at: usize) -> Option<u16> {
    let bytes = line.as_bytes();
    let backslashes = bytes
        .get(..at)?
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count();
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    let is_escape = backslashes % 2 == 0 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_escape.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_become_numbers_only_where_a_value_stands() {
        let changed = |line: &str| with_numbers(line).unwrap_or_default();
        assert_eq!(
            changed(r#"{"a": NaN, "b":[Infinity,-Infinity, NaN], "NaN": "NaN, Infinity \" NaN"}"#),
            r#"{"a": 0.0, "b":[0.000000,-0.000000, 0.0], "NaN": "NaN, Infinity \" NaN"}"#
        );
        for line in [
            "",
            r#"{"a": "NaN"}"#,
            "{NaN: 1}",
            r#"{"a": 1NaN}"#,
            r#""a\\": "NaN"#,
        ] {
            assert_eq!(with_numbers(line), None, "{line}");
        }
    }

    #[test]
    fn a_lone_surrogate_is_found_and_a_pair_is_none() {
        let found = |line: &str| {
            let error = serde_json::from_str::<String>(line).unwrap_err();
            lone_surrogate_before(line, error.column()).map(|range| line[range].to_owned())
        };
        for line in [
            r#""a \ud83d end""#,
            r#""a \ud83d\n end""#,
            r#""a \ud83d\u0041 end""#,
            r#""a \ud83d\ud83d\ude00 end""#,
            r#""\ud83d""#,
            r#""\ud83d\ude00 \ud83d""#,
        ] {
            assert_eq!(found(line).as_deref(), Some(r"\ud83d"), "{line}");
        }
        assert_eq!(found(r#""a \uDE00 b""#).as_deref(), Some(r"\uDE00"));
        assert_eq!(found(r#""\\ud83d \ude00""#).as_deref(), Some(r"\ude00"));
        for line in [r#""a \x""#, r#""\ud83d\ude00 \u12""#, r#""\\ud83d"#, r#""\ud8"#] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_walked(line in r#"[\\u"d83eNa, :\[\]{}Infity\u{e9}-]{0,40}"#, column in 0usize..60) {
            if let Some(changed) = with_numbers(&line) {
                prop_assert_eq!(changed.len(), line.len());
            }
            if let Some(range) = lone_surrogate_before(&line, column) {
                prop_assert!(line[range].starts_with("\\u"));
            }
        }
    }
}
