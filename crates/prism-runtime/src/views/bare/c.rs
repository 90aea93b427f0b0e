//! C, C++ and CUDA with empty comments. Every line stays where it was.
//!
//! A comment keeps its delimiters, so that it ends where it ended for the compiler: in the middle of a directive, or over
//! a line break. Called by [`super::Form::apply`]. Strings are passed over as the compiler does; a quote that is none, as in
//! `#error don't`, ends with its line.

use super::blank;

/// The same source with nothing in its comments.
pub(super) fn bare(source: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        let (length, is_comment) = match rest {
            [b'/', b'*', ..] => (find(rest, 2, b"*/").unwrap_or(rest.len()), true),
            [b'/', b'/', ..] => (line(rest), true),
            [b'"', ..] if is_raw(&source[..at]) => (raw_string(rest), false),
            [b'"', ..] => (literal(rest), false),
            [b'\'', ..] if !is_in_number(&source[..at]) => (literal(rest), false),
            _ => (1, false),
        };
        if is_comment {
            kept.extend_from_slice(&rest[..2]);
            let closer = if rest[..length].len() >= 4 && rest[1] == b'*' && rest[..length].ends_with(b"*/") {
                2
            } else {
                0
            };
            blank(&rest[2..length - closer], &mut kept);
            kept.extend_from_slice(&rest[length - closer..length]);
        } else {
            kept.extend_from_slice(&rest[..length]);
        }
        at += length;
    }
    kept
}

/// Where a text ends that is looked for from a place on.
fn find(source: &[u8], from: usize, text: &[u8]) -> Option<usize> {
    let place = source[from..].windows(text.len()).position(|part| part == text)?;
    Some(from + place + text.len())
}

/// The length of a line without its end, and of those that it is continued over.
fn line(source: &[u8]) -> usize {
    let ends = source.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let mut ends = ends.map(|(at, _)| at);
    ends.find(|at| !matches!(source[..*at], [.., b'\\'] | [.., b'\\', b'\r']))
        .unwrap_or(source.len())
}

/// The length of a string or a character with its quotes, or of the rest of the line where it does not end.
fn literal(source: &[u8]) -> usize {
    let mut at = 1;
    while at < source.len() {
        match source[at] {
            b'\\' => at += 1,
            b'\n' => return at,
            byte if byte == source[0] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    source.len()
}

/// Whether a string that begins after this is raw: `R"x(...)x"`.
fn is_raw(before: &[u8]) -> bool {
    let word = word_at_end(before);
    matches!(word, b"R" | b"LR" | b"uR" | b"UR" | b"u8R")
}

fn raw_string(source: &[u8]) -> usize {
    let Some(open) = source.iter().position(|byte| *byte == b'(') else {
        return literal(source);
    };
    let end = [b")", &source[1..open], b"\""].concat();
    find(source, open, &end).unwrap_or(source.len())
}

/// Whether a quote after this parts the digits of a number: `1'000`.
fn is_in_number(before: &[u8]) -> bool {
    word_at_end(before).first().is_some_and(u8::is_ascii_digit)
}

fn word_at_end(before: &[u8]) -> &[u8] {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\'');
    let length = before.iter().rev().take_while(|byte| is_word(byte)).count();
    &before[before.len() - length..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        String::from_utf8(bare(source.as_bytes())).unwrap()
    }

    #[test]
    fn comments_are_empty_and_lines_stay() {
        for (source, expected) in [
            ("int x; // one\nint y;", "int x; //\nint y;"),
            ("int /* a\nb */ x;", "int /*\n*/ x;"),
            ("#define X /* a\n b */ 1\n", "#define X /*\n*/ 1\n"),
            ("// a \\\n b\nint x;", "//\\\n\nint x;"),
            ("// a \\\r\n b\r\nint x;", "//\\\r\n\r\nint x;"),
            ("/**/x/***/y/*/z*/", "/**/x/**/y/**/"),
            ("/* no end", "/*"),
            ("/*", "/*"),
            ("//", "//"),
            ("a / b", "a / b"),
        ] {
            assert_eq!(text(source), expected, "{source}");
        }
    }

    #[test]
    fn strings_and_characters_stay() {
        for source in [
            r#"char* x = "/* no */ // comment \" /* still */"; "#,
            r"char x = '\''; char y = '/';",
            "auto x = R\"a(/* \" )b\" // )a\"; int y = 1'000'000;",
            "auto c = u8'/'; L'\"';",
            "#error don't\nint x;",
            "\"no end\nint x;",
            "R\"",
        ] {
            assert_eq!(text(source), source, "{source}");
        }
        assert_eq!(text("1'0 /* a */ + '*' /* b */"), "1'0 /**/ + '*' /**/");
        assert_eq!(text("#error don't /* a\nx // b"), "#error don't /* a\nx //");
    }
}
